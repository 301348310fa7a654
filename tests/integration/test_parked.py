# SPDX-License-Identifier: BSD-2-Clause
"""Jobs that cannot go on by themselves: who is told, what is counted, and what a person may
change of one that is in doubt. Behind a helper program as the desk; mail by a real Postfix."""
import email
import email.policy
import os
import re
import urllib.request

import pytest
from conftest import postfix_sites
from harness.smtp import header, send
from harness.util import free_port, make_root, remove_root, wait_for

ADMIN = "admin@agents.test"
ANN = "ann@customer.test"
DESK = "support@desk.test"

# What create and find end with stands in a file; what was made is counted in another one.
PROGRAM = """\
#!/bin/sh
call=$(cat)
here=%(here)s/%(name)s
case $call in
*'"op":"create"'*) op=create ;;
*'"op":"find"'*) op=find ;;
*) echo '{}'; exit 0 ;;
esac
echo $op >>$here.asked
code=$(cat $here.$op)
if [ "$code" = 0 ] && [ $op = create ]; then
    echo '{"external":"1","number":"H-1","url":"https://h.example/1"}'
elif [ "$code" = 0 ]; then
    echo '{}'
else
    echo '{"error":"no such field: colour"}'
fi
exit $code
"""


class Helper:
    """A desk behind a program: ends(create=65) says what its next calls end with."""

    def __init__(self, folder, name):
        self.place = f"{folder}/{name}"
        with open(self.place, "w", encoding="ascii") as f:
            f.write(PROGRAM % {"here": folder, "name": name})
        os.chmod(self.place, 0o755)
        self.forget()
        self.ends(create=0, find=0)

    def ends(self, **codes):
        for op, code in codes.items():
            with open(f"{self.place}.new", "w", encoding="ascii") as f:
                f.write(f"{code}\n")
            os.rename(f"{self.place}.new", f"{self.place}.{op}")  # it may run just now

    def forget(self):
        with open(f"{self.place}.asked", "w", encoding="ascii"):
            pass
        os.chmod(f"{self.place}.asked", 0o666)

    def asked(self, op):
        with open(f"{self.place}.asked", encoding="ascii") as f:
            return f.read().split().count(op)

    def section(self):
        return (f'itsm "{os.path.basename(self.place)}" {{ type = "exec" poll = 0\n'
                f'    options = {{"program={self.place}"}} }}\n')


@pytest.fixture(scope="module")
def helpers():
    folder = make_root()
    yield [Helper(folder, name) for name in ("own", "second")]
    remove_root(folder)


@pytest.fixture(scope="module")
def site(helpers):
    metrics = free_port()

    def desks(port):
        return (f'metrics {{ listen = "127.0.0.1:{metrics}" }}\n'
                f'desk "it" {{ addresses = {{"{DESK}"}} prefix = "IT" itsm = "own" }}\n'
                f'channel "mail" {{ type = "mail" url = "smtp://127.0.0.1:{port}" }}\n'
                f'notify "admin" {{ on = {{"parked"}} to = {{"{ADMIN}"}} channel = "mail" }}\n'
                ) + "".join(h.section() for h in helpers)
    for made in postfix_sites("virtual_mailbox_domains = desk.test, agents.test, customer.test\n",
                              desks=desks):
        made.metrics = f"http://127.0.0.1:{metrics}/metrics"
        yield made


def put(site, mail, subject):
    message = mail(subject, to=DESK, sender=f"Ann <{ANN}>")
    assert send(site.mta.port, ANN, DESK, message).code == 250
    return wait_for("the ticket", lambda: [
        t for t in site.product.tickets() if t["subject"] == subject])[0]["id"]


def create(site, ticket):
    return [j for j in site.product.json("show", ticket)["jobs"] if j["kind"] == "create"][0]


def told(site):
    return [email.message_from_bytes(m, policy=email.policy.default) for m in site.mta.mails()
            if ADMIN.encode() in (header(m, "To") or b"")]


def parked_total(site):
    with urllib.request.urlopen(site.metrics, timeout=180) as answer:
        return float(re.search(r"(?m)^ticket\w*_jobs_parked_total (\S+)$",
                               answer.read().decode())[1])


def test_who_looks_after_a_desk_is_told_once_of_what_cannot_go_on(site, helpers, mail):
    own = helpers[0]
    own.ends(create=75)
    before = parked_total(site)
    ticket = put(site, mail, "Coloured paper")
    job = wait_for("the job", lambda: create(site, ticket))
    number = str(job["job"])
    # What is tried again, by itself and by hand, is nobody's affair.
    wait_for("a try", lambda: own.asked("create") >= 1)
    wait_for("by hand", lambda: site.product.ctl(
        "queue", "retry", number, check=False).returncode == 0)
    wait_for("another try", lambda: own.asked("create") >= 2)
    assert told(site) == [] and parked_total(site) == before
    own.ends(create=65)
    wait_for("the last try", lambda: create(site, ticket)["state"] == "parked")
    wait_for("the mail", lambda: told(site))
    wait_for("the number", lambda: parked_total(site) == before + 1)
    words = told(site)[0].get_body(("plain",)).get_content()
    assert ticket in told(site)[0]["Subject"] and "own" in told(site)[0]["Subject"]
    assert "no such field: colour" in words and f"ticketctl queue retry {number}" in words
    own.ends(create=0)
    site.product.ctl("queue", "retry", number)
    wait_for("the create", lambda: create(site, ticket)["state"] == "done")
    wait_for("empty queue", site.mta.queue_empty)
    assert len(told(site)) == 1 and parked_total(site) == before + 1


def test_what_is_in_doubt_is_shown_so_and_changed_by_force_alone(site, helpers, mail):
    own, second = helpers
    own.ends(create=70, find=75)  # maybe it was made; nobody can say
    second.forget()
    ticket = put(site, mail, "Doubtful paper")

    def listed():
        return [j for j in site.product.json("queue", "list") if j["ticket"] == ticket and
                j["kind"] == "create"]
    number = str(wait_for("the doubt", lambda: [
        j for j in listed() if j.get("doubt_since")])[0]["job"])
    ctl = site.product.ctl
    wait_for("parked", lambda: ctl("queue", "park", number, check=False).returncode == 0)
    (job,) = listed()
    since = job["doubt_since"]
    assert job["state"] == "parked" and re.match(r"20\d\d-\d\d-\d\dT", since)
    table = ctl("queue", "list").stdout.splitlines()
    at = table[0].index("IN DOUBT")
    (row,) = [line for line in table if line.split()[:1] == [number]]
    assert re.match(r"20\d\d-\d\d-\d\d \d\d:\d\d", row[at:]), table
    assert "doubt_since" in ctl("queue", "show", number).stdout

    for change in (("--target", "second"), ("--payload", '{"note": 1}')):
        refused = ctl("queue", "edit", number, *change, check=False)
        assert refused.returncode == 65 and "look" in refused.stderr, refused
    assert listed()[0]["target"] == "own"
    ctl("queue", "edit", number, "--payload", '{"note": 1}', "--force")
    (job,) = listed()
    assert job["state"] == "parked" and job["doubt_since"] == since
    assert own.asked("create") >= 1 and second.asked("create") == 0
    before = own.asked("create")
    ctl("queue", "edit", number, "--target", "second", "--force")
    wait_for("the second", lambda: second.asked("create") == 1 and not listed())
    assert own.asked("create") == before
    shown = site.product.json("show", ticket)
    assert shown["itsm"] == "second"
    edits = [e["data"] for e in shown["events"] if e["kind"] == "job.edited"]
    assert [e["who"] for e in edits] == ["root"]
