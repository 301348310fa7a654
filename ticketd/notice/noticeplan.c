/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketd/notice/noticeplan.h"

#include "base/clock.h"
#include "base/enc.h"
#include "base/hash.h"
#include "base/util.h"
#include "decide/assign.h"
#include "decide/calendar.h"
#include "store/people.h"
#include "ticketd/mail/noticemail.h"
#include "ticketd/notice/notice.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EVENT_MAX 8192 /* bytes of an event's data that go along */
#define KEY_MAX 600
#define EXTRA_MAX 16

struct item {
    struct item *next;
    const struct tkt_conf_notify *by; /* NULL: an escalation's own */
    struct tkt_store_notice notice;
    const char *what;
    const char *to; /* as counted: the address in lower case */
    const char *desk;
    int64_t desk_max;
    const char *once;
    int64_t repeat_ms;
    bool is_alarm, is_room, is_ask, is_left_out;
};

struct tkt_noticeplan {
    const struct tkt_settings *set;
    int64_t now_ms;
    struct item *items, **end;
    int64_t *answered;
    size_t answered_count;
    struct tkt_wire_arena arena;
};

struct tkt_noticeplan *tkt_noticeplan_new(const struct tkt_settings *set, int64_t now_ms)
{
    struct tkt_noticeplan *p = calloc(1, sizeof(*p));

    if (p != NULL) {
        p->set = set;
        p->now_ms = now_ms;
        p->end = &p->items;
    }
    return p;
}

void tkt_noticeplan_free(struct tkt_noticeplan *p)
{
    if (p != NULL) {
        tkt_wire_arena_release(&p->arena);
        free(p->answered);
        free(p);
    }
}

bool tkt_noticeplan_is_empty(const struct tkt_noticeplan *p)
{
    return p->items == NULL && p->answered_count == 0;
}

void tkt_noticeplan_leave_out(struct tkt_noticeplan *p, int64_t ticket)
{
    for (struct item *i = p->items; i != NULL; i = i->next) {
        i->is_left_out = i->is_left_out || i->notice.ticket == ticket;
    }
}

int tkt_noticeplan_answered(struct tkt_noticeplan *p, int64_t ticket)
{
    int64_t *more = realloc(p->answered, (p->answered_count + 1) * sizeof(*p->answered));

    if (more == NULL) {
        return -1;
    }
    p->answered = more;
    p->answered[p->answered_count++] = ticket;
    return 0;
}

static int no_memory(struct tkt_err *err)
{
    return tkt_err_set(err, TKT_ERR_TEMP, "no memory");
}

/* ---- when ------------------------------------------------------------------------------- */

static bool is_urgent(const struct tkt_conf_notify *by, int priority)
{
    return by == NULL || (by->urgent > 0 && priority > 0 && priority <= by->urgent);
}

int64_t tkt_noticeplan_due(const struct tkt_conf_notify *by,
                           const struct tkt_calendar *calendar, int priority,
                           int64_t now_ms)
{
    int64_t due_ms = now_ms;

    if (is_urgent(by, priority)) {
        return now_ms;
    }
    if (by->digest_ms > 0) {
        due_ms += by->digest_ms;
    }
    if (calendar == NULL || tkt_calendar_is_open(calendar, due_ms / 1000)) {
        return due_ms;
    }
    int64_t open_s = tkt_calendar_next_open(calendar, due_ms / 1000);
    return by->drop_outside || open_s == TKT_CALENDAR_NEVER ? -1 : open_s * 1000;
}

