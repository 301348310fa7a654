/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketd/intake/refine_inline.h"
#include "ticketd/intake/request.h"

#include "base/clock.h"
#include "base/enc.h"
#include "base/log.h"
#include "base/util.h"
#include "ticketd/facts/facts.h"
#include "ticketd/intake/limits.h"
#include "ticketd/mail/copies.h"
#include "ticketd/mail/xid.h"
#include "ticketd/shadow/shadow.h"

#include <stdio.h>
#include <string.h>

/* What the commit and the answer get of the deadline: a quarter, at most this. */
#define COMMIT_SHARE_MS 1500
/* X-Ticket-ID fields that are verified, besides one for each desk. */
#define SPARE_LOOKS 4

static enum tkt_step refuse(struct tkt_request *req, enum tkt_err_class class,
                            const char *text)
{
    struct tkt_err err = TKT_ERR_INIT;

    tkt_err_set(&err, class, "%s", text);
    return tkt_request_fail(req, &err);
}

/* Until when reading and analysis may take. */
static int64_t work_deadline(const struct tkt_request *req)
{
    int64_t whole = req->deadline_mono_ms - req->start_us / 1000;

    return req->deadline_mono_ms - TKT_MIN(whole / 4, COMMIT_SHARE_MS);
}

/* ---- which desks ---------------------------------------------------------------------- */

/* -1: more desks than one message may have. */
static int add_desk(struct tkt_request *req, const struct tkt_conf_desk *desk,
                    const char *rcpt)
{
    size_t at = req->desk_count;

    for (size_t i = 0; i < req->desk_count; i++) {
        if (req->desks[i] == desk) {
            return 0;
        }
    }
    if (req->desk_count == TKT_REQUEST_DESKS_MAX) {
        return -1;
    }
    /* Desks of one configuration are one array: its order is the order of the file. */
    while (at > 0 && req->desks[at - 1] > desk) {
        req->desks[at] = req->desks[at - 1];
        req->desk_rcpts[at] = req->desk_rcpts[at - 1];
        at--;
    }
    req->desks[at] = desk;
    req->desk_rcpts[at] = rcpt;
    req->desk_count++;
    return 0;
}

/* The desk that a script names: 0, or -1 with why. Its recipient may be any mailbox. */
static int add_named_desk(struct tkt_request *req, const char *name, struct tkt_err *err)
{
    const struct tkt_conf_desk *desk = tkt_conf_desk(req->set->conf, name);
    const char *rcpt = req->wire.rcpt_count > 0 ? req->wire.rcpts[0].addr : "";

    if (!desk || desk->mode == TKT_MODE_OFF) {
        return tkt_err_set(err, TKT_ERR_PERM, "desk %.64s %s", name,
                           desk ? "is off" : "is not configured");
    }
    req->wire.other_rcpts = 0;
    return add_desk(req, desk, rcpt);
}

static int find_desks(struct tkt_request *req, struct tkt_err *err)
{
    if (*req->wire.wants.desk) {
        return add_named_desk(req, req->wire.wants.desk, err);
    }
    for (size_t i = 0; i < req->wire.rcpt_count; i++) {
        size_t sub;
        const char *addr = req->wire.rcpts[i].addr;
        const struct tkt_wire_desk *row =
            tkt_wire_desk_find(req->set->desk_index, addr, &sub);

        if (!row) {
            req->wire.other_rcpts++;
        } else if (add_desk(req, tkt_conf_desk(req->set->conf, row->name), addr) < 0) {
            return tkt_err_set(err, TKT_ERR_PERM, "more desks than one message may have");
        }
    }
    if (req->desk_count > 0) {
        return 0;
    }
    return *req->wire.wants.default_desk
               ? add_named_desk(req, req->wire.wants.default_desk, err)
               : tkt_err_set(err, TKT_ERR_PERM, "no recipient is a desk");
}

