/* SPDX-License-Identifier: BSD-2-Clause
 * What a Sieve script asked for, over what was decided. It is kept with the envelope, so
 * that a later analysis does not undo it. Pure; results live in the arena.
 */
#ifndef TKT_TICKETD_WANTS_H
#define TKT_TICKETD_WANTS_H
#include "base/buf.h"
#include "decide/decide.h"
#include "wire/intake.h"

struct cJSON;

bool tkt_wants_any(const struct tkt_wire_wants *wants);
/* d with the wishes in it; d itself where there are none, it is NULL, or memory ends. */
const struct tkt_decision *tkt_wants_over(const struct tkt_wire_wants *wants,
                                          const struct tkt_decision *d,
                                          struct tkt_wire_arena *arena);
/* Appends a JSON object. */
void tkt_wants_write(const struct tkt_wire_wants *wants, struct tkt_buf *out);
/* json may be NULL: no wishes. Strings are never NULL afterwards. */
void tkt_wants_read(const struct cJSON *json, struct tkt_wire_arena *arena,
                    struct tkt_wire_wants *out);

#endif
