/* SPDX-License-Identifier: BSD-2-Clause */
#include "message/header.h"

#include "base/enc.h"
#include "base/util.h"

#include <string.h>

void tkt_header_init(struct tkt_header *h, const struct tkt_message_limits *limits)
{
    memset(h, 0, sizeof(*h));
    tkt_buf_init(&h->block, limits->header_block_max);
}

void tkt_header_release(struct tkt_header *h)
{
    tkt_buf_release(&h->block);
    free(h->fields);
    h->fields = NULL;
    h->count = 0;
    h->room = 0;
}

void tkt_header_reset(struct tkt_header *h)
{
    tkt_buf_reset(&h->block);
    h->count = 0;
    h->overflow = false;
    h->cut = false;
}

/* Length of the field name before the colon, or 0 when this is no field. */
static size_t name_length(const char *p, size_t n)
{
    size_t len = 0;

    while (len < n && p[len] > ' ' && p[len] < 0x7f && p[len] != ':') {
        len++;
    }
    size_t colon = len;
    while (colon < n && (p[colon] == ' ' || p[colon] == '\t')) {
        colon++; /* RFC 5322 4.5: blanks before the colon */
    }
    return colon < n && p[colon] == ':' ? len : 0;
}

/* A return that ends no line parts words; without it "ann@x.example\rTo: ..." would be
 * somebody else's address. */
static void blank_returns(char *p, size_t n)
{
    char *end = p + n;

    while (n > 0 && (p = memchr(p, '\r', (size_t)(end - p))) != NULL) {
        if (p + 1 == end || p[1] != '\n') {
            *p = ' ';
        }
        p++;
    }
}

static void append(struct tkt_header *h, const char *p, size_t n,
                   const struct tkt_message_limits *limits)
{
    struct tkt_field *f = &h->fields[h->count - 1];
    size_t room = limits->header_max - TKT_MIN(limits->header_max, f->value_len);

    h->cut = h->cut || n > room;
    n = TKT_MIN(n, room);
    if (tkt_buf_add(&h->block, p, n) < 0) {
        h->overflow = true;
        return;
    }
    blank_returns(h->block.data + h->block.len - n, n);
    f->value_len += n;
}

static bool grow(struct tkt_header *h, const struct tkt_message_limits *limits)
{
    if (h->count < h->room) {
        return true;
    }
    size_t room = TKT_MIN(h->room * 2 + 32, limits->header_count_max);
    struct tkt_field *fields =
        room <= h->count ? NULL : realloc(h->fields, room * sizeof(*fields));
    if (fields == NULL) {
        return false;
    }
    h->fields = fields;
    h->room = room;
    return true;
}

static void begin(struct tkt_header *h, const char *p, size_t n, size_t name_len,
                  const struct tkt_message_limits *limits)
{
    const char *colon = memchr(p + name_len, ':', n - name_len);
    size_t at = h->block.len;

    if (!grow(h, limits) || tkt_buf_add(&h->block, p, name_len) < 0) {
        h->overflow = true;
        return;
    }
    h->fields[h->count++] = (struct tkt_field){at, name_len, h->block.len, 0};
    append(h, colon + 1, n - (size_t)(colon + 1 - p), limits);
}

static bool is_mbox_line(const struct tkt_header *h, const char *p, size_t n)
{
    return h->count == 0 && ((n > 5 && memcmp(p, "From ", 5) == 0) ||
                             (n > 6 && memcmp(p, ">From ", 6) == 0));
}

enum tkt_header_line tkt_header_take(struct tkt_header *h, const char *p, size_t n,
                                     bool bol, const struct tkt_message_limits *limits)
{
    if (h->overflow) {
        /* Only its end is of interest. */
        bool empty = bol && (p[0] == '\n' || (n == 2 && p[0] == '\r'));
        return empty ? TKT_HEADER_END : TKT_HEADER_MORE;
    }
    if (!bol || p[0] == ' ' || p[0] == '\t') {
        if (h->count == 0) {
            return bol ? TKT_HEADER_NOT_A_FIELD : TKT_HEADER_MORE;
        }
        append(h, p, n, limits);
        return TKT_HEADER_MORE;
    }
    if (p[0] == '\n' || (p[0] == '\r' && n == 2)) {
        return TKT_HEADER_END;
    }
    if (is_mbox_line(h, p, n)) {
        return TKT_HEADER_MORE;
    }
    size_t name_len = name_length(p, n);
    if (name_len == 0) {
        return TKT_HEADER_NOT_A_FIELD;
    }
    begin(h, p, n, name_len, limits);
    return TKT_HEADER_MORE;
}

const struct tkt_field *tkt_header_find(const struct tkt_header *h, const char *name,
                                        size_t *index)
{
    size_t n = strlen(name);

    for (; *index < h->count; (*index)++) {
        const struct tkt_field *f = &h->fields[*index];
        if (f->name_len == n && tkt_ascii_ieqn(h->block.data + f->name_at, name, n)) {
            (*index)++;
            return f;
        }
    }
    return NULL;
}

const char *tkt_field_value(const struct tkt_header *h, const struct tkt_field *f)
{
    return h->block.data + f->value_at;
}