/* Of a colleague, or of the mailbox of his group; NULL: he is none, or has no hours. */
static const struct tkt_calendar *own_hours(const struct tkt_settings *set,
                                            const char *to)
{
    const struct tkt_roster *roster = set->roster;

    for (size_t i = 0; i < roster->group_count; i++) {
        const struct tkt_roster_group *g = &roster->groups[i];
        const struct tkt_conf_group *conf = tkt_conf_group(set->conf, g->name);
        const struct tkt_roster_agent *a = tkt_roster_member(g, to);
        bool is_mailbox = conf != NULL && tkt_ascii_ieq(conf->mailbox, to);
        const struct tkt_calendar *c =
            a != NULL && a->calendar != NULL ? a->calendar : g->calendar;

        if ((a != NULL || is_mailbox) && c != NULL) {
            return c;
        }
    }
    return NULL;
}

static const struct tkt_calendar *
hours_of(const struct tkt_settings *set, const struct tkt_conf_notify *by, const char *to)
{
    const struct tkt_roster *roster = set->roster;
    const struct tkt_calendar *own =
        by != NULL && by->own_hours && roster != NULL && to[0] != '\0'
            ? own_hours(set, to)
            : NULL;

    if (own != NULL) {
        return own;
    }
    for (size_t i = 0; by != NULL && by->hours[0] != '\0' && roster != NULL &&
                       i < roster->calendar_count;
         i++) {
        if (strcmp(roster->calendars[i].name, by->hours) == 0) {
            return &roster->calendars[i];
        }
    }
    return NULL;
}

int64_t tkt_noticeplan_latest(const struct tkt_settings *set, const char *payload,
                              int64_t now_ms)
{
    cJSON *json = cJSON_Parse(payload);
    const char *sub = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "sub"));
    const char *to = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "to"));
    const struct tkt_conf_notify *by =
        tkt_subscription(set->conf, sub == NULL ? "" : sub);
    int64_t due_ms =
        by == NULL
            ? now_ms
            : tkt_noticeplan_due(by, hours_of(set, by, to == NULL ? "" : to), 0, now_ms);

    cJSON_Delete(json);
    return TKT_MAX(due_ms, now_ms); /* what would be dropped was held: it goes */
}

/* ---- facts ------------------------------------------------------------------------------- */

struct facts {
    struct tkt_reader_full full;
    struct tkt_reader_noted noted; /* of the mail, or of the ticket's first */
    const struct tkt_conf_desk *desk;
    cJSON *data;
    const char *cc[TKT_SUBSCRIBE_CC_MAX];
    const char *extra[EXTRA_MAX];
    struct tkt_happening h;
};

static const char *text_of(const cJSON *json, const char *name)
{
    const char *s = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, name));

    return s == NULL ? "" : s;
}

static bool is_mail(enum tkt_notice_what what)
{
    return what == TKT_NOTICE_CREATED || what == TKT_NOTICE_FOLLOW_UP;
}

static int read_cc(struct tkt_noticeplan *p, struct tkt_reader *reader, struct facts *f,
                   int64_t ticket, struct tkt_err *err)
{
    struct tkt_reader_participant who[TKT_SUBSCRIBE_CC_MAX];
    int n = tkt_reader_participants(reader, ticket, TKT_SUBSCRIBE_CC_MAX, &p->arena, who,
                                    err);

    for (int i = 0; i < n; i++) {
        if (strcmp(who[i].role, "cc") == 0 &&
            !tkt_ascii_ieq(who[i].address, f->full.requester)) {
            f->cc[f->h.cc_count++] = who[i].address;
        }
    }
    f->h.cc = f->cc;
    return n < 0 ? -1 : 0;
}

/* As a directory said when the requester was looked up. */
static int read_person(struct tkt_noticeplan *p, struct tkt_reader *reader,
                       struct facts *f, struct tkt_err *err)
{
    TKT_AUTO_BUF struct tkt_buf data = TKT_BUF_INIT(TKT_STORE_PERSON_MAX);
    struct tkt_store_person row;
    struct tkt_person person;
    int n = tkt_reader_person(reader, f->full.requester, &row, &data, err);

    f->h.manager = f->h.company = "";
    if (n == 1 && row.is_known &&
        tkt_person_decode(data.data, data.len, &p->arena, &person, NULL) == 0) {
        f->h.manager = strchr(person.manager, '@') != NULL ? person.manager : "";
        f->h.company = f->noted.is_proved ? person.company : "";
    }
    return n < 0 ? -1 : 0;
}

