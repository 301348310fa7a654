/* SPDX-License-Identifier: BSD-2-Clause */
#include "message/phrase.h"

#include <stdint.h>
#include <string.h>

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Bytes of text that needle takes, a blank in it standing for any run of them; or 0. */
static size_t match(const char *text, size_t n, const char *needle)
{
    size_t at = 0;

    for (; *needle != '\0'; needle++) {
        if (*needle == ' ') {
            size_t from = at;
            while (at < n && is_blank(text[at])) {
                at++;
            }
            if (at == from) {
                return 0;
            }
        } else if (at == n || lower(text[at]) != lower(*needle)) {
            return 0;
        } else {
            at++;
        }
    }
    return at;
}

const char *tkt_phrase_find(const char *text, size_t n, const char *needle)
{
    char first = lower(needle[0]);

    for (size_t i = 0; i < n; i++) {
        if (lower(text[i]) == first && match(text + i, n - i, needle) > 0) {
            return text + i;
        }
    }
    return NULL;
}

/* Behind "[EXTERNAL] " and the like, of which a border puts a few in front. */
static const char *skip_tags(const char *s)
{
    for (unsigned i = 0; i < 4 && *s == '['; i++) {
        const char *close = strchr(s, ']');
        if (close == NULL) {
            break;
        }
        s = close + 1;
        s += strspn(s, " \t");
    }
    return s;
}

/* Nothing more, or a colon, perhaps behind blanks (French writes them; no-break ones,
 * too) or the full-width one. */
static bool ends_phrase(const char *s)
{
    for (;;) {
        if (*s == ' ') {
            s++;
        } else if (strncmp(s, "\xc2\xa0", 2) == 0) {
            s += 2;
        } else if (strncmp(s, "\xe2\x80\xaf", 3) == 0) {
            s += 3;
        } else {
            break;
        }
    }
    return *s == '\0' || *s == ':' || strncmp(s, "\xef\xbc\x9a", 3) == 0;
}

static bool begins(enum tkt_phrase kind, const char *subject)
{
    for (const char *const *p = tkt_phrase_tables[kind]; *p != NULL; p++) {
        size_t n = match(subject, strlen(subject), *p);
        bool whole = kind == TKT_PHRASE_AUTO_REPLY || kind == TKT_PHRASE_AUTO_NOUN;
        if (n > 0 && (!whole || ends_phrase(subject + n))) {
            return true;
        }
    }
    return false;
}

bool tkt_phrase_in_subject(enum tkt_phrase kind, const char *subject)
{
    if (kind == TKT_PHRASE_DELAY) {
        return tkt_phrase_in_text(kind, subject, strlen(subject));
    }
    return begins(kind, subject) || begins(kind, skip_tags(subject));
}

/* Which pairs of letters the phrases of a table begin with: nearly every place of a text is
 * none of them, and one look tells. */
#define PAIRS 4096
struct pairs {
    uint64_t bits[PAIRS / 64];
};

static unsigned pair_at(const char *s)
{
    unsigned char a = (unsigned char)lower(s[0]);
    unsigned char b = (unsigned char)(is_blank(s[1]) ? ' ' : lower(s[1]));

    return (a * 61u + b) % PAIRS;
}

static void add_pair(struct pairs *p, unsigned pair)
{
    p->bits[pair / 64] |= UINT64_C(1) << pair % 64;
}

static bool has_pair(const struct pairs *p, unsigned pair)
{
    return (p->bits[pair / 64] >> pair % 64 & 1) != 0;
}

static bool one_matches(enum tkt_phrase kind, const char *text, size_t n)
{
    for (const char *const *p = tkt_phrase_tables[kind]; *p != NULL; p++) {
        if (match(text, n, *p) > 0) {
            return true;
        }
    }
    return false;
}

bool tkt_phrase_in_text(enum tkt_phrase kind, const char *text, size_t n)
{
    struct pairs pairs = {{0}};

    for (const char *const *p = tkt_phrase_tables[kind]; *p != NULL; p++) {
        add_pair(&pairs, pair_at(*p)); /* every phrase has two letters and more */
    }
    for (size_t i = 0; i + 1 < n; i++) {
        if (has_pair(&pairs, pair_at(text + i)) && one_matches(kind, text + i, n - i)) {
            return true;
        }
    }
    return false;
}
