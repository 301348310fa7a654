/* SPDX-License-Identifier: BSD-2-Clause
 * Prints of the newest tickets' texts, in memory: does this mail say what another ticket
 * says? Each print lies in its ticket's row; a start reads the newest of them.
 *
 * Promise: a lookup looks at no more than TKT_PRINTS_MAX numbers. What it finds is a
 * suggestion: the ticket may have moved or gone since. Any thread; a lock inside.
 */
#ifndef TKT_TICKETD_PRINTS_H
#define TKT_TICKETD_PRINTS_H
#include "store/store.h"

#define TKT_PRINTS_MAX 4096
#define TKT_PRINTS_AGE_MS (7 * 24 * 3600 * INT64_C(1000))

struct tkt_prints;

struct tkt_prints *tkt_prints_new(void);
void tkt_prints_free(struct tkt_prints **p);
int tkt_prints_load(struct tkt_prints *p, struct tkt_reader *reader, int64_t now_ms,
                    struct tkt_err *err);
/* sender: the address; "" = not known. */
void tkt_prints_add(struct tkt_prints *p, const char *desk, int64_t ticket,
                    const char *sender, uint64_t print, int64_t at_ms);
/* How many senders, this one included, said nearly this at this desk after since_ms; at
 * most TKT_PRINTS_SENDERS_MAX. 0 when the text has no print. */
#define TKT_PRINTS_SENDERS_MAX 1000
uint32_t tkt_prints_affected(struct tkt_prints *p, const char *desk, const char *sender,
                             uint64_t print, int64_t since_ms);
/* The ticket of this desk whose print is nearest, the newest of those; 0: none is near. */
int64_t tkt_prints_find(struct tkt_prints *p, const char *desk, uint64_t print,
                        int64_t now_ms);

#endif
