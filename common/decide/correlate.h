/* SPDX-License-Identifier: BSD-2-Clause
 * Correlation: which alarm a mail is one of, by the sections correlate.
 *
 * The first section whose conditions hold and whose key patterns all match gives the
 * decision a key: the section's name and what the groups caught (a pattern without groups:
 * what it matched), in their order, lower case, blanks as one, parted by bars. Longer than
 * TKT_CORRELATE_KEY_MAX it ends in a hash of the whole. Whether it joins a ticket is ticketd's to say, which knows
 * what is open.
 *
 * Where none fits, automatic mail has a key without a section: a hash of From, Subject and
 * text, without the times and dates in them.
 *
 * Patterns are PCRE2 (decide/regex.h: UTF, caseless, JIT, a limit of steps) over at most
 * TKT_CORRELATE_TEXT_MAX bytes, TKT_CORRELATE_MS for all of them on one message; past a
 * limit the section does not match and a reason of the decision says so. Compiled once;
 * used by one thread at a time. No I/O; the clock is asked only while a pattern takes long.
 */
#ifndef TKT_DECIDE_CORRELATE_H
#define TKT_DECIDE_CORRELATE_H
#include "base/err.h"
#include "base/sections.h"
#include "decide/thread.h"

#define TKT_CORRELATE_SECTIONS_MAX 256
#define TKT_CORRELATE_PATTERNS_MAX 8 /* of a kind in a section */
#define TKT_CORRELATE_TEXT_MAX (64 * 1024)
#define TKT_CORRELATE_MS 30

struct tkt_correlates;

/* The strings of sections are kept by reference. CONF names the line. */
int tkt_correlates_compile(const struct tkt_sections *sections,
                           struct tkt_correlates **out, struct tkt_err *err);
void tkt_correlates_free(struct tkt_correlates **correlates);
/* A new message: its time begins. */
void tkt_correlates_begin(struct tkt_correlates *correlates);
/* The step of routing. -1: no memory. */
int tkt_correlate_step(const struct tkt_question *q, struct tkt_decision *d,
                       struct tkt_wire_arena *arena);

#endif
