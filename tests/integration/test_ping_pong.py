# SPDX-License-Identifier: BSD-2-Clause
"""A desk that acknowledges and a real Request Tracker that acknowledges everything, behind
one Postfix: each hears of the other, and it ends."""
import os
import time

import pytest
from conftest import BUILD, Site, make_root, remove_root, skip_without_postfix
from harness.mta import Postfix
from harness.product import Product
from harness.rt import RT
from harness.smtp import header, send
from harness.util import wait_for

SENDMAIL = """\
#!/usr/bin/python3
import email, smtplib, sys
mail = sys.stdin.buffer.read()
to = email.message_from_bytes(mail)["To"]
with smtplib.SMTP("127.0.0.1", {port}) as s:
    s.sendmail("rt@rt.test", [to], mail)
"""


@pytest.fixture(scope="module")
def site():
    skip_without_postfix()
    if RT.missing():
        pytest.skip(RT.missing())
    path = make_root()
    os.chmod(path, 0o755)
    product = Product(path, BUILD)
    postfix = Postfix(path, settings=(
        f"smtpd_milters = {product.milter_socket}\nmyorigin = one.test\n"
        "recipient_delimiter = +\nvirtual_mailbox_domains = one.test, rt.test\n"))
    product.parts["desks"] = f"""\
desk "it" {{ addresses = {{"support@one.test"}} prefix = "IT" }}
channel "mail" {{ type = "mail" url = "smtp://127.0.0.1:{postfix.port}" }}
notify "told" {{ on = {{"created", "follow_up", "state"}} to = {{"requester"}} channel = "mail" }}
"""
    with open(f"{path}/sendmail", "w", encoding="ascii") as f:
        f.write(SENDMAIL.format(port=postfix.port))
    os.chmod(f"{path}/sendmail", 0o755)
    rt = RT(path, sendmail=f"{path}/sendmail")
    try:
        product.start()
        postfix.start()
        rt.start()
        site = Site(path, product, postfix)
        site.rt = rt
        yield site
    finally:
        rt.stop()
        postfix.stop()
        product.stop()
        print(product.log("ticketd")[-3000:])
        print(rt.log())
        remove_root(path)


def to_rt(site):
    return [m for m in site.mta.mails() if b"rt@rt.test" in header(m, "To")]


def rally(site, rounds=12):
    """Gives RT what came for it, until nothing comes any more; how many mails it got."""
    given, quiet_since = 0, time.monotonic()
    while given < rounds and time.monotonic() - quiet_since < 6:
        mails = to_rt(site)
        for mail in mails[given:]:
            site.rt.take_mail(mail)
            quiet_since = time.monotonic()
        given = max(given, len(mails))
        time.sleep(0.2)
    return given


def test_what_rt_acknowledges_is_not_acknowledged_back_and_forth(site, mail):
    ours = mail("Printer on fire", to="support@one.test", sender="RT <rt@rt.test>")
    assert send(site.mta.port, "rt@rt.test", "support@one.test", ours).code == 250
    wait_for("our acknowledgement", lambda: len(to_rt(site)) == 1)
    assert rally(site) <= 2
    assert len(site.product.tickets()) <= 2


def test_rt_begins_and_it_ends(site, mail):
    site.mta.clear_mails()
    before = len(site.product.tickets())
    # As if somebody had asked RT in our desk's name: its acknowledgement comes to us.
    site.rt.take_mail(mail("Who are you", to="rt@rt.test", sender="IT <support@one.test>"))
    wait_for("RT to write to us", lambda: any(
        b"support@one.test" in header(m, "To") for m in site.mta.mails()))
    assert rally(site) <= 2
    assert len(site.product.tickets()) <= before + 1
