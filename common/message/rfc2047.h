/* SPDX-License-Identifier: BSD-2-Clause
 * Encoded-words (RFC 2047) in header text -> UTF-8.
 *
 * Linear in the input; neighbours in one charset are put together before they are
 * converted, because senders split characters between them (and base64 digits). Read all
 * the same: blanks and '?' inside a word, words without blanks between them or around
 * them, a last word that was cut off, raw 8-bit text inside words. Text outside of them
 * that is not ASCII is guessed (message/charset.h). libc, the converters, utf8proc.
 */
#ifndef TKT_MESSAGE_RFC2047_H
#define TKT_MESSAGE_RFC2047_H
#include "base/buf.h"

#include <stddef.h>

/* Appends value decoded and unfolded, in normal form C: line ends go, other control bytes
 * become blanks. */
void tkt_rfc2047_add(struct tkt_buf *out, const char *value, size_t n);
/* The same; hint: the charset of something that came with it, or "". */
void tkt_rfc2047_add_near(struct tkt_buf *out, const char *hint, const char *value,
                          size_t n);
/* Control bytes from from on become blanks: what was decoded may hold them again. */
void tkt_header_blank(struct tkt_buf *b, size_t from);
/* The field as UTF-8 on one line, with its encoded-words as they are. */
void tkt_header_text(struct tkt_buf *out, const char *hint, const char *value, size_t n);
/* Puts what stands from from on into normal form C (macOS writes o and two dots). */
void tkt_header_compose(struct tkt_buf *b, size_t from);
/* If an encoded-word starts at p: decodes it and those that follow it with nothing but
 * blanks between them, appends the text to out and returns the bytes used; else 0. */
size_t tkt_rfc2047_run(struct tkt_buf *out, const char *p, size_t n);
/* Removes line ends and turns other control bytes (not TAB) into blanks, in place;
 * returns the new length. NUL becomes a blank, too. */
size_t tkt_header_unfold(char *p, size_t n);

#endif
