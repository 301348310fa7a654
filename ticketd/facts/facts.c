/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketd/facts/facts.h"

#include "base/enc.h"
#include "base/util.h"
#include "store/external.h"
#include "ticketd/facts/numbers.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* Tickets that one Message-ID may name: a message copied to several desks. */
#define REFERENCE_TICKETS 8
/* Mails that are not here: how many of them are looked for among the named ones. */
#define NAMED_LOOKED_AT 8
#define FOREIGN_TICKETS 4
#define NUMBERED_TICKETS 4
/* Candidates whose Subject is compared with the message's. */
#define SUBJECTS_READ 4
#define SUBJECT_MAX 4096

struct gather {
    const struct tkt_facts_in *in;
    struct tkt_reader *reader;
    struct tkt_facts *facts;
    char from[TKT_KEYSCAN_ADDR_MAX + 1];                    /* lower case */
    unsigned char missing[NAMED_LOOKED_AT][TKT_SHA256_LEN]; /* references, newest first */
    size_t missing_count;
    struct tkt_err *err;
};

static char *keep(struct gather *g, const char *text)
{
    return tkt_wire_arena_strdup(&g->facts->arena, text, strlen(text));
}

/* Candidates come strongest evidence first: a ticket already there keeps its place. */
static int add_candidate(struct gather *g, const struct tkt_reader_ticket *t,
                         enum tkt_evidence evidence, bool bound)
{
    struct tkt_facts *f = g->facts;

    for (size_t i = 0; i < f->candidate_count; i++) {
        if (f->candidates[i].ticket == t->ticket) {
            f->candidates[i].bound_to_sender |= bound;
            return 0;
        }
    }
    if (f->candidate_count == TKT_FACTS_CANDIDATES_MAX) {
        return 0;
    }
    struct tkt_candidate *c = &f->candidates[f->candidate_count];
    *c = (struct tkt_candidate){.ticket = t->ticket,
                                .id = keep(g, t->id),
                                .desk = keep(g, t->desk),
                                .subject = keep(g, ""),
                                .evidence = evidence,
                                .state = t->state,
                                .bound_to_sender = bound,
                                .is_participant = t->is_participant};
    if (!c->id || !c->desk || !c->subject) {
        return tkt_err_set(g->err, TKT_ERR_TEMP, "facts: no memory");
    }
    f->candidate_count++;
    return 0;
}

static int add_token(struct gather *g, const char *text, enum tkt_evidence evidence)
{
    struct tkt_token token;
    struct tkt_reader_ticket t;

    if (tkt_token_verify(g->in->keys, text, strlen(text), g->in->now_s, &token) !=
        TKT_TOKEN_VALID) {
        return 0;
    }
    int found = tkt_reader_by_row(g->reader, token.ticket, g->from, &t, g->err);
    if (found <= 0) {
        return found;
    }
    return add_candidate(g, &t, evidence, tkt_token_is_for(g->in->keys, &token, g->from));
}

/* What came back to a notice: its ticket, also where the token's time is over. */
static int from_notice(struct gather *g, enum tkt_mail_tag tag, const char *text)
{
    struct tkt_facts_found *f = g->in->found;
    struct tkt_token token;
    struct tkt_reader_ticket t;
    enum tkt_token_verdict v =
        tkt_token_verify(g->in->keys, text, strlen(text), g->in->now_s, &token);

    if (v != TKT_TOKEN_VALID && v != TKT_TOKEN_EXPIRED) {
        return 0;
    }
    int found = tkt_reader_by_row(g->reader, token.ticket, g->from, &t, g->err);
    if (found <= 0) {
        return found;
    }
    f->tag = tag;
    f->tag_ticket = t.ticket;
    snprintf(f->tag_desk, sizeof(f->tag_desk), "%s", t.desk);
    return add_candidate(g, &t, TKT_EVIDENCE_TOKEN,
                         tkt_mail_tag_is_for(g->in->keys, &token, tag, g->from));
}

