# SPDX-License-Identifier: BSD-2-Clause
"""vnd.ticket with sievec, sieve-dump, sieve-test and sieve-filter; what the plugin leaves
behind when it is unloaded."""
import glob
import os
import re
import shutil
import smtplib
import subprocess

import pytest
from conftest import BUILD, SRC
from harness.dovecot import MAIL_GID, MAIL_UID, TREE
from harness.sieve import ANN, DESK, IT, USERS
from harness.smtp import header
from harness.util import as_user

PLUGIN = f"{BUILD}/.libs/lib90_sieve_vnd_ticket_plugin.so"
CASES = f"{SRC}/sieve-ext/tests"
ERRORS = sorted(os.path.basename(p)[:-6] for p in glob.glob(f"{CASES}/errors/*.sieve"))


@pytest.fixture(scope="module")
def site(sieve_site):
    return sieve_site()


def place(site, name, text):
    path = f"{site.dovecot.root}/home/{name}"
    with open(path, "w" if isinstance(text, str) else "wb") as f:
        f.write(text)
    return path


def tool(site, name, *args, below=()):
    """A tool, as the mail user and below another program."""
    user = as_user(MAIL_UID, MAIL_GID, [])
    home = ["env", "USER=joe", f"HOME={site.dovecot.root}/home"]
    command = site.dovecot.command(name, *args)
    inner = command.index(name)  # behind chroot, where there is one
    return site.dovecot.run([*command[:inner], *home, *user, *below, *command[inner:]])


def dump(site, name, source):
    script = place(site, f"{name}.sieve", source)
    assert site.dovecot.compile(script).returncode == 0
    os.chmod(script[:-6] + ".svbin", 0o644)
    text = tool(site, "sieve-dump", script[:-6] + ".svbin").stdout
    code = text[text.index("Main program"):] if "Main program" in text else text
    # Addresses differ from one Pigeonhole to the next.
    code = re.sub(r"(?m)^ *[0-9a-f]{8}: ? ?", "", code)
    return re.sub(r" *-?\d+ \[[0-9a-f]{8}\]| *\(end: [0-9a-f]{8}\)", "", code)


def test_sievec_and_sieve_dump_agree_on_all_of_the_language(site):
    with open(f"{CASES}/compile/all.sieve", encoding="utf-8") as f:
        code = dump(site, "all", f.read())
    golden = f"{CASES}/compile/all.dump"
    if os.environ.get("TKT_UPDATE"):
        with open(golden, "w", encoding="utf-8") as f:
            f.write(code)
    with open(golden, encoding="utf-8") as f:
        want = f.read()
    ours = [line.strip() for line in want.splitlines()]
    assert [line.strip() for line in code.splitlines()] == ours
    for word in ("TICKET", "HASTICKET", "TICKETREF", "try", "nosubject", "VAR ${ticket.url}"):
        assert word in code


@pytest.mark.parametrize("name", ERRORS)
def test_a_wrong_script_is_an_error_when_it_is_compiled(site, name):
    with open(f"{CASES}/errors/{name}.sieve", encoding="utf-8") as f:
        text = f.read()
    why = text.split("\n", 1)[0][2:]
    done = site.dovecot.compile(place(site, f"{name}.sieve", text))
    # Pigeonhole itself tells, and survives, a variable that it does not know.
    assert done.returncode != 0 or name in ("no_require", "unknown_variable")
    assert why in done.stderr, done.stderr


def test_sieve_test_makes_a_dry_run(site, mail):
    before = len(site.product.tickets())
    script = place(site, "dry.sieve", (
        'require ["vnd.ticket", "variables", "fileinto"];\nticket :desk "it" :group "g";\n'
        'if hasticket { fileinto "T/${ticket.id}/${ticket.status}/${ticket.group}"; }'))
    message = place(site, "dry.eml", mail("dry"))
    done = tool(site, "sieve-test", "-t", "-", "-T", "level=actions", script, message)
    assert done.returncode == 0, done.stderr
    assert "create ticket: DRYRUN" in done.stdout
    assert "T/DRYRUN/dryrun/g" in done.stdout
    assert "ticket action" in done.stdout + done.stderr
    assert len(site.product.tickets()) == before


def test_sieve_test_finds_references(site, mail):
    script = place(site, "ref.sieve", (
        'require ["vnd.ticket", "variables", "fileinto"];\n'
        'if ticketref :matches "it-*" { fileinto "R/${ticket.ref}/${1}"; }'))
    out = tool(site, "sieve-test", script,
               place(site, "ref.eml", mail("Re: [X-9] [IT-77] x"))).stdout
    assert "R/IT-77/77" in out


