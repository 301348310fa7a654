/* SPDX-License-Identifier: BSD-2-Clause */
#include "message/rfc2047.h"

#include "base/enc.h"
#include "base/util.h"
#include "message/charset.h"
#include "message/transfer.h"

#include <stdbool.h>
#include <string.h>

#define CHARSET_MAX 60

struct word {
    const char *charset;
    size_t charset_len;
    char encoding; /* 'b' or 'q' */
    const char *text;
    size_t text_len;
    size_t used;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* "=?" charset ["*" language] "?" encoding "?" text "?=". Blanks in the text are taken as
 * they come: half of the world's Q encoders write them. */
static bool parse_word(const char *p, size_t n, struct word *w)
{
    if (n < 8 || p[0] != '=' || p[1] != '?') {
        return false;
    }
    const char *end = p + n;
    size_t look = TKT_MIN(n - 2, CHARSET_MAX + 1);
    const char *mark = memchr(p + 2, '?', look);
    if (mark == NULL || mark == p + 2 || end - mark < 5 || mark[2] != '?') {
        return false;
    }
    w->charset = p + 2;
    w->charset_len = (size_t)(mark - w->charset);
    const char *star = memchr(w->charset, '*', w->charset_len);
    if (star != NULL) {
        w->charset_len = (size_t)(star - w->charset);
    }
    w->encoding = (char)(mark[1] | 0x20);
    w->text = mark + 3;
    const char *close = memchr(w->text, '?', (size_t)(end - w->text));
    /* "=?utf-8?Q?=3D?=" and "?Q??=": an inner '?' that closes nothing spoils the word. */
    if ((w->encoding != 'b' && w->encoding != 'q') || close == NULL || close + 1 == end ||
        close[1] != '=') {
        return false;
    }
    w->text_len = (size_t)(close - w->text);
    w->used = (size_t)(close + 2 - p);
    return true;
}

/* The "Q" encoding: quoted-printable without line breaks, and '_' for a blank. */
static void add_q(struct tkt_buf *raw, const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char byte = 0;
        if (p[i] == '=' && n - i > 2 && tkt_hex_decode(p + i + 1, 2, &byte, 1) == 1) {
            tkt_buf_addc(raw, byte);
            i += 2;
        } else {
            tkt_buf_addc(raw, p[i] == '_' ? ' ' : p[i]);
        }
    }
}

static void add_decoded(struct tkt_buf *raw, const struct word *w)
{
    struct tkt_transfer t;

    if (w->encoding == 'q') {
        add_q(raw, w->text, w->text_len);
        return;
    }
    tkt_transfer_init(&t, TKT_TRANSFER_BASE64);
    (void)tkt_transfer_feed(&t, w->text, w->text_len, raw); /* raw is large enough */
    (void)tkt_transfer_end(&t, raw);
}

static bool same_charset(const struct word *a, const struct word *b)
{
    return a->charset_len == b->charset_len &&
           memcmp(a->charset, b->charset, a->charset_len) == 0;
}

size_t tkt_rfc2047_run(struct tkt_buf *out, const char *p, size_t n)
{
    struct word w;

    if (!parse_word(p, n, &w)) {
        return 0;
    }
    TKT_AUTO_BUF struct tkt_buf raw = TKT_BUF_INIT(n);
    size_t used = w.used;
    add_decoded(&raw, &w);
    for (;;) {
        size_t at = used;
        struct word next;
        while (at < n && is_blank(p[at])) {
            at++;
        }
        if (!parse_word(p + at, n - at, &next)) {
            break;
        }
        if (!same_charset(&w, &next)) {
            tkt_charset_add(out, w.charset, w.charset_len, tkt_buf_str(&raw), raw.len,
                            NULL);
            tkt_buf_reset(&raw);
        }
        w = next;
        add_decoded(&raw, &w);
        used = at + w.used;
    }
    tkt_charset_add(out, w.charset, w.charset_len, tkt_buf_str(&raw), raw.len, NULL);
    return used;
}

size_t tkt_header_unfold(char *p, size_t n)
{
    size_t len = 0;

    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)p[i];
        if (c == '\r' || c == '\n') {
            continue;
        }
        p[len++] = (c < ' ' && c != '\t') || c == 0x7f ? ' ' : (char)c;
    }
    return len;
}

/* The text decoded may hold line ends and controls again (=?utf-8?Q?a=0D=0Ab?=). */
static void clean_from(struct tkt_buf *out, size_t from)
{
    for (size_t i = from; i < out->len; i++) {
        unsigned char c = (unsigned char)out->data[i];
        if (c < ' ' || c == 0x7f) {
            out->data[i] = ' ';
        }
    }
}

void tkt_rfc2047_add(struct tkt_buf *out, const char *value, size_t n)
{
    TKT_AUTO_BUF struct tkt_buf flat = TKT_BUF_INIT(n);
    size_t from = out->len;

    if (tkt_buf_add(&flat, value, n) < 0) {
        out->failed = true;
        return;
    }
    flat.len = tkt_header_unfold(flat.data, n);
    size_t start = 0;
    size_t i = 0;
    while (i < flat.len) {
        const char *eq = memchr(flat.data + i, '=', flat.len - i);
        i = eq == NULL ? flat.len : (size_t)(eq - flat.data);
        TKT_AUTO_BUF struct tkt_buf text = TKT_BUF_INIT(4 * n);
        size_t used = i < flat.len ? tkt_rfc2047_run(&text, eq, flat.len - i) : 0;
        if (used > 0 || i == flat.len) {
            tkt_charset_guess(out, flat.data + start, i - start);
            tkt_buf_add(out, tkt_buf_str(&text), text.len);
            i += used;
            start = i;
        } else {
            i++;
        }
    }
    clean_from(out, from);
}
