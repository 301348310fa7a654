/* SPDX-License-Identifier: BSD-2-Clause */
#include "message/parse.h"

#include "base/enc.h"
#include "base/fs.h"
#include "base/util.h"
#include "message/address.h"
#include "message/authres.h"
#include "message/body.h"
#include "message/charset.h"
#include "message/class.h"
#include "message/prescan.h"
#include "message/rfc2047.h"

#include <gmime/gmime.h>
#include <locale.h>
#include <string.h>

#define ADDRESS_FIELDS_MAX 8 /* of one name; the standard knows one */
#define SUBJECT_MAX (32 * 1024)
#define ID_MAX 998
#define RETURNED_MAX 16384 /* of a message that came back */

static char nothing[1];

struct reading {
    const struct tkt_message_source *src;
    const struct tkt_message_options *opt;
    struct tkt_scan scan;
    struct tkt_message *msg;
    bool no_memory;
};

void tkt_message_limits_default(struct tkt_message_limits *limits)
{
    *limits = (struct tkt_message_limits){
        .header_block_max = 256 * 1024,
        .header_count_max = 1000,
        .header_max = 32 * 1024,
        .address_colons_max = 256,
        .mime_depth_max = 32,
        .mime_parts_max = TKT_MESSAGE_PARTS_MAX,
        .mime_params_max = 64,
        .text_max = 1024 * 1024,
    };
}

/* What the codec would refuse later is not read in the first place. */
static struct tkt_message_limits usable_limits(const struct tkt_message_limits *in)
{
    struct tkt_message_limits l = *in;

    l.header_max = TKT_MIN(l.header_max, 1024 * 1024);
    l.header_block_max = TKT_MIN(l.header_block_max, 16 * 1024 * 1024);
    l.address_colons_max = TKT_MIN(l.address_colons_max, 256);
    l.mime_depth_max = TKT_MIN(l.mime_depth_max, 32);
    l.mime_parts_max = TKT_MAX(1, TKT_MIN(l.mime_parts_max, TKT_MESSAGE_PARTS_MAX));
    l.text_max = TKT_MIN(l.text_max, TKT_MESSAGE_TEXT_MAX);
    return l;
}

int tkt_message_parser_init(struct tkt_err *err)
{
    static bool done;

    if (!done) {
        /* Before the first use of the locale, which reads files; "C" reads none. */
        (void)setlocale(LC_ALL, "C");
        g_mime_init();
        /* Types and tables that GLib makes at first use. */
        InternetAddressList *list = internet_address_list_parse(
            NULL, "g: \"A b\" <a@example.test>, c@[192.0.2.1];");
        g_object_unref(list);
        GDateTime *date =
            g_mime_utils_header_decode_date("Sat, 1 Jan 2000 00:00:00 +0100 (CET)");
        if (date != NULL) {
            g_date_time_unref(date);
        }
        done = true;
    }
    return tkt_charset_init(err);
}

/* ---- strings of the message ---- */

static char *keep(struct reading *r, const char *s, size_t n)
{
    char *kept = n == 0 ? nothing : tkt_wire_arena_strdup(&r->msg->arena, s, n);

    r->no_memory = r->no_memory || kept == NULL;
    return kept == NULL ? nothing : kept;
}

static void add_string(struct reading *r, struct tkt_strings *list, size_t max,
                       const char *s, size_t n)
{
    if (list->items == NULL) {
        list->items = tkt_wire_arena_alloc(&r->msg->arena, max * sizeof(*list->items));
        r->no_memory = r->no_memory || list->items == NULL;
    }
    if (list->items != NULL && list->count < max) {
        list->items[list->count++] = keep(r, s, n);
    }
}

static const struct tkt_field *first_field(const struct reading *r, const char *name)
{
    size_t index = 0;

    return tkt_header_find(&r->scan.header, name, &index);
}

