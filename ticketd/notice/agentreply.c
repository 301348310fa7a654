/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketd/notice/agentreply.h"

#include "base/clock.h"
#include "base/enc.h"
#include "base/log.h"
#include "base/util.h"
#include "decide/decide.h"
#include "store/assign.h"
#include "store/external.h"
#include "store/notice.h"
#include "ticketd/core/deskfacts.h"
#include "ticketd/jobs/dispatch.h"
#include "ticketd/mail/noticemail.h"
#include "ticketd/notice/agentmail.h"
#include "ticketd/notice/noticeplan.h"
#include "ticketd/notice/subscribe.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUSY_DELAY_MS 2000
#define PAYLOAD_MAX 4096

/* ---- the follower --------------------------------------------------------------------------- */

struct mail {
    int64_t ticket;
    int64_t message;
};

struct plan {
    int64_t now_ms;
    size_t count;
    struct mail items[];
};

static bool wanted(const struct tkt_settings *set)
{
    return set->conf->group_count > 0;
}

static bool is_of_mail(const char *kind)
{
    return strcmp(kind, "message.appended") == 0 || strcmp(kind, "hold.confirmed") == 0 ||
           strcmp(kind, "hold.timeout") == 0;
}

/* 1 an agent's mail that was delivered, 0, -1. */
static int is_agents(struct tkt_reader *reader, const struct tkt_store_event *e,
                     struct tkt_err *err)
{
    struct tkt_wire_arena arena = {0};
    struct tkt_reader_noted noted;
    int n = tkt_reader_noted(reader, e->ticket, e->message, &arena, &noted, err);
    bool yes = n == 1 && noted.is_agent && noted.message_confirmed && !noted.is_first &&
               !noted.message_unverified && !noted.is_shadow && !noted.is_erased &&
               strcmp(noted.class_name, tkt_class_names[TKT_CLASS_HUMAN]) == 0;

    tkt_wire_arena_release(&arena);
    return n < 0 ? -1 : yes;
}

static int plan(const struct tkt_follow_round *round, void **out, struct tkt_err *err)
{
    struct tkt_reader *reader = tkt_tools_reader(round->tools, err);
    struct plan *p = reader == NULL
                         ? NULL
                         : calloc(1, sizeof(*p) + round->count * sizeof(p->items[0]));

    if (p == NULL) {
        return reader == NULL ? -1 : tkt_err_set(err, TKT_ERR_TEMP, "no memory");
    }
    p->now_ms = round->now_ms;
    for (size_t i = 0; i < round->count; i++) {
        const struct tkt_store_event *e = &round->events[i];
        int n = is_of_mail(e->kind) && e->ticket != 0 && e->message != 0
                    ? is_agents(reader, e, err)
                    : 0;

        if (n < 0) {
            free(p);
            return -1;
        }
        if (n == 1) {
            p->items[p->count++] = (struct mail){e->ticket, e->message};
        }
    }
    if (p->count == 0) {
        free(p);
        p = NULL;
    }
    *out = p;
    return 0;
}

static int apply_jobs(struct tkt_store *store, void *arg, struct tkt_err *err)
{
    const struct plan *p = arg;

    for (size_t i = 0; i < p->count; i++) {
        char once[64];

        (void)snprintf(once, sizeof(once), "agentmail:%" PRId64,
                       p->items[i].message); /* has room */
        int n = tkt_store_notice_count(store, once, 1, TKT_NOTICEPLAN_ONCE_MS, p->now_ms,
                                       err);
        if (n < 0 ||
            (n == 1 && tkt_store_job_add(store, p->items[i].ticket, p->items[i].message,
                                         TKT_JOB_AGENTMAIL, TKT_JOB_AGENTMAIL_TARGET,
                                         NULL, p->now_ms, p->now_ms, err) < 0)) {
            return -1;
        }
    }
    return 0;
}

const struct tkt_follower tkt_follow_agentreply = {.name = "agentreply",
                                                   .wanted = wanted,
                                                   .plan = plan,
                                                   .apply = apply_jobs,
                                                   .release = free};

/* ---- the job -------------------------------------------------------------------------------- */