static void read_extra(struct facts *f)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(f->data, "notify");
    const cJSON *one;
    const char *manager = text_of(f->data, "manager");

    cJSON_ArrayForEach(one, list)
    {
        if (cJSON_IsString(one) && f->h.extra_count < EXTRA_MAX) {
            f->extra[f->h.extra_count++] = one->valuestring;
        }
    }
    f->h.extra = f->extra;
    f->h.extra_channel = text_of(f->data, "channel");
    if (manager[0] != '\0') { /* of the group, not of the requester */
        f->h.manager = manager;
    }
}

static bool is_told_of(const struct facts *f, const struct tkt_noticed *in)
{
    enum tkt_ticket_state s = f->full.state;

    if (f->noted.is_shadow || f->noted.is_erased) {
        return false;
    }
    if (in->what == TKT_NOTICE_ALARM) {
        return true;
    }
    if (!f->noted.is_confirmed || s == TKT_STATE_RESERVED || s == TKT_STATE_WITHDRAWN ||
        s == TKT_STATE_REFUSED || s == TKT_STATE_MERGED) {
        return false;
    }
    return !in->needs_mail ||
           (f->noted.message_confirmed && !f->noted.message_unverified &&
            (f->noted.is_first || (!f->noted.message_internal && !f->noted.is_agent)));
}

static enum tkt_class class_named(const char *name)
{
    for (int i = 0; i < TKT_CLASS_COUNT; i++) {
        if (strcmp(tkt_class_names[i], name) == 0) {
            return (enum tkt_class)i;
        }
    }
    return TKT_CLASS_HUMAN;
}

/* What was decided of the mail, and once more what no decision may allow: a rule or a child
 * that errs must not begin a loop. That its author was not forged is in the decision. */
static bool may_answer(const struct tkt_noticeplan *p, const struct facts *f)
{
    const struct tkt_mail_asked asked = {.sender = f->noted.sender,
                                         .is_null_sender = f->noted.sender[0] == '\0',
                                         .from = f->noted.author,
                                         .class = class_named(f->noted.class_name),
                                         .assurance = TKT_ASSURANCE_NONE,
                                         .is_unverified = f->noted.message_unverified};

    return f->noted.may_answer && f->desk != NULL &&
           tkt_mail_may_answer(p->set->conf, f->desk, &asked) == TKT_MAIL_ANSWER;
}

/* 1, 0 there is nobody to tell, -1. */
static int read_facts(struct tkt_noticeplan *p, struct tkt_reader *reader,
                      const struct tkt_noticed *in, struct facts *f, struct tkt_err *err)
{
    int n = tkt_reader_full(reader, in->ticket, "", &p->arena, &f->full, err);

    if (n == 1) {
        n = tkt_reader_noted(reader, in->ticket, is_mail(in->what) ? in->message : 0,
                             &p->arena, &f->noted, err);
    }
    if (n <= 0 || !is_told_of(f, in)) {
        return n < 0 ? -1 : 0;
    }
    f->desk = tkt_conf_desk(p->set->conf, f->full.desk);
    f->h = (struct tkt_happening){.what = in->what,
                                  .desk = f->full.desk,
                                  .group = f->full.group,
                                  .class_name = f->noted.class_name,
                                  .priority = f->full.priority,
                                  .may_answer = may_answer(p, f),
                                  .who = is_mail(in->what) ? f->noted.author
                                                           : text_of(f->data, "who"),
                                  .requester = f->full.requester,
                                  .requester_name = f->full.requester_name,
                                  .assignee = f->full.assignee,
                                  .extra_channel = "",
                                  .not_channel = "",
                                  .only = in->only != NULL ? in->only : ""};
    if (in->what == TKT_NOTICE_PARKED) {
        f->h.not_channel = text_of(f->data, "target");
    }
    if (in->what == TKT_NOTICE_ALARM && f->desk != NULL && f->desk->group[0] != '\0') {
        f->h.group = f->desk->group;
    }
    /* Else whoever writes to us would choose forty whom we write to; and a note is for
     * colleagues, whoever stands in its Cc. */
    if ((f->noted.is_proved && !f->noted.message_internal &&
         read_cc(p, reader, f, in->ticket, err) < 0) ||
        read_person(p, reader, f, err) < 0) {
        return -1;
    }
    if (in->what == TKT_NOTICE_ESCALATED) {
        read_extra(f);
    }
    return 1;
}

