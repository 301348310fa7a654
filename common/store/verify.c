/* SPDX-License-Identifier: BSD-2-Clause
 * Verify: does the store still say what it said?
 */
#include "base/clock.h"
#include "base/enc.h"
#include "base/fs.h"
#include "base/util.h"
#include "store/internal.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define FAULTS_SHOWN_MAX 200
#define ORPHAN_AGE_MS (3600 * INT64_C(1000)) /* younger ones may be on their way */

struct check {
    struct tkt_reader *r;
    struct tkt_buf *out;
    int64_t bad;
    int64_t events, messages, blobs, orphans;
};

static void fault(struct check *c, const char *what, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void fault(struct check *c, const char *what, const char *fmt, ...)
{
    char text[300];
    va_list ap;

    if (++c->bad > FAULTS_SHOWN_MAX) {
        return;
    }
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    json_open(c->out, NULL, '{');
    json_str(c->out, "fault", what);
    json_str(c->out, "text", text);
    json_close(c->out, '}');
}

/* ---- the database itself ---------------------------------------------------------- */

static int check_file(struct check *c, struct tkt_err *err)
{
    TKT_AUTO_ROW struct tkt_row row = TKT_ROW_INIT;
    TKT_AUTO_ROW struct tkt_row ref = TKT_ROW_INIT;

    int n = tkt_db_query(c->r->db, &row, SQL_INTEGRITY, err, "");
    for (; n == 1; n = tkt_row_next(&row, err)) {
        if (strcmp(tkt_row_text(&row, 0), "ok") != 0) {
            fault(c, "database", "%s", tkt_row_text(&row, 0));
        }
    }
    n = n < 0 ? n : tkt_db_query(c->r->db, &ref, SQL_FOREIGN, err, "");
    for (; n == 1; n = tkt_row_next(&ref, err)) {
        fault(c, "reference", "%s row %" PRId64 " names no row of %s",
              tkt_row_text(&ref, 0), tkt_row_int(&ref, 1), tkt_row_text(&ref, 2));
    }
    return n;
}

/* ---- the chain -------------------------------------------------------------------- */

static const unsigned char *digest(const struct tkt_row *row, int col)
{
    size_t len = 0;
    const void *p = tkt_row_blob(row, col, &len);

    return len == TKT_SHA256_LEN ? p : NULL;
}

static void check_event(struct check *c, const struct tkt_row *row,
                        unsigned char chain[TKT_SHA256_LEN])
{
    unsigned char want[TKT_SHA256_LEN];
    int64_t id = tkt_row_int(row, 0);
    struct event_link link = {.at = tkt_row_int(row, 2),
                              .ticket = tkt_row_int(row, 3),
                              .message = tkt_row_int(row, 4),
                              .kind = tkt_row_text(row, 5),
                              .hash = digest(row, 6),
                              .sha256 = digest(row, 9)};
    const unsigned char *have = digest(row, 7);

    c->events++;
    if (link.hash == NULL || have == NULL) {
        fault(c, "chain", "event %" PRId64 " has no hash", id);
        return;
    }
    if (!tkt_row_null(row, 8)) {
        const char *data = tkt_row_text(row, 8);
        tkt_sha256(data, strlen(data), want);
        if (memcmp(want, link.hash, sizeof(want)) != 0) {
            fault(c, "event", "the data of event %" PRId64 " was changed", id);
        }
    }
    tkt_event_chain(chain, &link, want);
    if (memcmp(want, have, sizeof(want)) != 0) {
        fault(c, "chain", "the chain breaks at event %" PRId64, id);
    }
    memcpy(chain, have, sizeof(want)); /* one fault a break, not one an event behind it */
}

static int check_chain(struct check *c, struct tkt_err *err)
{
    TKT_AUTO_ROW struct tkt_row row = TKT_ROW_INIT;
    unsigned char chain[TKT_SHA256_LEN] = {0};
    int64_t host = 0;

    int n = tkt_db_query(c->r->db, &row, SQL_VERIFY_EVENTS, err, "");
    for (; n == 1; n = tkt_row_next(&row, err)) {
        if (tkt_row_int(&row, 1) != host) {
            host = tkt_row_int(&row, 1);
            memset(chain, 0, sizeof(chain));
        }
        check_event(c, &row, chain);
    }
    return n;
}

/* ---- messages --------------------------------------------------------------------- */

static int hash_fd(int fd, unsigned char out[TKT_SHA256_LEN], int64_t *size,
                   struct tkt_err *err)
{
    char chunk[65536];
    struct tkt_sha256 h;
    size_t got = 0;

    *size = 0;
    tkt_sha256_init(&h);
    do {
        if (tkt_pread_full(fd, chunk, sizeof(chunk), *size, &got, err) < 0) {
            tkt_sha256_release(&h);
            return -1;
        }
        tkt_sha256_add(&h, chunk, got);
        *size += (int64_t)got;
    } while (got == sizeof(chunk));
    tkt_sha256_final(&h, out);
    return 0;
}

static void check_message(struct check *c, const struct tkt_row *row)
{
    unsigned char have[TKT_SHA256_LEN];
    struct tkt_err why = TKT_ERR_INIT;
    int64_t id = tkt_row_int(row, 0);
    int64_t size = 0;
    size_t len = 0;
    const unsigned char *want = digest(row, 4);

    c->messages++;
    if (tkt_row_int(row, 2) & M_ERASED) {
        return;
    }
    if (!tkt_row_null(row, 5)) {
        c->blobs++;
        TKT_AUTO_FD int fd = tkt_blob_open(c->r->dir, tkt_row_text(row, 5), &why);
        if (fd < 0 || hash_fd(fd, have, &size, &why) < 0) {
            fault(c, "blob", "message %" PRId64 ": %s", id, why.text);
            return;
        }
    } else {
        const void *raw = tkt_row_blob(row, 6, &len);
        tkt_sha256(raw != NULL ? raw : "", len, have);
        size = (int64_t)len;
    }
    if (want == NULL || memcmp(have, want, sizeof(have)) != 0 ||
        size != tkt_row_int(row, 3)) {
        fault(c, "content", "message %" PRId64 " is not what was taken in", id);
    }
}

static int check_messages(struct check *c, struct tkt_err *err)
{
    TKT_AUTO_ROW struct tkt_row row = TKT_ROW_INIT;

    int n = tkt_db_query(c->r->db, &row, SQL_VERIFY_MESSAGES, err, "");
    for (; n == 1; n = tkt_row_next(&row, err)) {
        check_message(c, &row);
    }
    return n;
}

/* ---- tickets ---------------------------------------------------------------------- */

static int check_tickets(struct check *c, struct tkt_err *err)
{
    static const struct {
        enum tkt_sql sql;
        const char *fault, *text;
    } rules[] = {
        {SQL_VERIFY_DOUBLES, "duplicate", "is there more than once"},
        {SQL_VERIFY_NO_MESSAGE, "ticket", "has no message"},
        {SQL_VERIFY_NO_JOB, "ticket", "is confirmed and has no job"},
        {SQL_VERIFY_EVENT_OF, "ticket", "has no event"},
    };
    int64_t lost = 0;

    for (size_t i = 0; i < TKT_ARRAY_LEN(rules); i++) {
        TKT_AUTO_ROW struct tkt_row row = TKT_ROW_INIT;
        int n = tkt_db_query(c->r->db, &row, rules[i].sql, err, "");
        for (; n == 1; n = tkt_row_next(&row, err)) {
            fault(c, rules[i].fault, "%s-%" PRId64 " %s", tkt_row_text(&row, 0),
                  tkt_row_int(&row, 1), rules[i].text);
        }
        if (n < 0) {
            return -1;
        }
    }
    if (tkt_db_get_int(c->r->db, SQL_VERIFY_KEYS, &lost, err, "") < 0) {
        return -1;
    }
    if (lost > 0) {
        fault(c, "key", "%" PRId64 " message keys name no message", lost);
    }
    return 0;
}

static int check_loads(struct check *c, struct tkt_err *err)
{
    TKT_AUTO_ROW struct tkt_row row = TKT_ROW_INIT;
    int n = tkt_db_query(c->r->db, &row, SQL_VERIFY_LOADS, err, "");

    for (; n == 1; n = tkt_row_next(&row, err)) {
        fault(c, "load", "%.100s has %" PRId64 " open tickets, counted were %" PRId64,
              tkt_row_text(&row, 0), tkt_row_int(&row, 1), tkt_row_int(&row, 2));
    }
    return n;
}

/* ---- files that no row names ------------------------------------------------------ */

static int check_blob_dir(struct check *c, const char *path, int64_t before_ms,
                          struct tkt_err *err)
{
    DIR *d = opendir(path);
    struct dirent *e;
    int rc = 0;

    if (d == NULL) {
        return 0; /* no message has gone there yet */
    }
    while (rc == 0 && (e = readdir(d)) != NULL) {
        char file[PATH_MAX];
        struct stat st;
        int64_t used = 0;
        if (tkt_blob_path(c->r->dir, e->d_name, file, sizeof(file)) < 0 ||
            stat(file, &st) < 0 || (int64_t)st.st_mtim.tv_sec * 1000 > before_ms) {
            continue;
        }
        rc = tkt_db_get_int(c->r->db, SQL_BLOB_USED, &used, err, "s", e->d_name) < 0 ? -1
                                                                                     : 0;
        c->orphans += rc == 0 && used == 0;
    }
    closedir(d);
    return rc;
}

static int check_orphans(struct check *c, struct tkt_err *err)
{
    int64_t before_ms = tkt_clock_wall_ms() - ORPHAN_AGE_MS;

    for (int i = 0; i < 256; i++) {
        char path[PATH_MAX];
        snprintf(path, sizeof(path), "%s/" BLOBS_NAME "/%02x", c->r->dir, i);
        if (check_blob_dir(c, path, before_ms, err) < 0) {
            return -1;
        }
    }
    return 0;
}

static int check_all(struct check *c, struct tkt_err *err)
{
    (void)tkt_buf_addc(c->out, '{'); /* the end looks at failed */
    json_open(c->out, "faults", '[');
    if (check_file(c, err) < 0 || check_chain(c, err) < 0 || check_messages(c, err) < 0 ||
        check_tickets(c, err) < 0 || check_loads(c, err) < 0 ||
        check_orphans(c, err) < 0) {
        return -1;
    }
    json_close(c->out, ']');
    json_int(c->out, "bad", c->bad);
    json_int(c->out, "events", c->events);
    json_int(c->out, "messages", c->messages);
    json_int(c->out, "blobs", c->blobs);
    json_int(c->out, "orphans", c->orphans);
    json_close(c->out, '}');
    return c->out->failed ? tkt_err_set(err, TKT_ERR_PERM, "verify: answer too large")
                          : 0;
}

int tkt_reader_verify_json(struct tkt_reader *r, int64_t *bad, struct tkt_buf *out,
                           struct tkt_err *err)
{
    struct check c = {.r = r, .out = out};

    if (tkt_db_run(r->db, SQL_READ_BEGIN, err, "") < 0) {
        return -1;
    }
    int rc = check_all(&c, err);
    if (tkt_db_in_transaction(r->db)) {
        (void)tkt_db_run(r->db, SQL_ROLLBACK, NULL, ""); /* nothing was written */
    }
    *bad = c.bad;
    return rc;
}
