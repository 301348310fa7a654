# SPDX-License-Identifier: BSD-2-Clause
"""The mail channel against servers of others: submission with TLS and a log-in, a real
Postfix by SMTP and by its program, Python's reader of mail; and what comes back."""
import base64
import email
import email.policy
import json
import os
import re
import shutil
import socket
import socketserver
import ssl
import subprocess
import threading

import pytest
from conftest import BUILD, make_root, postfix_sites, remove_root, skip_without_postfix
from harness.mta import Postfix
from harness.outbox import Outbox
from harness.product import Product, program
from harness.smtp import header, send
from harness.util import wait_for

DRIVE = f"{BUILD}/tests/notify/channel_drive"
NOTICE = {"id": "n-1", "what": "created", "to": "ann@example.test", "to_name": "Änn, \"A\"",
          "subject": "[IT-12] Größe: 日本語 " + "lang " * 30, "text": "Grüße\n.dot\nFrom x\n",
          "html": "<p>Grüße</p>", "ticket": "IT-12", "at_ms": 1795341600000,
          "from": "it@desk.example", "from_name": "IT Desk", "reply_to": "it+x@desk.example",
          "return_path": "it+b-x@desk.example", "message_id": "m1@desk.example",
          "in_reply_to": "q@x.example", "references": "<p@x.example> <q@x.example>"}


def drive(root, channel, **changes):
    """Sends one notice; the result."""
    conf = f"{root}/drive.conf"
    with open(conf, "w", encoding="utf-8") as f:
        f.write('desk "it" { addresses = {"it@desk.example"} prefix = "IT" }\n'
                f'channel "m" {{ type = "mail" {channel} }}\n')
    got = subprocess.run([DRIVE, conf, "m"], input=json.dumps({**NOTICE, **changes}),
                         capture_output=True, text=True, timeout=180, check=False)
    assert got.returncode == 0, got.stderr
    return json.loads(got.stdout)


class _Submission(socketserver.StreamRequestHandler):
    """Says no to whatever comes in the wrong order."""

    def say(self, text):
        self.wfile.write(text.encode() + b"\r\n")

    def handle(self):
        tls, user, mail = False, None, {}
        self.say("220 submission ESMTP")
        while True:
            line = self.rfile.readline()
            if not line:
                return
            assert line.endswith(b"\r\n") and b"\r" not in line[:-2], line
            verb = line.split()[0].upper()
            if verb == b"EHLO":
                self.say("250-submission")
                self.say("250 AUTH PLAIN LOGIN" if tls else "250 STARTTLS")
            elif verb == b"STARTTLS" and not tls:
                self.say("220 go")
                self.connection = self.server.tls.wrap_socket(self.connection,
                                                              server_side=True)
                self.rfile = self.connection.makefile("rb")
                self.wfile = self.connection.makefile("wb", 0)
                tls = True
            elif verb == b"AUTH" and tls:
                given = base64.b64decode(line.split()[2])
                user = given == b"\0desk\0pass word"
                self.say("235 ok" if user else "535 5.7.8 no")
            elif verb == b"MAIL" and user:
                mail = {"from": line}
                self.say("250 ok")
            elif verb == b"RCPT" and mail:
                mail["to"] = line
                self.say("250 ok")
            elif verb == b"DATA" and "to" in mail:
                self.say("354 go")
                lines = []
                for data in self.rfile:
                    if data == b".\r\n":
                        break
                    assert data.endswith(b"\r\n") and len(data) <= 1000
                    lines.append(data[1:] if data.startswith(b".") else data)
                self.server.mails.append((mail, b"".join(lines)))
                self.say("250 2.0.0 kept")
            elif verb == b"QUIT":
                self.say("221 bye")
                return
            else:
                self.say("530 5.7.0 not now")


@pytest.fixture(scope="module")
def submission():
    path = make_root()
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout",
                    f"{path}/key.pem", "-out", f"{path}/cert.pem", "-days", "2", "-subj",
                    "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"],
                   check=True, capture_output=True)
    with open(f"{path}/secret", "w", encoding="ascii") as f:
        f.write("pass word")
    os.chmod(f"{path}/secret", 0o600)
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Submission)
    server.daemon_threads = True
    server.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.tls.load_cert_chain(f"{path}/cert.pem", f"{path}/key.pem")
    server.mails, server.path = [], path
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()
    remove_root(path)


def section(server, more=""):
    return (f'url = "smtp://localhost:{server.server_address[1]}" '
            f'options = {{"tls=starttls"}} user = "desk" '
            f'secret = "file:{server.path}/secret" {more}')


