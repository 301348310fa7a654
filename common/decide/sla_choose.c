/* SPDX-License-Identifier: BSD-2-Clause
 * Which service level and which chain a ticket has.
 */
#include "decide/sla.h"

#include "base/enc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* * and ?; at most length of text times length of glob. */
static bool globs(const char *glob, const char *s)
{
    const char *star = NULL;
    const char *again = NULL;

    while (*s != '\0') {
        if (*glob == '*') {
            star = ++glob;
            again = s;
        } else if (*glob == '?' || (*glob != '\0' && strncasecmp(glob, s, 1) == 0)) {
            glob++;
            s++;
        } else if (star != NULL) {
            glob = star;
            s = ++again;
        } else {
            return false;
        }
    }
    return glob[strspn(glob, "*")] == '\0';
}

static bool any_glob(const struct tkt_strings *list, const char *s)
{
    for (size_t i = 0; i < list->count; i++) {
        if (globs(list->items[i], s)) {
            return true;
        }
    }
    return list->count == 0;
}

static bool any_is(const struct tkt_strings *list, const char *s)
{
    for (size_t i = 0; i < list->count; i++) {
        if (tkt_ascii_ieq(list->items[i], s)) {
            return true;
        }
    }
    return list->count == 0;
}

static bool in_domain(const struct tkt_strings *list, const char *address)
{
    const char *at = strrchr(address, '@');
    const char *domain = at != NULL ? at + 1 : "";
    size_t n = strlen(domain);

    for (size_t i = 0; i < list->count; i++) {
        size_t m = strlen(list->items[i]);
        if (n >= m && tkt_ascii_ieq(domain + n - m, list->items[i]) &&
            (n == m || domain[n - m - 1] == '.')) {
            return true;
        }
    }
    return list->count == 0;
}

static bool is_member(const struct tkt_strings *globs_, const struct tkt_strings *groups)
{
    for (size_t i = 0; groups != NULL && i < groups->count; i++) {
        if (globs_->count > 0 && any_glob(globs_, groups->items[i])) {
            return true;
        }
    }
    return globs_->count == 0;
}

/* What the directory says. is_his: the ticket has it already. */
static bool fits_person(const struct tkt_sla_filter *f, const struct tkt_sla_facts *t,
                        bool is_his)
{
    return (t->is_unasked && is_his) || (any_is(&f->departments, t->department) &&
                                         any_glob(&f->companies, t->company) &&
                                         is_member(&f->member_of, t->member_of) &&
                                         (f->vip == 0 || (f->vip > 0) == t->vip));
}

static bool fits(const struct tkt_sla_filter *f, const struct tkt_sla_facts *t,
                 bool is_his)
{
    return any_is(&f->desks, t->desk) && any_is(&f->groups, t->group) &&
           any_is(&f->types, t->type) && any_is(&f->categories, t->category) &&
           any_glob(&f->requesters, t->requester) &&
           in_domain(&f->domains, t->requester) &&
           (f->priorities == 0 || (f->priorities & (1u << t->priority)) != 0) &&
           fits_person(f, t, is_his);
}

static bool asks_nothing(const struct tkt_sla_filter *f)
{
    return f->desks.count == 0 && f->groups.count == 0 && f->types.count == 0 &&
           f->categories.count == 0 && f->requesters.count == 0 &&
           f->domains.count == 0 && f->departments.count == 0 &&
           f->companies.count == 0 && f->member_of.count == 0 && f->priorities == 0 &&
           f->vip == 0;
}

/* The conditions that made it so, for people. */
static void tell_conditions(const struct tkt_sla_filter *f, const struct tkt_sla_facts *t,
                            char *out, size_t n)
{
    const struct {
        bool asked;
        const char *name, *value;
    } parts[] = {
        {f->desks.count > 0, "desk", t->desk},
        {f->groups.count > 0, "group", t->group},
        {f->types.count > 0, "type", t->type},
        {f->categories.count > 0, "category", t->category},
        {f->requesters.count > 0, "requester", t->requester},
        {f->domains.count > 0, "domain", t->requester},
        {f->departments.count > 0, "department", t->department},
        {f->companies.count > 0, "company", t->company},
        {f->member_of.count > 0, "member of", "a group of the directory"},
        {f->priorities != 0, "priority",
         (const char *[]){"", "1", "2", "3", "4", "5"}[t->priority]},
        {f->vip != 0, "vip", t->vip ? "yes" : "no"},
    };
    size_t used = 0;

    out[0] = '\0';
    for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
        if (parts[i].asked && used < n) {
            used += (size_t)snprintf(
                out + used, n - used, "%s%s%s%.40s", used > 0 ? ", " : "", parts[i].name,
                parts[i].value[0] != '\0' ? " " : "", parts[i].value);
        }
    }
}

