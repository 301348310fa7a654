/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketd/control/control_agents.h"

#include "base/clock.h"
#include "base/enc.h"
#include "base/log.h"
#include "base/util.h"
#include "store/assign.h"
#include "store/json.h"
#include "ticketd/jobs/dispatch.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#define REASSIGN_AT_ONCE 64

static void format_time(int64_t ms, char out[32])
{
    time_t t = (time_t)(ms / 1000);
    struct tm tm;

    out[0] = '\0';
    if (gmtime_r(&t, &tm)) {
        strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &tm);
    }
}

/* ---- assign --------------------------------------------------------------------------- */

struct assigning {
    struct tkt_control_request *req;
    const struct tkt_roster *roster;
    struct tkt_store_assign_out out;
};

static int apply_auto(struct tkt_store *store, void *p, struct tkt_err *err)
{
    struct assigning *a = p;
    const struct tkt_store_assign_in in = {.id = tkt_control_arg(a->req, "id"),
                                           .roster = a->roster,
                                           .group = tkt_control_arg(a->req, "group"),
                                           .who = a->req->who,
                                           .reason = "by command",
                                           .now_ms = tkt_clock_wall_ms()};

    return tkt_store_assign(store, &in, &a->out, err);
}

int tkt_control_assign_auto(struct tkt_control_request *req, struct tkt_err *err)
{
    struct tkt_settings *set = tkt_settings_get(req->d);
    struct assigning a = {.req = req, .roster = set->roster};
    int rc = tkt_commit_call(req->d->commit, apply_auto, &a, false, err);

    tkt_settings_put(&set);
    if (rc == 0) {
        snprintf(req->text, sizeof(req->text), "%.47s: %.63s, %.100s (%.70s)",
                 tkt_control_arg(req, "id"), a.out.group[0] ? a.out.group : "no group",
                 a.out.assignee[0] ? a.out.assignee : "nobody",
                 a.out.why[0] ? a.out.why : "the group has no strategy");
    }
    return rc;
}

/* ---- absence -------------------------------------------------------------------------- */

static bool is_member(const struct tkt_roster *roster, const char *address)
{
    for (size_t i = 0; i < roster->group_count; i++) {
        if (tkt_roster_member(&roster->groups[i], address)) {
            return true;
        }
    }
    return false;
}

struct away {
    struct tkt_control_request *req;
    struct tkt_store_away away;
    const struct tkt_roster *roster;
    int64_t rows[REASSIGN_AT_ONCE];
    int count;
    int to_others; /* of the last batch */
    int to_nobody;
};

static int apply_away(struct tkt_store *store, void *p, struct tkt_err *err)
{
    struct away *a = p;

    return tkt_store_agent_away(store, &a->away, tkt_clock_wall_ms(), err);
}

static int apply_reassign(struct tkt_store *store, void *p, struct tkt_err *err)
{
    struct away *a = p;

    a->to_others = a->to_nobody = 0; /* it may run again */
    for (int i = 0; i < a->count; i++) {
        struct tkt_store_assign_out out;
        const struct tkt_store_assign_in in = {.ticket = a->rows[i],
                                               .roster = a->roster,
                                               .except = a->away.address,
                                               .who = a->req->who,
                                               .reason = "who had it is away",
                                               .only_untouched = true,
                                               .now_ms = tkt_clock_wall_ms()};
        if (tkt_store_assign(store, &in, &out, err) < 0) {
            return -1;
        }
        a->to_others += out.changed && out.assignee[0];
        a->to_nobody += out.changed && !out.assignee[0];
    }
    return 0;
}

/* The rows are looked for beside the writer and looked at again by it. */
static int reassign(struct away *a, int *to_others, int *to_nobody, struct tkt_err *err)
{
    struct tkt_reader *reader = tkt_reader_open(a->req->d->store_dir, err);
    int64_t after = 0;
    int rc = reader ? 0 : -1;

    while (rc == 0) {
        a->count = tkt_reader_untouched(reader, a->away.address, after, a->rows,
                                        REASSIGN_AT_ONCE, err);
        rc = a->count < 0 ? -1 : 0;
        if (a->count <= 0) {
            break;
        }
        after = a->rows[a->count - 1];
        rc = tkt_commit_call(a->req->d->commit, apply_reassign, a, false, err);
        *to_others += a->to_others;
        *to_nobody += a->to_nobody;
    }
    tkt_reader_close(&reader);
    return rc;
}

static int set_away(struct away *a, struct tkt_err *err)
{
    struct tkt_control_request *req = a->req;
    char lower[TKT_STORE_AGENT_MAX];
    char until[32];
    int to_others = 0;
    int to_nobody = 0;

    snprintf(lower, sizeof(lower), "%s", tkt_control_arg(req, "agent"));
    tkt_ascii_lower(lower);
    a->away.address = lower;
    if (!is_member(a->roster, lower)) {
        return tkt_err_set(err, TKT_ERR_PERM, "no group has the member %.100s", lower);
    }
    if (tkt_commit_call(req->d->commit, apply_away, a, false, err) < 0) {
        return -1;
    }
    if (a->away.until_ms == 0) {
        tkt_dispatch_poke(req->d->dispatch);
        snprintf(req->text, sizeof(req->text), "%.100s is back", lower);
        return 0;
    }
    if (tkt_control_number(req, "reassign", 0) &&
        reassign(a, &to_others, &to_nobody, err) < 0) {
        return -1;
    }
    format_time(a->away.until_ms, until);
    int n =
        snprintf(req->text, sizeof(req->text), "%.100s is away until %s", lower, until);
    if (tkt_control_number(req, "reassign", 0)) {
        snprintf(req->text + n, sizeof(req->text) - (size_t)n,
                 "; tickets given to others: %d, to nobody: %d", to_others, to_nobody);
    }
    return 0;
}

