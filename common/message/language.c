/* SPDX-License-Identifier: BSD-2-Clause */
#include "message/language.h"

#include "base/util.h"
#include "message/language_words.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define WORD_MAX 64         /* bytes of a word; longer ones are none */
#define SLOTS 8192          /* of the word table, a power of two; about half are taken */
#define ENDING_MIN 2        /* bytes of a word in front of an ending */
#define WORDS_MAX 400       /* of a text: more do not change the answer */
#define SCORE_MIN 12        /* less is no evidence */
#define PER_WORD_TENTHS 15  /* ... nor is less than that for each word */
#define TWIN_BYTES_MAX 1024 /* of a text: enough to tell Danish from Norwegian */
#define LEAN_MAX 12         /* what their spelling adds */
#define LEAD_PERCENT 105    /* of the second */

#define BIT(language) (UINT32_C(1) << (language))

/* ---- the word table ---- */

struct slot {
    uint32_t hash; /* 0 = free */
    uint32_t languages;
};
static struct slot table[SLOTS];
/* Which bytes endings end with, by how long they are: most words end otherwise. */
static uint32_t ending_lengths[256];

/* Endings are hashed with their '-'. */
static uint32_t hash_of(const char *p, size_t n, bool ending)
{
    uint32_t h = UINT32_C(0x811c9dc5) ^ (ending ? '-' : 0);

    for (size_t i = 0; i < n; i++) {
        h = (h ^ (unsigned char)p[i]) * UINT32_C(0x01000193);
    }
    h ^= h >> 15;
    return h == 0 ? 1 : h;
}

static struct slot *slot_of(uint32_t hash)
{
    uint32_t at = hash & (SLOTS - 1);

    while (table[at].hash != 0 && table[at].hash != hash) {
        at = (at + 1) & (SLOTS - 1);
    }
    return &table[at];
}

static void fill_table(void)
{
    static bool done;

    for (unsigned l = 0; l < LANGUAGES && !done; l++) {
        const char *p = words[l] == NULL ? "" : words[l];
        while (*p != '\0') {
            size_t n = strcspn(p, " ");
            bool ending = n > 1 && *p == '-';
            uint32_t hash = hash_of(p + (ending ? 1 : 0), n - (ending ? 1 : 0), ending);
            struct slot *s = slot_of(hash);
            s->hash = hash;
            s->languages |= BIT(l);
            if (ending) {
                ending_lengths[(unsigned char)p[n - 1]] |= BIT(TKT_MIN(n - 1, 31));
            }
            p += n + strspn(p + n, " ");
        }
    }
    done = true;
}

static uint32_t languages_of(const char *p, size_t n, bool ending)
{
    return slot_of(hash_of(p, n, ending))->languages;
}

/* ---- characters ---- */

enum script {
    NONE,
    LATIN,
    CYRILLIC,
    GREEK,
    HEBREW,
    ARABIC,
    KANA,
    HAN,
    HANGUL,
    SCRIPTS
};

static enum script script_of(uint32_t c)
{
    static const struct {
        uint32_t first;
        uint32_t last;
        enum script script;
    } ranges[] = {
        {'A', 'Z', LATIN},        {'a', 'z', LATIN},        {0xc0, 0x24f, LATIN},
        {0x370, 0x3ff, GREEK},    {0x400, 0x52f, CYRILLIC}, {0x5d0, 0x5ea, HEBREW},
        {0x620, 0x6d3, ARABIC},   {0x1100, 0x11ff, HANGUL}, {0x1e00, 0x1eff, LATIN},
        {0x1f00, 0x1fff, GREEK},  {0x3041, 0x30ff, KANA},   {0x3400, 0x9fff, HAN},
        {0xac00, 0xd7a3, HANGUL}, {0xfb50, 0xfdff, ARABIC}, {0xfe70, 0xfefc, ARABIC},
        {0xff66, 0xff9d, KANA},   {0x20000, 0x2ffff, HAN},
    };

