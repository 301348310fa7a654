/* SPDX-License-Identifier: BSD-2-Clause */
#include "message/blocks.h"

#include "base/enc.h"
#include "base/util.h"
#include "message/uucode.h"
#include "message/yenc.h"

#include <string.h>

#define BLOCKS_GROW 8
#define NAME_MAX_BYTES 512

/* ---- lines of the content ---- */

struct scanner {
    struct tkt_block now;       /* the block being read ... */
    bool is_open;               /* ... if there is one */
    bool is_last_line;          /* uuencode: the empty line was there, "end" is due */
    struct tkt_transfer base64; /* of a begin-base64 block */
    struct tkt_yenc yenc;
    char line[TKT_BLOCK_LINE_MAX];
    size_t line_len;
    bool is_long;    /* the line is longer: none of ours */
    uint64_t offset; /* of the first byte of the line */
    struct tkt_buf out;
    const struct scan_events *events;
    void *arg;
};

/* What the scanner tells; each may be NULL. All but text end the scan with -1. */
struct scan_events {
    int (*begin)(void *arg, const struct tkt_block *block);
    int (*data)(void *arg, const char *p, size_t n, struct tkt_err *err);
    int (*end)(void *arg, const struct tkt_block *block, struct tkt_err *err);
};

/* "=ybegin line=128 size=12 name=x", "begin 644 x", "begin-base64 644 x" */
static bool open_block(struct scanner *s, const char *line, size_t n)
{
    struct tkt_uu_begin uu;
    struct tkt_block b = {.at = s->offset};
    const char *name = NULL;

    if (tkt_uu_begin(line, n, &uu)) {
        b.kind = uu.is_base64 ? TKT_BLOCK_BASE64 : TKT_BLOCK_UU;
        name = uu.name;
        b.name_len = uu.name_len;
        tkt_transfer_init(&s->base64, TKT_TRANSFER_BASE64);
    } else if (tkt_yenc_begin(&s->yenc, line, n, &name, &b.name_len)) {
        b.kind = TKT_BLOCK_YENC;
    } else {
        return false;
    }
    b.name = (char *)name; /* lives as long as this call: events copy it */
    s->now = b;
    s->is_open = true;
    s->is_last_line = false;
    return true;
}

enum line_result {
    LINE_DATA,
    LINE_END,
    LINE_BROKEN
};

static enum line_result uu_line(struct scanner *s, const char *line, size_t n)
{
    char bytes[TKT_UU_BYTES_MAX];

    if (tkt_uu_is_end(line, n)) {
        return LINE_END;
    }
    if (s->is_last_line && n == 0) {
        return LINE_DATA;
    }
    int len = s->is_last_line ? -1 : tkt_uu_decode(line, n, bytes);
    if (len < 0) {
        return LINE_BROKEN;
    }
    s->is_last_line = len == 0;
    tkt_buf_add(&s->out, bytes, (size_t)len);
    return LINE_DATA;
}

static enum line_result base64_line(struct scanner *s, const char *line, size_t n)
{
    if (n >= 4 && memcmp(line, "====", 4) == 0) {
        (void)tkt_transfer_end(&s->base64, &s->out); /* a line has room */
        return LINE_END;
    }
    for (size_t i = 0; i < n; i++) {
        if (!tkt_transfer_is_base64(line[i])) {
            return LINE_BROKEN;
        }
    }
    (void)tkt_transfer_feed(&s->base64, line, n, &s->out); /* a line has room */
    return n == 0 ? LINE_BROKEN : LINE_DATA;
}

static enum line_result yenc_line(struct scanner *s, const char *line, size_t n)
{
    switch (tkt_yenc_line(&s->yenc, line, n, &s->out)) {
    case TKT_YENC_DATA:
        return LINE_DATA;
    case TKT_YENC_END:
        return LINE_END;
    case TKT_YENC_BROKEN:
        break;
    }
    return LINE_BROKEN;
}

/* A line of an open block; next is the offset behind it. */
static int block_line(struct scanner *s, const char *line, size_t n, uint64_t next,
                      struct tkt_err *err)
{
    tkt_buf_reset(&s->out);
    enum line_result what = s->now.kind == TKT_BLOCK_UU       ? uu_line(s, line, n)
                            : s->now.kind == TKT_BLOCK_BASE64 ? base64_line(s, line, n)
                                                              : yenc_line(s, line, n);
    if (s->out.failed) {
        return tkt_err_set(err, TKT_ERR_TEMP, "no memory");
    }
    s->now.size += s->out.len;
    if (s->out.len > 0 && s->events->data != NULL &&
        s->events->data(s->arg, s->out.data, s->out.len, err) < 0) {
        return -1;
    }
    if (what == LINE_BROKEN) {
        s->is_open = false;
    } else if (what == LINE_END) {
        s->is_open = false;
        s->now.end = next;
        return s->events->end(s->arg, &s->now, err);
    }
    return 0;
}

