/* SPDX-License-Identifier: BSD-2-Clause
 * The fields of one header, taken line by line under the caps of the pre-scan.
 *
 * See struct tkt_header in message/prescan.h. Past the cap of a field its rest is
 * dropped (.cut); past the caps of the block nothing more is kept (.overflow).
 */
#ifndef TKT_MESSAGE_HEADER_H
#define TKT_MESSAGE_HEADER_H
#include "message/prescan.h"

enum tkt_header_line {
    TKT_HEADER_MORE,
    TKT_HEADER_END,         /* the empty line */
    TKT_HEADER_NOT_A_FIELD, /* the body begins with this line */
};

void tkt_header_init(struct tkt_header *h, const struct tkt_message_limits *limits);
void tkt_header_release(struct tkt_header *h);
/* No fields; memory is kept. */
void tkt_header_reset(struct tkt_header *h);
/* A line with its line end; bol is false for the further pieces of a long one. */
enum tkt_header_line tkt_header_take(struct tkt_header *h, const char *p, size_t n,
                                     bool bol, const struct tkt_message_limits *limits);

#endif