static int from_recipients(struct gather *g)
{
    for (size_t i = 0; i < g->in->rcpt_count; i++) {
        char token[TKT_TOKEN_LEN + 1];
        char base[1024];
        enum tkt_mail_tag tag =
            tkt_mail_tag_of(g->in->rcpts[i], g->in->conf->token.separator[0], token);

        if (tag != TKT_MAIL_TAG_NONE) {
            if (from_notice(g, tag, token) < 0) {
                return -1;
            }
            continue;
        }
        if (tkt_token_split(g->in->rcpts[i], g->in->conf->token.separator[0], token, base,
                            sizeof(base)) &&
            add_token(g, token, TKT_EVIDENCE_TOKEN) < 0) {
            return -1;
        }
    }
    return 0;
}

static int from_own_ids(struct gather *g, const struct tkt_strings *ids)
{
    for (size_t i = 0; i < ids->count; i++) {
        char token[TKT_TOKEN_LEN + 1];

        if (tkt_token_from_message_id(ids->items[i], g->in->conf->hostname, token) &&
            add_token(g, token, TKT_EVIDENCE_OWN_ID) < 0) {
            return -1;
        }
    }
    return 0;
}

static void add_missing(struct gather *g, const unsigned char hash[TKT_SHA256_LEN])
{
    for (size_t i = 0; i < g->missing_count; i++) {
        if (memcmp(g->missing[i], hash, TKT_SHA256_LEN) == 0) {
            return;
        }
    }
    if (g->missing_count < NAMED_LOOKED_AT) {
        memcpy(g->missing[g->missing_count++], hash, TKT_SHA256_LEN);
    }
}

static int from_reference(struct gather *g, const char *id)
{
    struct tkt_reader_ticket found[REFERENCE_TICKETS];
    unsigned char hash[TKT_SHA256_LEN];

    tkt_sha256(id, strlen(id), hash);
    int n = tkt_reader_by_reference(g->reader, hash, g->from, found, REFERENCE_TICKETS,
                                    g->err);
    if (n < 0) {
        return -1;
    }
    char token[TKT_TOKEN_LEN + 1];
    if (n == 0 && !tkt_token_from_message_id(id, g->in->conf->hostname, token)) {
        add_missing(g, hash);
    }
    for (int k = 0; k < n; k++) {
        if (add_candidate(g, &found[k], TKT_EVIDENCE_REFERENCE, false) < 0) {
            return -1;
        }
    }
    return 0;
}

static int from_references(struct gather *g, const struct tkt_strings *ids)
{
    for (size_t i = ids->count; i-- > 0;) { /* the last one is the parent */
        if (from_reference(g, ids->items[i]) < 0) {
            return -1;
        }
    }
    return 0;
}

/* The mail that came back names ours in its report; some name it nowhere else. */
static int from_bounce(struct gather *g, const struct tkt_message *msg)
{
    char *id = msg->bounce.original_message_id;
    const struct tkt_strings one = {&id, 1};

    if (!msg->bounce.is_present || id[0] == '\0') {
        return 0;
    }
    return from_own_ids(g, &one) < 0 || from_reference(g, id) < 0 ? -1 : 0;
}

static int from_named(struct gather *g, const unsigned char hash[TKT_SHA256_LEN])
{
    struct tkt_reader_ticket found[REFERENCE_TICKETS];
    int n =
        tkt_reader_by_named(g->reader, hash, g->from, found, REFERENCE_TICKETS, g->err);

    for (int k = 0; k < n; k++) {
        /* Strangers who answer the same newsletter have nothing in common. */
        if ((found[k].is_participant || g->facts->is_agent) &&
            add_candidate(g, &found[k], TKT_EVIDENCE_SIBLING, false) < 0) {
            return -1;
        }
    }
    return n < 0 ? -1 : 0;
}

/* Mails that never came here and that a ticket's mail names as well: somebody answers all
 * on a mail that was sent to everybody but us. The mail itself may come last of all. */
static int from_siblings(struct gather *g, const struct tkt_message *msg)
{
    struct tkt_facts_found *f = g->in->found;

    for (size_t i = 0; i < g->missing_count; i++) {
        if (from_named(g, g->missing[i]) < 0) {
            return -1;
        }
    }
    for (size_t i = 0; i < TKT_MIN(g->missing_count, (size_t)TKT_STORE_NAMED_MAX); i++) {
        memcpy(f->named[i].hash, g->missing[i], TKT_SHA256_LEN);
        f->named_count++;
    }
    if (msg->message_id[0] == '\0' || msg->message_id_derived) {
        return 0;
    }
    unsigned char own[TKT_SHA256_LEN];
    tkt_sha256(msg->message_id, strlen(msg->message_id), own);
    return from_named(g, own);
}

