/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/envelope.h"

#include "base/enc.h"
#include "base/util.h"

#include <string.h>

const char *tkt_envelope_address(const char *arg, size_t *len)
{
    size_t n;

    arg += strspn(arg, " \t");
    n = strlen(arg);
    while (n > 0 && (arg[n - 1] == ' ' || arg[n - 1] == '\t')) {
        n--;
    }
    if (n >= 2 && arg[0] == '<' && arg[n - 1] == '>') {
        arg++;
        n -= 2;
    }
    /* "@relay1,@relay2:user@domain" (RFC 5321 4.1.1.3: to be ignored) */
    const char *colon = n > 0 && arg[0] == '@' ? memchr(arg, ':', n) : NULL;
    if (colon != NULL) {
        n -= (size_t)(colon + 1 - arg);
        arg = colon + 1;
    }
    *len = n;
    return arg;
}

bool tkt_envelope_is_smtp(const char *arg)
{
    return arg[strspn(arg, " \t")] == '<';
}

bool tkt_envelope_relayed(const char *rcpt_mailer)
{
    /* Postfix: the transport; Sendmail: the mailer. lmtp and pipe-like ones deliver here. */
    static const char *const staying[] = {
        "local", "virtual", "lmtp",     "dovecot", "cyrus", "cyrusv2", "procmail",
        "prog",  "*file*",  "maildrop", "discard", "error", "retry",
    };

    if (rcpt_mailer == NULL || rcpt_mailer[0] == '\0') {
        return false;
    }
    for (size_t i = 0; i < TKT_ARRAY_LEN(staying); i++) {
        if (tkt_ascii_ieq(rcpt_mailer, staying[i])) {
            return false;
        }
    }
    return true;
}
