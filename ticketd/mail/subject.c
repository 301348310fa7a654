/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketd/mail/subject.h"

#include "base/enc.h"
#include "base/util.h"

#include <string.h>

#define PREFIX_MAX 10
#define DIGITS_MAX 19
#define HIDDEN_MAX 64 /* "[" id "]" that is looked for in encoded-words */

/* What clients put before the Subject of a reply or a forwarded mail, in lower case. */
static const char *const reply_words[] = {
    "re",         "aw",   "wg",   "fw",   "fwd",  "sv",     "vs",   "vb",  "tr",
    "rv",         "antw", "res",  "enc",  "rif",  "i",      "r",    "odp", "pd",
    "ynt",        "ilt",  "ref",  "atb",  "bls",  "doorst", "vl",   "rép", "antwort",
    "továbbítás", "回复", "转发", "答复", "答覆", "回覆",   "轉寄",
};

static bool is_fws(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_alpha(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* Length of the encoded-word at p, or 0. Its text is at *text, *text_len. */
static size_t encoded_word(const char *p, size_t n, char *coding, const char **text,
                           size_t *text_len)
{
    size_t i = 2;
    size_t start;

    if (n < 8 || p[0] != '=' || p[1] != '?') {
        return 0;
    }
    while (i < n && p[i] != '?' && !is_fws(p[i])) {
        i++;
    }
    if (i == 2 || n - i < 3 || p[i] != '?' || p[i + 2] != '?') {
        return 0;
    }
    *coding = (char)(p[i + 1] | 0x20);
    if (*coding != 'q' && *coding != 'b') {
        return 0;
    }
    start = i + 3;
    for (i = start; i < n && p[i] != '?' && !is_fws(p[i]); i++) {
    }
    if (n - i < 2 || p[i] != '?' || p[i + 1] != '=') {
        return 0;
    }
    *text = p + start;
    *text_len = i - start;
    return i + 2;
}

static bool is_own_prefix(const struct tkt_prefixes *own, const char *p, size_t n)
{
    for (size_t i = 0; i < own->count && i < TKT_SUBJECT_PREFIXES_MAX; i++) {
        const char *prefix = own->items[i];

        if ((prefix[0] ^ p[0]) % 0x20 == 0 && strlen(prefix) == n &&
            tkt_ascii_ieqn(prefix, p, n)) {
            return true;
        }
    }
    return false;
}

/* Length of the own tag that begins at p, or 0. */
static size_t tag_at(const struct tkt_prefixes *own, const char *p, size_t n)
{
    size_t i = 1;
    size_t digits;

    if (n < 5 || p[0] != '[' || !is_alpha(p[1])) {
        return 0;
    }
    while (i < n && i <= PREFIX_MAX + 1 && (is_alpha(p[i]) || is_digit(p[i]))) {
        i++;
    }
    if (i > PREFIX_MAX + 1 || i == n || p[i] != '-') {
        return 0;
    }
    digits = i + 1;
    for (i = digits; i < n && i - digits <= DIGITS_MAX && is_digit(p[i]); i++) {
    }
    if (i == digits || i - digits > DIGITS_MAX || i == n || p[i] != ']') {
        return 0;
    }
    return is_own_prefix(own, p + 1, digits - 2) ? i + 1 : 0;
}

/* Whether what stands before at begins a tag, "[[IT-1] 2]": taking the inner one out would
 * make a new one of what is left. Such text is nobody's tag. */
static bool is_inside_tag(const char *value, size_t at)
{
    size_t room = PREFIX_MAX + 1 + DIGITS_MAX;

    while (at > 0 && room > 0 &&
           (is_alpha(value[at - 1]) || is_digit(value[at - 1]) || value[at - 1] == '-')) {
        at--;
        room--;
    }
    return at > 0 && value[at - 1] == '[';
}

bool tkt_subject_find_tag(const struct tkt_prefixes *own, const char *value, size_t len,
                          size_t from, size_t *at, size_t *tag_len)
{
    const char *text;
    size_t text_len;
    char coding;

    for (size_t i = from; i < len; i++) {
        if (value[i] == '=') {
            size_t word = encoded_word(value + i, len - i, &coding, &text, &text_len);

            if (word > 0) {
                i += word - 1;
            }
        } else if (value[i] == '[') {
            size_t n = tag_at(own, value + i, len - i);

            if (n > 0 && !is_inside_tag(value, i)) {
                *at = i;
                *tag_len = n;
                return true;
            }
        }
    }
    return false;
}

/* Length of "Re:", "RE :", "Re[2]:", "Re(3):", "Re^2:" at p, or 0. */
static size_t reply_word(const char *p, size_t n)
{
    for (size_t k = 0; k < TKT_ARRAY_LEN(reply_words); k++) {
        size_t i = strlen(reply_words[k]);
        size_t count;

        if (i >= n || !tkt_ascii_ieqn(reply_words[k], p, i)) {
            continue;
        }
        count = i;
        if (strchr("[(^*", p[i]) != NULL && p[i] != '\0') {
            char close = p[i] == '[' ? ']' : p[i] == '(' ? ')' : '\0';

            for (count = i + 1; count < n && count - i <= 4 && is_digit(p[count]);
                 count++) {
            }
            if (count == i + 1 || count == n || (close != '\0' && p[count] != close)) {
                continue;
            }
            count += close != '\0';
        }
        if (count < n && p[count] == ' ') {
            count++;
        }
        if (count < n && p[count] == ':') {
            return count + 1;
        }
        if (n - count >= 3 && memcmp(p + count, "\xef\xbc\x9a", 3) == 0) {
            return count + 3; /* the full-width colon of Chinese clients */
        }
    }
    return 0;
}

size_t tkt_subject_tag_place(const char *value, size_t len)
{
    size_t at = 0;

    for (;;) {
        size_t word;

        while (at < len && is_fws(value[at])) {
            at++;
        }
        word = reply_word(value + at, len - at);
        if (word == 0) {
            return at;
        }
        at += word;
    }
}

size_t tkt_subject_gap(const char *value, size_t len, size_t at)
{
    size_t i = at;

    while (i < len && is_fws(value[i])) {
        i++;
    }
    return i - at;
}

int tkt_subject_strip(const struct tkt_prefixes *own, const char *value, size_t len,
                      struct tkt_buf *out)
{
    size_t done = 0;
    size_t at;
    size_t n;

    while (tkt_subject_find_tag(own, value, len, done, &at, &n)) {
        (void)tkt_buf_add(out, value + done,
                          at - done); /* failure stays in out->failed */
        done = at + n;
        done += tkt_subject_gap(value, len, done);
    }
    return tkt_buf_add(out, value + done, len - done);
}

/* ---- tags inside encoded-words ---------------------------------------------------- */

struct matcher { /* the last bytes that were decoded */
    char want[HIDDEN_MAX];
    char seen[HIDDEN_MAX];
    size_t len;
    bool found;
};

static void matcher_add(struct matcher *m, char c)
{
    memmove(m->seen, m->seen + 1, m->len - 1);
    m->seen[m->len - 1] = c;
    if (c == ']' && tkt_ascii_ieqn(m->seen, m->want, m->len)) {
        m->found = true;
    }
}

static int hex_value(const char *p, size_t n)
{
    unsigned char byte;

    return n >= 2 && tkt_hex_decode(p, 2, &byte, 1) == 1 ? byte : -1;
}

static void decode_q(struct matcher *m, const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        int byte = p[i] == '=' ? hex_value(p + i + 1, n - i - 1) : -1;

        if (byte >= 0) {
            matcher_add(m, (char)byte);
            i += 2;
        } else {
            matcher_add(m, p[i] == '_' ? ' ' : p[i]);
        }
    }
}

static void decode_b(struct matcher *m, const char *p, size_t n)
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    unsigned bits = 0;
    unsigned have = 0;

    for (size_t i = 0; i < n && p[i] != '='; i++) {
        const char *digit = p[i] == '\0' ? NULL : strchr(digits, p[i]);

        if (digit == NULL) {
            continue;
        }
        bits = (bits << 6 | (unsigned)(digit - digits)) & 0xffff;
        have += 6;
        if (have >= 8) {
            have -= 8;
            matcher_add(m, (char)(bits >> have & 0xff));
        }
    }
}

bool tkt_subject_hides_tag(const char *value, size_t len, const char *id)
{
    struct matcher m = {.len = strlen(id) + 2};
    const char *text;
    size_t text_len;
    char coding;

    if (m.len > sizeof(m.want)) {
        return false;
    }
    m.want[0] = '[';
    memcpy(m.want + 1, id, m.len - 2);
    m.want[m.len - 1] = ']';
    for (size_t i = 0; i < len && !m.found; i++) {
        size_t word = value[i] != '='
                          ? 0
                          : encoded_word(value + i, len - i, &coding, &text, &text_len);

        if (word > 0) {
            (coding == 'q' ? decode_q : decode_b)(&m, text, text_len);
            i += word - 1;
        } else if (!is_fws(value[i])) {
            matcher_add(&m,
                        '\0'); /* blanks between encoded-words vanish, text does not */
        }
    }
    return m.found;
}
