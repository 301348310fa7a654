/* SPDX-License-Identifier: BSD-2-Clause
 * The plugin's settings: plugin { sieve_ticket_... } of Dovecot 2.3, top-level settings of
 * 2.4 (through the settings module, which is built from the same source).
 */
#ifndef TKT_SIEVE_SETTINGS_H
#define TKT_SIEVE_SETTINGS_H
#include <stdbool.h>

struct sieve_instance;

#define TKT_SIEVE_SOCKET TKT_RUNSTATEDIR "/ticket-milter/intake.sock"
#define TKT_SIEVE_TIMEOUT_MS 8000
#define TKT_SIEVE_TIMEOUT_MAX_MS 60000

struct tkt_sieve_settings {
    const char *socket;      /* of ticketd's intake */
    unsigned int timeout_ms; /* of a call as a whole */
    bool accept;             /* on_failure: go on without a ticket where it is not :try */
    const char *default_desk; /* where the recipient is none; "" = none */
    const char *desks;        /* blank-separated: what personal scripts may name */
    bool per_recipient;       /* key_scope: a ticket for each recipient */
    bool imap;                /* also where a mail is moved or saved by IMAP */
    bool force;               /* ask ticketd outside a delivery too: for test suites */
    const char *problem;      /* what was wrong with them, or NULL */
};

/* Never fails: what is wrong keeps its default and is told in problem. Strings live as long
 * as the instance; release gives back what 2.4 holds. */
void tkt_sieve_settings_read(struct sieve_instance *svinst,
                             struct tkt_sieve_settings *out);

#endif
