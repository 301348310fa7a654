/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/sla.h"

#include "base/clock.h"
#include "base/util.h"
#include "store/assign.h"
#include "store/internal.h"

#include <stdio.h>
#include <string.h>

#define STEP "step:"
#define ACTED_WARNED 1
#define ACTED_BREACHED 2
#define ROUND_SHIFT 8

/* ---- rows ----------------------------------------------------------------------------- */

static int64_t due_of(const struct tkt_row *row)
{
    return tkt_row_null(row, 6) ? TKT_CALENDAR_NEVER : tkt_row_int(row, 6);
}

static void take_timer(const struct tkt_row *row, struct tkt_sla_ticket *t)
{
    const char *name = tkt_row_text(row, 0);
    int acted = (int)tkt_row_int(row, 5);

    if (strncmp(name, STEP, strlen(STEP)) == 0) {
        if (t->wait_count < TKT_SLA_STEPS_MAX) {
            struct tkt_sla_wait *w = &t->waits[t->wait_count++];
            snprintf(w->name, sizeof(w->name), "%s", name + strlen(STEP));
            w->state = (enum tkt_sla_state)tkt_row_int(row, 1);
            w->of = (enum tkt_sla_cause)acted;
            w->since_s = tkt_row_int(row, 4);
            w->left_s = tkt_row_int(row, 3);
            w->due_s = due_of(row);
        }
        return;
    }
    for (int i = 0; i < TKT_SLA_TIMERS; i++) {
        if (strcmp(name, tkt_sla_timer_names[i]) == 0) {
            t->clocks[i] =
                (struct tkt_sla_clock){.state = (enum tkt_sla_state)tkt_row_int(row, 1),
                                       .target_s = tkt_row_int(row, 2),
                                       .used_s = tkt_row_int(row, 3),
                                       .since_s = tkt_row_int(row, 4),
                                       .warned = (acted & ACTED_WARNED) != 0,
                                       .breached = (acted & ACTED_BREACHED) != 0,
                                       .round = acted >> ROUND_SHIFT,
                                       .due_s = due_of(row)};
        }
    }
}

/* Where no service level applies a timer is kept only when it tells more than this: both
 * run since it began. */
static struct tkt_sla_clock assumed(const struct tkt_sla_ticket *t, int timer)
{
    struct tkt_sla_clock c = {.due_s = TKT_CALENDAR_NEVER};

    if (t->sla[0] == '\0' && timer != TKT_SLA_NEXT) {
        unsigned over = timer == TKT_SLA_FIRST ? TKT_SLA_F_ANSWERED : TKT_SLA_F_RESOLVED;
        c.state = (t->flags & over) != 0 ? TKT_SLA_MET : TKT_SLA_RUNNING;
        c.since_s = t->started_s;
    }
    return c;
}

static bool is_kept(const struct tkt_sla_ticket *t, int timer)
{
    const struct tkt_sla_clock *c = &t->clocks[timer];
    struct tkt_sla_clock plain = assumed(t, timer);

    if (t->sla[0] != '\0' || c->state == TKT_SLA_OFF) {
        return c->state != TKT_SLA_OFF;
    }
    if (c->state != plain.state || c->warned || c->breached || c->round > 0) {
        return true;
    }
    bool never_again = timer == TKT_SLA_FIRST && c->state == TKT_SLA_MET;
    return !never_again && (c->used_s > 0 || c->since_s != plain.since_s);
}

int tkt_sla_load(struct tkt_db *db, int64_t ticket, struct tkt_sla_ticket *t,
                 struct tkt_err *err)
{
    TKT_AUTO_ROW struct tkt_row row = TKT_ROW_INIT;

