/* SPDX-License-Identifier: BSD-2-Clause */
#include "decide/mood.h"

#include <stdint.h>
#include <string.h>

struct lexicon_phrase {
    const char *text;
    int8_t mood;
    int8_t urgency;
    uint16_t kinds;
};
#include "decide/lexicon_table.h"

#define PHRASES_END                                                                      \
    (lexicon_phrases + sizeof(lexicon_phrases) / sizeof(lexicon_phrases[0]))
#define WORD_MAX 31      /* bytes of a folded word that are looked at */
#define SENTENCE_MAX 64  /* words; a longer one counts as several */
#define NEGATED_WITHIN 3 /* words behind "not" */
#define BOOST_WITHIN 1
#define ENOUGH 4
#define ANGRY 8
#define SHORT_SENTENCE 3 /* words: "Na toll." speaks of what comes next */
#define LOUD_WORDS_MIN 3
#define CAPS_LETTERS_MIN 4

const char *const tkt_tone_names[] = {"neutral", "negative", "positive", NULL};

struct word {
    char text[WORD_MAX + 1]; /* folded */
    uint8_t len;
    bool is_caps;
};

struct reader {
    const unsigned char *text;
    const unsigned char *at;
    const unsigned char *end;
    struct word words[SENTENCE_MAX + LEXICON_WORDS_MAX];
    size_t count;
    bool exclaims; /* "!!" or "?!" ends it */
    bool asks;
};

struct sums {
    struct tkt_mood *out;
    int good;
    int bad;
    int urgency;
    int held; /* praise of a short sentence: what comes next tells whether it is meant */
    size_t words;
    size_t caps;
    bool asks;
    bool has_problem;
};

/* ---- words ---------------------------------------------------------------------------- */

static bool is_word_byte(unsigned char c)
{
    return c >= 0x80 || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
           (c >= 'A' && c <= 'Z');
}

