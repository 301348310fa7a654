/* SPDX-License-Identifier: BSD-2-Clause
 * The control verb `sample`: stored mails with what became of them, for rehearsals of
 * another configuration (`ticketctl replay`) and of one ticket (`ticketctl explain ID`).
 *
 * The answer is a file of frames: two lengths of 4 bytes (big-endian), a JSON object, the
 * message as it came. Keys: message, ticket (row), id, desk, state, at_ms, first,
 * unverified, tail (lines of signature), envelope, record (or null), decided_ms. A message larger than
 * TKT_CONTROL_SAMPLE_MESSAGE_MAX comes without its content, "skipped":true. The reply's
 * text is the row to go on behind; "" when there is no more. Nothing is written.
 */
#ifndef TKT_TICKETD_CONTROL_SAMPLE_H
#define TKT_TICKETD_CONTROL_SAMPLE_H
#include "store/sample.h"
#include "ticketd/control/control.h"

#define TKT_CONTROL_SAMPLE_COUNT 256 /* mails of one answer */
#define TKT_CONTROL_SAMPLE_BYTES (8 * 1024 * 1024)
#define TKT_CONTROL_SAMPLE_MESSAGE_MAX (16 * 1024 * 1024)

/* filter->after < 0: from filter->since_ms on. */
int tkt_control_sample(struct tkt_control_request *req,
                       struct tkt_store_sample_filter filter, int limit,
                       struct tkt_err *err);

#endif
