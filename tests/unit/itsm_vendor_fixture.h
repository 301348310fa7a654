/* SPDX-License-Identifier: BSD-2-Clause
 * A call of a backend, driven answer by answer; for tests of its bytes.
 */
#ifndef TKT_TESTS_ITSM_VENDOR_FIXTURE_H
#define TKT_TESTS_ITSM_VENDOR_FIXTURE_H
#include "itsm/build.h"

struct itsm_drive {
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

#define ITSM_KEY "mt-0123456789abcdef0123456789abcdef"
#define ITSM_BASE "https://desk.example"

/* A section of that type with what all need; change d->conf and d->ticket before the first
 * step. */
void itsm_begin(struct itsm_drive *d, const char *type, enum tkt_itsm_op op);
/* The next step, by the answer; NULL: the first. */
enum tkt_itsm_next itsm_step(struct itsm_drive *d, int status, const char *answer);
void itsm_end(struct itsm_drive *d);
#endif
