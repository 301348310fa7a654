/* SPDX-License-Identifier: BSD-2-Clause */
#include "decide/sla.h"

#include "base/util.h"

#include <stdio.h>
#include <string.h>

const char *const tkt_sla_timer_names[] = {[TKT_SLA_FIRST] = "first_response",
                                           [TKT_SLA_NEXT] = "next_response",
                                           [TKT_SLA_RESOLUTION] = "resolution",
                                           [TKT_SLA_TIMERS] = NULL};
const char *const tkt_sla_cause_names[] = {[TKT_SLA_CREATED] = "created",
                                           [TKT_SLA_UNASSIGNED] = "unassigned",
                                           [TKT_SLA_UNTOUCHED] = "untouched",
                                           [TKT_SLA_ABSENT] = "absent",
                                           [TKT_SLA_WARNED] = "warning",
                                           [TKT_SLA_BREACHED] = "breach",
                                           [TKT_SLA_CAUSES] = NULL};
const char *const tkt_sla_state_names[] = {
    [TKT_SLA_OFF] = "off", [TKT_SLA_RUNNING] = "running", [TKT_SLA_PAUSED] = "paused",
    [TKT_SLA_MET] = "met", [TKT_SLA_STOPPED] = "stopped", [TKT_SLA_DONE] = "done"};

#define F_ASSIGNED (1u << 5) /* what the facts said last */
#define F_UNTOUCHED (1u << 6)
#define F_AWAY (1u << 7)

/* ---- clocks ------------------------------------------------------------------------- */

static bool is_going(const struct tkt_sla_clock *c)
{
    return c->state == TKT_SLA_RUNNING || c->state == TKT_SLA_PAUSED;
}

static const struct tkt_calendar *calendar(const struct tkt_sla_ticket *t,
                                           const struct tkt_sla_book *book)
{
    return tkt_sla_calendar(book, t->calendar);
}

static int64_t reaches(const struct tkt_sla_ticket *t, const struct tkt_sla_book *book,
                       const struct tkt_sla_clock *c, int64_t used_s)
{
    return tkt_calendar_add(calendar(t, book), c->since_s, used_s - c->used_s);
}

static int64_t warn_at(const struct tkt_sla_policy *p, const struct tkt_sla_clock *c)
{
    return p != NULL && p->warn > 0 ? c->target_s * p->warn / 100 : INT64_MAX;
}

/* Nothing is due before floor_s: what a change makes late is late from then on. */
static void plan(const struct tkt_sla_ticket *t, const struct tkt_sla_book *book,
                 struct tkt_sla_clock *c, int64_t floor_s)
{
    const struct tkt_sla_policy *p = tkt_sla_policy(book, t->sla);

    c->due_s = TKT_CALENDAR_NEVER;
    if (c->state != TKT_SLA_RUNNING || c->target_s <= 0 || c->breached) {
        return;
    }
    bool warns = !c->warned && c->used_s < c->target_s && warn_at(p, c) < c->target_s;
    c->due_s = reaches(t, book, c, warns ? warn_at(p, c) : c->target_s);
    c->due_s = TKT_MAX(c->due_s, floor_s);
}

static void settle(const struct tkt_sla_ticket *t, const struct tkt_sla_book *book,
                   struct tkt_sla_clock *c, int64_t at_s)
{
    if (c->state == TKT_SLA_RUNNING) {
        c->used_s += tkt_calendar_between(calendar(t, book), c->since_s, at_s);
        c->since_s = TKT_MAX(at_s, c->since_s);
    }
}

static void end_clock(struct tkt_sla_ticket *t, const struct tkt_sla_book *book,
                      enum tkt_sla_timer timer, enum tkt_sla_state to, int64_t at_s)
{
    struct tkt_sla_clock *c = &t->clocks[timer];

    if (is_going(c)) {
        settle(t, book, c, at_s);
        c->state = to;
        c->due_s = TKT_CALENDAR_NEVER;
    }
}

static bool holds_still(const struct tkt_sla_ticket *t, const struct tkt_sla_policy *p)
{
    return (t->flags & TKT_SLA_F_PENDING) != 0 && (p == NULL || p->pauses);
}

