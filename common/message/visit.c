/* SPDX-License-Identifier: BSD-2-Clause */
#include "message/visit.h"

#include "base/enc.h"
#include "base/util.h"
#include "message/blocks.h"
#include "message/body.h"
#include "message/charset.h"
#include "message/rfc2047.h"
#include "message/tnef.h"

#include <stdio.h>
#include <string.h>

#define STOP 1

/* One message: the outer one, or one inside. */
struct level {
    const struct tkt_visitor *visitor;
    const struct tkt_message_source *src;
    struct tkt_scan *scan;
    struct tkt_scan *top; /* of the outer message: budget and problems */
    const char *prefix;   /* "" or "2." */
    unsigned depth;
};

static int visit_level(const struct level *l, struct tkt_err *err);

bool tkt_visit_is_message(const char *type)
{
    return strcmp(type, "message/rfc822") == 0 || strcmp(type, "message/global") == 0 ||
           strcmp(type, "message/news") == 0;
}

bool tkt_visit_is_tnef(const struct tkt_part *part)
{
    const char *type = tkt_part_type(part);

    return strcmp(type, "application/ms-tnef") == 0 ||
           strcmp(type, "application/vnd.ms-tnef") == 0 ||
           (part->mime.name != NULL && tkt_ascii_ieq(part->mime.name, "winmail.dat"));
}

static bool is_related(const struct tkt_scan *scan, const struct tkt_part *part)
{
    for (int i = part->parent; i >= 0; i = scan->parts[i].parent) {
        if (strcmp(tkt_part_type(&scan->parts[i]), "multipart/related") == 0) {
            return true;
        }
    }
    return false;
}

/* ---- messages inside ---- */

struct inner {
    struct tkt_message_source src;
    struct tkt_message_limits limits;
    struct tkt_scan scan;
    struct tkt_buf decoded;
    struct tkt_buf subject;
    bool is_open;
};

static int keep_piece(void *arg, const char *p, size_t n, struct tkt_err *err)
{
    struct tkt_buf *b = arg;

    (void)err;
    return tkt_buf_add(b, p, n) < 0; /* too large: enough */
}

/* The bytes of the message as a source of their own; false when they are too many to be
 * decoded. */
static int inner_source(const struct level *l, const struct tkt_part *part,
                        struct inner *in, bool *is_usable, struct tkt_err *err)
{
    uint64_t size = part->end_at - part->body_at;

    *is_usable = true;
    if (part->mime.encoding == TKT_TRANSFER_IDENTITY) {
        in->src = *l->src;
        in->src.size = size;
        if (in->src.data != NULL) {
            in->src.data = (const char *)in->src.data + part->body_at;
        } else {
            in->src.offset += part->body_at;
        }
        return 0;
    }
    if (tkt_content_walk(l->src, part, keep_piece, &in->decoded, err) < 0) {
        return -1;
    }
    *is_usable = !in->decoded.failed;
    in->src = (struct tkt_message_source){
        .data = tkt_buf_str(&in->decoded), .fd = -1, .size = in->decoded.len};
    return 0;
}

static void read_subject(struct inner *in)
{
    size_t index = 0;
    const struct tkt_field *f = tkt_header_find(&in->scan.header, "Subject", &index);

    if (f != NULL) {
        TKT_AUTO_BUF struct tkt_buf b = TKT_BUF_INIT(8 * f->value_len + 16);
        tkt_rfc2047_add(&b, tkt_field_value(&in->scan.header, f), f->value_len);
        const char *s = tkt_buf_str(&b);
        size_t n = b.len;
        for (; n > 0 && *s == ' '; s++, n--) {
        }
        n = tkt_utf8_cut(s, n, in->limits.name_max);
        for (; n > 0 && s[n - 1] == ' '; n--) {
        }
        tkt_buf_add(&in->subject, s, n);
    }
}

static int open_inner(const struct level *l, const struct tkt_part *part,
                      struct inner *in, struct tkt_err *err)
{
    struct tkt_budget *budget = &l->top->budget;
    bool is_usable = false;

