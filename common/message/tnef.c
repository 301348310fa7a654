/* SPDX-License-Identifier: BSD-2-Clause */
#include "message/tnef.h"

#include "base/enc.h"
#include "base/util.h"
#include "message/charset.h"
#include "message/mapi.h"

#include <stdio.h>
#include <string.h>

#define SIGNATURE 0x223e9f78
#define LEVEL_FILE 2
#define LINE_MAX_BYTES (4 * TKT_TNEF_VALUE_MAX)
#define CLASS_ID_LEN 16 /* of the interface, before an object */

enum attribute { /* the number, without the type in the upper half */
    ATT_SUBJECT = 0x8004,
    ATT_BODY = 0x800c,
    ATT_FILE_DATA = 0x800f,
    ATT_FILE_TITLE = 0x8010,
    ATT_FILE_BEGIN = 0x9002,
    ATT_MESSAGE_PROPS = 0x9003,
    ATT_FILE_PROPS = 0x9005,
    ATT_CODEPAGE = 0x9007
};

/* The file that is being read. */
struct file {
    bool is_open;
    unsigned number;
    char path[TKT_VISIT_PATH_MAX];
    struct tkt_buf title; /* each UTF-8 */
    struct tkt_buf short_name;
    struct tkt_buf long_name;
    struct tkt_buf type;
    struct tkt_buf content_id;
    bool has_content;
    bool is_message;
    void *content;
    uint64_t size;
};

/* One stream: winmail.dat, or a message inside it. */
struct stream {
    struct tkt_tnef_in *in;
    const char *path;
    unsigned depth;
    char charset[16];
    struct file file;
    struct tkt_tnef_text *text;
    struct tkt_buf subject;
    bool is_broken;
};

static void read_stream(struct stream *s, uint64_t *left);

static void init_file(struct file *f)
{
    tkt_buf_init(&f->title, LINE_MAX_BYTES);
    tkt_buf_init(&f->short_name, LINE_MAX_BYTES);
    tkt_buf_init(&f->long_name, LINE_MAX_BYTES);
    tkt_buf_init(&f->type, LINE_MAX_BYTES);
    tkt_buf_init(&f->content_id, LINE_MAX_BYTES);
}

static void release_file(struct file *f)
{
    tkt_buf_release(&f->title);
    tkt_buf_release(&f->short_name);
    tkt_buf_release(&f->long_name);
    tkt_buf_release(&f->type);
    tkt_buf_release(&f->content_id);
}

/* Names of code pages that message/charset.h knows. */
static void set_charset(char out[16], uint32_t codepage)
{
    switch (codepage) {
    case 65001:
        (void)snprintf(out, 16, "utf-8");
        break;
    case 20866:
        (void)snprintf(out, 16, "koi8-r");
        break;
    case 21866:
        (void)snprintf(out, 16, "koi8-u");
        break;
    case 50220:
    case 50221:
    case 50222:
        (void)snprintf(out, 16, "iso-2022-jp");
        break;
    case 51932:
        (void)snprintf(out, 16, "euc-jp");
        break;
    case 54936:
        (void)snprintf(out, 16, "gb18030");
        break;
    default:
        if (codepage > 28590 && codepage < 28606) {
            (void)snprintf(out, 16, "iso-8859-%u", (unsigned)(codepage - 28590));
        } else {
            (void)snprintf(out, 16, "cp%u", (unsigned)(codepage % 100000));
        }
    }
}

/* ---- files ---- */

static const char *file_name(const struct file *f)
{
    const struct tkt_buf *names[] = {&f->long_name, &f->title, &f->short_name};

    for (size_t i = 0; i < TKT_ARRAY_LEN(names); i++) {
        if (names[i]->len > 0) {
            return names[i]->data;
        }
    }
    return "";
}

/* "<x@y>" without the brackets. */
static const char *bare_id(struct tkt_buf *b)
{
    if (b->len > 1 && b->data[0] == '<' && b->data[b->len - 1] == '>') {
        b->data[b->len - 1] = '\0';
        return b->data + 1;
    }
    return tkt_buf_str(b);
}

