/* SPDX-License-Identifier: BSD-2-Clause */
#include "notify/mailbody.h"

#include "base/util.h"
#include "notify/mail.h"

#include <stdint.h>
#include <string.h>

#define QP_LINE 76
#define BASE64_LINE_BYTES 57 /* 76 characters */

const char *const tkt_mail_encoding_names[] = {"7bit", "8bit", "quoted-printable",
                                               "base64"};

enum tkt_mail_encoding tkt_mail_encoding_of(const char *text, bool eight_bit,
                                            const char *boundary)
{
    size_t line = 0, longest = 0, high = 0, odd = 0, all = 0;

    for (const char *p = text; *p != '\0'; p++, all++) {
        unsigned char c = (unsigned char)*p;

        line = c == '\n' || c == '\r' ? 0 : line + 1;
        longest = TKT_MAX(longest, line);
        high += c >= 0x80;
        odd += (c < 0x20 && c != '\n' && c != '\r' && c != '\t') || c == 0x7f;
    }
    /* "From " at the head of a line and blanks at its end do not outlive every MTA. */
    bool plain = longest <= (high > 0 ? TKT_MAIL_LINE_MAX : (size_t)QP_LINE + 2) &&
                 odd == 0 && !strstr(text, boundary) && strncmp(text, "From ", 5) != 0 &&
                 !strstr(text, "\nFrom ") && !strstr(text, " \n") &&
                 !strstr(text, "\t\n");
    if (plain && (high == 0 || eight_bit)) {
        return high == 0 ? TKT_MAIL_7BIT : TKT_MAIL_8BIT;
    }
    return high + odd > all / 6 + 20 ? TKT_MAIL_BASE64 : TKT_MAIL_QP;
}

/* ---- quoted-printable ----------------------------------------------------------------------- */

static int add_qp_line(struct tkt_buf *out, const char *p, size_t n)
{
    static const char hex[] = "0123456789ABCDEF";
    size_t col = 0;

    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)p[i];
        bool last = i + 1 == n;
        bool from = i == 0 && n >= 5 && memcmp(p, "From ", 5) == 0;
        bool plain = (c > 0x20 && c < 0x7f && c != '=' && !from && (c != '.' || i > 0)) ||
                     ((c == ' ' || c == '\t') && !last);
        size_t size = plain ? 1 : 3;

        if (col + size > QP_LINE - (last ? 0 : 1)) {
            if (tkt_buf_adds(out, "=\r\n") < 0) {
                return -1;
            }
            col = 0;
        }
        char three[3] = {'=', hex[c >> 4], hex[c & 15]};
        if ((plain ? tkt_buf_addc(out, (char)c) : tkt_buf_add(out, three, 3)) < 0) {
            return -1;
        }
        col += size;
    }
    return tkt_buf_adds(out, "\r\n");
}

static int add_plain_line(struct tkt_buf *out, const char *p, size_t n)
{
    return tkt_buf_add(out, p, n) < 0 || tkt_buf_adds(out, "\r\n") < 0 ? -1 : 0;
}

static int add_lines(struct tkt_buf *out, const char *text,
                     int (*add)(struct tkt_buf *out, const char *p, size_t n))
{
    for (const char *p = text; *p != '\0';) {
        size_t n = strcspn(p, "\r\n");

        if (add(out, p, n) < 0) {
            return -1;
        }
        p += n;
        p += p[0] == '\r' && p[1] == '\n' ? 2 : p[0] != '\0';
    }
    return 0;
}

/* ---- base64 ---------------------------------------------------------------------------------- */

static void four_of(const unsigned char *p, size_t n, char out[4])
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint32_t v = (uint32_t)p[0] << 16 | (n > 1 ? (uint32_t)p[1] << 8 : 0) |
                 (n > 2 ? (uint32_t)p[2] : 0);

    out[0] = digits[v >> 18];
    out[1] = digits[v >> 12 & 63];
    out[2] = n > 1 ? digits[v >> 6 & 63] : '=';
    out[3] = n > 2 ? digits[v & 63] : '=';
}

int tkt_mail_add_base64(struct tkt_buf *out, const void *data, size_t n)
{
    const unsigned char *p = data;

    while (n > 0) {
        size_t take = TKT_MIN(n, (size_t)BASE64_LINE_BYTES);
        char line[80];
        size_t len = 0;

        for (size_t i = 0; i < take; i += 3, len += 4) {
            four_of(p + i, take - i, line + len);
        }
        line[len++] = '\r';
        line[len++] = '\n';
        if (tkt_buf_add(out, line, len) < 0) {
            return -1;
        }
        p += take;
        n -= take;
    }
    return 0;
}

int tkt_mail_add_body(struct tkt_buf *out, const char *text, enum tkt_mail_encoding how)
{
    switch (how) {
    case TKT_MAIL_QP:
        return add_lines(out, text, add_qp_line);
    case TKT_MAIL_BASE64: {
        TKT_AUTO_BUF struct tkt_buf lines = TKT_BUF_INIT(TKT_MAIL_MAX);

        return add_lines(&lines, text, add_plain_line) < 0
                   ? -1
                   : tkt_mail_add_base64(out, tkt_buf_str(&lines), lines.len);
    }
    default:
        return add_lines(out, text, add_plain_line);
    }
}
