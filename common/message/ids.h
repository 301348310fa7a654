/* SPDX-License-Identifier: BSD-2-Clause
 * Message-IDs: the message's own (or one derived for it) and those that it answers.
 *
 * IDs are kept without <> and without the blanks and comments that may stand in them. An
 * ID above 998 bytes is none.
 */
#ifndef TKT_MESSAGE_IDS_H
#define TKT_MESSAGE_IDS_H
#include "message/reading.h"

/* A message without one gets an ID made from From, Date, Subject and the beginning of the
 * body, blanks aside: the same for every copy of the message. -1: see err. */
int tkt_ids_read(struct tkt_reading *r, struct tkt_err *err);
/* The Message-IDs of a value. The first one (how the thread began) and the newest are
 * kept when there are more than limits.references_max. */
void tkt_ids_add(struct tkt_reading *r, const char *value, size_t len,
                 struct tkt_strings *out);

#endif
