/* SPDX-License-Identifier: BSD-2-Clause
 * Which tickets an ITSM is asked for, and when: hints, lists, and time alone.
 */
#include "store/back.h"

#include "base/hash.h"
#include "base/util.h"
#include "store/internal.h"

#include <string.h>

#define TICKETS_PER_KEY_MAX 8
#define BUSY_MS 3000
#define FAILED_FIRST_MS 60000
#define FAILED_SHIFT_MAX 6 /* about an hour */

/* ---- hints ---------------------------------------------------------------------------- */

/* How many tickets of ours a query by that name finds. */
static int hint_name(struct tkt_store *s, enum tkt_sql query, const char *itsm,
                     const char *name, int64_t now_ms, struct tkt_err *err)
{
    TKT_AUTO_ROW struct tkt_row row = TKT_ROW_INIT;
    int64_t tickets[TICKETS_PER_KEY_MAX];
    int count = 0;
    int n = tkt_db_query(s->db, &row, query, err, "ssd", itsm, name, TICKETS_PER_KEY_MAX);

    for (; n == 1; n = tkt_row_next(&row, err)) {
        tickets[count++] = tkt_row_int(&row, 0);
    }
    tkt_row_end(&row);
    for (int i = 0; i < count && n >= 0; i++) {
        n = tkt_db_run(s->db, SQL_BACK_NEW, err, "isii", tickets[i], itsm, now_ms,
                       now_ms) < 0
                ? -1
                : tkt_db_run(s->db, SQL_BACK_HINT, err, "isi", tickets[i], itsm, now_ms);
    }
    return n < 0 ? -1 : count;
}

/* How many tickets of ours have that key. */
static int hint_key(struct tkt_store *s, const char *itsm, const char *key,
                    int64_t now_ms, struct tkt_err *err)
{
    return hint_name(s, SQL_EXTERNAL_TICKET, itsm, key, now_ms, err);
}

/* People who write messages by hand write what they see. */
static int hint_key_or_number(struct tkt_store *s, const char *itsm, const char *key,
                              int64_t now_ms, struct tkt_err *err)
{
    int known = hint_key(s, itsm, key, now_ms, err);

    return known != 0 ? known : hint_name(s, SQL_EXTERNAL_NUMBER, itsm, key, now_ms, err);
}

static int hint(struct tkt_store *s, const char *itsm, const char *key,
                const char *delivery, int64_t now_ms, enum tkt_store_hint *out,
                struct tkt_err *err)
{
    unsigned char name[TKT_SHA256_LEN];

    if (delivery != NULL) {
        tkt_sha256(delivery, strlen(delivery), name);
        int fresh = tkt_db_run(s->db, SQL_DELIVERY_ADD, err, "sbi", itsm, name,
                               (size_t)SHORT_KEY_LEN, now_ms);
        if (fresh <= 0) {
            *out = TKT_STORE_HINT_AGAIN;
            return fresh;
        }
    }
    int known = hint_key_or_number(s, itsm, key, now_ms, err);
    *out = known > 0 ? TKT_STORE_HINT_TAKEN : TKT_STORE_HINT_UNKNOWN;
    return known < 0 ? -1 : 0;
}

int tkt_store_back_hint(struct tkt_store *s, const char *itsm, const char *key,
                        const char *delivery, int64_t now_ms, enum tkt_store_hint *out,
                        struct tkt_err *err)
{
    bool own = false;

    if (tkt_store_enter(s, &own, err) < 0) {
        return -1;
    }
    int rc = hint(s, itsm, key, delivery, now_ms, out, err);
    return tkt_store_leave(s, own, rc, err);
}

int tkt_store_back_listed(struct tkt_store *s, const char *itsm, const char *const *keys,
                          size_t count, int64_t since_ms, int64_t now_ms, int *known,
                          struct tkt_err *err)
{
    bool own = false;
    int rc = 0;

    if (tkt_store_enter(s, &own, err) < 0) {
        return -1;
    }
    *known = 0;
    for (size_t i = 0; i < count && rc >= 0; i++) {
        rc = hint_key(s, itsm, keys[i], now_ms, err);
        *known += TKT_MAX(rc, 0);
    }
    if (rc >= 0) {
        rc = tkt_db_run(s->db, SQL_BACK_SINCE_SET, err, "si", itsm, since_ms);
    }
    return tkt_store_leave(s, own, rc < 0 ? -1 : 0, err);
}

static int hint_all(struct tkt_store *s, const char *itsm, int64_t *after, int64_t now_ms,
                    int *hinted, struct tkt_err *err)
{
    int64_t to = 0;

    *hinted = 0;
    if (tkt_db_get_int(s->db, SQL_BACK_ALL_TO, &to, err, "sid", itsm, *after,
                       TKT_STORE_BACK_ALL_MAX) < 0) {
        return -1;
    }
    if (to == 0) {
        return 0;
    }
    *hinted = tkt_db_run(s->db, SQL_BACK_ALL, err, "siii", itsm, *after, to, now_ms);
    *after = to;
    return *hinted < 0 ? -1 : 1;
}