static bool is_blank(unsigned char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void put(struct word *w, char c)
{
    if (w->len < WORD_MAX) {
        w->text[w->len++] = c;
    }
}

/* Two bytes of UTF-8 that are a German letter become two of ASCII. */
static bool put_umlaut(struct word *w, const unsigned char *at, const unsigned char *end)
{
    static const struct {
        unsigned char byte;
        char text[3];
    } letters[] = {{0xA4, "ae"}, {0xB6, "oe"}, {0xBC, "ue"}, {0x84, "ae"},
                   {0x96, "oe"}, {0x9C, "ue"}, {0x9F, "ss"}};

    if (end - at < 2 || at[0] != 0xC3) {
        return false;
    }
    for (size_t i = 0; i < sizeof(letters) / sizeof(letters[0]); i++) {
        if (at[1] == letters[i].byte) {
            put(w, letters[i].text[0]);
            put(w, letters[i].text[1]);
            return true;
        }
    }
    return false;
}

/* The length of an apostrophe within a word, or 0. */
static size_t apostrophe(const unsigned char *at, const unsigned char *end)
{
    size_t n = 0;

    if (at[0] == '\'') {
        n = 1;
    } else if (end - at > 3 && at[0] == 0xE2 && at[1] == 0x80 && at[2] == 0x99) {
        n = 3;
    }
    return n > 0 && (size_t)(end - at) > n && is_word_byte(at[n]) && at[n] < 0x80 ? n : 0;
}

static void read_word(struct reader *r, struct word *w)
{
    unsigned letters = 0;
    unsigned capitals = 0;

    w->len = 0;
    while (r->at < r->end) {
        size_t skip = apostrophe(r->at, r->end);

        if (skip > 0) {
            r->at += skip;
        } else if (!is_word_byte(*r->at)) {
            break;
        } else if (put_umlaut(w, r->at, r->end)) {
            r->at += 2;
        } else {
            unsigned char c = *r->at++;
            bool is_capital = c >= 'A' && c <= 'Z';
            letters += is_capital || (c >= 'a' && c <= 'z');
            capitals += is_capital;
            put(w, (char)(is_capital ? c + ('a' - 'A') : c));
        }
    }
    w->text[w->len] = '\0';
    w->is_caps = capitals >= CAPS_LETTERS_MIN && capitals == letters;
}

/* Behind a word: marks and blanks. Whether they end the sentence. */
static bool read_gap(struct reader *r)
{
    bool ends = false;
    unsigned marks = 0;
    unsigned lines = 0;

    for (; r->at < r->end && !is_word_byte(*r->at); r->at++) {
        unsigned char c = *r->at;
        bool is_last = r->at + 1 == r->end || is_blank(r->at[1]) || r->at[1] == ')' ||
                       r->at[1] == '"';

        marks += c == '!' || c == '?';
        r->asks = r->asks || c == '?';
        lines += c == '\n';
        ends = ends || c == '!' || c == '?' || c == ';' || (c == '.' && is_last);
        if (c == '>' && (r->at == r->text || r->at[-1] == '\n')) { /* a quoted line */
            while (r->at + 1 < r->end && r->at[1] != '\n') {
                r->at++;
            }
        }
    }
    r->exclaims = r->exclaims || marks > 1;
    return ends || lines > 1;
}

/* The next sentence; false at the end of the text. */
static bool read_sentence(struct reader *r)
{
    bool ends = false;

    r->count = 0;
    r->exclaims = false;
    r->asks = false;
    while (!ends && r->at < r->end && r->count < SENTENCE_MAX) {
        if (is_word_byte(*r->at)) {
            read_word(r, &r->words[r->count++]);
        }
        ends = read_gap(r) && r->count > 0;
    }
    return r->count > 0;
}

/* ---- lexicon -------------------------------------------------------------------------- */

static bool begins(const struct lexicon_phrase *p, const char *word, size_t n)
{
    return p->text[0] == word[0] && strncmp(p->text, word, n) == 0 &&
           (p->text[n] == '\0' || p->text[n] == ' ');
}

/* The first of the phrases that begin with the word of that hash, or NULL. */
static const struct lexicon_phrase *find_first(const char *word, size_t n, uint32_t hash)
{
    for (uint32_t at = hash % LEXICON_SLOTS; lexicon_slots[at] != 0;
         at = (at + 1) % LEXICON_SLOTS) {
        const struct lexicon_phrase *p = &lexicon_phrases[lexicon_slots[at] - 1];
        if (begins(p, word, n)) {
            return p;
        }
    }
    return NULL;
}

#define ENDINGS 8
#define ENDING_MAX 2

/* The length of a word without the i-th ending that it may have; 0 = it has not. */
static inline size_t without_ending(const struct word *w, size_t i)
{
    static const struct {
        char text[ENDING_MAX];
        uint8_t len;
    } endings[ENDINGS] = {{"", 0},   {"en", 2}, {"em", 2}, {"er", 2},
                          {"es", 2}, {"e", 1},  {"n", 1},  {"s", 1}};
    size_t n = endings[i].len;
    const char *end = w->text + w->len;

    if (n == 0) {
        return w->len;
    }
    return w->len >= n + 4 && end[-1] == endings[i].text[n - 1] &&
                   (n == 1 || end[-2] == endings[i].text[0])
               ? w->len - n
               : 0;
}

/* Of the word, and of it without its last bytes: out[k] is without k. */
static void hash_all(const struct word *w, uint32_t out[ENDING_MAX + 1])
{
    uint32_t hash = 2166136261u;

    for (size_t i = 0; i <= w->len; i++) {
        if (w->len - i <= ENDING_MAX) {
            out[w->len - i] = hash;
        }
        hash = (hash ^ (unsigned char)w->text[i]) * 16777619u;
    }
}

/* Whether the word is the one that begins at want, up to a blank. */
static bool is_word(const struct word *w, const char *want, size_t len)
{
    if (want[len - 1] == '*') {
        return w->len >= len - 1 && memcmp(w->text, want, len - 1) == 0;
    }
    for (size_t i = 0; i < ENDINGS; i++) {
        if (without_ending(w, i) == len && memcmp(w->text, want, len) == 0) {
            return true;
        }
    }
    return false;
}

/* How many words from w on, of count, are those of the phrase; 0 = they are not. */
static size_t match(const struct lexicon_phrase *p, size_t first, const struct word *w,
                    size_t count)
{
    const char *rest = p->text + first;
    size_t n = 1;

    while (*rest == ' ') {
        size_t len = strcspn(++rest, " ");
        if (n == count || !is_word(&w[n], rest, len)) {
            return 0;
        }
        rest += len;
        n++;
    }
    return n;
}

/* The longest phrase that begins at w; *length words. */
static const struct lexicon_phrase *find(const struct word *w, size_t count,
                                         size_t *length)
{
    const struct lexicon_phrase *best = NULL;
    uint32_t hashes[ENDING_MAX + 1];

    *length = 0;
    hash_all(w, hashes);
    for (size_t e = 0; e < ENDINGS; e++) {
        size_t n = without_ending(w, e);
        const struct lexicon_phrase *p =
            n == 0 ? NULL : find_first(w->text, n, hashes[w->len - n]);

        for (; p != NULL && p < PHRASES_END && begins(p, w->text, n); p++) {
            size_t words = match(p, n, w, count);
            if (words > *length) {
                best = p;
                *length = words;
            }
        }
    }
    return best;
}

/* ---- sentences ------------------------------------------------------------------------ */

static void tell(struct tkt_mood_words *list, const char *phrase)
{
    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i] == phrase) {
            return;
        }
    }
    if (list->count < TKT_MOOD_WORDS_MAX) {
        list->items[list->count++] = phrase;
    }
}

