/* SPDX-License-Identifier: BSD-2-Clause
 * A message as JSON: the "message" object of `ticketctl explain`, and of golden tests.
 *
 * Stable: always the same keys in the same order, two blanks a level, no trailing blank.
 * indent is the depth at which the value stands. libc only. tkt_message_json returns -1
 * when out is full; the small writers leave that in out->failed.
 */
#ifndef TKT_MESSAGE_JSON_H
#define TKT_MESSAGE_JSON_H
#include "base/buf.h"
#include "message/message.h"

#include <stdbool.h>

int tkt_message_json(const struct tkt_message *msg, unsigned indent, struct tkt_buf *out);

/* A new line with "key": and a comma before it unless it is the first. */
void tkt_json_key(struct tkt_buf *out, unsigned indent, bool *first, const char *key);
void tkt_json_close(struct tkt_buf *out, unsigned indent, bool first, char bracket);
/* NULL is written as "". */
void tkt_json_str(struct tkt_buf *out, const char *s);
void tkt_json_strings(struct tkt_buf *out, unsigned indent,
                      const struct tkt_strings *list);

#endif
