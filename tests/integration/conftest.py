# SPDX-License-Identifier: BSD-2-Clause
"""Servers shared by the suites. A missing one is skipped aloud, never silently."""
import itertools
import os
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from harness.contract import Drive  # noqa: E402
from harness.dovecot import Dovecot  # noqa: E402
from harness.mta import Postfix, Sendmail  # noqa: E402
from harness.product import Product  # noqa: E402
from harness.sieve import SieveSite  # noqa: E402
from harness.util import make_root, remove_root  # noqa: E402

BUILD = os.environ.get("TKT_BUILDDIR", os.path.abspath("build"))
SRC = os.environ.get("TKT_SRCDIR", os.path.abspath("."))
serial = itertools.count(1)


def skip_without_postfix():
    reason = Postfix.missing()
    if reason:
        pytest.skip(reason)


class Site:
    """Our programs with one MTA in front."""

    def __init__(self, root, product, mta):
        self.root, self.product, self.mta = root, product, mta


def postfix_sites(settings="", desks=None, **parts):
    """A site with Postfix, stopped in the end; desks may be a function of Postfix's port."""
    skip_without_postfix()
    path = make_root()
    product = Product(path, BUILD, **parts)
    postfix = Postfix(path, settings=(
        f"smtpd_milters = {product.milter_socket}\nmyorigin = example.test\n{settings}"))
    if desks is not None:
        product.parts["desks"] = desks if isinstance(desks, str) else desks(postfix.port)
    try:
        product.start()
        postfix.start()
        yield Site(path, product, postfix)
    finally:
        postfix.stop()
        product.stop()
        print(product.log("ticketd")[-4000:])
        print(product.log("milter")[-3000:])
        remove_root(path)


def without_mta(product):
    """Our programs with nothing in front, stopped in the end; its root goes with them."""
    try:
        product.prepare()
        product.start_ticketd()
        yield product
    finally:
        product.stop()
        print(product.log("ticketd")[-4000:])
        remove_root(os.path.dirname(product.root))


def sieve_sites():
    """Makes sites with Dovecot and stops them in the end."""
    reason = Dovecot.missing(BUILD)
    if reason:
        pytest.skip(reason)
    sites = []

    def make(**kw):
        sites.append(SieveSite(BUILD, **kw))
        return sites[-1].start()
    try:
        yield make
    finally:
        for site in sites:
            site.stop()


@pytest.fixture(scope="module")
def sieve_site():
    yield from sieve_sites()


@pytest.fixture
def make_sieve():
    yield from sieve_sites()


@pytest.fixture
def root():
    path = make_root()
    yield path
    remove_root(path)


@pytest.fixture(scope="module")
def site():
    """Postfix with two desks, kept for the tests of one file."""
    yield from postfix_sites(
        "non_smtpd_milters = $smtpd_milters\n"
        "message_size_limit = 80000000\nvirtual_mailbox_limit = 0\nmailbox_size_limit = 0\n"
        "smtputf8_enable = yes\nrelay_domains = relayed.test\nrelay_transport = discard\n")


@pytest.fixture(scope="module")
def sendmail_site():
    """The same behind Sendmail."""
    tree, reason = Sendmail.unpack(f"{BUILD}/peers/sendmail")
    if reason:
        pytest.skip(reason)
    path = make_root()
    product = Product(path, BUILD, milter="    deadline = 12s\n",
                      parser="    budget = 5s\n    queue_wait = 5s\n")
    product.milter_socket = f"local:{product.root}/socket/milter.sock"
    sendmail = Sendmail(path, f"local:{product.root}/socket/milter.sock", tree)
    try:
        product.start()
        sendmail.start()
        yield Site(path, product, sendmail)
    finally:
        sendmail.stop()
        product.stop()
        print(product.log("ticketd")[-3000:])
        print(product.log("milter")[-3000:])
        print(sendmail.log()[-3000:])
        remove_root(path)


@pytest.fixture
def mail():
    """Makes distinct mails: mail(subject=..., to=..., body=..., extra=...)."""
    def make(subject="hello", to="support@example.test", body="It does not work.\r\n",
             sender="Ann <ann@customer.example>", message_id=None, date=True, extra=""):
        n = next(serial)
        if message_id is None:
            message_id = f"<{n}.{os.getpid()}@customer.example>"
        lines = [f"From: {sender}", f"To: {to}"]
        if subject is not None:
            lines.append(f"Subject: {subject}")
        if date:
            lines.append(f"Date: Sun, 22 Nov 2026 09:{n // 60 % 60:02}:{n % 60:02} +0000")
        if message_id:
            lines.append(f"Message-ID: {message_id}")
        head = "\r\n".join(lines) + "\r\n" + extra
        return head.encode("utf-8", "surrogateescape") + b"\r\n" + (
            body if isinstance(body, bytes) else body.encode())
    return make


@pytest.fixture(name="build")
def _build():
    return BUILD


@pytest.fixture(name="fake")
def _fake(request):
    """The stand-in that a Contract suite names."""
    fake = request.cls.stand_in()
    yield fake
    fake.stop()


@pytest.fixture(name="drive")
def _drive(fake, request):
    """One operation of the suite's backend against it."""
    drive = Drive(BUILD, request.cls.section.format(url=fake.url), request.cls.secret)
    yield drive
    drive.remove()
