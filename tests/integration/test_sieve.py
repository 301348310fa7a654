# SPDX-License-Identifier: BSD-2-Clause
"""The vnd.ticket extension in a real Dovecot, over LMTP."""

import os
import signal
import time

import pytest
from harness.sieve import ANN, DESK, USERS, Delivery
from harness.smtp import body, header, headers
from harness.util import wait_for

TICKET = 'require ["vnd.ticket"];\nticket;\n'
NOTHING = "# an explicit keep here would be an earlier copy, without the ID\n"


@pytest.fixture(scope="module")
def site(sieve_site):
    return sieve_site(settings="  sieve_ticket_desks = it\n"
                               "  sieve_editheader_protected = Subject\n")


@pytest.fixture(scope="module")
def hasty(sieve_site):
    """Does not wait long for ticketd, which is taken away here."""
    return sieve_site(settings="  sieve_ticket_timeout = 2s\n")


def subject(copy):
    return header(copy, "Subject")


def test_a_delivery_is_a_ticket_and_the_copy_carries_its_id(site, mail):
    d = Delivery(site, TICKET, mail("Printer on fire"), rcpt=DESK)
    assert d.code == 250
    (ticket,) = d.tickets()
    assert ticket["desk"] == "it" and ticket["requester"] == ANN
    copy = d.copies()[-1]
    assert subject(copy) == f"[{ticket['id']}] Printer on fire".encode()
    assert len(headers(copy, "X-Ticket-ID")) == 1
    d.says(f"created ticket {ticket['id']}")


def test_variables_tell_of_the_ticket_at_once(site, mail):
    d = Delivery(site, 'require ["vnd.ticket", "variables", "fileinto", "mailbox"];\n'
                       'ticket :desk "hr" :priority "urgent" :group "Payroll" :category "pay";\n'
                       'fileinto :create "T-${ticket.status}-${ticket.id}-${ticket.priority}'
                       '-${ticket.group}-${ticket.category}";', mail("salary"))
    assert d.code == 250
    (ticket,) = d.tickets()
    assert ticket["desk"] == "hr" and ticket["group"] == "Payroll"
    assert ticket["priority"] == 1
    (copy,) = d.copies(f"T-created-{ticket['id']}-urgent-Payroll-pay")
    assert subject(copy).startswith(f"[{ticket['id']}]".encode())


def test_the_url_of_the_ticket_is_told(site, mail):
    d = Delivery(site, 'require ["vnd.ticket", "variables", "fileinto", "mailbox"];\n'
                       'ticket :desk "it";\n'
                       'if string :is "${ticket.url}" '
                       '"https://desk.example.test/t/${ticket.id}" '
                       '{ fileinto :create "Url"; }', mail("where"))
    assert d.code == 250 and len(d.copies("Url")) == 1


def test_what_the_script_asks_for_goes_before_what_is_decided(site, mail):
    d = Delivery(site, 'require "vnd.ticket";\nticket :desk "it" :category "vpn" '
                       ':subcategory "client" :assignee "bob" :requester "eve@example.test" '
                       ':summary "From the gate" :tags ["gate", "b"] :fields ["site=hq"];',
                 mail("hello"))
    assert d.code == 250
    (ticket,) = d.tickets()
    shown = site.product.json("show", ticket["id"])
    text = str(shown)
    assert ticket["requester"] == "eve@example.test"
    assert ticket["subject"] == "From the gate"
    for word in ("vpn", "client", "bob", "gate"):
        assert word in text, word
    assert "site=hq" in site.product.ctl("show", ticket["id"]).stdout


def test_ticketd_away_means_451_and_nothing_is_stored(hasty, mail):
    hasty.known = {t["id"] for t in hasty.product.tickets()}
    hasty.product.stop()
    d = Delivery(hasty, 'require ["vnd.ticket", "fileinto", "mailbox"];\n'
                       'fileinto :create "Early";\nticket :desk "it";', mail("wait"))
    try:
        assert d.code == 451
        assert d.copies() == [] and d.copies("Early") == []
    finally:
        hasty.product.start_ticketd()
    wait_for("it to be taken", lambda: d.again() == 250)
    assert len(d.tickets()) == 1


def test_try_goes_on_without_a_ticket_and_says_so(hasty, mail):
    hasty.known = {t["id"] for t in hasty.product.tickets()}
    hasty.product.stop()
    d = Delivery(hasty, 'require ["vnd.ticket", "variables", "fileinto", "mailbox"];\n'
                       'ticket :try :desk "it";\n'
                       'if not hasticket { fileinto :create "S-${ticket.status}"; }',
                 mail("try me"))
    hasty.product.start_ticketd()
    assert d.code == 250
    (copy,) = d.copies("S-unavailable")
    assert subject(copy) == b"try me" and not headers(copy, "X-Ticket-ID")
    d.says("without a ticket")
    assert d.tickets() == []


