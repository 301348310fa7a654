/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketd/mail/canon.h"

#include "base/enc.h"
#include "base/util.h"

#include <string.h>

void tkt_canon_init(struct tkt_canon *c, const struct tkt_canon_ops *ops, void *arg)
{
    c->ops = ops;
    c->arg = arg;
    c->degraded = false;
    c->state = TKT_CANON_HEADER;
    c->at_line_start = true;
    c->first_line = true;
    c->line_len = 0;
    c->field_len = 0;
    c->in_field = false;
    c->has_type = false;
    c->has_coding = false;
    c->coding = TKT_CANON_PLAIN;
    tkt_ctype_default(false, &c->type);
    c->depth = 0;
    c->qp_len = 0;
    c->b64 = 0;
    c->b64_count = 0;
    c->any_text = false;
    c->newlines = 0;
    c->blank_len = 0;
    c->stage_len = 0;
}

/* ---- header fields ---------------------------------------------------------------- */

static void parse_coding(struct tkt_canon *c)
{
    if (c->has_coding) {
        return;
    }
    c->has_coding = true;
    if (tkt_ascii_ieq(c->field, "quoted-printable")) {
        c->coding = TKT_CANON_QP;
    } else if (tkt_ascii_ieq(c->field, "base64")) {
        c->coding = TKT_CANON_BASE64;
    }
}

/* What an 8-to-7-bit hop writes into part headers. */
static bool is_coding_field(const char *name)
{
    return strcmp(name, "content-transfer-encoding") == 0 ||
           strcmp(name, "x-mime-autoconverted") == 0;
}

static void field_end(struct tkt_canon *c)
{
    if (!c->in_field) {
        return;
    }
    c->in_field = false;
    if (!c->field_wanted) {
        return;
    }
    c->field[c->field_len] = '\0';
    if (strcmp(c->name, "content-type") == 0 && !c->has_type) {
        c->has_type = true;
        tkt_ctype_parse(c->field, c->field_len, &c->type);
    } else if (strcmp(c->name, "content-transfer-encoding") == 0) {
        parse_coding(c);
    }
    if (c->state == TKT_CANON_HEADER) {
        if (c->ops->wants(c->arg, c->name)) {
            c->ops->field(c->arg, c->name, c->field, c->field_len);
        }
    } else if (!is_coding_field(c->name)) {
        tkt_canon_segment(c, c->name, strlen(c->name));
        tkt_canon_segment(c, ":", 1);
        tkt_canon_segment(c, c->field, c->field_len);
        tkt_canon_newline(c);
    }
}

static void field_add(struct tkt_canon *c, const char *p, size_t n)
{
    if (!c->in_field || !c->field_wanted) {
        return;
    }
    for (size_t i = 0; i < n; i++) {
        if (p[i] == ' ' || p[i] == '\t' || p[i] == '\r' || p[i] == '\0') {
            c->field_blank = c->field_len > 0;
            continue;
        }
        if (c->field_len + c->field_blank >= TKT_CANON_FIELD_MAX) {
            c->degraded = true;
            return;
        }
        if (c->field_blank) {
            c->field[c->field_len++] = ' ';
            c->field_blank = false;
        }
        c->field[c->field_len++] = p[i];
    }
}

/* Length of "Name:" with blanks before the colon, or 0: no header field. */
static size_t field_name(const char *p, size_t n, size_t *name_len)
{
    size_t i = 0;

    while (i < n && i <= TKT_CANON_NAME_MAX && p[i] > ' ' && p[i] < 0x7f && p[i] != ':') {
        i++;
    }
    *name_len = i;
    if (i == 0 || i > TKT_CANON_NAME_MAX) {
        return 0;
    }
    while (i < n && (p[i] == ' ' || p[i] == '\t')) {
        i++;
    }
    return i < n && p[i] == ':' ? i + 1 : 0;
}

