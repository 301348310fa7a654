# SPDX-License-Identifier: BSD-2-Clause
"""ticketd behind a private Dovecot, and what becomes of one mail there."""
import itertools

from .dovecot import MAIL_UID, Dovecot, make_site_root, remove_site_root
from .product import Product
from .util import wait_for

DESK = "support@example.test"
ANN = "ann@customer.example"
IT = 'require "vnd.ticket";\nticket :desk "it";\n'

USERS = (f"user{n}@example.test" for n in itertools.count(1))


class SieveSite:
    """product: keywords of Product; milter: that one too; the rest is Dovecot's."""

    def __init__(self, build, product=None, milter=False, **dovecot):
        self.root = make_site_root()
        self.known = set()
        self.product = Product(self.root, build, hooks=f', "{MAIL_UID}"',
                               intake_umask="0000", **(product or {}))
        self.product.prepare()
        self.product.start_ticketd()
        if milter:
            self.product.start_milter()
        self.dovecot = Dovecot(self.root, build, f"{self.product.root}/run/intake.sock",
                               **dovecot)

    def start(self):
        self.dovecot.start()
        return self

    def kill_ticketd(self):
        """kill -9, as the machine would."""
        self.product.ticketd.kill()
        self.product.ticketd.wait()

    def stop(self):
        self.dovecot.stop()
        self.product.stop()
        print(self.product.log("ticketd")[-3000:])
        print(self.dovecot.log()[-3000:])
        remove_site_root(self.root)


class Delivery:
    """One mail for a new user: the answer, the copies, the tickets that it made."""

    def __init__(self, site, script, message, rcpt=None, sender=ANN, user_script=None):
        self.site, self.rcpt = site, rcpt or next(USERS)
        if site.product.up():
            site.known = {t["id"] for t in site.product.tickets()}
        self.before = site.known
        site.dovecot.script(script)
        if user_script:
            site.dovecot.user_script(self.rcpt, user_script)
        self.log_at = len(site.dovecot.log())
        self.message, self.sender = message, sender
        self.again()

    def again(self):
        self.code, self.text = self.site.dovecot.deliver(
            self.sender, self.rcpt, self.message)[self.rcpt]
        return self.code

    def copies(self, folder=""):
        return self.site.dovecot.mails(self.rcpt, folder)

    def tickets(self):
        return [t for t in self.site.product.tickets() if t["id"] not in self.before]

    def becomes(self, state):
        """Its one ticket in that state: how a delivery ended is told to ticketd, and nobody
        waits for what that does."""
        def look():
            (ticket,) = self.tickets()
            return ticket["state"] == state and ticket
        return wait_for(f"a ticket that is {state}", look)

    def log(self):
        return self.site.dovecot.log()[self.log_at:]

    def says(self, text):
        """Waits for a line about this delivery."""
        self.site.dovecot.says(text, self.log_at)