    memset(t, 0, sizeof(*t));
    int n = tkt_db_query(db, &row, SQL_SLA_GET, err, "i", ticket);
    if (n <= 0) {
        return n;
    }
    snprintf(t->sla, sizeof(t->sla), "%s", tkt_row_text(&row, 0));
    snprintf(t->chain, sizeof(t->chain), "%s", tkt_row_text(&row, 1));
    snprintf(t->calendar, sizeof(t->calendar), "%s", tkt_row_text(&row, 2));
    snprintf(t->chain_calendar, sizeof(t->chain_calendar), "%s", tkt_row_text(&row, 3));
    t->flags = (unsigned)tkt_row_int(&row, 4);
    t->started_s = tkt_row_int(&row, 5);
    snprintf(t->why, sizeof(t->why), "%s", tkt_row_text(&row, 6));
    tkt_row_end(&row);
    for (int i = 0; i < TKT_SLA_TIMERS; i++) {
        t->clocks[i] = assumed(t, i);
    }
    n = tkt_db_query(db, &row, SQL_TIMERS_GET, err, "i", ticket);
    for (; n == 1; n = tkt_row_next(&row, err)) {
        take_timer(&row, t);
    }
    return n < 0 ? -1 : 1;
}

static int save_clocks(struct tkt_store *s, int64_t ticket,
                       const struct tkt_sla_ticket *was, const struct tkt_sla_ticket *t,
                       struct tkt_err *err)
{
    for (int i = 0; i < TKT_SLA_TIMERS; i++) {
        const struct tkt_sla_clock *c = &t->clocks[i];
        bool kept = is_kept(t, i);
        bool was_kept = is_kept(was, i);
        int acted = (c->warned ? ACTED_WARNED : 0) | (c->breached ? ACTED_BREACHED : 0) |
                    c->round << ROUND_SHIFT;

        if (!kept && was_kept &&
            tkt_db_run(s->db, SQL_TIMER_DROP, err, "is", ticket, tkt_sla_timer_names[i]) <
                0) {
            return -1;
        }
        if (kept && (!was_kept || memcmp(c, &was->clocks[i], sizeof(*c)) != 0) &&
            tkt_db_run(s->db, SQL_TIMER_SET, err, "isdiiidi", ticket,
                       tkt_sla_timer_names[i], (int)c->state, c->target_s, c->used_s,
                       c->since_s, acted, c->due_s) < 0) {
            return -1;
        }
    }
    return 0;
}

static const struct tkt_sla_wait *find_wait(const struct tkt_sla_ticket *t,
                                            const char *name)
{
    for (size_t i = 0; i < t->wait_count; i++) {
        if (strcmp(t->waits[i].name, name) == 0) {
            return &t->waits[i];
        }
    }
    return NULL;
}

static int save_waits(struct tkt_store *s, int64_t ticket,
                      const struct tkt_sla_ticket *was, const struct tkt_sla_ticket *t,
                      struct tkt_err *err)
{
    char name[sizeof(STEP) + TKT_SLA_NAME_MAX];

    for (size_t i = 0; i < was->wait_count; i++) {
        snprintf(name, sizeof(name), STEP "%s", was->waits[i].name);
        if (find_wait(t, was->waits[i].name) == NULL &&
            tkt_db_run(s->db, SQL_TIMER_DROP, err, "is", ticket, name) < 0) {
            return -1;
        }
    }
    for (size_t i = 0; i < t->wait_count; i++) {
        const struct tkt_sla_wait *w = &t->waits[i];
        const struct tkt_sla_wait *old = find_wait(was, w->name);
        if (old != NULL && old->state == w->state && old->of == w->of &&
            old->since_s == w->since_s && old->left_s == w->left_s &&
            old->due_s == w->due_s) {
            continue;
        }
        snprintf(name, sizeof(name), STEP "%s", w->name);
        if (tkt_db_run(s->db, SQL_TIMER_SET, err, "isdiiidi", ticket, name, (int)w->state,
                       INT64_C(0), w->left_s, w->since_s, (int)w->of, w->due_s) < 0) {
            return -1;
        }
    }
    return 0;
}

