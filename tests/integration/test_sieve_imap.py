# SPDX-License-Identifier: BSD-2-Clause
"""vnd.ticket where IMAP moves or saves a mail into a folder."""
import imaplib
import os

import pytest
from harness.dovecot import TREE
from harness.sieve import ANN, USERS
from harness.smtp import header, headers
from harness.util import port_open, wait_for

TOP = """\
protocol imap {{
  mail_plugins = $mail_plugins imap_sieve
}}
"""
SETTINGS = """\
  imapsieve_mailbox1_name = Desk
  imapsieve_mailbox1_causes = COPY APPEND
  imapsieve_mailbox1_before = file:{r}/imap.sieve
  sieve_ticket_imap = %s
"""


def site_of(sieve_site, answer):
    if not os.path.exists(f"{TREE}/usr/lib/dovecot/modules/lib95_imap_sieve_plugin.so"):
        pytest.skip("Dovecot's imap_sieve is not installed")
    site = sieve_site(protocols="imap", top=TOP.replace("{{", "{").replace("}}", "}"),
                      plugins="sieve_imapsieve", settings=SETTINGS % answer)
    script = f"{site.dovecot.root}/imap.sieve"
    with open(script, "w", encoding="utf-8") as f:
        f.write('require ["vnd.ticket", "imapsieve"];\nticket :desk "it";\n')
    assert site.dovecot.compile(script).returncode == 0
    wait_for("IMAP", lambda: port_open(site.dovecot.imap_port))
    return site


@pytest.fixture(scope="module")
def on(sieve_site):
    return site_of(sieve_site, "yes")


def login(site, user):
    box = imaplib.IMAP4("127.0.0.1", site.dovecot.imap_port)
    box.login(user, "x")
    box.create("Desk")
    return box


def move(site, user, message):
    site.dovecot.script("keep;")
    assert site.dovecot.deliver(ANN, user, message)[user][0] == 250
    box = login(site, user)
    box.select("INBOX")
    answer = box.copy("1", "Desk")
    box.logout()
    return answer


def test_a_mail_moved_to_the_folder_is_a_ticket_of_its_author(on, mail):
    user = next(USERS)
    assert move(on, user, mail("moved"))[0] == "OK"
    (ticket,) = [t for t in on.product.tickets() if t["subject"] == "moved"]
    assert ticket["requester"] == ANN and ticket["desk"] == "it"
    wait_for("its confirmation", lambda: on.product.json("show", ticket["id"])["state"] == "new")
    for folder in ("", "Desk"):
        (copy,) = on.dovecot.mails(user, folder)
        assert header(copy, "Subject") == b"moved" and not headers(copy, "X-Ticket-ID")


def test_a_mail_saved_to_the_folder_is_a_ticket_once(on, mail):
    user = next(USERS)
    message = mail("saved")
    box = login(on, user)
    for _ in range(2):
        assert box.append("Desk", None, None, message)[0] == "OK"
    box.logout()
    tickets = [t for t in on.product.tickets() if t["subject"] == "saved"]
    assert len(tickets) == 1 and tickets[0]["requester"] == ANN


def test_imap_makes_no_tickets_where_that_is_off(make_sieve, mail):
    off = site_of(make_sieve, "no")
    user = next(USERS)
    assert move(off, user, mail("quiet"))[0] == "OK"
    assert off.product.tickets() == []
    assert len(off.dovecot.mails(user, "Desk")) == 1
    log = f"{off.dovecot.root}/imap.sieve.log"

    def logs():
        if not os.path.exists(log):
            return off.dovecot.log()
        with open(log, encoding="utf-8") as f:
            return off.dovecot.log() + f.read()
    wait_for("why there is none", lambda: "no tickets outside a delivery" in logs())
