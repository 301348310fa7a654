/* SPDX-License-Identifier: BSD-2-Clause
 * What the fields of the message's header say: subject, addresses, Message-IDs, date,
 * and the results that our border wrote there.
 */
#ifndef TKT_MESSAGE_FIELDS_H
#define TKT_MESSAGE_FIELDS_H
#include "message/reading.h"

void tkt_fields_read(struct tkt_reading *r);
/* The Message-IDs of a value. The first one (how the thread began) and the newest are
 * kept when there are more than the list may hold. */
void tkt_fields_ids(struct tkt_reading *r, const char *value, size_t len,
                    struct tkt_strings *out);

#endif
