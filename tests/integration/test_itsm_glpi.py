# SPDX-License-Identifier: BSD-2-Clause
"""The backend glpi against a strict stand-in."""
import html

from conftest import BUILD
from harness.contract import CONF, PERM, Contract, Drive, a_ticket
from harness.fake_glpi import Glpi

SECTION = """    type = "glpi"
    url = "{url}"
    project = "5"
    groups = {{"net=9"}}"""
SECRET = "s3cret 4pp"


def plain(text):
    return html.unescape(text.replace("<br>", "\n"))


class TestGlpi(Contract):
    stand_in = Glpi
    section = SECTION
    create_line = "POST /apirest.php/Ticket "
    pending, closed, nobody = "4", "6", "99"
    secret, wrong_secret = SECRET, "wrong 4pp"

    def made(self, fake):
        return list(fake.tickets.values())

    def holds(self, fake, kind):
        t = self.made(fake)[0]
        return {"text": plain(t["content"]),
                "notes": [(plain(n["content"]), n["is_private"] == 0) for n in t["notes"]],
                "files": dict(fake.documents[d] for d in t["files"]),
                "state": str(t.get("status"))}[kind]

    def test_a_session_is_opened_once_and_closed(self, fake, drive):
        assert drive("create", a_ticket())["ok"]
        assert fake.opened == 1 and fake.closed == 1 and not fake.sessions
        self.end(fake)

    def test_a_session_that_ended_is_opened_again_once(self, fake, drive):
        gone = {"status": 401, "body": ["ERROR_SESSION_TOKEN_INVALID",
                                        "session_token seems invalid"]}
        fake.plan("answer", self.create_line, **gone)
        assert drive("create", a_ticket())["ok"]
        assert fake.opened == 2 and len(self.made(fake)) == 1
        fake.plan("answer", self.create_line, 2, **gone)
        result = drive("create", a_ticket())
        assert not result["ok"] and result["unauthorized"] and fake.opened == 4
        assert len(self.made(fake)) == 1
        self.end(fake)

    def test_a_log_out_that_fails_changes_nothing(self, fake, drive):
        fake.plan("cut", "killSession")
        result = drive("create", a_ticket())
        assert result["ok"] and not result["unsure"] and len(self.made(fake)) == 1
        self.end(fake)

    def test_a_file_whose_answer_got_lost_is_there_once(self, fake, drive):
        ticket = self.known(t := a_ticket(), drive("create", t))
        same = ("a.png", b"one", "image/png")  # of one mail: names do not tell them apart
        assert drive("attach", ticket, file=same, key="j7")["ok"]
        for lost in ("POST /apirest.php/Document ", "/Document_Item "):
            fake.plan("lose", lost)
            key = f"j{70 + len(lost)}"
            assert drive("attach", ticket, file=same, key=key)["unsure"]
            for _ in range(2):
                assert drive("attach", ticket, file=same, key=key, again=True)["ok"]
        assert len(fake.documents) == 3 and len(self.made(fake)[0]["files"]) == 3
        assert drive("attach", ticket, file=same, key="j9", again=True)["ok"]  # never arrived
        assert len(self.made(fake)[0]["files"]) == 4
        self.end(fake)

    def test_who_may_not_search_documents_has_them_sent_again(self, fake, drive):
        ticket = self.known(t := a_ticket(), drive("create", t))
        fake.plan("answer", "GET /apirest.php/Document?", status=403,
                  body=["ERROR_RIGHT_MISSING", "no"])
        assert drive("attach", ticket, file=("a", b"x", "text/plain"), key="j1", again=True)["ok"]
        assert len(self.made(fake)[0]["files"]) == 1
        self.end(fake)

    def test_an_update_that_is_not_taken_is_refused_though_200(self, fake, drive):
        ticket = self.known(t := a_ticket(), drive("create", t))
        fake.may_write = False
        result = drive("update", dict(ticket, state="open"))
        assert result["class"] == PERM and "You don't have permission" in result["error"]
        self.end(fake)

    def test_the_requester_is_known_or_kept_by_address(self, fake, drive):
        assert drive("create", a_ticket())["ok"]
        assert drive("create", a_ticket(requester="jo@example.org"))["ok"]
        assert drive("create", a_ticket(requester="new@example.org"))["ok"]
        one, two, three = self.made(fake)
        assert one["_users_id_requester"] == 7 and two["_users_id_requester"] == 6
        assert three["_users_id_requester"] == 0
        assert three["_users_id_requester_notif"]["alternative_email"] == ["new@example.org"]
        assert one["_groups_id_assign"] == 9 and one["priority"] == 4 and one["type"] == 1
        fake.plan("answer", "listSearchOptions/User", status=403,
                  body=["ERROR_RIGHT_MISSING", "You don't have permission"])
        assert drive("create", a_ticket())["ok"]
        assert self.made(fake)[3]["_users_id_requester"] == 0
        self.end(fake)

    def test_markup_in_a_mail_stays_text(self, fake, drive):
        ticket = a_ticket(text="<script>alert(1)</script> & more\n<b>x</b>")
        assert drive("create", ticket)["ok"]
        assert "<" not in self.made(fake)[0]["content"].replace("<br>", "")
        assert "<script>alert(1)</script> & more\n<b>x</b>" in self.holds(fake, "text")
        self.end(fake)

    def test_the_key_can_stand_in_the_text(self, fake, drive):
        fake.has_externalid = False
        result = drive("find", a_ticket())
        assert result["class"] == CONF and "correlation=content" in result["error"]
        assert drive("check", {})["class"] == CONF
        drive = Drive(BUILD, SECTION.format(url=fake.url) +
                      '\n    options = {"correlation=content"}', SECRET)
        ticket = a_ticket()
        assert drive("create", ticket)["ok"] and drive("create", a_ticket())["ok"]
        assert drive("find", ticket)["seen"]["external"] == "15"
        assert "externalid" not in self.made(fake)[0]
        drive.remove()
        self.end(fake)

    def test_a_group_that_is_not_there_is_told(self, fake):
        drive = Drive(BUILD, SECTION.format(url=fake.url).replace("net=9", "net=8"), SECRET)
        result = drive("check", {})
        assert result["class"] == CONF and "no group 8" in result["error"]
        drive.remove()
        self.end(fake)
