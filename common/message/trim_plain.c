/* SPDX-License-Identifier: BSD-2-Clause
 * Most lines of most mail are none of what the tables know. This says so from the bytes
 * as they stand, before anything is folded. What it can't tell for certain goes the long
 * way: true is a proof, false is no answer (trim_test holds it against the long way).
 */
#include "message/trim_line.h"

#include "base/util.h"

#include <string.h>

enum class {
    FINE,
    DIGIT,
    STOP,   /* may end a sentence */
    H,      /* of a link */
    LETTER, /* the first byte of a letter of two */
    SIGN,   /* C2: signs; a soft hyphen among them */
    MARK,   /* E2: quotes and dashes, and what nobody sees */
    UNSURE
};

static const unsigned char classes[256] = {
    ['0' ... '9'] = DIGIT,
    [','] = STOP,
    [';'] = STOP,
    ['.'] = STOP,
    ['!'] = STOP,
    ['?'] = STOP,
    ['h'] = H,
    ['H'] = H,
    [':'] = UNSURE,
    ['<'] = UNSURE,
    ['@'] = UNSURE,
    ['&'] = UNSURE,
    ['*'] = UNSURE,
    [0x80 ... 0xc1] = UNSURE,
    [0xc2] = SIGN,
    [0xc3 ... 0xcb] = LETTER,
    [0xcc ... 0xcf] = UNSURE,
    [0xd0 ... 0xd1] = LETTER,
    [0xd2 ... 0xe1] = UNSURE,
    [0xe2] = MARK,
    [0xe3 ... 0xff] = UNSURE,
};

/* What was seen of a line. */
struct seen {
    const unsigned char *p;
    size_t n;
    size_t digit;    /* where the first one stands; n: nowhere */
    size_t foreign;  /* ... that is not ASCII */
    size_t sentence; /* where the first one ends */
};

static bool is_letter(unsigned char c)
{
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

static bool continues(const struct seen *s, size_t i)
{
    return i < s->n && (s->p[i] & 0xc0) == 0x80;
}

/* How long the character is; 0: one that is not sure to fold to a sign or letter. */
static size_t multibyte(struct seen *s, size_t i, unsigned char class)
{
    if (!continues(s, i + 1) || class == UNSURE) {
        return 0;
    }
    s->foreign = TKT_MIN(s->foreign, i);
    if (class == LETTER) {
        return 2;
    }
    unsigned char next = s->p[i + 1];
    if (class == SIGN) {
        return next == 0xad ? 0 : 2;
    }
    unsigned char last = continues(s, i + 2) ? s->p[i + 2] : 0;
    bool shown = next == 0x80 && ((last >= 0x90 && last <= 0x95) ||
                                  (last >= 0x98 && last <= 0x9f) || last == 0xa6);
    return shown ? 3 : 0;
}

/* False when something in the line needs a closer look. */
static bool look_through(struct seen *s)
{
    for (size_t i = 0; i < s->n;) {
        unsigned char class = classes[s->p[i]];
        if (class == FINE) {
            i++;
            continue;
        }
        if (class >= LETTER) {
            size_t len = multibyte(s, i, class);
            if (len == 0) {
                return false;
            }
            i += len;
            continue;
        }
        if (class == DIGIT) {
            s->digit = TKT_MIN(s->digit, i);
        } else if (class == H) {
            if (s->n - i >= 4 && strncasecmp((const char *)s->p + i, "http", 4) == 0) {
                return false;
            }
        } else if (i + 1 < s->n && s->sentence == s->n) {
            if (s->p[i + 1] >= 0x80) {
                return false;
            }
            s->sentence = s->p[i + 1] <= ' ' ? i : s->n;
        }
        i++;
    }
    return true;
}

/* What a divider or the line of a device begins with, as one list. */
static const char *all_starts(void)
{
    static struct tkt_fold_union all;

    if (!all.is_done) {
        tkt_fold_union_add(&all, tkt_block_list(TKT_BLOCK_ORIGINALS));
        tkt_fold_union_add(&all, tkt_block_list(TKT_BLOCK_FORWARDS));
        tkt_fold_union_add(&all, tkt_block_list(TKT_BLOCK_BEGINS));
        tkt_fold_union_add(&all, tkt_signature_list(TKT_SIGNATURE_LEADS));
        tkt_fold_union_add(&all, tkt_signature_list(TKT_SIGNATURE_EXCUSES));
        tkt_fold_union_add(&all, "from");
        all.is_done = true;
    }
    return all.is_full ? NULL : all.list;
}

/* Whether the date of a header could begin here. */
static bool may_be_dated(const struct seen *s)
{
    size_t words = 0;
    bool in = false;

    if (s->digit == s->n) {
        return false;
    }
    if (s->foreign < s->digit) {
        return true;
    }
    for (size_t i = 0; i < s->digit; i++) {
        unsigned char c = s->p[i];
        bool letter = is_letter(c);
        words += letter && !in;
        in = letter || (in && (c == '\'' || c == '-' || c == '.'));
    }
    return words <= 2 ||
           !tkt_fold_begins_none((const char *)s->p, s->n, tkt_attribution_starts());
}

/* Whether the first sentence could end with the verb of a device's line. */
static bool may_end(const struct seen *s)
{
    static const char set[] = " <>()[]-_\"'.!:";
    size_t n = s->sentence;
    char last[2];

    while (n > 0 && (s->p[n - 1] < ' ' || strchr(set, s->p[n - 1]) != NULL)) {
        n--;
    }
    for (size_t i = 0; i < 2; i++) {
        unsigned char c = n < 2 ? 0x80 : s->p[n - 2 + i];
        if (c <= ' ' || c >= 0x80) {
            return true;
        }
        last[i] = (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
    }
    return tkt_fold_may_end(last, 2, tkt_signature_list(TKT_SIGNATURE_TAILS)) ||
           tkt_fold_may_end(last, 2, TKT_DEVICE_ENDS);
}

bool tkt_line_is_plain(const struct tkt_lines *l, size_t i)
{
    const struct tkt_line *line = &l->items[i];
    struct seen s = {.p = (const unsigned char *)l->text + line->at, .n = line->len};
    const char *starts = all_starts();

    while (s.n > 0 && *s.p == ' ') {
        s.p++;
        s.n--;
    }
    if (line->skip > 0 || starts == NULL || s.n == 0 || !is_letter(s.p[0]) ||
        (i + 1 < l->count && l->text[l->items[i + 1].at] == '<' &&
         l->items[i + 1].len > 0)) {
        return false;
    }
    s.digit = s.foreign = s.sentence = s.n;
    return look_through(&s) && tkt_fold_begins_none((const char *)s.p, s.n, starts) &&
           !may_be_dated(&s) && !may_end(&s);
}