static void start_clock(struct tkt_sla_ticket *t, const struct tkt_sla_book *book,
                        enum tkt_sla_timer timer, int64_t at_s)
{
    struct tkt_sla_clock *c = &t->clocks[timer];

    c->state =
        holds_still(t, tkt_sla_policy(book, t->sla)) ? TKT_SLA_PAUSED : TKT_SLA_RUNNING;
    c->since_s = at_s;
    plan(t, book, c, at_s);
}

static void start_round(struct tkt_sla_ticket *t, const struct tkt_sla_book *book,
                        const struct tkt_sla_facts *facts, int64_t at_s)
{
    const struct tkt_sla_policy *p = tkt_sla_policy(book, t->sla);
    int priority = facts->priority >= 1 && facts->priority <= TKT_SLA_PRIORITIES
                       ? facts->priority
                       : 3;

    t->clocks[TKT_SLA_NEXT] = (struct tkt_sla_clock){
        .round = t->clocks[TKT_SLA_NEXT].round + 1,
        .target_s = p != NULL ? p->target_s[TKT_SLA_NEXT][priority] : 0};
    start_clock(t, book, TKT_SLA_NEXT, at_s);
}

/* Pause and go on, of all that are under way. */
static void hold_or_go(struct tkt_sla_ticket *t, const struct tkt_sla_book *book,
                       int64_t at_s)
{
    bool still = holds_still(t, tkt_sla_policy(book, t->sla));

    for (int i = 0; i < TKT_SLA_TIMERS; i++) {
        struct tkt_sla_clock *c = &t->clocks[i];
        if (c->state == TKT_SLA_RUNNING && still) {
            settle(t, book, c, at_s);
            c->state = TKT_SLA_PAUSED;
            c->due_s = TKT_CALENDAR_NEVER;
        } else if (c->state == TKT_SLA_PAUSED && !still) {
            c->state = TKT_SLA_RUNNING;
            c->since_s = at_s;
            plan(t, book, c, at_s);
        }
    }
}

/* ---- steps -------------------------------------------------------------------------- */

static struct tkt_sla_wait *wait_named(struct tkt_sla_ticket *t, const char *name)
{
    for (size_t i = 0; i < t->wait_count; i++) {
        if (strcmp(t->waits[i].name, name) == 0) {
            return &t->waits[i];
        }
    }
    return NULL;
}

static bool waits_still(const struct tkt_sla_wait *w)
{
    return w->state == TKT_SLA_RUNNING || w->state == TKT_SLA_PAUSED;
}

static int64_t left_of(const struct tkt_calendar *c, const struct tkt_sla_wait *w,
                       int64_t at_s)
{
    return w->due_s == TKT_CALENDAR_NEVER ? TKT_CALENDAR_NEVER
                                          : tkt_calendar_between(c, at_s, w->due_s);
}

static int64_t due_after(const struct tkt_calendar *c, int64_t at_s, int64_t left_s)
{
    return left_s == TKT_CALENDAR_NEVER ? TKT_CALENDAR_NEVER
                                        : tkt_calendar_add(c, at_s, left_s);
}

/* The time that is left counts, in the calendar of then: what is due at once is not held. */
static void hold_step(struct tkt_sla_ticket *t, const struct tkt_sla_book *book,
                      struct tkt_sla_wait *w, const struct tkt_sla_step *s, int64_t at_s)
{
    const struct tkt_calendar *c = tkt_sla_calendar(book, t->chain_calendar);
    bool still = (t->flags & TKT_SLA_F_PENDING) != 0 && s != NULL && s->pauses;

    if (w->state == TKT_SLA_RUNNING && still && w->due_s > at_s) {
        w->left_s = left_of(c, w, at_s);
        w->state = TKT_SLA_PAUSED;
        w->due_s = TKT_CALENDAR_NEVER;
    } else if (w->state == TKT_SLA_PAUSED && !still) {
        w->due_s = due_after(c, at_s, w->left_s);
        w->left_s = 0;
        w->state = TKT_SLA_RUNNING;
    }
}

