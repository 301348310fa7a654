/* SPDX-License-Identifier: BSD-2-Clause */
#include "message/prescan.h"

#include "base/enc.h"
#include "base/fs.h"
#include "base/util.h"
#include "message/header.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define PARTS_FIRST 16 /* few messages have more */

/* ---- lines through a window ---- */

struct reader {
    const struct tkt_message_source *src;
    char *window;
    const char *data; /* bytes at base; in memory: all of them */
    size_t have;
    size_t pos;
    uint64_t base;
    bool bol; /* the next piece starts a line */
};

/* A line, or a piece of one that is longer than the window. */
struct piece {
    const char *p;
    size_t n; /* with its line end */
    uint64_t at;
    bool bol;
};

int tkt_source_read(const struct tkt_message_source *src, uint64_t off, size_t n,
                    char *window, const char **p, size_t *got, struct tkt_err *err)
{
    uint64_t left = off >= src->size ? 0 : src->size - off;
    size_t want = left < n ? (size_t)left : n;

    if (src->data != NULL) {
        *p = (const char *)src->data + (want == 0 ? 0 : off);
        *got = want;
        return 0;
    }
    *p = window;
    return tkt_pread_full(src->fd, window, want, (off_t)(src->offset + off), got, err);
}

/* Moves what is unread to the front of the window and fills it up. */
static int refill(struct reader *r, struct tkt_err *err)
{
    size_t keep = r->have - r->pos;
    size_t got = 0;
    const char *p = NULL;

    if (r->src->data != NULL) {
        return 0; /* all of it is there already */
    }
    memmove(r->window, r->window + r->pos, keep);
    r->base += r->pos;
    r->pos = 0;
    r->have = keep;
    if (tkt_source_read(r->src, r->base + keep, TKT_MESSAGE_WINDOW - keep,
                        r->window + keep, &p, &got, err) < 0) {
        return -1;
    }
    r->have += got;
    return 0;
}

/* 1 and the next piece, 0 at the end, -1 on error. */
static int next_piece(struct reader *r, struct piece *out, struct tkt_err *err)
{
    size_t left = TKT_MIN(r->have - r->pos, TKT_MESSAGE_WINDOW);
    const char *lf = left == 0 ? NULL : memchr(r->data + r->pos, '\n', left);

    if (lf == NULL && left < TKT_MESSAGE_WINDOW) {
        if (refill(r, err) < 0) {
            return -1;
        }
        left = TKT_MIN(r->have - r->pos, TKT_MESSAGE_WINDOW);
        lf = left == 0 ? NULL : memchr(r->data + r->pos, '\n', left);
    }
    if (left == 0) {
        return 0;
    }
    const char *p = r->data + r->pos;
    size_t n = lf == NULL ? left : (size_t)(lf + 1 - p);
    *out = (struct piece){p, n, r->base + r->pos, r->bol};
    r->pos += n;
    r->bol = lf != NULL;
    return 1;
}

static int open_reader(struct reader *r, const struct tkt_message_source *src,
                       struct tkt_err *err)
{
    *r = (struct reader){.src = src, .bol = true};
    if (src->data != NULL) {
        r->data = src->data;
        r->have = (size_t)src->size;
        return 0;
    }
    r->window = malloc(TKT_MESSAGE_WINDOW);
    r->data = r->window;
    return r->window != NULL ? 0 : tkt_err_set(err, TKT_ERR_TEMP, "no memory");
}

/* ---- problems ---- */

void tkt_scan_problem(struct tkt_scan *s, const char *fmt, ...)
{
    char text[200];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    for (size_t i = 0; i < s->problems.count; i++) {
        if (strcmp(s->problems.items[i], text) == 0) {
            return;
        }
    }
    if (s->problems.items == NULL) {
        s->problems.items = tkt_wire_arena_alloc(
            &s->arena, TKT_MESSAGE_NOTES_MAX * sizeof(*s->problems.items));
    }
    char *kept = tkt_wire_arena_strdup(&s->arena, text, strlen(text));
    if (s->problems.items == NULL || kept == NULL) {
        s->no_memory = true;
    } else if (s->problems.count < TKT_MESSAGE_NOTES_MAX) {
        s->problems.items[s->problems.count++] = kept;
    }
}

