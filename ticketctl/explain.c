/* SPDX-License-Identifier: BSD-2-Clause
 * Reads a message, asks ticketd for what it knows of it (if it answers), and runs the
 * same decision and the same header edits as ticketd would. Nothing is written. */
#include "ticketctl/explain.h"
#include "base/enc.h"
#include "base/fs.h"
#include "base/util.h"
#include "decide/policy.h"
#include "decide/rules.h"
#include "message/parse.h"
#include "message/redact.h"
#include "ticketctl/out.h"
#include "ticketd/core/roster.h"

#include <string.h>

#define JSON_MAX (32U * 1024 * 1024)

static int no_memory(void)
{
    return tkt_ctl_fail(EX_OSERR, "out of memory");
}

static bool is_plain_address(const char *s)
{
    return strchr(s, '@') != NULL &&
           strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                     "@._+=-") == strlen(s);
}

/* Without a configuration: what an empty one with a single desk would do. */
static int stand_in(struct tkt_ctl_explain *e)
{
    const char *rcpt = tkt_ctl_opt(e->ctl, "rcpt");
    char text[1024];
    char path[64];
    struct tkt_err err = TKT_ERR_INIT;
    snprintf(text, sizeof text,
             "desk \"support\" {\n addresses = {\"%.300s\"}\n prefix = \"IT\"\n}\n",
             rcpt != NULL && is_plain_address(rcpt) ? rcpt : "support@example.invalid");
    TKT_AUTO_FD int fd = tkt_memfd_sealed("defaults", text, strlen(text), &err);
    if (fd < 0) {
        return tkt_ctl_fail_err(&err);
    }
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    e->ctl->conf = tkt_conf_load(path, &err);
    return e->ctl->conf != NULL ? 0 : tkt_ctl_fail_err(&err);
}

static int load_conf(struct tkt_ctl_explain *e)
{
    bool named = tkt_ctl_opt(e->ctl, "config") != NULL;
    e->has_conf = named || access(tkt_ctl_conf_path(e->ctl), R_OK) == 0;
    return e->has_conf ? tkt_ctl_conf(e->ctl) : stand_in(e);
}

static void add_rows(struct tkt_ctl_explain *e)
{
    const struct tkt_conf *conf = e->ctl->conf;
    for (size_t i = 0; i < conf->desk_count; i++) {
        const struct tkt_conf_desk *d = &conf->desks[i];
        for (size_t k = 0; k < d->addresses.count; k++) {
            e->row_desks[e->row_count] = d;
            e->rows[e->row_count++] = (struct tkt_wire_desk){
                .name = d->name,
                .address = d->addresses.items[k],
                .delimiters = conf->recipient_delimiter,
                .on_failure_accept = d->on_failure == TKT_ON_FAILURE_ACCEPT,
                .off = d->mode == TKT_MODE_OFF};
        }
        e->prefixes[e->prefix_count++] = d->prefix;
    }
}

static int open_desks(struct tkt_ctl_explain *e)
{
    size_t rows = 1;
    for (size_t i = 0; i < e->ctl->conf->desk_count; i++) {
        rows += e->ctl->conf->desks[i].addresses.count;
    }
    e->rows = calloc(rows, sizeof *e->rows);
    e->row_desks = calloc(rows, sizeof *e->row_desks);
    e->prefixes = calloc(e->ctl->conf->desk_count + 1, sizeof *e->prefixes);
    if (e->rows == NULL || e->row_desks == NULL || e->prefixes == NULL) {
        return no_memory();
    }
    add_rows(e);
    e->index = tkt_wire_desks_index(e->rows, e->row_count);
    return e->index != NULL ? 0 : no_memory();
}

static int read_fields(struct tkt_ctl_explain *e)
{
    struct tkt_err err = TKT_ERR_INIT;
    struct tkt_ctl_explained *x = e->x;
    if (tkt_ctl_mail_fields(&x->mail, &x->arena, &x->req.fields, &x->req.field_count,
                            &err) < 0) {
        tkt_err_prefix(&err, "%s", x->place->file);
        return tkt_ctl_fail_err(&err);
    }
    return 0;
}

