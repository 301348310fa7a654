#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What each program is linked with. ticketd and ticket-milter read no MIME, HTML or regex;
# the milter calls nobody over the network (no curl); the parser has no store and no network; the wire library, which goes into
# Dovecot's process too, needs libc alone.
set -u
cd "${TKT_BUILDDIR:-.}" || exit 99
fail=0

# Programs are built in their folder or at the top; where libtool left a wrapper, the
# program is in .libs.
binary() {
    local dir f
    for dir in ticketd milter ticketctl parser .; do
        for f in "$dir/.libs/$1" "$dir/$1"; do
            if [ -f "$f" ]; then
                echo "$f"
                return
            fi
        done
    done
}

# is_on CONDITIONAL: what configure decided.
is_on() {
    grep -q "^S\[\"$1_TRUE\"\]=\"\"" config.status
}

# has_none PROGRAM LIBRARIES CALLS FUNCTIONS: neither a NEEDED library nor a symbol may match. Debug
# information is not looked at.
has_none() {
    local file
    file=$(binary "$1")
    if [ -z "$file" ]; then
        echo "$1 is not built"
        fail=1
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
if is_on DAEMON; then
    has_none ticketd "$mime_libs" "$mime_calls" "$reads_mail"
    has_none ticket-parser 'sqlite|curl|libpq|ldap|milter|confuse|libssl' \
        ' (sqlite3_|curl_|PQ[a-z]|ldap_|smfi_|cfg_|SSL_|(connect|bind|getaddrinfo|execve?|posix_spawn|dlopen)(@|$))' \
        'tkt_store_|tkt_conf_load'
else
    echo "SKIP: configured without the daemon"
fi
if is_on MILTER; then
    has_none ticket-milter "$mime_libs|curl|sqlite" "$mime_calls| curl_" "$reads_mail|tkt_http_"
else
    echo "SKIP: configured without the milter"
fi

# What speaks to LDAP and SQL servers is one library of ticketd's, and nobody else's.
server_libs='ldap|lber|libpq|odbc'
server_calls=' U (ldap_|ber_|PQ[a-z]|SQL[A-Z][a-z])'
if is_on DAEMON; then
    objects=$(find common ticketd parser -name '*.o' ! -path 'common/directory/*')
    [ -n "$objects" ] || { echo "no objects are here"; fail=1; }
    # shellcheck disable=SC2086
    if nm -A --undefined-only $objects | grep -E "$server_calls"; then
        echo "these speak to a directory themselves"
        fail=1
    fi
    has_none ticketctl "$server_libs" ' (ldap_|PQ[a-z]|SQLExecute)' 'tkt_directory_open'
fi
if is_on MILTER; then
    has_none ticket-milter "$server_libs" ' (ldap_|PQ[a-z]|SQLExecute)' 'tkt_directory_open'
fi

# The wire library: every symbol it leaves open is its own, core's, or libc's.
wire=.libs/libtkt_wire.a
if [ -e "$wire" ]; then
    libc=$(ldconfig -p | sed -n 's/.*libc\.so\.6 .*=> //p' | head -1)
    have=$({
        nm -D --defined-only "$libc"
        nm --defined-only "$wire" .libs/libtkt_core.a 2>/dev/null
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
    echo "$wire is not built"
    fail=1
fi
exit $fail
