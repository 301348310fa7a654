# SPDX-License-Identifier: BSD-2-Clause
"""Which ticket a mail joins, through a real Postfix: the main rows of the Trust table, and
what hangs on earlier mail."""
import json
import re

import pytest
from conftest import postfix_sites
from harness.smtp import header, send
from harness.util import wait_for

DESK = "support@example.test"
DESKS = """\
group "ops" { members = {"joe@ops.example"} }
desk "it" {
    addresses = {"support@example.test"}
    prefix = "IT"
    reply_to = add
}
desk "new" { addresses = {"new@example.test"} prefix = "NEW" closed = new }
desk "shut" {
    addresses = {"shut@example.test"}
    prefix = "SHUT"
    closed = refuse
    closed_text = "Closed. Write to help@example.test"
}
"""
PASS = "Authentication-Results: mx.example.test; dmarc=pass header.from={0}\r\n"
FAIL = "Authentication-Results: mx.example.test; dmarc=fail header.from={0}\r\n"


@pytest.fixture(scope="module")
def site():
    yield from postfix_sites(desks=DESKS)


class Desk:
    """Mails to the desks, and what became of them."""

    def __init__(self, site, mail):
        self.site, self.make = site, mail

    def mail(self, subject, who="ann@customer.example", auth=PASS, to=DESK, extra="", **kw):
        domain = who.split("@")[1]
        return self.make(subject, to=to, sender=f"<{who}>",
                         extra=(auth.format(domain) if auth else "") + extra, **kw)

    def take(self, message, rcpts=DESK, sender="ann@customer.example"):
        """Sends; the log line of what became of it at the desk."""
        log = self.site.product.log("ticketd")
        answer = send(self.site.mta.port, sender, rcpts, message)
        assert answer.code == 250, answer
        new = self.site.product.log("ticketd")[len(log):]
        lines = re.findall(r"event=ticket\.\S+ .*", new)
        assert len(lines) == 1, new
        fields = dict(re.findall(r'(\S+?)=("(?:[^"\\]|\\.)*"|\S+)', lines[0]))
        return fields.get("ticket"), fields["status"], fields.get("why", "")

    def open(self, subject, **kw):
        message = self.mail(subject, **kw)
        rcpt = kw.get("to", DESK)
        ticket, status, _ = self.take(message, rcpt.split(",")[0].strip())
        assert status == "created"
        return ticket, header(message, "Message-ID").decode()

    def show(self, ticket):
        return self.site.product.json("show", ticket)

    def events(self, ticket):
        return [e["kind"] for e in self.show(ticket)["events"]]

    def explain(self, message, *args):
        told = self.site.product.ctl("--json", "explain", *args, "-", stdin=message.decode())
        return json.loads(told.stdout)

    def token(self, ticket_mail, rcpt=DESK):
        """The address that answers to this mail go to, from the delivered copy."""
        self.site.mta.clear_mails()
        self.take(ticket_mail, rcpt)
        wait_for("delivery", lambda: self.site.mta.mails())
        (copy,) = self.site.mta.mails()
        return re.search(rb"support\+([a-z2-7]{32})@", header(copy, "Reply-To"))[1].decode()


@pytest.fixture
def desk(site, mail):
    return Desk(site, mail)


def reply_to(mid):
    return f"In-Reply-To: {mid}\r\n"


# ---- the Trust table -------------------------------------------------------------------


def test_a_reference_joins_by_who_sends_it(desk):
    ticket, mid = desk.open("Printer on fire")
    again = "Re: Printer on fire"

    def answer(**kw):
        return desk.take(desk.mail(again, extra=reply_to(mid), **kw))[:2]

    assert answer() == (ticket, "appended")
    assert answer(auth=None) == (ticket, "pending")
    for stranger in ({"auth": FAIL}, {"who": "eve@other.example"}):
        other, status = answer(**stranger)
        assert status == "created" and other != ticket
        assert {"id": ticket, "kind": "related"} in desk.show(other)["links"]
    assert answer(who="joe@ops.example") == (ticket, "appended")
    told = desk.show(ticket)["messages"]
    assert [m["assurance"] for m in told] == ["aligned", "aligned", "none", "aligned"]
    assert [m["unverified"] for m in told] == [False, False, True, False]


