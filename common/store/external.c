/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/external.h"

#include "base/util.h"
#include "store/back.h"
#include "store/internal.h"

#include <stdio.h>
#include <string.h>

#define FIELDS_MAX 128
#define ONLY_MAX 512 /* bytes of what an update tells */

int tkt_store_external_set(struct tkt_store *s, const struct tkt_store_external *in,
                           int64_t now_ms, struct tkt_err *err)
{
    size_t n = strlen(in->key);
    int64_t same = 0;

    if (n == 0 || n > TKT_STORE_EXTERNAL_MAX ||
        strlen(in->number) > TKT_STORE_EXTERNAL_MAX) {
        return tkt_err_set(err, TKT_ERR_PERM, "store: no key of an ITSM: %.60s", in->key);
    }
    if (tkt_db_get_int(s->db, SQL_EXTERNAL_IS, &same, err, "ist", in->ticket, in->itsm,
                       in->key) < 0) {
        return -1;
    }
    if (tkt_db_run(s->db, SQL_EXTERNAL_SET, err, "issssii", in->ticket, in->itsm, in->key,
                   in->number, in->url, now_ms, now_ms) < 0) {
        return -1;
    }
    if (tkt_db_run(s->db, SQL_BACK_NEW, err, "isii", in->ticket, in->itsm,
                   now_ms + TKT_STORE_BACK_FIRST_MS, now_ms) < 0) {
        return -1;
    }
    if (same == 1) {
        return 0;
    }
    struct tkt_buf *b = tkt_event_begin(s);
    json_str(b, "itsm", in->itsm);
    json_str(b, "key", in->key);
    json_str(b, "number", in->number);
    json_str_opt(b, "url", in->url);
    return tkt_event_end(s, in->ticket, 0, NULL, "ticket.external", now_ms, err);
}

/* ---- where a ticket stands ------------------------------------------------------------ */

int tkt_store_places_of(struct tkt_store *s, int64_t ticket, struct tkt_store_place *out,
                        int max, struct tkt_err *err)
{
    TKT_AUTO_ROW struct tkt_row row = TKT_ROW_INIT;
    int n = tkt_db_query(s->db, &row, SQL_PLACES_OF, err, "i", ticket);
    int count = 0;

    for (; n == 1 && count < max; n = tkt_row_next(&row, err)) {
        struct tkt_store_place *p = &out[count++];

        (void)snprintf(p->itsm, sizeof(p->itsm), "%s", tkt_row_text(&row, 0));
        (void)snprintf(p->number, sizeof(p->number), "%s", tkt_row_text(&row, 1));
        p->begun_ms = tkt_row_int(&row, 2);
        p->is_told = tkt_row_int(&row, 3) != 0;
    }
    return n < 0 ? -1 : count;
}

int tkt_store_number_of(struct tkt_store *s, const char *id, const char *itsm,
                        char out[TKT_STORE_EXTERNAL_MAX + 1], struct tkt_err *err)
{
    TKT_AUTO_ROW struct tkt_row row = TKT_ROW_INIT;
    struct ticket_row t;

    out[0] = '\0';
    if (tkt_ticket_named(s->db, id, &t, err) < 0) {
        return -1;
    }
    int n = tkt_db_query(s->db, &row, SQL_EXTERNAL_OF, err, "is", t.id, itsm);
    if (n == 1) {
        (void)snprintf(out, TKT_STORE_EXTERNAL_MAX + 1, "%s", tkt_row_text(&row, 1));
    }
    return n < 0 ? -1 : 0;
}

#define ONLY_BEGIN "{\"only\":["
#define ONLY_END "]}"

/* The names that `before` has not, behind those that it has. before: a payload made here,
 * or "". An empty out: anything. */
