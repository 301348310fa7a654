# SPDX-License-Identifier: BSD-2-Clause
"""vnd.ticket where things break: an MTA in front, the milter too, kills, full disks."""
import os
import signal
import smtplib
import subprocess
import threading

import pytest
from conftest import skip_without_postfix
from harness.dovecot import MAIL_GID, MAIL_UID
from harness.mta import Postfix
from harness.product import DAEMON_UID, GROUP_ID
from harness.sieve import ANN, DESK, IT, USERS, Delivery
from harness.smtp import header, headers, send
from harness.util import free_port, port_open, wait_for


def subject(copy):
    return header(copy, "Subject")


# ---- Postfix in front ------------------------------------------------------------------------

@pytest.fixture(scope="module")
def front(sieve_site):
    """Postfix before LMTP, one port with the milter and one without."""
    skip_without_postfix()
    site = sieve_site(milter=True, extensions="+vnd.ticket +editheader",
                      settings="  sieve_ticket_timeout = 4s\n")
    port = free_port()
    site.postfix = Postfix(
        site.root, services=(f"127.0.0.1:{port} inet n - n - - smtpd "
                             f"-o smtpd_milters={site.product.milter_socket}"),
        settings=(f"virtual_transport = lmtp:inet:127.0.0.1:{site.dovecot.port}\n"
                  "lmtp_host_lookup = native\nsmtpd_milters =\n"
                  "minimal_backoff_time = 1s\nmaximal_backoff_time = 2s\n"
                  "lmtp_destination_recipient_limit = 50\n"))
    site.milter_port = port
    site.postfix.start()
    wait_for("the port with the milter", lambda: port_open(port))
    yield site
    site.postfix.stop()


def arrive(site, rcpt, count):
    """Waits for so many copies; a deferred mail is tried again at once."""
    return site.postfix.wait_for_mail("the delivery", lambda: len(site.dovecot.mails(rcpt)) >= count
                                      and site.postfix.queue_empty() and site.dovecot.mails(rcpt))


def test_ticketd_away_defers_in_the_mta_and_then_it_is_sent(front, mail):
    front.dovecot.script('require "vnd.ticket";\nticket;')
    before = len(front.product.tickets())
    had = len(front.dovecot.mails(DESK))
    front.kill_ticketd()
    try:
        assert send(front.postfix.port, ANN, DESK, mail("pipeline")).code == 250
        wait_for("the deferral", lambda: "status=deferred" in front.postfix.log())
        assert "said: 451 4." in front.postfix.log()
        assert len(front.dovecot.mails(DESK)) == had
    finally:
        front.product.start_ticketd()
    front.postfix.flush()
    copies = arrive(front, DESK, had + 1)
    assert len(front.product.tickets()) == before + 1
    (ticket,) = {t["id"]: t for t in front.product.tickets()
                 if t["subject"] == "pipeline"}.values()
    assert subject(copies[-1]) == f"[{ticket['id']}] pipeline".encode()
    wait_for("its line", lambda: "status=sent" in front.postfix.log())


def both(front, mail, name, script='require "vnd.ticket";\nticket;'):
    front.dovecot.script(script)
    before = {t["id"] for t in front.product.tickets()}
    had = len(front.dovecot.mails(DESK))
    assert send(front.milter_port, ANN, DESK, mail(name)).code == 250
    copies = arrive(front, DESK, had + 1)
    return copies[-1], [t for t in front.product.tickets() if t["id"] not in before]


def test_both_hooks_make_one_ticket_one_tag_one_signed_field(front, mail):
    copy, tickets = both(front, mail, "two hooks", (
        'require ["vnd.ticket", "variables", "editheader"];\nticket;\n'
        'addheader "X-Seen" "${ticket.id} ${ticket.status}";'))
    (ticket,) = tickets
    assert subject(copy) == f"[{ticket['id']}] two hooks".encode()
    (value,) = headers(copy, "X-Ticket-ID")
    assert value.startswith(f"{ticket['id']};".encode()) and b"h=" in value
    assert header(copy, "X-Seen") == f"{ticket['id']} existing".encode()


def test_the_milters_hold_keeps_a_ticket_whose_delivery_is_rolled_back(front, mail):
    inbox = f"{front.dovecot.root}/mail/{DESK}"
    both(front, mail, "makes the mailbox")
    front.dovecot.script('require "vnd.ticket";\nticket;')
    had = len(front.dovecot.mails(DESK))
    os.chmod(f"{inbox}/tmp", 0)
    os.chown(f"{inbox}/tmp", 0, 0)
    log_at = len(front.postfix.log())
    try:
        assert send(front.milter_port, ANN, DESK, mail("held")).code == 250
        wait_for("the deferral",
                 lambda: "status=deferred" in front.postfix.log()[log_at:])
        (ticket,) = [t for t in front.product.tickets() if t["subject"] == "held"]
        assert ticket["state"] == "new"
    finally:
        os.chown(f"{inbox}/tmp", MAIL_UID, MAIL_GID)
        os.chmod(f"{inbox}/tmp", 0o700)
    front.postfix.flush()
    copies = arrive(front, DESK, had + 1)
    assert subject(copies[-1]) == f"[{ticket['id']}] held".encode()
    assert len(headers(copies[-1], "X-Ticket-ID")) == 1


