/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/sections.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char mark[8] = "tktset1\n";

enum record {
    SECTION = 'S',
    KEY = 'K',
    END = 'E'
};

/* ---- writing ---- */

static void put_number(struct tkt_buf *out, uint32_t v)
{
    (void)tkt_buf_add(out, &v, sizeof(v)); /* out->failed tells */
}

static void put_string(struct tkt_buf *out, const char *s)
{
    size_t n = strlen(s);

    put_number(out, (uint32_t)n);
    (void)tkt_buf_add(out, s, n + 1); /* out->failed tells; the NUL goes along */
}

int tkt_sections_begin(struct tkt_buf *out)
{
    return tkt_buf_add(out, mark, sizeof(mark));
}

int tkt_sections_add(struct tkt_buf *out, const char *name, const char *title,
                     const char *file, uint32_t line)
{
    (void)tkt_buf_addc(out, SECTION); /* out->failed tells */
    put_number(out, line);
    put_string(out, name);
    put_string(out, title);
    put_string(out, file);
    return out->failed ? -1 : 0;
}

int tkt_sections_add_key(struct tkt_buf *out, const char *name, uint32_t line,
                         const char *const *values, size_t count)
{
    (void)tkt_buf_addc(out, KEY); /* out->failed tells */
    put_number(out, line);
    put_number(out, (uint32_t)count);
    put_string(out, name);
    for (size_t i = 0; i < count; i++) {
        put_string(out, values[i]);
    }
    return out->failed ? -1 : 0;
}

int tkt_sections_end(struct tkt_buf *out)
{
    return tkt_buf_addc(out, END);
}

/* ---- reading ---- */

/* One pass counts, a second one fills: nothing is stored before all is known to fit. */
struct reader {
    const char *at;
    const char *end;
    struct tkt_sections *out; /* NULL: count only */
    size_t sections;
    size_t keys;
    size_t values;
};

static int take(struct reader *r, void *out, size_t n)
{
    if ((size_t)(r->end - r->at) < n) {
        return -1;
    }
    memcpy(out, r->at, n);
    r->at += n;
    return 0;
}

static int take_string(struct reader *r, const char **out)
{
    uint32_t n;

    if (take(r, &n, sizeof(n)) < 0 || (size_t)(r->end - r->at) <= n || r->at[n] != '\0' ||
        memchr(r->at, '\0', n) != NULL) {
        return -1;
    }
    *out = r->at;
    r->at += n + 1;
    return 0;
}

static int take_section(struct reader *r)
{
    struct tkt_section s = {0};

    if (r->sections == TKT_SECTIONS_MAX || take(r, &s.line, sizeof(s.line)) < 0 ||
        take_string(r, &s.name) < 0 || take_string(r, &s.title) < 0 ||
        take_string(r, &s.file) < 0) {
        return -1;
    }
    if (r->out != NULL) {
        s.keys = r->out->keys + r->keys;
        r->out->items[r->sections] = s;
    }
    r->sections++;
    return 0;
}

static int take_key(struct reader *r)
{
    struct tkt_section_key k = {0};
    uint32_t count;

    if (r->sections == 0 || r->keys == TKT_SECTIONS_KEYS_MAX ||
        take(r, &k.line, sizeof(k.line)) < 0 || take(r, &count, sizeof(count)) < 0 ||
        count > TKT_SECTIONS_VALUES_MAX - r->values || take_string(r, &k.name) < 0) {
        return -1;
    }
    k.count = count;
    for (size_t i = 0; i < count; i++) {
        const char *value;
        if (take_string(r, &value) < 0) {
            return -1;
        }
        if (r->out != NULL) {
            r->out->values[r->values + i] = value;
        }
    }
    if (r->out != NULL) {
        k.values = r->out->values + r->values;
        r->out->keys[r->keys] = k;
        r->out->items[r->sections - 1].key_count++;
    }
    r->values += count;
    r->keys++;
    return 0;
}

static int read_all(struct reader *r)
{
    char kind;

    while (take(r, &kind, 1) == 0) {
        if (kind == END) {
            return r->at == r->end ? 0 : -1;
        }
        if (kind == SECTION ? take_section(r) < 0 : kind != KEY || take_key(r) < 0) {
            return -1;
        }
    }
    return -1;
}

int tkt_sections_decode(const void *data, size_t n, struct tkt_sections *out,
                        struct tkt_err *err)
{
    const char *start = (const char *)data + sizeof(mark);
    struct tkt_sections all = {0};

    if (n < sizeof(mark) || memcmp(data, mark, sizeof(mark)) != 0) {
        return tkt_err_set(err, TKT_ERR_PERM, "settings: of another version");
    }
    struct reader r = {.at = start, .end = (const char *)data + n};
    if (read_all(&r) < 0) {
        return tkt_err_set(err, TKT_ERR_PERM, "settings: malformed");
    }
    all.items = calloc(r.sections + 1, sizeof(*all.items));
    all.keys = calloc(r.keys + 1, sizeof(*all.keys));
    all.values = calloc(r.values + 1, sizeof(*all.values));
    if (all.items == NULL || all.keys == NULL || all.values == NULL) {
        tkt_sections_release(&all);
        return tkt_err_set(err, TKT_ERR_TEMP, "settings: no memory");
    }
    r = (struct reader){.at = start, .end = (const char *)data + n, .out = &all};
    (void)read_all(&r); /* it could be read before */
    all.count = r.sections;
    *out = all;
    return 0;
}

void tkt_sections_release(struct tkt_sections *sections)
{
    free(sections->items);
    free(sections->keys);
    free(sections->values);
    memset(sections, 0, sizeof(*sections));
}

/* ---- looking up ---- */

const struct tkt_section_key *tkt_section_key(const struct tkt_section *section,
                                              const char *name)
{
    for (size_t i = 0; i < section->key_count; i++) {
        if (strcmp(section->keys[i].name, name) == 0) {
            return &section->keys[i];
        }
    }
    return NULL;
}

const char *tkt_section_value(const struct tkt_section *section, const char *name,
                              const char *otherwise)
{
    const struct tkt_section_key *key = tkt_section_key(section, name);

    return key == NULL || key->count == 0 ? otherwise : key->values[0];
}

int tkt_section_fail(const struct tkt_section *section, const struct tkt_section_key *key,
                     struct tkt_err *err, const char *fmt, ...)
{
    char text[400];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    return tkt_err_set(err, TKT_ERR_CONF, "%s:%u: %s", section->file,
                       key == NULL ? section->line : key->line, text);
}
