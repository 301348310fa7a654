# SPDX-License-Identifier: BSD-2-Clause
"""Agents who answer by mail: their words in the desk's name, what their first lines ask for,
and all that must never get out. Through a real Postfix both ways."""
import contextlib
import email
import email.policy
import os
import re
import subprocess
import threading
import time

import pytest
from conftest import postfix_sites
from harness.smtp import header, send
from harness.util import wait_for

ANN = "ann@customer.test"
BOB = "bob.secret@agents.test"
CID = "cid@customer.test"
DESK = "support@desk.test"


def proof(domain):
    return f"Authentication-Results: mx.example.test; dmarc=pass header.from={domain}\r\n"


def desks(port):
    return f"""\
group "net" {{ members = {{"{BOB}", "eve@agents.test"}} }}
group "second" {{ members = {{"eve@agents.test"}} }}
desk "it" {{ addresses = {{"{DESK}"}} prefix = "IT" display_name = "IT Desk" group = "net" }}
channel "mail" {{ type = "mail" url = "smtp://127.0.0.1:{port}" }}
notify "answers" {{ on = {{"reply"}} to = {{"requester", "cc"}} channel = "mail" }}
"""


SETTINGS = ("myorigin = desk.test\nrecipient_delimiter = +\n"
            "virtual_mailbox_domains = desk.test, agents.test, customer.test\n")
TOLD = """\
notify "ack" { on = {"created", "state"} to = {"requester", "cc", "group"} channel = "mail" }
"""


@pytest.fixture(scope="module")
def site():
    yield from postfix_sites(SETTINGS, desks=desks)


@pytest.fixture
def chatty():
    """A desk that tells everybody of each new ticket."""
    yield from postfix_sites(SETTINGS, desks=lambda port: desks(port) + TOLD)


def put(site, sender, message, rcpts=DESK):
    assert send(site.mta.port, sender, rcpts, message).code == 250


def open_ticket(site, mail, subject, extra="", **kw):
    """Of Ann: its id and the Message-ID."""
    message = mail(subject, to=DESK, sender=f"Ann <{ANN}>",
                   extra=proof("customer.test") + extra, **kw)
    put(site, ANN, message)
    ticket = wait_for("the ticket", lambda: [
        t for t in site.product.tickets() if t["subject"] == subject])[0]["id"]
    return ticket, header(message, "Message-ID").decode()


def answer(site, mail, message_id, text, extra="", proved=True, to=DESK, sender=BOB):
    message = mail("Re: it", to=to, sender=f"Bob Secret <{sender}>", body=text,
                   message_id=f"<{time.monotonic_ns()}@agents.test>",
                   extra=(proof("agents.test") if proved else "") +
                   f"In-Reply-To: {message_id}\r\n" + extra)
    put(site, sender, message)
    return header(message, "Message-ID").decode()


def show(site, ticket):
    return site.product.json("show", ticket)


def kinds(site, ticket, kind):
    return [e["data"] for e in show(site, ticket)["events"] if e["kind"] == kind]


def done(site, ticket, count=1):
    """So many mails of agents were looked at, and all that follows has gone out."""
    wait_for("the agent's mail", lambda: len(kinds(site, ticket, "agent.mail")) +
             len(kinds(site, ticket, "agent.held")) == count)
    wait_for("no notice under way", lambda: all(
        j["state"] == "done" for j in show(site, ticket)["jobs"]))
    wait_for("empty queue", site.mta.queue_empty)


def mails_to(site, address):
    """What we sent there."""
    return [m for m in site.mta.mails()
            if b"<" + address.encode() + b">" in b"".join(
                re.findall(rb"(?mi)^(?:To|X-Original-To|Delivered-To):.*$", m)) or
            header(m, "To") is not None and address.encode() in header(m, "To")]


BODY = ("Please restart it, then write to {0}.\r\n"
        "Or ask eve@agents.test.\r\n\r\n"
        "-- \r\nBob Secret\r\nphone 12345\r\n\r\n"
        "On Sun, 22 Nov 2026 at 10:00, Ann <ann@customer.test> wrote:\r\n"
        "> It does not work.\r\n").format(BOB)


