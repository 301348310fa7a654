/* SPDX-License-Identifier: BSD-2-Clause
 * A decision as it is kept, and two decisions side by side.
 *
 * The record is one line of JSON for the event of a message: every part that says
 * something, then why, the reasons in their order. It never grows past
 * TKT_DECISION_RECORD_MAX: what does not fit is left out from the end of the reasons and
 * counted ("left_out"). Keys are only ever added. libc only; pure.
 */
#ifndef TKT_DECIDE_RECORD_H
#define TKT_DECIDE_RECORD_H
#include "decide/decide.h"

#define TKT_DECISION_RECORD_MAX 8192
#define TKT_DECISION_PART_MAX 4096 /* of one part as text; longer ones are cut */

/* What people compare of two decisions. */
enum tkt_decision_part {
    TKT_PART_ACTION,
    TKT_PART_TYPE,
    TKT_PART_CATEGORY,
    TKT_PART_SUBCATEGORY,
    TKT_PART_SERVICE,
    TKT_PART_GROUP,
    TKT_PART_ASSIGNEE,
    TKT_PART_ITSM,
    TKT_PART_URGENCY,
    TKT_PART_IMPACT,
    TKT_PART_PRIORITY,
    TKT_PART_REQUESTER,
    TKT_PART_TAGS,
    TKT_PART_FIELDS,
    TKT_PART_MISSING,
    TKT_PART_POLICY, /* "refused", "ignored" or "" */
    TKT_PART_COUNT
};
extern const char *const tkt_decision_part_names[];

/* The value as a person reads it, lists with ", " between: appended to out. */
void tkt_decision_part_text(const struct tkt_decision *d, enum tkt_decision_part part,
                            struct tkt_buf *out);
/* A bit (1 << part) for each part in which they differ. */
uint32_t tkt_decision_diff(const struct tkt_decision *a, const struct tkt_decision *b);
/* Appends the record with the desk's name and what it was decided by (""= by nothing but
 * the desk's settings). -1: no memory. */
int tkt_decision_record(const struct tkt_decision *d, const char *desk, const char *by,
                        struct tkt_buf *out);

#endif