def test_a_token_is_for_its_party(desk):
    first = desk.mail("Token please")
    token = desk.token(first)
    ticket = desk.site.product.tickets()[0]["id"]
    rcpt = f"support+{token}@example.test"
    again = "Re: Token please"
    assert desk.take(desk.mail(again, auth=None), rcpt)[:2] == (ticket, "appended")
    assert desk.take(desk.mail(again, who="bob@customer.example", auth=None),
                     rcpt)[:2] == (ticket, "pending")
    forged = ("a" if token[31] != "a" else "b").join((token[:31], ""))
    assert desk.take(desk.mail(again), f"support+{forged}@example.test")[1] == "created"
    desk.site.product.ctl("resolve", ticket)
    assert desk.take(desk.mail(again), rcpt)[:2] == (ticket, "appended")
    assert desk.show(ticket)["state"] == "open"


def test_our_signed_message_id_is_proof_and_our_own_mail_is_ignored(desk):
    token = desk.token(desk.mail("Own id"))
    ticket = desk.site.product.tickets()[0]["id"]
    ours = f"<{token}.abcdef@mx.example.test>"
    assert desk.take(desk.mail("Re: Own id", auth=None, extra=f"References: {ours}\r\n")
                     )[:2] == (ticket, "appended")
    count = len(desk.site.product.tickets())
    back = desk.mail("Own id", who="support@example.test", auth=None, message_id=ours,
                     extra=reply_to("<any@customer.example>"))
    assert desk.take(back, sender="support@example.test")[1] == "refused"
    assert len(desk.site.product.tickets()) == count
    assert len(desk.show(ticket)["messages"]) == 2


def test_an_id_in_the_subject_is_a_hint(desk):
    ticket, _ = desk.open("Subject tag")
    subject = f"Re: [{ticket}] Subject tag"
    assert desk.take(desk.mail(subject))[:2] == (ticket, "appended")
    other, status, why = desk.take(desk.mail(subject, who="eve@other.example"))
    assert status == "created" and other != ticket and "a stranger" in why


# ---- the journal of references ----------------------------------------------------------


def test_reply_alls_to_a_mail_that_never_came_join(desk):
    everybody = f"{DESK}, ann@customer.example, bob@customer.example, cy@customer.example"
    unseen = f"<unseen.{id(desk)}@customer.example>"
    ticket, _ = desk.open("Re: Meeting room", who="bob@customer.example", to=everybody,
                          extra=reply_to(unseen))
    answer = desk.mail("Re: Meeting room", who="cy@customer.example", to=everybody,
                       extra=reply_to(unseen))
    assert desk.take(answer, sender="cy@customer.example")[:2] == (ticket, "appended")
    # A stranger who answers the same mail has a ticket of his own, not even linked.
    other, status, _ = desk.take(desk.mail("Re: Meeting room", who="eve@other.example",
                                           extra=reply_to(unseen)))
    assert status == "created" and desk.show(other)["links"] == []
    # The mail itself comes last.
    late = desk.mail("Meeting room", to=everybody, message_id=unseen)
    assert desk.take(late)[:2] == (ticket, "appended")


def test_cc_of_a_ticket_takes_part(desk):
    ticket, mid = desk.open("Keys lost", extra="Cc: bob@customer.example\r\n")
    answer = desk.mail("Re: Keys lost", who="bob@customer.example", extra=reply_to(mid))
    assert desk.take(answer, sender="bob@customer.example")[:2] == (ticket, "appended")


# ---- other trackers ---------------------------------------------------------------------


def test_mails_of_another_trackers_ticket_come_together(desk):
    jira = {"who": "jira@tracker.example"}
    ticket, _ = desk.open("[OPS-77] Disk full", **jira)
    assert desk.take(desk.mail("[OPS-77] Disk full: comment added", **jira)
                     )[:2] == (ticket, "appended")
    assert desk.take(desk.mail("[OPS-77] Disk full: resolved", who="bot@tracker.example")
                     )[:2] == (ticket, "pending")
    assert desk.take(desk.mail("[OPS-78] Disk full", **jira))[1] == "created"
    assert desk.take(desk.mail("[OPS-77] Disk full", who="ann@else.example"))[1] == "created"
    assert desk.show(ticket)["foreign"] == [{"ref": "OPS-77", "scope": "tracker.example"}]
    # Strangers behind one provider share nothing.
    desk.open("Order [#4711]", who="ann@gmail.com")
    other, status, _ = desk.take(desk.mail("Order [#4711]", who="eve@gmail.com"))
    assert status == "created" and desk.show(other)["links"] == []