static void merge_only(const char *before, const char *const *only, struct tkt_buf *out)
{
    size_t n = strlen(before);
    size_t ends = strlen(ONLY_BEGIN) + strlen(ONLY_END);
    bool is_ours = n > ends && strncmp(before, ONLY_BEGIN, strlen(ONLY_BEGIN)) == 0 &&
                   strcmp(before + n - strlen(ONLY_END), ONLY_END) == 0;

    if (only[0] == NULL || (n > 0 && !is_ours)) {
        return;
    }
    tkt_buf_add(out, n > 0 ? before : ONLY_BEGIN,
                n > 0 ? n - strlen(ONLY_END) : strlen(ONLY_BEGIN));
    for (; *only != NULL; only++) {
        char name[32];

        snprintf(name, sizeof(name), "\"%s\"", *only);
        if (strstr(tkt_buf_str(out), name) == NULL) {
            tkt_buf_addf(out, "%s%s", out->len > strlen(ONLY_BEGIN) ? "," : "", name);
        }
    }
    tkt_buf_adds(out, ONLY_END);
}

static int add_update(struct tkt_store *s, int64_t ticket, const char *itsm,
                      const char *const *only, int64_t now_ms, struct tkt_err *err)
{
    TKT_AUTO_ROW struct tkt_row row = TKT_ROW_INIT;
    TKT_AUTO_BUF struct tkt_buf payload = TKT_BUF_INIT(ONLY_MAX);
    int n = tkt_db_query(s->db, &row, SQL_UPDATE_WAITS, err, "is", ticket, itsm);
    int64_t waiting = n == 1 ? tkt_row_int(&row, 0) : 0;

    if (n < 0) {
        return -1;
    }
    if (n == 0 || !tkt_row_null(&row, 1)) {
        merge_only(n == 1 ? tkt_row_text(&row, 1) : "", only, &payload);
    }
    tkt_row_end(&row);
    const char *told = payload.len == 0 || payload.failed ? NULL : tkt_buf_str(&payload);
    if (waiting > 0) {
        return tkt_db_run(s->db, SQL_UPDATE_ONLY, err, "is", waiting, told) < 0 ? -1 : 0;
    }
    return tkt_job_insert(s, ticket, 0, "update", itsm, told, false, now_ms, now_ms,
                          err) < 0
               ? -1
               : 1;
}

int tkt_store_update_add(struct tkt_store *s, int64_t ticket, const char *itsm,
                         const char *const *only, int64_t now_ms, struct tkt_err *err)
{
    bool own = false;

    if (tkt_store_enter(s, &own, err) < 0) {
        return -1;
    }
    int rc = add_update(s, ticket, itsm, only, now_ms, err);
    return tkt_store_leave(s, own, rc, err);
}

/* ---- reading -------------------------------------------------------------------------- */

static bool take_text(const struct tkt_row *row, int col, struct tkt_wire_arena *arena,
                      char **out)
{
    const char *text = tkt_row_text(row, col);

    *out = tkt_wire_arena_strdup(arena, text, strlen(text));
    return *out != NULL;
}

static int no_memory(struct tkt_err *err)
{
    return tkt_err_set(err, TKT_ERR_TEMP, "store: no memory");
}

static int take_ticket(const struct tkt_row *row, struct tkt_wire_arena *arena,
                       struct tkt_reader_full *out, struct tkt_err *err)
{
    const struct {
        int col;
        char **to;
    } texts[] = {{2, &out->desk},       {6, &out->type},
                 {7, &out->category},   {8, &out->subcategory},
                 {9, &out->group},      {10, &out->assignee},
                 {11, &out->requester}, {12, &out->requester_name},
                 {13, &out->subject},   {19, &out->itsm},
                 {23, &out->tags},      {25, &out->service}};
    char name[64];
    char corr[40] = "";
    size_t len = 0;

    for (size_t i = 0; i < TKT_ARRAY_LEN(texts); i++) {
        if (!take_text(row, texts[i].col, arena, texts[i].to)) {
            return no_memory(err);
        }
    }
    (void)snprintf(name, sizeof(name), "%.30s-%" PRId64, tkt_row_text(row, 0),
                   tkt_row_int(row, 1)); /* has room */
    const void *p = tkt_row_blob(row, 20, &len);
    if (p != NULL && len == CORR_LEN) {
        tkt_corr_text(p, corr);
    }
    out->id = tkt_wire_arena_strdup(arena, name, strlen(name));
    out->corr = tkt_wire_arena_strdup(arena, corr, strlen(corr));
    out->state = (enum tkt_ticket_state)tkt_row_int(row, 3);
    out->priority = (int)tkt_row_int(row, 5);
    out->created_ms = tkt_row_int(row, 15);
    out->urgency = (int)tkt_row_int(row, 21);
    out->impact = (int)tkt_row_int(row, 22);
    return out->id == NULL || out->corr == NULL ? no_memory(err) : 0;
}

