/* SPDX-License-Identifier: BSD-2-Clause */
#include "message/security.h"

#include "base/enc.h"
#include "base/util.h"
#include "message/fields.h"
#include "message/phrase.h"

#include <string.h>

#define PART_HEADER_MAX (16 * 1024) /* of a signed part: its fields, in memory */

static bool is_type(const struct tkt_part *p, const char *type)
{
    return strcmp(tkt_part_type(p), type) == 0;
}

static bool is_pkcs7(const struct tkt_part *p)
{
    return is_type(p, "application/pkcs7-mime") || is_type(p, "application/x-pkcs7-mime");
}

/* By its type alone where smime-type is missing: enveloped data is what is sent so. The
 * name tells, too: smime.p7m may be either, smime.p7s is a signature. */
static enum tkt_security part_security(const struct tkt_part *p)
{
    const char *hint = p->mime.subtype_hint == NULL ? "" : p->mime.subtype_hint;

    if (is_type(p, "multipart/encrypted") || is_type(p, "application/pgp-encrypted")) {
        return TKT_SECURITY_ENCRYPTED;
    }
    if (is_pkcs7(p)) {
        bool is_signed = strncmp(hint, "signed", 6) == 0 ||
                         strncmp(hint, "compressed", 10) == 0 ||
                         strncmp(hint, "certs-only", 10) == 0;
        return is_signed ? TKT_SECURITY_SIGNED : TKT_SECURITY_ENCRYPTED;
    }
    return is_type(p, "multipart/signed") ? TKT_SECURITY_SIGNED : TKT_SECURITY_NONE;
}

/* A line of the text that is this armour, not a quoted one. */
static bool has_line(const char *text, const char *line)
{
    const char *at = strstr(text, line);

    while (at != NULL && at != text && at[-1] != '\n') {
        at = strstr(at + 1, line);
    }
    return at != NULL;
}

void tkt_security_read(struct tkt_reading *r)
{
    const struct tkt_scan *s = &r->scan;
    enum tkt_security security = TKT_SECURITY_NONE;

    for (size_t i = 0; i < s->part_count; i++) {
        security = TKT_MAX(security, part_security(&s->parts[i]));
    }
    if (has_line(r->msg->text, "-----BEGIN PGP MESSAGE-----")) {
        security = TKT_SECURITY_ENCRYPTED;
    } else if (has_line(r->msg->text, "-----BEGIN PGP SIGNED MESSAGE-----")) {
        security = TKT_MAX(security, TKT_SECURITY_SIGNED);
    }
    r->msg->security = security;
}

/* ---- signed in the text ---- */

enum armour {
    ARMOUR_NONE,
    ARMOUR_HEADER,   /* "Hash: ..." up to the empty line */
    ARMOUR_TEXT,     /* what is signed */
    ARMOUR_SIGNATURE /* up to its end */
};

static bool is_line(const char *p, size_t n, const char *line)
{
    while (n > 0 && (p[n - 1] == ' ' || p[n - 1] == '\t')) {
        n--;
    }
    return n == strlen(line) && memcmp(p, line, n) == 0;
}

/* Adds what of a line was written by the person; returns where the next one is. */
static enum armour take_line(enum armour at, const char *p, size_t n, struct tkt_buf *out)
{
    switch (at) {
    case ARMOUR_NONE:
        if (is_line(p, n, "-----BEGIN PGP SIGNED MESSAGE-----")) {
            return ARMOUR_HEADER;
        }
        break;
    case ARMOUR_HEADER:
        return is_line(p, n, "") ? ARMOUR_TEXT : ARMOUR_HEADER;
    case ARMOUR_TEXT:
        if (is_line(p, n, "-----BEGIN PGP SIGNATURE-----")) {
            return ARMOUR_SIGNATURE;
        }
        if (n >= 2 && p[0] == '-' && p[1] == ' ') {
            p += 2;
            n -= 2;
        }
        break;
    case ARMOUR_SIGNATURE:
        return is_line(p, n, "-----END PGP SIGNATURE-----") ? ARMOUR_NONE : at;
    }
    tkt_buf_add(out, p, n);
    tkt_buf_addc(out, '\n');
    return at;
}

bool tkt_security_unarmour(const char *text, size_t n, struct tkt_buf *out)
{
    enum armour at = ARMOUR_NONE;
    const char *end = text + n;

    if (!has_line(text, "-----BEGIN PGP SIGNED MESSAGE-----") ||
        !has_line(text, "-----END PGP SIGNATURE-----")) {
        return false;
    }
    for (const char *p = text; p < end;) {
        const char *lf = memchr(p, '\n', (size_t)(end - p));
        size_t len = lf == NULL ? (size_t)(end - p) : (size_t)(lf - p);
        at = take_line(at, p, len, out);
        p += len + (lf == NULL ? 0 : 1);
    }
    if (at != ARMOUR_NONE || out->failed) {
        tkt_buf_reset(out); /* cut off, or odd: all of it is what was written */
        return false;
    }
    return true;
}

