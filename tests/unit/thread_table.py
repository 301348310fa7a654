#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes the Trust table: what becomes of a person's mail, for each evidence that names a
ticket, each sender, each authentication, each state of the ticket. The rules stand here a
second time, in other words than in common/decide; the table is what people read.

    thread_table.py           prints the table
    thread_table.py --check   compares it with thread_table.txt beside this file
"""
import itertools
import os
import sys

EVIDENCE = ["token", "own-id", "reference", "sibling", "subject", "foreign", "similar"]
SENDER = ["own-party", "other-party", "participant", "agent", "stranger"]
AUTH = ["login", "aligned", "none", "fail"]
STATE = ["reserved", "new", "open", "pending", "resolved", "closed/reopen", "closed/new",
         "closed/refuse", "withdrawn", "refused", "merged"]
HEAD = """\
# What becomes of a person's mail that names one ticket of its desk: every evidence, sender,
# authentication and ticket state. Written by thread_table.py; held against common/decide by
# thread_test.
#
# evidence  token: signed address; own-id: our signed Message-ID in References; reference: a
#           Message-ID of the ticket's mail; sibling: a mail that we never had, which the
#           ticket's mail names too; subject: [IT-12]; foreign: another tracker's tag that came
#           from the same domain before; similar: nearly the same text
# sender    own-party: a token was made for this address (other evidence has no party);
#           other-party: a token made for somebody else; participant: From, To or Cc of the ticket's
#           mail; agent: member of a group; stranger: nobody of these
# auth      login: SASL or TLS identity equal to From; aligned: pass of From's domain at a trusted
#           server;
#           none: nothing known; fail: From is forged
# state     closed/X: the ticket is closed and its desk has closed = X
# action    new; new-linked; append; unverified (a note: internal, no state, no answer); refuse
# effect    opens: the ticket is open again; -: its state stays
#
"""
COLUMNS = (10, 12, 8, 14, 11, 6)


def has_token(evidence):
    return evidence in ("token", "own-id")


def right(evidence, sender, auth):
    """What the sender may do to the ticket, and why."""
    if evidence == "similar":
        return "new", "likeness is told, never acted on"
    if evidence == "sibling" and sender not in ("participant", "agent"):
        return "new", "who answers the same stranger's mail shares nothing"
    if auth == "fail":
        return "link", "From is forged: nobody's token, nobody's ticket"
    if has_token(evidence) and sender == "own-party":
        return "append", "holds the token that was made for this address"
    if sender in ("participant", "agent"):
        who = "takes part" if sender == "participant" else "works here"
        if auth == "none":
            return "note", f"{who}, but who sent it is not proved"
        return "append", f"{who}, and is who From says"
    if has_token(evidence):
        return "note", "somebody else's token: handed on, or taken"
    if evidence == "foreign" and auth != "none":
        return "note", "the same tracker under another address of a proved domain"
    return "link", "names the ticket, takes no part in it"


def cell(evidence, sender, auth, state):
    may, why = right(evidence, sender, auth)
    if may == "new":
        return "new", "-", why
    if may == "link":
        return "new-linked", "-", why
    if state in ("withdrawn", "refused", "merged"):
        return "new-linked", "-", f"the ticket is {state}: nobody would read it there"
    if state == "closed/new":
        return "new-linked", "-", "the desk opens a new ticket for answers to closed ones"
    if state == "closed/refuse":
        return "refuse", "-", "the desk takes no answers to closed tickets"
    if may == "note":
        return "unverified", "-", why
    wakes = state in ("resolved", "closed/reopen") or (state == "pending" and
                                                       sender != "agent")
    if state == "pending" and sender == "agent":
        why += "; an agent's own mail is not the answer waited for"
    return "append", "opens" if wakes else "-", why


def table():
    yield HEAD
    names = ("evidence", "sender", "auth", "state", "action", "effect", "reason")
    lines = [names]
    for key in itertools.product(EVIDENCE, SENDER, AUTH, STATE):
        lines.append(key + cell(*key))
    last = None
    for line in lines:
        if last and line[:2] != last[:2]:
            yield "\n"
        last = line
        yield " ".join(w.ljust(n) for w, n in zip(line, COLUMNS)) + " " + line[6] + "\n"


def main():
    text = "".join(table())
    if sys.argv[1:] != ["--check"]:
        sys.stdout.write(text)
        return 0
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "thread_table.txt")
    with open(path, encoding="utf-8") as f:
        if f.read() == text:
            return 0
    print(f"{path} is not what thread_table.py writes")
    return 1


if __name__ == "__main__":
    sys.exit(main())
