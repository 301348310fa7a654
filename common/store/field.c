/* SPDX-License-Identifier: BSD-2-Clause
 * What a decision found out beyond the ticket's own columns: fields, what is missing of
 * them and the question for it, and the record of the decision itself.
 *
 * A ticket without fields that its type must have is born pending. The question to its
 * requester is a job from that moment on; it waits in the queue, where everybody sees it,
 * until there is a channel that can ask. Fields come from its own mail, from answers that
 * may write to it, or from a person's hand; whatever brings the last one moves it on.
 */
#include "base/enc.h"
#include "base/util.h"
#include "store/internal.h"

#include <stdio.h>
#include <string.h>

#define FIELDS_MAX 128 /* of one ticket */
#define FIELD_NAME_MAX 40
#define FIELD_VALUE_MAX 1900 /* the store cuts a text at 2,000 bytes */

/* ---- fields ----------------------------------------------------------------------- */

static bool is_name(const char *name)
{
    size_t n = strlen(name);

    return n > 0 && n <= FIELD_NAME_MAX && name[0] >= 'a' && name[0] <= 'z' &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == n;
}

int tkt_fields_add(struct tkt_store *s, int64_t ticket, const struct tkt_decision *d,
                   struct tkt_err *err)
{
    size_t count = d == NULL ? 0 : TKT_MIN(d->field_count, (size_t)FIELDS_MAX);
    int64_t have = 0;

    if (count == 0) {
        return 0;
    }
    if (tkt_db_get_int(s->db, SQL_FIELD_COUNT, &have, err, "i", ticket) < 0) {
        return -1;
    }
    for (size_t i = 0; i < count && have < FIELDS_MAX; i++) {
        const struct tkt_field *f = &d->fields[i];
        int n = 0;
        if (f->value[0] != '\0' && is_name(f->name)) {
            n = tkt_db_run(s->db, SQL_FIELD_ADD, err, "ist", ticket, f->name, f->value);
        }
        if (n < 0) {
            return -1;
        }
        have += n;
    }
    return 0;
}

int tkt_field_set(struct tkt_store *s, struct ticket_row *t, const char *name,
                  const char *value, const char *who, int64_t now_ms, struct tkt_err *err)
{
    char field[FIELD_NAME_MAX + 8];
    int64_t have = 0;
    int64_t one = 0;

    if (!is_name(name)) {
        return tkt_err_set(err, TKT_ERR_PERM,
                           "a field is named by a-z, 0-9 and _, not \"%.60s\"", name);
    }
    if (strlen(value) > FIELD_VALUE_MAX) {
        return tkt_err_set(err, TKT_ERR_PERM, "a field has at most %d bytes",
                           FIELD_VALUE_MAX);
    }
    int known = tkt_db_get_int(s->db, SQL_FIELD_HAS, &one, err, "is", t->id, name);
    if (known < 0 || tkt_db_get_int(s->db, SQL_FIELD_COUNT, &have, err, "i", t->id) < 0) {
        return -1;
    }
    if (known == 0 && have >= FIELDS_MAX) {
        return tkt_err_set(err, TKT_ERR_PERM, "%s has %d fields already", t->name,
                           FIELDS_MAX);
    }
    int n = value[0] == '\0'
                ? tkt_db_run(s->db, SQL_FIELD_DROP, err, "is", t->id, name)
                : tkt_db_run(s->db, SQL_FIELD_SET, err, "ist", t->id, name, value);
    if (n < 0 || tkt_db_run(s->db, SQL_TICKET_TOUCH, err, "ii", t->id, now_ms) < 0) {
        return -1;
    }
    snprintf(field, sizeof(field), "field:%s", name);
    struct tkt_buf *b = tkt_event_begin(s);
    json_str(b, "field", field);
    json_str(b, "value", value);
    json_str_opt(b, "who", who);
    if (tkt_event_end(s, t->id, 0, NULL, "ticket.set", now_ms, err) < 0) {
        return -1;
    }
    return tkt_missing_look(s, t, who, now_ms, err);
}

int tkt_fields_json(struct tkt_db *db, int64_t ticket, const char *key, struct tkt_buf *b,
                    struct tkt_err *err)
{
    TKT_AUTO_ROW struct tkt_row row = TKT_ROW_INIT;
    int n = tkt_db_query(db, &row, SQL_FIELDS_OF, err, "i", ticket);

    json_open(b, key, '{');
    for (; n == 1; n = tkt_row_next(&row, err)) {
        json_sep(b);
        (void)tkt_json_add_string(b, tkt_row_text(&row, 0), /* b->failed tells */
                                  strlen(tkt_row_text(&row, 0)));
        (void)tkt_buf_addc(b, ':'); /* the same */
        json_str(b, NULL, tkt_row_text(&row, 1));
    }
    json_close(b, '}');
    return n;
}

/* ---- what is missing -------------------------------------------------------------- */

bool tkt_question_make(const struct tkt_decision *d, const char *text,
                       const char *language, struct tkt_buf *out)
{
    /* Machines and lists are asked nothing: nobody would ever answer. */
    if (d->missing.count == 0 || !d->acknowledge) {
        return false;
    }
    (void)tkt_buf_addc(out, '{'); /* out->failed tells in the end */
    json_open(out, "fields", '[');
    for (size_t i = 0; i < d->missing.count; i++) {
        json_str(out, NULL, d->missing.items[i]);
    }
    json_close(out, ']');
    json_str_opt(out, "language", language);
    json_str_opt(out, "text", text);
    json_close(out, '}');
    if (out->failed) { /* more than anybody would answer */
        tkt_buf_reset(out);
        return false;
    }
    return true;
}

