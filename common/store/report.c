/* SPDX-License-Identifier: BSD-2-Clause
 * JSON for people and programs. The keys are documented in store.h and only added to.
 */
#include "base/clock.h"
#include "base/enc.h"
#include "base/util.h"
#include "store/internal.h"
#include "store/sla.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define LIST_DEFAULT 50
#define LIST_MAX 10000
#define MESSAGES_SHOWN_MAX 1000

static int whole(const struct tkt_buf *out, struct tkt_err *err)
{
    return out->failed ? tkt_err_set(err, TKT_ERR_PERM,
                                     "answer larger than %zu bytes: "
                                     "ask for less",
                                     out->max)
                       : 0;
}

/* All reads of one report see one moment. */
static int begin(struct tkt_reader *r, struct tkt_err *err)
{
    return tkt_db_run(r->db, SQL_READ_BEGIN, err, "") < 0 ? -1 : 0;
}

static int end(struct tkt_reader *r, int rc)
{
    if (tkt_db_in_transaction(r->db)) {
        (void)tkt_db_run(r->db, SQL_ROLLBACK, NULL, ""); /* nothing was written */
    }
    return rc;
}

static void json_time(struct tkt_buf *b, const char *key, int64_t ms)
{
    char text[32];

    tkt_clock_format(ms, text);
    json_str(b, key, text);
}

static void json_id(struct tkt_buf *b, const char *key, const char *prefix,
                    int64_t number)
{
    char id[48];

    snprintf(id, sizeof(id), "%.15s-%" PRId64, prefix, number);
    json_str(b, key, id);
}

static int limit_of(int asked)
{
    return asked <= 0 ? LIST_DEFAULT : TKT_MIN(asked, LIST_MAX);
}

static const char *filled(const char *s)
{
    return s != NULL && s[0] != '\0' ? s : NULL;
}

/* ---- list ------------------------------------------------------------------------- */

static void list_row(const struct tkt_row *row, struct tkt_buf *b)
{
    int flags = (int)tkt_row_int(row, 5);

    json_open(b, NULL, '{');
    json_id(b, "id", tkt_row_text(row, 1), tkt_row_int(row, 2));
    json_int(b, "row", tkt_row_int(row, 0));
    json_str(b, "desk", tkt_row_text(row, 3));
    json_str(b, "state",
             tkt_store_state_name((enum tkt_ticket_state)tkt_row_int(row, 4)));
    json_int(b, "priority", tkt_row_int(row, 6));
    json_str(b, "type", tkt_row_text(row, 7));
    json_str(b, "category", tkt_row_text(row, 8));
    json_str(b, "subcategory", tkt_row_text(row, 9));
    json_str(b, "group", tkt_row_text(row, 10));
    json_str(b, "assignee", tkt_row_text(row, 11));
    json_str(b, "requester", tkt_row_text(row, 12));
    json_str(b, "requester_name", tkt_row_text(row, 13));
    json_str(b, "subject", tkt_row_text(row, 14));
    json_str(b, "class", tkt_row_text(row, 15));
    json_time(b, "created", tkt_row_int(row, 16));
    json_time(b, "changed", tkt_row_int(row, 17));
    json_int(b, "duplicates", tkt_row_int(row, 18));
    json_int(b, "joined", tkt_row_int(row, 20));
    json_bool(b, "analysed", flags & T_ANALYSED);
    json_bool(b, "shadow", flags & T_SHADOW);
    json_bool(b, "erased", flags & T_ERASED);
    json_str(b, "service", tkt_row_text(row, 19));
    json_int(b, "urgency", tkt_row_int(row, 21));
}

int tkt_reader_list_json(struct tkt_reader *r, const struct tkt_list_filter *f,
                         struct tkt_buf *out, struct tkt_err *err)
{
    struct tkt_row row = TKT_ROW_INIT;
    int state = -1;

