# SPDX-License-Identifier: BSD-2-Clause
"""Who gets a ticket, by a real ticketd."""
import collections
import os
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from conftest import BUILD, without_mta
from harness.product import Product
from harness.util import make_root, wait_for

DESK = "support@example.test"
ANN = "ann@customer.example"
CONF = """
calendar "never" {
    time_zone = "Europe/Berlin"
    hours = {"%(day)s 03:00-03:01"}
    holidays = {"2026-12-24", "01-01"}
    holiday_files = {"%(root)s/days.ics"}
}
agent "bob@example.test" {
    name = "Bob"
    weight = 2
}
agent "dan@example.test" { absent = {"2020-01-01..2030-12-31"} }
group "net" {
    members = {"Ann@example.test", "bob@example.test", "cid@example.test",
               "dan@example.test"}
    strategy = least_open
    take_on_reply = yes
}
group "night" {
    members = {"eve@example.test"}
    strategy = round_robin
    calendar = "never"
    fallback = "net"
}
group "lone" {
    members = {"fay@example.test"}
    strategy = round_robin
}
desk "it" {
    addresses = {"support@example.test"}
    prefix = "IT"
    group = "net"
}
desk "late" {
    addresses = {"late@example.test"}
    prefix = "LT"
    group = "night"
}
desk "one" {
    addresses = {"one@example.test"}
    prefix = "ON"
    group = "lone"
}
"""
DAYS = """BEGIN:VCALENDAR\r
BEGIN:VEVENT\r
DTSTART;VALUE=DATE:20260101\r
RRULE:FREQ=YEARLY\r
END:VEVENT\r
END:VCALENDAR\r
"""


def far_day():
    """A day of the week that is not near, in any time zone."""
    return ("mon", "tue", "wed", "thu", "fri", "sat", "sun")[(time.localtime().tm_wday + 3) % 7]


@pytest.fixture(scope="module")
def product():
    path = make_root()
    with open(f"{path}/days.ics", "w", encoding="ascii") as f:
        f.write(DAYS)
    os.chmod(f"{path}/days.ics", 0o644)
    p = Product(path, BUILD, desks=CONF % {"root": path, "day": far_day()})
    yield from without_mta(p)


def submit(product, message, rcpt=DESK, sender=ANN):
    done = product.ctl("submit", "-f", sender, "-r", rcpt, stdin=message, text=False)
    return done.stdout.split()[0].decode()


def agents(product, group):
    return {a["agent"]: a for a in product.json("agent", "list", "--group", group)}


def kinds(product, ticket):
    return [e["kind"] for e in product.json("log", ticket)]


def test_three_hundred_mails_at_once_are_shared_by_weight(product, mail):
    messages = [mail(f"printer {n}") for n in range(300)]
    with ThreadPoolExecutor(16) as pool:
        tickets = list(pool.map(lambda m: submit(product, m), messages))
    assert len(set(tickets)) == 300
    rows = product.json("list", "--group", "net", "--limit", "1000")
    counts = collections.Counter(r["assignee"] for r in rows)
    assert counts == {"ann@example.test": 75, "bob@example.test": 150,
                      "cid@example.test": 75}
    listed = agents(product, "net")
    assert {a: listed[a]["open"] for a in listed} == {**counts, "dan@example.test": 0}
    assert listed["dan@example.test"]["duty"] == "away"
    assert listed["bob@example.test"]["name"] == "Bob"
    events = [e for e in product.json("log", tickets[0]) if e["kind"] == "ticket.assigned"]
    assert "3 of 4 on duty" in events[0]["data"]["why"]
    assert product.json("verify")["bad"] == 0


def test_nobody_on_duty_means_the_fallback(product, mail):
    ticket = submit(product, mail("at night", to="late@example.test"),
                    rcpt="late@example.test")
    shown = product.json("show", ticket)
    assert shown["group"] == "net" and shown["assignee"].endswith("@example.test")
    event = [e for e in product.json("log", ticket) if e["kind"] == "ticket.assigned"][0]
    assert event["data"]["from_group"] == "night"
    assert event["data"]["why"].startswith("nobody of night: 1 off duty")


def test_who_is_away_gets_nothing_and_it_waits(product, mail):
    first = submit(product, mail("before", to="one@example.test"), rcpt="one@example.test")
    assert product.json("show", first)["assignee"] == "fay@example.test"
    away = product.ctl("agent", "away", "Fay@example.test", "--until", "2030-12-31",
                       "--note", "on leave", "--reassign")
    assert "to others: 0, to nobody: 1" in away.stdout
    assert product.json("show", first)["assignee"] == ""
    second = submit(product, mail("during", to="one@example.test"), rcpt="one@example.test")
    assert "ticket.unassigned" in kinds(product, second)
    row = agents(product, "lone")["fay@example.test"]
    assert row["duty"] == "away" and row["note"] == "on leave"
    assert row["away_until"].startswith(("2030-12-31", "2031-01-01"))
    jobs = [j for j in product.json("queue", "list") if j["kind"] == "assign"]
    assert sorted(j["ticket"] for j in jobs) == sorted([first, second])
    product.ctl("agent", "back", "fay@example.test")
    wait_for("the waiting tickets to be given to her",
             lambda: all(product.json("show", t)["assignee"] == "fay@example.test"
                         for t in (first, second)))
    assert product.json("verify")["bad"] == 0


def test_assign_by_command(product, mail):
    ticket = submit(product, mail("by hand"))
    product.ctl("assign", ticket, "--to", "zoe@example.test")
    assert product.json("show", ticket)["assignee"] == "zoe@example.test"
    done = product.ctl("assign", ticket, "--auto", "--group", "lone")
    assert "fay@example.test" in done.stdout
    shown = product.json("show", ticket)
    assert (shown["group"], shown["assignee"]) == ("lone", "fay@example.test")
    assert product.ctl("assign", ticket, "--auto", "--to", "x@y", check=False).returncode
    assert product.ctl("assign", ticket, "--auto", "--group", "none",
                       check=False).returncode
    nobody = product.ctl("agent", "away", "nobody@example.test", "--until", "1d",
                         check=False)
    assert nobody.returncode and "no group has the member" in nobody.stderr
    past = product.ctl("agent", "away", "fay@example.test", "--until", "2020-01-01",
                       check=False)
    assert past.returncode and "past" in past.stderr


def test_turns_and_counts_outlive_a_restart(product, mail):
    before = agents(product, "net")
    product.stop()
    product.start_ticketd()
    assert agents(product, "net") == before
    ticket = submit(product, mail("after the restart"))
    who = product.json("show", ticket)["assignee"]
    assert agents(product, "net")[who]["open"] == before[who]["open"] + 1


def test_a_broken_roster_keeps_the_old_one(product, mail):
    with open(product.config, encoding="utf-8") as f:
        text = f.read()
    for old, new, what in (("Europe/Berlin", "Europe/Nowhere", "Europe/Nowhere"),
                           ("days.ics", "none.ics", "none.ics")):
        with open(product.config, "w", encoding="utf-8") as f:
            f.write(text.replace(old, new))
        tested = product.ctl("config", "test", check=False)
        assert tested.returncode and what in tested.stderr
        assert product.ctl("reload", check=False).returncode
        ticket = submit(product, mail(f"still {what} {time.time()}"))
        assert product.json("show", ticket)["assignee"]
    with open(product.config, "w", encoding="utf-8") as f:
        f.write(text)
    product.ctl("reload")
