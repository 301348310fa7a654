/* SPDX-License-Identifier: BSD-2-Clause
 * Which charset bytes without a (true) label are probably in.
 *
 * Structure first (UTF-8, escape sequences, pairs of bytes), then what is frequent in a
 * language. Knows what mail holds: UTF-8, ISO-2022-JP, ISO-2022-KR, Shift_JIS, EUC-JP,
 * GB18030, EUC-KR, Big5, KOI8-R, windows-1251; all else is windows-1252. Short texts are
 * guessed badly and a label that fits is always better. Looks at the first
 * TKT_DETECT_MAX bytes; linear; pure.
 */
#ifndef TKT_MESSAGE_DETECT_H
#define TKT_MESSAGE_DETECT_H
#include <stdbool.h>
#include <stddef.h>

#define TKT_DETECT_MAX 16384

struct tkt_utf8_count {
    size_t two;      /* characters of two bytes ... */
    size_t more;     /* ... of three or four */
    size_t unlikely; /* of two bytes outside the scripts that two bytes mostly hold */
    size_t bad;      /* bytes of no character, one cut off at the end aside */
    size_t high;     /* bytes above 0x7f */
};
struct tkt_utf8_count tkt_utf8_count(const void *data, size_t n);
/* How many bytes below 0x80 stand at the beginning. */
size_t tkt_ascii_run(const void *data, size_t n);
/* A label that message/charset.h knows. */
const char *tkt_charset_detect(const void *data, size_t n);

#endif
