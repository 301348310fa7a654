# SPDX-License-Identifier: BSD-2-Clause
"""The vnd.ticket extension in a real Dovecot, over LMTP."""

import pytest
from conftest import BUILD
from harness.dovecot import MAIL_UID, Dovecot
from harness.product import Product
from harness.smtp import header, headers
from harness.util import make_root, remove_root

DESK = "support@example.test"
ANN = "ann@customer.example"
TICKET = 'require ["vnd.ticket"];\nticket;\n'


class SieveSite:
    """ticketd (no milter) behind a private Dovecot."""

    def __init__(self, **dovecot):
        reason = Dovecot.missing(BUILD)
        if reason:
            pytest.skip(reason)
        self.root = make_root()
        self.product = Product(self.root, BUILD, hooks=f', "{MAIL_UID}"',
                               intake_umask="0000")
        self.product.prepare()
        self.product.start_ticketd()
        self.dovecot = Dovecot(self.root, BUILD, f"{self.product.root}/run/intake.sock",
                               **dovecot)

    def stop(self):
        self.dovecot.stop()
        self.product.stop()
        print(self.product.log("ticketd")[-3000:])
        print(self.dovecot.log()[-3000:])
        remove_root(self.root)


@pytest.fixture
def make_site():
    sites = []

    def make(**kw):
        sites.append(SieveSite(**kw))
        sites[-1].dovecot.start()
        return sites[-1]
    yield make
    for site in sites:
        site.stop()


def test_a_delivery_is_a_ticket_and_the_copy_carries_its_id(make_site, mail):
    site = make_site(before=TICKET)
    answer = site.dovecot.deliver(ANN, DESK, mail("Printer on fire"))
    assert answer[DESK][0] == 250, answer
    (ticket,) = site.product.tickets()
    assert ticket["desk"] == "it" and ticket["requester"] == ANN
    (copy,) = site.dovecot.mails(DESK)
    assert header(copy, "Subject") == f"[{ticket['id']}] Printer on fire".encode()
    assert len(headers(copy, "X-Ticket-ID")) == 1


def test_ticketd_away_means_451_and_nothing_is_stored(make_site, mail):
    site = make_site(before=TICKET)
    site.product.stop()
    message = mail("Printer on fire")
    assert site.dovecot.deliver(ANN, DESK, message)[DESK][0] == 451
    assert site.dovecot.mails(DESK) == []
    site.product.start_ticketd()
    assert site.dovecot.deliver(ANN, DESK, message)[DESK][0] == 250
    (ticket,) = site.product.tickets()
    (copy,) = site.dovecot.mails(DESK)
    assert header(copy, "Subject").startswith(f"[{ticket['id']}] ".encode())
