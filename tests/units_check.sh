#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The systemd units, sysusers.d and tmpfiles.d files are what systemd takes, and as
# hardened as they claim. Programs are stood in for by /bin/true: they need not be there.
set -u
build=${TKT_BUILDDIR:-.}
units="ticketd.socket ticketd-control.socket ticketd.service ticket-milter.service
 ticket-model.service ticket-model.timer"
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
failed=0

complain() {
    echo "FAIL: $*"
    failed=1
}

for f in $units sysusers.d/ticket-milter.conf tmpfiles.d/ticket-milter.conf \
    postfix-chroot.conf postfix-chroot.tmpfiles; do
    grep -n '@[a-z]*dir@' "$build/packaging/systemd/$f" && complain "$f has an unset folder"
done

if ! command -v systemd-analyze > /dev/null 2>&1; then
    echo "SKIP: systemd is not installed"
    exit $((failed ? 1 : 77))
fi

for unit in $units; do
    sed -E 's|^(ExecStart(Pre)?)=.*|\1=/bin/true|' "$build/packaging/systemd/$unit" \
        > "$work/$unit"
done
for unit in $units; do
    SYSTEMD_UNIT_PATH="$work:" systemd-analyze verify --man=no "$work/$unit" \
        > "$work/verify" 2>&1 || complain "$unit: verify"
    # Other units of this machine may be wrong too; that is not ours.
    grep -F "$work/" "$work/verify" && complain "$unit has warnings"
done

# The score counts exposure in tenths: 13 is 1.3.
check_security() {
    SYSTEMD_UNIT_PATH="$work:" systemd-analyze security --offline=true --no-pager \
        --threshold="$2" "$work/$1" > "$work/security" 2>&1
    rc=$?
    tail -n 1 "$work/security"
    [ "$rc" -eq 0 ] || complain "$1 is more exposed than $2 tenths"
}
check_security ticketd.service 13
check_security ticket-milter.service 13
check_security ticket-model.service 13

mkdir -p "$work/root/etc"
: > "$work/root/etc/passwd"
: > "$work/root/etc/group"
if systemd-sysusers --root="$work/root" "$build/packaging/systemd/sysusers.d/ticket-milter.conf" \
    > "$work/sysusers" 2>&1; then
    for user in ticketd ticket-milter; do
        grep -q "^$user:" "$work/root/etc/passwd" || complain "sysusers.d makes no $user"
    done
    grep -q '^ticket-milter:.*:ticketd$' "$work/root/etc/group" ||
        complain "sysusers.d: ticketd is no member of ticket-milter"
else
    cat "$work/sysusers"
    complain "sysusers.d"
fi

if [ "$(id -u)" -ne 0 ]; then
    echo "SKIP: tmpfiles.d: only root may make folders of others"
else
    for f in tmpfiles.d/ticket-milter.conf postfix-chroot.tmpfiles; do
        # postfix is not known here, the group of its folder stands in for it
        sed -E 's/ postfix -$/ ticketd -/' "$build/packaging/systemd/$f" > "$work/tmpfiles.conf"
        systemd-tmpfiles --root="$work/root" --create "$work/tmpfiles.conf" ||
            complain "$f: systemd-tmpfiles"
    done
    find "$work/root" -path '*/ticket-milter*' -type d -perm /002 | grep . &&
        complain "tmpfiles.d makes a folder that anybody may write"
    find "$work/root" -path '*/ticket-milter/store' -perm 0700 | grep -q . ||
        complain "tmpfiles.d: others may look into the store"
fi
[ "$failed" -eq 0 ] && echo "units, sysusers.d and tmpfiles.d are good"
exit "$failed"
