# SPDX-License-Identifier: BSD-2-Clause
"""Tickets in a real Request Tracker: once, complete, whatever gets lost on the way."""
import base64
import os
import signal
import subprocess

import pytest
from conftest import BUILD
from harness.lossy import Lossy
from harness.product import DAEMON_UID, DESKS, GROUP_ID, Product, program
from harness.rt import RT
from harness.util import as_user, make_root, remove_root, wait_for

DESK = "support@example.test"


class Site:
    def __init__(self):
        self.root = make_root()
        self.rt = RT(self.root).start()
        self.relay = Lossy(self.rt.port)
        secret = f"{self.root}/rt-token"
        with open(secret, "w", encoding="ascii") as f:
            f.write(self.rt.token + "\n")
        os.chown(secret, DAEMON_UID, 0)
        os.chmod(secret, 0o400)
        self.secret = secret
        desks = ('itsm "rt" {\n    type = "rt"\n'
                 f'    url = "{self.relay.url}"\n    secret = "file:{secret}"\n'
                 '    project = "General"\n    groups = {"net=Network"}\n'
                 '    fields = {"Site={{desk}}"}\n    timeout = 20s\n    search_lag = 2s\n    tags = {"RT.TEST#{number}"}\n}\n' +
                 DESKS.replace('prefix = "IT"', 'prefix = "IT"\n    itsm = "rt"'))
        self.product = Product(self.root, BUILD, desks=desks)
        self.product.prepare()
        self.product.start_ticketd()

    def submit(self, subject, body="please help\r\n", head="", sender="ann@sender.test"):
        mail = (f"From: Ann <{sender}>\r\nTo: {DESK}\r\nSubject: {subject}\r\n"
                f"Message-ID: <{subject.replace(' ', '.')}.{os.getpid()}@sender.test>\r\n"
                f"Date: Sun, 22 Nov 2026 10:00:00 +0000\r\n{head}\r\n{body}")
        self.product.ctl("submit", "-f", sender, "-r", DESK, stdin=mail)

    def there(self, subject):
        return [t for t in self.rt.tickets() if t["Subject"] == subject]

    def ticket(self, subject):
        return next(t for t in self.product.tickets() if t["subject"] == subject)

    def jobs(self, ticket):
        return self.product.json("show", ticket["id"])["jobs"]

    def settled(self, subject):
        """Its ticket, when no job of it is left to do."""
        found = [t for t in self.product.tickets() if t["subject"] == subject]
        if found and all(j["state"] == "done" for j in self.jobs(found[0])):
            return found[0]
        return None

    def hurry(self):
        """Deferred jobs now."""
        for job in self.product.json("queue", "list"):
            if job["state"] == "deferred":
                self.product.ctl("queue", "retry", str(job["job"]), check=False)

    def stop(self):
        self.product.stop()
        self.relay.stop()
        self.rt.stop()
        print(self.product.log("ticketd")[-4000:])
        print(self.rt.log())
        remove_root(self.root)


@pytest.fixture(scope="module")
def site():
    reason = RT.missing()
    if reason:
        pytest.skip(reason)
    site = Site()
    yield site
    site.stop()


@pytest.fixture(autouse=True)
def whole_relay(site):
    yield
    site.relay.clear()


def attachments(site, ticket):
    """{name: bytes} of an RT ticket; the texts are under ''."""
    found = {}
    for item in site.rt.call("GET", f"ticket/{ticket['id']}/attachments?per_page=100")["items"]:
        one = site.rt.call("GET", f"attachment/{item['id']}")
        if not one["ContentType"].startswith("multipart/"):
            data = base64.b64decode(one["Content"])
            name = one.get("Filename") or ""
            found[name] = found.get(name, b"") + data
    return found


