/* SPDX-License-Identifier: BSD-2-Clause
 * What the store knows about the Message-IDs of a mail, as JSON for `ticketctl explain`.
 *
 * {"candidates":[{"ticket":7,"id":"IT-12","desk":"it","state":"open",
 *   "evidence":"reference","message_id":"a@b","is_participant":true}]}
 */
#ifndef TKT_TICKETD_CONTROL_FACTS_H
#define TKT_TICKETD_CONTROL_FACTS_H
#include "store/store.h"

/* ids without <>; address lower case or NULL. */
int tkt_control_facts(struct tkt_reader *reader, const char *const *ids, size_t count,
                      const char *address, struct tkt_buf *out, struct tkt_err *err);

#endif
