/* SPDX-License-Identifier: BSD-2-Clause
 * A call that a test drives step by step, in place of what runs backends.
 */
#ifndef TKT_TESTS_UNIT_ITSM_FIXTURE_H
#define TKT_TESTS_UNIT_ITSM_FIXTURE_H
#include "base/util.h"
#include "itsm/build.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
/* cmocka wants the four above first */
#include <cmocka.h>

struct drive {
    const struct tkt_itsm_ops *ops;
    struct tkt_conf_itsm conf;
    struct tkt_itsm_site site;
    struct tkt_itsm_ticket ticket;
    struct tkt_itsm_comment comment;
    struct tkt_itsm_file file;
    struct tkt_itsm_call call;
    struct tkt_itsm_answer answer;
    cJSON *json;
    struct tkt_err err;
};

/* A section at http://127.0.0.1:1/base/ with project General and group net=Network, a
 * ticket IT-1 of group net with hostile texts, an internal comment, a file. All may be
 * changed before the first step. */
void drive_begin(struct drive *d, const struct tkt_itsm_ops *ops, enum tkt_itsm_op op);
/* The next step, by the answer; NULL: the first. The answer must outlive the step. */
enum tkt_itsm_next drive_step(struct drive *d, int status, const char *answer);
void drive_end(struct drive *d);

#endif