def test_a_silent_ticketd_means_451_in_time(hasty, mail):
    os.kill(hasty.product.daemon_pid(), signal.SIGSTOP)
    start = time.monotonic()
    try:
        hasty.dovecot.script(TICKET)
        rcpt = next(USERS)
        answer = hasty.dovecot.deliver(ANN, rcpt, mail("silence"))[rcpt]
    finally:
        os.kill(hasty.product.daemon_pid(), signal.SIGCONT)
    assert answer[0] == 451
    assert time.monotonic() - start < 20
    assert hasty.dovecot.mails(rcpt) == []


def test_a_retry_gets_the_same_ticket(site, mail):
    d = Delivery(site, 'require "vnd.ticket";\nticket :desk "it";', mail("retry"))
    assert d.again() == 250
    (ticket,) = d.tickets()
    assert [subject(c) for c in d.copies()] == [f"[{ticket['id']}] retry".encode()] * 2


def test_two_recipients_of_one_message_share_its_ticket(site, mail):
    site.dovecot.script('require "vnd.ticket";\nticket :desk "it";')
    before = len(site.product.tickets())
    users = [next(USERS), next(USERS)]
    answer = site.dovecot.deliver(ANN, users, mail("both"))
    assert [answer[u][0] for u in users] == [250, 250]
    (ticket,) = site.product.tickets()[:len(site.product.tickets()) - before]
    for user in users:
        (copy,) = site.dovecot.mails(user)
        assert subject(copy) == f"[{ticket['id']}] both".encode()
        assert len(headers(copy, "X-Ticket-ID")) == 1


def test_key_scope_recipient_makes_a_ticket_each(make_sieve, mail):
    site = make_sieve(before='require "vnd.ticket";\nticket :desk "it";',
                     settings="  sieve_ticket_key_scope = recipient\n")
    users = [next(USERS), next(USERS)]
    message = mail("each")
    for _ in range(2):
        answer = site.dovecot.deliver(ANN, users, message)
        assert [answer[u][0] for u in users] == [250, 250]
    assert len(site.product.tickets()) == 2
    tags = [{subject(c) for c in site.dovecot.mails(u)} for u in users]
    assert all(len(t) == 1 for t in tags) and tags[0] != tags[1]


def test_a_personal_script_may_not_require_it(site, mail):
    d = Delivery(site, TICKET, mail("mine"), rcpt=DESK, user_script=TICKET)
    assert d.code == 250
    (ticket,) = d.tickets()
    assert subject(d.copies()[-1]).startswith(f"[{ticket['id']}]".encode())
    site.dovecot.user_script(DESK, "keep;")


def test_a_users_own_rules_see_the_tagged_message(site, mail):
    d = Delivery(site, 'require "vnd.ticket";\nticket :desk "it";', mail("sorted"),
                 user_script='require ["fileinto", "mailbox"];\n'
                             'if header :contains "Subject" "[IT-" '
                             '{ fileinto :create "Tickets"; }')
    assert d.code == 250
    (ticket,) = d.tickets()
    (copy,) = d.copies("Tickets")
    assert subject(copy) == f"[{ticket['id']}] sorted".encode()
    assert headers(copy, "X-Ticket-ID")


def test_a_later_failure_keeps_the_mail_and_the_ticket(site, mail):
    d = Delivery(site, 'require "vnd.ticket";\nticket :desk "it";', mail("boom"),
                 user_script='require ["variables", "fileinto"];\n'
                             'set "x" "";\nredirect "${x}";')
    assert d.code == 250
    (ticket,) = d.tickets()
    assert ticket["state"] != "withdrawn"
    assert len(d.copies()) == 1


def test_copies_made_before_carry_no_id_and_that_is_told(site, mail):
    d = Delivery(site, 'require ["vnd.ticket", "fileinto", "mailbox"];\n'
                       'fileinto :create "Early";\nticket :desk "it";\nkeep;', mail("early"))
    assert d.code == 250
    assert [subject(c) for c in d.copies("Early")] == [b"early"]
    (ticket,) = d.tickets()
    assert [subject(c) for c in d.copies()] == [f"[{ticket['id']}] early".encode()]