void tkt_request_desk_key(const struct tkt_request *req, size_t i,
                          unsigned char out[TKT_SHA256_LEN])
{
    char scope[TKT_REQUEST_SCOPE_MAX];

    if (!req->wire.per_recipient) {
        tkt_keyscan_desk_key(req->scan.key, req->desks[i]->name, out);
        return;
    }
    /* A name has no line end: no desk's own scope is like this. */
    snprintf(scope, sizeof(scope), "%s\n%s", req->desks[i]->name, req->desk_rcpts[i]);
    tkt_ascii_lower(scope);
    tkt_keyscan_desk_key(req->scan.key, scope, out);
}

/* Who is charged for the time that this message takes: the client; behind a relay of our
 * own, where all mail comes from one address, the sender's domain. */
static const char *client_key(const struct tkt_request *req)
{
    const char *addr = req->wire.client_addr;
    const char *at = strrchr(req->wire.sender, '@');

    if (*addr && strcmp(addr, "127.0.0.1") != 0 && strcmp(addr, "::1") != 0 &&
        strncmp(addr, "unix", 4) != 0) {
        return addr;
    }
    return at ? at + 1 : req->wire.hook;
}

/* ---- reading -------------------------------------------------------------------------- */

static char *keep_clean(struct tkt_request *req, const char *text)
{
    struct tkt_buf clean = TKT_BUF_INIT(4 * TKT_KEYSCAN_FIELD_MAX);
    char *kept = NULL;

    if (tkt_utf8_add_clean(&clean, text, strlen(text)) == 0) {
        kept = tkt_wire_arena_strdup(&req->arena, tkt_buf_str(&clean), clean.len);
    }
    tkt_buf_release(&clean);
    return kept;
}

static int keep_scan(struct tkt_request *req, const struct tkt_keyscan *scan,
                     const struct tkt_keyscan_result *r, struct tkt_err *err)
{
    struct tkt_request_scan *s = &req->scan;

    memcpy(s->key, r->key, sizeof(s->key));
    memcpy(s->head_key, r->head_key, sizeof(s->head_key));
    memcpy(s->message_id_hash.hash, r->message_id_hash, sizeof(s->message_id_hash.hash));
    s->has_head_key = r->has_head_key;
    s->blind = r->blind;
    s->is_list = r->is_list;
    s->is_report = r->is_report;
    s->points_back = r->ref_count > 0;
    s->auto_submitted = r->auto_submitted;
    s->security = r->security;
    s->from = keep_clean(req, r->from);
    s->subject = keep_clean(req, r->subject);
    s->message_id = keep_clean(req, r->message_id);
    if (!s->from || !s->subject || !s->message_id) {
        return tkt_err_set(err, TKT_ERR_TEMP, "no memory");
    }
    tkt_ascii_lower(s->from);
    for (size_t i = 0; i < req->desk_count; i++) {
        const struct tkt_conf_list *a = &req->desks[i]->addresses;

        req->in_to_cc[i] = tkt_keyscan_in_to_cc(scan, req->desk_rcpts[i]);
        for (size_t k = 0; k < a->count && !req->in_to_cc[i]; k++) {
            req->in_to_cc[i] = tkt_keyscan_in_to_cc(scan, a->items[k]);
        }
    }
    return 0;
}

static bool is_signed_by_us(struct tkt_request *req, const char *value)
{
    const struct tkt_settings *set = req->set;

    for (size_t i = 0; i < req->desk_count; i++) {
        const char *prefix = req->desks[i]->prefix;
        size_t n = strlen(prefix);
        const char *at = value + strspn(value, " \t\r\n");
        char id[TKT_XID_ID_MAX + 1];

        if (tkt_ascii_ieqn(at, prefix, n) && at[n] == '-' &&
            tkt_xid_verify(&set->keys, value, req->desks[i]->name, req->scan.key,
                           req->now_ms / 1000, set->conf->store.dedupe_keep_ms / 1000,
                           id) == TKT_TOKEN_VALID) {
            return true;
        }
    }
    return false;
}

