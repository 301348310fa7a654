/* SPDX-License-Identifier: BSD-2-Clause
 * What the fields of the message's header say: subject, addresses, date, importance,
 * and the results that our border wrote there.
 */
#ifndef TKT_MESSAGE_FIELDS_H
#define TKT_MESSAGE_FIELDS_H
#include "message/reading.h"

void tkt_fields_read(struct tkt_reading *r);
/* Another Subject takes the place of the header's; the ticket IDs of both count. */
void tkt_fields_subject(struct tkt_reading *r, const char *value, size_t len);

#endif
