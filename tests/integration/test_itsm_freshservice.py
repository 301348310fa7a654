# SPDX-License-Identifier: BSD-2-Clause
"""The backends freshservice and freshdesk against a strict stand-in."""
import pytest
from conftest import BUILD
from harness.contract import CONF, PERM, TEMP, Contract, Drive, a_ticket
from harness.fake_freshworks import Freshworks
from harness.judge import judge_or_skip

SECTION = """    type = "freshservice"
    url = "{url}"
    project = "5"
    groups = {{"net=7"}}
    types = {{"incident=Incident", "request=item:23"}}
    fields = {{"site={{{{fields.site}}}}", "count.number={{{{fields.count}}}}", "department_id={{{{fields.dept}}}}"}}
    options = {{"default_requester=desk@example.org", "assignee=yes"}}"""
DESK = SECTION.replace('"freshservice"', '"freshdesk"').replace(
    '    types = {{"incident=Incident", "request=item:23"}}\n',
    '    types = {{"incident=Incident"}}\n')


def other(fake, text, **changes):
    text = text.format(url=fake.url)
    for old, new in changes.items():
        text = text.replace("options = {", new) if old == "options" else text + "\n    " + new
    return Drive(BUILD, text, "s3cret")


class Both(Contract):
    create_line = "POST /api/v2/tickets "
    pending, closed, nobody = "3", "5", "99"

    def made(self, fake):
        return list(fake.tickets.values())

    def holds(self, fake, kind):
        number, t = next(iter(fake.tickets.items()))
        return {"text": t["description"], "state": str(t["status"]),
                "notes": [(n["body_text"], not n["private"]) for n in fake.talk[number]],
                "files": dict(t["files"])}[kind]

    def test_a_ticket_has_group_priority_fields_and_its_key(self, fake, drive):
        ticket = a_ticket(assignee="agent@example.org", urgency=1, impact=3,
                          fields={"site": "Berlin", "count": "3", "dept": "12"},
                          text="a < b & c\nend")
        assert drive("create", ticket)["ok"]
        made = self.made(fake)[0]
        assert made["requester_id"] == 71 and made["responder_id"] == 81
        assert made["group_id"] == 7 and made["priority"] == 3 and made["status"] == 2
        assert made["custom_fields"] == {"site": "Berlin", "count": 3}
        assert made["department_id"] == 12 and made["tags"] == [ticket["corr"][:32]]
        assert made["description"] == "a &lt; b &amp; c<br>end"
        if fake.desk:
            assert "urgency" not in made
        else:
            assert (made["urgency"], made["impact"]) == (3, 1)
        self.end(fake)

    def test_a_sender_who_is_not_known_stands_in_the_text(self, fake, drive):
        assert drive("create", a_ticket(requester="new@example.org"))["ok"]
        made = self.made(fake)[0]
        assert made["email"] == "desk@example.org"
        assert made["description"].startswith("Ann &lt;new@example.org&gt;:<br>It is")
        assert drive("create", a_ticket(requester="agent@example.org"))["ok"]
        assert self.made(fake)[1]["requester_id"] == 81
        one = other(fake, self.section, requester="requester = create")
        assert one("create", a_ticket(requester="new2@example.org"))["ok"]
        one.remove()
        made = self.made(fake)[2]
        assert (made["email"], made["name"]) == ("new2@example.org", "Ann")
        self.end(fake)

    def test_what_the_filter_does_not_show_yet_stands_in_the_list(self, fake, drive):
        for who in ("ann@example.org", "new@example.org"):
            ticket = a_ticket(requester=who, created_s=1795341600)
            fake.plan("lose", self.create_line)
            assert drive("create", ticket)["unsure"]
            number = max(fake.tickets)
            fake.hidden.add(number)
            assert drive("find", ticket)["seen"]["external"] == str(number)
            fake.filters = False
            assert drive("find", ticket)["seen"]["external"] == str(number)
            fake.filters = True
            nothing = drive("find", a_ticket(requester=who))
            assert nothing["ok"] and nothing["seen"]["external"] == ""
        assert len(fake.tickets) == 2
        self.end(fake)

    def test_the_key_may_stand_in_a_field(self, fake):
        one = other(fake, self.section, options='options = {"correlation_field=corr", ')
        ticket = a_ticket()
        assert one("create", ticket)["ok"]
        assert self.made(fake)[0]["custom_fields"]["corr"] == ticket["corr"]
        assert "tags" not in self.made(fake)[0]
        assert one("find", ticket)["seen"]["external"] == "8"
        assert "corr%3A%27" in fake.seen[-1].target
        assert one("check", {})["ok"]
        del fake.fields["corr"]
        result = one("check", {})
        assert result["class"] == CONF and "no field corr" in result["error"]
        one.remove()
        self.end(fake)

    def test_files_beyond_what_a_ticket_takes_are_named(self, fake, drive):
        ticket = self.known(t := a_ticket(), drive("create", t))
        fake.total = 3
        assert drive("attach", ticket, file=("a.png", b"1234", "image/png"))["ok"]
        assert self.holds(fake, "notes") == [
            ("File kept with IT-1: a.png (image/png, 4 bytes)", False)]
        one = other(fake, self.section, options='options = {"attachment_mib=1", ')
        before = len(fake.seen)
        assert one("attach", ticket, file=("b.png", b"x" * 1048577, "image/png"))["ok"]
        one.remove()
        assert [r.path for r in fake.seen[before:]] == ["/api/v2/tickets/8/notes"]
        self.end(fake)

    def test_a_reply_is_sent_where_the_section_says_so(self, fake, drive):
        ticket = self.known(t := a_ticket(), drive("create", t))
        one = other(fake, self.section, options='options = {"reply=yes", ')
        for public in (True, False):
            assert one("comment", ticket, comment={"text": "x", "public": public, "key": "m"})["ok"]
        one.remove()
        assert [n["kind"] for n in fake.talk[8]] == ["/reply", "/notes"]
        self.end(fake)

    def test_required_fields_are_told_by_name(self, fake, drive):
        fake.plan("answer", self.create_line, status=400, body={
            "description": "Validation failed", "errors": [
                {"field": "source", "message": "It should be one of these values: '1,2,3'",
                 "code": "invalid_value"},
                {"field": "category", "message": "It should be a/an String",
                 "code": "missing_field"}]})
        result = drive("create", a_ticket())
        assert result["class"] == PERM and not result["unsure"]
        assert "source: It should be one of these values: '1,2,3' (invalid_value)" in result["error"]
        assert "category: It should be a/an String (missing_field)" in result["error"]
        fake.plan("answer", self.create_line, status=403, body={
            "code": "access_denied", "message": "You are not authorized"})
        assert drive("create", a_ticket())["class"] == CONF
        fake.plan("answer", self.create_line, status=429, body={"message": "limit"}, headers={
            "Retry-After": "23", "X-RateLimit-Total": "50", "X-RateLimit-Remaining": "0",
            "X-RateLimit-Used-CurrentRequest": "1"})
        result = drive("create", a_ticket())
        assert result["class"] == TEMP and result["retry_after"] == 23
        self.end(fake)

    def test_a_ticket_changes_hands(self, fake, drive):
        ticket = self.known(t := a_ticket(), drive("create", t))
        assert drive("update", dict(ticket, group="", assignee="agent@example.org",
                                    state="resolved"))["ok"]
        seen = drive("fetch", ticket)["seen"]
        assert (seen["group"], seen["assignee"], seen["state"], seen["priority"]) == (
            "5", "81", "4", "3")
        assert seen["url"].endswith("/a/tickets/8")
        assert drive("update", dict(ticket, assignee="nobody@example.org"))["ok"]
        assert self.made(fake)[0]["responder_id"] == 81
        self.end(fake)

    def test_long_talks_come_with_the_newest_first(self, fake, drive):
        ticket = self.known(t := a_ticket(), drive("create", t))
        fake.talk[8] = [{"id": i, "body_text": f"n{i}", "private": False, "user_id": 1,
                         "created_at": "2026-11-22T10:00:00Z"} for i in range(130)]
        notes = drive("fetch", ticket)["seen"]["notes"]
        assert [n["text"] for n in notes] == [f"n{i}" for i in range(129, -1, -1)]
        self.end(fake)

    def test_a_group_that_is_gone_is_told_by_the_check(self, fake, drive):
        assert drive("check", {})["seen"]["told"] == (
            "tickets may be read\ngroup Network\ngroup Desk")
        del fake.groups[5]
        result = drive("check", {})
        assert result["class"] == CONF and "no group 5" in result["error"]
        fake.plan("answer", "fields", status=403, body={"code": "access_denied"})
        fake.groups[5] = "Desk"
        assert "not checked" in drive("check", {})["seen"]["told"]
        self.end(fake)


