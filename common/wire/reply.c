/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/util.h"
#include "wire/codec.h"

#include <stddef.h>
#include <string.h>

static const char *const statuses[] = {
    [TKT_WIRE_OK] = "ok",
    [TKT_WIRE_TEMP] = "temp",
    [TKT_WIRE_PERM] = "perm",
    [TKT_WIRE_STALE] = "stale",
};

/* A string member of the reply, or of its last ticket or desk. */
enum owner {
    IN_REPLY,
    IN_TICKET,
    IN_DESK
};
struct text_row {
    const char *name;
    enum owner owner;
    size_t offset;
};
#define REPLY(member) IN_REPLY, offsetof(struct tkt_wire_reply, member)
#define TICKET(member) IN_TICKET, offsetof(struct tkt_wire_ticket, member)
#define DESK(member) IN_DESK, offsetof(struct tkt_wire_desk, member)
static const struct text_row texts[] = {
    {"text", REPLY(text)},
    {"smtp-xcode", REPLY(smtp_xcode)},
    {"smtp-text", REPLY(smtp_text)},
    {"tag-pattern", REPLY(tag_pattern)},
    {"token-ticket", REPLY(ticket)},
    {"token-why", REPLY(why)},
    {"ticket.desk", TICKET(desk)},
    {"ticket.hold", TICKET(hold)},
    {"ticket.status", TICKET(status)},
    {"ticket.group", TICKET(group)},
    {"ticket.category", TICKET(category)},
    {"ticket.url", TICKET(url)},
    {"ticket.ref", TICKET(ref)},
    {"desk.address", DESK(address)},
    {"desk.delimiters", DESK(delimiters)},
};

static const char empty_string[] = "";

static const char **slot_of(const void *owner, const struct text_row *row)
{
    return (const char **)((char *)(uintptr_t)owner + row->offset);
}

static void encode_texts(struct tkt_buf *b, enum owner owner, const void *object)
{
    for (size_t i = 0; i < TKT_ARRAY_LEN(texts); i++) {
        if (texts[i].owner == owner) {
            tkt_codec_add_text(b, texts[i].name, *slot_of(object, &texts[i]));
        }
    }
}

static void clear_texts(enum owner owner, void *object)
{
    for (size_t i = 0; i < TKT_ARRAY_LEN(texts); i++) {
        if (texts[i].owner == owner) {
            *slot_of(object, &texts[i]) = empty_string;
        }
    }
}

/* All results of adding are ignored here: b->failed is checked at the end. */
static void encode_tickets(const struct tkt_wire_reply *rep, struct tkt_buf *b)
{
    for (size_t i = 0; i < rep->ticket_count; i++) {
        const struct tkt_wire_ticket *t = &rep->tickets[i];
        (void)tkt_wire_add(b, "ticket", t->id != NULL ? t->id : "");
        encode_texts(b, IN_TICKET, t);
        (void)tkt_wire_add_int(b, "ticket.priority", t->priority);
    }
}

static void encode_desks(const struct tkt_wire_reply *rep, struct tkt_buf *b)
{
    for (size_t i = 0; i < rep->desk_count; i++) {
        const struct tkt_wire_desk *d = &rep->desks[i];
        (void)tkt_wire_add(b, "desk", d->name != NULL ? d->name : "");
        encode_texts(b, IN_DESK, d);
        tkt_codec_add_flag(b, "desk.accept", d->on_failure_accept);
        tkt_codec_add_flag(b, "desk.off", d->off);
        tkt_codec_add_flag(b, "desk.limited", d->limited);
    }
}

static int encode_edits(const struct tkt_wire_reply *rep, struct tkt_buf *b,
                        struct tkt_err *err)
{
    static const char *const labels[] = {
        [TKT_WIRE_CHANGE] = "change",   [TKT_WIRE_INSERT] = "insert",
        [TKT_WIRE_DELETE] = "delete",   [TKT_WIRE_ADDRCPT] = "addrcpt",
        [TKT_WIRE_DELRCPT] = "delrcpt",
    };

    for (size_t i = 0; i < rep->edit_count; i++) {
        const struct tkt_wire_edit *e = &rep->edits[i];
        const char *value = e->value != NULL ? e->value : "";
        if (e->kind == TKT_WIRE_ADDRCPT || e->kind == TKT_WIRE_DELRCPT) {
            tkt_codec_add_text(b, labels[e->kind], value);
        } else if (tkt_codec_add_field(b, labels[e->kind], e->index, e->name, value,
                                       err) < 0) {
            return -1;
        }
    }
    return 0;
}

