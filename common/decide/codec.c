/* SPDX-License-Identifier: BSD-2-Clause */
#include "decide/decide.h"
#include "message/pack.h"

#include <string.h>

static const char facts_magic[] = "TKF5";
static const char person_magic[] = "TKP2";
static const char decisions_magic[] = "TKD4";

const char *const tkt_state_names[] = {"reserved",  "new",      "open",
                                       "pending",   "resolved", "closed",
                                       "withdrawn", "refused",  "merged"};
const char *const tkt_action_names[] = {
    "new", "new-linked", "append", "append-unverified", "ignore", "refuse"};
const char *const tkt_evidence_names[] = {"token",   "own-id",  "reference", "sibling",
                                          "subject", "foreign", "similar"};
const char *const tkt_assurance_names[] = {"login", "aligned", "none", "fail"};

const char *const tkt_source_names[] = {
    "desk", "rule", "model", "words", "header", "directory", "affected", "matrix", "llm"};

_Static_assert(sizeof(tkt_source_names) / sizeof(tkt_source_names[0]) == TKT_SOURCE_COUNT,
               "a name for each source");
_Static_assert(sizeof(tkt_state_names) / sizeof(tkt_state_names[0]) == TKT_STATE_COUNT,
               "a name for each state");
_Static_assert(sizeof(tkt_action_names) / sizeof(tkt_action_names[0]) == TKT_ACTION_COUNT,
               "a name for each action");
_Static_assert(sizeof(tkt_evidence_names) / sizeof(tkt_evidence_names[0]) ==
                   TKT_EVIDENCE_COUNT,
               "a name for each evidence");
_Static_assert(sizeof(tkt_assurance_names) / sizeof(tkt_assurance_names[0]) ==
                   TKT_ASSURANCE_COUNT,
               "a name for each assurance");

/* ---- facts ---- */

uint32_t tkt_class_bits(char *const *names, size_t count)
{
    uint32_t bits = 0;

    for (size_t i = 0; i < count; i++) {
        for (int c = 0; c < TKT_CLASS_COUNT; c++) {
            bits |= strcmp(names[i], tkt_class_names[c]) == 0 ? TKT_CLASS_BIT(c) : 0;
        }
    }
    return bits;
}

static void pack_candidate(struct tkt_buf *out, const struct tkt_candidate *c)
{
    tkt_pack_i64(out, c->ticket);
    tkt_pack_str(out, c->id);
    tkt_pack_str(out, c->desk);
    tkt_pack_str(out, c->subject);
    tkt_pack_u8(out, (uint8_t)c->evidence);
    tkt_pack_u8(out, (uint8_t)c->state);
    tkt_pack_u8(out, c->bound_to_sender);
    tkt_pack_u8(out, c->is_participant);
}

static void pack_desk(struct tkt_buf *out, const struct tkt_desk_facts *d)
{
    tkt_pack_str(out, d->name);
    tkt_pack_str(out, d->group);
    tkt_pack_str(out, d->type);
    tkt_pack_u8(out, (uint8_t)d->priority);
    tkt_pack_u8(out, d->reopen_closed);
    tkt_pack_u8(out, d->refuse_closed);
    tkt_pack_u8(out, d->forward_agents);
    tkt_pack_u8(out, d->forward_anybody);
    tkt_pack_u32(out, d->opens);
    tkt_pack_u32(out, d->changes_state);
    tkt_pack_u32(out, d->acknowledges);
    tkt_pack_u8(out, d->acknowledge_proved);
    tkt_pack_u8(out, d->local_itsm);
    tkt_pack_u32(out, d->never);
}