static int save(struct tkt_store *s, int64_t ticket, const struct tkt_sla_ticket *was,
                const struct tkt_sla_ticket *t, struct tkt_err *err)
{
    bool same = was->started_s == t->started_s && was->flags == t->flags &&
                strcmp(was->sla, t->sla) == 0 && strcmp(was->chain, t->chain) == 0 &&
                strcmp(was->calendar, t->calendar) == 0 &&
                strcmp(was->chain_calendar, t->chain_calendar) == 0 &&
                strcmp(was->why, t->why) == 0;

    if (!same && tkt_db_run(s->db, SQL_SLA_SET, err, "issssdis", ticket, t->sla, t->chain,
                            t->calendar, t->chain_calendar, (int)t->flags, t->started_s,
                            t->why) < 0) {
        return -1;
    }
    return save_clocks(s, ticket, was, t, err) < 0 ? -1
                                                   : save_waits(s, ticket, was, t, err);
}

/* ---- facts ---------------------------------------------------------------------------- */

struct known { /* what facts point into */
    struct ticket_row row;
    char requester[TKT_STORE_AGENT_MAX];
    char category[256];
    char type[64];
};

/* Who has it, in any group: absences stand in the configuration and in the store. */
static int load_away(struct tkt_store *s, const struct tkt_sla_book *book,
                     const struct ticket_row *t, int64_t at_s, bool *is_away,
                     struct tkt_err *err)
{
    TKT_AUTO_ROW struct tkt_row row = TKT_ROW_INIT;
    struct tkt_assign_state state = {0};

    *is_away = false;
    if (t->assignee[0] == '\0') {
        return 0;
    }
    int n = tkt_db_query(s->db, &row, SQL_AGENT_GET, err, "s", t->assignee);
    if (n < 0) {
        return -1;
    }
    if (n == 1) {
        state.away_from_s = tkt_row_int(&row, 1) / 1000;
        state.away_until_s = tkt_row_int(&row, 2) / 1000;
    }
    *is_away = at_s >= state.away_from_s && at_s < state.away_until_s;
    for (size_t i = 0; i < book->roster->group_count && !*is_away; i++) {
        const struct tkt_roster_group *g = &book->roster->groups[i];
        const struct tkt_roster_agent *a = tkt_roster_member(g, t->assignee);
        *is_away = a != NULL && tkt_assign_duty(g, a, &state, at_s) == TKT_DUTY_AWAY;
    }
    return 0;
}

/* A forged From has the same entry in the directory: it must not make anybody hurry. */
static int is_proved(struct tkt_store *s, int64_t ticket, bool *proved,
                     struct tkt_err *err)
{
    struct message_row m;
    int64_t first = 0;

    *proved = false;
    int n = tkt_db_get_int(s->db, SQL_MESSAGE_FIRST, &first, err, "i", ticket);
    if (n == 1) {
        n = tkt_message_load(s->db, first, &m, err);
    }
    if (n == 1) {
        int assurance = ((m.flags & M_ASSURANCE) >> M_ASSURANCE_SHIFT) - 1;
        *proved = assurance == TKT_ASSURANCE_LOGIN || assurance == TKT_ASSURANCE_PASS;
    }
    return n < 0 ? -1 : 0;
}

static int load_facts(struct tkt_store *s, const struct tkt_sla_book *book,
                      const struct tkt_store_sla_event *e, struct known *k,
                      struct tkt_sla_facts *f, struct tkt_err *err)
{
    const struct tkt_person *person = e->person;
    TKT_AUTO_ROW struct tkt_row row = TKT_ROW_INIT;
    bool proved = false;
    int n = tkt_db_query(s->db, &row, SQL_TICKET_ABOUT, err, "i", k->row.id);

