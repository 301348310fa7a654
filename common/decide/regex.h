/* SPDX-License-Identifier: BSD-2-Clause
 * Regular expressions over mail text: PCRE2 with UTF, Unicode properties and machine code,
 * never without limits. Private to common/decide.
 *
 * A search ends after TKT_REGEX_MATCH_MAX steps from one starting place, and past the
 * deadline of its set (asked between pieces of the text, for expressions that may be slow):
 * that is an error, not "no match". Without leave to make machine code the expressions are
 * interpreted, slower and under the same limits.
 *
 * A set and its expressions are used by one thread at a time. Text must be valid UTF-8.
 */
#ifndef TKT_DECIDE_REGEX_H
#define TKT_DECIDE_REGEX_H
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TKT_REGEX_MATCH_MAX 100000
#define TKT_REGEX_HEAP_KIB 4096
#define TKT_REGEX_STACK_MAX (512 * 1024)
#define TKT_REGEX_GROUPS_MAX 64

struct tkt_regex;
struct tkt_regex_set; /* what searches share: limits, stack, result */

enum tkt_regex_result {
    TKT_REGEX_NO,
    TKT_REGEX_YES,
    TKT_REGEX_LIMIT,  /* too many steps, or too much memory */
    TKT_REGEX_TIMEOUT /* the set's time is up */
};

struct tkt_regex_set *tkt_regex_set_new(void); /* NULL: memory */
void tkt_regex_set_free(struct tkt_regex_set **set);
/* Expressions compiled from now on: ^ and $ are at each line's ends too. */
void tkt_regex_set_lines(struct tkt_regex_set *set);
/* How long all searches from now on may take together. */
void tkt_regex_set_budget(struct tkt_regex_set *set, int64_t ms);

/* CONF with PCRE2's message and the place in the pattern. */
int tkt_regex_compile(struct tkt_regex_set *set, const char *pattern,
                      struct tkt_regex **out, struct tkt_err *err);
void tkt_regex_free(struct tkt_regex **regex);
enum tkt_regex_result tkt_regex_search(const struct tkt_regex *regex, const char *s,
                                       size_t n);

/* Groups: 0 is the whole match. */
uint32_t tkt_regex_groups(const struct tkt_regex *regex);
/* "" for a group without a name. */
const char *tkt_regex_group_name(const struct tkt_regex *regex, uint32_t group);
/* After a search that said YES: where the group is in the text; false: it took no part. */
bool tkt_regex_group(const struct tkt_regex *regex, uint32_t group, size_t *from,
                     size_t *to);
/* Whether there is machine code. */
bool tkt_regex_is_fast(const struct tkt_regex *regex);

#endif