static int encode_lines(const struct tkt_wire_reply *rep, struct tkt_buf *b,
                        struct tkt_err *err)
{
    (void)tkt_buf_adds(b, "v=1\n");
    (void)tkt_wire_add(b, "status", statuses[rep->status]);
    (void)tkt_buf_addf(b, "generation=%llu\n", (unsigned long long)rep->generation);
    encode_texts(b, IN_REPLY, rep);
    if (rep->smtp_code != 0) {
        (void)tkt_wire_add_int(b, "smtp-code", rep->smtp_code);
    }
    if (rep->message_max > 0) {
        (void)tkt_buf_addf(b, "message-max=%llu\n", (unsigned long long)rep->message_max);
    }
    if (rep->deadline_ms > 0) {
        (void)tkt_wire_add_int(b, "deadline-ms", rep->deadline_ms);
    }
    tkt_codec_add_flag(b, "rcpt-lookup", rep->rcpt_lookup);
    encode_tickets(rep, b);
    encode_desks(rep, b);
    if (encode_edits(rep, b, err) < 0) {
        return -1;
    }
    return b->failed ? tkt_err_set(err, TKT_ERR_PERM, "reply above %zu bytes", b->max)
                     : 0;
}

int tkt_wire_reply_encode(const struct tkt_wire_reply *rep, struct tkt_wire_packet *out,
                          struct tkt_err *err)
{
    tkt_wire_packet_init(out);
    if (rep->ticket_count > TKT_WIRE_TICKETS_MAX ||
        rep->edit_count > TKT_WIRE_EDITS_MAX || rep->desk_count > TKT_WIRE_DESKS_MAX) {
        return tkt_err_set(err, TKT_ERR_PERM, "%zu tickets, %zu edits, %zu desks",
                           rep->ticket_count, rep->edit_count, rep->desk_count);
    }
    if (encode_lines(rep, &out->body, err) < 0) {
        tkt_wire_packet_release(out);
        return -1;
    }
    return 0;
}

static int take_status(struct tkt_codec_reader *r, struct tkt_wire_reply *out)
{
    for (size_t i = 0; i < TKT_ARRAY_LEN(statuses); i++) {
        if (strcmp(r->value, statuses[i]) == 0) {
            out->status = (enum tkt_wire_status)i;
            return 0;
        }
    }
    return tkt_codec_fail(r, "unknown status");
}

static int take_ticket(struct tkt_codec_reader *r, struct tkt_wire_reply *out)
{
    out->tickets = tkt_codec_more(r, out->tickets, &out->ticket_count,
                                  TKT_WIRE_TICKETS_MAX, sizeof(*out->tickets));
    if (out->tickets == NULL) {
        return -1;
    }
    struct tkt_wire_ticket *t = &out->tickets[out->ticket_count - 1];
    clear_texts(IN_TICKET, t);
    return tkt_codec_text(r, &t->id);
}

static int take_desk(struct tkt_codec_reader *r, struct tkt_wire_reply *out)
{
    out->desks = tkt_codec_more(r, out->desks, &out->desk_count, TKT_WIRE_DESKS_MAX,
                                sizeof(*out->desks));
    if (out->desks == NULL) {
        return -1;
    }
    struct tkt_wire_desk *d = &out->desks[out->desk_count - 1];
    clear_texts(IN_DESK, d);
    return tkt_codec_text(r, &d->name);
}

static int take_edit(struct tkt_codec_reader *r, struct tkt_wire_reply *out,
                     enum tkt_wire_edit_kind kind)
{
    out->edits = tkt_codec_more(r, out->edits, &out->edit_count, TKT_WIRE_EDITS_MAX,
                                sizeof(*out->edits));
    if (out->edits == NULL) {
        return -1;
    }
    struct tkt_wire_edit *e = &out->edits[out->edit_count - 1];
    e->kind = kind;
    e->name = empty_string;
    if (kind == TKT_WIRE_ADDRCPT || kind == TKT_WIRE_DELRCPT) {
        return tkt_codec_text(r, &e->value);
    }
    return tkt_codec_field(r, &e->index, &e->name, &e->value);
}

/* Lines that begin or extend a list. 1 = not one of them. */
static int take_list_line(struct tkt_codec_reader *r, struct tkt_wire_reply *out)
{
    static const struct {
        const char *name;
        enum tkt_wire_edit_kind kind;
    } edits[] = {
        {"change", TKT_WIRE_CHANGE},   {"insert", TKT_WIRE_INSERT},
        {"delete", TKT_WIRE_DELETE},   {"addrcpt", TKT_WIRE_ADDRCPT},
        {"delrcpt", TKT_WIRE_DELRCPT},
    };

    if (strcmp(r->name, "ticket") == 0) {
        return take_ticket(r, out);
    }
    if (strcmp(r->name, "desk") == 0) {
        return take_desk(r, out);
    }
    for (size_t i = 0; i < TKT_ARRAY_LEN(edits); i++) {
        if (strcmp(r->name, edits[i].name) == 0) {
            return take_edit(r, out, edits[i].kind);
        }
    }
    return 1;
}

