#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# ticketctl against a ticketd of few words (ctl_fake): exit codes, what is asked, what is
# printed, and what happens when the answer is late, broken, or hostile.
set -u
build=${TKT_BUILDDIR:-build}
ctl=$build/ticketctl/ticketctl
fake=$build/tests/ctl_fake
[ -x "$ctl" ] && [ -x "$fake" ] || { echo "SKIP: not built"; exit 77; }
dir=$(mktemp -d)
sock=$dir/s
fail=0
pid=
stop() {
    [ -z "$pid" ] || { kill "$pid" && wait "$pid"; } 2>/dev/null
    pid=
}
trap 'stop; rm -rf "$dir"' EXIT
bad() {
    echo "FAIL: $*"
    fail=1
}
# serve OPTIONS...: the fake answers so from now on; its requests are in $dir/asked.
serve() {
    stop
    rm -f "$sock"
    "$fake" "$sock" "$@" >"$dir/asked" 2>"$dir/fake.err" &
    pid=$!
    for _ in $(seq 3000); do
        # Its file is there before anybody listens.
        awk -v sock="$sock" '$8 == sock && $4 == "00010000" { found = 1 } END { exit !found }' \
            /proc/net/unix && return
        sleep 0.02
    done
    bad "the fake does not start: $(cat "$dir/fake.err")"
}
# check NAME CODE ARGUMENTS...: runs ticketctl -s, compares the exit code.
check() {
    local name=$1 want=$2
    shift 2
    timeout 60 "$ctl" -s "$sock" "$@" >"$dir/out" 2>"$dir/err" <"${input:-/dev/null}"
    local got=$?
    [ $got -eq "$want" ] || bad "$name: exit $got, not $want: $(cat "$dir/err")"
}
has() { grep -qF -- "$2" "$dir/$1" || bad "$name: no '$2' in $1: $(head -c 600 "$dir/$1")"; }
lacks() { ! grep -qF -- "$2" "$dir/$1" || bad "$name: '$2' in $1"; }

name="usage"
for args in "" "nosuch" "show" "show a b" "list --nosuch" "queue" "queue list x" \
    "queue retry x" "queue show 0" "split IT-1 x" "assign IT-1" "set IT-1 novalue" \
    "set IT-1 =x" "list --limit 0" "list --limit x" "list --since never" \
    "submit -f a@b" "submit -r a@b" "ping -t 0" "forget a@b" "config" "comment IT-1"; do
    # shellcheck disable=SC2086
    check "usage: $args" 64 $args
    [ -s "$dir/err" ] || bad "usage: $args: nothing on stderr"
done
check version 0 --version
has out "ticketctl "
check help 0 help
check "help of a group" 0 help queue
has out "queue retry"

name="nobody listens"
check "$name" 69 ping
has err "ticketd does not answer"
has err "is it running?"
[ "$(wc -l <"$dir/err")" -eq 1 ] || bad "$name: not one line"

name="a socket file without a listener"
serve
kill -9 "$pid" && wait "$pid" 2>/dev/null
pid=
check "$name" 69 ping
has err "Connection refused"

name="no configuration of that name"
timeout 60 "$ctl" -c "$dir/none" ping 2>"$dir/err"
[ $? -eq 78 ] || bad "$name: exit"
printf 'Subject: x\n\nbody\n' >"$dir/mail"
name="submit with a wrong configuration keeps the mail queued"
timeout 60 "$ctl" -c "$dir/none" submit -f a@b -r c@d <"$dir/mail" 2>"$dir/err"
[ $? -eq 75 ] || bad "$name: exit"
name="submit without ticketd keeps the mail queued"
rm -f "$sock"
input=$dir/mail check "$name" 75 submit --remaining 1 -f a@b -r c@d
has err "was not taken"

