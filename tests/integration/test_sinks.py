# SPDX-License-Identifier: BSD-2-Clause
"""The event log at Splunk and Elasticsearch: all of it, in order, whatever is killed."""
import json
import os
import random
import re
import sqlite3
import time

import pytest
from conftest import BUILD
from harness.fake_logs import Elasticsearch, Splunk
from harness.judge import judge_or_skip
from harness.product import Product
from harness.util import make_root, remove_root, stop, wait_for

MAIL = (b"From: Ann <ann@customer.example>\r\nTo: support@example.test\r\nSubject: printer %d\r\n"
        b"Message-ID: <sinks.%d@customer.example>\r\n\r\nIt is broken.\r\n")
TOKEN = "11111111-2222-3333-4444-555555555555"


class Site:
    def __init__(self):
        self.root = make_root()
        self.product = Product(self.root, BUILD)
        self.product.prepare()
        self.number = 0
        self.fakes = []
        self.sections = []

    def secret(self, text):
        path = f"{self.product.root}/run/secret{len(self.sections)}"
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(path, 0o600)
        if os.geteuid() == 0:
            os.chown(path, 61801, 61800)
        return f"file:{path}"

    def add(self, fake, name, kind, secret, keys=""):
        self.fakes.append(fake)
        self.sections.append(f'sink "{name}" {{\n type = "{kind}"\n url = "{fake.url}"\n'
                             f' secret = "{self.secret(secret)}"\n linger = 0\n{keys}\n}}\n')
        self.product.write_config(top="".join(self.sections))
        return fake

    def submit(self, count=1):
        for _ in range(count):
            self.number += 1
            self.product.ctl("submit", "-f", "ann@customer.example", "-r", "support@example.test", text=False,
                             stdin=MAIL % (self.number, self.number))

    def kill(self):
        self.product.ticketd.kill()
        self.product.ticketd.wait()

    def store(self):
        return sqlite3.connect(f"file:{self.product.root}/store/tickets.db?mode=ro", timeout=60, uri=True)

    def ids(self):
        """Of all events in the store."""
        with self.store() as db:
            return [row[0] for row in db.execute("SELECT id FROM events ORDER BY id")]

    def place(self, follower):
        with self.store() as db:
            return db.execute("SELECT event FROM places WHERE follower = ?", (follower,)).fetchone()[0]

    def has_all(self, fake, timeout=180):
        """Waits for it; all events that there were then."""
        def all_of_them():
            ids = self.ids()
            return set(ids) <= set(fake.ids()) and ids
        return wait_for("all events", all_of_them, timeout)

    def remove(self):
        stop(self.product.ticketd)
        for fake in self.fakes:
            fake.stop()
        remove_root(self.root)


@pytest.fixture(name="site")
def _site():
    site = Site()
    yield site
    site.remove()


def splunk(site, keys="history = yes", **more):
    return site.add(Splunk(TOKEN, **more), "siem", "splunk", TOKEN, keys)


def elastic(site, keys="history = yes", **more):
    return site.add(Elasticsearch("a2V5", **more), "search", "elasticsearch", "a2V5", keys)


def test_both_get_every_event_once_and_in_order(site):
    one, two = splunk(site), elastic(site)
    site.product.start_ticketd()
    site.submit(5)
    for fake in (one, two):
        ids = site.has_all(fake)
        assert [e for e in fake.ids() if e <= ids[-1]] == ids
        assert fake.breaches == []
    assert len(one.events) == len(one.ids()) and two.again == 0
    kinds = [e["event"]["event.action"] for e in one.events]
    assert kinds.count("ticket.created") == 5
    created = next(e["event"] for e in one.events if e["event"]["event.action"] == "ticket.created")
    assert created["ticket_milter.ticket"] == "IT-1" and created["host.name"] == "mx.example.test"
    assert "ann@" not in json.dumps(one.events) and "printer" not in json.dumps(one.events)


def ecs(document):
    """Without the fields that are our own; no field set of ECS has their name."""
    return {k: v for k, v in document.items() if not k.startswith("ticket_milter.")}


def test_documents_and_lines_hold_before_the_vendors_types(site):
    judge = judge_or_skip(BUILD)
    site.sections.append("log_ecs = yes\n")
    one = splunk(site, 'history = yes\nindex = "main"')
    two = elastic(site, "history = yes\npersonal = yes")
    site.product.start_ticketd()
    site.submit(2)
    site.has_all(one)
    site.has_all(two)
    documents = [e["event"] for e in one.events] + list(two.documents.values())
    lines = [json.loads(line) for line in site.product.lines("ticketd")]
    assert len(lines) > 2
    verdicts = judge.verdicts([("ecs", ecs(d)) for d in documents + lines] +
                              [("bulk", a) for a in two.actions] + [("hec", e) for e in one.events])
    assert [c for bad in verdicts for c in bad] == []


def test_personal_data_go_along_when_asked_for(site):
    fake = splunk(site, "history = yes\npersonal = yes")
    site.product.start_ticketd()
    site.submit()
    site.has_all(fake)
    assert "sinks.1@customer.example" in json.dumps(fake.events)


def test_a_new_sink_begins_at_the_newest_event(site):
    site.product.start_ticketd()
    site.submit(2)
    old = site.ids()
    fake = splunk(site, "")
    site.product.ctl("reload")
    wait_for("its place", lambda: "event=sink.begin" in site.product.log("ticketd"))
    before = site.ids()
    site.submit()
    wait_for("the new ones", lambda: set(site.ids()) - set(before) <= set(fake.ids()))
    assert not set(old) & set(fake.ids())


