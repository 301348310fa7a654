/* SPDX-License-Identifier: BSD-2-Clause
 * A delivery report put together: fields, prose, and the message that came back.
 */
#include "message/bounce.h"

#include "base/enc.h"
#include "base/util.h"
#include "message/body.h"
#include "message/ids.h"

#include <string.h>

#define RETURNED_MAX (32 * 1024) /* of a message that came back: its header */
#define NOT_RECIPIENT_MAX 16

/* ---- the message that came back ---- */

static bool is_type(const struct tkt_part *p, const char *type)
{
    return strcmp(tkt_part_type(p), type) == 0;
}

static bool holds_returned(const struct tkt_part *p)
{
    return is_type(p, "message/rfc822") || is_type(p, "message/global") ||
           is_type(p, "text/rfc822-headers") || is_type(p, "message/rfc822-headers") ||
           is_type(p, "message/global-headers");
}

struct returned {
    char *message_id; /* of the message's arena; tkt_nothing when it is not told */
    char to[TKT_BOUNCE_ADDRESS_MAX];
};

/* Behind empty lines and one that only introduces: where a header really begins. */
static size_t header_begin(const char *p, size_t n)
{
    size_t at = 0;

    for (unsigned lines = 0; at < n && lines < 8; lines++) {
        const char *lf = memchr(p + at, '\n', n - at);
        size_t len = lf == NULL ? n - at : (size_t)(lf - (p + at));
        const char *colon = memchr(p + at, ':', len);
        size_t name = colon == NULL ? 0 : (size_t)(colon - (p + at));
        if (name > 1 && memchr(p + at, ' ', name) == NULL && p[at] != '-') {
            return at;
        }
        at += len + (lf == NULL ? 0 : 1);
    }
    return 0;
}

static void take_header(struct tkt_reading *r, const struct tkt_header *h,
                        struct returned *out)
{
    static const char *const names[] = {"References", "Message-ID"};
    struct tkt_strings *refs = &r->msg->references;

    for (size_t k = 0; k < TKT_ARRAY_LEN(names); k++) {
        size_t index = 0;
        const struct tkt_field *f = tkt_header_find(h, names[k], &index);
        size_t before = refs->count;
        if (f == NULL) {
            continue;
        }
        tkt_ids_add(r, tkt_field_value(h, f), f->value_len, refs);
        if (k == 1 && refs->count > 0 && (refs->count > before || before > 1)) {
            out->message_id = refs->items[refs->count - 1];
        }
    }
    size_t index = 0;
    size_t at = 0;
    size_t from = 0;
    const struct tkt_field *to = tkt_header_find(h, "To", &index);
    if (to != NULL && out->to[0] == '\0' &&
        !tkt_bounce_address_find(tkt_field_value(h, to), to->value_len, &at, &from,
                                 out->to)) {
        out->to[0] = '\0';
    }
}

/* A header as text; its body may follow. */
static int read_header(struct tkt_reading *r, const char *p, size_t n,
                       struct returned *out, struct tkt_err *err)
{
    size_t begin = header_begin(p, n);
    struct tkt_message_source src = {
        .data = p + begin, .fd = -1, .size = TKT_MIN(n - begin, RETURNED_MAX)};
    struct tkt_scan inner;

    int rc = tkt_scan_run(&inner, &src, r->scan.limits, err);
    if (rc == 0) {
        take_header(r, &inner.header, out);
    }
    tkt_scan_release(&inner);
    return rc;
}

static int read_part(struct tkt_reading *r, const struct tkt_part *p,
                     struct returned *out, struct tkt_err *err)
{
    TKT_AUTO_BUF struct tkt_buf head = TKT_BUF_INIT(RETURNED_MAX);

    if (tkt_body_head(r->src, p, &head, err) < 0) {
        return -1;
    }
    return head.len == 0 ? 0 : read_header(r, head.data, head.len, out, err);
}

/* The last resort, for structures that no reader of MIME would find it in: a line of the
 * body as it came over the wire. */
