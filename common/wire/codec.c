/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire/codec.h"

#include "base/enc.h"
#include "base/util.h"

#include <limits.h>
#include <string.h>

#define FIELD_NAME_MAX 256
#define FIRST_ROOM 8

void tkt_codec_add_text(struct tkt_buf *b, const char *name, const char *text)
{
    TKT_AUTO_BUF struct tkt_buf clean = TKT_BUF_INIT(3 * TKT_WIRE_STRING_MAX);

    if (text == NULL || text[0] == '\0') {
        return;
    }
    size_t n = strnlen(text, TKT_WIRE_STRING_MAX + 1);
    if (n <= TKT_WIRE_STRING_MAX && tkt_utf8_valid(text, n)) {
        (void)tkt_wire_addn(b, name, text, n); /* b->failed is checked at the end */
        return;
    }
    n = TKT_MIN(n, TKT_WIRE_STRING_MAX);
    if (tkt_utf8_add_clean(&clean, text, n) < 0) {
        b->failed = true;
        return;
    }
    n = tkt_utf8_cut(clean.data, clean.len, TKT_WIRE_STRING_MAX);
    (void)tkt_wire_addn(b, name, clean.data, n); /* as above */
}

void tkt_codec_add_flag(struct tkt_buf *b, const char *name, bool on)
{
    if (on) {
        (void)tkt_wire_add(b, name, "1"); /* as above */
    }
}

/* RFC 5322 2.2: printable ASCII without the colon. */
static bool is_field_name(const char *name)
{
    size_t n = 0;

    for (; name[n] != '\0'; n++) {
        if (name[n] < 33 || name[n] > 126 || name[n] == ':' || n == FIELD_NAME_MAX) {
            return false;
        }
    }
    return n > 0;
}

int tkt_codec_add_field(struct tkt_buf *b, const char *label, unsigned index,
                        const char *name, const char *value, struct tkt_err *err)
{
    if (!is_field_name(name)) {
        return tkt_err_set(err, TKT_ERR_PERM, "not a header field name");
    }
    size_t n = strlen(value);
    if (n > TKT_WIRE_VALUE_MAX) {
        return tkt_err_set(err, TKT_ERR_PERM, "value of %s has %zu bytes", name, n);
    }
    (void)tkt_buf_addf(b, "%s=%u ", label, index); /* as above */
    (void)tkt_percent_add(b, name, strlen(name));
    (void)tkt_buf_addc(b, ':');
    (void)tkt_percent_add(b, value, n);
    (void)tkt_buf_addc(b, '\n');
    return 0;
}

int tkt_codec_fail(struct tkt_codec_reader *r, const char *why)
{
    return tkt_err_set(r->err, TKT_ERR_PERM, "line %u: %s: %s", r->cursor.line, r->name,
                       why);
}

int tkt_codec_next(struct tkt_codec_reader *r)
{
    return tkt_wire_next(&r->cursor, &r->name, &r->value, r->err);
}

int tkt_codec_begin(struct tkt_codec_reader *r, const struct tkt_wire_packet *pkt,
                    struct tkt_wire_arena *arena, struct tkt_err *err)
{
    r->arena = arena;
    r->err = err;
    r->name = r->value = NULL;
    if (pkt->body.len > TKT_WIRE_TAIL_MAX) {
        return tkt_err_set(err, TKT_ERR_PERM, "packet of %zu bytes", pkt->body.len);
    }
    char *copy = tkt_wire_arena_strdup(arena, tkt_buf_str(&pkt->body), pkt->body.len);
    if (copy == NULL) {
        return tkt_err_set(err, TKT_ERR_TEMP, "no memory");
    }
    tkt_wire_cursor_init_mem(&r->cursor, copy, pkt->body.len);
    int rc = tkt_codec_next(r);
    if (rc < 0) {
        return -1;
    }
    if (rc == 0 || strcmp(r->name, "v") != 0 || strcmp(r->value, "1") != 0) {
        return tkt_err_set(err, TKT_ERR_PERM, "first line is not v=1");
    }
    return 0;
}

int tkt_codec_text(struct tkt_codec_reader *r, const char **out)
{
    size_t n = strlen(r->value);

    if (n > TKT_WIRE_STRING_MAX) {
        return tkt_codec_fail(r, "too long");
    }
    if (!tkt_utf8_valid(r->value, n)) {
        return tkt_codec_fail(r, "not UTF-8");
    }
    *out = r->value;
    return 0;
}

int tkt_codec_flag(struct tkt_codec_reader *r, bool *out)
{
    if (strcmp(r->value, "1") != 0 && strcmp(r->value, "0") != 0) {
        return tkt_codec_fail(r, "not 0 or 1");
    }
    *out = r->value[0] == '1';
    return 0;
}

int tkt_codec_u64(struct tkt_codec_reader *r, uint64_t max, uint64_t *out)
{
    uint64_t v = 0;
    const char *s = r->value;

    if (*s == '\0') {
        return tkt_codec_fail(r, "not a number");
    }
    for (; *s != '\0'; s++) {
        if (*s < '0' || *s > '9' || __builtin_mul_overflow(v, 10, &v) ||
            __builtin_add_overflow(v, (uint64_t)(*s - '0'), &v)) {
            return tkt_codec_fail(r, "not a number");
        }
    }
    if (v > max) {
        return tkt_codec_fail(r, "out of range");
    }
    *out = v;
    return 0;
}

int tkt_codec_field(struct tkt_codec_reader *r, unsigned *index, const char **name,
                    const char **value)
{
    char *blank = strchr(r->value, ' ');
    char *colon = blank != NULL ? strchr(blank, ':') : NULL;
    int64_t n;

    if (colon == NULL) {
        return tkt_codec_fail(r, "not INDEX NAME:VALUE");
    }
    *blank = *colon = '\0';
    if (tkt_parse_int(r->value, 0, INT_MAX, &n) < 0 || !is_field_name(blank + 1)) {
        return tkt_codec_fail(r, "bad index or name");
    }
    if (strlen(colon + 1) > TKT_WIRE_VALUE_MAX) {
        return tkt_codec_fail(r, "value too long");
    }
    *index = (unsigned)n;
    *name = blank + 1;
    *value = colon + 1;
    return 0;
}

void *tkt_codec_more(struct tkt_codec_reader *r, void *items, size_t *count, size_t max,
                     size_t size)
{
    size_t n = *count;

    if (n >= max) {
        (void)tkt_codec_fail(r, "more than allowed"); /* NULL tells it */
        return NULL;
    }
    /* The array doubles when its count reaches a power of two. */
    bool full = n == 0 || (n >= FIRST_ROOM && (n & (n - 1)) == 0);
    if (full) {
        size_t room = n == 0 ? FIRST_ROOM : 2 * n;
        void *grown = tkt_wire_arena_alloc(r->arena, room * size);
        if (grown == NULL) {
            (void)tkt_err_set(r->err, TKT_ERR_TEMP, "no memory"); /* NULL tells it */
            return NULL;
        }
        if (n > 0) {
            memcpy(grown, items, n * size);
        }
        items = grown;
    }
    memset((char *)items + n * size, 0, size);
    *count = n + 1;
    return items;
}
