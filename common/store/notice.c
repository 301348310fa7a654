/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/notice.h"

#include "base/enc.h"
#include "base/util.h"
#include "store/internal.h"

#include <stdio.h>
#include <string.h>

#define REASON_MAX 300
#define DAY_MS (86400 * INT64_C(1000))

/* ---- waiting -------------------------------------------------------------------------- */

static int add(struct tkt_store *s, const struct tkt_store_notice *in, int64_t now_ms,
               struct tkt_err *err)
{
    int64_t due_ms = in->due_ms;
    int64_t first = 0;

    if (strlen(in->payload) > TKT_STORE_NOTICE_MAX) {
        return tkt_err_set(err, TKT_ERR_PERM, "store: a notice is too long");
    }
    if (due_ms <= now_ms) {
        return tkt_job_insert(s, in->ticket, in->message, TKT_STORE_NOTICE_JOB,
                              in->channel, in->payload, false, now_ms, now_ms, err);
    }
    /* Those of one digest go when the first of them is due. */
    int n = in->digest[0] == '\0' ? 0
                                  : tkt_db_get_int(s->db, SQL_NOTICE_DIGEST_DUE, &first,
                                                   err, "s", in->digest);
    if (n < 0) {
        return -1;
    }
    if (n == 1 && first > 0) {
        due_ms = first;
    }
    return tkt_db_run(s->db, SQL_NOTICE_ADD, err, "issiis", due_ms, in->digest,
                      in->channel, in->ticket, in->message, in->payload) < 0
               ? -1
               : 0;
}

int tkt_store_notice_add(struct tkt_store *s, const struct tkt_store_notice *in,
                         int64_t now_ms, struct tkt_err *err)
{
    bool own = false;

    if (tkt_store_enter(s, &own, err) < 0) {
        return -1;
    }
    int rc = add(s, in, now_ms, err);
    return tkt_store_leave(s, own, rc, err);
}

int tkt_store_notice_waits(struct tkt_store *s, const char *digest, struct tkt_err *err)
{
    int64_t due_ms = 0;

    return tkt_db_get_int(s->db, SQL_NOTICE_DIGEST_DUE, &due_ms, err, "s", digest) < 0
               ? -1
               : due_ms > 0;
}

struct waiting {
    int64_t id;
    int64_t ticket, message;
    char digest[80];
    char channel[64];
    struct tkt_buf payload;
};

/* 1 with the row that is due first, 0, -1. */
static int first_due(struct tkt_store *s, int64_t now_ms, struct waiting *w,
                     struct tkt_err *err)
{
    TKT_AUTO_ROW struct tkt_row row = TKT_ROW_INIT;
    int n = tkt_db_query(s->db, &row, SQL_NOTICE_DUE, err, "i", now_ms);

    if (n <= 0) {
        return n;
    }
    w->id = tkt_row_int(&row, 0);
    (void)snprintf(w->digest, sizeof(w->digest), "%s", tkt_row_text(&row, 1));
    (void)snprintf(w->channel, sizeof(w->channel), "%s", tkt_row_text(&row, 2));
    w->ticket = tkt_row_int(&row, 3);
    w->message = tkt_row_int(&row, 4);
    tkt_buf_reset(&w->payload);
    return tkt_buf_adds(&w->payload, tkt_row_text(&row, 5)) < 0
               ? tkt_err_set(err, TKT_ERR_TEMP, "store: no memory")
               : 1;
}

/* All that wait under w's name into one payload; how many, or -1. */
static int collect(struct tkt_store *s, const struct waiting *w, struct tkt_buf *out,
                   struct tkt_err *err)
{
    TKT_AUTO_ROW struct tkt_row row = TKT_ROW_INIT;
    int items = 0;
    int seen = 0;
    int n = tkt_db_query(s->db, &row, SQL_NOTICE_DIGEST, err, "s", w->digest);

