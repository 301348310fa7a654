/* SPDX-License-Identifier: BSD-2-Clause */
#include "message/ids.h"

#include "base/enc.h"
#include "base/hash.h"
#include "base/util.h"
#include "message/rfc2047.h"

#include <string.h>

#define ID_MAX 998         /* RFC 5322: a line */
#define DERIVED_BYTES 20   /* of the hash */
#define DERIVED_BODY 4096  /* bytes of the body that count, blanks aside ... */
#define DERIVED_READ 16384 /* ... among the first of it */

/* ---- one ID ---- */

/* The next "<...>" behind *p; what stands between is passed over. Of "<a <b>" it is b. */
static bool next_id(const char **p, const char *end, const char **id, size_t *n)
{
    const char *open = memchr(*p, '<', (size_t)(end - *p));
    const char *close = open == NULL ? NULL : memchr(open, '>', (size_t)(end - open));

    if (close == NULL) {
        return false;
    }
    open = memrchr(open, '<', (size_t)(close - open));
    *p = close + 1;
    *id = open + 1;
    *n = (size_t)(close - open - 1);
    return true;
}

/* The comment that begins at p, or 0 when it has no end. */
static size_t comment_length(const char *p, size_t n)
{
    size_t depth = 0;

    for (size_t i = 0; i < n; i++) {
        depth += p[i] == '(' ? 1 : 0;
        depth -= p[i] == ')' ? 1 : 0;
        if (depth == 0) {
            return i + 1;
        }
    }
    return 0;
}

/* An ID as text on one line; "" when there is none or it is absurdly long. */
static void clean_id(struct tkt_buf *out, const char *p, size_t n)
{
    TKT_AUTO_BUF struct tkt_buf b = TKT_BUF_INIT(4 * ID_MAX);
    bool may_comment = true;

    tkt_buf_reset(out);
    if (n > ID_MAX) {
        return;
    }
    tkt_utf8_add_clean(&b, p, n);
    for (size_t i = 0; i < b.len; i++) {
        unsigned char c = (unsigned char)b.data[i];
        size_t comment =
            c == '(' && may_comment ? comment_length(b.data + i, b.len - i) : 0;
        may_comment = may_comment && (c != '(' || comment > 0);
        if (comment > 0) {
            i += comment - 1;
        } else if (c > ' ' && c != 0x7f) { /* folds inside an ID are not part of it */
            tkt_buf_addc(out, b.data[i]);
        }
    }
}

/* ---- lists ---- */

static void add_id(struct tkt_reading *r, const char *p, size_t n,
                   struct tkt_strings *out)
{
    TKT_AUTO_BUF struct tkt_buf b = TKT_BUF_INIT(4 * ID_MAX);
    size_t max = r->scan.limits->references_max;

    clean_id(&b, p, n);
    if (b.len == 0) {
        return;
    }
    if (out->count == max) {
        tkt_scan_problem(&r->scan, "references: more than %zu, the middle is left out",
                         max);
        memmove(out->items + 1, out->items + 2, (out->count - 2) * sizeof(*out->items));
        out->count--;
    }
    tkt_reading_add(r, out, TKT_MESSAGE_REFS_MAX, tkt_buf_str(&b), b.len);
}

/* Without brackets: words that look like one. */
static void add_bare_ids(struct tkt_reading *r, const char *p, size_t n,
                         struct tkt_strings *out)
{
    const char *end = p + n;

    while (p < end) {
        const char *start = p;
        while (p < end && (unsigned char)*p > ' ' && strchr(",;\"()", *p) == NULL) {
            p++;
        }
        size_t len = (size_t)(p - start);
        const char *at = len == 0 ? NULL : memchr(start, '@', len);
        if (at != NULL && at > start && at + 1 < p) {
            add_id(r, start, len, out);
        }
        p += p == start ? 1 : 0;
    }
}

void tkt_ids_add(struct tkt_reading *r, const char *value, size_t len,
                 struct tkt_strings *out)
{
    TKT_AUTO_BUF struct tkt_buf text = TKT_BUF_INIT(16 * len + 16);
    const char *id = NULL;
    size_t n = 0;
    size_t before = out->count;