struct reply {
    struct tkt_running *r;
    struct tkt_settings *set;
    struct tkt_reader *reader;
    const struct tkt_conf_desk *desk;
    struct tkt_reader_full full;
    struct tkt_reader_noted noted; /* of the mail */
    struct tkt_reader_noted first; /* of the one that opened the ticket */
    struct tkt_agentmail mail;
    struct tkt_told told[TKT_SUBSCRIBE_MAX];
    size_t told_count;
    bool nothing_to_do;
    char held[400]; /* why nothing is done; "" = it is */
    struct tkt_wire_arena arena;
    struct tkt_err err;
    bool is_recorded;
};

static int hold(struct reply *y, const char *why)
{
    (void)snprintf(y->held, sizeof(y->held), "%.399s", why); /* cut is fine */
    return 0;
}

/* ---- who gets it ---------------------------------------------------------------------------- */

static enum tkt_class class_named(const char *name)
{
    for (int i = 0; i < TKT_CLASS_COUNT; i++) {
        if (strcmp(tkt_class_names[i], name) == 0) {
            return (enum tkt_class)i;
        }
    }
    return TKT_CLASS_HUMAN;
}

/* As of an acknowledgement: what no decision may allow. */
static bool may_get(const struct reply *y, const char *to)
{
    const struct tkt_mail_asked asked = {
        .sender = y->first.sender,
        .is_null_sender = y->first.sender[0] == '\0',
        .from = to,
        .class = class_named(y->first.class_name),
        .assurance = y->first.is_forged ? TKT_ASSURANCE_FAIL : TKT_ASSURANCE_NONE,
        .is_unverified = y->first.message_unverified};

    return tkt_mail_may_answer(y->set->conf, y->desk, &asked) == TKT_MAIL_ANSWER;
}

static bool has(const struct tkt_addresses *list, const char *address)
{
    for (size_t i = 0; i < list->count; i++) {
        if (tkt_ascii_ieq(list->items[i].address, address)) {
            return true;
        }
    }
    return false;
}

static bool is_outside(const char *role)
{
    return strcmp(role, "requester") == 0 || strcmp(role, "cc") == 0;
}

static int read_cc(struct reply *y, const char **cc, size_t *count)
{
    struct tkt_reader_participant who[TKT_SUBSCRIBE_CC_MAX];
    int n = tkt_reader_participants(y->reader, y->r->job.ticket, TKT_SUBSCRIBE_CC_MAX,
                                    &y->arena, who, &y->err);

    /* Copies are those of a proved sender: anybody can write anybody into a field. */
    for (int i = 0; y->first.is_proved && i < n; i++) {
        if (strcmp(who[i].role, "cc") == 0 &&
            !tkt_ascii_ieq(who[i].address, y->full.requester)) {
            cc[(*count)++] = who[i].address;
        }
    }
    return n < 0 ? -1 : 0;
}

static int find_recipients(struct reply *y)
{
    const struct tkt_message *msg = &y->mail.analysis.msg;
    const char *cc[TKT_SUBSCRIBE_CC_MAX];
    struct tkt_happening h = {.what = TKT_NOTICE_REPLY,
                              .desk = y->full.desk,
                              .group = y->full.group,
                              .class_name = y->noted.class_name,
                              .priority = y->full.priority,
                              .may_answer = may_get(y, y->full.requester),
                              .who = y->noted.author,
                              .requester = y->full.requester,
                              .requester_name = y->full.requester_name,
                              .assignee = y->full.assignee,
                              .manager = "",
                              .company = "",
                              .cc = cc,
                              .extra_channel = "",
                              .not_channel = "",
                              .only = ""};

    if (read_cc(y, cc, &h.cc_count) < 0) {
        return -1;
    }
    size_t count = tkt_subscribe(y->set->conf, &h, y->told);
    bool direct = has(&msg->to, y->full.requester) || has(&msg->cc, y->full.requester);
    for (size_t i = 0; i < count; i++) {
        const struct tkt_told t = y->told[i];

        if (!is_outside(t.role) ||
            (!has(&msg->to, t.to) && !has(&msg->cc, t.to) && may_get(y, t.to))) {
            y->told[y->told_count++] = t;
        }
    }
    if (y->told_count == 0 && !direct && tkt_subscribed(y->set->conf, TKT_NOTICE_REPLY)) {
        return hold(y, "there is nobody whom it may be sent to");
    }
    return 0;
}

