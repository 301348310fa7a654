/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/util.h"
#include "wire/codec.h"

#include <fcntl.h>
#include <stddef.h>
#include <string.h>

static const char *const verbs[] = {
    [TKT_WIRE_HELLO] = "hello",     [TKT_WIRE_RESERVE] = "reserve",
    [TKT_WIRE_CONFIRM] = "confirm", [TKT_WIRE_CANCEL] = "cancel",
    [TKT_WIRE_LOOKUP] = "lookup",   [TKT_WIRE_PING] = "ping",
};

/* Plain strings and flags: one row is all that a further one needs. */
struct text_row {
    const char *name;
    size_t offset;
};
static const struct text_row texts[] = {
    {"hook", offsetof(struct tkt_wire_request, hook)},
    {"queue-id", offsetof(struct tkt_wire_request, queue_id)},
    {"mta-host", offsetof(struct tkt_wire_request, mta_host)},
    {"sender", offsetof(struct tkt_wire_request, sender)},
    {"client-addr", offsetof(struct tkt_wire_request, client_addr)},
    {"client-name", offsetof(struct tkt_wire_request, client_name)},
    {"helo", offsetof(struct tkt_wire_request, helo)},
    {"tls", offsetof(struct tkt_wire_request, tls)},
    {"tls-subject", offsetof(struct tkt_wire_request, tls_subject)},
    {"auth-login", offsetof(struct tkt_wire_request, auth_login)},
    {"hold", offsetof(struct tkt_wire_request, hold)},
    {"token", offsetof(struct tkt_wire_request, token)},
    {"address", offsetof(struct tkt_wire_request, rcpt)},
    {"want.desk", offsetof(struct tkt_wire_request, wants.desk)},
    {"want.default-desk", offsetof(struct tkt_wire_request, wants.default_desk)},
    {"want.type", offsetof(struct tkt_wire_request, wants.type)},
    {"want.group", offsetof(struct tkt_wire_request, wants.group)},
    {"want.category", offsetof(struct tkt_wire_request, wants.category)},
    {"want.subcategory", offsetof(struct tkt_wire_request, wants.subcategory)},
    {"want.assignee", offsetof(struct tkt_wire_request, wants.assignee)},
    {"want.requester", offsetof(struct tkt_wire_request, wants.requester)},
    {"want.summary", offsetof(struct tkt_wire_request, wants.summary)},
};
static const struct text_row flags[] = {
    {"leadspc", offsetof(struct tkt_wire_request, leadspc)},
    {"smtp-path", offsetof(struct tkt_wire_request, smtp_path)},
    {"dry-run", offsetof(struct tkt_wire_request, dry_run)},
    {"untagged", offsetof(struct tkt_wire_request, untagged)},
    {"no-reply", offsetof(struct tkt_wire_request, no_reply)},
    {"personal", offsetof(struct tkt_wire_request, personal)},
    {"per-recipient", offsetof(struct tkt_wire_request, per_recipient)},
};

static const char **text_slot(const struct tkt_wire_request *req,
                              const struct text_row *row)
{
    return (const char **)((char *)(uintptr_t)req + row->offset);
}

static bool *flag_slot(const struct tkt_wire_request *req, const struct text_row *row)
{
    return (bool *)((char *)(uintptr_t)req + row->offset);
}

static const struct text_row *find_row(const struct text_row *rows, size_t count,
                                       const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(rows[i].name, name) == 0) {
            return &rows[i];
        }
    }
    return NULL;
}

static int check_counts(const struct tkt_wire_request *req, int message_fd,
                        struct tkt_err *err)
{
    if (req->rcpt_count > TKT_WIRE_RCPTS_MAX || req->field_count > TKT_WIRE_FIELDS_MAX) {
        return tkt_err_set(err, TKT_ERR_PERM, "%zu recipients, %zu header fields",
                           req->rcpt_count, req->field_count);
    }
    if (req->wants.tag_count > TKT_WIRE_WANTS_MAX ||
        req->wants.field_count > TKT_WIRE_WANTS_MAX) {
        return tkt_err_set(err, TKT_ERR_PERM, "%zu tags, %zu fields",
                           req->wants.tag_count, req->wants.field_count);
    }
    if ((req->verb == TKT_WIRE_RESERVE) != (message_fd >= 0)) {
        return tkt_err_set(err, TKT_ERR_BUG, "%s and message descriptor %d",
                           verbs[req->verb], message_fd);
    }
    return 0;
}

