/* SPDX-License-Identifier: BSD-2-Clause */
#include "message/message.h"
#include "message/pack.h"

#include <string.h>

static const char magic[] = "TKM3";

const char *const tkt_class_names[] = {
    "human", "auto-reply", "auto-generated", "bounce", "delay", "feedback",
    "list",  "bulk",       "challenge",      "own",    "system"};
const char *const tkt_auth_names[] = {"none", "pass", "fail", "error"};
const char *const tkt_security_names[] = {"none", "signed", "encrypted"};
const char *const tkt_importance_names[] = {"", "high", "normal", "low"};

_Static_assert(sizeof(tkt_class_names) / sizeof(tkt_class_names[0]) == TKT_CLASS_COUNT,
               "a name for each class");
_Static_assert(sizeof(tkt_auth_names) / sizeof(tkt_auth_names[0]) == TKT_AUTH_COUNT,
               "a name for each result");

static void pack_address(struct tkt_buf *out, const struct tkt_address *a)
{
    tkt_pack_str(out, a->name);
    tkt_pack_str(out, a->address);
}

static void pack_addresses(struct tkt_buf *out, const struct tkt_addresses *list)
{
    tkt_pack_count(out, list->count, TKT_MESSAGE_ADDRS_MAX);
    for (size_t i = 0; i < list->count && !out->failed; i++) {
        pack_address(out, &list->items[i]);
    }
}

static void pack_attachments(struct tkt_buf *out, const struct tkt_message *msg)
{
    tkt_pack_count(out, msg->attachment_count, TKT_MESSAGE_PARTS_MAX);
    for (size_t i = 0; i < msg->attachment_count && !out->failed; i++) {
        const struct tkt_attachment *a = &msg->attachments[i];
        tkt_pack_str(out, a->name);
        tkt_pack_str(out, a->type);
        tkt_pack_str(out, a->part);
        tkt_pack_str(out, a->sha256);
        tkt_pack_str(out, a->content_id);
        tkt_pack_i64(out, (int64_t)a->size);
        tkt_pack_u8(out, a->is_inline);
    }
}

static void pack_bounce(struct tkt_buf *out, const struct tkt_bounce *b)
{
    tkt_pack_u8(out, b->is_present);
    tkt_pack_str(out, b->recipient);
    tkt_pack_str(out, b->status);
    tkt_pack_str(out, b->action);
    tkt_pack_str(out, b->diagnostic);
    tkt_pack_str(out, b->original_message_id);
}

static void pack_forwarded(struct tkt_buf *out, const struct tkt_forwarded *f)
{
    tkt_pack_u8(out, f->is_present);
    pack_address(out, &f->from);
    tkt_pack_str(out, f->subject);
    tkt_pack_i64(out, f->date_s);
    tkt_pack_str(out, f->text);
}

int tkt_message_encode(const struct tkt_message *msg, struct tkt_buf *out)
{
    tkt_buf_add(out, magic, 4);
    tkt_pack_str(out, msg->subject);
    pack_address(out, &msg->from);
    pack_address(out, &msg->sender);
    pack_addresses(out, &msg->reply_to);
    pack_addresses(out, &msg->to);
    pack_addresses(out, &msg->cc);
    tkt_pack_str(out, msg->message_id);
    tkt_pack_u8(out, msg->message_id_derived);
    tkt_pack_strings(out, &msg->in_reply_to, TKT_MESSAGE_REFS_MAX);
    tkt_pack_strings(out, &msg->references, TKT_MESSAGE_REFS_MAX);
    tkt_pack_i64(out, msg->date_s);
    tkt_pack_str(out, msg->text);
    tkt_pack_u8(out, msg->text_cut);
    tkt_pack_str(out, msg->reply_text);
    tkt_pack_str(out, msg->signature);
    tkt_pack_str(out, msg->quoted);
    tkt_pack_str(out, msg->language);
    tkt_pack_u8(out, msg->has_html);
    tkt_pack_u8(out, msg->has_hidden_text);
    pack_attachments(out, msg);
    tkt_pack_u8(out, (uint8_t)msg->class);
    tkt_pack_strings(out, &msg->class_evidence, TKT_MESSAGE_NOTES_MAX);
    pack_bounce(out, &msg->bounce);
    pack_forwarded(out, &msg->forwarded);
    tkt_pack_u8(out, (uint8_t)msg->importance);
    tkt_pack_u8(out, (uint8_t)msg->security);
    tkt_pack_u8(out, (uint8_t)msg->spf);
    tkt_pack_u8(out, (uint8_t)msg->dkim);
    tkt_pack_u8(out, (uint8_t)msg->dmarc);
    tkt_pack_u8(out, msg->auth_aligned);
    tkt_pack_strings(out, &msg->subject_ids, TKT_MESSAGE_IDS_MAX);
    tkt_pack_strings(out, &msg->foreign_ids, TKT_MESSAGE_IDS_MAX);
    tkt_pack_strings(out, &msg->tail_hashes, TKT_MESSAGE_IDS_MAX);
    tkt_pack_i64(out, (int64_t)msg->print);
    tkt_pack_strings(out, &msg->problems, TKT_MESSAGE_NOTES_MAX);
    tkt_pack_u8(out, msg->degraded);
    return tkt_pack_end(out);
}

static void unpack_address(struct tkt_unpack *u, struct tkt_address *a)
{
    a->name = tkt_unpack_line(u);
    a->address = tkt_unpack_line(u);
}

