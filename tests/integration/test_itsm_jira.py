# SPDX-License-Identifier: BSD-2-Clause
"""The backends jira (Cloud and Data Center) and jsm against a strict stand-in, and what they send
to Cloud against outside descriptions of its API and its documents."""
import re
import time

import pytest
from conftest import BUILD
from harness.contract import CONF, PERM, TEMP, Contract, Drive, a_ticket
from harness.fake_jira import Jira, plain
from harness.judge import judge_or_skip

SECTION = """    type = "{kind}"
    url = "{{url}}"
    user = "mailer@example.org"
    project = "SUP"
    groups = {{{{"net=Network", "mail=Mail"}}}}
    states = {{{{"pending=Waiting"}}}}
    fields = {{{{"customfield_10050.value={{{{{{{{fields.site}}}}}}}}"}}}}
    options = {{{{"api={api}"{more}}}}}"""
# The description of the API is older than these.
NEWER = {"POST /rest/api/3/search/jql", "GET /rest/api/3/issue/createmeta/SUP/issuetypes",
         "GET /rest/api/3/issue/createmeta/SUP/issuetypes/10001",
         "GET /rest/api/3/issue/createmeta/SUP/issuetypes/10002"}


def section(kind="jira", api="cloud", more=""):
    return SECTION.format(kind=kind, api=api, more=more)


