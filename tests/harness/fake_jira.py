# SPDX-License-Identifier: BSD-2-Clause
"""A strict stand-in of Jira: Cloud (REST v3, documents), Data Center (REST v2, wiki markup) and
Jira Service Management on top of either.

Members that change what it does: cloud, jsm, screen (fields of the create and edit screens), lag
(so many searches miss what is new), rights (permissions), old_search (v3 as before: 410 is gone),
nobody (a wrong secret is taken for nobody, as a site with public projects does)."""
import base64
import html
import re
import time

from .judge import documents_in
from .strict import Answer, Fake

KEY = re.compile(r"mt-[0-9a-f]{32}")
TEXT_MAX, SUMMARY_MAX = 32767, 255
FLOW = {"To Do": ["In Progress", "Done"], "In Progress": ["To Do", "Waiting", "Done"],
        "Waiting": ["In Progress", "Done"], "Done": ["To Do"]}
CATEGORY = {"To Do": "new", "In Progress": "indeterminate", "Waiting": "indeterminate",
            "Done": "done"}
PEOPLE = [  # the second is like the first in all but the address
    {"accountId": "5b10-ann", "name": "ann", "displayName": "Ann", "active": True,
     "emailAddress": "ann@example.org", "accountType": "atlassian"},
    {"accountId": "5b10-joann", "name": "joann", "displayName": "Joann", "active": True,
     "emailAddress": "joann@example.org", "accountType": "atlassian"},
    {"accountId": "5b10-kim", "name": "kim", "displayName": "Kim", "active": True,
     "emailAddress": "kim@example.org", "accountType": "atlassian"},
    {"accountId": "5b10-gone", "name": "gone", "displayName": "Gone", "active": False,
     "emailAddress": "gone@example.org", "accountType": "atlassian"},
    {"accountId": "qm:hidden", "name": "hid", "displayName": "Hid", "active": True,
     "emailAddress": "", "accountType": "customer", "_real": "hid@example.org"}]
ALL = ["issuetype", "project", "summary", "description", "labels", "components", "priority",
       "reporter", "assignee", "customfield_10042", "customfield_10050", "customfield_10060",
       "resolution"]


def units(text):
    return len(text.encode("utf-16-le")) // 2


def plain(node):
    """The text of a document, as Jira counts and searches it."""
    if isinstance(node, str):
        return node
    if node["type"] == "text":
        return node["text"]
    if node["type"] == "hardBreak":
        return "\n"
    inner = "".join(plain(n) for n in node.get("content", []))
    return inner + ("\n" if node["type"] in ("paragraph", "codeBlock") else "")


def shown(wiki):
    """What wiki markup shows that is all escaped: on Cloud requests and their comments become
    documents of that."""
    text = re.sub(r"\\([!\[\]^~+?%{}()*_|@-])", r"\1", wiki)
    return html.unescape(text)


