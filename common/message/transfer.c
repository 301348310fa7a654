/* SPDX-License-Identifier: BSD-2-Clause */
#include "message/transfer.h"

#include "base/enc.h"
#include "base/util.h"
#include "message/uucode.h"

#include <stdint.h>
#include <string.h>

#define WATCHES_MAX 64 /* some encoders pad every line; each watch costs a second look */

enum tkt_transfer_kind tkt_transfer_kind_of(const char *value)
{
    static const struct {
        const char *name;
        enum tkt_transfer_kind kind;
    } kinds[] = {{"base64", TKT_TRANSFER_BASE64}, {"quoted-printable", TKT_TRANSFER_QP},
                 {"x-uuencode", TKT_TRANSFER_UU}, {"x-uue", TKT_TRANSFER_UU},
                 {"x-uu", TKT_TRANSFER_UU},       {"uuencode", TKT_TRANSFER_UU}};

    for (size_t i = 0; i < TKT_ARRAY_LEN(kinds); i++) {
        if (tkt_ascii_ieq(value, kinds[i].name)) {
            return kinds[i].kind;
        }
    }
    return TKT_TRANSFER_IDENTITY;
}

void tkt_transfer_init(struct tkt_transfer *t, enum tkt_transfer_kind kind)
{
    memset(t, 0, sizeof(*t));
    t->kind = kind;
}

void tkt_transfer_init_body(struct tkt_transfer *t, enum tkt_transfer_kind kind,
                            bool is_text)
{
    tkt_transfer_init(t, kind);
    t->is_text = is_text;
    t->watches = WATCHES_MAX;
    t->state = kind == TKT_TRANSFER_BASE64 ? TKT_TRANSFER_START : TKT_TRANSFER_RUN;
}

/* As much as fits; -1 when that was not all. */
static int add_fitting(struct tkt_buf *out, const void *data, size_t n)
{
    size_t room = out->max - out->len;

    if (n == 0) {
        return 0;
    }
    tkt_buf_add(out, data, TKT_MIN(n, room));
    return n > room || out->failed ? -1 : 0;
}

/* ---- base64 ---- */

#define NO_DIGIT 0x80 /* and above: one bit tells whether any of four is none */

/* The alphabet for URLs and file names is read, too, but not in the fast loop: "____" on
 * a line of its own is what lists draw. */
#define URL_DIGIT 0xc0
#define XX NO_DIGIT
#define UU URL_DIGIT
/* clang-format off */
static const uint8_t digits[256] = {
    XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX,
    XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX,
    XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, 62, XX, UU + 62, XX, 63,
    52, 53, 54, 55, 56, 57, 58, 59, 60, 61, XX, XX, XX, XX, XX, XX,
    XX, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
    15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, XX, XX, XX, XX, UU + 63,
    XX, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40,
    41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, XX, XX, XX, XX, XX,
    [128 ... 255] = XX,
};
/* clang-format on */
#undef XX
#undef UU

static bool is_digit(char c)
{
    uint8_t v = digits[(unsigned char)c];

    return v < NO_DIGIT || v >= URL_DIGIT;
}

bool tkt_transfer_is_base64(char c)
{
    return is_digit(c) || c == '=';
}

/* The one or two bytes of an unfinished group; it starts afresh. */
static size_t base64_flush(struct tkt_transfer *t, char *out)
{
    size_t n = t->count == 3 ? 2 : t->count == 2 ? 1 : 0;

    if (n == 2) {
        out[0] = (char)(t->bits >> 10);
        out[1] = (char)(t->bits >> 2);
    } else if (n == 1) {
        out[0] = (char)(t->bits >> 4);
    }
    t->bits = 0;
    t->count = 0;
    return n;
}

/* Groups of four digits in a row, as many as there are; returns the bytes read. */
static size_t base64_groups(const unsigned char *p, size_t n, char **out)
{
    unsigned char *to = (unsigned char *)*out;
    size_t i = 0;

    for (; n - i >= 4; i += 4, to += 3) {
        unsigned a = digits[p[i]];
        unsigned b = digits[p[i + 1]];
        unsigned c = digits[p[i + 2]];
        unsigned d = digits[p[i + 3]];
        if (((a | b | c | d) & NO_DIGIT) != 0) {
            break;
        }
        to[0] = (unsigned char)(a << 2 | b >> 4);
        to[1] = (unsigned char)(b << 4 | c >> 2);
        to[2] = (unsigned char)(c << 6 | d);
    }
    *out = (char *)to;
    return i;
}

/* Up to a padding whose tail is to be watched; returns the bytes read. out has room for
 * 3 bytes for each 4 that come, and 5 more. */