    if (filled(f->state) != NULL && (state = tkt_ticket_state_parse(f->state)) < 0) {
        return tkt_err_set(err, TKT_ERR_PERM,
                           "unknown state %.40s; one of reserved, new, open, pending, "
                           "resolved, closed, withdrawn, refused, merged",
                           f->state);
    }
    (void)tkt_buf_addc(out, '['); /* whole() looks at failed */
    int n = tkt_db_query(r->db, &row, SQL_LIST, err, "isdssssid",
                         f->before > 0 ? f->before : INT64_MAX, filled(f->desk), state,
                         filled(f->group), filled(f->assignee), filled(f->requester),
                         filled(f->text), f->since_ms, limit_of(f->limit));
    for (; n == 1; n = tkt_row_next(&row, err)) {
        list_row(&row, out);
        if (tkt_fields_json(r->db, tkt_row_int(&row, 0), "fields", out, err) < 0) {
            n = -1;
            break;
        }
        json_close(out, '}');
    }
    tkt_row_end(&row);
    json_close(out, ']');
    return n < 0 ? -1 : whole(out, err);
}

/* ---- show ------------------------------------------------------------------------- */

static int show_ticket(struct tkt_reader *r, int64_t id, struct tkt_buf *b,
                       struct tkt_err *err)
{
    TKT_AUTO_ROW struct tkt_row row = TKT_ROW_INIT;
    char corr[40] = "";
    size_t len = 0;

    if (tkt_db_query(r->db, &row, SQL_SHOW, err, "i", id) != 1) {
        return -1;
    }
    int flags = (int)tkt_row_int(&row, 4);
    json_id(b, "id", tkt_row_text(&row, 0), tkt_row_int(&row, 1));
    json_int(b, "row", id);
    json_str(b, "desk", tkt_row_text(&row, 2));
    json_str(b, "state",
             tkt_store_state_name((enum tkt_ticket_state)tkt_row_int(&row, 3)));
    json_int(b, "priority", tkt_row_int(&row, 5));
    json_str(b, "type", tkt_row_text(&row, 6));
    json_str(b, "category", tkt_row_text(&row, 7));
    json_str(b, "subcategory", tkt_row_text(&row, 8));
    json_str(b, "group", tkt_row_text(&row, 9));
    json_str(b, "assignee", tkt_row_text(&row, 10));
    json_str(b, "requester", tkt_row_text(&row, 11));
    json_str(b, "requester_name", tkt_row_text(&row, 12));
    json_str(b, "subject", tkt_row_text(&row, 13));
    json_str(b, "class", tkt_row_text(&row, 14));
    json_time(b, "created", tkt_row_int(&row, 15));
    json_time(b, "changed", tkt_row_int(&row, 16));
    json_int(b, "duplicates", tkt_row_int(&row, 17));
    json_int(b, "joined", tkt_row_int(&row, 28));
    if (!tkt_row_null(&row, 18)) {
        json_time(b, "closed", tkt_row_int(&row, 18));
    }
    json_str(b, "itsm", tkt_row_text(&row, 19));
    const void *p = tkt_row_blob(&row, 20, &len);
    if (p != NULL && len == CORR_LEN) {
        tkt_corr_text(p, corr);
    }
    json_str(b, "corr", corr);
    json_int(b, "urgency", tkt_row_int(&row, 21));
    json_int(b, "impact", tkt_row_int(&row, 22));
    json_str(b, "tags", tkt_row_text(&row, 23));
    json_bool(b, "confirmed", flags & T_CONFIRMED);
    json_bool(b, "analysed", flags & T_ANALYSED);
    json_bool(b, "shadow", flags & T_SHADOW);
    json_bool(b, "local", flags & T_LOCAL);
    json_bool(b, "erased", flags & T_ERASED);
    json_str(b, "service", tkt_row_text(&row, 25));
    json_str(b, "keywords", tkt_row_text(&row, 26));
    json_str(b, "missing", tkt_row_text(&row, 27));
    return tkt_fields_json(r->db, id, "fields", b, err);
}

static const char *kind_of(int flags)
{
    return (flags & M_COMMENT)  ? "comment"
           : (flags & M_JOINED) ? "joined"
           : (flags & M_COPY)   ? "copy"
                                : "mail";
}