static void note_repeated(struct reading *r, const char *name)
{
    size_t index = 0;

    (void)tkt_header_find(&r->scan.header, name, &index);
    if (tkt_header_find(&r->scan.header, name, &index) != NULL) {
        tkt_scan_problem(&r->scan, "broken: more than one %s field, the first counts",
                         name);
    }
}

/* ---- Subject and the IDs in it ---- */

static void read_subject(struct reading *r)
{
    const struct tkt_field *f = first_field(r, "Subject");

    r->msg->subject = nothing;
    if (f == NULL) {
        return;
    }
    note_repeated(r, "Subject");
    TKT_AUTO_BUF struct tkt_buf b = TKT_BUF_INIT(8 * f->value_len + 16);
    const char *value = tkt_field_value(&r->scan.header, f);
    if (memchr(value, '\0', f->value_len) != NULL) {
        tkt_scan_problem(&r->scan, "broken: NUL in the Subject");
    }
    tkt_rfc2047_add(&b, value, f->value_len);
    const char *s = tkt_buf_str(&b);
    size_t n = b.len;
    while (n > 0 && *s == ' ') {
        s++;
        n--;
    }
    n = tkt_utf8_cut(s, n, SUBJECT_MAX);
    while (n > 0 && s[n - 1] == ' ') {
        n--;
    }
    r->msg->subject = keep(r, s, n);
}

/* "[IT-12]": length of PREFIX-number at p, or 0. */
static size_t match_id(const char *p, const char *prefix)
{
    size_t n = strlen(prefix);

    if (n == 0 || !tkt_ascii_ieqn(p, prefix, n) || p[n] != '-') {
        return 0;
    }
    size_t digits = strspn(p + n + 1, "0123456789");
    bool good = digits > 0 && digits <= 18 && p[n + 1] != '0' && p[n + 1 + digits] == ']';
    return good ? n + 1 + digits : 0;
}

static void add_subject_id(struct reading *r, const char *prefix, const char *number,
                           size_t n)
{
    TKT_AUTO_BUF struct tkt_buf id = TKT_BUF_INIT(strlen(prefix) + 32);

    tkt_buf_addf(&id, "%s-%.*s", prefix, (int)n, number);
    for (size_t i = 0; i < r->msg->subject_ids.count; i++) {
        if (strcmp(r->msg->subject_ids.items[i], tkt_buf_str(&id)) == 0) {
            return;
        }
    }
    add_string(r, &r->msg->subject_ids, TKT_MESSAGE_IDS_MAX, tkt_buf_str(&id), id.len);
}

static void read_subject_ids(struct reading *r)
{
    for (const char *p = strchr(r->msg->subject, '['); p != NULL;
         p = strchr(p + 1, '[')) {
        for (size_t i = 0; i < r->opt->prefix_count; i++) {
            const char *prefix = r->opt->prefixes[i];
            size_t n = match_id(p + 1, prefix);
            if (n > 0) {
                size_t skip = strlen(prefix) + 1;
                add_subject_id(r, prefix, p + 1 + skip, n - skip);
            }
        }
    }
}

/* ---- addresses ---- */

static void read_addresses(struct reading *r, const char *name, struct tkt_addresses *out)
{
    size_t index = 0;
    size_t fields = 0;
    const struct tkt_field *f;

    while ((f = tkt_header_find(&r->scan.header, name, &index)) != NULL) {
        if (++fields > ADDRESS_FIELDS_MAX) {
            tkt_scan_problem(&r->scan, "address_fields: more than %d %s fields",
                             ADDRESS_FIELDS_MAX, name);
            return;
        }
        switch (tkt_address_add(tkt_field_value(&r->scan.header, f), f->value_len,
                                r->scan.limits->address_colons_max, out,
                                &r->msg->arena)) {
        case TKT_ADDRESS_OK:
            break;
        case TKT_ADDRESS_COLONS:
            tkt_scan_problem(&r->scan, "address_colons: more than %zu ':' in %s",
                             r->scan.limits->address_colons_max, name);
            break;
        case TKT_ADDRESS_BROKEN:
            tkt_scan_problem(&r->scan, "broken: no address in %s", name);
            break;
        case TKT_ADDRESS_MANY:
            tkt_scan_problem(&r->scan, "addresses: more than %d in %s",
                             TKT_MESSAGE_ADDRS_MAX, name);
            return;
        case TKT_ADDRESS_NO_MEMORY:
            r->no_memory = true;
            return;
        }
    }
}