int tkt_control_agent_away(struct tkt_control_request *req, struct tkt_err *err)
{
    struct tkt_settings *set = tkt_settings_get(req->d);
    int64_t now = tkt_clock_wall_ms();
    struct away a = {.req = req, .roster = set->roster};

    a.away = (struct tkt_store_away){
        .from_ms = tkt_control_number(req, "from_ms", now),
        .until_ms = tkt_control_number(req, "until_ms", 0),
        .note = tkt_control_arg(req, "note") ? tkt_control_arg(req, "note") : "",
        .who = req->who};
    int rc = a.away.until_ms > now
                 ? set_away(&a, err)
                 : tkt_err_set(err, TKT_ERR_PERM, "agent-away: the time is past");
    tkt_settings_put(&set);
    return rc;
}

int tkt_control_agent_back(struct tkt_control_request *req, struct tkt_err *err)
{
    struct tkt_settings *set = tkt_settings_get(req->d);
    struct away a = {.req = req, .roster = set->roster};

    a.away = (struct tkt_store_away){.note = "", .who = req->who};
    int rc = set_away(&a, err);
    tkt_settings_put(&set);
    return rc;
}

/* ---- who is there --------------------------------------------------------------------- */

static void add_time(struct tkt_buf *b, const char *key, int64_t ms)
{
    char text[32];

    format_time(ms, text);
    json_str(b, key, text);
}

static void add_agent(struct tkt_buf *b, const struct tkt_roster_group *g,
                      const struct tkt_roster_agent *m, const struct tkt_store_agent *a,
                      int64_t now_ms)
{
    const struct tkt_assign_state state = {.open = a->open,
                                           .away_from_s = a->away_from_ms / 1000,
                                           .away_until_s = a->away_until_ms / 1000};

    json_open(b, NULL, '{');
    json_str(b, "group", g->name);
    json_str(b, "agent", m->address);
    json_str(b, "name", m->name);
    json_str(b, "strategy", tkt_assign_names[g->strategy]);
    json_str(b, "duty", tkt_duty_names[tkt_assign_duty(g, m, &state, now_ms / 1000)]);
    json_int(b, "open", a->open);
    json_int(b, "cap", m->cap > 0 ? m->cap : g->cap);
    json_int(b, "weight", m->weight);
    json_open(b, "skills", '[');
    for (size_t i = 0; i < m->skills.count; i++) {
        json_str(b, NULL, m->skills.items[i]);
    }
    json_close(b, ']');
    if (a->away_until_ms > now_ms) {
        add_time(b, "away_from", a->away_from_ms);
        add_time(b, "away_until", a->away_until_ms);
        json_str(b, "away_by", a->away_by);
        json_str_opt(b, "note", a->away_note);
    }
    json_close(b, '}');
}

int tkt_control_agents(struct tkt_control_request *req, struct tkt_err *err)
{
    struct tkt_settings *set = tkt_settings_get(req->d);
    const char *only = tkt_control_arg(req, "group");
    int64_t now = tkt_clock_wall_ms();
    int rc = 0;

    req->has_data = true;
    json_open(&req->data, NULL, '[');
    for (size_t i = 0; rc == 0 && i < set->roster->group_count; i++) {
        const struct tkt_roster_group *g = &set->roster->groups[i];
        for (size_t k = 0; rc == 0 && k < g->member_count; k++) {
            struct tkt_store_agent a;
            if (only && strcmp(only, g->name) != 0) {
                continue;
            }
            rc = tkt_reader_agent(req->reader, g->members[k].address, &a, err);
            if (rc == 0) {
                add_agent(&req->data, g, &g->members[k], &a, now);
            }
        }
    }
    json_close(&req->data, ']');
    tkt_settings_put(&set);
    return rc;
}

/* ---- the job -------------------------------------------------------------------------- */

struct job_call {
    struct tkt_running *r;
    const struct tkt_roster *roster;
};

static int apply_job(struct tkt_store *store, void *p, struct tkt_err *err)
{
    struct job_call *c = p;

    return tkt_store_assign_job(store, c->roster, &c->r->job, c->r->owner,
                                tkt_clock_wall_ms(), err);
}

static void assign_start(struct tkt_running *r)
{
    struct tkt_settings *set = tkt_settings_get(r->d);
    struct job_call c = {.r = r, .roster = set->roster};
    struct tkt_err err = TKT_ERR_INIT;
    int rc = tkt_commit_call(r->d->commit, apply_job, &c, true, &err);

    tkt_settings_put(&set);
    if (rc == 0) {
        tkt_running_recorded(r);
    } else {
        tkt_running_finish(r, &err);
    }
}

const struct tkt_job_kind tkt_assign_job_kind = {
    .kind = TKT_JOB_ASSIGN, .group = "(assign)", .at_once = 1, .start = assign_start};