static bool field_begin(struct tkt_canon *c, const char *p, size_t n)
{
    size_t name_len;
    size_t skip = field_name(p, n, &name_len);

    if (skip == 0) {
        return false;
    }
    memcpy(c->name, p, name_len);
    c->name[name_len] = '\0';
    tkt_ascii_lower(c->name);
    c->in_field = true;
    c->field_len = 0;
    c->field_blank = false;
    c->field_wanted = c->state == TKT_CANON_PART_HEADER ||
                      strncmp(c->name, "content-t", 9) == 0 ||
                      c->ops->wants(c->arg, c->name);
    field_add(c, p + skip, n - skip);
    return true;
}

/* ---- structure -------------------------------------------------------------------- */

static void part_header_begin(struct tkt_canon *c, bool in_digest)
{
    c->state = TKT_CANON_PART_HEADER;
    c->has_type = false;
    c->has_coding = false;
    c->coding = TKT_CANON_PLAIN;
    tkt_ctype_default(in_digest, &c->type);
}

static void push_boundary(struct tkt_canon *c)
{
    c->coding = TKT_CANON_PLAIN; /* of the preamble; on a multipart a coding is void */
    if (c->depth == TKT_CANON_DEPTH_MAX) {
        c->degraded = true;
        return;
    }
    memcpy(c->boundary[c->depth].text, c->type.boundary, c->type.boundary_len + 1);
    c->boundary[c->depth].len = c->type.boundary_len;
    c->boundary[c->depth].digest = strcmp(c->type.name, "multipart/digest") == 0;
    c->depth++;
}

static void header_end(struct tkt_canon *c)
{
    field_end(c);
    if (c->state == TKT_CANON_HEADER) {
        c->ops->header_end(c->arg);
    } else {
        tkt_canon_newline(c);
    }
    c->state = TKT_CANON_BODY;
    if (c->type.kind == TKT_CTYPE_MULTIPART) {
        push_boundary(c);
    } else if (c->type.kind == TKT_CTYPE_MESSAGE && c->coding == TKT_CANON_PLAIN) {
        part_header_begin(c, false);
    } else if (c->type.bad_boundary) {
        c->coding = TKT_CANON_PLAIN;
        c->degraded = true;
    } else if (c->coding == TKT_CANON_BASE64 && c->type.kind != TKT_CTYPE_TEXT) {
        c->coding = TKT_CANON_PLAIN; /* as it stands: no hop encodes it again */
    }
}

/* True when the line is a delimiter of level i; *closes for the last one. */
static bool is_delimiter(const struct tkt_canon *c, size_t i, const char *p, size_t n,
                         bool *closes)
{
    size_t len = c->boundary[i].len;

    if (n < len + 2 || memcmp(p + 2, c->boundary[i].text, len) != 0) {
        return false;
    }
    p += len + 2;
    n -= len + 2;
    *closes = n >= 2 && p[0] == '-' && p[1] == '-';
    for (size_t k = *closes ? 2 : 0; k < n; k++) {
        if (p[k] != ' ' && p[k] != '\t' && p[k] != '\r') {
            return false;
        }
    }
    return true;
}

/* A whole line that begins with "--": innermost boundary first. */
static bool body_delimiter(struct tkt_canon *c, const char *p, size_t n)
{
    bool closes = false;
    size_t i = c->depth;

    while (i > 0 && !is_delimiter(c, i - 1, p, n, &closes)) {
        i--;
    }
    if (i == 0) {
        return false;
    }
    tkt_canon_leaf_end(c);
    tkt_canon_segment(c, p, n);
    tkt_canon_newline(c);
    c->depth = closes ? i - 1 : i;
    c->coding = TKT_CANON_PLAIN;
    if (!closes) {
        part_header_begin(c, c->boundary[c->depth - 1].digest);
    }
    return true;
}

/* ---- lines ------------------------------------------------------------------------ */