static int take_small(struct tkt_codec_reader *r, uint64_t max, int *out)
{
    uint64_t n = 0;
    int rc = tkt_codec_u64(r, max, &n);

    *out = (int)n;
    return rc;
}

static int take_number(struct tkt_codec_reader *r, struct tkt_wire_reply *out)
{
    uint64_t n = 0;

    if (strcmp(r->name, "status") == 0) {
        return take_status(r, out);
    }
    if (strcmp(r->name, "generation") == 0) {
        return tkt_codec_u64(r, UINT64_MAX, &out->generation);
    }
    if (strcmp(r->name, "message-max") == 0) {
        return tkt_codec_u64(r, INT64_MAX, &out->message_max);
    }
    if (strcmp(r->name, "deadline-ms") == 0) {
        int rc = tkt_codec_u64(r, UINT32_MAX, &n);
        out->deadline_ms = (uint32_t)n;
        return rc;
    }
    if (strcmp(r->name, "rcpt-lookup") == 0) {
        return tkt_codec_flag(r, &out->rcpt_lookup);
    }
    if (strcmp(r->name, "smtp-code") == 0) {
        int rc = take_small(r, 599, &out->smtp_code);
        return rc == 0 && out->smtp_code < 400 ? tkt_codec_fail(r, "not 4xx or 5xx") : rc;
    }
    return 0; /* a newer peer's line */
}

/* The object that a string of this row belongs to; NULL when it was never begun. */
static void *owner_of(struct tkt_wire_reply *out, const struct text_row *row)
{
    if (row->owner == IN_TICKET) {
        return out->ticket_count > 0 ? &out->tickets[out->ticket_count - 1] : NULL;
    }
    if (row->owner == IN_DESK) {
        return out->desk_count > 0 ? &out->desks[out->desk_count - 1] : NULL;
    }
    return out;
}

static int take_member(struct tkt_codec_reader *r, struct tkt_wire_reply *out)
{
    if (strncmp(r->name, "ticket.", 7) == 0) {
        if (out->ticket_count == 0) {
            return tkt_codec_fail(r, "before any ticket");
        }
        struct tkt_wire_ticket *t = &out->tickets[out->ticket_count - 1];
        return strcmp(r->name, "ticket.priority") == 0 ? take_small(r, 5, &t->priority)
                                                       : 0;
    }
    if (strncmp(r->name, "desk.", 5) == 0) {
        if (out->desk_count == 0) {
            return tkt_codec_fail(r, "before any desk");
        }
        struct tkt_wire_desk *d = &out->desks[out->desk_count - 1];
        if (strcmp(r->name, "desk.accept") == 0) {
            return tkt_codec_flag(r, &d->on_failure_accept);
        }
        if (strcmp(r->name, "desk.limited") == 0) {
            return tkt_codec_flag(r, &d->limited);
        }
        return strcmp(r->name, "desk.off") == 0 ? tkt_codec_flag(r, &d->off) : 0;
    }
    return take_number(r, out);
}

static int take_line(struct tkt_codec_reader *r, struct tkt_wire_reply *out)
{
    for (size_t i = 0; i < TKT_ARRAY_LEN(texts); i++) {
        if (strcmp(texts[i].name, r->name) == 0) {
            void *owner = owner_of(out, &texts[i]);
            return owner != NULL ? tkt_codec_text(r, slot_of(owner, &texts[i]))
                                 : tkt_codec_fail(r, "before what it belongs to");
        }
    }
    int rc = take_list_line(r, out);
    return rc == 1 ? take_member(r, out) : rc;
}

static int decode_lines(struct tkt_codec_reader *r, struct tkt_wire_reply *out)
{
    bool have_status = false;
    int rc;

    while ((rc = tkt_codec_next(r)) == 1) {
        have_status = have_status || strcmp(r->name, "status") == 0;
        if (take_line(r, out) < 0) {
            return -1;
        }
    }
    if (rc == 0 && !have_status) {
        return tkt_err_set(r->err, TKT_ERR_PERM, "no status");
    }
    return rc;
}

int tkt_wire_reply_decode(const struct tkt_wire_packet *pkt, struct tkt_wire_reply *out,
                          struct tkt_err *err)
{
    struct tkt_codec_reader r;

    memset(out, 0, sizeof(*out));
    clear_texts(IN_REPLY, out);
    if (pkt->fd_count > 0) {
        tkt_err_set(err, TKT_ERR_PERM, "%zu descriptors", pkt->fd_count);
        return tkt_err_prefix(err, "reply");
    }
    if (tkt_codec_begin(&r, pkt, &out->arena, err) < 0 || decode_lines(&r, out) < 0) {
        tkt_wire_reply_release(out);
        return tkt_err_prefix(err, "reply");
    }
    return 0;
}

void tkt_wire_reply_release(struct tkt_wire_reply *rep)
{
    tkt_wire_arena_release(&rep->arena);
    memset(rep, 0, sizeof(*rep));
}
