/* SPDX-License-Identifier: BSD-2-Clause
 * Fills what the person wrote into the message: reply_text, signature, quoted and
 * forwarded, from the message's text (message/trim.h) or from a message attached.
 */
#ifndef TKT_MESSAGE_REPLY_H
#define TKT_MESSAGE_REPLY_H
#include "base/err.h"
#include "message/mark.h"
#include "message/reading.h"

#include <stddef.h>

/* Of an attached message at most so much is read for forwarded.text. */
#define TKT_REPLY_ATTACHED_MAX (256 * 1024)

/* From msg->text, n bytes long. */
void tkt_reply_read(struct tkt_reading *r, size_t n, const struct tkt_marks *marks);
/* A message attached to one that a person sent was forwarded; nothing is changed when
 * the text held one. -1 (TEMP): the source cannot be read, or memory ends. */
int tkt_reply_attached(struct tkt_reading *r, struct tkt_err *err);

#endif