def test_a_mail_is_a_ticket_there_with_its_text_its_fields_and_its_file(site):
    payload = os.urandom(300000)
    coded = base64.encodebytes(payload).decode().replace("\n", "\r\n")
    site.submit("whole", head='MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="b"\r\n',
                body='--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nGr\u00fc\u00dfe \U0001f600\r\n'
                     '--b\r\nContent-Type: image/png; name="x.png"\r\n'
                     'Content-Disposition: attachment; filename="x.png"\r\n'
                     f'Content-Transfer-Encoding: base64\r\n\r\n{coded}\r\n--b--\r\n')
    ours = wait_for("the jobs to end", lambda: site.settled("whole"), step=0.3)
    theirs = site.there("whole")
    assert len(theirs) == 1
    assert theirs[0]["Requestor"][0]["id"] == "ann@sender.test"
    fields = {f["name"]: f["values"] for f in theirs[0]["CustomFields"]}
    shown = site.product.json("show", ours["id"])
    assert fields["CorrelationId"] == [shown["corr"]] and fields["Site"] == ["it"]
    files = attachments(site, theirs[0])
    assert "Gr\u00fc\u00dfe \U0001f600" in files[""].decode()
    assert files["x.png"] == payload
    event = next(e for e in shown["events"] if e["kind"] == "ticket.external")
    assert event["data"]["key"] == str(theirs[0]["id"])


def test_an_answer_that_got_lost_makes_no_second_ticket(site):
    site.relay.lose("POST /REST/2.0/ticket ")
    site.submit("lost answer")
    wait_for("RT to have it", lambda: site.there("lost answer"), step=0.3)

    def done():
        site.hurry()
        return site.settled("lost answer")
    wait_for("the job to end", done, step=0.5)
    assert len(site.there("lost answer")) == 1
    assert any("GET /REST/2.0/tickets?" in line for line in site.relay.seen)


def test_a_request_that_never_arrived_is_sent_again(site):
    site.relay.cut("POST /REST/2.0/ticket ", 2)
    site.submit("cut off")

    def done():
        site.hurry()
        return site.settled("cut off")
    wait_for("the job to end", done, step=0.5)
    assert len(site.there("cut off")) == 1


def test_an_answer_by_mail_and_a_note_become_comments_behind_the_create(site):
    site.submit("talk")
    ours = wait_for("the jobs to end", lambda: site.settled("talk"), step=0.3)
    site.product.ctl("comment", ours["id"], "seen, working on it")
    wait_for("the comment", lambda: site.settled("talk"), step=0.3)
    text = attachments(site, site.there("talk")[0])[""].decode()
    assert "please help" in text and "seen, working on it" in text


def test_a_comment_whose_answer_got_lost_is_not_made_again(site):
    site.submit("said once")
    ours = wait_for("the jobs to end", lambda: site.settled("said once"), step=0.3)
    there = site.there("said once")[0]
    site.relay.lose(f"POST /REST/2.0/ticket/{there['id']}/comment")
    site.product.ctl("comment", ours["id"], "only once, please")

    def done():
        site.hurry()
        return site.settled("said once")
    wait_for("RT to have it", lambda: "only once" in attachments(site, there)[""].decode(), step=0.3)
    wait_for("the job to end", done, step=0.5)
    assert attachments(site, there)[""].decode().count("only once, please") == 1
    assert "itsm.was_there" in site.product.log("ticketd")


def test_ticketd_killed_in_the_middle_leaves_each_ticket_once(site):
    names = [f"killed {n}" for n in range(12)]
    for n, name in enumerate(names):
        site.submit(name)
        if n % 4 == 3:
            os.kill(site.product.daemon_pid(), signal.SIGKILL)
            site.product.ticketd.wait(60)
            site.product.start_ticketd()

    def done():
        site.hurry()
        return all(site.settled(name) for name in names)
    # A lease of a killed ticketd has to run out before its jobs are taken over.
    wait_for("all jobs to end", done, step=1)
    assert [len(site.there(name)) for name in names] == [1] * len(names)


def test_a_refused_secret_parks_nothing_and_is_told(site):
    with open(site.secret, "w", encoding="ascii") as f:
        f.write("1-1-wrong\n")
    site.submit("wrong secret")
    ours = wait_for("the ticket", lambda: site.ticket("wrong secret"), step=0.2)
    job = wait_for("its create to be refused", lambda: [
        j for j in site.jobs(ours) if j["state"] == "deferred"], step=0.3)[0]
    assert "the secret of itsm rt is refused" in job["reason"]
    assert "1-1-wrong" not in site.product.log("ticketd")
    with open(site.secret, "w", encoding="ascii") as f:
        f.write(site.rt.token + "\n")
    site.product.ctl("reload")

    def done():
        site.hurry()
        return site.settled("wrong secret")
    wait_for("it to be done", done, step=0.5)
    assert len(site.there("wrong secret")) == 1


