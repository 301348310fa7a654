/* SPDX-License-Identifier: BSD-2-Clause
 * The call of itsm_fixture.h for a ticket that is there already, as 15.
 */
#ifndef TKT_TESTS_ITSM_STEPS_H
#define TKT_TESTS_ITSM_STEPS_H
#include "itsm_fixture.h"

#define STEPS_CORR "mt-0123456789abcdef0123456789abcdef"

static inline const struct tkt_itsm_ops *steps_begin(struct drive *d, const char *type,
                                                     enum tkt_itsm_op op)
{
    static char *groups[] = {(char *)"net=7"};

    drive_begin(d, tkt_itsm_find(type), op);
    d->conf.url = (char *)"https://desk.example/base";
    d->conf.project = (char *)"5";
    d->conf.groups = (struct tkt_conf_list){groups, 1};
    d->conf.fields = (struct tkt_conf_list){NULL, 0};
    d->conf.timeout_ms = 0;
    d->conf.concurrency = 0;
    d->ticket.subject = "printer";
    d->ticket.text = "broken\n";
    d->ticket.created_ms = 0;
    d->ticket.fields = NULL;
    d->ticket.field_count = 0;
    d->ticket.external = "15";
    d->ticket.number = "15";
    return d->ops;
}

/* Whether the request has this header line. */
static inline bool steps_header(const struct drive *d, const char *line)
{
    for (size_t i = 0; i < d->call.request.header_count; i++) {
        if (strcmp(d->call.request.headers[i], line) == 0) {
            return true;
        }
    }
    return false;
}

#endif