/* ---- one notice ---------------------------------------------------------------------------- */

static void add(struct tkt_buf *b, const char *key, const char *value)
{
    if (value != NULL && value[0] != '\0') {
        tkt_buf_addf(b, "%s\"%s\":", b->len > 1 ? "," : "", key);
        (void)tkt_json_add_string(b, value, strlen(value)); /* b->failed tells */
    }
}

static bool is_outside(const char *role)
{
    return strcmp(role, "requester") == 0 || strcmp(role, "cc") == 0;
}

static void add_event(struct tkt_buf *b, const struct tkt_noticed *in,
                      const struct tkt_told *t)
{
    if (in->what == TKT_NOTICE_ACTION_REQUIRED) {
        tkt_buf_addf(b, ",\"event\":{\"reminder\":\"%s\",\"closes\":\"%s\"}",
                     in->is_reminder ? "1" : "",
                     t->by != NULL && t->by->close_after_ms > 0 ? "1" : "");
    } else if (in->data[0] != '\0' && strlen(in->data) < EVENT_MAX) {
        tkt_buf_addf(b, ",\"event\":%s", in->data);
    }
}

static void write_payload(struct tkt_buf *b, const struct facts *f,
                          const struct tkt_noticed *in, const struct tkt_told *t,
                          const struct tkt_notice_made *line)
{
    bool outside = is_outside(t->role);
    const char *language = in->language[0] != '\0' ? in->language : f->noted.language;

    tkt_buf_addc(b, '{');
    add(b, "what", tkt_notice_names[in->what]);
    add(b, "to", t->to);
    add(b, "name", t->name);
    add(b, "role", t->role);
    add(b, "language", outside ? language : "");
    add(b, "sub", t->by != NULL ? t->by->name : "");
    add(b, "template", t->by != NULL ? t->by->template_name : "");
    add(b, "text", in->text);
    tkt_buf_addf(b, ",\"at\":%" PRId64, in->at_ms);
    if (is_mail(in->what) && strcmp(t->role, "requester") == 0) {
        tkt_buf_adds(b, ",\"answer\":true");
    }
    if (t->by != NULL && t->by->opt_out) {
        tkt_buf_adds(b, ",\"optout\":true");
    }
    add_event(b, in, t);
    if (line != NULL) {
        add(b, "line", line->notice.subject);
        add(b, "ticket", line->notice.ticket);
        add(b, "url", line->notice.url);
    }
    tkt_buf_addc(b, '}');
}

static const char *keep(struct tkt_noticeplan *p, const char *text, size_t n)
{
    return tkt_wire_arena_strdup(&p->arena, text, n);
}

static const char *make_payload(struct tkt_noticeplan *p, struct tkt_reader *reader,
                                const struct facts *f, const struct tkt_noticed *in,
                                const struct tkt_told *t, bool with_line,
                                struct tkt_err *err)
{
    TKT_AUTO_BUF struct tkt_buf b = TKT_BUF_INIT(TKT_STORE_NOTICE_MAX);