    for (size_t i = 0; i < TKT_ARRAY_LEN(ranges) && c >= ranges[i].first; i++) {
        if (c <= ranges[i].last) {
            return c == 0xd7 || c == 0xf7 ? NONE : ranges[i].script;
        }
    }
    return NONE;
}

static uint32_t lower(uint32_t c)
{
    if ((c >= 'A' && c <= 'Z') || (c >= 0xc0 && c <= 0xde && c != 0xd7) ||
        (c >= 0x410 && c <= 0x42f) || (c >= 0x391 && c <= 0x3a9)) {
        return c + 32;
    }
    if (c >= 0x400 && c <= 0x40f) {
        return c + 80;
    }
    if (c == 0x130) {
        return 'i'; /* of Turkish */
    }
    bool even_upper = (c >= 0x100 && c <= 0x137) || (c >= 0x14a && c <= 0x177) ||
                      (c >= 0x1de && c <= 0x1ef) || (c >= 0x200 && c <= 0x233) ||
                      (c >= 0x490 && c <= 0x4bf);
    bool odd_upper = (c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17e);
    if (even_upper && c != 0x131) {
        return c | 1;
    }
    return odd_upper && (c & 1) != 0 ? c + 1 : c;
}

/* Letters that few languages write. OTHER: none of those that are known here. */
#define OTHER BIT(31)
static uint32_t letter_languages(uint32_t c)
{
    static const struct {
        uint16_t letter;
        uint32_t languages;
    } rows[] = {
        {0xdf, BIT(DE)},
        {0xe0, BIT(FR) | BIT(IT) | BIT(PT)},
        {0xe1, BIT(ES) | BIT(PT) | BIT(HU) | BIT(CS)},
        {0xe2, BIT(FR) | BIT(PT) | BIT(RO) | BIT(TR)},
        {0xe3, BIT(PT)},
        {0xe4, BIT(DE) | BIT(SV) | BIT(FI)},
        {0xe5, BIT(SV) | BIT(NO) | BIT(DA)},
        {0xe6, BIT(NO) | BIT(DA)},
        {0xe7, BIT(FR) | BIT(PT) | BIT(TR)},
        {0xe8, BIT(FR) | BIT(IT)},
        {0xea, BIT(FR) | BIT(PT)},
        {0xec, BIT(IT)},
        {0xee, BIT(FR) | BIT(RO)},
        {0xf1, BIT(ES)},
        {0xf2, BIT(IT)},
        {0xf3, BIT(ES) | BIT(PT) | BIT(PL) | BIT(HU) | BIT(CS)},
        {0xf5, BIT(PT)},
        {0xf6, BIT(DE) | BIT(SV) | BIT(FI) | BIT(TR) | BIT(HU)},
        {0xf8, BIT(NO) | BIT(DA)},
        {0xf9, BIT(IT) | BIT(FR)},
        {0xfc, BIT(DE) | BIT(TR) | BIT(HU)},
        {0x103, BIT(RO)},
        {0x105, BIT(PL)},
        {0x107, BIT(PL)},
        {0x10d, BIT(CS)},
        {0x10f, BIT(CS)},
        {0x119, BIT(PL)},
        {0x11b, BIT(CS)},
        {0x11f, BIT(TR)},
        {0x131, BIT(TR)},
        {0x142, BIT(PL)},
        {0x144, BIT(PL)},
        {0x148, BIT(CS)},
        {0x151, BIT(HU)},
        {0x159, BIT(CS)},
        {0x15b, BIT(PL)},
        {0x15f, BIT(TR) | BIT(RO)},
        {0x161, BIT(CS)},
        {0x163, BIT(RO)},
        {0x165, BIT(CS)},
        {0x16f, BIT(CS)},
        {0x171, BIT(HU)},
        {0x17a, BIT(PL)},
        {0x17c, BIT(PL)},
        {0x17e, BIT(CS)},
        {0x219, BIT(RO)},
        {0x21b, BIT(RO)},
        {0x44a, BIT(BG)},
        {0x44b, BIT(RU)},
        {0x44d, BIT(RU)},
        {0x451, BIT(RU)},
        {0x454, BIT(UK)},
        {0x456, BIT(UK)},
        {0x457, BIT(UK)},
        {0x491, BIT(UK)},
        /* Serbian, Macedonian, Belarusian; Persian, Urdu. */
        {0x452, OTHER},
        {0x453, OTHER},
        {0x455, OTHER},
        {0x458, OTHER},
        {0x459, OTHER},
        {0x45a, OTHER},
        {0x45b, OTHER},
        {0x45c, OTHER},
        {0x45e, OTHER},
        {0x45f, OTHER},
        {0x67e, OTHER},
        {0x686, OTHER},
        {0x6a9, OTHER},
        {0x6af, OTHER},
        {0x6cc, OTHER},
    };
    size_t low = 0;
    size_t high = TKT_ARRAY_LEN(rows) - 15; /* the sorted ones */

    for (size_t i = high; i < TKT_ARRAY_LEN(rows); i++) {
        if (rows[i].letter == c) {
            return OTHER;
        }
    }
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (rows[mid].letter == c) {
            return rows[mid].languages;
        }
        if (rows[mid].letter < c) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return 0;
}

