/* SPDX-License-Identifier: BSD-2-Clause */
#include "decide/decide.h"

#include "base/enc.h"
#include "decide/correlate.h"
#include "decide/model_route.h"
#include "decide/mood.h"
#include "decide/policy.h"
#include "decide/route.h"
#include "decide/rules.h"
#include "decide/thread.h"

#include <string.h>

static const char *const assurance_words[] = {"login", "aligned pass", "none", "fail"};

/* The null sender is nobody whom one could answer, whatever the class: it moves nothing,
 * and opens only where bounces do. */
struct tkt_class_policy tkt_decide_policy(const struct tkt_message *msg,
                                          const struct tkt_facts *facts,
                                          const struct tkt_desk_facts *desk)
{
    uint32_t opens = desk->opens;
    uint32_t bit = TKT_CLASS_BIT(msg->class);

    if (facts->null_sender) {
        bool bounces_open = (opens & TKT_CLASS_BIT(TKT_CLASS_BOUNCE)) != 0;
        return (struct tkt_class_policy){bounces_open && (opens & bit) != 0, false,
                                         false};
    }
    return (struct tkt_class_policy){(opens & bit) != 0, (desk->changes_state & bit) != 0,
                                     (desk->acknowledges & bit) != 0};
}

enum tkt_assurance tkt_decide_assurance(const struct tkt_message *msg,
                                        const struct tkt_facts *facts)
{
    if (facts->login_is_from) {
        return TKT_ASSURANCE_LOGIN;
    }
    if (msg->dmarc == TKT_AUTH_FAIL) {
        return TKT_ASSURANCE_FAIL;
    }
    if (msg->auth_aligned) {
        return TKT_ASSURANCE_PASS;
    }
    if (msg->spf == TKT_AUTH_FAIL || msg->dkim == TKT_AUTH_FAIL) {
        return TKT_ASSURANCE_FAIL;
    }
    return TKT_ASSURANCE_NONE;
}

/* ---- why ------------------------------------------------------------------------------ */

static void add_cut(struct tkt_buf *b, const char *s, size_t max)
{
    (void)tkt_buf_add(b, s, tkt_utf8_cut(s, strlen(s), max)); /* what fits is told */
}

static void explain_thread(struct tkt_buf *b, const struct tkt_question *q,
                           const struct tkt_thread *t)
{
    if (t->by == NULL) {
        tkt_buf_addf(b, "no ticket named, sender is %s, ",
                     q->facts->is_agent ? "an agent" : "new here");
        return;
    }
    tkt_buf_addf(b, "%s names ", tkt_evidence_names[t->by->evidence]);
    add_cut(b, t->by->id, 64);
    tkt_buf_addf(b, " (%s), sender is %s, ", tkt_state_names[t->by->state],
                 tkt_thread_relation(q, t->by));
}

static char *explain(const struct tkt_question *q, const struct tkt_thread *t,
                     const struct tkt_decision *d, struct tkt_wire_arena *arena)
{
    TKT_AUTO_BUF struct tkt_buf b = TKT_BUF_INIT(1024);

    explain_thread(&b, q, t);
    tkt_buf_addf(&b, "authentication %s, class %s%s", assurance_words[q->assurance],
                 tkt_class_names[q->facts->is_own ? TKT_CLASS_OWN : q->msg->class],
                 q->facts->null_sender ? " with the null sender" : "");
    if (d->action == TKT_ACTION_REFUSE) {
        tkt_buf_adds(&b, ", closed tickets take no answers");
    }
    if (t->split_suggested) {
        tkt_buf_adds(&b, ", its subject is another one: split suggested");
    }
    if (t->similar != NULL) {
        tkt_buf_adds(&b, ", looks like ");
        add_cut(&b, t->similar->id, 64);
    }
    if (d->requester[0] != '\0') {
        tkt_buf_adds(&b, ", forwarded for ");
        add_cut(&b, d->requester, 256);
    }
    return tkt_wire_arena_strdup(arena, tkt_buf_str(&b), b.len);
}

static char *copy(struct tkt_wire_arena *arena, const char *s)
{
    return tkt_wire_arena_strdup(arena, s, strlen(s));
}

/* What holds when nobody knows better. */
static int fill_defaults(const struct tkt_desk_facts *desk, struct tkt_decision *d,
                         struct tkt_wire_arena *arena)
{
    char *none = copy(arena, "");

    d->type = copy(arena, desk->type);
    d->group = copy(arena, desk->group);
    d->category = none;
    d->subcategory = none;
    d->service = none;
    d->assignee = none;
    d->itsm = none;
    d->refuse_text = none;
    d->correlate = none;
    d->correlate_by = none;
    d->priority = desk->priority;
    return none == NULL || d->type == NULL || d->group == NULL ? -1 : 0;
}

/* In whose name: a forward names anybody it likes, so who forwards must be somebody that the
 * desk believes, and be it for certain. */
static const struct tkt_address *forwarded_by(const struct tkt_question *q,
                                              enum tkt_action action)
{
    const struct tkt_forwarded *f = &q->msg->forwarded;
    bool is_new = action == TKT_ACTION_NEW || action == TKT_ACTION_NEW_LINKED;
    bool believed =
        q->desk->forward_anybody || (q->desk->forward_agents && q->facts->is_agent);
    bool certain =
        q->assurance == TKT_ASSURANCE_LOGIN || q->assurance == TKT_ASSURANCE_PASS;

