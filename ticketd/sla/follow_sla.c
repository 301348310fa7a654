/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketd/sla/follow_sla.h"

#include "base/clock.h"
#include "base/enc.h"
#include "base/log.h"
#include "base/util.h"
#include "store/sla.h"
#include "ticketd/people/people.h"
#include "ticketd/sla/slabook.h"
#include "ticketd/watch/measure.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

struct planned {
    struct tkt_store_sla_event event;
    struct tkt_person person;
};

struct plan {
    const struct tkt_sla_book *book;
    int64_t now_ms;
    struct planned *items;
    size_t count;
    size_t room;
    struct tkt_wire_arena arena; /* of the persons */
};

/* ---- what an event means -------------------------------------------------------------- */

static const struct {
    const char *kind;
    unsigned what;
} meanings[] = {
    {"ticket.created", TKT_SLA_W_BEGIN},     {"ticket.confirmed", TKT_SLA_W_BEGIN},
    {"ticket.split", TKT_SLA_W_BEGIN},       {"ticket.pending", TKT_SLA_W_PAUSE},
    {"ticket.resolved", TKT_SLA_W_RESOLVE},  {"ticket.closed", TKT_SLA_W_RESOLVE},
    {"ticket.reopened", TKT_SLA_W_REOPEN},   {"ticket.merged", TKT_SLA_W_END},
    {"ticket.withdrawn", TKT_SLA_W_END},     {"ticket.refused", TKT_SLA_W_END},
    {"message.appended", TKT_SLA_W_MAIL},    {"ticket.assigned", TKT_SLA_W_CHANGE},
    {"ticket.unassigned", TKT_SLA_W_CHANGE}, {"ticket.analysed", TKT_SLA_W_CHANGE},
    {"ticket.enriched", TKT_SLA_W_CHANGE},   {"llm.answered", TKT_SLA_W_CHANGE},
};

static const char *text_of(const cJSON *data, const char *key)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(data, key));

    return text ? text : "";
}

/* Nobody is behind what we do ourselves. */
static bool is_somebody(const char *who)
{
    static const char *const machines[] = {"", "llm", TKT_BY_ESCALATION, "notify"};

    for (size_t i = 0; i < TKT_ARRAY_LEN(machines); i++) {
        if (strcmp(machines[i], who) == 0) {
            return false;
        }
    }
    return true;
}

static unsigned meaning_of_open(const cJSON *data)
{
    const char *from = text_of(data, "from");

    if (strcmp(from, "pending") == 0) {
        return TKT_SLA_W_RESUME;
    }
    return strcmp(from, "refused") == 0 ? TKT_SLA_W_BEGIN : 0;
}

static unsigned meaning_of_comment(const cJSON *data)
{
    bool is_public = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(data, "public"));

    if (cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(data, "requester"))) {
        return TKT_SLA_W_ASK;
    }
    return is_public && is_somebody(text_of(data, "who")) ? TKT_SLA_W_ANSWER : 0;
}

static unsigned meaning_of_set(const cJSON *data)
{
    static const char *const fields[] = {"priority", "group",    "type",
                                         "category", "assignee", "requester"};
    const char *field = text_of(data, "field");

    for (size_t i = 0; i < TKT_ARRAY_LEN(fields); i++) {
        if (strcmp(fields[i], field) == 0) {
            return TKT_SLA_W_CHANGE;
        }
    }
    return 0;
}

/* Whatever a person or an ITSM does to a ticket is progress, but the requester's words; and
 * who lets it wait, or ends that, has seen it and no more. ITSMs do the latter by themselves
 * when the requester answers. */
static unsigned meaning(const struct tkt_store_event *e, const cJSON *data)
{
    unsigned what = 0;

    if (strcmp(e->kind, "ticket.opened") == 0) {
        what = meaning_of_open(data);
    } else if (strcmp(e->kind, "ticket.comment") == 0) {
        what = meaning_of_comment(data);
    } else if (strcmp(e->kind, "ticket.set") == 0) {
        what = meaning_of_set(data);
    }
    for (size_t i = 0; i < TKT_ARRAY_LEN(meanings); i++) {
        if (strcmp(meanings[i].kind, e->kind) == 0) {
            what = meanings[i].what;
        }
    }
    bool by_hand =
        strncmp(e->kind, "ticket.", 7) == 0 && is_somebody(text_of(data, "who"));
    if (!by_hand || (what & TKT_SLA_W_ASK) != 0) {
        return what;
    }
    return what |
           ((what & (TKT_SLA_W_PAUSE | TKT_SLA_W_RESUME)) != 0 ? TKT_SLA_W_CHANGE
                                                               : TKT_SLA_W_PROGRESS);
}