    /* The first one's own words name recipient, role and language. */
    (void)tkt_buf_adds(out, "{\"what\":\"digest\",\"like\":"); /* out->failed tells */
    (void)tkt_buf_adds(out, tkt_buf_str(&w->payload));
    json_open(out, "items", '[');
    for (; n == 1; n = tkt_row_next(&row, err)) {
        const char *payload = tkt_row_text(&row, 0);

        seen++;
        if (items < TKT_STORE_DIGEST_ITEMS_MAX &&
            out->len + strlen(payload) < TKT_STORE_DIGEST_BYTES_MAX) {
            json_sep(out);
            (void)tkt_buf_adds(out, payload); /* as above */
            items++;
        }
    }
    json_close(out, ']');
    json_int(out, "left_out", seen - items);
    json_close(out, '}');
    if (n < 0 || out->failed) {
        return n < 0 ? -1 : tkt_err_set(err, TKT_ERR_TEMP, "store: no memory");
    }
    return seen;
}

static int release_one(struct tkt_store *s, const struct waiting *w, int64_t now_ms,
                       struct tkt_err *err)
{
    TKT_AUTO_BUF struct tkt_buf digest = TKT_BUF_INIT(2 * TKT_STORE_DIGEST_BYTES_MAX);
    const char *payload = tkt_buf_str(&w->payload);
    int seen = w->digest[0] == '\0' ? 1 : collect(s, w, &digest, err);

    if (seen < 0) {
        return -1;
    }
    if (seen > 1) {
        payload = tkt_buf_str(&digest);
    }
    if (tkt_job_insert(s, w->ticket, w->message, TKT_STORE_NOTICE_JOB, w->channel,
                       payload, false, now_ms, now_ms, err) < 0) {
        return -1;
    }
    return (w->digest[0] == '\0'
                ? tkt_db_run(s->db, SQL_NOTICE_DROP, err, "i", w->id)
                : tkt_db_run(s->db, SQL_NOTICE_DIGEST_DROP, err, "s", w->digest)) < 0
               ? -1
               : 0;
}

static int release(struct tkt_store *s, int64_t now_ms, int max, struct tkt_err *err)
{
    struct waiting w = {.payload = TKT_BUF_INIT(TKT_STORE_NOTICE_MAX + 1)};
    int done = 0;
    int n = 0;

    while (done < max && (n = first_due(s, now_ms, &w, err)) == 1) {
        if ((n = release_one(s, &w, now_ms, err)) < 0) {
            break;
        }
        done++;
    }
    tkt_buf_release(&w.payload);
    return n < 0 ? -1 : done;
}

int tkt_store_notices_release(struct tkt_store *s, int64_t now_ms, int max,
                              struct tkt_err *err)
{
    bool own = false;

    if (tkt_store_enter(s, &own, err) < 0) {
        return -1;
    }
    int rc = release(s, now_ms, max, err);
    return tkt_store_leave(s, own, rc, err);
}

/* ---- contacts ------------------------------------------------------------------------- */

static const char *mark_name(int mark)
{
    return mark == TKT_CONTACT_UNDELIVERABLE ? "undeliverable" : "opted-out";
}

static int contact_event(struct tkt_store *s, const char *kind, const char *address,
                         int mark, const char *desk, const char *who, const char *reason,
                         int64_t ticket, int64_t now_ms, struct tkt_err *err)
{
    struct tkt_buf *b = tkt_event_begin(s);

    json_str(b, "address", address);
    json_str(b, "mark", mark_name(mark));
    json_str_opt(b, "desk", desk);
    json_str_opt(b, "who", who);
    json_str_opt(b, "reason", reason);
    return tkt_event_end(s, ticket, 0, NULL, kind, now_ms, err);
}

/* One row, however it is written. */
static int fold(const char *address, char out[TKT_STORE_CONTACT_MAX + 1],
                struct tkt_err *err)
{
    if (address[0] == '\0' || strlen(address) > TKT_STORE_CONTACT_MAX) {
        return tkt_err_set(err, TKT_ERR_PERM, "store: no contact: %.60s", address);
    }
    memcpy(out, address, strlen(address) + 1);
    tkt_ascii_lower(out);
    return 0;
}

