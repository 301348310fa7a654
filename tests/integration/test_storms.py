# SPDX-License-Identifier: BSD-2-Clause
"""Many mails that are one matter, through a real Postfix: alarms and their end, programs
that repeat themselves, storms of answers, two desks that answer each other, senders who
send too much. Nothing that was answered with 250 may be missing afterwards."""
import smtplib
import sqlite3

import pytest
from conftest import postfix_sites
from harness.smtp import header, send, send_on

DESKS = """\
desk "it" {
    addresses = {"support@example.test"}
    prefix = "IT"
    storm_senders = 3
    loop_max = 4
    opens = {human, list, auto-generated, auto-reply, own}
}
desk "slow" {
    addresses = {"slow@example.test"}
    prefix = "SLOW"
    sender_rate = 5
}
desk "again" {
    addresses = {"again@example.test"}
    prefix = "AG"
    repeat_rate = 4
}
correlate "nagios" {
    if_desk = {it}
    if_sender = {"nagios@*"}
    key = {"^(?:PROBLEM|RECOVERY): (\\\\S+) "}
    recovery = {"^RECOVERY: "}
}
"""
SUPPORT = "support@example.test"
AUTO = "Auto-Submitted: auto-generated\r\n"


def make_site(top):
    yield from postfix_sites(desks=DESKS, top=top)


@pytest.fixture(scope="module")
def site():
    yield from make_site("")


@pytest.fixture(scope="module")
def strangers():
    """The same, and nobody is in a network of ours."""
    yield from make_site("own_networks = {}\n")


def rows(site, sql, *args):
    with sqlite3.connect(f"file:{site.product.root}/store/tickets.db?mode=ro",
                         timeout=60, uri=True) as db:
        return db.execute(sql, args).fetchall()


def take(site, message, sender="nagios@mon.example", rcpt=SUPPORT):
    answer = send(site.mta.port, sender, rcpt, message)
    assert answer.code == 250, answer
    return ticket_of(site, message)


def ticket_of(site, message):
    """By the message that was kept; it is there, whatever it joined."""
    mid = header(message, "Message-ID").decode().strip("<>")
    found = rows(site, "SELECT s.prefix || '-' || t.number FROM messages m JOIN tickets t"
                 " ON t.id = m.ticket JOIN series s ON s.id = t.series"
                 " WHERE m.message_id = ?", mid)
    assert len(found) == 1, (mid, found)
    return found[0][0]


def alarm(mail, subject, text="Load is high.\r\n", who="nagios@mon.example", extra=AUTO, **kw):
    return mail(subject, sender=f"<{who}>", body=text, extra=extra, **kw)


def test_300_alarms_are_one_ticket_and_a_recovery_resolves_it(site, mail):
    sent = []
    with smtplib.SMTP("127.0.0.1", site.mta.port, timeout=180) as s:
        s.ehlo()
        for i in range(300):
            sent.append(alarm(mail, f"PROBLEM: db1 load {i}", f"Load is {i}.\r\n"))
            assert send_on(s, "nagios@mon.example", [SUPPORT], sent[-1]).code == 250
    tickets = {ticket_of(site, m) for m in sent}
    assert len(tickets) == 1
    ticket = tickets.pop()
    shown = site.product.json("show", ticket)
    assert shown["joined"] == 299
    assert "300 messages in all" in site.product.ctl("show", ticket).stdout
    assert take(site, alarm(mail, "PROBLEM: db2 load 1")) != ticket
    assert take(site, alarm(mail, "RECOVERY: db1 load 0")) == ticket
    assert site.product.json("show", ticket)["state"] == "resolved"
    assert take(site, alarm(mail, "PROBLEM: db1 load 9")) == ticket
    assert site.product.json("show", ticket)["state"] == "open"
    assert site.product.ctl("verify").returncode == 0


def test_a_stranger_s_recovery_resolves_nothing(strangers, mail):
    ticket = take(strangers, alarm(mail, "PROBLEM: db7 load"))
    assert take(strangers, alarm(mail, "RECOVERY: db7 load")) == ticket
    assert strangers.product.json("show", ticket)["state"] == "new"


def test_a_program_that_repeats_itself_is_counted(site, mail):
    def report(at, what="backup failed on 10.0.0.1"):
        return alarm(mail, "Backup", f"{at} {what}\r\nplease look at it\r\n",
                     who="root@host.example")
    ticket = take(site, report("02:10:00"))
    assert take(site, report("02:11:07")) == ticket
    assert take(site, report("02:12:00", "backup failed on 10.0.0.2")) != ticket
    person = [mail("Same words", sender="<ann@customer.example>") for _ in range(2)]
    assert take(site, person[0]) != take(site, person[1])


def test_a_storm_of_answers_stands_in_one_ticket(site, mail):
    first = mail("Cake in the kitchen", sender="<bo@customer.example>")
    ticket = take(site, first, "bo@customer.example")
    mid = header(first, "Message-ID").decode()
    became = []
    for i in range(12):
        who = f"p{i}@somewhere{i}.example"
        became.append(take(site, mail("Re: Cake in the kitchen", sender=f"<{who}>",
                                      body=f"Please take me off this list, {i}.\r\n",
                                      extra=f"In-Reply-To: {mid}\r\n"), who))
    assert ticket not in became[:3] and len(set(became[:3])) == 3
    assert set(became[3:]) == {ticket}
    shown = site.product.json("show", ticket)
    assert shown["joined"] == 9 and shown["state"] == "new"


def test_two_desks_that_answer_each_other_stop(site, mail):
    became = []
    for i in range(12):
        m = mail(f"[HD-{i + 70}] your request {i}", sender="<help@otherdesk.example>",
                 body=f"Thank you for writing, this is number {i} of our answers.\r\n",
                 extra=f"X-Ticket-ID: HD-{i + 70}; k=1; h=abc\r\n")
        became.append(take(site, m, "help@otherdesk.example"))
    assert len(set(became)) == 4 and len(set(became[3:])) == 1


def test_rcpt_defers_only_where_the_desk_says_so(strangers, mail):
    port = strangers.mta.port

    def one(sender, rcpt):
        return send(port, sender, rcpt, mail("Hello", to=rcpt, sender="<x@flood.example>"))

    answers = [one("x@flood.example", "slow@example.test") for _ in range(8)]
    assert [a.code for a in answers[:5]] == [250] * 5
    assert {(a.stage, a.code) for a in answers[5:]} == {("rcpt", 451)}
    assert one("y@flood.example", "slow@example.test").code == 250
    assert one("x@flood.example", SUPPORT).code == 250
    assert all(one("", "slow@example.test").code == 250 for _ in range(8))


def test_own_networks_are_never_deferred(site, mail):
    for _ in range(8):
        m = mail("Hello", to="slow@example.test", sender="<x@flood.example>")
        assert send(site.mta.port, "x@flood.example", "slow@example.test", m).code == 250


def test_a_repeated_text_defers_its_sender(strangers, mail):
    def one(text, sender):
        m = mail("Report", to="again@example.test", body=text, sender=f"<{sender}>",
                 extra=AUTO)
        return send(strangers.mta.port, sender, "again@example.test", m).code

    codes = [one("Nothing happened today.\r\n", "cron@flood.example") for _ in range(7)]
    assert codes == [250] * 4 + [451] * 3
    assert one("Another text.\r\n", "cron@other.example") == 250
