/* SPDX-License-Identifier: BSD-2-Clause
 * A message as JSON: the "message" object of `ticketctl explain`, and of golden tests.
 *
 * Stable: always the same keys in the same order, two blanks a level, no trailing blank.
 * indent is the depth at which the object stands. libc only. -1 when out is full.
 */
#ifndef TKT_MESSAGE_JSON_H
#define TKT_MESSAGE_JSON_H
#include "base/buf.h"
#include "message/message.h"

int tkt_message_json(const struct tkt_message *msg, unsigned indent, struct tkt_buf *out);

#endif
