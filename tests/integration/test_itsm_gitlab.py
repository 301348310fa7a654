# SPDX-License-Identifier: BSD-2-Clause
"""The backend gitlab against a strict stand-in."""
from conftest import BUILD
from harness.contract import CONF, PERM, Contract, Drive, a_ticket
from harness.fake_gitlab import GitLab
from harness.judge import judge_or_skip

SECTION = """    type = "gitlab"
    url = "{url}"
    project = "acme/it desk"
    types = {{"incident=incident"}}
    groups = {{"net=network", "db=database"}}
    priorities = {{"1=urgent", "2=high"}}
    states = {{"pending=waiting"}}
    fields = {{"weight={{{{priority}}}}"}}
    options = {{"assignee=yes"}}"""

# Since v3; doc/api/issues.md and notes.md of GitLab have them.
NEWER = ("issue_type", "weight", "internal", "add_labels", "remove_labels", "scope", "in",
         "search", "per_page", "sort", "order_by")


class TestGitLab(Contract):
    stand_in = GitLab
    section = SECTION
    create_line = "POST /api/v4/projects/acme%2Fit%20desk/issues "
    pending, closed, nobody = "waiting", "closed", "99"

    def made(self, fake):
        return list(fake.issues.values())

    def holds(self, fake, kind):
        t = self.made(fake)[0]
        waits = "waiting" in t["labels"] and t["state"] == "opened"
        return {"text": t["description"], "state": "waiting" if waits else t["state"],
                "notes": [(n["body"], not n.get("internal")) for n in fake.notes[t["iid"]]],
                "files": fake.uploads}[kind]

    def test_an_issue_has_type_labels_and_fields_and_is_confidential(self, fake, drive):
        assert drive("create", a_ticket(assignee="ann@example.org"))["ok"]
        made = self.made(fake)[0]
        assert made["confidential"] is True and made["issue_type"] == "incident"
        assert made["labels"] == ["network", "high"] and made["weight"] == 2
        assert made["assignees"] == [{"id": 41, "username": "u41"}]
        assert made["description"].startswith("Ann \\<ann@example.org>:\n\n")
        for who, ids in (("two@example.org", []), ("octo", [44]), ("no@example.org", [])):
            assert drive("create", a_ticket(assignee=who))["ok"]
            assert [a["id"] for a in self.made(fake)[-1]["assignees"]] == ids
        one = Drive(BUILD, SECTION.format(url=fake.url).replace(
            "assignee=yes", "confidential=no"), "s3cret")
        assert one("create", a_ticket())["ok"]
        one.remove()
        assert self.made(fake)[-1]["confidential"] is False
        self.end(fake)

    def test_no_line_of_a_mail_is_an_order(self, fake, drive):
        text = "hello\n/close\n  /assign @root\n@all see #3 !4\nx\n"
        ticket = self.known(t := a_ticket(text=text), drive("create", dict(t, text=text)))
        body = self.made(fake)[0]["description"]
        assert "\n\\/close" in body and "\n  \\/assign" in body
        assert "@all" not in body and "#3" not in body and "!4" not in body
        assert drive("comment", ticket, comment={"text": "/close\nplease", "public": True,
                                                 "key": "m-1"})["ok"]
        assert fake.notes[1][0]["body"] == "\\/close  \nplease"
        assert drive("fetch", ticket)["seen"]["notes"][0]["text"] == "/close\nplease"
        self.end(fake)

    def test_an_internal_note_that_all_could_read_is_taken_back(self, fake, drive):
        ticket = self.known(t := a_ticket(), drive("create", t))
        fake.knows_internal = False
        result = drive("comment", ticket, comment={"text": "x", "public": False, "key": "m-1"})
        assert result["class"] == PERM and "taken back" in result["error"]
        assert fake.notes[1] == []
        assert drive("comment", ticket, comment={"text": "x", "public": True, "key": "m-2"})["ok"]
        self.end(fake)

    def test_what_a_job_wrote_names_it_and_shows_nothing_of_it(self, fake, drive):
        ticket = self.known(t := a_ticket(), drive("create", t))
        mark = f"\n\n<!-- {ticket['corr']} j7 -->"
        drive("comment", ticket, comment={"text": "x", "public": True}, key="j7")
        drive("attach", ticket, file=("a.png", b"x", "image/png"), key="j7")
        assert all(n["body"].endswith(mark) for n in fake.notes[1]) and len(fake.notes[1]) == 2
        self.end(fake)

    def test_a_file_that_is_too_large_there_is_named_in_a_note(self, fake, drive):
        ticket = self.known(t := a_ticket(), drive("create", t))
        fake.upload_max = 3
        assert drive("attach", ticket, file=("a.png", b"1234", "image/png"))["ok"]
        assert fake.notes[1][0]["body"] == "File kept with IT-1: a.png (image/png, 4 bytes)"
        self.end(fake)

    def test_only_what_differs_is_sent_and_labels_of_others_stay(self, fake, drive):
        ticket = self.known(t := a_ticket(), drive("create", t))
        made = self.made(fake)[0]
        made["labels"].append("bug")
        change = dict(ticket, group="db", priority=1, assignee="ann@example.org")
        assert drive("update", change)["ok"]
        assert sorted(made["labels"]) == ["bug", "database", "urgent"]
        assert made["assignees"][0]["id"] == 41
        before = len(fake.seen)
        assert drive("update", change)["ok"]
        assert [r.method for r in fake.seen[before:]] == ["GET", "GET"]
        assert drive("update", dict(change, state="resolved"))["ok"]
        assert made["state"] == "closed"
        assert drive("update", dict(change, state="open"))["ok"]
        seen = drive("fetch", ticket)["seen"]
        assert (seen["state"], seen["group"], seen["priority"], seen["assignee"]) == (
            "opened", "database", "urgent", "u41")
        assert seen["number"] == "#1" and seen["url"].endswith("/-/issues/1")
        self.end(fake)

    def test_errors_are_texts_or_lists_by_field(self, fake, drive):
        for body, words in (({"message": {"title": ["can't be blank"]}}, "title can't be blank"),
                            ({"message": "404 Project Not Found"}, "404 Project Not Found"),
                            ({"error": "weight is invalid"}, "weight is invalid")):
            fake.plan("answer", self.create_line, status=400, body=body)
            result = drive("create", a_ticket())
            assert result["class"] == PERM and words in result["error"]
        self.end(fake)

    def test_a_look_tells_what_is_missing(self, fake, drive):
        told = drive("check", {})["seen"]["told"]
        assert told == ("project acme/it desk\nlabel network\nlabel database (its first issue "
                        "makes it)\nlabel urgent\nlabel high (its first issue makes it)")
        fake.level = 10
        result = drive("check", {})
        assert result["class"] == CONF and "Reporter" in result["error"]
        fake.level, fake.issues_on = 20, False
        assert "switched off" in drive("check", {})["error"]
        fake.project = "elsewhere"
        assert "no project acme/it desk" in drive("check", {})["error"]
        self.end(fake)

    def test_an_outside_description_knows_each_request(self, fake):
        judge = judge_or_skip(BUILD)  # of API v3; it knows projects by number
        fake.project = "7"
        drive = Drive(BUILD, SECTION.format(url=fake.url).replace("acme/it desk", "7"), "s3cret")
        ticket = self.known(t := a_ticket(), drive("create", a_ticket()))
        assert drive("find", ticket)["ok"] and drive("check", {})["ok"]
        for public in (True, False):
            assert drive("comment", ticket, comment={"text": "x", "public": public,
                                                     "key": "m"})["ok"]
        assert drive("attach", ticket, file=("a.png", b"1234", "image/png"))["ok"]
        assert drive("update", dict(ticket, group="db", state="resolved"))["ok"]
        assert drive("fetch", ticket)["ok"] and drive("close", ticket)["ok"]
        complaints = judge.requests("gitlab.com", fake.seen, prefix=("/api/v4", "/api/v3"),
                                    answers=False)
        assert [c for c in complaints if not any(f" {n} " in c for n in NEWER)] == []
        drive.remove()
        assert judge.unknown == set()
        self.end(fake)
