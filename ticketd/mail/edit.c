/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketd/mail/edit.h"

#include "base/enc.h"
#include "base/util.h"

#include <stdio.h>
#include <string.h>

#define NAME_ID "X-Ticket-ID"
#define NAME_DESK "X-Ticket-Desk"
#define NAME_GROUP "X-Ticket-Group"
#define NAME_PRIORITY "X-Ticket-Priority"
#define PREFIX_ALL "X-Ticket-"
#define GROUP_MAX 64
#define REPLY_TO_MAX 900 /* one line; more addresses than that: Reply-To is left alone */

struct builder {
    const struct tkt_edit_in *in;
    struct tkt_wire_arena *arena;
    struct tkt_wire_edit edits[TKT_WIRE_EDITS_MAX];
    size_t count;
    bool failed; /* out of memory or edits */
};

static void push(struct builder *b, enum tkt_wire_edit_kind kind, const char *name,
                 unsigned index, const char *value, size_t len)
{
    struct tkt_wire_edit *e = &b->edits[b->count];

    if (b->failed || b->count == TKT_WIRE_EDITS_MAX) {
        b->failed = true;
        return;
    }
    e->kind = kind;
    e->index = index;
    e->name = tkt_wire_arena_strdup(b->arena, name, strlen(name));
    e->value = tkt_wire_arena_strdup(b->arena, value, len);
    b->failed = e->name == NULL || e->value == NULL;
    b->count++;
}

/* A value of ours, with the blank that hosts with leadspc expect. */
static void push_value(struct builder *b, enum tkt_wire_edit_kind kind, const char *name,
                       unsigned index, const char *value)
{
    char line[TKT_EDIT_LINE_MAX];
    int n = snprintf(line, sizeof(line), "%s%s", b->in->req->leadspc ? " " : "", value);

    if (n >= 0 && (size_t)n < sizeof(line)) {
        push(b, kind, name, index, line, (size_t)n);
    }
}

/* ---- who may be named ---------------------------------------------------------------- */

static bool is_edited(const struct tkt_edit_desk *d)
{
    static const char *const words[] = {"created", "existing", "appended", "pending"};

    for (size_t i = 0; i < TKT_ARRAY_LEN(words); i++) {
        if (d->conf->mode == TKT_MODE_LIVE && strcmp(d->status, words[i]) == 0) {
            return true;
        }
    }
    return false;
}

static bool only_desks(const struct tkt_edit_in *in)
{
    return in->req->other_rcpts == 0;
}

/* Whether naming the desk tells nobody anything new: it stands in To or Cc, or every
 * copy of the message is the desk's own. */
static bool may_name(const struct tkt_edit_in *in, const struct tkt_edit_desk *d)
{
    return is_edited(d) && d->conf->subject != TKT_SUBJECT_OFF &&
           (d->in_to_cc || (only_desks(in) && in->desk_count == 1));
}

/* The desk that gives the tag: the first in config order that may be named. */
static const struct tkt_edit_desk *leading_desk(const struct tkt_edit_in *in)
{
    for (size_t i = 0; i < in->desk_count; i++) {
        if (may_name(in, &in->desks[i])) {
            return &in->desks[i];
        }
    }
    return NULL;
}

/* Every copy stays on this machine and belongs to a desk. */
static bool all_local(const struct tkt_edit_in *in)
{
    for (size_t i = 0; i < in->desk_count; i++) {
        if (in->desks[i].conf->delivery != TKT_DELIVERY_LOCAL) {
            return false;
        }
    }
    for (size_t i = 0; i < in->req->rcpt_count; i++) {
        if (in->req->rcpts[i].relayed) {
            return false;
        }
    }
    return only_desks(in);
}

static bool is_machine_made(enum tkt_class class)
{
    return class == TKT_CLASS_BOUNCE || class == TKT_CLASS_DELAY ||
           class == TKT_CLASS_FEEDBACK;
}

static bool may_tag(const struct tkt_edit_in *in, const struct tkt_edit_desk *lead)
{
    bool is_list =
        in->is_list || in->class == TKT_CLASS_LIST || in->class == TKT_CLASS_BULK;

    return lead != NULL && lead->conf->subject == TKT_SUBJECT_REWRITE && all_local(in) &&
           !is_machine_made(in->class) && (!is_list || lead->conf->tag_lists) &&
           (in->security == TKT_SECURITY_NONE || lead->conf->tag_signed);
}

