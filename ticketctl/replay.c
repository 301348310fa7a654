/* SPDX-License-Identifier: BSD-2-Clause
 * Stored mails decided by another configuration or model, beside the one in force: what
 * would change, before it goes live. Nothing is written anywhere. */
#include "base/clock.h"
#include "base/util.h"
#include "ticketctl/ctl.h"
#include "ticketctl/out.h"
#include "ticketctl/parts.h"
#include "ticketctl/sample.h"

#include <string.h>

#define EXIT_DIFFERS 1
#define LIMIT_DEFAULT 10000
#define LIMIT_MAX 10000000
#define MOVES_MAX 256 /* kinds of group changes that are told apart */
#define MOVES_SHOWN 30
#define SINCE_DEFAULT_MS (7 * 86400 * INT64_C(1000))

struct move { /* of groups */
    char *from;
    char *to;
    long count;
};

struct replay {
    struct tkt_ctl *ctl;
    struct tkt_conf *old;
    bool recorded; /* the old side is what was decided then */
    bool only_changes;
    struct tkt_ctl_rerun rerun;
    struct tkt_ctl_samples samples;
    struct tkt_ctl_parts before;
    struct tkt_ctl_parts after;
    long mails, changed, failed, unknown;
    long by_part[TKT_PART_COUNT];
    struct move moves[MOVES_MAX];
    size_t move_count;
    long other_moves;
    int64_t start_us;
};

/* ---- counting ------------------------------------------------------------------------- */

static int count_move(struct replay *r, const char *from, const char *to)
{
    for (size_t i = 0; i < r->move_count; i++) {
        if (strcmp(r->moves[i].from, from) == 0 && strcmp(r->moves[i].to, to) == 0) {
            r->moves[i].count++;
            return 0;
        }
    }
    if (r->move_count == MOVES_MAX) {
        r->other_moves++;
        return 0;
    }
    struct move *m = &r->moves[r->move_count];
    *m = (struct move){strdup(from), strdup(to), 1};
    if (m->from == NULL || m->to == NULL) {
        free(m->from);
        free(m->to);
        return tkt_ctl_fail(EX_OSERR, "out of memory");
    }
    r->move_count++;
    return 0;
}

static int count(struct replay *r, uint32_t bits)
{
    r->mails++;
    r->changed += bits != 0;
    for (int i = 0; i < TKT_PART_COUNT; i++) {
        r->by_part[i] += (bits >> i & 1) != 0;
    }
    return (bits >> TKT_PART_GROUP & 1) != 0
               ? count_move(r, tkt_buf_str(&r->before.texts[TKT_PART_GROUP]),
                            tkt_buf_str(&r->after.texts[TKT_PART_GROUP]))
               : 0;
}

static int by_count(const void *a, const void *b)
{
    const struct move *x = a;
    const struct move *y = b;
    return x->count != y->count            ? (x->count < y->count ? 1 : -1)
           : strcmp(x->from, y->from) != 0 ? strcmp(x->from, y->from)
                                           : strcmp(x->to, y->to);
}

/* ---- one mail ------------------------------------------------------------------------- */

static const char *or_dash(const struct tkt_buf *text)
{
    return text->len > 0 ? tkt_buf_str(text) : "-";
}

static void put_line(const struct replay *r, const struct tkt_ctl_sample *s,
                     uint32_t bits)
{
    TKT_AUTO_BUF struct tkt_buf line = TKT_BUF_INIT(65536);
    const char *sep = "  ";

    (void)tkt_buf_addf(&line, "%s", s->mail.ticket_id); /* what does not fit is cut */
    for (int i = 0; i < TKT_PART_COUNT; i++) {
        if ((bits >> i & 1) != 0) {
            (void)tkt_buf_addf(&line, "%s%s: %s -> %s", sep, tkt_decision_part_names[i],
                               or_dash(&r->before.texts[i]), /* the same */
                               or_dash(&r->after.texts[i]));
            sep = "; ";
        }
    }
    (void)tkt_buf_adds(&line, bits == 0 ? "  same" : ""); /* the same */
    tkt_ctl_put_clean(stdout, tkt_buf_str(&line));
    putchar('\n');
}

