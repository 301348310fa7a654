/* SPDX-License-Identifier: BSD-2-Clause
 * The third hook: a message on standard input becomes a ticket before we exit with 0.
 *
 * The exit code is what a queue manager acts on. Whatever may pass by itself or by an
 * admin's hand (no daemon, wrong configuration, no disk) is EX_TEMPFAIL: the mail stays
 * queued. Only what is wrong with the message or its recipients is permanent. */
#include "base/clock.h"
#include "base/enc.h"
#include "base/util.h"
#include "ticketctl/ctl.h"
#include "ticketctl/mail.h"
#include "ticketctl/missed.h"
#include "ticketctl/out.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#define REMAINING_S 10
#define MESSAGE_MAX (256U * 1024 * 1024) /* until ticketd told its own limit */
#define STALE_TRIES 3

struct submit {
    struct tkt_ctl *ctl;
    struct tkt_wire_client *client;
    int64_t remaining_ms;
    int64_t deadline_ms; /* monotonic */
    struct tkt_wire_request req;
    struct tkt_wire_reply hello;
    struct tkt_wire_reply reply;
    struct tkt_ctl_mail mail;
    int out; /* --output, or -1 */
};

/* Sender forms that stand for the null sender: pipe(8) says MAILER-DAEMON unless its
 * null_sender= is empty, and no address that can be answered has no domain. */
static const char *sender_of(const char *s)
{
    return strcmp(s, "<>") == 0 || strcmp(s, "MAILER-DAEMON") == 0 ? "" : s;
}

static int envelope_char_check(const char *s)
{
    for (; *s != '\0'; s++) {
        if ((unsigned char)*s < 0x20 || *s == 0x7f) {
            return tkt_ctl_fail(EX_DATAERR, "an address holds control characters");
        }
    }
    return 0;
}

/* The address without <>, in the arena. */
static char *bare(struct submit *s, const char *addr)
{
    size_t n = strlen(addr);
    if (n >= 2 && addr[0] == '<' && addr[n - 1] == '>') {
        addr++;
        n -= 2;
    }
    return tkt_wire_arena_strdup(&s->req.arena, addr, n);
}

static int add_rcpt(struct submit *s, const struct tkt_wire_desk_index *desks,
                    const char *addr)
{
    size_t sub;
    int rc = envelope_char_check(addr);
    if (rc != 0) {
        return rc;
    }
    char *copy = bare(s, addr);
    if (copy == NULL) {
        return tkt_ctl_fail(EX_TEMPFAIL, "out of memory");
    }
    if (tkt_wire_desk_find(desks, copy, &sub) == NULL) {
        s->req.other_rcpts++;
        if (!s->ctl->quiet) {
            (void)tkt_ctl_fail(0, "note: %s is no desk", copy);
        }
        return 0;
    }
    if (s->req.rcpt_count == TKT_WIRE_RCPTS_MAX) {
        return tkt_ctl_fail(EX_DATAERR, "more than %d recipients", TKT_WIRE_RCPTS_MAX);
    }
    s->req.rcpts[s->req.rcpt_count++] = (struct tkt_wire_rcpt){copy, false};
    return 0;
}

static int add_rcpts(struct submit *s)
{
    struct tkt_wire_desk_index *desks =
        tkt_wire_desks_index(s->hello.desks, s->hello.desk_count);
    s->req.rcpts =
        tkt_wire_arena_alloc(&s->req.arena, TKT_WIRE_RCPTS_MAX * sizeof *s->req.rcpts);
    int rc = 0;
    s->req.rcpt_count = 0;
    s->req.other_rcpts = 0;
    if (desks == NULL || s->req.rcpts == NULL) {
        rc = tkt_ctl_fail(EX_TEMPFAIL, "out of memory");
    }
    for (size_t i = 0; rc == 0 && i < s->ctl->value_count; i++) {
        if (strcmp(s->ctl->values[i].opt->name, "rcpt") == 0) {
            rc = add_rcpt(s, desks, s->ctl->values[i].value);
        }
    }
    for (int i = 0; rc == 0 && i < s->ctl->pos_count; i++) {
        rc = add_rcpt(s, desks, s->ctl->pos[i]);
    }
    tkt_wire_desks_index_free(&desks);
    if (rc == 0 && s->req.rcpt_count == 0) {
        rc = tkt_ctl_fail(EX_NOUSER, "none of the recipients is a desk");
    }
    return rc;
}