/* ---- X-Ticket-* ---------------------------------------------------------------------- */

static bool wants_header(const struct tkt_conf_desk *desk, const char *word)
{
    for (size_t i = 0; i < desk->headers.count; i++) {
        if (tkt_ascii_ieq(desk->headers.items[i], word)) {
            return true;
        }
    }
    return false;
}

static bool value_is(const char *value, const char *want)
{
    return strcmp(value + (value[0] == ' '), want) == 0;
}

static bool is_named(const struct tkt_wire_field *f, const char *name)
{
    return tkt_ascii_ieq(f->name, name);
}

/* A verified X-Ticket-ID of one of the desks that may be named. */
static bool is_own_id(const struct builder *b, size_t field,
                      const struct tkt_edit_desk *d)
{
    const struct tkt_wire_field *f = &b->in->req->fields[field];
    const char *value = f->value + (f->value[0] == ' ');
    size_t n = strlen(d->id);

    return b->in->field_is_valid != NULL && b->in->field_is_valid[field] &&
           is_named(f, NAME_ID) && strncmp(value, d->id, n) == 0 &&
           (value[n] == ';' || value[n] == ' ');
}

/* The first field that already says so; the index in req->fields, or field_count. */
static size_t find_id(const struct builder *b, const struct tkt_edit_desk *d)
{
    size_t i = 0;

    while (i < b->in->req->field_count && !is_own_id(b, i, d)) {
        i++;
    }
    return i;
}

static size_t find_value(const struct builder *b, const char *name, const char *want)
{
    const struct tkt_wire_request *req = b->in->req;
    size_t i = 0;

    while (i < req->field_count &&
           !(is_named(&req->fields[i], name) && value_is(req->fields[i].value, want))) {
        i++;
    }
    return i;
}

/* The fields that name the leading desk, besides the ID. Unset values are left out. */
struct lead_values {
    struct {
        const char *name;
        const char *value;
    } row[3];
    size_t count;
    char priority[16];
};

static void lead_value(struct lead_values *v, const struct tkt_conf_desk *desk,
                       const char *word, const char *name, const char *value)
{
    /* Values go into a header field: one line of sane length or none. */
    if (wants_header(desk, word) && value[0] != '\0' && strlen(value) <= GROUP_MAX &&
        strpbrk(value, "\r\n") == NULL) {
        v->row[v->count].name = name;
        v->row[v->count].value = value;
        v->count++;
    }
}

static void lead_values(const struct tkt_edit_desk *lead, struct lead_values *v)
{
    v->count = 0;
    if (lead == NULL) {
        return;
    }
    v->priority[0] = '\0';
    if (lead->priority >= 1 && lead->priority <= 5) {
        (void)snprintf(v->priority, sizeof(v->priority), "%d", lead->priority); /* fits */
    }
    lead_value(v, lead->conf, "desk", NAME_DESK, lead->conf->name);
    lead_value(v, lead->conf, "group", NAME_GROUP, lead->group);
    lead_value(v, lead->conf, "priority", NAME_PRIORITY, v->priority);
}

static bool stays(const struct builder *b, size_t field, const struct lead_values *v)
{
    const struct tkt_edit_in *in = b->in;

    for (size_t i = 0; i < in->desk_count; i++) {
        if (may_name(in, &in->desks[i]) && wants_header(in->desks[i].conf, "id") &&
            find_id(b, &in->desks[i]) == field) {
            return true;
        }
    }
    for (size_t i = 0; i < v->count; i++) {
        if (find_value(b, v->row[i].name, v->row[i].value) == field) {
            return true;
        }
    }
    return false;
}

static void delete_inbound(struct builder *b, const struct lead_values *v)
{
    const struct tkt_wire_request *req = b->in->req;

    for (size_t i = req->field_count; i > 0; i--) {
        const struct tkt_wire_field *f = &req->fields[i - 1];

        if (tkt_ascii_ieqn(f->name, PREFIX_ALL, strlen(PREFIX_ALL)) &&
            !stays(b, i - 1, v)) {
            push(b, TKT_WIRE_DELETE, f->name, f->index, "", 0);
        }
    }
}

