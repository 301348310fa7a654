/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/gauge.h"

#include "base/util.h"
#include "store/internal.h"

static int tickets(struct tkt_reader *r, const struct tkt_store_gauges *g,
                   struct tkt_err *err)
{
    TKT_AUTO_ROW struct tkt_row row = TKT_ROW_INIT;
    int n = tkt_db_query(r->db, &row, SQL_GAUGE_TICKETS, err, "");

    for (; n == 1; n = tkt_row_next(&row, err)) {
        g->tickets(g->arg, tkt_row_text(&row, 0),
                   tkt_store_state_name((enum tkt_ticket_state)tkt_row_int(&row, 1)),
                   tkt_row_int(&row, 2));
    }
    return n;
}

static int jobs(struct tkt_reader *r, const struct tkt_store_gauges *g,
                struct tkt_err *err)
{
    TKT_AUTO_ROW struct tkt_row row = TKT_ROW_INIT;
    int n = tkt_db_query(r->db, &row, SQL_GAUGE_JOBS, err, "");

    for (; n == 1; n = tkt_row_next(&row, err)) {
        g->jobs(g->arg, tkt_row_text(&row, 0),
                tkt_job_state_name((enum job_state)tkt_row_int(&row, 1)),
                tkt_row_int(&row, 2), tkt_row_int(&row, 3));
    }
    return n;
}

static int holds(struct tkt_reader *r, const struct tkt_store_gauges *g,
                 struct tkt_err *err)
{
    TKT_AUTO_ROW struct tkt_row row = TKT_ROW_INIT;
    int n = tkt_db_query(r->db, &row, SQL_GAUGE_HOLDS, err, "");

    if (n == 1) {
        g->holds(g->arg, tkt_row_int(&row, 0), tkt_row_int(&row, 1));
    }
    return n;
}

int tkt_reader_gauges(struct tkt_reader *r, const struct tkt_store_gauges *g,
                      struct tkt_err *err)
{
    return tickets(r, g, err) < 0 || jobs(r, g, err) < 0 || holds(r, g, err) < 0 ? -1 : 0;
}
