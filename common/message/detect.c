/* SPDX-License-Identifier: BSD-2-Clause */
#include "message/detect.h"

#include "base/util.h"

#include <stdint.h>
#include <string.h>

size_t tkt_ascii_run(const void *data, size_t n)
{
    const char *p = data;
    size_t i = 0;
    uint64_t eight;

    for (; i + sizeof(eight) <= n; i += sizeof(eight)) {
        memcpy(&eight, p + i, sizeof(eight));
        if ((eight & UINT64_C(0x8080808080808080)) != 0) {
            break;
        }
    }
    while (i < n && (unsigned char)p[i] < 0x80) {
        i++;
    }
    return i;
}

static size_t utf8_length(unsigned char lead)
{
    if (lead < 0xc2 || lead > 0xf4) {
        return 0;
    }
    return lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

static bool is_trail(unsigned char c)
{
    return (c & 0xc0) == 0x80;
}

/* Latin, Greek, Cyrillic, Hebrew, Arabic. */
static bool is_likely_pair(unsigned char lead)
{
    return lead <= 0xc5 || lead == 0xce || lead == 0xcf ||
           (lead >= 0xd0 && lead <= 0xd3) || (lead >= 0xd7 && lead <= 0xd9);
}

/* Length of the character at p: 0 when there is none. *cut: the data ends inside it. */
static size_t utf8_character(const unsigned char *p, size_t n, bool *cut)
{
    size_t len = utf8_length(p[0]);
    size_t have = 1;

    while (len > 0 && have < TKT_MIN(len, n) && is_trail(p[have])) {
        have++;
    }
    *cut = len > 0 && have == n && have < len;
    if (len == 0 || have < len) {
        return 0;
    }
    bool overlong = (p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xf0 && p[1] < 0x90);
    bool beyond = (p[0] == 0xed && p[1] > 0x9f) || (p[0] == 0xf4 && p[1] > 0x8f);
    return overlong || beyond ? 0 : len;
}

struct tkt_utf8_count tkt_utf8_count(const void *data, size_t n)
{
    const unsigned char *p = data;
    struct tkt_utf8_count c = {0};

    for (size_t i = 0; i < n;) {
        bool cut = false;
        i += tkt_ascii_run(p + i, n - i);
        if (i == n) {
            break;
        }
        size_t len = utf8_character(p + i, n - i, &cut);
        c.two += len == 2 ? 1 : 0;
        c.more += len > 2 ? 1 : 0;
        c.unlikely += len == 2 && !is_likely_pair(p[i]) ? 1 : 0;
        c.bad += len == 0 && !cut ? 1 : 0;
        size_t step = cut ? n - i : TKT_MAX(len, 1);
        c.high += step;
        i += step;
    }
    return c;
}

/* ---- escape sequences ---- */

static const char *detect_escapes(const unsigned char *p, size_t n)
{
    const unsigned char *end = p + n;

    for (const unsigned char *e = memchr(p, 0x1b, n); e != NULL && end - e > 3;
         e = memchr(e + 1, 0x1b, (size_t)(end - e - 1))) {
        if (e[1] != '$') {
            continue;
        }
        if (e[2] == ')' && e[3] == 'C') {
            return "iso-2022-kr";
        }
        if (e[2] == 'B' || e[2] == '@' || e[2] == '(') {
            return "iso-2022-jp";
        }
    }
    return NULL;
}

/* ---- pairs of bytes ---- */

struct pairs {
    size_t count;
    size_t bad;    /* bytes that fit no pair */
    size_t common; /* pairs that are frequent in the language */
    size_t sure;   /* pairs that hardly any other charset has */
    size_t singles;
};

static bool in(unsigned char c, unsigned char low, unsigned char high)
{
    return c >= low && c <= high;
}

/* EUC: both bytes are 0xa1 to 0xfe. */
static struct pairs euc_pairs(const unsigned char *p, size_t n, unsigned char low,
                              unsigned char high)
{
    struct pairs r = {0};

    for (size_t i = 0; i < n; i++) {
        if (p[i] < 0x80) {
            continue;
        }
        if (i + 1 < n && in(p[i], 0xa1, 0xfe) && in(p[i + 1], 0xa1, 0xfe)) {
            r.count++;
            r.common += in(p[i], low, high) || in(p[i], 0xa1, 0xa3) ? 1 : 0;
            r.sure += in(p[i], 0xa4, 0xa5) ? 1 : 0; /* Japanese syllables */
            i++;
        } else if (i + 1 < n) {
            r.bad++;
        }
    }
    return r;
}

static struct pairs sjis_pairs(const unsigned char *p, size_t n)
{
    struct pairs r = {0};

    for (size_t i = 0; i < n; i++) {
        if (p[i] < 0x80) {
            continue;
        }
        bool lead = in(p[i], 0x81, 0x9f) || in(p[i], 0xe0, 0xfc);
        if (lead && i + 1 < n && in(p[i + 1], 0x40, 0xfc) && p[i + 1] != 0x7f) {
            r.count++;
            r.sure += (p[i] == 0x82 && in(p[i + 1], 0x9f, 0xf1)) ||
                              (p[i] == 0x83 && in(p[i + 1], 0x40, 0x96))
                          ? 1
                          : 0;
            i++;
        } else if (in(p[i], 0xa1, 0xdf)) {
            r.singles++; /* half-width syllables */
        } else if (i + 1 < n) {
            r.bad++;
        }
    }
    return r;
}

static struct pairs big5_pairs(const unsigned char *p, size_t n)
{
    struct pairs r = {0};

    for (size_t i = 0; i < n; i++) {
        if (p[i] < 0x80) {
            continue;
        }
        bool trail = i + 1 < n && (in(p[i + 1], 0x40, 0x7e) || in(p[i + 1], 0xa1, 0xfe));
        if (trail && in(p[i], 0xa1, 0xf9)) {
            r.count++;
            r.common += in(p[i], 0xa1, 0xc6) ? 1 : 0;
            r.sure += p[i + 1] < 0x80 ? 1 : 0;
            i++;
        } else if (i + 1 < n) {
            r.bad++;
        }
    }
    return r;
}

static bool is_most(size_t part, size_t whole, unsigned percent)
{
    return whole > 0 && part * 100 >= whole * percent;
}

static const char *detect_pairs(const unsigned char *p, size_t n)
{
    struct pairs sjis = sjis_pairs(p, n);
    struct pairs hangul = euc_pairs(p, n, 0xb0, 0xc8);
    struct pairs hanzi = euc_pairs(p, n, 0xb0, 0xd7);
    struct pairs big5 = big5_pairs(p, n);

    if (sjis.bad == 0 && sjis.singles <= sjis.count / 4 &&
        is_most(sjis.sure, sjis.count, 25)) {
        return "shift_jis";
    }
    if (hangul.bad == 0 && is_most(hangul.sure, hangul.count, 20)) {
        return "euc-jp";
    }
    if (hangul.bad == 0 && is_most(hangul.common, hangul.count, 97)) {
        return "euc-kr";
    }
    if (big5.bad == 0 && big5.sure > 0 && is_most(big5.common, big5.count, 80)) {
        return "big5";
    }
    return hanzi.bad == 0 && is_most(hanzi.common, hanzi.count, 60) ? "gb18030" : NULL;
}

/* ---- Cyrillic ---- */

/* How often the letters from a to ya stand in 100 of a Russian text, times two. */
static const unsigned char often[32] = {16, 3, 9,  3,  6, 17, 2,  3,  15, 2, 7,
                                        9,  6, 13, 22, 6, 9,  11, 13, 5,  1, 2,
                                        1,  3, 1,  1,  1, 4,  3,  1,  1,  4};
/* The letters in KOI8-R's order, as numbers in the alphabet. */
static const unsigned char koi8[32] = {30, 0,  1,  22, 4,  5,  20, 3,  21, 8,  9,
                                       10, 11, 12, 13, 14, 15, 31, 16, 17, 18, 19,
                                       6,  2,  28, 27, 7,  24, 29, 25, 23, 26};

static long cyrillic_score(const unsigned char *p, size_t n, bool is_koi8)
{
    long score = 0;
    bool was_small = false;

    for (size_t i = 0; i < n; i++) {
        bool letter = p[i] >= 0xc0;
        /* windows-1251 has the capitals first, KOI8-R the small letters. */
        bool small = letter && (p[i] >= 0xe0) != is_koi8;
        if (letter) {
            unsigned at = p[i] & 0x1fU;
            score += often[is_koi8 ? koi8[at] : at];
            score -= was_small && !small ? 40 : 0;
        }
        was_small = small;
    }
    return score;
}

/* KOI8-R has io at 0xa3 and 0xb3, windows-1251 at 0xa8 and 0xb8. */
static bool is_cyrillic_letter(unsigned char c)
{
    return c >= 0xc0 || c == 0xa3 || c == 0xb3 || c == 0xa8 || c == 0xb8;
}

static bool is_ascii_letter(unsigned char c)
{
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

/* Whole words above 0x80, where Latin text has single letters among others. */
static bool is_cyrillic(const unsigned char *p, size_t n)
{
    size_t high = 0;
    size_t letters = 0;
    size_t words = 0;
    size_t mixed = 0;

    for (size_t i = 0; i < n; i++) {
        bool letter = is_cyrillic_letter(p[i]);
        bool begins = letter && (i == 0 || !is_cyrillic_letter(p[i - 1]));
        bool ends = letter && (i + 1 == n || !is_cyrillic_letter(p[i + 1]));
        high += p[i] >= 0x80 ? 1 : 0;
        letters += letter ? 1 : 0;
        words += begins ? 1 : 0;
        mixed += begins && i > 0 && is_ascii_letter(p[i - 1]) ? 1 : 0;
        mixed += ends && i + 1 < n && is_ascii_letter(p[i + 1]) ? 1 : 0;
    }
    return is_most(letters, high, 90) && letters * 2 >= words * 5 && mixed * 4 <= words;
}

static size_t count_runs(const unsigned char *p, size_t n)
{
    size_t runs = 0;

    for (size_t i = 0; i < n; i++) {
        runs += p[i] >= 0x80 && (i == 0 || p[i - 1] < 0x80) ? 1 : 0;
    }
    return runs;
}

const char *tkt_charset_detect(const void *data, size_t n)
{
    const unsigned char *p = data;

    n = TKT_MIN(n, TKT_DETECT_MAX);
    const char *escapes = detect_escapes(p, n);
    if (escapes != NULL) {
        return escapes;
    }
    struct tkt_utf8_count c = tkt_utf8_count(p, n);
    if (c.bad == 0 || c.two + c.more > c.bad) {
        return "utf-8";
    }
    if (is_cyrillic(p, n)) {
        return cyrillic_score(p, n, true) > cyrillic_score(p, n, false) ? "koi8-r"
                                                                        : "windows-1251";
    }
    /* Accents stand alone, characters of two bytes do not. */
    size_t runs = count_runs(p, n);
    const char *pairs = c.high >= runs * 3 / 2 ? detect_pairs(p, n) : NULL;
    return pairs != NULL ? pairs : "windows-1252";
}
