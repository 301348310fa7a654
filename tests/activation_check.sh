#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# ticketd takes the sockets that systemd opened for it, by their names in the units, and
# leaves them when it stops: hooks wait in their queue for the next ticketd.
set -u
build=${TKT_BUILDDIR:-.}
ticketd=$build/ticketd/ticketd
ticketctl=$build/ticketctl/ticketctl

if ! command -v systemd-socket-activate > /dev/null 2>&1; then
    echo "SKIP: systemd-socket-activate is not installed"
    exit 77
fi
work=$(mktemp -d) || exit 1
pid=
trap '[ -z "$pid" ] || kill "$pid" 2> /dev/null; rm -rf "$work"' EXIT
chmod 711 "$work"
mkdir "$work/run" "$work/store" "$work/milter"
user=$(id -un)
if [ "$(id -u)" -eq 0 ]; then
    user=nobody # ticketd does not stay root
    chown nobody "$work/store" "$work/milter"
fi
cat > "$work/conf" <<CONF
intake_socket = "$work/run/intake.sock"
control_socket = "$work/run/control.sock"
user = "$user"
pid_file = ""
analyse = no
store { path = "$work/store" }
milter { state_dir = "$work/milter" }
access { admins = {"$(id -un)"} readers = {"$(id -un)"} }
desk "it" { addresses = {"support@example.test"} }
CONF

# The names of the units, in the order of the sockets.
names=$(sed -n 's/^FileDescriptorName=//p' "$build/packaging/systemd/ticketd.socket" \
    "$build/packaging/systemd/ticketd-control.socket" | paste -s -d :)
systemd-socket-activate --seqpacket --fdname="$names" -l "$work/run/intake.sock" \
    -l "$work/run/control.sock" "$ticketd" -f -c "$work/conf" > "$work/log" 2>&1 &
pid=$!
tries=0
until [ -S "$work/run/control.sock" ] || [ "$tries" -ge 1200 ]; do
    tries=$((tries + 1))
    sleep 0.05
done

fail() {
    echo "FAIL: $*"
    cat "$work/log"
    exit 1
}

tries=0
until "$ticketctl" -c "$work/conf" ping || [ "$tries" -ge 1200 ]; do
    tries=$((tries + 1)) # the sockets have names before anybody listens
    sleep 0.05
done
[ "$tries" -lt 1200 ] || fail "ticketd does not answer on the socket it was given"
kill "$pid"
wait "$pid" || fail "ticketd did not stop cleanly"
pid=
[ -S "$work/run/intake.sock" ] || fail "ticketd removed the intake socket of systemd"
[ -S "$work/run/control.sock" ] || fail "ticketd removed the control socket of systemd"
grep -q 'event=stop' "$work/log" || fail "ticketd was killed"

# A test of the configuration reads the token keys too, as the unit's user.
echo 'token { keys = {"file:'"$work"'/none"} }' >> "$work/conf"
"$ticketd" -t -c "$work/conf" > "$work/log" 2>&1
[ $? -eq 78 ] || fail "ticketd -t takes a key that is not there"
grep -q "token.keys: file:$work/none" "$work/log" || fail "the missing key is not named"
echo 'token { keys = {"vault:x"} }' > "$work/conf"
"$ticketctl" -c "$work/conf" config test > "$work/log" 2>&1
[ $? -eq 78 ] || fail "ticketctl config test takes an unknown kind of secret"
