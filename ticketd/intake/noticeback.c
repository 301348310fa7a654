/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketd/intake/noticeback.h"

#include "base/enc.h"
#include "base/mailstatus.h"
#include "base/util.h"
#include "store/external.h"
#include "store/notice.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#define PARTICIPANTS_MAX 200

/* ---- at intake ------------------------------------------------------------------------ */

static bool is_machines(const struct tkt_request *req)
{
    switch (req->analysis.msg.class) {
    case TKT_CLASS_BOUNCE:
    case TKT_CLASS_DELAY:
    case TKT_CLASS_AUTO_REPLY:
    case TKT_CLASS_CHALLENGE:
    case TKT_CLASS_FEEDBACK:
    case TKT_CLASS_SYSTEM:
        return true;
    default:
        return req->wire.sender[0] == '\0';
    }
}

const char *tkt_noticeback_what(const struct tkt_request *req, size_t desk)
{
    const struct tkt_facts_found *f = &req->found;

    if (!req->analysed || f->tag == TKT_MAIL_TAG_NONE ||
        strcmp(f->tag_desk, req->desks[desk]->name) != 0) {
        return "";
    }
    if (f->tag == TKT_MAIL_TAG_UNSUBSCRIBE || f->tag == TKT_MAIL_TAG_LEAVE) {
        return "unsubscribe";
    }
    return is_machines(req) ? "report" : "";
}

void tkt_noticeback_file(struct tkt_request *req)
{
    static char nothing[] = "";
    static char why[] = "it came to the address of a notice";

    for (size_t i = 0; req->analysed && i < req->analysis.decisions.count; i++) {
        struct tkt_decision *c = &req->analysis.decisions.items[i];

        if (tkt_noticeback_what(req, i)[0] == '\0') {
            continue;
        }
        c->action = TKT_ACTION_APPEND_UNVERIFIED;
        c->ticket = req->found.tag_ticket;
        c->similar = 0;
        c->reopens = c->changes_state = c->acknowledge = c->public_comment = false;
        c->refused_by_rule = c->ignored_by_rule = c->split_suggested = false;
        c->correlate = c->correlate_by = nothing;
        c->why = why;
    }
}

/* ---- the follower ----------------------------------------------------------------------- */

struct back {
    int64_t ticket;
    int64_t message;
    bool is_report;
    enum tkt_failure failure; /* what the report says of the address */
    bool is_back;             /* whose mail came back writes again */
    char address[TKT_STORE_BACK_MAX];
    char status[16];
    char action[16];
    char desk[64]; /* that he leaves; "": all of them */
};

struct plan {
    int64_t now_ms;
    int64_t after; /* so many days of failures that may pass */
    size_t count;
    struct back items[];
};

static const char *member(const cJSON *data, const char *name)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(data, name));

    return text == NULL ? "" : text;
}

/* A colleague, a fixed address: who writes himself is known by what he writes from. */
static const char *author_of(struct tkt_reader *reader, const struct back *b,
                             struct tkt_wire_arena *arena)
{
    struct tkt_reader_noted noted;
    struct tkt_err none = TKT_ERR_INIT;

    return tkt_reader_noted(reader, b->ticket, b->message, arena, &noted, &none) == 1
               ? noted.author
               : ""; /* then nobody's: the note stands in the ticket */
}

/* Whose token it is: one of the ticket, else whom the report names, else who writes. */
static int find_contact(const struct tkt_follow_round *round, const cJSON *data,
                        const struct tkt_token *token, enum tkt_mail_tag tag,
                        struct back *b, struct tkt_err *err)
{
    struct tkt_wire_arena arena = {0};
    struct tkt_reader_participant *people =
        tkt_wire_arena_alloc(&arena, PARTICIPANTS_MAX * sizeof(*people));
    struct tkt_reader *reader = tkt_tools_reader(round->tools, err);
    const char *named = member(data, "bounce_to");
    const char *found = "";
    const struct tkt_token_keys *keys = &round->set->keys;
    int n = people && reader
                ? tkt_reader_participants(reader, b->ticket, PARTICIPANTS_MAX, &arena,
                                          people, err)
                : tkt_err_set(err, TKT_ERR_TEMP, "no memory");

