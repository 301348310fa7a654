/* SPDX-License-Identifier: BSD-2-Clause */
#include "message/json.h"

#include "base/enc.h"
#include "base/util.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

void tkt_json_key(struct tkt_buf *out, unsigned indent, bool *first, const char *key)
{
    tkt_buf_addf(out, "%s\n%*s\"%s\": ", *first ? "" : ",", (int)(2 * indent), "", key);
    *first = false;
}

void tkt_json_close(struct tkt_buf *out, unsigned indent, bool first, char bracket)
{
    if (!first) {
        tkt_buf_addf(out, "\n%*s", (int)(2 * indent), "");
    }
    tkt_buf_addc(out, bracket);
}

void tkt_json_str(struct tkt_buf *out, const char *s)
{
    s = s == NULL ? "" : s;
    tkt_json_add_string(out, s, strlen(s));
}

void tkt_json_strings(struct tkt_buf *out, unsigned indent,
                      const struct tkt_strings *list)
{
    bool first = true;

    tkt_buf_addc(out, '[');
    for (size_t i = 0; i < list->count; i++) {
        tkt_buf_addf(out, "%s\n%*s", first ? "" : ",", (int)(2 * indent + 2), "");
        tkt_json_str(out, list->items[i]);
        first = false;
    }
    tkt_json_close(out, indent, first, ']');
}

static void add_bool(struct tkt_buf *out, bool value)
{
    tkt_buf_adds(out, value ? "true" : "false");
}

static void add_address(struct tkt_buf *out, const struct tkt_address *a)
{
    tkt_buf_adds(out, "{\"address\": ");
    tkt_json_str(out, a->address);
    tkt_buf_adds(out, ", \"name\": ");
    tkt_json_str(out, a->name);
    tkt_buf_addc(out, '}');
}

static void add_addresses(struct tkt_buf *out, unsigned indent,
                          const struct tkt_addresses *list)
{
    bool first = true;

    tkt_buf_addc(out, '[');
    for (size_t i = 0; i < list->count; i++) {
        tkt_buf_addf(out, "%s\n%*s", first ? "" : ",", (int)(2 * indent + 2), "");
        add_address(out, &list->items[i]);
        first = false;
    }
    tkt_json_close(out, indent, first, ']');
}

static void add_attachments(struct tkt_buf *out, unsigned indent,
                            const struct tkt_message *msg)
{
    bool first = true;

    tkt_buf_addc(out, '[');
    for (size_t i = 0; i < msg->attachment_count; i++) {
        const struct tkt_attachment *a = &msg->attachments[i];
        tkt_buf_addf(out, "%s\n%*s{\"name\": ", first ? "" : ",", (int)(2 * indent + 2),
                     "");
        tkt_json_str(out, a->name);
        tkt_buf_adds(out, ", \"type\": ");
        tkt_json_str(out, a->type);
        tkt_buf_addf(out, ", \"size\": %" PRIu64 ", \"sha256\": ", a->size);
        tkt_json_str(out, a->sha256);
        tkt_buf_adds(out, ", \"inline\": ");
        add_bool(out, a->is_inline);
        tkt_buf_adds(out, ", \"part\": ");
        tkt_json_str(out, a->part);
        tkt_buf_addc(out, '}');
        first = false;
    }
    tkt_json_close(out, indent, first, ']');
}

