/* SPDX-License-Identifier: BSD-2-Clause
 * Stored mails in the order they came, with what became of each: for trying other rules on
 * them. Rows come in the order of their ids, which is nearly that of time: the first one of
 * a time is found by halves, since nothing has an index by time.
 */
#include "store/sample.h"
#include "base/util.h"
#include "store/internal.h"

#include <stdio.h>
#include <string.h>

/* Clocks step back: so far before the time looked for the search begins. */
#define SLACK_MS (3600 * INT64_C(1000))

int tkt_reader_first_since(struct tkt_reader *r, int64_t since_ms, int64_t *out,
                           struct tkt_err *err)
{
    int64_t low = 0;
    int64_t high = 0;

    if (tkt_db_get_int(r->db, SQL_MESSAGE_LAST, &high, err, "") < 0) {
        return -1;
    }
    while (low < high) { /* the first row at or behind low is late enough: low .. high */
        int64_t middle = low + (high - low) / 2;
        int64_t at = INT64_MAX;
        if (tkt_db_get_int(r->db, SQL_MESSAGE_AT_OR_AFTER, &at, err, "i", middle) < 0) {
            return -1;
        }
        if (at >= since_ms - SLACK_MS) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    *out = low;
    return 0;
}

static void take_row(const struct tkt_row *row, struct tkt_store_sample *s)
{
    int flags = (int)tkt_row_int(row, 2);

    memset(s, 0, sizeof(*s));
    s->message = tkt_row_int(row, 0);
    s->at_ms = tkt_row_int(row, 1);
    s->size = tkt_row_int(row, 3);
    s->ticket = tkt_row_int(row, 4);
    snprintf(s->id, sizeof(s->id), "%.15s-%" PRId64, tkt_row_text(row, 5),
             tkt_row_int(row, 6));
    snprintf(s->desk, sizeof(s->desk), "%.39s", tkt_row_text(row, 7));
    s->state = (enum tkt_ticket_state)tkt_row_int(row, 8);
    s->is_first = (flags & M_FIRST) != 0;
    s->is_unverified = (flags & M_UNVERIFIED) != 0;
}

int tkt_reader_samples(struct tkt_reader *r, const struct tkt_store_sample_filter *f,
                       struct tkt_store_sample *out, int max, struct tkt_err *err)
{
    struct tkt_row row = TKT_ROW_INIT;
    struct ticket_row ticket;
    int count = 0;
    bool one = f->id != NULL && f->id[0] != '\0';
    int64_t only = 0;

    if (one) {
        if (tkt_ticket_named(r->db, f->id, &ticket, err) < 0) {
            return -1;
        }
        only = ticket.id;
    }
    int n =
        tkt_db_query(r->db, &row, SQL_SAMPLES, err, "iiisid", f->after, f->since_ms,
                     f->until_ms > 0 ? f->until_ms : INT64_MAX,
                     f->desk != NULL && f->desk[0] != '\0' ? f->desk : NULL, only, max);
    for (; n == 1; n = tkt_row_next(&row, err)) {
        take_row(&row, &out[count++]);
    }
    return n < 0 ? -1 : count;
}

int tkt_reader_record(struct tkt_reader *r, int64_t ticket, int64_t message,
                      struct tkt_buf *out, int64_t *at_ms, struct tkt_err *err)
{
    TKT_AUTO_ROW struct tkt_row row = TKT_ROW_INIT;
    int n = tkt_db_query(r->db, &row, SQL_RECORD_OF, err, "ii", ticket, message);

    if (n <= 0) {
        return n;
    }
    *at_ms = tkt_row_int(&row, 1);
    return tkt_buf_adds(out, tkt_row_text(&row, 0)) < 0
               ? tkt_err_set(err, TKT_ERR_PERM, "record larger than %zu bytes", out->max)
               : 1;
}