    if (n < 0) {
        return -1;
    }
    snprintf(k->requester, sizeof(k->requester), "%s", n ? tkt_row_text(&row, 0) : "");
    snprintf(k->category, sizeof(k->category), "%s", n ? tkt_row_text(&row, 1) : "");
    snprintf(k->type, sizeof(k->type), "%s", n ? tkt_row_text(&row, 4) : "");
    tkt_row_end(&row);
    *f = (struct tkt_sla_facts){.desk = k->row.desk_name,
                                .group = k->row.group,
                                .type = k->type,
                                .category = k->category,
                                .requester = k->requester,
                                .department = "",
                                .company = "",
                                .priority = k->row.priority,
                                .has_assignee = k->row.assignee[0] != '\0',
                                .is_untouched = tkt_ticket_untouched(&k->row)};
    if (load_away(s, book, &k->row, e->at_ms / 1000, &f->is_away, err) < 0 ||
        (person != NULL && is_proved(s, k->row.id, &proved, err) < 0)) {
        return -1;
    }
    if (proved) {
        f->department = person->department != NULL ? person->department : "";
        f->company = person->company != NULL ? person->company : "";
        f->member_of = &person->groups;
        f->vip = person->is_vip;
        f->is_unasked = e->is_unasked;
    }
    return 0;
}

/* ---- what is due ---------------------------------------------------------------------- */

static void json_due(struct tkt_buf *b, const char *key, int64_t at_s)
{
    char text[32];

    if (at_s != TKT_CALENDAR_NEVER) {
        tkt_clock_format(at_s * 1000, text);
        json_str(b, key, text);
    }
}

static void tell_ticket(struct tkt_buf *b, const struct tkt_sla_book *book,
                        const struct ticket_row *t)
{
    const struct tkt_sla_group *g = tkt_sla_group(book, t->group);

    json_str(b, "id", t->name);
    json_int(b, "priority", t->priority);
    json_str_opt(b, "group", t->group);
    json_str_opt(b, "assignee", t->assignee);
    json_str_opt(b, "manager", g != NULL ? g->manager : "");
    json_str_opt(b, "mailbox", g != NULL ? g->mailbox : "");
}

static int tell_timer(struct tkt_store *s, const struct tkt_sla_book *book,
                      const struct ticket_row *t, const struct tkt_sla_ticket *state,
                      const struct tkt_sla_action *a, int64_t now_ms, struct tkt_err *err)
{
    struct tkt_buf *b = tkt_event_begin(s);

    json_str(b, "sla", state->sla);
    json_str(b, "timer", tkt_sla_timer_names[a->timer]);
    if (a->timer == TKT_SLA_NEXT) {
        json_int(b, "round", a->round);
    }
    json_int(b, "target_s", a->target_s);
    json_due(b, "due", a->deadline_s);
    json_due(b, "since", a->due_s);
    tell_ticket(b, book, t);
    return tkt_event_end(s, t->id, 0, NULL,
                         a->kind == TKT_SLA_A_WARNING ? "sla.warning" : "sla.breached",
                         now_ms, err);
}

/* Between planning and now somebody may have taken it. */
static int cause_lasts(struct tkt_store *s, const struct tkt_sla_book *book,
                       const struct tkt_sla_step *step, const struct ticket_row *t,
                       int64_t now_ms, bool *lasts, struct tkt_err *err)
{
    switch (step->of) {
    case TKT_SLA_UNASSIGNED:
        *lasts = t->assignee[0] == '\0';
        return 0;
    case TKT_SLA_UNTOUCHED:
        *lasts = tkt_ticket_untouched(t);
        return 0;
    case TKT_SLA_ABSENT:
        return load_away(s, book, t, now_ms / 1000, lasts, err);
    default:
        *lasts = true;
        return 0;
    }
}

/* Out-of-date settings and full groups leave it as it is; that is told, not an error. */
static int do_step(struct tkt_store *s, const struct tkt_sla_book *book,
                   const struct tkt_sla_step *step, const struct ticket_row *t,
                   int64_t now_ms, struct tkt_err *err)
{
    int priority = TKT_MAX(t->priority - step->raise, 1);
    struct tkt_store_assign_out out;
    char value[16];

    if (step->raise > 0 && priority < t->priority) {
        snprintf(value, sizeof(value), "%d", priority);
        if (tkt_store_set(s, t->name, "priority", value, TKT_BY_ESCALATION, now_ms, err) <
            0) {
            return -1;
        }
    }
    bool moves = step->group[0] != '\0' && strcmp(step->group, t->group) != 0;
    const struct tkt_roster_group *g = tkt_roster_group(book->roster, t->group);
    bool chooses = g != NULL && g->strategy != TKT_ASSIGN_NONE;
    if (!moves && !(step->assign && chooses)) { /* where people take tickets themselves */
        return 0;
    }
    const struct tkt_store_assign_in in = {.ticket = t->id,
                                           .roster = book->roster,
                                           .group = moves ? step->group : NULL,
                                           .except = t->assignee,
                                           .who = TKT_BY_ESCALATION,
                                           .reason = step->name,
                                           .now_ms = now_ms};
    return tkt_store_assign(s, &in, &out, err);
}