static const char *opt_text(const struct submit *s, const char *name)
{
    const char *value = tkt_ctl_opt(s->ctl, name);
    return value != NULL ? value : "";
}

static void fill_facts(struct submit *s, const char *host)
{
    s->req.verb = TKT_WIRE_RESERVE;
    s->req.hook = "submit";
    s->req.mta_host = host;
    s->req.sender = sender_of(opt_text(s, "from"));
    s->req.queue_id = opt_text(s, "queue-id");
    s->req.client_addr = opt_text(s, "client-addr");
    s->req.client_name = opt_text(s, "client-name");
    s->req.helo = opt_text(s, "helo");
    s->req.auth_login = opt_text(s, "login");
    s->req.tls = s->req.tls_subject = s->req.hold = s->req.token = s->req.rcpt =
        (char *)"";
    s->req.mail_time_s = tkt_clock_wall_ms() / 1000;
    s->req.leadspc = true;
    s->req.dry_run = tkt_ctl_opt(s->ctl, "dry-run") != NULL;
}

static int call(struct submit *s, int fd, struct tkt_wire_reply *reply)
{
    struct tkt_err err = TKT_ERR_INIT;
    int64_t left = s->deadline_ms - tkt_clock_mono_ms();
    s->req.remaining_ms = left > 0 ? (uint32_t)left : 1;
    if (tkt_wire_call(s->client, &s->req, fd, s->deadline_ms, 0, NULL, NULL, reply,
                      &err) < 0) {
        return tkt_ctl_fail(EX_TEMPFAIL,
                            "ticketd does not answer on %s: %s; the message "
                            "was not taken",
                            tkt_ctl_intake_socket(s->ctl), err.text);
    }
    return 0;
}

static int hello(struct submit *s)
{
    s->req.verb = TKT_WIRE_HELLO;
    tkt_wire_reply_release(&s->hello);
    int rc = call(s, -1, &s->hello);
    s->req.verb = TKT_WIRE_RESERVE;
    if (rc == 0 && s->hello.status != TKT_WIRE_OK) {
        rc = tkt_ctl_fail(EX_TEMPFAIL, "ticketd: %s", s->hello.text);
    }
    s->req.generation = s->hello.generation;
    return rc;
}

/* 0, or what the queue manager is told. */
static int judge(const struct tkt_wire_reply *r)
{
    if (r->smtp_code >= 400) {
        return tkt_ctl_fail(r->smtp_code < 500    ? EX_TEMPFAIL
                            : r->smtp_code == 552 ? EX_DATAERR
                                                  : EX_NOPERM,
                            "%d %s %s", r->smtp_code, r->smtp_xcode, r->smtp_text);
    }
    switch (r->status) {
    case TKT_WIRE_OK:
        break;
    case TKT_WIRE_PERM:
        return tkt_ctl_fail(EX_UNAVAILABLE, "ticketd refuses: %s", r->text);
    case TKT_WIRE_TEMP:
    case TKT_WIRE_STALE:
        return tkt_ctl_fail(EX_TEMPFAIL, "ticketd: %s", r->text);
    }
    for (size_t i = 0; i < r->ticket_count; i++) {
        if (strcmp(r->tickets[i].status, "unavailable") == 0) {
            return tkt_ctl_fail(EX_TEMPFAIL, "desk %s is unavailable",
                                r->tickets[i].desk);
        }
    }
    if (r->ticket_count == 0) {
        return tkt_ctl_fail(EX_TEMPFAIL, "ticketd answered without a ticket");
    }
    return 0;
}

