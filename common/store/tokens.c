/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/tokens.h"

#include "base/util.h"
#include "store/internal.h"

int tkt_store_token_get(struct tkt_store *s, const unsigned char key[TKT_SHA256_LEN],
                        struct tkt_buf *out, struct tkt_err *err)
{
    TKT_AUTO_ROW struct tkt_row row = TKT_ROW_INIT;
    size_t len = 0;
    int n =
        tkt_db_query(s->db, &row, SQL_TOKEN_GET, err, "b", key, (size_t)TKT_SHA256_LEN);

    if (n <= 0) {
        return n;
    }
    const void *data = tkt_row_blob(&row, 0, &len);
    return tkt_buf_add(out, data, len) < 0
               ? tkt_err_set(err, TKT_ERR_PERM, "token: more than %zu bytes", out->max)
               : 1;
}

static int set(struct tkt_store *s, const unsigned char key[TKT_SHA256_LEN],
               const void *data, size_t n, int64_t until_ms, int64_t now_ms,
               struct tkt_err *err)
{
    if (tkt_db_run(s->db, SQL_TOKENS_END, err, "i", now_ms) < 0) {
        return -1;
    }
    int rc = data == NULL ? tkt_db_run(s->db, SQL_TOKEN_DROP, err, "b", key,
                                       (size_t)TKT_SHA256_LEN)
                          : tkt_db_run(s->db, SQL_TOKEN_SET, err, "bib", key,
                                       (size_t)TKT_SHA256_LEN, until_ms, data, n);
    return rc < 0 ? -1 : 0;
}

int tkt_store_token_set(struct tkt_store *s, const unsigned char key[TKT_SHA256_LEN],
                        const void *data, size_t n, int64_t until_ms, int64_t now_ms,
                        struct tkt_err *err)
{
    bool own = false;

    if (n > TKT_STORE_TOKEN_MAX) {
        return tkt_err_set(err, TKT_ERR_PERM, "token: more than %d bytes",
                           TKT_STORE_TOKEN_MAX);
    }
    if (tkt_store_enter(s, &own, err) < 0) {
        return -1;
    }
    int rc = set(s, key, data, n, until_ms, now_ms, err);
    return tkt_store_leave(s, own, rc, err);
}
