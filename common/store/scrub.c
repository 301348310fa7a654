/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/scrub.h"

#define FILE_HEADER_LEN 100
#define PAGE_MIN 512
#define PAGE_MAX 65536

/* SQLite's file format, "B-tree Pages". */
enum page_type {
    INTERIOR_INDEX = 2,
    INTERIOR_TABLE = 5,
    LEAF_INDEX = 10,
    LEAF_TABLE = 13
};

static size_t u16(const unsigned char *p)
{
    return (size_t)p[0] << 8 | p[1];
}

/* Length of the page's own header; 0: it is no page of a b-tree. */
static size_t header_len(unsigned char type)
{
    switch (type) {
    case INTERIOR_INDEX:
    case INTERIOR_TABLE:
        return 12;
    case LEAF_INDEX:
    case LEAF_TABLE:
        return 8;
    default:
        return 0;
    }
}

bool tkt_scrub_gap(const unsigned char *page, size_t size, bool is_first, size_t *from,
                   size_t *to)
{
    size_t start = is_first ? FILE_HEADER_LEN : 0;

    if (size < PAGE_MIN || size > PAGE_MAX) {
        return false;
    }
    const unsigned char *header = page + start;
    size_t len = header_len(header[0]);
    size_t cells = u16(header + 3);
    size_t content = u16(header + 5) == 0 ? PAGE_MAX : u16(header + 5);
    size_t list_end = start + len + 2 * cells;
    if (len == 0 || content > size || list_end > content) {
        return false;
    }
    for (size_t at = start + len; at < list_end; at += 2) {
        if (u16(page + at) < content || u16(page + at) >= size) {
            return false;
        }
    }
    *from = list_end;
    *to = content;
    return true;
}
