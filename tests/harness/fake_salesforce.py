# SPDX-License-Identifier: BSD-2-Clause
"""A strict stand-in for cases of Salesforce's REST API."""
import json
import re

from .strict import Answer, Fake

FIELDS = {"Subject", "Description", "Origin", "SuppliedEmail", "SuppliedName", "ContactId",
          "Type", "Status", "Priority", "OwnerId", "Key__c", "Site__c"}


class Salesforce(Fake):
    base = "/services/data/v60.0/"

    def __init__(self, token="s3cret"):
        self.token = token
        self.cases, self.comments, self.files = {}, [], []
        self.contacts = [("003A", "ann@example.org"), ("003B", "two@example.org"),
                         ("003C", "two@example.org"), ("003D", "o'neil@example.org")]
        self.queues = {"00G7": "Network", "00G5": "Desk"}
        self.external_id = True
        super().__init__()

    def fail(self, status, code, text):
        raise Answer(status, [{"message": text, "errorCode": code, "fields": []}])

    def route(self, r):
        if r.headers.get("authorization") != f"Bearer {self.token}":
            self.fail(401, "INVALID_SESSION_ID", "Session expired or invalid")
        self.need(r.path.startswith(self.base), "base")
        path = r.path[len(self.base):]
        if r.method in ("POST", "PATCH") and path != "sobjects/ContentVersion":
            self.need(r.headers.get("content-type") == "application/json", "Content-Type")
        if r.method == "GET" and path == "query":
            return self.query(r.query["q"])
        if r.method == "GET" and path == "sobjects/Case/describe":
            raise Answer(200, {"fields": [{"name": n, "externalId": n == "Key__c"
                                           and self.external_id} for n in FIELDS]})
        if r.method == "POST" and path == "sobjects/Case":
            return self.create(r.json())
        if r.method == "PATCH" and path.startswith("sobjects/Case/Key__c/"):
            return self.upsert(path.split("/")[3], r.json())
        if r.method == "POST" and path == "sobjects/CaseComment":
            return self.comment(r.json())
        if r.method == "POST" and path == "sobjects/ContentVersion":
            return self.file(r)
        if path.startswith("sobjects/Case/"):
            return self.case(r, path.split("/")[2])
        return self.unknown(r)

    def check(self, c):
        if set(c) - FIELDS:
            self.fail(400, "INVALID_FIELD", f"No such column '{sorted(set(c) - FIELDS)[0]}'")
        for name, most in (("Subject", 255), ("Description", 32000), ("SuppliedName", 80),
                           ("SuppliedEmail", 80), ("Key__c", 35)):
            if len(c.get(name, "")) > most:
                self.fail(400, "STRING_TOO_LONG", f"{name}: data value too large")
        self.need(c.get("OwnerId", "00G7") in self.queues, "OwnerId")
        self.need(all(isinstance(v, str) for v in c.values()), "texts")

    def create(self, c):
        self.check(c)
        number = f"500{len(self.cases):012d}AAA"
        self.cases[number] = dict(c, CaseNumber=f"{len(self.cases) + 1001:08d}")
        raise Answer(201, {"id": number, "success": True, "errors": []})

    def upsert(self, key, c):
        if not self.external_id:
            self.fail(404, "NOT_FOUND", "Provided external ID field does not exist")
        self.need("Key__c" not in c, "the key stands in the path alone")
        same = [n for n, have in self.cases.items() if have.get("Key__c") == key]
        if not same:
            self.create(dict(c, Key__c=key))
        self.check(c)
        self.cases[same[0]].update(c)
        raise Answer(200, {"id": same[0], "success": True, "errors": [], "created": False})

    def known(self, number):
        if number not in self.cases:
            self.fail(404, "NOT_FOUND", "The requested resource does not exist")
        return self.cases[number]

    def case(self, r, number):
        c = self.known(number)
        if r.method == "PATCH":
            self.check(r.json())
            c.update(r.json())
            raise Answer(204)
        self.need(r.method == "GET", "method")
        raise Answer(200, dict(c, Id=number, LastModifiedDate="2026-11-22T10:00:00.000+0000"))

    def comment(self, c):
        self.need(set(c) == {"ParentId", "CommentBody", "IsPublished"}, "comment")
        self.need(len(c["CommentBody"].encode()) <= 4000, "comment too long")
        if c["ParentId"] not in self.cases:
            self.fail(400, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
        self.comments.append(c)
        raise Answer(201, {"id": f"00a{len(self.comments)}", "success": True, "errors": []})

    def file(self, r):
        self.need(r.headers["content-type"].startswith("multipart/form-data"), "Content-Type")
        (head, entity), (file_head, data) = r.parts()
        self.need('name="entity_content"' in head and "Content-Type: application/json" in head,
                  "entity_content")
        self.need('name="VersionData"; filename="' in file_head, "VersionData")
        said = json.loads(entity.decode())
        self.known(said["FirstPublishLocationId"])
        self.need(said["PathOnClient"] and len(said["Title"]) <= 255, "Title")
        self.files.append((said["FirstPublishLocationId"], said["Title"], data))
        raise Answer(201, {"id": f"068{len(self.files)}", "success": True, "errors": []})

    def query(self, soql):
        found = re.fullmatch(r"SELECT ([\w.,]+) FROM (\w+) WHERE (?:Type='Queue' AND )?(\w+)="
                             r"'((?:[^'\\]|\\.)*)'((?: ORDER BY \w+ (?:ASC|DESC))?)"
                             r" LIMIT (\d+)", soql)
        if not found:
            self.breach(f"SOQL: {soql}")
        names, table, field, value, _, limit = found.groups()
        value = re.sub(r"\\(.)", r"\1", value)
        rows = {"Contact": [{"Id": i, "Email": e} for i, e in self.contacts],
                "Group": [{"Id": i, "Name": n} for i, n in self.queues.items()],
                "Case": [dict(c, Id=i) for i, c in self.cases.items()],
                "CaseComment": [dict(c, Id=f"00a{i}", CreatedById="005A",
                                     CreatedDate="2026-11-22T10:00:00.000+0000")
                                for i, c in enumerate(self.comments)][::-1],
                "ContentDocumentLink": [{"LinkedEntityId": c, "ContentDocument": {
                    "Title": t, "ContentSize": len(d),
                    "CreatedDate": "2026-11-22T10:00:00.000+0000"}}
                                        for c, t, d in self.files]}[table]
        if table == "Case" and field not in FIELDS:
            self.fail(400, "INVALID_FIELD", f"No such column '{field}'")
        hits = [{n.split(".")[0]: row.get(n.split(".")[0]) for n in names.split(",")}
                for row in rows if row.get(field) == value][:int(limit)]
        raise Answer(200, {"totalSize": len(hits), "done": True, "records": hits})