static void pack_person(struct tkt_buf *out, const struct tkt_person *p)
{
    tkt_pack_u8(out, p->is_known);
    tkt_pack_u8(out, p->is_vip);
    tkt_pack_str(out, p->name);
    tkt_pack_str(out, p->department);
    tkt_pack_str(out, p->company);
    tkt_pack_str(out, p->title);
    tkt_pack_str(out, p->location);
    tkt_pack_str(out, p->manager);
    tkt_pack_str(out, p->language);
    tkt_pack_strings(out, &p->groups, TKT_PERSON_GROUPS_MAX);
}

int tkt_facts_encode(const struct tkt_facts *facts, struct tkt_buf *out)
{
    tkt_buf_add(out, facts_magic, 4);
    tkt_pack_u8(out, facts->null_sender);
    tkt_pack_str(out, facts->auth_login);
    tkt_pack_u8(out, facts->login_is_from);
    tkt_pack_u8(out, facts->is_agent);
    tkt_pack_u8(out, facts->is_own);
    tkt_pack_u8(out, (uint8_t)facts->tail_lines);
    tkt_pack_i64(out, facts->now_s);
    tkt_pack_u32(out, (uint32_t)facts->minute);
    tkt_pack_str(out, facts->client);
    tkt_pack_u32(out, facts->affected);
    pack_person(out, &facts->person);
    tkt_pack_count(out, facts->candidate_count, TKT_FACTS_CANDIDATES_MAX);
    for (size_t i = 0; i < facts->candidate_count && !out->failed; i++) {
        pack_candidate(out, &facts->candidates[i]);
    }
    tkt_pack_count(out, facts->desk_count, TKT_FACTS_DESKS_MAX);
    for (size_t i = 0; i < facts->desk_count && !out->failed; i++) {
        pack_desk(out, &facts->desks[i]);
    }
    return tkt_pack_end(out);
}

static void unpack_candidate(struct tkt_unpack *u, struct tkt_candidate *c)
{
    c->ticket = tkt_unpack_i64(u);
    c->id = tkt_unpack_line(u);
    c->desk = tkt_unpack_line(u);
    c->subject = tkt_unpack_line(u);
    c->evidence = (enum tkt_evidence)tkt_unpack_enum(u, TKT_EVIDENCE_COUNT);
    c->state = (enum tkt_ticket_state)tkt_unpack_enum(u, TKT_STATE_COUNT);
    c->bound_to_sender = tkt_unpack_bool(u);
    c->is_participant = tkt_unpack_bool(u);
}

static void unpack_desk(struct tkt_unpack *u, struct tkt_desk_facts *d)
{
    d->name = tkt_unpack_line(u);
    d->group = tkt_unpack_line(u);
    d->type = tkt_unpack_line(u);
    d->priority = tkt_unpack_small(u, 1, 5);
    d->reopen_closed = tkt_unpack_bool(u);
    d->refuse_closed = tkt_unpack_bool(u);
    d->forward_agents = tkt_unpack_bool(u);
    d->forward_anybody = tkt_unpack_bool(u);
    d->opens = tkt_unpack_bits(u, TKT_CLASS_COUNT);
    d->changes_state = tkt_unpack_bits(u, TKT_CLASS_COUNT);
    d->acknowledges = tkt_unpack_bits(u, TKT_CLASS_COUNT);
    d->acknowledge_proved = tkt_unpack_bool(u);
    d->local_itsm = tkt_unpack_bool(u);
    d->never = tkt_unpack_bits(u, TKT_NEVER_BITS);
}

static void unpack_person(struct tkt_unpack *u, struct tkt_person *p)
{
    p->is_known = tkt_unpack_bool(u);
    p->is_vip = tkt_unpack_bool(u);
    p->name = tkt_unpack_line(u);
    p->department = tkt_unpack_line(u);
    p->company = tkt_unpack_line(u);
    p->title = tkt_unpack_line(u);
    p->location = tkt_unpack_line(u);
    p->manager = tkt_unpack_line(u);
    p->language = tkt_unpack_line(u);
    tkt_unpack_strings(u, &p->groups, TKT_PERSON_GROUPS_MAX);
}

