/* SPDX-License-Identifier: BSD-2-Clause */
#include "notify/mailword.h"

#include "base/enc.h"
#include "base/util.h"
#include "notify/mail.h"

#include <stdio.h>
#include <string.h>

#define FOLD_AT 78
#define WORD_MAX 200    /* a longer one cannot be folded and is encoded */
#define ENCODED_MAX 75  /* RFC 2047 2 */
#define SEGMENT_MAX 60  /* of a parameter in several */
#define ENCODED_HEAD 10 /* "=?UTF-8?Q?" */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

int tkt_mail_clean(const char *text, size_t max, struct tkt_buf *out)
{
    TKT_AUTO_BUF struct tkt_buf valid = TKT_BUF_INIT(4 * TKT_NOTICE_TEXT_MAX);
    size_t start = out->len;
    size_t n = strnlen(text, TKT_NOTICE_TEXT_MAX);
    bool gap = false;

    if (tkt_utf8_add_clean(&valid, text, n) < 0) {
        return -1;
    }
    for (size_t i = 0; i < valid.len && out->len - start < max;) {
        unsigned char c = (unsigned char)valid.data[i];
        size_t len = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
        /* C1 controls and the separators of lines end lines in some programs, too. */
        bool odd = (c == 0xc2 && (unsigned char)valid.data[i + 1] < 0xa0) ||
                   (c == 0xe2 && (unsigned char)valid.data[i + 1] == 0x80 &&
                    ((unsigned char)valid.data[i + 2] & 0xfe) == 0xa8);

        if (c <= 0x20 || c == 0x7f || odd) {
            gap = out->len > start;
        } else {
            if (out->len - start + len + gap > max) {
                break;
            }
            if ((gap && tkt_buf_addc(out, ' ') < 0) ||
                tkt_buf_add(out, valid.data + i, len) < 0) {
                return -1;
            }
            gap = false;
        }
        i += len;
    }
    return tkt_buf_add(out, "", 0);
}

/* ---- encoded-words --------------------------------------------------------------------- */

static bool needs_encoding(const char *word, size_t n)
{
    bool odd = n > WORD_MAX;

    for (size_t i = 0; i < n; i++) {
        odd = odd || (unsigned char)word[i] < 0x21 || (unsigned char)word[i] > 0x7e ||
              (word[i] == '=' && i + 1 < n && word[i + 1] == '?');
    }
    return odd;
}

static bool is_q_safe(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           strchr("!*+-/", c) != NULL;
}

static size_t q_size(const char *p, size_t n)
{
    size_t size = 0;

    for (size_t i = 0; i < n; i++) {
        size += is_q_safe(p[i]) || p[i] == ' ' ? 1 : 3;
    }
    return size;
}

static int add_q(struct tkt_buf *out, const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        int rc = p[i] == ' '       ? tkt_buf_addc(out, '_')
                 : is_q_safe(p[i]) ? tkt_buf_addc(out, p[i])
                                   : tkt_buf_addf(out, "=%02X", (unsigned char)p[i]);
        if (rc < 0) {
            return -1;
        }
    }
    return 0;
}

static int add_b(struct tkt_buf *out, const char *p, size_t n)
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    for (size_t i = 0; i < n; i += 3) {
        unsigned char a = (unsigned char)p[i];
        unsigned char b = i + 1 < n ? (unsigned char)p[i + 1] : 0;
        unsigned char c = i + 2 < n ? (unsigned char)p[i + 2] : 0;
        char four[4] = {digits[a >> 2], digits[(a & 3) << 4 | b >> 4],
                        i + 1 < n ? digits[(b & 15) << 2 | c >> 6] : '=',
                        i + 2 < n ? digits[c & 63] : '='};

        if (tkt_buf_add(out, four, 4) < 0) {
            return -1;
        }
    }
    return 0;
}

