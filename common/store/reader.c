/* SPDX-License-Identifier: BSD-2-Clause
 * Questions that intake asks: keys, references, tickets, raw messages.
 */
#include "base/util.h"
#include "store/internal.h"
#include "store/schema.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#define REFERENCES_MAX 32 /* tickets of one Message-ID that are looked at */

struct tkt_reader *tkt_reader_open(const char *store_dir, struct tkt_err *err)
{
    struct tkt_reader *r = calloc(1, sizeof(*r));
    char path[PATH_MAX];

    if (r == NULL || (r->dir = strdup(store_dir)) == NULL) {
        tkt_err_set(err, TKT_ERR_TEMP, "store: no memory");
        tkt_reader_close(&r);
        return NULL;
    }
    snprintf(path, sizeof(path), "%s/" DB_NAME, store_dir);
    r->db = tkt_db_open(path, TKT_DB_READ, err);
    if (r->db == NULL || tkt_schema_check(r->db, err) < 0) {
        tkt_reader_close(&r);
    }
    return r;
}

void tkt_reader_close(struct tkt_reader **pr)
{
    struct tkt_reader *r = *pr;

    if (r == NULL) {
        return;
    }
    tkt_db_close(&r->db, true); /* moving the log is the writer's work */
    free(r->dir);
    free(r);
    *pr = NULL;
}

int tkt_reader_key(struct tkt_reader *r, const char *desk,
                   const unsigned char key[TKT_SHA256_LEN], const unsigned char *head_key,
                   int64_t now_ms, struct tkt_store_desk_out *out, struct tkt_err *err)
{
    TKT_AUTO_ROW struct tkt_row row = TKT_ROW_INIT;
    size_t len = 0;
    int n =
        tkt_db_query(r->db, &row, SQL_KEY_READ, err, "ibsi", tkt_key_head(key, head_key),
                     key, (size_t)SHORT_KEY_LEN, desk, now_ms);

    if (n <= 0) {
        return n;
    }
    memset(out, 0, sizeof(*out));
    out->ticket = tkt_row_int(&row, 0);
    out->message = tkt_row_int(&row, 1);
    out->state = (enum tkt_ticket_state)tkt_row_int(&row, 5);
    out->status = "existing";
    if (out->ticket == 0 || out->state == TKT_STATE_REFUSED) {
        out->status = "refused";
    }
    if (out->ticket != 0) {
        snprintf(out->id, sizeof(out->id), "%s-%" PRId64, tkt_row_text(&row, 3),
                 tkt_row_int(&row, 4));
    }
    snprintf(out->group, sizeof(out->group), "%s", tkt_row_text(&row, 6));
    out->priority = (int)tkt_row_int(&row, 7);
    const void *corr = tkt_row_blob(&row, 8, &len);
    if (corr != NULL && len == CORR_LEN) {
        tkt_corr_text(corr, out->corr);
    }
    return 1;
}

static int describe(struct tkt_reader *r, struct ticket_row *t, const char *address,
                    struct tkt_reader_ticket *out, struct tkt_err *err)
{
    int64_t one = 0;

    if (tkt_ticket_follow(r->db, t, err) < 0) {
        return -1;
    }
    memset(out, 0, sizeof(*out));
    out->ticket = t->id;
    snprintf(out->id, sizeof(out->id), "%s", t->name);
    snprintf(out->desk, sizeof(out->desk), "%.39s", t->desk_name);
    out->state = t->state;
    if (address != NULL && address[0] != '\0') {
        int n =
            tkt_db_get_int(r->db, SQL_PARTICIPANT_IS, &one, err, "is", t->id, address);
        if (n < 0) {
            return -1;
        }
        out->is_participant = n == 1;
    }
    return 1;
}

int tkt_reader_tickets(struct tkt_reader *r, struct tkt_row *row, int n,
                       const char *address, struct tkt_reader_ticket *out, int max,
                       struct tkt_err *err)
{
    int64_t ids[REFERENCES_MAX];
    int found = 0;
    int count = 0;

