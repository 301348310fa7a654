# SPDX-License-Identifier: BSD-2-Clause
"""A strict stand-in for GitLab's API v4, as far as issues go."""
import re
import urllib.parse

from .strict import Answer, Fake

CREATE = {"title", "description", "labels", "assignee_ids", "confidential", "issue_type",
          "weight", "milestone_id", "due_date"}
UPDATE = (CREATE - {"labels"}) | {"add_labels", "remove_labels", "state_event"}


class GitLab(Fake):
    def __init__(self, project="acme/it desk", secret="s3cret"):
        self.project, self.secret = project, secret
        self.issues, self.notes, self.uploads = {}, {}, {}
        self.labels = ["network", "urgent"]
        self.users = {"ann@example.org": [41], "two@example.org": [42, 43]}
        self.names = {"octo": [44]}
        self.level, self.issues_on, self.knows_internal = 20, True, True
        self.upload_max = 100 * 1024 * 1024
        super().__init__()

    def route(self, r):
        self.need(r.headers.get("accept") == "application/json" or r.method == "DELETE",
                  "Accept")
        if r.headers.get("private-token") != self.secret:
            raise Answer(401, {"message": "401 Unauthorized"})
        if r.method in ("POST", "PUT") and not r.path.endswith("/uploads"):
            self.need(r.headers.get("content-type") == "application/json", "Content-Type")
        self.need(r.path.startswith("/api/v4/"), "base")
        path = r.path[len("/api/v4"):]
        if r.method == "GET" and path == "/users":
            self.need(("search" in r.query) != ("username" in r.query), "users")
            found = (self.users.get(r.query["search"], []) if "search" in r.query
                     else self.names.get(r.query["username"], []))
            raise Answer(200, [{"id": n, "username": f"u{n}"} for n in found])
        match = re.fullmatch(r"/projects/([^/]+)(/.*)?", path)
        if not match:
            return self.unknown(r)
        if urllib.parse.unquote(match[1]) != self.project:
            raise Answer(404, {"message": "404 Project Not Found"})
        rest = match[2] or ""
        if r.method == "GET" and rest == "":
            raise Answer(200, {"path_with_namespace": self.project,
                               "issues_access_level": "enabled" if self.issues_on else "disabled",
                               "permissions": {"project_access": {"access_level": self.level},
                                               "group_access": None}})
        if r.method == "GET" and rest == "/labels":
            raise Answer(200, [{"id": 1, "name": n} for n in self.labels])
        if rest == "/issues":
            return self.create(r) if r.method == "POST" else self.list(r)
        if r.method == "POST" and rest == "/uploads":
            return self.upload(r)
        return self.issue(r, rest)

    def check(self, t, members):
        self.need(set(t) <= members, f"members {set(t) - members}")
        for name in ("labels", "add_labels", "remove_labels"):
            self.need(isinstance(t.get(name, ""), str), name)
        self.need(all(isinstance(x, int) for x in t.get("assignee_ids", [])), "assignee_ids")
        self.need(isinstance(t.get("confidential", True), bool), "confidential")
        for name in ("weight", "milestone_id"):
            self.need(isinstance(t.get(name, 1), int), name)
        if t.get("state_event") not in (None, "close", "reopen"):
            raise Answer(400, {"error": "state_event does not have a valid value"})
        if t.get("issue_type") not in (None, "issue", "incident", "test_case", "task"):
            raise Answer(400, {"error": "issue_type does not have a valid value"})
        if len(t.get("title", "x")) > 255 or not t.get("title", "x"):
            raise Answer(400, {"message": {"title": [
                "is too long (maximum is 255 characters)" if t["title"] else "can't be blank"]}})
        if len(t.get("description", "")) > 1048576:
            raise Answer(400, {"message": {"description": ["is too long"]}})
        for line in t.get("description", "").split("\n"):
            self.need(not re.match(r"/[a-z]", line), f"a quick action: {line}")

    def create(self, r):
        t = r.json()
        self.check(t, CREATE)
        self.need("title" in t, "title")
        iid = len(self.issues) + 1
        self.issues[iid] = {
            "id": 7000 + iid, "iid": iid, "state": "opened", "description": "",
            "web_url": f"{self.url}/acme/desk/-/issues/{iid}",
            "labels": [x for x in t.get("labels", "").split(",") if x],
            "assignees": [{"id": n, "username": f"u{n}"} for n in t.get("assignee_ids", [])],
            "updated_at": "2026-11-22T10:00:00.000Z", "author": {"username": "bot"},
            **{k: v for k, v in t.items() if k not in ("labels", "assignee_ids")}}
        self.notes[iid] = []
        raise Answer(201, self.issues[iid])

    def list(self, r):
        q = r.query
        if "updated_after" in q:
            self.need(set(q) == {"scope", "order_by", "sort", "per_page", "page",
                                 "updated_after"}, "query")
            self.need((q["order_by"], q["sort"]) == ("updated_at", "asc"), "the oldest first")
            size, page = int(q["per_page"]), int(q["page"])
            self.need(1 <= size <= 100 and page >= 1, "a page")
            found = sorted((t for t in self.issues.values()
                            if t["updated_at"][:19] >= q["updated_after"][:19]),
                           key=lambda t: (t["updated_at"], t["iid"]))
            raise Answer(200, found[(page - 1) * size:page * size])
        self.need(set(q) <= {"scope", "in", "search", "per_page", "order_by", "sort"}, "query")
        self.need(q["scope"] == "all" and q["in"] == "description", "query")
        raise Answer(200, [t for t in self.issues.values()
                           if q["search"] in t["description"]][:int(q["per_page"])])

    def upload(self, r):
        (head, data), = r.parts()
        name = re.search(r'name="file"; filename="([^"]+)"', head)
        self.need(name and "Content-Type: " in head, "the part file")
        if len(data) > self.upload_max:
            raise Answer(413, {"message": "413 Request Entity Too Large"})
        safe = re.sub(r"[^\w.-]", "_", urllib.parse.unquote(name[1]))
        path = f"/uploads/{len(self.uploads):032x}/{safe}"
        self.uploads[path] = data
        raise Answer(201, {"alt": safe, "url": path, "markdown": f"[{safe}]({path})"})

    def issue(self, r, rest):
        match = re.fullmatch(r"/issues/(\d+)(/notes(?:/(\d+))?)?", rest)
        if not match:
            return self.unknown(r)
        iid = int(match[1])
        if iid not in self.issues:
            raise Answer(404, {"message": "404 Not found"})
        if match[2]:
            return self.note(r, iid, match[3])
        if r.method == "PUT":
            self.put(iid, r.json())
            raise Answer(200, self.issues[iid])
        if r.method == "GET":
            raise Answer(200, self.issues[iid])
        return self.unknown(r)

    def put(self, iid, t):
        self.check(t, UPDATE)
        self.need(t, "an empty change")
        issue = self.issues[iid]
        drop = t.pop("remove_labels", "").split(",")
        issue["labels"] = [x for x in issue["labels"] if x not in drop] + [
            x for x in t.pop("add_labels", "").split(",") if x]
        if "assignee_ids" in t:
            issue["assignees"] = [{"id": n, "username": f"u{n}"}
                                  for n in t.pop("assignee_ids")]
        event = t.pop("state_event", None)
        if event:
            issue["state"] = {"close": "closed", "reopen": "opened"}[event]
        issue.update(t)

    def note(self, r, iid, number):
        notes = self.notes[iid]
        if r.method == "POST" and number is None:
            n = r.json()
            self.need(set(n) <= {"body", "internal"} and n["body"], "note")
            self.need(len(n["body"]) <= 1000000, "note too long")
            for line in n["body"].split("\n"):
                self.need(not re.match(r"/[a-z]", line), f"a quick action: {line}")
            note = {"id": 500 + len(notes), "body": n["body"], "system": False,
                    "author": {"username": "bot"}, "created_at": "2026-11-22T10:00:00.000Z"}
            if self.knows_internal:
                note["internal"] = n.get("internal", False)
            notes.append(note)
            raise Answer(201, note)
        if r.method == "GET" and number is None:
            self.need(r.query["sort"] == "desc", "sort")
            raise Answer(200, [{"id": 1, "body": "added ~1 label", "system": True}] +
                         notes[::-1])
        if r.method == "DELETE" and number:
            self.notes[iid] = [n for n in notes if n["id"] != int(number)]
            raise Answer(204)
        return self.unknown(r)
