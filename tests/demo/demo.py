# SPDX-License-Identifier: BSD-2-Clause
"""./bootstrap demo [--sieve] [--keep] [FILE.eml...]: mails become tickets before the 250.

Starts a private Postfix, ticketd and ticket-milter on loopback in a temporary folder,
sends real mails over SMTP and shows, for each, the SMTP answer, the delivered Subject and
the ticket with its history. Then stops all, or with --keep leaves it running.

With --sieve there is no milter: Postfix hands the mails to a private Dovecot by LMTP, whose
Sieve script has one line, `ticket;`.
"""
import argparse
import email.errors
import email.header
import glob
import os
import re
import shutil
import signal
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, ".."))
from harness.dovecot import MAIL_UID, Dovecot  # noqa: E402
from harness.mta import Postfix  # noqa: E402
from harness.product import Product, program  # noqa: E402
from harness.smtp import header, headers, send  # noqa: E402
from harness.util import make_root, remove_root, wait_for  # noqa: E402

ADDRESS = re.compile(rb"[^\s<>,;:\"]+@[^\s<>,;:\"]+")
DESKS = ("support@example.test", "it@second.test", "hr@example.test")


def step(text):
    print(f"==> {text}", flush=True)


def readable(subject):
    """The field as it stands, and what a person sees where that is something else."""
    raw = re.sub(r"\r?\n", "", (subject or b"(none)").decode("utf-8", "replace"))
    try:
        seen = str(email.header.make_header(email.header.decode_header(raw)))
    except (UnicodeError, LookupError, email.errors.HeaderParseError):
        seen = raw
    return raw if seen == raw else f"{raw}\n{'':23}({seen})"


def envelope(mail):
    """Sender and desk recipients of a file; mail to nobody we know goes to support."""
    found = ADDRESS.search(header(mail, "From") or b"")
    sender = found.group().decode("utf-8", "replace") if found else ""
    to = b",".join(filter(None, (header(mail, "To"), header(mail, "Cc")))).lower()
    rcpts = [d for d in DESKS if d.encode() in to]
    return sender, rcpts or [DESKS[0]]


class SieveBoxes:
    """The desks' mailboxes in Dovecot, read as Postfix's one mailbox is."""

    def __init__(self, dovecot):
        self.dovecot = dovecot

    def mails(self):
        return [m for desk in DESKS for m in self.dovecot.mails(desk)]


def delivered(postfix, boxes, before):
    """Mails that arrived since before, once the queue is empty."""
    wait_for("delivery", lambda: len(boxes.mails()) > len(before) or postfix.queue_empty(), 20)
    wait_for("empty queue", postfix.queue_empty, 20)
    return [m for m in boxes.mails() if m not in before]


def show(product, postfix, boxes, name, mail):
    sender, rcpts = envelope(mail)
    before = boxes.mails()
    start = time.monotonic()
    answer = send(postfix.port, sender, rcpts, mail)
    took = (time.monotonic() - start) * 1000
    print(f"\n--- {name}\n    MAIL FROM:<{sender}>  RCPT TO:<{'>, <'.join(rcpts)}>")
    print(f"    sent Subject:      {readable(header(mail, 'Subject'))}")
    print(f"    SMTP answer:       {answer.code} {answer.text}  ({took:.0f} ms)")
    if answer.code != 250:
        return False
    copies = delivered(postfix, boxes, before)
    if not copies:
        print("    delivered:         nothing arrived")
        return False
    print(f"    delivered Subject: {readable(header(copies[-1], 'Subject'))}")
    tickets = [field.split(b";")[0].strip().decode("ascii", "replace")
               for field in headers(copies[-1], "X-Ticket-ID")]
    for ticket in tickets:
        print("".join(f"    {line}\n" for line in
                      product.ctl("show", ticket).stdout.splitlines()), end="")
    return bool(tickets)