static int from_subject(struct gather *g, const struct tkt_strings *ids)
{
    for (size_t i = 0; i < ids->count; i++) {
        struct tkt_reader_ticket t;
        int found = tkt_reader_by_id(g->reader, ids->items[i], g->from, &t, g->err);

        if (found < 0 ||
            (found && add_candidate(g, &t, TKT_EVIDENCE_SUBJECT, false) < 0)) {
            return -1;
        }
    }
    return 0;
}

/* ---- what ITSMs call our tickets ------------------------------------------------------ */

static int add_numbered(struct gather *g, const char *itsm, const char *number)
{
    struct tkt_reader_ticket found[NUMBERED_TICKETS];
    int n = tkt_reader_by_external(g->reader, itsm, number, g->from, found,
                                   NUMBERED_TICKETS, g->err);

    for (int k = 0; k < n; k++) {
        if (add_candidate(g, &found[k], TKT_EVIDENCE_SUBJECT, false) < 0) {
            return -1;
        }
    }
    return n < 0 ? -1 : 0;
}

/* The number as it stands in the tag, and without noughts before it. */
static int from_number(struct gather *g, const struct tkt_conf_itsm *itsm,
                       const char *tag)
{
    char number[TKT_NUMBER_MAX + 1];
    int n;

    for (size_t i = 0; (n = tkt_number_in_tag(itsm, i, tag, number)) >= 0; i++) {
        const char *bare = number + strspn(number, "0");

        if (n == 1 &&
            (add_numbered(g, itsm->name, number) < 0 ||
             (bare > number && *bare != '\0' && add_numbered(g, itsm->name, bare) < 0))) {
            return -1;
        }
    }
    return 0;
}

/* Whoever answers a mail of the ITSM names its number. As with our own IDs: a hint. */
static int from_numbers(struct gather *g, const struct tkt_strings *tags)
{
    for (size_t i = 0; i < tags->count; i++) {
        for (size_t k = 0; k < g->in->conf->itsm_count; k++) {
            if (from_number(g, &g->in->conf->itsms[k], tags->items[i]) < 0) {
                return -1;
            }
        }
    }
    return 0;
}

/* ---- other trackers' tags ------------------------------------------------------------- */

static bool is_shared_domain(const char *domain)
{
    static const char *const names[] = {
        "gmail.com",      "googlemail.com", "outlook.com", "hotmail.com", "live.com",
        "msn.com",        "yahoo.com",      "ymail.com",   "aol.com",     "icloud.com",
        "me.com",         "mac.com",        "gmx.de",      "gmx.net",     "gmx.at",
        "gmx.ch",         "web.de",         "t-online.de", "freenet.de",  "mail.com",
        "mail.ru",        "yandex.ru",      "yandex.com",  "qq.com",      "163.com",
        "126.com",        "sina.com",       "orange.fr",   "wanadoo.fr",  "free.fr",
        "laposte.net",    "libero.it",      "virgilio.it", "wp.pl",       "o2.pl",
        "onet.pl",        "seznam.cz",      "bluewin.ch",  "comcast.net", "verizon.net",
        "att.net",        "proton.me",      "naver.com",   "uol.com.br",  "terra.com.br",
        "protonmail.com", "zoho.com",       "rambler.ru",  "ukr.net",     "hanmail.net"};

    for (size_t i = 0; i < TKT_ARRAY_LEN(names); i++) {
        if (strcmp(domain, names[i]) == 0) {
            return true;
        }
    }
    return strncmp(domain, "yahoo.", 6) == 0 || strncmp(domain, "hotmail.", 8) == 0 ||
           strncmp(domain, "live.", 5) == 0 || strncmp(domain, "outlook.", 8) == 0;
}

void tkt_facts_scope(const char *from, char out[TKT_FACTS_SCOPE_MAX])
{
    const char *at = strrchr(from, '@');
    const char *scope = at == NULL || at[1] == '\0' ? ""
                        : is_shared_domain(at + 1)  ? from
                                                    : at + 1;

    snprintf(out, TKT_FACTS_SCOPE_MAX, "%s",
             strlen(scope) < TKT_FACTS_SCOPE_MAX ? scope : "");
}

