/* SPDX-License-Identifier: BSD-2-Clause
 * The attachments of a message: everything that is not its text, whatever it is packed
 * in (message/visit.h), with the name, size and SHA-256 of what it decodes to.
 *
 * Content passes through one window. Past the budget of the scan, or after
 * limits.hash_max bytes of a message, attachments are still listed: without a hash, with
 * the size that they have in the message. Who has no name gets one made of type and part.
 *
 * Inline is what the text shows: what the HTML refers to by its Content-ID, and images
 * that are marked inline or stand in a multipart/related with a Content-ID. A PDF that is
 * "inline" because some program writes that on every file is an attachment.
 */
#ifndef TKT_MESSAGE_ATTACHMENTS_H
#define TKT_MESSAGE_ATTACHMENTS_H
#include "base/err.h"
#include "message/reading.h"

/* Fills msg->attachments. -1 (TEMP): the source cannot be read, or memory ends. */
int tkt_attachments_read(struct tkt_reading *r, struct tkt_err *err);

#endif