class Jiras(Contract):
    kind, cloud = "jira", True
    create_line = "POST /rest/api/3/issue "
    pending, closed, nobody = "Waiting", "Done", "99"

    @property
    def section(self):
        return section(self.kind, "cloud" if self.cloud else "server", self.more)

    more = ""

    @pytest.fixture(name="fake")
    def _fake(self):
        fake = Jira(self.cloud, self.kind == "jsm")
        yield fake
        fake.stop()

    @pytest.fixture(name="drive")
    def _drive(self, fake):
        drive = Drive(BUILD, self.section.format(url=fake.url), "s3cret")
        yield drive
        drive.remove()

    def driver(self, fake, **change):
        text = section(self.kind, "cloud" if self.cloud else "server",
                       self.more + change.pop("more", ""))
        for old, new in change.pop("instead", []):
            assert old in text
            text = text.replace(old, new)
        return Drive(BUILD, text.format(url=fake.url) + change.pop("add", ""), "s3cret")

    def made(self, fake):
        return list(fake.issues.values())

    def holds(self, fake, kind):
        issue = self.made(fake)[0]
        return {"text": plain(issue["fields"]["description"]),
                "notes": [(plain(c["body"]).strip(), c["public"]) for c in issue["comments"]],
                "files": dict(issue["files"]), "state": issue["fields"]["status"]}[kind]

    def end(self, fake):
        super().end(fake)
        assert not any("api/2" in r.target for r in fake.seen) or not self.cloud

    def test_a_long_text_arrives_whole_in_pieces(self, fake, drive):
        text = "".join(f"line {i} \U0001f600 {'x' * 60}\n" for i in range(1000))
        ticket = a_ticket(text=text)
        fake.plan("lose", "/comment ")  # the second piece is there, its answer is not
        assert drive("create", ticket)["unsure"]
        assert drive("find", ticket)["ok"]
        comments = [plain(c["body"]) for c in self.made(fake)[0]["comments"]]
        assert len(comments) >= 2
        whole = self.holds(fake, "text") + "".join(comments)
        for i in range(1000):
            assert f"line {i} \U0001f600" in whole
        assert len({c[:5] for c in comments}) == len(comments)
        self.end(fake)

    def test_a_search_that_lags_finds_nothing_yet(self, fake, drive):
        ticket = a_ticket()
        drive("create", ticket)
        fake.lag = 1
        assert drive("find", ticket)["seen"]["external"] == ""
        assert drive("find", ticket)["seen"]["external"] != ""
        self.end(fake)

    def test_a_hit_that_does_not_show_the_key_is_none(self, fake, drive):
        fake.extra_hits = [{"id": "1", "key": "SUP-1", "fields": {"labels": ["mt-other"]}},
                           {"id": "2", "key": "SUP-2", "fields": {}}, {"id": "3"}]
        assert drive("find", a_ticket())["seen"]["external"] == ""
        self.end(fake)

    def test_assignee_group_and_priority_follow(self, fake):
        drive = self.driver(fake, more=', "assignee=yes"')
        ticket = self.known(t := a_ticket(), drive("create", t))
        issue = self.made(fake)[0]
        assert issue["fields"]["components"] == [{"name": "Network"}]
        issue["fields"]["components"].append({"name": "By hand"})
        changed = dict(ticket, group="mail", priority=1, assignee="kim@example.org", state="open")
        assert drive("update", changed)["ok"]
        fetched = drive("fetch", ticket)["seen"]
        assert (fetched["group"], fetched["priority"], fetched["assignee"], fetched["state"]) == (
            "Mail", "Highest", "kim@example.org", "In Progress")
        assert {"name": "By hand"} in issue["fields"]["components"]
        before = len(fake.seen)
        assert drive("update", changed)["ok"]
        assert [r.method for r in fake.seen[before:]] == ["GET"]
        drive.remove()
        self.end(fake)

    def test_a_status_that_is_not_reached_is_told_with_what_there_is(self, fake, drive):
        ticket = self.known(t := a_ticket(), drive("create", t))
        result = drive("update", dict(ticket, state="pending"))
        assert not result["ok"] and result["class"] == PERM
        assert '"To Do" to Waiting' in result["error"] and '"In Progress"' in result["error"]
        fake.rights["TRANSITION_ISSUES"] = False
        assert "may the user" in drive("close", ticket)["error"]
        fake.rights["TRANSITION_ISSUES"], fake.needs_resolution = True, True
        assert drive("close", ticket)["ok"]
        self.end(fake)

    # The one suite goes to pending straight from new; here a status is between.
    def test_state_and_priority_follow_and_come_back(self, fake, drive):
        ticket = self.known(t := a_ticket(), drive("create", t))
        assert drive("update", dict(ticket, state="open"))["ok"]
        for _ in range(2):
            assert drive("update", dict(ticket, state="pending", priority=1))["ok"]
        assert drive("fetch", ticket)["seen"]["state"] == self.holds(fake, "state") == self.pending
        assert drive("close", ticket)["ok"]
        assert self.holds(fake, "state") == self.closed
        self.end(fake)

    def test_a_file_that_arrived_is_not_sent_twice(self, fake, drive):
        ticket = self.known(t := a_ticket(), drive("create", t))
        file = ("a.txt", b"bytes", "text/plain")
        fake.plan("lose", "/attachment")
        assert not drive("attach", ticket, file=file)["ok"]
        assert drive("attach", ticket, file=file)["ok"]
        assert self.holds(fake, "files") == {"a.txt": b"bytes"}
        fake.file_max = 3
        result = drive("attach", ticket, file=("b.txt", b"bytes", "text/plain"))
        assert result["class"] == PERM and "too large" in result["error"]
        self.end(fake)

    def test_limits_and_refusals_are_told_in_their_words(self, fake, drive):
        fake.plan("answer", self.create_line, status=429, body={}, headers={
            "RateLimit-Reason": "jira-quota-tenant-based", "Retry-After": "1847"})
        result = drive("create", a_ticket())
        assert result["retry_after"] == 1847 and "jira-quota-tenant-based" in result["error"]
        fake.plan("answer", self.create_line, status=429, body={}, headers={
            "RateLimit-Reason": "jira-burst-based"})
        result = drive("create", a_ticket())
        assert (result["class"], result["retry_after"]) == (TEMP, 0)
        fake.plan("answer", self.create_line, status=429, body={}, headers={
            "X-RateLimit-Reset": time.strftime("%Y-%m-%dT%H:%MZ", time.gmtime(time.time() + 300))})
        assert 200 <= drive("create", a_ticket())["retry_after"] <= 360  # to the minute
        fake.plan("answer", self.create_line, status=503, body={}, headers={"Retry-After": "9"})
        assert drive("create", a_ticket())["retry_after"] == 9
        for body in ({"errorMessages": ["odd thing"], "errors": {"summary": "too \n odd"}},
                     {"errorMessage": "odd thing; summary: too   odd"}):
            fake.plan("answer", self.create_line, status=400, body=body)
            result = drive("create", a_ticket())
            assert result["class"] == PERM and "odd thing" in result["error"]
            assert "summary: too   odd" in result["error"]
        assert self.made(fake) == []
        self.end(fake)

    def test_who_is_taken_for_nobody_waits_for_a_better_secret(self, fake):
        fake.nobody = True
        drive = Drive(BUILD, self.section.format(url=fake.url), "wrong")
        result = drive("comment", a_ticket(external="10000"),
                       comment={"text": "x", "public": True, "key": "m-1"})
        assert result["class"] == TEMP and result["retry_after"] >= 300
        assert "secret" in result["error"]
        drive.remove()

    def test_check_names_what_is_missing(self, fake, drive):
        assert "Mailer" in drive("check", {})["seen"]["told"]
        fake.rights["MODIFY_REPORTER"] = False
        assert "MODIFY_REPORTER" in drive("check", {})["seen"]["told"]
        fake.rights["ADD_COMMENTS"] = False
        result = drive("check", {})
        assert result["class"] == CONF and "ADD_COMMENTS" in result["error"]
        fake.rights["ADD_COMMENTS"] = True
        wrong = self.driver(fake, instead=[("customfield_10050.value", "customfield_99.value")])
        assert "customfield_99" in wrong("check", {})["error"]
        wrong.remove()
        self.end(fake)


