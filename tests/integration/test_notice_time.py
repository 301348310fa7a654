# SPDX-License-Identifier: BSD-2-Clause
"""Notices by the clock, by a real ticketd: reminders, the end of waiting, nights, digests,
across kill -9."""
import contextlib
import datetime
import os
import signal
import sqlite3
import time

import pytest
from conftest import BUILD, without_mta
from harness.outbox import Outbox
from harness.product import Product
from harness.smtp import header
from harness.util import make_root, wait_for

DESK = "support@example.test"
HR = "hr@example.test"
ANN = "ann@customer.example"
TEAM = "team@example.test"
SLEEPER = "sleeper@example.test"
PROOF = "Authentication-Results: mx.example.test; dmarc=pass header.from=customer.example\r\n"
# Open on one day that is far from today, wherever that is.
DAY = "mon tue wed thu fri sat sun".split()[
    (datetime.datetime.now(datetime.timezone.utc).weekday() + 3) % 7]

CONF = """
calendar "other-day" {{ hours = {{"{day} 07:00-22:00"}} }}
channel "mail" {{ type = "mail" options = {{"program={program}"}} }}
rule "order" {{ if_subject = {{"order"}} set_type = "request" }}
require "order_number" {{
    if_type = {{"request"}}
    question = "Which order is it about?"
    question_de = "Um welche Bestellung geht es?"
}}
notify "ask" {{
    on = {{"action_required"}}
    to = {{"requester"}}
    channel = "mail"
    if_desk = {{"it"}}
    remind = 1s
    reminders = 2
    close_after = 1s
}}
notify "ask-slowly" {{ on = {{"action_required"}} to = {{"requester"}} channel = "mail"
    if_desk = {{"hr"}} remind = 1h close_after = 1h }}
notify "told" {{ on = {{"created", "state"}} to = {{"requester"}} channel = "mail"
    per_recipient = 100 }}
notify "team" {{ on = {{"created"}} to = {{"team@example.test"}} channel = "mail"
    digest = 1h }}
notify "night" {{ on = {{"created"}} to = {{"sleeper@example.test"}} channel = "mail"
    hours = "other-day" }}
desk "it" {{ addresses = {{"support@example.test"}} prefix = "IT" }}
desk "hr" {{ addresses = {{"hr@example.test"}} prefix = "HR" }}
"""


@pytest.fixture(scope="module")
def world():
    path = make_root()
    outbox = Outbox(path)
    p = Product(path, BUILD, desks=CONF.format(day=DAY, program=outbox.program))
    p.outbox = outbox
    yield from without_mta(p)


def submit(world, message, desk=DESK):
    done = world.ctl("submit", "-f", ANN, "-r", desk, stdin=message, text=False)
    return done.stdout.split()[0].decode()


def kill(world):
    """When what went out is written down: the little before that is another suite's."""
    wait_for("no job", lambda: not [
        j for j in world.json("queue", "list") if j["state"] != "done"])
    os.kill(world.daemon_pid(), signal.SIGKILL)
    world.ticketd.wait()


def kinds(world, ticket):
    return [e["kind"] for e in world.json("log", ticket)]


def asked(world, ticket):
    """What she was asked, and how often."""
    return [m for m in world.outbox.once(ANN, ticket)
            if "Which order" in m.get_body(("plain",)).get_content()]


def test_who_is_asked_is_reminded_and_then_it_is_closed(world, mail):
    first = mail("order of a desk", extra=PROOF)
    ticket = submit(world, first)
    wait_for("the question", lambda: asked(world, ticket))
    kill(world)  # what is to come does not live in it
    world.start_ticketd()
    wait_for("the end", lambda: world.json("show", ticket)["state"] == "closed")
    wait_for("the reminders", lambda: len(asked(world, ticket)) == 3)
    closed, = [e["data"] for e in world.json("log", ticket) if e["kind"] == "ticket.closed"]
    assert closed["who"] == "auto-close" and closed["reason"] == "nobody answered"
    wait_for("word of it", lambda: any(
        "closed" in m.get_body(("plain",)).get_content().lower()
        for m in world.outbox.once(ANN, ticket)))

    # She comes back: it is open again, and nobody asks on.
    answer = mail("Re: order of a desk", extra=PROOF +
                  "In-Reply-To: %s\r\n" % header(first, "Message-ID").decode(),
                  body="It is order 4711, and it is still missing.\r\n")
    assert submit(world, answer) == ticket
    wait_for("it to be open", lambda: world.json("show", ticket)["state"] == "open")
    count = len(asked(world, ticket))
    later = submit(world, mail("order of a chair", extra=PROOF))  # goes the whole way
    wait_for("the other's end", lambda: world.json("show", later)["state"] == "closed")
    assert len(asked(world, ticket)) == count
    assert world.json("show", ticket)["state"] == "open"
    assert kinds(world, ticket).count("ticket.closed") == 1


