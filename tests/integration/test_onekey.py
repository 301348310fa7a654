# SPDX-License-Identifier: BSD-2-Clause
"""One mail, five ways in, one ticket.

The same mail comes by the milter behind Postfix, by the milter behind Sendmail, as the
bytes that Postfix hands to LMTP - by hand and to Dovecot, where Sieve asks -, and over a hop
that turns 8-bit content into 7-bit.
"""
import pytest
from conftest import BUILD, skip_without_postfix
from harness.dovecot import MAIL_UID, Dovecot
from harness.mta import Postfix, Sendmail
from harness.product import Product
from harness.sieve import IT, USERS
from harness.sink import Sink
from harness.smtp import send
from harness.util import make_root, remove_root, wait_for

DESK = "support@example.test"
ANN = "ann@customer.example"
HEAD = (b"From: Ann <ann@customer.example>\r\nTo: support@example.test\r\n"
        b"Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?= and\r\n more\r\n")
IDS = (b"Date: Sun, 22 Nov 2026 09:00:00 +0000\r\n"
       b"Message-ID: <onekey.%d@customer.example>\r\n")
MIME = b"MIME-Version: 1.0\r\n"
MULTIPART = b"""\
Content-Type: multipart/mixed; boundary="outer"\r
\r
preamble\r
--outer\r
Content-Type: multipart/alternative;\r
\tboundary=inner\r
\r
--inner\r
Content-Type: text/plain; charset=utf-8\r
Content-Transfer-Encoding: 8bit\r
\r
Gr\xc3\xbc\xc3\x9fe = 100 %  \r
\xe2\x82\xac sign\r
--inner\r
Content-Type: text/html; charset=utf-8\r
Content-Transfer-Encoding: 8bit\r
\r
<p>Gr\xc3\xbc\xc3\x9fe</p>\r
--inner--\r
--outer\r
Content-Type: application/pdf; name=a.pdf\r
Content-Transfer-Encoding: base64\r
\r
JVBERi0xLjQKJeLjz9MKMSAwIG9iago8PC9UeXBl\r
--outer--\r
"""
MAILS = {
    "plain": HEAD + IDS % 1 + b"\r\nIt does not work.\r\n",
    "eight_bit": HEAD + IDS % 2 + MIME + b"Content-Type: text/plain; charset=utf-8\r\n"
                 b"Content-Transfer-Encoding: 8bit\r\n\r\n"
                 b"Gr\xc3\xbc\xc3\x9fe,  \r\n\r\n" + b"w\xc3\xb6rter " * 60 + b"\r\n=3D\r\n\r\n\r\n",
    "multipart": HEAD + IDS % 3 + MIME + MULTIPART,
    "latin1": HEAD + IDS % 4 + MIME + b"Content-Type: text/plain; charset=iso-8859-1\r\n"
              b"Content-Transfer-Encoding: 8bit\r\n\r\nr\xe9seau en panne\r\n",
    "encoded_already": HEAD + IDS % 5 + MIME + b"Content-Type: text/plain; charset=utf-8\r\n"
                       b"Content-Transfer-Encoding: quoted-printable\r\n\r\nGr=C3=BC=\r\n=C3=9Fe\r\n",
    "no_message_id_no_date": HEAD + b"\r\nScripts send such mail.\r\n",
    "no_date": HEAD + b"Message-ID: <onekey.6@customer.example>\r\n\r\nno date\r\n",
    "no_from_at_all": b"To: support@example.test\r\nSubject: no from\r\n\r\nno from\r\n",
    "no_message_id": HEAD + b"Date: Sun, 22 Nov 2026 09:00:01 +0000\r\n\r\nno id\r\n",
}


