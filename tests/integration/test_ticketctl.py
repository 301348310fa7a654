# SPDX-License-Identifier: BSD-2-Clause
"""The command line against a real ticketd, without any mail server."""
import json
import os
import subprocess
import time

import pytest
from conftest import BUILD
from harness.product import DESKS, GROUP_ID, Product, program
from harness.smtp import header
from harness.util import as_user, make_root, remove_root, stop

DESK = "support@example.test"
ANN = "ann@customer.example"
READER, AGENT, HOOK, NOBODY = 61811, 61812, 61813, 61814
GROUPS = """
group "net" {
    mailbox = "net@example.test"
    members = {"bob@example.test"}
}
"""


@pytest.fixture(scope="module")
def product():
    path = make_root()
    p = Product(path, BUILD, desks=DESKS + GROUPS,
                access=f'    readers = {{"{READER}"}}\n    agents = {{"{AGENT}"}}\n')
    try:
        p.prepare()
        with open(p.config, encoding="utf-8") as f:
            text = f.read()
        with open(p.config, "w", encoding="utf-8") as f:
            f.write(text.replace("hooks = {", f'hooks = {{"{HOOK}", '))
        os.chmod(p.config, 0o644)
        p.start_ticketd()
        yield p
    finally:
        p.stop()
        print(p.log("ticketd")[-3000:])
        remove_root(path)


def submit(product, message, *args, rcpt=DESK, check=True):
    return product.ctl("submit", "-f", ANN, *args, "-r", rcpt, stdin=message, text=False,
                       check=check)


@pytest.fixture
def ticket(product, mail):
    """A new ticket's ID."""
    return submit(product, mail("a ticket")).stdout.split()[0].decode()


def as_uid(product, uid, *args, stdin=None):
    if os.geteuid() != 0:
        pytest.skip("roles need root, to be somebody else")
    return subprocess.run(as_user(uid, GROUP_ID, [program(BUILD, "ticketctl"), "-c",
                                                  product.config, *args]),
                          capture_output=True, input=stdin, check=False, timeout=180)


def test_submit_prints_the_ticket_and_is_idempotent(product, mail):
    message = mail("once")
    first = submit(product, message).stdout.decode().split()
    assert first[1] == "created" and "desk=it" in first
    again = submit(product, message).stdout.decode().split()
    assert again[:2] == [first[0], "existing"]


def test_submit_writes_the_mail_with_its_new_header(product, mail, root):
    message = mail("new header", extra="X-Ticket-ID: IT-99\r\n")
    done = submit(product, message, "-o", "-")
    ticket = done.stderr.split()[0]
    assert header(done.stdout, "Subject") == b"[" + ticket + b"] new header"
    assert header(done.stdout, "X-Ticket-ID").startswith(ticket + b";")
    assert b"IT-99" not in done.stdout
    assert done.stdout.split(b"\r\n\r\n", 1)[1] == message.split(b"\r\n\r\n", 1)[1]
    submit(product, message, "-q", "-o", f"{root}/out")
    with open(f"{root}/out", "rb") as f:
        assert header(f.read(), "Subject") == b"[" + ticket + b"] new header"
    assert submit(product, message, "-o", f"{root}/out", check=False).returncode == 75


def test_submit_takes_lf_mail_with_an_mbox_line(product, mail):
    message = mail("lf").replace(b"\r\n", b"\n")
    ticket = submit(product, b"From a@b Sun Nov 22 12:00:00 2026\n" + message).stdout.split()[0]
    assert product.ctl("raw", ticket.decode(), text=False).stdout.endswith(message)
    # the same mail with CRLF is the same mail
    assert submit(product, message.replace(b"\n", b"\r\n")).stdout.split()[0] == ticket


def test_submit_as_pipe_calls_it_with_several_recipients(product, mail):
    done = product.ctl("submit", "-f", ANN, "-r", DESK, "hr@example.test", "x@example.test",
                       stdin=mail("several").decode())
    assert [line.split()[0][:2] for line in done.stdout.splitlines()] == ["IT", "HR"]
    assert "x@example.test is no desk" in done.stderr


def test_addresses_are_no_options_behind_a_double_dash(product, mail, root):
    done = product.ctl("submit", "-f", "-o@example.test", "--", DESK, f"--output={root}/x",
                       "-n", stdin=mail("dashes").decode())
    assert "created" in done.stdout and not os.path.exists(f"{root}/x")


