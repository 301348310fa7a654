# SPDX-License-Identifier: BSD-2-Clause
"""What stand-ins for ITSMs have in common: an HTTP server on loopback that is told what to do
wrong next, keeps what it was asked, and holds each request against a contract.

plan(what, match, n, **more): for the next n requests whose first line has `match`:
  lose    carried out, and the connection dropped without an answer
  cut     dropped before anything happens
  half    carried out, and answered with half of the JSON
  page    200 and a page of HTML; nothing happens
  answer  status, headers and body as given; nothing happens
  late    carried out after `seconds`, whether somebody waits for it or not; no answer
A breach of the contract (`breach`) is answered and kept; the suite looks that there was none.
"""
import json
import threading
import time
import urllib.parse

from . import web


class Request:
    def __init__(self, method, target, headers, body):
        self.method, self.target = method, target
        self.line = f"{method} {target}"
        url = urllib.parse.urlsplit(target)
        self.path = url.path
        self.query = dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True))
        self.headers = headers
        self.body = body
        self.answer = None  # of the stand-in itself, where no plan made another

    def json(self):
        return json.loads(self.body.decode("utf-8"))

    def parts(self):
        """A multipart body: [(headers, bytes)]."""
        kind = self.headers["content-type"]
        mark = b"--" + kind.split("boundary=")[1].strip('"').encode()
        found = []
        for piece in self.body.split(mark)[1:-1]:
            head, _, data = piece[2:].partition(b"\r\n\r\n")
            found.append((head.decode(), data[:-2]))
        return found


class Answer(Exception):
    """Ends a request with a status and a body (JSON unless it is text)."""

    def __init__(self, status, body=None, **headers):
        super().__init__(status)
        self.status, self.body, self.headers = status, body, headers


class Fake:
    def __init__(self):
        self.lock = threading.RLock()
        self.plans, self.seen, self.breaches = [], [], []
        fake = self

        class Handler(web.Handler):
            def serve(self):
                fake.serve(self)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = serve

        self.server = web.Server(Handler)
        self.url = self.server.url

    def stop(self):
        self.server.stop()

    def plan(self, what, match, count=1, **more):
        self.plans.append([what, match, count, more])

    def breach(self, why, status=400):
        self.breaches.append(why)
        raise Answer(status, {"breach": why})

    def need(self, truth, why):
        if not truth:
            self.breach(why)

    def route(self, request):
        raise NotImplementedError

    def unknown(self, request):
        self.breach(f"no such path: {request.line}", 404)

    def _plan(self, line):
        for plan in self.plans:
            if plan[2] > 0 and plan[1] in line + " ":
                plan[2] -= 1
                return plan[0], plan[3]
        return "pass", {}

    def _carry_out(self, request):
        try:
            self.route(request)
        except Answer as answer:
            return answer
        except (KeyError, ValueError, TypeError, IndexError) as error:
            self.breaches.append(f"{request.line}: {error!r}")
            return Answer(400, {"breach": repr(error)})
        raise AssertionError("a route ends with an answer")

    def serve(self, http):
        length = int(http.headers.get("Content-Length") or 0)
        request = Request(http.command, http.path,
                          {k.lower(): v for k, v in http.headers.items()},
                          http.rfile.read(length))
        with self.lock:
            self.seen.append(request)
            what, more = self._plan(request.line)
        if what == "late":
            time.sleep(more["seconds"])
        with self.lock:
            if what in ("pass", "lose", "half", "late"):
                answer = request.answer = self._carry_out(request)
            elif what == "page":
                answer = Answer(200, "<html>log in</html>", **{"Content-Type": "text/html"})
            elif what == "answer":
                answer = Answer(more["status"], more.get("body"), **more.get("headers", {}))
        if what in ("lose", "cut", "late"):
            http.close_connection = True
            http.connection.close()
            return
        body = b"" if answer.body is None else (
            answer.body.encode() if isinstance(answer.body, str)
            else json.dumps(answer.body).encode())
        body = body[:len(body) // 2] if what == "half" else body
        http.send_response(answer.status)
        if body and "Content-Type" not in answer.headers:
            http.send_header("Content-Type", "application/json; charset=utf-8")
        for name, value in answer.headers.items():
            http.send_header(name, value)
        http.send_header("Content-Length", str(len(body)))
        http.end_headers()
        http.wfile.write(body)