/* ---- scores ---- */

struct count {
    unsigned scores[LANGUAGES];
    unsigned scripts[SCRIPTS];
    unsigned others; /* letters of languages that are not known here */
    unsigned words;
    char word[WORD_MAX + 4];
    size_t len;
    bool is_address; /* the word in hand is none */
};

/* The fewer languages share something, the more it tells. */
static void add_score(struct count *c, uint32_t languages, const unsigned char *weights)
{
    unsigned sharing = 0;

    for (uint32_t l = languages; l != 0 && sharing < 6; l &= l - 1) {
        sharing++;
    }
    unsigned weight = weights[sharing];

    for (; languages != 0; languages &= languages - 1) {
        c->scores[__builtin_ctz(languages)] += weight;
    }
}

static void count_word(struct count *c, const char *p, size_t n)
{
    static const unsigned char for_word[] = {0, 12, 8, 6, 5, 4, 3};
    static const unsigned char for_ending[] = {0, 4, 3, 2, 1, 1, 1};
    uint32_t languages = languages_of(p, n, false);

    add_score(c, languages, for_word);
    uint32_t lengths =
        languages == 0 && n > 0 ? ending_lengths[(unsigned char)p[n - 1]] : 0;
    for (size_t at = ENDING_MIN; lengths != 0 && at + 1 < n; at++) {
        bool letter = ((unsigned char)p[at] & 0xc0) != 0x80 &&
                      (lengths & BIT(TKT_MIN(n - at, 31))) != 0;
        uint32_t ending = letter ? languages_of(p + at, n - at, true) : 0;
        if (ending != 0) {
            add_score(c, ending, for_ending);
            break; /* the longest */
        }
    }
}

static void end_word(struct count *c)
{
    if (c->len > 0 && c->len <= WORD_MAX && !c->is_address) {
        while (c->len > 0 && c->word[c->len - 1] == '\'') {
            c->len--;
        }
        c->words++;
        count_word(c, c->word, c->len);
        const char *quote = memchr(c->word, '\'', c->len);
        if (quote != NULL) { /* "dell'ufficio" */
            size_t head = (size_t)(quote + 1 - c->word);
            count_word(c, c->word, head);
            count_word(c, quote + 1, c->len - head);
        }
    }
    c->len = 0;
}

