/* SPDX-License-Identifier: BSD-2-Clause
 * ITSMs of the configuration: a list, and a trial of one. ticketd is not asked. */
#include "itsm/itsm.h"
#include "base/clock.h"
#include "base/enc.h"
#include "base/fs.h"
#include "base/hash.h"
#include "base/util.h"
#include "itsm/run.h"
#include "secret/remote.h"
#include "secret/secret.h"
#include "ticketctl/ctl.h"
#include "ticketctl/out.h"

#include <string.h>
#include <unistd.h>

#define TRIAL_SUBJECT "Test of ticket-milter - please ignore"
#define TRIAL_TEXT                                                                       \
    "This ticket was made by \"ticketctl itsm test --create\". It is closed again.\n"
#define TRIAL_COMMENT "A comment of the test."
#define TRIAL_FILE "ticket-milter-test.txt"
#define TRIAL_BYTES "A file of the test.\n"

/* ---- list ----------------------------------------------------------------------------- */

static const struct tkt_ctl_col list_cols[] = {
    {"ITSM", "itsm", TKT_CTL_TEXT, 24},
    {"TYPE", "type", TKT_CTL_TEXT, 12},
    {"TICKETS OF", "desks", TKT_CTL_TEXT, 24},
    {"URL", "url", TKT_CTL_TEXT, 0},
};

static void add_desks(const struct tkt_conf *conf, const char *name, cJSON *row)
{
    TKT_AUTO_BUF struct tkt_buf b = TKT_BUF_INIT(8192);

    for (size_t i = 0; i < conf->desk_count; i++) {
        if (strcmp(conf->desks[i].itsm, name) == 0) {
            tkt_buf_addf(&b, "%s%s", b.len > 0 ? " " : "", conf->desks[i].name);
        }
    }
    /* without memory the column stays empty */
    (void)cJSON_AddStringToObject(row, "desks", tkt_buf_str(&b));
}

int tkt_ctl_itsm_list(struct tkt_ctl *ctl)
{
    int rc = tkt_ctl_conf(ctl);
    cJSON *rows = rc == 0 ? cJSON_CreateArray() : NULL;

    for (size_t i = 0; rows != NULL && i < ctl->conf->itsm_count; i++) {
        const struct tkt_conf_itsm *c = &ctl->conf->itsms[i];
        cJSON *row = cJSON_CreateObject();

        /* without memory it lacks a column, or the row */
        (void)cJSON_AddStringToObject(row, "itsm", c->name);
        (void)cJSON_AddStringToObject(row, "type", c->type);
        add_desks(ctl->conf, c->name, row);
        (void)cJSON_AddStringToObject(row, "url", c->url);
        (void)cJSON_AddItemToArray(rows, row);
    }
    if (rc == 0 && ctl->json) {
        rc = tkt_ctl_print_json(rows);
    } else if (rc == 0) {
        tkt_ctl_put_table(stdout, list_cols, TKT_ARRAY_LEN(list_cols), rows);
    }
    cJSON_Delete(rows);
    return rc;
}

/* ---- a trial -------------------------------------------------------------------------- */

struct trial {
    struct tkt_ctl *ctl;
    const struct tkt_conf_itsm *conf;
    const struct tkt_itsm_ops *ops;
    struct tkt_secret secret, client_secret;
    struct tkt_buf token;
    struct tkt_itsm_site site;
    struct tkt_itsm_ticket ticket;
    struct tkt_itsm_comment comment;
    struct tkt_itsm_file file;
    struct tkt_itsm_call call;
    struct tkt_itsm_result result;
    char corr[40], id[24];
    char external[1024], number[1024], url[1024];
    cJSON *steps; /* of --json */
};

static void release(struct trial *t)
{
    tkt_wire_arena_release(&t->call.arena);
    tkt_secret_release(&t->secret);
    tkt_secret_release(&t->client_secret);
    tkt_wipe(t->token.data, t->token.len);
    tkt_buf_release(&t->token);
    if (t->file.fd >= 0) {
        close(t->file.fd);
    }
    cJSON_Delete(t->steps);
}