# ---- closed tickets ---------------------------------------------------------------------


def closed(desk, address):
    ticket, mid = desk.open("Done", to=address)
    desk.site.product.ctl("close", ticket)
    return ticket, desk.mail("Re: Done", to=address, extra=reply_to(mid))


def test_closed_tickets_follow_their_desk(desk):
    ticket, answer = closed(desk, DESK)
    assert desk.take(answer)[:2] == (ticket, "appended")
    assert desk.show(ticket)["state"] == "open"

    ticket, answer = closed(desk, "new@example.test")
    other, status, _ = desk.take(answer, "new@example.test")
    assert status == "created" and desk.show(ticket)["state"] == "closed"
    assert {"id": ticket, "kind": "related"} in desk.show(other)["links"]


def test_a_refusing_desk_refuses_in_the_session_or_keeps(desk):
    ticket, answer = closed(desk, "shut@example.test")
    count = len(desk.site.product.tickets())
    told = send(desk.site.mta.port, "ann@customer.example", "shut@example.test", answer)
    assert told.code == 550 and "Closed. Write to help@example.test" in told.text
    assert len(desk.site.product.tickets()) == count
    # Another recipient gets the mail: then it is kept, refused, and nobody is told.
    told = send(desk.site.mta.port, "ann@customer.example",
                ["shut@example.test", "joe@example.test"], answer)
    assert told.code == 250
    (kept,) = desk.site.product.tickets()[:len(desk.site.product.tickets()) - count]
    assert kept["state"] == "refused"
    shown = desk.show(kept["id"])
    assert {"id": ticket, "kind": "related"} in shown["links"] and shown["jobs"] == []
    assert desk.show(ticket)["state"] == "closed"


def test_an_absence_note_never_reopens_nor_opens(desk):
    ticket, mid = desk.open("Holiday", to="new@example.test")
    desk.site.product.ctl("close", ticket)
    count = len(desk.site.product.tickets())
    for who in ("ann@customer.example", "deputy@customer.example"):
        note = desk.mail("Out of office", who=who, to="new@example.test",
                         extra=reply_to(mid) + "Auto-Submitted: auto-replied\r\n")
        assert desk.take(note, "new@example.test", sender="")[0] == ticket
    assert len(desk.site.product.tickets()) == count
    assert desk.show(ticket)["state"] == "closed"


# ---- bounces ----------------------------------------------------------------------------


def test_a_bounce_joins_the_ticket_whose_mail_came_back(desk):
    ticket, mid = desk.open("Bounced")
    desk.site.product.ctl("close", ticket)
    report = desk.make(
        "Undelivered Mail Returned to Sender", sender="<MAILER-DAEMON@far.example>",
        extra="Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
              'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n',
        body="--b\r\nContent-Type: text/plain\r\n\r\nIt could not be delivered.\r\n"
             "--b\r\nContent-Type: message/delivery-status\r\n\r\n"
             "Reporting-MTA: dns; far.example\r\n\r\nFinal-Recipient: rfc822; x@far.example\r\n"
             "Action: failed\r\nStatus: 5.1.1\r\n"
             "Diagnostic-Code: smtp; 550 no such user\r\n\r\n"
             f"--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: {mid}\r\n"
             "Subject: Bounced\r\n\r\n--b--\r\n")
    count = len(desk.site.product.tickets())
    assert desk.take(report, sender="")[:2] == (ticket, "pending")
    lost = report.replace(mid.encode(), b"<never@customer.example>").replace(b"Returned", b"back")
    assert desk.take(lost, sender="")[1] == "refused"
    assert len(desk.site.product.tickets()) == count
    assert desk.show(ticket)["state"] == "closed"