def assert_is_the_notice(raw):
    """Python reads what was meant."""
    mail = email.message_from_bytes(raw, policy=email.policy.default)
    assert not mail.defects
    assert mail["Subject"] == NOTICE["subject"].strip()
    to = mail["To"].addresses[0]
    assert (to.display_name, to.addr_spec) == (NOTICE["to_name"], NOTICE["to"])
    assert mail["From"].addresses[0].addr_spec == NOTICE["from"]
    assert mail["Reply-To"].addresses[0].addr_spec == NOTICE["reply_to"]
    assert mail["Message-ID"] == "<m1@desk.example>"
    assert mail["In-Reply-To"] == "<q@x.example>"
    assert mail["References"].split() == ["<p@x.example>", "<q@x.example>"]
    assert mail["Auto-Submitted"] == "auto-replied"
    assert mail["Date"].datetime.timestamp() * 1000 == NOTICE["at_ms"]
    assert mail.get_content_type() == "multipart/alternative"
    plain, html = mail.iter_parts()
    assert plain.get_content().replace("\r\n", "\n") == NOTICE["text"]
    assert html.get_content().strip() == NOTICE["html"]
    for part in mail.walk():
        assert not part.defects


def test_submission_with_tls_and_a_log_in(submission):
    got = drive(submission.path, section(submission,
                                         f'ca_file = "{submission.path}/cert.pem"'))
    assert got["ok"], got
    mail, raw = submission.mails[-1]
    assert b"<it+b-x@desk.example>" in mail["from"]
    assert b"<ann@example.test>" in mail["to"]
    assert_is_the_notice(raw)


def test_a_server_that_is_not_proved_gets_nothing(submission):
    count = len(submission.mails)
    got = drive(submission.path, section(submission))
    assert not got["ok"] and got["class"] == 3 and got["outcome"] == "rejected", got
    assert len(submission.mails) == count


def test_a_wrong_password_is_told_without_it(submission):
    with open(f"{submission.path}/wrong", "w", encoding="ascii") as f:
        f.write("hunter2hunter2")
    os.chmod(f"{submission.path}/wrong", 0o600)
    text = section(submission, f'ca_file = "{submission.path}/cert.pem"')
    got = drive(submission.path, text.replace("/secret", "/wrong"))
    assert got["unauthorized"] and got["class"] == 3, got
    assert "hunter2" not in json.dumps(got)


def test_nobody_listens(submission):
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        got = drive(submission.path, f'url = "smtp://127.0.0.1:{s.getsockname()[1]}"')
    assert got["outcome"] == "retry" and got["class"] == 1, got


DESKS = """\
desk "it" {
    addresses = {"support@example.test"}
    prefix = "IT"
    reply_to = add
}
channel "mail" { type = "mail" options = {"program=%s"} }
notify "ack" { on = {"created", "comment"} to = {"requester"} channel = "mail" opt_out = yes }
"""


@pytest.fixture(scope="module")
def outbox():
    path = make_root()
    yield Outbox(path)
    remove_root(path)


@pytest.fixture(scope="module")
def site(outbox):
    yield from postfix_sites("recipient_delimiter = +\n", desks=DESKS % outbox.program)


def test_postfix_takes_it_by_smtp_and_by_its_program(site):
    site.mta.clear_mails()
    got = drive(site.root, f'url = "smtp://127.0.0.1:{site.mta.port}"')
    assert got["ok"], got
    wrapper = f"{site.root}/sendmail"
    with open(wrapper, "w", encoding="ascii") as f:
        f.write(f"#!/bin/sh\nMAIL_CONFIG={site.mta.root}/etc exec /usr/sbin/sendmail "
                f"-C {site.mta.root}/etc \"$@\"\n")
    os.chmod(wrapper, 0o755)
    got = drive(site.root, f'options = {{"program={wrapper}"}}')
    assert got["ok"], got
    wait_for("both mails", lambda: len(site.mta.mails()) == 2)
    for raw in site.mta.mails():
        assert header(raw, "Return-Path") == b"<it+b-x@desk.example>"
        assert_is_the_notice(raw)


def events(site, ticket, kind):
    return [e for e in site.product.json("show", ticket)["events"] if e["kind"] == kind]


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

I'm sorry to have to inform you that your message could not be delivered.

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.remote.example

Final-Recipient: rfc822; {who}
Action: {action}
Status: {status}