static int put_json(const struct replay *r, const struct tkt_ctl_sample *s, uint32_t bits)
{
    cJSON *o = cJSON_CreateObject();
    cJSON *differs = cJSON_AddArrayToObject(o, "differs");
    char at[32];
    int rc = EX_OSERR;

    tkt_clock_format(s->at_ms, at);
    for (int i = 0; i < TKT_PART_COUNT; i++) {
        if ((bits >> i & 1) != 0) {
            cJSON_AddItemToArray(differs, cJSON_CreateString(tkt_decision_part_names[i]));
        }
    }
    cJSON *before = tkt_ctl_parts_json(&r->before);
    cJSON *after = tkt_ctl_parts_json(&r->after);
    if (cJSON_AddStringToObject(o, "ticket", s->mail.ticket_id) != NULL &&
        cJSON_AddNumberToObject(o, "message", (double)s->message) != NULL &&
        cJSON_AddStringToObject(o, "at", at) != NULL &&
        cJSON_AddStringToObject(o, "desk", s->mail.desk) != NULL && before != NULL &&
        after != NULL) {
        cJSON_AddItemToObject(o, "old", before);
        cJSON_AddItemToObject(o, "new", after);
        rc = tkt_ctl_print_json(o);
    } else {
        cJSON_Delete(before);
        cJSON_Delete(after);
        rc = tkt_ctl_fail(EX_OSERR, "out of memory");
    }
    cJSON_Delete(o);
    return rc;
}

/* As the record has it: longer texts are cut there. */
static int recorded_form(const struct tkt_decision *d, const char *desk,
                         struct tkt_ctl_parts *out)
{
    TKT_AUTO_BUF struct tkt_buf record = TKT_BUF_INIT(2 * TKT_DECISION_RECORD_MAX);
    cJSON *json = NULL;

    if (d != NULL) {
        if (tkt_decision_record(d, desk, "", &record) < 0 ||
            (json = cJSON_ParseWithLength(record.data, record.len)) == NULL) {
            return tkt_ctl_fail(EX_OSERR, "out of memory");
        }
    }
    tkt_ctl_parts_of_record(out, json);
    cJSON_Delete(json);
    return 0;
}

static int compare(struct replay *r, const struct tkt_ctl_sample *s,
                   const struct tkt_decisions sides[TKT_CTL_RERUN_SIDES])
{
    const struct tkt_decision *now = sides[1].count > 0 ? &sides[1].items[0] : NULL;

    if (r->recorded) {
        if (s->record == NULL) { /* from before records, or nothing but settings */
            r->unknown++;
            return 0;
        }
        tkt_ctl_parts_of_record(&r->before, s->record);
        int rc = recorded_form(now, s->mail.desk, &r->after);
        if (rc != 0) {
            return rc;
        }
    } else {
        tkt_ctl_parts_of(&r->before, sides[0].count > 0 ? &sides[0].items[0] : NULL);
        tkt_ctl_parts_of(&r->after, now);
    }
    uint32_t bits = tkt_ctl_parts_diff(&r->before, &r->after);
    int rc = count(r, bits);
    if (rc != 0 || r->ctl->quiet || (bits == 0 && r->only_changes)) {
        return rc;
    }
    if (r->ctl->json) {
        return put_json(r, s, bits);
    }
    put_line(r, s, bits);
    return 0;
}

static int run_one(struct replay *r, const struct tkt_ctl_sample *s)
{
    struct tkt_decisions sides[TKT_CTL_RERUN_SIDES];
    struct tkt_err err = TKT_ERR_INIT;

    if (s->is_skipped) {
        r->failed++;
        return 0;
    }
    if (tkt_ctl_rerun(&r->rerun, &s->mail, sides, &err) < 0) {
        if (err.class != TKT_ERR_PERM) {
            return tkt_ctl_fail_err(&err);
        }
        tkt_err_prefix(&err, "%s, message %lld", s->mail.ticket_id,
                       (long long)s->message);
        (void)tkt_ctl_fail_err(&err); /* one mail is no reason to end */
        r->failed++;
        return 0;
    }
    int rc = compare(r, s, sides);
    for (int i = 0; i < TKT_CTL_RERUN_SIDES; i++) {
        tkt_decisions_release(&sides[i]);
    }
    return rc;
}

