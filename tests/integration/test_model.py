# SPDX-License-Identifier: BSD-2-Clause
"""A model that is learned from ticketd's own tickets: made, put into use, refused, taken back."""
import concurrent.futures
import json
import os
import re
import threading

import pytest
from conftest import BUILD
from harness.product import DESKS, Product
from harness.util import make_root, remove_root

TICKETS = 150
TRAINER = f"{BUILD}/ticket-train"
# What people write about, and how the rules below call it at first.
KINDS = {
    "printing": ["the printer in room {0} is jammed again", "toner of printer {0} is empty",
                 "printer {0} prints stripes on every page"],
    "account": ["I forgot my password and cannot sign in, user {0}",
                "please reset the password of my account {0}",
                "my login {0} is locked after the holidays"],
    "vacation": ["please approve my vacation in week {0}", "how many vacation days are left, {0}",
                 "I would like to take a day off, number {0}"],
}
MODEL = """\
model {{
    file = "{0}"
}}
"""
# Wrong for a third of them: people put that right.
RULES = """\
rule "first" {{
    if_subject = {{"before"}}
    set_category = "account"
    set_group = "front"
}}
group "front" {{}}
group "back" {{}}
"""


def text_of(i):
    kind = list(KINDS)[i % 3]
    return kind, KINDS[kind][i // 3 % 3].format(i)


def mail(i, subject, text):
    return (f"From: ann{i % 7}@customer.example\r\nTo: support@example.test\r\n"
            f"Subject: {subject}\r\nMessage-ID: <{subject.replace(' ', '.')}.{i}@c>\r\n"
            f"Date: Mon, 23 Nov 2026 10:00:00 +0100\r\n\r\nHello,\r\n\r\n{text}.\r\n")


class Learner:
    """ticketd with tickets that people have settled, and the model's file."""

    def __init__(self, root):
        self.product = Product(root, BUILD)
        self.file = f"{self.product.root}/model"
        self.rules = RULES.format()
        self.product.prepare()
        self.product.write_config(desks=DESKS + self.rules)
        self.product.start_ticketd()
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            list(pool.map(self.settle, range(TICKETS)))

    def submit(self, i, subject, text):
        done = self.product.ctl(
            "--json", "submit", "-f", f"ann{i % 7}@customer.example", "-r",
            "support@example.test", stdin=mail(i, subject, text))
        return json.loads(done.stdout)["tickets"][0]["id"]

    def settle(self, i):
        kind, text = text_of(i)
        ticket = self.submit(i, f"before {i}", text)
        if kind != "account":
            self.product.ctl("set", ticket, f"category={kind}", "group=back")
        self.product.ctl("resolve", ticket)

    def configure(self):
        self.product.write_config(desks=DESKS + self.rules + MODEL.format(self.file))

    def model(self, *args, check=True):
        return self.product.ctl("model", *args, check=check)

    def show(self, ticket):
        return self.product.json("show", ticket)

    def record(self, ticket):
        """What was decided about its first mail."""
        return [e["data"] for e in self.show(ticket)["events"] if e["kind"] == "message.decided"][0]

    def version(self):
        return json.loads(self.model("show", "--json", "--model", self.file).stdout)["version"]


@pytest.fixture(scope="module")
def learner():
    root = make_root()
    one = None
    try:
        one = Learner(root)
        yield one
    finally:
        if one:
            one.product.stop()
            print(one.product.log("ticketd")[-3000:])
        remove_root(root)


def test_settled_tickets_teach_what_people_made_of_them(learner):
    done = learner.model("train", "--from-store", "--out", learner.file, "--trainer", TRAINER)
    assert f"from {TICKETS} records" in done.stdout
    told = json.loads(learner.model("test", "--model", learner.file, "--from-store").stdout)
    assert told["n"] == TICKETS and told["accuracy"] > 0.95 and told["top3"] > 0.99
    assert told["heads"]["group"]["accuracy"] > 0.95
    # Corrected ones are learned as people left them, not as the rule had called them.
    shown = json.loads(learner.model("show", "--json", "--model", learner.file).stdout)
    assert set(shown["heads"]["category"]) == set(KINDS)
    assert set(shown["heads"]["group"]) == {"front", "back"}


def test_after_a_reload_new_mail_gets_its_category_from_the_model(learner):
    ticket = learner.submit(1, "no model yet", "the printer on the third floor is jammed")
    assert learner.show(ticket)["category"] == ""
    learner.configure()
    learner.product.ctl("reload")
    ticket = learner.submit(2, "help please", "the printer on the third floor is jammed")
    shown = learner.show(ticket)
    assert (shown["category"], shown["group"]) == ("printing", "back")
    record = learner.record(ticket)
    reason, = [r for r in record["reasons"] if r["source"] == "model" and r["by"] == "category"]
    assert reason["value"] == "printing" and reason["permille"] > 300
    assert any("printer" in w or "jammed" in w for w in reason["words"])
    assert re.search(rf"model {learner.version()} of 20\d\d-", record["by"])
    told = learner.product.ctl("explain", ticket).stdout
    assert "printing" in told and "model" in told and learner.version() in told
    # What a rule says goes before.
    ticket = learner.submit(3, "before all else", "the printer on the third floor is jammed")
    assert learner.show(ticket)["category"] == "account"


def test_a_broken_model_is_refused_with_its_reason_and_the_old_one_stays(learner):
    with open(learner.file, "rb") as f:
        good = f.read()
    flipped = bytearray(good)
    flipped[len(good) // 2] ^= 0x40
    try:
        for what, data in (("cut short", good[:3000]), ("checksum", bytes(flipped)),
                           ("another kind of file", b"text,category\n" * 500)):
            with open(f"{learner.file}.tmp", "wb") as f:
                f.write(data)
            os.chmod(f"{learner.file}.tmp", 0o644)
            os.rename(f"{learner.file}.tmp", learner.file)
            done = learner.product.ctl("reload", check=False)
            assert done.returncode == 78 and what in done.stderr, (what, done.stderr)
            ticket = learner.submit(len(what), f"after {what}", "my password does not work")
            assert learner.show(ticket)["category"] == "account"
        os.unlink(learner.file)
        done = learner.product.ctl("reload", check=False)
        assert done.returncode == 78 and learner.file in done.stderr
        ticket = learner.submit(77, "after it was gone", "toner of printer 7 is empty")
        assert learner.show(ticket)["category"] == "printing"
    finally:
        with open(f"{learner.file}.tmp", "wb") as f:
            f.write(good)
        os.chmod(f"{learner.file}.tmp", 0o644)
        os.rename(f"{learner.file}.tmp", learner.file)
    learner.product.ctl("reload")


def test_retraining_replaces_it_and_rollback_takes_that_back(learner):
    first = learner.version()
    for i in range(6):
        ticket = learner.submit(200 + i, f"moving {i}", f"two desks move from room {i} to room 9")
        learner.product.ctl("set", ticket, "category=moving", "group=back")
        learner.product.ctl("close", ticket)
    learner.model("retrain", "--force", "--trainer", TRAINER)
    assert learner.version() != first
    ticket = learner.submit(300, "a desk", "four desks move to room 12")
    assert learner.show(ticket)["category"] == "moving"
    assert learner.version() in learner.record(ticket)["by"]
    done = learner.model("rollback")
    assert first in done.stdout and learner.version() == first
    ticket = learner.submit(301, "a desk again", "five desks move to room 12")
    assert learner.show(ticket)["category"] != "moving"
    assert first in learner.record(ticket)["by"]


def test_no_mail_is_lost_or_undecided_while_models_are_changed(learner):
    over = threading.Event()
    tickets, faults = [], []

    def load(i):
        while not over.is_set():
            try:
                tickets.append(learner.submit(i, "our printer is jammed",
                                              "the printer in the hall is jammed again"))
            except Exception as e:  # pylint: disable=broad-except
                faults.append(repr(e))
                return
            i += 1

    threads = [threading.Thread(target=load, args=(i,)) for i in (1000, 2000)]
    for t in threads:
        t.start()
    try:
        changes = 0
        while changes < 8 or len(tickets) < 16 and not faults and changes < 1000:
            learner.model("rollback")
            changes += 1
    finally:
        over.set()
        for t in threads:
            t.join()
    assert not faults and len(tickets) == len(set(tickets)) >= 16
    for ticket in tickets:
        shown = learner.show(ticket)
        assert shown["category"] == "printing", learner.record(ticket)
        assert not [j for j in shown["jobs"] if j["kind"] == "reanalyse"]
    assert learner.product.json("status")["unanalysed"] == 0