/* ---- planning ------------------------------------------------------------------------- */

static struct planned *add(struct plan *p, struct tkt_err *err)
{
    if (p->count == p->room) {
        size_t room = p->room ? p->room * 2 : 32;
        struct planned *items = realloc(p->items, room * sizeof(*items));
        if (!items) {
            tkt_err_set(err, TKT_ERR_TEMP, "sla: no memory");
            return NULL;
        }
        p->items = items;
        p->room = room;
    }
    p->items[p->count] = (struct planned){0};
    return &p->items[p->count++];
}

static int add_person(struct plan *p, struct tkt_daemon *d, struct tkt_settings *set,
                      struct tkt_reader *reader, struct planned *item,
                      struct tkt_err *err)
{
    TKT_AUTO_BUF struct tkt_buf address = TKT_BUF_INIT(512);
    int n = tkt_reader_requester(reader, item->event.ticket, &address, err);

    if (n < 0) {
        return -1;
    }
    char *who = tkt_wire_arena_strdup(&p->arena, tkt_buf_str(&address), address.len);
    if (!who) {
        return tkt_err_set(err, TKT_ERR_TEMP, "sla: no memory");
    }
    tkt_ascii_lower(who);
    n = tkt_people_fill(d->people, set->conf, reader, who, p->now_ms, &p->arena,
                        &item->person, err);
    item->event.is_unasked =
        n == TKT_PEOPLE_MISSING ||
        (n == TKT_PEOPLE_NOT_ASKED && tkt_people_covers(set->conf, who));
    return n < 0 ? -1 : 0;
}

static int plan_ticket(struct plan *p, struct tkt_daemon *d, struct tkt_settings *set,
                       struct tkt_reader *reader, const struct tkt_store_sla_event *event,
                       struct tkt_err *err)
{
    struct planned *item = add(p, err);

    if (!item) {
        return -1;
    }
    item->event = *event;
    return p->book->asks_person && (event->what & TKT_SLA_W_CHOICE) != 0
               ? add_person(p, d, set, reader, item, err)
               : 0;
}

/* One who goes away, or is back: what he has may have to go on. */
static int plan_agent(struct plan *p, const struct tkt_follow_round *r,
                      struct tkt_reader *reader, const struct tkt_store_event *e,
                      const cJSON *data, struct tkt_err *err)
{
    TKT_AUTO_FREE char *agent = strdup(text_of(data, "agent"));
    int64_t rows[256];
    int64_t after = 0;
    int seen = 0;
    int n;

    if (!agent) {
        return tkt_err_set(err, TKT_ERR_TEMP, "sla: no memory");
    }
    tkt_ascii_lower(agent);
    do {
        n = tkt_reader_open_tickets(reader, agent, after, rows, TKT_ARRAY_LEN(rows), err);
        for (int i = 0; i < n; i++) {
            const struct tkt_store_sla_event event = {
                .at_ms = e->at_ms, .ticket = rows[i], .what = TKT_SLA_W_CHANGE};
            if (plan_ticket(p, r->d, r->set, reader, &event, err) < 0) {
                return -1;
            }
            after = rows[i];
        }
        seen += TKT_MAX(n, 0);
    } while (n == TKT_ARRAY_LEN(rows) && seen < TKT_SLA_AWAY_MAX);
    return n < 0 ? -1 : 0;
}

static int plan_event(struct plan *p, const struct tkt_follow_round *r,
                      struct tkt_reader *reader, const struct tkt_store_event *e,
                      struct tkt_err *err)
{
    bool of_agent = strncmp(e->kind, "agent.", 6) == 0;
    bool of_ticket = e->ticket != 0 && (strncmp(e->kind, "ticket.", 7) == 0 ||
                                        strcmp(e->kind, "message.appended") == 0 ||
                                        strcmp(e->kind, "llm.answered") == 0);