/* Our own signed X-Ticket-ID on a message that comes back (a second hop, Sieve after the
 * milter): it verifies only with this message's key, so the key finds the same ticket.
 * Any other is a stranger's claim: it is deleted and counted. Each desk writes one field;
 * of a heap of claims no more than that is looked at, a signature costs hundreds of hashes. */
static int check_signed_ids(struct tkt_request *req, struct tkt_err *err)
{
    size_t looks = req->desk_count + SPARE_LOOKS;

    req->field_is_valid = tkt_wire_arena_alloc(&req->arena, req->wire.field_count + 1);
    if (!req->field_is_valid) {
        return tkt_err_set(err, TKT_ERR_TEMP, "no memory");
    }
    for (size_t i = 0; i < req->wire.field_count; i++) {
        const struct tkt_wire_field *f = &req->wire.fields[i];
        bool valid = false;

        if (tkt_ascii_ieq(f->name, "X-Ticket-ID")) {
            valid = looks > 0 && is_signed_by_us(req, f->value);
            looks -= looks > 0 ? 1 : 0;
            if (!valid) {
                atomic_fetch_add(&req->d->stats.forged_ids, 1);
                tkt_log(TKT_LOG_NOTICE, req->wire.queue_id, "xid.invalid", "hook",
                        req->wire.hook, "sender", req->wire.sender, NULL);
            }
        }
        req->field_is_valid[i] = valid;
    }
    return 0;
}

static int read_message(struct tkt_request *req, struct tkt_tools *tools,
                        struct tkt_err *err)
{
    /* Behind the MTA its Received field tells, and more exactly than submit could. */
    bool is_milter = strcmp(req->wire.hook, "milter") == 0;
    const struct tkt_keyscan_hints hints = {.queue_id =
                                                is_milter ? req->wire.queue_id : "",
                                            .mta_host = req->wire.mta_host,
                                            .mail_time_s = req->wire.mail_time_s,
                                            .sender = req->wire.sender};
    const struct tkt_keyscan_result *result = NULL;
    struct tkt_keyscan *scan = tkt_tools_scan(tools, &req->set->own, &hints, err);
    int fd = req->packet.fd_count > 0 ? req->packet.fds[0] : -1;

    if (!scan ||
        tkt_incoming_read(&req->message, fd, &req->set->conf->limits, req->d->store_dir,
                          scan, work_deadline(req), &result, err) < 0 ||
        keep_scan(req, scan, result, err) < 0) {
        return -1;
    }
    req->was_read = true;
    return check_signed_ids(req, err);
}

/* ---- analysis ------------------------------------------------------------------------- */

static bool every_desk_knows(struct tkt_request *req, struct tkt_tools *tools)
{
    struct tkt_store_desk_out out;

    if (!req->wire.dry_run && !tkt_recent_may_have(&req->d->recent, req->scan.key)) {
        return false;
    }
    struct tkt_reader *reader = tkt_tools_reader(tools, NULL);

    for (size_t i = 0; reader && i < req->desk_count; i++) {
        unsigned char key[TKT_SHA256_LEN];

        tkt_request_desk_key(req, i, key);
        if (req->desks[i]->reply_to_add || /* its edit needs the parsed Reply-To */
            tkt_reader_key(reader, req->desks[i]->name, key,
                           req->scan.has_head_key ? req->scan.head_key : NULL,
                           req->now_ms, &out, NULL) != 1) {
            return false;
        }
    }
    return reader != NULL;
}

static const char **list_rcpts(struct tkt_request *req)
{
    const char **rcpts =
        tkt_wire_arena_alloc(&req->arena, (req->wire.rcpt_count + 1) * sizeof(*rcpts));

    for (size_t i = 0; rcpts && i < req->wire.rcpt_count; i++) {
        rcpts[i] = req->wire.rcpts[i].addr;
    }
    return rcpts;
}

struct gather {
    struct tkt_facts_in in;
    struct tkt_buf *kept; /* or NULL */
};

