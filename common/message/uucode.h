/* SPDX-License-Identifier: BSD-2-Clause
 * Lines of uuencode: what begins a block, one line of data, what ends it.
 *
 * Pure; libc only. Lines come without their line end.
 */
#ifndef TKT_MESSAGE_UUCODE_H
#define TKT_MESSAGE_UUCODE_H
#include <stdbool.h>
#include <stddef.h>

#define TKT_UU_BYTES_MAX 66 /* of a line: 63, and what fills its last group */

struct tkt_uu_begin {
    const char *name; /* within the line */
    size_t name_len;
    bool is_base64; /* "begin-base64": lines of base64, "====" ends it */
};

/* "begin 644 name" */
bool tkt_uu_begin(const char *line, size_t n, struct tkt_uu_begin *out);
bool tkt_uu_is_end(const char *line, size_t n);
/* The bytes of a line into out (TKT_UU_BYTES_MAX); -1 when it is no such line. Blanks
 * that were lost at its end are put back; one more character (a checksum) is let pass. */
int tkt_uu_decode(const char *line, size_t n, char *out);

#endif
