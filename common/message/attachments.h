/* SPDX-License-Identifier: BSD-2-Clause
 * The attachments of a message: every part that is not its text.
 */
#ifndef TKT_MESSAGE_ATTACHMENTS_H
#define TKT_MESSAGE_ATTACHMENTS_H
#include "base/err.h"
#include "message/reading.h"

/* Fills msg->attachments. -1 (TEMP): the source cannot be read, or memory ends. */
int tkt_attachments_read(struct tkt_reading *r, struct tkt_err *err);

#endif