def test_changes_here_are_there_and_many_of_them_are_one_request(site):
    site.submit("changes")
    ours = wait_for("the jobs to end", lambda: site.settled("changes"), step=0.3)
    site.relay.seen.clear()
    site.relay.hold()  # what comes while one is under way is one more, however much it is
    site.product.ctl("set", ours["id"], "priority=1")
    site.product.ctl("set", ours["id"], "group=net")
    site.product.ctl("resolve", ours["id"])
    site.relay.free()

    def arrived():
        there = site.there("changes")[0]
        return there["Status"] == "resolved" and there["Queue"]["Name"] == "Network"
    wait_for("the changes", arrived, step=0.3)
    wait_for("the jobs to end", lambda: site.settled("changes"), step=0.3)
    puts = [line for line in site.relay.seen if line.startswith("PUT ")]
    assert 1 <= len(puts) <= 2  # one may have begun before the last change
    site.product.ctl("reopen", ours["id"])
    wait_for("it to be open", lambda: site.there("changes")[0]["Status"] == "open", step=0.3)


def test_a_merge_is_told_at_both_ends_and_the_merged_one_is_closed(site):
    site.submit("first of two")
    site.submit("second of two")
    first = wait_for("the jobs to end", lambda: site.settled("first of two"), step=0.3)
    second = wait_for("the jobs to end", lambda: site.settled("second of two"), step=0.3)
    site.product.ctl("merge", second["id"], first["id"])
    wait_for("it to be closed",
             lambda: site.there("second of two")[0]["Status"] == "resolved", step=0.3)
    numbers = [site.there(name)[0]["id"] for name in ("first of two", "second of two")]
    wait_for("its comment", lambda: f"Merged into {first['id']} ({numbers[0]})." in attachments(
        site, site.there("second of two")[0])[""].decode(), step=0.3)
    wait_for("the other comment", lambda: f"{second['id']} ({numbers[1]}) was merged into "
             "this one." in attachments(site, site.there("first of two")[0])[""].decode(),
             60, 0.3)


def test_show_names_the_ticket_there(site):
    site.submit("shown")
    ours = wait_for("the jobs to end", lambda: site.settled("shown"), step=0.3)
    number = str(site.there("shown")[0]["id"])
    [there] = site.product.json("show", ours["id"])["externals"]
    assert there["itsm"] == "rt" and there["number"] == number and number in there["url"]
    assert number in site.product.ctl("show", ours["id"]).stdout


def test_the_section_is_tried_without_ticketd(site):
    def trial(*args):
        return subprocess.run(as_user(DAEMON_UID, GROUP_ID, [
            program(BUILD, "ticketctl"), "-c", site.product.config, "-s", "/nonexistent",
            "itsm", *args]), capture_output=True, text=True, timeout=180, check=False)
    assert "rt " in trial("list").stdout
    before = len(site.rt.tickets())
    done = trial("test", "rt")
    assert done.returncode == 0, done.stderr
    assert "queue General" in done.stdout and "queue Network" in done.stdout
    assert len(site.rt.tickets()) == before
    done = trial("test", "rt", "--create")
    assert "the comment is there, the file is there" in done.stdout, done.stderr
    assert "found by its key, mt-" in done.stdout and "not found" not in done.stdout
    made = site.rt.tickets()[-1]
    assert made["Status"] == "resolved" and "please ignore" in made["Subject"]
    assert f"  {made['id']}  " in done.stdout
    refused = trial("test", "nowhere")
    assert refused.returncode == 64 and '"nowhere"' in refused.stderr


def test_a_mail_that_names_the_number_there_joins_the_ticket(site):
    site.submit("numbered")
    ours = wait_for("the jobs to end", lambda: site.settled("numbered"), step=0.3)
    number = site.there("numbered")[0]["id"]
    before = len(site.product.tickets())
    site.submit(f"Re: [rt.test #{number}] something else", body="it is worse\r\n")
    shown = site.product.json("show", ours["id"])
    assert len(shown["messages"]) == 2 and len(site.product.tickets()) == before
    # A stranger's mail is a ticket of its own, tied to that one.
    site.submit(f"[rt.test #{number}] hello", sender="eve@stranger.test")
    assert len(site.product.tickets()) == before + 1
    shown = site.product.json("show", ours["id"])
    assert len(shown["messages"]) == 2 and len(shown["links"]) == 1
    # And a number that nobody has is no ticket's.
    site.submit("[rt.test #99999] hello again")
    assert len(site.product.tickets()) == before + 2
