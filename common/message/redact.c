/* SPDX-License-Identifier: BSD-2-Clause */
#include "message/redact.h"

#include "base/util.h"
#include "message/redact_internal.h"

#include <string.h>

/* What stands at a place, and what is written in its stead. */
static size_t find(const char *text, size_t n, size_t at,
                   const struct tkt_redact_rules *rules, size_t *skip,
                   const char **instead)
{
    size_t len = 0;

    *skip = 0;
    if (rules->cards && (len = tkt_redact_card(text, n, at)) > 0) {
        *instead = "[card number removed]";
    } else if (rules->ibans && (len = tkt_redact_iban(text, n, at)) > 0) {
        *instead = "[IBAN removed]";
    } else if (rules->passwords && (len = tkt_redact_password(text, n, at, skip)) > 0) {
        *instead = "[password removed]";
    }
    for (size_t i = 0; i < rules->pattern_count && len == 0; i++) {
        len = tkt_redact_pattern(text, n, at, rules->patterns[i]);
        *skip = 0;
        *instead = "[removed]";
    }
    return len;
}

/* Scripts without blanks (from the kana on) begin a word everywhere, and digits begin one
 * behind any of other scripts. */
static bool begins_word(const char *text, size_t at)
{
    unsigned char c = (unsigned char)text[at];

    if (at == 0 || !tkt_redact_is_word(text[at - 1]) || !tkt_redact_is_word(text[at])) {
        return true;
    }
    bool behind_other = (unsigned char)text[at - 1] >= 0x80;
    bool behind_wide = behind_other && at >= 3 && (unsigned char)text[at - 3] >= 0xe3;
    return c >= 0xe3 || (behind_other && tkt_redact_is_digit(text[at])) ||
           (behind_wide && c < 0x80);
}

int tkt_redact_add(struct tkt_buf *out, const char *text, size_t n,
                   const struct tkt_redact_rules *rules, size_t *count)
{
    size_t kept = 0; /* up to here it is in out */
    size_t times = 0;

    for (size_t at = 0; at < n && !out->failed;) {
        bool begins = begins_word(text, at);
        size_t skip = 0;
        const char *instead = "";
        size_t len = begins && !tkt_redact_is_space(text[at])
                         ? find(text, n, at, rules, &skip, &instead)
                         : 0;
        if (len == 0) {
            at++;
            continue;
        }
        tkt_buf_add(out, text + kept, at + skip - kept);
        tkt_buf_adds(out, instead);
        at += skip + len;
        kept = at;
        times++;
    }
    if (n > kept) {
        tkt_buf_add(out, text + kept, n - kept);
    }
    if (count != NULL) {
        *count = times;
    }
    return out->failed ? -1 : 0;
}

/* ---- patterns ---- */

/* One character of a pattern against the text: bytes taken there, 0 = no match. */
static size_t match_one(const char *p, const char *text, size_t n)
{
    if (n == 0) {
        return 0;
    }
    size_t whole = 1; /* a character of UTF-8 is one for '?' and '@' */
    while (whole < n && whole < 4 && ((unsigned char)text[whole] & 0xc0) == 0x80 &&
           (unsigned char)text[0] >= 0xc0) {
        whole++;
    }
    switch (*p) {
    case '#':
        return tkt_redact_is_digit(*text) ? 1 : 0;
    case '@':
        return tkt_redact_is_letter(*text) ? whole : 0;
    case '?':
        return tkt_redact_is_space(*text) ? 0 : whole;
    default: {
        char want = *p == '\\' ? p[1] : *p;
        bool letter = (want | 0x20) >= 'a' && (want | 0x20) <= 'z';
        return *text == want || (letter && (*text | 0x20) == (want | 0x20)) ? 1 : 0;
    }
    }
}

#define MATCH_MAX 128 /* bytes of text that a pattern takes at most */

/* Up to a blank, without the stop of a sentence. */
static size_t rest_of_word(const char *text, size_t end, size_t at)
{
    size_t i = at;

    while (i < end && !tkt_redact_is_space(text[i])) {
        i++;
    }
    while (i > at && strchr(".,;:!?)", text[i - 1]) != NULL) {
        i--;
    }
    return i - at;
}

size_t tkt_redact_pattern(const char *text, size_t n, size_t at, const char *pattern)
{
    const char *p = pattern;
    const char *star = NULL; /* where the pattern goes on behind the last '*' */
    size_t end = TKT_MIN(n, at + MATCH_MAX);
    size_t i = at;
    size_t star_at = 0;

    while (end < n && end > at && ((unsigned char)text[end] & 0xc0) == 0x80) {
        end--; /* not within a character */
    }
    for (;;) {
        bool word_ends = i >= n || i == at || !tkt_redact_is_word(text[i]) ||
                         !tkt_redact_is_word(text[i - 1]);
        if (*p == '\0' && star == p) {
            return i - at + rest_of_word(text, end, i); /* "*" at the end */
        }
        if (*p == '\0' && word_ends) {
            return i - at;
        }
        if (*p == '*') {
            star = ++p;
            star_at = i;
            continue;
        }
        size_t blanks = 0;
        while (*p == ' ' && i + blanks < end && tkt_redact_is_space(text[i + blanks])) {
            blanks++;
        }
        size_t used = *p == '\0'  ? 0
                      : *p == ' ' ? blanks
                                  : match_one(p, text + i, end - i);
        if (used > 0) {
            p += *p == '\\' ? 2 : 1;
            i += used;
        } else if (star != NULL && star_at < end && !tkt_redact_is_space(text[star_at])) {
            i = ++star_at; /* the '*' takes one more */
            p = star;
        } else {
            return 0;
        }
    }
}
