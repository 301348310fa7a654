# SPDX-License-Identifier: BSD-2-Clause
"""Tickets to a desk over HTTP/2: nginx with TLS before the desk of the benchmarks, which counts
what it gets twice or out of order."""
import pytest
from bench.bench_itsm import Fake, fill, product
from conftest import BUILD
from harness.nginx import Nginx
from harness.util import make_root, remove_root, wait_for

ROWS = '    ca_file = "{ca}"\n    concurrency = 8\n    timeout = 30s\n    search_lag = 1s\n'


class Site:
    def __init__(self, tickets, comments, requests=1000, slow=0):
        self.root = make_root()
        self.fake = Fake(BUILD, slow=slow)
        self.front = Nginx(f"{self.root}/front", self.fake.url, requests).start()
        self.product = product(f"{self.root}/p", BUILD, self.front.url,
                               ROWS.format(ca=self.front.ca_file), "info")
        fill(BUILD, self.product, tickets, comments)
        self.product.start_ticketd()

    def wait(self, tickets, seconds=60):
        """Until so many are there."""
        wait_for(f"{tickets} tickets", lambda: self.fake.stats()["tickets"] >= tickets, seconds, 0.05)

    def wait_all(self):
        def left():
            return [j for j in self.product.json("queue", "list", "--limit", "10000")
                    if j["state"] != "done"]
        wait_for("all jobs", lambda: not left(), step=0.3)
        return self.fake.stats()

    def stop(self):
        self.product.stop()
        self.front.stop()
        self.fake.stop()
        print(self.product.log("ticketd")[-3000:])
        remove_root(self.root)


@pytest.fixture(name="site_of")
def _site_of():
    if Nginx.missing():
        pytest.skip(Nginx.missing())
    sites = []

    def make(*args, **kw):
        sites.append(Site(*args, **kw))
        return sites[-1]
    yield make
    for site in sites:
        site.stop()


def at_once(lines):
    """The most requests that were under way at the same time."""
    moments = sorted([(line.begin, 1) for line in lines] + [(line.end, -1) for line in lines])
    most = now = 0
    for _, step in moments:
        now += step
        most = max(most, now)
    return most


def test_requests_share_a_connection_of_http2(site_of):
    site = site_of(tickets=120, comments=1, slow=30)
    got = site.wait_all()
    assert got["tickets"] == got["posts"] == 120 and got["comments"] == got["distinct"] == 30, got
    lines = wait_for("its log", lambda: len(site.front.log()) >= 150 and site.front.log())
    assert {line.protocol for line in lines} == {"HTTP/2.0"}
    connections = {line.connection for line in lines}
    assert len(connections) <= 2, connections
    busiest = max(connections, key=lambda c: sum(line.connection == c for line in lines))
    assert at_once([line for line in lines if line.connection == busiest]) >= 2


def test_a_server_that_ends_its_connections_loses_and_doubles_nothing(site_of):
    """What a GOAWAY turns away may have been carried out for all that libcurl tells: it is
    looked for, and then sent again."""
    site = site_of(tickets=200, comments=1, requests=7, slow=5)
    got = site.wait_all()
    assert got["tickets"] == got["posts"] == 200, got
    assert got["comments"] == got["distinct"] == 50, got
    assert got["doubled"] == got["disorder"] == got["repeated"] == 0, got
    lines = site.front.log()
    assert len({line.connection for line in lines}) > 20
    assert {line.protocol for line in lines} == {"HTTP/2.0"}


def test_a_server_that_dies_or_begins_anew_loses_and_doubles_nothing(site_of):
    site = site_of(tickets=160, comments=1, slow=40)
    site.wait(30)
    site.front.process.send_signal(1)  # nginx begins anew: those under way are answered
    site.wait(70)
    site.front.kill()
    site.front.start()
    got = site.wait_all()
    assert got["tickets"] == 160 and got["distinct"] == 40, got
    assert got["doubled"] == got["disorder"] == 0, got