--b--
"""


def open_ticket(site, make_mail, outbox, who):
    """The ticket, the return path of what its requester is told, and the token that all who
    get a copy of the mail see."""
    site.mta.clear_mails()
    mail = make_mail("Broken", to="support@example.test", sender=f"<{who}>")
    assert send(site.mta.port, who, "support@example.test", mail).code == 250
    wait_for("the mail", lambda: len(site.mta.mails()) == 1)
    raw = site.mta.mails()[0]
    token = re.search(rb"support\+([a-z2-7]{32})@", header(raw, "Reply-To")).group(1)
    (notice,) = wait_for("the acknowledgement", lambda: outbox.to(who))
    (path,) = re.findall(r"-f (support\+b-[a-z2-7]{32}@example\.test)", notice["X-Args"])
    return header(raw, "X-Ticket-ID").split(b";")[0].decode(), path, token.decode()


def come_back(site, to, who, id, status="5.1.1", action="failed"):
    text = REPORT.format(to=to, who=who, id=id, action=action, status=status)
    assert send(site.mta.port, "", to, text.replace("\n", "\r\n").encode()).code == 250


@pytest.mark.parametrize("by", ["milter", "submit"])
def test_a_report_to_a_return_path_marks_the_contact_and_opens_nothing(site, mail, outbox, by):
    who = f"{by}@customer.example"
    ticket, to, _ = open_ticket(site, mail, outbox, who)
    count = len(site.product.tickets())
    for i, (action, status) in enumerate((("delayed", "4.4.1"), ("failed", "5.1.1"))):
        if by == "milter":
            come_back(site, to, who, f"{by}{i}", status, action)
        else:
            text = REPORT.format(to=to, who=who, id=f"{by}{i}", action=action, status=status)
            site.product.ctl("submit", "-f", "", "-r", to, stdin=text)
    wait_for("both events", lambda: len(events(site, ticket, "notice.bounced")) == 2)
    assert len(site.product.tickets()) == count
    assert [e["data"]["status"] for e in events(site, ticket, "notice.bounced")] == [
        "4.4.1", "5.1.1"]
    assert {e["data"]["address"] for e in events(site, ticket, "notice.bounced")} == {who}
    marked = wait_for("the mark", lambda: events(site, ticket, "contact.marked"))
    assert [m["data"]["mark"] for m in marked] == ["undeliverable"]


def test_a_full_mailbox_and_a_refusal_of_ours_mark_nobody(site, mail, outbox):
    who = "full@customer.example"
    ticket, to, _ = open_ticket(site, mail, outbox, who)
    said = (("failed", "5.2.2"), ("failed", "5.7.1"), ("failed", "4.4.7"), ("delayed", "4.4.1"))
    for i, (action, status) in enumerate(said):
        come_back(site, to, who, f"full{i}", status, action)
    wait_for("all events", lambda: len(events(site, ticket, "notice.bounced")) == len(said))
    assert events(site, ticket, "contact.marked") == []
    come_back(site, to, who, "full-then-gone")
    wait_for("the mark", lambda: events(site, ticket, "contact.marked"))
    assert [e["data"]["reason"] for e in events(site, ticket, "contact.marked")] == ["5.1.1"]


def test_who_has_not_had_the_notice_reports_nothing_and_opts_nobody_out(site, mail, outbox):
    """A changed token is none; that of the thread, which all see who ever stood in a Cc, names
    the ticket and nobody."""
    who = "forged@customer.example"
    ticket, to, seen = open_ticket(site, mail, outbox, who)
    wrong = to.split("@")[0]
    wrong = wrong[:-4] + ("aaaa" if wrong[-4:] != "aaaa" else "bbbb") + "@example.test"
    come_back(site, wrong, who, "forged")
    come_back(site, f"support+b-{seen}@example.test", who, "seen")
    for letter in "ud":
        opt = f"support+{letter}-{seen}@example.test"
        message = mail(f"unsubscribe {letter}", to=opt, sender=f"<{who}>")
        assert send(site.mta.port, who, opt, message).code == 250
    come_back(site, to, who, "full", "5.2.2")  # behind the others: counted, no mark
    wait_for("the last", lambda: [e for e in events(site, ticket, "notice.bounced")
                                  if e["data"].get("address") == who])
    assert [e["data"].get("address", "") for e in events(site, ticket, "notice.bounced")] == [
        "", who]
    assert events(site, ticket, "contact.marked") == []


def test_mail_to_the_address_to_unsubscribe_opts_out(site, mail, outbox):
    who = "tired@customer.example"
    ticket, _, _ = open_ticket(site, mail, outbox, who)
    count = len(site.product.tickets())
    site.product.ctl("comment", ticket, "--public", "We look at it.")
    _, notice = wait_for("the comment", lambda: len(outbox.to(who)) == 2 and sorted(
        outbox.to(who), key=lambda m: "List-Unsubscribe" in m))
    to = re.search(r"<mailto:([^?>]+)", notice["List-Unsubscribe"]).group(1)
    message = mail("unsubscribe", to=to, sender=f"<{who}>")
    assert send(site.mta.port, who, to, message).code == 250
    wait_for("the mark", lambda: events(site, ticket, "contact.marked"))
    marks = [e["data"]["mark"] for e in events(site, ticket, "contact.marked")]
    assert marks == ["opted-out"]
    assert len(site.product.tickets()) == count


# ---- all of it together ---------------------------------------------------------------------

def desk_of(domain, port, more=""):
    return f"""\
