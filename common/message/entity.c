/* SPDX-License-Identifier: BSD-2-Clause */
#include "message/entity.h"

#include "base/enc.h"
#include "base/util.h"
#include "message/entity_table.h"

#include <stdint.h>
#include <string.h>

#define LEGACY_MIN 2 /* the shortest and the longest name that needs no semicolon */
#define LEGACY_MAX 6
#define DIGITS_MAX 16

static bool is_alnum(char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

/* HTML reads 0x80 to 0x9f as windows-1252, because that is what their writers meant. */
static uint32_t meant(uint32_t c)
{
    static const uint16_t windows[32] = {
        0x20ac, 0,      0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021,
        0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0,      0x017d, 0,
        0,      0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014,
        0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0,      0x017e, 0x0178,
    };

    if (c >= 0x80 && c < 0xa0) {
        c = windows[c - 0x80];
    }
    if (c == '\t' || c == '\n' || c == '\r' || c == '\f') {
        return ' ';
    }
    bool bad = c < ' ' || c == 0x7f || (c >= 0xd800 && c < 0xe000) || c > 0x10ffff;
    return bad ? 0xfffd : c;
}

static size_t read_number(const char *p, size_t n, char *out, size_t *len)
{
    bool hex = n > 2 && (p[2] | 0x20) == 'x';
    size_t first = hex ? 3 : 2;
    size_t at = first;
    uint32_t c = 0;

    for (; at < n && at - first < DIGITS_MAX; at++) {
        char d = (char)(p[at] | 0x20);
        if (p[at] >= '0' && p[at] <= '9') {
            c = c * (hex ? 16 : 10) + (uint32_t)(p[at] - '0');
        } else if (hex && d >= 'a' && d <= 'f') {
            c = c * 16 + (uint32_t)(d - 'a' + 10);
        } else {
            break;
        }
        c = TKT_MIN(c, 0x110000u); /* stays none whatever follows */
    }
    if (at == first) {
        return 0;
    }
    *len = tkt_utf8_put(meant(c), out);
    return at + (at < n && p[at] == ';' ? 1 : 0);
}

/* The row of a name: its text behind '=' or ':' (the old ones); NULL when unknown. */
static const char *find(const char *name, size_t n, size_t *text_len)
{
    size_t low = 0;
    size_t high = ENTITY_COUNT;

    while (low < high) {
        size_t mid = (low + high) / 2;
        const char *row = entity_text + entity_at[mid];
        size_t row_len = (size_t)(entity_at[mid + 1] - entity_at[mid]);
        size_t name_len = strcspn(row, "=:");
        int order = memcmp(name, row, TKT_MIN(n, name_len));
        if (order == 0 && n == name_len) {
            *text_len = row_len - name_len - 1;
            return row + name_len;
        }
        if (order < 0 || (order == 0 && n < name_len)) {
            high = mid;
        } else {
            low = mid + 1;
        }
    }
    return NULL;
}

static void take(const char *text, size_t n, char *out, size_t *len)
{
    *len = TKT_MIN(n, (size_t)TKT_ENTITY_TEXT_MAX);
    memcpy(out, text + 1, *len);
}

size_t tkt_entity_read(const char *p, size_t n, bool in_attribute,
                       char out[TKT_ENTITY_TEXT_MAX], size_t *len)
{
    size_t name = 1;
    size_t text_len = 0;

    if (n > 1 && p[1] == '#') {
        return read_number(p, n, out, len);
    }
    while (name < n && name < TKT_ENTITY_MAX && is_alnum(p[name])) {
        name++;
    }
    if (name < n && p[name] == ';') {
        const char *text = find(p + 1, name - 1, &text_len);
        if (text != NULL) {
            take(text, text_len, out, len);
            return name + 1;
        }
    }
    for (size_t k = TKT_MIN(name - 1, (size_t)LEGACY_MAX); k >= LEGACY_MIN; k--) {
        const char *text = find(p + 1, k, &text_len);
        if (text == NULL || *text != ':') {
            continue;
        }
        if (in_attribute && k + 1 < n && (p[k + 1] == '=' || is_alnum(p[k + 1]))) {
            return 0;
        }
        take(text, text_len, out, len);
        return k + 1;
    }
    return 0;
}
