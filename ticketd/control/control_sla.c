/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketd/control/control_sla.h"

#include "base/clock.h"
#include "base/util.h"
#include "store/sla.h"

#define LIST_LIMIT 100
#define LIST_LIMIT_MAX 10000
#define AHEAD_MS (24 * INT64_C(3600) * 1000)

int tkt_control_sla(struct tkt_control_request *req, struct tkt_err *err)
{
    struct tkt_settings *set = tkt_settings_get(req->d);

    req->has_data = true;
    int rc = tkt_reader_sla_json(req->reader, set->sla, tkt_control_arg(req, "id"),
                                 tkt_clock_wall_ms(), &req->data, err);
    tkt_settings_put(&set);
    return rc;
}

int tkt_control_slas(struct tkt_control_request *req, struct tkt_err *err)
{
    struct tkt_settings *set = tkt_settings_get(req->d);
    int64_t until = tkt_control_number(req, "until_ms", tkt_clock_wall_ms() + AHEAD_MS);
    int64_t limit = tkt_control_number(req, "limit", LIST_LIMIT);

    req->has_data = true;
    int rc =
        tkt_reader_sla_list_json(req->reader, set->sla, until,
                                 (int)TKT_MIN(limit, LIST_LIMIT_MAX), &req->data, err);
    tkt_settings_put(&set);
    return rc;
}
