# SPDX-License-Identifier: BSD-2-Clause
"""A strict stand-in for the GenericInterface of Znuny and OTOBO, with the web service of
docs/znuny-webservice.yml."""
import base64

from .strict import Answer, Fake

STATES = {"new", "open", "pending reminder", "closed successful", "closed unsuccessful", "merged"}
PRIORITIES = {"1 very low", "2 low", "3 normal", "4 high", "5 very high"}


class Znuny(Fake):
    base = "/znuny/nph-genericinterface.pl/Webservice/TicketMilter"

    def __init__(self, user="mailer", secret="s3cret"):
        self.user, self.secret = user, secret
        self.queues = {"Raw", "Network"}
        self.fields = {"CorrelationId", "Site"}
        self.tickets = {}
        self.many = True  # a search gives a list, else a lone value
        super().__init__()

    def fail(self, operation, code, text):
        raise Answer(200, {"Error": {"ErrorCode": f"{operation}.{code}",
                                     "ErrorMessage": f"{operation}: {text}"}})

    def require(self, operation, truth, what, code="InvalidParameter"):
        if not truth:
            self.fail(operation, code, f"{what} parameter is invalid!")

    def route(self, r):
        self.need(r.path.startswith(self.base + "/"), "base")
        self.need(not r.query, "nothing may stand in the URL")
        self.need(r.headers.get("content-type") == "application/json", "Content-Type")
        body = r.json()
        parts = r.path[len(self.base) + 1:].split("/")
        operation = {("POST", "Ticket", 1): "TicketCreate", ("PATCH", "Ticket", 2): "TicketUpdate",
                     ("POST", "TicketSearch", 1): "TicketSearch",
                     ("POST", "TicketGet", 2): "TicketGet"}.get((r.method, parts[0], len(parts)))
        if operation is None:
            self.unknown(r)
        self.require(operation, body.get("UserLogin") and body.get("Password"),
                     "UserLogin or SessionID", "MissingParameter")
        if (body["UserLogin"], body["Password"]) != (self.user, self.secret):
            self.fail(operation, "AuthFail", "User could not be authenticated!")
        if operation in ("TicketUpdate", "TicketGet") and parts[1] not in self.tickets:
            self.fail(operation, "AccessDenied", "User does not have access to the ticket!")
        if operation == "TicketCreate":
            self.create(body)
        if operation == "TicketUpdate":
            self.update(body, parts[1])
        if operation == "TicketSearch":
            self.search(body)
        self.get(body, parts[1])

    def check(self, operation, body):
        t, a = body.get("Ticket", {}), body.get("Article")
        if "Queue" in t:
            self.require(operation, t["Queue"] in self.queues, "Ticket->QueueID or Ticket->Queue")
        if "State" in t:
            self.require(operation, t["State"] in STATES, "Ticket->State")
            if t["State"].startswith("pending"):
                self.require(operation, "PendingTime" in t, "Ticket->PendingTime")
        if "Priority" in t:
            self.require(operation, t["Priority"] in PRIORITIES, "Ticket->Priority")
        for f in body.get("DynamicField", []):
            self.require(operation, f["Name"] in self.fields, f"DynamicField->{f['Name']}")
            self.need(isinstance(f["Value"], str), "DynamicField")
        if a is not None:
            self.need(a["CommunicationChannel"] in ("Email", "Internal", "Phone"), "channel")
            self.need(a["SenderType"] in ("agent", "customer", "system"), "SenderType")
            self.need(a["IsVisibleForCustomer"] in (0, 1), "IsVisibleForCustomer")
            self.need(a["ContentType"] == "text/plain; charset=utf-8", "ContentType")
            self.need(a["Subject"] and a["Body"] and len(a["Subject"]) <= 250, "Article")
        for f in body.get("Attachment", []):
            self.need(a is not None, "Attachment without Article")
            self.need(f["Filename"] and "/" in f["ContentType"], "Attachment")
            base64.b64decode(f["Content"], validate=True)

    def add(self, number, body):
        t = self.tickets[number]
        t.update(body.get("Ticket", {}))
        if "Article" in body:
            t["articles"].append(dict(body["Article"], files=[
                (f["Filename"], base64.b64decode(f["Content"]))
                for f in body.get("Attachment", [])]))

    def create(self, body):
        t = body.get("Ticket", {})
        for name in ("Title", "CustomerUser", "Queue", "State", "Priority"):
            self.require("TicketCreate", t.get(name), f"Ticket->{name}", "MissingParameter")
        self.require("TicketCreate", "Article" in body, "Article", "MissingParameter")
        self.check("TicketCreate", body)
        self.need(len(t["Title"]) <= 255, "Title")
        number = str(len(self.tickets) + 123)
        self.tickets[number] = {"articles": [], "TicketID": number,
                                "TicketNumber": f"20261122100{number}",
                                "DynamicField": body.get("DynamicField", [])}
        self.add(number, body)
        raise Answer(200, {"TicketID": number, "ArticleID": "43",
                           "TicketNumber": self.tickets[number]["TicketNumber"]})

    def update(self, body, number):
        self.require("TicketUpdate", "Ticket" in body or "Article" in body, "Ticket",
                     "MissingParameter")
        self.check("TicketUpdate", body)
        self.add(number, body)
        raise Answer(200, {"TicketID": number, "TicketNumber": self.tickets[number]["TicketNumber"]})

    def search(self, body):
        asked = {k.removeprefix("DynamicField_"): v["Equals"] for k, v in body.items()
                 if k.startswith("DynamicField_")}
        self.need(asked, "a search without a condition")
        hits = [n for n, t in self.tickets.items()
                if all(name not in self.fields or {"Name": name, "Value": value}
                       in t["DynamicField"] for name, value in asked.items())]
        hits = hits[:int(body["Limit"])]
        raise Answer(200, {"TicketID": hits if self.many else hits[0]} if hits else {})

    def get(self, body, number):
        t = self.tickets[number]
        shown = {k: t.get(k) for k in ("TicketID", "TicketNumber", "Title", "Queue", "State",
                                       "Priority")}
        shown.update(Owner="root@localhost", Changed="2026-11-22 10:00:00")
        if body.get("DynamicFields") == 1:
            shown["DynamicField"] = t["DynamicField"] + [{"Name": "Other", "Value": None}]
        if body.get("AllArticles") == 1:
            self.need(body.get("GetAttachmentContents") == 0, "contents would be large")
            shown["Article"] = [
                {"ArticleID": i, "From": a.get("From", "desk"), "Subject": a["Subject"],
                 "Body": a["Body"], "CreateTime": "2026-11-22 10:00:00",
                 "IsVisibleForCustomer": str(a["IsVisibleForCustomer"]),
                 "Attachment": [{"Filename": n} for n, _ in a["files"]]}
                for i, a in reversed(list(enumerate(t["articles"])))]
        raise Answer(200, {"Ticket": [shown]})