/* ---- header-protected Subject ---- */

/* A parameter of a Content-Type whose value begins with one of the words. */
static bool has_param(const char *value, size_t n, const char *name,
                      const char *const *words)
{
    const char *end = value + n;
    size_t len = strlen(name);
    const char *at = value;

    while ((at = tkt_phrase_find(at, (size_t)(end - at), name)) != NULL) {
        bool bol = at > value && strchr("; \t\r\n", at[-1]) != NULL;
        at += len;
        const char *v = at;
        while (v < end && (*v == ' ' || *v == '\t')) {
            v++;
        }
        if (!bol || v == end || *v != '=') {
            continue;
        }
        for (v++; v < end && strchr(" \t\"", *v) != NULL;) {
            v++;
        }
        for (const char *const *w = words; *w != NULL; w++) {
            size_t word = strlen(*w);
            if ((size_t)(end - v) >= word && tkt_ascii_ieqn(v, *w, word)) {
                return true;
            }
        }
    }
    return false;
}

static bool is_protected(const struct tkt_header *h)
{
    static const char *const versions[] = {"v1", "1", NULL};
    static const char *const kinds[] = {"clear", "cipher", NULL};
    size_t index = 0;
    const struct tkt_field *f = tkt_header_find(h, "Content-Type", &index);

    if (f == NULL) {
        return false;
    }
    const char *value = tkt_field_value(h, f);
    return has_param(value, f->value_len, "hp", kinds) ||
           has_param(value, f->value_len, "protected-headers", versions);
}

/* The part that the signature is about: the first child of multipart/signed, which is the
 * message or (behind a list's or a border's footer) its first part. */
static const struct tkt_part *signed_part(const struct tkt_scan *s)
{
    for (size_t i = 0; i + 1 < s->part_count && i < 2; i++) {
        const struct tkt_part *child = &s->parts[i + 1];
        if (is_type(&s->parts[i], "multipart/signed") && child->parent == (int)i) {
            return child;
        }
    }
    return NULL;
}

static void take_subject(struct tkt_reading *r, const struct tkt_header *h)
{
    size_t index = 0;
    const struct tkt_field *f = tkt_header_find(h, "Subject", &index);
    const char *outer = r->msg->subject;

    if (f == NULL) {
        return;
    }
    tkt_fields_subject(r, tkt_field_value(h, f), f->value_len);
    if (strcmp(outer, r->msg->subject) != 0) {
        int n = (int)tkt_utf8_cut(outer, strlen(outer), 100);
        tkt_scan_problem(&r->scan,
                         "protected: the signed part's Subject stands for \"%.*s\"", n,
                         outer);
    }
}

/* "..." and "[...]" are what mail programs leave of a Subject that they encrypt. */
static void note_hidden_subject(struct tkt_reading *r)
{
    const char *s = r->msg->subject;

    for (size_t i = 0; i < r->scan.part_count && i < 2; i++) {
        if (part_security(&r->scan.parts[i]) == TKT_SECURITY_ENCRYPTED &&
            (strcmp(s, "...") == 0 || strcmp(s, "[...]") == 0 ||
             tkt_ascii_ieq(s, "Encrypted Message"))) {
            tkt_scan_problem(&r->scan, "protected: the Subject is encrypted");
        }
    }
}

int tkt_security_subject(struct tkt_reading *r, struct tkt_err *err)
{
    const struct tkt_part *p = r->scan.header_only ? NULL : signed_part(&r->scan);

    note_hidden_subject(r);
    if (p == NULL || p->body_at <= p->header_at) {
        return 0;
    }
    size_t n = (size_t)TKT_MIN(p->body_at - p->header_at, PART_HEADER_MAX);
    TKT_AUTO_FREE char *window = malloc(n);
    const char *data = NULL;
    size_t got = 0;
    struct tkt_scan inner;

    if (window == NULL) {
        return tkt_err_set(err, TKT_ERR_TEMP, "no memory");
    }
    if (tkt_source_read(r->src, p->header_at, n, window, &data, &got, err) < 0) {
        return -1;
    }
    struct tkt_message_source src = {.data = data, .fd = -1, .size = got};
    int rc = tkt_scan_run(&inner, &src, r->scan.limits, err);
    if (rc == 0 && is_protected(&inner.header)) {
        take_subject(r, &inner.header);
    }
    tkt_scan_release(&inner);
    return rc;
}
