/* SPDX-License-Identifier: BSD-2-Clause */
#include "decide/assign.h"

#include "base/enc.h"
#include "base/util.h"

#include <stdio.h>
#include <string.h>

#define FULL_RETRY_S 600 /* nobody knows when a ticket will be closed */

const char *const tkt_assign_names[] = {[TKT_ASSIGN_NONE] = "none",
                                        [TKT_ASSIGN_ROUND_ROBIN] = "round_robin",
                                        [TKT_ASSIGN_LEAST_OPEN] = "least_open",
                                        [TKT_ASSIGN_SKILLS] = "skills",
                                        [TKT_ASSIGN_STICKY] = "sticky",
                                        [TKT_ASSIGN_STRATEGIES] = NULL};
const char *const tkt_duty_names[] = {[TKT_DUTY_ON] = "on duty",
                                      [TKT_DUTY_OFF] = "off duty",
                                      [TKT_DUTY_AWAY] = "away",
                                      [TKT_DUTY_FULL] = "at the cap"};

static bool has_word(const struct tkt_strings *list, const char *word)
{
    for (size_t i = 0; i < list->count; i++) {
        if (tkt_ascii_ieq(list->items[i], word)) {
            return true;
        }
    }
    return false;
}

const struct tkt_roster_group *tkt_roster_group(const struct tkt_roster *roster,
                                                const char *name)
{
    for (size_t i = 0; roster != NULL && name != NULL && i < roster->group_count; i++) {
        if (strcmp(roster->groups[i].name, name) == 0) {
            return &roster->groups[i];
        }
    }
    return NULL;
}

const struct tkt_roster_agent *tkt_roster_member(const struct tkt_roster_group *group,
                                                 const char *address)
{
    for (size_t i = 0; group != NULL && i < group->member_count; i++) {
        if (tkt_ascii_ieq(group->members[i].address, address)) {
            return &group->members[i];
        }
    }
    return NULL;
}

static void free_strings(struct tkt_strings *s)
{
    for (size_t i = 0; i < s->count; i++) {
        free(s->items[i]);
    }
    free(s->items);
}

void tkt_roster_free(struct tkt_roster **roster)
{
    struct tkt_roster *r = *roster;

    for (size_t i = 0; r != NULL && i < r->group_count; i++) {
        struct tkt_roster_group *g = &r->groups[i];
        for (size_t k = 0; k < g->member_count; k++) {
            free(g->members[k].address);
            free(g->members[k].name);
            free(g->members[k].absences);
            free_strings(&g->members[k].skills);
        }
        free(g->members);
        free(g->name);
        free(g->fallback);
        free_strings(&g->categories);
        free_strings(&g->departments);
    }
    for (size_t i = 0; r != NULL && i < r->calendar_count; i++) {
        tkt_calendar_release(&r->calendars[i]);
    }
    if (r != NULL) {
        free(r->groups);
        free(r->calendars);
    }
    free(r);
    *roster = NULL;
}

/* ---- the person --------------------------------------------------------------------- */

static const struct tkt_calendar *calendar_of(const struct tkt_roster_group *group,
                                              const struct tkt_roster_agent *agent)
{
    return agent->calendar != NULL ? agent->calendar : group->calendar;
}

static bool is_away(const struct tkt_roster_agent *agent,
                    const struct tkt_assign_state *state,
                    const struct tkt_calendar *calendar, int64_t now_s)
{
    if (state->away_until_s > now_s && state->away_from_s <= now_s) {
        return true;
    }
    int32_t today =
        agent->absence_count > 0 ? tkt_calendar_date(calendar, now_s) : INT32_MIN;
    for (size_t i = 0; i < agent->absence_count; i++) {
        if (today >= agent->absences[i].first && today <= agent->absences[i].last) {
            return true;
        }
    }
    return false;
}

enum tkt_duty tkt_assign_duty(const struct tkt_roster_group *group,
                              const struct tkt_roster_agent *agent,
                              const struct tkt_assign_state *state, int64_t now_s)
{
    const struct tkt_calendar *calendar = calendar_of(group, agent);
    int64_t cap = agent->cap > 0 ? agent->cap : group->cap;

    if (is_away(agent, state, calendar, now_s)) {
        return TKT_DUTY_AWAY;
    }
    if (!tkt_calendar_is_open(calendar, now_s)) {
        return TKT_DUTY_OFF;
    }
    return cap > 0 && state->open >= cap ? TKT_DUTY_FULL : TKT_DUTY_ON;
}

/* When he may be there again; a guess that is never too late by more than the caller's
 * patience: it asks again then. */
static int64_t back_at(const struct tkt_roster_group *group,
                       const struct tkt_roster_agent *agent,
                       const struct tkt_assign_state *state, enum tkt_duty duty,
                       int64_t now_s)
{
    if (duty == TKT_DUTY_FULL) {
        return now_s + FULL_RETRY_S;
    }
    if (duty == TKT_DUTY_AWAY && state->away_until_s > now_s) {
        now_s = state->away_until_s;
    } else if (duty == TKT_DUTY_AWAY) {
        now_s += TKT_DAY_S; /* absences by date end at a midnight */
        now_s -= now_s % 3600;
    }
    return tkt_calendar_next_open(calendar_of(group, agent), now_s);
}