static int parse(struct tkt_ctl_explain *e)
{
    struct tkt_err err = TKT_ERR_INIT;
    const struct tkt_conf *conf = e->ctl->conf;
    const char *from = tkt_ctl_opt(e->ctl, "from");
    struct tkt_message_source src = {
        .data = NULL, .fd = e->x->mail.fd, .size = e->x->mail.size};
    struct tkt_message_options opt = {
        .authserv_ids = (const char *const *)conf->authserv_ids.items,
        .authserv_id_count = conf->authserv_ids.count,
        .arc_sealers = (const char *const *)conf->arc_sealers.items,
        .arc_sealer_count = conf->arc_sealers.count,
        .prefixes = e->prefixes,
        .prefix_count = e->prefix_count,
        .null_sender = from != NULL && (from[0] == '\0' || strcmp(from, "<>") == 0)};
    const struct tkt_strings *fields = tkt_rules_fields(e->policy->rules);
    opt.keep = (const char *const *)fields->items;
    opt.keep_count = fields->count;
    tkt_message_limits_from(&conf->limits, &opt.limits);
    if (tkt_message_parse(&src, &opt, &e->x->msg, &err) < 0) {
        return tkt_ctl_fail_err(&err);
    }
    e->x->req.sender =
        from == NULL ? e->x->msg.from.address : (opt.null_sender ? "" : from);
    e->x->facts.null_sender = opt.null_sender;
    return 0;
}

static const struct tkt_conf_desk *desk_of(const struct tkt_ctl_explain *e,
                                           const char *rcpt)
{
    size_t sub;
    const struct tkt_wire_desk *row = tkt_wire_desk_find(e->index, rcpt, &sub);
    return row != NULL && !row->off ? e->row_desks[row - e->rows] : NULL;
}

static bool addresses_hold(const struct tkt_addresses *list,
                           const struct tkt_ctl_explain *e,
                           const struct tkt_conf_desk *desk)
{
    for (size_t i = 0; i < list->count; i++) {
        if (desk_of(e, list->items[i].address) == desk) {
            return true;
        }
    }
    return false;
}

static const char *mailbox_of(const struct tkt_conf *conf, const char *group)
{
    const struct tkt_conf_group *g = tkt_conf_group(conf, group);
    return g != NULL ? g->mailbox : "";
}

/* One recipient: a row of the envelope, and its desk if it is the desk's first. */
static int add_rcpt(struct tkt_ctl_explain *e, const char *rcpt, const char **first)
{
    struct tkt_ctl_explained *x = e->x;
    const struct tkt_conf_desk *desk = desk_of(e, rcpt);
    if (desk == NULL) {
        x->req.other_rcpts++;
        return 0;
    }
    if (x->req.rcpt_count == TKT_WIRE_RCPTS_MAX) {
        return tkt_ctl_fail(EX_DATAERR, "more than %d recipients", TKT_WIRE_RCPTS_MAX);
    }
    x->req.rcpts[x->req.rcpt_count++] = (struct tkt_wire_rcpt){rcpt, false};
    size_t at = (size_t)(desk - e->ctl->conf->desks);
    if (first[at] == NULL) {
        first[at] = rcpt;
    }
    return 0;
}

static int add_list(struct tkt_ctl_explain *e, const struct tkt_addresses *list,
                    const char **first)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < list->count; i++) {
        rc = add_rcpt(e, list->items[i].address, first);
    }
    return rc;
}

/* -r, else the desks that stand in To and Cc. Without a configuration the desk is
 * whoever the mail is for. */
static int add_rcpts(struct tkt_ctl_explain *e, const char **first)
{
    int rc = 0;
    if (tkt_ctl_opt(e->ctl, "rcpt") == NULL) {
        if (!e->has_conf) {
            return add_rcpt(e, e->rows[0].address, first);
        }
        rc = add_list(e, &e->x->msg.to, first);
        return rc != 0 ? rc : add_list(e, &e->x->msg.cc, first);
    }
    for (size_t i = 0; rc == 0 && i < e->ctl->value_count; i++) {
        if (strcmp(e->ctl->values[i].opt->name, "rcpt") == 0) {
            rc = add_rcpt(e, e->ctl->values[i].value, first);
        }
    }
    return rc;
}

static int find_desks(struct tkt_ctl_explain *e)
{
    struct tkt_ctl_explained *x = e->x;
    const struct tkt_conf *conf = e->ctl->conf;
    TKT_AUTO_FREE const char **first = calloc(conf->desk_count + 1, sizeof *first);
    x->req.rcpts =
        tkt_wire_arena_alloc(&x->arena, TKT_WIRE_RCPTS_MAX * sizeof *x->req.rcpts);
    if (first == NULL || x->req.rcpts == NULL) {
        return no_memory();
    }
    int rc = add_rcpts(e, first);
    for (size_t i = 0; rc == 0 && i < conf->desk_count; i++) {
        const struct tkt_conf_desk *d = &conf->desks[i];
        if (first[i] != NULL && x->desk_count < TKT_EDIT_DESKS_MAX) {
            x->desks[x->desk_count++] = (struct tkt_edit_desk){
                .conf = d,
                .rcpt = first[i],
                .reply_address = first[i],
                .in_to_cc = !e->has_conf || addresses_hold(&x->msg.to, e, d) ||
                            addresses_hold(&x->msg.cc, e, d)};
        }
    }
    return rc;
}