    if (!of_agent && !of_ticket) {
        return 0;
    }
    cJSON *data = cJSON_Parse(e->data); /* erased: NULL, which says nothing */
    int rc = 0;
    if (of_agent) {
        rc = plan_agent(p, r, reader, e, data, err);
    } else {
        const struct tkt_store_sla_event event = {.at_ms = e->at_ms,
                                                  .ticket = e->ticket,
                                                  .message = e->message,
                                                  .what = meaning(e, data)};
        rc = event.what ? plan_ticket(p, r->d, r->set, reader, &event, err) : 0;
    }
    cJSON_Delete(data);
    return rc;
}

static void plan_free(void *arg)
{
    struct plan *p = arg;

    tkt_wire_arena_release(&p->arena);
    free(p->items);
    free(p);
}

static int make_plan(const struct tkt_follow_round *r, void **out, struct tkt_err *err)
{
    struct tkt_reader *reader = tkt_tools_reader(r->tools, err);
    struct plan *p = reader ? calloc(1, sizeof(*p)) : NULL;

    if (!p) {
        return reader ? tkt_err_set(err, TKT_ERR_TEMP, "sla: no memory") : -1;
    }
    p->book = r->set->sla;
    p->now_ms = r->now_ms;
    for (size_t i = 0; i < r->count; i++) {
        if (plan_event(p, r, reader, &r->events[i], err) < 0) {
            plan_free(p);
            return -1;
        }
    }
    if (p->count == 0) {
        plan_free(p);
        return 0;
    }
    *out = p;
    return 0;
}

/* ---- in the commit writer ------------------------------------------------------------- */

static int apply_plan(struct tkt_store *store, void *arg, struct tkt_err *err)
{
    const struct plan *p = arg;

    for (size_t i = 0; i < p->count; i++) {
        struct tkt_store_sla_event event = p->items[i].event;
        event.person = p->book->asks_person ? &p->items[i].person : NULL;
        if (tkt_store_sla_apply(store, p->book, &event, p->now_ms, err) < 0) {
            return -1;
        }
    }
    return 0;
}

static bool is_wanted(const struct tkt_settings *set)
{
    return tkt_slabook_wanted(set->conf);
}

static void count(const struct tkt_follow_round *round)
{
    for (size_t i = 0; i < round->count; i++) {
        tkt_measure_event(round->d->measure, round->events[i].kind);
    }
}

const struct tkt_follower tkt_follow_sla = {.name = TKT_SLA_FOLLOWER,
                                            .wanted = is_wanted,
                                            .plan = make_plan,
                                            .apply = apply_plan,
                                            .release = plan_free,
                                            .done = count};

/* ---- by the clock --------------------------------------------------------------------- */

struct ticking {
    const struct tkt_sla_book *book;
    int64_t now_ms;
    int count;
};

static int apply_tick(struct tkt_store *store, void *arg, struct tkt_err *err)
{
    struct ticking *t = arg;

    t->count = tkt_store_sla_tick(store, t->book, t->now_ms, TKT_SLA_AT_ONCE, err);
    return t->count < 0 ? -1 : 0;
}

struct sweep {
    struct plan *plan;
    uint64_t settings;
    int64_t after;
    bool done;
};

static int apply_sweep(struct tkt_store *store, void *arg, struct tkt_err *err)
{
    const struct sweep *s = arg;

    return apply_plan(store, s->plan, err) < 0
               ? -1
               : tkt_store_sla_swept(store, s->settings, s->after, s->done, err);
}

