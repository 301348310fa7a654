/* SPDX-License-Identifier: BSD-2-Clause
 * A notice as a mail: fields, parts, boundaries.
 */
#include "base/civil.h"
#include "base/enc.h"
#include "base/hash.h"
#include "base/util.h"
#include "notify/mail.h"
#include "notify/mailbody.h"
#include "notify/mailword.h"
#include "wire/idna.h"

#include <stdio.h>
#include <string.h>

#define BOUNDARY_LEN 40
#define FIELD_MAX 4000

struct letter {
    const struct tkt_notice *notice;
    struct tkt_buf *out;
    bool eight_bit;
    char boundary[2][BOUNDARY_LEN]; /* of the files' multipart, of the alternatives' */
};

/* ---- addresses ------------------------------------------------------------------------- */

static bool local_ok(const char *p, size_t n)
{
    if (n == 0 || n > 64 || p[0] == '.' || p[n - 1] == '.') {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if ((unsigned char)p[i] <= 0x20 || p[i] == 0x7f ||
            strchr("\"(),:;<>@[\\]", p[i]) || (p[i] == '.' && p[i + 1] == '.')) {
            return false;
        }
    }
    return tkt_utf8_valid(p, n);
}

static bool domain_ok(const char *p)
{
    size_t n = strlen(p);
    size_t label = 0;

    if (n == 0 || n > 253 || p[0] == '.' || p[n - 1] == '.' || p[n - 1] == '-') {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        bool word = (p[i] >= 'a' && p[i] <= 'z') || (p[i] >= '0' && p[i] <= '9') ||
                    p[i] == '-' || p[i] == '_';

        label = p[i] == '.' ? 0 : label + 1;
        if ((!word && p[i] != '.') || label > 63 || (p[i] == '.' && p[i + 1] == '.') ||
            (label == 1 && p[i] == '-')) {
            return false;
        }
    }
    return true;
}

int tkt_mail_address(const char *address, char *out, size_t max)
{
    const char *at = strrchr(address, '@');
    size_t local = at ? (size_t)(at - address) : 0;
    char domain[300];

    if (!at || !local_ok(address, local) || strlen(at + 1) > 250 ||
        !tkt_utf8_valid(at + 1, strlen(at + 1)) ||
        tkt_idna_domain(at + 1, strlen(at + 1), domain, sizeof(domain)) < 0 ||
        !domain_ok(domain)) {
        return -1;
    }
    int n = snprintf(out, max, "%.*s@%s", (int)local, address, domain);

    return n < 0 || (size_t)n >= max ? -1 : 0;
}

bool tkt_mail_address_ok(const char *address)
{
    char room[400];

    return tkt_mail_address(address, room, sizeof(room)) == 0;
}

static int add_address(struct letter *l, const char *field, const char *name,
                       const char *address, struct tkt_err *err)
{
    TKT_AUTO_BUF struct tkt_buf clean = TKT_BUF_INIT(2 * TKT_MAIL_NAME_MAX);
    char ascii[400];

    if (tkt_mail_address(address, ascii, sizeof(ascii)) < 0) {
        return tkt_err_set(err, TKT_ERR_PERM, "mail: %s is no address", field);
    }
    if (tkt_mail_clean(name, TKT_MAIL_NAME_MAX, &clean) < 0 ||
        tkt_mail_add_mailbox(l->out, field, tkt_buf_str(&clean), ascii) < 0) {
        return tkt_err_set(err, TKT_ERR_TEMP, "mail: no memory");
    }
    return 0;
}

/* ---- fields ---------------------------------------------------------------------------------- */

static int add_date(struct letter *l)
{
    static const char days[] = "ThuFriSatSunMonTueWed";
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    int64_t s = TKT_MAX(l->notice->at_ms, INT64_C(0)) / 1000;
    int64_t day = s / 86400;
    struct tkt_civil c = tkt_civil_of((int32_t)day);
    int rest = (int)(s % 86400);
    return tkt_buf_addf(l->out, "Date: %.3s, %d %.3s %04d %02d:%02d:%02d +0000\r\n",
                        days + 3 * (day % 7), c.day, months + 3 * (c.month - 1), c.year,
                        rest / 3600, rest / 60 % 60, rest % 60);
}

static int add_id(struct letter *l, const char *field, const char *id)
{
    return id[0] != '\0' && tkt_mail_id_ok(id, strlen(id))
               ? tkt_buf_addf(l->out, "%s: <%s>\r\n", field, id)
               : 0;
}

/* Of what somebody wrote: whatever has the form of an id, the first one (the thread) and
 * the last ones. */
