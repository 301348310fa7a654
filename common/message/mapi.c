/* SPDX-License-Identifier: BSD-2-Clause */
#include "message/mapi.h"

#include "base/util.h"
#include "message/charset.h"

#include <string.h>

#define NAMED_FROM 0x8000
#define MULTIPLE 0x1000

/* ---- bytes ---- */

size_t tkt_tnef_some(struct tkt_tnef_in *in, uint64_t want, const char **p)
{
    if (in->n == 0 && !in->is_ended && !in->is_failed) {
        int rc = tkt_content_next(in->content, &in->p, &in->n, in->err);
        in->is_failed = rc < 0;
        in->is_ended = rc <= 0;
        in->n = rc <= 0 ? 0 : in->n;
    }
    size_t n = want < in->n ? (size_t)want : in->n;
    *p = in->p;
    for (size_t i = 0; i < in->tee_count && n > 0; i++) {
        struct tkt_tnef_tee *t = &in->tees[i];
        int rc = t->is_wanted ? in->visitor->data(t->content, in->p, n, in->err) : 0;
        t->is_wanted = t->is_wanted && rc == 0;
        in->is_failed = in->is_failed || rc < 0;
    }
    if (n > 0) {
        in->p += n;
        in->n -= n;
    }
    return in->is_failed || in->is_done ? 0 : n;
}

bool tkt_tnef_take(struct tkt_tnef_in *in, uint64_t *left, void *out, size_t n)
{
    char *to = out;

    if (n > *left) {
        return false;
    }
    while (n > 0) {
        const char *p = NULL;
        size_t got = tkt_tnef_some(in, n, &p);
        if (got == 0) {
            return false;
        }
        memcpy(to, p, got);
        to += got;
        n -= got;
        *left -= got;
    }
    return true;
}

bool tkt_tnef_number(struct tkt_tnef_in *in, uint64_t *left, size_t n, uint32_t *out)
{
    unsigned char raw[4];

    *out = 0;
    if (!tkt_tnef_take(in, left, raw, n)) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        *out |= (uint32_t)raw[i] << (8 * i);
    }
    return true;
}

/* n bytes: the first of them into out (if any), all of them to content (if any). */
static bool pass(struct tkt_tnef_in *in, uint64_t *left, uint64_t n, struct tkt_buf *out,
                 void *content)
{
    bool is_whole = n <= *left;

    for (n = is_whole ? n : *left; n > 0;) {
        const char *p = NULL;
        size_t got = tkt_tnef_some(in, n, &p);
        if (got == 0) {
            return false;
        }
        n -= got;
        *left -= got;
        if (out != NULL) {
            tkt_buf_add(out, p, TKT_MIN(got, out->max - out->len));
        }
        int rc = content == NULL ? 0 : in->visitor->data(content, p, got, in->err);
        content = rc == 0 ? content : NULL;
        in->is_failed = in->is_failed || rc < 0;
    }
    return is_whole && !in->is_failed;
}

bool tkt_tnef_skip(struct tkt_tnef_in *in, uint64_t *left, uint64_t n)
{
    return pass(in, left, n, NULL, NULL);
}

bool tkt_tnef_gather(struct tkt_tnef_in *in, uint64_t *left, uint64_t n,
                     struct tkt_buf *out)
{
    tkt_buf_reset(out);
    return pass(in, left, n, out, NULL);
}

bool tkt_tnef_pipe(struct tkt_tnef_in *in, uint64_t *left, uint64_t n, void *content)
{
    return pass(in, left, n, NULL, content);
}

/* ---- properties ---- */

/* Bytes of a value of fixed length, filled up to four; 0: its length comes before it. */
static uint32_t fixed_size(uint16_t type)
{
    switch (type & ~MULTIPLE) {
    case 0x0000: /* unspecified */
    case 0x0001: /* null */
    case 0x000a: /* error */
    case 0x0004: /* float */
    case TKT_MAPI_SHORT:
    case TKT_MAPI_LONG:
    case TKT_MAPI_BOOLEAN:
        return 4;
    case 0x0005: /* double */
    case 0x0006: /* currency */
    case 0x0007: /* application time */
    case 0x0014: /* 64 bits */
    case 0x0040: /* system time */
        return 8;
    case 0x0048: /* class id */
        return 16;
    default:
        return 0;
    }
}

