/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/origin.h"

#include "store/internal.h"

#include <stdio.h>

int tkt_store_origin_first(struct tkt_store *s, const char *itsm, const char *origin,
                           int64_t now_ms, struct tkt_err *err)
{
    return tkt_db_run(s->db, SQL_ORIGIN_FIRST, err, "ssi", itsm, origin, now_ms) < 0 ? -1
                                                                                     : 0;
}

int tkt_store_origin_set(struct tkt_store *s, const char *itsm, const char *origin,
                         int64_t now_ms, struct tkt_err *err)
{
    return tkt_db_run(s->db, SQL_ORIGIN_SET, err, "ssi", itsm, origin, now_ms) < 0 ? -1
                                                                                   : 0;
}

int tkt_reader_origin(struct tkt_reader *r, const char *itsm,
                      char out[TKT_STORE_ORIGIN_MAX + 1], struct tkt_err *err)
{
    TKT_AUTO_ROW struct tkt_row row = TKT_ROW_INIT;
    int n = tkt_db_query(r->db, &row, SQL_ORIGIN, err, "s", itsm);

    if (n == 1) {
        (void)snprintf(out, TKT_STORE_ORIGIN_MAX + 1, "%s",
                       tkt_row_text(&row, 0)); /* as it was written */
    }
    return n;
}