static void tell_change(struct tkt_buf *b, const struct ticket_row *was,
                        const struct ticket_row *t)
{
    if (was->priority != t->priority) {
        json_int(b, "from_priority", was->priority);
    }
    if (strcmp(was->group, t->group) != 0) {
        json_str(b, "from_group", was->group);
    }
    if (strcmp(was->assignee, t->assignee) != 0) {
        json_str(b, "from_assignee", was->assignee);
    }
}

static int carry_out_step(struct tkt_store *s, const struct tkt_sla_book *book,
                          struct ticket_row *t, struct tkt_sla_ticket *state,
                          const struct tkt_sla_action *a, int64_t now_ms,
                          struct tkt_err *err)
{
    const struct tkt_sla_step *step = a->step;
    struct ticket_row was = *t;
    bool lasts = true;

    if (cause_lasts(s, book, step, t, now_ms, &lasts, err) < 0) {
        return -1;
    }
    if (!lasts || !tkt_state_in_hand(t->state)) {
        tkt_sla_undo_step(state, step->name);
        return 0;
    }
    if (do_step(s, book, step, t, now_ms, err) < 0 ||
        tkt_ticket_load(s->db, t->id, t, err) < 0) {
        return -1;
    }
    struct tkt_buf *b = tkt_event_begin(s);
    json_str(b, "chain", state->chain);
    json_str(b, "step", step->name);
    json_str(b, "of", tkt_sla_cause_names[step->of]);
    json_int(b, "after_s", step->after_s);
    json_due(b, "due", a->due_s);
    json_str_opt(b, "sla", state->sla);
    tell_ticket(b, book, t);
    tell_change(b, &was, t);
    json_open(b, "notify", '[');
    for (size_t i = 0; i < step->notify.count; i++) {
        json_str(b, NULL, step->notify.items[i]);
    }
    json_close(b, ']');
    json_str_opt(b, "channel", step->channel);
    return tkt_event_end(s, t->id, 0, NULL, "escalation.step", now_ms, err);
}

/* One action that is due at to_s or before: 1, 0 none, -1. */
static int act_once(struct tkt_store *s, const struct tkt_sla_book *book,
                    struct ticket_row *t, struct tkt_sla_ticket *state, int64_t to_s,
                    int64_t now_ms, struct tkt_err *err)
{
    struct tkt_sla_action a;

    if (!tkt_sla_act(state, book, to_s, &a)) {
        return 0;
    }
    int rc = a.kind == TKT_SLA_A_STEP ? carry_out_step(s, book, t, state, &a, now_ms, err)
                                      : tell_timer(s, book, t, state, &a, now_ms, err);
    return rc < 0 ? -1 : 1;
}

/* ---- events --------------------------------------------------------------------------- */

static bool is_agent(const struct tkt_sla_book *book, const char *address)
{
    for (size_t i = 0; i < book->roster->group_count; i++) {
        if (tkt_roster_member(&book->roster->groups[i], address) != NULL) {
            return true;
        }
    }
    for (size_t i = 0; i < book->group_count; i++) {
        if (book->groups[i].mailbox[0] != '\0' &&
            tkt_ascii_ieq(book->groups[i].mailbox, address)) {
            return true;
        }
    }
    return false;
}