def test_an_unwritable_folder_means_451_and_the_ticket_is_withdrawn(site, mail):
    rcpt = next(USERS)
    Delivery(site, 'keep;', mail("first"), rcpt=rcpt)
    folder = f"{site.dovecot.root}/mail/{rcpt}/.Locked"
    for sub in ("", "/new", "/cur", "/tmp"):
        os.mkdir(folder + sub)
    os.chmod(f"{folder}/tmp", 0o000)
    os.chown(folder, 61803, 61804)
    script = ('require ["vnd.ticket", "fileinto"];\nticket :desk "it";\n'
              'fileinto "Locked";')
    d = Delivery(site, script, mail("locked"), rcpt=rcpt)
    assert d.code == 451
    ticket = d.becomes("withdrawn")
    for sub in ("", "/new", "/cur", "/tmp"):
        os.chmod(folder + sub, 0o700)
        os.chown(folder + sub, 61803, 61804)
    assert d.again() == 250
    (revived,) = d.tickets()
    assert revived["id"] == ticket["id"] and revived["state"] != "withdrawn"
    assert [subject(c) for c in d.copies("Locked")] == [f"[{ticket['id']}] locked".encode()]


def test_an_unwritable_inbox_means_451_never_250(site, mail):
    rcpt = next(USERS)
    Delivery(site, 'keep;', mail("first"), rcpt=rcpt)
    inbox = f"{site.dovecot.root}/mail/{rcpt}"
    os.chmod(f"{inbox}/tmp", 0o000)
    os.chown(f"{inbox}/tmp", 0, 0)
    d = Delivery(site, 'require "vnd.ticket";\nticket :desk "it";', mail("no room"), rcpt=rcpt)
    assert d.code == 451, d.log()
    os.chown(f"{inbox}/tmp", 61803, 61804)
    os.chmod(f"{inbox}/tmp", 0o700)
    assert d.again() == 250
    (ticket,) = d.tickets()
    assert f"[{ticket['id']}] no room".encode() in [subject(c) for c in d.copies()]


def test_reject_and_ticket_exclude_each_other(site, mail):
    for script in ('ticket :desk "it"; reject "no";', 'reject "no"; ticket :desk "it";'):
        d = Delivery(site, f'require ["vnd.ticket", "reject"];\n{script}', mail("which"))
        assert d.code == 250, d.log()  # the failing script keeps the mail
        assert len(d.copies()) == 1
        d.says("conflicts with reject")


@pytest.mark.parametrize("raw", [
    b"r\xe9seau en panne", b"=?utf-8?Q?Dr=C3=BCcker?=   kaputt", b"a" * 300,
    b"folded\r\n and folded\r\n\tagain", b"=?iso-8859-1?B?/Pz8?=\r\n =?utf-8?B?w7w=?=",
    "grün".encode()])
def test_the_rest_of_the_subject_stays_byte_for_byte(site, mail, raw):
    message = mail("XX").replace(b"Subject: XX", b"Subject: " + raw)
    d = Delivery(site, 'require "vnd.ticket";\nticket :desk "it";', message)
    assert d.code == 250
    (ticket,) = d.tickets()
    want = f"[{ticket['id']}] ".encode() + raw.replace(b"\r\n", b"\n")
    (copy,) = d.copies()
    assert subject(copy).replace(b"\n", b"").split() == want.replace(b"\n", b"").split()
    assert raw.replace(b"\r\n", b"\n") in copy.replace(b"\r\n", b"\n")
    assert body(copy) == body(message)


def test_of_two_subjects_the_first_is_tagged(site, mail):
    message = mail("one", extra="Subject: t\xfcwo\r\n".encode("latin-1").decode("utf-8",
                   "surrogateescape"))
    d = Delivery(site, 'require "vnd.ticket";\nticket :desk "it";', message)
    (ticket,) = d.tickets()
    (copy,) = d.copies()
    assert headers(copy, "Subject") == [f"[{ticket['id']}] one".encode(), b"t\xfcwo"]


def test_nosubject_leaves_the_subject_alone(site, mail):
    d = Delivery(site, 'require "vnd.ticket";\nticket :desk "it" :nosubject;', mail("plain"))
    (copy,) = d.copies()
    assert subject(copy) == b"plain" and headers(copy, "X-Ticket-ID")


def test_a_forged_id_goes_away(site, mail):
    d = Delivery(site, 'require "vnd.ticket";\nticket :desk "it";',
                 mail("forged", extra="X-Ticket-ID: IT-1; k=a; h=00\r\n"))
    (ticket,) = d.tickets()
    (copy,) = d.copies()
    (value,) = headers(copy, "X-Ticket-ID")
    assert value.startswith(f"{ticket['id']};".encode())