/* Returns whether From names exactly one author, so that results about a domain can be
 * results about him. */
static bool read_from(struct reading *r)
{
    struct tkt_addresses from = {NULL, 0};
    struct tkt_addresses sender = {NULL, 0};

    read_addresses(r, "From", &from);
    note_repeated(r, "From");
    r->msg->from = (struct tkt_address){nothing, nothing};
    if (from.count > 0) {
        r->msg->from = from.items[0];
        if (from.count > 1) {
            tkt_scan_problem(&r->scan, "broken: more than one author, the first counts");
        }
        return from.count == 1;
    }
    tkt_scan_problem(&r->scan, "broken: no usable From");
    read_addresses(r, "Sender", &sender);
    if (sender.count > 0) {
        r->msg->from = sender.items[0];
    }
    return false;
}

/* ---- Message-IDs, date ---- */

/* The next "<...>" behind *p; what stands between is passed over. */
static bool next_id(const char **p, const char *end, const char **id, size_t *n)
{
    const char *open = memchr(*p, '<', (size_t)(end - *p));
    const char *close = open == NULL ? NULL : memchr(open, '>', (size_t)(end - open));

    if (close == NULL) {
        return false;
    }
    *p = close + 1;
    *id = open + 1;
    *n = (size_t)(close - open - 1);
    return true;
}

/* An ID as text on one line; "" when there is none or it is absurdly long. */
static void clean_id(struct tkt_buf *out, const char *p, size_t n)
{
    tkt_buf_reset(out);
    if (n > ID_MAX) {
        return;
    }
    TKT_AUTO_BUF struct tkt_buf b = TKT_BUF_INIT(4 * ID_MAX);
    tkt_utf8_add_clean(&b, p, n);
    for (size_t i = 0; i < b.len; i++) {
        unsigned char c = (unsigned char)b.data[i];
        if (c > ' ' && c != 0x7f) { /* folds inside an ID are not part of it */
            tkt_buf_addc(out, b.data[i]);
        }
    }
}

static void read_message_id(struct reading *r)
{
    const struct tkt_field *f = first_field(r, "Message-ID");
    TKT_AUTO_BUF struct tkt_buf b = TKT_BUF_INIT(4 * ID_MAX);

    r->msg->message_id = nothing;
    if (f == NULL) {
        return;
    }
    const char *p = tkt_field_value(&r->scan.header, f);
    const char *id = p;
    size_t n = f->value_len;
    if (!next_id(&p, p + n, &id, &n)) {
        id = p; /* without brackets: taken as it stands */
    }
    clean_id(&b, id, n);
    r->msg->message_id = keep(r, tkt_buf_str(&b), b.len);
}

/* The first one (how the thread began) and the newest are kept when there are many. */
static void read_ids(struct reading *r, const char *value, size_t len,
                     struct tkt_strings *out)
{
    TKT_AUTO_BUF struct tkt_buf b = TKT_BUF_INIT(4 * ID_MAX);
    const char *p = value;
    const char *end = value + len;
    const char *id = NULL;
    size_t n = 0;