static void put_letter(struct count *c, uint32_t ch)
{
    static const unsigned char for_letter[] = {0, 4, 3, 2, 1, 1, 1};
    uint32_t languages = ch < 0x80 ? 0 : letter_languages(ch);

    if (languages == OTHER) {
        c->others++;
    } else {
        add_score(c, languages, for_letter);
    }
    if (c->len > WORD_MAX) {
        return;
    }
    if (ch < 0x80) {
        c->word[c->len++] = (char)ch;
    } else if (ch < 0x800) {
        c->word[c->len++] = (char)(0xc0 | ch >> 6);
        c->word[c->len++] = (char)(0x80 | (ch & 0x3f));
    } else {
        c->word[c->len++] = (char)(0xe0 | (ch >> 12 & 0x0f));
        c->word[c->len++] = (char)(0x80 | (ch >> 6 & 0x3f));
        c->word[c->len++] = (char)(0x80 | (ch & 0x3f));
    }
}

/* One character; broken UTF-8 is one byte of no script. */
static uint32_t next_char(const char **at, const char *end)
{
    const unsigned char *p = (const unsigned char *)*at;
    size_t left = (size_t)(end - *at);
    size_t len = *p < 0xc0 ? 1 : *p < 0xe0 ? 2 : *p < 0xf0 ? 3 : 4;

    if (len == 1 || len > left) {
        (*at)++;
        return *p < 0x80 ? *p : 0;
    }
    uint32_t c = *p & (0xffu >> (len + 1));
    for (size_t i = 1; i < len; i++) {
        c = c << 6 | (p[i] & 0x3f);
    }
    *at += len;
    return c;
}

/* "ann@x.example", "https://...", "C:\x": not words of a language. */
static bool glues(uint32_t c)
{
    return c == '@' || c == '/' || c == '\\' || c == '_' || (c >= '0' && c <= '9');
}

/* The ASCII letters that a word goes on with; returns how many. */
static size_t put_ascii(struct count *c, const char *p, size_t n)
{
    size_t len = c->len;
    size_t i = 0;

    for (; i < n && (unsigned char)((p[i] | 0x20) - 'a') < 26; i++) {
        if (len <= WORD_MAX) {
            c->word[len++] = (char)(p[i] | 0x20);
        }
    }
    c->len = len;
    return i;
}

static void count_text(struct count *c, const char *text, size_t n)
{
    const char *end = text + n;
    bool line_start = true;

    while (text < end && c->words < WORDS_MAX) {
        if (line_start && *text == '>') {
            const char *nl = memchr(text, '\n', (size_t)(end - text));
            text = nl == NULL ? end : nl + 1;
            continue;
        }
        line_start = *text == '\n';
        if (*text == ' ' && c->len > 0) {
            c->scripts[NONE]++;
            text++;
            end_word(c);
            c->is_address = false;
            continue;
        }
        if ((unsigned char)((*text | 0x20) - 'a') < 26) {
            size_t run = put_ascii(c, text, (size_t)(end - text));
            c->scripts[LATIN] += (unsigned)run;
            text += run;
            continue;
        }
        uint32_t ch = next_char(&text, end);
        enum script script = script_of(ch);
        c->scripts[script]++;
        if (script == LATIN || script == CYRILLIC) {
            put_letter(c, lower(ch));
        } else if (script == ARABIC) {
            c->others += letter_languages(ch) == OTHER ? 1 : 0;
        } else if ((ch == '\'' || ch == 0x2019) && c->len > 0) {
            put_letter(c, '\'');
        } else if (glues(ch)) {
            c->is_address = true;
        } else if (ch <= ' ' || !(ch == '.' || ch == ':') || text == end ||
                   *text <= ' ') {
            end_word(c);
            c->is_address = false;
        } else {
            /* A point between letters: of a name or an address. */
            c->is_address = true;
        }
    }
    end_word(c);
}

/* Danish and Norwegian share most of their words, but not how they are spelled inside:
 * "ud" and "ut", "bruge" and "bruke", "øj" and "øy". More than 0 is Danish. */