static bool is_variable(uint16_t type)
{
    uint16_t single = type & (uint16_t)~MULTIPLE;

    return single == TKT_MAPI_STRING8 || single == TKT_MAPI_UNICODE ||
           single == TKT_MAPI_BINARY || single == TKT_MAPI_OBJECT;
}

/* A named property has its name before its values. */
static bool skip_name(struct tkt_tnef_in *in, uint64_t *left)
{
    uint32_t kind = 0;
    uint32_t len = 0;

    if (!tkt_tnef_skip(in, left, 16) || !tkt_tnef_number(in, left, 4, &kind)) {
        return false;
    }
    if (kind == 0) {
        return tkt_tnef_skip(in, left, 4);
    }
    return tkt_tnef_number(in, left, 4, &len) &&
           tkt_tnef_skip(in, left, ((uint64_t)len + 3) / 4 * 4);
}

static bool read_variable(struct tkt_tnef_in *in, uint64_t *left,
                          struct tkt_mapi_value *v, tkt_mapi_fn *fn, void *arg)
{
    uint32_t len = 0;

    if (!tkt_tnef_number(in, left, 4, &len) || len > *left) {
        return false;
    }
    v->len = len;
    uint64_t inner = len;
    fn(arg, in, v, &inner);
    *left -= len - inner;
    uint64_t pad = ((uint64_t)len + 3) / 4 * 4 - len;
    return tkt_tnef_skip(in, left, inner) && tkt_tnef_skip(in, left, TKT_MIN(pad, *left));
}

static bool read_property(struct tkt_tnef_in *in, uint64_t *left, tkt_mapi_fn *fn,
                          void *arg)
{
    uint32_t type = 0;
    uint32_t id = 0;
    uint32_t count = 1;

    if (!tkt_tnef_number(in, left, 2, &type) || !tkt_tnef_number(in, left, 2, &id) ||
        (id >= NAMED_FROM && !skip_name(in, left))) {
        return false;
    }
    struct tkt_mapi_value v = {.id = (uint16_t)id, .type = (uint16_t)type};
    bool variable = is_variable(v.type);
    uint32_t size = fixed_size(v.type);
    if (!variable && size == 0) {
        return false; /* its length is not known: nothing behind it can be read */
    }
    if ((variable || (type & MULTIPLE) != 0) && !tkt_tnef_number(in, left, 4, &count)) {
        return false;
    }
    if (!variable && v.type != TKT_MAPI_LONG) {
        return tkt_tnef_skip(in, left, (uint64_t)size * count);
    }
    for (uint32_t i = 0; i < count; i++) {
        bool ok = variable ? read_variable(in, left, &v, fn, arg)
                           : tkt_tnef_number(in, left, 4, &v.number);
        if (!ok) {
            return false;
        }
        if (!variable) {
            fn(arg, in, &v, &(uint64_t){0});
        }
    }
    return true;
}

bool tkt_mapi_read(struct tkt_tnef_in *in, uint64_t *left, tkt_mapi_fn *fn, void *arg)
{
    uint32_t count = 0;
    bool ok = tkt_tnef_number(in, left, 4, &count);

    /* Each takes eight bytes at least, so a false count ends by itself. */
    for (uint32_t i = 0; ok && i < count; i++) {
        ok = read_property(in, left, fn, arg);
    }
    return ok;
}

static size_t text_length(const struct tkt_buf *raw, uint16_t type)
{
    size_t unit = type == TKT_MAPI_UNICODE ? 2 : 1;
    size_t n = 0;

    while (n + unit <= raw->len &&
           (raw->data[n] != '\0' || (unit == 2 && raw->data[n + 1] != '\0'))) {
        n += unit;
    }
    return n;
}

void tkt_mapi_line(struct tkt_buf *out, const struct tkt_buf *raw, uint16_t type,
                   const char *charset)
{
    const char *label = type == TKT_MAPI_UNICODE ? "utf-16le" : charset;

    tkt_buf_reset(out);
    tkt_charset_add(out, label, strlen(label), tkt_buf_str(raw), text_length(raw, type),
                    NULL);
    for (size_t i = 0; i < out->len; i++) {
        unsigned char c = (unsigned char)out->data[i];
        out->data[i] = c < ' ' || c == 0x7f ? ' ' : out->data[i];
    }
}