static size_t base64_run(struct tkt_transfer *t, const unsigned char *p, size_t n,
                         char **out)
{
    size_t i = 0;

    while (i < n) {
        if (t->count == 0) {
            size_t groups = base64_groups(p + i, n - i, out);
            t->is_line_begun = t->is_line_begun && groups == 0;
            i += groups;
            if (i == n) {
                break;
            }
        }
        unsigned char c = p[i];
        bool begins_line = t->is_line_begun;
        t->is_line_begun = c == '\n';
        if (begins_line && t->count == 0 && t->watches > 0 &&
            strchr("_-*#~", c) != NULL && c != '\0') {
            t->watches--;
            t->is_line_begun = false;
            t->state = TKT_TRANSFER_LINE;
            break;
        }
        i++;
        if (is_digit((char)c)) {
            t->bits = t->bits << 6 | (digits[c] & 63U);
            if (++t->count == 4) {
                *(*out)++ = (char)(t->bits >> 16);
                *(*out)++ = (char)(t->bits >> 8);
                *(*out)++ = (char)t->bits;
                t->bits = 0;
                t->count = 0;
            }
        } else if (c == '=') {
            size_t flushed = base64_flush(t, *out);
            *out += flushed;
            if (flushed > 0 && t->watches > 0) {
                t->watches--;
                t->state = TKT_TRANSFER_TAIL;
                break;
            }
        }
    }
    return i;
}

/* Decodes in slices when out might not hold all of it. */
static int base64_add(struct tkt_transfer *t, const char *p, size_t n, size_t *used,
                      struct tkt_buf *out)
{
    char chunk[3072 + 8];
    size_t want = n / 4 * 3 + 8;
    bool direct = want <= out->max - out->len && tkt_buf_reserve(out, want) == 0;

    if (direct) {
        char *to = out->data + out->len;
        *used = base64_run(t, (const unsigned char *)p, n, &to);
        out->len = (size_t)(to - out->data);
        out->data[out->len] = '\0';
        return 0;
    }
    char *to = chunk;
    *used = base64_run(t, (const unsigned char *)p, TKT_MIN(n, 4096), &to);
    return add_fitting(out, chunk, (size_t)(to - chunk));
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Prose has blanks between its words, and commas. Behind a padding one such byte is
 * enough, and the lines that lists draw ("____", "-- ") are none of it. */
static bool looks_like_base64(const char *p, size_t n, bool is_tail)
{
    size_t strange = 0;
    size_t seen = 0;

    for (size_t i = 0; i < n; i++) {
        bool inner_blank = (p[i] == ' ' || p[i] == '\t') && i > 0 && i + 1 < n &&
                           !is_space(p[i - 1]) && !is_space(p[i + 1]);
        bool digit = tkt_transfer_is_base64(p[i]);
        digit = digit && !(is_tail && (p[i] == '-' || p[i] == '_'));
        strange += inner_blank || (!digit && !is_space(p[i])) ? 1 : 0;
        seen += !is_space(p[i]) ? 1 : 0;
    }
    return is_tail ? strange == 0 : strange < 2 || strange * 16 < seen;
}

/* "____", "----", "****", or the "-- " above a signature. */
static bool is_drawn_line(const char *p, size_t n)
{
    return (n > 2 && p[0] == p[1] && p[1] == p[2]) ||
           (n > 1 && p[0] == '-' && p[1] == '-' && (n == 2 || is_space(p[2])));
}

/* What is held has been enough to judge it. */
static int judge(struct tkt_transfer *t, struct tkt_buf *out)
{
    size_t n = t->held_len;
    size_t at = 0;
    bool at_start = t->state == TKT_TRANSFER_START;
    bool good = t->state == TKT_TRANSFER_LINE ? !is_drawn_line(t->held, n)
                                              : looks_like_base64(t->held, n, !at_start);

    t->held_len = 0;
    if (!good) {
        t->state = at_start || t->is_text ? TKT_TRANSFER_COPY : TKT_TRANSFER_STOP;
        return t->state == TKT_TRANSFER_COPY ? add_fitting(out, t->held, n) : 0;
    }
    t->state = TKT_TRANSFER_RUN;
    while (at < n) {
        size_t used = 0;
        if (base64_add(t, t->held + at, n - at, &used, out) < 0) {
            return -1;
        }
        at += used;
        if (t->state != TKT_TRANSFER_RUN) {
            /* A padding within what was held, or a line: its rest is held anew. */
            memmove(t->held, t->held + at, n - at);
            t->held_len = n - at;
            return 0;
        }
    }
    return 0;
}

/* Whether what is held so far is enough: all it may be, or in the tail a line. */
static bool is_enough(const struct tkt_transfer *t)
{
    if (t->held_len == sizeof(t->held)) {
        return true;
    }
    if (t->state == TKT_TRANSFER_LINE) {
        return t->held_len > 3;
    }
    if (t->state != TKT_TRANSFER_TAIL || t->held_len == 0) {
        return false;
    }
    size_t i = 0;
    while (i < t->held_len && (is_space(t->held[i]) || t->held[i] == '=')) {
        i++;
    }
    return memchr(t->held + i, '\n', t->held_len - i) != NULL;
}

static int feed_base64(struct tkt_transfer *t, const char *p, size_t n,
                       struct tkt_buf *out)
{
    size_t i = 0;