int tkt_store_contact_mark(struct tkt_store *s, const char *address,
                           enum tkt_contact mark, const char *reason, int64_t ticket,
                           int64_t now_ms, struct tkt_err *err)
{
    char why[REASON_MAX];
    char folded[TKT_STORE_CONTACT_MAX + 1];
    bool own = false;

    if (fold(address, folded, err) < 0) {
        return -1;
    }
    if (tkt_store_enter(s, &own, err) < 0) {
        return -1;
    }
    (void)snprintf(why, sizeof(why), "%s", reason); /* cut is fine */
    int n =
        tkt_db_run(s->db, SQL_CONTACT_ADD, err, "sdit", folded, (int)mark, now_ms, why);
    if (n > 0) {
        n = contact_event(s, "contact.marked", folded, mark, "", "", why, ticket, now_ms,
                          err);
    }
    return tkt_store_leave(s, own, n < 0 ? -1 : 0, err);
}

/* 1 it is the last one that is borne, 0, -1. What comes back of one day counts once. */
static int count_failure(struct tkt_store *s, const struct tkt_store_contact_failed *in,
                         int64_t now_ms, struct tkt_err *err)
{
    char folded[TKT_STORE_CONTACT_MAX + 1];
    char name[sizeof(folded) + 16];

    if (in->after <= 1) {
        return 1;
    }
    if (fold(in->address, folded, err) < 0) {
        return -1;
    }
    (void)snprintf(name, sizeof(name), "failed-day:%s", folded); /* it has room */
    int n = tkt_store_notice_count(s, name, 1, DAY_MS, now_ms, err);
    if (n == 1) {
        (void)snprintf(name, sizeof(name), "failed:%s", folded); /* as above */
        n = tkt_store_notice_count(s, name, in->after - 1, TKT_STORE_FAILED_WINDOW_MS,
                                   now_ms, err);
        return n < 0 ? -1 : n == 0;
    }
    return n;
}

int tkt_store_contact_failed(struct tkt_store *s,
                             const struct tkt_store_contact_failed *in, int64_t now_ms,
                             struct tkt_err *err)
{
    bool own = false;

    if (tkt_store_enter(s, &own, err) < 0) {
        return -1;
    }
    int n = count_failure(s, in, now_ms, err);
    if (n == 1) {
        n = tkt_store_contact_mark(s, in->address, TKT_CONTACT_UNDELIVERABLE, in->reason,
                                   in->ticket, now_ms, err);
    }
    return tkt_store_leave(s, own, n < 0 ? -1 : 0, err);
}

int tkt_store_notice_bounced(struct tkt_store *s, int64_t ticket, int64_t message,
                             const char *address, const char *status, const char *action,
                             int64_t now_ms, struct tkt_err *err)
{
    bool own = false;

    if (tkt_store_enter(s, &own, err) < 0) {
        return -1;
    }
    struct tkt_buf *b = tkt_event_begin(s);
    json_str_opt(b, "address", address);
    json_str_opt(b, "status", status);
    json_str_opt(b, "action", action);
    json_int(b, "report", message);
    return tkt_store_leave(
        s, own,
        tkt_event_end(s, ticket, 0, NULL, "notice.bounced", now_ms, err) < 0 ? -1 : 0,
        err);
}

int tkt_store_contact_clear(struct tkt_store *s, const char *address,
                            enum tkt_contact mark, const char *who, bool *was,
                            int64_t now_ms, struct tkt_err *err)
{
    char folded[TKT_STORE_CONTACT_MAX + 1];
    bool own = false;

    if (fold(address, folded, err) < 0 || tkt_store_enter(s, &own, err) < 0) {
        return -1;
    }
    int n = tkt_db_run(s->db, SQL_CONTACT_DROP, err, "sd", folded, (int)mark);
    *was = n > 0;
    if (n > 0) {
        n = contact_event(s, "contact.cleared", folded, mark, "", who, "", 0, now_ms,
                          err);
    }
    return tkt_store_leave(s, own, n < 0 ? -1 : 0, err);
}

