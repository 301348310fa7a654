# SPDX-License-Identifier: BSD-2-Clause
"""What comes back of our notices where Dovecot delivers a desk's mail: its Sieve script sees
reports to the return path and wishes to be told nothing, and hands them on by `ticket`."""
import re

import pytest
from conftest import BUILD
from harness.outbox import Outbox
from harness.sieve import ANN, DESK, IT, Delivery
from harness.util import make_root, remove_root, wait_for

REPORT = """\
From: MAILER-DAEMON@mx.remote.example
To: {to}
Subject: Undelivered Mail Returned to Sender
Message-ID: <{id}@mx.remote.example>
Date: Sun, 22 Nov 2026 10:00:00 +0000
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

It could not be delivered.

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.remote.example

Final-Recipient: rfc822; {who}
Action: failed
Status: {status}

--b--
"""
DESKS = """\
desk "it" { addresses = {"support@example.test"} prefix = "IT" }
channel "mail" { type = "mail" options = {"program=%s"} }
notify "ack" { on = {"created", "comment"} to = {"requester"} channel = "mail" opt_out = yes }
"""


@pytest.fixture
def outbox():
    path = make_root()
    yield Outbox(path)
    remove_root(path)


@pytest.fixture
def site(make_sieve, outbox):
    return make_sieve(product={"desks": DESKS % outbox.program})


def kinds(site, ticket, kind):
    return [e["data"] for e in site.product.json("show", ticket)["events"] if e["kind"] == kind]


def open_ticket(site, outbox, mail):
    d = Delivery(site, IT, mail("Broken"), rcpt=DESK)
    assert d.code == 250
    (ticket,) = d.tickets()
    (notice,) = wait_for("the acknowledgement", lambda: outbox.to(ANN))
    (path,) = re.findall(r"-f (support\+b-([a-z2-7]{32})@example\.test)", notice["X-Args"])
    return ticket["id"], path[0], path[1]


def come_back(site, to, status, n):
    text = REPORT.format(to=to, id=f"back-{n}", who=ANN, status=status).replace("\n", "\r\n")
    return Delivery(site, IT, text.encode(), rcpt=to, sender="")


def test_a_report_by_sieve_marks_the_contact_and_opens_nothing(site, outbox, mail):
    ticket, to, token = open_ticket(site, outbox, mail)
    full = come_back(site, to, "5.2.2", 1)
    assert full.code == 250 and full.tickets() == []
    wait_for("the report", lambda: kinds(site, ticket, "notice.bounced"))
    assert kinds(site, ticket, "contact.marked") == []

    forged = f"support+b-{token[:-4]}{'aaaa' if token[-4:] != 'aaaa' else 'bbbb'}@example.test"
    assert come_back(site, forged, "5.1.1", 2).code == 250
    gone = come_back(site, to, "5.1.1", 3)
    assert gone.code == 250 and gone.tickets() == []
    (marked,) = wait_for("the mark", lambda: kinds(site, ticket, "contact.marked"))
    assert (marked["address"], marked["mark"], marked["reason"]) == (
        ANN, "undeliverable", "5.1.1")
    assert [b["status"] for b in kinds(site, ticket, "notice.bounced")] == ["5.2.2", "5.1.1"]
    again = gone.again()  # lmtp tries once more: it is known
    assert again == 250 and len(kinds(site, ticket, "notice.bounced")) == 2

    site.product.ctl("comment", ticket, "--public", "We look at it.")
    d = Delivery(site, IT, mail("Other", sender="<eve@customer.example>"), rcpt=DESK,
                 sender="eve@customer.example")  # told behind the comment, which is not
    assert d.code == 250
    wait_for("what follows", lambda: outbox.to("eve@customer.example"))
    assert len(outbox.mails()) == 2, [m["To"] for m in outbox.mails()]


def test_a_wish_to_be_told_nothing_comes_by_sieve_too(site, outbox, mail):
    ticket, _, _ = open_ticket(site, outbox, mail)
    site.product.ctl("comment", ticket, "--public", "We look at it.")
    _, notice = wait_for("the comment", lambda: len(outbox.to(ANN)) == 2 and sorted(
        outbox.to(ANN), key=lambda m: "List-Unsubscribe" in m))
    to = re.search(r"<mailto:([^?>]+)", notice["List-Unsubscribe"]).group(1)
    d = Delivery(site, IT, mail("unsubscribe", to=to), rcpt=to)
    assert d.code == 250 and d.tickets() == []
    (marked,) = wait_for("the mark", lambda: kinds(site, ticket, "contact.marked"))
    assert (marked["address"], marked["mark"]) == (ANN, "opted-out")