    return is_new && believed && certain && q->msg->class == TKT_CLASS_HUMAN &&
                   f->is_present && strchr(f->from.address, '@') != NULL
               ? &f->from
               : NULL;
}

static int fill_requester(const struct tkt_question *q, struct tkt_decision *d,
                          struct tkt_wire_arena *arena)
{
    const struct tkt_address *a = forwarded_by(q, d->action);

    d->requester = copy(arena, a == NULL ? "" : a->address);
    d->requester_name = copy(arena, a == NULL ? "" : a->name);
    return d->requester == NULL || d->requester_name == NULL ? -1 : 0;
}

/* From can name anybody: an acknowledgement to whom nothing proves may go to a stranger. */
static bool may_acknowledge(const struct tkt_question *q)
{
    return q->policy.acknowledge &&
           (q->desk->acknowledge_proved ? q->assurance == TKT_ASSURANCE_LOGIN ||
                                              q->assurance == TKT_ASSURANCE_PASS
                                        : q->assurance != TKT_ASSURANCE_FAIL);
}

static void fill_effects(const struct tkt_question *q, const struct tkt_thread *t,
                         struct tkt_decision *d)
{
    bool appends = d->action == TKT_ACTION_APPEND;

    if (appends && q->policy.moves_state) {
        d->reopens =
            t->by->state == TKT_STATE_RESOLVED || t->by->state == TKT_STATE_CLOSED;
        d->changes_state =
            d->reopens || (t->by->state == TKT_STATE_PENDING && !q->facts->is_agent);
    }
    d->public_comment =
        appends && q->policy.moves_state && q->facts->is_agent && q->desk->local_itsm;
    d->acknowledge =
        may_acknowledge(q) && !d->public_comment &&
        (appends || d->action == TKT_ACTION_NEW || d->action == TKT_ACTION_NEW_LINKED);
}

static int fill_tags(const struct tkt_thread *t, struct tkt_decision *d,
                     struct tkt_wire_arena *arena)
{
    if (!t->split_suggested) {
        return 0;
    }
    d->tags.items = tkt_wire_arena_alloc(arena, sizeof(*d->tags.items));
    if (d->tags.items == NULL ||
        (d->tags.items[0] = copy(arena, "split-suggested")) == NULL) {
        return -1;
    }
    d->tags.count = 1;
    return 0;
}

/* At a reload, rules may for a moment be others than the facts were gathered for. */
static void keep_within(const struct tkt_desk_facts *desk, struct tkt_decision *d)
{
    d->refused_by_rule = d->refused_by_rule && !(desk->never & TKT_NEVER_REFUSE);
    d->ignored_by_rule = d->ignored_by_rule && !(desk->never & TKT_NEVER_IGNORE);
}

static int decide_desk(const struct tkt_message *msg, const struct tkt_facts *facts,
                       const struct tkt_policy *policy, const struct tkt_desk_facts *desk,
                       const struct tkt_mood *mood, struct tkt_decision *d,
                       struct tkt_wire_arena *arena)
{
    const struct tkt_question q = {.msg = msg,
                                   .facts = facts,
                                   .by = policy,
                                   .desk = desk,
                                   .policy = tkt_decide_policy(msg, facts, desk),
                                   .assurance = tkt_decide_assurance(msg, facts),
                                   .mood = mood};
    struct tkt_thread t;

    memset(d, 0, sizeof(*d));
    tkt_thread_answer(&q, &t);
    d->action = t.action;
    d->assurance = q.assurance;
    d->opens = q.policy.opens;
    d->ticket = t.by != NULL && t.action != TKT_ACTION_IGNORE ? t.by->ticket : 0;
    d->similar = t.similar != NULL ? t.similar->ticket : 0;
    d->split_suggested = t.split_suggested;
    fill_effects(&q, &t, d);
    if (fill_requester(&q, d, arena) < 0 || fill_tags(&t, d, arena) < 0) {
        return -1;
    }
    d->why = explain(&q, &t, d, arena);
    if (d->why == NULL || fill_defaults(desk, d, arena) < 0) {
        return -1;
    }
    if (tkt_route(&q, d, arena) < 0) {
        return -1;
    }
    keep_within(desk, d);
    return 0;
}

int tkt_decide(const struct tkt_message *msg, const struct tkt_facts *facts,
               const struct tkt_policy *policy, struct tkt_decisions *out,
               struct tkt_err *err)
{
    struct tkt_decisions all;
    struct tkt_mood mood;

    if (policy != NULL && policy->rules != NULL) {
        tkt_rules_begin(policy->rules);
    }
    if (policy != NULL && policy->correlates != NULL) {
        tkt_correlates_begin(policy->correlates);
    }
    if (policy != NULL) {
        tkt_model_begin(policy->memo);
        tkt_mood_read(msg, &mood);
    }
    memset(&all, 0, sizeof(all));
    if (facts->desk_count > 0) {
        all.items =
            tkt_wire_arena_alloc(&all.arena, facts->desk_count * sizeof(*all.items));
        if (all.items == NULL) {
            goto no_memory;
        }
    }
    all.count = facts->desk_count;
    for (size_t i = 0; i < all.count; i++) {
        if (decide_desk(msg, facts, policy, &facts->desks[i],
                        policy == NULL ? NULL : &mood, &all.items[i], &all.arena) < 0) {
            goto no_memory;
        }
    }
    *out = all;
    return 0;

no_memory:
    tkt_decisions_release(&all);
    return tkt_err_set(err, TKT_ERR_PERM, "decide: no memory");
}
