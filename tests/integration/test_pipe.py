# SPDX-License-Identifier: BSD-2-Clause
"""ticketctl submit as a transport of Postfix (pipe(8)), as ticketctl(1) shows it."""
import shutil

import pytest
from conftest import BUILD, Site, skip_without_postfix
from harness import dkim
from harness.mta import Postfix
from harness.product import Product, program
from harness.smtp import send
from harness.util import make_root, remove_root, stop, wait_for

DESK = "support@example.test"
ANN = f"ann@{dkim.DOMAIN}"
NOBODY = 65534


@pytest.fixture(scope="module")
def pipe_site():
    skip_without_postfix()
    path = make_root()
    product = Product(path, BUILD, access=f'    agents = {{"{NOBODY}"}}\n')
    tool = f"{path}/ticketctl" # where nobody can run it, wherever the build is
    shutil.copy(program(BUILD, "ticketctl"), tool)
    postfix = Postfix(path, settings="virtual_transport = ticket\n", services=(
        "ticket unix - n n - 10 pipe flags=q user=nobody null_sender=\n"
        f"  argv={tool} -s {product.root}/run/intake.sock submit --queue-id ${{queue_id}}"
        " -f ${sender} -r ${recipient}\n"))
    try:
        product.prepare()
        with open(product.config, encoding="utf-8") as f:
            text = f.read()
        with open(product.config, "w", encoding="utf-8") as f:
            f.write(text.replace("hooks = {", f'hooks = {{"{NOBODY}", ').replace(
                "intake_umask = 0007", "intake_umask = 0"))
        product.start_ticketd()
        postfix.start()
        yield Site(path, product, postfix)
    finally:
        postfix.stop()
        product.stop()
        print(product.log("ticketd")[-3000:])
        print(postfix.log()[-3000:])
        remove_root(path)


def wait_for_ticket(site, subject):
    return wait_for(f"a ticket from {subject}", lambda: [
        t["id"] for t in site.product.tickets() if t["subject"] == subject], step=0.2)


def test_a_delivered_mail_is_a_ticket_and_verifies(pipe_site, mail, root):
    message = mail("by pipe", body="8-bit \u00e4\r\n.dot\r\n\r\nend\r\n")
    signer = None if dkim.missing() else dkim.Dkim(root)
    if signer:
        message = signer.sign(message)
    assert send(pipe_site.mta.port, ANN, DESK, message).code == 250
    (ticket,) = wait_for_ticket(pipe_site, "by pipe")
    raw = pipe_site.product.ctl("raw", ticket, text=False).stdout
    assert raw.startswith(b"Received: ")
    assert raw.endswith(message.replace(b"\r\n", b"\n"))
    if signer:
        assert signer.verdict(raw) == "pass"


def test_ticketd_away_means_deferred_and_then_one_ticket(pipe_site, mail):
    stop(pipe_site.product.ticketd)
    assert send(pipe_site.mta.port, ANN, DESK, mail("deferred")).code == 250
    wait_for("a deferral", lambda: "status=deferred" in pipe_site.mta.log(), step=0.2)
    pipe_site.product.start_ticketd()
    pipe_site.mta.flush()
    pipe_site.mta.wait_for_mail("an empty queue", pipe_site.mta.queue_empty)
    assert len(wait_for_ticket(pipe_site, "deferred")) == 1


def test_the_null_sender_does_not_loop(pipe_site, mail):
    assert send(pipe_site.mta.port, "", DESK, mail("null by pipe")).code == 250
    wait_for("delivery", lambda: pipe_site.mta.log().count("relay=ticket") and
             pipe_site.mta.queue_empty(), step=0.2)
    assert "status=bounced" not in pipe_site.mta.log()


def test_what_is_no_desk_is_bounced_as_unknown(pipe_site, mail):
    assert send(pipe_site.mta.port, ANN, "joe@example.test", mail("no desk")).code == 250
    wait_for("a bounce", lambda: "dsn=5.1.1" in pipe_site.mta.log(), step=0.2)
