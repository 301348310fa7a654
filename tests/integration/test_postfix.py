# SPDX-License-Identifier: BSD-2-Clause
"""From the final dot to the ticket, through a real Postfix."""
import concurrent.futures
import re
import smtplib

import pytest
from harness.smtp import body, header, headers, send, send_on
from harness.util import wait_for

DESK = "support@example.test"
ANN = "ann@customer.example"


def deliver(site, message, rcpts=DESK, sender=ANN, **kw):
    """Sends and returns the delivered copies."""
    site.mta.clear_mails()
    answer = send(site.mta.port, sender, rcpts, message, **kw)
    assert answer.code == 250, answer
    wait_for("delivery", lambda: site.mta.mails() and site.mta.queue_empty())
    return site.mta.mails()


def ticket_of(copy):
    value = header(copy, "X-Ticket-ID")
    return value.split(b";")[0].strip().decode() if value else None


def test_mail_to_a_desk_is_a_ticket_when_250_arrives(site, mail):
    before = {t["id"] for t in site.product.tickets()}
    answer = send(site.mta.port, ANN, DESK, mail("Printer on fire"))
    assert answer.code == 250
    new = [t for t in site.product.tickets() if t["id"] not in before]
    assert len(new) == 1 and new[0]["desk"] == "it"
    assert "Printer on fire" in new[0]["subject"]
    assert new[0]["requester"] == ANN


def test_delivered_copy_carries_the_id(site, mail):
    (copy,) = deliver(site, mail("Printer on fire"))
    ticket = ticket_of(copy)
    assert re.fullmatch(r"IT-\d+", ticket)
    assert header(copy, "Subject") == f"[{ticket}] Printer on fire".encode()
    assert len(headers(copy, "X-Ticket-ID")) == 1


def test_a_retry_gets_the_same_ticket_and_the_same_tag(site, mail):
    message = mail("retry me")
    first = ticket_of(deliver(site, message)[0])
    count = len(site.product.tickets())
    again = deliver(site, message)[0]
    assert ticket_of(again) == first
    assert header(again, "Subject") == f"[{first}] retry me".encode()
    assert len(site.product.tickets()) == count


def test_mail_without_a_message_id_and_date_is_recognised_again(site, mail):
    message = mail("no id", message_id="", date=False)
    first = ticket_of(deliver(site, message)[0])
    assert ticket_of(deliver(site, message)[0]) == first


def test_mail_for_others_is_left_alone(site, mail):
    message = mail("private", to="joe@example.test")
    (copy,) = deliver(site, message, "joe@example.test")
    assert header(copy, "Subject") == b"private"
    assert header(copy, "X-Ticket-ID") is None


def test_subject_stays_when_a_private_recipient_gets_the_same_copy(site, mail):
    copies = deliver(site, mail("both", to=f"{DESK}, joe@example.test"),
                     [DESK, "joe@example.test"])
    assert len(copies) == 2
    for copy in copies:
        assert header(copy, "Subject") == b"both"
        assert ticket_of(copy)


def test_a_blind_copied_desk_is_not_disclosed(site, mail):
    count = len(site.product.tickets())
    copies = deliver(site, mail("bcc", to="joe@example.test"), [DESK, "joe@example.test"])
    for copy in copies:
        assert header(copy, "X-Ticket-ID") is None
        assert header(copy, "Subject") == b"bcc"
    assert len(site.product.tickets()) == count + 1


def test_relayed_recipient_means_header_only(site, mail):
    (copy,) = deliver(site, mail("relay", to=f"{DESK}, x@relayed.test"),
                      [DESK, "x@relayed.test"])
    assert header(copy, "Subject") == b"relay"
    assert ticket_of(copy)


@pytest.mark.parametrize("rcpt", ["SUPPORT@EXAMPLE.TEST", "Support@Example.test",
                                  "support+printer@example.test", "it@second.test",
                                  '"support"@example.test', "support@example.test.",
                                  "@relay.test:support@example.test",
                                  "support"])
def test_recipient_forms_of_one_desk(site, mail, rcpt):
    (copy,) = deliver(site, mail(rcpt, to=rcpt), rcpt)
    assert ticket_of(copy).startswith("IT-")


def test_two_desks_get_linked_tickets_in_one_go(site, mail):
    copies = deliver(site, mail("two", to=f"{DESK}, hr@example.test"),
                     ["hr@example.test", DESK])
    ticket = ticket_of(copies[0])
    assert ticket.startswith("IT-")  # the first desk of the configuration leads
    assert {ticket_of(c) for c in copies} == {ticket}
    shown = site.product.ctl("--json", "show", ticket).stdout
    assert re.search(r"HR-\d+", shown)


