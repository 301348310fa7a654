/* SPDX-License-Identifier: BSD-2-Clause */
#include "message/substitute.h"

#include "base/enc.h"
#include "base/util.h"
#include "message/card.h"
#include "message/charset.h"
#include "message/content.h"
#include "message/parttext.h"
#include "message/rtf.h"
#include "message/tnef.h"
#include "message/visit.h"

#include <string.h>

/* ---- winmail.dat ---- */

static bool enter_nothing(void *arg, const char *path)
{
    (void)arg;
    (void)path;
    return false;
}

static void *want_nothing(void *arg, const char *path)
{
    (void)arg;
    (void)path;
    return NULL;
}

static int no_data(void *arg, const char *p, size_t n, struct tkt_err *err)
{
    (void)arg;
    (void)p;
    (void)n;
    (void)err;
    return 0;
}

static int no_entry(void *arg, void *content, const struct tkt_entry *entry,
                    struct tkt_err *err)
{
    (void)arg;
    (void)content;
    (void)entry;
    (void)err;
    return 0;
}

static void add_rtf(struct tkt_buf *out, const struct tkt_buf *packed, size_t cap,
                    struct tkt_body *body)
{
    TKT_AUTO_BUF struct tkt_buf rtf = TKT_BUF_INIT(4 * cap);
    TKT_AUTO_BUF struct tkt_buf text = TKT_BUF_INIT(4 * cap);
    bool is_html = false;

    tkt_rtf_decompress(&rtf, tkt_buf_str(packed), packed->len);
    tkt_rtf_text(&text, tkt_buf_str(&rtf), rtf.len, &is_html);
    body->has_html = body->has_html || is_html;
    tkt_part_text_add(out, &text, is_html, cap, body);
}

/* The plain form first: the others are made for screens. */
static void add_tnef_text(struct tkt_buf *out, const struct tkt_tnef_text *t, size_t cap,
                          struct tkt_body *body)
{
    if (t->plain.len > 0) {
        tkt_part_text_add(out, &t->plain, false, cap, body);
    } else if (t->html.len > 0) {
        TKT_AUTO_BUF struct tkt_buf utf8 = TKT_BUF_INIT(4 * cap);
        tkt_charset_add(&utf8, t->html_charset, strlen(t->html_charset), t->html.data,
                        t->html.len, NULL);
        body->has_html = true;
        tkt_part_text_add(out, &utf8, true, cap, body);
    } else if (t->rtf.len > 0) {
        add_rtf(out, &t->rtf, cap, body);
    }
}

static int read_tnef(const struct tkt_message_source *src, struct tkt_scan *scan,
                     const struct tkt_part *part, struct tkt_buf *out,
                     struct tkt_body *body, struct tkt_err *err)
{
    static const struct tkt_visitor nobody = {
        .enter = enter_nothing, .begin = want_nothing, .data = no_data, .end = no_entry};
    size_t cap = scan->limits->text_max;
    struct tkt_tnef_text text = {
        .plain = TKT_BUF_INIT(cap), .html = TKT_BUF_INIT(cap), .rtf = TKT_BUF_INIT(cap)};
    struct tkt_content content;
    bool is_broken = false;
    int rc = tkt_content_open(&content, src, part, err);

    if (rc == 0) {
        rc = tkt_tnef_read(&content, "", &nobody, &text, &is_broken, err);
    }
    if (rc == 0) {
        add_tnef_text(out, &text, cap, body);
    }
    tkt_content_close(&content);
    tkt_buf_release(&text.plain);
    tkt_buf_release(&text.html);
    tkt_buf_release(&text.rtf);
    return rc;
}

/* ---- cards ---- */

static bool is_calendar(const struct tkt_part *p)
{
    return strcmp(tkt_part_type(p), "text/calendar") == 0 ||
           strcmp(tkt_part_type(p), "application/ics") == 0;
}

static bool is_contact(const struct tkt_part *p)
{
    const char *type = tkt_part_type(p);

    return strcmp(type, "text/vcard") == 0 || strcmp(type, "text/x-vcard") == 0 ||
           strcmp(type, "text/directory") == 0;
}

static int read_card(const struct tkt_message_source *src, struct tkt_scan *scan,
                     const struct tkt_part *part, struct tkt_buf *out,
                     struct tkt_body *body, struct tkt_err *err)
{
    size_t cap = scan->limits->text_max;
    const char *charset = part->mime.charset == NULL ? "utf-8" : part->mime.charset;
    TKT_AUTO_BUF struct tkt_buf raw = TKT_BUF_INIT(cap);
    TKT_AUTO_BUF struct tkt_buf utf8 = TKT_BUF_INIT(4 * cap);
    TKT_AUTO_BUF struct tkt_buf text = TKT_BUF_INIT(4 * cap);

    if (tkt_body_head(src, part, &raw, err) < 0) {
        return -1;
    }
    tkt_charset_add(&utf8, charset, strlen(charset), tkt_buf_str(&raw), raw.len, NULL);
    if (is_calendar(part)) {
        tkt_card_calendar(&text, tkt_buf_str(&utf8), utf8.len);
    } else {
        tkt_card_contact(&text, tkt_buf_str(&utf8), utf8.len);
    }
    tkt_part_text_add(out, &text, false, cap, body);
    return 0;
}

/* ---- which ---- */

static void trim_end(struct tkt_buf *b)
{
    while (b->len > 0 && strchr(" \t\n", b->data[b->len - 1]) != NULL) {
        b->data[--b->len] = '\0';
    }
}

int tkt_substitute_text(const struct tkt_message_source *src, struct tkt_scan *scan,
                        struct tkt_buf *out, struct tkt_body *body, struct tkt_err *err)
{
    enum {
        TNEF,
        CALENDAR,
        CONTACT,
        KINDS
    };

    for (int kind = TNEF; kind < KINDS; kind++) {
        for (size_t i = 0; i < scan->part_count && out->len == 0; i++) {
            const struct tkt_part *p = &scan->parts[i];
            bool fits = !p->is_multipart && (kind == TNEF       ? tkt_visit_is_tnef(p)
                                             : kind == CALENDAR ? is_calendar(p)
                                                                : is_contact(p));
            if (!fits || tkt_scan_out_of_time(scan)) {
                continue;
            }
            int rc = kind == TNEF ? read_tnef(src, scan, p, out, body, err)
                                  : read_card(src, scan, p, out, body, err);
            if (rc < 0) {
                return -1;
            }
            trim_end(out);
        }
    }
    return 0;
}