/* Called a second time when the first was a guess: the last facts are the message's. */
static int gather(void *arg, const struct tkt_message *msg, struct tkt_facts *facts,
                  struct tkt_err *err)
{
    struct gather *g = arg;
    int rc = tkt_facts_gather(&g->in, msg, facts, err);

    if (rc == 0 && g->kept) {
        tkt_buf_reset(g->kept);
        (void)tkt_facts_encode(facts, g->kept); /* kept->failed tells */
    }
    return rc;
}

static void analyse(struct tkt_request *req, struct tkt_tools *tools)
{
    const struct tkt_conf *conf = req->set->conf;
    struct tkt_err err = TKT_ERR_INIT;
    struct tkt_facts_in facts = {.tools = tools,
                                 .conf = conf,
                                 .keys = &req->set->keys,
                                 .desks = req->desks,
                                 .desk_count = req->desk_count,
                                 .rcpts = list_rcpts(req),
                                 .rcpt_count = req->wire.rcpt_count,
                                 .sender = req->wire.sender,
                                 .auth_login = req->wire.auth_login,
                                 .tls_subject = req->wire.tls_subject,
                                 .now_s = req->now_ms / 1000,
                                 .prints = req->d->prints,
                                 .people = req->d->people,
                                 .senders = req->d->senders,
                                 .found = &req->found};
    const struct tkt_analyse_in in = {
        .raw = req->message.raw,
        .raw_len = req->message.raw_len,
        .fd = req->message.has_blob ? req->message.blob.fd : -1,
        .size = req->message.size,
        .null_sender = *req->wire.sender == '\0',
        /* What an agent writes may say that it is for colleagues alone. */
        .with_text = (conf->llm.is_inline && *conf->llm.url != '\0') ||
                     tkt_facts_is_agent(conf, req->scan.from),
        .expected_from = req->scan.points_back ? NULL : req->scan.from,
        /* All large mail together has half of the children: small mail never waits for
         * it, also when both come from one gateway. */
        .client_key = req->message.has_blob ? "large" : client_key(req),
        .deadline_mono_ms = work_deadline(req)};

    tkt_tools_forget_person(tools); /* of the message before this one */
    struct gather how = {.in = facts};
    if (tkt_shadow_wants(req->d->shadow)) {
        tkt_buf_init(&req->facts, TKT_FACTS_WIRE_MAX);
        how.kept = &req->facts;
    }
    if (!req->d->pool || !facts.rcpts) {
        tkt_err_set(&err, TKT_ERR_TEMP, "no parser is running");
    } else if (tkt_clock_mono_us() / 1000 - req->start_us / 1000 >
               conf->parser.queue_wait_ms + conf->parser.budget_ms) {
        tkt_err_set(&err, TKT_ERR_TEMP, "no parser was free in time");
    } else if (tkt_parserpool_analyse(req->d->pool, &in, gather, &how, &req->analysis,
                                      &err) == 0) {
        if (req->analysis.decisions.count == req->desk_count) {
            req->analysed = true;
            return;
        }
        tkt_analysis_release(&req->analysis);
        tkt_err_set(&err, TKT_ERR_BUG, "as many decisions as desks were expected");
    }
    snprintf(req->analysis_error, sizeof(req->analysis_error), "%.199s", err.text);
    atomic_fetch_add(&req->d->stats.unanalysed, 1);
}

/* ---- commit --------------------------------------------------------------------------- */

static int apply_reserve(struct tkt_store *store, void *arg, struct tkt_err *err)
{
    struct tkt_request *req = arg;

    return tkt_store_reserve(store, &req->in, &req->out, err);
}

static enum tkt_step commit(struct tkt_request *req)
{
    struct tkt_err err = TKT_ERR_INIT;

    if (req->message.has_blob && tkt_blob_commit(&req->message.blob, &err) < 0) {
        return tkt_request_fail(req, &err);
    }
    if (tkt_reserve_prepare(req, &err) < 0) {
        return tkt_request_fail(req, &err);
    }
    req->item.apply = apply_reserve;
    req->item.arg = req;
    req->item.bytes = req->message.raw_len + 4096 * req->desk_count;
    return TKT_STEP_COMMIT;
}