bool tkt_scan_out_of_time(struct tkt_scan *s)
{
    if (!tkt_budget_over(&s->budget)) {
        return false;
    }
    tkt_scan_problem(s, "parse_ms: more than %lld ms, the rest was not read",
                     (long long)s->limits->parse_ms);
    return true;
}

/* ---- the walk ---- */

struct level {
    const char *boundary;
    size_t len;
    int part;
    unsigned children;
    bool digest;
};

struct walk {
    struct tkt_scan *s;
    struct level *levels; /* mime_depth_max of them */
    size_t depth;
    struct tkt_header part_header; /* of the part being read; reused */
    struct tkt_header *header;     /* the one that takes lines now, or NULL */
    int part;                      /* open leaf, or -1 (preamble, epilogue) */
    size_t eol;                    /* bytes of the line end before this line */
    bool full;                     /* the cap on parts: stop */
};

static struct tkt_part *new_part(struct walk *w, int parent, unsigned number,
                                 bool in_digest)
{
    struct tkt_scan *s = w->s;

    if (s->part_count >= s->limits->mime_parts_max) {
        tkt_scan_problem(s, "mime_parts: more than %zu parts", s->limits->mime_parts_max);
        w->full = true;
        return NULL;
    }
    if (s->part_count == s->part_room) {
        struct tkt_part *more = realloc(s->parts, 2 * s->part_room * sizeof(*more));
        if (more == NULL) {
            s->no_memory = w->full = true;
            return NULL;
        }
        s->parts = more;
        s->part_room *= 2;
    }
    struct tkt_part *p = &s->parts[s->part_count];
    *p = (struct tkt_part){.parent = parent, .number = number, .in_digest = in_digest};
    p->mime.name_max = s->limits->name_max;
    w->part = (int)s->part_count++;
    return p;
}

const char *tkt_part_type(const struct tkt_part *part)
{
    if (part->mime.type != NULL) {
        return part->mime.type;
    }
    return part->in_digest && !part->mime.broken ? "message/rfc822" : "text/plain";
}

static void read_mime(struct walk *w, struct tkt_part *p, const struct tkt_header *h)
{
    struct tkt_scan *s = w->s;

    for (size_t i = 0; i < h->count; i++) {
        const struct tkt_field *f = &h->fields[i];
        tkt_mime_header_add(&p->mime, h->block.data + f->name_at, f->name_len,
                            h->block.data + f->value_at, f->value_len,
                            s->limits->mime_params_max, &s->arena);
    }
    s->no_memory = s->no_memory || p->mime.no_memory;
    if (p->mime.too_many_params) {
        tkt_scan_problem(s, "mime_params: more than %zu parameters in a field",
                         s->limits->mime_params_max);
    }
    if (p->mime.broken) {
        tkt_scan_problem(s, "broken: Content-Type is none, read as text/plain");
    }
}

static void note_header_caps(struct tkt_scan *s, const struct tkt_header *h,
                             const char *whose)
{
    if (h->cut) {
        tkt_scan_problem(s, "header: a field of the %s is longer than %zu bytes", whose,
                         s->limits->header_max);
    }
    if (h->overflow && h->count >= s->limits->header_count_max) {
        tkt_scan_problem(s, "header_count: more than %zu fields in the %s",
                         s->limits->header_count_max, whose);
    } else if (h->overflow) {
        tkt_scan_problem(s, "header_block: more than %zu bytes of fields in the %s",
                         s->limits->header_block_max, whose);
    }
}

