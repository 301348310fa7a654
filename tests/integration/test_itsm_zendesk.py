# SPDX-License-Identifier: BSD-2-Clause
"""The backend zendesk against a strict stand-in."""
from conftest import BUILD
from harness.contract import PERM, TEMP, CONF, Contract, Drive, a_ticket
from harness.fake_zendesk import Zendesk
from harness.judge import judge_or_skip

SECTION = """    type = "zendesk"
    url = "{url}"
    user = "agent@example.org/token"
    project = "360002"
    groups = {{"net=360001"}}
    fields = {{"360077={{{{fields.site}}}}"}}
    types = {{"incident=incident"}}
    options = {{"tag=mt"}}"""


class TestZendesk(Contract):
    stand_in = Zendesk
    section = SECTION
    create_line = "POST /api/v2/tickets.json"
    pending, closed, nobody = "pending", "solved", "99"

    def made(self, fake):
        return list(fake.tickets.values())

    def holds(self, fake, kind):
        t = self.made(fake)[0]
        return {"text": t["comments"][0]["body"],
                "notes": [(c["body"], c["public"]) for c in t["comments"]],
                "files": dict(f for c in t["comments"] for f in c["files"]),
                "state": t.get("status")}[kind]

    def test_the_requester_is_the_user_with_just_this_address(self, fake, drive):
        assert drive("create", a_ticket())["ok"]
        made = self.made(fake)[0]
        assert made["requester_id"] == 71 and made["group_id"] == 360001
        assert made["custom_fields"] == [{"id": 360077, "value": "Berlin"}]
        assert made["priority"] == "high" and made["tags"] == ["mt"]
        assert drive("create", a_ticket(requester="new@example.org"))["ok"]
        made = self.made(fake)[1]
        assert "requester_id" not in made and "requester" not in made
        assert made["comment"]["body"].startswith("Ann <new@example.org>:\n")
        self.end(fake)

    def test_another_clients_types_know_each_member(self, fake):
        judge = judge_or_skip(BUILD)
        drive = Drive(BUILD, SECTION.format(url=fake.url) + "\n    requester = create", "s3cret")
        ticket = self.known(t := a_ticket(requester="new@example.org", assignee="ann@example.org"),
                            drive("create", t))
        for public in (True, False):
            assert drive("comment", ticket, comment={"text": "x", "public": public, "key": "m"})["ok"]
        assert drive("attach", ticket, file=("a.png", b"1234", "image/png"))["ok"]
        assert drive("update", dict(ticket, group="net", state="resolved", priority=4))["ok"]
        assert drive("close", ticket)["ok"]
        drive.remove()
        bodies = [r.json() for r in fake.seen if r.path.startswith("/api/v2/tickets") and r.body]
        assert len(bodies) >= 6 and judge.documents("zendesk", bodies) == []
        self.end(fake)

    def test_a_requester_is_made_where_the_section_says_so(self, fake):
        drive = Drive(BUILD, SECTION.format(url=fake.url) + "\n    requester = create", "s3cret")
        assert drive("create", a_ticket(requester="new@example.org", requester_name=""))["ok"]
        assert self.made(fake)[0]["requester"] == {"name": "new@example.org",
                                                   "email": "new@example.org"}
        drive.remove()
        self.end(fake)

    def test_the_same_request_again_is_a_replay(self, fake, drive):
        ticket = a_ticket()
        one, two = drive("create", ticket), drive("create", ticket)
        assert one["seen"] == two["seen"] and fake.hits == 1
        assert len(self.made(fake)) == 1
        self.end(fake)

    def test_another_request_with_its_key_finds_the_first_ticket(self, fake, drive):
        ticket = a_ticket()
        one = drive("create", ticket)
        two = drive("create", dict(ticket, priority=1))
        assert two["ok"] and two["seen"]["external"] == one["seen"]["external"]
        assert len(self.made(fake)) == 1
        fake.tickets.clear()
        lost = drive("create", dict(ticket, priority=1))
        assert lost["class"] == PERM and "Idempotency-Key" in lost["error"]
        self.end(fake)

    def test_errors_are_words_or_objects(self, fake, drive):
        fake.plan("answer", self.create_line, status=422, body={
            "error": "RecordInvalid", "description": "Record validation errors",
            "details": {"base": [{"description": "Subject is odd", "error": "Odd"}]}})
        result = drive("create", a_ticket())
        assert result["class"] == PERM and "Subject is odd" in result["error"]
        fake.plan("answer", self.create_line, status=403, body={
            "error": {"title": "Forbidden", "message": "You do not have access"}})
        result = drive("create", a_ticket())
        assert result["class"] == CONF and "You do not have access" in result["error"]
        fake.plan("answer", self.create_line, status=409, body={"error": "Conflict"})
        result = drive("create", a_ticket())
        assert result["class"] == TEMP and not self.made(fake)
        self.end(fake)

    def test_a_wrong_token_or_group_is_told_by_the_check(self, fake):
        drive = Drive(BUILD, SECTION.format(url=fake.url), "wrong")
        result = drive("check", {})
        assert result["class"] == CONF and result["unauthorized"]
        drive.remove()
        drive = Drive(BUILD, SECTION.format(url=fake.url).replace("360001", "360009"), "s3cret")
        result = drive("check", {})
        assert result["class"] == CONF and "no group 360009" in result["error"]
        drive.remove()
        self.end(fake)