def test_acknowledged_events_only_move_the_place(site):
    fake = splunk(site, acknowledges=True)
    fake.slow = 2
    site.product.start_ticketd()
    site.submit(2)
    site.has_all(fake)
    wait_for("the acknowledgements", lambda: site.place("sink:siem") >= site.ids()[-1])
    assert any(r.path.endswith("/ack") for r in fake.seen)
    site.kill()
    for key in fake.acks:
        fake.acks[key] = 10000  # never
    fake.slow = 10000
    site.product.start_ticketd()
    count = len(fake.events)
    site.submit()
    wait_for("the first of it", lambda: len(fake.events) > count)
    last = fake.events[-1]["event"]["event.sequence"]
    site.kill()  # it was taken, but never indexed
    fake.slow = 0
    site.product.start_ticketd()
    wait_for("it again", lambda: [e["event"]["event.sequence"] for e in fake.events].count(last) >= 2)
    assert fake.breaches == []


def test_what_is_lost_cut_or_busy_comes_again(site):
    fake, two = splunk(site), elastic(site)
    for what in ("lose", "cut", "half", "page"):
        fake.plan(what, "/event", 1)
        two.plan(what, "/_bulk", 1)
    site.product.start_ticketd()
    site.submit(3)
    site.has_all(fake)
    site.has_all(two)
    assert fake.ids() == sorted(fake.ids()) and fake.breaches == [] and two.breaches == []
    wait_for("a second try", lambda: two.again > 0)
    site.has_all(two)
    assert fake.breaches == [] and two.breaches == []


def test_items_are_judged_by_themselves(site):
    fake = elastic(site)
    site.product.start_ticketd()
    site.submit(2)
    site.has_all(fake)
    last = site.ids()[-1]
    fake.busy = {last + 1: 2}
    bad = last + 2
    fake.item_fault = lambda d: 400 if d["event.sequence"] == bad else None
    site.submit(2)
    wait_for("all but one", lambda: set(site.ids()) - {bad} <= set(fake.ids()))
    assert bad not in fake.ids()
    wait_for("a line", lambda: re.search(rf"event=sink.aside .*id={bad} .*as told",
                                         site.product.log("ticketd")) is not None)


def test_one_bad_event_is_set_aside(site):
    fake = splunk(site)
    fake.bad = lambda e: e["event.action"] == "ticket.created" and e["ticket_milter.ticket"] == "IT-2"
    site.product.start_ticketd()
    site.submit(3)
    wait_for("the others", lambda: len(set(site.ids()) - set(fake.ids())) == 1)
    wait_for("its line", lambda: "event=sink.aside" in site.product.log("ticketd"))
    assert site.product.log("ticketd").count("event=sink.aside") == 1


def test_a_batch_that_is_too_large_is_halved(site):
    site.product.start_ticketd()
    site.submit(10)
    fake, two = splunk(site, size_max=2500), elastic(site, size_max=2500)
    site.product.ctl("reload")
    site.has_all(fake)
    site.has_all(two)
    assert len(fake.batches) > 3 and fake.ids() == sorted(fake.ids())
    assert "sink.aside" not in site.product.log("ticketd")


def test_a_wrong_token_stops_it_until_a_reload(site):
    fake = splunk(site)
    fake.token = "other"
    site.product.start_ticketd()
    site.submit()
    wait_for("a line", lambda: "event=sink.stopped sink=siem" in site.product.log("ticketd"))
    asked = len(fake.seen)
    site.submit()
    time.sleep(1)
    assert len(fake.seen) == asked and fake.events == []
    fake.token = TOKEN
    site.product.ctl("reload")
    site.has_all(fake)


def test_a_sink_that_is_away_for_long_catches_up(site):
    fake, away = elastic(site), splunk(site, "history = yes\nbatch = 7\nbatch_bytes = 16k")
    away.plan("cut", "/event", 3)
    site.product.start_ticketd()
    site.submit(12)
    site.has_all(fake)  # is not held up
    site.has_all(away)
    assert away.ids() == sorted(away.ids()) and max(away.batches) <= 7


def test_kill_during_batches_loses_nothing(site):
    one, two = (splunk(site, "history = yes\nbatch = 3"), elastic(site, "history = yes\nbatch = 3"))
    rng = random.Random(5)
    site.product.start_ticketd()
    for _ in range(8):
        site.submit(2)
        time.sleep(rng.random() * 0.12)
        site.kill()
        if rng.random() < 0.5:
            one.plan("lose", "/event", 1)
            two.plan("lose", "/_bulk", 1)
        site.product.start_ticketd()
    for fake in (one, two):
        site.has_all(fake)
        assert fake.breaches == []
    assert one.ids() == sorted(one.ids())
    assert sorted(two.ids()) == sorted(set(two.ids()))


def test_lines_have_ecs_names_when_asked_for(site):
    site.product.write_config(top="log_ecs = yes\n")
    site.product.start_ticketd()
    site.submit()
    lines = [json.loads(line) for line in site.product.lines("ticketd")]
    assert all(line["service.name"] == "ticketd" and line["host.name"] == "mx.example.test" and
               line["log.level"] in ("notice", "info", "warning", "error") for line in lines)
    assert "start" in [line["event.action"] for line in lines]
    assert "ann@customer.example" not in site.product.log("ticketd")