static int encode_lines(const struct tkt_wire_request *req, struct tkt_buf *b,
                        struct tkt_err *err)
{
    tkt_buf_adds(b, "v=1\n");
    (void)tkt_wire_add(b, "verb", verbs[req->verb]); /* b->failed is checked at the end */
    (void)tkt_buf_addf(b, "generation=%llu\nremaining-ms=%u\n",
                       (unsigned long long)req->generation, req->remaining_ms);
    for (size_t i = 0; i < TKT_ARRAY_LEN(texts); i++) {
        tkt_codec_add_text(b, texts[i].name, *text_slot(req, &texts[i]));
    }
    for (size_t i = 0; i < TKT_ARRAY_LEN(flags); i++) {
        tkt_codec_add_flag(b, flags[i].name, *flag_slot(req, &flags[i]));
    }
    if (req->mail_time_s > 0) {
        (void)tkt_wire_add_int(b, "mail-time", req->mail_time_s); /* as above */
    }
    if (req->other_rcpts > 0) {
        (void)tkt_wire_add_int(b, "other-rcpts", req->other_rcpts); /* as above */
    }
    if (req->wants.priority > 0) {
        (void)tkt_wire_add_int(b, "want.priority", req->wants.priority); /* as above */
    }
    for (size_t i = 0; i < req->wants.tag_count; i++) {
        tkt_codec_add_text(b, "want.tag", req->wants.tags[i]);
    }
    for (size_t i = 0; i < req->wants.field_count; i++) {
        tkt_codec_add_text(b, "want.field", req->wants.fields[i]);
    }
    for (size_t i = 0; i < req->rcpt_count; i++) {
        tkt_codec_add_text(b, req->rcpts[i].relayed ? "rcpt-relayed" : "rcpt",
                           req->rcpts[i].addr);
    }
    for (size_t i = 0; i < req->field_count; i++) {
        const struct tkt_wire_field *f = &req->fields[i];
        if (tkt_codec_add_field(b, "field", f->index, f->name, f->value, err) < 0) {
            return -1;
        }
    }
    return b->failed ? tkt_err_set(err, TKT_ERR_PERM, "request above %zu bytes", b->max)
                     : 0;
}

int tkt_wire_request_encode_lent(const struct tkt_wire_request *req, int message_fd,
                                 struct tkt_wire_packet *out, struct tkt_err *err)
{
    tkt_wire_packet_init(out);
    if (check_counts(req, message_fd, err) < 0 ||
        encode_lines(req, &out->body, err) < 0) {
        tkt_wire_packet_release(out);
        return -1;
    }
    if (message_fd >= 0) {
        (void)tkt_wire_packet_take_fd(out, message_fd); /* the first of two */
    }
    return 0;
}

int tkt_wire_request_encode(const struct tkt_wire_request *req, int message_fd,
                            struct tkt_wire_packet *out, struct tkt_err *err)
{
    if (tkt_wire_request_encode_lent(req, message_fd, out, err) < 0) {
        return -1;
    }
    if (message_fd >= 0) {
        out->fds[0] = fcntl(message_fd, F_DUPFD_CLOEXEC, 0);
        if (out->fds[0] < 0) {
            tkt_err_errno(err, TKT_ERR_TEMP, "duplicate the message descriptor");
            tkt_wire_packet_release(out);
            return -1;
        }
    }
    return 0;
}

static int take_verb(struct tkt_codec_reader *r, struct tkt_wire_request *out)
{
    for (size_t i = 0; i < TKT_ARRAY_LEN(verbs); i++) {
        if (strcmp(r->value, verbs[i]) == 0) {
            out->verb = (enum tkt_wire_verb)i;
            return 0;
        }
    }
    return tkt_codec_fail(r, "unknown verb");
}

static int take_rcpt(struct tkt_codec_reader *r, struct tkt_wire_request *out,
                     bool relayed)
{
    out->rcpts = tkt_codec_more(r, out->rcpts, &out->rcpt_count, TKT_WIRE_RCPTS_MAX,
                                sizeof(*out->rcpts));
    if (out->rcpts == NULL) {
        return -1;
    }
    struct tkt_wire_rcpt *rcpt = &out->rcpts[out->rcpt_count - 1];
    rcpt->relayed = relayed;
    return tkt_codec_text(r, &rcpt->addr);
}

static int take_field(struct tkt_codec_reader *r, struct tkt_wire_request *out)
{
    out->fields = tkt_codec_more(r, out->fields, &out->field_count, TKT_WIRE_FIELDS_MAX,
                                 sizeof(*out->fields));
    if (out->fields == NULL) {
        return -1;
    }
    struct tkt_wire_field *f = &out->fields[out->field_count - 1];
    return tkt_codec_field(r, &f->index, &f->name, &f->value);
}