/* How many bytes of text, whole characters, one encoded-word of at most room holds. */
static size_t word_fits(const char *text, size_t n, bool by_q, size_t room)
{
    size_t fits = 0;
    size_t used = 0;

    while (fits < n) {
        unsigned char c = (unsigned char)text[fits];
        size_t len = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
        len = TKT_MIN(len, n - fits);
        size_t size = by_q ? used + q_size(text + fits, len) : (fits + len + 2) / 3 * 4;

        if (size + ENCODED_HEAD + 2 > room) {
            break;
        }
        used = size;
        fits += len;
    }
    return fits;
}

/* Words with a fold between them; *col is where the line stands. */
static int add_encoded(struct tkt_buf *out, const char *text, size_t n, size_t *col)
{
    bool by_q = q_size(text, n) <= (n + 2) / 3 * 4;
    bool first = true;

    while (n > 0) {
        size_t room = *col + ENCODED_HEAD + 8 < FOLD_AT ? FOLD_AT - *col : 0;
        size_t fits = word_fits(text, n, by_q, TKT_MIN(room, (size_t)ENCODED_MAX));

        if (fits == 0 || !first) {
            if (tkt_buf_adds(out, first ? "" : "\r\n ") < 0) {
                return -1;
            }
            *col = first ? *col : 1;
            fits = word_fits(text, n, by_q, ENCODED_MAX);
        }
        size_t at = out->len;
        if (tkt_buf_adds(out, by_q ? "=?UTF-8?Q?" : "=?UTF-8?B?") < 0 ||
            (by_q ? add_q(out, text, fits) : add_b(out, text, fits)) < 0 ||
            tkt_buf_adds(out, "?=") < 0) {
            return -1;
        }
        *col += out->len - at;
        text += fits;
        n -= fits;
        first = false;
    }
    return 0;
}

/* ---- fields ------------------------------------------------------------------------------ */

/* A blank before the word, or a fold when it would end behind the 78th column. */
static int part(struct tkt_buf *out, size_t *col, size_t next, bool first)
{
    if (first) {
        return 0;
    }
    if (*col + 1 + next > FOLD_AT) {
        *col = 1;
        return tkt_buf_adds(out, "\r\n ");
    }
    *col += 1;
    return tkt_buf_addc(out, ' ');
}

struct span { /* of the text that is encoded: its first to its last odd word */
    size_t from, to;
};

static struct span odd_span(const char *text)
{
    struct span s = {0, 0};

    for (size_t at = 0; text[at] != '\0';) {
        size_t n = strcspn(text + at, " ");

        if (needs_encoding(text + at, n)) {
            s.from = s.to == 0 ? at : s.from;
            s.to = at + n;
        }
        at += n;
        at += strspn(text + at, " ");
    }
    return s;
}

static int add_plain(struct tkt_buf *out, const char *p, size_t n, size_t *col,
                     bool *first)
{
    for (size_t at = strspn(p, " "); at < n;) {
        size_t len = TKT_MIN(strcspn(p + at, " "), n - at);

        if (part(out, col, len, *first) < 0 || tkt_buf_add(out, p + at, len) < 0) {
            return -1;
        }
        *col += len;
        *first = false;
        at += len;
        at += strspn(p + at, " ");
    }
    return 0;
}

static int add_folded(struct tkt_buf *out, const char *text, size_t *col)
{
    struct span s = odd_span(text);
    bool first = true;

    if (s.to == 0) {
        return add_plain(out, text, strlen(text), col, &first);
    }
    if (add_plain(out, text, s.from, col, &first) < 0 ||
        part(out, col, ENCODED_HEAD + 20, first) < 0 ||
        add_encoded(out, text + s.from, s.to - s.from, col) < 0) {
        return -1;
    }
    first = false;
    return add_plain(out, text + s.to, strlen(text + s.to), col, &first);
}

int tkt_mail_add_text(struct tkt_buf *out, const char *name, const char *text)
{
    size_t col = strlen(name) + 2;

    return tkt_buf_addf(out, "%s: ", name) < 0 || add_folded(out, text, &col) < 0 ||
                   tkt_buf_adds(out, "\r\n") < 0
               ? -1
               : 0;
}