int tkt_question_ask(struct tkt_store *s, struct ticket_row *t, int64_t message,
                     int64_t now_ms, struct tkt_err *err)
{
    TKT_AUTO_ROW struct tkt_row row = TKT_ROW_INIT;
    TKT_AUTO_BUF struct tkt_buf names = TKT_BUF_INIT(LINES_MAX + 1);
    TKT_AUTO_BUF struct tkt_buf question = TKT_BUF_INIT(QUESTION_MAX);

    if (!(t->flags & T_MISSING) || t->state != TKT_STATE_NEW) {
        return 0;
    }
    int n = tkt_db_query(s->db, &row, SQL_MISSING_GET, err, "i", t->id);
    if (n < 0) {
        return -1;
    }
    if (n == 0 || tkt_buf_adds(&names, tkt_row_text(&row, 0)) < 0 ||
        tkt_buf_adds(&question, tkt_row_text(&row, 1)) < 0) {
        return tkt_err_set(err, TKT_ERR_TEMP, "store: %s: its question is damaged",
                           t->name);
    }
    tkt_row_end(&row);
    for (char *c = names.data; c != NULL && *c != '\0'; c++) {
        *c = *c == '\n' ? ' ' : *c;
    }
    char reason[200];
    snprintf(reason, sizeof(reason), "missing: %.180s", tkt_buf_str(&names));
    if (tkt_ticket_move(s, t, TKT_STATE_PENDING, "", reason, now_ms, err) < 0) {
        return -1;
    }
    return tkt_job_insert(s, t->id, message, "question", TKT_STORE_CHANNEL,
                          tkt_buf_str(&question), false, now_ms, now_ms, err);
}

/* What nobody needs to ask any more. A worker that holds it ends it himself. */
static int drop_questions(struct tkt_store *s, int64_t ticket, int64_t now_ms,
                          struct tkt_err *err)
{
    struct job_move drop = {
        .to = JOB_DONE, .due_ms = now_ms, .reason = "the fields are there"};
    int64_t id = 0;
    int n;

    while ((n = tkt_db_get_int(s->db, SQL_QUESTION_NEXT, &id, err, "i", ticket)) == 1) {
        struct job_row j;
        if (tkt_job_load(s->db, id, &j, err) != 1 ||
            tkt_job_move(s, &j, &drop, now_ms, err) < 0) {
            return -1;
        }
    }
    return n;
}

static int completed(struct tkt_store *s, struct ticket_row *t, const char *who,
                     int64_t now_ms, struct tkt_err *err)
{
    struct tkt_buf *b = tkt_event_begin(s);

    json_str_opt(b, "who", who);
    if (tkt_event_end(s, t->id, 0, NULL, "ticket.complete", now_ms, err) < 0 ||
        drop_questions(s, t->id, now_ms, err) < 0) {
        return -1;
    }
    return t->state == TKT_STATE_PENDING
               ? tkt_ticket_move(s, t, TKT_STATE_OPEN, who, "nothing is missing now",
                                 now_ms, err)
               : 0;
}

/* Names of the list that are no fields yet. -1 or how many were found. */
static int still_missing(struct tkt_store *s, int64_t ticket, char *names,
                         struct tkt_buf *left, struct tkt_err *err)
{
    char *rest = NULL;
    int found = 0;

    for (char *name = strtok_r(names, "\n", &rest); name != NULL;
         name = strtok_r(NULL, "\n", &rest)) {
        int64_t one = 0;
        int n = tkt_db_get_int(s->db, SQL_FIELD_HAS, &one, err, "is", ticket, name);
        if (n < 0) {
            return -1;
        }
        found += n;
        if (n == 0) {
            (void)tkt_buf_addf(left, "%s%s", left->len > 0 ? "\n" : "",
                               name); /* no longer than what was read */
        }
    }
    return found;
}

int tkt_missing_look(struct tkt_store *s, struct ticket_row *t, const char *who,
                     int64_t now_ms, struct tkt_err *err)
{
    TKT_AUTO_ROW struct tkt_row row = TKT_ROW_INIT;
    TKT_AUTO_BUF struct tkt_buf left = TKT_BUF_INIT(LINES_MAX + 1);

    if (!(t->flags & T_MISSING)) {
        return 0;
    }
    int n = tkt_db_query(s->db, &row, SQL_MISSING_GET, err, "i", t->id);
    if (n < 0) {
        return -1;
    }
    TKT_AUTO_FREE char *names = strdup(n == 1 ? tkt_row_text(&row, 0) : "");
    tkt_row_end(&row);
    if (names == NULL) {
        return tkt_err_set(err, TKT_ERR_TEMP, "store: no memory");
    }
    int found = still_missing(s, t->id, names, &left, err);
    if (found <= 0) {
        return found;
    }
    if (left.len == 0) {
        t->flags &= ~T_MISSING;
    }
    if (tkt_db_run(s->db, SQL_MISSING_SET, err, "itdi", t->id, tkt_buf_str(&left),
                   t->flags, now_ms) < 0) {
        return -1;
    }
    return left.len == 0 ? completed(s, t, who, now_ms, err) : 0;
}

/* ---- the record --------------------------------------------------------------------- */

int tkt_decided_note(struct tkt_store *s, int64_t ticket, const struct message_row *m,
                     const char *record, int64_t now_ms, struct tkt_err *err)
{
    if (record == NULL || record[0] == '\0') {
        return 0;
    }
    return tkt_event_write(s, ticket, m->id, m->sha256, "message.decided",
                           strlen(record) <= EVENT_DATA_MAX ? record : "{\"cut\":true}",
                           now_ms, err);
}