def ask_db(world, sql, *values):
    with contextlib.closing(sqlite3.connect(
            "%s/store/tickets.db" % world.root, timeout=60)) as db, db:
        return db.execute(sql, values).fetchall()


def waiting(world, to):
    return ask_db(world, "SELECT count(*) FROM notices WHERE"
                  " json_extract(payload, '$.to') = ?", to)[0][0]


def all_wait(world, to):
    """Each ticket is told of once, and of none was it yet."""
    wait_for("all to wait", lambda: waiting(world, to) == len(world.tickets()))
    assert not world.outbox.once(to)


def later(world):
    """It is killed, and comes back when all that waits is due."""
    kill(world)
    ask_db(world, "UPDATE notices SET due = ?", int(time.time() * 1000) - 1000)
    world.start_ticketd()


def test_an_answer_ends_the_reminders(world, mail):
    first = mail("order of a lamp", to=HR, extra=PROOF)
    ticket = submit(world, first, HR)
    wait_for("the question", lambda: asked(world, ticket))
    wait_for("the reminder to wait", lambda: ask_db(world, "SELECT * FROM asks"))
    answer = mail("Re: order of a lamp", to=HR, extra=PROOF +
                  "In-Reply-To: %s\r\n" % header(first, "Message-ID").decode(),
                  body="A lamp of the second row.\r\n")
    assert submit(world, answer, HR) == ticket
    wait_for("nobody to wait", lambda: not ask_db(world, "SELECT * FROM asks"))
    assert world.json("show", ticket)["state"] == "open"


def test_what_comes_at_night_comes_in_the_morning_once(world, mail):
    submit(world, mail("mouse at night"))
    all_wait(world, SLEEPER)
    kill(world)
    world.start_ticketd()
    submit(world, mail("another at night"))
    all_wait(world, SLEEPER)
    all_wait(world, TEAM)
    tickets = [t["id"] for t in world.tickets()]
    later(world)  # it is morning, and the hour of the digest is over
    wait_for("the mails", lambda: len(world.outbox.once(SLEEPER)) == len(tickets) and
             world.outbox.once(TEAM))
    later(world)
    submit(world, mail("behind it"))
    wait_for("the next to wait", lambda: waiting(world, SLEEPER) == 1)
    assert sorted(len(world.outbox.once(SLEEPER, t)) for t in tickets) == [1] * len(tickets)
    digest, = world.outbox.once(TEAM)
    text = digest.get_body(("plain",)).get_content()
    assert all(text.count(t + "]") == 1 for t in tickets)


def test_she_is_told_in_the_language_of_her_mail(world, mail):
    german = ("Guten Tag,\r\nder Drucker im zweiten Stock druckt seit heute Morgen nicht mehr"
              " und wir brauchen ihn dringend.\r\nMit freundlichen Grüßen\r\n")
    extra = PROOF + "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
    ticket = submit(world, mail("Drucker", extra=extra, body=german))
    other = submit(world, mail("printer", extra=PROOF, body=(
        "Good morning,\r\nthe printer on the second floor has not printed since this"
        " morning and we need it.\r\n")))
    found = wait_for("both", lambda: world.outbox.once(ANN, ticket) and
                     world.outbox.once(ANN, other) and
                     [world.outbox.once(ANN, t)[0] for t in (ticket, other)])
    words = [m.get_body(("plain",)).get_content() for m in found]
    assert "in hand" in words[1] and "in hand" not in words[0]
