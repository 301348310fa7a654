/* SPDX-License-Identifier: BSD-2-Clause
 * Rules: which words, addresses and facts make a ticket what.
 *
 * Compiled once from the sections rules, rule, extract and require; then a message is looked
 * at once (folded, and passed through one automaton that knows the words of all rules),
 * however many rules and desks there are. A regular expression or glob is tried only where a
 * literal of it was seen. What a rule is and how its words are written is told in docs/rules.md.
 *
 * Limits, each an error of compile() that names the line: TKT_RULES_MAX rules,
 * TKT_RULES_REGEX_MAX expressions, items and their length (conf/schema_rules.h),
 * TKT_RULES_LITERALS_MAX words of all. While matching: TKT_REGEX_MATCH_MAX steps from one
 * place, TKT_REGEX_HEAP_KIB, TKT_RULES_REGEX_MS for all expressions on one message; past
 * them a rule has an error as its reason and counts as not matching. An expression sees
 * TKT_RULES_REGEX_TEXT_MAX bytes of a text, words see all of it.
 *
 * A compiled struct holds what was found in one message, so one thread at a time. No I/O;
 * the clock is asked only while an expression takes long.
 */
#ifndef TKT_DECIDE_RULES_H
#define TKT_DECIDE_RULES_H
#include "base/buf.h"
#include "base/err.h"
#include "base/sections.h"
#include "decide/thread.h"

#include <stddef.h>
#include <stdint.h>

#define TKT_RULES_MAX 10000
#define TKT_RULES_SETS_MAX 256
#define TKT_RULES_EXTRACTS_MAX 256
#define TKT_RULES_REQUIRES_MAX 256
#define TKT_RULES_REGEX_MAX 10000
#define TKT_RULES_LITERALS_MAX 400000
#define TKT_RULES_REGEX_MS 60
#define TKT_RULES_REGEX_TEXT_MAX (256 * 1024)

struct tkt_rules;

/* The strings of settings are kept by reference: they must outlive the rules. */
int tkt_rules_compile(const struct tkt_sections *settings, struct tkt_rules **out,
                      struct tkt_buf *warnings, struct tkt_err *err);
void tkt_rules_free(struct tkt_rules **rules);

/* The names of the header fields that rules look at: the parser keeps these. */
const struct tkt_strings *tkt_rules_fields(const struct tkt_rules *rules);
size_t tkt_rules_count(const struct tkt_rules *rules);

/* A new message: what was found in the one before is forgotten. */
void tkt_rules_begin(struct tkt_rules *rules);
/* The step of routing: sets, extracts, requirements. -1: no memory. */
int tkt_rules_route(const struct tkt_question *q, struct tkt_rules *rules,
                    struct tkt_decision *d, struct tkt_wire_arena *arena);

#endif