static int get_token(struct trial *t, struct tkt_err *err)
{
    struct tkt_oauth_ask ask;

    if (!tkt_itsm_wants_token(t->conf, t->site.secret,
                              t->client_secret.data ? t->client_secret.data : "", &ask)) {
        return 0;
    }
    if (ask.grant == TKT_OAUTH_REFRESH) {
        /* Asking here could end the token that the running ticketd has by now. */
        return tkt_err_set(err, TKT_ERR_CONF,
                           "the refresh token is ticketd's alone: its log tells");
    }
    struct tkt_oauth *oauth = tkt_oauth_new(NULL, err);
    int rc = oauth == NULL ? -1 : tkt_oauth_get(oauth, &ask, &t->token, err);
    tkt_oauth_free(&oauth);
    t->site.bearer = tkt_buf_str(&t->token);
    return rc;
}

static int open_site(struct trial *t, struct tkt_err *err)
{
    if (tkt_itsm_check_conf(t->conf, err) < 0 ||
        (t->conf->secret[0] != '\0' &&
         tkt_secret_get(t->conf->secret, &t->secret, err) < 0) ||
        (t->conf->client_secret[0] != '\0' &&
         tkt_secret_get(t->conf->client_secret, &t->client_secret, err) < 0)) {
        return -1;
    }
    t->site = (struct tkt_itsm_site){.conf = t->conf,
                                     .secret = t->secret.data ? t->secret.data : "",
                                     .bearer = "",
                                     .product = "ticket-milter"};
    return get_token(t, err);
}

static const char *text_or(const char *text, const char *otherwise)
{
    return text != NULL && text[0] != '\0' ? text : otherwise;
}

/* A ticket that is marked as what it is, of this trial alone. */
static int make_ticket(struct trial *t, struct tkt_err *err)
{
    unsigned char key[16];

    tkt_random(key, sizeof(key));
    memcpy(t->corr, "mt-", 3);
    tkt_hex_encode(key, sizeof(key), t->corr + 3);
    (void)snprintf(t->id, sizeof(t->id), "TEST-%.8s", t->corr + 3);
    t->ticket =
        (struct tkt_itsm_ticket){.id = t->id,
                                 .corr = t->corr,
                                 .url = "",
                                 .desk = "",
                                 .subject = TRIAL_SUBJECT,
                                 .text = TRIAL_TEXT,
                                 .requester = text_or(tkt_ctl_opt(t->ctl, "from"), ""),
                                 .requester_name = "",
                                 .language = "en",
                                 .type = "incident",
                                 .category = "",
                                 .subcategory = "",
                                 .service = "",
                                 .group = "",
                                 .assignee = "",
                                 .state = "new",
                                 .urgency = 3,
                                 .impact = 3,
                                 .priority = 4,
                                 .created_ms = tkt_clock_wall_ms(),
                                 .external = "",
                                 .number = ""};
    t->comment = (struct tkt_itsm_comment){
        .text = TRIAL_COMMENT, .author = "", .author_name = "", .key = "m-1"};
    t->file = (struct tkt_itsm_file){
        .name = TRIAL_FILE,
        .type = "text/plain",
        .fd = tkt_memfd_sealed("trial", TRIAL_BYTES, strlen(TRIAL_BYTES), err),
        .size = (int64_t)strlen(TRIAL_BYTES),
        .key = "1"};
    return t->file.fd < 0 ? -1 : 0;
}

/* "what  0.214 s  text", or a row of --json. */
static void tell(struct trial *t, const char *what, int64_t ms, const char *text)
{
    if (t->ctl->json) {
        cJSON *step = cJSON_CreateObject();

        /* without memory it lacks a member, or the row */
        (void)cJSON_AddStringToObject(step, "step", what);
        (void)cJSON_AddBoolToObject(step, "ok", t->result.err.class == TKT_ERR_NONE);
        (void)cJSON_AddNumberToObject(step, "ms", (double)ms);
        (void)cJSON_AddStringToObject(step, "text", text);
        (void)cJSON_AddItemToArray(t->steps, step);
    } else if (!t->ctl->quiet) {
        printf("%-8s %6.3f s  ", what, (double)ms / 1000);
        tkt_ctl_put_clean(stdout, text);
        fputc('\n', stdout);
        (void)fflush(stdout); /* the end of the program looks at it */
    }
}