const char *tkt_ctl_explain_ticket(const struct tkt_ctl_explained *x, int64_t ticket)
{
    const struct tkt_facts *f = &x->facts;
    for (size_t i = 0; i < f->candidate_count; i++) {
        if (f->candidates[i].ticket == ticket) {
            return f->candidates[i].id;
        }
    }
    return "?";
}

/* The number of a new ticket is known once it exists: it is shown as N. */
static int fill_desk(struct tkt_ctl_explain *e, struct tkt_edit_desk *desk,
                     const struct tkt_decision *d)
{
    static const char *const statuses[] = {
        [TKT_ACTION_NEW] = "created",     [TKT_ACTION_NEW_LINKED] = "created",
        [TKT_ACTION_APPEND] = "appended", [TKT_ACTION_APPEND_UNVERIFIED] = "appended",
        [TKT_ACTION_IGNORE] = "refused",  [TKT_ACTION_REFUSE] = "refused",
    };
    char text[160];
    bool appends =
        d->action == TKT_ACTION_APPEND || d->action == TKT_ACTION_APPEND_UNVERIFIED;
    desk->status = statuses[d->action];
    if (d->action == TKT_ACTION_IGNORE) {
        desk->id = "";
    } else if (appends) {
        desk->id = tkt_ctl_explain_ticket(e->x, d->ticket);
    } else {
        snprintf(text, sizeof text, "%s-N", desk->conf->prefix);
        desk->id = tkt_wire_arena_strdup(&e->x->arena, text, strlen(text));
    }
    snprintf(text, sizeof text, "%s; k=K; h=H", desk->id != NULL ? desk->id : "");
    desk->xid = tkt_wire_arena_strdup(&e->x->arena, text, strlen(text));
    desk->group = d->group;
    desk->priority = d->priority;
    desk->group_mailbox = mailbox_of(e->ctl->conf, d->group);
    return desk->id != NULL && desk->xid != NULL ? 0 : no_memory();
}

static int decide(struct tkt_ctl_explain *e)
{
    struct tkt_ctl_explained *x = e->x;
    struct tkt_err err = TKT_ERR_INIT;
    if (tkt_decide(&x->msg, &x->facts, e->policy, &x->decisions, &err) < 0) {
        return tkt_ctl_fail_err(&err);
    }
    struct tkt_roster *roster = tkt_roster_new(e->ctl->conf, NULL, &err);
    if (roster == NULL) {
        return tkt_ctl_fail_err(&err);
    }
    int routed = 0;
    for (size_t i = 0; routed == 0 && i < x->decisions.count; i++) {
        struct tkt_decision *d = &x->decisions.items[i];
        bool opens = d->action == TKT_ACTION_NEW || d->action == TKT_ACTION_NEW_LINKED;
        routed = opens
                     ? tkt_assign_route(roster, x->facts.person.department, d, &x->arena)
                     : 0;
    }
    tkt_roster_free(&roster);
    if (routed < 0) {
        return no_memory();
    }
    for (size_t i = 0; i < x->desk_count; i++) {
        int rc = fill_desk(e, &x->desks[i], &x->decisions.items[i]);
        if (rc != 0) {
            return rc;
        }
    }
    struct tkt_edit_in in = {.req = &x->req,
                             .own = {e->prefixes, e->prefix_count},
                             .desks = x->desks,
                             .desk_count = x->desk_count,
                             .class = x->msg.class,
                             .security = x->msg.security,
                             .is_list = x->msg.class == TKT_CLASS_LIST,
                             .from = x->msg.from.address,
                             .reply_to = &x->msg.reply_to};
    if (x->desk_count > 0 && tkt_edit_build(&in, &x->arena, &x->edits, &x->edit_count,
                                            &x->subject, &err) < 0) {
        return tkt_ctl_fail_err(&err);
    }
    return 0;
}

