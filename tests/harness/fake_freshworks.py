# SPDX-License-Identifier: BSD-2-Clause
"""A strict stand-in for Freshservice and Freshdesk, API v2."""
import base64
import re
import urllib.parse

from .strict import Answer, Fake

MEMBERS = {"email", "name", "requester_id", "subject", "description", "status", "priority",
           "source", "group_id", "responder_id", "department_id", "workspace_id", "category",
           "sub_category", "item_category", "tags", "custom_fields", "type"}
SERVICE = MEMBERS | {"urgency", "impact"}
TYPES = {"status": int, "priority": int, "source": int, "group_id": int, "urgency": int,
         "impact": int, "responder_id": int, "requester_id": int, "department_id": int,
         "workspace_id": int, "tags": list, "custom_fields": dict}


class Freshworks(Fake):
    def __init__(self, desk=False, secret="s3cret"):
        self.desk = desk
        self.auth = "Basic " + base64.b64encode(f"{secret}:X".encode()).decode()
        self.tickets, self.talk, self.items = {}, {}, {23: "Laptop"}
        self.people = {"ann@example.org": 71, "desk@example.org": 70}
        self.agents = {"agent@example.org": 81}
        self.groups = {7: "Network", 5: "Desk"}
        self.fields = {"site": str, "count": int, "corr": str}
        self.hidden = set()      # tickets that the filter does not show yet
        self.filters = True      # False: it refuses the query
        self.total = 15 * 1024 * 1024
        self.knows_me = True
        super().__init__()

    def wrap(self, name, value):
        return value if self.desk else {name: value}

    def wrong(self, field, message, code="invalid_value"):
        raise Answer(400, {"description": "Validation failed", "errors": [
            {"field": field, "message": message, "code": code}]})

    def route(self, r):
        self.need(r.headers.get("accept") == "application/json", "Accept")
        if r.headers.get("authorization") != self.auth:
            raise Answer(401, {"code": "invalid_credentials",
                               "message": "You have to be logged in to perform this action."})
        self.need(r.path.startswith("/api/v2/"), "base")
        path = r.path[len("/api/v2/"):]
        is_form = r.headers.get("content-type", "").startswith("multipart/form-data")
        if r.method in ("POST", "PUT") and not is_form:
            if r.headers.get("content-type") != "application/json":
                raise Answer(415)
        if r.method == "GET":
            return self.look(r, path)
        if r.method == "POST" and path == "tickets":
            return self.create(r)
        match = re.fullmatch(r"service_catalog/items/(\d+)/place_request", path)
        if match and r.method == "POST" and not self.desk:
            return self.place(r, int(match[1]))
        match = re.fullmatch(r"tickets/(\d+)(/notes|/reply)?", path)
        if not match:
            return self.unknown(r)
        number = int(match[1])
        if number not in self.tickets:
            raise Answer(404)
        if r.method == "PUT" and not match[2]:
            self.need(set(r.query) <= {"bypass_mandatory"}, "query")
            t = r.json()
            self.need(t, "an empty change")
            self.check(t)
            self.tickets[number].update(t)
            raise Answer(200, self.wrap("ticket", self.shown(number)))
        if r.method == "POST" and match[2]:
            return self.note(r, number, match[2], is_form)
        return self.unknown(r)

    def look(self, r, path):
        lists = {"agents": self.agents, "contacts" if self.desk else "requesters": self.people}
        if path in lists:
            self.need(set(r.query) == {"email"}, "query")
            who = r.query["email"]
            found = [{"id": i, **self.mail(path, e)} for e, i in lists[path].items() if e == who]
            raise Answer(200, self.wrap(path, found))
        if path == "agents/me":
            raise Answer(200, self.wrap("agent", {"id": 81})) if self.knows_me else Answer(404)
        if path == "tickets":
            return self.list(r)
        if path == ("search/tickets" if self.desk else "tickets/filter"):
            return self.filter(r)
        if path == ("ticket_fields" if self.desk else "ticket_form_fields"):
            raise Answer(200, self.wrap("ticket_fields", [{"name": n} for n in self.fields]))
        match = re.fullmatch(r"groups/(\d+)", path)
        if match:
            if int(match[1]) not in self.groups:
                raise Answer(404)
            raise Answer(200, self.wrap("group", {"id": int(match[1]),
                                                  "name": self.groups[int(match[1])]}))
        match = re.fullmatch(r"tickets/(\d+)(/conversations)?", path)
        if not match:
            return self.unknown(r)
        number = int(match[1])
        if number not in self.tickets:
            raise Answer(404)
        if not match[2]:
            raise Answer(200, self.wrap("ticket", self.shown(number)))
        size, page = int(r.query["per_page"]), int(r.query["page"])
        self.need(size <= 100, "per_page")
        raise Answer(200, self.wrap("conversations",
                                    self.talk[number][(page - 1) * size:page * size]))

    def mail(self, path, address):
        if path == "agents" and self.desk:
            return {"contact": {"email": address}}
        return {"primary_email" if path == "requesters" else "email": address}

    def check(self, t):
        for name in set(t) - (MEMBERS if self.desk else SERVICE):
            self.wrong(name, "Unexpected/invalid field in request", "invalid_field")
        for name, kind in TYPES.items():
            if name in t and (not isinstance(t[name], kind) or isinstance(t[name], bool)):
                self.wrong(name, "Value set is of the wrong type", "datatype_mismatch")
        if t.get("status", 2) not in (2, 3, 4, 5):
            self.wrong("status", "It should be one of these values: '2,3,4,5'")
        for name, most in (("priority", 4), ("urgency", 3), ("impact", 3)):
            if not 1 <= t.get(name, 1) <= most:
                self.wrong(name, "It should be one of these values")
        if "group_id" in t and t["group_id"] not in self.groups:
            self.wrong("group_id", "There is no group matching the given group_id")
        if len(t.get("subject", "")) > 255:
            self.wrong("subject", "It should be up to 255 characters")
        if any(len(tag) > 32 for tag in t.get("tags", [])):
            self.wrong("tags", "It should only contain elements of up to 32 characters")
        for name, value in t.get("custom_fields", {}).items():
            if not isinstance(value, self.fields.get(name, type(None))):
                self.wrong(name, "Unexpected/invalid field in request", "invalid_field")
        self.html(t.get("description", ""))

    def html(self, text):
        for tag in re.findall(r"<[^>]*>?", text):
            self.need(tag == "<br>", f"not escaped: {tag}")
        self.need("\n" not in text, "a line end in HTML")

    def create(self, r):
        t = r.json()
        self.check(t)
        for name in ("subject", "description", "status", "priority"):
            if name not in t:
                self.wrong(name, "It should be a/an String", "missing_field")
        if "email" not in t and "requester_id" not in t:
            self.wrong("requester_id", "One of these fields is missing", "missing_field")
        if "email" in t:
            self.people.setdefault(t["email"], 100 + len(self.people))
        if not self.desk and t.get("type", "Incident") != "Incident":
            self.wrong("type", "It should be one of these values: 'Incident'")
        number = self.add(t)
        raise Answer(201, self.wrap("ticket", self.shown(number)))

    def add(self, t):
        number = len(self.tickets) + 8
        who = t.get("requester_id") or self.people[t["email"]]
        self.tickets[number] = {"type": None if self.desk else "Incident", **t,
                                "requester_id": who, "files": []}
        self.talk[number] = []
        return number

    def place(self, r, item):
        t = r.json()
        self.need(set(t) <= {"quantity", "email", "requested_for", "custom_fields"}, "members")
        if item not in self.items:
            raise Answer(404)
        self.need(t["quantity"] == 1 and t["email"], "quantity and email")
        self.people.setdefault(t["email"], 100 + len(self.people))
        number = self.add({"email": t["email"], "subject": self.items[item], "description": "",
                           "type": "Service Request", "status": 2, "priority": 1,
                           "custom_fields": t.get("custom_fields", {})})
        raise Answer(201, {"service_request": self.shown(number)})

    def shown(self, number):
        t = self.tickets[number]
        return {"id": number, "type": t.get("type"), "status": t["status"],
                "priority": t["priority"], "group_id": t.get("group_id"),
                "responder_id": t.get("responder_id"), "tags": t.get("tags", []),
                "custom_fields": t.get("custom_fields", {}),
                "updated_at": "2026-11-22T10:00:00Z", "attachments": []}

    def filter(self, r):
        query = r.query["query"]
        match = re.fullmatch(r"\"(\w+):'([^']*)'\"", query)
        self.need(match, f"query {query}")
        if not self.filters:
            self.wrong("query", "Given field is not supported")
        found = [self.shown(n) for n, t in self.tickets.items() if n not in self.hidden and
                 (match[2] in t.get("tags", []) if match[1] == "tag"
                  else t.get("custom_fields", {}).get(match[1]) == match[2])]
        raise Answer(200, {"results": found, "total": len(found)} if self.desk
                     else {"tickets": found})

    def list(self, r):
        self.need(set(r.query) <= {"email", "per_page", "page", "updated_since", "order_by",
                                  "order_type"}, "query")
        size, page = int(r.query["per_page"]), int(r.query.get("page", 1))
        self.need(size <= 100, "per_page")
        who = self.people.get(r.query.get("email"))
        if "email" in r.query and who is None:
            self.wrong("email", "There is no contact matching the given email")
        found = [self.shown(n) for n, t in self.tickets.items()
                 if who is None or t["requester_id"] == who]
        raise Answer(200, self.wrap("tickets", found[(page - 1) * size:page * size]))

    def note(self, r, number, kind, is_form):
        files = []
        if is_form:
            n = {}
            for head, data in r.parts():
                name = re.search(r' name="([^"]+)"', head)[1]
                file = re.search(r'filename="([^"]+)"', head)
                if file:
                    self.need(name == "attachments[]", name)
                    files.append((urllib.parse.unquote(file[1]), data))
                else:
                    n[name] = data.decode()
            n["private"] = n["private"] == "true"
            if sum(len(d) for _, d in self.tickets[number]["files"] + files) > self.total:
                self.wrong("attachments", "Total size exceeds the limit", "invalid_size")
        else:
            n = r.json()
        self.need(set(n) <= ({"body"} if kind == "/reply" else {"body", "private"}), "members")
        self.need(n["body"] and isinstance(n.get("private", False), bool), "body")
        self.html(n["body"])
        self.tickets[number]["files"].extend(files)
        text = n["body"].replace("<br>", "\n")
        for coded, plain in (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")):
            text = text.replace(coded, plain)
        note = {"id": 300 + len(self.talk[number]), "body": n["body"], "body_text": text,
                "user_id": 81, "private": n.get("private", kind == "/notes"), "kind": kind,
                "created_at": "2026-11-22T10:00:00Z",
                "attachments": [{"id": 1, "name": name} for name, _ in files]}
        self.talk[number].append(note)
        raise Answer(201, self.wrap("conversation", note))