class TestFreshservice(Both):
    section = SECTION

    @pytest.fixture(name="fake")
    def _fake(self):
        fake = Freshworks()
        yield fake
        fake.stop()

    @pytest.fixture(name="drive")
    def _drive(self, fake):
        drive = Drive(BUILD, SECTION.format(url=fake.url), "s3cret")
        yield drive
        drive.remove()

    def test_a_request_is_placed_on_the_catalogue_and_completed(self, fake, drive):
        ticket = a_ticket(type="request")
        result = drive("create", ticket)
        assert result["ok"] and result["seen"]["number"] == "SR-8", result
        made = self.made(fake)[0]
        assert made["email"] == "ann@example.org" and made["type"] == "Service Request"
        assert made["subject"] == ticket["subject"] and made["group_id"] == 7
        assert made["custom_fields"] == {"site": "Berlin"}
        assert "Really" in made["description"]
        assert drive("find", ticket)["seen"]["external"] == "8"
        self.end(fake)

    def test_a_request_that_was_placed_and_not_completed_is_unsure(self, fake):
        one = other(fake, SECTION, options='options = {"correlation_field=corr", ')
        ticket = a_ticket(type="request")
        fake.plan("answer", "PUT /api/v2/tickets/8", status=500, body={})
        result = one("create", ticket)
        assert not result["ok"] and result["unsure"]
        assert one("find", ticket)["seen"]["external"] == "8"
        one.remove()
        self.end(fake)


    def test_another_client_knows_each_member(self, fake, drive):
        judge = judge_or_skip(BUILD)
        ticket = self.known(t := a_ticket(assignee="agent@example.org", urgency=1, impact=3,
                                          fields={"site": "Berlin", "count": "3", "dept": "12"}),
                            drive("create", t))
        for public in (True, False):
            assert drive("comment", ticket, comment={"text": "x", "public": public, "key": "m"})["ok"]
        made = [("freshservice/create_ticket", r.json()) for r in fake.seen
                if (r.method, r.path) == ("POST", "/api/v2/tickets")]
        notes = [("freshservice/add_note_to_ticket", r.json()) for r in fake.seen
                 if r.path == "/api/v2/tickets/8/notes"]
        assert len(made) == 1 and len(notes) == 2
        assert [c for bad in judge.verdicts(made + notes) for c in bad] == []
        self.end(fake)


class TestFreshdesk(Both):
    section = DESK

    @pytest.fixture(name="fake")
    def _fake(self):
        fake = Freshworks(desk=True)
        yield fake
        fake.stop()

    @pytest.fixture(name="drive")
    def _drive(self, fake):
        drive = Drive(BUILD, DESK.format(url=fake.url), "s3cret")
        yield drive
        drive.remove()