/* The header of the open part is complete; its body starts at off. */
static void begin_body(struct walk *w, uint64_t off)
{
    struct tkt_scan *s = w->s;
    struct tkt_part *p = &s->parts[w->part];
    bool is_root = w->header == &s->header;

    note_header_caps(s, w->header, is_root ? "message" : "part");
    p->body_at = off;
    p->end_at = off;
    if (is_root && w->header->overflow) {
        s->header_only = true;
        w->full = true;
    }
    read_mime(w, p, w->header);
    w->header = NULL;
    if (strncmp(tkt_part_type(p), "multipart/", 10) != 0) {
        return;
    }
    if (p->mime.boundary == NULL) {
        tkt_scan_problem(s, "broken: multipart without boundary, read as text");
        p->mime.type = NULL;
        p->in_digest = false;
        return;
    }
    if (w->depth == s->limits->mime_depth_max) {
        tkt_scan_problem(s, "mime_depth: parts nested deeper than %zu",
                         s->limits->mime_depth_max);
        return;
    }
    p->is_multipart = true;
    w->levels[w->depth++] =
        (struct level){p->mime.boundary, strlen(p->mime.boundary), w->part, 0,
                       strcmp(p->mime.type, "multipart/digest") == 0};
    w->part = -1;
}

/* Which open multipart this line delimits, innermost first; -1: none. */
static int find_level(const struct walk *w, const struct piece *line, bool *closing)
{
    if (w->depth == 0 || !line->bol || line->n < 3 || line->p[0] != '-' ||
        line->p[1] != '-') {
        return -1;
    }
    for (size_t i = w->depth; i-- > 0;) {
        const struct level *l = &w->levels[i];
        if (line->n < l->len + 2 || memcmp(line->p + 2, l->boundary, l->len) != 0) {
            continue;
        }
        const char *rest = line->p + 2 + l->len;
        const char *end = line->p + line->n;
        *closing = end - rest >= 2 && rest[0] == '-' && rest[1] == '-';
        rest += *closing ? 2 : 0;
        while (rest < end && strchr(" \t\r\n", *rest) != NULL && *rest != '\0') {
            rest++;
        }
        if (rest == end) {
            return (int)i;
        }
    }
    return -1;
}

/* Ends the open leaf and all multiparts above level keep. */
static void close_to(struct walk *w, size_t keep, uint64_t off)
{
    if (w->header != NULL) {
        begin_body(w, off);
    }
    if (w->part >= 0) {
        struct tkt_part *p = &w->s->parts[w->part];
        uint64_t end = off - w->eol;
        p->end_at = end > p->body_at ? end : p->body_at;
        w->part = -1;
    }
    while (w->depth > keep) {
        w->depth--;
        w->s->parts[w->levels[w->depth].part].end_at = off;
    }
}

static void on_delimiter(struct walk *w, const struct piece *line, size_t level,
                         bool closing)
{
    close_to(w, level + 1, line->at);
    if (w->full) {
        return;
    }
    if (closing) {
        close_to(w, level, line->at);
        return;
    }
    struct level *l = &w->levels[level];
    if (new_part(w, l->part, ++l->children, l->digest) != NULL) {
        w->s->parts[w->part].header_at = line->at + line->n;
        tkt_header_reset(&w->part_header);
        w->header = &w->part_header;
    }
}

static size_t line_end_length(const struct piece *line)
{
    if (line->p[line->n - 1] != '\n') {
        return 0;
    }
    return line->n > 1 && line->p[line->n - 2] == '\r' ? 2 : 1;
}

static void take_piece(struct walk *w, const struct piece *line)
{
    bool closing = false;
    int level = find_level(w, line, &closing);

    if (level >= 0) {
        on_delimiter(w, line, (size_t)level, closing);
    } else if (w->header != NULL) {
        enum tkt_header_line what =
            tkt_header_take(w->header, line->p, line->n, line->bol, w->s->limits);
        if (what == TKT_HEADER_END) {
            begin_body(w, line->at + line->n);
        } else if (what == TKT_HEADER_NOT_A_FIELD) {
            tkt_scan_problem(w->s, "broken: header ends without an empty line");
            begin_body(w, line->at);
        } else if (w->header == &w->s->header && w->header->overflow) {
            begin_body(w, line->at + line->n);
        }
    }
    w->eol = line_end_length(line);
}