/* What a mail is to the timers. Machines say nothing: an acknowledgement is no answer. */
static int weigh_mail(struct tkt_store *s, const struct tkt_sla_book *book,
                      int64_t message, const char *requester, unsigned *what,
                      struct tkt_err *err)
{
    TKT_AUTO_ROW struct tkt_row row = TKT_ROW_INIT;
    int n = tkt_db_query(s->db, &row, SQL_MESSAGE_WHO, err, "i", message);

    if (n <= 0) {
        return n;
    }
    int flags = (int)tkt_row_int(&row, 0);
    const char *class_name = tkt_row_text(&row, 1);
    const char *author = tkt_row_text(&row, 2);
    int assurance = ((flags & M_ASSURANCE) >> M_ASSURANCE_SHIFT) - 1;
    bool proved = assurance == TKT_ASSURANCE_LOGIN || assurance == TKT_ASSURANCE_PASS;

    if ((flags & (M_INTERNAL | M_UNVERIFIED | M_COPY | M_WITHDRAWN)) != 0 ||
        (class_name[0] != '\0' && strcmp(class_name, "human") != 0)) {
        return 0;
    }
    bool own = requester[0] != '\0' && tkt_ascii_ieq(author, requester);
    bool agent = (flags & M_AGENT) != 0 || (proved && is_agent(book, author));
    *what |= agent && !own ? TKT_SLA_W_ANSWER : TKT_SLA_W_ASK;
    return 0;
}

static const struct {
    unsigned what;
    enum tkt_sla_event event;
} order[] = {
    {TKT_SLA_W_BACK, TKT_SLA_E_BACK},         {TKT_SLA_W_BEGIN, TKT_SLA_E_BEGIN},
    {TKT_SLA_W_ASK, TKT_SLA_E_ASK},           {TKT_SLA_W_ANSWER, TKT_SLA_E_ANSWER},
    {TKT_SLA_W_PROGRESS, TKT_SLA_E_PROGRESS}, {TKT_SLA_W_PAUSE, TKT_SLA_E_PAUSE},
    {TKT_SLA_W_RESUME, TKT_SLA_E_RESUME},     {TKT_SLA_W_RESOLVE, TKT_SLA_E_RESOLVE},
    {TKT_SLA_W_REOPEN, TKT_SLA_E_REOPEN},     {TKT_SLA_W_END, TKT_SLA_E_END},
    {TKT_SLA_W_CHANGE, TKT_SLA_E_CHANGE}};

static bool never_runs(const struct ticket_row *t)
{
    return (t->flags & T_SHADOW) != 0 || t->state == TKT_STATE_RESERVED ||
           t->state == TKT_STATE_REFUSED || t->state == TKT_STATE_WITHDRAWN;
}

/* When the directory has answered it is chosen for again, however late that is. */
static void note_unasked(struct tkt_sla_ticket *t, unsigned what,
                         const struct tkt_sla_facts *facts)
{
    if ((t->flags & (TKT_SLA_F_RESOLVED | TKT_SLA_F_ENDED)) != 0) {
        t->flags &= ~(unsigned)TKT_SLA_F_UNASKED; /* reopened it is chosen for anyhow */
    } else if ((what & TKT_SLA_W_CHOICE) != 0) {
        t->flags = facts->is_unasked ? t->flags | TKT_SLA_F_UNASKED
                                     : t->flags & ~(unsigned)TKT_SLA_F_UNASKED;
    }
}

