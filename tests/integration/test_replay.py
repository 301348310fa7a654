# SPDX-License-Identifier: BSD-2-Clause
"""Stored mails decided again by another configuration, and what was decided then."""
import json
import os
import re
import time

import pytest
from conftest import BUILD
from harness.product import Product
from harness.util import make_root, remove_root, wait_for

MAILS = 300
DESKS = """\
group "net" {}
group "ops" {}
desk "it" {
    addresses = {"support@example.test"}
    prefix = "IT"
    group = "ops"
}
desk "hr" {
    addresses = {"hr@example.test"}
    prefix = "HR"
}
"""


@pytest.fixture(scope="module")
def product():
    path = make_root()
    p = Product(path, BUILD, desks=DESKS)
    try:
        p.prepare()
        p.start_ticketd()
        for i in range(MAILS):
            to = "support" if i % 3 else "hr"
            p.ctl("submit", "-f", "ann@customer.example", "-r", f"{to}@example.test",
                  stdin=message(i, f"{to}@example.test"))
        yield p
    finally:
        p.stop()
        print(p.log("ticketd")[-3000:])
        remove_root(path)


def message(i, to):
    words = " ".join(f"word{(i * 7 + k) % 97}" for k in range(60))
    return (f"From: ann@customer.example\r\nTo: {to}\r\nSubject: mail {i}\r\n"
            f"Message-ID: <{i}@customer.example>\r\n"
            f"Date: Mon, 23 Nov 2026 10:00:00 +0100\r\n\r\n{words}\r\n")


def config(product, name, *changes):
    """Another configuration beside the live one."""
    with open(product.config, encoding="utf-8") as f:
        text = f.read()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path = os.path.join(product.root, name)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    return path


def replay(product, path, *args, json_lines=False):
    options = ["--json"] if json_lines else []
    done = product.ctl(*options, "replay", "-c", path, *args, check=False)
    assert done.returncode in (0, 1), done.stderr
    if not json_lines:
        return done.returncode, done.stdout
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return done.returncode, lines[:-1], lines[-1]["summary"]


def test_the_same_configuration_decides_the_same(product):
    code, rows, summary = replay(product, product.config, json_lines=True)
    assert code == 0 and len(rows) == MAILS
    assert summary == {"parts": {}, "groups": [], "mails": MAILS, "changed": 0,
                       "failed": 0, "unrecorded": 0}
    assert all(row["differs"] == [] and row["old"] == row["new"] for row in rows)


def test_differences_are_counted_by_part_and_group(product):
    path = config(product, "new.conf", ('group = "ops"', 'group = "net"\n    type = "request"'))
    code, rows, summary = replay(product, path, "--only-changes", json_lines=True)
    it = MAILS - MAILS // 3
    assert code == 1 and len(rows) == it == summary["changed"]
    assert summary["parts"] == {"group": it, "type": it} and summary["mails"] == MAILS
    assert summary["groups"] == [{"old": "ops", "new": "net", "count": it}]
    assert rows[0]["differs"] == ["type", "group"] and rows[0]["desk"] == "it"
    assert (rows[0]["old"]["group"], rows[0]["new"]["group"]) == ("ops", "net")

    code, text = replay(product, path, "--only-changes", "--desk", "hr")
    assert code == 0 and f"{MAILS // 3} mails, 0 decided differently" in text
    code, text = replay(product, path, "--limit", "5")
    assert code == 1 and "5 mails" in text and "group: ops -> net" in text
    code, text = replay(product, path, "--until", "1d", "--since", "2d")
    assert code == 0 and "nothing was compared" in text
    code, text = replay(product, path, "--against", path)
    assert code == 0 and "0 decided differently" in text