# ---- what is offered ----------------------------------------------------------------------


def test_a_wholly_new_subject_is_offered_as_split(desk):
    ticket, mid = desk.open("Printer on fire")
    desk.take(desk.mail("Re: printer still burns", extra=reply_to(mid)))
    assert "ticket.split_suggested" not in desk.events(ticket)
    answer = desk.mail("Vacation request for December", extra=reply_to(mid))
    explained = desk.explain(answer, "-r", DESK)
    assert explained["thread"]["action"] == "append"
    assert explained["thread"]["ticket"] == ticket
    assert explained["decision"]["tags"] == ["split-suggested"]
    assert desk.take(answer)[:2] == (ticket, "appended")
    assert desk.events(ticket).count("ticket.split_suggested") == 1
    message = desk.show(ticket)["messages"][-1]["message"]
    desk.site.product.ctl("split", ticket, str(message))
    assert len(desk.show(ticket)["messages"]) == 2


def test_a_mail_that_says_the_same_is_a_suggestion(desk):
    text = ("Since this morning the telephone on my desk rings without end, the display "
            "shows only stripes and pressing buttons does nothing at all. Please help.\r\n")
    ticket, _ = desk.open("Telephone rings without end", body=text)
    same = desk.mail("Telephone rings without end!", who="bob@customer.example",
                     body=text + "I asked yesterday already.\r\n")
    explained = desk.explain(same, "-r", DESK)
    assert explained["thread"]["action"] == "new"
    assert f"looks like {ticket}" in explained["thread"]["why"]
    other, status, why = desk.take(same)
    assert status == "created" and f"looks like {ticket}" in why
    assert "ticket.similar" in desk.events(other)
    assert desk.show(other)["links"] == [] and len(desk.show(ticket)["messages"]) == 1
    _, _, why = desk.take(desk.mail("Coffee machine leaks", body="Water everywhere in the "
                                    "kitchen on the third floor, somebody should come.\r\n"))
    assert "looks like" not in why


# ---- forwards and signatures ----------------------------------------------------------------

FORWARD = ("Please take this.\r\n\r\n---------- Forwarded message ---------\r\n"
           "From: Kim <kim@customer.example>\r\nDate: Mon, 2 Nov 2026 at 10:00\r\n"
           "Subject: Screen stays dark\r\nTo: <joe@ops.example>\r\n\r\n"
           "Since today my screen stays dark.\r\n")


@pytest.mark.parametrize("who,auth,requester", [
    ("joe@ops.example", PASS, "kim@customer.example"),
    ("joe@ops.example", None, "joe@ops.example"),
    ("ann@customer.example", PASS, "ann@customer.example")])
def test_an_agents_forward_opens_in_the_senders_name(desk, who, auth, requester):
    ticket, _ = desk.open("Fwd: Screen stays dark", who=who, auth=auth, body=FORWARD)
    shown = desk.show(ticket)
    assert shown["requester"] == requester
    people = {p["address"] for p in shown["participants"]}
    assert {who, requester} <= people


def test_what_ends_every_mail_is_a_signature(desk):
    ends = "\r\nCheerio,\r\nPat\r\nAcme Ltd, Main Street 1\r\n"
    who = "pat@customer.example"
    for n, lines in ((1, None), (2, None), (3, 3)):
        message = desk.mail(f"Matter {n}", who=who, body=f"This is matter number {n}.{ends}")
        explained = desk.explain(message, "-r", DESK)
        ticket, status, _ = desk.take(message)
        assert status == "created"
        assert desk.show(ticket)["messages"][0].get("signature_lines") == lines
    assert explained["message"]["reply_text"].strip() == "This is matter number 3."
    assert "Acme Ltd, Main Street 1" in explained["message"]["signature"]


def test_explain_and_intake_agree(desk):
    ticket, mid = desk.open("Agreed")
    for auth in (PASS, None, FAIL):
        for who in ("ann@customer.example", "joe@ops.example", "eve@other.example"):
            message = desk.mail("Re: Agreed", who=who, auth=auth, extra=reply_to(mid))
            thread = desk.explain(message, "-r", DESK)["thread"]
            assert thread["why"] in desk.take(message)[2].strip('"')
