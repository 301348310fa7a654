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

/* A header block that is larger is looked at this far (and is not changed). */
#define TKT_SIEVE_HEAD_MAX (4 * 1024 * 1024)

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

/* Appends the changed header to out. Edits are applied in order, as the intake protocol
 * tells them; ones about recipients mean nothing here. Values with LF folds get the line
 * ends of the header. 0, or -1: out is full, or memory ended. */
int tkt_sieve_head_edit(const char *head, size_t n, const struct tkt_wire_edit *edits,
                        size_t count, bool keep_subject, struct tkt_buf *out);

#endif