static int read_raw(struct tkt_reading *r, struct returned *out, struct tkt_err *err)
{
    TKT_AUTO_FREE char *window = malloc(TKT_BOUNCE_TEXT_MAX);
    const char *p = NULL;
    size_t n = 0;

    if (window == NULL) {
        return tkt_err_set(err, TKT_ERR_TEMP, "no memory");
    }
    if (tkt_source_read(r->src, r->scan.parts[0].body_at, TKT_BOUNCE_TEXT_MAX, window, &p,
                        &n, err) < 0) {
        return -1;
    }
    for (size_t i = 0; i + 12 < n; i++) {
        bool bol = i == 0 || p[i - 1] == '\n';
        if (bol && tkt_ascii_ieqn(p + i, "message-id:", 11)) {
            size_t len = TKT_MIN(n - i, 1200);
            size_t before = r->msg->references.count;
            const char *close = memchr(p + i, '>', len);
            if (close != NULL) {
                tkt_ids_add(r, p + i, (size_t)(close + 1 - (p + i)), &r->msg->references);
            }
            if (r->msg->references.count > before) {
                out->message_id = r->msg->references.items[before];
            }
            return 0;
        }
    }
    return 0;
}

static int read_returned(struct tkt_reading *r, struct returned *out, struct tkt_err *err)
{
    const struct tkt_scan *s = &r->scan;
    size_t text_len = strlen(r->msg->text);
    size_t at = text_len;

    for (size_t i = 1; i < s->part_count && out->message_id == tkt_nothing; i++) {
        if (holds_returned(&s->parts[i]) && read_part(r, &s->parts[i], out, err) < 0) {
            return -1;
        }
    }
    if (out->message_id == tkt_nothing) {
        (void)tkt_bounce_returned_at(r->msg->text, text_len, &at);
        if (at < text_len &&
            read_header(r, r->msg->text + at, text_len - at, out, err) < 0) {
            return -1;
        }
    }
    if (out->message_id == tkt_nothing && s->part_count > 0 && !s->header_only) {
        return read_raw(r, out, err);
    }
    return 0;
}

/* ---- the report ---- */

static size_t list_people(const struct tkt_message *msg, const char **list)
{
    size_t count = 0;

    if (msg->from.address[0] != '\0') {
        list[count++] = msg->from.address;
    }
    for (size_t i = 0; i < msg->to.count && count < NOT_RECIPIENT_MAX; i++) {
        list[count++] = msg->to.items[i].address;
    }
    return count;
}

static void read_prose(struct tkt_reading *r, struct tkt_bounce_found *f)
{
    const char *people[NOT_RECIPIENT_MAX];
    char known[TKT_BOUNCE_ADDRESS_MAX];
    const char *text = r->msg->text;

    memcpy(known, f->recipient, sizeof(known));
    struct tkt_bounce_hints hints = {people, list_people(r->msg, people), known};
    tkt_bounce_prose(text, strlen(text), &hints, f);
}

static void keep_found(struct tkt_reading *r, const struct tkt_bounce_found *f,
                       const struct returned *back)
{
    struct tkt_bounce *b = &r->msg->bounce;
    const char *action = tkt_bounce_actions[f->action];

    b->is_present = true;
    b->recipient = tkt_reading_keep(r, f->recipient, strlen(f->recipient));
    b->status = tkt_reading_keep(r, f->status, strlen(f->status));
    b->action = tkt_reading_keep(r, action, strlen(action));
    b->diagnostic = tkt_reading_keep(r, f->diagnostic, strlen(f->diagnostic));
    b->original_message_id = back->message_id;
}

/* Gmail and Exchange answer the message that bounced. */
static char *answered_id(const struct tkt_message *msg)
{
    return msg->in_reply_to.count > 0 ? msg->in_reply_to.items[0] : tkt_nothing;
}

int tkt_bounce_read(struct tkt_reading *r, const struct tkt_bounce_found *found,
                    struct tkt_err *err)
{
    struct tkt_bounce_found f = *found;
    struct returned back = {tkt_nothing, ""};

    if (f.recipient[0] == '\0' &&
        !tkt_bounce_failed_recipient(&r->scan.header, f.recipient)) {
        f.recipient[0] = '\0';
    }
    bool is_success = f.action > TKT_BOUNCE_NONE && f.action < TKT_BOUNCE_DELAYED;
    if (!is_success) {
        read_prose(r, &f);
    }
    if (f.action == TKT_BOUNCE_NONE && f.recipient[0] == '\0' &&
        f.diagnostic[0] == '\0') {
        return 0; /* mail of the null sender that tells of no delivery */
    }
    if (f.action == TKT_BOUNCE_NONE) {
        f.action = TKT_BOUNCE_FAILED;
    }
    if (read_returned(r, &back, err) < 0) {
        return -1;
    }
    if (f.recipient[0] == '\0') {
        memcpy(f.recipient, back.to, sizeof(f.recipient));
    }
    if (back.message_id == tkt_nothing) {
        back.message_id = answered_id(r->msg);
    }
    keep_found(r, &f, &back);
    return 0;
}
