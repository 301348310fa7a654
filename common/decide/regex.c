/* SPDX-License-Identifier: BSD-2-Clause */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "decide/regex.h"

#include "base/clock.h"

#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

/* Pieces of a text between looks at the clock: starting places, for expressions whose cost
 * from one place can be large. */
#define PIECE 128

struct tkt_regex_set {
    pcre2_match_context *match;
    pcre2_compile_context *compile;
    pcre2_jit_stack *stack;
    pcre2_match_data *data;
    int64_t left_us; /* of the budget */
    bool lines;
};

struct tkt_regex {
    struct tkt_regex_set *set;
    pcre2_code *code;
    uint32_t groups;
    bool may_be_slow;
    bool fast;
};

struct tkt_regex_set *tkt_regex_set_new(void)
{
    struct tkt_regex_set *set = calloc(1, sizeof(*set));

    if (set == NULL) {
        return NULL;
    }
    set->match = pcre2_match_context_create(NULL);
    set->compile = pcre2_compile_context_create(NULL);
    set->stack = pcre2_jit_stack_create(32 * 1024, TKT_REGEX_STACK_MAX, NULL);
    set->data = pcre2_match_data_create(TKT_REGEX_GROUPS_MAX, NULL);
    set->left_us = INT64_MAX;
    if (set->match == NULL || set->compile == NULL || set->data == NULL) {
        tkt_regex_set_free(&set);
        return NULL;
    }
    /* All of these take any value. */
    (void)pcre2_set_match_limit(set->match, TKT_REGEX_MATCH_MAX);
    (void)pcre2_set_heap_limit(set->match, TKT_REGEX_HEAP_KIB);
    (void)pcre2_set_depth_limit(set->match, TKT_REGEX_MATCH_MAX);
    (void)pcre2_set_parens_nest_limit(set->compile, 100);
    if (set->stack != NULL) {
        pcre2_jit_stack_assign(set->match, NULL, set->stack);
    }
    return set;
}

void tkt_regex_set_free(struct tkt_regex_set **set)
{
    struct tkt_regex_set *s = *set;

    if (s == NULL) {
        return;
    }
    pcre2_match_data_free(s->data);
    pcre2_jit_stack_free(s->stack);
    pcre2_compile_context_free(s->compile);
    pcre2_match_context_free(s->match);
    free(s);
    *set = NULL;
}

void tkt_regex_set_lines(struct tkt_regex_set *set)
{
    set->lines = true;
}

void tkt_regex_set_budget(struct tkt_regex_set *set, int64_t ms)
{
    set->left_us = ms * 1000;
}

/* Whatever repeats, or calls itself, can look at all of the text from each place of it.
 * Braces and question marks that repeat nothing count as well, which costs nothing but
 * looks at the clock. */
static bool may_be_slow(const char *pattern)
{
    for (const char *p = pattern; *p != '\0'; p++) {
        if (strchr("*+{?", *p) != NULL || (p[0] == '\\' && p[1] == 'g')) {
            return true;
        }
        p += *p == '\\' && p[1] != '\0';
    }
    return false;
}

static int fail(const char *pattern, int code, size_t at, struct tkt_err *err)
{
    PCRE2_UCHAR text[200];

    if (pcre2_get_error_message(code, text, sizeof(text)) < 0) {
        text[0] = '\0';
    }
    return tkt_err_set(err, TKT_ERR_CONF, "%s at byte %zu of \"%.100s\"",
                       (const char *)text, at, pattern);
}

int tkt_regex_compile(struct tkt_regex_set *set, const char *pattern,
                      struct tkt_regex **out, struct tkt_err *err)
{
    int code = 0;
    PCRE2_SIZE at = 0;
    struct tkt_regex *r = calloc(1, sizeof(*r));