/* RFC 3339 in UTC; null when absent or outside the years that it can write. */
static void add_date(struct tkt_buf *out, int64_t date_s)
{
    time_t t = (time_t)date_s;
    struct tm tm;

    if (date_s == 0 || date_s < -62135596800 || date_s > 253402300799 ||
        gmtime_r(&t, &tm) == NULL) {
        tkt_buf_adds(out, "null");
        return;
    }
    tkt_buf_addf(out, "\"%04d-%02d-%02dT%02d:%02d:%02dZ\"", tm.tm_year + 1900,
                 tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/* "aligned": From's own domain passed. "fail": DMARC failed, or the only results are
 * failures. "none": nothing is known. The words of decide's verdict. */
static const char *assurance(const struct tkt_message *msg)
{
    if (msg->dmarc == TKT_AUTH_FAIL) {
        return "fail";
    }
    if (msg->auth_aligned) {
        return "aligned";
    }
    return msg->spf == TKT_AUTH_FAIL || msg->dkim == TKT_AUTH_FAIL ? "fail" : "none";
}

static void add_auth(struct tkt_buf *out, const struct tkt_message *msg)
{
    tkt_buf_addf(out,
                 "{\"spf\": \"%s\", \"dkim\": \"%s\", \"dmarc\": \"%s\", "
                 "\"assurance\": \"%s\"}",
                 tkt_auth_names[msg->spf], tkt_auth_names[msg->dkim],
                 tkt_auth_names[msg->dmarc], assurance(msg));
}

static void add_bounce(struct tkt_buf *out, unsigned indent, const struct tkt_bounce *b)
{
    const struct {
        const char *key;
        const char *value;
    } rows[] = {{"recipient", b->recipient},
                {"status", b->status},
                {"action", b->action},
                {"diagnostic", b->diagnostic},
                {"original_message_id", b->original_message_id}};
    bool first = true;

    if (!b->is_present) {
        tkt_buf_adds(out, "null");
        return;
    }
    tkt_buf_addc(out, '{');
    for (size_t i = 0; i < TKT_ARRAY_LEN(rows); i++) {
        tkt_json_key(out, indent + 1, &first, rows[i].key);
        tkt_json_str(out, rows[i].value);
    }
    tkt_json_close(out, indent, first, '}');
}

static void add_forwarded(struct tkt_buf *out, unsigned indent,
                          const struct tkt_forwarded *f)
{
    bool first = true;

    if (!f->is_present) {
        tkt_buf_adds(out, "null");
        return;
    }
    tkt_buf_addc(out, '{');
    tkt_json_key(out, indent + 1, &first, "from");
    add_address(out, &f->from);
    tkt_json_key(out, indent + 1, &first, "subject");
    tkt_json_str(out, f->subject);
    tkt_json_key(out, indent + 1, &first, "date");
    add_date(out, f->date_s);
    tkt_json_key(out, indent + 1, &first, "text");
    tkt_json_str(out, f->text);
    tkt_json_close(out, indent, first, '}');
}

int tkt_message_json(const struct tkt_message *msg, unsigned indent, struct tkt_buf *out)
{
    unsigned in = indent + 1;
    bool first = true;

    tkt_buf_addc(out, '{');
    tkt_json_key(out, in, &first, "subject");
    tkt_json_str(out, msg->subject);
    tkt_json_key(out, in, &first, "from");
    add_address(out, &msg->from);
    tkt_json_key(out, in, &first, "sender");
    add_address(out, &msg->sender);
    tkt_json_key(out, in, &first, "reply_to");
    add_addresses(out, in, &msg->reply_to);
    tkt_json_key(out, in, &first, "to");
    add_addresses(out, in, &msg->to);
    tkt_json_key(out, in, &first, "cc");
    add_addresses(out, in, &msg->cc);
    tkt_json_key(out, in, &first, "message_id");
    tkt_json_str(out, msg->message_id);
    tkt_json_key(out, in, &first, "in_reply_to");
    tkt_json_strings(out, in, &msg->in_reply_to);
    tkt_json_key(out, in, &first, "references");
    tkt_json_strings(out, in, &msg->references);
    tkt_json_key(out, in, &first, "date");
    add_date(out, msg->date_s);
    tkt_json_key(out, in, &first, "importance");
    tkt_json_str(out, tkt_importance_names[msg->importance]);
    tkt_json_key(out, in, &first, "text");
    tkt_json_str(out, msg->text);
    tkt_json_key(out, in, &first, "reply_text");
    tkt_json_str(out, msg->reply_text);
    tkt_json_key(out, in, &first, "signature");
    tkt_json_str(out, msg->signature);
    tkt_json_key(out, in, &first, "quoted");
    tkt_json_str(out, msg->quoted);
    tkt_json_key(out, in, &first, "language");
    tkt_json_str(out, msg->language);
    tkt_json_key(out, in, &first, "has_html");
    add_bool(out, msg->has_html);
    tkt_json_key(out, in, &first, "attachments");
    add_attachments(out, in, msg);
    tkt_json_key(out, in, &first, "class");
    tkt_json_str(out, tkt_class_names[msg->class]);
    tkt_json_key(out, in, &first, "class_evidence");
    tkt_json_strings(out, in, &msg->class_evidence);
    tkt_json_key(out, in, &first, "bounce");
    add_bounce(out, in, &msg->bounce);
    tkt_json_key(out, in, &first, "forwarded");
    add_forwarded(out, in, &msg->forwarded);
    tkt_json_key(out, in, &first, "security");
    tkt_json_str(out, tkt_security_names[msg->security]);
    tkt_json_key(out, in, &first, "auth");
    add_auth(out, msg);
    tkt_json_key(out, in, &first, "problems");
    tkt_json_strings(out, in, &msg->problems);
    tkt_json_close(out, indent, first, '}');
    return out->failed ? -1 : 0;
}
