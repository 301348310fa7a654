/* SPDX-License-Identifier: BSD-2-Clause
 * Encodings: hex, base32, percent-encoding, UTF-8 checks. libc only, thread-safe.
 */
#ifndef TKT_BASE_ENC_H
#define TKT_BASE_ENC_H
#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Lower-case hex; out has room for 2 * n + 1. */
void tkt_hex_encode(const void *data, size_t n, char *out);
/* Returns the number of bytes, or -1 for a bad digit, odd length or n > max. */
int tkt_hex_decode(const char *hex, size_t len, void *out, size_t max);
/* RFC 4648 base32 alphabet in lower case, no padding; out has room for (n*8+4)/5 + 1. */
void tkt_base32_encode(const void *data, size_t n, char *out);
/* Case-insensitive. Returns bytes written, or -1. */
int tkt_base32_decode(const char *s, size_t len, void *out, size_t max);

/* Percent-encoding of a value in a name=value line: '%', bytes below 0x20, 0x7f and
 * above 0x7e are escaped; everything else (also space and '=') stands for itself. */
int tkt_percent_add(struct tkt_buf *b, const void *data, size_t n);
/* Decodes in place; returns the new length, or -1 for a broken escape. NUL bytes may
 * come out: the caller decides whether its field may hold them. */
long tkt_percent_decode(char *s, size_t len);

/* True for well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms). */
bool tkt_utf8_valid(const void *data, size_t n);
/* Appends data as valid UTF-8: broken sequences become U+FFFD, NUL too. */
int tkt_utf8_add_clean(struct tkt_buf *b, const void *data, size_t n);
/* Writes a code point of at most U+10FFFF: the bytes used, 1 to 4. Surrogates are the
 * caller's to keep out. */
size_t tkt_utf8_put(uint32_t cp, char out[4]);
/* The longest prefix of at most max bytes that does not split a character. */
size_t tkt_utf8_cut(const char *s, size_t len, size_t max);
/* ASCII case folding only, in place; bytes above 0x7f stay. */
void tkt_ascii_lower(char *s);
bool tkt_ascii_ieq(const char *a, const char *b);
bool tkt_ascii_ieqn(const char *a, const char *b, size_t n);
/* 0 and *out set, or -1: all of s is a decimal number within [min, max]. */
int tkt_parse_int(const char *s, int64_t min, int64_t max, int64_t *out);
/* Appends s as a JSON string with its quotes; broken UTF-8 becomes U+FFFD. */
int tkt_json_add_string(struct tkt_buf *b, const char *s, size_t n);

#endif
