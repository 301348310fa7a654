#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# dovecot24.sh BUILD [pytest arguments]: the Sieve suites against Dovecot 2.4.
#
# debootstrap makes a Debian 13 in BUILD/dovecot24 (or TKT_DOVECOT_TREE names one), the plugin
# is built and installed inside it, and the suites run with its Dovecot and this machine's
# ticketd. Nothing is mounted. Part of `make campaign`, as it downloads a few hundred MB once.
set -eu
build=$1
shift
top=$(cd "$(dirname "$0")/.." && pwd)
tree=${TKT_DOVECOT_TREE:-$build/dovecot24}
packages=dovecot-core,dovecot-dev,dovecot-imapd,dovecot-lmtpd,dovecot-sieve
packages=$packages,gcc,make,libc6-dev,pkg-config,libssl-dev,libconfuse-dev

skip() {
    echo "SKIP: dovecot24: $*"
    exit 0
}

[ "$(id -u)" -eq 0 ] || skip "needs root"
if [ ! -x "$tree/usr/sbin/dovecot" ]; then
    command -v debootstrap >/dev/null 2>&1 || skip "debootstrap is not installed"
    mkdir -p "$tree"
    debootstrap --variant=minbase --include="$packages" trixie "$tree" \
        "${TKT_DEBIAN_MIRROR:-http://deb.debian.org/debian}" >"$tree.log" 2>&1 ||
        skip "no Debian 13 to be had, see $tree.log"
fi
# sieve-test wants to know who it is.
grep -q '^tktmail:' "$tree/etc/passwd" ||
    echo 'tktmail:x:61803:61804::/nonexistent:/usr/sbin/nologin' >>"$tree/etc/passwd"

rm -rf "$tree/src"
mkdir -p "$tree/src/build"
(cd "$top" && tar -cf - --exclude=./build --exclude=./.git .) | tar -xf - -C "$tree/src"
# There are no autotools in the tree: what they made counts as new.
touch "$tree/src/aclocal.m4"
sleep 1
touch "$tree/src/configure" "$tree/src/Makefile.in" "$tree"/src/*.h.in
chroot "$tree" sh -c 'cd /src/build && ../configure --prefix=/usr --enable-werror \
    --disable-milter --disable-daemon && make -j2 && make install' >"$build/dovecot24.log" 2>&1 ||
    { tail -40 "$build/dovecot24.log"; exit 1; }
echo "Dovecot $(chroot "$tree" dovecot --version)"
cd "$top/tests/integration"
exec env TKT_DOVECOT_TREE="$tree" TKT_BUILDDIR="$build" TKT_SRCDIR="$top" \
    PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 -m pytest -p no:cacheprovider -rs --tb=short \
    test_sieve.py test_sieve_faults.py test_sieve_imap.py test_sieve_tools.py "$@"
