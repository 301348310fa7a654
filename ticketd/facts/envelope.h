/* SPDX-License-Identifier: BSD-2-Clause
 * The envelope as it is kept with a message (JSON), written with RESERVE and read again
 * for a later analysis.
 */
#ifndef TKT_TICKETD_ENVELOPE_H
#define TKT_TICKETD_ENVELOPE_H
#include "wire/intake.h"

#define TKT_ENVELOPE_MAX (256u * 1024)
#define TKT_ENVELOPE_RCPTS_MAX 256

/* Strings live in the arena, are never NULL. */
struct tkt_envelope {
    const char *hook;
    const char *sender;
    const char *client_addr;
    const char *auth_login;
    const char *tls_subject;
    const char **rcpts;
    size_t rcpt_count;
    struct tkt_wire_wants wants;
    bool per_recipient;
    struct tkt_wire_arena arena;
};

/* NULL: no memory, or too long. */
char *tkt_envelope_make(const struct tkt_wire_request *wire,
                        struct tkt_wire_arena *arena);
/* PERM: not what make wrote. */
int tkt_envelope_read(const char *json, size_t len, struct tkt_envelope *out,
                      struct tkt_err *err);
void tkt_envelope_release(struct tkt_envelope *e);

#endif