static int take_fields(struct tkt_reader *r, int64_t ticket, struct tkt_wire_arena *arena,
                       struct tkt_reader_full *out, struct tkt_err *err)
{
    TKT_AUTO_ROW struct tkt_row row = TKT_ROW_INIT;
    int n = tkt_db_query(r->db, &row, SQL_FIELDS_OF, err, "i", ticket);

    out->fields = tkt_wire_arena_alloc(arena, FIELDS_MAX * sizeof(*out->fields));
    if (out->fields == NULL) {
        return no_memory(err);
    }
    for (; n == 1 && out->field_count < FIELDS_MAX; n = tkt_row_next(&row, err)) {
        struct tkt_field *f = &out->fields[out->field_count++];

        if (!take_text(&row, 0, arena, &f->name) ||
            !take_text(&row, 1, arena, &f->value)) {
            return no_memory(err);
        }
    }
    return n < 0 ? -1 : 0;
}

static int take_external(struct tkt_reader *r, int64_t ticket, const char *itsm,
                         struct tkt_wire_arena *arena, struct tkt_reader_full *out,
                         struct tkt_err *err)
{
    TKT_AUTO_ROW struct tkt_row row = TKT_ROW_INIT;
    int n = tkt_db_query(r->db, &row, SQL_EXTERNAL_OF, err, "is", ticket, itsm);
    static char nothing[1];

    out->external = out->number = out->url = nothing;
    if (n == 1 && (!take_text(&row, 0, arena, &out->external) ||
                   !take_text(&row, 1, arena, &out->number) ||
                   !take_text(&row, 2, arena, &out->url))) {
        return no_memory(err);
    }
    return n < 0 ? -1 : 0;
}

int tkt_reader_full(struct tkt_reader *r, int64_t ticket, const char *itsm,
                    struct tkt_wire_arena *arena, struct tkt_reader_full *out,
                    struct tkt_err *err)
{
    TKT_AUTO_ROW struct tkt_row row = TKT_ROW_INIT;
    int n = tkt_db_query(r->db, &row, SQL_SHOW, err, "i", ticket);

    memset(out, 0, sizeof(*out));
    if (n <= 0) {
        return n;
    }
    out->ticket = ticket;
    if (take_ticket(&row, arena, out, err) < 0) {
        return -1;
    }
    /* Its row stays open: all three see the store at one moment, by one lock. */
    return take_fields(r, ticket, arena, out, err) < 0 ||
                   take_external(r, ticket, itsm, arena, out, err) < 0
               ? -1
               : 1;
}

int tkt_reader_comment(struct tkt_reader *r, int64_t message,
                       struct tkt_wire_arena *arena, char **text, char **author,
                       struct tkt_err *err)
{
    TKT_AUTO_ROW struct tkt_row row = TKT_ROW_INIT;
    size_t len = 0;
    int n = tkt_db_query(r->db, &row, SQL_COMMENT_OF, err, "i", message);

    if (n <= 0) {
        return n;
    }
    const void *raw = tkt_row_blob(&row, 0, &len);
    *text = tkt_wire_arena_strdup(arena, raw == NULL ? "" : raw, raw == NULL ? 0 : len);
    return *text == NULL || !take_text(&row, 1, arena, author) ? no_memory(err) : 1;
}

int tkt_reader_by_external(struct tkt_reader *r, const char *itsm, const char *number,
                           const char *address, struct tkt_reader_ticket *out, int max,
                           struct tkt_err *err)
{
    struct tkt_row row = TKT_ROW_INIT;
    int n = tkt_db_query(r->db, &row, SQL_EXTERNAL_NUMBER, err, "ssd", itsm, number, max);

    return tkt_reader_tickets(r, &row, n, address, out, max, err);
}