static int apply(struct tkt_store *s, const struct tkt_sla_book *book,
                 const struct tkt_store_sla_event *e, int64_t now_ms, struct tkt_err *err)
{
    struct tkt_sla_ticket was;
    struct tkt_sla_ticket state;
    struct tkt_sla_facts facts;
    struct known k;
    unsigned what = e->what;
    int64_t at_s = e->at_ms / 1000;
    int n = tkt_ticket_load(s->db, e->ticket, &k.row, err);

    if (n <= 0) {
        return n;
    }
    int known = tkt_sla_load(s->db, e->ticket, &state, err);
    if (known < 0 ||
        (known == 0 && ((what & TKT_SLA_W_BEGIN) == 0 || never_runs(&k.row)))) {
        return known < 0 ? -1 : 0;
    }
    was = state;
    if (known == 0 && (what & TKT_SLA_W_MET) != 0) {
        what |= k.row.state == TKT_STATE_PENDING ? TKT_SLA_W_PAUSE : 0;
        what |= tkt_ticket_untouched(&k.row) ? 0 : TKT_SLA_W_ANSWER;
    }
    while ((n = act_once(s, book, &k.row, &state, at_s, now_ms, err)) == 1) {
    }
    if (n < 0 || load_facts(s, book, e, &k, &facts, err) < 0 ||
        ((what & TKT_SLA_W_MAIL) != 0 &&
         weigh_mail(s, book, e->message, k.requester, &what, err) < 0)) {
        return -1;
    }
    for (size_t i = 0; i < TKT_ARRAY_LEN(order); i++) {
        if ((what & order[i].what) != 0) {
            tkt_sla_apply(&state, book, order[i].event, &facts, at_s);
        }
    }
    note_unasked(&state, what, &facts);
    return save(s, e->ticket, &was, &state, err);
}

int tkt_store_sla_apply(struct tkt_store *s, const struct tkt_sla_book *book,
                        const struct tkt_store_sla_event *event, int64_t now_ms,
                        struct tkt_err *err)
{
    bool own = false;

    if (tkt_store_enter(s, &own, err) < 0) {
        return -1;
    }
    int rc = apply(s, book, event, now_ms, err);
    return tkt_store_leave(s, own, rc, err);
}

/* ---- the tick ------------------------------------------------------------------------- */

/* The longest due. A ticket that is gone, or kept by nobody, holds nothing up. */
static int tick_one(struct tkt_store *s, const struct tkt_sla_book *book, int64_t ticket,
                    int64_t to_s, int64_t now_ms, struct tkt_err *err)
{
    struct tkt_sla_ticket was;
    struct tkt_sla_ticket state;
    struct ticket_row row;
    int n = tkt_ticket_load(s->db, ticket, &row, err);

    if (n < 0) {
        return -1;
    }
    int known = tkt_sla_load(s->db, ticket, &state, err);
    if (known < 0) {
        return -1;
    }
    if (n == 0 || known == 0) {
        return tkt_db_run(s->db, SQL_TIMERS_STOP, err, "i", ticket) < 0 ? -1 : 0;
    }
    was = state;
    if (act_once(s, book, &row, &state, to_s, now_ms, err) < 0) {
        return -1;
    }
    return save(s, ticket, &was, &state, err);
}

static int tick(struct tkt_store *s, const struct tkt_sla_book *book, int64_t now_ms,
                int max, struct tkt_err *err)
{
    int64_t place = -1;
    int64_t followed_ms = INT64_MAX;
    int count = 0;

    if (tkt_db_get_int(s->db, SQL_PLACE, &place, err, "s", TKT_SLA_FOLLOWER) < 0) {
        return -1;
    }
    if (place < 0) {
        return tkt_db_run(s->db, SQL_TIMERS_CLEAR, err, "d", max) < 0
                   ? -1
                   : tkt_db_run(s->db, SQL_SLAS_CLEAR, err, "d", max);
    }
    if (tkt_db_get_int(s->db, SQL_EVENT_AT_AFTER, &followed_ms, err, "i", place) < 0) {
        return -1;
    }
    int64_t to_s = TKT_MIN(now_ms / 1000 - TKT_SLA_GRACE_S, followed_ms / 1000);
    while (count < max) {
        int64_t ticket = 0;
        int n = tkt_db_get_int(s->db, SQL_TIMERS_DUE, &ticket, err, "i", to_s);
        if (n <= 0) {
            return n < 0 ? -1 : count;
        }
        if (tick_one(s, book, ticket, to_s, now_ms, err) < 0) {
            return -1;
        }
        count++;
    }
    return count;
}

int tkt_store_sla_tick(struct tkt_store *s, const struct tkt_sla_book *book,
                       int64_t now_ms, int max, struct tkt_err *err)
{
    bool own = false;

    if (tkt_store_enter(s, &own, err) < 0) {
        return -1;
    }
    int count = tick(s, book, now_ms, max, err);
    return tkt_store_leave(s, own, count, err);
}

