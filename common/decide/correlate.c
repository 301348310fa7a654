/* SPDX-License-Identifier: BSD-2-Clause */
#include "decide/correlate.h"

#include "base/buf.h"
#include "base/enc.h"
#include "base/hash.h"
#include "base/util.h"
#include "decide/policy.h"
#include "decide/regex.h"
#include "decide/route.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GROUPS_MAX 16
#define HASHED_TAIL 17 /* a bar and 16 hex digits */

struct pattern {
    struct tkt_regex *regex;
    bool in_text; /* else in the Subject */
};

struct correlate {
    const struct tkt_section *section;
    struct pattern keys[TKT_CORRELATE_PATTERNS_MAX];
    size_t key_count;
    struct pattern recoveries[TKT_CORRELATE_PATTERNS_MAX];
    size_t recovery_count;
};

struct tkt_correlates {
    struct correlate *items;
    size_t count;
    struct tkt_regex_set *regexes;
};

/* ---- compiling ------------------------------------------------------------------------ */

static int compile_pattern(struct tkt_regex_set *regexes,
                           const struct tkt_section *section,
                           const struct tkt_section_key *key, const char *text,
                           struct pattern *out, struct tkt_err *err)
{
    struct tkt_err why = TKT_ERR_INIT;

    out->in_text = strncmp(text, "text:", 5) == 0;
    text += out->in_text ? 5 : strncmp(text, "subject:", 8) == 0 ? 8 : 0;
    if (tkt_regex_compile(regexes, text, &out->regex, &why) < 0) {
        return why.class == TKT_ERR_CONF
                   ? tkt_section_fail(section, key, err, "%s: %s", key->name, why.text)
                   : tkt_err_set(err, why.class, "%s", why.text);
    }
    if (tkt_regex_groups(out->regex) > GROUPS_MAX) {
        return tkt_section_fail(section, key, err, "%s: more than %d groups", key->name,
                                GROUPS_MAX);
    }
    return 0;
}

static int compile_list(struct tkt_regex_set *regexes, const struct tkt_section *section,
                        const char *name, struct pattern out[TKT_CORRELATE_PATTERNS_MAX],
                        size_t *count, struct tkt_err *err)
{
    const struct tkt_section_key *key = tkt_section_key(section, name);

    for (size_t i = 0; key != NULL && i < key->count; i++) {
        if (*count == TKT_CORRELATE_PATTERNS_MAX) {
            return tkt_section_fail(section, key, err, "%s: more than %d patterns", name,
                                    TKT_CORRELATE_PATTERNS_MAX);
        }
        if (compile_pattern(regexes, section, key, key->values[i], &out[(*count)++],
                            err) < 0) {
            return -1;
        }
    }
    return 0;
}

static int compile_section(struct tkt_regex_set *regexes,
                           const struct tkt_section *section, struct correlate *c,
                           struct tkt_err *err)
{
    c->section = section;
    if (compile_list(regexes, section, "key", c->keys, &c->key_count, err) < 0 ||
        compile_list(regexes, section, "recovery", c->recoveries, &c->recovery_count,
                     err) < 0) {
        return -1;
    }
    return c->key_count > 0
               ? 0
               : tkt_section_fail(section, NULL, err, "correlate %s needs a key",
                                  section->title);
}

static int compile_all(const struct tkt_sections *sections, struct tkt_correlates *all,
                       struct tkt_err *err)
{
    for (size_t i = 0; i < sections->count; i++) {
        const struct tkt_section *s = &sections->items[i];
        if (strcmp(s->name, "correlate") != 0) {
            continue;
        }
        if (all->count == TKT_CORRELATE_SECTIONS_MAX) {
            return tkt_section_fail(s, NULL, err, "more than %d sections correlate",
                                    TKT_CORRELATE_SECTIONS_MAX);
        }
        if (compile_section(all->regexes, s, &all->items[all->count++], err) < 0) {
            return -1;
        }
    }
    return 0;
}

int tkt_correlates_compile(const struct tkt_sections *sections,
                           struct tkt_correlates **out, struct tkt_err *err)
{
    struct tkt_correlates *all = calloc(1, sizeof(*all));

    if (all != NULL) {
        all->items = calloc(TKT_CORRELATE_SECTIONS_MAX, sizeof(*all->items));
        all->regexes = tkt_regex_set_new();
    }
    if (all == NULL || all->items == NULL || all->regexes == NULL) {
        tkt_correlates_free(&all);
        return tkt_err_set(err, TKT_ERR_TEMP, "correlate: no memory");
    }
    tkt_regex_set_lines(all->regexes);
    if (compile_all(sections, all, err) < 0) {
        tkt_correlates_free(&all);
        return -1;
    }
    *out = all;
    return 0;
}

void tkt_correlates_free(struct tkt_correlates **correlates)
{
    struct tkt_correlates *all = *correlates;

    if (all == NULL) {
        return;
    }
    for (size_t i = 0; i < all->count; i++) {
        for (size_t k = 0; k < TKT_CORRELATE_PATTERNS_MAX; k++) {
            tkt_regex_free(&all->items[i].keys[k].regex);
            tkt_regex_free(&all->items[i].recoveries[k].regex);
        }
    }
    tkt_regex_set_free(&all->regexes);
    free(all->items);
    free(all);
    *correlates = NULL;
}

