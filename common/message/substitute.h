/* SPDX-License-Identifier: BSD-2-Clause
 * What to read of a message that has no text of its own: the text within winmail.dat,
 * an invitation, a visiting card. All of them stay attachments, too.
 */
#ifndef TKT_MESSAGE_SUBSTITUTE_H
#define TKT_MESSAGE_SUBSTITUTE_H
#include "message/body.h"

/* Appends to out when it is empty and there is something; body as of tkt_body_text(). */
int tkt_substitute_text(const struct tkt_message_source *src, struct tkt_scan *scan,
                        struct tkt_buf *out, struct tkt_body *body, struct tkt_err *err);

#endif