static int add_references(struct letter *l)
{
    TKT_AUTO_BUF struct tkt_buf ids = TKT_BUF_INIT(64 * 1024);
    const char *start[TKT_MAIL_REFERENCES_MAX];
    size_t len[TKT_MAIL_REFERENCES_MAX];
    size_t count = 0;

    for (const char *p = l->notice->references; (p = strchr(p, '<')) != NULL;) {
        size_t n = strcspn(++p, ">");

        if (p[n] == '>' && tkt_mail_id_ok(p, n)) {
            if (count == TKT_MAIL_REFERENCES_MAX) {
                count--;
                memmove(start + 1, start + 2, (count - 1) * sizeof(*start));
                memmove(len + 1, len + 2, (count - 1) * sizeof(*len));
            }
            start[count] = p;
            len[count++] = n;
        }
        p += n;
    }
    for (size_t i = 0; i < count; i++) {
        if (tkt_buf_addf(&ids, "%s<%.*s>", i > 0 ? " " : "", (int)len[i], start[i]) < 0) {
            return -1;
        }
    }
    return count > 0 ? tkt_mail_add_words(l->out, "References", tkt_buf_str(&ids)) : 0;
}

/* A further field may not be one of ours, nor become two. */
static bool is_field(const char *line)
{
    static const char *const ours[] = {
        "From",       "Sender",       "To",         "Cc",         "Bcc",
        "Subject",    "Date",         "Message-ID", "Reply-To",   "In-Reply-To",
        "References", "MIME-Version", "Received",   "Return-Path"};
    size_t n = strcspn(line, ":");

    if (n == 0 || n > 60 || line[n] != ':' || strlen(line) > FIELD_MAX ||
        tkt_ascii_ieqn(line, "Content-", TKT_MIN(n, (size_t)8)) ||
        tkt_ascii_ieqn(line, "Resent-", TKT_MIN(n, (size_t)7))) {
        return false;
    }
    for (size_t i = 0; i < TKT_ARRAY_LEN(ours); i++) {
        if (strlen(ours[i]) == n && tkt_ascii_ieqn(line, ours[i], n)) {
            return false;
        }
    }
    for (size_t i = 0; i < n; i++) {
        if (line[i] <= ' ' || line[i] > '~') {
            return false;
        }
    }
    return !strpbrk(line, "\r\n");
}

static bool is_ascii(const char *text)
{
    for (const char *p = text; *p != '\0'; p++) {
        if ((unsigned char)*p >= 0x80) {
            return false;
        }
    }
    return true;
}

static int add_more(struct letter *l, struct tkt_err *err)
{
    const char *const *h = l->notice->headers;

    for (size_t i = 0; h && h[i]; i++) {
        TKT_AUTO_BUF struct tkt_buf clean = TKT_BUF_INIT(2 * FIELD_MAX);
        char name[64];

        if (i >= TKT_NOTICE_HEADERS_MAX || !is_field(h[i])) {
            return tkt_err_set(err, TKT_ERR_BUG, "mail: an illegal field");
        }
        size_t n = strcspn(h[i], ":");
        snprintf(name, sizeof(name), "%.*s", (int)n, h[i]);
        if (tkt_mail_clean(h[i] + n + 1, FIELD_MAX, &clean) < 0 ||
            /* <mailto:...> is one long word that must stay one */
            (strchr(tkt_buf_str(&clean), '<') && is_ascii(tkt_buf_str(&clean))
                 ? tkt_mail_add_words(l->out, name, tkt_buf_str(&clean))
                 : tkt_mail_add_text(l->out, name, tkt_buf_str(&clean))) < 0) {
            return tkt_err_set(err, TKT_ERR_TEMP, "mail: no memory");
        }
    }
    return 0;
}

static int add_fields(struct letter *l, struct tkt_err *err)
{
    TKT_AUTO_BUF struct tkt_buf subject = TKT_BUF_INIT(2 * TKT_MAIL_SUBJECT_MAX);
    const struct tkt_notice *n = l->notice;

    if (!tkt_mail_id_ok(n->message_id, strlen(n->message_id))) {
        return tkt_err_set(err, TKT_ERR_PERM, "mail: no Message-ID");
    }
    if (add_address(l, "From", n->from_name, n->from, err) < 0 ||
        add_address(l, "To", n->to_name, n->to, err) < 0 ||
        (n->reply_to[0] != '\0' && strcmp(n->reply_to, n->from) != 0 &&
         add_address(l, "Reply-To", n->from_name, n->reply_to, err) < 0)) {
        return -1;
    }
    if (tkt_mail_clean(n->subject, TKT_MAIL_SUBJECT_MAX, &subject) < 0 ||
        tkt_mail_add_text(l->out, "Subject", tkt_buf_str(&subject)) < 0 ||
        add_date(l) < 0 || add_id(l, "Message-ID", n->message_id) < 0 ||
        add_id(l, "In-Reply-To", n->in_reply_to) < 0 || add_references(l) < 0) {
        return tkt_err_set(err, TKT_ERR_TEMP, "mail: no memory");
    }
    return add_more(l, err) < 0 || tkt_buf_adds(l->out, "MIME-Version: 1.0\r\n") < 0 ? -1
                                                                                     : 0;
}

