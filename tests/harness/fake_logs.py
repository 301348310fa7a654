# SPDX-License-Identifier: BSD-2-Clause
"""Stand-ins for services that take logs, held to their contracts: a collector of Splunk (with
and without indexer acknowledgement) and Elasticsearch's _bulk."""
import json
import re

from .strict import Answer, Fake

GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def concatenated(text):
    """JSON objects behind each other, as the collector takes them."""
    decoder, at, found = json.JSONDecoder(), 0, []
    while at < len(text):
        one, at = decoder.raw_decode(text, at)
        found.append(one)
    return found


class Splunk(Fake):
    TEXTS = {1: (403, "Token disabled"), 3: (401, "Invalid authorization"),
             4: (403, "Invalid token"), 6: (400, "Invalid data format"),
             7: (400, "Incorrect index"), 9: (503, "Server is busy"),
             10: (400, "Data channel is missing"), 12: (400, "Event field is required")}

    def __init__(self, token, acknowledges=False, size_max=None):
        super().__init__()
        self.token, self.acknowledges, self.size_max = token, acknowledges, size_max
        self.events = []   # as they came
        self.batches = []  # sizes
        self.acks = {}     # (channel, number): how often it is still false
        self.slow = 0      # questions before an acknowledgement is true
        self.bad = None    # a predicate: such an event is refused

    def fail(self, code, **more):
        status, text = self.TEXTS[code]
        raise Answer(status, {"text": text, "code": code, **more})

    def route(self, request):
        self.need(request.method == "POST", f"method {request.method}")
        if request.headers.get("authorization") != f"Splunk {self.token}":
            self.fail(4)
        channel = request.headers.get("x-splunk-request-channel", "")
        if request.path == "/services/collector/ack":
            self.need(self.acknowledges and request.query == {"channel": channel}, "ack without a channel")
            raise Answer(200, {"acks": {str(n): self.ack(channel, n) for n in request.json()["acks"]}})
        self.need(request.path == "/services/collector/event", f"path {request.path}")
        self.need(request.headers.get("content-type") == "application/json", "content-type")
        if self.acknowledges and not GUID.fullmatch(channel):
            self.fail(10)
        if self.size_max is not None and len(request.body) > self.size_max:
            raise Answer(413, {"text": "Request entity too large", "code": 27})
        self.take(channel, concatenated(request.body.decode("utf-8")))

    def take(self, channel, found):
        for number, one in enumerate(found):
            self.need(set(one) <= {"time", "host", "source", "sourcetype", "index", "event", "fields"},
                      f"members {sorted(one)}")
            self.need(isinstance(one["time"], float) and 1e9 < one["time"] < 1e10, "time in seconds")
            if self.bad is not None and self.bad(one["event"]):
                self.events += found[:number]
                self.fail(6, **{"invalid-event-number": number})
        self.batches.append(len(found))
        self.events += found
        if not self.acknowledges:
            raise Answer(200, {"text": "Success", "code": 0})
        number = len(self.acks)
        self.acks[channel, number] = self.slow
        raise Answer(200, {"text": "Success", "code": 0, "ackId": number})

    def ack(self, channel, number):
        left = self.acks.get((channel, number))
        if left:
            self.acks[channel, number] -= 1
        return left == 0

    def ids(self):
        """Of the events, without those that came again."""
        return list(dict.fromkeys(e["event"]["event.sequence"] for e in self.events))


class Elasticsearch(Fake):
    def __init__(self, key, size_max=None):
        super().__init__()
        self.key, self.size_max = key, size_max
        self.documents = {}    # id: document
        self.actions = []      # lines that say what comes
        self.again = 0         # creates that were there
        self.busy = {}         # id: how often it is answered 429
        self.item_fault = None  # document -> status or None

    def route(self, request):
        self.need(request.method == "POST" and request.path == "/_bulk", f"{request.line}")
        if request.headers.get("authorization") != f"ApiKey {self.key}":
            raise Answer(401, {"error": {"type": "security_exception", "reason": "no"}, "status": 401})
        self.need(request.headers.get("content-type") == "application/x-ndjson", "content-type")
        if self.size_max is not None and len(request.body) > self.size_max:
            raise Answer(413)
        self.need(request.body.endswith(b"\n"), "the last line ends")
        lines = request.body.decode("utf-8").split("\n")[:-1]
        self.need(len(lines) % 2 == 0, "an even number of lines")
        items = [self.create(json.loads(lines[i]), json.loads(lines[i + 1])) for i in range(0, len(lines), 2)]
        raise Answer(200, {"errors": any(i["create"]["status"] > 299 for i in items), "items": items})

    def create(self, action, document):
        self.actions.append(action)
        self.need(list(action) == ["create"] and set(action["create"]) == {"_index", "_id"}, f"action {action}")
        self.need(action["create"]["_index"] == "logs-ticket_milter-default", "index")
        name = action["create"]["_id"]
        self.need(0 < len(name.encode()) <= 512, "id")
        self.need(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", document["@timestamp"]), "time")
        status = self.item_fault(document) if self.item_fault else None
        if status is None and self.busy.get(document["event.sequence"], 0) > 0:
            self.busy[document["event.sequence"]] -= 1
            status = 429
        if status is not None:
            return {"create": {"status": status, "error": {"type": "test_exception", "reason": "as told"}}}
        if name in self.documents:
            self.need(self.documents[name] == document, "another document of the same id")
            self.again += 1
            return {"create": {"status": 409, "error": {"type": "version_conflict_engine_exception",
                                                        "reason": "document already exists"}}}
        self.documents[name] = document
        return {"create": {"status": 201}}

    def ids(self):
        return [d["event.sequence"] for d in self.documents.values()]