static void hold_steps(struct tkt_sla_ticket *t, const struct tkt_sla_book *book,
                       int64_t at_s)
{
    const struct tkt_sla_chain *chain = tkt_sla_chain(book, t->chain);

    for (size_t i = 0; i < t->wait_count; i++) {
        hold_step(t, book, &t->waits[i], tkt_sla_step(chain, t->waits[i].name), at_s);
    }
}

static void stop_steps(struct tkt_sla_ticket *t, int cause)
{
    for (size_t i = 0; i < t->wait_count; i++) {
        struct tkt_sla_wait *w = &t->waits[i];
        if (waits_still(w) && (cause < 0 || w->of == (unsigned)cause)) {
            w->state = TKT_SLA_STOPPED;
            w->due_s = TKT_CALENDAR_NEVER;
        }
    }
}

/* Their time begins, of which used_s has passed already. One that waits goes on waiting, one
 * that was done is done. */
static void start_steps_late(struct tkt_sla_ticket *t, const struct tkt_sla_book *book,
                             enum tkt_sla_cause cause, int64_t used_s, int64_t at_s)
{
    const struct tkt_sla_chain *chain = tkt_sla_chain(book, t->chain);
    const struct tkt_calendar *c = tkt_sla_calendar(book, t->chain_calendar);

    if (chain == NULL || (t->flags & (TKT_SLA_F_RESOLVED | TKT_SLA_F_ENDED)) != 0) {
        return;
    }
    for (size_t i = 0; i < chain->step_count; i++) {
        const struct tkt_sla_step *s = &chain->steps[i];
        struct tkt_sla_wait *w = wait_named(t, s->name);
        if (s->of != cause || (w != NULL && w->state != TKT_SLA_STOPPED)) {
            continue;
        }
        if (w == NULL) {
            if (t->wait_count == TKT_SLA_STEPS_MAX) {
                continue;
            }
            w = &t->waits[t->wait_count++];
            snprintf(w->name, sizeof(w->name), "%s", s->name);
        }
        w->of = cause;
        w->state = TKT_SLA_RUNNING;
        w->since_s = at_s;
        w->left_s = 0;
        w->due_s = tkt_calendar_add(c, at_s, s->after_s - used_s);
        hold_step(t, book, w, s, at_s);
    }
}

static void start_steps(struct tkt_sla_ticket *t, const struct tkt_sla_book *book,
                        enum tkt_sla_cause cause, int64_t at_s)
{
    start_steps_late(t, book, cause, 0, at_s);
}

static bool any_done(const struct tkt_sla_ticket *t)
{
    for (size_t i = 0; i < t->wait_count; i++) {
        if (t->waits[i].state == TKT_SLA_DONE) {
            return true;
        }
    }
    return false;
}

/* A cause that begins starts its steps, one that ends stops them. */
static void follow_cause(struct tkt_sla_ticket *t, const struct tkt_sla_book *book,
                         unsigned flag, bool is, bool flag_means, int cause, int64_t at_s)
{
    bool was = (t->flags & flag) != 0;

    t->flags = is ? t->flags | flag : t->flags & ~flag;
    if (is == was) {
        return;
    }
    if (is == flag_means) {
        start_steps(t, book, (enum tkt_sla_cause)cause, at_s);
    } else {
        stop_steps(t, cause);
    }
}

static void follow_person(struct tkt_sla_ticket *t, const struct tkt_sla_book *book,
                          const struct tkt_sla_facts *facts, int64_t at_s)
{
    follow_cause(t, book, F_ASSIGNED, facts->has_assignee, false, TKT_SLA_UNASSIGNED,
                 at_s);
    follow_cause(t, book, F_UNTOUCHED, facts->is_untouched, true, TKT_SLA_UNTOUCHED,
                 at_s);
    follow_cause(t, book, F_AWAY, facts->is_away, true, TKT_SLA_ABSENT, at_s);
}

/* ---- which apply -------------------------------------------------------------------- */

