# SPDX-License-Identifier: BSD-2-Clause
"""OAuth grants against a strict token server, and tokens that outlive a restart."""
import glob
import os
import signal
import sqlite3

import pytest
from bench.bench_itsm import fill
from conftest import BUILD
from harness.fake_oauth import JWT, OAuth, make_key
from harness.product import DAEMON_UID, DESKS, Product
from harness.util import make_root, remove_root, wait_for
from harness.vendor import Driver

CREATE = "/api/now/v2/table/incident"


@pytest.fixture
def server():
    made = OAuth()
    yield made
    made.stop()
    assert made.unknown == [] and made.broken == []


@pytest.fixture
def root():
    made = make_root()
    yield made
    remove_root(made)


def stanza(server, auth, more=""):
    return (f'auth = {auth}\nuser = "us"\ntoken_url = "{server.url}/oauth_token.do"\n'
            f'client_id = "cl"\n{more}')


def jwt(server, root, kind, more="", **options):
    with open(make_key(f"{root}/{kind}", kind), encoding="ascii") as f:
        pem = f.read()
    server.public = f"{root}/{kind}.pub"
    return Driver(BUILD, server, "servicenow", stanza(server, "oauth_jwt", more), secret=pem,
                  **options)


def refused(drive, words):
    """itsm_drive has no token and says why, without the secret."""
    with pytest.raises(AssertionError) as e:
        drive("check")
    assert words in str(e.value) and "s3cret-word" not in str(e.value)


@pytest.mark.parametrize("kind,algorithm", [("rsa", "RS256"), ("p256", "ES256")])
def test_a_signed_assertion_gets_in(server, root, kind, algorithm):
    server.algorithm = algorithm
    drive = jwt(server, root, kind)
    for _ in range(4):  # ES256: halves of other lengths, and each jti but once
        drive.good("check")
    assert server.fetches == [JWT] * 4 and len(server.seen_ids) == 4


def test_audience_key_id_scope_and_a_client_secret_go_along(server, root):
    server.audience, server.kid, server.client_secret = "https://login.test/x", "k 1", "cl1ent-word"
    drive = jwt(server, root, "rsa", 'audience = "https://login.test/x"\nkey_id = "k 1"\n'
                'scope = "a b"\n', client="cl1ent-word")
    drive.good("check")
    assert server.claims[0]["scope"] == "a b"


@pytest.mark.parametrize("kind", ["short", "p384"])
def test_a_key_that_is_too_weak_or_of_another_kind_signs_nothing(server, root, kind):
    refused(jwt(server, root, kind), "RSA of at least 2048 bits nor P-256")
    assert server.fetches == []


def test_what_is_no_key_is_not_told(server):
    refused(Driver(BUILD, server, "servicenow", stanza(server, "oauth_jwt")),
            "no private key in PEM")
    assert server.fetches == []


def test_a_wrong_signature_is_refused(server, root):
    drive = jwt(server, root, "rsa")
    server.public = make_key(f"{root}/other", "rsa") + ".pub"
    refused(drive, "400 invalid_grant")


# -- with ticketd


class Site:
    def __init__(self, server, root, auth, secret, more="", tickets=1):
        self.server, self.root = server, root
        self.secret = f"{root}/secret"
        self.write_secret(secret)
        desks = (f'itsm "rt" {{\ntype = "servicenow"\nurl = "{server.url}"\n'
                 f'secret = "file:{self.secret}"\n{stanza(server, auth, more)}}}\n' +
                 DESKS.replace('prefix = "IT"', 'prefix = "IT"\n    itsm = "rt"', 1))
        self.product = Product(root, BUILD, desks=desks)
        self.product.prepare()
        if tickets:
            fill(BUILD, self.product, tickets)
        self.mails = 0

    def write_secret(self, secret):
        with open(self.secret, "w", encoding="ascii") as f:
            f.write(secret)
        os.chown(self.secret, DAEMON_UID, 0)
        os.chmod(self.secret, 0o400)

    def mail(self):
        self.mails += 1
        text = (f"From: Ann <ann@sender.test>\r\nTo: support@example.test\r\n"
                f"Subject: mail {self.mails}\r\nMessage-ID: <m{self.mails}@sender.test>\r\n"
                "Date: Sun, 22 Nov 2026 10:00:00 +0000\r\n\r\nhelp\r\n")
        self.product.ctl("submit", "-f", "ann@sender.test", "-r", "support@example.test",
                         stdin=text)

    def rows(self):
        return len(self.server.tables["incident"])

    def wait(self, count):
        wait_for(f"{count} tickets", lambda: self.rows() >= count and not self.open(), step=0.1)
        assert self.rows() == count

    def open(self):
        return [j for j in self.product.json("queue", "list") if j["state"] != "done"]

    def restart(self, how=signal.SIGTERM):
        os.kill(self.product.ticketd.pid, how)
        self.product.ticketd.wait(60)
        self.product.start_ticketd()

    def stored(self):
        with sqlite3.connect(f"file:{self.product.root}/store/tickets.db?mode=ro",
                             timeout=60, uri=True) as db:
            return db.execute("SELECT key, until, data FROM tokens").fetchall()

    def stop(self):
        self.product.stop()
        print(self.product.log("ticketd")[-3000:])


