# SPDX-License-Identifier: BSD-2-Clause
"""A strict stand-in for Zendesk Support, API v2."""
import base64

from .strict import Answer, Fake

MEMBERS = {"subject", "comment", "requester", "requester_id", "priority", "status", "type",
           "group_id", "assignee_email", "tags", "external_id", "custom_fields"}


class Zendesk(Fake):
    def __init__(self, user="agent@example.org/token", secret="s3cret"):
        self.auth = "Basic " + base64.b64encode(f"{user}:{secret}".encode()).decode()
        self.tickets, self.keys, self.uploads = {}, {}, {}
        self.users = {"ann@example.org": 71, "joann@example.org": 70}
        self.groups = {360001: "Network", 360002: "Desk"}
        self.hits = 0
        super().__init__()

    def route(self, r):
        if r.headers.get("authorization") != self.auth:
            if r.path == "/api/v2/users/me.json":
                raise Answer(200, {"user": {"id": None, "role": "end-user", "email": "invalid@example.com"}})
            raise Answer(401, {"error": "Couldn't authenticate you"})
        self.need(r.headers.get("accept") == "application/json", "Accept")
        self.need(r.path.startswith("/api/v2/"), "base")
        if r.method in ("POST", "PUT") and r.path != "/api/v2/uploads.json":
            self.need(r.headers.get("content-type") == "application/json", "Content-Type")
        path = r.path[len("/api/v2/"):]
        if r.line.startswith("GET ") and path == "users/me.json":
            raise Answer(200, {"user": {"id": 1, "role": "agent", "email": "agent@example.org"}})
        if r.method == "GET" and path == "users/search.json":
            who = r.query["query"].removeprefix("email:")
            raise Answer(200, {"users": [{"id": i, "email": e} for e, i in
                                         sorted(self.users.items(), reverse=True)
                                         if who in e]})
        if r.method == "GET" and path.startswith("groups/"):
            number = int(path.removeprefix("groups/").removesuffix(".json"))
            if number not in self.groups:
                raise Answer(404, {"error": "RecordNotFound", "description": "Not found"})
            raise Answer(200, {"group": {"id": number, "name": self.groups[number]}})
        if path == "tickets.json":
            return self.create(r) if r.method == "POST" else self.find(r)
        if r.method == "POST" and path == "uploads.json":
            return self.upload(r)
        if path.startswith("tickets/"):
            return self.ticket(r, path.removeprefix("tickets/"))
        return self.unknown(r)

    def check(self, t):
        self.need(set(t) <= MEMBERS, f"members {set(t) - MEMBERS}")
        if "status" in t:
            self.need(t["status"] in ("new", "open", "pending", "hold", "solved"), "status")
        if "priority" in t:
            self.need(t["priority"] in ("urgent", "high", "normal", "low"), "priority")
        if "type" in t:
            self.need(t["type"] in ("problem", "incident", "question", "task"), "type")
        if "group_id" in t and t["group_id"] not in self.groups:
            raise Answer(422, {"error": "RecordInvalid", "description": "Record validation errors",
                               "details": {"group": [{"description": "Group is invalid",
                                                      "error": "InvalidValue"}]}})
        for f in t.get("custom_fields", []):
            self.need(isinstance(f["id"], int) and isinstance(f["value"], str), "custom field")
        if "comment" in t:
            c = t["comment"]
            self.need(isinstance(c["public"], bool) and c["body"], "comment")
            self.need(len(c["body"].encode()) <= 65536, "comment too long")
        if "requester" in t:
            self.need(t["requester"]["name"] and "@" in t["requester"]["email"], "requester")

    def create(self, r):
        key = r.headers.get("idempotency-key")
        self.need(key and len(key) <= 255, "Idempotency-Key")
        if key in self.keys:
            body, number = self.keys[key]
            if body != r.body:
                raise Answer(400, {"error": "IdempotentRequestError", "description":
                                   "Request parameters don't match the given idempotency key"})
            self.hits += 1
            raise Answer(201, {"ticket": self.shown(number)},
                         **{"x-idempotency-lookup": "hit"})
        t = r.json()["ticket"]
        self.check(t)
        self.need(t["subject"] and len(t["subject"]) <= 150, "subject")
        self.need(t["external_id"].startswith("mt-"), "external_id")
        number = 35436 + len(self.tickets)
        self.tickets[number] = dict(t, comments=[])
        self.keys[key] = (r.body, number)
        self.add_comment(number, t["comment"])
        raise Answer(201, {"ticket": self.shown(number), "audit": {"id": 1}},
                     **{"x-idempotency-lookup": "miss"})

    def add_comment(self, number, c):
        files = []
        for token in c.get("uploads", []):
            self.need(token in self.uploads, "token")  # single use
            files.append(self.uploads.pop(token))
        self.tickets[number]["comments"].append(dict(c, files=files))

    def shown(self, number):
        t = self.tickets[number]
        return {"id": number, "url": f"{self.url}/api/v2/tickets/{number}.json",
                "external_id": t["external_id"], "status": t.get("status", "new"),
                "priority": t.get("priority"), "group_id": t.get("group_id"),
                "assignee_id": None, "updated_at": "2026-11-22T10:00:00Z"}

    def find(self, r):
        self.need(set(r.query) == {"external_id"}, "query")
        raise Answer(200, {"tickets": [self.shown(n) for n, t in self.tickets.items()
                                       if t["external_id"] == r.query["external_id"]],
                           "next_page": None, "count": 1})

    def upload(self, r):
        self.need(r.query.get("filename"), "filename")
        self.need("/" in r.headers.get("content-type", ""), "Content-Type of the file")
        self.need(len(r.body) <= 50 * 1024 * 1024, "size")
        token = f"tok{len(self.uploads)}"
        self.uploads[token] = (r.query["filename"], r.body)
        raise Answer(201, {"upload": {"token": token, "attachment": {"id": 1}}})

    def ticket(self, r, rest):
        number = rest.split("/")[0].removesuffix(".json")
        if not number.isdigit() or int(number) not in self.tickets:
            raise Answer(404, {"error": "RecordNotFound", "description": "Not found"})
        number = int(number)
        if r.method == "GET" and rest.endswith("/comments.json"):
            self.need(r.query["sort_order"] == "desc", "sort_order")
            found = [{"id": i, "author_id": 1, "body": c["body"], "public": c["public"],
                      "created_at": "2026-11-22T10:00:00Z",
                      "attachments": [{"file_name": n} for n, _ in c["files"]]}
                     for i, c in enumerate(self.tickets[number]["comments"])]
            raise Answer(200, {"comments": found[::-1]})
        if r.method == "GET":
            raise Answer(200, {"ticket": self.shown(number)})
        if r.method == "PUT":
            self.need("idempotency-key" not in r.headers, "Idempotency-Key of an update")
            t = r.json()["ticket"]
            self.check(t)
            if "comment" in t:
                self.add_comment(number, t.pop("comment"))
            self.tickets[number].update(t)
            raise Answer(200, {"ticket": self.shown(number)})
        return self.unknown(r)