@pytest.mark.parametrize("sender", ("", "<>", "MAILER-DAEMON"))
def test_the_null_sender_opens_no_ticket_but_the_mail_is_kept(product, mail, sender):
    done = product.ctl("submit", "-f", sender, "-r", DESK, stdin=mail("null").decode())
    assert done.stdout.split()[1] == "refused"


def test_submit_exit_codes_are_a_queue_managers(product, mail):
    assert submit(product, mail("x"), rcpt="joe@example.test", check=False).returncode == 67
    assert submit(product, b"", check=False).returncode == 65
    count = len(product.tickets())
    dry = submit(product, mail("dry"), "-n")
    assert b"dryrun" in dry.stdout and len(product.tickets()) == count
    assert as_uid(product, NOBODY, "submit", "-f", ANN, "-r", DESK,
                  stdin=mail("x")).returncode in (69, 75, 77)
    assert as_uid(product, HOOK, "submit", "-f", ANN, "-r", DESK,
                  stdin=mail("x")).returncode == 0


def test_submit_as_a_pipe_transport_of_json(product, mail):
    done = json.loads(submit(product, mail("json"), "--json").stdout)
    assert done["tickets"][0]["status"] == "created"
    assert done["edits"][0]["kind"] in ("change", "insert", "delete")


def test_list_filters_and_pages(product, mail):
    made = [submit(product, mail(f"paging {n}")).stdout.split()[0].decode()
            for n in range(5)]
    rows = product.json("list", "--text", "paging")
    assert [r["id"] for r in rows] == made[::-1]
    two = product.json("list", "--text", "paging", "--limit", "2")
    assert [r["id"] for r in two] == made[:-3:-1]
    assert product.json("list", "--desk", "hr", "--text", "paging") == []
    shown = product.ctl("list", "--text", "paging").stdout.splitlines()
    assert len(shown) == 6 and shown[0].startswith("TICKET") and "paging 4" in shown[1]


def test_the_life_of_a_ticket(product, ticket):
    product.ctl("set", ticket, "priority=1", "category=disk")
    product.ctl("assign", ticket, "--group", "net", "--to", "bob@example.test")
    product.ctl("comment", ticket, "looking into it", "--public")
    product.ctl("comment", ticket, "-", stdin="two\nlines")
    product.ctl("resolve", ticket, "was the cable")
    t = product.json("show", ticket)
    assert (t["state"], t["priority"], t["group"]) == ("resolved", 1, "net")
    product.ctl("reopen", ticket)
    assert product.json("show", ticket)["state"] in ("open", "reopened", "new")
    product.ctl("resolve", ticket)
    product.ctl("close", ticket, "done")
    assert product.json("show", ticket)["state"] == "closed"
    text = product.ctl("show", ticket).stdout
    assert "was the cable" in text and "looking into it" in text
    log = product.ctl("log", ticket).stdout
    assert log.count("\n") > 6
    assert product.ctl("show", "IT-999999", check=False).returncode == 65
    assert product.ctl("assign", ticket, "--group", "nosuch", check=False).returncode == 65
    assert product.ctl("set", ticket, "nosuch=1", check=False).returncode == 65


def test_merge_split_and_link(product, mail, ticket):
    other = submit(product, mail("other")).stdout.split()[0].decode()
    product.ctl("link", ticket, other)
    product.ctl("merge", other, ticket)
    assert product.json("show", other)["state"] == "merged"
    links = {(link["id"], link["kind"]) for link in product.json("show", ticket)["links"]}
    assert (other, "merged-from") in links


def test_split_makes_a_ticket_of_a_reply(product, mail):
    first = mail("to be split")
    ticket = submit(product, first).stdout.split()[0].decode()
    reply = mail("Re: to be split",
                 extra="References: " + header(first, "Message-ID").decode() + "\r\n")
    answer = submit(product, reply).stdout.decode().split()
    assert answer[0] == ticket and answer[1] in ("appended", "pending")
    messages = product.json("show", ticket)["messages"]
    assert len(messages) == 2
    assert product.ctl("split", ticket, str(messages[0]["message"]),
                       check=False).returncode == 65
    new = product.ctl("split", ticket, str(messages[1]["message"])).stdout.strip()
    assert new.startswith("IT-") and new != ticket
    assert len(product.json("show", new)["messages"]) == 1
    done = product.ctl("verify", check=False)
    assert done.returncode == 0, done.stdout