static size_t skills_of(const struct tkt_assign_in *in, size_t member)
{
    size_t hits = 0;

    for (size_t i = 0; i < in->word_count; i++) {
        hits += has_word(&in->group->members[member].skills, in->words[i]);
    }
    return hits;
}

struct rank {
    size_t skills; /* more is better */
    int64_t open;  /* (open + 1) / weight: less is better */
    int64_t weight;
    int64_t start; /* earlier is better */
    int64_t last;  /* as above */
};

static struct rank rank_of(const struct tkt_assign_in *in, size_t i)
{
    const struct tkt_assign_state *s = &in->states[i];
    bool by_load = in->group->strategy != TKT_ASSIGN_ROUND_ROBIN;

    return (struct rank){
        .skills = in->group->strategy == TKT_ASSIGN_SKILLS ? skills_of(in, i) : 0,
        .open = by_load ? s->open + 1 : 0,
        .weight = by_load ? in->group->members[i].weight : 1,
        .start = TKT_MAX(in->clock, s->turn),
        .last = s->last};
}

static bool is_better(const struct rank *a, const struct rank *b)
{
    if (a->skills != b->skills) {
        return a->skills > b->skills;
    }
    if (a->open * b->weight != b->open * a->weight) {
        return a->open * b->weight < b->open * a->weight;
    }
    return a->start != b->start ? a->start < b->start : a->last < b->last;
}

static void tell_chosen(const struct tkt_assign_in *in, struct tkt_assign_out *out,
                        bool is_handler, const struct rank *rank)
{
    const struct tkt_roster_group *g = in->group;
    char about[100] = "";

    if (is_handler) {
        snprintf(about, sizeof(about), "had this requester last");
    } else if (g->strategy == TKT_ASSIGN_ROUND_ROBIN) {
        snprintf(about, sizeof(about), "his turn");
    } else if (g->strategy == TKT_ASSIGN_SKILLS) {
        snprintf(about, sizeof(about), "%zu of his skills fit, %lld open", rank->skills,
                 (long long)in->states[out->chosen].open);
    } else {
        snprintf(about, sizeof(about), "%lld open",
                 (long long)in->states[out->chosen].open);
    }
    snprintf(out->why, sizeof(out->why), "%s: %s; %zu of %zu on duty",
             tkt_assign_names[g->strategy], about, out->on_duty, g->member_count);
}

static void tell_nobody(const struct tkt_assign_in *in, struct tkt_assign_out *out)
{
    snprintf(out->why, sizeof(out->why),
             "nobody of %.40s: %zu off duty, %zu away, %zu at the cap%s", in->group->name,
             out->off, out->away, out->full,
             in->group->member_count == 0 ? " (it has no members)" : "");
}

static void count(struct tkt_assign_out *out, enum tkt_duty duty)
{
    out->on_duty += duty == TKT_DUTY_ON;
    out->off += duty == TKT_DUTY_OFF;
    out->away += duty == TKT_DUTY_AWAY;
    out->full += duty == TKT_DUTY_FULL;
}

void tkt_assign_choose(const struct tkt_assign_in *in, struct tkt_assign_out *out)
{
    const struct tkt_roster_group *g = in->group;
    struct rank best = {0};
    bool is_handler = false;

    *out = (struct tkt_assign_out){.chosen = -1, .next_s = TKT_CALENDAR_NEVER};
    for (size_t i = 0; i < g->member_count; i++) {
        const struct tkt_roster_agent *m = &g->members[i];
        enum tkt_duty duty = tkt_assign_duty(g, m, &in->states[i], in->now_s);
        bool excepted = in->except != NULL && tkt_ascii_ieq(m->address, in->except);
        if (duty != TKT_DUTY_ON) { /* later he may have it all the same */
            int64_t back = back_at(g, m, &in->states[i], duty, in->now_s);
            out->next_s = TKT_MIN(out->next_s, back);
        }
        if (excepted) {
            continue;
        }
        count(out, duty);
        if (duty != TKT_DUTY_ON) {
            continue;
        }
        struct rank r = rank_of(in, i);
        bool had = g->strategy == TKT_ASSIGN_STICKY && in->handler != NULL &&
                   tkt_ascii_ieq(m->address, in->handler);
        if (had || (!is_handler && (out->chosen < 0 || is_better(&r, &best)))) {
            out->chosen = (int)i;
            best = r;
            is_handler = had;
        }
    }
    if (out->chosen < 0) {
        tell_nobody(in, out);
        return;
    }
    out->start = best.start;
    out->turn = best.start + TKT_ASSIGN_TURN / TKT_MAX(1, g->members[out->chosen].weight);
    tell_chosen(in, out, is_handler, &best);
}