static int from_foreign(struct gather *g, const struct tkt_strings *ids)
{
    const char *scope = g->in->found->scope;

    for (size_t i = 0; *scope != '\0' && i < ids->count; i++) {
        struct tkt_reader_ticket found[FOREIGN_TICKETS];
        int n = tkt_reader_by_foreign(g->reader, scope, ids->items[i], g->from, found,
                                      FOREIGN_TICKETS, g->err);
        for (int k = 0; k < n; k++) {
            if (add_candidate(g, &found[k], TKT_EVIDENCE_FOREIGN, false) < 0) {
                return -1;
            }
        }
        if (n < 0) {
            return -1;
        }
    }
    return 0;
}

/* ---- texts ------------------------------------------------------------------------------ */

static int add_subjects(struct gather *g)
{
    struct tkt_facts *f = g->facts;

    for (size_t i = 0; i < TKT_MIN(f->candidate_count, (size_t)SUBJECTS_READ); i++) {
        TKT_AUTO_BUF struct tkt_buf text = TKT_BUF_INIT(SUBJECT_MAX);
        struct tkt_candidate *c = &f->candidates[i];

        if (c->evidence > TKT_EVIDENCE_SIBLING) {
            break;
        }
        if (tkt_reader_subject(g->reader, c->ticket, &text, g->err) < 0) {
            return -1;
        }
        c->subject = keep(g, tkt_buf_str(&text));
        if (!c->subject) {
            return tkt_err_set(g->err, TKT_ERR_TEMP, "facts: no memory");
        }
    }
    return 0;
}

/* Only mail that names no ticket is compared with the texts of others. */
static int from_likeness(struct gather *g, const struct tkt_message *msg)
{
    size_t named = g->facts->candidate_count;

    for (size_t i = 0; named == 0 && g->in->prints && i < g->facts->desk_count; i++) {
        struct tkt_reader_ticket t;
        int64_t like = tkt_prints_find(g->in->prints, g->facts->desks[i].name, msg->print,
                                       g->in->now_s * 1000);
        int n = like == 0 ? 0 : tkt_reader_by_row(g->reader, like, g->from, &t, g->err);
        bool lives = n == 1 && strcmp(t.desk, g->facts->desks[i].name) == 0 &&
                     t.state != TKT_STATE_RESOLVED && t.state != TKT_STATE_CLOSED;
        if (n < 0 || (lives && add_candidate(g, &t, TKT_EVIDENCE_SIMILAR, false) < 0)) {
            return -1;
        }
    }
    return 0;
}

/* Who says nearly the same, at whichever of its desks most do. One at least, also where
 * there is too little text to compare: so that the facts can be guessed. */
static void add_affected(struct gather *g, const struct tkt_message *msg)
{
    g->facts->affected = 1;
    for (size_t i = 0; g->in->prints && i < g->facts->desk_count; i++) {
        const struct tkt_conf_desk *d = g->in->desks[i];
        uint32_t n = tkt_prints_affected(g->in->prints, d->name, g->from, msg->print,
                                         g->in->now_s * 1000 - d->storm_window_ms);

        g->facts->affected = TKT_MAX(g->facts->affected, n);
    }
}

/* ---- the sender --------------------------------------------------------------------------- */

/* Our own mail that came back: by its Message-ID, which nobody else can sign. */
static bool is_own(struct gather *g, const struct tkt_message *msg)
{
    char text[TKT_TOKEN_LEN + 1];
    struct tkt_token token;

    if (!tkt_token_from_message_id(msg->message_id, g->in->conf->hostname, text)) {
        return false;
    }
    enum tkt_token_verdict v =
        tkt_token_verify(g->in->keys, text, strlen(text), g->in->now_s, &token);
    return v == TKT_TOKEN_VALID || v == TKT_TOKEN_EXPIRED;
}

bool tkt_facts_is_agent(const struct tkt_conf *conf, const char *from)
{
    for (size_t i = 0; i < conf->group_count; i++) {
        for (size_t k = 0; k < conf->groups[i].members.count; k++) {
            if (tkt_ascii_ieq(conf->groups[i].members.items[k], from)) {
                return true;
            }
        }
    }
    return false;
}