def test_ticketref_tells_replies_from_new_mail(site, mail):
    script = ('require ["vnd.ticket", "variables", "fileinto", "mailbox"];\n'
              'if ticketref :contains "IT-" { fileinto :create "R-${ticket.ref}"; stop; }\n'
              'if ticketref { fileinto :create "Other"; stop; }\nkeep;')
    assert len(Delivery(site, script, mail("Re: [IT-77] x")).copies("R-IT-77")) == 1
    assert len(Delivery(site, script, mail("Re: [HR-5] x")).copies("Other")) == 1
    assert len(Delivery(site, script, mail("Re: [5-x] [IT-] IT-9 x")).copies()) == 1


def test_ticketref_verify_asks_which_ticket_it_is(site, mail):
    first = Delivery(site, TICKET, mail("start", message_id="<v1@customer.example>"), rcpt=DESK)
    (ticket,) = first.tickets()
    script = ('require ["vnd.ticket", "variables", "fileinto", "mailbox"];\n'
              'if ticketref :verify { fileinto :create "V-${ticket.ref}"; } ')
    answer = mail("Re: start", extra="In-Reply-To: <v1@customer.example>\r\n"
                                     "Authentication-Results: mx.example.test; dkim=pass "
                                     "header.d=customer.example\r\n")
    d = Delivery(site, script, answer, rcpt=DESK)
    assert len(d.copies(f"V-{ticket['id']}")) == 1
    stranger = Delivery(site, script, mail("Re: [IT-99999] x"), rcpt=DESK)
    assert stranger.code == 250 and stranger.tickets() == []


def test_an_unknown_desk_is_an_error_and_the_mail_is_kept(site, mail):
    d = Delivery(site, 'require "vnd.ticket";\nticket :desk "nope";', mail("lost?"))
    assert d.code == 250 and len(d.copies()) == 1 and d.tickets() == []
    d.says("desk nope is not configured")


def test_no_desk_at_all_says_what_to_do(site, mail):
    d = Delivery(site, TICKET, mail("whose?"))
    assert d.code == 250
    d.says("no recipient is a desk")


def test_a_second_ticket_command_changes_nothing(site, mail):
    d = Delivery(site, 'require "vnd.ticket";\nticket :desk "it";\nticket :desk "hr";',
                 mail("twice"))
    assert d.code == 250 and len(d.tickets()) == 1
    (copy,) = d.copies()
    assert len(headers(copy, "X-Ticket-ID")) == 1


def test_discard_after_ticket_is_a_ticket_alone(site, mail):
    d = Delivery(site, 'require "vnd.ticket";\nticket :desk "it";\ndiscard;', mail("gone"))
    assert d.code == 250 and d.copies() == []
    (ticket,) = d.tickets()
    assert ticket["state"] != "withdrawn"


def test_a_large_mail_goes_through_a_file(site, mail):
    message = mail("large", body="x" * 70 + "\r\n" + ("y" * 70 + "\r\n") * 60000)
    d = Delivery(site, 'require "vnd.ticket";\nticket :desk "it";', message)
    assert d.code == 250
    (copy,) = d.copies()
    assert body(copy) == body(message)
    assert len(d.tickets()) == 1


def test_forged_ids_beyond_every_limit_go_away(site, mail):
    forged = "".join(f"X-Ticket-ID: IT-{n}\r\n" for n in range(300))
    huge = f"X-Ticket-ID: {'y' * 140000}\r\n"
    d = Delivery(site, 'require "vnd.ticket";\nticket :desk "it";',
                 mail("many", extra=huge + forged))
    assert d.code == 250, d.log()
    (ticket,) = d.tickets()
    (copy,) = d.copies()
    (value,) = headers(copy, "X-Ticket-ID")
    assert value.startswith(f"{ticket['id']};".encode())
    assert subject(copy) == f"[{ticket['id']}] many".encode()


def test_a_giant_header_is_a_ticket_all_the_same(site, mail):
    message = mail("giant", extra="".join(f"X-{n}: {'z' * 900}\r\n" for n in range(1500)))
    d = Delivery(site, 'require "vnd.ticket";\nticket :desk "it";', message)
    assert d.code == 250, d.log()
    (ticket,) = d.tickets()
    (copy,) = d.copies()
    assert headers(copy, "X-Ticket-ID")[0].startswith(f"{ticket['id']};".encode())
    assert header(copy, "X-1499") == b"z" * 900 and body(copy) == body(message)


def test_a_giant_subject_keeps_its_bytes(site, mail):
    d = Delivery(site, 'require "vnd.ticket";\nticket :desk "it";',
                 mail("s" * 140000))
    assert d.code == 250, d.log()
    (ticket,) = d.tickets()
    (copy,) = d.copies()
    assert subject(copy) == b"s" * 140000
    assert headers(copy, "X-Ticket-ID")[0].startswith(f"{ticket['id']};".encode())