/* 0, or a code after what went wrong was told. */
static int run(struct trial *t, enum tkt_itsm_op op)
{
    int64_t begun = tkt_clock_mono_ms();

    tkt_wire_arena_release(&t->call.arena);
    t->call = (struct tkt_itsm_call){.op = op,
                                     .site = &t->site,
                                     .ticket = &t->ticket,
                                     .comment = &t->comment,
                                     .file = &t->file,
                                     .key = tkt_itsm_op_names[op]};
    t->result = (struct tkt_itsm_result){.err = TKT_ERR_INIT};
    if (t->ops->steps[op] != NULL) {
        tkt_itsm_run_wait(t->ops, &t->call, &t->result);
    }
    if (t->result.err.class == TKT_ERR_NONE) {
        return 0;
    }
    tell(t, tkt_itsm_op_names[op], tkt_clock_mono_ms() - begun, t->result.err.text);
    return tkt_ctl_fail(tkt_ctl_class_exit(t->result.err.class), "itsm %s: %s: %s%s",
                        t->conf->name, tkt_itsm_op_names[op], t->result.err.text,
                        t->result.unsure ? " (it may have been carried out)" : "");
}

static int check(struct trial *t)
{
    int64_t begun = tkt_clock_mono_ms();
    int rc = run(t, TKT_ITSM_CHECK);
    int64_t ms = tkt_clock_mono_ms() - begun;
    const char *told = text_or(t->call.seen.told, "it answers");

    while (rc == 0 && *told != '\0') {
        char line[1024];
        size_t n = strcspn(told, "\n");

        (void)snprintf(line, sizeof(line), "%.*s", (int)TKT_MIN(n, sizeof(line) - 1),
                       told);
        tell(t, "check", ms, line);
        told += n + (told[n] == '\n');
        ms = 0;
    }
    return rc;
}

static int create(struct trial *t)
{
    const struct tkt_itsm_seen *seen = &t->call.seen;
    int64_t begun = tkt_clock_mono_ms();
    int rc = run(t, TKT_ITSM_CREATE);
    char line[2100];

    if (rc != 0) {
        return rc;
    }
    (void)snprintf(t->external, sizeof(t->external), "%s", text_or(seen->external, ""));
    (void)snprintf(t->number, sizeof(t->number), "%s",
                   text_or(seen->number, t->external));
    (void)snprintf(t->url, sizeof(t->url), "%s", text_or(seen->url, ""));
    t->ticket.external = t->external;
    t->ticket.number = t->number;
    (void)snprintf(line, sizeof(line), "%s%s%s", t->number, t->url[0] ? "  " : "",
                   t->url);
    tell(t, "create", tkt_clock_mono_ms() - begun, line);
    return 0;
}

/* By this a create whose answer gets lost is known again. */
static int find(struct trial *t)
{
    int64_t begun = tkt_clock_mono_ms();
    bool waits = t->ops->search_lag_ms > 0 || !t->ops->search_is_proof;
    char line[200];

    if (t->ops->steps[TKT_ITSM_FIND] == NULL || t->ops->create_is_idempotent) {
        return 0;
    }
    int rc = run(t, TKT_ITSM_FIND);
    if (rc != 0) {
        return rc;
    }
    bool found = strcmp(text_or(t->call.seen.external, ""), t->external) == 0;
    (void)snprintf(line, sizeof(line), "%s by its key, %s",
                   found   ? "found"
                   : waits ? "not found yet"
                           : "not found",
                   t->corr);
    tell(t, "find", tkt_clock_mono_ms() - begun, line);
    return found || waits ? 0
                          : tkt_ctl_fail(EX_CONFIG,
                                         "itsm %s: its search does not find a ticket by "
                                         "its key: is the field there, and searched?",
                                         t->conf->name);
}

static int simple(struct trial *t, enum tkt_itsm_op op, const char *what)
{
    int64_t begun = tkt_clock_mono_ms();
    int rc = run(t, op);

    if (rc == 0) {
        tell(t, tkt_itsm_op_names[op], tkt_clock_mono_ms() - begun,
             text_or(t->call.seen.told, what));
    }
    return rc;
}

