/* SPDX-License-Identifier: BSD-2-Clause */
#include "message/words.h"

#include <string.h>

#define PLANES 14 /* binary digits of a counter: more words than a text can have */
#define LETTERS_MIN 3

struct scan {
    const unsigned char *at;
    const unsigned char *end;
    bool in_wide; /* the character before was of a script without blanks */
    uint32_t wide;
};

/* One character and how long it is; bytes that are no UTF-8 stand for themselves. */
static uint32_t decode(const unsigned char *p, const unsigned char *end, size_t *len)
{
    size_t left = (size_t)(end - p);
    size_t n = p[0] < 0xc2 ? 1 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : p[0] < 0xf5 ? 4 : 1;
    uint32_t c = p[0];

    *len = 1;
    if (n == 1 || n > left) {
        return c;
    }
    c = p[0] & (0x7fU >> n);
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            return p[0];
        }
        c = c << 6 | (p[i] & 0x3fU);
    }
    *len = n;
    return c;
}

static uint32_t fold(uint32_t c)
{
    bool upper = (c >= 'A' && c <= 'Z') || (c >= 0xc0 && c <= 0xde && c != 0xd7) ||
                 (c >= 0x391 && c <= 0x3a9) || (c >= 0x410 && c <= 0x42f);

    return upper ? c + 0x20 : c >= 0x400 && c <= 0x40f ? c + 0x50 : c;
}

static bool is_wide(uint32_t c)
{
    return (c >= 0x3041 && c <= 0x30ff) || (c >= 0x3400 && c <= 0x9fff) ||
           (c >= 0xac00 && c <= 0xd7a3) || (c >= 0x20000 && c <= 0x3ffff);
}

