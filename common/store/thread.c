/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/thread.h"

#include "base/util.h"
#include "store/internal.h"

#include <string.h>

#define FOREIGN_SCOPE_MAX 320
#define LOGOS_MAX 2000

/* ---- what a message leaves --------------------------------------------------------- */

static int keep_named(struct tkt_store *s, int64_t ticket, int64_t message,
                      const struct tkt_store_traces *t, struct tkt_err *err)
{
    for (size_t i = 0; i < TKT_MIN(t->named_count, (size_t)TKT_STORE_NAMED_MAX); i++) {
        if (tkt_db_run(s->db, SQL_NAMED_ADD, err, "bii", t->named[i].hash,
                       (size_t)SHORT_KEY_LEN, ticket, message) < 0) {
            return -1;
        }
    }
    return 0;
}

static int keep_foreign(struct tkt_store *s, int64_t ticket, int64_t message,
                        const struct tkt_store_traces *t, struct tkt_err *err)
{
    const struct tkt_strings *ids = t->foreign_ids;

    if (t->foreign_scope == NULL || t->foreign_scope[0] == '\0' ||
        strlen(t->foreign_scope) > FOREIGN_SCOPE_MAX) {
        return 0;
    }
    for (size_t i = 0; ids != NULL && i < TKT_MIN(ids->count, TKT_MESSAGE_IDS_MAX); i++) {
        if (tkt_db_run(s->db, SQL_FOREIGN_ADD, err, "ssii", t->foreign_scope,
                       ids->items[i], ticket, message) < 0) {
            return -1;
        }
    }
    return 0;
}

static int keep_learned(struct tkt_store *s, int64_t message,
                        const struct tkt_store_traces *t, struct tkt_err *err)
{
    TKT_AUTO_BUF struct tkt_buf logos = TKT_BUF_INIT(LOGOS_MAX);

    if (t->tail_lines == 0 && t->logos.count == 0) {
        return 0;
    }
    for (size_t i = 0; i < t->logos.count; i++) {
        (void)tkt_buf_addf(&logos, "%s%s", i > 0 ? "\n" : "",
                           t->logos.items[i]); /* past the cap they are attachments */
    }
    return tkt_db_run(s->db, SQL_LEARNED_ADD, err, "idt", message, (int)t->tail_lines,
                      tkt_buf_str(&logos)) < 0
               ? -1
               : 0;
}

int tkt_traces_keep(struct tkt_store *s, int64_t ticket, int64_t message, bool trusted,
                    const struct tkt_store_traces *t, struct tkt_err *err)
{
    if (t == NULL) {
        return 0;
    }
    /* A stranger's note may not draw other mail into the ticket. */
    if (trusted && (keep_named(s, ticket, message, t, err) < 0 ||
                    keep_foreign(s, ticket, message, t, err) < 0)) {
        return -1;
    }
    return keep_learned(s, message, t, err);
}

/* ---- what a decision suggests -------------------------------------------------------- */

int tkt_suggestions_note(struct tkt_store *s, int64_t ticket, const struct message_row *m,
                         const struct tkt_decision *d, const char *subject,
                         int64_t now_ms, struct tkt_err *err)
{
    struct ticket_row like;

    if (d == NULL) {
        return 0;
    }
    if (d->split_suggested) {
        struct tkt_buf *b = tkt_event_begin(s);
        json_str_opt(b, "subject", subject);
        if (tkt_event_end(s, ticket, m->id, m->sha256, "ticket.split_suggested", now_ms,
                          err) < 0) {
            return -1;
        }
    }
    int n = d->similar > 0 ? tkt_ticket_load(s->db, d->similar, &like, err) : 0;
    if (n <= 0) {
        return n;
    }
    struct tkt_buf *b = tkt_event_begin(s);
    json_str(b, "to", like.name);
    return tkt_event_end(s, ticket, m->id, m->sha256, "ticket.similar", now_ms, err);
}

/* ---- reading --------------------------------------------------------------------------- */

int tkt_reader_by_named(struct tkt_reader *r, const unsigned char hash[TKT_SHA256_LEN],
                        const char *address, struct tkt_reader_ticket *out, int max,
                        struct tkt_err *err)
{
    struct tkt_row row = TKT_ROW_INIT;
    int n = tkt_db_query(r->db, &row, SQL_NAMED_FIND, err, "bd", hash,
                         (size_t)SHORT_KEY_LEN, max);

    return tkt_reader_tickets(r, &row, n, address, out, max, err);
}

int tkt_reader_by_foreign(struct tkt_reader *r, const char *scope, const char *ref,
                          const char *address, struct tkt_reader_ticket *out, int max,
                          struct tkt_err *err)
{
    struct tkt_row row = TKT_ROW_INIT;
    int n = tkt_db_query(r->db, &row, SQL_FOREIGN_FIND, err, "ssd", scope, ref, max);

    return tkt_reader_tickets(r, &row, n, address, out, max, err);
}

int tkt_reader_subject(struct tkt_reader *r, int64_t ticket, struct tkt_buf *out,
                       struct tkt_err *err)
{
    TKT_AUTO_ROW struct tkt_row row = TKT_ROW_INIT;
    int n = tkt_db_query(r->db, &row, SQL_TICKET_SUBJECT, err, "i", ticket);