static bool has_comment(const struct tkt_itsm_seen *seen)
{
    for (size_t i = 0; i < seen->note_count; i++) {
        if (seen->notes[i].text != NULL &&
            strstr(seen->notes[i].text, TRIAL_COMMENT) != NULL) {
            return true;
        }
    }
    return false;
}

static bool has_file(const struct tkt_itsm_seen *seen)
{
    for (size_t i = 0; i < seen->file_count; i++) {
        if (seen->files[i] != NULL && strstr(seen->files[i], "ticket-milter-test")) {
            return true;
        }
    }
    return false;
}

/* What was written is there: a right to read that is missing shows here. */
static int fetch(struct trial *t)
{
    const struct tkt_itsm_seen *seen = &t->call.seen;
    int64_t begun = tkt_clock_mono_ms();
    char line[1024];

    if (t->ops->steps[TKT_ITSM_FETCH] == NULL) {
        return 0;
    }
    int rc = run(t, TKT_ITSM_FETCH);
    if (rc != 0) {
        return rc;
    }
    (void)snprintf(line, sizeof(line), "state %s, %s, %s", text_or(seen->state, "-"),
                   has_comment(seen) ? "the comment is there"
                                     : "the comment is not shown",
                   has_file(seen) ? "the file is there" : "the file is not shown");
    tell(t, "fetch", tkt_clock_mono_ms() - begun, line);
    return 0;
}

static int trial_ticket(struct trial *t)
{
    int rc = create(t);

    if (rc != 0) {
        return rc;
    }
    rc = find(t);
    rc = rc != 0 ? rc : simple(t, TKT_ITSM_COMMENT, TRIAL_COMMENT);
    rc = rc != 0 ? rc : simple(t, TKT_ITSM_ATTACH, TRIAL_FILE);
    rc = rc != 0 ? rc : fetch(t);
    /* What was made is closed, whatever else failed. */
    int end = simple(t, TKT_ITSM_CLOSE, t->number);
    return rc != 0 ? rc : end;
}

static int test(struct trial *t)
{
    struct tkt_err err = TKT_ERR_INIT;
    int rc = open_site(t, &err) < 0 || make_ticket(t, &err) < 0 ? tkt_ctl_fail_err(&err)
                                                                : check(t);

    return rc == 0 && tkt_ctl_opt(t->ctl, "create") != NULL ? trial_ticket(t) : rc;
}

int tkt_ctl_itsm_test(struct tkt_ctl *ctl)
{
    struct trial t = {.ctl = ctl,
                      .secret = TKT_SECRET_INIT,
                      .client_secret = TKT_SECRET_INIT,
                      .token = TKT_BUF_INIT(TKT_OAUTH_TOKEN_MAX + 1),
                      .file = {.fd = -1}};
    int rc = tkt_ctl_conf(ctl);

    for (size_t i = 0; rc == 0 && i < ctl->conf->itsm_count; i++) {
        const struct tkt_conf_itsm *c = &ctl->conf->itsms[i];
        t.conf = strcmp(c->name, ctl->pos[0]) == 0 ? c : t.conf;
    }
    if (rc != 0) {
        return rc;
    }
    t.ops = t.conf == NULL ? NULL : tkt_itsm_find(t.conf->type);
    if (t.ops == NULL) {
        return tkt_ctl_fail(EX_USAGE, "there is no section itsm \"%s\"", ctl->pos[0]);
    }
    tkt_secret_remote_init();
    t.steps = ctl->json ? cJSON_CreateArray() : NULL;
    rc = test(&t);
    if (ctl->json) {
        int printed = tkt_ctl_print_json(t.steps);
        rc = rc != 0 ? rc : printed;
    }
    release(&t);
    tkt_secret_remote_clear();
    return rc;
}

/* ---- a new address -------------------------------------------------------------------- */

int tkt_ctl_itsm_moved(struct tkt_ctl *ctl)
{
    struct tkt_ctl_pair pairs[] = {{"itsm", ctl->pos[0]}};

    return tkt_ctl_do(ctl, "itsm-moved", pairs, TKT_ARRAY_LEN(pairs));
}
