# SPDX-License-Identifier: BSD-2-Clause
"""`ticketctl raw` is the message as the MTA handed it over: signatures verify on it."""
import pytest
from conftest import BUILD
from harness import dkim
from harness.product import Product
from harness.smtp import send

DESK = "support@example.test"
ANN = f"ann@{dkim.DOMAIN}"
CANONS = ("simple/simple", "relaxed/relaxed", "relaxed/simple", "simple/relaxed")


@pytest.fixture
def signer(root):
    reason = dkim.missing()
    if reason:
        pytest.skip(reason)
    return dkim.Dkim(root)


def signed_mails(signer, mail):
    """One of each canonicalisation: folds, double blanks, blanks at line ends, empty lines
    at the end, 8-bit text."""
    for n, canon in enumerate(CANONS):
        text = b"two  blanks \r\n\r\n.dot\r\n\xc3\xa4\r\n" + b"%d\r\n" % n + b"\r\n\r\n"
        yield canon, signer.sign(mail(f"signed  {canon}\r\n\twith a fold ", body=text), canon)


def test_the_checker_sees_the_smallest_change(signer, mail):
    for canon, message in signed_mails(signer, mail):
        assert signer.verdict(message) == "pass", canon
        assert signer.verdict(b"Received: from x by y\r\n" + message) == "pass", canon
        assert signer.verdict(message.replace(b"signed", b"[IT-1] signed")) == "fail", canon
        assert signer.verdict(message.replace(b".dot", b".dots")) == "fail", canon
        head = "pass" if canon.startswith("relaxed") else "fail"
        assert signer.verdict(message.replace(b"signed  ", b"signed ")) == head, canon
        body = "pass" if canon.endswith("relaxed") else "fail"
        assert signer.verdict(message.replace(b"blanks \r\n", b"blanks\r\n")) == body, canon


def test_raw_of_a_submitted_mail_verifies(root, signer, mail):
    product = Product(root, BUILD)
    product.prepare()
    product.start_ticketd()
    try:
        for canon, message in signed_mails(signer, mail):
            out = product.ctl("submit", "-f", ANN, "-r", DESK, stdin=message, text=False)
            ticket = out.stdout.split()[0].decode()
            raw = product.ctl("raw", ticket, text=False).stdout
            assert raw.endswith(message), canon
            assert signer.verdict(raw) == "pass", canon
    finally:
        product.stop()


def through(site, signer, mail):
    for canon, message in signed_mails(signer, mail):
        before = {t["id"] for t in site.product.tickets()}
        assert send(site.mta.port, ANN, DESK, message).code == 250
        (new,) = {t["id"] for t in site.product.tickets()} - before
        raw = site.product.ctl("raw", new, text=False).stdout
        assert signer.verdict(raw) == "pass", canon


def test_raw_of_a_mail_through_postfix_verifies(site, signer, mail):
    through(site, signer, mail)


def test_raw_of_a_mail_through_sendmail_verifies(sendmail_site, signer, mail):
    through(sendmail_site, signer, mail)