/* ---- what it is ----------------------------------------------------------------------------- */

static int load(struct reply *y)
{
    const struct tkt_job *j = &y->r->job;
    int n = tkt_reader_full(y->reader, j->ticket, "", &y->arena, &y->full, &y->err);

    if (n == 1) {
        n = tkt_reader_noted(y->reader, j->ticket, j->message, &y->arena, &y->noted,
                             &y->err);
    }
    if (n == 1) {
        n = tkt_reader_noted(y->reader, j->ticket, 0, &y->arena, &y->first, &y->err);
    }
    if (n < 0) {
        return -1;
    }
    y->desk = n == 0 ? NULL : tkt_conf_desk(y->set->conf, y->full.desk);
    y->nothing_to_do = y->desk == NULL || y->noted.is_erased ||
                       !tkt_conf_itsm_is_local(
                           y->set->conf, y->full.itsm[0] ? y->full.itsm : y->desk->itsm);
    return 0;
}

/* 1 it was read, 0 it is held, -1. */
static int read_mail(struct reply *y)
{
    const struct tkt_job *j = &y->r->job;

    if (tkt_agentmail_read(&y->mail, y->r->d, y->set, y->reader, j->message,
                           y->noted.author, &y->err) == 0) {
        return 1;
    }
    if (y->err.class == TKT_ERR_TEMP && j->attempts < TKT_AGENTREPLY_ATTEMPTS) {
        return -1;
    }
    y->err = (struct tkt_err)TKT_ERR_INIT;
    return hold(y, "it could not be read");
}

static int look(struct reply *y)
{
    if (load(y) < 0 || y->nothing_to_do) {
        return y->nothing_to_do ? 0 : -1;
    }
    if (!y->noted.is_proved) {
        return hold(y, "its sender is not proved: send it logged in, or with DMARC that "
                       "is aligned");
    }
    int n = read_mail(y);
    if (n <= 0) {
        return n;
    }
    if (y->mail.command.wrong[0] != '\0') {
        return hold(y, y->mail.command.wrong);
    }
    if (y->noted.message_internal && !y->mail.command.is_internal) {
        return hold(y, "it was taken as a note for colleagues");
    }
    return y->mail.command.is_internal || tkt_agentmail_is_empty(&y->mail)
               ? 0
               : find_recipients(y);
}

/* ---- the transaction ------------------------------------------------------------------------ */

static void add(struct tkt_buf *b, const char *key, const char *value)
{
    if (value != NULL && value[0] != '\0') {
        tkt_buf_addf(b, "%s\"%s\":", b->len > 1 ? "," : "", key);
        (void)tkt_json_add_string(b, value, strlen(value)); /* b->failed tells */
    }
}

static int add_notice(struct tkt_store *store, const struct reply *y, const char *channel,
                      struct tkt_buf *payload, int64_t now_ms, struct tkt_err *err)
{
    tkt_buf_addf(payload, ",\"at\":%" PRId64 "}", now_ms);
    const struct tkt_store_notice notice = {.ticket = y->r->job.ticket,
                                            .message = y->r->job.message,
                                            .channel = channel,
                                            .payload = tkt_buf_str(payload),
                                            .due_ms = now_ms,
                                            .digest = ""};

    return payload->failed ? tkt_err_set(err, TKT_ERR_PERM, "a notice is too long")
                           : tkt_store_notice_add(store, &notice, now_ms, err);
}

static int tell(struct tkt_store *store, const struct reply *y, const struct tkt_told *t,
                int64_t now_ms, struct tkt_err *err)
{
    TKT_AUTO_BUF struct tkt_buf b = TKT_BUF_INIT(PAYLOAD_MAX);

    tkt_buf_addc(&b, '{');
    add(&b, "what", tkt_notice_names[TKT_NOTICE_REPLY]);
    add(&b, "to", t->to);
    add(&b, "name", t->name);
    add(&b, "role", t->role);
    add(&b, "language", y->first.language);
    add(&b, "sub", t->by != NULL ? t->by->name : "");
    add(&b, "template", t->by != NULL ? t->by->template_name : "");
    add(&b, "desk", y->full.desk);
    add(&b, "from", y->noted.author);
    return add_notice(store, y, t->channel, &b, now_ms, err);
}

