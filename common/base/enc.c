/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/enc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char hexdigits[] = "0123456789abcdef";
static const char base32digits[] = "abcdefghijklmnopqrstuvwxyz234567";

static int hexval(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

void tkt_hex_encode(const void *data, size_t n, char *out)
{
    const unsigned char *p = data;

    for (size_t i = 0; i < n; i++) {
        *out++ = hexdigits[p[i] >> 4];
        *out++ = hexdigits[p[i] & 15];
    }
    *out = '\0';
}

int tkt_hex_decode(const char *hex, size_t len, void *out, size_t max)
{
    unsigned char *o = out;

    if (len % 2 != 0 || len / 2 > max) {
        return -1;
    }
    for (size_t i = 0; i < len; i += 2) {
        int hi = hexval(hex[i]);
        int lo = hexval(hex[i + 1]);
        if (hi < 0 || lo < 0) {
            return -1;
        }
        *o++ = (unsigned char)(hi << 4 | lo);
    }
    return (int)(len / 2);
}

void tkt_base32_encode(const void *data, size_t n, char *out)
{
    const unsigned char *p = data;
    unsigned bits = 0;
    int have = 0;

    for (size_t i = 0; i < n; i++) {
        bits = bits << 8 | p[i];
        for (have += 8; have >= 5; have -= 5) {
            *out++ = base32digits[bits >> (have - 5) & 31];
        }
    }
    if (have > 0) {
        *out++ = base32digits[bits << (5 - have) & 31];
    }
    *out = '\0';
}

int tkt_base32_decode(const char *s, size_t len, void *out, size_t max)
{
    unsigned char *o = out;
    size_t written = 0;
    unsigned bits = 0;
    int have = 0;

    for (size_t i = 0; i < len; i++) {
        char c = s[i] >= 'A' && s[i] <= 'Z' ? (char)(s[i] | 0x20) : s[i];
        const char *at = c == '\0' ? NULL : strchr(base32digits, c);
        if (at == NULL) {
            return -1;
        }
        bits = bits << 5 | (unsigned)(at - base32digits);
        have += 5;
        if (have >= 8) {
            have -= 8;
            if (written == max) {
                return -1;
            }
            o[written++] = (unsigned char)(bits >> have & 255);
        }
    }
    return (int)written;
}

int tkt_percent_add(struct tkt_buf *b, const void *data, size_t n)
{
    const unsigned char *p = data;
    size_t start = 0;

    for (size_t i = 0; i < n; i++) {
        if (p[i] == '%' || p[i] < 0x20 || p[i] > 0x7e) {
            char esc[3] = {'%', hexdigits[p[i] >> 4], hexdigits[p[i] & 15]};
            tkt_buf_add(b, p + start, i - start);
            tkt_buf_add(b, esc, sizeof(esc));
            start = i + 1;
        }
    }
    return tkt_buf_add(b, p + start, n - start);
}

long tkt_percent_decode(char *s, size_t len)
{
    char *out = s;

    for (size_t i = 0; i < len; i++) {
        if (s[i] != '%') {
            *out++ = s[i];
            continue;
        }
        if (len - i < 3 || hexval(s[i + 1]) < 0 || hexval(s[i + 2]) < 0) {
            return -1;
        }
        *out++ = (char)(hexval(s[i + 1]) << 4 | hexval(s[i + 2]));
        i += 2;
    }
    return out - s;
}

/* Length of the well-formed character at p (n > 0 bytes left), or 0. RFC 3629 section 4. */
static size_t utf8_len(const unsigned char *p, size_t n)
{
    unsigned char lo = 0x80;
    unsigned char hi = 0xbf;
    size_t need;

    if (p[0] < 0x80) {
        return 1;
    }
    if (p[0] >= 0xc2 && p[0] <= 0xdf) {
        need = 2;
    } else if (p[0] >= 0xe0 && p[0] <= 0xef) {
        need = 3;
        lo = p[0] == 0xe0 ? 0xa0 : lo;
        hi = p[0] == 0xed ? 0x9f : hi;
    } else if (p[0] >= 0xf0 && p[0] <= 0xf4) {
        need = 4;
        lo = p[0] == 0xf0 ? 0x90 : lo;
        hi = p[0] == 0xf4 ? 0x8f : hi;
    } else {
        return 0;
    }
    if (n < need || p[1] < lo || p[1] > hi) {
        return 0;
    }
    for (size_t i = 2; i < need; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    return need;
}

/* Bytes of ASCII without NUL at the start of p, eight at a time; there may be more. */
static size_t ascii_run(const unsigned char *p, size_t n)
{
    size_t i = 0;

    for (; n - i >= 8; i += 8) {
        uint64_t v;
        memcpy(&v, p + i, sizeof(v));
        if (((v | (v - UINT64_C(0x0101010101010101))) & UINT64_C(0x8080808080808080)) !=
            0) {
            break;
        }
    }
    return i;
}

bool tkt_utf8_valid(const void *data, size_t n)
{
    const unsigned char *p = data;

    for (size_t i = ascii_run(p, n); i < n; i += ascii_run(p + i, n - i)) {
        size_t len = utf8_len(p + i, n - i);
        if (len == 0) {
            return false;
        }
        i += len;
    }
    return true;
}

int tkt_utf8_add_clean(struct tkt_buf *b, const void *data, size_t n)
{
    const unsigned char *p = data;
    size_t start = 0;
    size_t i = 0;

    while (i < n) {
        i += ascii_run(p + i, n - i);
        if (i == n) {
            break;
        }
        size_t len = p[i] == '\0' ? 0 : utf8_len(p + i, n - i);
        if (len > 0) {
            i += len;
            continue;
        }
        tkt_buf_add(b, p + start, i - start);
        tkt_buf_add(b, "\xef\xbf\xbd", 3);
        start = ++i;
    }
    return tkt_buf_add(b, p + start, n - start);
}

size_t tkt_utf8_put(uint32_t cp, char out[4])
{
    if (cp < 0x80) {
        out[0] = (char)cp;
        return 1;
    }
    if (cp < 0x800) {
        out[0] = (char)(0xc0 | cp >> 6);
        out[1] = (char)(0x80 | (cp & 0x3f));
        return 2;
    }
    if (cp < 0x10000) {
        out[0] = (char)(0xe0 | cp >> 12);
        out[1] = (char)(0x80 | (cp >> 6 & 0x3f));
        out[2] = (char)(0x80 | (cp & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | (cp >> 18 & 7));
    out[1] = (char)(0x80 | (cp >> 12 & 0x3f));
    out[2] = (char)(0x80 | (cp >> 6 & 0x3f));
    out[3] = (char)(0x80 | (cp & 0x3f));
    return 4;
}

size_t tkt_utf8_cut(const char *s, size_t len, size_t max)
{
    if (len <= max) {
        return len;
    }
    while (max > 0 && ((unsigned char)s[max] & 0xc0) == 0x80) {
        max--;
    }
    return max;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

void tkt_ascii_lower(char *s)
{
    for (; *s != '\0'; s++) {
        *s = lower(*s);
    }
}

bool tkt_ascii_ieqn(const char *a, const char *b, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (lower(a[i]) != lower(b[i])) {
            return false;
        }
        if (a[i] == '\0') {
            return true;
        }
    }
    return true;
}

bool tkt_ascii_ieq(const char *a, const char *b)
{
    return tkt_ascii_ieqn(a, b, strlen(a) + 1);
}

int tkt_parse_int(const char *s, int64_t min, int64_t max, int64_t *out)
{
    bool negative = s[0] == '-';
    int64_t v = 0;

    s += negative ? 1 : 0;
    if (*s == '\0') {
        return -1;
    }
    for (; *s != '\0'; s++) {
        if (*s < '0' || *s > '9' || __builtin_mul_overflow(v, 10, &v) ||
            __builtin_add_overflow(v, *s - '0', &v)) {
            return -1;
        }
    }
    v = negative ? -v : v;
    if (v < min || v > max) {
        return -1;
    }
    *out = v;
    return 0;
}

int tkt_json_add_string(struct tkt_buf *b, const char *s, size_t n)
{
    const unsigned char *p = (const unsigned char *)s;

    tkt_buf_addc(b, '"');
    for (size_t i = 0; i < n;) {
        size_t len = utf8_len(p + i, n - i);
        if (len == 0) {
            tkt_buf_adds(b, "\xef\xbf\xbd");
            i++;
        } else if (p[i] < 0x20 || p[i] == 0x7f) {
            tkt_buf_addf(b, "\\u%04x", p[i]);
            i++;
        } else {
            if (p[i] == '"' || p[i] == '\\') {
                tkt_buf_addc(b, '\\');
            }
            tkt_buf_add(b, p + i, len);
            i += len;
        }
    }
    return tkt_buf_addc(b, '"');
}