/* ---- parts ------------------------------------------------------------------------------------- */

/* "=_" stands in no quoted-printable text, and no base64; plain text is looked at. */
static void make_boundaries(struct letter *l)
{
    unsigned char hash[TKT_SHA256_LEN];
    char hex[2 * TKT_SHA256_LEN + 1];

    tkt_sha256(l->notice->message_id, strlen(l->notice->message_id), hash);
    tkt_hex_encode(hash, sizeof(hash), hex);
    snprintf(l->boundary[0], BOUNDARY_LEN, "=_f%.24s", hex);
    snprintf(l->boundary[1], BOUNDARY_LEN, "=_a%.24s", hex);
}

static int add_text(struct letter *l, const char *text, const char *subtype)
{
    /* Both boundaries begin so. */
    enum tkt_mail_encoding how = tkt_mail_encoding_of(text, l->eight_bit, "=_");

    return tkt_buf_addf(l->out,
                        "Content-Type: text/%s; charset=UTF-8\r\n"
                        "Content-Transfer-Encoding: %s\r\n\r\n",
                        subtype, tkt_mail_encoding_names[how]) < 0 ||
                   tkt_mail_add_body(l->out, text, how) < 0
               ? -1
               : 0;
}

static int add_words(struct letter *l)
{
    const struct tkt_notice *n = l->notice;
    const char *b = l->boundary[1];

    if (n->html[0] == '\0') {
        return add_text(l, n->text, "plain");
    }
    return tkt_buf_addf(l->out,
                        "Content-Type: multipart/alternative; boundary=\"%s\"\r\n\r\n"
                        "--%s\r\n",
                        b, b) < 0 ||
                   add_text(l, n->text, "plain") < 0 ||
                   tkt_buf_addf(l->out, "\r\n--%s\r\n", b) < 0 ||
                   add_text(l, n->html, "html") < 0 ||
                   tkt_buf_addf(l->out, "\r\n--%s--\r\n", b) < 0
               ? -1
               : 0;
}

/* message/ and multipart/ may not be base64 (RFC 2045 6.4), and a name of a type that is
 * none would be a parameter. */
static const char *file_type(const char *type)
{
    const char *slash = strchr(type, '/');

    if (!slash || slash == type || slash[1] == '\0' || strlen(type) > 100 ||
        tkt_ascii_ieqn(type, "message/", 8) || tkt_ascii_ieqn(type, "multipart/", 10)) {
        return "application/octet-stream";
    }
    for (const char *p = type; *p != '\0'; p++) {
        bool word = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
                    (*p >= '0' && *p <= '9') || strchr("!#$&^_.+-", *p);

        if (!word && p != slash) {
            return "application/octet-stream";
        }
    }
    return type;
}

static int add_file(struct letter *l, const struct tkt_notice_file *f)
{
    TKT_AUTO_BUF struct tkt_buf name = TKT_BUF_INIT(2 * TKT_MAIL_NAME_MAX);
    const char *base = strrchr(f->name, '/');

    if (tkt_mail_clean(base ? base + 1 : f->name, TKT_MAIL_NAME_MAX, &name) < 0 ||
        tkt_buf_addf(l->out, "\r\n--%s\r\nContent-Type: %s", l->boundary[0],
                     file_type(f->type)) < 0 ||
        tkt_buf_adds(l->out, "\r\nContent-Transfer-Encoding: base64\r\n"
                             "Content-Disposition: attachment") < 0 ||
        tkt_mail_add_param(l->out, "filename",
                           name.len > 0 ? tkt_buf_str(&name) : "file") < 0 ||
        tkt_buf_adds(l->out, "\r\n\r\n") < 0) {
        return -1;
    }
    return tkt_mail_add_base64(l->out, f->data, f->size);
}

static int add_parts(struct letter *l)
{
    const struct tkt_notice *n = l->notice;
    const char *b = l->boundary[0];

    if (n->file_count == 0) {
        return add_words(l);
    }
    if (tkt_buf_addf(l->out,
                     "Content-Type: multipart/mixed; boundary=\"%s\"\r\n\r\n--%s\r\n", b,
                     b) < 0 ||
        add_words(l) < 0) {
        return -1;
    }
    for (size_t i = 0; i < n->file_count; i++) {
        if (add_file(l, &n->files[i]) < 0) {
            return -1;
        }
    }
    return tkt_buf_addf(l->out, "\r\n--%s--\r\n", b);
}

int tkt_mail_write(const struct tkt_notice *notice, bool eight_bit, struct tkt_buf *out,
                   struct tkt_err *err)
{
    struct letter l = {.notice = notice, .out = out, .eight_bit = eight_bit};

    make_boundaries(&l);
    if (add_fields(&l, err) < 0) {
        return -1;
    }
    return add_parts(&l) < 0
               ? tkt_err_set(err, TKT_ERR_PERM, "mail: larger than %zu bytes", out->max)
               : 0;
}