static int add_sender(struct gather *g, const struct tkt_message *msg)
{
    struct tkt_facts_found *found = g->in->found;
    struct tkt_facts *f = g->facts;
    const char *login = *g->in->auth_login ? g->in->auth_login : g->in->tls_subject;

    f->null_sender = *g->in->sender == '\0';
    f->auth_login = keep(g, login);
    f->login_is_from = *g->from && tkt_ascii_ieq(login, g->from);
    f->is_agent = *g->from && tkt_facts_is_agent(g->in->conf, g->from);
    f->is_own = is_own(g, msg);
    memset(found, 0, sizeof(*found));
    found->is_own = f->is_own;
    tkt_facts_scope(g->from, found->scope);
    if (g->in->senders) {
        tkt_senders_ask(g->in->senders, g->reader, msg, &found->learned);
        f->tail_lines = found->learned.tail_lines;
    }
    return f->auth_login ? 0 : tkt_err_set(g->err, TKT_ERR_TEMP, "facts: no memory");
}

/* Out of the cache; nothing waits for a directory. */
static int add_person(struct gather *g)
{
    int n = tkt_people_of(g->in->people, g->in->conf, g->in->tools, g->from, g->in->now_s,
                          &g->facts->person, g->err);

    g->in->found->person_missing = n == TKT_PEOPLE_MISSING;
    return n < 0 ? -1 : 0;
}

/* When it came in, as its rules see it: on this host's clock and calendar. */
static void add_time(struct gather *g)
{
    time_t at = (time_t)g->in->now_s;
    struct tm local;

    g->facts->now_s = g->in->now_s;
    if (localtime_r(&at, &local)) {
        int day = (local.tm_wday + 6) % 7; /* Monday first */

        g->facts->minute = (day * 24 + local.tm_hour) * 60 + local.tm_min;
    }
}

static int add_desks(struct gather *g)
{
    struct tkt_facts *f = g->facts;

    f->desk_count = TKT_MIN(g->in->desk_count, TKT_FACTS_DESKS_MAX);
    f->desks = tkt_wire_arena_alloc(&f->arena, (f->desk_count + 1) * sizeof(*f->desks));
    if (!f->desks) {
        return tkt_err_set(g->err, TKT_ERR_TEMP, "facts: no memory");
    }
    for (size_t i = 0; i < f->desk_count; i++) {
        const struct tkt_conf_desk *d = g->in->desks[i];

        f->desks[i] = tkt_facts_desk(g->in->conf, d);
        f->desks[i].name = keep(g, d->name);
        f->desks[i].group = keep(g, d->group);
        f->desks[i].type = keep(g, d->type);
        if (!f->desks[i].name || !f->desks[i].group || !f->desks[i].type) {
            return tkt_err_set(g->err, TKT_ERR_TEMP, "facts: no memory");
        }
    }
    return 0;
}

int tkt_facts_gather(void *arg, const struct tkt_message *msg, struct tkt_facts *facts,
                     struct tkt_err *err)
{
    struct gather g = {.in = arg, .facts = facts, .err = err};

    g.reader = tkt_tools_reader(g.in->tools, err);
    if (!g.reader) {
        return -1;
    }
    snprintf(g.from, sizeof(g.from), "%s", msg->from.address);
    tkt_ascii_lower(g.from);
    facts->candidates = tkt_wire_arena_alloc(
        &facts->arena, TKT_FACTS_CANDIDATES_MAX * sizeof(*facts->candidates));
    if (!facts->candidates) {
        return tkt_err_set(err, TKT_ERR_TEMP, "facts: no memory");
    }
    add_time(&g);
    if (add_sender(&g, msg) < 0 || add_person(&g) < 0 || add_desks(&g) < 0 ||
        from_recipients(&g) < 0 || from_own_ids(&g, &msg->in_reply_to) < 0 ||
        from_own_ids(&g, &msg->references) < 0 ||
        from_references(&g, &msg->in_reply_to) < 0 ||
        from_references(&g, &msg->references) < 0 || from_bounce(&g, msg) < 0 ||
        from_siblings(&g, msg) < 0 || from_subject(&g, &msg->subject_ids) < 0 ||
        from_numbers(&g, &msg->foreign_ids) < 0 ||
        from_foreign(&g, &msg->foreign_ids) < 0 || from_likeness(&g, msg) < 0 ||
        add_subjects(&g) < 0) {
        return -1;
    }
    snprintf(g.in->found->department, sizeof(g.in->found->department), "%s",
             facts->person.department ? facts->person.department : "");
    add_affected(&g, msg);
    return 0;
}