int tkt_mail_add_words(struct tkt_buf *out, const char *name, const char *words)
{
    size_t col = strlen(name) + 2;
    bool first = true;

    return tkt_buf_addf(out, "%s: ", name) < 0 ||
                   add_plain(out, words, strlen(words), &col, &first) < 0 ||
                   tkt_buf_adds(out, "\r\n") < 0
               ? -1
               : 0;
}

static bool is_atom_text(const char *text)
{
    for (const char *p = text; *p != '\0'; p++) {
        bool word = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
                    (*p >= '0' && *p <= '9');

        if (!word && !is_blank(*p) && !strchr("!#$%&'*+-/=?^_`{|}~", *p)) {
            return false;
        }
    }
    return true;
}

static int add_quoted(struct tkt_buf *out, const char *text)
{
    int rc = tkt_buf_addc(out, '"');

    for (const char *p = text; *p != '\0'; p++) {
        if (*p == '"' || *p == '\\') {
            rc |= tkt_buf_addc(out, '\\');
        }
        rc |= tkt_buf_addc(out, *p);
    }
    return tkt_buf_addc(out, '"') | rc;
}

int tkt_mail_add_mailbox(struct tkt_buf *out, const char *name, const char *phrase,
                         const char *address)
{
    size_t col = strlen(name) + 2;
    size_t start;
    int rc = tkt_buf_addf(out, "%s: ", name);

    start = out->len;
    if (phrase[0] == '\0') {
        return tkt_buf_addf(out, "%s\r\n", address) | rc;
    }
    if (odd_span(phrase).to > 0) {
        rc |= add_encoded(out, phrase, strlen(phrase), &col);
    } else if (is_atom_text(phrase)) {
        rc |= add_folded(out, phrase, &col);
    } else {
        rc |= add_quoted(out, phrase);
        col += out->len - start;
    }
    return (part(out, &col, strlen(address) + 2, false) | rc |
            tkt_buf_addf(out, "<%s>\r\n", address)) < 0
               ? -1
               : 0;
}

/* ---- parameters ---------------------------------------------------------------------------- */

static bool is_plain_value(const char *value)
{
    for (const char *p = value; *p != '\0'; p++) {
        if ((unsigned char)*p < 0x20 || (unsigned char)*p > 0x7e || *p == '"' ||
            *p == '\\' || (*p == '=' && p[1] == '?')) {
            return false;
        }
    }
    return strlen(value) <= SEGMENT_MAX;
}

static bool is_attribute_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("!#$&+-.^_`{|}~", c) != NULL);
}

int tkt_mail_add_param(struct tkt_buf *out, const char *name, const char *value)
{
    size_t len = strlen(value);
    size_t at = 0;
    int rc = 0;

    if (is_plain_value(value)) {
        return tkt_buf_addf(out, ";\r\n %s=\"%s\"", name, value);
    }
    for (int i = 0; at < len && rc == 0; i++) {
        size_t used = 0;

        rc = tkt_buf_addf(out, ";\r\n %s*%d*=%s", name, i, i == 0 ? "UTF-8''" : "");
        for (; at < len && used < SEGMENT_MAX && rc == 0; at++) {
            bool plain = is_attribute_char(value[at]);

            rc = plain ? tkt_buf_addc(out, value[at])
                       : tkt_buf_addf(out, "%%%02X", (unsigned char)value[at]);
            used += plain ? 1 : 3;
        }
    }
    return rc;
}

bool tkt_mail_id_ok(const char *id, size_t n)
{
    bool at = false;

    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)id[i];

        if (c <= 0x20 || c >= 0x7f || c == '<' || c == '>' || c == '(' || c == ')') {
            return false;
        }
        at = at || c == '@';
    }
    return at && n > 2 && n < 500;
}