static void copy_name(char out[TKT_SLA_NAME_MAX + 1], const char *name)
{
    snprintf(out, TKT_SLA_NAME_MAX + 1, "%s", name);
}

/* What is left of a step's time goes by the other calendar from now on. */
static void take_calendar(struct tkt_sla_ticket *t, const struct tkt_sla_book *book,
                          const char *name, int64_t at_s)
{
    const struct tkt_calendar *was = tkt_sla_calendar(book, t->chain_calendar);
    const struct tkt_calendar *is = tkt_sla_calendar(book, name);

    if (strcmp(t->chain_calendar, name) == 0) {
        return;
    }
    copy_name(t->chain_calendar, name);
    for (size_t i = 0; i < t->wait_count; i++) {
        struct tkt_sla_wait *w = &t->waits[i];
        if (w->state == TKT_SLA_RUNNING && w->due_s > at_s) {
            w->due_s = due_after(is, at_s, left_of(was, w, at_s));
        }
    }
}

/* A chain that has done something stays with the ticket: what it raised must not bring
 * another one. */
static bool take_chain(struct tkt_sla_ticket *t, const struct tkt_sla_choice *choice)
{
    const char *name = choice->chain != NULL ? choice->chain->name : "";

    if (any_done(t) || strcmp(t->chain, name) == 0) {
        return false;
    }
    copy_name(t->chain, name);
    t->wait_count = 0;
    return true;
}

/* Whatever there is now begins now. */
static void forget_person(struct tkt_sla_ticket *t)
{
    t->flags = (t->flags | F_ASSIGNED) & ~(F_UNTOUCHED | F_AWAY);
}

static void take_policy(struct tkt_sla_ticket *t, const struct tkt_sla_book *book,
                        const struct tkt_sla_choice *choice, int priority, int64_t at_s)
{
    if (strcmp(t->calendar, choice->calendar) != 0) {
        for (int i = 0; i < TKT_SLA_TIMERS; i++) {
            settle(t, book, &t->clocks[i], at_s);
        }
        copy_name(t->calendar, choice->calendar);
    }
    copy_name(t->sla, choice->policy != NULL ? choice->policy->name : "");
    memcpy(t->why, choice->why, sizeof(t->why));
    if (priority < 1 || priority > TKT_SLA_PRIORITIES) {
        priority = 3;
    }
    for (int i = 0; i < TKT_SLA_TIMERS; i++) {
        struct tkt_sla_clock *c = &t->clocks[i];
        int64_t target =
            choice->policy != NULL ? choice->policy->target_s[i][priority] : 0;
        if (is_going(c) && c->target_s != target) {
            settle(t, book, c, at_s); /* whether it is too late for a warning */
            c->target_s = target;
        }
        plan(t, book, c, at_s);
    }
    hold_or_go(t, book, at_s);
}

static void change(struct tkt_sla_ticket *t, const struct tkt_sla_book *book,
                   const struct tkt_sla_facts *facts, int64_t at_s)
{
    const struct tkt_sla_had had = {t->sla, t->chain};
    struct tkt_sla_choice choice;

    tkt_sla_choose(book, facts, &had, &choice);
    take_calendar(t, book, choice.chain_calendar, at_s);
    take_policy(t, book, &choice, facts->priority, at_s);
    if (take_chain(t, &choice)) {
        forget_person(t);
        if (facts->is_untouched) {
            /* Of a chain that comes late: what was used of the time stays used. */
            start_steps_late(t, book, TKT_SLA_CREATED,
                             tkt_sla_used(t, book, TKT_SLA_RESOLUTION, at_s), at_s);
        }
    }
    follow_person(t, book, facts, at_s);
    hold_steps(t, book, at_s);
}

/* ---- what happens ------------------------------------------------------------------- */