# ---- without an MTA --------------------------------------------------------------------------

@pytest.fixture(scope="module")
def slow(sieve_site):
    """A script that waits, between the reservation and the end of the delivery, for us."""
    site = sieve_site(
        plugins="sieve_extprograms", extensions="+vnd.ticket +vnd.dovecot.execute",
        settings="  sieve_ticket_timeout = 12s\n  sieve_execute_exec_timeout = 30s\n"
                 "  sieve_execute_bin_dir = {r}/home/bin\n",
        product={"store": "confirm_after = 1s\n"})
    site.gate = f"{site.dovecot.root}/home"
    os.makedirs(f"{site.gate}/bin")
    with open(f"{site.gate}/bin/wait", "w", encoding="utf-8") as f:
        f.write(f"#!/bin/sh\n: > {site.gate}/there\n"
                f"while ! [ -e {site.gate}/go ]; do sleep 0.02; done\n")
    os.chmod(f"{site.gate}/bin/wait", 0o755)
    yield site


class Paused:
    """A delivery that stands between RESERVE and finish; go() lets it end."""

    def __init__(self, site, message):
        self.site, self.message, self.rcpt = site, message, next(USERS)
        for name in ("go", "there"):
            if os.path.exists(f"{site.gate}/{name}"):
                os.unlink(f"{site.gate}/{name}")
        self.before = {t["id"] for t in site.product.tickets()}
        site.dovecot.script('require ["vnd.ticket", "vnd.dovecot.execute"];\n'
                            'ticket :desk "it";\nexecute "wait";')
        self.answer = None
        self.thread = threading.Thread(target=self._run)
        self.thread.start()
        wait_for("the delivery to stand", lambda: os.path.exists(f"{site.gate}/there"))

    def _run(self):
        try:
            self.answer = self.site.dovecot.deliver(ANN, self.rcpt, self.message)[self.rcpt]
        except (OSError, smtplib.SMTPException):
            self.answer = (0, "cut off")

    def go(self):
        open(f"{self.site.gate}/go", "w", encoding="utf-8").close()

    def end(self):
        self.go()
        self.thread.join(60)
        return self.answer[0]

    def again(self):
        return self.site.dovecot.deliver(ANN, self.rcpt, self.message)[self.rcpt][0]

    def tickets(self):
        return [t for t in self.site.product.tickets() if t["id"] not in self.before]

    def confirmed(self):
        """The ticket, once its hold confirmed itself."""
        wait_for("the hold to confirm itself",
                 lambda: [t["state"] for t in self.tickets()] == ["new"])
        return self.tickets()[0]


def test_ticketd_killed_between_reserve_and_confirm_loses_nothing(slow, mail):
    d = Paused(slow, mail("killed daemon"))
    (ticket,) = d.tickets()
    slow.kill_ticketd()
    try:
        assert d.end() == 250
    finally:
        slow.product.start_ticketd()
    assert d.confirmed()["id"] == ticket["id"]
    assert [subject(c) for c in slow.dovecot.mails(d.rcpt)] == [
        f"[{ticket['id']}] killed daemon".encode()]
    slow.dovecot.says("confirmation of ticket")


def test_lmtp_killed_between_reserve_and_finish_leaves_a_ticket_for_the_retry(slow, mail):
    d = Paused(slow, mail("killed lmtp"))
    (ticket,) = d.tickets()
    for pid in slow.dovecot.workers():
        os.kill(pid, signal.SIGKILL)
    assert d.end() == 0
    assert slow.dovecot.mails(d.rcpt) == []
    assert d.confirmed()["id"] == ticket["id"]
    assert d.again() == 250
    assert [t["id"] for t in d.tickets()] == [ticket["id"]]
    assert [subject(c) for c in slow.dovecot.mails(d.rcpt)] == [
        f"[{ticket['id']}] killed lmtp".encode()]