/* ---- the end -------------------------------------------------------------------------- */

static void put_moves(struct replay *r)
{
    size_t shown = TKT_MIN(r->move_count, (size_t)MOVES_SHOWN);
    long rest = r->other_moves;

    if (r->move_count == 0) {
        return;
    }
    puts("\ngroups");
    for (size_t i = 0; i < r->move_count; i++) {
        char line[200];
        if (i >= shown) {
            rest += r->moves[i].count;
            continue;
        }
        snprintf(line, sizeof line, "  %6ld  %.80s -> %.80s", r->moves[i].count,
                 r->moves[i].from[0] != '\0' ? r->moves[i].from : "-",
                 r->moves[i].to[0] != '\0' ? r->moves[i].to : "-");
        tkt_ctl_put_clean(stdout, line);
        putchar('\n');
    }
    if (rest > 0) {
        printf("  %6ld  other changes\n", rest);
    }
}

static void put_summary(struct replay *r)
{
    double seconds = (double)(tkt_clock_mono_us() - r->start_us) / 1e6;

    printf("%s%ld mails, %ld decided differently (%.1f %%)%s\n",
           r->mails > 0 && !(r->only_changes && r->changed == 0) ? "\n" : "", r->mails,
           r->changed, r->mails > 0 ? 100.0 * (double)r->changed / (double)r->mails : 0.0,
           r->mails == 0 ? ": nothing was compared" : "");
    for (int i = 0; i < TKT_PART_COUNT; i++) {
        if (r->by_part[i] > 0) {
            printf("  %6ld  %s\n", r->by_part[i], tkt_decision_part_names[i]);
        }
    }
    put_moves(r);
    if (r->unknown > 0) {
        printf("\n%ld mails have no record of their decision\n", r->unknown);
    }
    if (r->failed > 0) {
        printf("\n%ld mails could not be read\n", r->failed);
    }
    printf("\n%.0f mails a second\n", seconds > 0 ? (double)r->mails / seconds : 0.0);
}

static int print_json_summary(struct replay *r)
{
    cJSON *o = cJSON_CreateObject();
    cJSON *s = cJSON_AddObjectToObject(o, "summary");
    cJSON *parts = cJSON_AddObjectToObject(s, "parts");
    cJSON *groups = cJSON_AddArrayToObject(s, "groups");
    int rc = EX_OSERR;

    for (int i = 0; i < TKT_PART_COUNT; i++) {
        if (r->by_part[i] > 0) { /* rc tells of memory in the end */
            (void)cJSON_AddNumberToObject(parts, tkt_decision_part_names[i],
                                          (double)r->by_part[i]);
        }
    }
    for (size_t i = 0; i < r->move_count; i++) {
        cJSON *m = cJSON_CreateObject();
        (void)cJSON_AddStringToObject(m, "old", r->moves[i].from); /* as above */
        (void)cJSON_AddStringToObject(m, "new", r->moves[i].to);
        (void)cJSON_AddNumberToObject(m, "count", (double)r->moves[i].count);
        cJSON_AddItemToArray(groups, m);
    }
    if (cJSON_AddNumberToObject(s, "mails", (double)r->mails) != NULL &&
        cJSON_AddNumberToObject(s, "changed", (double)r->changed) != NULL &&
        cJSON_AddNumberToObject(s, "failed", (double)r->failed) != NULL &&
        cJSON_AddNumberToObject(s, "unrecorded", (double)r->unknown) != NULL) {
        rc = tkt_ctl_print_json(o);
    } else {
        rc = tkt_ctl_fail(EX_OSERR, "out of memory");
    }
    cJSON_Delete(o);
    return rc;
}

/* ---- the begin ------------------------------------------------------------------------ */