int tkt_person_encode(const struct tkt_person *person, struct tkt_buf *out)
{
    tkt_buf_add(out, person_magic, 4);
    pack_person(out, person);
    return tkt_pack_end(out);
}

int tkt_person_decode(const void *data, size_t n, struct tkt_wire_arena *arena,
                      struct tkt_person *out, struct tkt_err *err)
{
    struct tkt_person person = {0};
    struct tkt_unpack u;

    tkt_unpack_init(&u, data, n, person_magic, arena);
    unpack_person(&u, &person);
    if (tkt_unpack_end(&u, "person", err) < 0) {
        return -1;
    }
    *out = person;
    return 0;
}

static void unpack_facts(struct tkt_unpack *u, struct tkt_facts *facts)
{
    facts->null_sender = tkt_unpack_bool(u);
    facts->auth_login = tkt_unpack_line(u);
    facts->login_is_from = tkt_unpack_bool(u);
    facts->is_agent = tkt_unpack_bool(u);
    facts->is_own = tkt_unpack_bool(u);
    facts->tail_lines = (unsigned)tkt_unpack_small(u, 0, UINT8_MAX);
    facts->now_s = tkt_unpack_i64(u);
    facts->minute = (int32_t)tkt_unpack_bits(u, 14);
    facts->client = tkt_unpack_line(u);
    facts->affected = tkt_unpack_bits(u, 32);
    unpack_person(u, &facts->person);
    size_t count = tkt_unpack_count(u, TKT_FACTS_CANDIDATES_MAX, 24);
    facts->candidates = tkt_unpack_array(u, count, sizeof(*facts->candidates));
    facts->candidate_count = facts->candidates == NULL ? 0 : count;
    for (size_t i = 0; i < facts->candidate_count; i++) {
        unpack_candidate(u, &facts->candidates[i]);
    }
    count = tkt_unpack_count(u, TKT_FACTS_DESKS_MAX, 34);
    facts->desks = tkt_unpack_array(u, count, sizeof(*facts->desks));
    facts->desk_count = facts->desks == NULL ? 0 : count;
    for (size_t i = 0; i < facts->desk_count; i++) {
        unpack_desk(u, &facts->desks[i]);
    }
}

int tkt_facts_decode(const void *data, size_t n, struct tkt_facts *out,
                     struct tkt_err *err)
{
    struct tkt_facts facts;
    struct tkt_unpack u;

    if (n > TKT_FACTS_WIRE_MAX) {
        return tkt_err_set(err, TKT_ERR_PERM, "facts: %zu bytes are too many", n);
    }
    memset(&facts, 0, sizeof(facts));
    tkt_unpack_init(&u, data, n, facts_magic, &facts.arena);
    unpack_facts(&u, &facts);
    if (tkt_unpack_end(&u, "facts", err) < 0) {
        tkt_facts_release(&facts);
        return -1;
    }
    *out = facts;
    return 0;
}

void tkt_facts_release(struct tkt_facts *facts)
{
    tkt_wire_arena_release(&facts->arena);
    memset(facts, 0, sizeof(*facts));
}

/* ---- decisions ---- */

static void pack_fields(struct tkt_buf *out, const struct tkt_decision *d)
{
    tkt_pack_count(out, d->field_count, TKT_DECISION_FIELDS_MAX);
    for (size_t i = 0; i < d->field_count && !out->failed; i++) {
        tkt_pack_str(out, d->fields[i].name);
        tkt_pack_str(out, d->fields[i].value);
    }
}