    while (i < n || is_enough(t)) {
        size_t used = 0;
        switch (t->state) {
        case TKT_TRANSFER_STOP:
            return 0;
        case TKT_TRANSFER_COPY:
            return add_fitting(out, p + i, n - i);
        case TKT_TRANSFER_START:
        case TKT_TRANSFER_TAIL:
        case TKT_TRANSFER_LINE:
            if (!is_enough(t)) {
                t->held[t->held_len++] = p[i++];
            } else if (judge(t, out) < 0) {
                return -1;
            }
            break;
        case TKT_TRANSFER_RUN:
            if (base64_add(t, p + i, n - i, &used, out) < 0) {
                return -1;
            }
            i += used;
            break;
        }
    }
    return 0;
}

static int end_base64(struct tkt_transfer *t, struct tkt_buf *out)
{
    char rest[2] = "";

    while (t->held_len > 0) {
        size_t before = t->held_len;
        enum tkt_transfer_state state = t->state;
        if (judge(t, out) < 0) {
            return -1;
        }
        if (t->held_len >= before && t->state == state) {
            break; /* nothing of it was taken */
        }
    }
    if (t->state == TKT_TRANSFER_COPY || t->state == TKT_TRANSFER_STOP) {
        return 0;
    }
    return add_fitting(out, rest, base64_flush(t, rest));
}

/* ---- quoted-printable ---- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* What the held bytes plus c mean: an escape done (its byte in *byte), a soft line break
 * done, more needed, or no escape at all. */
enum qp_step {
    QP_BYTE,
    QP_NOTHING,
    QP_MORE,
    QP_LITERAL
};

static enum qp_step qp_escape(struct tkt_transfer *t, char c, char *byte)
{
    char hex[2] = {t->held[1], c};