static int lean_danish(const char *text, size_t n)
{
    static const struct {
        char letters[4];
        signed char weight;
    } rows[] = {
        {"ud", 3},  {"af", 3},  {"ug", 2},   {"æn", 3},   {"æt", 2},   {"æl", 2},
        {"læ", 2},  {"ræ", 2},  {"sæ", 2},   {"giv", 3},  {"ej", 3},   {"øj", 3},
        {"io", 2},  {"ind", 2}, {"ds", 2},   {"dt", 2},   {"hed", 2},  {"ce", 1},
        {"de", 1},  {"nd", 1},  {"inn", -3}, {"opp", -3}, {"ruk", -3}, {"uk", -1},
        {"sj", -3}, {"jo", -2}, {"øk", -3},  {"øy", -3},  {"ei", -3},  {"gj", -3},
        {"kj", -3}, {"ut", -2}, {"tt", -2},  {"ert", -2}, {"pp", -1},  {"nn", -1},
        {"kt", -1}, {"ap", -1},
    };
    int lean = 0;

    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < TKT_ARRAY_LEN(rows); k++) {
            size_t len = strlen(rows[k].letters);
            if (text[i] == rows[k].letters[0] && n - i >= len &&
                memcmp(text + i, rows[k].letters, len) == 0) {
                lean += rows[k].weight;
            }
        }
    }
    return lean;
}

static const char *best_of(const struct count *c, unsigned from, unsigned to)
{
    unsigned best = from;
    unsigned second = 0;

    for (unsigned l = from + 1; l <= to; l++) {
        best = c->scores[l] > c->scores[best] ? l : best;
    }
    for (unsigned l = from; l <= to; l++) {
        bool twin = (l == DA && best == NO) || (l == NO && best == DA);
        second = l != best && !twin ? TKT_MAX(second, c->scores[l]) : second;
    }
    bool clear = c->scores[best] >= SCORE_MIN &&
                 c->scores[best] * 100 >= second * LEAD_PERCENT &&
                 c->scores[best] * 10 >= c->words * PER_WORD_TENTHS;
    return clear ? codes[best] : "";
}

/* Whether the lean between the two could change the answer. */
static bool is_near_danish(const struct count *c)
{
    unsigned twin = TKT_MAX(c->scores[DA], c->scores[NO]) + LEAN_MAX;
    unsigned best = 0;

    for (unsigned l = EN; l <= RO; l++) {
        best = l == DA || l == NO ? best : TKT_MAX(best, c->scores[l]);
    }
    return best * 100 < twin * LEAD_PERCENT;
}

const char *tkt_language_of(const char *text, size_t n)
{
    struct count c;

    memset(&c, 0, sizeof(c));
    fill_table();
    count_text(&c, text, TKT_MIN(n, (size_t)TKT_LANGUAGE_BYTES_MAX));
    const unsigned *s = c.scripts;
    unsigned alphabetic = s[LATIN] + s[CYRILLIC] + s[GREEK] + s[HEBREW] + s[ARABIC];
    unsigned ideographic = s[KANA] + s[HAN] + s[HANGUL];
    unsigned foreign = s[CYRILLIC] + s[GREEK] + s[HEBREW] + s[ARABIC];
    /* One of these says as much as a few letters; names of things stand in Latin. */
    if (ideographic * 3 > alphabetic && ideographic > 1) {
        return s[HANGUL] > (s[KANA] + s[HAN]) / 2 ? codes[KO]
               : s[KANA] * 10 > ideographic       ? codes[JA]
                                                  : codes[ZH];
    }
    if (c.others * 50 > alphabetic) {
        return "";
    }
    if (foreign * 2 > s[LATIN] && foreign > 3) {
        return s[CYRILLIC] * 2 > foreign ? best_of(&c, RU, BG)
               : s[GREEK] * 2 > foreign  ? codes[EL]
               : s[HEBREW] * 2 > foreign ? codes[HE]
                                         : codes[AR];
    }
    if (is_near_danish(&c)) {
        int lean = lean_danish(text, TKT_MIN(n, (size_t)TWIN_BYTES_MAX));
        c.scores[lean > 0 ? DA : NO] += (unsigned)TKT_MIN(abs(lean), LEAN_MAX);
    }
    return best_of(&c, EN, RO);
}
