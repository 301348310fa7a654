#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# ticketctl explain on the mails of tests/explain against what is expected of it; with
# --update the expectations are written anew (read the difference before it is committed).
# NAME.args are further arguments, NAME.json is the answer.
set -u
ctl=${TKT_BUILDDIR:-build}/ticketctl/ticketctl
src=${TKT_SRCDIR:-.}
[ -x "$ctl" ] || { echo "SKIP: not built"; exit 77; }
python=/usr/bin/python3
[ -x "$python" ] || python=python3
cd "$src/tests/explain" || exit 99
case $ctl in /*) ;; *) ctl=$OLDPWD/$ctl ;; esac
out=$(mktemp -d) && trap 'rm -rf "$out"' EXIT
fail=0 count=0
for mail in *.eml; do
    name=${mail%.eml}
    read -ra args <"$name.args"
    if ! "$ctl" -c explain.conf --json explain --offline "${args[@]}" "$mail" \
        >"$out/line" 2>"$out/err"; then
        echo "FAIL: $name: $(cat "$out/err")"
        fail=1
        continue
    fi
    [ "$(wc -l <"$out/line")" -eq 1 ] || { echo "FAIL: $name: not one line"; fail=1; }
    # indented: differences are readable
    if ! "$python" -m json.tool --no-ensure-ascii --indent 2 "$out/line" "$out/$name.json"; then
        echo "FAIL: $name: no JSON"
        fail=1
    elif [ "${1:-}" = --update ]; then
        cp "$out/$name.json" "$name.json"
    elif ! diff -u "$name.json" "$out/$name.json"; then
        echo "FAIL: $name"
        fail=1
    fi
    # for people: nothing of the mail steers the terminal, and it is told in lines of ours
    "$ctl" -c explain.conf explain --offline "${args[@]}" "$mail" >"$out/text" || fail=1
    if LC_ALL=C grep -qP '[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]' "$out/text"; then
        echo "FAIL: $name: control characters"
        fail=1
    fi
    count=$((count + 1))
done
[ $count -ge 9 ] || { echo "FAIL: only $count mails"; fail=1; }

# Without a configuration, from standard input, and with input that is none.
"$ctl" -c /nonexistent explain plain.eml 2>/dev/null && { echo "FAIL: -c"; fail=1; }
"$ctl" explain - <plain.eml | grep -q 'IT-N' || { echo "FAIL: standard input"; fail=1; }
"$ctl" explain "$out/none.eml" 2>/dev/null
[ $? -eq 66 ] || { echo "FAIL: no such file"; fail=1; }
: >"$out/empty"
"$ctl" explain "$out/empty" plain.eml >"$out/two" 2>/dev/null
[ $? -eq 65 ] || { echo "FAIL: an empty file"; fail=1; }
grep -q '^plain.eml' "$out/two" || { echo "FAIL: one bad file stops the others"; fail=1; }

# Many messages: mbox with both kinds of quoting, a Maildir, a folder, all at once.
mail_of() { printf 'From: %s@x.example\nTo: it@y.example\nSubject: %s\n\n' "$1" "$1"; }
{
    printf 'From ann@x.example Sat Nov 21 09:30:00 2026\n'
    mail_of first
    printf 'one\n>From here on\n>>From twice\n\nFrom no date here\n\n'
    printf 'From bob@x.example Sat Nov 21 09:31:00 2026\n'
    mail_of second
    printf 'two\n\n'
    printf 'From MAILER-DAEMON Sat Nov 21 9:32:00 +0000 2026\r\n'
    mail_of third
} >"$out/box"
mkdir -p "$out/dir/cur" "$out/dir/new" "$out/dir/tmp" "$out/plain"
mail_of seen >"$out/dir/cur/1:2,S"
mail_of unseen >"$out/dir/new/2"
mail_of half >"$out/dir/tmp/3"
mail_of b >"$out/plain/b.eml"
mail_of a >"$out/plain/a.eml"
mail_of hidden >"$out/plain/.c"
"$ctl" --json explain - "$out/box" "$out/dir" "$out/plain" <plain.eml >"$out/many" ||
    { echo "FAIL: many messages"; fail=1; }
cat >"$out/check.py" <<'EOF'
import json, sys
rows = [json.loads(line) for line in open(sys.argv[1], encoding="utf-8")]
seen = [(r["file"].rsplit("/", 1)[-1], r["number"], r["message"]["subject"]) for r in rows]
want = [("box", 1, "first"), ("box", 2, "second"), ("box", 3, "third"),
        ("1:2,S", 1, "seen"), ("2", 1, "unseen"), ("a.eml", 1, "a"), ("b.eml", 1, "b")]
assert seen[0][:2] == ("-", 1) and seen[1:] == want, seen
assert rows[1]["message"]["text"] == "one\nFrom here on\n>From twice\n\nFrom no date here"
assert rows[2]["message"]["text"] == "two"
keys = {
    "message": "subject from reply_to to cc message_id in_reply_to references date text "
    "reply_text signature quoted language has_html attachments class class_evidence bounce "
    "forwarded security auth problems",
    "thread": "action ticket why",
    "decision": "type category subcategory group assignee urgency impact priority tags "
    "keywords fields action opens changes_state acknowledge rules model"}
for row in rows:
    for name, members in keys.items():
        missing = set(members.split()) - set(row[name])
        assert not missing, (name, missing)
EOF
"$python" "$out/check.py" "$out/many" || { echo "FAIL: what many messages say"; fail=1; }

# What may leave: a copy for the eye, told apart from what was read.
{ mail_of pay && printf 'Take 4111 1111 1111 1111, the password is hunter2\n'; } >"$out/pay"
"$ctl" explain --redacted "$out/pay" >"$out/shown"
grep -qF 'Take [card number removed], the password is [password removed]' "$out/shown" ||
    { echo "FAIL: --redacted"; fail=1; }
"$ctl" --json explain --redacted "$out/pay" | grep -q 'hunter2\|4111' &&
    { echo "FAIL: --redacted --json"; fail=1; }
"$ctl" --json explain "$out/pay" | grep -q 'hunter2' || { echo "FAIL: not redacted"; fail=1; }

# A mailbox is read in a memory that does not grow with it.
peak() { "$python" -c '
import resource, subprocess, sys
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)' "$ctl" --json explain "$1"; }
for _ in {1..400}; do cat "$out/box"; echo; done >"$out/big"
small=$(peak "$out/box") big=$(peak "$out/big")
grep -q __asan_init "$ctl" && big=0 # what it frees is kept for a while on purpose
[ "$big" -lt $((small + 4096)) ] || { echo "FAIL: $big KiB, $small KiB for one"; fail=1; }
exit $fail