int tkt_store_back_all(struct tkt_store *s, const char *itsm, int64_t *after,
                       int64_t now_ms, int *hinted, struct tkt_err *err)
{
    int64_t from = *after;
    bool own = false;

    if (tkt_store_enter(s, &own, err) < 0) {
        return -1;
    }
    int rc = hint_all(s, itsm, &from, now_ms, hinted, err);
    rc = tkt_store_leave(s, own, rc, err);
    *after = rc < 0 ? *after : from;
    return rc;
}

int tkt_store_back_expire(struct tkt_store *s, int64_t before_ms, int max,
                          struct tkt_err *err)
{
    bool own = false;

    if (tkt_store_enter(s, &own, err) < 0) {
        return -1;
    }
    int rc = tkt_db_run(s->db, SQL_DELIVERIES_EXPIRE, err, "id", before_ms, max);
    return tkt_store_leave(s, own, rc < 0 ? -1 : 0, err);
}

/* ---- looks ---------------------------------------------------------------------------- */

static int failed(struct tkt_store *s, int64_t ticket, const char *itsm, bool gone,
                  int64_t now_ms, struct tkt_err *err)
{
    TKT_AUTO_ROW struct tkt_row row = TKT_ROW_INIT;
    int n = tkt_db_query(s->db, &row, SQL_BACK_GET, err, "is", ticket, itsm);
    int64_t failures = n == 1 ? tkt_row_int(&row, 2) : 0;

    tkt_row_end(&row);
    if (n < 0) {
        return -1;
    }
    if (gone) {
        return tkt_db_run(s->db, SQL_BACK_REST, err, "is", ticket, itsm) < 0 ? -1 : 0;
    }
    int64_t wait = (int64_t)FAILED_FIRST_MS
                   << TKT_MIN(failures, (int64_t)FAILED_SHIFT_MAX);
    return tkt_db_run(s->db, SQL_BACK_FAILED, err, "isi", ticket, itsm, now_ms + wait) < 0
               ? -1
               : 0;
}

int tkt_store_back_failed(struct tkt_store *s, int64_t ticket, const char *itsm,
                          bool gone, int64_t now_ms, struct tkt_err *err)
{
    bool own = false;

    if (tkt_store_enter(s, &own, err) < 0) {
        return -1;
    }
    int rc = failed(s, ticket, itsm, gone, now_ms, err);
    return tkt_store_leave(s, own, rc, err);
}

static int look(struct tkt_store *s, int64_t ticket, const char *itsm, int64_t now_ms,
                int *made, struct tkt_err *err)
{
    int64_t open = 0;
    int64_t due = now_ms + TKT_STORE_BACK_GUARD_MS;

    if (tkt_db_get_int(s->db, SQL_BACK_OPEN, &open, err, "is", ticket, itsm) < 0) {
        return -1;
    }
    if (open > 0) {
        due = now_ms +
              BUSY_MS; /* the one that waits sees it; one that is under way may not */
    } else if (tkt_job_insert(s, ticket, 0, TKT_STORE_BACK_JOB, itsm, NULL, false, now_ms,
                              now_ms, err) < 0) {
        return -1;
    } else {
        (*made)++;
    }
    return tkt_db_run(s->db, SQL_BACK_DUE_SET, err, "isi", ticket, itsm, due) < 0 ? -1
                                                                                  : 0;
}

static int take(struct tkt_store *s, const char *itsm, int64_t now_ms, int *made,
                struct tkt_err *err)
{
    int64_t open = 0;
    int64_t ticket = 0;

    *made = 0;
    if (tkt_db_get_int(s->db, SQL_BACK_OPEN_ALL, &open, err, "sd", itsm,
                       TKT_STORE_BACK_OPEN_MAX) < 0) {
        return -1;
    }
    for (int64_t i = open; i < TKT_STORE_BACK_OPEN_MAX; i++) {
        int n = tkt_db_get_int(s->db, SQL_BACK_DUE, &ticket, err, "si", itsm, now_ms);
        if (n <= 0 || look(s, ticket, itsm, now_ms, made, err) < 0) {
            return n == 0 ? 0 : -1;
        }
    }
    return 0;
}

int tkt_store_back_take(struct tkt_store *s, const char *itsm, int64_t now_ms, int *made,
                        struct tkt_err *err)
{
    bool own = false;

    if (tkt_store_enter(s, &own, err) < 0) {
        return -1;
    }
    int rc = take(s, itsm, now_ms, made, err);
    return tkt_store_leave(s, own, rc, err);
}

/* ---- reading -------------------------------------------------------------------------- */

int tkt_reader_back_since(struct tkt_reader *r, const char *itsm, int64_t *since_ms,
                          struct tkt_err *err)
{
    return tkt_db_get_int(r->db, SQL_BACK_SINCE, since_ms, err, "s", itsm);
}

int tkt_reader_back_due(struct tkt_reader *r, const char *itsm, int64_t now_ms,
                        struct tkt_err *err)
{
    int64_t ticket = 0;

    return tkt_db_get_int(r->db, SQL_BACK_DUE, &ticket, err, "si", itsm, now_ms);
}
