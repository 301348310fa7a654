/* SPDX-License-Identifier: BSD-2-Clause */
#include "message/parse.h"

#include "base/enc.h"
#include "base/hash.h"
#include "base/util.h"
#include "conf/conf.h"
#include "message/attachments.h"
#include "message/body.h"
#include "message/charset.h"
#include "message/class.h"
#include "message/fields.h"
#include "message/foreign.h"
#include "message/html.h"
#include "message/ids.h"
#include "message/language.h"
#include "message/reading.h"
#include "message/reply.h"
#include "message/rfc2047.h"
#include "message/security.h"
#include "message/substitute.h"
#include "message/tail.h"
#include "message/visit.h"
#include "message/words.h"

#include <string.h>

char tkt_nothing[1];

void tkt_message_limits_default(struct tkt_message_limits *limits)
{
    *limits = (struct tkt_message_limits){
        .header_block_max = 256 * 1024,
        .header_count_max = 1000,
        .header_max = 32 * 1024,
        .mime_depth_max = 32,
        .mime_parts_max = TKT_MESSAGE_PARTS_MAX,
        .mime_params_max = 64,
        .text_max = 1024 * 1024,
        .addresses_max = TKT_MESSAGE_ADDRS_MAX,
        .references_max = TKT_MESSAGE_REFS_MAX,
        .name_max = 1024,
        .hash_max = 256 * 1024 * 1024,
        .nested_max = TKT_VISIT_DEPTH_MAX,
        .nested_bytes_max = 1024 * 1024,
        .html_depth_max = TKT_HTML_DEPTH_MAX,
    };
}

static void take(size_t *limit, int64_t value)
{
    *limit = value > 0 ? (size_t)value : *limit;
}

void tkt_message_limits_from(const struct tkt_conf_limits *conf,
                             struct tkt_message_limits *l)
{
    tkt_message_limits_default(l);
    take(&l->header_block_max, conf->header_block_max);
    take(&l->header_count_max, conf->header_count_max);
    take(&l->header_max, conf->header_max);
    take(&l->mime_depth_max, conf->mime_depth_max);
    take(&l->mime_parts_max, conf->mime_parts_max);
    take(&l->mime_params_max, conf->mime_params_max);
    take(&l->text_max, conf->text_max);
    take(&l->addresses_max, conf->addresses_max);
    take(&l->references_max, conf->references_max);
    take(&l->name_max, conf->name_max);
    take(&l->hash_max, conf->hash_max);
    take(&l->nested_max, conf->nested_max);
    take(&l->nested_bytes_max, conf->nested_bytes_max);
    take(&l->html_depth_max, conf->html_depth_max);
}

/* What the codec would refuse later is not read in the first place. */
static struct tkt_message_limits usable_limits(const struct tkt_message_limits *in)
{
    struct tkt_message_limits l = *in;

    l.header_max = TKT_MIN(l.header_max, TKT_MESSAGE_STRING_MAX);
    l.header_block_max = TKT_MIN(l.header_block_max, 16 * 1024 * 1024);
    l.mime_depth_max = TKT_MIN(l.mime_depth_max, 32);
    l.mime_parts_max = TKT_MAX(1, TKT_MIN(l.mime_parts_max, TKT_MESSAGE_PARTS_MAX));
    l.text_max = TKT_MIN(l.text_max, TKT_MESSAGE_TEXT_MAX);
    l.addresses_max = TKT_MAX(1, TKT_MIN(l.addresses_max, TKT_MESSAGE_ADDRS_MAX));
    l.references_max = TKT_MAX(2, TKT_MIN(l.references_max, TKT_MESSAGE_REFS_MAX));
    l.nested_max = TKT_MIN(l.nested_max, TKT_VISIT_DEPTH_MAX);
    l.nested_bytes_max = TKT_MIN(l.nested_bytes_max, 16 * 1024 * 1024);
    l.html_depth_max = TKT_MIN(l.html_depth_max, TKT_HTML_DEPTH_MAX);
    l.name_max = TKT_MAX(16, TKT_MIN(l.name_max, TKT_MESSAGE_NAME_MAX));
    return l;
}

int tkt_message_parser_init(struct tkt_err *err)
{
    unsigned char digest[TKT_SHA256_LEN];

    tkt_sha256("", 0, digest); /* libcrypto looks for its configuration at first use */
    return tkt_charset_init(err);
}

/* ---- strings of the message ---- */

char *tkt_reading_keep(struct tkt_reading *r, const char *s, size_t n)
{
    char *kept = n == 0 ? tkt_nothing : tkt_wire_arena_strdup(&r->msg->arena, s, n);

    r->no_memory = r->no_memory || kept == NULL;
    return kept == NULL ? tkt_nothing : kept;
}

void tkt_reading_add(struct tkt_reading *r, struct tkt_strings *list, size_t max,
                     const char *s, size_t n)
{
    if (list->items == NULL) {
        list->items = tkt_wire_arena_alloc(&r->msg->arena, max * sizeof(*list->items));
        r->no_memory = r->no_memory || list->items == NULL;
    }
    if (list->items != NULL && list->count < max) {
        list->items[list->count++] = tkt_reading_keep(r, s, n);
    }
}