SUBJECTS = [
    (b"Subject: plain\r\n", rb"\[ID\] plain"),
    (b"", rb"\[ID\]"),
    (b"Subject:\r\n", rb"\[ID\]"),
    (b"Subject: Re: again\r\n", rb"Re: \[ID\] again"),
    (b"Subject: AW: WG: again\r\n", rb"AW: WG: \[ID\] again"),
    (b"Subject: r\xe9seau en panne\r\n", b"\\[ID\\] r\xe9seau en panne"),
    ("Subject: Grüße\r\n".encode(), r"\[ID\] Grüße".encode()),
    (b"Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?= =?utf-8?q?_Nr=2E?=\r\n",
     rb"\[ID\] =\?utf-8\?q\?Gr=C3=BC=C3=9Fe\?= =\?utf-8\?q\?_Nr=2E\?="),
    (b"Subject: =?iso-2022-jp?B?GyRCRnxLXBsoQg==?=\r\n",
     rb"\[ID\] =\?iso-2022-jp\?B\?GyRCRnxLXBsoQg==\?="),
    (b"Subject: folded\r\n over two\r\n\tthree lines\r\n",
     rb"\[ID\] folded\n over two\n\tthree lines"),
    (b"Subject: [IT-999999] not ours to say\r\n", rb"\[ID\] not ours to say"),
    (b"Subject:tight\r\n", rb"\[ID\] ?tight"),
]


@pytest.mark.parametrize("field,expected", SUBJECTS, ids=[str(i) for i in range(len(SUBJECTS))])
def test_subject_keeps_its_bytes_around_the_tag(site, mail, field, expected):
    message = mail(subject=None).replace(b"Date:", field + b"Date:", 1)
    (copy,) = deliver(site, message)
    ticket = ticket_of(copy)
    assert re.fullmatch(expected.replace(b"ID", re.escape(ticket.encode())),
                        header(copy, "Subject").rstrip(b" ")), header(copy, "Subject")
    assert len(headers(copy, "Subject")) == 1


def test_of_two_subjects_the_first_is_tagged(site, mail):
    message = mail("one", extra="Subject: two\r\n")
    (copy,) = deliver(site, message)
    subjects = headers(copy, "Subject")
    assert subjects[0] == f"[{ticket_of(copy)}] one".encode()
    assert subjects[1:] == [b"two"]


def test_a_huge_subject_does_not_stop_the_ticket(site, mail):
    folded = "\r\n ".join(["word " * 12] * 900)
    (copy,) = deliver(site, mail("big " + folded))
    assert ticket_of(copy)
    # One field, tagged or whole; never a line that other hosts must refuse.
    assert len(headers(copy, "Subject")) == 1
    assert max(len(line) for line in copy.split(b"\n\n")[0].split(b"\n")) <= 998


def test_forged_ticket_headers_are_removed(site, mail):
    extra = ("X-Ticket-ID: IT-1; k=1; h=0000\r\nX-Ticket-Desk: hr\r\n"
             "X-Ticket-ID: IT-2\r\nX-Ticket-Priority: 1\r\n")
    (copy,) = deliver(site, mail("forged", extra=extra))
    assert len(headers(copy, "X-Ticket-ID")) == 1
    assert ticket_of(copy) not in ("IT-1", "IT-2")
    assert b"X-Ticket-Priority: 1" not in copy
    assert b"X-Ticket-Desk: hr" not in copy


def test_body_is_never_touched(site, mail):
    text = b"8-bit \xe4\xf6\xfc and \xe2\x82\xac\r\n.dots\r\n..\r\n" + b"x" * 900 + b"\r\nend\r\n"
    (copy,) = deliver(site, mail("body", body=text))
    assert body(copy) == text.replace(b"\r\n", b"\n")


def test_raw_is_what_the_mta_handed_over(site, mail):
    message = mail("raw ", body=b"line\r\n  two  \r\n", extra="X-Odd:  two blanks\r\n")
    (copy,) = deliver(site, message)
    raw = site.product.ctl("raw", ticket_of(copy), text=False).stdout
    assert raw.startswith(b"Received: ")
    assert raw.split(b"\r\nFrom:", 1)[1] == message.split(b"From:", 1)[1]


def test_a_large_mail_is_kept_whole(site, mail):
    text = (b"0123456789abcdef" * 4 + b"\r\n") * 350000
    (copy,) = deliver(site, mail("large", body=text))
    raw = site.product.ctl("raw", ticket_of(copy), text=False).stdout
    assert raw.endswith(text)
    assert site.product.ctl("verify").returncode == 0


