/* SPDX-License-Identifier: BSD-2-Clause
 * What an enhanced status (RFC 3463, RFC 7504, RFC 7505) that ends a mail's delivery says of
 * the address: whether it is of use to write there again. Pure; any text is taken.
 */
#ifndef TKT_BASE_MAILSTATUS_H
#define TKT_BASE_MAILSTATUS_H

enum tkt_failure {
    TKT_FAILURE_NONE,    /* of the mail or of who sent it: says nothing of the address */
    TKT_FAILURE_PASSING, /* a full mailbox, a server that was away: another time, maybe */
    TKT_FAILURE_LASTING  /* there is no such address */
};

/* "" and what is no status: PASSING. */
enum tkt_failure tkt_mailstatus_failure(const char *status);

#endif