void tkt_correlates_begin(struct tkt_correlates *correlates)
{
    tkt_regex_set_budget(correlates->regexes, TKT_CORRELATE_MS);
}

/* ---- conditions ----------------------------------------------------------------------- */

static bool has_word(const struct tkt_section_key *key, const char *word)
{
    for (size_t i = 0; i < key->count; i++) {
        if (tkt_ascii_ieq(key->values[i], word)) {
            return true;
        }
    }
    return key->count == 0;
}

static bool has_glob(const struct tkt_section_key *key, const char *text)
{
    for (size_t i = 0; i < key->count; i++) {
        if (fnmatch(key->values[i], text, FNM_CASEFOLD) == 0) {
            return true;
        }
    }
    return key->count == 0;
}

/* The domain itself or one below it. */
static bool has_domain(const struct tkt_section_key *key, const char *address)
{
    const char *at = strrchr(address, '@');
    const char *domain = at == NULL ? "" : at + 1;
    size_t n = strlen(domain);

    for (size_t i = 0; i < key->count; i++) {
        size_t want = strlen(key->values[i]);
        if (want <= n && tkt_ascii_ieq(domain + n - want, key->values[i]) &&
            (want == n || domain[n - want - 1] == '.')) {
            return true;
        }
    }
    return key->count == 0;
}

static bool holds(const struct correlate *c, const struct tkt_question *q)
{
    static const struct tkt_section_key none = {.count = 0};
    const struct tkt_section *s = c->section;
    const struct tkt_section_key *desk = tkt_section_key(s, "if_desk");
    const struct tkt_section_key *sender = tkt_section_key(s, "if_sender");
    const struct tkt_section_key *domain = tkt_section_key(s, "if_domain");
    const struct tkt_section_key *class = tkt_section_key(s, "if_class");

    return has_word(desk == NULL ? &none : desk, q->desk->name) &&
           has_word(class == NULL ? &none : class, tkt_class_names[q->msg->class]) &&
           has_glob(sender == NULL ? &none : sender, q->msg->from.address) &&
           has_domain(domain == NULL ? &none : domain, q->msg->from.address);
}

/* ---- matching ------------------------------------------------------------------------- */

/* 1 it matches, 0 not, -1 a limit was hit. */
static int try_pattern(const struct pattern *p, const struct tkt_message *msg)
{
    const char *text = p->in_text ? msg->text : msg->subject;
    size_t n = tkt_utf8_cut(text, strlen(text), TKT_CORRELATE_TEXT_MAX);
    enum tkt_regex_result result = tkt_regex_search(p->regex, text, n);

    return result == TKT_REGEX_YES ? 1 : result == TKT_REGEX_NO ? 0 : -1;
}

/* What a group caught: blanks and controls are one blank; capitals go with the whole. */
static void add_caught(struct tkt_buf *out, const char *s, size_t n)
{
    bool blank = false;

    for (size_t i = 0; i < n; i++) {
        if ((unsigned char)s[i] <= ' ' || s[i] == 0x7f) {
            blank = true;
            continue;
        }
        if (blank) {
            tkt_buf_addc(out, ' ');
            blank = false;
        }
        tkt_buf_addc(out, s[i]);
    }
}

static void add_groups(const struct pattern *p, const struct tkt_message *msg,
                       struct tkt_buf *out)
{
    const char *text = p->in_text ? msg->text : msg->subject;
    uint32_t groups = tkt_regex_groups(p->regex);
    size_t from;
    size_t to;

    for (uint32_t g = groups == 0 ? 0 : 1; g <= groups; g++) {
        tkt_buf_addc(out, '|');
        if (tkt_regex_group(p->regex, g, &from, &to)) {
            add_caught(out, text + from, to - from);
        }
    }
}

/* 1 with the key in out, 0 no match, -1 a limit was hit. */
static int make_key(const struct correlate *c, const struct tkt_message *msg,
                    struct tkt_buf *out)
{
    tkt_buf_adds(out, c->section->title);
    for (size_t i = 0; i < c->key_count; i++) {
        int rc = try_pattern(&c->keys[i], msg);
        if (rc != 1) {
            return rc;
        }
        add_groups(&c->keys[i], msg, out);
    }
    return 1;
}

/* Two long keys that begin alike stay two. */
static char *keep_key(struct tkt_buf *key, struct tkt_wire_arena *arena)
{
    unsigned char hash[TKT_SHA256_LEN];
    char out[TKT_CORRELATE_KEY_MAX + 1];
    char *text = (char *)tkt_buf_str(key);

    tkt_ascii_lower(text);
    if (key->len <= TKT_CORRELATE_KEY_MAX) {
        return tkt_wire_arena_strdup(arena, text, key->len);
    }
    size_t n = tkt_utf8_cut(text, key->len, TKT_CORRELATE_KEY_MAX - HASHED_TAIL);
    tkt_sha256(text, key->len, hash);
    memcpy(out, text, n);
    out[n] = '|';
    tkt_hex_encode(hash, (HASHED_TAIL - 1) / 2, out + n + 1);
    return tkt_wire_arena_strdup(arena, out, strlen(out));
}