static void begin(struct tkt_sla_ticket *t, const struct tkt_sla_book *book,
                  const struct tkt_sla_facts *facts, int64_t at_s)
{
    size_t kept = 0;

    if (t->started_s != 0 && (t->flags & TKT_SLA_F_ENDED) == 0) {
        return;
    }
    for (size_t i = 0; i < t->wait_count; i++) { /* it was withdrawn and comes back */
        if (t->waits[i].state == TKT_SLA_DONE) {
            t->waits[kept++] = t->waits[i];
        }
    }
    t->wait_count = kept;
    t->flags = F_ASSIGNED;
    t->started_s = at_s;
    memset(t->clocks, 0, sizeof(t->clocks));
    for (int i = 0; i < TKT_SLA_TIMERS; i++) {
        t->clocks[i].due_s = TKT_CALENDAR_NEVER;
    }
    start_clock(t, book, TKT_SLA_FIRST, at_s);
    start_clock(t, book, TKT_SLA_RESOLUTION, at_s);
    change(t, book, facts, at_s);
    start_steps(t, book, TKT_SLA_CREATED, at_s);
}

static void answer(struct tkt_sla_ticket *t, const struct tkt_sla_book *book,
                   int64_t at_s)
{
    end_clock(t, book, TKT_SLA_FIRST, TKT_SLA_MET, at_s);
    end_clock(t, book, TKT_SLA_NEXT, TKT_SLA_MET, at_s);
    t->flags = (t->flags | TKT_SLA_F_ANSWERED) & ~(unsigned)TKT_SLA_F_ASKED;
    stop_steps(t, -1);
}

static void ask(struct tkt_sla_ticket *t, const struct tkt_sla_book *book,
                const struct tkt_sla_facts *facts, int64_t at_s)
{
    if ((t->flags & TKT_SLA_F_RESOLVED) != 0) {
        t->flags |= TKT_SLA_F_ASKED;
    } else if (!is_going(&t->clocks[TKT_SLA_FIRST]) &&
               !is_going(&t->clocks[TKT_SLA_NEXT])) {
        start_round(t, book, facts, at_s);
    }
}

static void resolve(struct tkt_sla_ticket *t, const struct tkt_sla_book *book,
                    int64_t at_s)
{
    end_clock(t, book, TKT_SLA_FIRST, TKT_SLA_STOPPED, at_s);
    end_clock(t, book, TKT_SLA_NEXT, TKT_SLA_STOPPED, at_s);
    end_clock(t, book, TKT_SLA_RESOLUTION, TKT_SLA_MET, at_s);
    t->flags = (t->flags | TKT_SLA_F_RESOLVED) &
               ~(unsigned)(TKT_SLA_F_PENDING | TKT_SLA_F_ASKED);
    stop_steps(t, -1);
}

static void reopen(struct tkt_sla_ticket *t, const struct tkt_sla_book *book,
                   const struct tkt_sla_facts *facts, int64_t at_s)
{
    if ((t->flags & TKT_SLA_F_RESOLVED) == 0) {
        return;
    }
    bool asked = (t->flags & TKT_SLA_F_ASKED) != 0;
    t->flags &= ~(unsigned)(TKT_SLA_F_RESOLVED | TKT_SLA_F_PENDING | TKT_SLA_F_ASKED);
    start_clock(t, book, TKT_SLA_RESOLUTION, at_s);
    if ((t->flags & TKT_SLA_F_ANSWERED) == 0) {
        start_clock(t, book, TKT_SLA_FIRST, at_s);
    } else if (asked) {
        start_round(t, book, facts, at_s);
    }
    forget_person(t); /* nobody has it, or is there: now as ever */
    change(t, book, facts, at_s);
}

/* What began in a future that did not come begins now, or it would wait for that future. */
static void go_back(struct tkt_sla_ticket *t, const struct tkt_sla_book *book,
                    int64_t at_s)
{
    const struct tkt_sla_chain *chain = tkt_sla_chain(book, t->chain);
    int64_t last_s = at_s + TKT_SLA_BACK_S;

    t->started_s = t->started_s > last_s ? at_s : t->started_s;
    for (int i = 0; i < TKT_SLA_TIMERS; i++) {
        struct tkt_sla_clock *c = &t->clocks[i];
        if (is_going(c) && c->since_s > last_s) {
            c->since_s = at_s;
            plan(t, book, c, at_s);
        }
    }
    for (size_t i = 0; i < t->wait_count; i++) {
        struct tkt_sla_wait *w = &t->waits[i];
        const struct tkt_sla_step *s = tkt_sla_step(chain, w->name);
        if (waits_still(w) && s != NULL && w->since_s > last_s) {
            w->since_s = at_s;
            if (w->state == TKT_SLA_RUNNING) {
                w->due_s = tkt_calendar_add(tkt_sla_calendar(book, t->chain_calendar),
                                            at_s, s->after_s);
            }
        }
    }
}

