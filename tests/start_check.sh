#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Started by root without systemd: the sockets lie in a folder of the milter's user, hooks
# of that user may connect, the store is nobody else's, and a link that the milter's user
# puts in the place of the process ID file leads root nowhere.
set -u
build=${TKT_BUILDDIR:-.}
ticketd=$build/ticketd/ticketd
ticketctl=$build/ticketctl/ticketctl

if [ "$(id -u)" -ne 0 ]; then
    echo "SKIP: only root can start ticketd as another user"
    exit 77
fi
work=$(mktemp -d) || exit 1
pid=
trap '[ -z "$pid" ] || kill "$pid" 2> /dev/null; rm -rf "$work"' EXIT
chmod 711 "$work"
mkdir "$work/run" "$work/store" "$work/milter"
chown daemon:daemon "$work/run" "$work/milter" # stands for ticket-milter
chown nobody "$work/store"
cat > "$work/conf" <<CONF
intake_socket = "$work/run/intake.sock"
control_socket = "$work/run/control.sock"
pid_file = "$work/run/ticketd.pid"
user = "nobody"
analyse = no
store { path = "$work/store" }
milter { state_dir = "$work/milter" }
access { hooks = {"daemon"} }
desk "it" { addresses = {"support@example.test"} }
CONF

fail() {
    echo "FAIL: $*"
    ls -laR "$work"
    exit 1
}

# In the background: it returns when ticketd answers.
"$ticketd" -c "$work/conf" || fail "ticketd does not start"
pid=$(cat "$work/run/ticketd.pid")
[ "$(stat -c %U "/proc/$pid")" = nobody ] || fail "ticketd runs as another user"
"$ticketctl" -c "$work/conf" ping > /dev/null || fail "ticketd does not answer"
printf 'From: ann@customer.example\nSubject: hello\n\nbody\n' |
    setpriv --reuid=daemon --regid=daemon --clear-groups "$ticketctl" -c "$work/conf" \
        submit -f ann@customer.example -r support@example.test |
    grep -q '^IT-1 created' || fail "the milter's user cannot hand in mail"
find "$work/store" -perm /077 ! -path "$work/store" | grep . && fail "others may read mail"
"$ticketd" -c "$work/conf" 2> "$work/second" && fail "a second ticketd starts"
grep -q 'in use' "$work/second" || fail "the second one does not say why it ends"
kill "$pid"
tries=0
while kill -0 "$pid" 2> /dev/null && [ "$tries" -lt 1200 ]; do
    tries=$((tries + 1))
    sleep 0.05
done
kill -0 "$pid" 2> /dev/null && fail "ticketd does not stop"
pid=

echo precious > "$work/precious"
rm -f "$work/run/ticketd.pid"
ln -s "$work/precious" "$work/run/ticketd.pid"
if "$ticketd" -c "$work/conf" 2> /dev/null; then
    pid=$(cat "$work/run/ticketd.pid")
    fail "ticketd follows a link of the milter's user"
fi
[ "$(cat "$work/precious")" = precious ] || fail "root wrote where a link led"
echo "ticketd starts from root as it should"