class Jira(Fake):
    def __init__(self, cloud=True, jsm=False, user="mailer@example.org", secret="s3cret"):
        super().__init__()
        self.cloud, self.jsm, self.user, self.secret = cloud, jsm, user, secret
        self.base = "/rest/api/3" if cloud else "/rest/api/2"
        self.issues, self.temporary, self.people = {}, {}, [dict(p) for p in PEOPLE]
        self.screen, self.lag, self.nobody = list(ALL), 0, False
        self.rights = {r: True for r in (
            "BROWSE_PROJECTS", "CREATE_ISSUES", "ADD_COMMENTS", "CREATE_ATTACHMENTS", "EDIT_ISSUES",
            "TRANSITION_ISSUES", "ASSIGN_ISSUES", "MODIFY_REPORTER")}
        self.customers, self.documents, self.needs_resolution = {"5b10-ann", "ann"}, [], False
        self.file_max = 10 * 1024 * 1024

    # ---- what all requests have ---------------------------------------------------------

    def refuse(self, status, *messages, **errors):
        raise Answer(status, {"errorMessages": list(messages), "errors": errors})

    def service_refuses(self, status, message):
        raise Answer(status, {"errorMessage": message,
                              "i18nErrorMessage": {"i18nKey": "x.y", "parameters": []}})

    def log_in(self, r):
        given = r.headers.get("authorization", "")
        basic = base64.b64encode(f"{self.user}:{self.secret}".encode()).decode()
        if given in (f"Basic {basic}", f"Bearer {self.secret}"):
            return
        headers = {"X-Seraph-LoginReason": "AUTHENTICATED_FAILED"}
        if self.nobody:
            raise Answer(404, {"errorMessages": ["No project could be found with key 'SUP'."],
                               "errors": {}}, **headers)
        raise Answer(401, "Client must be authenticated to access this resource.",
                     **headers, **{"Content-Type": "text/plain"})

    def json(self, r):
        self.need(r.headers.get("content-type") == "application/json", "a body that is no JSON")
        body = r.json()
        self.documents += documents_in(body)
        return body

    def route(self, r):
        self.log_in(r)
        self.need(r.headers.get("accept") == "application/json", "no Accept")
        for method, pattern, serve in (
                ("GET", r"/myself", self.myself),
                ("GET", r"/project/(SUP|5)", self.project),
                ("GET", r"/mypermissions", self.permissions),
                ("GET", r"/user/search", self.user_search),
                ("GET", r"/issue/createmeta/SUP/issuetypes", self.types),
                ("GET", r"/issue/createmeta/SUP/issuetypes/(\d+)", self.type_fields),
                ("POST", r"/search/jql", self.search_jql),
                ("POST", r"/search", self.search_old),
                ("POST", r"/issue", self.create),
                ("GET", r"/issue/([^/]+)", self.read),
                ("PUT", r"/issue/([^/]+)", self.edit),
                ("PUT", r"/issue/([^/]+)/assignee", self.assign),
                ("GET", r"/issue/([^/]+)/transitions", self.moves),
                ("POST", r"/issue/([^/]+)/transitions", self.move),
                ("GET", r"/issue/([^/]+)/comment", self.comments),
                ("POST", r"/issue/([^/]+)/comment", self.comment),
                ("POST", r"/issue/([^/]+)/attachments", self.attach)):
            match = re.fullmatch(re.escape(self.base) + pattern, r.path)
            if match and method == r.method:
                serve(r, *match.groups())
        if self.jsm:
            self.service(r)
        self.unknown(r)

    def issue(self, key):
        for issue in self.issues.values():
            if key in (issue["id"], issue["key"]):
                return issue
        return self.refuse(404, "Issue does not exist or you do not have permission to see it.")

    # ---- who and where ------------------------------------------------------------------

    def myself(self, r):
        me = {"displayName": "Mailer", "emailAddress": self.user, "active": True}
        me.update({"accountId": "5b10-me", "accountType": "app"} if self.cloud
                  else {"name": "mailer", "key": "mailer"})
        raise Answer(200, me)

    def project(self, r, _):
        raise Answer(200, {"id": "5", "key": "SUP", "name": "Support"})

    def permissions(self, r):
        asked = r.query["permissions"].split(",")
        self.need(r.query.get("projectKey") == "SUP", "permissions of no project")
        raise Answer(200, {"permissions": {
            n: {"id": "1", "key": n, "name": n, "type": "PROJECT", "description": "",
                "havePermission": self.rights[n]} for n in asked}})

    def user_search(self, r):
        if self.cloud:
            self.need(set(r.query) == {"query", "maxResults"}, "user search takes a query")
        else:
            self.need(set(r.query) == {"username", "maxResults"}, "user search takes a username")
        wanted = r.query["query" if self.cloud else "username"].lower()
        hits = [{k: v for k, v in p.items() if k[0] != "_" and
                 k not in (("name",) if self.cloud else ("accountId", "accountType"))}
                for p in self.people
                if wanted in p["emailAddress"] + p.get("_real", "") + p["displayName"].lower()
                or p["emailAddress"].endswith(wanted.replace("ann", "joann"))]
        raise Answer(200, hits)

    def types(self, r):
        raise Answer(200, {"issueTypes" if self.cloud else "values": [
            {"id": "10001", "name": "Task"}, {"id": "10002", "name": "Bug"}], "total": 2,
            "startAt": 0, "maxResults": 200})

    def type_fields(self, r, number):
        self.need(number in ("10001", "10002"), "no such type")
        values = {"components": ["Network", "Mail"], "priority": ["Highest", "High", "Medium",
                                                                 "Low", "Lowest"]}
        raise Answer(200, {"fields" if self.cloud else "values": [
            dict({"fieldId": n, "key": n, "name": n, "required": n == "summary"},
                 **({"allowedValues": [{"id": str(i), "name": v} for i, v in enumerate(values[n])]}
                    if n in values else {}))
            for n in self.screen], "total": len(self.screen), "startAt": 0, "maxResults": 200})

    # ---- search -------------------------------------------------------------------------

    def search_jql(self, r):
        body = self.json(r)
        self.need(self.cloud, "Data Center has no search/jql")
        self.need(not {"startAt", "total"} & set(body), "search/jql has no startAt")
        self.search(body)

    def search_old(self, r):
        if self.cloud:
            raise Answer(410, {"errorMessages": [
                "The requested API has been removed. Please migrate to /rest/api/3/search/jql."]})
        self.search(self.json(r))

    def search(self, body):
        jql = body["jql"]
        self.need('project = "SUP" AND ' in jql, "an unbounded query")
        keys = KEY.findall(jql)
        self.need(keys and len(set(keys)) == 1, "a query without a key")
        self.need(body["fields"] and body["maxResults"] <= 100, "fields have to be asked for")
        rest = jql.split(" AND ", 1)[1]
        hits = []
        for issue in self.issues.values():
            f = issue["fields"]
            by_label = f'labels = "{keys[0]}"' in rest and keys[0] in f["labels"]
            by_text = f'description ~ "\\"{keys[0]}\\""' in rest and \
                keys[0] in plain(f["description"])
            by_field = f'cf[10042] ~ "\\"{keys[0]}\\""' in rest and \
                f.get("customfield_10042") == keys[0]
            if by_label or by_text or by_field:
                hits.append({"id": issue["id"], "key": issue["key"],
                             "fields": {n: f[n] for n in body["fields"] if n in f}})
        if self.lag > 0:
            self.lag, hits = self.lag - 1, []
        hits = self.extra_hits + hits if hasattr(self, "extra_hits") else hits
        answer = {"issues": hits, "isLast": True} if self.cloud else \
            {"startAt": 0, "maxResults": body["maxResults"], "total": len(hits), "issues": hits}
        raise Answer(200, answer)

    # ---- issues -------------------------------------------------------------------------

    def rich(self, value, name):
        if self.cloud:
            if not isinstance(value, dict):
                self.refuse(400, **{name: "Operation value must be an Atlassian Document"})
        elif not isinstance(value, str):
            self.refuse(400, **{name: "Operation value must be a string"})
        if units(plain(value)) > TEXT_MAX:
            self.refuse(400, **{name: "The entered text is too long. It exceeds the allowed limit "
                                      "of 32,767 characters."})
        return value

    def user_of(self, value, name):
        member = "id" if self.cloud else "name"
        self.need(set(value) == {member}, f"{name} has another shape")
        hit = [p for p in self.people
               if p["accountId" if self.cloud else "name"] == value[member]]
        if not hit:
            self.refuse(400, **{name: "Specify a valid value."})
        return hit[0]

    def set_fields(self, issue, fields):
        off = [n for n in fields if n not in self.screen]
        if off:
            self.refuse(400, **{n: f"Field '{n}' cannot be set. It is not on the appropriate "
                                   "screen, or unknown." for n in off})
        for name, value in fields.items():
            if name == "summary":
                self.need(isinstance(value, str) and value.strip(), "an empty summary")
                if units(value) > SUMMARY_MAX or "\n" in value:
                    self.refuse(400, summary="Summary must be less than 255 characters.")
            elif name in ("description", "customfield_10060"):
                self.rich(value, name)
            elif name == "labels":
                if any(" " in v or units(v) > 255 for v in value):
                    self.refuse(400, labels="The label contains spaces which is invalid.")
            elif name == "components":
                if any(c["name"] not in ("Network", "Mail", "By hand") for c in value):
                    self.refuse(400, components="Component name is not valid")
            elif name == "priority":
                if value["name"] not in ("Highest", "High", "Medium", "Low", "Lowest"):
                    self.refuse(400, priority="The priority selected is invalid.")
            elif name in ("reporter", "assignee"):
                value = self.user_of(value, name)
                if name == "reporter" and not self.rights["MODIFY_REPORTER"]:
                    self.refuse(400, reporter="Field 'reporter' cannot be set. It is not on the "
                                              "appropriate screen, or unknown.")
            elif name == "customfield_10050":
                self.need(isinstance(value, dict) and "value" in value, "an option is an object")
            elif name == "customfield_10042":
                self.need(isinstance(value, str), "a line is a string")
            issue["fields"][name] = value

    def new_issue(self):
        n = 10000 + len(self.issues)
        return {"id": str(n), "key": f"SUP-{n - 9976}", "comments": [], "files": [],
                "fields": {"labels": [], "components": [], "status": "To Do", "updated": stamp(),
                           "priority": {"name": "Medium"}, "assignee": None,
                           "description": "" if not self.cloud else
                           {"type": "doc", "version": 1, "content": []}}}

    def create(self, r):
        body = self.json(r)
        self.need(set(body) <= {"fields", "update", "properties"}, "an unknown member")
        fields = body["fields"]
        if fields["project"] != {"key": "SUP"}:
            self.refuse(400, project="valid project is required")
        if fields["issuetype"] not in ({"name": "Task"}, {"name": "Bug"}, {"id": "10002"}):
            self.refuse(400, issuetype="Specify a valid issue type")
        issue = self.new_issue()
        self.set_fields(issue, fields)
        self.issues[issue["id"]] = issue
        raise Answer(201, {"id": issue["id"], "key": issue["key"],
                           "self": f"{self.url}{self.base}/issue/{issue['id']}"})

    def read(self, r, key):
        issue = self.issue(key)
        wanted = r.query["fields"].split(",")
        f = issue["fields"]
        shown = {"status": {"name": f["status"], "id": "1",
                            "statusCategory": {"key": CATEGORY[f["status"]]}},
                 "attachment": [{"id": str(i), "filename": n, "size": len(d)}
                                for i, (n, d) in enumerate(issue["files"])]}
        shown["creator"] = self.me()
        who = f["assignee"]
        shown["assignee"] = {k: v for k, v in who.items() if k[0] != "_"} if who else None
        raise Answer(200, {"id": issue["id"], "key": issue["key"],
                           "fields": {n: shown.get(n, f.get(n)) for n in wanted}})

    def edit(self, r, key):
        issue = self.issue(key)
        body = self.json(r)
        self.need(set(body) <= {"fields", "update"} and body, "an edit of nothing")
        self.need(not set(body.get("fields", {})) & set(body.get("update", {})), "a field twice")
        for name, rows in body.get("update", {}).items():
            have = list(issue["fields"][name])
            for row in rows:
                (verb, value), = row.items()
                self.need(verb in ("add", "remove"), "an unknown verb")
                if verb == "add":
                    have.append(value)
                else:
                    have = [h for h in have if h != value]
            self.set_fields(issue, {name: have})
        self.set_fields(issue, body.get("fields", {}))
        raise Answer(204)

    def assign(self, r, key):
        issue = self.issue(key)
        body = self.json(r)
        member = "accountId" if self.cloud else "name"
        self.need(set(body) == {member}, "an assignee of another shape")
        issue["fields"]["assignee"] = self.user_of(
            {"id" if self.cloud else "name": body[member]}, "assignee")
        raise Answer(204)

    def moves(self, r, key):
        issue = self.issue(key)
        self.need(r.query == {"expand": "transitions.fields"}, "moves without their fields")
        if not self.rights["TRANSITION_ISSUES"]:
            raise Answer(200, {"transitions": []})
        fields = {"resolution": {"required": True, "operations": ["set"], "name": "Resolution",
                                 "key": "resolution", "schema": {"type": "resolution"},
                                 "allowedValues": [{"id": "1", "name": "Won't Do"},
                                                   {"id": "2", "name": "Done"}]}}
        raise Answer(200, {"transitions": [
            {"id": str(31 + i), "name": f"To {to}", "fields":
             fields if to == "Done" and self.needs_resolution else {},
             "to": {"name": to, "statusCategory": {"key": CATEGORY[to]}}}
            for i, to in enumerate(FLOW[issue["fields"]["status"]])]})

    def move(self, r, key):
        issue = self.issue(key)
        body = self.json(r)
        self.need(set(body) <= {"transition", "fields", "update"}, "an unknown member")
        index = int(body["transition"]["id"]) - 31
        to = FLOW[issue["fields"]["status"]][index]
        if to == "Done" and self.needs_resolution:
            if body.get("fields") != {"resolution": {"name": "Done"}}:
                self.refuse(400, resolution="Resolution is required.")
        else:
            self.need("fields" not in body, "fields that are on no screen")
        issue["fields"]["status"] = to
        raise Answer(204)

    # ---- comments and files -------------------------------------------------------------

    def me(self):
        return dict({"displayName": "Mailer", "active": True},
                    **({"accountId": "5b10-me"} if self.cloud else {"name": "mailer"}))

    def comment_as_json(self, c):
        return {"id": c["id"], "body": c["body"], "created": c["created"], "author": self.me(),
                "properties": c["properties"], "jsdPublic": c["public"]}

    def comments(self, r, key):
        issue = self.issue(key)
        self.need(r.query.get("orderBy") == "-created" and r.query.get("expand") == "properties",
                  "comments in another order")
        rows = [self.comment_as_json(c) for c in reversed(issue["comments"])]
        raise Answer(200, {"startAt": 0, "maxResults": 100, "total": len(rows),
                           "comments": rows[:int(r.query["maxResults"])]})

    def add_comment(self, issue, body, public, properties):
        c = {"id": str(500 + len(issue["comments"])), "body": body, "public": public,
             "created": stamp(), "properties": properties}
        issue["comments"].append(c)
        return c

    def comment(self, r, key):
        issue = self.issue(key)
        body = self.json(r)
        self.need(set(body) <= {"body", "properties", "visibility"}, "an unknown member")
        self.rich(body["body"], "comment")
        self.need(plain(body["body"]).strip(), "an empty comment")
        internal = any(p["key"] == "sd.public.comment" and p["value"] == {"internal": True}
                       for p in body["properties"])
        c = self.add_comment(issue, body["body"], not internal, body["properties"])
        c["visibility"] = body.get("visibility")
        raise Answer(201, self.comment_as_json(c))

    def file_in(self, r):
        if r.headers.get("x-atlassian-token") != "no-check":
            raise Answer(403, "XSRF check failed", **{"Content-Type": "text/plain"})
        (head, data), = r.parts()
        self.need('name="file"' in head, "the part is not called file")
        name = head.split('filename="')[1].split('"')[0].replace("%22", '"')
        if len(data) > self.file_max:
            raise Answer(413, {"errorMessages": ["The file is too large."], "errors": {}})
        return name, data

    def attach(self, r, key):
        issue = self.issue(key)
        issue["files"].append(self.file_in(r))
        name, data = issue["files"][-1]
        raise Answer(200, [{"id": "900", "filename": name, "size": len(data),
                            "mimeType": "application/octet-stream"}])

    # ---- Jira Service Management --------------------------------------------------------

    def service(self, r):
        base = "/rest/servicedeskapi"
        for method, pattern, serve in (
                ("GET", r"/servicedesk/4/requesttype", self.request_types),
                ("GET", r"/servicedesk/4/requesttype/(\d+)/field", self.request_fields),
                ("POST", r"/customer", self.new_customer),
                ("POST", r"/servicedesk/4/customer", self.join_desk),
                ("POST", r"/servicedesk/4/attachTemporaryFile", self.temporary_file),
                ("POST", r"/request", self.request),
                ("POST", r"/request/([^/]+)/comment", self.request_comment),
                ("POST", r"/request/([^/]+)/attachment", self.request_files)):
            match = re.fullmatch(base + pattern, r.path)
            if match and method == r.method:
                serve(r, *match.groups())

    def request_types(self, r):
        raise Answer(200, {"size": 2, "isLastPage": True, "values": [
            {"id": "25", "name": "Get help"}, {"id": "26", "name": "Ask"}]})

    def request_fields(self, r, number):
        self.need(number in ("25", "26"), "no such request type")
        raise Answer(200, {"canRaiseOnBehalfOf": True, "requestTypeFields": [
            {"fieldId": n, "name": n, "required": n == "summary"}
            for n in ("summary", "description", "customfield_10042", "customfield_10050")]})

    def new_customer(self, r):
        body = self.json(r)
        self.need(set(body) == {"email", "displayName" if self.cloud else "fullName"},
                  "a customer of another shape")
        if any(body["email"] in (p["emailAddress"], p.get("_real")) for p in self.people):
            self.service_refuses(400, "An account already exists for this email")
        n = len(self.people)
        person = {"accountId": f"qm:{n}", "name": f"c{n}", "displayName": "New", "active": True,
                  "emailAddress": body["email"], "accountType": "customer"}
        self.people.append(person)
        raise Answer(201, {k: v for k, v in person.items()
                           if k != ("name" if self.cloud else "accountId")})

    def join_desk(self, r):
        body = self.json(r)
        self.need(set(body) == {"accountIds" if self.cloud else "usernames"},
                  "members of another shape")
        self.customers |= set(next(iter(body.values())))
        raise Answer(204)

    def request(self, r):
        body = self.json(r)
        self.need(set(body) <= {"serviceDeskId", "requestTypeId", "requestFieldValues",
                                "raiseOnBehalfOf"}, "an unknown member")
        if body["serviceDeskId"] != "4" or body["requestTypeId"] not in ("25", "26"):
            self.service_refuses(400, "The request type does not exist")
        values = body["requestFieldValues"]
        off = set(values) - {"summary", "description", "customfield_10042", "customfield_10050"}
        if off:
            self.service_refuses(400, f"Field '{off.pop()}' cannot be set.")
        if body.get("raiseOnBehalfOf", "5b10-ann") not in self.customers:
            self.service_refuses(400, "The customer you raise this request on behalf of is not "
                                      "one of this service desk")
        self.need(isinstance(values["description"], str), "a description is wiki markup here")
        if units(values["description"]) > TEXT_MAX:
            self.service_refuses(400, "The entered text is too long.")
        issue = self.new_issue()
        description, self.cloud, was = values.pop("description"), self.cloud, self.cloud
        self.set_fields(issue, values)
        issue["fields"]["description"] = {"type": "doc", "version": 1, "content": [
            {"type": "paragraph", "content": [{"type": "text", "text": shown(description)}]}]} \
            if was else description
        issue["type"], issue["customer"] = body["requestTypeId"], body.get("raiseOnBehalfOf")
        self.issues[issue["id"]] = issue
        raise Answer(201, {
            "issueId": issue["id"], "issueKey": issue["key"], "serviceDeskId": "4",
            "requestTypeId": body["requestTypeId"],
            "currentStatus": {"status": "Waiting for support"},
            "_links": {"web": f"{self.url}/servicedesk/customer/portal/4/{issue['key']}"}})

    def request_comment(self, r, key):
        issue = self.issue(key)
        body = self.json(r)
        self.need(set(body) == {"body", "public"} and isinstance(body["public"], bool),
                  "a comment of another shape")
        self.need(isinstance(body["body"], str) and body["body"].strip(), "an empty comment")
        text = body["body"]
        if units(text) > TEXT_MAX:
            self.service_refuses(400, "The entered text is too long.")
        doc = {"type": "doc", "version": 1, "content": [
            {"type": "paragraph", "content": [{"type": "text", "text": shown(text)}]}]}
        c = self.add_comment(issue, doc if self.cloud else text, body["public"], [
            {"key": "sd.public.comment", "value": {"internal": not body["public"]}}])
        raise Answer(201, {"id": c["id"], "body": text, "public": body["public"]})

    def temporary_file(self, r):
        self.need(r.headers.get("x-experimentalapi") == "opt-in", "no X-ExperimentalApi")
        name, data = self.file_in(r)
        number = f"temp{len(self.temporary)}"
        self.temporary[number] = (name, data)
        raise Answer(201, {"temporaryAttachments": [
            {"temporaryAttachmentId": number, "fileName": name}]})

    def request_files(self, r, key):
        issue = self.issue(key)
        body = self.json(r)
        self.need(set(body) <= {"temporaryAttachmentIds", "public", "additionalComment"} and
                  isinstance(body["public"], bool), "files of another shape")
        for number in body["temporaryAttachmentIds"]:
            issue["files"].append(self.temporary.pop(number))
        issue["files_public"] = body["public"]
        raise Answer(201, {"attachments": {"values": []}})


def stamp():
    return time.strftime("%Y-%m-%dT%H:%M:%S.000+0000", time.gmtime())


