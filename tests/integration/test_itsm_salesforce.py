# SPDX-License-Identifier: BSD-2-Clause
"""The backend salesforce against a strict stand-in: once by upsert, once by plain create."""
from conftest import BUILD
from harness.contract import CONF, PERM, TEMP, Contract, Drive, a_ticket
from harness.fake_salesforce import Salesforce
from harness.judge import judge_or_skip

SECTION = """    type = "salesforce"
    url = "{url}"
    project = "00G5"
    groups = {{"net=00G7"}}
    fields = {{"Site__c={{{{fields.site}}}}"}}
"""
UPSERT = SECTION + '    options = {{"external_id=Key__c"}}'
PLAIN = SECTION + '    options = {{"correlation_field=Key__c"}}'


class TestPlain(Contract):
    stand_in = Salesforce
    section = PLAIN
    create_line = "POST /services/data/v60.0/sobjects/Case "
    pending, closed, nobody = "On Hold", "Closed", "500X"

    def made(self, fake):
        return list(fake.cases.values())

    def holds(self, fake, kind):
        c = self.made(fake)[0]
        return {"text": c["Description"],
                "notes": [(n["CommentBody"], n["IsPublished"]) for n in fake.comments],
                "files": {t: d for _, t, d in fake.files}, "state": c["Status"]}[kind]

    def test_half_an_answer_is_unsure_and_found(self, fake, drive):
        """The look-up for the number behind each create tells what the answer did not."""
        ticket = a_ticket()
        fake.plan("half", self.create_line)
        result = drive("create", ticket)
        assert result["ok"] and len(self.made(fake)) == 1
        assert drive("find", ticket)["seen"]["external"] == result["seen"]["external"]
        self.end(fake)

    def test_a_case_has_contact_queue_and_fields(self, fake, drive):
        result = drive("create", a_ticket())
        assert result["ok"] and result["seen"]["number"] == "00001001"
        c = self.made(fake)[0]
        assert (c["ContactId"], c["OwnerId"], c["Site__c"]) == ("003A", "00G7", "Berlin")
        assert c["SuppliedEmail"] == "ann@example.org" and c["Priority"] == "High"
        assert drive("create", a_ticket(requester="two@example.org"))["ok"]
        assert "ContactId" not in self.made(fake)[1]  # two have it: nobody is meant
        self.end(fake)

    def test_another_clients_types_know_each_column(self, fake, drive):
        judge = judge_or_skip(BUILD)
        ticket = self.known(t := a_ticket(assignee="ann@example.org"), drive("create", t))
        assert drive("update", dict(ticket, group="net", state="resolved", priority=4))["ok"]
        assert drive("close", ticket)["ok"]
        cases = [r.json() for r in fake.seen if "/sobjects/Case/" in r.path + "/" and r.body]
        assert len(cases) >= 3 and judge.documents("salesforce", cases) == []
        self.end(fake)

    def test_a_quote_in_an_address_stays_a_quote(self, fake, drive):
        assert drive("create", a_ticket(requester="o'neil@example.org"))["ok"]
        assert self.made(fake)[0]["ContactId"] == "003D"
        assert drive("create", a_ticket(requester="x' OR Email!='@example.org"))["ok"]
        assert "ContactId" not in self.made(fake)[1]
        assert drive("create", a_ticket(requester="x\\' OR Id!='@example.org"))["ok"]
        assert "ContactId" not in self.made(fake)[2]
        self.end(fake)

    def test_a_number_that_cannot_be_read_after_the_create_is_unsure(self, fake, drive):
        ticket = a_ticket()
        fake.plan("answer", "FROM%20Case%20", status=503, body=[])
        result = drive("create", ticket)
        assert not result["ok"] and result["unsure"] == (self.section == PLAIN)
        assert drive("find", ticket)["seen"]["number"] == "00001001"
        self.end(fake)

    def test_a_locked_row_or_a_used_up_limit_is_for_later(self, fake, drive):
        for status, code, kind in ((400, "UNABLE_TO_LOCK_ROW", TEMP),
                                   (403, "REQUEST_LIMIT_EXCEEDED", TEMP),
                                   (400, "FIELD_CUSTOM_VALIDATION_EXCEPTION", PERM)):
            fake.plan("answer", self.create_line, status=status,
                      body=[{"message": "no", "errorCode": code}])
            result = drive("create", a_ticket())
            assert result["class"] == kind and code in result["error"] and not result["unsure"]
        self.end(fake)

    def test_a_queue_or_field_that_is_not_there_is_told(self, fake):
        for wrong, word in (("net=00G9", "no queue 00G9"), ("Site__d={{", "no field Site__d")):
            right = "net=00G7" if "net" in wrong else "Site__c={{"
            drive = Drive(BUILD, self.section.format(url=fake.url).replace(right, wrong), "s3cret")
            result = drive("check", {})
            assert result["class"] == CONF and word in result["error"]
            drive.remove()
        self.end(fake)


class TestUpsert(TestPlain):
    section = UPSERT
    create_line = "PATCH /services/data/v60.0/sobjects/Case/Key__c/"

    def test_an_answer_lost_after_the_commit_is_unsure_and_found(self, fake, drive):
        """An upsert may be sent again: it needs no look-up."""
        ticket = a_ticket()
        fake.plan("lose", self.create_line)
        drive("create", ticket)  # on a connection kept from before it goes again by itself
        assert len(self.made(fake)) == 1
        assert drive("create", ticket)["ok"] and len(self.made(fake)) == 1
        assert sum(r.line.startswith(self.create_line) for r in fake.seen) >= 2
        self.end(fake)

    def test_half_an_answer_is_unsure_and_found(self, fake, drive):
        ticket = a_ticket()
        fake.plan("half", "FROM%20Case%20")
        result = drive("create", ticket)
        assert not result["ok"] and result["class"] == TEMP
        assert drive("create", ticket)["ok"] and len(self.made(fake)) == 1
        self.end(fake)

    def test_a_field_that_is_no_external_id_is_told(self, fake, drive):
        fake.external_id = False
        result = drive("check", {})
        assert result["class"] == CONF and "is no external id" in result["error"]
        self.end(fake)
