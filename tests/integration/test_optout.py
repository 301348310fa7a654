# SPDX-License-Identifier: BSD-2-Clause
"""The page that opts out, behind List-Unsubscribe: over HTTP, with a real ticketd."""
import base64
import email
import email.policy
import http.client
import os
import re

import pytest
from conftest import BUILD
from harness.product import Product
from harness.util import free_port, make_root, remove_root, wait_for

DESK = "support@example.test"
HR = "hr@example.test"
BASE = "https://notices.example.test/tickets"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
CONF = """
webhook {{
    listen = "127.0.0.1:{port}"
    public_url = "{base}"
}}
channel "mail" {{ type = "mail" options = {{"program={program}"}} }}
notify "boss" {{ on = {{"comment"}} to = {{"Boss@office.example"}} channel = "mail" }}
notify "ack" {{ on = {{"created", "comment"}} to = {{"requester"}} channel = "mail" }}
desk "it" {{ addresses = {{"{desk}"}} prefix = "IT" display_name = "The <IT> desk" }}
desk "hr" {{ addresses = {{"{hr}"}} prefix = "HR" display_name = "People" }}
"""


class Site:
    def __init__(self):
        self.root, self.port = make_root(), free_port()
        self.box = f"{self.root}/box"
        os.mkdir(self.box)
        os.chmod(self.box, 0o777)
        program = f"{self.root}/sendmail"
        with open(program, "w", encoding="ascii") as f:
            f.write(f"#!/bin/sh\nf=$(mktemp {self.box}/new.XXXXXX)\ncat > $f\n"
                    f"mv $f {self.box}/mail.${{f##*.}}\n")
        os.chmod(program, 0o755)
        self.product = Product(self.root, BUILD, desks=CONF.format(
            port=self.port, base=BASE, program=program, desk=DESK, hr=HR))
        self.product.prepare()
        self.product.start_ticketd()

    def mails(self, to):
        found = []
        for name in os.listdir(self.box):
            if name.startswith("mail."):
                with open(f"{self.box}/{name}", "rb") as f:
                    m = email.message_from_binary_file(f, policy=email.policy.default)
                if m["To"].addresses[0].addr_spec.lower() == to.lower():
                    found.append(m)
        return found

    def ticket(self, sender, desk=DESK):
        """Opened, and its acknowledgement is there."""
        done = self.product.ctl("submit", "-f", sender, "-r", desk, text=False, stdin=(
            f"From: {sender}\r\nTo: {desk}\r\nSubject: help\r\nMessage-ID: <{desk}.{sender}>\r\n"
            "\r\nIt does not work.\r\n").encode())
        wait_for("the acknowledgement", lambda: any(
            desk in str(m["From"]) for m in self.mails(sender)))
        return done.stdout.split()[0].decode()

    def comment(self, ticket, to, count):
        self.product.ctl("comment", ticket, "We look at it.", "--public")
        wait_for("the notice", lambda: len(self.mails(to)) == count)

    def call(self, method, path, body=None, headers=None):
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=180)
        c.request(method, path, body=body, headers=headers or {})
        answer = c.getresponse()
        said = (answer.status, answer.read().decode("utf-8"), answer.headers)
        c.close()
        return said

    def told_by(self, desk, to):
        return len([m for m in self.mails(to) if desk in str(m["From"])])

    def contacts(self):
        return {c["address"]: c for c in self.product.json("notify", "list")}

    def stop(self):
        self.product.stop()
        print(self.product.log("ticketd")[-4000:])
        remove_root(self.root)


@pytest.fixture(scope="module", name="site")
def _site():
    site = Site()
    yield site
    site.stop()


def link_of(mail):
    """What stands in List-Unsubscribe, as RFC 8058 wants it: its path here."""
    field = re.sub(r"\s+", " ", str(mail["List-Unsubscribe"]))
    https, mailto = re.fullmatch(r"<(https://[^<>\s]+)>, <(mailto:[^<>\s]+)>", field).groups()
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mailto.startswith("mailto:support+d-") and https.startswith(BASE + "/optout/")
    return https[len(BASE):]


