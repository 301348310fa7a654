/* SPDX-License-Identifier: BSD-2-Clause
 * format=flowed (RFC 3676): lines that a mail program broke for the wire become the
 * paragraphs that were written.
 *
 * Quote levels, space-stuffing and the signature line are respected; quotes come out as
 * ">> text". What is not flowed comes out line for line. Pure, linear, never more bytes
 * out than 2 for 1 in.
 */
#ifndef TKT_MESSAGE_FLOWED_H
#define TKT_MESSAGE_FLOWED_H
#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>

/* Appends; line ends are LF. delsp: the blank of a soft break is not part of the text. */
void tkt_flowed_add(struct tkt_buf *out, const char *text, size_t n, bool delsp);

#endif