static int walk_lines(struct walk *w, struct reader *r, struct tkt_err *err)
{
    struct piece line;
    int rc = 0;

    while (!w->full && (rc = next_piece(r, &line, err)) == 1) {
        take_piece(w, &line);
        /* The header is read whatever it takes: it is bounded by its caps. */
        if (w->header != &w->s->header && tkt_budget_tick(&w->s->budget)) {
            w->full = tkt_scan_out_of_time(w->s);
        }
        /* Nothing can end the only part but the end of the message. */
        if (w->header == NULL && w->depth == 0) {
            break;
        }
    }
    return rc < 0 ? -1 : 0;
}

/* A multipart whose boundary never came is the text that its body is: nothing of it may
 * be lost. (The last one may only have been cut off from its children by the cap.) */
static void mend_childless(struct tkt_scan *s, bool was_full)
{
    for (size_t i = 0; i + (was_full ? 1 : 0) < s->part_count; i++) {
        struct tkt_part *p = &s->parts[i];
        bool has_child = i + 1 < s->part_count && s->parts[i + 1].parent == (int)i;
        if (p->is_multipart && !has_child) {
            p->is_multipart = false;
            p->mime.type = NULL;
            p->in_digest = false;
            tkt_scan_problem(s, "broken: multipart whose boundary never comes, read as "
                                "text");
        }
    }
}

static int run_walk(struct walk *w, const struct tkt_message_source *src,
                    struct tkt_err *err)
{
    struct reader r;
    int rc = open_reader(&r, src, err);

    if (rc == 0) {
        new_part(w, -1, 1, false);
        w->header = &w->s->header;
        rc = walk_lines(w, &r, err);
    }
    if (rc == 0) {
        w->eol = 0;
        bool was_full = w->full;
        close_to(w, 0, src->size);
        /* The root that is no multipart: its end was not looked for. */
        if (!was_full && w->s->part_count == 1 && !w->s->parts[0].is_multipart) {
            w->s->parts[0].end_at = src->size;
        }
        mend_childless(w->s, was_full);
    }
    free(r.window);
    return rc;
}

int tkt_scan_run(struct tkt_scan *s, const struct tkt_message_source *src,
                 const struct tkt_message_limits *limits, struct tkt_err *err)
{
    memset(s, 0, sizeof(*s));
    s->limits = limits;
    tkt_budget_start(&s->budget, limits->parse_ms);
    tkt_header_init(&s->header, limits);
    struct walk w = {.s = s, .part = -1};
    tkt_header_init(&w.part_header, limits);
    s->part_room = PARTS_FIRST;
    s->parts = calloc(s->part_room, sizeof(*s->parts));
    w.levels = calloc(limits->mime_depth_max + 1, sizeof(*w.levels));
    int rc = s->parts == NULL || w.levels == NULL
                 ? tkt_err_set(err, TKT_ERR_TEMP, "no memory")
                 : run_walk(&w, src, err);
    tkt_header_release(&w.part_header);
    free(w.levels);
    if (rc == 0 && s->no_memory) {
        rc = tkt_err_set(err, TKT_ERR_TEMP, "no memory");
    }
    return rc;
}

void tkt_scan_release(struct tkt_scan *s)
{
    tkt_header_release(&s->header);
    free(s->parts);
    tkt_wire_arena_release(&s->arena);
    memset(s, 0, sizeof(*s));
}

void tkt_scan_path(const struct tkt_scan *s, size_t part, char out[TKT_MIME_PATH_MAX])
{
    char back[TKT_MIME_PATH_MAX];
    size_t at = sizeof(back) - 1;
    const struct tkt_part *p = &s->parts[part];

    back[at] = '\0';
    for (; p->parent >= 0 || part == 0; p = &s->parts[p->parent]) {
        char number[16];
        int n = snprintf(number, sizeof(number), "%u%s", p->number,
                         back[at] == '\0' ? "" : ".");
        if ((size_t)n > at) {
            break;
        }
        at -= (size_t)n;
        memcpy(back + at, number, (size_t)n);
        if (p->parent < 0) {
            break;
        }
    }
    memcpy(out, back + at, sizeof(back) - at);
}
