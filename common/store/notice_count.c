/* SPDX-License-Identifier: BSD-2-Clause
 * How often something was told within a time that slides: a row a name, with a number for
 * each part of the window.
 *
 * One beyond the window is counted until its whole part is out of it. So there are never
 * more than max within any window, and one more fits again a twelfth of it late at most.
 */
#include "store/notice.h"

#include "base/util.h"
#include "store/internal.h"

#include <string.h>

#define NAME_MAX_BYTES 1024
#define PARTS (TKT_STORE_COUNT_PARTS + 1)

struct counted {    /* as it is kept */
    int64_t newest; /* its number since 1970 */
    int64_t parts[PARTS];
};

static int short_key(const char *name, unsigned char key[TKT_SHA256_LEN],
                     struct tkt_err *err)
{
    if (strlen(name) > NAME_MAX_BYTES) {
        return tkt_err_set(err, TKT_ERR_PERM, "store: a count's name is too long");
    }
    tkt_sha256(name, strlen(name), key);
    return 0;
}

static int64_t part_ms(int64_t window_ms)
{
    return TKT_MAX(window_ms / TKT_STORE_COUNT_PARTS, INT64_C(1));
}

/* As it is at now_ms. Where the clock was set back what was counted was counted now: no
 * sooner is it forgotten than it would have been, and no later than a window from now. */
static void age(struct counted *c, int64_t window_ms, int64_t now_ms)
{
    int64_t now = now_ms / part_ms(window_ms);
    int64_t by = TKT_MIN(TKT_MAX(now - c->newest, INT64_C(0)), (int64_t)PARTS);

    memmove(c->parts + by, c->parts, (size_t)(PARTS - by) * sizeof(*c->parts));
    memset(c->parts, 0, (size_t)by * sizeof(*c->parts));
    c->newest = now;
}

static int64_t sum(const struct counted *c)
{
    int64_t all = 0;

    for (int i = 0; i < PARTS; i++) {
        all += c->parts[i];
    }
    return all;
}

/* 1, 0 nothing was counted, -1. is_ahead: it was kept by a clock that was set back. */
static int load(struct tkt_store *s, const unsigned char *key, int64_t window_ms,
                int64_t now_ms, struct counted *c, bool *is_ahead, struct tkt_err *err)
{
    TKT_AUTO_ROW struct tkt_row row = TKT_ROW_INIT;
    int64_t now = now_ms / part_ms(window_ms);
    int n = tkt_db_query(s->db, &row, SQL_NOTICE_COUNTED, err, "b", key,
                         (size_t)SHORT_KEY_LEN);
    size_t len = 0;

    *c = (struct counted){.newest = now};
    *is_ahead = false;
    if (n <= 0) {
        return n;
    }
    const void *blob = tkt_row_blob(&row, 2, &len);
    if (len == sizeof(*c)) {
        memcpy(c, blob, sizeof(*c));
    } else if (tkt_row_int(&row, 0) > now_ms) { /* written before windows slid */
        c->parts[0] = tkt_row_int(&row, 1);
    }
    *is_ahead = c->newest > now;
    age(c, window_ms, now_ms);
    return 1;
}

static int save(struct tkt_store *s, const unsigned char *key, int64_t window_ms,
                const struct counted *c, struct tkt_err *err)
{
    int64_t until_ms = (c->newest + 1) * part_ms(window_ms) + window_ms;

    return tkt_db_run(s->db, SQL_NOTICE_COUNT, err, "biib", key, (size_t)SHORT_KEY_LEN,
                      until_ms, sum(c), c, sizeof(*c)) < 0
               ? -1
               : 1;
}

static int count_many(struct tkt_store *s, const unsigned char *key, int64_t max,
                      int64_t window_ms, int64_t now_ms, struct tkt_err *err)
{
    struct counted c;
    bool is_ahead = false;

    if (load(s, key, window_ms, now_ms, &c, &is_ahead, err) < 0) {
        return -1;
    }
    bool fits = sum(&c) < max;
    if (!fits && !is_ahead) {
        return 0;
    }
    c.parts[0] += fits;
    return save(s, key, window_ms, &c, err) < 0 ? -1 : fits;
}

/* Exact, and without parts: the window is that of the one. What was counted in a future that
 * did not come was counted now. */
static int count_one(struct tkt_store *s, const unsigned char *key, int64_t window_ms,
                     int64_t now_ms, struct tkt_err *err)
{
    int64_t until_ms = 0;
    int n = tkt_db_get_int(s->db, SQL_NOTICE_COUNTED, &until_ms, err, "b", key,
                           (size_t)SHORT_KEY_LEN);
    bool is_there = n == 1 && until_ms > now_ms;

    if (n < 0 || (is_there && until_ms <= now_ms + window_ms)) {
        return n < 0 ? -1 : 0;
    }
    if (tkt_db_run(s->db, SQL_NOTICE_COUNT, err, "biib", key, (size_t)SHORT_KEY_LEN,
                   now_ms + window_ms, INT64_C(1), "", (size_t)0) < 0) {
        return -1;
    }
    return is_there ? 0 : 1;
}

int tkt_store_notice_count(struct tkt_store *s, const char *name, int64_t max,
                           int64_t window_ms, int64_t now_ms, struct tkt_err *err)
{
    unsigned char key[TKT_SHA256_LEN];
    bool own = false;

    if (max <= 0 || window_ms <= 0) {
        return 1;
    }
    if (short_key(name, key, err) < 0 || tkt_store_enter(s, &own, err) < 0) {
        return -1;
    }
    int rc = max == 1 ? count_one(s, key, window_ms, now_ms, err)
                      : count_many(s, key, max, window_ms, now_ms, err);
    return tkt_store_leave(s, own, rc, err);
}

int64_t tkt_store_notice_counted(struct tkt_store *s, const char *name, int64_t window_ms,
                                 int64_t now_ms, struct tkt_err *err)
{
    unsigned char key[TKT_SHA256_LEN];
    struct counted c;
    bool is_ahead = false;

    return short_key(name, key, err) < 0 ||
                   load(s, key, window_ms, now_ms, &c, &is_ahead, err) < 0
               ? -1
               : sum(&c);
}

int tkt_store_notice_expire(struct tkt_store *s, int64_t now_ms, int max,
                            struct tkt_err *err)
{
    bool own = false;

    if (tkt_store_enter(s, &own, err) < 0) {
        return -1;
    }
    int rc = tkt_db_run(s->db, SQL_NOTICE_COUNTS_EXPIRE, err, "ii", now_ms, (int64_t)max);
    return tkt_store_leave(s, own, rc, err);
}