static void end_file(struct stream *s)
{
    struct file *f = &s->file;
    const struct tkt_visitor *v = s->in->visitor;

    if (!f->is_open) {
        return;
    }
    f->is_open = false;
    if (f->type.len > 0) {
        tkt_ascii_lower(f->type.data);
    }
    struct tkt_entry e = {
        .path = f->path,
        .name = file_name(f),
        .type = f->is_message      ? "application/ms-tnef"
                : f->type.len == 0 ? "application/octet-stream"
                                   : f->type.data,
        .content_id = bare_id(&f->content_id),
        .disposition = TKT_DISPOSITION_NONE,
        .is_related = f->content_id.len > 0,
        .encoded_size = f->size,
    };
    if (!s->in->is_failed && !s->in->is_done) {
        int rc = v->end(v->arg, f->content, &e, s->in->err);
        s->in->is_failed = rc < 0;
        s->in->is_done = rc > 0;
    }
}

static bool begin_file(struct stream *s)
{
    struct file *f = &s->file;
    unsigned number = f->number + 1;

    end_file(s);
    if (number > TKT_TNEF_FILES_MAX || s->in->is_done) {
        return false;
    }
    release_file(f);
    memset(f, 0, sizeof(*f));
    init_file(f);
    f->number = number;
    int n = snprintf(f->path, sizeof(f->path), "%s/tnef/%u", s->path, number);
    f->is_open = n > 0 && (size_t)n < sizeof(f->path);
    return f->is_open;
}

/* Content comes once; what comes again is passed over. */
static bool begin_content(struct stream *s)
{
    struct file *f = &s->file;

    if (!f->is_open || f->has_content) {
        return false;
    }
    f->has_content = true;
    f->content = s->in->visitor->begin(s->in->visitor->arg, f->path);
    return true;
}

static void file_data(struct stream *s, uint64_t *left)
{
    if (begin_content(s)) {
        s->file.size = *left;
        (void)tkt_tnef_pipe(s->in, left, *left, s->file.content); /* .in tells */
    }
}

/* A message inside: all of it is the content of this entry, and what it holds are
 * entries below it. Other objects are content and no more. */
static void file_object(struct stream *s, uint64_t *left)
{
    static const char i_message[CLASS_ID_LEN] =
        "\x07\x03\x02\0\0\0\0\0\xc0\0\0\0\0\0\0\x46";
    struct tkt_tnef_in *in = s->in;
    struct file *f = &s->file;
    struct stream inner = {.in = in, .path = f->path, .depth = s->depth + 1};
    char class_id[CLASS_ID_LEN];

    if (!tkt_tnef_take(in, left, class_id, sizeof(class_id))) {
        return;
    }
    if (memcmp(class_id, i_message, sizeof(class_id)) != 0) {
        file_data(s, left);
        return;
    }
    if (!begin_content(s)) {
        return;
    }
    f->is_message = true;
    f->size = *left;
    in->tees[in->tee_count++] = (struct tkt_tnef_tee){f->content, f->content != NULL};
    if (inner.depth < TKT_TNEF_DEPTH_MAX &&
        in->visitor->enter(in->visitor->arg, f->path)) {
        memcpy(inner.charset, s->charset, sizeof(inner.charset));
        read_stream(&inner, left);
        if (inner.subject.len > 0) { /* the title says "Untitled" */
            tkt_buf_reset(&f->title);
            tkt_buf_add(&f->title, inner.subject.data, inner.subject.len);
        }
        tkt_buf_release(&inner.subject);
    }
    (void)tkt_tnef_skip(in, left, *left); /* what the reading left; .in tells */
    in->tee_count--;
}

