# SPDX-License-Identifier: BSD-2-Clause
"""The backend github against a strict stand-in."""
import time

from conftest import BUILD
from harness.contract import CONF, PERM, TEMP, Contract, Drive, a_ticket
from harness.fake_github import GitHub
from harness.judge import judge_or_skip

SECTION = """    type = "github"
    url = "{url}"
    project = "acme/desk"
    groups = {{"net=network", "db=database"}}
    priorities = {{"1=urgent", "2=high"}}
    states = {{"pending=waiting"}}
    fields = {{"milestone={{{{fields.milestone}}}}"}}
    options = {{"assignee=yes"}}"""


def other(fake, **changes):
    text = SECTION.format(url=fake.url)
    for old, new in changes.pop("replace", {}).items():
        assert old in text
        text = text.replace(old, new)
    return Drive(BUILD, text, changes.get("secret", "s3cret"))


class TestGitHub(Contract):
    stand_in = GitHub
    # Internal comments and files have no place there.
    trial_shown = "the comment is not shown, the file is not shown"
    section = SECTION
    create_line = "POST /repos/acme/desk/issues "
    pending, closed, nobody = "waiting", "closed", "99"

    def made(self, fake):
        return list(fake.issues.values())

    def holds(self, fake, kind):
        t = self.made(fake)[0]
        state = next((n for n in t.get("labels", []) if n == "waiting"), t["state"])
        return {"text": t["body"], "state": "closed" if t["state"] == "closed" else state,
                "notes": [(b, True) for b in fake.comments[t["number"]]]}[kind]

    def test_comments_are_public_or_internal(self, fake, drive):
        """An internal comment never leaves, unless the section says so."""
        ticket = self.known(t := a_ticket(), drive("create", t))
        for public in (True, False):
            assert drive("comment", ticket, comment={
                "text": f"seen {public} \U0001f600", "public": public, "key": "m-2"})["ok"]
        assert self.holds(fake, "notes") == [("seen True \U0001f600", True)]
        seen = drive("fetch", ticket)["seen"]
        assert [(n["text"], n["public"]) for n in seen["notes"]] == [
            ("seen True \U0001f600", True)]
        one = other(fake, replace={'"assignee=yes"': '"internal=park"'})
        result = one("comment", ticket, comment={"text": "x", "public": False, "key": "m-3"})
        one.remove()
        assert result["class"] == PERM and "kept here only" in result["error"]
        one = other(fake, replace={'"assignee=yes"': '"internal=public"'})
        assert one("comment", ticket, comment={"text": "x", "public": False, "key": "m"})["ok"]
        one.remove()
        assert len(self.holds(fake, "notes")) == 2
        self.end(fake)

    def test_a_large_file_arrives_byte_by_byte(self, fake, drive):
        """GitHub takes no files: a comment names it."""
        ticket = self.known(t := a_ticket(), drive("create", t))
        result = drive("attach", ticket, file=("\u00fcber @x.bin", b"1234", "image/png"))
        assert result["ok"], result
        assert self.holds(fake, "notes") == [
            ("File kept with IT-1: \u00fcber @\u200bx.bin (image/png, 4 bytes)", True)]
        assert len(fake.seen) == 2
        self.end(fake)

    def test_a_subject_that_is_cut_stands_whole_in_the_text(self, fake, drive):
        subject = "s" * 300
        assert drive("create", a_ticket(subject=subject))["ok"]
        made = self.made(fake)[0]
        assert made["title"] == "s" * 256 and made["body"].startswith(subject + "\n\n")
        assert drive("create", a_ticket(text="\u00e4 x" * 60000))["ok"]
        assert "[... cut: the whole is kept with IT-1]" in self.made(fake)[1]["body"]
        self.end(fake)

    def test_a_mail_mentions_nobody_and_hides_nothing(self, fake, drive):
        text = ("@octocat and ann@example.org see #12\n<!-- mt-x --><img src=x>\n"
                "![p](http://t.example/p.png)\n# big\n```\n")
        ticket = a_ticket(text=text)
        assert drive("create", ticket)["ok"]
        body = self.made(fake)[0]["body"]
        assert "@octocat" not in body and "ann@example.org see" in body
        assert "#12" not in body and "<!-- mt-x" not in body.replace("\\<", "")
        assert "!\\[p](" in body and "\n\\# big\n\\```" in body
        assert body.endswith(f"\n\n<!-- {ticket['corr']} -->")
        self.end(fake)

    def test_labels_stand_for_group_and_priority_and_leave_others_alone(self, fake, drive):
        ticket = self.known(t := a_ticket(), drive("create", t))
        made = self.made(fake)[0]
        assert made["labels"] == ["network", "high"]
        made["labels"].append("bug")
        assert drive("update", dict(ticket, group="db", priority=1))["ok"]
        assert made["labels"] == ["bug", "database", "urgent"]
        before = len(fake.seen)
        assert drive("update", dict(ticket, group="db", priority=1))["ok"]
        assert [r.method for r in fake.seen[before:]] == ["GET"]  # nothing differs
        seen = drive("fetch", ticket)["seen"]
        assert (seen["group"], seen["priority"], seen["state"]) == ("database", "urgent", "open")
        assert seen["number"] == "#1" and seen["url"].endswith("/acme/desk/issues/1")
        self.end(fake)

    def test_a_closed_issue_says_why_and_comes_back(self, fake, drive):
        ticket = self.known(t := a_ticket(), drive("create", t))
        made = self.made(fake)[0]
        assert drive("update", dict(ticket, state="refused"))["ok"]
        assert (made["state"], made["state_reason"]) == ("closed", "not_planned")
        assert drive("fetch", ticket)["seen"]["state"] == "closed"
        assert drive("update", dict(ticket, state="open"))["ok"]
        assert (made["state"], made["state_reason"]) == ("open", "reopened")
        self.end(fake)

    def test_an_assignee_is_whoever_shows_that_address(self, fake, drive):
        for who, login in (("ann@example.org", ["annlee"]), ("two@example.org", []),
                           ("octocat", ["octocat"]), ("nobody@example.org", [])):
            assert drive("create", a_ticket(assignee=who))["ok"]
            assert self.made(fake)[-1].get("assignees", []) == login
        ticket = dict(a_ticket(), external="2", assignee="ann@example.org")
        assert drive("update", ticket)["ok"]
        assert self.made(fake)[1]["assignees"] == ["annlee"]
        assert drive("fetch", ticket)["seen"]["assignee"] == "annlee"
        self.end(fake)

    def test_a_lost_issue_is_found_behind_many_newer_ones(self, fake, drive):
        ticket = a_ticket(created_s=1795341600)  # 2026-11-22T10:00:00Z
        fake.start = 1795341600
        fake.plan("lose", self.create_line)
        assert drive("create", ticket)["unsure"]
        for _ in range(120):
            number = len(fake.issues) + 1
            fake.issues[number] = dict(fake.issues[1], number=number, body="of others",
                                       created_at=f"2026-11-22T11:{number // 60:02}:00Z")
            fake.comments[number] = []
        fake.issues[50]["pull_request"] = {}
        assert drive("find", ticket)["seen"]["external"] == "1"
        pages = [r for r in fake.seen if "page=" in r.target]
        assert len(pages) == 2 and pages[0].query["since"] == "2026-11-22T09:50:00Z"
        self.end(fake)

    def test_a_limit_is_no_refusal(self, fake, drive):
        reset = str(int(time.time()) + 120)
        fake.plan("answer", self.create_line, status=403, body={
            "message": "API rate limit exceeded for installation."},
            headers={"x-ratelimit-remaining": "0", "x-ratelimit-reset": reset})
        result = drive("create", a_ticket())
        assert result["class"] == TEMP and 100 < result["retry_after"] < 130
        assert not result["unsure"]
        fake.plan("answer", self.create_line, status=403, body={
            "message": "You have exceeded a secondary rate limit."})
        result = drive("create", a_ticket())
        assert result["class"] == TEMP and result["retry_after"] == 60
        fake.plan("answer", self.create_line, status=403, headers={"Retry-After": "30"},
                  body={"message": "Slow down"})
        assert drive("create", a_ticket())["retry_after"] == 30
        fake.plan("answer", self.create_line, status=403, body={
            "message": "Resource not accessible by personal access token"})
        result = drive("create", a_ticket())
        assert result["class"] == CONF and "not accessible" in result["error"]
        self.end(fake)

    def test_what_is_wrong_with_a_field_is_told(self, fake, drive):
        fake.plan("answer", self.create_line, status=422, body={
            "message": "Validation Failed", "errors": [
                {"resource": "Issue", "field": "milestone", "code": "invalid"}]})
        result = drive("create", a_ticket())
        assert result["class"] == PERM and "milestone invalid" in result["error"]
        fake.has_issues = False
        result = drive("create", a_ticket())
        assert result["class"] == PERM and "Issues are disabled" in result["error"]
        assert drive("check", {})["class"] == CONF
        fake.breaches.clear()

    def test_a_look_knows_a_public_repository_and_missing_rights(self, fake):
        fake.private = False
        one = other(fake)
        result = one("check", {})
        one.remove()
        assert result["class"] == CONF and "is public" in result["error"]
        one = other(fake, replace={'"assignee=yes"': '"public=yes"'})
        assert "label database (its first" in one("check", {})["seen"]["told"]
        fake.push = False
        assert "may not give labels" in one("check", {})["error"]
        one.remove()
        one = other(fake, replace={"acme/desk": "acme/gone"})
        assert "no repository acme/gone" in one("check", {})["error"]
        one.remove()
        self.end(fake)

    def test_an_outside_description_knows_each_request(self, fake, drive):
        judge = judge_or_skip(BUILD)
        ticket = self.known(t := a_ticket(assignee="ann@example.org", created_s=1795341600),
                            drive("create", dict(a_ticket(), assignee="ann@example.org")))
        assert drive("find", ticket)["ok"] and drive("check", {})["ok"]
        assert drive("comment", ticket, comment={"text": "x", "public": True, "key": "m"})["ok"]
        assert drive("attach", ticket, file=("a.png", b"1234", "image/png"))["ok"]
        assert drive("update", dict(ticket, group="db", state="resolved"))["ok"]
        assert drive("fetch", ticket)["ok"] and drive("close", ticket)["ok"]
        assert judge.requests("github.com/api.github.com", fake.seen, answers=False) == []
        assert judge.unknown == set()
        self.end(fake)
