/* SPDX-License-Identifier: BSD-2-Clause */
#include "message/reply.h"

#include "base/enc.h"
#include "base/util.h"
#include "message/body.h"
#include "message/fields.h"
#include "message/security.h"
#include "message/trim.h"

#include <string.h>

/* Without empty lines above and white space below; the first line keeps its indent. What is
 * the whole text again is not kept twice. */
static char *keep_text(struct tkt_reading *r, const struct tkt_buf *b)
{
    const char *s = tkt_buf_str(b);
    size_t n = b->len;
    size_t skip = strspn(s, " \t\n");

    while (n > skip && strchr(" \t\n", s[n - 1]) != NULL) {
        n--;
    }
    while (skip > 0 && s[skip - 1] != '\n') {
        skip--;
    }
    n = n > skip ? tkt_utf8_cut(s + skip, n - skip, TKT_MESSAGE_TEXT_MAX) : 0;
    if (n > 0 && strncmp(r->msg->text, s + skip, n) == 0 && r->msg->text[n] == '\0') {
        return r->msg->text;
    }
    return tkt_reading_keep(r, s + skip, n);
}

static bool in_local_part(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("._-+=%/~!#$&'^`{}", c) != NULL);
}

static bool in_domain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '.' || c == '-';
}

/* "Ann Example <ann@example.test<mailto:ann@example.test>>", "Ann [mailto:ann@...]", and
 * whatever else clients make of an address that people are to read. */
static void read_address(struct tkt_reading *r, const struct tkt_buf *b,
                         struct tkt_address *out)
{
    const char *s = tkt_buf_str(b);
    const char *at = strchr(s, '@');
    const char *from = at;
    const char *end = at;

    while (at != NULL && from > s && in_local_part(from[-1])) {
        from--;
    }
    while (at != NULL && in_domain(end[1])) {
        end++;
    }
    while (at != NULL && end > at && (*end == '.' || *end == '-')) {
        end--;
    }
    bool found = at != NULL && from < at && end > at;
    size_t name = found ? strcspn(s, "<[(@") : b->len;
    if (found && name == (size_t)(at - s)) {
        name = (size_t)(from - s);
    }
    while (name > 0 && strchr(" \t\"'*:", *s) != NULL) {
        s++;
        name--;
    }
    while (name > 0 && strchr(" \t\"'*,;", s[name - 1]) != NULL) {
        name--;
    }
    out->name = tkt_reading_keep(r, s, name);
    if (found) {
        out->address = tkt_reading_keep(r, from, (size_t)(end + 1 - from));
        if (out->address != tkt_nothing) {
            tkt_ascii_lower(strchr(out->address, '@'));
        }
    }
}

static void read_forward(struct tkt_reading *r, const struct tkt_trim *t)
{
    struct tkt_forwarded *f = &r->msg->forwarded;

    f->is_present = true;
    read_address(r, &t->forward_from, &f->from);
    f->subject = keep_text(r, &t->forward_subject);
    f->date_s = tkt_trim_date(tkt_buf_str(&t->forward_date), t->forward_date.len,
                              t->language_hint);
    f->text = keep_text(r, &t->forward_text);
}

void tkt_reply_read(struct tkt_reading *r, size_t n, const struct tkt_marks *marks)
{
    TKT_AUTO_BUF struct tkt_buf plain = TKT_BUF_INIT(n + 1);
    const char *text = r->msg->text;
    struct tkt_trim t;

    if (tkt_security_unarmour(text, n, &plain)) {
        text = tkt_buf_str(&plain);
        n = plain.len;
        marks = NULL; /* places in the whole text */
    }
    if (tkt_trim_text(text, n, marks, r->msg->subject, n + 1, &t) < 0) {
        r->no_memory = true;
    } else {
        r->msg->reply_text = keep_text(r, &t.reply);
        r->msg->signature = keep_text(r, &t.signature);
        r->msg->quoted = keep_text(r, &t.quoted);
        if (t.is_forward) {
            read_forward(r, &t);
        }
    }
    tkt_trim_release(&t);
}

/* ---- attached messages ---- */

/* The only message/rfc822 that stands in a multipart/mixed, or is all of the body;
 * -1: none, or several. */
static int find_attached(const struct tkt_scan *s)
{
    int found = -1;

    for (size_t i = 0; i < s->part_count && !s->header_only; i++) {
        const char *type = tkt_part_type(&s->parts[i]);
        if (strcmp(type, "message/rfc822") != 0 && strcmp(type, "message/global") != 0) {
            continue;
        }
        int up = s->parts[i].parent;
        if (found >= 0 ||
            (up >= 0 && strcmp(tkt_part_type(&s->parts[up]), "multipart/mixed") != 0)) {
            return -1;
        }
        found = (int)i;
    }
    return found;
}

static int take_attached(struct tkt_reading *r, struct tkt_reading *inner,
                         struct tkt_err *err)
{
    TKT_AUTO_BUF struct tkt_buf text = TKT_BUF_INIT(TKT_REPLY_ATTACHED_MAX);
    const struct tkt_message *msg = inner->msg;
    struct tkt_forwarded *f = &r->msg->forwarded;
    struct tkt_body body;

    tkt_fields_read(inner);
    if (!inner->scan.header_only &&
        tkt_body_text(inner->src, &inner->scan, &text, &body, err) < 0) {
        return -1;
    }
    f->is_present = true;
    f->from.name = tkt_reading_keep(r, msg->from.name, strlen(msg->from.name));
    f->from.address = tkt_reading_keep(r, msg->from.address, strlen(msg->from.address));
    f->subject = tkt_reading_keep(r, msg->subject, strlen(msg->subject));
    f->date_s = msg->date_s;
    f->text = keep_text(r, &text);
    return 0;
}

int tkt_reply_attached(struct tkt_reading *r, struct tkt_err *err)
{
    int part = r->msg->forwarded.is_present ? -1 : find_attached(&r->scan);
    TKT_AUTO_BUF struct tkt_buf head = TKT_BUF_INIT(TKT_REPLY_ATTACHED_MAX);
    struct tkt_message msg;

    if (part < 0) {
        return 0;
    }
    if (tkt_body_head(r->src, &r->scan.parts[part], &head, err) < 0) {
        return -1;
    }
    memset(&msg, 0, sizeof(msg));
    struct tkt_message_source src = {
        .data = tkt_buf_str(&head), .fd = -1, .size = head.len};
    struct tkt_reading inner = {.src = &src, .opt = r->opt, .msg = &msg};
    int rc = tkt_scan_run(&inner.scan, &src, r->scan.limits, err);
    /* No second time: what is left of the first message's. */
    inner.scan.budget = r->scan.budget;
    if (rc == 0) {
        rc = take_attached(r, &inner, err);
    }
    r->no_memory = r->no_memory || inner.no_memory;
    tkt_scan_release(&inner.scan);
    tkt_message_release(&msg);
    return rc;
}