static void body_piece(struct tkt_canon *c, const char *p, size_t n, bool eol, bool whole)
{
    if (whole && c->depth > 0 && n > 2 && p[0] == '-' && p[1] == '-' &&
        body_delimiter(c, p, n)) {
        return;
    }
    if (c->coding == TKT_CANON_QP) {
        tkt_canon_qp(c, p, n, eol);
    } else if (c->coding == TKT_CANON_BASE64) {
        tkt_canon_base64(c, p, n);
    } else {
        tkt_canon_segment(c, p, n);
        if (eol) {
            tkt_canon_newline(c);
        }
    }
}

static bool is_mbox_line(const struct tkt_canon *c, const char *p, size_t n)
{
    return c->state == TKT_CANON_HEADER && c->first_line && n >= 5 &&
           memcmp(p, "From ", 5) == 0;
}

static void header_piece(struct tkt_canon *c, const char *p, size_t n, bool eol,
                         bool whole)
{
    size_t bare = n;

    if (!c->at_line_start) {
        field_add(c, p, n);
        return;
    }
    while (bare > 0 && p[bare - 1] == '\r') {
        bare--;
    }
    if (bare == 0 && eol) {
        header_end(c);
    } else if ((p[0] == ' ' || p[0] == '\t') && c->in_field) {
        c->field_blank = c->field_len > 0;
        field_add(c, p, n);
    } else {
        field_end(c);
        if (!field_begin(c, p, n) && !is_mbox_line(c, p, n)) {
            header_end(c);
            /* A message inside may follow at once: then this is no field there either,
             * and its header ends as well. */
            if (c->state == TKT_CANON_PART_HEADER) {
                header_end(c);
            }
            body_piece(c, p, n, eol, whole);
        }
    }
}

/* n without the LF. whole: the piece is all of its line. */
static void piece(struct tkt_canon *c, const char *p, size_t n, bool eol, bool whole)
{
    if (c->state == TKT_CANON_BODY) {
        body_piece(c, p, n, eol, whole);
    } else {
        header_piece(c, p, n, eol, whole);
    }
    c->at_line_start = eol;
    c->first_line = false;
}

/* A line, or as much of one as fits, out of the line buffer. */
static size_t add_buffered(struct tkt_canon *c, const char *p, size_t n)
{
    size_t take = TKT_MIN(n, sizeof(c->line) - c->line_len);
    const char *lf = memchr(p, '\n', take);
    size_t len = lf == NULL ? take : (size_t)(lf - p);

    memcpy(c->line + c->line_len, p, len);
    c->line_len += len;
    if (lf != NULL || c->line_len == sizeof(c->line)) {
        size_t line_len = c->line_len;

        c->line_len = 0;
        piece(c, c->line, line_len, lf != NULL, lf != NULL && c->at_line_start);
    }
    return lf != NULL ? len + 1 : len;
}

void tkt_canon_add(struct tkt_canon *c, const void *data, size_t n)
{
    const char *p = data;

    while (n > 0) {
        size_t take = TKT_MIN(n, sizeof(c->line));
        const char *lf = c->line_len > 0 ? NULL : memchr(p, '\n', take);

        if (lf != NULL) {
            take = (size_t)(lf - p) + 1;
            piece(c, p, take - 1, true, c->at_line_start);
        } else {
            take = add_buffered(c, p, n);
        }
        p += take;
        n -= take;
    }
}

void tkt_canon_final(struct tkt_canon *c)
{
    if (c->line_len > 0) {
        size_t line_len = c->line_len;

        c->line_len = 0;
        piece(c, c->line, line_len, false, c->at_line_start);
    }
    if (c->state != TKT_CANON_BODY) {
        header_end(c);
    }
    if (c->state == TKT_CANON_PART_HEADER) {
        header_end(c);
    }
    tkt_canon_leaf_end(c);
    c->newlines = 0;
    tkt_canon_flush(c);
}