static int reserve(struct submit *s)
{
    for (int tries = 0; tries < STALE_TRIES; tries++) {
        int rc = add_rcpts(s);
        if (rc == 0) {
            tkt_wire_reply_release(&s->reply);
            rc = call(s, s->mail.fd, &s->reply);
        }
        if (rc != 0 || s->reply.status != TKT_WIRE_STALE) {
            return rc != 0 ? rc : judge(&s->reply);
        }
        rc = hello(s);
        if (rc != 0) {
            return rc;
        }
    }
    return judge(&s->reply);
}

static int read_message(struct submit *s)
{
    struct tkt_err err = TKT_ERR_INIT;
    uint64_t max = s->hello.message_max > 0 ? s->hello.message_max : MESSAGE_MAX;
    const char *dir = getenv("TMPDIR");
    if (tkt_ctl_mail_read(STDIN_FILENO, max, dir != NULL ? dir : "/var/tmp", &s->mail,
                          &err) < 0 ||
        tkt_ctl_mail_fields(&s->mail, &s->req.arena, &s->req.fields, &s->req.field_count,
                            &err) < 0) {
        return tkt_ctl_fail(err.class == TKT_ERR_PERM ? EX_DATAERR : EX_TEMPFAIL, "%s",
                            err.text);
    }
    return 0;
}

/* Before the ticket exists, so that a wrong --output leaves nothing behind. */
static int open_output(struct submit *s)
{
    const char *path = tkt_ctl_opt(s->ctl, "output");
    if (path == NULL) {
        return 0;
    }
    s->out = strcmp(path, "-") == 0
                 ? dup(STDOUT_FILENO)
                 : open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    return s->out >= 0
               ? 0
               : tkt_ctl_fail(EX_TEMPFAIL, "cannot make %s: %s", path, strerror(errno));
}

static int write_output(struct submit *s)
{
    struct tkt_err err = TKT_ERR_INIT;
    if (s->out < 0) {
        return 0;
    }
    if (tkt_ctl_mail_edit(&s->mail, s->reply.edits, s->reply.edit_count, &err) < 0 ||
        tkt_ctl_mail_write(&s->mail, s->out, &err) < 0) {
        return tkt_ctl_fail(EX_TEMPFAIL, "cannot write the message: %s", err.text);
    }
    /* A pipe cannot be synced; a file must be before somebody relies on it. */
    if (fsync(s->out) < 0 && errno != EINVAL && errno != EROFS) {
        return tkt_ctl_fail(EX_TEMPFAIL, "cannot sync the message: %s", strerror(errno));
    }
    return 0;
}

static void print_json(FILE *to, const struct tkt_wire_reply *r)
{
    static const char *const kinds[] = {
        [TKT_WIRE_CHANGE] = "change",   [TKT_WIRE_INSERT] = "insert",
        [TKT_WIRE_DELETE] = "delete",   [TKT_WIRE_ADDRCPT] = "addrcpt",
        [TKT_WIRE_DELRCPT] = "delrcpt",
    };
    TKT_AUTO_BUF struct tkt_buf b = TKT_BUF_INIT(TKT_CTL_REPLY_MAX);
    tkt_buf_adds(&b, "{\"tickets\":[");
    for (size_t i = 0; i < r->ticket_count; i++) {
        const struct tkt_wire_ticket *t = &r->tickets[i];
        tkt_buf_adds(&b, i > 0 ? ",{\"id\":" : "{\"id\":");
        tkt_json_add_string(&b, t->id, strlen(t->id));
        tkt_buf_adds(&b, ",\"status\":");
        tkt_json_add_string(&b, t->status, strlen(t->status));
        tkt_buf_adds(&b, ",\"desk\":");
        tkt_json_add_string(&b, t->desk, strlen(t->desk));
        tkt_buf_adds(&b, ",\"group\":");
        tkt_json_add_string(&b, t->group, strlen(t->group));
        tkt_buf_addf(&b, ",\"priority\":%d}", t->priority);
    }
    tkt_buf_adds(&b, "],\"edits\":[");
    for (size_t i = 0; i < r->edit_count; i++) {
        const struct tkt_wire_edit *e = &r->edits[i];
        tkt_buf_addf(&b, "%s{\"kind\":\"%s\",\"name\":", i > 0 ? "," : "",
                     kinds[e->kind]);
        tkt_json_add_string(&b, e->name, strlen(e->name));
        tkt_buf_addf(&b, ",\"index\":%u,\"value\":", e->index);
        tkt_json_add_string(&b, e->value, strlen(e->value));
        tkt_buf_addc(&b, '}');
    }
    tkt_buf_adds(&b, "]}\n");
    tkt_ctl_put_json(to, tkt_buf_str(&b), b.len);
}