def test_an_agents_mail_goes_out_in_the_name_of_the_desk(site, mail):
    site.mta.clear_mails()
    ticket, first = open_ticket(site, mail, "Printer one", extra=f"Cc: {CID}\r\n")
    body = ("--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n" + BODY +
            "--b\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment;"
            " filename=\"how to.pdf\"\r\nContent-Transfer-Encoding: base64\r\n\r\n"
            "JVBERi0xLjQ=\r\n--b--\r\n")
    answer(site, mail, first, body,
           extra="MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n"
                 "Organization: Secret\r\nX-Originating-IP: 192.0.2.1\r\n")
    done(site, ticket)
    for to in (ANN, CID):
        found = mails_to(site, to)
        found = [m for m in found if b"Please restart" in m]
        assert len(found) == 1, to
        raw = found[0]
        assert b"secret" not in raw.lower(), raw.decode()
        assert b"agents.test" not in raw and b"phone" not in raw
        got = email.message_from_bytes(raw, policy=email.policy.default)
        assert got["From"].addresses[0].addr_spec == DESK
        assert got["From"].addresses[0].display_name == "IT Desk"
        assert [a.addr_spec for a in got["To"].addresses] == [to]
        assert ticket in got["Subject"]
        assert got["In-Reply-To"] == first and first in got["References"]
        assert re.fullmatch(r"support\+[a-z2-7]{32}@desk\.test",
                            got["Reply-To"].addresses[0].addr_spec)
        assert got["Auto-Submitted"] is None
        text = got.get_body(("plain",)).get_content()
        assert f"write to {DESK}." in text and f"ask {DESK}." in text
        assert "It does not work" not in text
        files = list(got.iter_attachments())
        assert [(f.get_filename(), f.get_content()) for f in files] == [
            ("how to.pdf", b"%PDF-1.4")]
    assert not [m for m in site.mta.mails() if header(m, "To") == BOB.encode()]
    assert len(kinds(site, ticket, "notice.told")) == 2


def test_whom_the_agent_wrote_himself_gets_it_once(site, mail):
    site.mta.clear_mails()
    ticket, first = open_ticket(site, mail, "Printer two")
    message = mail("Re: it", to=f"{DESK}, {ANN}", sender=f"Bob <{BOB}>", body="Direct.\r\n",
                   extra=proof("agents.test") + f"In-Reply-To: {first}\r\n")
    put(site, BOB, message, [DESK, ANN])
    done(site, ticket)
    assert kinds(site, ticket, "notice.told") == []
    assert kinds(site, ticket, "agent.mail")[0]["told"] == 0


def test_commands_are_done_and_do_not_go_out(site, mail):
    site.mta.clear_mails()
    ticket, first = open_ticket(site, mail, "Printer three")
    answer(site, mail, first,
           "#priority 2\r\n#group Second #assign me\r\n#resolve\r\n\r\n"
           "It is done.\r\n")
    done(site, ticket)
    now = show(site, ticket)
    assert (now["state"], now["priority"], now["group"], now["assignee"]) == (
        "resolved", 2, "second", BOB)
    told = [m for m in mails_to(site, ANN) if b"It is done." in m]
    assert len(told) == 1
    assert not re.search(rb"#(priority|group|assign|resolve)", told[0])
    assert kinds(site, ticket, "ticket.resolved")[0]["who"] == BOB
    assert kinds(site, ticket, "ticket.set")[-1]["who"] == BOB


def test_a_note_is_told_to_nobody_and_may_ask_for_things(site, mail):
    site.mta.clear_mails()
    ticket, first = open_ticket(site, mail, "Printer four")
    answer(site, mail, first, "#priority 1\r\n#internal he is rude\r\n")
    done(site, ticket)
    now = show(site, ticket)
    assert now["priority"] == 1 and now["state"] == "new"
    assert [m["internal"] for m in now["messages"]] == [False, True]
    assert not [m for m in site.mta.mails() if header(m, "To") == ANN.encode()
                or b"To: " + ANN.encode() in m]
    assert kinds(site, ticket, "notice.told") == []


@pytest.mark.parametrize("text, told", [
    ("#reslove\r\n\r\nThe boss is a fool.\r\n", "#reslove"),
    ("#close it now\r\nThe boss is a fool.\r\n", "it now"),
    ("#assign ann@customer.test\r\nThe boss is a fool.\r\n", "#assign ann@customer.test"),
    ("#priority 2\r\n#priority 3\r\nThe boss is a fool.\r\n", "#priority 3")])
