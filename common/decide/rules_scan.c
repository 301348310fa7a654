/* SPDX-License-Identifier: BSD-2-Clause
 * The message at hand: its zones are folded and searched once, by one automaton for all
 * items. What a word needs to be there is settled on the spot; globs and expressions are
 * candidates, which are tried when a rule asks.
 */
#include "base/util.h"
#include "decide/glob.h"
#include "decide/rules_private.h"

#include <stdlib.h>
#include <string.h>

#define FOLDED_MAX (24 * 1024 * 1024)
#define PIECES_MAX 4096
#define GAP_CHARS_MAX 16 /* between two words: a line of stars parts them */

int tkt_rules_scan_prepare(struct tkt_rules *r)
{
    struct tkt_rules_scan *s = &r->scan;

    for (size_t z = 0; z < TKT_ZONES; z++) {
        tkt_buf_init(&s->zones[z].folded, FOLDED_MAX);
    }
    s->states = calloc(r->item_count + 1, sizeof(*s->states));
    s->touched = calloc(r->item_count + 1, sizeof(*s->touched));
    s->due = calloc(r->rule_count / 64 + 1, sizeof(*s->due));
    return s->states == NULL || s->touched == NULL || s->due == NULL ? -1 : 0;
}

void tkt_rules_scan_release(struct tkt_rules *r)
{
    struct tkt_rules_scan *s = &r->scan;

    for (size_t z = 0; z < TKT_ZONES; z++) {
        tkt_buf_release(&s->zones[z].folded);
        free(s->zones[z].pieces);
    }
    free(s->states);
    free(s->touched);
    free(s->due);
    memset(s, 0, sizeof(*s));
}

#define KEEP_MAX (256 * 1024)

void tkt_rules_scan_forget(struct tkt_rules *r)
{
    struct tkt_rules_scan *s = &r->scan;

    for (size_t i = 0; i < s->touched_count; i++) {
        s->states[s->touched[i]] = (struct tkt_item_state){0};
    }
    s->touched_count = 0;
    for (size_t z = 0; z < TKT_ZONES; z++) {
        s->zones[z].count = 0;
        if (s->zones[z].folded.cap > KEEP_MAX) {
            tkt_buf_release(&s->zones[z].folded);
        } else {
            tkt_buf_reset(&s->zones[z].folded);
        }
    }
    s->done = false;
    s->failed = false;
}

/* ---- zones ---- */

static void add_piece(struct tkt_rules *r, enum tkt_zone zone, const char *raw,
                      uint32_t field)
{
    struct tkt_zone_text *z = &r->scan.zones[zone];

    if (raw == NULL || raw[0] == '\0' || (r->zones & TKT_ZONE_BIT(zone)) == 0 ||
        z->count == PIECES_MAX) {
        return;
    }
    if (z->count == z->cap) {
        size_t cap = z->cap == 0 ? 8 : 2 * z->cap;
        struct tkt_zone_piece *more = reallocarray(z->pieces, cap, sizeof(*more));
        if (more == NULL) {
            r->scan.failed = true;
            return;
        }
        z->pieces = more;
        z->cap = cap;
    }
    struct tkt_zone_piece *p = &z->pieces[z->count];
    *p = (struct tkt_zone_piece){
        .raw = raw, .raw_len = strlen(raw), .at = z->folded.len, .field = field};
    /* Past FOLDED_MAX the rest of a text is not looked at. */
    (void)tkt_wordfold_add(r->fold, raw, p->raw_len, &z->folded);
    p->len = z->folded.len - p->at;
    z->count++;
}

static void add(struct tkt_rules *r, enum tkt_zone zone, const char *raw)
{
    add_piece(r, zone, raw, TKT_RULES_NONE);
}

static char *keep(struct tkt_wire_arena *arena, const char *a, const char *b)
{
    size_t n = strlen(a);
    size_t m = strlen(b);
    char *both = tkt_wire_arena_alloc(arena, n + m + 1);

    if (both != NULL) {
        memcpy(both, a, n);
        memcpy(both + n, b, m + 1);
    }
    return both;
}

