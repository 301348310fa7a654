# SPDX-License-Identifier: BSD-2-Clause
"""A strict stand-in for GitHub's REST API, as far as issues go."""
import re
import time

from .strict import Answer, Fake

CREATE = {"title", "body", "labels", "assignees", "milestone", "type"}
UPDATE = CREATE | {"state", "state_reason"}


class GitHub(Fake):
    def __init__(self, repo="acme/desk", secret="s3cret"):
        self.repo, self.secret = repo, secret
        self.issues, self.comments = {}, {}
        self.labels = ["network", "urgent"]
        self.users = {"ann@example.org": ["annlee"], "two@example.org": ["two", "other"]}
        self.push, self.private, self.has_issues, self.lag = True, True, True, 0
        self.start = time.time()  # its clock goes on with each issue
        super().__init__()

    def at(self, seconds):
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.start + seconds))

    def head(self, r):
        self.need(r.headers.get("user-agent"), "User-Agent")
        self.need(r.headers.get("accept") == "application/vnd.github+json", "Accept")
        self.need(r.headers.get("x-github-api-version") == "2022-11-28", "version")
        if r.headers.get("authorization") != f"Bearer {self.secret}":
            raise Answer(401, {"message": "Bad credentials", "status": "401"})
        if r.method in ("POST", "PATCH"):
            self.need(r.headers.get("content-type") == "application/json", "Content-Type")

    def route(self, r):
        self.head(r)
        if r.method == "GET" and r.path == "/search/users":
            found = self.users.get(r.query["q"].removesuffix(" in:email"), [])
            raise Answer(200, {"total_count": len(found), "incomplete_results": False,
                               "items": [{"login": u} for u in found]})
        base = f"/repos/{self.repo}"
        if r.path != base and not r.path.startswith(base + "/"):
            raise Answer(404, {"message": "Not Found", "status": "404"})
        rest = r.path[len(base):]
        if r.method == "GET" and rest == "":
            raise Answer(200, {"full_name": self.repo, "private": self.private,
                               "has_issues": self.has_issues,
                               "permissions": {"push": self.push, "triage": self.push}})
        if r.method == "GET" and rest == "/labels":
            raise Answer(200, [{"name": n} for n in self.labels])
        if rest == "/issues":
            return self.create(r) if r.method == "POST" else self.list(r)
        return self.issue(r, rest)

    def invalid(self, field, code="invalid"):
        raise Answer(422, {"message": "Validation Failed", "errors": [
            {"resource": "Issue", "field": field, "code": code}], "status": "422"})

    def check(self, t, members):
        self.need(set(t) <= members, f"members {set(t) - members}")
        for name in ("title", "body", "state", "state_reason", "type"):
            self.need(isinstance(t.get(name, ""), str), name)
        for name in ("labels", "assignees"):
            self.need(all(isinstance(x, str) and x for x in t.get(name, [])), name)
        self.need(isinstance(t.get("milestone", 1), int), "milestone")
        if len(t.get("title", "x")) > 256 or t.get("title") == "":
            self.invalid("title", "too_long" if t["title"] else "missing_field")
        if len(t.get("body", "")) > 65536:
            self.invalid("body", "too_long")
        if t.get("state") not in (None, "open", "closed"):
            self.invalid("state")
        if t.get("state_reason") not in (None, "completed", "not_planned", "reopened"):
            self.invalid("state_reason")

    def create(self, r):
        if not self.has_issues:
            raise Answer(410, {"message": "Issues are disabled for this repo"})
        t = r.json()
        self.check(t, CREATE)
        self.need("title" in t, "title")
        number = len(self.issues) + 1
        self.issues[number] = dict(
            t, number=number, id=9000 + number, state="open", state_reason=None,
            html_url=f"{self.url}/{self.repo}/issues/{number}",
            created_at=self.at(number),
            updated_at=self.at(3600), user={"login": "bot"})
        self.comments[number] = []
        self.store(number, t)
        raise Answer(201, self.shown(number))

    def store(self, number, t):
        issue = self.issues[number]
        issue.update(t)
        if not self.push:
            issue["labels"], issue["assignees"] = [], []

    def shown(self, number):
        t = self.issues[number]
        return dict(t, labels=[{"name": n} for n in t.get("labels", [])],
                    assignees=[{"login": n} for n in t.get("assignees", [])],
                    comments=len(self.comments[number]))

    def list(self, r):
        q = r.query
        self.need(set(q) <= {"state", "sort", "direction", "per_page", "page", "creator",
                             "since"}, "query")
        self.need(q["state"] == "all" and int(q["per_page"]) <= 100, "query")
        self.need(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ",
                               q.get("since", "2026-01-01T00:00:00Z")), "since")
        found = [self.shown(n) for n, t in self.issues.items()
                 if t["updated_at"] >= q.get("since", "") and
                 q.get("creator", "bot") == t["user"]["login"]]
        found.sort(key=lambda t: t["created_at"], reverse=q["direction"] == "desc")
        size, page = int(q["per_page"]), int(q["page"])
        raise Answer(200, found[(page - 1) * size:page * size])

    def issue(self, r, rest):
        match = re.fullmatch(r"/issues/(\d+)(/comments)?", rest)
        if not match:
            return self.unknown(r)
        number = int(match[1])
        if number not in self.issues:
            raise Answer(404, {"message": "Not Found", "status": "404"})
        if match[2] and r.method == "POST":
            c = r.json()
            self.need(set(c) == {"body"} and c["body"], "comment")
            if len(c["body"]) > 65536:
                self.invalid("body", "too_long")
            self.comments[number].append(c["body"])
            raise Answer(201, {"id": len(self.comments[number])})
        if match[2] and r.method == "GET":
            size, page = int(r.query["per_page"]), int(r.query["page"])
            found = [{"id": i + 1, "body": b, "user": {"login": "bot"},
                      "created_at": self.at(0)}
                     for i, b in enumerate(self.comments[number])]
            raise Answer(200, found[(page - 1) * size:page * size])
        if r.method == "PATCH":
            t = r.json()
            self.need(t, "an empty change")
            self.check(t, UPDATE)
            self.store(number, t)
            raise Answer(200, self.shown(number))
        if r.method == "GET":
            raise Answer(200, self.shown(number))
        return self.unknown(r)
