/* SPDX-License-Identifier: BSD-2-Clause
 * The last lines of what a person wrote: what ends all of a sender's mails is his signature,
 * however it looks. A parser child hashes them, ticketd knows which of them the
 * sender's last mails had in common, and both cut that many lines off.
 *
 * Lines count from the end, blank ones do not count, blanks at their ends are nothing. A
 * line of more than TKT_TAIL_LINE_MAX bytes and a quoted one (">") end the tail, and the
 * first line of a text never belongs to it: something must remain. Pure; libc and the
 * message's arena only.
 */
#ifndef TKT_MESSAGE_TAIL_H
#define TKT_MESSAGE_TAIL_H
#include "message/message.h"

#define TKT_TAIL_LINES_MAX 12
#define TKT_TAIL_LINE_MAX 160

/* out[i] is the hash of the last i + 1 lines of text together; returns how many there are. */
size_t tkt_tail_hash(const char *text, uint64_t out[TKT_TAIL_LINES_MAX]);
/* Fills msg->tail_hashes with them, 16 hex digits each. -1: no memory. */
int tkt_tail_read(struct tkt_message *msg);
/* Moves the last lines of reply_text to the front of signature. Fewer are moved where
 * the tail ends before. -1: no memory, and nothing was changed. */
int tkt_tail_cut(struct tkt_message *msg, unsigned lines);

#endif
