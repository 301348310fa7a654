/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/util.h"
#include "ticketd/mail/canon.h"

#include <string.h>

/* CR counts as a blank at a line's end, so that CRLF, LF and CRCRLF are one. */
static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

void tkt_canon_flush(struct tkt_canon *c)
{
    if (c->stage_len > 0) {
        c->ops->text(c->arg, c->stage, c->stage_len);
        c->stage_len = 0;
    }
}

static void stage_add(struct tkt_canon *c, const char *p, size_t n)
{
    while (n > 0) {
        size_t take = TKT_MIN(n, sizeof(c->stage) - c->stage_len);

        memcpy(c->stage + c->stage_len, p, take);
        c->stage_len += take;
        p += take;
        n -= take;
        if (c->stage_len == sizeof(c->stage)) {
            tkt_canon_flush(c);
        }
    }
}

/* What was held back is inside the text after all: something follows it. */
static void release_held(struct tkt_canon *c)
{
    for (; c->newlines > 0; c->newlines--) {
        c->stage[c->stage_len++] = '\n';
        if (c->stage_len == sizeof(c->stage)) {
            tkt_canon_flush(c);
        }
    }
    if (c->blank_len > 0) {
        stage_add(c, c->blanks, c->blank_len);
        c->blank_len = 0;
    }
    c->any_text = true;
}

/* A run longer than the buffer goes out in full buffers: that depends on the length of
 * the run alone, never on how it arrived. */
static void hold_blanks(struct tkt_canon *c, const char *p, size_t n)
{
    while (n > 0) {
        size_t take = TKT_MIN(n, sizeof(c->blanks) - c->blank_len);

        memcpy(c->blanks + c->blank_len, p, take);
        c->blank_len += take;
        p += take;
        n -= take;
        if (c->blank_len == sizeof(c->blanks)) {
            c->degraded = true;
            release_held(c);
        }
    }
}

void tkt_canon_segment(struct tkt_canon *c, const char *p, size_t n)
{
    size_t end = n;

    while (end > 0 && is_blank(p[end - 1])) {
        end--;
    }
    if (end > 0) {
        /* Leading blanks join a run that was held back; the cap must see one run. */
        size_t lead = 0;

        while (c->blank_len > 0 && is_blank(p[lead])) {
            lead++;
        }
        hold_blanks(c, p, lead);
        release_held(c);
        stage_add(c, p + lead, end - lead);
    }
    hold_blanks(c, p + end, n - end);
}

void tkt_canon_newline(struct tkt_canon *c)
{
    c->blank_len = 0;
    c->newlines++;
}

void tkt_canon_text(struct tkt_canon *c, const char *p, size_t n)
{
    while (n > 0) {
        const char *lf = memchr(p, '\n', n);
        size_t len = lf == NULL ? n : (size_t)(lf - p);

        tkt_canon_segment(c, p, len);
        if (lf == NULL) {
            return;
        }
        tkt_canon_newline(c);
        p += len + 1;
        n -= len + 1;
    }
}

static int hex_digit(char ch)
{
    if (ch >= '0' && ch <= '9') {
        return ch - '0';
    }
    ch = (char)(ch | 0x20);
    return ch >= 'a' && ch <= 'f' ? ch - 'a' + 10 : -1;
}

/* One byte in decoding order; c->qp holds "=" or "=X" that may become an escape. */
static size_t qp_byte(struct tkt_canon *c, char ch, char *out)
{
    size_t n = 0;

    if (c->qp_len == 0) {
        if (ch == '=') {
            c->qp[c->qp_len++] = ch;
        } else {
            out[n++] = ch;
        }
        return n;
    }
    if (c->qp_len == 1 && hex_digit(ch) >= 0) {
        c->qp[c->qp_len++] = ch;
        return 0;
    }
    if (c->qp_len == 2 && hex_digit(ch) >= 0) {
        out[n++] = (char)(hex_digit(c->qp[1]) << 4 | hex_digit(ch));
        c->qp_len = 0;
        return n;
    }
    memcpy(out, c->qp, c->qp_len); /* no escape: it stands for itself */
    n = c->qp_len;
    c->qp_len = 0;
    return n + qp_byte(c, ch, out + n);
}

static void qp_flush(struct tkt_canon *c)
{
    tkt_canon_text(c, c->qp, c->qp_len);
    c->qp_len = 0;
}

void tkt_canon_qp(struct tkt_canon *c, const char *p, size_t n, bool eol)
{
    char out[3 * 128]; /* a byte gives at most three */
    size_t len = 0;

    while (eol && n > 0 && is_blank(p[n - 1])) {
        n--; /* transport padding, also behind a soft line break */
    }
    for (size_t i = 0; i < n; i++) {
        if (c->qp_len == 0 && p[i] != '=') {
            const char *eq = memchr(p + i, '=', n - i);
            size_t run = eq == NULL ? n - i : (size_t)(eq - (p + i));

            tkt_canon_text(c, out, len);
            len = 0;
            tkt_canon_text(c, p + i, run);
            i += run - 1;
            continue;
        }
        len += qp_byte(c, p[i], out + len);
        if (len > sizeof(out) - 3) {
            tkt_canon_text(c, out, len);
            len = 0;
        }
    }
    tkt_canon_text(c, out, len);
    if (!eol) {
        return;
    }
    if (c->qp_len == 1) {
        c->qp_len = 0; /* a soft line break */
        return;
    }
    qp_flush(c);
    tkt_canon_newline(c);
}

static int b64_digit(char ch)
{
    if (ch >= 'A' && ch <= 'Z') {
        return ch - 'A';
    }
    if (ch >= 'a' && ch <= 'z') {
        return ch - 'a' + 26;
    }
    if (ch >= '0' && ch <= '9') {
        return ch - '0' + 52;
    }
    return ch == '+' ? 62 : ch == '/' ? 63 : -1;
}

/* Digits that do not fill three bytes: padding or the end. Returns bytes written. */
static size_t b64_rest(struct tkt_canon *c, char *out)
{
    size_t n = 0;

    if (c->b64_count >= 2) {
        uint32_t bits = c->b64 << (6 * (4 - c->b64_count));

        out[n++] = (char)(bits >> 16 & 0xff);
        if (c->b64_count == 3) {
            out[n++] = (char)(bits >> 8 & 0xff);
        }
    }
    c->b64 = 0;
    c->b64_count = 0;
    return n;
}

void tkt_canon_base64(struct tkt_canon *c, const char *p, size_t n)
{
    char out[TKT_CANON_LINE_MAX];
    size_t len = 0;

    for (size_t i = 0; i < n; i++) {
        int digit = b64_digit(p[i]);

        if (digit >= 0) {
            c->b64 = (c->b64 << 6 | (uint32_t)digit) & 0xffffff;
            if (++c->b64_count == 4) {
                out[len++] = (char)(c->b64 >> 16 & 0xff);
                out[len++] = (char)(c->b64 >> 8 & 0xff);
                out[len++] = (char)(c->b64 & 0xff);
                c->b64 = 0;
                c->b64_count = 0;
            }
        } else if (p[i] == '=') {
            len += b64_rest(c, out + len);
        }
        if (len > sizeof(out) - 3) {
            tkt_canon_text(c, out, len);
            len = 0;
        }
    }
    tkt_canon_text(c, out, len);
}

void tkt_canon_leaf_end(struct tkt_canon *c)
{
    char out[2];

    qp_flush(c);
    tkt_canon_text(c, out, b64_rest(c, out));
    c->blank_len = 0;
    c->newlines = c->any_text ? 1 : 0;
}