static const struct tkt_sla_policy *choose_policy(const struct tkt_sla_book *book,
                                                  const struct tkt_sla_facts *t,
                                                  const char *had, char *why, size_t n)
{
    char conditions[TKT_SLA_WHY_MAX / 2];

    for (size_t i = 0; i < book->policy_count; i++) {
        const struct tkt_sla_policy *p = &book->policies[i];
        if (!asks_nothing(&p->filter) && fits(&p->filter, t, strcmp(had, p->name) == 0)) {
            tell_conditions(&p->filter, t, conditions, sizeof(conditions));
            snprintf(why, n, "sla %.32s: %s", p->name, conditions);
            return p;
        }
    }
    for (size_t i = 0; i < book->desk_count; i++) {
        const struct tkt_sla_desk *d = &book->desks[i];
        if (d->sla[0] != '\0' && tkt_ascii_ieq(d->name, t->desk)) {
            snprintf(why, n, "sla %.32s: that of the desk %.32s", d->sla, d->name);
            return tkt_sla_policy(book, d->sla);
        }
    }
    snprintf(why, n, "no sla fits");
    return NULL;
}

void tkt_sla_choose(const struct tkt_sla_book *book, const struct tkt_sla_facts *facts,
                    const struct tkt_sla_had *had, struct tkt_sla_choice *out)
{
    const struct tkt_roster_group *g = tkt_roster_group(book->roster, facts->group);
    const char *of_group = g != NULL && g->calendar != NULL ? g->calendar->name : "";
    struct tkt_sla_facts t = *facts;

    if (t.priority < 1 || t.priority > TKT_SLA_PRIORITIES) {
        t.priority = 3;
    }
    memset(out, 0, sizeof(*out));
    out->policy = choose_policy(book, &t, had->sla, out->why, sizeof(out->why));
    for (size_t i = 0; i < book->chain_count && out->chain == NULL; i++) {
        const struct tkt_sla_chain *chain = &book->chains[i];
        if (fits(&chain->filter, &t, strcmp(had->chain, chain->name) == 0)) {
            out->chain = chain;
        }
    }
    out->calendar = out->policy != NULL && out->policy->calendar[0] != '\0'
                        ? out->policy->calendar
                        : of_group;
    out->chain_calendar = out->chain != NULL && out->chain->calendar[0] != '\0'
                              ? out->chain->calendar
                              : out->calendar;
}

/* ---- the book ----------------------------------------------------------------------- */

const struct tkt_calendar *tkt_sla_calendar(const struct tkt_sla_book *book,
                                            const char *name)
{
    for (size_t i = 0; name[0] != '\0' && i < book->roster->calendar_count; i++) {
        if (strcmp(book->roster->calendars[i].name, name) == 0) {
            return &book->roster->calendars[i];
        }
    }
    return NULL;
}

const struct tkt_sla_policy *tkt_sla_policy(const struct tkt_sla_book *book,
                                            const char *name)
{
    for (size_t i = 0; name[0] != '\0' && i < book->policy_count; i++) {
        if (strcmp(book->policies[i].name, name) == 0) {
            return &book->policies[i];
        }
    }
    return NULL;
}

const struct tkt_sla_chain *tkt_sla_chain(const struct tkt_sla_book *book,
                                          const char *name)
{
    for (size_t i = 0; name[0] != '\0' && i < book->chain_count; i++) {
        if (strcmp(book->chains[i].name, name) == 0) {
            return &book->chains[i];
        }
    }
    return NULL;
}

const struct tkt_sla_step *tkt_sla_step(const struct tkt_sla_chain *chain,
                                        const char *name)
{
    for (size_t i = 0; chain != NULL && i < chain->step_count; i++) {
        if (strcmp(chain->steps[i].name, name) == 0) {
            return &chain->steps[i];
        }
    }
    return NULL;
}

const struct tkt_sla_group *tkt_sla_group(const struct tkt_sla_book *book,
                                          const char *name)
{
    for (size_t i = 0; name[0] != '\0' && i < book->group_count; i++) {
        if (strcmp(book->groups[i].name, name) == 0) {
            return &book->groups[i];
        }
    }
    return NULL;
}

static void free_strings(struct tkt_strings *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->items[i]);
    }
    free(list->items);
    *list = (struct tkt_strings){0};
}

static void free_filter(struct tkt_sla_filter *f)
{
    free_strings(&f->desks);
    free_strings(&f->groups);
    free_strings(&f->types);
    free_strings(&f->categories);
    free_strings(&f->requesters);
    free_strings(&f->domains);
    free_strings(&f->departments);
    free_strings(&f->companies);
    free_strings(&f->member_of);
}

void tkt_sla_book_free(struct tkt_sla_book **book)
{
    struct tkt_sla_book *b = *book;

    if (b == NULL) {
        return;
    }
    for (size_t i = 0; i < b->policy_count; i++) {
        free(b->policies[i].name);
        free(b->policies[i].calendar);
        free_filter(&b->policies[i].filter);
    }
    for (size_t i = 0; i < b->chain_count; i++) {
        struct tkt_sla_chain *c = &b->chains[i];
        for (size_t k = 0; k < c->step_count; k++) {
            free(c->steps[k].name);
            free(c->steps[k].group);
            free(c->steps[k].channel);
            free_strings(&c->steps[k].notify);
        }
        free(c->steps);
        free(c->name);
        free(c->calendar);
        free_filter(&c->filter);
    }
    for (size_t i = 0; i < b->desk_count; i++) {
        free(b->desks[i].name);
        free(b->desks[i].sla);
    }
    for (size_t i = 0; i < b->group_count; i++) {
        free(b->groups[i].name);
        free(b->groups[i].mailbox);
        free(b->groups[i].manager);
    }
    free(b->groups);
    free(b->policies);
    free(b->chains);
    free(b->desks);
    free(b);
    *book = NULL;
}