/* A whole line, without its LF. */
static int take_line(struct scanner *s, const char *line, size_t n, uint64_t next,
                     struct tkt_err *err)
{
    size_t len = n > 0 && line[n - 1] == '\r' ? n - 1 : n;

    if (s->is_open && block_line(s, line, len, next, err) < 0) {
        return -1;
    }
    /* What broke a block may begin the next one. */
    if (!s->is_open && s->now.end != next && open_block(s, line, len)) {
        return s->events->begin == NULL ? 0 : s->events->begin(s->arg, &s->now);
    }
    return 0;
}

/* Outside a block, lines without the word are passed over together. Returns how many
 * bytes of p (which begins a line) need no look. */
static size_t skip_plain(const char *p, size_t n)
{
    const char *hit = memmem(p, n, "begin", 5);
    const char *lf = memrchr(p, '\n', hit == NULL ? n : (size_t)(hit - p));

    return lf == NULL ? 0 : (size_t)(lf + 1 - p);
}

/* p up to its LF, or to the end of the piece (is_whole false): gathered when a line does
 * not lie within one piece. */
static int take_piece_of_line(struct scanner *s, const char *p, size_t n, bool is_whole,
                              struct tkt_err *err)
{
    uint64_t next = s->offset + s->line_len + n + (is_whole ? 1 : 0);
    int rc = 0;

    if (s->line_len == 0 && is_whole && n <= sizeof(s->line) && !s->is_long) {
        rc = take_line(s, p, n, next, err);
    } else if (s->is_long || n > sizeof(s->line) - s->line_len) {
        s->is_long = true;
        s->is_open = false;
    } else {
        memcpy(s->line + s->line_len, p, n);
        rc = is_whole ? take_line(s, s->line, s->line_len + n, next, err) : 0;
    }
    if (is_whole) {
        s->offset = next;
        s->line_len = 0;
        s->is_long = false;
    } else if (s->is_long) {
        s->offset += s->line_len + n;
        s->line_len = 0;
    } else {
        s->line_len += n;
    }
    return rc;
}

static int scan_piece(struct scanner *s, const char *p, size_t n, struct tkt_err *err)
{
    size_t i = 0;

    while (i < n) {
        if (!s->is_open && s->line_len == 0 && !s->is_long) {
            size_t plain = skip_plain(p + i, n - i);
            s->offset += plain;
            i += plain;
            if (i == n) {
                break;
            }
        }
        const char *lf = memchr(p + i, '\n', n - i);
        size_t len = lf == NULL ? n - i : (size_t)(lf - (p + i));
        if (take_piece_of_line(s, p + i, len, lf != NULL, err) < 0) {
            return -1;
        }
        i += len + (lf != NULL ? 1 : 0);
    }
    return 0;
}

static int scan_next(void *arg, const char *p, size_t n, struct tkt_err *err)
{
    return scan_piece(arg, p, n, err);
}

/* The last line may lack its LF. */
static int run_scanner(const struct tkt_message_source *src, const struct tkt_part *part,
                       const struct scan_events *events, void *arg, struct tkt_err *err)
{
    TKT_AUTO_FREE struct scanner *s = calloc(1, sizeof(*s));

    if (s == NULL) {
        return tkt_err_set(err, TKT_ERR_TEMP, "no memory");
    }
    tkt_buf_init(&s->out, 2 * TKT_BLOCK_LINE_MAX);
    s->events = events;
    s->arg = arg;
    int rc = tkt_content_walk(src, part, scan_next, s, err);
    if (rc == 0 && s->line_len > 0) {
        rc = take_line(s, s->line, s->line_len, s->offset + s->line_len, err);
    }
    tkt_buf_release(&s->out);
    return rc;
}

/* ---- finding ---- */

struct finder {
    struct tkt_scan *scan;
    struct tkt_part *part;
    size_t max;
    size_t room;
    char name[NAME_MAX_BYTES];
    size_t name_len;
};

static int keep_name(void *arg, const struct tkt_block *block)
{
    struct finder *f = arg;

    f->name_len = TKT_MIN(block->name_len, sizeof(f->name));
    memcpy(f->name, block->name, f->name_len);
    return 0;
}