if [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null; then
    name="not allowed to connect"
    serve
    chmod 711 "$dir"
    chmod 600 "$sock"
    setpriv --reuid 65534 --regid 65534 --clear-groups "$ctl" -s "$sock" ping \
        2>"$dir/err" && bad "$name: passed"
    has err "you may not use"
    chmod 700 "$dir"
fi

name="the request"
serve --text "done"
check "$name" 0 set IT-1 group=net "subject=a=b c"
printf 'v=1\nverb=set\nid=IT-1\nfield=group\nvalue=net\nfds=0\n' >"$dir/want"
printf 'v=1\nverb=set\nid=IT-1\nfield=subject\nvalue=a=b c\nfds=0\n' >>"$dir/want"
cmp -s "$dir/want" "$dir/asked" || bad "$name: $(cat "$dir/asked")"
has out "done"
name="quiet"
check "$name" 0 -q close IT-1 "all
well"
[ ! -s "$dir/out" ] || bad "$name: output"
has asked "text=all"
name="json of a change"
check "$name" 0 --json link A B
has out '{"status":"ok","text":"done"}'
name="comment from standard input"
printf 'two\nlines' >"$dir/text"
input=$dir/text check "$name" 0 comment IT-1 - --public
has asked "public=1"
name="comment too long"
head -c 300000 /dev/zero | tr '\0' x >"$dir/text"
input=$dir/text check "$name" 65 comment IT-1 -
name="comment with a NUL"
printf 'a\0b' >"$dir/text"
input=$dir/text check "$name" 65 comment IT-1 -
name="jobs: each has its chance"
check "$name" 0 queue retry 4 5
has asked "verb=queue-retry"
has asked "job=5"

name="a job is changed in one way at a time"
check "$name" 64 queue edit 4
check "$name" 64 queue edit 4 --payload '{}' --target rt
check "$name" 64 queue edit x --target rt
check "$name" 65 queue edit 4 --payload '[1]'
check "$name" 65 queue edit 4 --payload '{} x'
check "$name" 0 queue edit 4 --payload '{"text":"a"}' --force
has asked "verb=queue-edit"
has asked 'payload={"text":"a"}'
has asked "force=1"

name="ticketd's code is ours, its text is safe"
serve --exit 77 --text "$(printf 'not for \033[31myou\nX: forged')"
check "$name" 77 resolve IT-1
has err "not for"
lacks err "$(printf '\033')"
[ "$(wc -l <"$dir/err")" -eq 1 ] || bad "$name: not one line"

name="hostile data in a table"
cat >"$dir/data" <<'JSON'
[{"row":1,"id":"IT-1","state":"new","priority":3,"changed":"2026-11-22T11:47:16.123Z",
  "requester":"a\u001b]0;owned\u0007@b","subject":"line\nbreak \u009b31m \u202egnp.exe"}]
JSON
serve --data "$dir/data"
TZ=CET-1 check "$name" 0 list
has out "IT-1"
has out "2026-11-22 12:47:16"
LC_ALL=C grep -qP '[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80\xae' "$dir/out" &&
    bad "$name: control characters"
[ "$(wc -l <"$dir/out")" -eq 2 ] || bad "$name: a cell made a line of its own"
check "$name" 0 --json list
LC_ALL=C grep -qP '[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]' "$dir/out" &&
    bad "$name: control characters in JSON"
python3 - "$dir/out" "$dir/data" <<'PY' || bad "$name: JSON changed its meaning"
import json, sys
sys.exit(json.load(open(sys.argv[1])) != json.load(open(sys.argv[2])))
PY

name="data that is no JSON"
printf '{"broken": ' >"$dir/data"
serve --data "$dir/data"
check "$name" 76 show IT-1
name="no data"
serve
check "$name" 76 show IT-1
check "$name" 76 raw IT-1

name="raw passes every byte"
head -c 200000 /dev/urandom >"$dir/data"
serve --data "$dir/data"
check "$name" 0 raw IT-1
cmp -s "$dir/data" "$dir/out" || bad "$name"
if [ -e /dev/full ]; then
    name="raw to a full disk"
    timeout 60 "$ctl" -s "$sock" raw IT-1 >/dev/full 2>"$dir/err"
    [ $? -eq 74 ] || bad "$name: exit"
fi
if command -v script >/dev/null; then
    name="raw on a terminal"
    printf 'Subject: \033[2J\r\n\r\nbody\a\r\n' >"$dir/data"
    serve --data "$dir/data"
    script -qec "$ctl -s $sock raw IT-1" /dev/null >"$dir/out" </dev/null
    has out "Subject"
    LC_ALL=C grep -qP '[\x07\x1b]' "$dir/out" && bad "$name: control characters"
fi

name="verify: faults"
printf '{"faults":[{"fault":"chain","text":"chain broken at 7"}],"bad":1}' >"$dir/data"
serve --exit 65 --text "1 faults" --data "$dir/data"
check "$name" 1 verify
has out "chain broken at 7"
check "$name" 1 -q verify
name="verify: refused"
serve --exit 77 --text "no"
check "$name" 77 verify

name="backup: the file must be new and is ours alone"
serve
echo x >"$dir/there"
check "$name" 73 backup "$dir/there"
[ "$(cat "$dir/there")" = x ] || bad "$name: overwritten"
name="backup: an empty one is none"
check "$name" 70 backup "$dir/new"
[ ! -e "$dir/new" ] || bad "$name: left behind"
name="backup: refused"
serve --exit 77 --text "no"
check "$name" 77 backup "$dir/new"
[ ! -e "$dir/new" ] || bad "$name: left behind"

name="a token key is new, long enough, and nobody else's"
check "$name" 0 token-key "$dir/key"
[ "$(stat -c '%a %s' "$dir/key")" = "600 64" ] || bad "$name: $(stat -c '%a %s' "$dir/key")"
check "$name" 73 token-key "$dir/key"

name="forget asks"
serve
input=/dev/null check "$name" 64 forget a@b
has err "--yes"

name="broken answers"
serve --line "v=1" --line "exit=x" --line "status=ok"
check "$name" 65 ping
serve --line "no line at all"
check "$name" 65 ping
serve --hangup
check "$name" 69 ping
name="no answer in time"
serve --mute
start=$(date +%s)
check "$name" 69 -t 1 ping
[ $(($(date +%s) - start)) -le 5 ] || bad "$name: took too long"
exit $fail