    if (len > 0 && memmem(value, len, "=?", 2) != NULL) {
        tkt_rfc2047_add(&text, value, len); /* some gateways encode the brackets */
        value = tkt_buf_str(&text);
        len = text.len;
    }
    const char *p = value;
    const char *end = value + len;
    while (next_id(&p, end, &id, &n)) {
        add_id(r, id, n, out);
    }
    if (out->count == before) {
        add_bare_ids(r, value, len, out);
    }
}

static void read_list(struct tkt_reading *r, const char *name, struct tkt_strings *out)
{
    size_t index = 0;
    const struct tkt_field *f;

    while ((f = tkt_header_find(&r->scan.header, name, &index)) != NULL) {
        tkt_ids_add(r, tkt_field_value(&r->scan.header, f), f->value_len, out);
    }
}

/* ---- the message's own ---- */

/* At most max bytes that are no blanks, and an end mark. */
static void hash_squeezed(struct tkt_sha256 *h, const char *p, size_t n, size_t max)
{
    char kept[512];
    size_t len = 0;

    for (size_t i = 0; i < n && max > 0; i++) {
        if ((unsigned char)p[i] > ' ') {
            kept[len++] = p[i];
            max--;
        }
        if (len == sizeof(kept)) {
            tkt_sha256_add(h, kept, len);
            len = 0;
        }
    }
    tkt_sha256_add(h, kept, len);
    tkt_sha256_add(h, "", 1);
}

static int hash_body(struct tkt_reading *r, struct tkt_sha256 *h, struct tkt_err *err)
{
    TKT_AUTO_FREE char *window = malloc(DERIVED_READ);
    const char *p = NULL;
    size_t got = 0;

    if (window == NULL) {
        return tkt_err_set(err, TKT_ERR_TEMP, "no memory");
    }
    if (tkt_source_read(r->src, r->scan.parts[0].body_at, DERIVED_READ, window, &p, &got,
                        err) < 0) {
        return -1;
    }
    hash_squeezed(h, p, got, DERIVED_BODY);
    return 0;
}

static int derive(struct tkt_reading *r, struct tkt_err *err)
{
    static const char *const names[] = {"From", "Date", "Subject"};
    unsigned char digest[TKT_SHA256_LEN];
    char id[2 * DERIVED_BYTES + 32];
    struct tkt_sha256 h;

    tkt_sha256_init(&h);
    for (size_t i = 0; i < TKT_ARRAY_LEN(names); i++) {
        size_t index = 0;
        const struct tkt_field *f = tkt_header_find(&r->scan.header, names[i], &index);
        hash_squeezed(&h, f == NULL ? "" : tkt_field_value(&r->scan.header, f),
                      f == NULL ? 0 : f->value_len, SIZE_MAX);
    }
    if (hash_body(r, &h, err) < 0) {
        tkt_sha256_release(&h);
        return -1;
    }
    tkt_sha256_final(&h, digest);
    tkt_hex_encode(digest, DERIVED_BYTES, id);
    strcat(id, "@derived.invalid");
    r->msg->message_id = tkt_reading_keep(r, id, strlen(id));
    r->msg->message_id_derived = true;
    return 0;
}

static int read_own(struct tkt_reading *r, struct tkt_err *err)
{
    TKT_AUTO_BUF struct tkt_buf b = TKT_BUF_INIT(4 * ID_MAX);
    size_t index = 0;
    const struct tkt_field *f = tkt_header_find(&r->scan.header, "Message-ID", &index);

    if (f != NULL) {
        const char *p = tkt_field_value(&r->scan.header, f);
        const char *id = p;
        size_t n = f->value_len;
        if (!next_id(&p, p + n, &id, &n)) {
            id = p; /* without brackets: taken as it stands */
        }
        clean_id(&b, id, n);
    }
    if (b.len == 0) {
        return derive(r, err);
    }
    r->msg->message_id = tkt_reading_keep(r, tkt_buf_str(&b), b.len);
    return 0;
}

int tkt_ids_read(struct tkt_reading *r, struct tkt_err *err)
{
    r->msg->message_id = tkt_nothing;
    if (read_own(r, err) < 0) {
        return -1;
    }
    read_list(r, "In-Reply-To", &r->msg->in_reply_to);
    read_list(r, "References", &r->msg->references);
    return 0;
}
