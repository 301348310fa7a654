# SPDX-License-Identifier: BSD-2-Clause
"""Senders as ticketd knows them: nothing waits for a directory, what it says comes later."""
import json
import os
import sqlite3
import time

import pytest
from conftest import BUILD
from harness.people import PASSWORD, LdapStage, Silent, Stage
from harness.product import DESKS, Product
from harness.util import make_root, remove_root, wait_for

DESK = "support@example.test"
PEOPLE = "address,name,department,groups\nann@example.test,Ann Lee,Sales,\"a,b\"\n"


def mail(sender, n=1, subject="printer"):
    return (f"From: <{sender}>\nTo: {DESK}\nSubject: {subject}\n"
            f"Message-ID: <{n}.{sender}>\n\nIt is broken, number {n}.\n").encode()


class Office:
    def __init__(self, root):
        self.root = root
        self.file = f"{root}/people.csv"
        self.product = None
        self.write(PEOPLE)

    def write(self, text):
        with open(self.file + ".new", "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(self.file + ".new", 0o644)
        os.replace(self.file + ".new", self.file)

    def start(self, section=None, people="", more=""):
        section = section or Stage.write("file", file=self.file)
        self.product = Product(self.root, BUILD, desks=DESKS + section +
                               "people {\n" + people + "\n}\n" + more, log_level="debug")
        self.product.prepare()
        self.product.start_ticketd()
        return self.product

    def submit(self, sender, n=1):
        start = time.monotonic()
        out = self.product.ctl("submit", "-f", sender, "-r", DESK, stdin=mail(sender, n),
                               text=False)
        assert b" created " in out.stdout, out
        return out.stdout.split()[0].decode(), time.monotonic() - start

    def jobs(self, ticket):
        return [(j["kind"], j["state"], j["reason"])
                for j in self.product.json("show", ticket)["jobs"]]

    def done(self, ticket, timeout=180):
        wait_for("the job of " + ticket,
                 lambda: self.jobs(ticket) and self.jobs(ticket)[0][1] == "done", timeout)
        return self.jobs(ticket)[0][2]

    def cached(self, address):
        out = self.product.ctl("--json", "directory", "lookup", "--cached", address,
                               check=False)
        return json.loads(out.stdout)["cached"]

    def status(self):
        return self.product.json("status")["people"]

    def people(self, sql, *values):
        with sqlite3.connect(f"{self.product.root}/store/tickets.db", timeout=60) as db:
            rows = db.execute(sql, values).fetchall()
        db.close()
        return rows


@pytest.fixture
def office():
    root = make_root()
    o = Office(root)
    try:
        yield o
    finally:
        if o.product:
            o.product.stop()
            print(o.product.log("ticketd")[-4000:])
        remove_root(root)


def kinds(office, ticket):
    return [e["kind"] for e in office.product.json("show", ticket)["events"]]


def test_the_first_mail_is_decided_again_when_the_answer_is_there(office):
    office.start()
    ticket, _ = office.submit("ann@example.test")
    office.done(ticket)
    assert "ticket.enriched" in kinds(office, ticket)
    person = office.cached("ann@example.test")["person"]
    assert person["name"] == "Ann Lee" and person["groups"] == ["a", "b"]
    # From now on mail knows her at once.
    second, _ = office.submit("ann@example.test", 2)
    assert office.jobs(second) == []
    assert office.status()["hits"] >= 1


def test_a_rule_by_department_routes_the_first_mail_too(office):
    office.start(more='group "sales" {}\nrules "main" {}\n'
                      'rule "sales" {\n if_department = {"Sales"}\n set_group = "sales"\n}\n')
    for n in (1, 2):
        ticket, _ = office.submit("ann@example.test", n)
        if n == 1:
            office.done(ticket)
        assert office.product.json("show", ticket)["group"] == "sales"


def test_who_is_not_known_is_asked_for_once(office):
    office.start()
    ticket, _ = office.submit("eve@elsewhere.test")
    assert "no directory knows" in office.done(ticket)
    assert "ticket.enriched" not in kinds(office, ticket)
    second, _ = office.submit("eve@elsewhere.test", 2)
    assert office.jobs(second) == []
    assert office.status()["directories"]["staff"]["asked"] == 1


def test_without_a_directory_nothing_is_asked_or_kept(office):
    office.start(section="\n")
    ticket, _ = office.submit("ann@example.test")
    assert office.jobs(ticket) == []
    assert office.people("select count(*) from people") == [(0,)]


def test_only_our_own_domains_are_asked_for(office):
    office.start(people='    domains = {"example.test"}')
    ticket, _ = office.submit("eve@elsewhere.test")
    assert office.jobs(ticket) == []
    office.done(office.submit("ann@example.test")[0])


def test_mail_does_not_wait_for_a_directory_that_says_nothing(office):
    with Silent() as silent:
        words = f"{office.root}/password"
        with open(words, "w", encoding="utf-8") as f:
            f.write(PASSWORD)
        os.chmod(words, 0o644)
        section = Stage.write("ldap", uris=[f"ldap://127.0.0.1:{silent.port}"],
                              bind="anonymous", base="dc=x", timeout="4s")
        office.start(section=section, people="    enrich_wait = 6s")
        took = [office.submit("ann@example.test", n)[1] for n in range(1, 4)]
        assert sorted(took)[1] < 3, took
        # What is created waits a while, and then goes on without.
        assert "in time" in office.done("IT-1")
        wait_for("a failure", lambda: office.status()["directories"]["staff"]["failed"] >= 1)


def test_an_old_answer_is_used_while_the_directory_is_down(office):
    office.start(people="    ttl = 1s\n    negative_ttl = 1s\n    enrich_wait = 2s")
    office.done(office.submit("ann@example.test")[0])
    os.rename(office.file, office.file + ".gone")
    time.sleep(2.2)
    ticket, _ = office.submit("ann@example.test", 2)
    assert office.jobs(ticket) == [], "it is known, though old"
    assert office.status()["stale"] >= 1
    assert office.cached("ann@example.test")["person"]["name"] == "Ann Lee"
    office.write(PEOPLE.replace("Ann Lee", "Ann Ray"))

    def renewed():
        office.submit("ann@example.test", int(time.time() * 1000))
        return office.cached("ann@example.test")["person"]["name"] == "Ann Ray"
    wait_for("the new answer", renewed, step=0.5)


def test_a_reload_brings_another_directory(office):
    product = office.start(section="\n")
    assert office.jobs(office.submit("ann@example.test")[0]) == []
    product.write_config(desks=DESKS + Stage.write("file", file=office.file))
    product.ctl("reload")
    office.done(office.submit("ann@example.test", 2)[0])


def test_a_person_at_the_keyboard_asks_and_forgets(office):
    product = office.start()
    assert product.ctl("directory", "lookup", "ANN@example.test").returncode == 0
    assert product.ctl("directory", "lookup", "x@example.test", check=False).returncode == 67
    assert product.ctl("directory", "lookup", "--cached", "ann@example.test").returncode == 0
    assert product.ctl("directory", "test", "staff").returncode == 0
    assert product.ctl("directory", "test", "other", check=False).returncode == 65
    office.write("address\nno address here\n")
    out = product.ctl("directory", "test", check=False)
    assert out.returncode == 69 and "line 2" in out.stdout
    assert "2 answers" in product.ctl("directory", "flush").stdout
    assert product.ctl("directory", "lookup", "--cached", "ann@example.test",
                       check=False).returncode == 67


def test_explain_shows_the_person(office):
    product = office.start()
    product.ctl("directory", "lookup", "ann@example.test")
    out = product.ctl("--json", "explain", "-", stdin=mail("ann@example.test").decode())
    assert json.loads(out.stdout.splitlines()[0])["person"]["department"] == "Sales" \
        if out.stdout.count("\n") == 1 else '"department": "Sales"' in out.stdout


def test_who_is_forgotten_is_no_longer_in_the_cache(office):
    product = office.start()
    office.done(office.submit("ann@example.test")[0])
    product.ctl("forget", "--yes", "ann@example.test")
    assert office.people("select count(*) from people") == [(0,)]


def test_slapd_knows_the_sender(office):
    reason = LdapStage.missing()
    if reason:
        pytest.skip(reason)
    stage = LdapStage(f"{office.root}/ldap")
    os.chmod(stage.root, 0o755)
    stage.start()
    try:
        os.chmod(f"{stage.root}/password", 0o600)
        os.chown(f"{stage.root}/password", 61801 if os.geteuid() == 0 else os.geteuid(), -1)
        os.chmod(f"{stage.root}/ca.pem", 0o644)
        office.start(section=stage.section(vip_groups=["board"]))
        office.done(office.submit("boss@example.test")[0])
        person = office.cached("boss@example.test")["person"]
        assert person["vip"] and person["name"] == "Carla Boss"
        assert sorted(person["groups"]) == ["all-staff", "board"]
        # It may go while nobody needs it, and what is known stays known.
        stage.stop()
        ticket, _ = office.submit("boss@example.test", 2)
        assert office.jobs(ticket) == []
    finally:
        stage.stop()