def test_a_desk_that_is_gone_is_a_difference(product):
    path = config(product, "gone.conf", ('desk "hr"', 'desk "staff"'))
    code, rows, summary = replay(product, path, "--only-changes", json_lines=True)
    assert code == 1 and summary["parts"] == {"action": MAILS // 3}
    assert rows[0]["new"] is None and rows[0]["old"]["action"] == "new"


def test_a_rehearsal_writes_nothing_and_tells_its_speed(product):
    def state():
        status = product.json("status")
        return {k: status[k] for k in ("tickets", "messages", "events", "jobs", "duplicates")}
    before = state()
    path = config(product, "fast.conf", ('group = "ops"', 'group = "net"'))
    code, text = replay(product, path, "--only-changes")
    assert code == 1 and state() == before
    assert re.search(r"\d+ mails a second", text)
    assert product.json("verify")["bad"] == 0


def test_a_wrong_configuration_is_told_before_anything_else(product):
    path = config(product, "wrong.conf", ('group = "ops"', 'group = "nobody"'))
    done = product.ctl("replay", "-c", path, check=False)
    assert done.returncode == 78 and "wrong.conf" in done.stderr
    done = product.ctl("replay", "-c", product.config, "--model", "/nowhere", check=False)
    assert done.returncode == 78 and "/nowhere" in done.stderr
    done = product.ctl("replay", "-c", product.config, "--since", "soon", check=False)
    assert done.returncode == 64


def test_answers_answer_their_ticket_again(product):
    (ticket,) = [t for t in product.json("list", "--limit", "500") if t["subject"] == "mail 1"]
    product.ctl("submit", "-f", "ann@customer.example", "-r", "support@example.test",
                stdin="From: ann@customer.example\r\nTo: support@example.test\r\n"
                      "Subject: Re: mail 1\r\nMessage-ID: <answer@customer.example>\r\n"
                      "In-Reply-To: <1@customer.example>\r\n\r\nany news?\r\n")
    _, rows, _ = replay(product, product.config, json_lines=True)
    (answer,) = [r for r in rows if r["ticket"] == ticket["id"] and
                 r["message"] != min(m["message"] for m in rows if m["ticket"] == ticket["id"])]
    assert answer["old"]["action"].startswith("append")


def test_explain_of_a_ticket_says_what_was_kept(product):
    done = product.ctl("explain", "IT-1")
    assert "IT-1, message" in done.stdout and "desk's settings" in done.stdout
    done = product.ctl("explain", "IT-1", "--now")
    assert "group" in done.stdout and "ops" in done.stdout
    told = json.loads(product.ctl("--json", "explain", "IT-1", "--now").stdout.splitlines()[0])
    assert told["record"] is None and told["now"]["group"] == "ops"
    done = product.ctl("explain", "IT-9999", check=False)
    assert done.returncode != 0 and "IT-9999" in done.stderr
    done = product.ctl("explain", "IT-1", "/dev/null", check=False)
    assert done.returncode == 64


def test_fields_and_service_are_set_by_hand(product):
    product.ctl("set", "IT-2", "service=VPN", "field:asset_tag=LT-9")
    shown = product.json("show", "IT-2")
    assert shown["service"] == "VPN" and shown["fields"] == {"asset_tag": "LT-9"}
    assert "asset_tag=LT-9" in product.ctl("show", "IT-2").stdout
    done = product.ctl("set", "IT-2", "field:Not A Name=x", check=False)
    assert done.returncode != 0 and "a-z" in done.stderr


RULES = """
rule "urgent-words" { if_says = {"word3"} set_group = "net" set_urgency = "high" }
"""


def test_rules_of_another_configuration_are_tried(product):
    path = config(product, "rules.conf", ('desk "it" {', RULES + 'desk "it" {'))
    code, rows, summary = replay(product, path, "--only-changes", json_lines=True)
    assert code == 1 and 0 < summary["changed"] < MAILS
    assert summary["parts"]["group"] == summary["changed"]
    assert {(g["old"], g["new"]) for g in summary["groups"]} == {("ops", "net"), ("", "net")}
    assert rows[0]["new"]["group"] == "net" and rows[0]["new"]["urgency"] == "1"
    path = config(product, "bad.conf",
                  ('desk "it" {', 'extract "x" { pattern = "(?<a" }\ndesk "it" {'))
    done = product.ctl("replay", "-c", path, check=False)
    assert done.returncode == 78 and "bad.conf:" in done.stderr


# ---- shadow ----------------------------------------------------------------------------


def live(product, text):
    """The live configuration becomes this one."""
    with open(product.config, "w", encoding="utf-8") as f:
        f.write(text)
    product.ctl("reload")


def shadow(product):
    return product.json("shadow")


def test_a_shadow_configuration_decides_beside_the_live_one(product):
    with open(product.config, encoding="utf-8") as f:
        before = f.read()
    assert shadow(product)["state"] == "off"
    assert "shadow" not in product.json("status")
    other = config(product, "shadow.conf", ('group = "ops"', 'group = "net"'))
    try:
        live(product, f'shadow_config = "{other}"\n' + before)
        wait_for("the shadow", lambda: shadow(product)["state"] == "on")
        for i in range(3, 60):
            product.ctl("submit", "-f", "ann@customer.example", "-r", "support@example.test",
                        stdin=message(i, "support@example.test").replace("customer.example>",
                                                                         "second.example>"))
        wait_for("it to follow", lambda: shadow(product)["compared"] == 57)
        told = shadow(product)
        assert told["differ"] == told["parts"]["group"] == 57 and told["errors"] == 0
        assert told["groups"][0]["old"] == "ops" and told["groups"][0]["new"] == "net"
        example = told["examples"][0]
        assert example["ticket"].startswith("IT-") and example["new"]["group"] == "net"
        assert product.json("show", example["ticket"])["group"] == "ops"
        text = product.ctl("shadow").stdout
        assert "group: ops -> net" in text and "compared" in text
        assert product.json("status")["shadow"]["compared"] == 57
        assert product.json("status")["parser"]["killed"] == 0
        # No share, no more mails; what was counted stays.
        live(product, f'shadow_config = "{other}"\nshadow_share = 0\n' + before)
        wait_for("the new share", lambda: shadow(product)["state"] == "on")
        product.ctl("submit", "-f", "ann@customer.example", "-r", "support@example.test",
                    stdin=message(999, "support@example.test"))
        time.sleep(0.3)
        assert shadow(product)["compared"] == 57
    finally:
        live(product, before)
    wait_for("no shadow", lambda: shadow(product)["state"] == "off")


def test_a_wrong_shadow_configuration_is_no_fault_of_the_live_one(product):
    with open(product.config, encoding="utf-8") as f:
        before = f.read()
    path = os.path.join(product.root, "broken.conf")
    with open(path, "w", encoding="utf-8") as f:
        f.write("no such key = 1\n")
    try:
        live(product, f'shadow_config = "{path}"\n' + before)
        wait_for("the fault", lambda: shadow(product)["state"] == "failed")
        assert "broken.conf" in shadow(product)["error"]
        product.ctl("submit", "-f", "ann@customer.example", "-r", "support@example.test",
                    stdin=message(1000, "support@example.test"))
        assert shadow(product)["compared"] == 0
        assert "failed" in product.ctl("shadow").stdout
    finally:
        live(product, before)