def test_what_is_not_understood_is_kept_and_its_author_told(site, mail, text, told):
    site.mta.clear_mails()
    ticket, first = open_ticket(site, mail, f"Printer {told}")
    before = show(site, ticket)
    mail_id = answer(site, mail, first, text)
    done(site, ticket)
    now = show(site, ticket)
    assert (now["state"], now["priority"], now["assignee"]) == (
        before["state"], before["priority"], before["assignee"])
    assert now["messages"][-1]["internal"]
    back = [m for m in site.mta.mails() if header(m, "To") and
            BOB.encode() in header(m, "To") and header(m, "Auto-Submitted")]
    assert len(back) == 1
    assert told in email.message_from_bytes(
        back[0], policy=email.policy.default).get_body(("plain",)).get_content()
    assert header(back[0], "In-Reply-To").decode() == mail_id
    assert header(back[0], "Auto-Submitted") == b"auto-replied"
    assert [e["role"] for e in kinds(site, ticket, "notice.told")] == ["fixed"]


def test_a_move_that_the_state_does_not_allow_undoes_all_of_it(site, mail):
    ticket, first = open_ticket(site, mail, "Printer five")
    site.product.ctl("close", ticket)
    site.mta.clear_mails()
    answer(site, mail, first, "#internal\r\n#priority 1\r\n#pending\r\nsoon\r\n")
    done(site, ticket)
    now = show(site, ticket)
    assert now["state"] == "closed" and now["priority"] != 1
    assert "closed" in kinds(site, ticket, "agent.held")[0]["reason"]


def test_an_unproved_agent_sends_nothing(site, mail):
    site.mta.clear_mails()
    ticket, first = open_ticket(site, mail, "Printer six")
    answer(site, mail, first, "#close\r\nI am the agent.\r\n", proved=False)
    time.sleep(2)
    now = show(site, ticket)
    assert now["state"] == "new" and now["messages"][-1]["unverified"]
    assert kinds(site, ticket, "notice.told") == []
    assert kinds(site, ticket, "agent.mail") == []


def test_machines_and_lists_are_not_written_to(site, mail):
    site.mta.clear_mails()
    ticket, first = open_ticket(site, mail, "Disk full",
                                extra="Auto-Submitted: auto-generated\r\n")
    answer(site, mail, first, "Thank you, robot.\r\n")
    done(site, ticket)
    assert "nobody" in kinds(site, ticket, "agent.held")[0]["reason"]
    assert not [m for m in site.mta.mails() if b"robot" in m and
                header(m, "To") and ANN.encode() in header(m, "To")]


def test_each_mail_goes_out_once_whatever_is_killed(site, mail):
    site.mta.clear_mails()
    ticket, first = open_ticket(site, mail, "Printer seven")
    for i in range(3):
        answer(site, mail, first, f"Answer number {i}.\r\n")
        time.sleep(0.15 * i)
        site.product.ticketd.kill()
        site.product.ticketd.wait()
        site.product.start_ticketd()
    done(site, ticket, 3)
    for i in range(3):
        found = {header(m, "Message-ID") for m in site.mta.mails()
                 if f"Answer number {i}.".encode() in m and header(m, "To")
                 and ANN.encode() in header(m, "To")}
        assert len(found) == 1
    assert len(kinds(site, ticket, "notice.told")) == 3


REPORT = """\
From: MAILER-DAEMON@mx.remote.example
To: {to}
Subject: Undelivered Mail Returned to Sender
Message-ID: <{id}@mx.remote.example>
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

It could not be delivered.

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.remote.example

Final-Recipient: rfc822; ann@customer.test
Action: failed
Status: 5.1.1

--b--
"""