static const char *assurance_of(int flags)
{
    static const char *const words[] = {"",     "login", "aligned", "none",
                                        "fail", "",      "",        ""};
    _Static_assert(TKT_ARRAY_LEN(words) == M_ASSURANCE / (1 << M_ASSURANCE_SHIFT) + 1 &&
                       TKT_ASSURANCE_COUNT == 4,
                   "a word for each");

    return words[(flags & M_ASSURANCE) >> M_ASSURANCE_SHIFT];
}

static void show_message(const struct tkt_row *row, struct tkt_buf *b)
{
    int flags = (int)tkt_row_int(row, 2);
    char hex[2 * TKT_SHA256_LEN + 1] = "";
    size_t len = 0;
    const void *sha = tkt_row_blob(row, 4, &len);

    if (sha != NULL && len == TKT_SHA256_LEN) {
        tkt_hex_encode(sha, len, hex);
    }
    json_open(b, NULL, '{');
    json_int(b, "message", tkt_row_int(row, 0));
    json_str(b, "kind", kind_of(flags));
    json_time(b, "at", tkt_row_int(row, 1));
    json_int(b, "size", tkt_row_int(row, 3));
    json_str(b, "sha256", hex);
    json_str(b, "hook", tkt_row_text(row, 5));
    json_str(b, "rcpt", tkt_row_text(row, 6));
    json_str(b, "queue_id", tkt_row_text(row, 7));
    json_str(b, "class", tkt_row_text(row, 8));
    json_str(b, "author", tkt_row_text(row, 9));
    json_str(b, "sender", tkt_row_text(row, 10));
    json_str(b, "subject", tkt_row_text(row, 11));
    json_str(b, "message_id", tkt_row_text(row, 12));
    json_str(b, "blob", tkt_row_text(row, 13));
    json_raw(b, "envelope", tkt_row_text(row, 14));
    json_bool(b, "first", flags & M_FIRST);
    json_bool(b, "confirmed", flags & M_CONFIRMED);
    json_bool(b, "internal", flags & M_INTERNAL);
    json_bool(b, "unverified", flags & M_UNVERIFIED);
    json_bool(b, "agent", flags & M_AGENT);
    json_bool(b, "withdrawn", flags & M_WITHDRAWN);
    json_bool(b, "erased", flags & M_ERASED);
    json_str(b, "assurance", assurance_of(flags));
}

/* What it was found to end with, and which of its pictures are no attachments. */
static int show_learned(struct tkt_reader *r, int64_t message, struct tkt_buf *b,
                        struct tkt_err *err)
{
    TKT_AUTO_BUF struct tkt_buf logos = TKT_BUF_INIT(4096);
    unsigned tail = 0;
    int n = tkt_reader_learned(r, message, &tail, &logos, err);

    if (n <= 0) {
        return n;
    }
    json_int(b, "signature_lines", tail);
    json_str_opt(b, "logos", tkt_buf_str(&logos));
    return 0;
}

static int show_messages(struct tkt_reader *r, int64_t id, struct tkt_buf *b,
                         struct tkt_err *err)
{
    TKT_AUTO_ROW struct tkt_row row = TKT_ROW_INIT;

    json_open(b, "messages", '[');
    int n =
        tkt_db_query(r->db, &row, SQL_SHOW_MESSAGES, err, "id", id, MESSAGES_SHOWN_MAX);
    for (; n == 1; n = tkt_row_next(&row, err)) {
        TKT_AUTO_ROW struct tkt_row text = TKT_ROW_INIT;
        show_message(&row, b);
        if (show_learned(r, tkt_row_int(&row, 0), b, err) < 0) {
            return -1;
        }
        if (tkt_row_int(&row, 2) & M_COMMENT) {
            int k = tkt_db_query(r->db, &text, SQL_COMMENT_TEXT, err, "i",
                                 tkt_row_int(&row, 0));
            if (k < 0) {
                return -1;
            }
            json_str(b, "text", k == 1 ? tkt_row_text(&text, 0) : "");
        }
        json_close(b, '}');
    }
    json_close(b, ']');
    return n;
}

static int show_foreign(struct tkt_reader *r, int64_t id, struct tkt_buf *b,
                        struct tkt_err *err)
{
    TKT_AUTO_ROW struct tkt_row row = TKT_ROW_INIT;

