/* SPDX-License-Identifier: BSD-2-Clause
 * A growable byte buffer that is born with a maximum.
 *
 * Owner: whoever called init; release frees the memory and leaves an empty buffer with
 * the same maximum. Appending past the maximum (or out of memory) sets `failed`, keeps
 * what was there, and every later append fails too: a caller may append many times and
 * check once. data is always NUL-terminated behind len (the NUL is not counted and
 * stands within max + 1). Not thread-safe. libc only (it is linked into the Sieve plugin).
 */
#ifndef TKT_BASE_BUF_H
#define TKT_BASE_BUF_H
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct tkt_buf {
    char *data; /* NULL until the first append */
    size_t len;
    size_t cap;
    size_t max;
    bool failed;
};

#define TKT_BUF_INIT(maximum)                                                            \
    {                                                                                    \
        NULL, 0, 0, (maximum), false                                                     \
    }
#define TKT_AUTO_BUF __attribute__((cleanup(tkt_buf_release)))

void tkt_buf_init(struct tkt_buf *b, size_t max);
void tkt_buf_release(struct tkt_buf *b);
/* len = 0, failed = false; memory is kept for reuse. */
void tkt_buf_reset(struct tkt_buf *b);
/* All return 0, or -1 when the maximum (or memory) does not allow it. */
int tkt_buf_reserve(struct tkt_buf *b, size_t more);
int tkt_buf_add(struct tkt_buf *b, const void *data, size_t n);
int tkt_buf_addc(struct tkt_buf *b, char c);
int tkt_buf_adds(struct tkt_buf *b, const char *s);
int tkt_buf_addf(struct tkt_buf *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* The text, or "" when nothing was ever appended. Borrowed. */
const char *tkt_buf_str(const struct tkt_buf *b);
/* Gives the memory to the caller (free()), the buffer is empty then; NULL if failed. */
char *tkt_buf_take(struct tkt_buf *b, size_t *len);

#endif
