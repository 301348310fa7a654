/* SPDX-License-Identifier: BSD-2-Clause
 * The header of a message as bytes: where its fields stand, and what it becomes by a list of
 * edits. Nothing is decoded or folded anew; what no edit names stays byte for byte. Pure
 * libc, linear in the header for a list of edits that is short.
 */
#ifndef TKT_SIEVE_HEAD_H
#define TKT_SIEVE_HEAD_H
#include "base/buf.h"
#include "wire/intake.h"

#include <stdbool.h>
#include <stddef.h>

/* Of a larger header block the first fields that fit are looked at and changed. */
#define TKT_SIEVE_HEAD_MAX (1024 * 1024)
/* Bytes of all values that ticketd is told; a field past them is told as empty. */
#define TKT_SIEVE_VALUES_MAX (512 * 1024)
#define TKT_SIEVE_SUBJECTS_MAX 64
#define TKT_SIEVE_FIELD_NAME_MAX 128

/* The next field at or behind *at of a header block (with its blank line or without):
 * from its name to behind its last line end. false at the end. */
struct tkt_sieve_field {
    size_t start;
    size_t name_len;
    size_t value;     /* behind the colon */
    size_t value_len; /* without the last line end */
    size_t end;
};
bool tkt_sieve_next_field(const char *head, size_t n, size_t *at,
                          struct tkt_sieve_field *f);
bool tkt_sieve_field_is(const char *head, const struct tkt_sieve_field *f,
                        const char *name);

/* What ticketd is told: the Subject and X-Ticket fields with their indices, at most
 * TKT_WIRE_FIELDS_MAX; a value with a NUL ends there. *subject_is_told is false when a
 * Subject is too large for that: then it is to be left alone. 0, or -1: no memory. */
int tkt_sieve_head_fields(const char *head, size_t n, struct tkt_wire_arena *arena,
                          struct tkt_wire_field **fields, size_t *count,
                          bool *subject_is_told);

/* Where a header that was cut at n ends with a whole field: 0 when none is whole. */
size_t tkt_sieve_head_whole(const char *head, size_t n);

/* Appends the changed header to out. Edits are applied in order, as the intake protocol
 * tells them; ones about recipients mean nothing here. Values with LF folds get the line
 * ends of the header. X-Ticket fields that ticketd was not told of go: nobody judged them.
 * 0, or -1: out is full, or memory ended. */
int tkt_sieve_head_edit(const char *head, size_t n, const struct tkt_wire_edit *edits,
                        size_t count, bool keep_subject, struct tkt_buf *out);

#endif