static void end(struct tkt_sla_ticket *t, const struct tkt_sla_book *book, int64_t at_s)
{
    for (int i = 0; i < TKT_SLA_TIMERS; i++) {
        end_clock(t, book, (enum tkt_sla_timer)i, TKT_SLA_STOPPED, at_s);
    }
    t->flags |= TKT_SLA_F_ENDED;
    stop_steps(t, -1);
}

void tkt_sla_apply(struct tkt_sla_ticket *t, const struct tkt_sla_book *book,
                   enum tkt_sla_event event, const struct tkt_sla_facts *facts,
                   int64_t at_s)
{
    if (event == TKT_SLA_E_BEGIN) {
        begin(t, book, facts, at_s);
        return;
    }
    if (t->started_s == 0 || (t->flags & TKT_SLA_F_ENDED) != 0) {
        return;
    }
    switch (event) {
    case TKT_SLA_E_PAUSE:
        t->flags |= TKT_SLA_F_PENDING;
        hold_or_go(t, book, at_s);
        hold_steps(t, book, at_s);
        break;
    case TKT_SLA_E_RESUME:
        t->flags &= ~(unsigned)TKT_SLA_F_PENDING;
        hold_or_go(t, book, at_s);
        hold_steps(t, book, at_s);
        break;
    case TKT_SLA_E_ANSWER:
        answer(t, book, at_s);
        break;
    case TKT_SLA_E_ASK:
        ask(t, book, facts, at_s);
        break;
    case TKT_SLA_E_PROGRESS:
        stop_steps(t, -1);
        break;
    case TKT_SLA_E_RESOLVE:
        resolve(t, book, at_s);
        break;
    case TKT_SLA_E_REOPEN:
        reopen(t, book, facts, at_s);
        break;
    case TKT_SLA_E_END:
        end(t, book, at_s);
        break;
    case TKT_SLA_E_CHANGE:
        change(t, book, facts, at_s);
        break;
    case TKT_SLA_E_BACK:
        go_back(t, book, at_s);
        break;
    default:
        break;
    }
}

/* ---- what is due -------------------------------------------------------------------- */

int64_t tkt_sla_next(const struct tkt_sla_ticket *t)
{
    int64_t due_s = TKT_CALENDAR_NEVER;

    for (int i = 0; i < TKT_SLA_TIMERS; i++) {
        if (t->clocks[i].state == TKT_SLA_RUNNING) {
            due_s = TKT_MIN(due_s, t->clocks[i].due_s);
        }
    }
    for (size_t i = 0; i < t->wait_count; i++) {
        if (t->waits[i].state == TKT_SLA_RUNNING) {
            due_s = TKT_MIN(due_s, t->waits[i].due_s);
        }
    }
    return due_s;
}

/* The calendar may have changed since it was planned: then it is planned anew. */
static bool act_clock(struct tkt_sla_ticket *t, const struct tkt_sla_book *book,
                      enum tkt_sla_timer timer, int64_t to_s, struct tkt_sla_action *out)
{
    struct tkt_sla_clock *c = &t->clocks[timer];
    int64_t due_s = c->due_s;

    plan(t, book, c, due_s);
    if (c->due_s > to_s) {
        return false;
    }
    due_s = c->due_s;
    int64_t deadline = reaches(t, book, c, c->target_s);
    const struct tkt_sla_policy *p = tkt_sla_policy(book, t->sla);
    bool warns = !c->warned && c->used_s < c->target_s && warn_at(p, c) < c->target_s;
    *out = (struct tkt_sla_action){.kind = warns ? TKT_SLA_A_WARNING : TKT_SLA_A_BREACH,
                                   .timer = timer,
                                   .round = c->round,
                                   .due_s = due_s,
                                   .deadline_s = deadline,
                                   .target_s = c->target_s};
    c->warned = c->warned || warns;
    c->breached = !warns;
    plan(t, book, c, due_s);
    start_steps(t, book, warns ? TKT_SLA_WARNED : TKT_SLA_BREACHED, due_s);
    return true;
}

