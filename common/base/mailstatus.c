/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/mailstatus.h"

#include "base/util.h"

#include <stdbool.h>
#include <string.h>

/* The class is looked at last: a 4.x.x here means that a server gave up in the end. */
static const struct {
    const char *detail; /* behind the class; "7." is a whole subject */
    enum tkt_failure is;
} rows[] = {
    {"1.0", TKT_FAILURE_LASTING},  /* other address status */
    {"1.1", TKT_FAILURE_LASTING},  /* bad mailbox */
    {"1.2", TKT_FAILURE_LASTING},  /* bad system */
    {"1.3", TKT_FAILURE_LASTING},  /* bad syntax */
    {"1.6", TKT_FAILURE_LASTING},  /* has moved, nobody says where */
    {"1.7", TKT_FAILURE_NONE},     /* the sender's syntax */
    {"1.8", TKT_FAILURE_NONE},     /* the sender's system */
    {"1.9", TKT_FAILURE_NONE},     /* relayed to a mailer that does not comply */
    {"1.10", TKT_FAILURE_LASTING}, /* null MX (RFC 7505) */
    {"2.1", TKT_FAILURE_LASTING},  /* mailbox disabled */
    {"2.3", TKT_FAILURE_NONE},     /* too long for it */
    {"3.4", TKT_FAILURE_NONE},     /* too big for the system */
    {"4.4", TKT_FAILURE_LASTING},  /* no route: Postfix says so of a domain without DNS */
    {"6.7", TKT_FAILURE_PASSING},  /* a server on the way lacks SMTPUTF8 (RFC 6531) */
    {"6.9", TKT_FAILURE_PASSING},  /* the same */
    {"6.", TKT_FAILURE_NONE},      /* content */
    {"7.", TKT_FAILURE_NONE}       /* policy: most often, our server's repute */
};

enum tkt_failure tkt_mailstatus_failure(const char *status)
{
    if ((status[0] != '5' && status[0] != '4') || status[1] != '.') {
        return TKT_FAILURE_PASSING;
    }
    for (size_t i = 0; i < TKT_ARRAY_LEN(rows); i++) {
        size_t n = strlen(rows[i].detail);
        bool is_subject = rows[i].detail[n - 1] == '.';

        if (strncmp(status + 2, rows[i].detail, n) == 0 &&
            (is_subject || status[2 + n] == '\0')) {
            return status[0] == '4' && rows[i].is == TKT_FAILURE_LASTING
                       ? TKT_FAILURE_PASSING
                       : rows[i].is;
        }
    }
    return TKT_FAILURE_PASSING;
}
