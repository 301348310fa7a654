/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/heard.h"

#include "base/util.h"
#include "store/internal.h"
#include "store/notice.h"

#include <stdio.h>
#include <string.h>

#define REASON_MAX 200
#define ARRIVED (TKT_HEARD_DELIVERED | TKT_HEARD_READ)

static int tell(struct tkt_store *s, const struct job_row *j,
                const struct tkt_store_heard *in, const char *kind, bool settled,
                int64_t now_ms, struct tkt_err *err)
{
    struct tkt_buf *b = tkt_event_begin(s);

    json_str_opt(b, "what", in->on);
    json_str(b, "channel", in->channel);
    json_str_opt(b, "to", in->to);
    json_str_opt(b, "id", in->id);
    json_str_opt(b, "code", in->code);
    json_str_opt(b, "reason", in->words);
    json_int(b, "job", j->id);
    if (settled) {
        json_bool(b, "settled", true);
    }
    return tkt_event_end(s, j->ticket, 0, NULL, kind, now_ms, err);
}

/* Its answer was lost, or a trial failed behind it: it has been told all the same. What a
 * worker holds ends when its next try looks here. 1, 0, -1. */
static int settle(struct tkt_store *s, struct job_row *j,
                  const struct tkt_store_heard *in, int64_t now_ms, struct tkt_err *err)
{
    const struct job_move m = {.to = JOB_DONE,
                               .due_ms = j->run_after,
                               .doubt = TKT_DOUBT_CLEAR,
                               .reason = "told: its service says that it has it"};

    if (j->attempts == 0 || j->state == JOB_CLAIMED || j->state == JOB_DONE) {
        return 0;
    }
    return tell(s, j, in, "notice.told", true, now_ms, err) < 0 ||
                   tkt_job_move(s, j, &m, now_ms, err) < 0
               ? -1
               : 1;
}

static int mark(struct tkt_store *s, const struct job_row *j,
                const struct tkt_store_heard *in, int64_t now_ms, struct tkt_err *err)
{
    char reason[REASON_MAX];
    const struct tkt_store_contact_failed failed = {.address = in->to,
                                                    .reason = reason,
                                                    .ticket = j->ticket,
                                                    .after = in->failed_after};

    (void)snprintf(reason, sizeof(reason), "%s%s%s", in->code, /* cut is fine */
                   in->code[0] != '\0' && in->words[0] != '\0' ? " " : "", in->words);
    if (!in->is_person || in->to[0] == '\0') {
        return 0;
    }
    if (in->what == TKT_HEARD_UNWANTED) {
        return tkt_store_contact_mark(s, in->to, TKT_CONTACT_OPTED_OUT,
                                      reason[0] != '\0' ? reason : "by its service",
                                      j->ticket, now_ms, err);
    }
    return in->what == TKT_HEARD_FAILED && in->failed_after > 0
               ? tkt_store_contact_failed(s, &failed, now_ms, err)
               : 0;
}

static int apply(struct tkt_store *s, struct job_row *j, const struct tkt_store_heard *in,
                 unsigned had, int64_t now_ms, enum tkt_heard_result *out,
                 struct tkt_err *err)
{
    bool arrived = (in->what & ARRIVED) != 0 && (had & ARRIVED) == 0;
    /* Whoever read it has it, whatever else is said. */
    bool failed = in->what == TKT_HEARD_FAILED && (had & TKT_HEARD_READ) == 0;
    int settled = settle(s, j, in, now_ms, err);

    if (settled < 0 || tkt_db_run(s->db, SQL_JOB_HEARD_SET, err, "id", j->id,
                                  (int)(had | in->what)) < 0) {
        return -1;
    }
    *out = settled == 1 ? TKT_HEARD_SETTLED : TKT_HEARD_NEW;
    if ((arrived || failed) &&
        tell(s, j, in, arrived ? "notice.delivered" : "notice.failed", false, now_ms,
             err) < 0) {
        return -1;
    }
    return in->what == TKT_HEARD_FAILED && !failed ? 0 : mark(s, j, in, now_ms, err);
}

static int heard(struct tkt_store *s, const struct tkt_store_heard *in, int64_t now_ms,
                 enum tkt_heard_result *out, struct tkt_err *err)
{
    struct job_row j;
    int64_t had = 0;
    int n = tkt_job_load(s->db, in->job, &j, err);

    *out = TKT_HEARD_UNKNOWN;
    if (n <= 0 || strcmp(j.kind, TKT_STORE_NOTICE_JOB) != 0 ||
        strcmp(j.target, in->channel) != 0) {
        return n < 0 ? -1 : 0;
    }
    if (tkt_db_get_int(s->db, SQL_JOB_HEARD, &had, err, "i", in->job) < 0) {
        return -1;
    }
    if (((unsigned)had & in->what) != 0) {
        *out = TKT_HEARD_AGAIN;
        return 0;
    }
    return apply(s, &j, in, (unsigned)had, now_ms, out, err);
}

int tkt_store_heard(struct tkt_store *s, const struct tkt_store_heard *in, int64_t now_ms,
                    enum tkt_heard_result *out, struct tkt_err *err)
{
    bool own = false;

    if (tkt_store_enter(s, &own, err) < 0) {
        return -1;
    }
    int rc = heard(s, in, now_ms, out, err);
    return tkt_store_leave(s, own, rc, err);
}

int tkt_reader_heard(struct tkt_reader *r, int64_t job, struct tkt_wire_arena *arena,
                     struct tkt_reader_heard *out, struct tkt_err *err)
{
    TKT_AUTO_ROW struct tkt_row row = TKT_ROW_INIT;
    char corr[40];
    size_t len = 0;
    int n = tkt_db_query(r->db, &row, SQL_NOTICE_JOB, err, "i", job);

    if (n <= 0) {
        return n;
    }
    const char *target = tkt_row_text(&row, 0);
    const char *payload = tkt_row_text(&row, 1);
    const void *blob = tkt_row_blob(&row, 3, &len);
    corr[0] = '\0';
    if (blob != NULL && len == CORR_LEN) {
        tkt_corr_text(blob, corr);
    }
    out->heard = (unsigned)tkt_row_int(&row, 2);
    out->target = tkt_wire_arena_strdup(arena, target, strlen(target));
    out->payload = tkt_wire_arena_strdup(arena, payload, strlen(payload));
    out->corr = tkt_wire_arena_strdup(arena, corr, strlen(corr));
    return out->target == NULL || out->payload == NULL || out->corr == NULL
               ? tkt_err_set(err, TKT_ERR_TEMP, "store: no memory")
               : 1;
}