static void unpack_addresses(struct tkt_unpack *u, struct tkt_addresses *list)
{
    size_t count = tkt_unpack_count(u, TKT_MESSAGE_ADDRS_MAX, 8);

    list->items = tkt_unpack_array(u, count, sizeof(*list->items));
    list->count = list->items == NULL ? 0 : count;
    for (size_t i = 0; i < list->count; i++) {
        unpack_address(u, &list->items[i]);
    }
}

static void unpack_attachments(struct tkt_unpack *u, struct tkt_message *msg)
{
    size_t count = tkt_unpack_count(u, TKT_MESSAGE_PARTS_MAX, 29);

    msg->attachments = tkt_unpack_array(u, count, sizeof(*msg->attachments));
    msg->attachment_count = msg->attachments == NULL ? 0 : count;
    for (size_t i = 0; i < msg->attachment_count; i++) {
        struct tkt_attachment *a = &msg->attachments[i];
        a->name = tkt_unpack_line(u);
        a->type = tkt_unpack_line(u);
        a->part = tkt_unpack_line(u);
        a->sha256 = tkt_unpack_line(u);
        a->content_id = tkt_unpack_line(u);
        a->size = (uint64_t)tkt_unpack_i64(u);
        a->is_inline = tkt_unpack_bool(u);
    }
}

static void unpack_bounce(struct tkt_unpack *u, struct tkt_bounce *b)
{
    b->is_present = tkt_unpack_bool(u);
    b->recipient = tkt_unpack_line(u);
    b->status = tkt_unpack_line(u);
    b->action = tkt_unpack_line(u);
    b->diagnostic = tkt_unpack_line(u);
    b->original_message_id = tkt_unpack_line(u);
}

static void unpack_forwarded(struct tkt_unpack *u, struct tkt_forwarded *f)
{
    f->is_present = tkt_unpack_bool(u);
    unpack_address(u, &f->from);
    f->subject = tkt_unpack_line(u);
    f->date_s = tkt_unpack_i64(u);
    f->text = tkt_unpack_text(u, TKT_MESSAGE_TEXT_MAX);
}

static void unpack_message(struct tkt_unpack *u, struct tkt_message *msg)
{
    msg->subject = tkt_unpack_line(u);
    unpack_address(u, &msg->from);
    unpack_address(u, &msg->sender);
    unpack_addresses(u, &msg->reply_to);
    unpack_addresses(u, &msg->to);
    unpack_addresses(u, &msg->cc);
    msg->message_id = tkt_unpack_line(u);
    msg->message_id_derived = tkt_unpack_bool(u);
    tkt_unpack_strings(u, &msg->in_reply_to, TKT_MESSAGE_REFS_MAX);
    tkt_unpack_strings(u, &msg->references, TKT_MESSAGE_REFS_MAX);
    msg->date_s = tkt_unpack_i64(u);
    msg->text = tkt_unpack_text(u, TKT_MESSAGE_TEXT_MAX);
    msg->text_cut = tkt_unpack_bool(u);
    msg->reply_text = tkt_unpack_text(u, TKT_MESSAGE_TEXT_MAX);
    msg->signature = tkt_unpack_text(u, TKT_MESSAGE_TEXT_MAX);
    msg->quoted = tkt_unpack_text(u, TKT_MESSAGE_TEXT_MAX);
    msg->language = tkt_unpack_line(u);
    msg->has_html = tkt_unpack_bool(u);
    msg->has_hidden_text = tkt_unpack_bool(u);
    unpack_attachments(u, msg);
    msg->class = (enum tkt_class)tkt_unpack_enum(u, TKT_CLASS_COUNT);
    tkt_unpack_strings(u, &msg->class_evidence, TKT_MESSAGE_NOTES_MAX);
    unpack_bounce(u, &msg->bounce);
    unpack_forwarded(u, &msg->forwarded);
    msg->importance = (enum tkt_importance)tkt_unpack_enum(u, TKT_IMPORTANCE_COUNT);
    msg->security = (enum tkt_security)tkt_unpack_enum(u, TKT_SECURITY_COUNT);
    msg->spf = (enum tkt_auth)tkt_unpack_enum(u, TKT_AUTH_COUNT);
    msg->dkim = (enum tkt_auth)tkt_unpack_enum(u, TKT_AUTH_COUNT);
    msg->dmarc = (enum tkt_auth)tkt_unpack_enum(u, TKT_AUTH_COUNT);
    msg->auth_aligned = tkt_unpack_bool(u);
    tkt_unpack_strings(u, &msg->subject_ids, TKT_MESSAGE_IDS_MAX);
    tkt_unpack_strings(u, &msg->foreign_ids, TKT_MESSAGE_IDS_MAX);
    tkt_unpack_strings(u, &msg->tail_hashes, TKT_MESSAGE_IDS_MAX);
    msg->print = (uint64_t)tkt_unpack_i64(u);
    tkt_unpack_strings(u, &msg->problems, TKT_MESSAGE_NOTES_MAX);
    msg->degraded = tkt_unpack_bool(u);
}

int tkt_message_decode(const void *data, size_t n, struct tkt_message *out,
                       struct tkt_err *err)
{
    struct tkt_message msg;
    struct tkt_unpack u;

    if (n > TKT_MESSAGE_WIRE_MAX) {
        return tkt_err_set(err, TKT_ERR_PERM, "message: %zu bytes are too many", n);
    }
    memset(&msg, 0, sizeof(msg));
    tkt_unpack_init(&u, data, n, magic, &msg.arena);
    unpack_message(&u, &msg);
    if (tkt_unpack_end(&u, "message", err) < 0) {
        tkt_message_release(&msg);
        return -1;
    }
    *out = msg;
    return 0;
}

void tkt_message_release(struct tkt_message *msg)
{
    tkt_wire_arena_release(&msg->arena);
    memset(msg, 0, sizeof(*msg));
}