/* one_ticket_per_message: several desks, one ID. */
static bool is_named_before(const struct tkt_edit_in *in, size_t desk)
{
    for (size_t i = 0; i < desk; i++) {
        if (may_name(in, &in->desks[i]) && wants_header(in->desks[i].conf, "id") &&
            strcmp(in->desks[i].id, in->desks[desk].id) == 0) {
            return true;
        }
    }
    return false;
}

/* Each insert goes to the top: last comes first, so that the leading desk's ID is on
 * top of all. */
static void insert_headers(struct builder *b, const struct lead_values *v)
{
    const struct tkt_edit_in *in = b->in;
    size_t desks = TKT_MIN(in->desk_count, (size_t)TKT_EDIT_DESKS_MAX);

    for (size_t i = v->count; i > 0; i--) {
        if (find_value(b, v->row[i - 1].name, v->row[i - 1].value) ==
            in->req->field_count) {
            push_value(b, TKT_WIRE_INSERT, v->row[i - 1].name, 0, v->row[i - 1].value);
        }
    }
    for (size_t i = desks; i > 0; i--) {
        const struct tkt_edit_desk *d = &in->desks[i - 1];

        if (may_name(in, d) && wants_header(d->conf, "id") && d->xid[0] != '\0' &&
            !is_named_before(in, i - 1) && find_id(b, d) == in->req->field_count) {
            push_value(b, TKT_WIRE_INSERT, NAME_ID, 0, d->xid);
        }
    }
}

/* ---- Subject ------------------------------------------------------------------------- */

static const struct tkt_wire_field *first_subject(const struct tkt_wire_request *req)
{
    const struct tkt_wire_field *first = NULL;

    for (size_t i = 0; i < req->field_count; i++) {
        const struct tkt_wire_field *f = &req->fields[i];

        if (is_named(f, "Subject") && (first == NULL || f->index < first->index)) {
            first = f;
        }
    }
    return first;
}

static enum tkt_edit_subject edit_subject(struct builder *b,
                                          const struct tkt_edit_desk *lead)
{
    TKT_AUTO_BUF struct tkt_buf out = TKT_BUF_INIT(TKT_EDIT_SUBJECT_MAX + 64);
    const struct tkt_wire_field *f = first_subject(b->in->req);
    size_t name_len = strlen("Subject:") + !b->in->req->leadspc;
    enum tkt_edit_subject done;
    char tag[64];

    if (f == NULL) {
        /* Postfix appends a change of a missing field, Sendmail does not: insert. */
        (void)snprintf(tag, sizeof(tag), "[%s]", lead->id); /* IDs have 47 bytes */
        push_value(b, TKT_WIRE_INSERT, "Subject", 0, tag);
        return TKT_EDIT_SUBJECT_TAGGED;
    }
    done = tkt_edit_tag_subject(&b->in->own, lead->id, f->value, strlen(f->value),
                                name_len, &out);
    if (done == TKT_EDIT_SUBJECT_TAGGED || done == TKT_EDIT_SUBJECT_REPLACED) {
        push(b, TKT_WIRE_CHANGE, "Subject", f->index, out.data, out.len);
    }
    return done;
}

/* ---- Reply-To and recipients --------------------------------------------------------- */

/* ASCII without anything that would need quoting: others are left out, never guessed. */
static bool is_plain_address(const char *addr)
{
    size_t n = strspn(addr, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                            "0123456789!#$%&'*+/=?^_`{|}~.-@");

    return addr[n] == '\0' && strchr(addr, '@') != NULL && addr[0] != '@';
}

/* The addresses that answers went to so far: Reply-To, else From. */
static bool add_authors(const struct tkt_edit_in *in, struct tkt_buf *out)
{
    size_t count = in->reply_to == NULL ? 0 : in->reply_to->count;

    for (size_t i = 0; i < count; i++) {
        if (!is_plain_address(in->reply_to->items[i].address)) {
            return false;
        }
        (void)tkt_buf_addf(out, "%s, ", in->reply_to->items[i].address);
    }
    if (count == 0) {
        if (!is_plain_address(in->from)) {
            return false;
        }
        (void)tkt_buf_addf(out, "%s, ", in->from);
    }
    return true;
}