    json_open(b, "foreign", '[');
    int n = tkt_db_query(r->db, &row, SQL_FOREIGN_OF, err, "i", id);
    for (; n == 1; n = tkt_row_next(&row, err)) {
        json_open(b, NULL, '{');
        json_str(b, "ref", tkt_row_text(&row, 0));
        json_str(b, "scope", tkt_row_text(&row, 1));
        json_close(b, '}');
    }
    json_close(b, ']');
    return n;
}

static int show_externals(struct tkt_reader *r, int64_t id, struct tkt_buf *b,
                          struct tkt_err *err)
{
    TKT_AUTO_ROW struct tkt_row row = TKT_ROW_INIT;

    json_open(b, "externals", '[');
    int n = tkt_db_query(r->db, &row, SQL_EXTERNALS, err, "i", id);
    for (; n == 1; n = tkt_row_next(&row, err)) {
        json_open(b, NULL, '{');
        json_str(b, "itsm", tkt_row_text(&row, 0));
        json_str(b, "key", tkt_row_text(&row, 1));
        json_str(b, "number", tkt_row_text(&row, 2));
        json_str_opt(b, "url", tkt_row_text(&row, 3));
        json_close(b, '}');
    }
    json_close(b, ']');
    return n;
}

static int show_links(struct tkt_reader *r, int64_t id, struct tkt_buf *b,
                      struct tkt_err *err)
{
    TKT_AUTO_ROW struct tkt_row row = TKT_ROW_INIT;
    static const struct {
        const char *kind, *forward, *back;
    } words[] = {
        {"child", "parent", "child"},
        {"merged", "merged-into", "merged-from"},
        {"split", "split-from", "split-off"},
    };

    json_open(b, "links", '[');
    int n = tkt_db_query(r->db, &row, SQL_SHOW_LINKS, err, "i", id);
    for (; n == 1; n = tkt_row_next(&row, err)) {
        const char *kind = tkt_row_text(&row, 2);
        for (size_t i = 0; i < TKT_ARRAY_LEN(words); i++) {
            if (strcmp(words[i].kind, kind) == 0) {
                kind = tkt_row_int(&row, 3) ? words[i].forward : words[i].back;
                break;
            }
        }
        json_open(b, NULL, '{');
        json_id(b, "id", tkt_row_text(&row, 0), tkt_row_int(&row, 1));
        json_str(b, "kind", kind);
        json_close(b, '}');
    }
    json_close(b, ']');
    return n;
}

static int show_participants(struct tkt_reader *r, int64_t id, struct tkt_buf *b,
                             struct tkt_err *err)
{
    TKT_AUTO_ROW struct tkt_row row = TKT_ROW_INIT;

    json_open(b, "participants", '[');
    int n = tkt_db_query(r->db, &row, SQL_SHOW_PARTICIPANTS, err, "i", id);
    for (; n == 1; n = tkt_row_next(&row, err)) {
        json_open(b, NULL, '{');
        json_str(b, "address", tkt_row_text(&row, 0));
        json_str(b, "role", tkt_row_text(&row, 1));
        json_close(b, '}');
    }
    json_close(b, ']');
    return n;
}

static int show_holds(struct tkt_reader *r, int64_t id, struct tkt_buf *b,
                      struct tkt_err *err)
{
    TKT_AUTO_ROW struct tkt_row row = TKT_ROW_INIT;
    static const char *const words[] = {"open", "confirmed", "cancelled"};

    json_open(b, "holds", '[');
    int n = tkt_db_query(r->db, &row, SQL_SHOW_HOLDS, err, "i", id);
    for (; n == 1; n = tkt_row_next(&row, err)) {
        json_open(b, NULL, '{');
        json_str(b, "hook", tkt_row_text(&row, 0));
        json_str(b, "rcpt", tkt_row_text(&row, 1));
        json_time(b, "at", tkt_row_int(&row, 2));
        json_time(b, "changed", tkt_row_int(&row, 3));
        json_str(b, "state", words[TKT_MIN((size_t)tkt_row_int(&row, 4), (size_t)2)]);
        json_int(b, "message", tkt_row_int(&row, 5));
        json_close(b, '}');
    }
    json_close(b, ']');
    return n;
}