static void add_domain(struct tkt_rules *r, struct tkt_message *msg)
{
    const char *at = strrchr(msg->from.address, '@');

    if (at == NULL || (r->zones & TKT_ZONE_BIT(TKT_ZONE_DOMAIN)) == 0) {
        return;
    }
    add(r, TKT_ZONE_DOMAIN, at + 1);
    char *below = keep(&msg->arena, ".", at + 1);
    r->scan.failed |= below == NULL;
    add_piece(r, TKT_ZONE_DOMAIN, below, TKT_RULES_BELOW);
}

static void add_addresses(struct tkt_rules *r, const struct tkt_addresses *list)
{
    for (size_t i = 0; i < list->count; i++) {
        add(r, TKT_ZONE_RECIPIENT, list->items[i].address);
    }
}

static void add_fields(struct tkt_rules *r, const struct tkt_message *msg)
{
    for (size_t i = 0; i < msg->kept_count; i++) {
        for (size_t k = 0; k < r->fields.count; k++) {
            if (strcasecmp(msg->kept[i].name, r->fields.items[k]) == 0) {
                add_piece(r, TKT_ZONE_HEADER, msg->kept[i].value, (uint32_t)k);
            }
        }
    }
}

static void add_person(struct tkt_rules *r, const struct tkt_person *p)
{
    add(r, TKT_ZONE_DEPARTMENT, p->department);
    add(r, TKT_ZONE_COMPANY, p->company);
    add(r, TKT_ZONE_TITLE, p->title);
    add(r, TKT_ZONE_LOCATION, p->location);
    add(r, TKT_ZONE_MANAGER, p->manager);
    for (size_t i = 0; i < p->groups.count; i++) {
        add(r, TKT_ZONE_MEMBER_OF, p->groups.items[i]);
    }
}

bool tkt_rules_is_forged(const struct tkt_question *q)
{
    return q->assurance == TKT_ASSURANCE_FAIL;
}

static void load_zones(struct tkt_rules *r, const struct tkt_question *q)
{
    struct tkt_message *msg = (struct tkt_message *)(uintptr_t)q->msg; /* its arena */

    add(r, TKT_ZONE_SUBJECT, msg->subject);
    add(r, TKT_ZONE_REPLY, msg->reply_text);
    if (msg->forwarded.is_present) {
        add(r, TKT_ZONE_REPLY, msg->forwarded.subject);
        add(r, TKT_ZONE_REPLY, msg->forwarded.text);
    }
    add(r, TKT_ZONE_TEXT, msg->text);
    add(r, TKT_ZONE_SENDER, msg->from.address);
    add(r, TKT_ZONE_SENDER_NAME, msg->from.name);
    add_domain(r, msg);
    add_addresses(r, &msg->to);
    add_addresses(r, &msg->cc);
    add_fields(r, msg);
    for (size_t i = 0; i < msg->attachment_count; i++) {
        add(r, TKT_ZONE_ATTACHMENT, msg->attachments[i].name);
        add(r, TKT_ZONE_ATTACHMENT_TYPE, msg->attachments[i].type);
    }
    add(r, TKT_ZONE_CLIENT, q->facts->client);
    if (!tkt_rules_is_forged(q)) {
        add_person(r, &q->facts->person);
    }
}

/* ---- words ---- */

/* p behind the last of n bytes at s: whether a word ends there. */
static bool ends_word(const char *p, const char *start, const char *end)
{
    return !tkt_wordfold_is_word_before(p, start) || !tkt_wordfold_is_word_at(p, end);
}

static bool starts_word(const char *p, const char *start, const char *end)
{
    return !tkt_wordfold_is_word_at(p, end) || !tkt_wordfold_is_word_before(p, start);
}

static const char *skip_word(const char *p, const char *end)
{
    while (tkt_wordfold_is_word_at(p, end)) {
        p += tkt_wordfold_char(p, end);
    }
    return p;
}