def test_sieve_filter_makes_no_tickets(site, mail):
    user = next(USERS)
    site.dovecot.script("keep;")
    site.dovecot.deliver(ANN, user, mail("old"))
    before = len(site.product.tickets())
    script = place(site, "filter.sieve", 'require "vnd.ticket";\nticket :desk "it";')
    done = site.dovecot.run(site.dovecot.command("sieve-filter", "-v", "-e", "-W", "-u", user,
                                                 script, "INBOX"))
    assert done.returncode == 0, done.stderr
    assert len(site.product.tickets()) == before
    assert [header(c, "Subject") for c in site.dovecot.mails(user)] == [b"old"]


# ---- what is left behind -------------------------------------------------------------------

def test_it_needs_libc_alone_and_shows_five_symbols():
    needed = subprocess.run(["readelf", "-d", PLUGIN], capture_output=True, text=True,
                            check=True).stdout
    assert re.findall(r"NEEDED.*\[(.*)\]", needed) == ["libc.so.6"]
    assert "NODELETE" not in needed
    shown = subprocess.run(["nm", "-D", "--defined-only", PLUGIN], capture_output=True,
                           text=True, check=True).stdout
    assert sorted(line.split()[-1] for line in shown.splitlines()) == [
        f"sieve_vnd_ticket_plugin_{n}"
        for n in ("deinit", "init", "load", "unload", "version")]


def memory_of(pid):
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as f:  # VmRSS is an estimate
        rss = int(re.search(r"Rss:\s+(\d+)", f.read()).group(1))
    with open(f"/proc/{pid}/maps", encoding="utf-8") as f:
        maps = f.read()
    return rss, len(os.listdir(f"/proc/{pid}/fd")), len(maps.splitlines()), maps


def test_a_delivery_leaves_nothing_behind_in_lmtp(site, mail):
    deliveries = int(os.environ.get("TKT_SIEVE_DELIVERIES", "180"))
    site.dovecot.script(IT)
    user = next(USERS)
    message = mail("again and again")
    with smtplib.LMTP("127.0.0.1", site.dovecot.port, local_hostname="c.test") as s:
        s.ehlo()
        seen = []
        for n in range(deliveries):
            assert s.sendmail(ANN, [user], message) == {}
            if n + 1 in (deliveries // 3, deliveries):
                seen.append(memory_of(site.dovecot.workers()[0]))
            if n % 100 == 0:
                shutil.rmtree(f"{site.dovecot.root}/mail/{user}/new", ignore_errors=True)
                os.makedirs(f"{site.dovecot.root}/mail/{user}/new", 0o700)
                os.chown(f"{site.dovecot.root}/mail/{user}/new", MAIL_UID, MAIL_GID)
    (rss, fds, maps, _), (rss_end, fds_end, maps_end, text) = seen
    assert fds_end <= fds
    assert maps_end <= maps + 8
    assert "vnd_ticket" not in text, "the plugin is still mapped"
    # One byte lost a delivery would hide in this; one pool or buffer would not.
    assert rss_end - rss <= 64 + 0.25 * (deliveries - deliveries // 3), (rss, rss_end)


def test_valgrind_finds_nothing_of_ours(site, mail):
    if TREE or not shutil.which("valgrind"):
        pytest.skip("valgrind is not installed")
    site.dovecot.reload(settings="  sieve_ticket_force = yes\n")
    script = place(site, "vg.sieve", (
        'require ["vnd.ticket", "variables", "fileinto"];\n'
        'if not ticketref :verify { ticket :desk "it" :tags ["a"] :fields ["x=y"]; }\n'
        'if hasticket { fileinto "${ticket.id}"; }'))
    message = place(site, "vg.eml", mail("checked", extra="X-Ticket-ID: IT-1; k=a; h=b\r\n"))
    before = len(site.product.tickets())
    done = tool(site, "sieve-test", "-r", DESK, script, message,
                below=["valgrind", "--keep-debuginfo=yes", "--leak-check=full",
                       "--trace-children=yes", "--num-callers=40"])
    site.dovecot.reload(settings="")
    assert done.returncode == 0, done.stderr[-3000:]
    assert len(site.product.tickets()) == before + 1
    for block in done.stderr.split("\n\n"):
        for record in re.split(r"\n==\d+== \n", block):
            assert not re.search(r"tkt_|ticket-\w+\.c|(cmd|act|tst|var)-\w*ticket", record), record
    assert "ERROR SUMMARY" in done.stderr