def test_forget_erases_and_the_chain_still_verifies(product, mail):
    ticket = submit(product, mail("secret words", body="the secret\r\n")).stdout.split()[0]
    ticket = ticket.decode()
    assert product.ctl("forget", ticket, check=False, stdin="").returncode == 64
    assert b"the secret" in product.ctl("raw", ticket, text=False).stdout
    product.ctl("forget", ticket, "--yes")
    assert "secret words" not in product.ctl("show", ticket).stdout
    assert product.ctl("raw", ticket, check=False).returncode != 0
    done = product.ctl("verify", check=False)
    assert done.returncode == 0, done.stdout


def test_roles(product, mail, ticket):
    for uid, args, allowed in (
            (READER, ("list",), True), (READER, ("show", ticket), True),
            (READER, ("raw", ticket), False), (READER, ("set", ticket, "priority=2"), False),
            (READER, ("queue", "list"), True), (READER, ("reload",), False),
            (AGENT, ("raw", ticket), True), (AGENT, ("set", ticket, "priority=2"), True),
            (AGENT, ("forget", ticket, "--yes"), False), (AGENT, ("reload",), False),
            (NOBODY, ("list",), False)):
        done = as_uid(product, uid, *args)
        assert (done.returncode == 0) == allowed, (uid, args, done)
        if not allowed:
            assert done.returncode == 77, (uid, args, done)
    assert as_uid(product, NOBODY, "ping").returncode == 0


def test_queue_and_status(product, ticket):
    assert isinstance(product.json("queue", "list"), list)
    assert product.ctl("queue", "retry", "999999", check=False).returncode == 65
    assert product.ctl("queue", "show", "999999", check=False).returncode == 65
    status = product.json("status")
    assert status["ticketd"]["created"] > 0
    assert "ticketd" in product.ctl("status").stdout


def test_backup_restores_to_the_same_store(product, root, ticket):
    product.ctl("backup", f"{root}/backup")
    assert os.stat(f"{root}/backup").st_mode & 0o777 == 0o600
    assert product.ctl("backup", f"{root}/backup", check=False).returncode == 73
    os.makedirs(f"{root}/ticket")
    product.ctl("restore", f"{root}/backup", f"{root}/ticket/store")
    again = Product(root, BUILD)
    again.prepare()
    if os.geteuid() == 0:
        uid = os.stat(f"{root}/ticket/store").st_uid
        subprocess.run(["chown", "-R", f"{uid}:{GROUP_ID}", f"{root}/ticket/store"],
                       check=True)
    again.start_ticketd()
    try:
        assert again.json("show", ticket)["subject"] == "a ticket"
        assert again.ctl("verify").returncode == 0
        assert again.ctl("raw", ticket).stdout == product.ctl("raw", ticket).stdout
    finally:
        again.stop()


def test_verify_finds_a_changed_byte(root, mail):
    p = Product(root, BUILD)
    p.prepare()
    p.start_ticketd()
    try:
        submit(p, mail("intact"))
        assert p.ctl("verify").returncode == 0
        stop(p.ticketd)
        subprocess.run(["sqlite3", f"{p.root}/store/tickets.db",
                        "UPDATE messages SET raw = CAST(replace(raw, 'work', 'wurk') AS BLOB)"],
                       check=True)
        p.start_ticketd()
        done = p.ctl("verify", check=False)
        assert done.returncode == 1, done
    finally:
        p.stop()


def test_reload_refuses_a_wrong_configuration_with_its_line(product):
    product.ctl("reload")
    with open(product.config, encoding="utf-8") as f:
        good = f.read()
    try:
        with open(product.config, "w", encoding="utf-8") as f:
            f.write(good + "\nnosuch = 1\n")
        done = product.ctl("config", "test", check=False)
        assert done.returncode == 78 and "ticket-milter.conf:" in done.stderr
        # ticketctl cannot read its own socket from it either: say where
        done = subprocess.run([program(BUILD, "ticketctl"), "-s",
                               f"{product.root}/run/control.sock", "reload"],
                              capture_output=True, text=True, check=False)
        assert done.returncode == 78 and "ticket-milter.conf:" in done.stderr
    finally:
        with open(product.config, "w", encoding="utf-8") as f:
            f.write(good)
    product.ctl("reload")
    assert product.ctl("ping").returncode == 0


def test_config_dump_loads_again(product, root):
    dump = product.ctl("config", "dump", "-n").stdout
    with open(f"{root}/again.conf", "w", encoding="utf-8") as f:
        f.write(dump)
    assert product.ctl("config", "test", f"{root}/again.conf").returncode == 0