static void job_object(const struct tkt_row *row, struct tkt_buf *b)
{
    json_open(b, NULL, '{');
    json_int(b, "job", tkt_row_int(row, 0));
    json_id(b, "ticket", tkt_row_text(row, 11), tkt_row_int(row, 12));
    json_str(b, "kind", tkt_row_text(row, 1));
    json_str(b, "target", tkt_row_text(row, 2));
    json_str(b, "state", tkt_job_state_name((enum job_state)tkt_row_int(row, 3)));
    json_int(b, "attempts", tkt_row_int(row, 4));
    json_time(b, "created", tkt_row_int(row, 5));
    json_time(b, "changed", tkt_row_int(row, 6));
    json_time(b, "run_after", tkt_row_int(row, 7));
    json_bool(b, "waits_in_lane",
              tkt_row_null(row, 8) && (tkt_row_int(row, 3) == JOB_READY ||
                                       tkt_row_int(row, 3) == JOB_DEFERRED));
    if (tkt_row_int(row, 3) == JOB_CLAIMED) {
        json_time(b, "lease_until", tkt_row_int(row, 8));
    }
    json_str(b, "owner", tkt_row_text(row, 9));
    json_str(b, "reason", tkt_row_text(row, 10));
    if (!tkt_row_null(row, 13) && tkt_row_int(row, 13) != 0) {
        json_time(b, "doubt_since", tkt_row_int(row, 13));
    }
    json_close(b, '}');
}

static int show_jobs(struct tkt_reader *r, int64_t id, struct tkt_buf *b,
                     struct tkt_err *err)
{
    TKT_AUTO_ROW struct tkt_row row = TKT_ROW_INIT;

    json_open(b, "jobs", '[');
    int n = tkt_db_query(r->db, &row, SQL_SHOW_JOBS, err, "i", id);
    for (; n == 1; n = tkt_row_next(&row, err)) {
        job_object(&row, b);
    }
    json_close(b, ']');
    return n;
}

static void event_object(const struct tkt_row *row, struct tkt_buf *b)
{
    json_open(b, NULL, '{');
    json_int(b, "event", tkt_row_int(row, 0));
    json_time(b, "at", tkt_row_int(row, 1));
    json_str(b, "host", tkt_row_text(row, 2));
    json_str(b, "kind", tkt_row_text(row, 3));
    if (!tkt_row_null(row, 6)) {
        json_id(b, "ticket", tkt_row_text(row, 6), tkt_row_int(row, 7));
    }
    if (!tkt_row_null(row, 5)) {
        json_int(b, "message", tkt_row_int(row, 5));
    }
    json_raw(b, "data", tkt_row_text(row, 4));
    json_close(b, '}');
}

static int events_of(struct tkt_reader *r, int64_t id, int64_t since_ms, int limit,
                     struct tkt_buf *b, struct tkt_err *err)
{
    TKT_AUTO_ROW struct tkt_row row = TKT_ROW_INIT;
    int n = tkt_db_query(r->db, &row, SQL_LOG_TICKET, err, "iid", id, since_ms, limit);

    for (; n == 1; n = tkt_row_next(&row, err)) {
        event_object(&row, b);
    }
    return n;
}

/* As it was when something happened last: what runs is not counted on. */
static int show_sla(struct tkt_reader *r, int64_t id, struct tkt_buf *b,
                    struct tkt_err *err)
{
    TKT_AUTO_BUF struct tkt_buf members = TKT_BUF_INIT(64 * 1024);
    int n = tkt_sla_object(r->db, id, NULL, 0, &members, err);

    if (n == 1) {
        json_open(b, "sla", '{');
        (void)tkt_buf_adds(b, tkt_buf_str(&members)); /* whole() looks at failed */
        json_close(b, '}');
    }
    return n < 0 ? -1 : 0;
}

static int show(struct tkt_reader *r, const char *id, struct tkt_buf *b,
                struct tkt_err *err)
{
    struct ticket_row t;