@pytest.mark.parametrize("words,why", [
    (':desk "it" :priority "${s}"', "must be one of urgent"),
    (':desk "${s}"', "must be a name"),
    (':desk "it" :requester "${s}"', "must be an address"),
    (':desk "it" :tags ["a", "${s}${empty}", "${empty}"]', "must not be empty"),
    (':desk "it" :fields ["${x}=1", "x=2"]', "names x twice"),
    (':desk "it" :summary "${s}${long}"', "at most 255 octets")])
def test_a_string_of_variables_is_checked_when_it_runs(site, mail, words, why):
    script = ('require ["vnd.ticket", "variables"];\nset "x" "x"; set "s" "what ever";\n'
              f'set "long" "{"l" * 250}";\nticket {words};')
    d = Delivery(site, script, mail("checked"))
    assert d.code == 250 and d.tickets() == [] and len(d.copies()) == 1
    d.says(why)


def test_redirect_after_ticket_sends_the_tagged_copy(make_sieve, mail):
    site = make_sieve(top="sendmail_path = {r}/sendmail\n")
    sent = f"{site.dovecot.root}/home/sent"
    prog = f"{site.dovecot.root}/sendmail"
    with open(prog, "w", encoding="utf-8") as f:
        f.write(f"#!/bin/sh\nexec cat > {sent}\n")
    os.chmod(prog, 0o755)
    d = Delivery(site, 'require "vnd.ticket";\nticket :desk "it";\nredirect "else@where.test";',
                 mail("away"))
    assert d.code == 250, d.log()
    (ticket,) = d.tickets()
    with open(sent, "rb") as f:
        copy = f.read()
    assert subject(copy) == f"[{ticket['id']}] away".encode()
    assert ticket["state"] != "withdrawn"


def test_the_local_delivery_agent_makes_tickets_too(site, mail):
    rcpt = next(USERS)
    site.dovecot.script('require "vnd.ticket";\nticket :desk "it";')
    before = len(site.product.tickets())
    site.dovecot.lda(rcpt, ANN, mail("by hand"))
    assert len(site.product.tickets()) == before + 1
    (copy,) = site.dovecot.mails(rcpt)
    assert b"by hand" in subject(copy) and headers(copy, "X-Ticket-ID")


# ---- scripts of the users' own -------------------------------------------------------------

@pytest.fixture(scope="module")
def open_site(sieve_site):
    return sieve_site(extensions="", product={"top": "limits {\n personal_rate = 3\n}\n"},
                      settings="  sieve_extensions = +vnd.ticket\n"
                               "  sieve_ticket_desks = it\n")


def test_a_personal_script_names_a_desk_that_is_open(open_site, mail):
    d = Delivery(open_site, NOTHING, mail("mine"),
                 user_script='require "vnd.ticket";\nticket :desk "it";')
    (ticket,) = d.tickets()
    assert subject(d.copies()[0]) == f"[{ticket['id']}] mine".encode()
    for script in ('ticket :desk "hr";', "ticket;"):
        d = Delivery(open_site, NOTHING, mail("not mine"),
                     user_script='require "vnd.ticket";\n' + script)
        assert d.code == 250 and d.tickets() == []
        assert [subject(c) for c in d.copies()] == [b"not mine"]


def test_a_personal_script_cannot_reach_its_recipients_desk(make_sieve, mail):
    site = make_sieve(extensions="", settings="  sieve_extensions = +vnd.ticket\n"
                                              "  sieve_ticket_desks = it\n"
                                              "  sieve_ticket_default_desk = it\n")
    d = Delivery(site, NOTHING, mail("which"), rcpt="hr@example.test",
                 user_script='require "vnd.ticket";\nticket;')
    assert [t["desk"] for t in d.tickets()] == ["it"]


def test_a_user_has_so_many_tickets_an_hour(open_site, mail):
    rcpt, made = next(USERS), []
    for n in range(5):
        d = Delivery(open_site, NOTHING, mail(f"rate {n}"), rcpt=rcpt,
                     user_script='require "vnd.ticket";\nticket :desk "it";')
        assert d.code == 250
        made += d.tickets()
    assert len(made) == 3 and len(d.copies()) == 5
    again = Delivery(open_site, NOTHING, d.message, rcpt=next(USERS),
                     user_script='require "vnd.ticket";\nticket :desk "it";')
    assert len(again.tickets()) == 1, "another user has a rate of his own"
