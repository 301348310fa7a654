/* SPDX-License-Identifier: BSD-2-Clause
 * A milter with one desk, desk@example.test, and no ticketd: whatever would ask it is at
 * the cap already and defers at once. For tests of what lies above the filter.
 */
#ifndef TKT_TESTS_MILTER_FIXTURE_H
#define TKT_TESTS_MILTER_FIXTURE_H
#include "milter/session.h"

/* NULL when it could not be made. */
struct tkt_milter *tkt_fixture_milter(void);
void tkt_fixture_milter_free(struct tkt_milter **milter);

#endif