static int change(struct tkt_store *store, const struct reply *y, int64_t now_ms,
                  struct tkt_err *err)
{
    const struct tkt_agentcommand *c = &y->mail.command;
    const char *who = y->noted.author;
    const char *id = y->full.id;

    if (c->priority != 0) {
        const char number[2] = {(char)('0' + c->priority), '\0'};

        if (tkt_store_set(store, id, "priority", number, who, now_ms, err) < 0) {
            return -1;
        }
    }
    if (c->group != NULL || c->assignee != NULL) {
        struct tkt_store_assign_out out = {.changed = false};
        const struct tkt_store_assign_in in = {.id = id,
                                               .roster = y->set->roster,
                                               .group = c->group,
                                               .to = c->assignee,
                                               .who = who,
                                               .reason = "by mail",
                                               .now_ms = now_ms};

        if (tkt_store_assign(store, &in, &out, err) < 0) {
            return -1;
        }
    }
    return c->state < 0 || c->state == (int)y->full.state
               ? 0
               : tkt_store_move(store, id, (enum tkt_ticket_state)c->state, who,
                                "by mail", now_ms, err);
}

static int tell_event(struct tkt_store *store, const struct reply *y, const char *kind,
                      int64_t now_ms, struct tkt_err *err)
{
    TKT_AUTO_BUF struct tkt_buf b = TKT_BUF_INIT(PAYLOAD_MAX);

    tkt_buf_addc(&b, '{');
    add(&b, "who", y->noted.author);
    add(&b, "reason", y->held);
    tkt_buf_addf(&b, "%s\"message\":%" PRId64 ",\"told\":%zu}", b.len > 1 ? "," : "",
                 y->r->job.message, y->held[0] ? (size_t)0 : y->told_count);
    return tkt_store_event(store, y->r->job.ticket, kind,
                           b.failed ? "{\"cut\":true}" : tkt_buf_str(&b), now_ms, err);
}

static int apply_reply(struct tkt_store *store, const struct reply *y, int64_t now_ms,
                       struct tkt_err *err)
{
    for (size_t i = 0; i < y->told_count; i++) {
        if (tell(store, y, &y->told[i], now_ms, err) < 0) {
            return -1;
        }
    }
    return tell_event(store, y, "agent.mail", now_ms, err) < 0 ? -1
           : change(store, y, now_ms, err) < 0                 ? -1
                                                               : 0;
}

/* By the channel that replies go by, else by the first for addresses. */
static const char *channel_for(const struct tkt_conf *conf)
{
    const char *found = NULL;

    for (size_t i = conf->channel_count; i-- > 0;) {
        const struct tkt_channel_ops *ops = tkt_channel_find(conf->channels[i].type);
        bool takes = ops != NULL && ops->to == TKT_CHANNEL_TO_ADDRESS;
        bool replies = false;

        for (size_t k = 0; k < conf->notify_count; k++) {
            const struct tkt_conf_notify *n = &conf->notifys[k];

            for (size_t w = 0; w < n->on.count; w++) {
                replies = replies || (strcmp(n->on.items[w], "reply") == 0 &&
                                      strcmp(n->channel, conf->channels[i].name) == 0);
            }
        }
        if (takes && replies) {
            return conf->channels[i].name;
        }
        found = takes ? conf->channels[i].name : found;
    }
    return found;
}

/* Its author is told, but not where nobody can say that it is he. */
static int apply_held(struct tkt_store *store, const struct reply *y, int64_t now_ms,
                      struct tkt_err *err)
{
    TKT_AUTO_BUF struct tkt_buf b = TKT_BUF_INIT(PAYLOAD_MAX);
    const char *channel = channel_for(y->set->conf);
    char key[400];