def test_who_writes_again_and_proves_it_can_be_told_again(site, mail):
    site.mta.clear_mails()
    ticket, first = open_ticket(site, mail, "Printer eight")
    answer(site, mail, first, "Hello.\r\n")
    done(site, ticket)
    raw = [m for m in site.mta.mails() if b"Hello." in m and
           ANN.encode() in header(m, "To")][0]
    to = header(raw, "Return-Path").decode().strip("<>")
    put(site, "", REPORT.format(to=to, id=os.getpid()).replace("\n", "\r\n").encode(), to)
    wait_for("the mark", lambda: kinds(site, ticket, "contact.marked"))
    log = site.product.json("log")
    assert not [e for e in log if e["kind"] == "contact.cleared"]
    unproved = mail("more", to=DESK, sender=f"Ann <{ANN}>",
                    extra=f"In-Reply-To: {first}\r\n")
    put(site, ANN, unproved)
    time.sleep(1)
    log = site.product.json("log")
    assert not [e for e in log if e["kind"] == "contact.cleared"]
    put(site, ANN, mail("I am here", to=DESK, sender=f"Ann <{ANN}>",
                        extra=proof("customer.test")))
    cleared = wait_for("the mark to go", lambda: [
        e for e in site.product.json("log") if e["kind"] == "contact.cleared"])
    assert cleared[0]["data"]["address"] == ANN


FORWARDED = """\
{0}
The customer is a fool.

---------- Forwarded message ---------
From: Ann <ann@customer.test>
Date: Sun, 22 Nov 2026 at 10:00
Subject: Printer nine
To: <support@desk.test>

It does not work.
""".replace("\n", "\r\n")


@contextlib.contextmanager
def no_parser(site):
    """Meanwhile nothing is read: mail is taken in as it is."""
    stopping = threading.Event()

    def hunt():
        while not stopping.is_set():
            subprocess.run(["pkill", "-KILL", "-P", str(site.product.ticketd.pid)],
                           check=False)
            time.sleep(0.01)
    hunter = threading.Thread(target=hunt)
    hunter.start()
    try:
        yield
    finally:
        stopping.set()
        hunter.join()


def later(site, mail, first, text):
    """The ticket that an agent's mail became which nobody could read at first."""
    known = {t["id"] for t in site.product.tickets()}
    new = known
    with no_parser(site):
        for _ in range(50):
            answer(site, mail, first, text, extra=f"Cc: {CID}\r\n")
            new = {t["id"] for t in site.product.tickets()} - known
            if new:
                break
    (new,) = new
    wait_for("later analysis", lambda: kinds(site, new, "ticket.analysed"))
    wait_for("the group's notice", lambda: [
        e for e in kinds(site, new, "notice.told") if e["role"] == "group"])
    wait_for("no job under way", lambda: all(
        j["state"] == "done" for j in show(site, new)["jobs"]))
    wait_for("empty queue", site.mta.queue_empty)
    return new


@pytest.mark.parametrize("word", ["#internal", "#reslove"])
def test_a_note_that_is_read_later_is_told_to_nobody_outside(chatty, mail, word):
    site = chatty
    ticket, first = open_ticket(site, mail, "Printer nine")
    wait_for("the acknowledgement", lambda: mails_to(site, ANN))
    site.mta.clear_mails()
    new = later(site, mail, first, FORWARDED.format(word))
    now = show(site, new)
    assert {"id": ticket, "kind": "related"} in now["links"]
    assert now["requester"] == BOB
    assert [(m["internal"], m["agent"]) for m in now["messages"]] == [(True, True)]
    site.product.ctl("resolve", new)
    wait_for("the state's notice", lambda: [
        e for e in kinds(site, new, "notice.told") if e["what"] == "state"])
    wait_for("empty queue", site.mta.queue_empty)
    told = {e["to"] for e in kinds(site, new, "notice.told")}
    assert told <= {BOB, "eve@agents.test"}, told
    ours = [m for m in site.mta.mails() if header(m, "Auto-Submitted")]
    for raw in ours:
        assert ANN.encode() not in header(raw, "To") and CID.encode() not in header(raw, "To")
    assert not [m for m in ours if b"fool" in m]


def test_an_agents_forward_is_in_the_name_of_who_wrote_it_unless_it_is_a_note(chatty, mail):
    site = chatty
    made = {}
    for subject, text in (("Forward one", "\r\n"), ("Forward two", "#note\r\n")):
        put(site, BOB, mail(subject, to=DESK, sender=f"Bob Secret <{BOB}>",
                            body=FORWARDED.format(text), extra=proof("agents.test")))
        made[subject] = wait_for("the ticket", lambda s=subject: [
            t for t in site.product.tickets() if t["subject"] == s])[0]["id"]
    assert show(site, made["Forward one"])["requester"] == ANN
    assert show(site, made["Forward two"])["requester"] == BOB