    if (r == NULL) {
        return tkt_err_set(err, TKT_ERR_TEMP, "regex: no memory");
    }
    r->set = set;
    r->may_be_slow = may_be_slow(pattern);
    r->code =
        pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED,
                      PCRE2_CASELESS | PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C |
                          (set->lines ? PCRE2_MULTILINE : 0) |
                          (r->may_be_slow ? PCRE2_USE_OFFSET_LIMIT : 0),
                      &code, &at, set->compile);
    if (r->code == NULL) {
        free(r);
        return fail(pattern, code, at, err);
    }
    (void)pcre2_pattern_info(r->code, PCRE2_INFO_CAPTURECOUNT, &r->groups);
    if (r->groups >= TKT_REGEX_GROUPS_MAX) {
        tkt_regex_free(&r);
        return tkt_err_set(err, TKT_ERR_CONF, "more than %d groups; use (?:...)",
                           TKT_REGEX_GROUPS_MAX - 1);
    }
    r->fast = set->stack != NULL && pcre2_jit_compile(r->code, PCRE2_JIT_COMPLETE) == 0;
    *out = r;
    return 0;
}

void tkt_regex_free(struct tkt_regex **regex)
{
    if (*regex != NULL) {
        pcre2_code_free((*regex)->code);
        free(*regex);
        *regex = NULL;
    }
}

static enum tkt_regex_result result_of(int rc)
{
    if (rc == PCRE2_ERROR_NOMATCH) {
        return TKT_REGEX_NO;
    }
    return rc >= 0 ? TKT_REGEX_YES : TKT_REGEX_LIMIT;
}

static int match(const struct tkt_regex *r, const char *s, size_t n, size_t from)
{
    return pcre2_match(r->code, (PCRE2_SPTR)s, n, from, PCRE2_NO_UTF_CHECK, r->set->data,
                       r->set->match);
}

static size_t char_start(const char *s, size_t n, size_t at)
{
    while (at < n && ((unsigned char)s[at] & 0xc0) == 0x80) {
        at++;
    }
    return at;
}

static enum tkt_regex_result search_in_pieces(const struct tkt_regex *r, const char *s,
                                              size_t n)
{
    enum tkt_regex_result result = TKT_REGEX_NO;
    int64_t start_us = tkt_clock_mono_us();
    int64_t used_us = 0;

    for (size_t from = 0; result == TKT_REGEX_NO && from <= n;) {
        size_t next = char_start(s, n, from + PIECE);
        bool last = next >= n;
        (void)pcre2_set_offset_limit(r->set->match, last ? PCRE2_UNSET : next - 1);
        result = result_of(match(r, s, n, from));
        used_us = tkt_clock_mono_us() - start_us;
        if (last) {
            break;
        }
        if (result == TKT_REGEX_NO && used_us > r->set->left_us) {
            result = TKT_REGEX_TIMEOUT;
        }
        from = next;
    }
    (void)pcre2_set_offset_limit(r->set->match, PCRE2_UNSET); /* takes any value */
    r->set->left_us -= used_us;
    return result;
}

enum tkt_regex_result tkt_regex_search(const struct tkt_regex *r, const char *s, size_t n)
{
    if (r->set->left_us <= 0) {
        return TKT_REGEX_TIMEOUT;
    }
    return r->may_be_slow ? search_in_pieces(r, s, n) : result_of(match(r, s, n, 0));
}

uint32_t tkt_regex_groups(const struct tkt_regex *regex)
{
    return regex->groups;
}

const char *tkt_regex_group_name(const struct tkt_regex *regex, uint32_t group)
{
    uint32_t count = 0;
    uint32_t size = 0;
    PCRE2_SPTR table = NULL;

    (void)pcre2_pattern_info(regex->code, PCRE2_INFO_NAMECOUNT, &count);
    (void)pcre2_pattern_info(regex->code, PCRE2_INFO_NAMEENTRYSIZE, &size);
    (void)pcre2_pattern_info(regex->code, PCRE2_INFO_NAMETABLE, (void *)&table);
    for (uint32_t i = 0; i < count; i++) {
        PCRE2_SPTR entry = table + (size_t)i * size;
        if (((uint32_t)entry[0] << 8 | entry[1]) == group) {
            return (const char *)entry + 2;
        }
    }
    return "";
}

bool tkt_regex_group(const struct tkt_regex *regex, uint32_t group, size_t *from,
                     size_t *to)
{
    PCRE2_SIZE *places = pcre2_get_ovector_pointer(regex->set->data);

    if (group > regex->groups || places[2 * group] == PCRE2_UNSET ||
        places[2 * group] > places[2 * group + 1]) {
        return false;
    }
    *from = places[2 * group];
    *to = places[2 * group + 1];
    return true;
}

bool tkt_regex_is_fast(const struct tkt_regex *regex)
{
    return regex->fast;
}