desk "it" {{ addresses = {{"support@{domain}"}} prefix = "IT" }}
channel "mail" {{ type = "mail" url = "smtp://127.0.0.1:{port}" }}
notify "ack" {{ on = {{"created"}} to = {{"requester"}} channel = "mail" }}
{more}"""


AGENTS = """\
group "sd" { members = {"bob@staff.test"} }
notify "answer" { on = {"reply"} to = {"requester"} channel = "mail" }
"""


@pytest.fixture(scope="module")
def two():
    """Two installations that acknowledge, behind one Postfix."""
    skip_without_postfix()
    path = make_root()
    names = ("one", "two")
    for name in names:
        os.makedirs(f"{path}/{name}")
        os.chmod(f"{path}/{name}", 0o755)
    products = [Product(f"{path}/{name}", BUILD, hooks=', "65534"', intake_umask="0")
                for name in names]
    shutil.copy(program(BUILD, "ticketctl"), f"{path}/ticketctl")
    # As docs/notifications.md has it: Postfix shows its own bounces to no milter.
    with open(f"{path}/back", "w", encoding="ascii") as f:
        f.write("/^support\\+[bdu]-[a-z2-7]{32}@one\\.test$/ ticketback:\n")
    services = ("ticketback unix - n n - 1 pipe flags=q user=nobody null_sender=\n"
                f"  argv={path}/ticketctl -s {products[0].root}/run/intake.sock submit"
                " -f ${sender} -r ${recipient}\n")
    postfix = Postfix(path, services=services, settings=(
        f"transport_maps = regexp:{path}/back\n"
        "smtpd_milters = " + ", ".join(p.milter_socket for p in products) +
        "\nmyorigin = one.test\nrecipient_delimiter = +\n"
        "virtual_mailbox_domains = one.test, two.test, customer.test\n"))
    for product, name in zip(products, names):
        product.parts["desks"] = desk_of(f"{name}.test", postfix.port, AGENTS)
    try:
        for product in products:
            product.start()
        postfix.start()
        yield products, postfix
    finally:
        postfix.stop()
        for product in products:
            product.stop()
            print(product.log("ticketd")[-3000:])
        remove_root(path)


def acks(postfix, to):
    return [m for m in postfix.mails()
            if header(m, "Auto-Submitted") and to in header(m, "To").decode()]


def test_a_requester_is_told_and_the_answer_finds_its_ticket(two, mail):
    products, postfix = two
    postfix.clear_mails()
    message = mail("Broken", to="support@one.test", sender="Ann <ann@customer.test>")
    assert send(postfix.port, "ann@customer.test", "support@one.test", message).code == 250
    wait_for("the acknowledgement", lambda: len(acks(postfix, "ann@customer.test")) == 1)
    raw = acks(postfix, "ann@customer.test")[0]
    told = email.message_from_bytes(raw, policy=email.policy.default)
    assert told["Auto-Submitted"] == "auto-replied"
    assert told["In-Reply-To"] == header(message, "Message-ID").decode()
    assert told["To"].addresses[0].addr_spec == "ann@customer.test"
    assert re.match(rb"<support\+b-[a-z2-7]{32}@one.test>", header(raw, "Return-Path"))
    reply_to = told["Reply-To"].addresses[0].addr_spec
    answer = mail("more", to=reply_to, sender="<ann@customer.test>")
    assert send(postfix.port, "ann@customer.test", reply_to, answer).code == 250
    tickets = products[0].tickets()
    assert len(tickets) == 1
    assert len(products[0].json("show", tickets[0]["id"])["messages"]) == 2


def told_of(product, ticket):
    """The text of each answer's fate: where it went, or why it went nowhere."""
    return [e["data"].get("reason", e["data"].get("to")) for e in
            product.json("show", ticket)["events"]
            if e["kind"] in ("notice.told", "notice.skipped")][1:]