    if (n <= 0) {
        return n;
    }
    return tkt_buf_adds(out, tkt_row_text(&row, 0)) < 0
               ? tkt_err_set(err, TKT_ERR_PERM, "subject larger than %zu bytes", out->max)
               : 1;
}

int tkt_reader_prints(struct tkt_reader *r, int64_t since_ms, struct tkt_store_print *out,
                      int max, struct tkt_err *err)
{
    struct tkt_row row = TKT_ROW_INIT;
    int count = 0;
    int n = tkt_db_query(r->db, &row, SQL_PRINTS, err, "ii", (int64_t)max, since_ms);

    for (; n == 1; n = tkt_row_next(&row, err)) {
        struct tkt_store_print *p = &out[count++];
        p->ticket = tkt_row_int(&row, 0);
        p->print = (uint64_t)tkt_row_int(&row, 1);
        p->at_ms = tkt_row_int(&row, 2);
        snprintf(p->desk, sizeof(p->desk), "%.39s", tkt_row_text(&row, 3));
        snprintf(p->sender, sizeof(p->sender), "%.255s", tkt_row_text(&row, 4));
    }
    return n < 0 ? -1 : count;
}

int tkt_reader_learned(struct tkt_reader *r, int64_t message, unsigned *tail_lines,
                       struct tkt_buf *logos, struct tkt_err *err)
{
    TKT_AUTO_ROW struct tkt_row row = TKT_ROW_INIT;
    int n = tkt_db_query(r->db, &row, SQL_LEARNED_GET, err, "i", message);

    *tail_lines = 0;
    if (n <= 0) {
        return n;
    }
    *tail_lines = (unsigned)tkt_row_int(&row, 0);
    return tkt_buf_adds(logos, tkt_row_text(&row, 1)) < 0
               ? tkt_err_set(err, TKT_ERR_PERM, "logos: more than %zu bytes", logos->max)
               : 1;
}

/* ---- senders ----------------------------------------------------------------------------- */

void tkt_store_sender_key(const char *address,
                          unsigned char key[TKT_STORE_SENDER_KEY_LEN])
{
    unsigned char sha[TKT_SHA256_LEN];

    tkt_sha256(address, strlen(address), sha);
    memcpy(key, sha, TKT_STORE_SENDER_KEY_LEN);
}

int tkt_reader_sender(struct tkt_reader *r,
                      const unsigned char key[TKT_STORE_SENDER_KEY_LEN],
                      struct tkt_buf *out, struct tkt_err *err)
{
    TKT_AUTO_ROW struct tkt_row row = TKT_ROW_INIT;
    size_t len = 0;
    int n = tkt_db_query(r->db, &row, SQL_SENDER_GET, err, "b", key,
                         (size_t)TKT_STORE_SENDER_KEY_LEN);

    if (n <= 0) {
        return n;
    }
    const void *data = tkt_row_blob(&row, 0, &len);
    return tkt_buf_add(out, data != NULL ? data : "", len) < 0
               ? tkt_err_set(err, TKT_ERR_PERM, "sender: more than %zu bytes", out->max)
               : 1;
}

int tkt_store_sender_set(struct tkt_store *s,
                         const unsigned char key[TKT_STORE_SENDER_KEY_LEN],
                         const void *data, size_t n, int64_t now_ms, struct tkt_err *err)
{
    if (n > TKT_STORE_SENDER_MAX) {
        return tkt_err_set(err, TKT_ERR_PERM, "sender: more than %d bytes",
                           TKT_STORE_SENDER_MAX);
    }
    return tkt_db_run(s->db, SQL_SENDER_SET, err, "bib", key,
                      (size_t)TKT_STORE_SENDER_KEY_LEN, now_ms, data, n) < 0
               ? -1
               : 0;
}

int tkt_store_senders_expire(struct tkt_store *s, int64_t before_ms, int64_t keep,
                             int max, int64_t *removed, struct tkt_err *err)
{
    int64_t count = 0;
    int n = tkt_db_run(s->db, SQL_SENDERS_EXPIRE, err, "id", before_ms, max);

    *removed = TKT_MAX(n, 0);
    if (n < 0 || tkt_db_get_int(s->db, SQL_SENDERS_COUNT, &count, err, "") < 0) {
        return -1;
    }
    int more = (int)TKT_MIN(count - keep, (int64_t)(max - n));
    if (more <= 0) {
        return 0;
    }
    n = tkt_db_run(s->db, SQL_SENDERS_EXPIRE, err, "id", INT64_MAX, more);
    *removed += TKT_MAX(n, 0);
    return n < 0 ? -1 : 0;
}

int tkt_sender_forget(struct tkt_store *s, const char *address, struct tkt_err *err)
{
    unsigned char key[TKT_STORE_SENDER_KEY_LEN];

    tkt_store_sender_key(address, key);
    return tkt_handler_forget(s, address, err) < 0 ||
                   tkt_db_run(s->db, SQL_SENDER_DROP, err, "b", key, sizeof(key)) < 0 ||
                   tkt_db_run(s->db, SQL_FOREIGN_FORGET, err, "s", address) < 0
               ? -1
               : 0;
}