    while (next_id(&p, end, &id, &n)) {
        clean_id(&b, id, n);
        if (b.len == 0) {
            continue;
        }
        if (out->count == TKT_MESSAGE_REFS_MAX) {
            tkt_scan_problem(&r->scan, "references: more than %d, the middle is left out",
                             TKT_MESSAGE_REFS_MAX);
            memmove(out->items + 1, out->items + 2,
                    (out->count - 2) * sizeof(*out->items));
            out->count--;
        }
        add_string(r, out, TKT_MESSAGE_REFS_MAX, tkt_buf_str(&b), b.len);
    }
}

static void read_id_field(struct reading *r, const char *name, struct tkt_strings *out)
{
    size_t index = 0;
    const struct tkt_field *f;

    while ((f = tkt_header_find(&r->scan.header, name, &index)) != NULL) {
        read_ids(r, tkt_field_value(&r->scan.header, f), f->value_len, out);
    }
}

static void read_date(struct reading *r)
{
    const struct tkt_field *f = first_field(r, "Date");
    char flat[256];

    if (f == NULL) {
        return;
    }
    size_t n = TKT_MIN(f->value_len, sizeof(flat) - 1);
    memcpy(flat, tkt_field_value(&r->scan.header, f), n);
    n = tkt_header_unfold(flat, n);
    flat[n] = '\0';
    for (size_t i = 0; i < n; i++) {
        flat[i] = (unsigned char)flat[i] < 0x7f ? flat[i] : '?';
    }
    GDateTime *date = g_mime_utils_header_decode_date(flat);
    if (date != NULL) {
        r->msg->date_s = g_date_time_to_unix(date);
        g_date_time_unref(date);
    } else {
        tkt_scan_problem(&r->scan, "broken: Date is none");
    }
}

/* ---- what our border says ---- */

static void read_auth(struct reading *r, bool one_author)
{
    size_t index = 0;
    const struct tkt_field *f;
    const char *at = strrchr(r->msg->from.address, '@');
    const char *domain = one_author && at != NULL ? at + 1 : "";
    struct tkt_authres res;

    while ((f = tkt_header_find(&r->scan.header, "Authentication-Results", &index)) !=
           NULL) {
        const char *value = tkt_field_value(&r->scan.header, f);
        if (!tkt_authres_is_of(value, f->value_len, r->opt->authserv_ids,
                               r->opt->authserv_id_count)) {
            continue;
        }
        tkt_authres_read(value, f->value_len, domain, &res);
        r->msg->spf = res.spf;
        r->msg->dkim = res.dkim;
        r->msg->dmarc = res.dmarc;
        r->msg->auth_aligned = res.aligned;
        return;
    }
}

/* ---- body ---- */

static int read_text(struct reading *r, struct tkt_err *err)
{
    TKT_AUTO_BUF struct tkt_buf text = TKT_BUF_INIT(r->scan.limits->text_max);
    struct tkt_body body;

    r->msg->text = nothing;
    r->msg->reply_text = nothing;
    r->msg->degraded = r->scan.header_only;
    if (r->scan.header_only) {
        return 0;
    }
    if (tkt_body_text(r->src, &r->scan, &text, &body, err) < 0) {
        return -1;
    }
    r->msg->text_cut = body.cut;
    r->msg->has_html = body.has_html;
    r->msg->has_hidden_text = body.has_hidden;
    if (r->msg->text_cut) {
        tkt_scan_problem(&r->scan, "text: more than %zu bytes", r->scan.limits->text_max);
    }
    r->msg->text = keep(r, tkt_buf_str(&text), text.len);
    r->msg->reply_text = r->msg->text;
    return 0;
}