    write_payload(&b, f, in, t, NULL);
    if (!b.failed && with_line) {
        struct tkt_notice_made made;
        int rc = tkt_notice_make(&made, p->set, reader, in->ticket, in->message,
                                 tkt_buf_str(&b), err);

        tkt_buf_reset(&b);
        if (rc == 0) {
            write_payload(&b, f, in, t, &made);
        }
        tkt_notice_made_release(&made);
        if (rc < 0) {
            return NULL;
        }
    }
    if (b.failed) {
        tkt_err_set(err, TKT_ERR_PERM, "a notice is too long");
        return NULL;
    }
    const char *payload = keep(p, tkt_buf_str(&b), b.len);
    if (payload == NULL) {
        no_memory(err);
    }
    return payload;
}

/* Of one subscription to one recipient, in a name that fits a key. */
static const char *digest_name(struct tkt_noticeplan *p, const struct tkt_told *t)
{
    unsigned char hash[TKT_SHA256_LEN];
    char hex[2 * TKT_SHA256_LEN + 1];
    TKT_AUTO_BUF struct tkt_buf b = TKT_BUF_INIT(2048);

    tkt_buf_addf(&b, "%s\n%s\n%s", t->by->name, t->channel, t->to);
    tkt_sha256(tkt_buf_str(&b), b.len, hash);
    tkt_hex_encode(hash, sizeof(hash), hex);
    return keep(p, hex, 32);
}

/* What people say anew each time is never the same. */
static int64_t repeat_of(const struct tkt_conf_notify *by, enum tkt_notice_what what)
{
    bool same = what == TKT_NOTICE_FOLLOW_UP || what == TKT_NOTICE_PARKED ||
                what == TKT_NOTICE_SLA_WARNING || what == TKT_NOTICE_SLA_BREACHED;

    return by != NULL && same ? by->repeat_ms : 0;
}

/* 1 he may, 0, -1. */
static int may_be_told(struct tkt_noticeplan *p, struct tkt_reader *reader,
                       const struct tkt_told *t, const char *desk, struct tkt_err *err)
{
    if (strchr(t->to, '@') != NULL &&
        tkt_mail_may_tell(p->set->conf, t->to) != TKT_MAIL_ANSWER) {
        return 0;
    }
    int marks = t->to[0] == '\0' ? 0 : tkt_reader_contact(reader, t->to, desk, err);
    if (marks < 0) {
        return -1;
    }
    return (marks & TKT_CONTACT_UNDELIVERABLE) == 0 &&
           ((marks & (TKT_CONTACT_OPTED_OUT | TKT_CONTACT_LEFT_DESK)) == 0 ||
            t->by == NULL || !t->by->opt_out);
}

static int add_told(struct tkt_noticeplan *p, struct tkt_reader *reader,
                    const struct facts *f, const struct tkt_noticed *in,
                    const struct tkt_told *t, struct tkt_err *err)
{
    int may = may_be_told(p, reader, t, f->full.desk, err);
    int64_t due_ms = tkt_noticeplan_due(t->by, hours_of(p->set, t->by, t->to),
                                        f->full.priority, p->now_ms);
    bool digest =
        t->by != NULL && t->by->digest_ms > 0 && !is_urgent(t->by, f->full.priority);

    if (may <= 0 || due_ms < 0) {
        return may < 0 ? -1 : 0;
    }
    struct item *i = tkt_wire_arena_alloc(&p->arena, sizeof(*i));
    char *to = tkt_wire_arena_strdup(&p->arena, t->to, strlen(t->to));
    const char *payload = make_payload(p, reader, f, in, t, digest, err);
    if (payload == NULL) {
        return -1;
    }
    const char *name = digest ? digest_name(p, t) : "";
    if (i == NULL || to == NULL || name == NULL) {
        return no_memory(err);
    }
    tkt_ascii_lower(to);
    *i = (struct item){.by = t->by,
                       .notice = {.ticket = in->ticket,
                                  .message = in->message,
                                  .channel = t->channel,
                                  .payload = payload,
                                  .due_ms = due_ms,
                                  .digest = name},
                       .what = tkt_notice_names[in->what],
                       .to = to,
                       .desk = f->full.desk,
                       .desk_max = f->desk != NULL ? f->desk->notices_max : 0,
                       .once = keep(p, in->once, strlen(in->once)),
                       .repeat_ms = repeat_of(t->by, in->what),
                       .is_alarm = in->what == TKT_NOTICE_ALARM,
                       .is_room = t->to[0] == '\0',
                       .is_ask = in->what == TKT_NOTICE_ACTION_REQUIRED &&
                                 !in->is_reminder && t->by != NULL &&
                                 (t->by->remind_ms > 0 || t->by->close_after_ms > 0)};
    if (i->once == NULL) {
        return no_memory(err);
    }
    i->next = NULL;
    *p->end = i;
    p->end = &i->next;
    return 0;
}