/* Reads the earlier message and adds a verdict; past the cap the head key is given up,
 * so that a flood of like heads costs no more than that. */
static enum tkt_step compare(struct tkt_request *req, struct tkt_tools *tools)
{
    struct tkt_err err = TKT_ERR_INIT;
    struct tkt_buf raw = TKT_BUF_INIT((size_t)req->set->conf->limits.message_max + 1);
    struct tkt_copies_text *ours = tkt_copies_new();
    struct tkt_copies_text *theirs = tkt_copies_new();
    struct tkt_reader *reader = tkt_tools_reader(tools, &err);
    TKT_AUTO_FD int fd = -1;
    TKT_AUTO_FD int own = -1;
    enum tkt_step step = TKT_STEP_COMMIT;
    int rc = -1;

    if (!ours || !theirs) {
        tkt_err_set(&err, TKT_ERR_TEMP, "no memory");
        goto out;
    }
    if (!reader || tkt_reader_raw(reader, req->out.compare, &raw, &fd, &err) < 0) {
        goto out;
    }
    if (req->message.raw) {
        tkt_copies_add(ours, req->message.raw, req->message.raw_len);
    } else { /* its descriptor went with the commit of the blob */
        own = tkt_blob_open(req->d->store_dir, req->message.blob.name, &err);
        if (own < 0 || tkt_copies_add_fd(ours, own, req->message.size, &err) < 0) {
            goto out;
        }
    }
    if (fd < 0) {
        tkt_copies_add(theirs, raw.data, raw.len);
    } else if (tkt_copies_add_fd(theirs, fd, (uint64_t)lseek(fd, 0, SEEK_END), &err) <
               0) {
        goto out;
    }
    rc = 0;
out:
    if (rc < 0 &&
        err.class == TKT_ERR_TEMP) { /* else a copy would become a second ticket */
        step = tkt_request_fail(req, &err);
    } else if (req->in.verdict_count == TKT_REQUEST_VERDICTS_MAX) {
        req->in.has_head_key = false;
    } else {
        /* What cannot be read any more (erased) cannot be a copy of this. */
        req->verdicts[req->in.verdict_count++] = (struct tkt_store_verdict){
            .message = req->out.compare,
            .is_copy = rc == 0 && tkt_copies_is_copy(ours, theirs)};
        req->in.verdicts = req->verdicts;
    }
    tkt_copies_free(&ours);
    tkt_copies_free(&theirs);
    tkt_buf_release(&raw);
    return step;
}

/* ---- steps ---------------------------------------------------------------------------- */

/* Behind the reading: nothing here may wait for a parser in the intake thread. */
static enum tkt_step after_read(struct tkt_request *req)
{
    if (req->message.truncated && tkt_reserve_too_large(req) == TKT_STEP_REPLY) {
        return TKT_STEP_REPLY;
    }
    return commit(req);
}

enum tkt_step tkt_reserve_begin(struct tkt_request *req, struct tkt_tools *tools)
{
    const struct tkt_conf *conf = req->set->conf;
    struct tkt_err err = TKT_ERR_INIT;

    if (req->wire.generation && req->wire.generation != req->set->generation) {
        atomic_fetch_add(&req->d->stats.stale, 1);
        req->reply.status = TKT_WIRE_STALE;
        req->reply.text = (char *)"the configuration is a newer one: HELLO first";
        return TKT_STEP_REPLY;
    }
    if (req->wire.rcpt_count > (size_t)conf->limits.recipients_max) {
        return refuse(req, TKT_ERR_PERM, "more recipients than limits.recipients_max");
    }
    if (req->packet.fd_count != 1) {
        return refuse(req, TKT_ERR_PERM, "RESERVE needs exactly one message descriptor");
    }
    if (find_desks(req, &err) < 0) {
        return tkt_request_fail(req, &err);
    }
    req->work.key = tkt_work_key(client_key(req));
    req->work.heavy = !tkt_incoming_is_small(req->packet.fds[0], &conf->limits);
    if (conf->analyse || req->wire.dry_run || req->wire.personal ||
        !tkt_incoming_is_quick(req->packet.fds[0], &conf->limits)) {
        return TKT_STEP_WORK;
    }
    if (read_message(req, tools, &err) < 0) {
        return tkt_request_fail(req, &err);
    }
    return after_read(req);
}

