/* SPDX-License-Identifier: BSD-2-Clause */
#include "decide/glob.h"

#include "decide/wordfold.h"

#include <string.h>

const char *tkt_glob_check(const char *glob)
{
    for (const char *p = glob; *p != '\0'; p++) {
        if (*p == '\\') {
            if (*++p == '\0') {
                return "a \\ at its end";
            }
        } else if (*p == '[') {
            const char *inner = p + 1 + (p[1] == '!' || p[1] == '^');
            const char *close = *inner == '\0' ? NULL : strchr(inner + 1, ']');
            if (close == NULL) {
                return "a [ without ]";
            }
            p = close;
        }
    }
    return NULL;
}

/* Of two characters of n and m bytes. */
static int compare(const char *a, size_t n, const char *b, size_t m)
{
    int order = memcmp(a, b, n < m ? n : m);

    return order != 0 ? order : (int)n - (int)m;
}

/* Whether the character s of n bytes is in the class at *glob, which goes behind it. */
static bool in_class(const char **glob, const char *s, size_t n)
{
    const char *p = *glob + 1;
    bool not = *p == '!' || *p == '^';
    bool in = false;
    bool first = true;

    p += not ;
    while (*p != '\0' && (first || *p != ']')) {
        const char *end = p + strlen(p);
        size_t low_n = tkt_wordfold_char(p, end);
        const char *low = p;
        const char *high = p;
        size_t high_n = low_n;
        p += low_n;
        if (p[0] == '-' && p[1] != ']' && p[1] != '\0') {
            high = p + 1;
            high_n = tkt_wordfold_char(high, end);
            p = high + high_n;
        }
        in |= compare(s, n, low, low_n) >= 0 && compare(s, n, high, high_n) <= 0;
        first = false;
    }
    *glob = *p == ']' ? p + 1 : p;
    return in != not ;
}

/* One character of the glob, which is no *: false when s does not begin with it. */
static bool match_one(const char **glob, const char **s, const char *end)
{
    size_t n = tkt_wordfold_char(*s, end);
    const char *at = *s;

    if (**glob == '?') {
        *glob += 1;
        *s += n;
        return true;
    }
    if (**glob == '[') {
        *s += n;
        return in_class(glob, at, n);
    }
    if (**glob == '\\' && (*glob)[1] != '\0') {
        *glob += 1;
    }
    *s += 1;
    return *(*glob)++ == *at;
}

bool tkt_glob_match(const char *glob, const char *s, size_t n)
{
    const char *end = s + n;
    const char *star = NULL; /* behind the last * ... */
    const char *again = s;   /* ... which took everything before this */

    for (;;) {
        if (*glob == '*') {
            star = ++glob;
            again = s;
            continue;
        }
        if (s == end && *glob == '\0') {
            return true;
        }
        if (s < end && *glob != '\0') {
            const char *g = glob;
            const char *t = s;
            if (match_one(&g, &t, end)) {
                glob = g;
                s = t;
                continue;
            }
        }
        if (star == NULL || again >= end) {
            return false;
        }
        glob = star;
        again += tkt_wordfold_char(again, end);
        s = again;
    }
}
