/* SPDX-License-Identifier: BSD-2-Clause
 * The parts of a decision as texts, whether it was just made or read from a record: what
 * `replay` and `explain ID` compare. One thread.
 */
#ifndef TKT_TICKETCTL_PARTS_H
#define TKT_TICKETCTL_PARTS_H
#include "decide/record.h"

#include <cjson/cJSON.h>

struct tkt_ctl_parts {
    bool is_known; /* else that side decided nothing */
    struct tkt_buf texts[TKT_PART_COUNT];
};

void tkt_ctl_parts_init(struct tkt_ctl_parts *p);
void tkt_ctl_parts_release(struct tkt_ctl_parts *p);
/* d or record may be NULL: not known. */
void tkt_ctl_parts_of(struct tkt_ctl_parts *p, const struct tkt_decision *d);
void tkt_ctl_parts_of_record(struct tkt_ctl_parts *p, const cJSON *record);
/* A bit for each part in which two differ; a side that is not known differs in action. */
uint32_t tkt_ctl_parts_diff(const struct tkt_ctl_parts *a, const struct tkt_ctl_parts *b);
/* As an object of the parts that say something; the caller's. NULL: no memory. */
cJSON *tkt_ctl_parts_json(const struct tkt_ctl_parts *p);

#endif