    if (tell_event(store, y, "agent.held", now_ms, err) < 0) {
        return -1;
    }
    (void)snprintf(key, sizeof(key), "held:%s", y->noted.author); /* cut is fine */
    int n = channel == NULL || !y->noted.is_proved ||
                    tkt_mail_may_tell(y->set->conf, y->noted.author) != TKT_MAIL_ANSWER
                ? 0
                : tkt_store_notice_count(store, key, TKT_AGENTREPLY_HELD_PER_HOUR,
                                         TKT_NOTICEPLAN_HOUR_MS, now_ms, err);
    if (n <= 0) {
        return n;
    }
    tkt_buf_addc(&b, '{');
    add(&b, "what", tkt_notice_names[TKT_NOTICE_HELD]);
    add(&b, "to", y->noted.author);
    add(&b, "role", "fixed");
    tkt_buf_adds(&b, ",\"answer\":true,\"event\":{\"reason\":");
    (void)tkt_json_add_string(&b, y->held, strlen(y->held)); /* b.failed tells */
    tkt_buf_addc(&b, '}');
    return add_notice(store, y, channel, &b, now_ms, err);
}

static int apply(struct tkt_store *store, void *arg, struct tkt_err *err)
{
    const struct reply *y = arg;
    int64_t now_ms = tkt_clock_wall_ms();

    if (tkt_store_job_finish(store, y->r->job.id, y->r->owner, TKT_JOB_DONE, 0, y->held,
                             now_ms, err) < 0) {
        return -1;
    }
    return y->nothing_to_do     ? 0
           : y->held[0] != '\0' ? apply_held(store, y, now_ms, err)
                                : apply_reply(store, y, now_ms, err);
}

/* ---- all of it ------------------------------------------------------------------------------ */

static int carry_out(struct reply *y)
{
    struct tkt_commit *commit = y->r->d->commit;

    if (tkt_commit_call(commit, apply, y, true, &y->err) == 0) {
        return 0;
    }
    if (y->err.class == TKT_ERR_TEMP || y->held[0] != '\0' || y->nothing_to_do) {
        return -1;
    }
    (void)hold(y, y->err.text); /* what it asks for cannot be done: then none of it is */
    y->err = (struct tkt_err)TKT_ERR_INIT;
    return tkt_commit_call(commit, apply, y, true, &y->err);
}

static void run(struct tkt_running *r, struct tkt_tools *tools)
{
    struct reply *y = r->state;

    y->reader = tkt_tools_reader(tools, &y->err);
    if (y->reader != NULL && look(y) == 0 && carry_out(y) == 0) {
        y->is_recorded = true;
        tkt_log(TKT_LOG_INFO, r->job.ticket_id, y->held[0] ? "agent.held" : "agent.mail",
                "why", y->held, NULL);
    }
}

static void release(struct reply *y)
{
    tkt_agentmail_release(&y->mail);
    tkt_wire_arena_release(&y->arena);
    tkt_settings_put(&y->set);
    free(y);
}

static void back(struct tkt_running *r)
{
    struct reply *y = r->state;
    struct tkt_err err = y->err;
    struct tkt_dispatch *dispatch = r->d->dispatch;

    r->state = NULL;
    if (y->is_recorded) {
        tkt_running_recorded(r);
    } else {
        tkt_running_finish(r, &err);
    }
    release(y);
    tkt_dispatch_poke(dispatch); /* notices that it made */
}

static void start(struct tkt_running *r)
{
    struct reply *y = calloc(1, sizeof(*y));

    if (y == NULL) {
        tkt_running_give_back(r, BUSY_DELAY_MS, "no memory");
        return;
    }
    y->r = r;
    y->set = tkt_settings_get(r->d);
    y->err = (struct tkt_err)TKT_ERR_INIT;
    r->state = y;
    if (tkt_running_in_pool(r, run, back) < 0) {
        r->state = NULL;
        release(y);
        tkt_running_give_back(r, BUSY_DELAY_MS, "no thread is free");
    }
}

const struct tkt_job_kind tkt_agentmail_kind = {.kind = TKT_JOB_AGENTMAIL,
                                                .group = TKT_JOB_AGENTMAIL_TARGET,
                                                .at_once = 2,
                                                .start = start};