static void pack_reasons(struct tkt_buf *out, const struct tkt_decision *d)
{
    tkt_pack_count(out, d->reason_count, TKT_DECISION_REASONS_MAX);
    for (size_t i = 0; i < d->reason_count && !out->failed; i++) {
        const struct tkt_reason *r = &d->reasons[i];

        tkt_pack_u8(out, (uint8_t)r->source);
        tkt_pack_str(out, r->by);
        tkt_pack_str(out, r->field);
        tkt_pack_str(out, r->value);
        tkt_pack_u8(out, r->overruled);
        tkt_pack_u8(out, r->is_error);
        tkt_pack_u32(out, (uint32_t)r->permille);
        tkt_pack_strings(out, &r->words, TKT_DECISION_KEYWORDS_MAX);
    }
}

static void pack_decision(struct tkt_buf *out, const struct tkt_decision *d)
{
    tkt_pack_u8(out, (uint8_t)d->action);
    tkt_pack_i64(out, d->ticket);
    tkt_pack_i64(out, d->similar);
    tkt_pack_u8(out, (uint8_t)d->assurance);
    tkt_pack_u8(out, d->split_suggested);
    tkt_pack_u8(out, d->reopens);
    tkt_pack_u8(out, d->opens);
    tkt_pack_u8(out, d->changes_state);
    tkt_pack_u8(out, d->acknowledge);
    tkt_pack_u8(out, d->public_comment);
    tkt_pack_str(out, d->why);
    tkt_pack_str(out, d->requester);
    tkt_pack_str(out, d->requester_name);
    tkt_pack_str(out, d->type);
    tkt_pack_str(out, d->category);
    tkt_pack_str(out, d->subcategory);
    tkt_pack_str(out, d->service);
    tkt_pack_str(out, d->group);
    tkt_pack_str(out, d->assignee);
    tkt_pack_str(out, d->itsm);
    tkt_pack_u8(out, (uint8_t)d->urgency);
    tkt_pack_u8(out, (uint8_t)d->impact);
    tkt_pack_u8(out, (uint8_t)d->priority);
    tkt_pack_strings(out, &d->tags, TKT_DECISION_TAGS_MAX);
    pack_fields(out, d);
    tkt_pack_strings(out, &d->missing, TKT_DECISION_FIELDS_MAX);
    tkt_pack_u8(out, d->refused_by_rule);
    tkt_pack_u8(out, d->ignored_by_rule);
    tkt_pack_u8(out, d->ask_llm);
    tkt_pack_str(out, d->refuse_text);
    tkt_pack_str(out, d->correlate);
    tkt_pack_str(out, d->correlate_by);
    tkt_pack_u8(out, d->recovers);
    tkt_pack_strings(out, &d->keywords, TKT_DECISION_KEYWORDS_MAX);
    pack_reasons(out, d);
}

int tkt_decisions_encode(const struct tkt_decisions *d, struct tkt_buf *out)
{
    tkt_buf_add(out, decisions_magic, 4);
    tkt_pack_count(out, d->count, TKT_FACTS_DESKS_MAX);
    for (size_t i = 0; i < d->count && !out->failed; i++) {
        pack_decision(out, &d->items[i]);
    }
    return tkt_pack_end(out);
}

static void unpack_fields(struct tkt_unpack *u, struct tkt_decision *d)
{
    size_t count = tkt_unpack_count(u, TKT_DECISION_FIELDS_MAX, 8);

    d->fields = tkt_unpack_array(u, count, sizeof(*d->fields));
    d->field_count = d->fields == NULL ? 0 : count;
    for (size_t i = 0; i < d->field_count; i++) {
        d->fields[i].name = tkt_unpack_line(u);
        d->fields[i].value = tkt_unpack_line(u);
    }
}

static void unpack_reasons(struct tkt_unpack *u, struct tkt_decision *d)
{
    size_t count = tkt_unpack_count(u, TKT_DECISION_REASONS_MAX, 23);

    d->reasons = tkt_unpack_array(u, count, sizeof(*d->reasons));
    d->reason_count = d->reasons == NULL ? 0 : count;
    for (size_t i = 0; i < d->reason_count; i++) {
        struct tkt_reason *r = &d->reasons[i];

        r->source = (enum tkt_source)tkt_unpack_enum(u, TKT_SOURCE_COUNT);
        r->by = tkt_unpack_line(u);
        r->field = tkt_unpack_line(u);
        r->value = tkt_unpack_line(u);
        r->overruled = tkt_unpack_bool(u);
        r->is_error = tkt_unpack_bool(u);
        r->permille = (int)tkt_unpack_bits(u, 10);
        tkt_unpack_strings(u, &r->words, TKT_DECISION_KEYWORDS_MAX);
    }
}