def test_explain_has_no_side_effects_and_knows_the_thread(product, root, mail):
    first = mail("thread")
    ticket = submit(product, first).stdout.split()[0].decode()
    answer = mail("Re: thread", extra="In-Reply-To: " +
                  header(first, "Message-ID").decode() + "\r\n")
    with open(f"{root}/answer.eml", "wb") as f:
        f.write(answer)
    before = product.json("show", ticket)["messages"]
    told = json.loads(product.ctl("--json", "explain", f"{root}/answer.eml").stdout)
    assert told["facts"] is True
    assert told["desks"][0]["id"] == ticket
    assert told["desks"][0]["decision"]["action"].startswith("append")
    assert told["edits"]
    assert product.json("show", ticket)["messages"] == before
    assert len([t for t in product.tickets() if t["subject"] == "Re: thread"]) == 0
    offline = json.loads(product.ctl("--json", "explain", "--offline", "-",
                                     stdin=answer.decode()).stdout)
    assert offline["desks"][0]["decision"]["action"] == "new"
    text = product.ctl("explain", f"{root}/answer.eml").stdout
    assert ticket in text and "Subject" in text


def spool(folder, number, message, verb="reserve"):
    """An entry as a milter leaves it (wire/missed.h)."""
    os.makedirs(folder, exist_ok=True)
    name = f"{folder}/{number:014x}-{number:016x}"
    with open(f"{name}.eml", "wb") as f:
        f.write(message)
    with open(f"{name}.env", "w", encoding="ascii") as f:
        f.write(f"v=1\nverb={verb}\nhook=milter\nqueue-id=4F{number}\nsender={ANN}\n"
                f"leadspc=1\nrcpt={DESK}\n")


def test_missed_mail_is_taken_in_once_and_what_is_broken_is_set_aside(product, root, mail):
    folder = f"{root}/missed"
    messages = [mail(f"missed {n}") for n in range(70)] # more than one look at the folder
    for n, message in enumerate(messages):
        spool(folder, n, message)
    spool(folder, 500, mail("broken"), verb="nosuch")
    done = product.ctl("submit", "--missed", folder, check=False)
    assert done.returncode == 65, done
    assert "taken in: 70, set aside: 1" in done.stderr
    assert [name for name in os.listdir(folder) if name.endswith(".env")] == []
    assert any(name.endswith(".bad") for name in os.listdir(folder))
    assert len(product.json("list", "--text", "missed ", "--limit", "200")) == 70
    # the same again by another way is the same ticket
    assert submit(product, messages[3]).stdout.split()[1] == b"existing"
    assert product.ctl("submit", "--missed", folder).returncode == 0


def test_missed_mail_stays_when_ticketd_is_away(product, root, mail):
    spool(f"{root}/missed", 1, mail("waits"))
    done = subprocess.run([program(BUILD, "ticketctl"), "-s", f"{root}/none", "submit",
                           "--remaining", "1", "--missed", f"{root}/missed"],
                          capture_output=True, check=False, timeout=90)
    assert done.returncode == 75
    assert len(os.listdir(f"{root}/missed")) == 2


def test_submit_waits_for_a_restart(root, mail):
    p = Product(root, BUILD)
    p.prepare()
    p.start_ticketd()
    try:
        stop(p.ticketd)
        waiting = subprocess.Popen([program(BUILD, "ticketctl"), "-c", p.config, "submit",
                                    "--remaining", "30", "-f", ANN, "-r", DESK],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        waiting.stdin.write(mail("patience"))
        waiting.stdin.close()
        time.sleep(0.5)
        p.start_ticketd()
        assert waiting.wait(40) == 0
        assert b"created" in waiting.stdout.read()
    finally:
        p.stop()


def test_the_time_of_a_submit_begins_behind_the_message(product, mail):
    message = mail("slowly written")
    writing = subprocess.Popen([program(BUILD, "ticketctl"), "-c", product.config, "submit",
                                "--remaining", "8", "-f", ANN, "-r", DESK],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    writing.stdin.write(message[:100])
    writing.stdin.flush()
    time.sleep(9)  # all of the time, were it counted
    words, _ = writing.communicate(message[100:], timeout=180)
    assert writing.returncode == 0 and b"created" in words


def test_a_large_mail_passes_in_and_out(product, root, mail):
    text = b"0123456789abcdef\r\n" * 400000
    done = submit(product, mail("large by hand", body=text), "-o", f"{root}/large")
    ticket = done.stdout.split()[0].decode()
    assert product.ctl("raw", ticket, text=False).stdout.endswith(text)
    with open(f"{root}/large", "rb") as f:
        assert f.read().endswith(text)
    done = submit(product, mail("too large", body=b"x" * 80 + b"\r\n" * 60000000),
                  check=False)
    assert done.returncode == 65, done.stderr