static int keep_block(void *arg, const struct tkt_block *block, struct tkt_err *err)
{
    struct finder *f = arg;
    struct tkt_part *p = f->part;

    if (p->block_count == f->max) {
        tkt_scan_problem(f->scan, "mime_parts: more than %zu files within the text",
                         f->max);
        return 0;
    }
    if (p->block_count == f->room) {
        size_t room = f->room == 0 ? BLOCKS_GROW : 2 * f->room;
        struct tkt_block *more =
            tkt_wire_arena_alloc(&f->scan->arena, room * sizeof(*more));
        if (more == NULL) {
            return tkt_err_set(err, TKT_ERR_TEMP, "no memory");
        }
        if (p->block_count > 0) {
            memcpy(more, p->blocks, p->block_count * sizeof(*more));
        }
        p->blocks = more;
        f->room = room;
    }
    struct tkt_block *b = &p->blocks[p->block_count];
    *b = *block;
    b->name_len = f->name_len;
    b->name = tkt_wire_arena_strdup(&f->scan->arena, f->name, f->name_len);
    if (b->name == NULL) {
        return tkt_err_set(err, TKT_ERR_TEMP, "no memory");
    }
    p->block_count++;
    return 0;
}

int tkt_blocks_find(const struct tkt_message_source *src, struct tkt_scan *scan,
                    struct tkt_part *part, size_t max, struct tkt_err *err)
{
    static const struct scan_events events = {.begin = keep_name, .end = keep_block};
    struct finder f = {.scan = scan, .part = part, .max = max};

    part->blocks = NULL;
    part->block_count = 0;
    return run_scanner(src, part, &events, &f, err);
}

/* ---- reading ---- */

struct reading_blocks {
    const struct tkt_part *part;
    const struct tkt_block_reader *reader;
    size_t next; /* block that comes */
    bool is_wanted;
};

static int on_begin(void *arg, const struct tkt_block *block)
{
    struct reading_blocks *r = arg;

    r->is_wanted = r->next < r->part->block_count &&
                   r->part->blocks[r->next].at == block->at &&
                   r->reader->begin(r->reader->arg, r->next);
    return 0;
}

static int on_data(void *arg, const char *p, size_t n, struct tkt_err *err)
{
    struct reading_blocks *r = arg;
    int rc = r->is_wanted ? r->reader->data(r->reader->arg, r->next, p, n, err) : 0;

    r->is_wanted = r->is_wanted && rc == 0;
    return rc < 0 ? -1 : 0;
}

static int on_end(void *arg, const struct tkt_block *block, struct tkt_err *err)
{
    struct reading_blocks *r = arg;

    if (r->next >= r->part->block_count || r->part->blocks[r->next].at != block->at) {
        return 0;
    }
    return r->reader->end(r->reader->arg, r->next++, err);
}

int tkt_blocks_read(const struct tkt_message_source *src, const struct tkt_part *part,
                    const struct tkt_block_reader *reader, struct tkt_err *err)
{
    static const struct scan_events events = {on_begin, on_data, on_end};
    struct reading_blocks r = {.part = part, .reader = reader};

    return part->block_count == 0 ? 0 : run_scanner(src, part, &events, &r, err);
}

/* ---- the text around them ---- */

struct text_walk {
    const struct tkt_part *part;
    tkt_content_fn *fn;
    void *arg;
    uint64_t offset;
    size_t next;
};

static int text_piece(void *arg, const char *p, size_t n, struct tkt_err *err)
{
    struct text_walk *w = arg;

    while (n > 0) {
        bool more = w->next < w->part->block_count;
        const struct tkt_block *b = more ? &w->part->blocks[w->next] : NULL;
        bool inside = more && w->offset >= b->at;
        uint64_t until = !more ? w->offset + n : inside ? b->end : b->at;
        size_t len = until - w->offset < n ? (size_t)(until - w->offset) : n;
        int rc = inside || len == 0 ? 0 : w->fn(w->arg, p, len, err);
        if (rc != 0) {
            return rc;
        }
        w->offset += len;
        p += len;
        n -= len;
        w->next += inside && w->offset == b->end ? 1 : 0;
    }
    return 0;
}

int tkt_blocks_walk_text(const struct tkt_message_source *src,
                         const struct tkt_part *part, tkt_content_fn *fn, void *arg,
                         struct tkt_err *err)
{
    struct text_walk w = {.part = part, .fn = fn, .arg = arg};

    return part->block_count == 0 ? tkt_content_walk(src, part, fn, arg, err)
                                  : tkt_content_walk(src, part, text_piece, &w, err);
}
