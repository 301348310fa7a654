# SPDX-License-Identifier: BSD-2-Clause
"""The same promise behind a real Sendmail."""
import re

import pytest
from harness.smtp import header, headers, send
from harness.util import wait_for

DESK = "support@example.test"
ANN = "ann@customer.example"


def deliver(site, message, rcpts=DESK, sender=ANN):
    before = len(site.mta.mails())
    answer = send(site.mta.port, sender, rcpts, message)
    assert answer.code == 250, answer
    wait_for("delivery", lambda: len(site.mta.mails()) > before)
    return site.mta.mails()[before:]


def ticket_of(copy):
    value = header(copy, "X-Ticket-ID")
    return value.split(b";")[0].strip().decode() if value else None


def test_mail_to_a_desk_is_tagged(sendmail_site, mail):
    (copy,) = deliver(sendmail_site, mail("Printer on fire"))
    ticket = ticket_of(copy)
    assert re.fullmatch(r"IT-\d+", ticket)
    assert header(copy, "Subject") == f"[{ticket}] Printer on fire".encode()


def test_a_retry_gets_the_same_ticket(sendmail_site, mail):
    message = mail("retry")
    first = ticket_of(deliver(sendmail_site, message)[0])
    assert ticket_of(deliver(sendmail_site, message)[0]) == first


def test_mail_without_id_and_date_is_recognised_again(sendmail_site, mail):
    message = mail("no id", message_id="", date=False)
    first = ticket_of(deliver(sendmail_site, message)[0])
    assert ticket_of(deliver(sendmail_site, message)[0]) == first


def test_mail_for_others_is_left_alone(sendmail_site, mail):
    (copy,) = deliver(sendmail_site, mail("private", to="joe@example.test"),
                      "joe@example.test")
    assert header(copy, "Subject") == b"private"
    assert header(copy, "X-Ticket-ID") is None


@pytest.mark.parametrize("field,expected", [
    (b"Subject: Re: again\r\n", rb"Re: \[ID\] again"),
    (b"Subject: folded\r\n over two\r\n", rb"\[ID\] folded\n over two"),
    (b"Subject: r\xe9seau\r\n", b"\\[ID\\] r\xe9seau"),
    (b"", rb"\[ID\]"),
])
def test_subject_keeps_its_bytes(sendmail_site, mail, field, expected):
    message = mail(subject=None).replace(b"Date:", field + b"Date:", 1)
    (copy,) = deliver(sendmail_site, message)
    ticket = ticket_of(copy)
    assert re.fullmatch(expected.replace(b"ID", re.escape(ticket.encode())),
                        header(copy, "Subject").rstrip(b" "))
    assert len(headers(copy, "Subject")) == 1


def test_two_local_domains_stay_apart(sendmail_site, mail):
    (copy,) = deliver(sendmail_site, mail("second", to="it@second.test"), "it@second.test")
    assert ticket_of(copy).startswith("IT-")
    (other,) = deliver(sendmail_site, mail("other", to="support@second.test"),
                       "support@second.test")
    assert ticket_of(other) is None


def test_forged_ticket_headers_are_removed(sendmail_site, mail):
    (copy,) = deliver(sendmail_site, mail("forged", extra="X-Ticket-ID: IT-1\r\n"
                                                          "X-Ticket-ID: IT-2\r\n"))
    assert len(headers(copy, "X-Ticket-ID")) == 1
    assert ticket_of(copy) not in ("IT-1", "IT-2")


def test_daemon_down_means_451_and_the_retry_succeeds(sendmail_site, mail):
    from harness.util import stop
    product = sendmail_site.product
    stop(product.ticketd)
    message = mail("down")
    answer = send(sendmail_site.mta.port, ANN, DESK, message)
    assert 400 <= answer.code < 500
    product.start_ticketd()
    assert ticket_of(deliver(sendmail_site, message)[0])
