/* SPDX-License-Identifier: BSD-2-Clause
 * Where a ticket goes and how urgent it is: the steps behind threading, one after the
 * other. Each step may only fill what is open or what a weaker source filled, and leaves a
 * reason for what it did and for what it would have done. Private to common/decide; pure.
 *
 *   desk's defaults < model < headers, words, directory < rules
 *
 * The mood is read first, so that rules may ask for it; the priority comes last
 * (decide/priority.h), of what all of them said.
 *
 * A message that is appended is routed too, for its explanation and for what rules refuse;
 * the ticket keeps its own group.
 */
#ifndef TKT_DECIDE_ROUTE_H
#define TKT_DECIDE_ROUTE_H
#include "decide/thread.h"

/* d holds the desk's defaults. -1: no memory. */
int tkt_route(const struct tkt_question *q, struct tkt_decision *d,
              struct tkt_wire_arena *arena);

/* Appends a reason; words may be NULL. Beyond TKT_DECISION_REASONS_MAX it is dropped. The
 * strings are copied. -1: no memory. */
int tkt_reason_add(struct tkt_decision *d, struct tkt_wire_arena *arena,
                   const struct tkt_reason *reason);

#endif