def test_lmtp_killed_between_store_and_confirm_leaves_one_ticket(slow, mail):
    d = Paused(slow, mail("stored"))
    (ticket,) = d.tickets()
    os.kill(slow.product.daemon_pid(), signal.SIGSTOP)
    try:
        d.go()
        wait_for("the copy", lambda: slow.dovecot.mails(d.rcpt))
        for pid in slow.dovecot.workers():
            os.kill(pid, signal.SIGKILL)
    finally:
        os.kill(slow.product.daemon_pid(), signal.SIGCONT)
    assert d.end() in (0, 250)  # before or after the answer
    assert d.confirmed()["id"] == ticket["id"]
    assert d.again() == 250
    assert [t["id"] for t in d.tickets()] == [ticket["id"]]
    assert {subject(c) for c in slow.dovecot.mails(d.rcpt)} == {
        f"[{ticket['id']}] stored".encode()}


def test_a_ticketd_that_restarts_meanwhile_costs_no_451(slow, mail):
    slow.dovecot.script(IT)
    rcpt = next(USERS)
    slow.kill_ticketd()
    starter = threading.Timer(0.5, lambda: slow.product.start_ticketd(wait=False))
    starter.start()
    assert slow.dovecot.deliver(ANN, rcpt, mail("restart"))[rcpt][0] == 250
    starter.join()
    wait_for("ticketd", slow.product._ticketd_up)
    slow.known = set()


def test_another_recipients_hold_keeps_the_ticket(slow, mail):
    good, bad = next(USERS), next(USERS)
    slow.dovecot.script("keep;")
    slow.dovecot.deliver(ANN, bad, mail("first"))
    tmp = f"{slow.dovecot.root}/mail/{bad}/tmp"
    os.chmod(tmp, 0)
    os.chown(tmp, 0, 0)
    before = {t["id"] for t in slow.product.tickets()}
    slow.dovecot.script(IT)
    message = mail("shared")
    try:
        answer = slow.dovecot.deliver(ANN, [bad, good], message)
        assert (answer[bad][0], answer[good][0]) == (451, 250)
        (ticket,) = wait_for("its confirmation", lambda: [
            t for t in slow.product.tickets() if t["id"] not in before and t["state"] == "new"])
    finally:
        os.chown(tmp, MAIL_UID, MAIL_GID)
        os.chmod(tmp, 0o700)
    assert slow.dovecot.deliver(ANN, bad, message)[bad][0] == 250
    for user in (good, bad):
        assert subject(slow.dovecot.mails(user)[-1]) == f"[{ticket['id']}] shared".encode()


# ---- full disks ------------------------------------------------------------------------------

class SmallDisk:
    """A tmpfs at path; grow() makes room."""

    def __init__(self, path, size, uid, gid):
        self.path = path
        os.makedirs(path, exist_ok=True)
        done = subprocess.run(["mount", "-t", "tmpfs", "-o",
                               f"size={size},uid={uid},gid={gid},mode=700", "tmpfs", path],
                              check=False)
        if done.returncode != 0:
            pytest.skip("cannot mount a tmpfs here")

    def __enter__(self):
        return self

    def grow(self, size):
        subprocess.run(["mount", "-o", f"remount,size={size}", self.path], check=True)

    def __exit__(self, *exc):
        subprocess.run(["umount", self.path], check=True)


def test_a_full_mailbox_disk_means_451_then_the_same_ticket(slow, mail):
    rcpt = next(USERS)
    with SmallDisk(f"{slow.dovecot.root}/mail/{rcpt}", "256k", MAIL_UID, MAIL_GID) as disk:
        d = Delivery(slow, IT, mail("disk", body="x" * 70 + "\r\n" + "y" * 400000), rcpt=rcpt)
        assert d.code in (451, 452), d.text
        (ticket,) = d.tickets()
        assert ticket["state"] in ("withdrawn", "reserved", "new") and d.copies() == []
        disk.grow("8m")
        assert d.again() == 250
        assert d.becomes("new")["id"] == ticket["id"]
        assert [subject(c) for c in d.copies()] == [f"[{ticket['id']}] disk".encode()]


def test_a_full_store_means_451_then_a_ticket(slow, mail):
    slow.product.stop()
    store = f"{slow.product.root}/store"
    with SmallDisk(store, "3m", DAEMON_UID, GROUP_ID) as disk:
        try:
            slow.product.start_ticketd()
            slow.known = set()
            for n in range(60):
                d = Delivery(slow, IT, mail(f"fill {n}", body="z" * 90 + "\r\n" +
                                            os.urandom(60000).hex()))
                if d.code != 250:
                    break
            assert d.code == 451 and d.copies() == []
            disk.grow("64m")
            wait_for("room", lambda: d.again() == 250, step=0.5)
            assert len(d.tickets()) == 1
            assert len(d.copies()) == 1 and headers(d.copies()[0], "X-Ticket-ID")
        finally:
            slow.product.stop()
    slow.product.start_ticketd()