@pytest.fixture(scope="module")
def paths():
    skip_without_postfix()
    tree, reason = Sendmail.unpack(f"{BUILD}/peers/sendmail")
    root = make_root()
    product = Product(root, BUILD, hooks=f', "{MAIL_UID}"', intake_umask="0000")
    product.milter_socket = f"unix:{product.root}/socket/milter.sock"
    no_dovecot = Dovecot.missing(BUILD)
    dovecot = Dovecot(root, BUILD, f"{product.root}/run/intake.sock", before=IT)
    with Sink() as sink:
        postfix = Postfix(root, settings=(
            f"smtpd_milters = {product.milter_socket}\n"
            "smtpd_discard_ehlo_keywords = 8bitmime, chunking, smtputf8\n"))
        lmtp = Postfix(f"{root}/lmtp", settings=(
            f"virtual_transport = lmtp:inet:127.0.0.1:{sink.port}\n"
            # A greeting that does not come is tried for again, not waited for.
            "lmtp_host_lookup = native\nlmtp_lhlo_timeout = 5s\nlmtp_connect_timeout = 5s\n"))
        hop = Postfix(f"{root}/hop", settings=(
            "virtual_mailbox_domains =\nvirtual_mailbox_maps =\nrelay_domains = example.test\n"
            f"relay_transport = smtp:[127.0.0.1]:{postfix.port}\n"))
        sendmail = None
        try:
            product.start()
            for p in (postfix, lmtp, hop):
                p.start()
            if not reason:
                sendmail = Sendmail(root, f"local:{product.root}/socket/milter.sock", tree).start()
            if not no_dovecot:
                dovecot.start()
            yield {"dovecot": dovecot, "no_dovecot": no_dovecot, "product": product, "postfix": postfix, "lmtp": lmtp, "hop": hop,
                   "sendmail": sendmail, "sink": sink, "why": reason}
        finally:
            for p in (postfix, lmtp, hop):
                p.stop()
            if sendmail is not None:
                sendmail.stop()
            if not no_dovecot:
                dovecot.stop()
            product.stop()
            print(product.log("ticketd")[-6000:])
            remove_root(root)


def count(paths):
    return len(paths["product"].tickets())


@pytest.mark.parametrize("name", MAILS)
def test_five_ways_in_give_one_ticket(paths, name):
    message = MAILS[name]
    before = count(paths)
    assert send(paths["postfix"].port, ANN, DESK, message).code == 250
    assert count(paths) == before + 1

    if paths["sendmail"] is not None:
        assert send(paths["sendmail"].port, ANN, DESK, message).code == 250
        assert count(paths) == before + 1, "Sendmail's milter made another ticket"

    kept = len(paths["sink"].mails)
    assert send(paths["lmtp"].port, ANN, DESK, message).code == 250
    paths["lmtp"].wait_for_mail("LMTP delivery", lambda: len(paths["sink"].mails) > kept)
    done = paths["product"].ctl("submit", "-f", ANN, "-r", DESK, text=False,
                                stdin=paths["sink"].mails[-1])
    assert done.returncode == 0
    assert count(paths) == before + 1, "the bytes that LMTP gets made another ticket"

    if not paths["no_dovecot"]:
        user = next(USERS)
        assert paths["dovecot"].deliver(ANN, user, paths["sink"].mails[-1])[user][0] == 250
        assert count(paths) == before + 1, "Sieve made another ticket"

    if not name.startswith("no_"):  # the hop's own Message-ID and Date are the client's here
        wait_for("its own delivery", paths["postfix"].queue_empty)
        delivered = len(paths["postfix"].mails())
        assert send(paths["hop"].port, ANN, DESK, message,
                    options=("BODY=8BITMIME",)).code == 250
        paths["hop"].wait_for_mail("the hop", lambda: len(paths["postfix"].mails()) > delivered)
        assert count(paths) == before + 1, "the 8-to-7-bit hop made another ticket"


def test_sendmail_took_part(paths):
    if paths["why"]:
        pytest.skip(paths["why"])
    assert paths["sendmail"].mails()


def test_dovecot_took_part(paths):
    if paths["no_dovecot"]:
        pytest.skip(paths["no_dovecot"])
    wait_for("its lines", lambda: paths["dovecot"].log().count("existing ticket") >= len(MAILS))