int tkt_store_contact_leave(struct tkt_store *s, const char *address, const char *desk,
                            const char *reason, int64_t ticket, int64_t now_ms,
                            struct tkt_err *err)
{
    char why[REASON_MAX];
    char folded[TKT_STORE_CONTACT_MAX + 1];
    bool own = false;

    if (fold(address, folded, err) < 0 || tkt_store_enter(s, &own, err) < 0) {
        return -1;
    }
    (void)snprintf(why, sizeof(why), "%s", reason); /* cut is fine */
    int n =
        tkt_db_run(s->db, SQL_DESK_OPTOUT_ADD, err, "ssit", folded, desk, now_ms, why);
    if (n > 0) {
        n = contact_event(s, "contact.marked", folded, TKT_CONTACT_LEFT_DESK, desk, "",
                          why, ticket, now_ms, err);
    }
    return tkt_store_leave(s, own, n < 0 ? -1 : 0, err);
}

int tkt_store_contact_rejoin(struct tkt_store *s, const char *address, const char *desk,
                             const char *who, bool *was, int64_t now_ms,
                             struct tkt_err *err)
{
    char folded[TKT_STORE_CONTACT_MAX + 1];
    bool own = false;

    if (fold(address, folded, err) < 0 || tkt_store_enter(s, &own, err) < 0) {
        return -1;
    }
    int n = desk[0] != '\0'
                ? tkt_db_run(s->db, SQL_DESK_OPTOUT_DROP, err, "ss", folded, desk)
                : tkt_db_run(s->db, SQL_DESK_OPTOUTS_DROP, err, "s", folded);
    *was = n > 0;
    if (n > 0) {
        n = contact_event(s, "contact.cleared", folded, TKT_CONTACT_LEFT_DESK, desk, who,
                          "", 0, now_ms, err);
    }
    return tkt_store_leave(s, own, n < 0 ? -1 : 0, err);
}

/* Collected first: what is looked through must not be changed below it. */
static int expire_contacts(struct tkt_store *s, int64_t before_ms, int max,
                           int64_t now_ms, struct tkt_err *err)
{
    TKT_AUTO_BUF struct tkt_buf list = TKT_BUF_INIT(1024 * 1024);
    int count = 0;
    {
        TKT_AUTO_ROW struct tkt_row row = TKT_ROW_INIT;
        int n = tkt_db_query(s->db, &row, SQL_CONTACTS_OLD, err, "id", before_ms, max);

        for (; n == 1; n = tkt_row_next(&row, err)) {
            const char *address = tkt_row_text(&row, 0);

            if (tkt_buf_add(&list, address, strlen(address) + 1) < 0) {
                break;
            }
        }
        if (n < 0) {
            return -1;
        }
    }
    for (size_t at = 0; at < list.len; at += strlen(list.data + at) + 1) {
        bool was = false;

        if (tkt_store_contact_clear(s, list.data + at, TKT_CONTACT_UNDELIVERABLE, "time",
                                    &was, now_ms, err) < 0) {
            return -1;
        }
        count += was;
    }
    return count;
}

int tkt_store_contacts_expire(struct tkt_store *s, int64_t before_ms, int max,
                              int64_t now_ms, struct tkt_err *err)
{
    bool own = false;

    if (tkt_store_enter(s, &own, err) < 0) {
        return -1;
    }
    int n = expire_contacts(s, before_ms, max, now_ms, err);
    return tkt_store_leave(s, own, n < 0 ? -1 : 0, err) < 0 ? -1 : n;
}

/* ---- threads ------------------------------------------------------------------ */

int tkt_store_notice_thread(struct tkt_store *s, int64_t ticket, const char *channel,
                            const char *room, const char *thread, struct tkt_err *err)
{
    bool own = false;

    if (tkt_store_enter(s, &own, err) < 0) {
        return -1;
    }
    int rc = tkt_db_run(s->db, SQL_NOTICE_THREAD_SET, err, "isss", ticket, channel, room,
                        thread) < 0
                 ? -1
                 : 0;
    return tkt_store_leave(s, own, rc, err);
}