static bool is_digit(uint32_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(uint32_t c)
{
    bool ascii = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    /* From Latin-1's letters on, without general punctuation, arrows and symbols. */
    return ascii || (c >= 0xc0 && c < 0x2000 && c != 0xd7 && c != 0xf7) ||
           (c >= 0x2c00 && c < 0x2e00) || is_wide(c) || (c >= 0xa000 && c < 0xac00);
}

static uint64_t mix(uint64_t h)
{
    h ^= h >> 33;
    h *= UINT64_C(0xff51afd7ed558ccd);
    h ^= h >> 33;
    h *= UINT64_C(0xc4ceb9fe1a85ec53);
    return h ^ h >> 33;
}

/* Past "[IT-12]" and its like: a tag says which ticket, not what about. */
static const unsigned char *skip_tag(const unsigned char *p, const unsigned char *end)
{
    bool digit = false;

    for (const unsigned char *q = p + 1; q < end && q - p < 40; q++) {
        digit = digit || is_digit(*q);
        if (*q == ']') {
            return digit ? q + 1 : p + 1;
        }
    }
    return p + 1;
}

/* Two characters of a script without blanks, of which c is the second. */
static uint64_t wide_word(struct scan *s, uint32_t c)
{
    uint64_t word = s->in_wide ? mix((uint64_t)s->wide << 32 | c) : 0;

    s->in_wide = true;
    s->wide = c;
    return word;
}

static inline bool is_ascii_letter(unsigned char c)
{
    return (unsigned char)((c | 0x20) - 'a') < 26;
}

/* ASCII that only stands between words. */
static inline bool is_separator(unsigned char c)
{
    return c < 0x80 && c != '[' && !is_ascii_letter(c) && (unsigned char)(c - '0') >= 10;
}

/* The next word's number, 0 at the end. */
static uint64_t next_word(struct scan *s)
{
    while (s->at < s->end) {
        if (is_separator(*s->at)) {
            s->in_wide = false;
            s->at++;
            continue;
        }
        uint64_t h = UINT64_C(1469598103934665603);
        size_t letters = 0;
        size_t len = 0;
        uint32_t c = decode(s->at, s->end, &len);

        if (c >= 0x80 && is_wide(c)) {
            s->at += len;
            uint64_t word = wide_word(s, c);
            if (word != 0) {
                return word;
            }
            continue;
        }
        s->in_wide = false;
        if (*s->at == '[') {
            s->at = skip_tag(s->at, s->end);
            continue;
        }
        while (s->at < s->end) {
            const unsigned char *from = s->at;
            const unsigned char *at = from;
            for (; at < s->end && is_ascii_letter(*at); at++) {
                h = (h ^ (*at | 0x20U)) * UINT64_C(1099511628211);
            }
            letters += (size_t)(at - from);
            s->at = at;
            if (at == s->end) {
                break;
            }
            if (is_separator(*at)) {
                c = *at;
                len = 1;
                break;
            }
            c = fold(decode(s->at, s->end, &len));
            if (is_wide(c) || !(is_letter(c) || is_digit(c))) {
                break;
            }
            letters += is_digit(c) ? 0 : 1;
            h = (h ^ c) * UINT64_C(1099511628211);
            s->at += len;
        }
        if (letters >= LETTERS_MIN) {
            return mix(h) | 1;
        }
        if (letters == 0 && s->at < s->end && !is_wide(c)) {
            s->at += len; /* what stands between words */
        }
    }
    return 0;
}

static struct scan scan_of(const char *text, size_t max)
{
    const unsigned char *p = (const unsigned char *)text;

    return (struct scan){.at = p, .end = p + strnlen(text, max)};
}

struct words {
    uint64_t items[TKT_WORDS_MAX];
    size_t count;
};

static bool has(const struct words *w, uint64_t word)
{
    for (size_t i = 0; i < w->count; i++) {
        if (w->items[i] == word) {
            return true;
        }
    }
    return false;
}

static void collect(const char *text, struct words *w)
{
    struct scan s = scan_of(text, TKT_PRINT_TEXT_MAX);
    uint64_t word;

    w->count = 0;
    while (w->count < TKT_WORDS_MAX && (word = next_word(&s)) != 0) {
        if (!has(w, word)) {
            w->items[w->count++] = word;
        }
    }
}

bool tkt_words_disjoint(const char *a, const char *b)
{
    struct words left;
    struct words right;

    collect(a, &left);
    collect(b, &right);
    for (size_t i = 0; i < left.count; i++) {
        if (has(&right, left.items[i])) {
            return false;
        }
    }
    return left.count > 0 && right.count > 0;
}

/* 64 counters side by side: plane i holds digit i of each. */
struct counters {
    uint64_t planes[PLANES];
    unsigned total;
};

static void count_word(struct counters *n, uint64_t word)
{
    for (size_t i = 0; i < PLANES && word != 0; i++) {
        uint64_t carry = n->planes[i] & word;
        n->planes[i] ^= word;
        word = carry;
    }
    n->total++;
}

static unsigned count_text(struct counters *n, const char *text, unsigned weight)
{
    struct scan s = scan_of(text, TKT_PRINT_TEXT_MAX);
    unsigned words = 0;
    uint64_t word;

    while ((word = next_word(&s)) != 0) {
        for (unsigned i = 0; i < weight; i++) {
            count_word(n, word);
        }
        words++;
    }
    return words;
}

uint64_t tkt_print_make(const char *subject, const char *text)
{
    struct counters n = {{0}, 0};
    uint64_t print = 0;
    unsigned words = count_text(&n, subject, 2);

    words += count_text(&n, text, 1);
    if (words < TKT_PRINT_WORDS_MIN) {
        return 0;
    }
    for (unsigned bit = 0; bit < 64; bit++) {
        unsigned ones = 0;
        for (unsigned i = 0; i < PLANES; i++) {
            ones |= (unsigned)(n.planes[i] >> bit & 1) << i;
        }
        print |= (uint64_t)(2 * ones > n.total) << bit;
    }
    return print == 0 ? 1 : print;
}

unsigned tkt_print_distance(uint64_t a, uint64_t b)
{
    return (unsigned)__builtin_popcountll(a ^ b);
}
