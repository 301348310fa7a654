/* SPDX-License-Identifier: BSD-2-Clause */
#include "message/pack.h"

#include "base/enc.h"

#include <string.h>

void tkt_pack_u8(struct tkt_buf *b, uint8_t v)
{
    tkt_buf_add(b, &v, 1);
}

void tkt_pack_u32(struct tkt_buf *b, uint32_t v)
{
    unsigned char raw[4];

    for (unsigned i = 0; i < sizeof(raw); i++) {
        raw[i] = (unsigned char)(v >> (8 * i));
    }
    tkt_buf_add(b, raw, sizeof(raw));
}

void tkt_pack_i64(struct tkt_buf *b, int64_t v)
{
    tkt_pack_u32(b, (uint32_t)(uint64_t)v);
    tkt_pack_u32(b, (uint32_t)((uint64_t)v >> 32));
}

void tkt_pack_str(struct tkt_buf *b, const char *s)
{
    size_t n = s == NULL ? 0 : strlen(s);

    if (n > UINT32_MAX) {
        b->failed = true;
        return;
    }
    tkt_pack_u32(b, (uint32_t)n);
    tkt_buf_add(b, s, n);
}

void tkt_pack_count(struct tkt_buf *b, size_t count, size_t max)
{
    if (count > max) {
        b->failed = true;
        return;
    }
    tkt_pack_u32(b, (uint32_t)count);
}

void tkt_pack_strings(struct tkt_buf *b, const struct tkt_strings *list, size_t max)
{
    tkt_pack_count(b, list->count, max);
    for (size_t i = 0; i < list->count && !b->failed; i++) {
        tkt_pack_str(b, list->items[i]);
    }
}

int tkt_pack_end(const struct tkt_buf *b)
{
    return b->failed ? -1 : 0;
}

static void bad(struct tkt_unpack *u, const char *why)
{
    if (u->bad == NULL) {
        u->bad = why;
    }
    u->at = u->end;
}

/* n bytes of the input, or NULL. */
static const unsigned char *take(struct tkt_unpack *u, size_t n)
{
    const unsigned char *p = u->at;

    if (u->bad != NULL || (size_t)(u->end - u->at) < n) {
        bad(u, "cut short");
        return NULL;
    }
    u->at += n;
    return p;
}

void tkt_unpack_init(struct tkt_unpack *u, const void *data, size_t n, const char *magic,
                     struct tkt_wire_arena *arena)
{
    static const unsigned char none[1];
    const unsigned char *p = n == 0 ? none : data;

    *u = (struct tkt_unpack){p, p + n, arena, NULL};
    const unsigned char *m = take(u, 4);
    if (m != NULL && memcmp(m, magic, 4) != 0) {
        bad(u, "another kind or version");
    }
}

uint8_t tkt_unpack_u8(struct tkt_unpack *u)
{
    const unsigned char *p = take(u, 1);

    return p == NULL ? 0 : *p;
}

bool tkt_unpack_bool(struct tkt_unpack *u)
{
    return tkt_unpack_enum(u, 2) == 1;
}

int tkt_unpack_enum(struct tkt_unpack *u, int count)
{
    return tkt_unpack_small(u, 0, count - 1);
}

int tkt_unpack_small(struct tkt_unpack *u, int min, int max)
{
    int v = tkt_unpack_u8(u);

    if (u->bad == NULL && (v < min || v > max)) {
        bad(u, "value out of range");
    }
    return u->bad == NULL ? v : min;
}

static uint32_t unpack_u32(struct tkt_unpack *u)
{
    const unsigned char *p = take(u, 4);

    if (p == NULL) {
        return 0;
    }
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
           (uint32_t)p[3] << 24;
}

uint32_t tkt_unpack_bits(struct tkt_unpack *u, unsigned count)
{
    uint32_t v = unpack_u32(u);

    if (u->bad == NULL && count < 32 && v >> count != 0) {
        bad(u, "value out of range");
    }
    return u->bad == NULL ? v : 0;
}

int64_t tkt_unpack_i64(struct tkt_unpack *u)
{
    uint64_t low = unpack_u32(u);
    uint64_t high = unpack_u32(u);

    return u->bad == NULL ? (int64_t)(high << 32 | low) : 0;
}

static char empty[1];

static char *unpack_string(struct tkt_unpack *u, size_t max, bool one_line)
{
    size_t n = unpack_u32(u);

    if (u->bad == NULL && n > max) {
        bad(u, "string too long");
    }
    const unsigned char *p = take(u, n);
    if (p == NULL) {
        return empty;
    }
    for (size_t i = 0; i < n; i++) {
        if (p[i] == '\0' ||
            (one_line && (p[i] == 0x7f || (p[i] < ' ' && p[i] != '\t')))) {
            bad(u, "control byte in a string");
            return empty;
        }
    }
    if (!tkt_utf8_valid(p, n)) {
        bad(u, "string is not UTF-8");
        return empty;
    }
    char *s = n == 0 ? empty : tkt_wire_arena_strdup(u->arena, (const char *)p, n);
    if (s == NULL) {
        bad(u, "no memory");
        return empty;
    }
    return s;
}

char *tkt_unpack_line(struct tkt_unpack *u)
{
    return unpack_string(u, TKT_MESSAGE_STRING_MAX, true);
}

char *tkt_unpack_text(struct tkt_unpack *u, size_t max)
{
    return unpack_string(u, max, false);
}

size_t tkt_unpack_count(struct tkt_unpack *u, size_t max, size_t item_min)
{
    size_t n = unpack_u32(u);

    if (u->bad == NULL && (n > max || n > (size_t)(u->end - u->at) / item_min)) {
        bad(u, "too many items");
    }
    return u->bad == NULL ? n : 0;
}

void *tkt_unpack_array(struct tkt_unpack *u, size_t count, size_t size)
{
    if (count == 0 || u->bad != NULL) {
        return NULL;
    }
    void *p = tkt_wire_arena_alloc(u->arena, count * size);
    if (p == NULL) {
        bad(u, "no memory");
        return NULL;
    }
    memset(p, 0, count * size);
    return p;
}

void tkt_unpack_strings(struct tkt_unpack *u, struct tkt_strings *out, size_t max)
{
    size_t count = tkt_unpack_count(u, max, 4);

    out->items = tkt_unpack_array(u, count, sizeof(*out->items));
    out->count = out->items == NULL ? 0 : count;
    for (size_t i = 0; i < out->count; i++) {
        out->items[i] = tkt_unpack_line(u);
    }
}

int tkt_unpack_end(struct tkt_unpack *u, const char *what, struct tkt_err *err)
{
    if (u->bad == NULL && u->at != u->end) {
        bad(u, "bytes left over");
    }
    if (u->bad == NULL) {
        return 0;
    }
    return tkt_err_set(err, TKT_ERR_PERM, "%s: %s", what, u->bad);
}
