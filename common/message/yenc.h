/* SPDX-License-Identifier: BSD-2-Clause
 * Lines of yEnc. Pure; libc only. Lines come without their line end.
 */
#ifndef TKT_MESSAGE_YENC_H
#define TKT_MESSAGE_YENC_H
#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tkt_yenc {
    uint64_t size;      /* that "=ybegin" promises; of a part, what "=ypart" does */
    uint64_t done;      /* bytes so far */
    uint32_t crc;       /* of them, running */
    bool is_multi;      /* one part of several: "=ypart" follows */
    bool is_part_known; /* ... and has come */
};

enum tkt_yenc_result {
    TKT_YENC_DATA,
    TKT_YENC_END, /* "=yend", and all that it promises holds */
    TKT_YENC_BROKEN
};

/* Whether the line begins a block; name points into it. */
bool tkt_yenc_begin(struct tkt_yenc *y, const char *line, size_t n, const char **name,
                    size_t *name_len);
/* The next line; its bytes are appended to out. */
enum tkt_yenc_result tkt_yenc_line(struct tkt_yenc *y, const char *line, size_t n,
                                   struct tkt_buf *out);

#endif