class TestCloud(Jiras):
    def test_the_requester_is_the_reporter_with_just_this_address(self, fake, drive):
        assert drive("create", a_ticket())["ok"]
        f = self.made(fake)[0]["fields"]
        assert f["reporter"]["accountId"] == "5b10-ann"
        assert f["customfield_10050"] == {"value": "Berlin"} and f["priority"] == {"name": "High"}
        for who in ("new@example.org", "gone@example.org", "hid@example.org"):
            assert drive("create", a_ticket(requester=who))["ok"]
            issue = self.made(fake)[-1]
            assert "reporter" not in issue["fields"]
            assert plain(issue["fields"]["description"]).startswith(f"Ann <{who}>:\n")
        trusting = self.driver(fake, more=', "hidden_email=yes"')
        assert trusting("create", a_ticket(requester="hid@example.org"))["ok"]
        assert self.made(fake)[-1]["fields"]["reporter"]["accountId"] == "qm:hidden"
        trusting.remove()
        self.end(fake)

    def test_fields_that_are_on_no_screen_are_left_out_once(self, fake, drive):
        fake.screen.remove("priority")
        fake.screen.remove("components")
        fake.rights["MODIFY_REPORTER"] = False
        assert drive("create", a_ticket())["ok"]
        f = self.made(fake)[0]["fields"]
        assert "reporter" not in f and f["components"] == []
        assert plain(f["description"]).startswith("Ann <ann@example.org>:")
        fake.screen.remove("customfield_10050")
        result = drive("create", a_ticket())
        assert result["class"] == PERM and "customfield_10050" in result["error"]
        assert len(self.made(fake)) == 1
        self.end(fake)

    def test_a_comment_whose_answer_got_lost_is_not_written_twice(self, fake, drive):
        ticket = self.known(t := a_ticket(), drive("create", t))
        note = {"text": "once", "public": False, "key": "m-7"}
        fake.plan("lose", "POST /rest/api/3/issue/10000/comment")
        assert drive("comment", ticket, comment=note, key="j7")["unsure"]
        assert drive("comment", ticket, comment=note, key="j7")["ok"]
        long = {"text": "y" * 70000, "public": True, "key": "m-8"}
        for _ in range(2):
            assert drive("comment", ticket, comment=long, key="j8")["ok"]
        bodies = [plain(c["body"]) for c in self.made(fake)[0]["comments"]]
        assert len(bodies) == 4 and sum(b.count("y") for b in bodies) == 70000
        self.end(fake)

    def test_a_role_sees_internal_comments(self, fake):
        drive = self.driver(fake, more=', "internal_role=Administrators"')
        ticket = self.known(t := a_ticket(), drive("create", t))
        for public in (True, False):
            drive("comment", ticket, comment={"text": "x", "public": public, "key": "m-1"
                                              if public else "m-2"})
        assert [c["visibility"] for c in self.made(fake)[0]["comments"]] == [
            None, {"type": "role", "value": "Administrators"}]
        drive.remove()
        self.end(fake)

    def test_the_key_may_have_a_field_of_its_own(self, fake):
        drive = self.driver(fake, more=', "correlation_field=customfield_10042", "group=label"')
        ticket = a_ticket()
        assert drive("create", ticket)["ok"] and drive("find", ticket)["seen"]["external"]
        f = self.made(fake)[0]["fields"]
        assert f["customfield_10042"] == ticket["corr"] and f["labels"] == ["Network"]
        known = dict(ticket, external="10000", group="mail")
        assert drive("update", known)["ok"] and f["labels"] == ["Mail"]
        assert drive("check", {})["ok"]
        drive.remove()
        self.end(fake)

    def test_cloud_is_told_from_the_old_search(self, fake):
        fake.base = "/rest/api/2"  # as if asked by the other API
        drive = self.driver(fake, instead=[("api=cloud", "api=server")])
        result = drive("find", a_ticket())
        assert result["class"] == PERM and "search/jql" in result["error"]
        drive.remove()

    def test_all_that_is_sent_passes_an_outside_judge(self, fake, drive):
        judge = judge_or_skip(BUILD)
        text = ("Gr\u00fc\u00dfe \U0001f600,\nsee https://x.example/a?b=c_d).\n\n\n```\ncode {x}\n"
                "\nmore\n```\n    indented\n\ta\n\nend\x01\x0b\ufffe <mailto:a@b.c>\n\n" + "z " * 40000)
        ticket = self.known(t := a_ticket(text=text), drive("create", t))
        assert drive("create", a_ticket(text="", subject=" ", priority=0))["ok"]
        for n, (words, public) in enumerate((("x", True), ("```\n```", False), ("\n\n", True),
                                             ("\x02", True), ("```\nopen", False))):
            assert drive("comment", ticket, comment={"text": words, "public": public,
                                                     "author": "b@x", "author_name": "B",
                                                     "key": f"m-{n}"}, key=f"j{n}")["ok"], words
        assert drive("attach", ticket, file=("a.txt", b"bytes", "text/plain"))["ok"]
        assert drive("update", dict(ticket, state="open", group="mail", priority=3))["ok"]
        assert drive("fetch", ticket)["ok"] and drive("find", ticket)["ok"]
        assert drive("check", {})["ok"] and drive("close", ticket)["ok"]
        assert judge.documents("adf", fake.documents) == []
        assert judge.requests("atlassian.com/jira", fake.seen) == []
        assert judge.unknown <= NEWER
        kinds = {n["type"] for d in fake.documents for n in d["content"]}
        assert kinds == {"paragraph", "codeBlock"}
        self.end(fake)