    if (tkt_ticket_named(r->db, id, &t, err) < 0) {
        return -1;
    }
    (void)tkt_buf_addc(b, '{'); /* whole() looks at failed */
    if (show_ticket(r, t.id, b, err) < 0 || show_messages(r, t.id, b, err) < 0 ||
        show_foreign(r, t.id, b, err) < 0 || show_externals(r, t.id, b, err) < 0 ||
        show_links(r, t.id, b, err) < 0 || show_participants(r, t.id, b, err) < 0 ||
        show_holds(r, t.id, b, err) < 0 || show_jobs(r, t.id, b, err) < 0 ||
        show_sla(r, t.id, b, err) < 0) {
        return -1;
    }
    json_open(b, "events", '[');
    if (events_of(r, t.id, 0, LIST_MAX, b, err) < 0) {
        return -1;
    }
    json_close(b, ']');
    json_close(b, '}');
    return whole(b, err);
}

int tkt_reader_show_json(struct tkt_reader *r, const char *id, struct tkt_buf *out,
                         struct tkt_err *err)
{
    return begin(r, err) < 0 ? -1 : end(r, show(r, id, out, err));
}

/* ---- log, jobs -------------------------------------------------------------------- */

static int log_all(struct tkt_reader *r, int64_t since_ms, int limit, struct tkt_buf *b,
                   struct tkt_err *err)
{
    TKT_AUTO_ROW struct tkt_row row = TKT_ROW_INIT;
    int n = tkt_db_query(r->db, &row, SQL_LOG_ALL, err, "id", since_ms, limit);

    for (; n == 1; n = tkt_row_next(&row, err)) {
        event_object(&row, b);
    }
    return n;
}

int tkt_reader_log_json(struct tkt_reader *r, const char *id, int64_t since_ms, int limit,
                        struct tkt_buf *out, struct tkt_err *err)
{
    struct ticket_row t;
    bool one = filled(id) != NULL;

    if (one && tkt_ticket_named(r->db, id, &t, err) < 0) {
        return -1;
    }
    (void)tkt_buf_addc(out, '['); /* whole() looks at failed */
    int n = one ? events_of(r, t.id, since_ms, limit_of(limit), out, err)
                : log_all(r, since_ms, limit_of(limit), out, err);
    json_close(out, ']');
    return n < 0 ? -1 : whole(out, err);
}

int tkt_reader_jobs_json(struct tkt_reader *r, const char *state, int64_t job, int limit,
                         struct tkt_buf *out, struct tkt_err *err)
{
    TKT_AUTO_ROW struct tkt_row row = TKT_ROW_INIT;
    int wanted = -1;

    if (filled(state) != NULL && (wanted = tkt_job_state_parse(state)) < 0) {
        return tkt_err_set(err, TKT_ERR_PERM, "unknown job state %.40s", state);
    }
    (void)tkt_buf_addc(out, '['); /* whole() looks at failed */
    int n = tkt_db_query(r->db, &row, SQL_LIST_JOBS, err, "did", wanted, job,
                         limit_of(limit));
    for (; n == 1; n = tkt_row_next(&row, err)) {
        job_object(&row, out);
    }
    json_close(out, ']');
    return n < 0 ? -1 : whole(out, err);
}

/* ---- status ----------------------------------------------------------------------- */

static int status_tickets(struct tkt_reader *r, struct tkt_buf *b, struct tkt_err *err)
{
    TKT_AUTO_ROW struct tkt_row row = TKT_ROW_INIT;
    TKT_AUTO_ROW struct tkt_row desk = TKT_ROW_INIT;

    json_open(b, "tickets", '{');
    int n = tkt_db_query(r->db, &row, SQL_COUNT_STATES, err, "");
    for (; n == 1; n = tkt_row_next(&row, err)) {
        json_int(b, tkt_store_state_name((enum tkt_ticket_state)tkt_row_int(&row, 0)),
                 tkt_row_int(&row, 1));
    }
    json_close(b, '}');
    json_open(b, "desks", '[');
    n = n < 0 ? n : tkt_db_query(r->db, &desk, SQL_COUNT_DESKS, err, "");
    for (; n == 1; n = tkt_row_next(&desk, err)) {
        json_open(b, NULL, '{');
        json_str(b, "desk", tkt_row_text(&desk, 0));
        json_int(b, "tickets", tkt_row_int(&desk, 1));
        json_int(b, "open", tkt_row_int(&desk, 2));
        json_time(b, "newest", tkt_row_int(&desk, 3));
        json_close(b, '}');
    }
    json_close(b, ']');
    return n;
}

