# SPDX-License-Identifier: BSD-2-Clause
"""What rules decide, through a real Postfix: refused in the session, kept, asked for."""
import json

import pytest
from conftest import postfix_sites
from harness.smtp import header, send
from harness.util import wait_for

ANN = "ann@customer.example"
DESK = "support@example.test"
DESKS = """\
group "net" {}
rule "portal" {
    if_subject = {"password reset"}
    refuse = "Bitte nutzen Sie fürs Zurücksetzen das Portal"
    refuse_url = "https://portal.example.test/reset"
}
rule "noise" { if_subject = {"ignore me"} ignore = yes }
rule "vpn" {
    if_subject = {"vpn"}
    set_group = "net"
    set_service = "VPN"
    set_type = "request"
}
extract "order" { pattern = 'order (?<order_number>[0-9]{4})' }
require "order_number" {
    if_type = {"request"}
    question = "Which order is it about?"
    question_de = "Um welche Bestellung geht es?"
}
desk "it" {
    addresses = {"support@example.test"}
    prefix = "IT"
}
desk "hr" { addresses = {"hr@example.test"} prefix = "HR" }
"""
PASS = "Authentication-Results: mx.example.test; dmarc=pass header.from=customer.example\r\n"


@pytest.fixture(scope="module")
def site():
    yield from postfix_sites(desks=DESKS)


def newest(site):
    return site.product.json("show", site.product.tickets()[0]["id"])


def test_a_refusal_by_rule_is_heard_in_the_session(site, mail):
    count = len(site.product.tickets())
    message = mail("password reset please", sender=f"<{ANN}>", to=DESK)
    told = send(site.mta.port, ANN, DESK, message)
    assert told.code == 550 and "5.7.1" in told.text
    assert "https://portal.example.test/reset" in told.text
    assert "fuers Zuruecksetzen" in told.text and told.text.isascii()
    assert len(site.product.tickets()) == count


def test_another_recipient_gets_the_mail_and_a_refused_ticket_stays(site, mail):
    message = mail("password reset for two", sender=f"<{ANN}>", to=DESK)
    told = send(site.mta.port, ANN, [DESK, "joe@example.test"], message)
    assert told.code == 250
    kept = newest(site)
    assert kept["state"] == "refused" and kept["jobs"] == []
    # The same mail again, and from a hook that cannot refuse.
    told = site.product.ctl("submit", "-f", ANN, "-r", DESK, check=False,
                            stdin=mail("password reset by pipe", sender=f"<{ANN}>",
                                       to=DESK).decode())
    assert told.returncode in (0, 69), told.stderr


def test_what_is_ignored_is_kept_and_tells_nobody(site, mail):
    told = send(site.mta.port, ANN, DESK, mail("ignore me", sender=f"<{ANN}>", to=DESK))
    assert told.code == 250
    kept = newest(site)
    assert kept["state"] == "refused" and kept["jobs"] == []
    (record,) = [e for e in kept["events"] if e["kind"] == "message.decided"]
    assert record["data"]["policy"] == "ignored"
    assert any(r["by"] == "noise" for r in record["data"]["reasons"])


def test_missing_fields_are_asked_for_and_an_answer_moves_it_on(site, mail):
    message = mail("vpn for me", sender=f"<{ANN}>", to=DESK, extra=PASS)
    assert send(site.mta.port, ANN, DESK, message).code == 250
    asked = newest(site)
    assert asked["state"] == "pending" and asked["missing"] == "order_number"
    assert asked["group"] == "net" and asked["service"] == "VPN"
    (job,) = [j for j in asked["jobs"] if j["kind"] == "question"]
    assert job["target"] == "channel"

    def held():
        (told,) = site.product.json("queue", "show", str(job["job"])) or [None]
        return told["state"] == "deferred" and "no section notify" in told["reason"]
    wait_for("the question to be held", held)

    mid = header(message, "Message-ID").decode()
    answer = mail("Re: vpn for me", sender=f"<{ANN}>", to=DESK,
                  extra=PASS + f"In-Reply-To: {mid}\r\n", body="It is order 4711.\r\n")
    assert send(site.mta.port, ANN, DESK, answer).code == 250
    moved = site.product.json("show", asked["id"])
    assert moved["state"] == "open" and moved["missing"] == ""
    assert moved["fields"] == {"order_number": "4711"}
    (job,) = [j for j in moved["jobs"] if j["kind"] == "question"]
    assert job["state"] == "done"
    assert site.product.json("verify")["bad"] == 0


def test_explain_tells_why_and_what_today_would_say(site, mail):
    message = mail("vpn order 1234", sender=f"<{ANN}>", to=DESK, extra=PASS,
                   body="vpn, order 1234\r\n")
    assert send(site.mta.port, ANN, DESK, message).code == 250
    ticket = newest(site)
    assert ticket["state"] == "new" and ticket["fields"] == {"order_number": "1234"}
    text = site.product.ctl("explain", ticket["id"]).stdout
    assert "rule vpn: group = net" in text and "by config " in text
    text = site.product.ctl("explain", ticket["id"], "--now").stdout
    assert "the same" in text and "*" not in text
    with open(site.product.config, encoding="utf-8") as f:
        other = f.read().replace('set_service = "VPN"', 'set_service = "Network"')
    path = site.product.config + ".new"
    with open(path, "w", encoding="utf-8") as f:
        f.write(other)
    text = site.product.ctl("-c", path, "explain", ticket["id"], "--now").stdout
    assert "* service" in text and "VPN   now: Network" in text
    told = json.loads(site.product.ctl("--json", "-c", path, "explain", ticket["id"],
                                       "--now").stdout)
    assert told["differs"] == ["service"] and told["record"]["service"] == "VPN"
    done = site.product.ctl("replay", "-c", path, "--only-changes", check=False)
    assert done.returncode == 1 and "service: VPN -> Network" in done.stdout
    done = site.product.ctl("replay", "-c", path, "--recorded", "--only-changes",
                            "--desk", "hr", check=False)
    assert done.returncode == 0