static int note(const struct correlate *c, struct tkt_decision *d,
                struct tkt_wire_arena *arena, const char *value, bool is_error)
{
    const struct tkt_reason r = {.source = TKT_SOURCE_RULE,
                                 .by = (char *)c->section->title,
                                 .field = (char *)"correlate",
                                 .value = (char *)value,
                                 .is_error = is_error};

    return tkt_reason_add(d, arena, &r);
}

/* 1 done, 0 another section may say more, -1 no memory. */
static int try_section(const struct correlate *c, const struct tkt_question *q,
                       struct tkt_decision *d, struct tkt_wire_arena *arena)
{
    TKT_AUTO_BUF struct tkt_buf key =
        TKT_BUF_INIT(TKT_CORRELATE_PATTERNS_MAX * GROUPS_MAX * TKT_CORRELATE_TEXT_MAX);
    int rc = holds(c, q) ? make_key(c, q->msg, &key) : 0;

    if (rc <= 0) {
        return rc == 0 ? 0 : note(c, d, arena, "a pattern hit its limit", true);
    }
    for (size_t i = 0; i < c->recovery_count && !d->recovers; i++) {
        rc = try_pattern(&c->recoveries[i], q->msg);
        if (rc < 0 && note(c, d, arena, "recovery: a pattern hit its limit", true) < 0) {
            return -1;
        }
        d->recovers = rc == 1;
    }
    d->correlate = keep_key(&key, arena);
    d->correlate_by =
        tkt_wire_arena_strdup(arena, c->section->title, strlen(c->section->title));
    if (key.failed || d->correlate == NULL || d->correlate_by == NULL ||
        note(c, d, arena, d->correlate, false) < 0) {
        return -1;
    }
    return 1;
}

/* ---- the same again ------------------------------------------------------------------- */

/* A time of day or a date: 12:30, 12:30:01Z, 2026-03-01, 1.3.2026, 3/1/26. Four numbers
 * between dots are an address. */
static bool is_moment(const char *s, size_t n)
{
    unsigned numbers = 0;
    bool colon = false;
    bool in_number = false;

    for (size_t i = 0; i < n; i++) {
        bool digit = s[i] >= '0' && s[i] <= '9';
        if (!digit && strchr(":.-/,+TZ()[]", s[i]) == NULL) {
            return false;
        }
        colon = colon || s[i] == ':';
        numbers += digit && !in_number ? 1 : 0;
        in_number = digit;
    }
    return colon ? numbers >= 2 : numbers == 3;
}

/* Words without moments, each with a blank behind it. */
static void hash_words(struct tkt_sha256 *h, const char *text)
{
    text = text == NULL ? "" : text;
    const char *end = text + tkt_utf8_cut(text, strlen(text), TKT_CORRELATE_TEXT_MAX);

    while (text < end) {
        const char *word = text;
        while (text < end && (unsigned char)*text > ' ') {
            text++;
        }
        if (text > word && !is_moment(word, (size_t)(text - word))) {
            tkt_sha256_add(h, word, (size_t)(text - word));
            tkt_sha256_add(h, " ", 1);
        }
        text += text < end ? 1 : 0;
    }
    tkt_sha256_add(h, "\n", 1);
}

/* Programs that say the same again and again, without anybody having told of them. */
static int same_again(const struct tkt_question *q, struct tkt_decision *d,
                      struct tkt_wire_arena *arena)
{
    unsigned char hash[TKT_SHA256_LEN];
    char key[] = "same|0123456789abcdef0123456789abcdef";
    char from[256];
    struct tkt_sha256 h;

    if (q->msg->class == TKT_CLASS_HUMAN || q->msg->class == TKT_CLASS_LIST) {
        return 0;
    }
    (void)snprintf(
        from, sizeof(from), "%s",
        q->msg->from.address == NULL ? "" : q->msg->from.address); /* cut is enough */
    tkt_ascii_lower(from);
    tkt_sha256_init(&h);
    hash_words(&h, from);
    hash_words(&h, q->msg->subject);
    hash_words(&h, q->msg->text);
    tkt_sha256_final(&h, hash);
    tkt_hex_encode(hash, 16, key + 5);
    d->correlate = tkt_wire_arena_strdup(arena, key, strlen(key));
    return d->correlate == NULL ? -1 : 0;
}

int tkt_correlate_step(const struct tkt_question *q, struct tkt_decision *d,
                       struct tkt_wire_arena *arena)
{
    const struct tkt_correlates *all = q->by == NULL ? NULL : q->by->correlates;

    for (size_t i = 0; all != NULL && i < all->count; i++) {
        int rc = try_section(&all->items[i], q, d, arena);
        if (rc != 0) {
            return rc < 0 ? -1 : 0;
        }
    }
    return same_again(q, d, arena);
}