/* A user's own script: so many new tickets an hour, whatever sub-address they came to. */
static bool personal_may(struct tkt_request *req)
{
    const char *user = *req->wire.queue_id ? req->wire.queue_id : req->desk_rcpts[0];

    return !req->wire.personal || req->known || req->wire.dry_run ||
           tkt_rate_take(&req->d->personal_rate, user,
                         (unsigned)req->set->conf->limits.personal_rate, req->now_ms);
}

enum tkt_step tkt_reserve_work(struct tkt_request *req, struct tkt_tools *tools)
{
    struct tkt_err err = TKT_ERR_INIT;

    if (req->out.result == TKT_RESERVE_COMPARE) {
        req->out.result = TKT_RESERVE_DONE;
        return compare(req, tools);
    }
    if (!req->was_read && read_message(req, tools, &err) < 0) {
        return tkt_request_fail(req, &err);
    }
    if (!req->message.truncated) {
        req->known = every_desk_knows(req, tools);
    }
    if (!personal_may(req)) {
        return refuse(req, TKT_ERR_PERM,
                      "more tickets an hour than limits.personal_rate allows a "
                      "personal script");
    }
    if (!req->message.truncated && req->set->conf->analyse &&
        (!req->known || req->wire.dry_run)) {
        analyse(req, tools);
        tkt_refine_inline(req, tools);
    }
    if (req->wire.dry_run) {
        return tkt_reserve_dry(req, tools);
    }
    if (tkt_reserve_refused(req) == TKT_STEP_REPLY) {
        return TKT_STEP_REPLY;
    }
    return after_read(req);
}

/* What the next mails of this sender and at these desks are compared with. */
static void remember(struct tkt_request *req)
{
    bool is_new = false;

    for (size_t i = 0; req->analysed && i < req->desk_count; i++) {
        const struct tkt_store_desk_out *out = &req->out.desks[i];

        if (strcmp(out->status, "created") == 0 || out->joined) {
            tkt_prints_add(req->d->prints, req->desks[i]->name, out->ticket,
                           req->scan.from, req->traces.print, req->now_ms);
            is_new = true;
        }
        is_new = is_new || strcmp(out->status, "appended") == 0 ||
                 strcmp(out->status, "pending") == 0;
    }
    if (is_new) {
        tkt_senders_note(req->d->senders, &req->analysis.msg);
    }
}

/* Only what was decided just now: a copy of an earlier mail was not. */
static void offer_to_shadow(const struct tkt_request *req)
{
    if (!req->analysed || req->facts.max == 0 ||
        strcmp(req->out.desks[0].status, "existing") == 0) {
        return;
    }
    const struct tkt_shadow_mail mail = {.raw = req->message.raw,
                                         .raw_len = req->message.raw_len,
                                         .null_sender = *req->wire.sender == '\0',
                                         .facts = &req->facts,
                                         .decisions = &req->analysis.decisions,
                                         .ticket = req->out.desks[0].id,
                                         .now_ms = req->now_ms};
    tkt_shadow_offer(req->d->shadow, &mail);
}

enum tkt_step tkt_reserve_committed(struct tkt_request *req)
{
    if (req->out.result == TKT_RESERVE_COMPARE) {
        return TKT_STEP_WORK;
    }
    tkt_recent_add(&req->d->recent, req->scan.key);
    offer_to_shadow(req);
    tkt_limits_charge(req);
    remember(req);
    return tkt_reserve_reply(req);
}