def main():
    ap = argparse.ArgumentParser(prog="./bootstrap demo", description=__doc__.split("\n")[0])
    ap.add_argument("--build", required=True, help=argparse.SUPPRESS)
    ap.add_argument("--keep", action="store_true", help="leave it running, say how to use it")
    ap.add_argument("--sieve", action="store_true",
                    help="Postfix -> LMTP -> Sieve -> ticket, without the milter")
    ap.add_argument("files", nargs="*", help="mails to send instead of the shipped ones")
    args = ap.parse_args()
    reason = Postfix.missing() or (args.sieve and Dovecot.missing(os.path.abspath(args.build)))
    if reason:
        sys.exit(f"demo: {reason}")
    files = args.files or sorted(glob.glob(f"{HERE}/mails/*.eml"))
    mails = []
    for name in files:
        try:
            with open(name, "rb") as f:
                mails.append((name, f.read()))
        except OSError as e:
            sys.exit(f"demo: {name}: {e.strerror}")
    root = make_root("ticket-milter-demo-")
    build = os.path.abspath(args.build)
    # A copy: the daemon's user may not look into the tree.
    shutil.copytree(f"{HERE}/../../conf/rules", f"{root}/rules")
    product = Product(root, build, top=f'include("{root}/rules/*.conf")', hooks=f', "{MAIL_UID}"' if args.sieve else "",
                      intake_umask="0000" if args.sieve else "0007")
    dovecot = Dovecot(root, build, f"{product.root}/run/intake.sock",
                      before='require "vnd.ticket";\nticket;\n') if args.sieve else None
    postfix = Postfix(root, settings=(
        f"virtual_transport = lmtp:inet:127.0.0.1:{dovecot.port}\nlmtp_host_lookup = native\n"
        if args.sieve else f"smtpd_milters = {product.milter_socket}"))
    boxes = SieveBoxes(dovecot) if args.sieve else postfix
    ok = False
    try:
        step(f"starting ticketd and {'Dovecot with Sieve' if args.sieve else 'ticket-milter'} "
             f"in {root}")
        if args.sieve:
            product.prepare()
            product.start_ticketd()
            dovecot.start()
            print("    its script: require \"vnd.ticket\"; ticket;")
        else:
            product.start()
        step("starting a private Postfix (a few seconds in a fresh folder)")
        postfix.start()
        step(f"Postfix listens on 127.0.0.1:{postfix.port}; sending {len(mails)} mails")
        ok = all([show(product, postfix, boxes, os.path.basename(n), m) for n, m in mails])
        print()
        step("all tickets")
        print(product.ctl("list").stdout, end="")
        if args.keep:
            keep(root, product, postfix, dovecot)
            return
    finally:
        if not (args.keep and ok):
            step("stopping")
            postfix.stop()
            if dovecot:
                dovecot.stop()
            product.stop()
            remove_root(root)
    if not ok:
        sys.exit("demo: a mail did not become a ticket")


def keep(root, product, postfix, dovecot):
    """Says how to go on by hand; the servers stay when this program ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    ctl = program(product.build, "ticketctl")
    print(f"""
==> left running in {root}
    mail it:     any mail program: SMTP server 127.0.0.1, port {postfix.port}, no login; or
                 smtp-source -f you@example.org -t {DESKS[0]} -S "No network" \
127.0.0.1:{postfix.port}
                 desks: {', '.join(DESKS)}
    look at it:  {program(product.build, "ticketctl")} -c {product.config} list
                 {program(product.build, "ticketctl")} -c {product.config} show IT-1
    mailbox:     {dovecot.root + "/mail/*" if dovecot else postfix.root + "/mail/all"}/new
    logs:        {postfix.root}/log/maillog {product.root}/log/
    stop it:     MAIL_CONFIG={postfix.root}/etc postfix stop; \
{f"doveadm -c {dovecot.root}/dovecot.conf stop; " if dovecot else ""}\
kill {product.milter.pid if product.milter else ""} {product.ticketd.pid}; rm -rf {root}""")


if __name__ == "__main__":
    main()
