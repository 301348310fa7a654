/* SPDX-License-Identifier: BSD-2-Clause
 * Bytes in some charset -> UTF-8, with converters that are all opened in advance.
 *
 * glibc loads a shared object for nearly every charset, ISO-8859-1 included; under the
 * parser's system call filter nothing opens any more. So tkt_charset_init() opens one
 * iconv converter per entry of a fixed list and they stay open for the life of the
 * process. A charset that is not on the list (or that this system does not have) is
 * guessed (message/detect.h), and so are labels that cannot be true: UTF-8 called
 * iso-8859-1, UTF-8 that is none, UTF-16 without a zero byte. Output is always valid UTF-8
 * without NUL. Converters have state and are shared: one thread at a time.
 */
#ifndef TKT_MESSAGE_CHARSET_H
#define TKT_MESSAGE_CHARSET_H
#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

/* Opens the converters; again: does nothing. TEMP when not even windows-1252 opens. */
int tkt_charset_init(struct tkt_err *err);
/* Appends data as UTF-8; charset need not be terminated. What does not convert becomes
 * U+FFFD. Stops where out is full (out->failed). *known, if not NULL: the label names a
 * charset that was used as such. */
void tkt_charset_add(struct tkt_buf *out, const char *charset, size_t charset_len,
                     const void *data, size_t n, bool *known);
/* The same for bytes without a label. */
void tkt_charset_guess(struct tkt_buf *out, const void *data, size_t n);
/* In two steps, for text that is converted in pieces but guessed as a whole: what the
 * bytes are probably in, where hint is the label of something that came with them; and
 * the conversion of a piece. */
const char *tkt_charset_pick(const char *hint, const void *data, size_t n);
void tkt_charset_add_picked(struct tkt_buf *out, const char *picked, const void *data,
                            size_t n);

#endif