def test_several_mails_and_resets_on_one_connection(site, mail):
    count = len(site.product.tickets())
    with smtplib.SMTP("127.0.0.1", site.mta.port, timeout=30) as s:
        assert send_on(s, ANN, [DESK], mail("one")).code == 250
        s.mail(ANN)
        s.rcpt(DESK)
        s.rset()
        assert send_on(s, ANN, ["joe@example.test"], mail("none")).code == 250
        assert send_on(s, ANN, [DESK], mail("two")).code == 250
    assert len(site.product.tickets()) == count + 2


def test_a_dropped_connection_leaves_no_ticket(site):
    count = len(site.product.tickets())
    with smtplib.SMTP("127.0.0.1", site.mta.port, timeout=30) as s:
        s.ehlo()
        s.mail(ANN)
        s.rcpt(DESK)
        s.docmd("DATA")
        s.send(b"Subject: half\r\n\r\nno dot")
        s.close()
    assert len(site.product.tickets()) == count


def test_local_submission_is_a_ticket_too(site, mail):
    site.mta.clear_mails()
    done = site.mta.sendmail(["-f", ANN, DESK], mail("by sendmail").replace(b"\r\n", b"\n"))
    assert done.returncode == 0
    wait_for("delivery", site.mta.mails)
    assert ticket_of(site.mta.mails()[0])


def test_a_bounce_opens_no_ticket_that_anybody_works_on(site, mail):
    message = mail("Undelivered", sender="MAILER-DAEMON <>",
                   extra="Auto-Submitted: auto-replied\r\n"
                         "Content-Type: multipart/report; report-type=delivery-status;"
                         " boundary=b\r\n",
                   body="--b\r\n\r\nfailed\r\n--b\r\nContent-Type: message/delivery-status\r\n"
                        "\r\nReporting-MTA: dns; x\r\n\r\nFinal-Recipient: rfc822; y@z\r\n"
                        "Action: failed\r\nStatus: 5.1.1\r\n--b--\r\n")
    before = {t["id"] for t in site.product.tickets()}
    deliver(site, message, sender="")
    new = [t for t in site.product.tickets() if t["id"] not in before]
    assert [t["state"] for t in new] in ([], ["refused"])


def test_smtputf8_envelopes(site, mail):
    message = mail("grüße", sender="Jürgen <jürgen@kunde.example>")
    site.mta.clear_mails()
    with smtplib.SMTP("127.0.0.1", site.mta.port, timeout=30) as s:
        s.ehlo()
        s.send("MAIL FROM:<jürgen@kunde.example> SMTPUTF8 BODY=8BITMIME\r\n".encode())
        assert s.getreply()[0] == 250
        s.rcpt(DESK)
        assert s.data(message)[0] == 250
    wait_for("delivery", site.mta.mails)
    copy = site.mta.mails()[0]
    assert header(copy, "Subject") == f"[{ticket_of(copy)}] grüße".encode()


def test_replies_of_a_participant_reach_the_ticket(site, mail):
    first = mail("question", message_id="<question.1@customer.example>")
    ticket = ticket_of(deliver(site, first)[0])
    count = len(site.product.tickets())
    reply = mail(f"Re: [{ticket}] question", message_id="<question.2@customer.example>",
                 extra="In-Reply-To: <question.1@customer.example>\r\n"
                       "References: <question.1@customer.example>\r\n")
    assert ticket_of(deliver(site, reply)[0]) == ticket
    assert len(site.product.tickets()) == count


def test_a_stranger_who_names_a_ticket_gets_a_linked_one(site, mail):
    ticket = ticket_of(deliver(site, mail("mine"))[0])
    other = ticket_of(deliver(site, mail(f"Re: [{ticket}] mine",
                                         sender="eve@stranger.example"),
                              sender="eve@stranger.example")[0])
    assert other and other != ticket


def test_many_at_once_all_get_their_own_ticket(site, mail):
    count = len(site.product.tickets())
    messages = [mail(f"parallel {i}") for i in range(60)]
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda m: send(site.mta.port, ANN, DESK, m), messages))
    assert {a.code for a in answers} == {250}
    assert len(site.product.tickets()) == count + 60
    assert len({t["id"] for t in site.product.tickets()}) == count + 60


def test_the_store_verifies_after_all_this(site):
    done = site.product.ctl("verify", check=False)
    assert done.returncode == 0, done.stdout + done.stderr
