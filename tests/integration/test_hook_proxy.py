# SPDX-License-Identifier: BSD-2-Clause
"""The receiver of webhooks behind a proxy: limits are the caller's, and nobody who is not
trusted says who that is."""
import select
import socket

import pytest
from conftest import BUILD
from harness.product import DESKS, Product
from harness.util import free_port, make_root, remove_root, wait_for

PROXY, OTHER = "127.0.0.1", "127.0.0.2"  # the latter is not trusted
RATE, PER_PEER = 6, 3


class Site:
    def __init__(self):
        self.root = make_root()
        self.port = free_port()
        self.open = []
        self.product = Product(self.root, BUILD, desks=DESKS + (
            f'webhook {{\n    listen = "127.0.0.1:{self.port}"\n    timeout = 1m\n'
            f'    trusted_proxies = {{"{PROXY}", "192.0.2.0/24"}}\n'
            f"    rate = {RATE}\n    per_peer = {PER_PEER}\n}}\n"))
        self.product.prepare()
        self.product.start_ticketd()

    def connect(self, peer=PROXY, forwarded=(), length=2, name="nobody"):
        """A call whose body is not there yet."""
        s = socket.create_connection(("127.0.0.1", self.port), 180, (peer, 0))
        self.open.append(s)
        lines = "".join(f"X-Forwarded-For: {f}\r\n" for f in forwarded)
        s.sendall(f"POST /hook/{name} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n"
                  f"{lines}\r\n".encode())
        return s

    @staticmethod
    def status(s):
        """0: the other end closed without an answer."""
        try:
            with s.makefile("rb") as f:
                head = f.readline()
        except ConnectionError:
            return 0
        return int(head.split()[1]) if head else 0

    def call(self, *forwarded, peer=PROXY):
        s = self.connect(peer, forwarded)
        status = self.status(s)
        s.close()
        return status

    def stop(self):
        for s in self.open:
            s.close()
        self.product.stop()
        print(self.product.log("ticketd")[-3000:])
        remove_root(self.root)


@pytest.fixture
def site():
    site = Site()
    yield site
    site.stop()


def test_a_flood_through_a_proxy_is_its_callers_alone(site):
    flood = [site.call("203.0.113.7") for _ in range(RATE + 4)]
    assert flood == [404] * RATE + [429] * 4
    assert site.call("203.0.113.8") == 404  # others have their own
    # What a caller wrote himself stands before what the proxy saw.
    assert site.call("203.0.113.9, 203.0.113.7") == 429
    assert site.call("203.0.113.9", "203.0.113.7") == 429  # in a line of its own
    assert site.call("203.0.113.7, 192.0.2.4") == 429  # a second proxy, trusted too
    assert site.call("203.0.113.10:4711") == 404
    assert "peer=203.0.113.7" in site.product.log("ticketd")


def test_who_is_not_trusted_names_nobody(site):
    lies = [site.call(f"203.0.113.{n}", peer=OTHER) for n in range(RATE + 2)]
    assert lies == [404] * RATE + [429] * 2
    assert site.call("203.0.113.1") == 404  # nobody paid for them


def test_connections_are_counted_for_each_caller_behind_a_proxy(site):
    site.product.write_config(desks=DESKS + (
        f'itsm "there" {{\n    type = "webhook"\n    url = "http://127.0.0.1:1/"\n'
        f'    auth = none\n    hook_secret = "file:{site.product.config}"\n}}\n'
        f'webhook {{\n    listen = "127.0.0.1:{site.port}"\n    timeout = 1m\n'
        f'    trusted_proxies = {{"{PROXY}"}}\n    rate = 1000\n    per_peer = {PER_PEER}\n}}\n'))
    site.product.ctl("reload")

    def told(count, answers, caller="", peer=PROXY):
        """So many calls at once: the statuses of those that are not left to wait."""
        calls = [site.connect(peer, [caller] if caller else [], 60, "there") for _ in range(count)]
        wait_for("the answers", lambda: len(select.select(calls, [], [], 0)[0]) >= answers)
        said = select.select(calls, [], [], 0)[0]
        assert select.select([s for s in calls if s not in said], [], [], 1)[0] == []
        return [site.status(s) for s in said]
    assert told(PER_PEER + 2, 2, "203.0.113.7") == [429] * 2
    assert told(1, 0, "203.0.113.8") == []
    assert told(PER_PEER + 1, 1, peer=OTHER) == [0]  # before a byte is read