static bool names_address(const struct tkt_edit_in *in, const char *addr)
{
    size_t count = in->reply_to == NULL ? 0 : in->reply_to->count;

    for (size_t i = 0; i < count; i++) {
        if (tkt_ascii_ieq(in->reply_to->items[i].address, addr)) {
            return true;
        }
    }
    return false;
}

static void edit_reply_to(struct builder *b, const struct tkt_edit_desk *lead)
{
    TKT_AUTO_BUF struct tkt_buf out = TKT_BUF_INIT(REPLY_TO_MAX);
    const struct tkt_edit_in *in = b->in;
    bool exists = in->reply_to != NULL && in->reply_to->count > 0;

    if (lead == NULL || !lead->conf->reply_to_add || !all_local(in) ||
        !is_plain_address(lead->reply_address) ||
        names_address(in, lead->reply_address) || is_machine_made(in->class) ||
        in->is_list || in->class == TKT_CLASS_LIST || in->class == TKT_CLASS_BULK) {
        return;
    }
    if (!add_authors(in, &out)) {
        return;
    }
    (void)tkt_buf_adds(&out, lead->reply_address); /* failure is seen below */
    if (!out.failed) {
        push_value(b, exists ? TKT_WIRE_CHANGE : TKT_WIRE_INSERT, "Reply-To", exists,
                   out.data);
    }
}

/* In the envelope already, or added by an earlier edit. */
static bool is_recipient(const struct builder *b, const char *addr)
{
    const struct tkt_wire_request *req = b->in->req;

    for (size_t i = 0; i < req->rcpt_count; i++) {
        if (tkt_ascii_ieq(req->rcpts[i].addr, addr)) {
            return true;
        }
    }
    for (size_t i = 0; i < b->count && !b->failed; i++) {
        if (b->edits[i].kind == TKT_WIRE_ADDRCPT &&
            tkt_ascii_ieq(b->edits[i].value, addr)) {
            return true;
        }
    }
    return false;
}

static void edit_recipients(struct builder *b)
{
    const struct tkt_edit_in *in = b->in;
    size_t desks = TKT_MIN(in->desk_count, (size_t)TKT_EDIT_DESKS_MAX);

    for (size_t i = 0; i < desks; i++) {
        const struct tkt_edit_desk *d = &in->desks[i];
        const char *mailbox = d->group_mailbox;

        if (!is_edited(d) || !d->conf->add_group_recipient || mailbox[0] == '\0') {
            continue;
        }
        if (!is_recipient(b, mailbox)) {
            push(b, TKT_WIRE_ADDRCPT, "", 0, mailbox, strlen(mailbox));
        }
        /* Only where another recipient takes its place: else the mail would vanish. */
        if (d->conf->replace_recipient && !tkt_ascii_ieq(d->rcpt, mailbox)) {
            push(b, TKT_WIRE_DELRCPT, "", 0, d->rcpt, strlen(d->rcpt));
        }
    }
}

int tkt_edit_build(const struct tkt_edit_in *in, struct tkt_wire_arena *arena,
                   struct tkt_wire_edit **edits, size_t *count,
                   enum tkt_edit_subject *subject, struct tkt_err *err)
{
    TKT_AUTO_FREE struct builder *b = calloc(1, sizeof(*b));
    const struct tkt_edit_desk *lead = leading_desk(in);
    struct lead_values values;
    struct tkt_wire_edit *out;
    bool any_live = false;

    if (b == NULL) {
        return tkt_err_set(err, TKT_ERR_TEMP, "edits: out of memory");
    }
    b->in = in;
    b->arena = arena;
    *subject = TKT_EDIT_SUBJECT_POLICY;
    for (size_t i = 0; i < in->desk_count; i++) {
        any_live |= in->desks[i].conf->mode == TKT_MODE_LIVE;
    }
    if (any_live) {
        lead_values(lead, &values);
        delete_inbound(b, &values);
        if (may_tag(in, lead)) {
            *subject = edit_subject(b, lead);
        }
        edit_reply_to(b, lead);
        insert_headers(b, &values);
        edit_recipients(b);
    }
    out = tkt_wire_arena_alloc(arena, (b->count + 1) * sizeof(*out));
    if (b->failed || out == NULL) {
        return tkt_err_set(err, TKT_ERR_TEMP, "edits: out of memory");
    }
    memcpy(out, b->edits, b->count * sizeof(*out));
    *edits = out;
    *count = b->count;
    return 0;
}
