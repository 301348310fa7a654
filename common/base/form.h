/* SPDX-License-Identifier: BSD-2-Clause
 * A form as browsers and services post it: application/x-www-form-urlencoded.
 *
 * Promise: names and values as they were meant, in the order in which they came; what is
 * broken (an escape, a NUL byte) is refused and not guessed. Values may hold any other byte.
 * Owner: parse makes, release frees. Any thread. Limits: the caller's; PERM beyond.
 */
#ifndef TKT_BASE_FORM_H
#define TKT_BASE_FORM_H
#include "base/err.h"

#include <stddef.h>

struct tkt_form_pair {
    const char *name, *value; /* "" where there is none */
};
struct tkt_form {
    struct tkt_form_pair *pairs;
    size_t count;
    char *room;
};

/* -1: PERM (broken, more than max pairs), TEMP (memory); then there is nothing to free. */
int tkt_form_parse(const void *body, size_t len, size_t max, struct tkt_form *out,
                   struct tkt_err *err);
/* Safe twice. */
void tkt_form_release(struct tkt_form *form);
/* The value of the first of that name, or NULL. */
const char *tkt_form_get(const struct tkt_form *form, const char *name);

#endif