static void on_file_property(void *arg, struct tkt_tnef_in *in,
                             const struct tkt_mapi_value *v, uint64_t *left)
{
    struct stream *s = arg;
    struct file *f = &s->file;
    struct tkt_buf *to = v->id == TKT_MAPI_LONG_FILENAME  ? &f->long_name
                         : v->id == TKT_MAPI_FILENAME     ? &f->short_name
                         : v->id == TKT_MAPI_DISPLAY_NAME ? &f->short_name
                         : v->id == TKT_MAPI_MIME_TAG     ? &f->type
                         : v->id == TKT_MAPI_CONTENT_ID   ? &f->content_id
                                                          : NULL;

    if (v->id == TKT_MAPI_DATA && v->type == TKT_MAPI_OBJECT) {
        file_object(s, left);
    } else if (v->id == TKT_MAPI_DATA && v->type == TKT_MAPI_BINARY) {
        file_data(s, left);
    } else if (to != NULL && to->len == 0 &&
               (v->type == TKT_MAPI_STRING8 || v->type == TKT_MAPI_UNICODE)) {
        TKT_AUTO_BUF struct tkt_buf raw = TKT_BUF_INIT(TKT_TNEF_VALUE_MAX);
        (void)tkt_tnef_gather(in, left, *left, &raw); /* .in tells */
        tkt_mapi_line(to, &raw, v->type, s->charset);
    }
}

/* ---- text ---- */

static void take_text(struct stream *s, uint16_t type, const struct tkt_buf *raw)
{
    struct tkt_buf *to = &s->text->plain;
    const char *label = type == TKT_MAPI_UNICODE ? "utf-16le" : s->charset;
    size_t n = raw->len;

    while (n > 0 && raw->data[n - 1] == '\0') {
        n--;
    }
    n += type == TKT_MAPI_UNICODE ? n % 2 : 0;
    if (to->len == 0) {
        tkt_charset_add(to, label, strlen(label), tkt_buf_str(raw), TKT_MIN(n, raw->len),
                        NULL);
    }
}

static void on_message_property(void *arg, struct tkt_tnef_in *in,
                                const struct tkt_mapi_value *v, uint64_t *left)
{
    struct stream *s = arg;
    bool is_string = v->type == TKT_MAPI_STRING8 || v->type == TKT_MAPI_UNICODE;
    size_t max = s->text == NULL ? 0 : s->text->plain.max;

    if (v->id == TKT_MAPI_SUBJECT && is_string && s->subject.len == 0) {
        TKT_AUTO_BUF struct tkt_buf raw = TKT_BUF_INIT(TKT_TNEF_VALUE_MAX);
        (void)tkt_tnef_gather(in, left, *left, &raw); /* .in tells */
        tkt_mapi_line(&s->subject, &raw, v->type, s->charset);
    } else if (s->text == NULL) {
        return;
    } else if (v->id == TKT_MAPI_CODEPAGE && v->type == TKT_MAPI_LONG) {
        set_charset(s->text->html_charset, v->number);
    } else if (v->id == TKT_MAPI_BODY && is_string) {
        TKT_AUTO_BUF struct tkt_buf raw = TKT_BUF_INIT(max);
        (void)tkt_tnef_gather(in, left, *left, &raw); /* .in tells */
        take_text(s, v->type, &raw);
    } else if (v->id == TKT_MAPI_HTML && s->text->html.len == 0 &&
               (v->type == TKT_MAPI_BINARY || v->type == TKT_MAPI_STRING8)) {
        (void)tkt_tnef_gather(in, left, *left, &s->text->html); /* .in tells */
    } else if (v->id == TKT_MAPI_RTF && v->type == TKT_MAPI_BINARY &&
               s->text->rtf.len == 0) {
        (void)tkt_tnef_gather(in, left, *left, &s->text->rtf); /* .in tells */
    }
}

/* ---- attributes ---- */

static void line_attribute(struct stream *s, uint64_t *left, struct tkt_buf *to)
{
    TKT_AUTO_BUF struct tkt_buf raw = TKT_BUF_INIT(TKT_TNEF_VALUE_MAX);

    if (tkt_tnef_gather(s->in, left, *left, &raw) && to->len == 0) {
        tkt_mapi_line(to, &raw, TKT_MAPI_STRING8, s->charset);
    }
}

