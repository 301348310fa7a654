# SPDX-License-Identifier: BSD-2-Clause
"""Notices by a real ticketd: who is told what by mail and by a webhook, and who is not."""
import json

import pytest
from conftest import BUILD
from harness import web
from harness.outbox import Outbox
from harness.product import Product
from harness.util import make_root, remove_root, wait_for

DESK = "support@example.test"
ANN = "ann@customer.example"


class Hook:
    """Takes whatever comes, and keeps it."""

    def __init__(self):
        self.got = got = []

        class Handler(web.Handler):
            def do_POST(self):
                got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(204)
                self.end_headers()

        self.server = web.Server(Handler)
        self.url = f"{self.server.url}/hook"


CONF = """
group "net" { members = {"bob@example.test"} mailbox = "net@example.test" }
channel "mail" { type = "mail" options = {"program=%(program)s"} }
channel "hook" { type = "webhook" url = "%(url)s" auth = none
    options = {"allow_private=yes"} }
notify "ack" {
    on = {"created", "comment", "resolved"}
    to = {"requester"}
    channel = "mail"
    per_recipient = 6
}
notify "room" { on = {"created", "resolved", "alarm"} to = {"room"} channel = "hook" }
desk "it" {
    addresses = {"support@example.test"}
    prefix = "IT"
    group = "net"
}
desk "strict" {
    addresses = {"strict@example.test"}
    prefix = "ST"
    group = "net"
    acknowledge_if = proved
}
"""


@pytest.fixture(scope="module")
def world():
    path = make_root()
    hook, outbox = Hook(), Outbox(path)
    p = Product(path, BUILD, desks=CONF % {"program": outbox.program, "url": hook.url})
    p.hook, p.outbox = hook, outbox
    try:
        p.prepare()
        p.start_ticketd()
        yield p
    finally:
        p.stop()
        print(p.log("ticketd")[-4000:])
        hook.server.stop()
        remove_root(path)


def mails(world):
    return world.outbox.mails()


def submit(world, message, sender=ANN, desk=DESK):
    done = world.ctl("submit", "-f", sender, "-r", desk, stdin=message, text=False)
    return done.stdout.split()[0].decode()


def text(subject, sender=ANN, more=""):
    return ("From: %s\r\nTo: %s\r\nSubject: %s\r\nMessage-ID: <%s@customer.example>\r\n"
            "Date: Sun, 22 Nov 2026 10:00:00 +0000\r\n%s\r\nIt does not work.\r\n"
            % (sender, DESK, subject, subject.replace(" ", "-"), more)).encode()


def test_the_requester_hears_at_once_and_the_room_too(world):
    ticket = submit(world, text("printer"))
    wait_for("notices", lambda: len(mails(world)) >= 1 and len(world.hook.got) >= 1)
    m = mails(world)[0]
    assert m["To"].addresses[0].addr_spec == ANN
    assert ticket in m["Subject"] and "printer" in m["Subject"]
    assert m["Auto-Submitted"].startswith("auto-replied")
    assert m["In-Reply-To"] == "<printer@customer.example>"
    plain = m.get_body(("plain",)).get_content()
    assert ticket in plain and "is in hand" in plain
    assert m.get_body(("html",)) is not None
    assert ticket in json.dumps(world.hook.got[0])
    # Written down behind the answer of who was told.
    wait_for("what was told", lambda: [
        e["kind"] for e in world.json("log", ticket)].count("notice.told") == 2)


def test_robots_lists_and_bounces_are_not_answered(world):
    before = len(mails(world))
    submit(world, text("cron job", more="Auto-Submitted: auto-generated\r\n"))
    submit(world, text("out of office", more="Auto-Submitted: auto-replied\r\n"))
    submit(world, text("news", more="List-Id: <l.example>\r\nPrecedence: list\r\n"))
    submit(world, text("hurt", sender="mailer-daemon@customer.example"), sender="")
    ticket = submit(world, text("a person"))
    wait_for("the mail", lambda: any(ticket in m["Subject"] for m in mails(world)))
    assert len(mails(world)) == before + 1


