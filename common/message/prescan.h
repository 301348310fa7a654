/* SPDX-License-Identifier: BSD-2-Clause
 * The pre-scan: one linear walk over a message with hard caps, before anything else
 * looks at it.
 *
 * It finds the fields of the message's header and the tree of its parts as byte ranges,
 * with an explicit stack; no byte is looked at more often than the caps on depth allow.
 * The message is read through one window; nothing of a body is kept. What is past a cap
 * is left out and named in the problems. GMime never sees a message, only single fields
 * that passed these caps.
 * Threads: none shared. Owner: the caller inits and releases.
 */
#ifndef TKT_MESSAGE_PRESCAN_H
#define TKT_MESSAGE_PRESCAN_H
#include "base/buf.h"
#include "base/err.h"
#include "message/budget.h"
#include "message/mimeheader.h"
#include "message/parse.h"
#include "wire/packet.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TKT_MIME_PATH_MAX 160 /* "500.500...." of the deepest part */

struct tkt_field {
    size_t name_at; /* offsets into the block */
    size_t name_len;
    size_t value_at; /* behind the colon; with its folds */
    size_t value_len;
};

/* The fields of one header. */
struct tkt_header {
    struct tkt_buf block;
    struct tkt_field *fields;
    size_t count;
    size_t room;
    bool overflow; /* a cap of the block was reached: what follows is missing */
    bool cut;      /* a field was cut at its cap */
};

struct tkt_part {
    int parent;      /* index, -1 for the root */
    unsigned number; /* among its siblings, from 1 */
    bool is_multipart;
    bool in_digest;
    struct tkt_mime_header mime;
    uint64_t header_at; /* of its own fields; 0 for the root */
    uint64_t body_at;
    uint64_t end_at;
    struct tkt_block *blocks; /* files within its text: see message/blocks.h */
    size_t block_count;
    bool has_looked_for_blocks;
};

struct tkt_scan {
    const struct tkt_message_limits *limits;
    struct tkt_header header; /* of the message */
    struct tkt_part *parts;   /* in the order of the message; [0] is the root */
    size_t part_count;
    size_t part_room;
    bool header_only;            /* a cap of the header: no body was looked at */
    struct tkt_budget budget;    /* limits->parse_ms, running since tkt_scan_run */
    struct tkt_strings problems; /* at most TKT_MESSAGE_NOTES_MAX */
    struct tkt_wire_arena arena;
    bool no_memory;
};

/* 0, or -1 (TEMP: source not readable, memory); release in both cases. */
int tkt_scan_run(struct tkt_scan *s, const struct tkt_message_source *src,
                 const struct tkt_message_limits *limits, struct tkt_err *err);
void tkt_scan_release(struct tkt_scan *s);
/* "1.2.3"; "1" for a root that is no multipart. */
void tkt_scan_path(const struct tkt_scan *s, size_t part, char out[TKT_MIME_PATH_MAX]);
/* The type with its default when there is none or it is broken. */
const char *tkt_part_type(const struct tkt_part *part);
/* Whether the time is up; says so among the problems. */
bool tkt_scan_out_of_time(struct tkt_scan *s);
/* One line, once; text beyond the cap of notes is dropped. */
void tkt_scan_problem(struct tkt_scan *s, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* ---- fields ---- */
/* The next field of that name from *index on; NULL at the end. */
const struct tkt_field *tkt_header_find(const struct tkt_header *h, const char *name,
                                        size_t *index);
const char *tkt_field_value(const struct tkt_header *h, const struct tkt_field *f);

/* ---- the source ---- */
/* Up to n bytes at off; *got is short only at the end. In memory *p points into the
 * source, else into window (n bytes). */
int tkt_source_read(const struct tkt_message_source *src, uint64_t off, size_t n,
                    char *window, const char **p, size_t *got, struct tkt_err *err);

#endif
