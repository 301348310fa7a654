/* SPDX-License-Identifier: BSD-2-Clause
 * Many literals found in one pass over a text (Aho and Corasick). Private to common/decide.
 *
 * Literals are added once, then the automaton is built and constant; any thread may search.
 * It is compact rather than a full table: states with few branches (nearly all) keep them
 * side by side and fall back by links; busy ones have a row over the bytes that occur at
 * all. 100,000 literals need about 20 MB, a search about 5 ns a byte.
 *
 * Literals are bytes; equal ones share a number. The empty literal is refused.
 */
#ifndef TKT_DECIDE_AHOCORASICK_H
#define TKT_DECIDE_AHOCORASICK_H
#include <stddef.h>
#include <stdint.h>

struct tkt_ac;

struct tkt_ac *tkt_ac_new(void); /* NULL: memory */
void tkt_ac_free(struct tkt_ac **ac);
/* The literal's number, counted from 0; -1: memory, or it is empty. Not after build. */
int64_t tkt_ac_add(struct tkt_ac *ac, const char *literal, size_t n);
size_t tkt_ac_count(const struct tkt_ac *ac);
/* -1: memory. */
int tkt_ac_build(struct tkt_ac *ac);

/* Told of each place where a literal ends; end points behind it. */
typedef void tkt_ac_found_fn(void *arg, uint32_t literal, const char *end);

/* All occurrences, overlapping ones too, in the order of their ends, longer ones first. */
void tkt_ac_search(const struct tkt_ac *ac, const char *s, size_t n,
                   tkt_ac_found_fn *found, void *arg);

#endif