    if (tkt_mail_tag_is_for(keys, token, tag, named)) {
        found = named;
    }
    for (int i = 0; i < n && found[0] == '\0'; i++) {
        if (tkt_mail_tag_is_for(keys, token, tag, people[i].address)) {
            found = people[i].address;
        }
    }
    if (n >= 0 && found[0] == '\0' && !b->is_report) {
        const char *author = author_of(reader, b, &arena);

        found = tkt_mail_tag_is_for(keys, token, tag, author) ? author : "";
    }
    if (strlen(found) < sizeof(b->address)) {
        snprintf(b->address, sizeof(b->address), "%s", found);
        tkt_ascii_lower(b->address);
    }
    tkt_wire_arena_release(&arena);
    return n < 0 ? -1 : 0;
}

/* A ticket that is gone has none: then it is all of them. 1, -1. */
static int find_desk(const struct tkt_follow_round *round, struct back *b,
                     struct tkt_err *err)
{
    struct tkt_wire_arena arena = {0};
    struct tkt_reader *reader = tkt_tools_reader(round->tools, err);
    struct tkt_reader_full full;
    int n =
        reader == NULL ? -1 : tkt_reader_full(reader, b->ticket, "", &arena, &full, err);

    if (n == 1) {
        (void)snprintf(b->desk, sizeof(b->desk), "%s", full.desk); /* names are shorter */
    }
    tkt_wire_arena_release(&arena);
    return n < 0 ? -1 : 1;
}

static int take(const struct tkt_follow_round *round, const struct tkt_store_event *e,
                struct back *b, struct tkt_err *err)
{
    cJSON *data = e->data[0] == '{' ? cJSON_Parse(e->data) : NULL;
    const char *returned = member(data, "returned");
    char text[TKT_TOKEN_LEN + 1];
    struct tkt_token token;
    int rc = 0;

    *b = (struct back){.ticket = e->ticket,
                       .message = e->message,
                       .is_report = strcmp(returned, "report") == 0};
    enum tkt_mail_tag tag =
        tkt_mail_tag_of(member(data, "rcpt"), round->set->conf->token.separator[0], text);
    if (returned[0] != '\0' && e->ticket != 0 && tag != TKT_MAIL_TAG_NONE) {
        enum tkt_token_verdict v = tkt_token_verify(&round->set->keys, text, strlen(text),
                                                    round->now_ms / 1000, &token);
        const char *status = member(data, "bounce_status");
        const char *action = member(data, "bounce_action");

        snprintf(b->status, sizeof(b->status), "%s", status);
        snprintf(b->action, sizeof(b->action), "%s", action);
        b->failure = strcmp(action, "failed") == 0 ? tkt_mailstatus_failure(status)
                                                   : TKT_FAILURE_NONE;
        rc = v != TKT_TOKEN_VALID && v != TKT_TOKEN_EXPIRED       ? 0
             : find_contact(round, data, &token, tag, b, err) < 0 ? -1
             : tag == TKT_MAIL_TAG_LEAVE ? find_desk(round, b, err)
                                         : 1;
    }
    cJSON_Delete(data);
    return rc;
}

/* Who writes, and proves it, can be reached again. 1, 0, -1. */
static int take_again(const struct tkt_follow_round *round,
                      const struct tkt_store_event *e, struct back *b,
                      struct tkt_err *err)
{
    struct tkt_reader *reader = tkt_tools_reader(round->tools, err);
    struct tkt_wire_arena arena = {0};
    struct tkt_reader_noted noted;
    int n = reader == NULL
                ? -1
                : tkt_reader_noted(reader, e->ticket, e->message, &arena, &noted, err);
    bool proved = n == 1 && noted.is_proved;
    bool fits = proved && strlen(noted.author) < sizeof(b->address);