/* ---- other settings ------------------------------------------------------------------- */

#define META_BOOK "sla.settings"
#define META_AFTER "sla.swept"
#define SWEPT_ALL INT64_MAX

int tkt_reader_sla_sweep(struct tkt_reader *r, uint64_t settings, int64_t *after,
                         struct tkt_err *err)
{
    int64_t of = 0;

    *after = 0;
    if (tkt_db_get_int(r->db, SQL_META_GET, &of, err, "s", META_BOOK) < 0) {
        return -1;
    }
    if (of != (int64_t)settings) {
        return 1;
    }
    if (tkt_db_get_int(r->db, SQL_META_GET, after, err, "s", META_AFTER) < 0) {
        return -1;
    }
    return *after == SWEPT_ALL ? 0 : 1;
}

int tkt_store_sla_swept(struct tkt_store *s, uint64_t settings, int64_t after, bool done,
                        struct tkt_err *err)
{
    bool own = false;

    if (tkt_store_enter(s, &own, err) < 0) {
        return -1;
    }
    int rc =
        tkt_db_run(s->db, SQL_META_SET, err, "si", META_BOOK, (int64_t)settings) < 0 ||
                tkt_db_run(s->db, SQL_META_SET, err, "si", META_AFTER,
                           done ? SWEPT_ALL : after) < 0
            ? -1
            : 0;
    return tkt_store_leave(s, own, rc, err);
}

int tkt_reader_open_tickets(struct tkt_reader *r, const char *agent, int64_t after,
                            int64_t *out, int max, struct tkt_err *err)
{
    TKT_AUTO_ROW struct tkt_row row = TKT_ROW_INIT;
    int count = 0;
    int n = agent != NULL ? tkt_db_query(r->db, &row, SQL_TICKETS_OF_AGENT, err, "isd",
                                         after, agent, max)
                          : tkt_db_query(r->db, &row, SQL_TICKETS_OPEN_AFTER, err, "id",
                                         after, max);

    for (; n == 1 && count < max; n = tkt_row_next(&row, err)) {
        out[count++] = tkt_row_int(&row, 0);
    }
    return n < 0 ? -1 : count;
}

int tkt_reader_sla_followed(struct tkt_reader *r, int64_t now_ms, struct tkt_err *err)
{
    int64_t place = -1;
    int64_t first_ms = INT64_MAX;

    return tkt_db_get_int(r->db, SQL_PLACE, &place, err, "s", TKT_SLA_FOLLOWER) < 0 ||
                   tkt_db_get_int(r->db, SQL_EVENT_AT_AFTER, &first_ms, err, "i", place) <
                       0
               ? -1
               : place >= 0 && first_ms >= now_ms - TKT_SLA_GRACE_S * 1000;
}

int tkt_reader_sla_unasked(struct tkt_reader *r, int64_t after, int64_t *out, int max,
                           struct tkt_err *err)
{
    TKT_AUTO_ROW struct tkt_row row = TKT_ROW_INIT;
    int count = 0;
    int n = tkt_db_query(r->db, &row, SQL_SLAS_UNASKED, err, "id", after, max);

    for (; n == 1 && count < max; n = tkt_row_next(&row, err)) {
        out[count++] = tkt_row_int(&row, 0);
    }
    return n < 0 ? -1 : count;
}

int tkt_reader_requester(struct tkt_reader *r, int64_t ticket, struct tkt_buf *out,
                         struct tkt_err *err)
{
    TKT_AUTO_ROW struct tkt_row row = TKT_ROW_INIT;
    int n = tkt_db_query(r->db, &row, SQL_TICKET_ABOUT, err, "i", ticket);

    if (n == 1 && tkt_buf_adds(out, tkt_row_text(&row, 0)) < 0) {
        return tkt_err_set(err, TKT_ERR_PERM, "store: an address of too many bytes");
    }
    return n;
}