    if (c == '\n') {
        return t->count == 1 || is_blank(t->held[1]) || t->held[1] == '\r' ? QP_NOTHING
                                                                           : QP_LITERAL;
    }
    if (t->count == 1) {
        return is_blank(c) || c == '\r' ||
                       tkt_hex_decode((char[2]){c, '0'}, 2, byte, 1) > 0
                   ? QP_MORE
                   : QP_LITERAL;
    }
    if ((is_blank(t->held[1]) || t->held[1] == '\r') && (is_blank(c) || c == '\r')) {
        t->count = 1; /* "=   \r\r\n": blanks behind a soft break are not text */
        return QP_MORE;
    }
    return tkt_hex_decode(hex, 2, byte, 1) > 0 ? QP_BYTE : QP_LITERAL;
}

/* 16: none. */
static unsigned hex_value(char c)
{
    unsigned digit = (unsigned char)c - '0';
    unsigned letter = ((unsigned char)c | 0x20U) - 'a';

    return digit < 10 ? digit : letter < 6 ? letter + 10 : 16;
}

/* What begins with the '=' at p[0], one more byte at least behind it, as qp_escape()
 * would take it: how many bytes were read, 0 when it goes on past p[n]. */
static size_t qp_token(const char *p, size_t n, char **out)
{
    unsigned high = hex_value(p[1]);
    unsigned low = n > 2 ? hex_value(p[2]) : 16;
    size_t i = 1;

    if (high < 16 && n > 2 && low < 16) {
        *(*out)++ = (char)(high << 4 | low);
        return 3;
    }
    if (high < 16 && n == 2) {
        return 0;
    }
    while (i < n && (is_blank(p[i]) || p[i] == '\r')) {
        i++;
    }
    if (i == n) {
        return 0;
    }
    if (p[i] == '\n') {
        return i + 1; /* a soft line break */
    }
    *(*out)++ = '=';
    if (i > 1) {
        *(*out)++ = p[i - 1];
    }
    return i;
}

/* Plain bytes and whole escapes, up to one that goes on past the end. The room is there:
 * nothing grows. Returns the bytes read. */
static size_t qp_run(const char *p, size_t n, char **out)
{
    size_t i = 0;

    while (i < n) {
        const char *eq = p[i] == '=' ? p + i : memchr(p + i, '=', n - i);
        size_t plain = eq == NULL ? n - i : (size_t)(eq - (p + i));
        memcpy(*out, p + i, plain);
        *out += plain;
        i += plain;
        size_t read = n - i < 2 ? 0 : qp_token(p + i, n - i, out);
        if (read == 0) {
            break;
        }
        i += read;
    }
    return i;
}

static int feed_qp(struct tkt_transfer *t, const char *p, size_t n, struct tkt_buf *out)
{
    size_t i = 0;

    while (i < n) {
        if (t->count == 0 && n - i <= out->max - out->len &&
            tkt_buf_reserve(out, n - i) == 0) {
            char *to = out->data + out->len;
            i += qp_run(p + i, n - i, &to);
            out->len = (size_t)(to - out->data);
            out->data[out->len] = '\0';
            if (i == n) {
                break;
            }
        }
        if (t->count == 0) {
            const char *eq = memchr(p + i, '=', n - i);
            size_t plain = eq == NULL ? n - i : (size_t)(eq - (p + i));
            if (add_fitting(out, p + i, plain) < 0) {
                return -1;
            }
            i += plain;
            if (eq != NULL) {
                t->held[t->count++] = '=';
                i++;
            }
            continue;
        }
        char byte = 0;
        enum qp_step step = qp_escape(t, p[i], &byte);
        if (step == QP_MORE) {
            t->held[t->count++] = p[i++];
            continue;
        }
        size_t held = t->count;
        t->count = 0;
        if (step == QP_LITERAL) {
            /* p[i] is looked at again: it may start an escape of its own. */
            if (add_fitting(out, t->held, held) < 0) {
                return -1;
            }
            continue;
        }
        i++;
        if (step == QP_BYTE && add_fitting(out, &byte, 1) < 0) {
            return -1;
        }
    }
    return 0;
}

static int end_qp(struct tkt_transfer *t, struct tkt_buf *out)
{
    size_t n = t->count;

    t->count = 0;
    return n > 1 && !is_blank(t->held[1]) && t->held[1] != '\r'
               ? add_fitting(out, t->held, n)
               : 0;
}

/* ---- uuencode ---- */

static int uu_line(struct tkt_transfer *t, struct tkt_buf *out)
{
    struct tkt_uu_begin begin;
    char bytes[TKT_UU_BYTES_MAX];
    size_t n = t->held_len;

    t->held_len = 0;
    if (t->count == 0) {
        t->count = tkt_uu_begin(t->held, n, &begin) ? 1 : 0;
        return 0;
    }
    if (tkt_uu_is_end(t->held, n)) {
        t->state = TKT_TRANSFER_STOP;
        return 0;
    }
    int len = tkt_uu_decode(t->held, n, bytes);
    return len > 0 ? add_fitting(out, bytes, (size_t)len) : 0;
}

/* A line longer than what is held is no line of it: its rest is passed over. */
static int feed_uu(struct tkt_transfer *t, const char *p, size_t n, struct tkt_buf *out)
{
    for (size_t i = 0; i < n && t->state == TKT_TRANSFER_RUN; i++) {
        if (p[i] == '\n') {
            if (uu_line(t, out) < 0) {
                return -1;
            }
        } else if (p[i] != '\r' && t->held_len < sizeof(t->held)) {
            t->held[t->held_len++] = p[i];
        }
    }
    return 0;
}

int tkt_transfer_feed(struct tkt_transfer *t, const void *data, size_t n,
                      struct tkt_buf *out)
{
    switch (t->kind) {
    case TKT_TRANSFER_BASE64:
        return feed_base64(t, data, n, out);
    case TKT_TRANSFER_QP:
        return feed_qp(t, data, n, out);
    case TKT_TRANSFER_UU:
        return feed_uu(t, data, n, out);
    case TKT_TRANSFER_IDENTITY:
        break;
    }
    return add_fitting(out, data, n);
}

int tkt_transfer_end(struct tkt_transfer *t, struct tkt_buf *out)
{
    switch (t->kind) {
    case TKT_TRANSFER_BASE64:
        return end_base64(t, out);
    case TKT_TRANSFER_QP:
        return end_qp(t, out);
    case TKT_TRANSFER_UU:
        return t->state == TKT_TRANSFER_RUN ? uu_line(t, out) : 0;
    case TKT_TRANSFER_IDENTITY:
        break;
    }
    return 0;
}