static const char *skip_gap(const char *p, const char *end)
{
    for (int i = 0; i < GAP_CHARS_MAX && p < end && !tkt_wordfold_is_word_at(p, end);
         i++) {
        p += tkt_wordfold_char(p, end);
    }
    return p;
}

/* Whether part k of the item and those behind it follow at p within their gaps. */
static bool parts_follow(const struct tkt_item *item, size_t k, const char *p,
                         const char *start, const char *end)
{
    if (k == item->part_count) {
        return true;
    }
    const struct tkt_item_part *part = &item->parts[k];
    bool open = k + 1u == item->part_count && item->open_end;
    for (unsigned words = 0; words <= part->gap; words++) {
        p = skip_gap(p, end);
        if ((size_t)(end - p) >= part->len && memcmp(p, part->text, part->len) == 0 &&
            (open || ends_word(p + part->len, start, end)) &&
            parts_follow(item, k + 1, p + part->len, start, end)) {
            return true;
        }
        const char *next = skip_word(p, end);
        if (next == p) {
            return false;
        }
        p = next;
    }
    return false;
}

/* The first part ends at p. */
static bool words_are_at(const struct tkt_item *item, const char *p, const char *start,
                         const char *end)
{
    const char *first = p - item->parts[0].len;
    bool open = item->part_count == 1 && item->open_end;

    return (item->open_start || starts_word(first, start, end)) &&
           (open || ends_word(p, start, end)) && parts_follow(item, 1, p, start, end);
}

/* ---- the search ---- */

static void touch(struct tkt_rules *r, uint32_t item)
{
    struct tkt_rules_scan *s = &r->scan;

    s->touched[s->touched_count++] = item;
    for (uint32_t i = r->item_rules.starts[item]; i < r->item_rules.starts[item + 1];
         i++) {
        uint32_t rule = r->item_rules.values[i];
        s->due[rule / 64] |= UINT64_C(1) << rule % 64;
    }
}

static void found(void *arg, uint32_t literal, const char *end)
{
    struct tkt_rules *r = arg;
    struct tkt_rules_scan *s = &r->scan;
    uint32_t bit = TKT_ZONE_BIT(s->zone);

    for (uint32_t i = r->literal_items.starts[literal];
         i < r->literal_items.starts[literal + 1]; i++) {
        uint32_t index = r->literal_items.values[i];
        const struct tkt_item *item = &r->items[index];
        struct tkt_item_state *state = &s->states[index];
        if ((item->zones & bit) == 0 || ((state->hit | state->candidate) & bit) != 0 ||
            item->field != s->piece->field) {
            continue;
        }
        bool is_words = item->kind == TKT_ITEM_WORDS;
        if (is_words && !words_are_at(item, end, s->start, s->end)) {
            continue;
        }
        if ((state->hit | state->candidate) == 0) {
            touch(r, index);
        }
        state->hit |= is_words ? bit : 0;
        state->candidate |= is_words ? 0 : bit;
    }
}

static void search_zone(struct tkt_rules *r, enum tkt_zone zone)
{
    struct tkt_rules_scan *s = &r->scan;
    const struct tkt_zone_text *z = &s->zones[zone];

    s->zone = zone;
    for (size_t i = 0; i < z->count; i++) {
        s->piece = &z->pieces[i];
        s->start = tkt_buf_str(&z->folded) + s->piece->at;
        s->end = s->start + s->piece->len;
        tkt_ac_search(r->ac, s->start, s->piece->len, found, r);
    }
}

int tkt_rules_scan_message(struct tkt_rules *r, const struct tkt_question *q)
{
    struct tkt_rules_scan *s = &r->scan;

    if (s->done) {
        return s->failed ? -1 : 0;
    }
    s->done = true;
    memcpy(s->due, r->always, (r->rule_count / 64 + 1) * sizeof(*s->due));
    tkt_regex_set_budget(r->regexes, TKT_RULES_REGEX_MS);
    load_zones(r, q);
    for (enum tkt_zone z = 0; z < TKT_ZONES; z++) {
        search_zone(r, z);
    }
    return s->failed ? -1 : 0;
}