@pytest.fixture
def site_of(server, root):
    sites = []

    def make(*args, **kw):
        sites.append(Site(server, root, *args, **kw))
        return sites[-1]
    yield make
    for site in sites:
        site.stop()


def jwt_site(site_of, server, root, **kw):
    with open(make_key(f"{root}/rsa", "rsa"), encoding="ascii") as f:
        pem = f.read()
    server.public = f"{root}/rsa.pub"
    return site_of("oauth_jwt", pem, **kw)


def test_a_restart_needs_no_new_token_and_a_copy_of_the_database_tells_none(site_of, server, root):
    site = jwt_site(site_of, server, root)
    site.product.start_ticketd()
    site.wait(1)
    assert len(server.fetches) == 1
    for how in (signal.SIGTERM, signal.SIGKILL):
        site.restart(how)
        site.mail()
        site.wait(site.mails + 1)
    assert len(server.fetches) == 1 and len(site.stored()) == 1
    token = next(iter(server.tokens)).encode()
    for path in glob.glob(f"{site.product.root}/store/**", recursive=True):
        if os.path.isfile(path):
            with open(path, "rb") as f:
                assert token not in f.read(), path
    # Under other keys it is nothing, and is written anew.
    os.kill(site.product.ticketd.pid, signal.SIGTERM)
    site.product.ticketd.wait(60)
    os.unlink(f"{site.product.root}/store/token.key")
    site.product.start_ticketd()
    site.mail()
    site.wait(4)
    assert len(server.fetches) == 2 and len(site.stored()) == 1


def test_a_401_makes_one_new_token_and_one_ticket(site_of, server, root):
    site = jwt_site(site_of, server, root, tickets=1)
    site.product.start_ticketd()
    site.wait(1)
    server.tokens.clear()  # revoked
    site.mail()
    site.wait(2)
    refused = [r for r, status in server.requests if status == 401]
    assert len(server.fetches) == 2 and len(refused) == 1
    creates = [status for r, status in server.requests
               if r.method == "POST" and r.path == CREATE and status == 201]
    assert len(creates) == 2
    site.restart()  # the one that was revoked is not kept
    site.mail()
    site.wait(3)
    assert len(server.fetches) == 2


def test_many_at_once_that_are_refused_ask_once(site_of, server, root):
    site = jwt_site(site_of, server, root, tickets=1, more="concurrency = 8\n")
    site.product.start_ticketd()
    site.wait(1)
    server.tokens.clear()
    for _ in range(8):
        site.mail()
    site.wait(9)
    assert len(server.fetches) == 2


def test_a_refresh_token_that_changes_is_kept(site_of, server):
    server.refresh = "first refresh"
    server.life_s = 2
    site = site_of("oauth_refresh", "first refresh")
    site.product.start_ticketd()
    site.wait(1)
    for how in (signal.SIGTERM, signal.SIGKILL, signal.SIGKILL):
        server.tokens.clear()
        site.restart(how)
        site.mail()
        site.wait(site.mails + 1)
    assert set(server.fetches) == {"refresh_token"} and not server.ended
    assert len(server.used) >= 4 and "first refresh" in server.used
    last = server.refresh.encode()
    assert all(last not in data for _, _, data in site.stored())


def test_a_new_consent_begins_anew(site_of, server):
    server.refresh = "first refresh"
    site = site_of("oauth_refresh", "first refresh")
    site.product.start_ticketd()
    site.wait(1)
    server.refresh, server.used = "second consent", set()  # the first one was taken back
    server.tokens.clear()
    os.unlink(site.secret)
    site.write_secret("second consent")
    site.restart()
    site.mail()
    site.wait(2)
    assert server.used == {"second consent"} and not server.ended