static int take_want(struct tkt_codec_reader *r, const char ***list, size_t *count)
{
    *list = tkt_codec_more(r, *list, count, TKT_WIRE_WANTS_MAX, sizeof(**list));
    return *list == NULL ? -1 : tkt_codec_text(r, &(*list)[*count - 1]);
}

static int take_number(struct tkt_codec_reader *r, struct tkt_wire_request *out)
{
    uint64_t n = 0;

    if (strcmp(r->name, "generation") == 0) {
        return tkt_codec_u64(r, UINT64_MAX, &out->generation);
    }
    if (strcmp(r->name, "remaining-ms") == 0) {
        int rc = tkt_codec_u64(r, UINT32_MAX, &n);
        out->remaining_ms = (uint32_t)n;
        return rc;
    }
    if (strcmp(r->name, "other-rcpts") == 0) {
        int rc = tkt_codec_u64(r, INT32_MAX, &n);
        out->other_rcpts = (unsigned)n;
        return rc;
    }
    if (strcmp(r->name, "want.priority") == 0) {
        int rc = tkt_codec_u64(r, 5, &n);
        out->wants.priority = (int)n;
        return rc;
    }
    if (strcmp(r->name, "mail-time") == 0) {
        int rc = tkt_codec_u64(r, INT64_MAX / 1000, &n);
        out->mail_time_s = (int64_t)n;
        return rc;
    }
    return 0; /* a newer peer's line */
}

static int take_line(struct tkt_codec_reader *r, struct tkt_wire_request *out)
{
    const struct text_row *row = find_row(texts, TKT_ARRAY_LEN(texts), r->name);

    if (row != NULL) {
        return tkt_codec_text(r, text_slot(out, row));
    }
    row = find_row(flags, TKT_ARRAY_LEN(flags), r->name);
    if (row != NULL) {
        return tkt_codec_flag(r, flag_slot(out, row));
    }
    if (strcmp(r->name, "verb") == 0) {
        return take_verb(r, out);
    }
    if (strcmp(r->name, "rcpt") == 0) {
        return take_rcpt(r, out, false);
    }
    if (strcmp(r->name, "rcpt-relayed") == 0) {
        return take_rcpt(r, out, true);
    }
    if (strcmp(r->name, "field") == 0) {
        return take_field(r, out);
    }
    if (strcmp(r->name, "want.tag") == 0) {
        return take_want(r, &out->wants.tags, &out->wants.tag_count);
    }
    if (strcmp(r->name, "want.field") == 0) {
        return take_want(r, &out->wants.fields, &out->wants.field_count);
    }
    return take_number(r, out);
}

/* Every verb but RESERVE comes without a descriptor. */
static int check_message(const struct tkt_wire_packet *pkt,
                         const struct tkt_wire_request *req, struct tkt_err *err)
{
    size_t want = req->verb == TKT_WIRE_RESERVE ? 1 : 0;

    if (pkt->fd_count != want) {
        return tkt_err_set(err, TKT_ERR_PERM, "%s with %zu descriptors, not %zu",
                           verbs[req->verb], pkt->fd_count, want);
    }
    if (want == 0) {
        return 0;
    }
    int mode = fcntl(pkt->fds[0], F_GETFL);
    if (mode < 0 || (mode & O_ACCMODE) == O_WRONLY || (mode & O_PATH) != 0) {
        return tkt_err_set(err, TKT_ERR_PERM, "message descriptor cannot be read");
    }
    return 0;
}

static int decode_lines(struct tkt_codec_reader *r, struct tkt_wire_request *out)
{
    bool have_verb = false;
    int rc;

    while ((rc = tkt_codec_next(r)) == 1) {
        have_verb = have_verb || strcmp(r->name, "verb") == 0;
        if (take_line(r, out) < 0) {
            return -1;
        }
    }
    if (rc == 0 && !have_verb) {
        return tkt_err_set(r->err, TKT_ERR_PERM, "no verb");
    }
    return rc;
}

int tkt_wire_request_decode(const struct tkt_wire_packet *pkt,
                            struct tkt_wire_request *out, struct tkt_err *err)
{
    struct tkt_codec_reader r;

    memset(out, 0, sizeof(*out));
    for (size_t i = 0; i < TKT_ARRAY_LEN(texts); i++) {
        *text_slot(out, &texts[i]) = "";
    }
    if (tkt_codec_begin(&r, pkt, &out->arena, err) < 0 || decode_lines(&r, out) < 0 ||
        check_message(pkt, out, err) < 0) {
        tkt_wire_request_release(out);
        return tkt_err_prefix(err, "request");
    }
    return 0;
}

void tkt_wire_request_release(struct tkt_wire_request *req)
{
    tkt_wire_arena_release(&req->arena);
    memset(req, 0, sizeof(*req));
}