def opened(site, sender):
    """A ticket, and the path of its contact's page."""
    ticket = site.ticket(sender)
    ack = site.mails(sender)[0]
    assert ack["List-Unsubscribe"] is None  # it answers him, who has just written
    site.comment(ticket, sender, 2)
    mail = next(m for m in site.mails(sender) if m["List-Unsubscribe"])
    path = link_of(mail)
    plain = mail.get_body(("plain",)).get_content()
    assert f"No more notices: {BASE}{path}" in plain.replace("\n", "")
    assert f'href="{BASE}{path}"' in mail.get_body(("html",)).get_content().replace("\n", "")
    # The whole address in any spelling: a short name alone may stand in random letters.
    for spelled in (b"customer.example", sender.encode().hex().encode(),
                    base64.b32encode(sender.encode()), base64.b64encode(sender.encode())):
        assert spelled.rstrip(b"=").decode().lower() not in path.lower()
    return ticket, path


def test_looking_changes_nothing_and_the_page_gives_nothing_away(site):
    ann = "ann@customer.example"
    _, path = opened(site, ann)
    for method in ("GET", "HEAD", "GET"):
        status, page, headers = site.call(method, path)
        assert status == 200
        assert (page == "") == (method == "HEAD")
    assert ann not in site.contacts()
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["Content-Language"] == "en"
    assert "<script" not in page and ann not in page and "a...@customer.example" in page
    assert "The &lt;IT&gt; desk" in page and "<IT>" not in page
    status, page, headers = site.call("GET", path, headers={"Accept-Language": "de-CH,en;q=0.5"})
    assert headers["Content-Language"] == "de" and "Keine Benachrichtigungen mehr" in page
    status, _, headers = site.call("PUT", path, body="x")
    assert status == 405 and headers["Allow"] == "GET, HEAD, POST"
    status, page, _ = site.call("POST", path, body="nothing=asked", headers=FORM)
    assert status == 400 and "Nothing was changed" in page
    assert ann not in site.contacts()


def test_one_click_ends_it_and_the_same_page_begins_it_again(site):
    bob = "Bob@customer.example"
    ticket, path = opened(site, bob)
    status, page, _ = site.call("POST", path, body="List-Unsubscribe=One-Click", headers=FORM)
    assert status == 200 and 'value="again"' in page
    row = site.contacts()[bob.lower()]
    assert (row["mark"], row["reason"]) == ("opted-out", "by link")
    assert site.call("POST", path, body="do=stop", headers=FORM)[0] == 200  # twice is once
    kinds = [e["kind"] for e in site.product.json("log", ticket)]
    assert kinds.count("contact.marked") == 1
    assert 'value="again"' in site.call("GET", path)[1]

    site.product.ctl("comment", ticket, "Nobody hears this.", "--public")
    opened(site, "behind@customer.example")  # planned in their order
    assert len(site.mails(bob)) == 2

    status, page, _ = site.call("POST", path, body="do=again", headers=FORM)
    assert status == 200 and 'value="stop"' in page
    assert bob.lower() not in site.contacts()
    site.comment(ticket, bob, 3)


def test_who_leaves_one_desk_hears_of_the_others_until_he_leaves_them_all(site):
    pat = "pat@customer.example"
    ticket, path = opened(site, pat)
    other = site.ticket(pat, HR)

    def both_are_commented():
        """The other desk's notice comes behind what this one's would have been."""
        was = site.told_by(HR, pat)
        for t in (ticket, other):
            site.product.ctl("comment", t, "We look at it.", "--public")
        wait_for("the other desk's", lambda: site.told_by(HR, pat) == was + 1)

    page = site.call("GET", path)[1]
    assert "of this desk" in page and 'value="stop"' in page and 'value="stop-all"' in page
    page = site.call("POST", path, body="List-Unsubscribe=One-Click", headers=FORM)[1]
    assert "tickets of this desk" in page and 'value="again"' in page and 'value="stop-all"' in page
    row = site.contacts()[pat]
    assert (row["mark"], row["desk"], row["reason"]) == ("opted-out", "it", "by link")
    told = site.told_by(DESK, pat)
    both_are_commented()
    assert site.told_by(DESK, pat) == told
    marked = [e["data"] for e in site.product.json("log", ticket) if e["kind"] == "contact.marked"]
    assert [(d["address"], d["desk"]) for d in marked] == [(pat, "it")]

    page = site.call("POST", path, body="do=stop-all", headers=FORM)[1]
    assert "whatever desk" in page and 'value="stop-all"' not in page
    assert "whatever desk" in site.call("GET", path)[1]
    told = len(site.mails(pat))
    for t in (ticket, other):
        site.product.ctl("comment", t, "Nobody hears this.", "--public")
    opened(site, "later@customer.example")  # planned in their order
    assert len(site.mails(pat)) == told

    page = site.call("POST", path, body="do=again", headers=FORM)[1]
    assert 'value="stop"' in page and pat not in site.contacts()
    told = site.told_by(DESK, pat)
    both_are_commented()
    wait_for("this desk's", lambda: site.told_by(DESK, pat) == told + 1)