static int parse_times(struct replay *r)
{
    struct tkt_ctl *ctl = r->ctl;
    const char *until = tkt_ctl_opt(ctl, "until");
    const char *since;
    char text[24];
    int64_t now = tkt_clock_wall_ms();
    int rc = tkt_ctl_since_arg(ctl, text, &since);

    if (rc != 0) {
        return rc;
    }
    r->samples.since_ms =
        since != NULL ? strtoll(since, NULL, 10) : now - SINCE_DEFAULT_MS;
    if (until != NULL && tkt_ctl_parse_since(until, now, &r->samples.until_ms) < 0) {
        return tkt_ctl_fail(EX_USAGE,
                            "--until wants 30m, 2h, 7d, 2026-11-22 or "
                            "\"2026-11-22 14:30\", not \"%s\"",
                            until);
    }
    return tkt_ctl_opt_int(ctl, "limit", 1, LIMIT_MAX, LIMIT_DEFAULT, &r->samples.limit);
}

/* --against, else what ticketd says it runs by. */
static int load_old(struct replay *r)
{
    const char *path = tkt_ctl_opt(r->ctl, "against");
    struct tkt_err err = TKT_ERR_INIT;
    cJSON *status = NULL;
    int rc = 0;

    if (r->recorded) {
        return 0;
    }
    if (path == NULL) {
        struct tkt_control_reply reply;
        rc = tkt_ctl_call(r->ctl, "status", NULL, 0, -1, TKT_CTL_TIMEOUT_MS, &reply);
        if (rc == 0) {
            rc = tkt_ctl_read_json(reply.fd, &status);
            tkt_control_reply_release(&reply);
        }
        path = tkt_ctl_str(cJSON_GetObjectItemCaseSensitive(status, "ticketd"), "config");
        if (rc == 0 && path[0] == '\0') {
            rc = tkt_ctl_fail(EX_USAGE, "ticketd does not say by which configuration it "
                                        "runs: name it with --against");
        }
    }
    if (rc == 0) {
        r->old = tkt_conf_load(path, &err);
        rc = r->old != NULL ? 0 : tkt_ctl_fail_err(&err);
    }
    cJSON_Delete(status);
    return rc;
}

static int begin(struct replay *r)
{
    struct tkt_err err = TKT_ERR_INIT;
    int rc = parse_times(r);

    if (rc != 0 || (rc = tkt_ctl_conf(r->ctl)) != 0 || (rc = load_old(r)) != 0) {
        return rc;
    }
    const struct tkt_ctl_rerun_side sides[] = {
        {.conf = r->old}, {.conf = r->ctl->conf, .model = tkt_ctl_opt(r->ctl, "model")}};
    return tkt_ctl_rerun_start(&r->rerun, sides, &err) < 0 ? tkt_ctl_fail_err(&err) : 0;
}

static int run(struct replay *r)
{
    struct tkt_ctl_sample s;
    int code = 0;
    int n;

    while ((n = tkt_ctl_samples_next(&r->samples, &s, &code)) == 1) {
        code = run_one(r, &s);
        if (code != 0) {
            return code;
        }
    }
    return n < 0 ? code : 0;
}

int tkt_ctl_replay(struct tkt_ctl *ctl)
{
    struct replay r = {.ctl = ctl,
                       .recorded = tkt_ctl_opt(ctl, "recorded") != NULL,
                       .only_changes = tkt_ctl_opt(ctl, "only-changes") != NULL,
                       .samples = {.ctl = ctl, .desk = tkt_ctl_opt(ctl, "desk")},
                       .start_us = tkt_clock_mono_us(),
                       .rerun = {.sock = -1}};

    tkt_ctl_parts_init(&r.before);
    tkt_ctl_parts_init(&r.after);
    int rc = begin(&r);
    if (rc == 0) {
        r.start_us = tkt_clock_mono_us();
        rc = run(&r);
    }
    qsort(r.moves, r.move_count, sizeof r.moves[0], by_count);
    if (rc == 0 && !ctl->quiet) {
        if (ctl->json) {
            rc = print_json_summary(&r);
        } else {
            put_summary(&r);
        }
    }
    if (rc == 0 && r.changed > 0) {
        rc = EXIT_DIFFERS;
    }
    tkt_ctl_rerun_stop(&r.rerun);
    tkt_ctl_samples_release(&r.samples);
    tkt_ctl_parts_release(&r.before);
    tkt_ctl_parts_release(&r.after);
    for (size_t i = 0; i < r.move_count; i++) {
        free(r.moves[i].from);
        free(r.moves[i].to);
    }
    tkt_conf_free(&r.old);
    return rc;
}
