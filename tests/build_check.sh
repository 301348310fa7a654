#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# build_check.sh BUILD: the other compiler and the other choices of configure build without
# a warning, and `make install` puts in place what they say and no more.
set -u
build=$1
top=$(cd "$(dirname "$0")/.." && pwd)
failed=0

# variant NAME CONFIGURE-ARGUMENTS: builds and installs into BUILD/variants/NAME/root.
variant() {
    local name=$1 dir=$build/variants/$1
    shift
    rm -rf "$dir/root"
    mkdir -p "$dir"
    if (cd "$dir" && "$top/configure" --enable-werror --prefix=/usr "$@" &&
        make -j2 && make install DESTDIR="$dir/root") >"$dir/log" 2>&1; then
        echo "PASS: build $name"
    else
        echo "FAIL: build $name"
        tail -40 "$dir/log"
        failed=1
    fi
}

# has NAME FILES, has_not NAME FILES
has() {
    local name=$1 f
    shift
    for f in "$@"; do
        [ -e "$build/variants/$name/root/$f" ] ||
            { echo "FAIL: build $name: $f is not installed"; failed=1; }
    done
}
has_not() {
    local name=$1 f
    shift
    for f in "$@"; do
        [ ! -e "$build/variants/$name/root/$f" ] ||
            { echo "FAIL: build $name: $f is installed"; failed=1; }
    done
}

milter="usr/sbin/ticket-milter usr/share/man/man8/ticket-milter.8
 usr/lib/systemd/system/ticket-milter.service"
daemon="usr/sbin/ticketd usr/bin/ticketctl usr/libexec/ticket-milter/ticket-parser
 usr/share/man/man8/ticketd.8 usr/share/man/man1/ticketctl.1
 usr/share/bash-completion/completions/ticketctl.bash
 usr/lib/systemd/system/ticketd.service usr/lib/systemd/system/ticketd.socket
 usr/lib/systemd/system/ticketd-control.socket"
both="etc/ticket-milter/ticket-milter.conf usr/share/man/man5/ticket-milter.conf.5
 usr/share/man/man7/ticket-milter.7 usr/lib/sysusers.d/ticket-milter.conf
 usr/lib/tmpfiles.d/ticket-milter.conf
 usr/share/doc/ticket-milter/examples/ticket-milter.conf"

if command -v clang >/dev/null 2>&1; then
    variant clang CC=clang
    # shellcheck disable=SC2086
    has clang $both $milter $daemon
else
    echo "SKIP: build clang: clang is not installed"
fi
# shellcheck disable=SC2086
{
    variant milter-only --disable-daemon
    has milter-only $both $milter
    has_not milter-only $daemon
    variant daemon-only --disable-milter --disable-sieve
    has daemon-only $both $daemon
    has_not daemon-only $milter usr/share/man/man7/ticket-sieve.7
}
# Dovecot's folder of modules is not below the prefix.
modules=$(sed -n 's/^dovecot_moduledir=//p' /usr/lib/dovecot/dovecot-config 2>/dev/null)
if [ -n "$modules" ] && [ -r /usr/include/dovecot/sieve/sieve-message.h ]; then
    sieve="$modules/sieve/lib90_sieve_vnd_ticket_plugin.so
     usr/share/man/man7/ticket-sieve.7 usr/share/doc/ticket-milter/vnd.ticket.txt
     usr/share/doc/ticket-milter/examples/90-ticket-2.3.conf
     usr/share/doc/ticket-milter/examples/90-ticket-2.4.conf
     usr/share/doc/ticket-milter/examples/ticket.sieve"
    # shellcheck disable=SC2086
    {
        variant sieve-only --enable-sieve --disable-milter --disable-daemon
        has sieve-only $both $sieve
        has_not sieve-only $milter $daemon "$modules/sieve/lib90_sieve_vnd_ticket_plugin.la"
    }
else
    echo "SKIP: build sieve-only: dovecot-dev is not installed"
fi
exit $failed