def test_an_agents_answer_goes_to_the_requester_in_the_desks_name(two, mail):
    products, postfix = two
    postfix.clear_mails()
    first = mail("No paper", to="support@one.test", sender="Cem <cem@customer.test>")
    assert send(postfix.port, "cem@customer.test", "support@one.test", first).code == 250
    wait_for("the acknowledgement", lambda: len(acks(postfix, "cem@customer.test")) == 1)
    ticket = [t for t in products[0].tickets() if t["subject"] == "No paper"][0]["id"]
    proof = "Authentication-Results: mx.example.test; dmarc=pass header.from=staff.test\r\n"
    thread = f"In-Reply-To: {header(first, 'Message-ID').decode()}\r\n"

    def answer(body, to="support@one.test", extra=proof):
        message = mail("Re: No paper", to=to, sender="Bob <bob@staff.test>", body=body,
                       extra=extra + thread)
        assert send(postfix.port, "bob@staff.test", "support@one.test", message).code == 250

    postfix.clear_mails()
    answer("#internal\r\nHe never reads the display.\r\n")
    answer("It is full again.\r\n\r\n> am 1.1. schrieb carl@staff.test:\r\n> idiot\r\n")
    wait_for("the answer", lambda: told_of(products[0], ticket) == ["cem@customer.test"])
    note, said = products[0].json("show", ticket)["messages"][1:]
    assert note["internal"] and not said["internal"]
    mails = wait_for("the mail", lambda: [m for m in postfix.mails()
                                          if header(m, "To") and b"cem@" in header(m, "To")])
    assert len(mails) == 1
    told = email.message_from_bytes(mails[0], policy=email.policy.default)
    assert told["From"].addresses[0].addr_spec == "support@one.test"
    assert told["Auto-Submitted"] is None  # a person wrote it
    assert told["In-Reply-To"] == header(first, "Message-ID").decode()
    assert b"It is full again." in mails[0]
    for secret in (b"staff.test", b"Bob", b"never reads", b"idiot"):
        assert secret not in mails[0]
    answer("You have it twice.\r\n", to="support@one.test, cem@customer.test")
    wait_for("the second", lambda: [
        e["data"]["told"] for e in products[0].json("show", ticket)["events"]
        if e["kind"] == "agent.mail"] == [0, 1, 0])
    answer("Send me your password.\r\n", extra="")  # nothing proves that it is Bob
    wait_for("the third", lambda: len(products[0].json("show", ticket)["messages"]) == 5)
    assert len([m for m in postfix.mails()
                if header(m, "To") and b"cem@" in header(m, "To") and b"support@" in
                header(m, "From")]) == 1


def test_two_desks_that_acknowledge_do_not_thank_each_other(two, mail):
    products, postfix = two
    postfix.clear_mails()
    before = [len(p.tickets()) for p in products]
    message = mail("Hello", to="support@one.test", sender="<support@two.test>")
    assert send(postfix.port, "support@two.test", "support@one.test", message).code == 250
    wait_for("the acknowledgement", lambda: len(acks(postfix, "@")) >= 1)
    for _ in range(15):  # whatever would follow has its time
        wait_for("empty queue", postfix.queue_empty)
        subprocess.run(["sleep", "0.2"], check=True)
    assert len(acks(postfix, "@")) == 1
    after = [len(p.tickets()) for p in products]
    assert after[0] == before[0] + 1
    assert after[1] <= before[1] + 1


def test_a_requester_of_this_postfix_who_is_not_there_is_marked(two, mail):
    products, postfix = two
    postfix.clear_mails()
    message = mail("I am gone", to="support@one.test", sender="<gone@elsewhere.invalid>")
    assert send(postfix.port, "gone@elsewhere.invalid", "support@one.test",
                message).code == 250
    ticket = wait_for("the ticket", lambda: [
        t for t in products[0].tickets() if t["subject"] == "I am gone"])[0]["id"]
    count = len(products[0].tickets())
    found = wait_for("the report", lambda: [
        e["data"] for e in products[0].json("show", ticket)["events"]
        if e["kind"] in ("notice.bounced", "contact.marked")][:2])
    assert {d["address"] for d in found} == {"gone@elsewhere.invalid"}
    assert len(products[0].tickets()) == count
    assert acks(postfix, "MAILER-DAEMON") == []