def test_a_desk_that_demands_proof_answers_nobody_without(world):
    """The room is told of all the same."""
    strict, proof = "strict@example.test", (
        "Authentication-Results: mx.example.test; dmarc=%s header.from=customer.example\r\n")
    quiet = [submit(world, text("unproved"), desk=strict),
             submit(world, text("forged", more=proof % "fail"), desk=strict)]
    loud = submit(world, text("proved", more=proof % "pass"), desk=strict)
    wait_for("the mail", lambda: any(loud in m["Subject"] for m in mails(world)))
    wait_for("the room", lambda: all(t in json.dumps(world.hook.got) for t in quiet))
    assert not [m for m in mails(world) for t in quiet if t in m["Subject"]]
    assert submit(world, text("unproved, elsewhere", sender="max@customer.example"),
                  sender="max@customer.example").startswith("IT-")
    wait_for("his mail", lambda: world.outbox.to("max@customer.example"))


def test_a_loop_that_passes_for_a_person_is_cut(world):
    """What it sends becomes tickets; what it is told ends."""
    loop = "loop@customer.example"
    last = None
    for i in range(30):
        last = submit(world, text("again %d" % i, sender=loop), sender=loop)
    end = submit(world, text("behind the loop", sender="eve@customer.example"),
                 sender="eve@customer.example")
    wait_for("the mail", lambda: any(end in m["Subject"] for m in mails(world)))
    def told():
        return [m for m in mails(world) if m["To"].addresses[0].addr_spec == loop]
    wait_for("what it is told", lambda: len(told()) >= 6)  # each ticket has a lane of its own
    wait_for("no job", lambda: not [j for j in world.json("queue", "list") if j["state"] != "done"])
    assert len(told()) == 6
    assert world.json("show", last)["requester"] == loop
    limited = [e for e in world.json("log") if e["kind"] == "notice.limited"]
    assert len(limited) == 1


def test_words_are_shown_before_the_first_start(root):
    product = Product(root, BUILD, desks=CONF % {"program": "/bin/true", "url": "http://127.0.0.1:1"})
    product.prepare()
    done = product.ctl("notify", "preview", "--on", "resolved", "--language", "de")
    assert "gelöst" in done.stdout and "IT-12" in done.stdout
    assert product.json("notify", "preview")["language"] == "en"
    assert product.ctl("notify", "preview", "--on", "burned", check=False).returncode == 65
    assert product.ctl("notify", "preview", "IT-1", check=False).returncode == 69


def test_words_are_shown_before_they_are_sent(world):
    asked = world.ctl("-s", f"{world.root}/run/control.sock", "notify", "preview", "--on", "resolved")
    assert asked.stdout == world.ctl("notify", "preview", "--on", "resolved").stdout
    done = world.ctl("notify", "preview", "--on", "resolved", "--language", "de")
    assert "gelöst" in done.stdout and "IT-12" in done.stdout
    done = world.ctl("notify", "preview", "--html", "--to", "group")
    assert "&lt;jammed&gt;" in done.stdout and "<jammed>" not in done.stdout
    done = world.ctl("notify", "preview", "IT-1", "--on", "burned", check=False)
    assert done.returncode != 0


def test_who_opted_out_is_told_no_more_until_he_comes_back(world):
    quiet = "quiet@customer.example"
    world.ctl("notify", "optout", "Quiet@customer.example")
    assert quiet in world.ctl("notify", "list").stdout
    submit(world, text("quiet one", sender=quiet), sender=quiet)
    after = submit(world, text("behind the quiet", sender="max@customer.example"),
                   sender="max@customer.example")  # planned in their order
    wait_for("the mail", lambda: any(after in m["Subject"] for m in mails(world)))
    world.ctl("notify", "optout", quiet, "--back")
    second = submit(world, text("quiet two", sender=quiet), sender=quiet)
    wait_for("the mail", lambda: any(second in m["Subject"] for m in mails(world)))
    wait_for("no job", lambda: not [j for j in world.json("queue", "list") if j["state"] != "done"])
    assert len([m for m in mails(world)
                if m["To"].addresses[0].addr_spec == quiet]) == 1
