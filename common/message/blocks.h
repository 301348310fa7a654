/* SPDX-License-Identifier: BSD-2-Clause
 * Files written into the text of a message: uuencode ("begin 644 name" ... "end", or
 * "begin-base64" ... "====") and yEnc ("=ybegin" ... "=yend").
 *
 * Only whole blocks count: every line is checked, for yEnc the size and, where it is
 * given, the CRC, too. What is broken stays text. One pass in windows, linear, with one
 * line (TKT_BLOCK_LINE_MAX) in memory; a block may be as large as the part.
 * One thread; libc only but for what it reads through message/content.h.
 */
#ifndef TKT_MESSAGE_BLOCKS_H
#define TKT_MESSAGE_BLOCKS_H
#include "message/content.h"
#include "message/prescan.h"

#define TKT_BLOCK_LINE_MAX 2048

enum tkt_block_kind {
    TKT_BLOCK_UU,
    TKT_BLOCK_BASE64,
    TKT_BLOCK_YENC
};

struct tkt_block {
    enum tkt_block_kind kind;
    uint64_t at; /* within the decoded content of the part, its begin line included */
    uint64_t end;
    uint64_t size; /* decoded */
    char *name;    /* bytes as written */
    size_t name_len;
};

/* Finds the blocks of a text part, at most max of them, into part->blocks (in the arena
 * of the scan). */
int tkt_blocks_find(const struct tkt_message_source *src, struct tkt_scan *scan,
                    struct tkt_part *part, size_t max, struct tkt_err *err);

/* The blocks that were found, one after the other. begin: whether the content is wanted.
 * Any of them may fail (-1); data may say enough (1). */
struct tkt_block_reader {
    void *arg;
    bool (*begin)(void *arg, size_t index);
    int (*data)(void *arg, size_t index, const char *p, size_t n, struct tkt_err *err);
    int (*end)(void *arg, size_t index, struct tkt_err *err);
};
int tkt_blocks_read(const struct tkt_message_source *src, const struct tkt_part *part,
                    const struct tkt_block_reader *reader, struct tkt_err *err);

/* Walks the content of a part without its blocks. */
int tkt_blocks_walk_text(const struct tkt_message_source *src,
                         const struct tkt_part *part, tkt_content_fn *fn, void *arg,
                         struct tkt_err *err);

#endif
