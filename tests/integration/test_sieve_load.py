# SPDX-License-Identifier: BSD-2-Clause
"""Deliveries at a steady rate: TKT_SIEVE_SECONDS of them (60 in a campaign)."""
import os
import smtplib
import threading
import time

from harness.sieve import ANN, IT, USERS
from harness.smtp import header

RATE = 200
WORKERS = 10


class Sender(threading.Thread):
    """A tenth of the rate, on one connection; what was answered and how late it was."""

    def __init__(self, site, mail, rcpt, seconds, rate):
        super().__init__()
        self.site, self.mail, self.rcpt = site, mail, rcpt
        self.count, self.pause = int(seconds * rate), 1 / rate
        self.codes, self.slowest = [], 0.0

    def run(self):
        start = time.monotonic()
        with smtplib.LMTP("127.0.0.1", self.site.dovecot.port, local_hostname="c.test") as s:
            s.ehlo()
            for n in range(self.count):
                time.sleep(max(0.0, start + n * self.pause - time.monotonic()))
                began = time.monotonic()
                try:
                    s.sendmail(ANN, [self.rcpt], self.mail(f"{self.name} {n}"))
                    self.codes.append(250)
                except smtplib.SMTPDataError as e:
                    self.codes.append(e.smtp_code)
                except smtplib.SMTPException:
                    self.codes.append(0)
                self.slowest = max(self.slowest, time.monotonic() - began)


def test_a_minute_at_a_steady_rate_makes_a_ticket_of_every_answer(make_sieve, mail):
    seconds = int(os.environ.get("TKT_SIEVE_SECONDS", "3"))
    site = make_sieve(before=IT, product={"log_level": "warning"})
    senders = [Sender(site, mail, next(USERS), seconds, RATE / WORKERS) for _ in range(WORKERS)]
    start = time.monotonic()
    for s in senders:
        s.start()
    for s in senders:
        s.join()
    took = time.monotonic() - start
    codes = [c for s in senders for c in s.codes]
    print(f"{len(codes)} deliveries in {took:.1f} s, {len(codes) / took:.0f}/s, slowest "
          f"{max(s.slowest for s in senders):.2f} s, not 250: {len(codes) - codes.count(250)}")
    assert set(codes) == {250}
    assert len(codes) == seconds * RATE
    tickets = {t["id"] for t in site.product.tickets()}
    assert len(tickets) == len(codes)
    tagged = set()
    for s in senders:
        copies = site.dovecot.mails(s.rcpt)
        assert len(copies) == s.count
        tagged |= {header(c, "X-Ticket-ID").split(b";")[0].decode() for c in copies}
    assert tagged == tickets
