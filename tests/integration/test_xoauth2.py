# SPDX-License-Identifier: BSD-2-Clause
"""Notices by mail with a token instead of a password, at Dovecot's submission service."""
import os

import pytest
from conftest import BUILD
from harness.product import DAEMON_UID, Product
from harness.submission import Submission
from harness.util import make_root, remove_root, wait_for

DESKS = """
channel "mail" {{
    type = "mail"
    url = "smtp://localhost:{s.port}"
    options = {{"tls=starttls"}}
    ca_file = "{s.ca_file}"
    auth = oauth_client
    user = "desk"
    token_url = "{s.tokens.url}/token"
    client_id = "milter"
    client_secret = "file:{secret}"
}}
notify "ack" {{ on = {{"created"}} to = {{"requester"}} channel = "mail" }}
desk "it" {{ addresses = {{"support@example.test"}} prefix = "IT" }}
"""


class Site:
    def __init__(self):
        self.root = make_root()
        self.submission = Submission(f"{self.root}/s").start()
        secret = f"{self.root}/client"
        with open(secret, "w", encoding="ascii") as f:
            f.write("cl1ent-word")
        os.chmod(secret, 0o400)
        os.chown(secret, DAEMON_UID, 0)
        self.product = Product(self.root, BUILD, desks=DESKS.format(s=self.submission, secret=secret))
        self.product.prepare()
        self.product.start_ticketd()
        self.number = 0

    def submit(self):
        self.number += 1
        who = f"ann{self.number}@customer.example"
        self.product.ctl("submit", "-f", who, "-r", "support@example.test", stdin=(
            f"From: <{who}>\r\nTo: support@example.test\r\nSubject: printer\r\n"
            f"Message-ID: <x{self.number}@customer.example>\r\n"
            "Date: Sun, 22 Nov 2026 10:00:00 +0000\r\n\r\nhelp\r\n"))
        return who

    def told(self, who):
        wait_for(f"the notice to {who}", lambda: any(
            f"X-Rcpt-Args: <{who}>".encode() in m and b"Auto-Submitted: auto-replied" in m
            for m in self.submission.mails()))

    def stop(self):
        self.product.stop()
        self.submission.stop()
        print(self.product.log("ticketd")[-3000:], self.submission.log()[-3000:])
        for token in self.submission.tokens.asked:
            assert token not in self.product.log("ticketd")
        remove_root(self.root)


@pytest.fixture(name="site", scope="module")
def _site():
    if Submission.missing():
        pytest.skip(Submission.missing())
    site = Site()
    yield site
    site.stop()


def test_a_notice_is_submitted_with_a_token(site):
    tokens = site.submission.tokens
    site.told(site.submit())
    assert tokens.given == 1 and set(tokens.asked) == tokens.good
    site.told(site.submit())
    assert tokens.given == 1  # it is kept


def test_a_token_that_is_no_longer_good_is_fetched_anew(site):
    tokens = site.submission.tokens
    tokens.good.clear()
    before = tokens.given
    site.told(site.submit())
    assert tokens.given == before + 1 and set(tokens.asked[-1:]) == tokens.good


def test_a_server_that_takes_no_token_is_told_of_and_the_notice_waits(site):
    tokens = site.submission.tokens
    tokens.good.clear()
    tokens.gives_good = False
    who = site.submit()

    def waiting():
        return [j for j in site.product.json("queue", "list") if j["state"] == "deferred"]
    wait_for("a try that failed", waiting)
    for said in ("the secret of channel mail is refused: ", "the token is refused"):
        wait_for("a line", lambda w=said: w in site.product.log("ticketd"))
    assert len(waiting()) == 1 and waiting()[0]["attempts"] == 1
    number = str(waiting()[0]["job"])
    tokens.gives_good = True
    site.product.ctl("queue", "retry", number)  # the channel, too, is tried
    site.told(who)