/* With the message on standard output the tickets are told on standard error. */
static void print_tickets(const struct submit *s)
{
    const char *path = tkt_ctl_opt(s->ctl, "output");
    FILE *to = path != NULL && strcmp(path, "-") == 0 ? stderr : stdout;
    if (s->ctl->json) {
        print_json(to, &s->reply);
        return;
    }
    for (size_t i = 0; !s->ctl->quiet && i < s->reply.ticket_count; i++) {
        const struct tkt_wire_ticket *t = &s->reply.tickets[i];
        char line[512];
        snprintf(line, sizeof line, "%s %s desk=%s%s%s priority=%d",
                 t->id[0] != '\0' ? t->id : "-", t->status, t->desk,
                 t->group[0] != '\0' ? " group=" : "", t->group, t->priority);
        tkt_ctl_put_clean(to, line);
        fputc('\n', to);
    }
}

static bool has_rcpt(const struct tkt_ctl *ctl)
{
    return ctl->pos_count > 0 || tkt_ctl_opt(ctl, "rcpt") != NULL;
}

static int run(struct submit *s)
{
    int rc = envelope_char_check(s->req.sender);
    if (rc == 0) {
        rc = hello(s);
    }
    if (rc == 0) {
        rc = read_message(s);
    }
    /* Whoever writes slowly does not wait yet. */
    s->deadline_ms = tkt_clock_mono_ms() + s->remaining_ms;
    if (rc == 0) {
        rc = open_output(s);
    }
    if (rc == 0) {
        rc = reserve(s);
    }
    if (rc == 0) {
        rc = write_output(s);
    }
    if (rc == 0) {
        print_tickets(s);
    } else if (s->out >= 0 && strcmp(tkt_ctl_opt(s->ctl, "output"), "-") != 0) {
        (void)unlink(tkt_ctl_opt(s->ctl, "output")); /* ours, and not whole */
    }
    return rc;
}

int tkt_ctl_submit(struct tkt_ctl *ctl)
{
    const char *socket = tkt_ctl_intake_socket(ctl);
    if (tkt_ctl_conf_failed(ctl)) {
        return EX_TEMPFAIL; /* an admin's mistake must not bounce mail */
    }
    if (tkt_ctl_opt(ctl, "missed") != NULL) {
        return tkt_ctl_submit_missed(ctl, tkt_ctl_opt(ctl, "missed"));
    }
    if (tkt_ctl_opt(ctl, "from") == NULL || !has_rcpt(ctl)) {
        return tkt_ctl_fail(EX_USAGE, "submit wants -f SENDER and -r RCPT");
    }
    int64_t remaining_s;
    int rc = tkt_ctl_opt_int(ctl, "remaining", 1, 3600, REMAINING_S, &remaining_s);
    if (rc != 0) {
        return rc;
    }
    char host[256] = "";
    (void)gethostname(host, sizeof host - 1); /* unknown is allowed */
    struct submit s = {.ctl = ctl, .out = -1, .mail = {.fd = -1}};
    s.remaining_ms = remaining_s * 1000;
    s.deadline_ms = tkt_clock_mono_ms() + s.remaining_ms;
    s.client = tkt_wire_client_new(socket, 1);
    fill_facts(&s, host);
    rc = s.client != NULL ? run(&s) : tkt_ctl_fail(EX_TEMPFAIL, "out of memory");
    tkt_ctl_mail_release(&s.mail);
    tkt_wire_reply_release(&s.reply);
    tkt_wire_reply_release(&s.hello);
    tkt_wire_arena_release(&s.req.arena);
    tkt_wire_client_free(&s.client);
    if (s.out >= 0) {
        close(s.out);
    }
    return rc;
}
