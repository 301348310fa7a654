/* SPDX-License-Identifier: BSD-2-Clause
 * What a language model said later: kept answers, and what they change.
 */
#include "base/enc.h"
#include "store/assign.h"
#include "store/internal.h"
#include "store/store.h"

#include <stdio.h>
#include <string.h>

/* ---- kept answers ----------------------------------------------------------------------- */

int tkt_reader_answer(struct tkt_reader *r, const unsigned char key[TKT_SHA256_LEN],
                      int64_t since_ms, struct tkt_buf *out, struct tkt_err *err)
{
    TKT_AUTO_ROW struct tkt_row row = TKT_ROW_INIT;
    int n = tkt_db_query(r->db, &row, SQL_ANSWER_GET, err, "bi", key,
                         (size_t)TKT_SHA256_LEN, since_ms);

    if (n <= 0) {
        return n;
    }
    return tkt_buf_adds(out, tkt_row_text(&row, 0)) < 0
               ? tkt_err_set(err, TKT_ERR_TEMP, "store: no memory for an answer")
               : 1;
}

static int keep_answer(struct tkt_store *s, const struct tkt_store_answer *a,
                       int64_t ticket, int64_t now_ms, struct tkt_err *err)
{
    int64_t count = 0;

    if (tkt_db_run(s->db, SQL_ANSWER_PUT, err, "biis", a->key, (size_t)TKT_SHA256_LEN,
                   now_ms, ticket, a->data) < 0 ||
        tkt_db_run(s->db, SQL_ANSWERS_EXPIRE, err, "i", now_ms - a->keep_ms) < 0 ||
        tkt_db_get_int(s->db, SQL_ANSWERS_COUNT, &count, err, "") < 0) {
        return -1;
    }
    return count > a->keep_max
               ? tkt_db_run(s->db, SQL_ANSWERS_OLDEST, err, "i", count - a->keep_max)
               : 0;
}

/* ---- what it changes ---------------------------------------------------------------------- */

static int set(struct tkt_store *s, const char *id, const char *field, const char *value,
               int64_t now_ms, struct tkt_err *err)
{
    return tkt_store_set(s, id, field, value, TKT_BY_LLM, now_ms, err);
}

static int set_number(struct tkt_store *s, const char *id, const char *field, int value,
                      int64_t now_ms, struct tkt_err *err)
{
    char digits[16];

    snprintf(digits, sizeof(digits), "%d", value);
    return set(s, id, field, digits, now_ms, err);
}

static bool has_people(const struct tkt_roster *roster, const char *group)
{
    const struct tkt_roster_group *g =
        roster != NULL ? tkt_roster_group(roster, group) : NULL;

    return g != NULL && g->strategy != TKT_ASSIGN_NONE;
}

/* To the group of its category, unless a rule or a person named one; whoever it was given
 * to by itself gives it back. */
static int move_to_group(struct tkt_store *s, const struct tkt_store_refined_in *in,
                         const struct ticket_row *t, struct tkt_err *err)
{
    int64_t named = 0;

    if (in->group == NULL || in->group[0] == '\0' || strcmp(in->group, t->group) == 0 ||
        (t->flags & T_GROUP_OPEN) == 0 || !tkt_ticket_untouched(t)) {
        return 0;
    }
    if (tkt_db_get_int(s->db, SQL_TICKET_GROUP_NAMED, &named, err, "i", t->id) < 0) {
        return -1;
    }
    if (named > 0) {
        return 0;
    }
    if (set(s, t->name, "group", in->group, in->now_ms, err) < 0) {
        return -1;
    }
    if ((t->flags & T_SHADOW) != 0 ||
        (t->assignee[0] == '\0' && !has_people(in->roster, in->group))) {
        return 0;
    }
    const struct tkt_store_assign_in to = {.ticket = t->id,
                                           .roster = in->roster,
                                           .group = in->group,
                                           .who = "",
                                           .reason = "group of its category",
                                           .only_untouched = true,
                                           .now_ms = in->now_ms};
    struct tkt_store_assign_out out;

    return tkt_store_assign(s, &to, &out, err);
}

/* Only what nobody has decided, by now. */
static int fill_gaps(struct tkt_store *s, const struct tkt_store_refined_in *in,
                     const struct ticket_row *t, struct tkt_err *err)
{
    TKT_AUTO_ROW struct tkt_row row = TKT_ROW_INIT;
    int n = tkt_db_query(s->db, &row, SQL_TICKET_GAPS, err, "i", t->id);

    if (n <= 0) {
        return n;
    }
    bool has_category = tkt_row_text(&row, 0)[0] != '\0';
    bool has_urgency = tkt_row_int(&row, 1) != 0;
    tkt_row_end(&row);

    if (in->category[0] != '\0' && !has_category &&
        (set(s, t->name, "category", in->category, in->now_ms, err) < 0 ||
         move_to_group(s, in, t, err) < 0)) {
        return -1;
    }
    if (in->urgency != 0 && !has_urgency) {
        if (set_number(s, t->name, "urgency", in->urgency, in->now_ms, err) < 0) {
            return -1;
        }
        if (in->priority != 0 && t->priority == in->if_priority &&
            in->priority != t->priority &&
            set_number(s, t->name, "priority", in->priority, in->now_ms, err) < 0) {
            return -1;
        }
    }
    return in->comment[0] == '\0' ? 0
                                  : tkt_store_comment(s, t->name, in->comment, false,
                                                      TKT_BY_LLM, in->now_ms, err);
}

static int refined(struct tkt_store *s, const struct tkt_store_refined_in *in,
                   struct tkt_err *err)
{
    struct ticket_row t;
    int n = tkt_ticket_load(s->db, in->ticket, &t, err);

    if (n <= 0) {
        return n < 0
                   ? -1
                   : tkt_err_set(err, TKT_ERR_PERM, "no ticket row %" PRId64, in->ticket);
    }
    if (in->is_answer && (t.flags & T_ERASED) == 0 && fill_gaps(s, in, &t, err) < 0) {
        return -1;
    }
    if (in->answer != NULL && (t.flags & T_ERASED) == 0 &&
        keep_answer(s, in->answer, t.id, in->now_ms, err) < 0) {
        return -1;
    }
    return tkt_store_event(s, t.id, in->is_answer ? "llm.answered" : "llm.kept",
                           in->event_json, in->now_ms, err);
}

int tkt_store_refined(struct tkt_store *s, const struct tkt_store_refined_in *in,
                      struct tkt_err *err)
{
    bool own = false;

    if (tkt_store_enter(s, &own, err) < 0) {
        return -1;
    }
    int rc = refined(s, in, err);
    return tkt_store_leave(s, own, rc, err);
}

int tkt_store_job_turn(struct tkt_store *s, int64_t job, const char *owner,
                       const char *kind, int64_t now_ms, struct tkt_err *err)
{
    bool own = false;

    if (tkt_store_enter(s, &own, err) < 0) {
        return -1;
    }
    int rc = tkt_store_job_finish(s, job, owner, TKT_JOB_RETURN, now_ms, "", now_ms, err);
    if (rc == 0) {
        rc = tkt_db_run(s->db, SQL_JOB_TURN, err, "isi", job, kind, now_ms) < 0 ? -1 : 0;
    }
    return tkt_store_leave(s, own, rc, err);
}