/* Open tickets that other settings may mean: -1, 0 all were met, 1 there are more. */
static int sweep(struct tkt_daemon *d, struct tkt_tools *tools, struct tkt_settings *set,
                 int64_t now_ms, struct tkt_err *err)
{
    struct tkt_reader *reader = tkt_tools_reader(tools, err);
    struct sweep s = {.settings = set->conf->generation};
    int64_t rows[TKT_SLA_SWEEP];
    int n = reader ? tkt_reader_sla_sweep(reader, s.settings, &s.after, err) : -1;

    if (n == 1) {
        n = tkt_reader_sla_followed(reader, now_ms, err);
    }
    if (n <= 0) {
        return n;
    }
    n = tkt_reader_open_tickets(reader, NULL, s.after, rows, TKT_SLA_SWEEP, err);
    s.plan = n < 0 ? NULL : calloc(1, sizeof(*s.plan));
    if (!s.plan) {
        return n < 0 ? -1 : tkt_err_set(err, TKT_ERR_TEMP, "sla: no memory");
    }
    s.plan->book = set->sla;
    s.plan->now_ms = now_ms;
    s.done = n < TKT_SLA_SWEEP;
    int rc = 0;
    for (int i = 0; rc == 0 && i < n; i++) {
        const struct tkt_store_sla_event event = {
            .at_ms = now_ms - TKT_SLA_GRACE_S * 1000,
            .ticket = rows[i],
            .what = TKT_SLA_W_BEGIN | TKT_SLA_W_CHANGE | TKT_SLA_W_MET | TKT_SLA_W_BACK};
        rc = plan_ticket(s.plan, d, set, reader, &event, err);
        s.after = rows[i];
    }
    if (rc == 0) {
        rc = tkt_commit_call(d->commit, apply_sweep, &s, true, err);
    }
    plan_free(s.plan);
    return rc < 0 ? -1 : s.done ? 0 : 1;
}

/* Those for which it was chosen before a directory answered. */
static int look_again(struct tkt_daemon *d, struct tkt_tools *tools,
                      struct tkt_settings *set, struct tkt_sla_turn *turn, int64_t now_ms,
                      struct tkt_err *err)
{
    int64_t rows[TKT_SLA_UNASKED];
    int64_t mono_ms = tkt_clock_mono_ms();
    struct tkt_reader *reader = tkt_tools_reader(tools, err);

    if (!reader || !set->sla->asks_person || mono_ms < turn->look_ms) {
        return reader ? 0 : -1;
    }
    turn->look_ms = mono_ms + TKT_SLA_LOOK_MS;
    int n = tkt_reader_sla_followed(reader, now_ms, err);
    n = n == 1 ? tkt_reader_sla_unasked(reader, turn->after, rows, TKT_SLA_UNASKED, err)
               : n;
    struct plan *p = n > 0 ? calloc(1, sizeof(*p)) : NULL;
    if (!p) {
        turn->after = 0;
        return n > 0 ? tkt_err_set(err, TKT_ERR_TEMP, "sla: no memory") : n;
    }
    p->book = set->sla;
    p->now_ms = now_ms;
    int rc = 0;
    for (int i = 0; rc == 0 && i < n; i++) {
        const struct tkt_store_sla_event event = {.at_ms =
                                                      now_ms - TKT_SLA_GRACE_S * 1000,
                                                  .ticket = rows[i],
                                                  .what = TKT_SLA_W_CHANGE};
        rc = plan_ticket(p, d, set, reader, &event, err);
        p->count -= rc == 0 && p->items[p->count - 1].event.is_unasked;
    }
    turn->after = n < TKT_SLA_UNASKED ? 0 : rows[n - 1];
    if (rc == 0 && p->count > 0) {
        rc = tkt_commit_call(d->commit, apply_plan, p, true, err);
    }
    plan_free(p);
    return rc;
}

int tkt_sla_back(struct tkt_store *store, struct tkt_err *err)
{
    return tkt_store_sla_swept(store, 0, 0, false, err);
}

bool tkt_sla_tick(struct tkt_daemon *d, struct tkt_tools *tools, struct tkt_settings *set,
                  struct tkt_sla_turn *turn)
{
    struct ticking t = {.book = set->sla, .now_ms = tkt_clock_wall_ms()};
    struct tkt_err err = TKT_ERR_INIT;
    int more = 0;

    if (tkt_commit_call(d->commit, apply_tick, &t, true, &err) == 0 && is_wanted(set)) {
        more = sweep(d, tools, set, t.now_ms, &err);
        if (more >= 0 && look_again(d, tools, set, turn, t.now_ms, &err) < 0) {
            more = -1;
        }
    }
    if (err.text[0]) {
        tkt_log(TKT_LOG_ERROR, NULL, "sla.tick", "error", err.text, NULL);
        return false;
    }
    return more > 0 || t.count == TKT_SLA_AT_ONCE;
}