static void read_attachments(struct reading *r)
{
    struct tkt_scan *s = &r->scan;
    struct tkt_message *msg = r->msg;

    if (s->header_only) {
        return;
    }
    msg->attachments =
        tkt_wire_arena_alloc(&msg->arena, s->part_count * sizeof(*msg->attachments));
    if (msg->attachments == NULL) {
        r->no_memory = true;
        return;
    }
    for (size_t i = 0; i < s->part_count; i++) {
        const struct tkt_part *p = &s->parts[i];
        char path[TKT_MIME_PATH_MAX];
        if (p->is_multipart || tkt_body_is_text(s, i)) {
            continue;
        }
        tkt_scan_path(s, i, path);
        const char *name = p->mime.name == NULL ? "" : p->mime.name;
        const char *type = tkt_part_type(p);
        msg->attachments[msg->attachment_count++] = (struct tkt_attachment){
            .name = keep(r, name, strlen(name)),
            .type = keep(r, type, strlen(type)),
            .part = keep(r, path, strlen(path)),
            .sha256 = nothing,
            .content_id = nothing,
            .size = p->end_at - p->body_at,
            .is_inline =
                p->mime.disposition == TKT_DISPOSITION_INLINE ||
                (p->mime.has_content_id && p->mime.disposition == TKT_DISPOSITION_NONE)};
    }
}

/* A bounce names our message nowhere but in the copy of it that it carries: that one's
 * Message-ID and References count as the bounce's own. */
static int read_returned(struct reading *r, struct tkt_err *err)
{
    for (size_t i = 1; i < r->scan.part_count && !r->scan.header_only; i++) {
        const struct tkt_part *p = &r->scan.parts[i];
        const char *type = tkt_part_type(p);
        if (strcmp(type, "message/rfc822") != 0 && strcmp(type, "message/global") != 0 &&
            strcmp(type, "text/rfc822-headers") != 0) {
            continue;
        }
        TKT_AUTO_BUF struct tkt_buf head = TKT_BUF_INIT(RETURNED_MAX);
        if (tkt_body_head(r->src, p, &head, err) < 0) {
            return -1;
        }
        struct tkt_scan inner;
        struct tkt_message_source src = {tkt_buf_str(&head), -1, head.len};
        int rc = tkt_scan_run(&inner, &src, r->scan.limits, err);
        static const char *const names[] = {"References", "Message-ID"};
        for (size_t k = 0; rc == 0 && k < TKT_ARRAY_LEN(names); k++) {
            size_t index = 0;
            const struct tkt_field *f = tkt_header_find(&inner.header, names[k], &index);
            if (f != NULL) {
                read_ids(r, tkt_field_value(&inner.header, f), f->value_len,
                         &r->msg->references);
            }
        }
        tkt_scan_release(&inner);
        return rc;
    }
    return 0;
}

static bool is_report(const struct tkt_message *msg)
{
    return msg->class == TKT_CLASS_BOUNCE || msg->class == TKT_CLASS_DELAY;
}

static void take_problems(struct reading *r)
{
    for (size_t i = 0; i < r->scan.problems.count; i++) {
        TKT_AUTO_BUF struct tkt_buf b = TKT_BUF_INIT(1024);
        const char *s = r->scan.problems.items[i];
        tkt_utf8_add_clean(&b, s, strlen(s));
        size_t n = b.len == 0 ? 0 : tkt_header_unfold(b.data, b.len);
        add_string(r, &r->msg->problems, TKT_MESSAGE_NOTES_MAX, tkt_buf_str(&b), n);
    }
}

static int read_all(struct reading *r, struct tkt_err *err)
{
    struct tkt_message *msg = r->msg;

    read_subject(r);
    read_subject_ids(r);
    bool one_author = read_from(r);
    read_addresses(r, "Reply-To", &msg->reply_to);
    read_addresses(r, "To", &msg->to);
    read_addresses(r, "Cc", &msg->cc);
    read_message_id(r);
    read_id_field(r, "In-Reply-To", &msg->in_reply_to);
    read_id_field(r, "References", &msg->references);
    read_date(r);
    read_auth(r, one_author);
    if (read_text(r, err) < 0) {
        return -1;
    }
    read_attachments(r);
    if (tkt_class_read(r->src, &r->scan, r->opt->null_sender, msg, err) < 0 ||
        (is_report(msg) && read_returned(r, err) < 0)) {
        return -1;
    }
    take_problems(r);
    return r->no_memory ? tkt_err_set(err, TKT_ERR_TEMP, "no memory") : 0;
}