static int add_all(struct tkt_noticeplan *p, struct tkt_reader *reader,
                   const struct facts *f, const struct tkt_noticed *in,
                   struct tkt_err *err)
{
    struct tkt_told told[TKT_SUBSCRIBE_MAX];
    size_t count = tkt_subscribe(p->set->conf, &f->h, told);

    for (size_t i = 0; i < count; i++) {
        if (add_told(p, reader, f, in, &told[i], err) < 0) {
            return -1;
        }
    }
    return 0;
}

int tkt_noticeplan_add(struct tkt_noticeplan *p, struct tkt_reader *reader,
                       const struct tkt_noticed *in, struct tkt_err *err)
{
    struct facts f = {.data = NULL};

    if (!tkt_subscribed(p->set->conf, in->what) && in->what != TKT_NOTICE_ESCALATED) {
        return 0;
    }
    f.data = in->data[0] == '\0' ? NULL : cJSON_Parse(in->data);
    int n = read_facts(p, reader, in, &f, err);
    if (n == 1) {
        n = add_all(p, reader, &f, in, err);
    }
    cJSON_Delete(f.data);
    return n < 0 ? -1 : 0;
}

/* ---- in the transaction ---------------------------------------------------------------------- */

static int tell_limit(struct tkt_store *store, const struct item *i, const char *kind,
                      const char *limit, const char *key, int64_t now_ms,
                      struct tkt_err *err)
{
    TKT_AUTO_BUF struct tkt_buf b = TKT_BUF_INIT(2048);
    char told[KEY_MAX];

    (void)snprintf(told, sizeof(told), "told:%s", key); /* cut is fine: it is hashed */
    int n = tkt_store_notice_count(store, told, 1, TKT_NOTICEPLAN_HOUR_MS, now_ms, err);
    if (n <= 0) {
        return n;
    }
    tkt_buf_addc(&b, '{');
    add(&b, "desk", i->desk);
    add(&b, "channel", i->notice.channel);
    add(&b, "to", i->to);
    add(&b, "reason", limit);
    tkt_buf_addc(&b, '}');
    return tkt_store_event(store, i->notice.ticket, kind,
                           b.failed ? "{\"cut\":true}" : tkt_buf_str(&b), now_ms, err);
}

/* 1 there is room, 0 (told once an hour), -1. */
static int within(struct tkt_store *store, const struct item *i, const char *kind,
                  const char *limit, const char *key, int64_t max, int64_t now_ms,
                  struct tkt_err *err)
{
    int n = tkt_store_notice_count(store, key, max, TKT_NOTICEPLAN_HOUR_MS, now_ms, err);

    return n != 0 ? n : tell_limit(store, i, kind, limit, key, now_ms, err) < 0 ? -1 : 0;
}

/* 1 it was not told yet, 0, -1. */
static int count_it(struct tkt_store *store, const struct item *i, int64_t now_ms,
                    struct tkt_err *err)
{
    char key[KEY_MAX];
    int n = 1;

