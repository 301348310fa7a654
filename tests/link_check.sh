#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What each program is linked with. ticketd and ticket-milter read no MIME, HTML or regex;
# the sandboxed parser has no store and no network; the wire library, which goes into
# Dovecot's process too, needs libc alone.
set -u
cd "${TKT_BUILDDIR:-.}" || exit 99
fail=0
missing=0

# A program with the name of its source folder is built inside that folder; where libtool
# left a wrapper, the program is in .libs.
binary() {
    local f
    for f in "$1/.libs/$1" "$1/$1" ".libs/$1" "$1"; do
        if [ -f "$f" ]; then
            echo "$f"
            return
        fi
    done
}

# has_none PROGRAM LIBRARIES CALLS FUNCTIONS: neither a NEEDED library nor a symbol may match. Debug
# information is not looked at.
has_none() {
    local file
    file=$(binary "$1")
    if [ -z "$file" ]; then
        echo "MISSING: $1 is not built: nothing is said about it"
        missing=1
        return
    fi
    if readelf -d "$file" | grep NEEDED | grep -iE "$2"; then
        echo "$1 needs a library that it must not have"
        fail=1
    fi
    if nm -D --undefined-only "$file" | grep -E "$3"; then
        echo "$1 calls functions that it must not have"
        fail=1
    fi
    if nm "$file" 2>/dev/null | grep -E " [TtWw] ($4)"; then
        echo "$1 contains functions that it must not have"
        fail=1
    fi
}

reads_mail='tkt_message_parse|tkt_message_extract|tkt_message_parser_init'
mime_libs='gmime|glib|pcre|libxml|libxslt|lexbor|icu|utf8proc|gumbo|expat'
mime_calls=' (g_mime_|g_[a-z]+_new|pcre2?_|xml[A-Z]|html[A-Z]|regcomp|regexec|iconv_open)'
for program in ticketd ticket-milter; do
    has_none "$program" "$mime_libs" "$mime_calls" "$reads_mail"
done
has_none ticket-parser 'sqlite|curl|libpq|ldap|milter|confuse|libssl' \
    ' (sqlite3_|curl_|PQ[a-z]|ldap_|smfi_|cfg_|SSL_|connect@|bind@|getaddrinfo|execve?@|posix_spawn|dlopen)' \
    'tkt_store_|tkt_conf_load'

# The wire library: every symbol it leaves open is its own, base's, or libc's.
wire=.libs/libtkt_wire.a
if [ -e "$wire" ]; then
    libc=$(ldconfig -p | sed -n 's/.*libc\.so\.6 .*=> //p' | head -1)
    have=$({
        nm -D --defined-only "$libc"
        nm --defined-only "$wire" .libs/libtkt_base.a 2>/dev/null
    } | sed -n 's/.* [A-Za-z] \([^@]*\).*/\1/p' | sort -u)
    open=$(nm --undefined-only "$wire" | sed -n 's/^ *U \([^@]*\).*/\1/p' | sort -u |
        grep -vxE '_GLOBAL_OFFSET_TABLE_|__(asan|ubsan|tsan|sanitizer|start|stop)_.*')
    foreign=$(comm -23 <(echo "$open") <(echo "$have"))
    if [ -n "$foreign" ]; then
        echo "$foreign"
        echo "libtkt_wire calls what is neither its own nor libc's"
        fail=1
    fi
else
    echo "MISSING: $wire is not built"
    missing=1
fi
if [ "$fail" = 0 ] && [ "$missing" = 1 ]; then
    exit 77
fi
exit $fail
