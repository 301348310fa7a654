/* SPDX-License-Identifier: BSD-2-Clause */
#include "message/yenc.h"

#include <string.h>

static bool starts(const char *line, size_t n, const char *word)
{
    size_t len = strlen(word);

    return n >= len && memcmp(line, word, len) == 0;
}

/* " key=number" in base, anywhere behind the keyword. */
static bool number_of(const char *line, size_t n, const char *key, unsigned base,
                      uint64_t *out)
{
    size_t len = strlen(key);
    uint64_t v = 0;
    size_t digits = 0;

    for (size_t i = 0; i + len < n; i++) {
        if (line[i] != ' ' || memcmp(line + i + 1, key, len) != 0) {
            continue;
        }
        for (size_t k = i + 1 + len; k < n && digits < 16; k++, digits++) {
            int c = (unsigned char)line[k] | 0x20;
            unsigned d = line[k] >= '0' && line[k] <= '9' ? (unsigned)(line[k] - '0')
                         : c >= 'a' && c <= 'f'           ? (unsigned)(c - 'a') + 10
                                                          : 99;
            if (d >= base) {
                break;
            }
            v = v * base + d;
        }
        *out = v;
        return digits > 0;
    }
    return false;
}

bool tkt_yenc_begin(struct tkt_yenc *y, const char *line, size_t n, const char **name,
                    size_t *name_len)
{
    uint64_t number = 0;
    const char *at = starts(line, n, "=ybegin ") ? memmem(line, n, " name=", 6) : NULL;

    *y = (struct tkt_yenc){.crc = 0xffffffff};
    if (at == NULL || !number_of(line, (size_t)(at - line), "size=", 10, &y->size) ||
        !number_of(line, (size_t)(at - line), "line=", 10, &number)) {
        return false;
    }
    y->is_multi = number_of(line, (size_t)(at - line), "part=", 10, &number);
    *name = at + 6;
    *name_len = (size_t)(line + n - *name);
    while (*name_len > 0 && strchr(" \t\"", (*name)[*name_len - 1]) != NULL) {
        (*name_len)--;
    }
    while (*name_len > 0 && strchr(" \t\"", **name) != NULL) {
        (*name)++;
        (*name_len)--;
    }
    return true;
}

static enum tkt_yenc_result part_line(struct tkt_yenc *y, const char *line, size_t n)
{
    uint64_t begin = 0;
    uint64_t end = 0;

    if (!number_of(line, n, "begin=", 10, &begin) ||
        !number_of(line, n, "end=", 10, &end) || begin == 0 || end < begin) {
        return TKT_YENC_BROKEN;
    }
    y->size = end - begin + 1;
    y->is_part_known = true;
    return TKT_YENC_DATA;
}

static enum tkt_yenc_result end_line(const struct tkt_yenc *y, const char *line, size_t n)
{
    uint64_t v = 0;

    if (!number_of(line, n, "size=", 10, &v) || v != y->done || y->done != y->size) {
        return TKT_YENC_BROKEN;
    }
    bool has_crc = number_of(line, n, y->is_multi ? "pcrc32=" : "crc32=", 16, &v);
    return has_crc && v != (y->crc ^ 0xffffffff) ? TKT_YENC_BROKEN : TKT_YENC_END;
}

/* Four bits at a time: a table of 16 is enough for what few mails hold. */
static uint32_t crc_add(uint32_t crc, unsigned char c)
{
    static const uint32_t table[16] = {0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac,
                                       0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
                                       0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
                                       0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c};

    crc = table[(crc ^ c) & 15] ^ crc >> 4;
    return table[(crc ^ (unsigned)(c >> 4)) & 15] ^ crc >> 4;
}

enum tkt_yenc_result tkt_yenc_line(struct tkt_yenc *y, const char *line, size_t n,
                                   struct tkt_buf *out)
{
    if (starts(line, n, "=yend ")) {
        return end_line(y, line, n);
    }
    if (y->is_multi && !y->is_part_known) {
        return starts(line, n, "=ypart ") ? part_line(y, line, n) : TKT_YENC_BROKEN;
    }
    if (starts(line, n, "=y")) {
        return TKT_YENC_BROKEN;
    }
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)line[i];
        if (c == '=') {
            if (++i == n) {
                return TKT_YENC_BROKEN;
            }
            c = (unsigned char)(line[i] - 64);
        }
        c = (unsigned char)(c - 42);
        tkt_buf_addc(out, (char)c);
        y->crc = crc_add(y->crc, c);
        y->done++;
    }
    return y->done > y->size ? TKT_YENC_BROKEN : TKT_YENC_DATA;
}