def test_a_desk_is_left_and_joined_by_command(site):
    lea = "lea@customer.example"
    rows = lambda: sorted(r["desk"] for r in site.product.json("notify", "list")  # noqa: E731
                          if r["address"] == lea)
    site.product.ctl("notify", "optout", lea, "--desk", "hr")
    site.product.ctl("notify", "optout", lea, "--desk", "it")
    assert rows() == ["hr", "it"]
    assert "told again by desk hr" in site.product.ctl(
        "notify", "optout", lea, "--desk", "hr", "--back").stdout
    assert rows() == ["it"]
    site.product.ctl("notify", "optout", lea)
    assert rows() == ["", "it"]
    site.product.ctl("notify", "optout", lea, "--back")
    assert rows() == []
    assert site.product.ctl("notify", "optout", lea, "--desk", "nix", check=False).returncode != 0


def test_a_mail_program_may_post_as_the_rfc_prefers_it(site):
    eve = "eve@customer.example"
    _, path = opened(site, eve)
    body = ('--q\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\n'
            "One-Click\r\n--q--\r\n")
    status, _, _ = site.call("POST", path, body=body,
                             headers={"Content-Type": 'multipart/form-data; boundary="q"'})
    assert status == 200 and eve in site.contacts()


def test_no_other_address_can_be_made_of_a_link(site):
    _, path = opened(site, "max@customer.example")
    before = site.contacts()
    token = path.rsplit("/", 1)[1]
    for bad in (token[:-1], token + "a", "a" * len(token), "", "../hook/x", "%00" * 20,
                token[:20] + ("b" if token[20] == "a" else "a") + token[21:], "x" * 5000):
        status, page, headers = site.call("POST", f"/optout/{bad}", headers=FORM,
                                          body="List-Unsubscribe=One-Click")
        assert status == 404, bad
        assert headers["Content-Type"].startswith("text/html") and "<form" not in page
    status, _, _ = site.call("POST", path, body=b"do=stop&" * 2000, headers=FORM)
    assert status == 413
    assert site.contacts() == before
    # An upper-case copy is the same address: some programs change the case.
    assert site.call("GET", path[:8] + path[8:].upper())[0] == 200


def test_what_was_said_is_kept_over_a_kill(site):
    zoe = "zoe@customer.example"
    _, path = opened(site, zoe)
    assert site.call("POST", path, body="do=stop", headers=FORM)[0] == 200
    site.product.ticketd.kill()
    site.product.ticketd.wait()
    site.product.start_ticketd()
    assert zoe in site.contacts()
    assert 'value="again"' in site.call("GET", path)[1]


def test_who_is_no_party_of_the_ticket_opts_out_by_mail_and_by_link(site):
    """A fixed address: it is known by its own mail, and by its link."""
    boss = "boss@office.example"
    ticket, _ = opened(site, "tom@customer.example")
    wait_for("the boss's notice", lambda: any(ticket in m["Subject"] for m in site.mails(boss)))
    mail = next(m for m in site.mails(boss) if ticket in m["Subject"])
    path = link_of(mail)
    to = re.search(r"mailto:([^?>]+)", re.sub(r"\s", "", str(mail["List-Unsubscribe"]))).group(1)
    site.product.ctl("submit", "-f", boss, "-r", to, text=False, stdin=(
        f"From: {boss}\r\nTo: {to}\r\nSubject: unsubscribe\r\nMessage-ID: <u@{boss}>\r\n"
        "\r\n").encode())
    wait_for("the mark", lambda: boss in site.contacts())
    assert (site.contacts()[boss]["reason"], site.contacts()[boss]["desk"]) == ("by mail", "it")
    assert site.call("POST", path, body="do=again", headers=FORM)[0] == 200
    assert boss not in site.contacts()
