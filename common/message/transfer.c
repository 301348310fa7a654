/* SPDX-License-Identifier: BSD-2-Clause */
#include "message/transfer.h"

#include "base/enc.h"
#include "base/util.h"

#include <string.h>

enum tkt_transfer_kind tkt_transfer_kind_of(const char *value)
{
    if (tkt_ascii_ieq(value, "base64")) {
        return TKT_TRANSFER_BASE64;
    }
    if (tkt_ascii_ieq(value, "quoted-printable")) {
        return TKT_TRANSFER_QP;
    }
    return TKT_TRANSFER_IDENTITY;
}

void tkt_transfer_init(struct tkt_transfer *t, enum tkt_transfer_kind kind)
{
    memset(t, 0, sizeof(*t));
    t->kind = kind;
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

static int base64_digit(unsigned char c)
{
    if (c >= 'A' && c <= 'Z') {
        return c - 'A';
    }
    if (c >= 'a' && c <= 'z') {
        return c - 'a' + 26;
    }
    if (c >= '0' && c <= '9') {
        return c - '0' + 52;
    }
    if (c == '+' || c == '-') {
        return 62;
    }
    return c == '/' || c == '_' ? 63 : -1;
}

/* The one or two bytes of an unfinished group; it starts afresh. */
static size_t base64_flush(struct tkt_transfer *t, char out[2])
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

static int feed_base64(struct tkt_transfer *t, const unsigned char *p, size_t n,
                       struct tkt_buf *out)
{
    char chunk[3072] = "";
    size_t len = 0;

    for (size_t i = 0; i < n; i++) {
        int v = base64_digit(p[i]);
        if (v >= 0) {
            t->bits = t->bits << 6 | (unsigned)v;
            if (++t->count == 4) {
                chunk[len++] = (char)(t->bits >> 16);
                chunk[len++] = (char)(t->bits >> 8);
                chunk[len++] = (char)t->bits;
                t->bits = 0;
                t->count = 0;
            }
        } else if (p[i] == '=') {
            len += base64_flush(t, chunk + len);
        }
        if (len > sizeof(chunk) - 3) {
            if (add_fitting(out, chunk, len) < 0) {
                return -1;
            }
            len = 0;
        }
    }
    return add_fitting(out, chunk, len);
}

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
    if (is_blank(t->held[1]) && (is_blank(c) || c == '\r')) {
        t->count = 1; /* "=   \r\n": blanks behind a soft break are not text */
        return QP_MORE;
    }
    return tkt_hex_decode(hex, 2, byte, 1) > 0 ? QP_BYTE : QP_LITERAL;
}

static int feed_qp(struct tkt_transfer *t, const char *p, size_t n, struct tkt_buf *out)
{
    size_t i = 0;

    while (i < n) {
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

int tkt_transfer_feed(struct tkt_transfer *t, const void *data, size_t n,
                      struct tkt_buf *out)
{
    switch (t->kind) {
    case TKT_TRANSFER_BASE64:
        return feed_base64(t, data, n, out);
    case TKT_TRANSFER_QP:
        return feed_qp(t, data, n, out);
    case TKT_TRANSFER_IDENTITY:
        break;
    }
    return add_fitting(out, data, n);
}

int tkt_transfer_end(struct tkt_transfer *t, struct tkt_buf *out)
{
    char rest[4] = "";
    size_t n = 0;

    if (t->kind == TKT_TRANSFER_BASE64) {
        n = base64_flush(t, rest);
    } else if (t->kind == TKT_TRANSFER_QP && t->count > 1 && !is_blank(t->held[1]) &&
               t->held[1] != '\r') {
        n = t->count;
        memcpy(rest, t->held, n);
    }
    t->count = 0;
    return add_fitting(out, rest, n);
}