/* ---- globs and expressions ---- */

static bool regex_limit(enum tkt_regex_result result)
{
    return result == TKT_REGEX_LIMIT || result == TKT_REGEX_TIMEOUT;
}

static size_t regex_len(const struct tkt_zone_piece *p)
{
    size_t n = p->raw_len;

    if (n > TKT_RULES_REGEX_TEXT_MAX) {
        n = TKT_RULES_REGEX_TEXT_MAX;
        while (n > 0 && ((unsigned char)p->raw[n] & 0xc0) == 0x80) {
            n--;
        }
    }
    return n;
}

static bool piece_has(const struct tkt_zone_text *z, const struct tkt_zone_piece *p,
                      const struct tkt_item *item, bool *limit)
{
    if (item->field != p->field) {
        return false;
    }
    if (item->kind == TKT_ITEM_PRESENT) {
        return true;
    }
    if (item->kind == TKT_ITEM_GLOB) {
        return tkt_glob_match(item->glob, tkt_buf_str(&z->folded) + p->at, p->len);
    }
    enum tkt_regex_result result = tkt_regex_search(item->regex, p->raw, regex_len(p));
    *limit |= regex_limit(result);
    return result == TKT_REGEX_YES;
}

static void try_zone(struct tkt_rules *r, uint32_t index, enum tkt_zone zone)
{
    struct tkt_item_state *state = &r->scan.states[index];
    const struct tkt_zone_text *z = &r->scan.zones[zone];
    bool limit = false;

    if ((state->hit | state->candidate | state->tried) == 0) {
        touch(r, index);
    }
    state->tried |= TKT_ZONE_BIT(zone);
    for (size_t i = 0; i < z->count; i++) {
        if (piece_has(z, &z->pieces[i], &r->items[index], &limit)) {
            state->hit |= TKT_ZONE_BIT(zone);
            return;
        }
    }
    state->limit |= limit ? TKT_ZONE_BIT(zone) : 0;
}

uint32_t tkt_rules_scan_item(struct tkt_rules *r, uint32_t index, uint32_t zones,
                             bool *limit)
{
    const struct tkt_item *item = &r->items[index];
    struct tkt_item_state *state = &r->scan.states[index];

    if (item->kind != TKT_ITEM_WORDS) {
        uint32_t open = zones & ~state->tried & (item->indexed ? state->candidate : ~0u);
        for (enum tkt_zone z = 0; open != 0 && z < TKT_ZONES; z++) {
            if ((open & TKT_ZONE_BIT(z)) != 0) {
                try_zone(r, index, z);
            }
        }
        *limit |= (state->limit & zones) != 0;
    }
    return state->hit & zones;
}

/* ---- texts that are no zone ---- */

static bool words_are_in(const struct tkt_item *item, const char *s, size_t n)
{
    const struct tkt_item_part *part = &item->parts[0];

    for (const char *p = s; (p = memmem(p, (size_t)(s + n - p), part->text, part->len));
         p++) {
        if (words_are_at(item, p + part->len, s, s + n)) {
            return true;
        }
    }
    return false;
}

bool tkt_rules_scan_value(struct tkt_rules *r, uint32_t index, const char *value)
{
    const struct tkt_item *item = &r->items[index];
    TKT_AUTO_BUF struct tkt_buf b = TKT_BUF_INIT(64 * 1024);

    if (tkt_wordfold_add(r->fold, value, strlen(value), &b) < 0) {
        return false;
    }
    switch (item->kind) {
    case TKT_ITEM_WORDS:
        return words_are_in(item, tkt_buf_str(&b), b.len);
    case TKT_ITEM_GLOB:
        return tkt_glob_match(item->glob, tkt_buf_str(&b), b.len);
    case TKT_ITEM_REGEX:
        return tkt_regex_search(item->regex, value, strlen(value)) == TKT_REGEX_YES;
    default:
        return false;
    }
}