/* No string of a parsed message is NULL. */
static void set_absent(struct tkt_message *msg)
{
    msg->sender = (struct tkt_address){nothing, nothing};
    msg->signature = msg->quoted = msg->language = nothing;
    msg->bounce = (struct tkt_bounce){
        false, nothing, nothing, nothing, nothing, nothing,
    };
    msg->forwarded.from = (struct tkt_address){nothing, nothing};
    msg->forwarded.subject = msg->forwarded.text = nothing;
}

int tkt_message_parse(const struct tkt_message_source *src,
                      const struct tkt_message_options *opt, struct tkt_message *out,
                      struct tkt_err *err)
{
    struct tkt_message_limits limits = usable_limits(&opt->limits);
    struct tkt_message msg;
    struct reading r = {.src = src, .opt = opt, .msg = &msg};

    memset(&msg, 0, sizeof(msg));
    set_absent(&msg);
    int rc = tkt_scan_run(&r.scan, src, &limits, err);
    if (rc == 0) {
        rc = read_all(&r, err);
    }
    tkt_scan_release(&r.scan);
    if (rc < 0) {
        tkt_message_release(&msg);
        return tkt_err_prefix(err, "message");
    }
    *out = msg;
    return 0;
}

/* ---- extract ---- */

static int write_part(const struct tkt_message_source *src, const struct tkt_part *p,
                      int out_fd, struct tkt_err *err)
{
    TKT_AUTO_FREE char *window = malloc(TKT_MESSAGE_WINDOW);
    TKT_AUTO_BUF struct tkt_buf out = TKT_BUF_INIT(2 * TKT_MESSAGE_WINDOW);
    struct tkt_transfer t;

    if (window == NULL) {
        return tkt_err_set(err, TKT_ERR_TEMP, "no memory");
    }
    tkt_transfer_init(&t, p->mime.encoding);
    for (uint64_t at = p->body_at; at < p->end_at;) {
        uint64_t left = p->end_at - at;
        size_t want = left < TKT_MESSAGE_WINDOW ? (size_t)left : TKT_MESSAGE_WINDOW;
        const char *data = NULL;
        size_t got = 0;
        if (tkt_source_read(src, at, want, window, &data, &got, err) < 0) {
            return -1;
        }
        if (got == 0) {
            return tkt_err_set(err, TKT_ERR_TEMP, "message is shorter than it was");
        }
        (void)tkt_transfer_feed(&t, data, got, &out); /* a window never fills two */
        at += got;
        if (tkt_write_full(out_fd, tkt_buf_str(&out), out.len, err) < 0) {
            return -1;
        }
        tkt_buf_reset(&out);
    }
    (void)tkt_transfer_end(&t, &out);
    return tkt_write_full(out_fd, tkt_buf_str(&out), out.len, err);
}

int tkt_message_extract(const struct tkt_message_source *src, const char *part,
                        int out_fd, struct tkt_err *err)
{
    struct tkt_message_limits limits;
    struct tkt_scan scan;

    tkt_message_limits_default(&limits);
    int rc = tkt_scan_run(&scan, src, &limits, err);
    bool found = false;
    for (size_t i = 0; rc == 0 && !found && !scan.header_only && i < scan.part_count;
         i++) {
        char path[TKT_MIME_PATH_MAX];
        tkt_scan_path(&scan, i, path);
        found = !scan.parts[i].is_multipart && strcmp(path, part) == 0;
        rc = found ? write_part(src, &scan.parts[i], out_fd, err) : 0;
    }
    if (rc == 0 && !found) {
        rc = tkt_err_set(err, TKT_ERR_PERM, "no part %.40s", part);
    }
    tkt_scan_release(&scan);
    return rc < 0 ? tkt_err_prefix(err, "extract") : 0;
}
