# SPDX-License-Identifier: BSD-2-Clause
"""A language model's service on loopback that holds its callers to the contract of
POST /chat/completions: what a strict server would refuse is a 400 here, and noted."""
import json
import time

from . import web

MEMBERS = {"model", "messages", "stream", "max_completion_tokens", "max_tokens",
           "response_format", "temperature", "seed", "store", "reasoning_effort", "user"}


def fault_of(request):
    """What the contract says against a request's body; None when nothing."""
    if not isinstance(request, dict) or set(request) - MEMBERS:
        return f"unknown members: {sorted(set(request) - MEMBERS)}"
    if not isinstance(request.get("model"), str) or not request["model"]:
        return "model"
    messages = request.get("messages")
    if not isinstance(messages, list) or not messages:
        return "messages"
    for m in messages:
        if set(m) != {"role", "content"} or m["role"] not in ("system", "user") or \
                not isinstance(m["content"], str):
            return "a message"
    if request.get("stream") is not False:
        return "stream"
    if not isinstance(request.get("max_completion_tokens"), int):
        return "max_completion_tokens"
    form = request.get("response_format")
    if not isinstance(form, dict) or set(form) != {"type", "json_schema"} or \
            form["type"] != "json_schema":
        return "response_format"
    schema = form["json_schema"]
    if set(schema) != {"name", "strict", "schema"} or schema["strict"] is not True:
        return "json_schema"
    s = schema["schema"]
    if s.get("type") != "object" or s.get("additionalProperties") is not False or \
            set(s["required"]) != set(s["properties"]):
        return "strict mode: all members required, no others"
    return None


def choice(content, finish="stop", refusal=None):
    return {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "m",
            "choices": [{"index": 0, "finish_reason": finish, "logprobs": None,
                         "message": {"role": "assistant", "content": content,
                                     "refusal": refusal}}],
            "usage": {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120}}


def good(category="network", urgency="high", summary="The VPN does not connect."):
    return choice(json.dumps({"category": category, "urgency": urgency,
                              "summary": summary}))


class Fake:
    """answer is called with the parsed request; it gives (status, headers, body)."""

    def __init__(self, key="sk-test"):
        fake = self
        self.key, self.requests, self.faults, self.raw = key, [], [], []
        self.answer = lambda request: (200, {}, good())

        class Handler(web.Handler):
            def do_POST(self):
                raw = self.rfile.read(int(self.headers["Content-Length"]))
                fake.raw.append(raw)
                status, headers, body = fake.take(self.path, self.headers, raw)
                data = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                headers = {"Content-Type": "application/json", **headers}
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                try:
                    self.wfile.write(data)
                except OSError:
                    pass

        self.server = web.Server(Handler)
        self.url = f"{self.server.url}/v1"

    def take(self, path, headers, raw):
        def refuse(status, text):
            self.faults.append(text)
            return status, {}, {"error": {"message": text, "type": "x", "param": None,
                                          "code": None}}
        if path != "/v1/chat/completions":
            return refuse(404, f"path {path}")
        if headers.get("Authorization") != f"Bearer {self.key}":
            return refuse(401, "key")
        if headers.get("Content-Type") != "application/json":
            return refuse(415, "content type")
        try:
            request = json.loads(raw)
        except ValueError:
            return refuse(400, "not JSON")
        fault = fault_of(request)
        if fault:
            return refuse(400, fault)
        self.requests.append(request)
        return self.answer(request)

    def slow(self, seconds):
        def late(request):
            time.sleep(seconds)
            return 200, {}, good()
        self.answer = late

    def stop(self):
        self.server.stop()