    tkt_buf_init(&in->decoded, l->top->limits->nested_bytes_max);
    tkt_buf_init(&in->subject, TKT_MESSAGE_STRING_MAX);
    in->is_open = false;
    if (l->depth >= l->top->limits->nested_max) {
        tkt_scan_problem(l->top, "nested: more than %zu messages within each other",
                         l->top->limits->nested_max);
        return 0;
    }
    if (tkt_scan_out_of_time(l->top)) {
        return 0;
    }
    if (inner_source(l, part, in, &is_usable, err) < 0) {
        return -1;
    }
    if (!is_usable) {
        tkt_scan_problem(l->top,
                         "nested_bytes: a message inside is larger than %zu bytes",
                         l->top->limits->nested_bytes_max);
        return 0;
    }
    in->limits = *l->scan->limits;
    if (budget->end_us > 0) {
        int64_t left_ms = (budget->end_us - tkt_clock_mono_us()) / 1000;
        in->limits.parse_ms = TKT_MAX(left_ms, 1);
    }
    in->is_open = true;
    if (tkt_scan_run(&in->scan, &in->src, &in->limits, err) < 0) {
        return -1;
    }
    read_subject(in);
    return 0;
}

static void close_inner(struct inner *in)
{
    if (in->is_open) {
        tkt_scan_release(&in->scan);
    }
    tkt_buf_release(&in->decoded);
    tkt_buf_release(&in->subject);
}

/* ---- leaves ---- */

static int visit_content(const struct level *l, const struct tkt_part *part,
                         struct tkt_entry *e, struct tkt_err *err)
{
    const struct tkt_visitor *v = l->visitor;
    void *content = v->begin(v->arg, e->path);

    if (content != NULL && tkt_content_walk(l->src, part, v->data, content, err) < 0) {
        return -1;
    }
    return v->end(v->arg, content, e, err);
}

static int visit_message(const struct level *l, const struct tkt_part *part,
                         struct tkt_entry *e, struct tkt_err *err)
{
    const struct tkt_visitor *v = l->visitor;
    struct inner in;
    char prefix[TKT_VISIT_PATH_MAX + 1];
    int rc = open_inner(l, part, &in, err);

    if (rc == 0) {
        e->name = e->name[0] == '\0' ? tkt_buf_str(&in.subject) : e->name;
        rc = visit_content(l, part, e, err);
    }
    if (rc == 0 && in.is_open && v->enter(v->arg, e->path)) {
        (void)snprintf(prefix, sizeof(prefix), "%s.", e->path);
        struct level inside = {v, &in.src, &in.scan, l->top, prefix, l->depth + 1};
        rc = visit_level(&inside, err);
    }
    close_inner(&in);
    return rc;
}

static int visit_tnef(const struct level *l, const struct tkt_part *part,
                      struct tkt_entry *e, struct tkt_err *err)
{
    const struct tkt_visitor *v = l->visitor;
    struct tkt_content content;
    bool is_broken = false;
    int rc = visit_content(l, part, e, err);

    if (rc != 0 || !v->enter(v->arg, e->path) || tkt_scan_out_of_time(l->top)) {
        return rc;
    }
    rc = tkt_content_open(&content, l->src, part, err);
    if (rc == 0) {
        rc = tkt_tnef_read(&content, e->path, v, NULL, &is_broken, err);
    }
    tkt_content_close(&content);
    if (rc == 0 && is_broken) {
        tkt_scan_problem(l->top, "broken: winmail.dat ends early");
    }
    return rc;
}

/* ---- files within the text ---- */

int tkt_visit_find_blocks(const struct tkt_message_source *src, struct tkt_scan *scan,
                          struct tkt_err *err)
{
    for (size_t i = 0; i < scan->part_count; i++) {
        struct tkt_part *p = &scan->parts[i];
        if (p->has_looked_for_blocks || !tkt_body_is_text(scan, i) ||
            strcmp(tkt_part_type(p), "text/plain") != 0) {
            continue;
        }
        p->has_looked_for_blocks = true;
        if (tkt_blocks_find(src, scan, p, TKT_MESSAGE_PARTS_MAX, err) < 0) {
            return -1;
        }
    }
    return 0;
}

struct block_visit {
    const struct level *l;
    const struct tkt_part *part;
    const char *part_path;
    char path[TKT_VISIT_PATH_MAX];
    unsigned uu;
    unsigned yenc;
    void *content;
    bool is_done;
};

