/* SPDX-License-Identifier: BSD-2-Clause
 * Sections of settings as bytes: how a program that reads the configuration hands a part of
 * it to one that cannot (ticketd to ticket-parser). Names and values stay text; who decodes
 * them knows what they mean, and can say which line of which file is wrong.
 *
 * A writer calls begin, any number of sections each with its keys, and end. A decoded
 * struct borrows the data, which must outlive it; release frees the rest. The reader checks
 * every length; strings are not looked into. Both ends are of one build: the format is
 * private and starts with a mark that is refused by others. libc only; no threads.
 */
#ifndef TKT_BASE_SECTIONS_H
#define TKT_BASE_SECTIONS_H
#include "base/buf.h"
#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

#define TKT_SECTIONS_MAX 32768 /* sections */
#define TKT_SECTIONS_KEYS_MAX 1048576
#define TKT_SECTIONS_VALUES_MAX 4194304

struct tkt_section_key {
    const char *name;
    uint32_t line;
    const char **values;
    size_t count;
};

struct tkt_section {
    const char *name;
    const char *title; /* "" = none */
    const char *file;
    uint32_t line;
    struct tkt_section_key *keys;
    size_t key_count;
};

struct tkt_sections {
    struct tkt_section *items;
    size_t count;
    struct tkt_section_key *keys; /* of all */
    const char **values;          /* of all */
};

/* -1: it does not fit. */
int tkt_sections_begin(struct tkt_buf *out);
int tkt_sections_add(struct tkt_buf *out, const char *name, const char *title,
                     const char *file, uint32_t line);
int tkt_sections_add_key(struct tkt_buf *out, const char *name, uint32_t line,
                         const char *const *values, size_t count);
int tkt_sections_end(struct tkt_buf *out);

/* PERM on anything malformed, TEMP without memory. */
int tkt_sections_decode(const void *data, size_t n, struct tkt_sections *out,
                        struct tkt_err *err);
void tkt_sections_release(struct tkt_sections *sections);

/* NULL when the section has no such key. */
const struct tkt_section_key *tkt_section_key(const struct tkt_section *section,
                                              const char *name);
/* Its first value, or what otherwise holds. */
const char *tkt_section_value(const struct tkt_section *section, const char *name,
                              const char *otherwise);
/* A CONF error "file:line: text"; key may be NULL: the section's line. Returns -1. */
int tkt_section_fail(const struct tkt_section *section, const struct tkt_section_key *key,
                     struct tkt_err *err, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

#endif
