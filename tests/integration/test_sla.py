# SPDX-License-Identifier: BSD-2-Clause
"""Service levels and escalations, by a real ticketd: in seconds, across kill -9."""
import os
import signal
import sqlite3
import time
import urllib.request

import pytest
from conftest import BUILD, without_mta
from harness.product import Product
from harness.util import free_port, make_root, wait_for

DESK = "support@example.test"
ANN = "ann@customer.example"
CONF = """
group "net" {
    members = {"bob@example.test", "cid@example.test"}
    strategy = least_open
    mailbox = "net@example.test"
    manager = "boss@example.test"
}
group "second" { members = {"eve@example.test"} strategy = round_robin }
sla "gold" {
    if_domain = {"customer.example"}
    first_response = {"4s", "urgent=2s"}
    next_response = {"1h"}
    resolution = {"8h"}
    warn = 50
}
sla "silver" { first_response = {"4h"} }
escalation "main" { if_desk = {"it"} }
step "hurry" {
    in = "main"
    after = 1s
    of = breach
    raise_priority = 1
    group = "second"
    notify = {"manager", "duty@example.test"}
}
step "nobody" { in = "main" after = 30m of = untouched assign = yes }
step "slow" { in = "main" after = 2h of = created raise_priority = 1 }
desk "it" {
    addresses = {"support@example.test"}
    prefix = "IT"
    group = "net"
    sla = "silver"
}
"""


@pytest.fixture(scope="module")
def product():
    path = make_root()
    port = free_port()
    p = Product(path, BUILD, desks=CONF, top=f'metrics {{ listen = "127.0.0.1:{port}" }}\n')
    p.metrics = f"http://127.0.0.1:{port}/metrics"
    yield from without_mta(p)


def submit(product, message, sender=ANN):
    done = product.ctl("submit", "-f", sender, "-r", DESK, stdin=message, text=False)
    return done.stdout.split()[0].decode()


def events(product, ticket, kind):
    return [e["data"] for e in product.json("log", ticket) if e["kind"] == kind]


def has_event(product, kind, ticket):
    """In the store, without ticketd."""
    with sqlite3.connect(f"{product.root}/store/tickets.db", timeout=60) as db:
        return db.execute("SELECT count(*) FROM events e JOIN tickets t ON t.id = e.ticket"
                          " WHERE e.kind = ? AND 'IT-' || t.number = ?", (kind, ticket)).fetchone()[0]


def sla_of(product, ticket):
    return product.json("sla", "show", ticket)


def test_the_desks_own_level_where_nothing_else_fits(product, mail):
    message = mail("printer", sender="X <x@elsewhere.example>")
    ticket = submit(product, message, sender="x@elsewhere.example")
    wait_for("the sla follows", lambda: sla_of(product, ticket).get("sla"))
    shown = sla_of(product, ticket)
    assert shown["why"] == "sla silver: that of the desk it"
    assert shown["chain"] == "main"


def test_breach_and_step_come_once_across_a_kill(product, mail):
    for n in range(5):
        ticket = submit(product, mail(f"printer {n} on fire"))
        wait_for("the sla follows", lambda t=ticket: events(product, t, "sla.warning"))
        os.kill(product.daemon_pid(), signal.SIGKILL)
        product.ticketd.wait()
        if not has_event(product, "sla.breached", ticket):
            break  # else the machine was too busy for a kill between the two
        product.start_ticketd()
    time.sleep(4)  # it comes due meanwhile
    product.start_ticketd()
    wait_for("the sla follows", lambda: events(product, ticket, "escalation.step"))
    time.sleep(2)
    assert len(events(product, ticket, "sla.warning")) == 1
    breach, = events(product, ticket, "sla.breached")
    assert breach["timer"] == "first_response" and breach["target_s"] == 4
    assert breach["manager"] == "boss@example.test" and breach["id"] == ticket
    step, = events(product, ticket, "escalation.step")
    assert step["step"] == "hurry" and step["from_group"] == "net"
    assert step["group"] == "second" and step["assignee"] == "eve@example.test"
    assert step["notify"] == ["manager", "duty@example.test"]
    shown = product.json("show", ticket)
    assert shown["priority"] == step["from_priority"] - 1
    assert any(t["breached"] for t in shown["sla"]["timers"])
    assert product.json("verify")["bad"] == 0

    def counted():
        text = urllib.request.urlopen(product.metrics, timeout=180).read().decode()
        return "ticket_milter_sla_breaches_total 1\n" in text and "ticket_milter_escalations_total" in text
    wait_for("the breach in the numbers", counted)


def test_an_agents_word_in_time_ends_it(product, mail):
    for n in range(5):
        began = time.monotonic()
        ticket = submit(product, mail(f"keyboard {n}"))
        wait_for("the sla follows", lambda t=ticket: sla_of(product, t).get("timers"))
        product.ctl("comment", ticket, "we are on it", "--public")
        if time.monotonic() - began < 4:
            break  # else the machine was too busy for a word in time
    wait_for("the sla follows", lambda: sla_of(product, ticket)["answered"])
    time.sleep(6)
    assert not events(product, ticket, "sla.breached")
    first = [t for t in sla_of(product, ticket)["timers"] if t["timer"] == "first_response"]
    assert first[0]["state"] == "met"


def steps(product, ticket):
    return {s["step"]: s["state"] for s in sla_of(product, ticket).get("steps", [])}


def test_who_sets_it_pending_lets_the_steps_wait_and_who_works_ends_them(product, mail):
    ticket = submit(product, mail("a chair"))
    wait_for("its steps", lambda: steps(product, ticket).get("slow") == "running")
    assert steps(product, ticket)["nobody"] == "running"
    product.ctl("set", ticket, "state=pending")
    wait_for("a pause", lambda: steps(product, ticket)["slow"] == "paused")
    wait_for("who has seen it", lambda: steps(product, ticket)["nobody"] == "stopped")
    product.ctl("set", ticket, "state=open")
    wait_for("it to go on", lambda: steps(product, ticket)["slow"] == "running")
    assert steps(product, ticket)["nobody"] == "stopped"
    product.ctl("set", ticket, "state=pending")
    wait_for("a pause", lambda: steps(product, ticket)["slow"] == "paused")
    product.ctl("comment", ticket, "it is ordered", "--public")
    wait_for("its end", lambda: steps(product, ticket)["slow"] == "stopped")
    product.ctl("set", ticket, "state=open")
    wait_for("no pause", lambda: not any(
        t["state"] == "paused" for t in sla_of(product, ticket)["timers"]))
    assert steps(product, ticket)["slow"] == "stopped"


def test_what_is_due_is_listed(product, mail):
    rows = product.json("sla", "list", "--due", "1d")
    assert rows and all(r["due"] for r in rows)
    assert [r["due"] for r in rows] == sorted(r["due"] for r in rows)
    assert "resolution" in product.ctl("sla", "list", "--due", "1d").stdout


def test_other_settings_reach_open_tickets(product, mail):
    ticket = submit(product, mail("screen"))
    wait_for("the sla follows", lambda: sla_of(product, ticket).get("timers"))
    product.ctl("comment", ticket, "we look", "--public")
    product.write_config(desks=CONF.replace('resolution = {"8h"}', 'resolution = {"2h"}'))
    product.ctl("reload")
    wait_for("the sla follows", lambda: [t for t in sla_of(product, ticket)["timers"]
                      if t["timer"] == "resolution"][0]["target_s"] == 7200)
