/* SPDX-License-Identifier: BSD-2-Clause
 * A message, facts and a configuration in a few words: for tests of rules.
 */
#ifndef TKT_TESTS_RULES_FIXTURE_H
#define TKT_TESTS_RULES_FIXTURE_H
#include "decide/decide.h"
#include "decide/policy.h"

struct rules_case {
    struct tkt_message msg;
    struct tkt_facts facts;
    struct tkt_desk_facts desk;
};

/* One human's mail to the desk "it" about nothing; strings are constants. */
void rules_case_init(struct rules_case *c);
/* The policy of a configuration that has a desk in front; fails the test on an error. */
struct tkt_policy *rules_policy(const char *conf);
/* The error of one, "" when there is none. */
const char *rules_policy_error(const char *conf, struct tkt_err *err);
/* The warnings of one; err tells what is wrong with it. NULL: it is wrong. */
char *rules_policy_warnings(const char *conf);
/* Decides for the desk; release() it. */
void rules_decide(struct rules_case *c, struct tkt_policy *policy,
                  struct tkt_decisions *out);
/* "field=value" of the decision's fields is there. */
const char *rules_field(const struct tkt_decision *d, const char *name);

#endif