static int status_jobs(struct tkt_reader *r, int64_t now_ms, struct tkt_buf *b,
                       struct tkt_err *err)
{
    TKT_AUTO_ROW struct tkt_row row = TKT_ROW_INIT;
    TKT_AUTO_ROW struct tkt_row oldest = TKT_ROW_INIT;
    int64_t due = now_ms;

    json_open(b, "jobs", '{');
    int n = tkt_db_query(r->db, &row, SQL_COUNT_JOBS, err, "");
    for (; n == 1; n = tkt_row_next(&row, err)) {
        json_int(b, tkt_job_state_name((enum job_state)tkt_row_int(&row, 0)),
                 tkt_row_int(&row, 1));
    }
    json_close(b, '}');
    if (n < 0 || tkt_db_get_int(r->db, SQL_JOBS_NEXT_DUE, &due, err, "") < 0) {
        return -1;
    }
    json_int(b, "job_lag_ms", TKT_MAX(now_ms - due, INT64_C(0)));
    n = tkt_db_query(r->db, &oldest, SQL_OLDEST_JOB, err, "");
    if (n == 1) {
        json_open(b, "oldest_job", '{');
        json_int(b, "job", tkt_row_int(&oldest, 0));
        json_str(b, "kind", tkt_row_text(&oldest, 1));
        json_int(b, "age_ms", now_ms - tkt_row_int(&oldest, 2));
        json_close(b, '}');
    }
    return n;
}

static int status_misc(struct tkt_reader *r, int64_t now_ms, struct tkt_buf *b,
                       struct tkt_err *err)
{
    TKT_AUTO_ROW struct tkt_row row = TKT_ROW_INIT;

    if (tkt_db_query(r->db, &row, SQL_COUNT_MISC, err, "") != 1) {
        return -1;
    }
    json_int(b, "messages", tkt_row_int(&row, 0));
    json_int(b, "events", tkt_row_int(&row, 1));
    json_int(b, "duplicates", tkt_row_int(&row, 2));
    json_int(b, "open_holds", tkt_row_int(&row, 3));
    json_int(b, "hold_lag_ms",
             tkt_row_null(&row, 4) ? 0
                                   : TKT_MAX(now_ms - tkt_row_int(&row, 4), INT64_C(0)));
    json_int(b, "blobs", tkt_row_int(&row, 5));
    json_int(b, "unanalysed", tkt_row_int(&row, 6));
    return 0;
}

static void status_files(const struct tkt_reader *r, struct tkt_buf *b)
{
    static const struct {
        const char *key, *name;
    } files[] = {{"database_bytes", DB_NAME}, {"log_bytes", DB_NAME "-wal"}};

    for (size_t i = 0; i < TKT_ARRAY_LEN(files); i++) {
        char path[PATH_MAX];
        struct stat st;
        snprintf(path, sizeof(path), "%s/%s", r->dir, files[i].name);
        json_int(b, files[i].key, stat(path, &st) == 0 ? (int64_t)st.st_size : 0);
    }
}

int tkt_reader_status_json(struct tkt_reader *r, int64_t now_ms, struct tkt_buf *out,
                           struct tkt_err *err)
{
    if (begin(r, err) < 0) {
        return -1;
    }
    (void)tkt_buf_addc(out, '{'); /* whole() looks at failed */
    json_int(out, "schema", TKT_STORE_SCHEMA);
    if (status_tickets(r, out, err) < 0 || status_jobs(r, now_ms, out, err) < 0 ||
        status_misc(r, now_ms, out, err) < 0) {
        return end(r, -1);
    }
    status_files(r, out);
    json_close(out, '}');
    return end(r, whole(out, err));
}