/* ---- body ---- */

/* Of what the person wrote; of all when that is too little to tell. */
static void read_language(struct tkt_reading *r)
{
    struct tkt_message *msg = r->msg;
    const char *code = tkt_language_of(msg->reply_text, strlen(msg->reply_text));

    if (code[0] == '\0') {
        code = tkt_language_of(msg->text, strlen(msg->text));
    }
    msg->language = tkt_reading_keep(r, code, strlen(code));
}

static int read_text(struct tkt_reading *r, struct tkt_err *err)
{
    TKT_AUTO_BUF struct tkt_buf text = TKT_BUF_INIT(r->scan.limits->text_max);
    struct tkt_body body;

    r->msg->text = tkt_nothing;
    r->msg->reply_text = tkt_nothing;
    r->msg->degraded = r->scan.header_only;
    if (r->scan.header_only) {
        return 0;
    }
    if (tkt_visit_find_blocks(r->src, &r->scan, err) < 0 ||
        tkt_body_text(r->src, &r->scan, &text, &body, err) < 0 ||
        (text.len == 0 && tkt_substitute_text(r->src, &r->scan, &text, &body, err) < 0)) {
        return -1;
    }
    bool late = tkt_scan_out_of_time(&r->scan);
    r->msg->text_cut = body.cut || late;
    r->msg->has_html = body.has_html;
    r->msg->has_hidden_text = body.has_hidden;
    if (body.cut && !late) {
        tkt_scan_problem(&r->scan, "text: more than %zu bytes", r->scan.limits->text_max);
    }
    r->msg->text = tkt_reading_keep(r, tkt_buf_str(&text), text.len);
    if (late) {
        r->msg->reply_text = r->msg->text; /* with its quotes: nothing is lost */
    } else {
        tkt_reply_read(r, text.len, &body.marks);
        read_language(r);
    }
    return 0;
}

static bool is_report(const struct tkt_message *msg)
{
    return msg->class == TKT_CLASS_BOUNCE || msg->class == TKT_CLASS_DELAY;
}

/* What ticketd looks up in the history of the desk and of the sender. */
static void read_traces(struct tkt_reading *r)
{
    struct tkt_message *msg = r->msg;

    if (tkt_foreign_read(msg, r->opt->prefixes, r->opt->prefix_count) < 0 ||
        tkt_tail_read(msg) < 0) {
        r->no_memory = true;
    }
    msg->print = tkt_print_make(msg->subject, msg->reply_text);
}

static void take_problems(struct tkt_reading *r)
{
    for (size_t i = 0; i < r->scan.problems.count; i++) {
        TKT_AUTO_BUF struct tkt_buf b = TKT_BUF_INIT(1024);
        const char *s = r->scan.problems.items[i];
        tkt_utf8_add_clean(&b, s, strlen(s));
        size_t n = b.len == 0 ? 0 : tkt_header_unfold(b.data, b.len);
        tkt_reading_add(r, &r->msg->problems, TKT_MESSAGE_NOTES_MAX, tkt_buf_str(&b), n);
    }
}

static int read_all(struct tkt_reading *r, struct tkt_err *err)
{
    struct tkt_message *msg = r->msg;

    tkt_fields_read(r);
    if (tkt_ids_read(r, err) < 0 || tkt_security_subject(r, err) < 0) {
        return -1;
    }
    if (read_text(r, err) < 0) {
        return -1;
    }
    tkt_security_read(r);
    if (tkt_class_read(r, err) < 0 ||
        (!is_report(msg) && tkt_reply_attached(r, err) < 0)) {
        return -1;
    }
    read_traces(r);
    msg->degraded = msg->degraded || r->scan.budget.is_over;
    /* Last, for hashes take the most time and are missed least. */
    if (tkt_attachments_read(r, err) < 0) {
        return -1;
    }
    take_problems(r);
    return r->no_memory ? tkt_err_set(err, TKT_ERR_TEMP, "no memory") : 0;
}

/* No string of a parsed message is NULL. */
static void set_absent(struct tkt_message *msg)
{
    msg->sender = (struct tkt_address){tkt_nothing, tkt_nothing};
    msg->signature = msg->quoted = msg->language = tkt_nothing;
    msg->bounce = (struct tkt_bounce){
        false, tkt_nothing, tkt_nothing, tkt_nothing, tkt_nothing, tkt_nothing,
    };
    msg->forwarded.from = (struct tkt_address){tkt_nothing, tkt_nothing};
    msg->forwarded.subject = msg->forwarded.text = tkt_nothing;
}

int tkt_message_parse(const struct tkt_message_source *src,
                      const struct tkt_message_options *opt, struct tkt_message *out,
                      struct tkt_err *err)
{
    struct tkt_message_limits limits = usable_limits(&opt->limits);
    struct tkt_message msg;
    struct tkt_message_source timed = *src;
    struct tkt_reading r = {.src = &timed, .opt = opt, .msg = &msg};

    memset(&msg, 0, sizeof(msg));
    set_absent(&msg);
    msg.size = src->size;
    timed.budget = &r.scan.budget;
    int rc = tkt_scan_run(&r.scan, &timed, &limits, err);
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
