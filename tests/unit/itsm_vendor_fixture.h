/* SPDX-License-Identifier: BSD-2-Clause
 * The call of itsm_fixture.h with little in it: a plain ticket that is nowhere yet.
 */
#ifndef TKT_TESTS_ITSM_VENDOR_FIXTURE_H
#define TKT_TESTS_ITSM_VENDOR_FIXTURE_H
#include "itsm_fixture.h"

#define ITSM_KEY "mt-0123456789abcdef0123456789abcdef"
#define ITSM_BASE "https://desk.example"

/* A section of that type with what all need; change d->conf and d->ticket before the first
 * step. */
void itsm_begin(struct drive *d, const char *type, enum tkt_itsm_op op);
#endif
