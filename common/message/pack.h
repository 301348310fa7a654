/* SPDX-License-Identifier: BSD-2-Clause
 * The bytes between ticketd and its parser children: fixed order, little endian.
 *
 * A string is a 32-bit length and its bytes; a list is a 32-bit count and its items; a
 * truth is one byte, 0 or 1. There is one way to write a value, so what decodes encodes
 * to the same bytes again. Writers append to a bounded buffer and leave the error in its
 * failed flag. A reader remembers its first error in .bad; from then on every call
 * gives 0 or "", so a decoder needs one check at its end. Reading never allocates more
 * than the input justifies: a count must be carried by bytes that are there. No
 * recursion, libc only; a reader belongs to one thread.
 */
#ifndef TKT_MESSAGE_PACK_H
#define TKT_MESSAGE_PACK_H
#include "base/buf.h"
#include "base/err.h"
#include "message/message.h"
#include "wire/packet.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void tkt_pack_u8(struct tkt_buf *b, uint8_t v);
void tkt_pack_u32(struct tkt_buf *b, uint32_t v);
void tkt_pack_i64(struct tkt_buf *b, int64_t v);
/* s may be NULL: written as "". */
void tkt_pack_str(struct tkt_buf *b, const char *s);
/* Fails the buffer when count is above max: what nobody would read is not written. */
void tkt_pack_count(struct tkt_buf *b, size_t count, size_t max);
void tkt_pack_strings(struct tkt_buf *b, const struct tkt_strings *list, size_t max);
/* 0, or -1 when the buffer failed. */
int tkt_pack_end(const struct tkt_buf *b);

struct tkt_unpack {
    const unsigned char *at;
    const unsigned char *end;
    struct tkt_wire_arena *arena;
    const char *bad; /* what was wrong first, or NULL */
};

/* magic: the first four bytes, which name struct and version. */
void tkt_unpack_init(struct tkt_unpack *u, const void *data, size_t n, const char *magic,
                     struct tkt_wire_arena *arena);
uint8_t tkt_unpack_u8(struct tkt_unpack *u);
bool tkt_unpack_bool(struct tkt_unpack *u);
/* A value below count. */
int tkt_unpack_enum(struct tkt_unpack *u, int count);
/* A byte within [min, max]. */
int tkt_unpack_small(struct tkt_unpack *u, int min, int max);
/* 32 bits of which only the lowest count may be set. */
uint32_t tkt_unpack_bits(struct tkt_unpack *u, unsigned count);
int64_t tkt_unpack_i64(struct tkt_unpack *u);
/* One line: UTF-8, no control bytes but TAB, at most TKT_MESSAGE_STRING_MAX bytes. */
char *tkt_unpack_line(struct tkt_unpack *u);
/* Text: UTF-8 with line ends, no NUL, at most max bytes. */
char *tkt_unpack_text(struct tkt_unpack *u, size_t max);
/* At most max, and each item takes at least item_min bytes of what is left. */
size_t tkt_unpack_count(struct tkt_unpack *u, size_t max, size_t item_min);
/* Zeroed memory for count items; never NULL unless count is 0 or the reader went bad. */
void *tkt_unpack_array(struct tkt_unpack *u, size_t count, size_t size);
void tkt_unpack_strings(struct tkt_unpack *u, struct tkt_strings *out, size_t max);
/* 0 when all was well and nothing is left over; else -1, PERM, "what: reason". */
int tkt_unpack_end(struct tkt_unpack *u, const char *what, struct tkt_err *err);

#endif
