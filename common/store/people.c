/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/people.h"

#include "base/util.h"
#include "store/internal.h"

#include <string.h>

int tkt_reader_person(struct tkt_reader *r, const char *address,
                      struct tkt_store_person *out, struct tkt_buf *data,
                      struct tkt_err *err)
{
    TKT_AUTO_ROW struct tkt_row row = TKT_ROW_INIT;
    size_t len = 0;
    int n = tkt_db_query(r->db, &row, SQL_PERSON_GET, err, "s", address);

    if (n <= 0) {
        return n;
    }
    const void *blob = tkt_row_blob(&row, 3, &len);
    *out = (struct tkt_store_person){.checked_ms = tkt_row_int(&row, 0),
                                     .expires_ms = tkt_row_int(&row, 1),
                                     .used_ms = tkt_row_int(&row, 2),
                                     .is_known = !tkt_row_null(&row, 3)};
    return blob == NULL || tkt_buf_add(data, blob, len) == 0
               ? 1
               : tkt_err_set(err, TKT_ERR_PERM, "person: more than %zu bytes", data->max);
}

int tkt_reader_author(struct tkt_reader *r, int64_t message, struct tkt_buf *out,
                      struct tkt_err *err)
{
    TKT_AUTO_ROW struct tkt_row row = TKT_ROW_INIT;
    int n = tkt_db_query(r->db, &row, SQL_MESSAGE_AUTHOR, err, "i", message);

    if (n <= 0) {
        return n;
    }
    return tkt_buf_adds(out, tkt_row_text(&row, 0)) < 0
               ? tkt_err_set(err, TKT_ERR_PERM, "author: more than %zu bytes", out->max)
               : 1;
}

int tkt_store_person_set(struct tkt_store *s, const char *address, const void *data,
                         size_t n, bool used, int64_t now_ms, int64_t expires_ms,
                         struct tkt_err *err)
{
    if (n > TKT_STORE_PERSON_MAX) {
        return tkt_err_set(err, TKT_ERR_PERM, "person: more than %d bytes",
                           TKT_STORE_PERSON_MAX);
    }
    return tkt_db_run(s->db, SQL_PERSON_SET, err, "siidb", address, now_ms, expires_ms,
                      (int)used, data, n) < 0
               ? -1
               : 0;
}

int tkt_store_person_used(struct tkt_store *s, const char *address, int64_t now_ms,
                          struct tkt_err *err)
{
    return tkt_db_run(s->db, SQL_PERSON_USED, err, "si", address, now_ms) < 0 ? -1 : 0;
}

int tkt_reader_people_due(struct tkt_reader *r, int64_t from_ms, int64_t until_ms,
                          int max, struct tkt_buf *out, struct tkt_err *err)
{
    struct tkt_row row = TKT_ROW_INIT;
    int count = 0;
    int n = tkt_db_query(r->db, &row, SQL_PEOPLE_DUE, err, "iid", from_ms, until_ms, max);

    for (; n == 1; n = tkt_row_next(&row, err)) {
        const char *address = tkt_row_text(&row, 0);
        if (tkt_buf_add(out, address, strlen(address) + 1) < 0) {
            tkt_row_end(&row);
            return count;
        }
        count++;
    }
    return n < 0 ? -1 : count;
}

int tkt_store_people_trim(struct tkt_store *s, int64_t ended_ms, int64_t keep, int max,
                          int64_t *removed, struct tkt_err *err)
{
    int64_t count = 0;
    int n = tkt_db_run(s->db, SQL_PEOPLE_EXPIRE, err, "id", ended_ms, max);

    *removed = TKT_MAX(n, 0);
    if (n < 0 || tkt_db_get_int(s->db, SQL_PEOPLE_COUNT, &count, err, "") < 0) {
        return -1;
    }
    int more = (int)TKT_MIN(count - keep, (int64_t)(max - n));
    if (more <= 0) {
        return 0;
    }
    n = tkt_db_run(s->db, SQL_PEOPLE_EVICT, err, "d", more);
    *removed += TKT_MAX(n, 0);
    return n < 0 ? -1 : 0;
}

int tkt_store_people_flush(struct tkt_store *s, int64_t *removed, struct tkt_err *err)
{
    int n = tkt_db_run(s->db, SQL_PEOPLE_FLUSH, err, "");

    *removed = TKT_MAX(n, 0);
    return n < 0 ? -1 : 0;
}

int tkt_reader_people_count(struct tkt_reader *r, int64_t *people, int64_t *unknown,
                            struct tkt_err *err)
{
    return tkt_db_get_int(r->db, SQL_PEOPLE_COUNT, people, err, "") < 0 ||
                   tkt_db_get_int(r->db, SQL_PEOPLE_UNKNOWN, unknown, err, "") < 0
               ? -1
               : 0;
}

int tkt_person_forget(struct tkt_store *s, const char *address, struct tkt_err *err)
{
    /* That he wants to be told nothing is kept: it is his wish. */
    return tkt_db_run(s->db, SQL_PERSON_DROP, err, "s", address) < 0 ||
                   tkt_db_run(s->db, SQL_CONTACT_FORGET, err, "s", address) < 0
               ? -1
               : 0;
}