/* Of one time: in the order of the file, whatever order they are kept in. */
static struct tkt_sla_wait *first_wait(struct tkt_sla_ticket *t,
                                       const struct tkt_sla_book *book, int64_t due_s)
{
    const struct tkt_sla_chain *chain = tkt_sla_chain(book, t->chain);
    struct tkt_sla_wait *first = NULL;
    size_t best = SIZE_MAX;

    for (size_t i = 0; i < t->wait_count; i++) {
        struct tkt_sla_wait *w = &t->waits[i];
        if (w->state != TKT_SLA_RUNNING || w->due_s != due_s) {
            continue;
        }
        const struct tkt_sla_step *s = tkt_sla_step(chain, w->name);
        size_t place = s != NULL ? (size_t)(s - chain->steps) : SIZE_MAX - 1;
        if (place < best) {
            best = place;
            first = w;
        }
    }
    return first;
}

static bool act_wait(struct tkt_sla_ticket *t, const struct tkt_sla_book *book,
                     struct tkt_sla_wait *w, struct tkt_sla_action *out)
{
    const struct tkt_sla_step *s = tkt_sla_step(tkt_sla_chain(book, t->chain), w->name);

    *out = (struct tkt_sla_action){
        .kind = TKT_SLA_A_STEP, .due_s = w->due_s, .deadline_s = w->due_s, .step = s};
    w->state = s != NULL ? TKT_SLA_DONE : TKT_SLA_STOPPED;
    w->due_s = TKT_CALENDAR_NEVER;
    return s != NULL;
}

bool tkt_sla_act(struct tkt_sla_ticket *t, const struct tkt_sla_book *book, int64_t to_s,
                 struct tkt_sla_action *out)
{
    for (;;) {
        int64_t due_s = tkt_sla_next(t);

        if (due_s == TKT_CALENDAR_NEVER || due_s > to_s) {
            return false;
        }
        for (int i = 0; i < TKT_SLA_TIMERS; i++) {
            struct tkt_sla_clock *c = &t->clocks[i];
            if (c->state == TKT_SLA_RUNNING && c->due_s == due_s) {
                if (act_clock(t, book, (enum tkt_sla_timer)i, to_s, out)) {
                    return true;
                }
                due_s = -1; /* planned anew: look again */
                break;
            }
        }
        struct tkt_sla_wait *w = due_s >= 0 ? first_wait(t, book, due_s) : NULL;
        if (w != NULL && act_wait(t, book, w, out)) {
            return true;
        }
    }
}

void tkt_sla_undo_step(struct tkt_sla_ticket *t, const char *step)
{
    struct tkt_sla_wait *w = wait_named(t, step);

    if (w != NULL && w->state == TKT_SLA_DONE) {
        w->state = TKT_SLA_STOPPED;
    }
}

int64_t tkt_sla_used(const struct tkt_sla_ticket *t, const struct tkt_sla_book *book,
                     enum tkt_sla_timer timer, int64_t now_s)
{
    const struct tkt_sla_clock *c = &t->clocks[timer];

    return c->state == TKT_SLA_RUNNING
               ? c->used_s + tkt_calendar_between(calendar(t, book), c->since_s, now_s)
               : c->used_s;
}

int64_t tkt_sla_deadline(const struct tkt_sla_ticket *t, const struct tkt_sla_book *book,
                         enum tkt_sla_timer timer)
{
    const struct tkt_sla_clock *c = &t->clocks[timer];

    return c->state == TKT_SLA_RUNNING && c->target_s > 0
               ? reaches(t, book, c, c->target_s)
               : TKT_CALENDAR_NEVER;
}