static void body_attribute(struct stream *s, uint64_t *left)
{
    if (s->text != NULL) {
        TKT_AUTO_BUF struct tkt_buf raw = TKT_BUF_INIT(s->text->plain.max);
        (void)tkt_tnef_gather(s->in, left, *left, &raw); /* .in tells */
        take_text(s, TKT_MAPI_STRING8, &raw);
    }
}

static void message_attribute(struct stream *s, uint32_t id, uint64_t *left)
{
    uint32_t codepage = 0;

    if (id == ATT_CODEPAGE && tkt_tnef_number(s->in, left, 4, &codepage)) {
        set_charset(s->charset, codepage);
    } else if (id == ATT_SUBJECT) {
        line_attribute(s, left, &s->subject);
    } else if (id == ATT_BODY) {
        body_attribute(s, left);
    } else if (id == ATT_MESSAGE_PROPS) {
        s->is_broken =
            !tkt_mapi_read(s->in, left, on_message_property, s) || s->is_broken;
    }
}

static void file_attribute(struct stream *s, uint32_t id, uint64_t *left)
{
    if ((id == ATT_FILE_BEGIN || !s->file.is_open) && !begin_file(s)) {
        return;
    }
    if (id == ATT_FILE_TITLE) {
        line_attribute(s, left, &s->file.title);
    } else if (id == ATT_FILE_DATA) {
        file_data(s, left);
    } else if (id == ATT_FILE_PROPS) {
        s->is_broken = !tkt_mapi_read(s->in, left, on_file_property, s) || s->is_broken;
    }
}

/* Level, number and type, length, the data, a checksum (which writers get wrong). */
static bool read_attribute(struct stream *s, uint64_t *left)
{
    uint32_t level = 0;
    uint32_t id = 0;
    uint32_t len = 0;

    if (!tkt_tnef_number(s->in, left, 1, &level) ||
        !tkt_tnef_number(s->in, left, 4, &id) || !tkt_tnef_number(s->in, left, 4, &len)) {
        return false;
    }
    bool is_whole = len <= *left;
    uint64_t inner = is_whole ? len : *left;
    uint64_t before = inner;
    id &= 0xffff;
    if (level == LEVEL_FILE) {
        file_attribute(s, id, &inner);
    } else {
        message_attribute(s, id, &inner);
    }
    *left -= before - inner;
    return tkt_tnef_skip(s->in, left, inner) && is_whole && tkt_tnef_skip(s->in, left, 2);
}

static void read_stream(struct stream *s, uint64_t *left)
{
    uint32_t signature = 0;
    bool ok = tkt_tnef_number(s->in, left, 4, &signature) && signature == SIGNATURE &&
              tkt_tnef_skip(s->in, left, 2);

    tkt_buf_init(&s->subject, LINE_MAX_BYTES);
    init_file(&s->file);
    while (ok && *left > 0 && !s->in->is_done && !s->in->is_failed) {
        const char *p = NULL;
        /* The end of the content is found by looking, not by a length. */
        if (s->in->n == 0 && tkt_tnef_some(s->in, 0, &p) == 0 && s->in->n == 0) {
            break;
        }
        ok = read_attribute(s, left);
    }
    s->is_broken = s->is_broken || (!ok && !s->in->is_done);
    end_file(s);
    release_file(&s->file);
}

int tkt_tnef_read(struct tkt_content *content, const char *path,
                  const struct tkt_visitor *visitor, struct tkt_tnef_text *text,
                  bool *is_broken, struct tkt_err *err)
{
    struct tkt_tnef_in in = {.content = content, .visitor = visitor, .err = err};
    struct stream s = {.in = &in, .path = path, .charset = "cp1252", .text = text};
    uint64_t left = UINT64_MAX;

    read_stream(&s, &left);
    tkt_buf_release(&s.subject);
    *is_broken = s.is_broken;
    return in.is_failed ? -1 : in.is_done ? 1 : 0;
}
