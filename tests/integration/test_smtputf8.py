# SPDX-License-Identifier: BSD-2-Clause
"""Requesters whose addresses are not ASCII: by a real Postfix that takes SMTPUTF8, by one that
does not, by one whose next hop does not; and domains as A-labels."""
import os
import smtplib
import subprocess

import pytest
from conftest import postfix_sites
from harness.smtp import header, send
from harness.util import free_port, port_open, stop, wait_for

JOSE = "jos\u00e9@example.test"
DESKS = """\
desk "it" {{ addresses = {{"support@example.test"}} prefix = "IT" }}
channel "mail" {{ type = "mail" url = "smtp://127.0.0.1:{port}" }}
notify "ack" {{ on = {{"created"}} to = {{"requester"}} channel = "mail" }}
"""


@pytest.fixture(scope="module", name="site")
def _site():
    hop = free_port()
    for made in postfix_sites(
            "smtputf8_enable = yes\nrecipient_delimiter = +\n"
            "virtual_mailbox_domains = example.test, xn--bcher-kva.example\n"
            f"transport_maps = inline:{{ {{ far.test = smtp:[127.0.0.1]:{hop} }} }}\n",
            desks=lambda port: DESKS.format(port=port)):
        made.hop = hop
        yield made


def mail_from(who, number):
    return (f"From: <{who}>\r\nTo: support@example.test\r\nSubject: words {number}\r\n"
            f"Message-ID: <words.{number}@customer.example>\r\n"
            "Date: Sun, 22 Nov 2026 10:00:00 +0000\r\n\r\nhelp\r\n").encode()


def submit(site, who, number):
    done = site.product.ctl("submit", "-f", who, "-r", "support@example.test",
                            stdin=mail_from(who, number), text=False)
    return done.stdout.split()[0].decode()


def events(site, ticket, kind):
    return [e["data"] for e in site.product.json("show", ticket)["events"] if e["kind"] == kind]


def acknowledgements(site):
    return [m for m in site.mta.mails() if header(m, "Auto-Submitted") == b"auto-replied"]


def set_utf8(site, wanted):
    """Until none of the old daemons answers."""
    def takes_it():
        with smtplib.SMTP("127.0.0.1", site.mta.port, timeout=60) as s:
            s.ehlo()
            return s.has_extn("smtputf8")
    site.mta.set(smtputf8_enable="yes" if wanted else "no")
    wait_for("its new settings", lambda: all(takes_it() == wanted for _ in range(3)))


def test_a_requester_with_a_local_part_in_utf8_is_told(site):
    got = send(site.mta.port, JOSE, "support@example.test", mail_from(JOSE, 1), options=["SMTPUTF8"])
    assert got.code == 250, got
    wait_for("the notice", lambda: acknowledgements(site))
    raw = acknowledgements(site)[0]
    assert header(raw, "Delivered-To") == header(raw, "To") == JOSE.encode()
    assert header(raw, "Return-Path").startswith(b"<support+b-")
    assert b"with UTF8SMTP id" in raw


def test_a_domain_goes_as_a_labels_by_any_server(site):
    site.mta.clear_mails()
    for number, wanted in ((2, True), (3, False)):
        set_utf8(site, wanted)
        submit(site, f"ann{number}@b\u00fccher.example", number)
        wait_for("the notice", lambda n=number: len(acknowledgements(site)) == n - 1)
    for raw in acknowledgements(site):
        assert header(raw, "Delivered-To").endswith(b"@xn--bcher-kva.example")
        assert header(raw, "To") == header(raw, "Delivered-To")
        assert b"UTF8SMTP" not in raw


def test_a_server_without_it_gets_no_such_address_and_the_ticket_says_why(site):
    site.mta.clear_mails()
    set_utf8(site, False)
    ticket = submit(site, JOSE, 4)
    wait_for("the event", lambda: events(site, ticket, "notice.undeliverable"))
    told = events(site, ticket, "notice.undeliverable")
    assert len(told) == 1 and "SMTPUTF8" in str(told[0]) and "5.6.7" in str(told[0]), told
    assert acknowledgements(site) == [] and events(site, ticket, "contact.marked") == []
    wait_for("no job", lambda: not [
        j for j in site.product.json("queue", "list") if j["state"] != "done"])


def test_what_a_later_hop_does_not_take_comes_back_and_is_recorded(site):
    set_utf8(site, True)
    sink = subprocess.Popen(["smtp-sink", *(["-u", "nobody"] if os.geteuid() == 0 else []),
                             f"127.0.0.1:{site.hop}", "10"], env=site.mta.env)
    try:
        wait_for("the next hop", lambda: port_open(site.hop))
        site.mta.clear_mails()
        ticket = submit(site, "jos\u00e9@far.test", 5)

        def reports():
            return [m for m in site.mta.mails() if b"report-type=" in m]
        wait_for("the report", reports)
    finally:
        stop(sink)
    to = header(reports()[0], "Delivered-To").decode()
    assert to.startswith("support+b-"), to
    site.product.ctl("submit", "-f", "", "-r", to, stdin=reports()[0], text=False)
    wait_for("the event", lambda: events(site, ticket, "notice.bounced"))
    assert [e["status"] for e in events(site, ticket, "notice.bounced")] == ["5.6.7"]
    assert [e["address"] for e in events(site, ticket, "notice.bounced")] == ["jos\u00e9@far.test"]
    assert events(site, ticket, "contact.marked") == []  # not at the first time
