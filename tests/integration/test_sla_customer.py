# SPDX-License-Identifier: BSD-2-Clause
"""Service levels by what a directory says of the requester, also when it says so late; steps
that stand still while a ticket is pending. By a real ticketd that is killed."""
import os
import signal

import pytest
from conftest import BUILD, without_mta
from harness.product import Product
from harness.smtp import header
from harness.util import make_root, wait_for

DESK = "support@example.test"
ANN = "ann@customer.example"
PROOF = "Authentication-Results: mx.example.test; dmarc=pass header.from=customer.example\r\n"
CONF = """
directory "list" {{ type = file file = "{people}" }}
people {{ enrich_wait = 1s }}
sla "acme" {{ if_company = {{"ACME*"}} first_response = {{"1h"}} resolution = {{"8h"}} }}
sla "silver" {{ first_response = {{"4h"}} resolution = {{"40h"}} }}
escalation "main" {{ if_desk = {{"it"}} }}
step "hurry" {{ in = "main" of = created after = 2s notify = {{"boss@example.test"}} }}
step "nobody" {{ in = "main" of = created after = 2s pause = no
    notify = {{"boss@example.test"}} }}
rule "order" {{ if_subject = {{"order"}} set_type = "request" }}
require "order_number" {{ if_type = {{"request"}} question = "Which order?" }}
extract "order" {{ pattern = 'order (?<order_number>[0-9]{{4}})' }}
desk "it" {{ addresses = {{"support@example.test"}} prefix = "IT" sla = "silver" }}
"""


@pytest.fixture
def office():
    path = make_root()
    people = os.path.join(path, "people.csv")
    p = Product(path, BUILD, desks=CONF.format(people=people))
    p.people = people
    yield from without_mta(p)


def submit(office, message):
    done = office.ctl("submit", "-f", ANN, "-r", DESK, stdin=message, text=False)
    return done.stdout.split()[0].decode()


def level(office, ticket):
    return office.json("sla", "show", ticket).get("sla")


def write_people(office, text):
    with open(office.people + ".new", "w", encoding="utf-8") as f:
        f.write(text)
    os.chmod(office.people + ".new", 0o644)
    os.replace(office.people + ".new", office.people)


def kill(office):
    os.kill(office.daemon_pid(), signal.SIGKILL)
    office.ticketd.wait()


def test_what_the_directory_says_late_is_chosen_by(office, mail):
    """There is no list yet, the job that waited for it gave up, a person has changed the
    ticket, and ticketd was killed."""
    ticket = submit(office, mail("printer", extra=PROOF))
    wait_for("the desk's level", lambda: level(office, ticket) == "silver")
    office.ctl("set", ticket, "priority=2")
    wait_for("the job to give up", lambda: all(
        j["state"] == "done" for j in office.json("show", ticket)["jobs"]
        if j["kind"] == "enrich"))
    kill(office)
    write_people(office, "address,name,company\nann@customer.example,Ann,ACME Ltd\n")
    office.start_ticketd()
    wait_for("the customer's level", lambda: level(office, ticket) == "acme")
    shown = office.json("sla", "show", ticket)
    assert shown["why"] == "sla acme: company ACME Ltd"
    first = [t for t in shown["timers"] if t["timer"] == "first_response"][0]
    assert first["target_s"] == 3600 and first["used_s"] >= 1
    assert "ACME Ltd" in office.ctl("directory", "lookup", "--cached", ANN).stdout
    # Who is not proved to be Ann is no customer.
    other = submit(office, mail("screen"))
    wait_for("the desk's level", lambda: level(office, other) == "silver")


def steps(office, ticket):
    return {s["step"]: s["state"] for s in office.json("sla", "show", ticket).get("steps", [])}


def test_a_step_stands_still_while_the_requester_is_asked(office, mail):
    first = mail("order of a desk", extra=PROOF)
    ticket = submit(office, first)
    wait_for("the question", lambda: office.json("show", ticket)["state"] == "pending")
    wait_for("the other step", lambda: steps(office, ticket).get("nobody") == "done")
    assert steps(office, ticket)["hurry"] == "paused"
    kill(office)
    office.start_ticketd()
    assert steps(office, ticket)["hurry"] == "paused"
    answer = mail("Re: order of a desk", extra=PROOF +
                  "In-Reply-To: %s\r\n" % header(first, "Message-ID").decode(),
                  body="It is order 4711.\r\n")
    assert submit(office, answer) == ticket
    wait_for("the step", lambda: steps(office, ticket)["hurry"] == "done")
    done = [e["data"]["step"] for e in office.json("log", ticket)
            if e["kind"] == "escalation.step"]
    assert sorted(done) == ["hurry", "nobody"]