static void unpack_decision(struct tkt_unpack *u, struct tkt_decision *d)
{
    d->action = (enum tkt_action)tkt_unpack_enum(u, TKT_ACTION_COUNT);
    d->ticket = tkt_unpack_i64(u);
    d->similar = tkt_unpack_i64(u);
    d->assurance = (enum tkt_assurance)tkt_unpack_enum(u, TKT_ASSURANCE_COUNT);
    d->split_suggested = tkt_unpack_bool(u);
    d->reopens = tkt_unpack_bool(u);
    d->opens = tkt_unpack_bool(u);
    d->changes_state = tkt_unpack_bool(u);
    d->acknowledge = tkt_unpack_bool(u);
    d->public_comment = tkt_unpack_bool(u);
    d->why = tkt_unpack_line(u);
    d->requester = tkt_unpack_line(u);
    d->requester_name = tkt_unpack_line(u);
    d->type = tkt_unpack_line(u);
    d->category = tkt_unpack_line(u);
    d->subcategory = tkt_unpack_line(u);
    d->service = tkt_unpack_line(u);
    d->group = tkt_unpack_line(u);
    d->assignee = tkt_unpack_line(u);
    d->itsm = tkt_unpack_line(u);
    d->urgency = tkt_unpack_small(u, 0, 3);
    d->impact = tkt_unpack_small(u, 0, 3);
    d->priority = tkt_unpack_small(u, 1, 5);
    tkt_unpack_strings(u, &d->tags, TKT_DECISION_TAGS_MAX);
    unpack_fields(u, d);
    tkt_unpack_strings(u, &d->missing, TKT_DECISION_FIELDS_MAX);
    d->refused_by_rule = tkt_unpack_bool(u);
    d->ignored_by_rule = tkt_unpack_bool(u);
    d->ask_llm = tkt_unpack_bool(u);
    d->refuse_text = tkt_unpack_line(u);
    d->correlate = tkt_unpack_line(u);
    d->correlate_by = tkt_unpack_line(u);
    d->recovers = tkt_unpack_bool(u);
    tkt_unpack_strings(u, &d->keywords, TKT_DECISION_KEYWORDS_MAX);
    unpack_reasons(u, d);
}

int tkt_decisions_decode(const void *data, size_t n, struct tkt_decisions *out,
                         struct tkt_err *err)
{
    struct tkt_decisions d;
    struct tkt_unpack u;

    if (n > TKT_DECISIONS_WIRE_MAX) {
        return tkt_err_set(err, TKT_ERR_PERM, "decisions: %zu bytes are too many", n);
    }
    memset(&d, 0, sizeof(d));
    tkt_unpack_init(&u, data, n, decisions_magic, &d.arena);
    size_t count = tkt_unpack_count(&u, TKT_FACTS_DESKS_MAX, 103);
    d.items = tkt_unpack_array(&u, count, sizeof(*d.items));
    d.count = d.items == NULL ? 0 : count;
    for (size_t i = 0; i < d.count; i++) {
        unpack_decision(&u, &d.items[i]);
    }
    if (tkt_unpack_end(&u, "decisions", err) < 0) {
        tkt_decisions_release(&d);
        return -1;
    }
    *out = d;
    return 0;
}

void tkt_decisions_release(struct tkt_decisions *d)
{
    tkt_wire_arena_release(&d->arena);
    memset(d, 0, sizeof(*d));
}