    for (; n == 1 && found < TKT_MIN(max, REFERENCES_MAX); n = tkt_row_next(row, err)) {
        ids[found++] = tkt_row_int(row, 0);
    }
    tkt_row_end(row);
    if (n < 0) {
        return -1;
    }
    for (int i = 0; i < found; i++) {
        struct ticket_row t;
        n = tkt_ticket_load(r->db, ids[i], &t, err);
        if (n < 0 || (n == 1 && describe(r, &t, address, &out[count], err) < 0)) {
            return -1;
        }
        bool twice = false; /* two merged ones have one heir */
        for (int k = 0; n == 1 && k < count; k++) {
            twice = twice || out[k].ticket == out[count].ticket;
        }
        count += n == 1 && !twice ? 1 : 0;
    }
    return count;
}

int tkt_reader_by_reference(struct tkt_reader *r,
                            const unsigned char hash[TKT_SHA256_LEN], const char *address,
                            struct tkt_reader_ticket *out, int max, struct tkt_err *err)
{
    struct tkt_row row = TKT_ROW_INIT;
    int n = tkt_db_query(r->db, &row, SQL_THREAD_FIND, err, "bd", hash,
                         (size_t)SHORT_KEY_LEN, TKT_MIN(max, REFERENCES_MAX));

    return tkt_reader_tickets(r, &row, n, address, out, max, err);
}

int tkt_reader_by_id(struct tkt_reader *r, const char *id, const char *address,
                     struct tkt_reader_ticket *out, struct tkt_err *err)
{
    struct tkt_err why = TKT_ERR_INIT;
    struct ticket_row t;

    if (tkt_ticket_named(r->db, id, &t, &why) < 0) {
        if (why.class == TKT_ERR_PERM) {
            return 0;
        }
        if (err != NULL) {
            *err = why;
        }
        return -1;
    }
    return describe(r, &t, address, out, err);
}

int tkt_reader_by_row(struct tkt_reader *r, int64_t ticket, const char *address,
                      struct tkt_reader_ticket *out, struct tkt_err *err)
{
    struct ticket_row t;
    int n = tkt_ticket_load(r->db, ticket, &t, err);

    return n <= 0 ? n : describe(r, &t, address, out, err);
}

int tkt_reader_raw(struct tkt_reader *r, int64_t message, struct tkt_buf *out, int *fd,
                   struct tkt_err *err)
{
    TKT_AUTO_ROW struct tkt_row row = TKT_ROW_INIT;
    size_t len = 0;

    *fd = -1;
    int n = tkt_db_query(r->db, &row, SQL_MESSAGE_RAW, err, "i", message);
    if (n <= 0) {
        return n < 0 ? -1
                     : tkt_err_set(err, TKT_ERR_PERM, "no message %" PRId64, message);
    }
    if (tkt_row_int(&row, 2) & M_ERASED) {
        return tkt_err_set(err, TKT_ERR_PERM, "message %" PRId64 " was erased", message);
    }
    if (!tkt_row_null(&row, 0)) {
        *fd = tkt_blob_open(r->dir, tkt_row_text(&row, 0), err);
        return *fd < 0 ? -1 : 0;
    }
    const void *raw = tkt_row_blob(&row, 1, &len);
    return tkt_buf_add(out, raw != NULL ? raw : "", len) < 0
               ? tkt_err_set(err, TKT_ERR_PERM, "message larger than %zu bytes", out->max)
               : 0;
}

int tkt_reader_messages(struct tkt_reader *r, const char *id, int64_t *out, int max,
                        struct tkt_err *err)
{
    struct tkt_row row = TKT_ROW_INIT;
    struct ticket_row t;
    int count = 0;

    if (tkt_ticket_named(r->db, id, &t, err) < 0) {
        return -1;
    }
    int n = tkt_db_query(r->db, &row, SQL_MESSAGES_OF, err, "id", t.id, max);
    for (; n == 1; n = tkt_row_next(&row, err)) {
        out[count++] = tkt_row_int(&row, 0);
    }
    return n < 0 ? -1 : count;
}

int tkt_reader_envelope(struct tkt_reader *r, int64_t message, struct tkt_buf *out,
                        struct tkt_err *err)
{
    TKT_AUTO_ROW struct tkt_row row = TKT_ROW_INIT;
    int n = tkt_db_query(r->db, &row, SQL_MESSAGE_ENVELOPE, err, "i", message);

    if (n <= 0) {
        return n < 0 ? -1
                     : tkt_err_set(err, TKT_ERR_PERM, "no message %" PRId64, message);
    }
    return tkt_buf_adds(out, tkt_row_text(&row, 0)) < 0
               ? tkt_err_set(err, TKT_ERR_PERM, "envelope larger than %zu bytes",
                             out->max)
               : 0;
}