/* A text of the message as it may leave; "" when nothing is there. */
static int redact_text(struct tkt_ctl_explain *e, char **text)
{
    const struct tkt_conf_redact *c = &e->ctl->conf->redact;
    struct tkt_redact_rules rules = {.cards = c->cards,
                                     .ibans = c->ibans,
                                     .passwords = c->passwords,
                                     .patterns = (const char *const *)c->patterns.items,
                                     .pattern_count = c->patterns.count};
    size_t n = strlen(*text);
    TKT_AUTO_BUF struct tkt_buf out = TKT_BUF_INIT(TKT_REDACT_GROWTH * n + 64);
    if (tkt_redact_add(&out, *text, n, &rules, NULL) < 0) {
        return no_memory();
    }
    char *kept = tkt_wire_arena_strdup(&e->x->arena, tkt_buf_str(&out), out.len);
    *text = kept;
    return kept != NULL ? 0 : no_memory();
}

/* For the eye: decided is by the whole text. */
static int redact(struct tkt_ctl_explain *e)
{
    struct tkt_message *msg = &e->x->msg;
    char **texts[] = {&msg->text, &msg->reply_text, &msg->signature, &msg->quoted,
                      &msg->forwarded.text};
    int rc = 0;
    if (tkt_ctl_opt(e->ctl, "redacted") == NULL) {
        return 0;
    }
    for (size_t i = 0; rc == 0 && i < TKT_ARRAY_LEN(texts); i++) {
        rc = redact_text(e, texts[i]);
    }
    e->x->show_text = true;
    return rc;
}

static int print(const struct tkt_ctl_explain *e)
{
    if (!e->ctl->json) {
        tkt_ctl_explain_text(e->x, stdout);
        return 0;
    }
    TKT_AUTO_BUF struct tkt_buf out = TKT_BUF_INIT(JSON_MAX);
    if (tkt_ctl_explain_json(e->x, &out) < 0) {
        return no_memory();
    }
    tkt_ctl_put_json_line(stdout, tkt_buf_str(&out), out.len);
    return 0;
}

static void explain_mail(void *ctx, const struct tkt_ctl_place *place,
                         struct tkt_ctl_mail *mail, const struct tkt_err *err)
{
    static int (*const steps[])(struct tkt_ctl_explain *) = {
        read_fields, parse, find_desks, tkt_ctl_explain_facts, decide, redact};
    struct tkt_ctl_explain *e = ctx;
    struct tkt_ctl_explained x = {.place = place,
                                  .has_conf = e->has_conf,
                                  .mail = *mail,
                                  .policy = e->policy,
                                  .generation = e->ctl->conf->generation};
    int rc = 0;
    x.req.leadspc = true;
    e->x = &x;
    if (err != NULL) {
        struct tkt_err told = *err;
        tkt_err_prefix(&told, "%s", place->file);
        rc = tkt_ctl_fail_err(&told);
    }
    for (size_t i = 0; rc == 0 && i < TKT_ARRAY_LEN(steps); i++) {
        rc = steps[i](e);
    }
    if (rc == 0) {
        rc = print(e);
    }
    e->worst = rc != 0 ? rc : e->worst;
    tkt_decisions_release(&x.decisions);
    tkt_message_release(&x.msg);
    tkt_ctl_mail_release(&x.mail);
    tkt_wire_arena_release(&x.arena);
}

static void explain_path(struct tkt_ctl_explain *e, const char *path)
{
    struct tkt_err err = TKT_ERR_INIT;
    uint64_t max = (uint64_t)e->ctl->conf->limits.message_max;
    if (tkt_ctl_mailbox_each(path, max, explain_mail, e, &err) < 0) {
        int rc = err.class == TKT_ERR_PERM ? tkt_ctl_fail(EX_NOINPUT, "%s", err.text)
                                           : tkt_ctl_fail_err(&err);
        e->worst = rc;
    }
}

int tkt_ctl_explain(struct tkt_ctl *ctl)
{
    if (tkt_ctl_is_ticket_id(ctl->pos[0])) {
        return tkt_ctl_decided(ctl);
    }
    struct tkt_ctl_explain e = {.ctl = ctl};
    struct tkt_err err = TKT_ERR_INIT;
    e.worst = load_conf(&e);
    if (e.worst == 0) {
        e.worst = open_desks(&e);
    }
    if (e.worst == 0 && tkt_message_parser_init(&err) < 0) {
        e.worst = tkt_ctl_fail_err(&err);
    }
    if (e.worst == 0 && tkt_ctl_policy_load(ctl->conf, NULL, &e.policy, &err) < 0) {
        e.worst = tkt_ctl_fail_err(&err);
    }
    bool ready = e.worst == 0;
    for (int i = 0; ready && i < ctl->pos_count; i++) {
        explain_path(&e, ctl->pos[i]);
    }
    tkt_policy_free(&e.policy);
    tkt_wire_desks_index_free(&e.index);
    free(e.rows);
    free(e.row_desks);
    free(e.prefixes);
    return e.worst;
}
