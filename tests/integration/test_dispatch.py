# SPDX-License-Identifier: BSD-2-Clause
"""ticketd's work for a desk that is faulty, slow or busy."""
import os
import signal
import time

import pytest
from bench.bench_itsm import Fake, fill, product
from campaign.dispatch import Dispatch
from conftest import BUILD
from harness.util import make_root, remove_root, wait_for


class Site:
    def __init__(self, rows="", tickets=1, comments=0, log_level="info", **faults):
        self.root = make_root()
        self.fake = Fake(BUILD, **faults)
        self.product = product(f"{self.root}/p", BUILD, self.fake.url, rows, log_level)
        fill(BUILD, self.product, tickets, comments)

    def start(self):
        self.product.start_ticketd()
        return self

    def jobs(self, state=None):
        jobs = self.product.json("queue", "list", "--limit", "10000")
        return [j for j in jobs if state is None or j["state"] == state]

    def stop(self):
        self.product.stop()
        self.fake.stop()
        print(self.product.log("ticketd")[-3000:])
        remove_root(self.root)


@pytest.fixture
def site_of():
    sites = []

    def make(*args, **kw):
        sites.append(Site(*args, **kw))
        return sites[-1]
    yield make
    for site in sites:
        site.stop()


def test_each_ticket_once_whatever_dies_or_gets_lost():
    got = Dispatch(BUILD, 1000, 12, 1500, 300).run()
    print(got)
    assert got["lost"] > 25 and got["refused"] > 50 and got["kills"] == 12


def test_no_more_at_once_and_no_more_an_hour_than_configured(site_of):
    site = site_of("    concurrency = 2\n", tickets=40, slow=100).start()
    wait_for("all of them", lambda: site.fake.stats()["tickets"] == 40, step=0.1)
    took = site.fake.stats()["took_us"] / 1e6
    assert took >= 19 * 0.1, took  # two at a time, each a tenth of a second
    slow = site_of("    rate = 3600\n", tickets=100)
    began = time.monotonic()
    slow.start()
    wait_for("a minute's worth", lambda: slow.fake.stats()["tickets"] >= 60)
    time.sleep(2)
    got = slow.fake.stats()["tickets"]
    assert got <= 60 + (time.monotonic() - began) + 1, got  # then one a second
    assert {j["attempts"] for j in slow.jobs() if j["state"] != "done"} <= {0, 1}


def test_an_answer_slower_than_the_timeout_leaves_one_ticket(site_of):
    site = site_of("    timeout = 1s\n    search_lag = 1s\n", tickets=2, slow=1500).start()
    wait_for("the tries", lambda: site.fake.stats()["tickets"] == 2, step=0.1)
    # Each look-up is as slow as the creates: the jobs wait, in doubt, and none is doubled.
    wait_for("look-ups", lambda: site.fake.stats()["searches"] >= 2, step=0.1)
    assert site.fake.stats()["tickets"] == 2 and site.fake.stats()["doubled"] == 0
    assert all(j["state"] in ("deferred", "claimed", "ready") for j in site.jobs())


def test_a_stop_loses_nothing_and_the_next_start_goes_on(site_of):
    site = site_of("    concurrency = 4\n", tickets=400, comments=2, slow=5).start()
    for want in (60, 150, 260):
        wait_for("some of them", lambda w=want: site.fake.stats()["tickets"] >= w, step=0.02)
        os.kill(site.product.ticketd.pid, signal.SIGTERM)
        assert site.product.ticketd.wait(60) == 0
        site.start()
    wait_for("all of them", lambda: not [j for j in site.jobs() if j["state"] != "done"], step=0.5)
    got = site.fake.stats()
    assert got["tickets"] == got["posts"] == 400 and got["searches"] == 0, got
    assert got["comments"] == got["distinct"] == 200 and got["disorder"] == 0, got


def second(fake, secret):
    """An itsm section for another desk_fake, and the rows of the desk that name it."""
    return (f'itsm "second" {{\n    type = "rt"\n    url = "{fake.url}"\n'
            f'    secret = "file:{secret}"\n    project = "General"\n}}\n')


def with_second(site, fake, rows):
    desks = site.product.parts["desks"]
    desks = second(fake, f"{site.root}/p/token") + desks.replace('itsm = "rt"', f'itsm = "rt"\n    {rows}', 1)
    site.product.write_config(desks=desks)


def test_what_the_first_itsm_does_not_take_goes_to_the_second_once(site_of):
    other = Fake(BUILD)
    # All answers of the first are refusals at first; later all it carries out gets lost.
    site = site_of("    timeout = 5s\n    search_lag = 1s\n", tickets=12, comments=1, refuse=100)
    try:
        with_second(site, other, 'itsm_fallback = "second"\n    itsm_fallback_after = 3s')
        site.start()
        wait_for("all of them", lambda: not [j for j in site.jobs() if j["state"] != "done"],
                 60, 0.3)
        got = other.stats()
        assert got["tickets"] == got["posts"] == 12 and got["comments"] == 3, got
        assert site.fake.stats()["tickets"] == 0
        shown = site.product.json("show", "IT-1")
        assert shown["itsm"] == "second"
        event = next(e for e in shown["events"] if e["kind"] == "ticket.failover")
        assert event["data"]["from"] == "rt" and event["data"]["to"] == "second", event
        assert "event=itsm.failover" in site.product.log("ticketd")
    finally:
        other.stop()


def test_what_may_have_been_created_stays_with_the_first(site_of):
    other = Fake(BUILD)
    site = site_of("    timeout = 5s\n    search_lag = 1s\n", tickets=4, lose=100)
    try:
        with_second(site, other, 'itsm_fallback = "second"\n    itsm_fallback_after = 1s')
        site.start()
        wait_for("all of them", lambda: not [j for j in site.jobs() if j["state"] != "done"],
                 60, 0.3)
        assert site.fake.stats()["tickets"] == 4 and site.fake.stats()["doubled"] == 0
        assert other.stats()["tickets"] == 0
    finally:
        other.stop()


def test_a_copy_goes_to_a_second_itsm_and_follows(site_of):
    other = Fake(BUILD)
    site = site_of()
    try:
        with_second(site, other, 'itsm_copy = "second"')
        site.start()
        mail = ("From: Ann <ann@sender.test>\r\nTo: support@example.test\r\nSubject: two\r\n"
                "Message-ID: <two@sender.test>\r\nDate: Sun, 22 Nov 2026 10:00:00 +0000\r\n"
                "\r\nhelp\r\n")
        site.product.ctl("submit", "-f", "ann@sender.test", "-r", "support@example.test",
                         stdin=mail)
        wait_for("both", lambda: other.stats()["tickets"] == 1 and
                 site.fake.stats()["tickets"] == 2, step=0.2)
        ours = next(t["id"] for t in site.product.tickets() if t["subject"] == "two")
        site.product.ctl("comment", ours, "step 1 of it")
        wait_for("the comment", lambda: other.stats()["comments"] == 1 and
                 site.fake.stats()["comments"] == 1, step=0.2)
        wait_for("the end", lambda: not [j for j in site.jobs() if j["state"] != "done"], step=0.3)
        assert other.stats()["posts"] == 1 and site.fake.stats()["posts"] == 2
    finally:
        other.stop()