struct clause {
    int good;
    int bad;
    int urgency;
    unsigned kinds;
    bool opens_with_praise; /* one word of it: "Great, ..." */
};

/* How a phrase counts behind "not", and behind "very". */
static int turn(int value, bool negated, bool boosted, int of_bad)
{
    if (negated) {
        return value > 0 ? -value : of_bad;
    }
    return boosted ? value + value / 2 : value;
}

static void add_phrase(struct clause *c, const struct lexicon_phrase *p, bool negated,
                       bool boosted, struct tkt_mood *out)
{
    int mood = turn(p->mood, negated, boosted, 0);
    int urgency = turn(p->urgency, negated, boosted, 0);

    c->good += mood > 0 ? mood : 0;
    c->bad += mood < 0 ? -mood : 0;
    c->urgency += urgency;
    if (mood != 0) {
        tell(&out->tone_words, p->text);
    }
    if (urgency != 0) {
        tell(&out->urgency_words, p->text);
    }
}

/* From word `from` on, up to a "but" or the end; returns where the next clause begins. */
static size_t read_clause(const struct reader *r, size_t from, struct clause *c,
                          struct tkt_mood *out)
{
    size_t negated_until = 0;
    size_t boosted_until = 0;
    size_t length;

    for (size_t i = from; i<r->count; i += length> 0 ? length : 1) {
        const struct lexicon_phrase *p = find(&r->words[i], r->count - i, &length);

        if (p == NULL) {
            continue;
        }
        if ((p->kinds & LEXICON_BUT) != 0 && i > from) {
            return i + length;
        }
        if (p->mood != 0 || p->urgency != 0) {
            add_phrase(c, p, i < negated_until, i < boosted_until, out);
        }
        c->kinds |= p->kinds;
        c->opens_with_praise |= i <= 1 && length == 1 && p->mood >= ENOUGH;
        if ((p->kinds & LEXICON_NOT) != 0) {
            negated_until = i + length + NEGATED_WITHIN;
        }
        if ((p->kinds & LEXICON_VERY) != 0) {
            boosted_until = i + length + BOOST_WITHIN;
        }
    }
    return r->count;
}

static bool has(const struct clause *c, unsigned kinds)
{
    return (c->kinds & kinds) == kinds;
}