static bool begin_block(void *arg, size_t index)
{
    struct block_visit *b = arg;
    const struct tkt_visitor *v = b->l->visitor;
    bool is_yenc = b->part->blocks[index].kind == TKT_BLOCK_YENC;
    unsigned number = is_yenc ? ++b->yenc : ++b->uu;
    int n = snprintf(b->path, sizeof(b->path), "%s/%s/%u", b->part_path,
                     is_yenc ? "yenc" : "uu", number);

    b->content = NULL;
    if (b->is_done || n < 0 || (size_t)n >= sizeof(b->path)) {
        b->path[0] = '\0';
        return false;
    }
    b->content = v->begin(v->arg, b->path);
    return b->content != NULL;
}

static int block_data(void *arg, size_t index, const char *p, size_t n,
                      struct tkt_err *err)
{
    struct block_visit *b = arg;

    (void)index;
    return b->l->visitor->data(b->content, p, n, err);
}

static int end_block(void *arg, size_t index, struct tkt_err *err)
{
    struct block_visit *b = arg;
    const struct tkt_visitor *v = b->l->visitor;
    const struct tkt_block *block = &b->part->blocks[index];
    TKT_AUTO_BUF struct tkt_buf name = TKT_BUF_INIT(4 * block->name_len + 16);

    if (b->path[0] == '\0') {
        return 0;
    }
    tkt_rfc2047_add(&name, block->name, block->name_len);
    struct tkt_entry e = {.path = b->path,
                          .name = tkt_buf_str(&name),
                          .type = "application/octet-stream",
                          .content_id = "",
                          .disposition = TKT_DISPOSITION_ATTACHMENT,
                          .encoded_size = block->end - block->at};
    int rc = v->end(v->arg, b->content, &e, err);
    b->is_done = b->is_done || rc == STOP;
    return rc < 0 ? -1 : 0;
}

static int visit_blocks(const struct level *l, const struct tkt_part *part,
                        const char *path, struct tkt_err *err)
{
    struct block_visit b = {.l = l, .part = part, .part_path = path};
    const struct tkt_block_reader reader = {&b, begin_block, block_data, end_block};

    if (part->block_count == 0) {
        return 0;
    }
    int rc = tkt_blocks_read(l->src, part, &reader, err);
    return rc == 0 && b.is_done ? STOP : rc;
}

/* ---- the tree ---- */

static int visit_part(const struct level *l, size_t index, const char *path,
                      struct tkt_err *err)
{
    const struct tkt_part *p = &l->scan->parts[index];
    bool is_text = tkt_body_is_text(l->scan, index);
    struct tkt_entry e = {.path = path,
                          .name = p->mime.name == NULL ? "" : p->mime.name,
                          .type = tkt_part_type(p),
                          .content_id =
                              p->mime.content_id == NULL ? "" : p->mime.content_id,
                          .disposition = p->mime.disposition,
                          .is_related = is_related(l->scan, p),
                          .encoded_size = p->end_at - p->body_at};

    if (is_text) {
        int rc = l->visitor->with_text ? visit_content(l, p, &e, err) : 0;
        return rc != 0 ? rc : visit_blocks(l, p, path, err);
    }
    if (tkt_visit_is_message(e.type)) {
        return visit_message(l, p, &e, err);
    }
    return tkt_visit_is_tnef(p) ? visit_tnef(l, p, &e, err)
                                : visit_content(l, p, &e, err);
}

static int visit_level(const struct level *l, struct tkt_err *err)
{
    char own[TKT_MIME_PATH_MAX];
    char path[TKT_VISIT_PATH_MAX];
    int rc = 0;

    if (l->scan->header_only) {
        return 0;
    }
    if (l->visitor->enter(l->visitor->arg, l->prefix) &&
        tkt_visit_find_blocks(l->src, l->scan, err) < 0) {
        return -1;
    }
    for (size_t i = 0; i < l->scan->part_count && rc == 0; i++) {
        if (l->scan->parts[i].is_multipart) {
            continue;
        }
        tkt_scan_path(l->scan, i, own);
        int n = snprintf(path, sizeof(path), "%s%s", l->prefix, own);
        if (n < 0 || (size_t)n >= sizeof(path)) {
            tkt_scan_problem(l->top, "mime_depth: a path longer than %d bytes",
                             TKT_VISIT_PATH_MAX);
            continue;
        }
        rc = visit_part(l, i, path, err);
    }
    return rc;
}

int tkt_visit(const struct tkt_message_source *src, struct tkt_scan *scan,
              const struct tkt_visitor *visitor, struct tkt_err *err)
{
    struct level l = {visitor, src, scan, scan, "", 0};

    return visit_level(&l, err) < 0 ? -1 : 0;
}