    *b = (struct back){.ticket = e->ticket, .is_back = true};
    if (fits) {
        snprintf(b->address, sizeof(b->address), "%s", noted.author);
        tkt_ascii_lower(b->address);
        int marks = tkt_reader_contact(reader, b->address, "", err);

        n = marks < 0 ? -1 : (marks & TKT_CONTACT_UNDELIVERABLE) != 0;
    }
    tkt_wire_arena_release(&arena);
    return n < 0 ? -1 : fits && n == 1;
}

static int take_event(const struct tkt_follow_round *round,
                      const struct tkt_store_event *e, struct back *b,
                      struct tkt_err *err)
{
    if (strcmp(e->kind, "message.unverified") == 0) {
        return take(round, e, b, err);
    }
    if (e->ticket == 0 || e->message == 0 ||
        (strcmp(e->kind, "message.appended") != 0 &&
         strcmp(e->kind, "ticket.created") != 0)) {
        return 0;
    }
    return take_again(round, e, b, err);
}

static bool wanted(const struct tkt_settings *set)
{
    return set->conf->channel_count > 0;
}

static int plan(const struct tkt_follow_round *round, void **out, struct tkt_err *err)
{
    struct plan *p = calloc(1, sizeof(*p) + round->count * sizeof(p->items[0]));

    if (p == NULL) {
        return tkt_err_set(err, TKT_ERR_TEMP, "no memory");
    }
    p->now_ms = round->now_ms;
    p->after = round->set->conf->limits.undeliverable_after;
    for (size_t i = 0; i < round->count; i++) {
        const struct tkt_store_event *e = &round->events[i];
        int n = take_event(round, e, &p->items[p->count], err);

        if (n < 0) {
            free(p);
            return -1;
        }
        p->count += (size_t)n;
    }
    if (p->count == 0) {
        free(p);
        p = NULL;
    }
    *out = p;
    return 0;
}

static int apply_report(struct tkt_store *store, const struct plan *p,
                        const struct back *b, struct tkt_err *err)
{
    const struct tkt_store_contact_failed failed = {
        .address = b->address,
        .reason = b->status,
        .ticket = b->ticket,
        .after = b->failure == TKT_FAILURE_LASTING ? 1 : p->after};

    if (tkt_store_notice_bounced(store, b->ticket, b->message, b->address, b->status,
                                 b->action, p->now_ms, err) < 0) {
        return -1;
    }
    return b->address[0] == '\0' || b->failure == TKT_FAILURE_NONE
               ? 0
               : tkt_store_contact_failed(store, &failed, p->now_ms, err);
}

static int apply(struct tkt_store *store, void *arg, struct tkt_err *err)
{
    const struct plan *p = arg;

    for (size_t i = 0; i < p->count; i++) {
        const struct back *b = &p->items[i];
        bool was = false;
        int rc = 0;

        if (b->is_back) {
            rc = tkt_store_contact_clear(store, b->address, TKT_CONTACT_UNDELIVERABLE,
                                         "mail", &was, p->now_ms, err);
        } else if (b->is_report) {
            rc = apply_report(store, p, b, err);
        } else if (b->address[0] != '\0' && b->desk[0] != '\0') {
            rc = tkt_store_contact_leave(store, b->address, b->desk, "by mail", b->ticket,
                                         p->now_ms, err);
        } else if (b->address[0] != '\0') {
            rc = tkt_store_contact_mark(store, b->address, TKT_CONTACT_OPTED_OUT,
                                        "by mail", b->ticket, p->now_ms, err);
        }
        if (rc < 0) {
            return -1;
        }
    }
    return 0;
}

const struct tkt_follower tkt_follow_noticeback = {.name = "noticeback",
                                                   .wanted = wanted,
                                                   .plan = plan,
                                                   .apply = apply,
                                                   .release = free};
