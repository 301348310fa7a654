/* SPDX-License-Identifier: BSD-2-Clause
 * Files within text, and the transfer encodings. Every byte of a text is in a block or in
 * what is left; a block gives as many bytes as it promised; and a decoder says the same
 * whatever the pieces that it is fed.
 */
#include "base/util.h"
#include "message/blocks.h"

#include <stdlib.h>
#include <string.h>

#define BLOCKS_MAX 20

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool good)
{
    if (!good) {
        abort();
    }
}

struct sum {
    uint64_t size;
    size_t ended;
    const struct tkt_part *part;
};

static bool begin(void *arg, size_t index)
{
    struct sum *s = arg;

    check(index == s->ended);
    s->size = 0;
    return true;
}

static int add(void *arg, size_t index, const char *p, size_t n, struct tkt_err *err)
{
    struct sum *s = arg;

    (void)index;
    (void)p;
    (void)err;
    s->size += n;
    return 0;
}

static int end(void *arg, size_t index, struct tkt_err *err)
{
    struct sum *s = arg;

    (void)err;
    check(s->size == s->part->blocks[index].size);
    s->ended++;
    return 0;
}

static int add_text(void *arg, const char *p, size_t n, struct tkt_err *err)
{
    (void)p;
    (void)err;
    *(uint64_t *)arg += n;
    return 0;
}

static void find_blocks(const struct tkt_message_source *src)
{
    struct tkt_message_limits limits;
    struct tkt_scan scan = {.limits = &limits};
    struct tkt_part part = {.parent = -1, .end_at = src->size};
    struct sum sum = {.part = &part};
    const struct tkt_block_reader reader = {&sum, begin, add, end};
    uint64_t text = 0;
    uint64_t at = 0;

    tkt_message_limits_default(&limits);
    check(tkt_blocks_find(src, &scan, &part, BLOCKS_MAX, NULL) == 0);
    check(part.block_count <= BLOCKS_MAX);
    check(tkt_blocks_read(src, &part, &reader, NULL) == 0);
    check(sum.ended == part.block_count);
    check(tkt_blocks_walk_text(src, &part, add_text, &text, NULL) == 0);
    for (size_t i = 0; i < part.block_count; i++) {
        check(part.blocks[i].at >= at && part.blocks[i].end > part.blocks[i].at);
        at = part.blocks[i].end;
        text += part.blocks[i].end - part.blocks[i].at;
    }
    check(at <= src->size && text == src->size);
    tkt_wire_arena_release(&scan.arena);
}

static void decode(enum tkt_transfer_kind kind, bool is_text, const char *p, size_t n,
                   size_t piece, struct tkt_buf *out)
{
    struct tkt_transfer t;

    tkt_transfer_init_body(&t, kind, is_text);
    for (size_t i = 0; i < n; i += piece) {
        check(tkt_transfer_feed(&t, p + i, TKT_MIN(piece, n - i), out) == 0);
    }
    check(tkt_transfer_end(&t, out) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const size_t pieces[] = {1, 3, 64, 4000};
    struct tkt_message_source src = {
        .data = size == 0 ? (const void *)"" : data, .fd = -1, .size = size};

    find_blocks(&src);
    for (unsigned kind = TKT_TRANSFER_IDENTITY; kind <= TKT_TRANSFER_UU; kind++) {
        struct tkt_buf whole = TKT_BUF_INIT(64 * size + 64);
        decode(kind, kind % 2 == 0, src.data, size, size + 1, &whole);
        for (size_t i = 0; i < TKT_ARRAY_LEN(pieces); i++) {
            struct tkt_buf parts = TKT_BUF_INIT(64 * size + 64);
            decode(kind, kind % 2 == 0, src.data, size, pieces[i], &parts);
            check(parts.len == whole.len &&
                  memcmp(tkt_buf_str(&parts), tkt_buf_str(&whole), whole.len) == 0);
            tkt_buf_release(&parts);
        }
        tkt_buf_release(&whole);
    }
    return 0;
}