    if (i->once[0] != '\0') {
        (void)snprintf(key, sizeof(key), "once:%s:%s:%s", i->once, i->notice.channel,
                       i->to); /* an address has at most 320 bytes */
        n = tkt_store_notice_count(store, key, 1, TKT_NOTICEPLAN_ONCE_MS, now_ms, err);
    }
    if (n == 1 && i->repeat_ms > 0) {
        (void)snprintf(key, sizeof(key), "same:%s:%" PRId64 ":%s:%s", i->what,
                       i->notice.ticket, i->notice.channel, i->to); /* the same */
        n = tkt_store_notice_count(store, key, 1, i->repeat_ms, now_ms, err);
    }
    return n;
}

/* 1 there is room for it, 0 it is too much, -1. */
static int count_him(struct tkt_store *store, const struct item *i, int64_t now_ms,
                     struct tkt_err *err)
{
    char key[KEY_MAX];
    int n = 1;

    if (i->by != NULL && !i->is_room) {
        (void)snprintf(key, sizeof(key), "to:%s:%s", i->notice.channel, i->to);
        n = within(store, i, "notice.limited", "notices an hour to one recipient", key,
                   i->by->per_recipient, now_ms, err);
    }
    return n;
}

static int count_wide(struct tkt_store *store, const struct item *i, int64_t now_ms,
                      struct tkt_err *err)
{
    char key[KEY_MAX];
    int n = 1;

    if (i->by != NULL) {
        (void)snprintf(key, sizeof(key), "sub:%s", i->by->name); /* a title is short */
        n = within(store, i, "notice.limited", "notices an hour of one section", key,
                   i->by->per_hour, now_ms, err);
    }
    if (n == 1 && !i->is_alarm) {
        (void)snprintf(key, sizeof(key), "desk:%s", i->desk); /* the same */
        n = within(store, i, "notice.capped", "more notices than notices_per_hour", key,
                   i->desk_max, now_ms, err);
    }
    return n;
}

static int set_ask(struct tkt_store *store, const struct item *i, int64_t now_ms,
                   struct tkt_err *err)
{
    bool reminds = i->by->remind_ms > 0 && i->by->reminders > 0;
    const struct tkt_store_ask ask = {
        .ticket = i->notice.ticket,
        .subscription = i->by->name,
        .payload = i->notice.payload,
        .due_ms = now_ms + (reminds ? i->by->remind_ms : i->by->close_after_ms),
        .left = reminds ? i->by->reminders : 0};

    return tkt_store_ask_set(store, &ask, err);
}

static int apply_one(struct tkt_store *store, const struct item *i, int64_t now_ms,
                     struct tkt_err *err)
{
    int n = count_it(store, i, now_ms, err);
    bool is_new = n == 1;
    int waits = n == 1 && i->notice.digest[0] != '\0'
                    ? tkt_store_notice_waits(store, i->notice.digest, err)
                    : 0;

    if (n == 1 && waits == 0) { /* what joins a digest is no further notice */
        n = count_him(store, i, now_ms, err);
        if (n == 1) {
            n = count_wide(store, i, now_ms, err);
        }
    }
    if (waits < 0) {
        return -1;
    }
    if (n <= 0) {
        return n == 0 && is_new && i->is_ask && i->by->remind_ms > 0 &&
                       i->by->reminders > 0
                   ? set_ask(store, i, now_ms, err) /* the next reminder asks him */
                   : n;
    }
    if (i->is_ask && set_ask(store, i, now_ms, err) < 0) {
        return -1;
    }
    return tkt_store_notice_add(store, &i->notice, now_ms, err);
}

int tkt_noticeplan_apply(struct tkt_store *store, struct tkt_noticeplan *p,
                         struct tkt_err *err)
{
    for (size_t i = 0; i < p->answered_count; i++) {
        if (tkt_store_ask_drop(store, p->answered[i], err) < 0) {
            return -1;
        }
    }
    for (const struct item *i = p->items; i != NULL; i = i->next) {
        if (!i->is_left_out && apply_one(store, i, p->now_ms, err) < 0) {
            return -1;
        }
    }
    return 0;
}
