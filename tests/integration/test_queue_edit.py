# SPDX-License-Identifier: BSD-2-Clause
"""Creates that an ITSM refused for good: by hand elsewhere, or by itself when configured."""
import os
import time

import pytest
from bench.bench_itsm import fill
from conftest import BUILD
from harness.fake_servicenow import ServiceNow
from harness.product import DAEMON_UID, DESKS, Product
from harness.util import make_root, remove_root, wait_for

REFUSAL = (403, (), {"error": {"message": "Operation Failed", "detail": "ACL Exception"},
                     "status": "failure"})


class Site:
    def __init__(self, rows=""):
        self.root = make_root()
        self.first, self.second = ServiceNow(), ServiceNow()
        self.first.fault("POST /api/now/v2/table/incident", REFUSAL, 100)
        secret = f"{self.root}/secret"
        with open(secret, "w", encoding="ascii") as f:
            f.write(self.first.password)
        os.chown(secret, DAEMON_UID, 0)
        os.chmod(secret, 0o400)
        desks = "".join(f'itsm "{name}" {{\ntype = "servicenow"\nurl = "{vendor.url}"\n'
                        f'user = "us"\nsecret = "file:{secret}"\n}}\n'
                        for name, vendor in (("rt", self.first), ("second", self.second)))
        desks += DESKS.replace('prefix = "IT"', f'prefix = "IT"\nitsm = "rt"\n{rows}', 1)
        self.product = Product(self.root, BUILD, desks=desks)
        self.product.prepare()
        fill(BUILD, self.product, 1)
        self.product.start_ticketd()

    def job(self):
        return next(iter(self.product.json("queue", "list")), None)

    def rows(self, vendor):
        return len(vendor.tables["incident"])

    def stop(self):
        self.product.stop()
        self.first.stop()
        self.second.stop()
        print(self.product.log("ticketd")[-3000:])
        remove_root(self.root)


@pytest.fixture
def site_of():
    sites = []

    def make(*args):
        sites.append(Site(*args))
        return sites[-1]
    yield make
    for site in sites:
        site.stop()


FALLBACK = 'itsm_fallback = "second"\nitsm_fallback_after = 1s\n'


def test_what_was_refused_goes_to_the_second_when_the_desk_says_so(site_of):
    site = site_of(FALLBACK + "itsm_fallback_refused = yes\n")
    wait_for("the second", lambda: site.rows(site.second) == 1 and site.job() is None, step=0.2)
    assert site.rows(site.first) == 0
    shown = site.product.json("show", "IT-1")
    event = next(e for e in shown["events"] if e["kind"] == "ticket.failover")
    assert shown["itsm"] == "second" and event["data"]["reason"] == "rt refused it"


def test_by_default_it_waits_and_a_person_sends_it_elsewhere(site_of):
    site = site_of(FALLBACK)
    wait_for("the refusal", lambda: (site.job() or {}).get("state") == "parked", step=0.1)
    time.sleep(5)  # two sweeps
    job = site.job()
    assert job["state"] == "parked" and job["target"] == "rt" and "doubt_since" not in job
    number = str(job["job"])
    edit = site.product.ctl
    assert edit("queue", "edit", number, "--target", "nobody", check=False).returncode == 65
    assert edit("queue", "edit", "999", "--target", "second", check=False).returncode == 65
    edit("queue", "edit", number, "--payload", '{"note": 1}')
    assert site.job()["state"] == "parked"
    edit("queue", "edit", number, "--target", "second")
    wait_for("the second", lambda: site.rows(site.second) == 1 and site.job() is None, step=0.2)
    assert site.rows(site.first) == 0
    kinds = {e["kind"]: e["data"].get("who") for e in site.product.json("show", "IT-1")["events"]}
    assert kinds["job.edited"] and kinds["ticket.failover"], kinds