class TestServer(Jiras):
    cloud = False
    create_line = "POST /rest/api/2/issue "

    def test_what_a_person_wrote_is_no_markup(self, fake, drive):
        text = "{code} [x] !a! *b*\n# not a list\nhttps://x.example/a*b"
        ticket = self.known(t := a_ticket(text=text), drive("create", t))
        f = self.made(fake)[0]["fields"]
        assert f["reporter"]["name"] == "ann"
        assert f["description"] == ("\\{code\\} \\[x\\] \\!a\\! \\*b\\*\n&#35; not a list\n"
                                    "https://x.example/a*b")
        drive("comment", ticket, comment={"text": text, "public": True, "key": "m-1"})
        assert drive("fetch", ticket)["seen"]["notes"][0]["text"] == text
        self.end(fake)

    def test_a_personal_token_gets_in(self, fake):
        drive = self.driver(fake, instead=[('user = "mailer@example.org"', "auth = bearer")])
        assert drive("create", a_ticket())["ok"]
        drive.remove()
        self.end(fake)


class TestRequests(Jiras):
    kind, more = "jsm", ', "desk=4", "type=25"'
    create_line = "POST /rest/servicedeskapi/request "

    def test_what_a_person_wrote_is_no_markup(self, fake, drive):
        text = "!http://x.example/a.png! [x|http://x.example] {html}<b>{html} \\\\host\\x"
        ticket = self.known(t := a_ticket(text=text), drive("create", t))
        drive("comment", ticket, comment={"text": text, "public": True})
        sent = [r.json() for r in fake.seen if r.method == "POST" and "servicedeskapi" in r.path
                and r.path.endswith(("/request", "/comment"))]
        assert len(sent) == 2
        for markup in (sent[0]["requestFieldValues"]["description"], sent[1]["body"]):
            assert not re.search(r"(?<!\\)[!\[|{]", markup) and "\\\\" not in markup, markup
        assert text in self.holds(fake, "text")
        self.end(fake)

    def test_a_request_is_raised_for_its_customer_and_tagged(self, fake, drive):
        ticket = a_ticket()
        assert drive("create", ticket)["ok"]
        issue = self.made(fake)[0]
        assert issue["customer"] == "5b10-ann" and issue["type"] == "25"
        f = issue["fields"]
        assert f["labels"] == [ticket["corr"]] and f["components"] == [{"name": "Network"}]
        assert f["priority"] == {"name": "High"}
        self.end(fake)

    def test_the_type_of_the_ticket_chooses_the_request_type(self, fake):
        drive = self.driver(fake, add='\n    types = {"request=26"}')
        assert drive("create", a_ticket(type="request"))["ok"]
        assert self.made(fake)[0]["type"] == "26"
        assert "type Ask\ntype Get help" in drive("check", {})["seen"]["told"]
        drive.remove()
        self.end(fake)

    def test_a_request_that_was_lost_before_its_label_is_found_by_its_text(self, fake, drive):
        ticket = a_ticket()
        fake.plan("lose", self.create_line)
        assert drive("create", ticket)["unsure"]
        assert self.made(fake)[0]["fields"]["labels"] == []
        assert drive("find", ticket)["seen"]["number"] == "SUP-24"
        assert self.made(fake)[0]["fields"]["labels"] == [ticket["corr"]]
        assert len(self.made(fake)) == 1
        self.end(fake)

    def test_who_is_no_customer_is_named_in_the_text_or_made_one(self, fake, drive):
        assert drive("create", a_ticket(requester="kim@example.org"))["ok"]
        issue = self.made(fake)[0]
        assert issue["customer"] is None
        assert plain(issue["fields"]["description"]).startswith("Ann <kim@example.org>:")
        making = self.driver(fake, add="\n    requester = create")
        for who, customer in (("kim@example.org", "5b10-kim"), ("new@example.org", "qm:5"),
                              ("hid@example.org", None)):
            assert making("create", a_ticket(requester=who))["ok"]
            assert self.made(fake)[-1]["customer"] == customer
        making.remove()
        self.end(fake)

    def test_files_are_internal_unless_the_section_says_otherwise(self, fake, drive):
        ticket = self.known(t := a_ticket(), drive("create", t))
        file = ("a.txt", b"bytes", "text/plain")
        assert drive("attach", ticket, file=file)["ok"]
        assert self.made(fake)[0]["files_public"] is False
        public = self.driver(fake, more=', "files=public"')
        assert public("attach", ticket, file=("b.txt", b"b", "text/plain"))["ok"]
        assert self.made(fake)[0]["files_public"] is True and fake.temporary == {}
        public.remove()
        self.end(fake)


def test_a_customer_of_data_center_is_made_by_name():
    fake = Jira(cloud=False, jsm=True)
    drive = Drive(BUILD, section("jsm", "server", ', "desk=4", "type=25"').format(url=fake.url) +
                  "\n    requester = create", "s3cret")
    assert drive("create", a_ticket(requester="new@example.org"))["ok"]
    assert fake.issues["10000"]["customer"] == "c5" and "c5" in fake.customers
    ticket = a_ticket(external="10000")
    assert drive("comment", ticket, comment={"text": "x", "public": True, "key": "m"})["ok"]
    assert drive("attach", ticket, file=("a.txt", b"bytes", "text/plain"))["ok"]
    assert drive("fetch", ticket)["seen"]["files"] == ["a.txt"] and fake.breaches == []
    drive.remove()
    fake.stop()
