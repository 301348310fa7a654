/* SPDX-License-Identifier: BSD-2-Clause
 * Copies of messages without a name: in memory while they are small, else in a file of the
 * temporary folder that has no name either.
 */
#ifndef TKT_SIEVE_TMP_H
#define TKT_SIEVE_TMP_H
#include "base/buf.h"
#include "base/err.h"

#include <stddef.h>

struct istream;
struct mail;

/* Above this a copy is a file. */
#define TKT_SIEVE_MEMORY_MAX (1024 * 1024)

/* A descriptor at offset 0 with head_len bytes of head and then all of input that is not
 * read yet; -1 with *err (TEMP). */
int tkt_sieve_tmp_copy(const char *temp_dir, const char *head, size_t head_len,
                       struct istream *input, struct tkt_err *err);
/* The header block of mail with its blank line; where it is larger than out->max, the fields
 * that fit, and *is_cut. */
int tkt_sieve_head_read(struct mail *mail, struct tkt_buf *out, bool *is_cut,
                        struct tkt_err *err);

#endif
