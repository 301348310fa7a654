# SPDX-License-Identifier: BSD-2-Clause
"""A strict stand-in for GLPI's REST API."""
import html
import json
import re

from .strict import Answer, Fake

INPUT = {"name", "content", "type", "urgency", "impact", "priority", "status", "externalid",
         "_users_id_requester", "_users_id_requester_notif", "_groups_id_assign",
         "_users_id_assign", "itilcategories_id"}


class Glpi(Fake):
    def __init__(self, token="s3cret", app="4pp"):
        self.token, self.app = token, app
        self.sessions, self.opened, self.closed = set(), 0, 0
        self.tickets, self.documents, self.marks = {}, {}, {}
        self.users = {7: ["ann@example.org"], 6: ["joann@example.org", "jo@example.org"]}
        self.groups = {9: "Network", 5: "Desk"}
        self.has_externalid = True
        self.may_write = True
        super().__init__()

    def fail(self, status, code, text):
        raise Answer(status, [code, text])

    def route(self, r):
        self.need(r.path.startswith("/apirest.php/"), "base")
        path = r.path[len("/apirest.php/"):]
        if r.method == "GET" and r.body:
            self.breach("GET must have an empty body")
        if r.headers.get("app-token") != self.app:
            self.fail(400, "ERROR_APP_TOKEN_PARAMETERS_MISSING", "missing parameter app_token")
        if r.method == "GET" and path == "initSession":
            if r.headers.get("authorization") != f"user_token {self.token}":
                self.fail(401, "ERROR_GLPI_LOGIN_USER_TOKEN", "parameter user_token seems invalid")
            self.opened += 1
            session = f"session{self.opened}"
            self.sessions.add(session)
            raise Answer(200, {"session_token": session})
        self.need("authorization" not in r.headers, "the token goes to initSession alone")
        if r.headers.get("session-token") not in self.sessions:
            self.fail(401, "ERROR_SESSION_TOKEN_INVALID", "session_token seems invalid")
        if path == "killSession":
            self.sessions.discard(r.headers["session-token"])
            self.closed += 1
            raise Answer(200)
        if r.method in ("POST", "PUT") and path != "Document":
            self.need(r.headers.get("content-type") == "application/json", "Content-Type")
        verb = f"{r.method} {path}"
        for pattern, method in ((r"GET listSearchOptions/(\w+)", self.options),
                                (r"GET search/(\w+)", self.search),
                                (r"GET Group/(\d+)", self.group),
                                (r"POST (Ticket)", self.create),
                                (r"(?:GET|PUT) Ticket/(\d+)", self.ticket),
                                (r"POST (ITILFollowup)", self.followup),
                                (r"POST (Document)", self.document),
                                (r"GET (Document)", self.find_documents),
                                (r"(?:GET|POST) Ticket/(\d+)/Document_Item", self.link),
                                (r"GET Ticket/(\d+)/Group_Ticket", self.group_of),
                                (r"GET Ticket/(\d+)/ITILFollowup", self.followups)):
            found = re.fullmatch(pattern, verb)
            if found:
                return method(r, found[1])
        return self.unknown(r)

    def options(self, _, kind):
        if kind == "User":
            raise Answer(200, {"common": "Characteristics",
                               "1": {"name": "Login", "table": "glpi_users", "field": "name"},
                               "5": {"name": "Email", "table": "glpi_useremails", "field": "email"}})
        rows = {"common": {"name": "Characteristics"},
                "1": {"name": "Title", "table": "glpi_tickets", "field": "name"},
                "21": {"name": "Description", "table": "glpi_tickets", "field": "content"}}
        if self.has_externalid:
            rows["79"] = {"name": "External ID", "table": "glpi_tickets", "field": "externalid"}
        raise Answer(200, rows)

    def search(self, r, kind):
        field, want = r.query["criteria[0][field]"], r.query["criteria[0][value]"]
        self.need(r.query["criteria[0][searchtype]"] == "contains", "searchtype")
        self.need(r.query["forcedisplay[0]"] == "2" and r.query["forcedisplay[1]"] == field,
                  "forcedisplay")
        if kind == "User":
            self.need(field == "5", "field")
            rows = [{"2": i, "5": m if len(m) > 1 else m[0]} for i, m in sorted(self.users.items())
                    if any(want in x for x in m)]
        else:
            column = {"79": "externalid", "21": "content"}[field]
            rows = [{"2": i, field: t.get(column)} for i, t in self.tickets.items()
                    if want in (t.get(column) or "")]
        answer = {"totalcount": len(rows), "count": len(rows)}
        if rows:
            answer["data"] = rows
        raise Answer(206 if len(rows) > 10 else 200, answer)

    def group(self, _, number):
        if int(number) not in self.groups:
            self.fail(404, "ERROR_ITEM_NOT_FOUND", "Item not found")
        raise Answer(200, {"id": int(number), "name": self.groups[int(number)]})

    def check(self, t):
        self.need(set(t) <= INPUT, f"members {set(t) - INPUT}")
        for name in ("priority", "status", "urgency", "impact", "type"):
            if name in t:
                self.need(isinstance(t[name], int) and 1 <= t[name] <= 6, name)
        if "_groups_id_assign" in t:
            self.need(t["_groups_id_assign"] in self.groups, "group")

    def create(self, r, _):
        t = r.json()["input"]
        self.check(t)
        self.need(t["name"] and len(t["name"]) <= 255, "name")
        self.need("\n" not in t["content"] and "<script" not in t["content"], "content is HTML")
        if t.get("_users_id_requester") == 0:
            mail = t["_users_id_requester_notif"]
            self.need(mail["use_notification"] == [1] and len(mail["alternative_email"]) == 1,
                      "notif")
        number = len(self.tickets) + 15
        self.tickets[number] = dict(t, notes=[], files=[])
        raise Answer(201, {"id": number, "message": ""},
                     Location=f"{self.url}/apirest.php/Ticket/{number}")

    def known(self, number):
        if int(number) not in self.tickets:
            self.fail(404, "ERROR_ITEM_NOT_FOUND", "Item not found")
        return self.tickets[int(number)]

    def ticket(self, r, number):
        t = self.known(number)
        if r.method == "PUT":
            new = r.json()["input"]
            self.check(new)
            if not self.may_write:
                raise Answer(200, [{number: False, "message": "You don't have permission"}])
            t.update(new)
            raise Answer(200, [{number: True, "message": ""}])
        raise Answer(200, {"id": int(number), "name": t["name"], "status": t.get("status", 1),
                           "priority": t.get("priority", 3), "date_mod": "2026-11-22 10:00:00"})

    def followup(self, r, _):
        new = r.json()["input"]
        self.need(set(new) == {"itemtype", "items_id", "content", "is_private"}, "follow-up")
        self.need(new["itemtype"] == "Ticket" and new["is_private"] in (0, 1), "follow-up")
        if new["items_id"] not in self.tickets:
            self.fail(400, "ERROR_GLPI_ADD", "You don't have permission to perform this action.")
        self.tickets[new["items_id"]]["notes"].append(new)
        raise Answer(201, {"id": len(self.tickets[new["items_id"]]["notes"]), "message": ""})

    def followups(self, r, number):
        self.need(r.query["order"] == "DESC", "order")
        raise Answer(200, [{"id": i, "users_id": 2, "date": "2026-11-22 10:00:00",
                            "content": n["content"] if i % 2 else html.escape(n["content"]),
                            "is_private": n["is_private"]}
                           for i, n in enumerate(self.known(number)["notes"])][::-1])

    def document(self, r, _):
        self.need(r.headers["content-type"].startswith("multipart/form-data"), "Content-Type")
        (head, manifest), (file_head, data) = r.parts()
        self.need('name="uploadManifest"' in head, "uploadManifest")
        self.need('name="filename[0]"' in file_head, "filename[0]")
        said = json.loads(manifest.decode())["input"]
        self.need(len(said["_filename"]) == 1, "_filename")
        number = len(self.documents) + 3
        self.documents[number] = (said["name"], data)
        self.marks[number] = said.get("comment", "")
        raise Answer(201, {"id": number, "message": "Document move succeeded.",
                           "upload_result": {}})

    def find_documents(self, r, _):
        self.need(set(r.query) == {"searchText[comment]", "range"}, "query")
        said = r.query["searchText[comment]"]
        raise Answer(200, [{"id": n, "name": self.documents[n][0], "comment": c}
                           for n, c in self.marks.items() if said in c])

    def link(self, r, number):
        t = self.known(number)
        if r.method == "GET" and "expand_dropdowns" not in r.query:
            raise Answer(200, [{"id": 1, "documents_id": d} for d in t["files"]])
        if r.method == "GET":
            raise Answer(200, [{"id": 1, "documents_id": self.documents[d][0]}
                               for d in t["files"]])
        new = r.json()["input"]
        self.need(new["itemtype"] == "Ticket" and str(new["items_id"]) == number, "link")
        self.need(new["documents_id"] in self.documents, "document")
        t["files"].append(new["documents_id"])
        raise Answer(201, {"id": len(t["files"]), "message": ""})

    def group_of(self, _, number):
        t = self.known(number)
        raise Answer(200, [{"groups_id": 3, "type": 1}] + (
            [{"groups_id": t["_groups_id_assign"], "type": 2}] if "_groups_id_assign" in t else []))