/* Praise beside a fault is none; what is loud counts half as much again. */
static void add_clause(struct sums *s, struct clause *c, bool loud, bool is_short)
{
    bool problem = has(c, LEXICON_PROBLEM) && !has(c, LEXICON_SOLVED);
    bool fault = c->bad >= ENOUGH || problem;

    if (c->opens_with_praise && problem) {
        c->bad += ENOUGH;
    }
    if (c->good > 0 && c->urgency > 0 && c->urgency < ENOUGH) {
        c->urgency = 0; /* "thanks for the quick help" */
    }

    if (has(c, LEXICON_SCOPE) && problem) {
        c->urgency += ENOUGH;
        tell(&s->out->urgency_words, "many people");
    }
    if (has(c, LEXICON_SOON | LEXICON_NEED) && c->urgency >= 0) {
        c->urgency += ENOUGH;
        tell(&s->out->urgency_words, "needed soon");
    }
    if (loud) {
        c->bad += c->bad / 2;
        c->good += c->good / 2;
        c->urgency += c->urgency / 2;
    }
    s->good += fault ? 0 : s->held;
    s->held = 0;
    if (!fault && is_short) {
        s->held = c->good;
    } else if (!fault) {
        s->good += c->good;
    }
    s->bad += c->bad;
    s->urgency += c->urgency;
    s->has_problem = s->has_problem || problem;
    s->asks = s->asks || has(c, LEXICON_REQUEST);
}

static void read_text(struct sums *s, const char *text, size_t max)
{
    struct reader r = {.text = (const unsigned char *)text,
                       .at = (const unsigned char *)text,
                       .end = (const unsigned char *)text + strnlen(text, max)};

    while (read_sentence(&r)) {
        size_t at = 0;

        for (size_t i = 0; i < r.count; i++) {
            s->caps += r.words[i].is_caps;
        }
        s->words += r.count;
        s->asks = s->asks || r.asks;
        while (at < r.count) {
            struct clause c = {.good = 0};
            at = read_clause(&r, at, &c, s->out);
            add_clause(s, &c, r.exclaims, r.count <= SHORT_SENTENCE);
        }
    }
    s->good += s->held;
    s->held = 0;
}

/* ---- in all --------------------------------------------------------------------------- */

static void judge(struct sums *s)
{
    struct tkt_mood *out = s->out;
    int tone = s->good - s->bad;

    if (s->caps >= LOUD_WORDS_MIN && s->caps * 4 >= s->words) { /* somebody shouts */
        s->urgency += s->urgency >= 0 ? ENOUGH / 2 : 0;
        tone -= s->bad > 0 || s->has_problem ? ENOUGH / 2 : 0;
    }
    if (tone <= -ENOUGH) {
        out->tone = TKT_TONE_NEGATIVE;
        out->is_angry = tone <= -ANGRY;
    } else if (tone >= ENOUGH) {
        out->tone = TKT_TONE_POSITIVE;
    } else {
        out->tone_words.count = 0;
    }
    if (s->urgency >= ENOUGH) {
        out->urgency = 1;
    } else if (s->urgency <= -ENOUGH) {
        out->urgency = 3;
    } else if (out->tone == TKT_TONE_POSITIVE && !s->asks && s->urgency <= 0) {
        out->urgency = 3; /* thanks alone: nothing is to be done */
        out->urgency_words.count = 0;
        tell(&out->urgency_words, "nothing is asked for");
    } else {
        out->urgency_words.count = 0;
    }
}

void tkt_mood_read_text(const char *subject, const char *text, struct tkt_mood *out)
{
    struct sums s = {.out = out};

    memset(out, 0, sizeof(*out));
    out->urgency = 2;
    read_text(&s, subject == NULL ? "" : subject, TKT_MOOD_TEXT_MAX);
    read_text(&s, text == NULL ? "" : text, TKT_MOOD_TEXT_MAX);
    judge(&s);
}

void tkt_mood_read(const struct tkt_message *msg, struct tkt_mood *out)
{
    tkt_mood_read_text(msg->subject, msg->reply_text, out);
}
