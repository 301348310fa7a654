/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/clock.h"
#include "base/enc.h"
#include "base/fs.h"
#include "base/hash.h"
#include "base/util.h"
#include "ticketd/facts/mailread.h"
#include "ticketd/itsm/itsmjob_private.h"
#include "ticketd/itsm/itsmorigin.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* After so many tries a mail that cannot be read goes without its text. */
#define READ_ATTEMPTS 3

/* ---- the ticket ----------------------------------------------------------------------- */

static int split_tags(struct tkt_itsmjob *job)
{
    size_t count = 1;

    for (const char *p = job->full.tags; *p != '\0'; p++) {
        count += *p == '\n';
    }
    job->tags.items = tkt_wire_arena_alloc(&job->arena, count * sizeof(char *));
    if (job->tags.items == NULL) {
        return tkt_err_set(&job->err, TKT_ERR_TEMP, "no memory");
    }
    for (char *p = job->full.tags; *p != '\0';) {
        size_t n = strcspn(p, "\n");

        if (n > 0) {
            job->tags.items[job->tags.count++] = p;
        }
        p += n + (p[n] == '\n');
        if (p[-1] == '\n') {
            p[-1] = '\0';
        }
    }
    return 0;
}

static int load_ticket(struct tkt_itsmjob *job, struct tkt_reader *reader)
{
    const struct tkt_reader_full *f = &job->full;
    int n = tkt_reader_full(reader, job->r->job.ticket, job->r->job.target, &job->arena,
                            &job->full, &job->err);

    if (n <= 0) {
        return n < 0 ? -1 : tkt_err_set(&job->err, TKT_ERR_PERM, "its ticket is gone");
    }
    const struct tkt_conf_desk *desk = tkt_conf_desk(job->set->conf, f->desk);
    TKT_AUTO_BUF struct tkt_buf url = TKT_BUF_INIT(2048);
    const char *place = desk == NULL ? NULL : strstr(desk->ticket_url, "{id}");
    if (place != NULL) {
        tkt_buf_addf(&url, "%.*s%s%s", (int)(place - desk->ticket_url), desk->ticket_url,
                     f->id, place + 4);
    }
    job->ticket = (struct tkt_itsm_ticket){
        .id = f->id,
        .corr = f->corr,
        .url = tkt_wire_arena_strdup(&job->arena, tkt_buf_str(&url), url.len),
        .desk = f->desk,
        .subject = f->subject,
        .text = "",
        .requester = f->requester,
        .requester_name = f->requester_name,
        .language = "",
        .type = f->type,
        .category = f->category,
        .subcategory = f->subcategory,
        .service = f->service,
        .group = f->group,
        .assignee = f->assignee,
        .state = tkt_state_names[f->state],
        .urgency = f->urgency,
        .impact = f->impact,
        .priority = f->priority,
        .created_ms = f->created_ms,
        .fields = f->fields,
        .field_count = f->field_count,
        .tags = &job->tags,
        .external = f->external,
        .number = f->number};
    if (job->ticket.url == NULL) {
        return tkt_err_set(&job->err, TKT_ERR_TEMP, "no memory");
    }
    return split_tags(job);
}

/* ---- the mail ------------------------------------------------------------------------- */

/* The text of a mail, or what is left of one that cannot be read. */
static int load_mail(struct tkt_itsmjob *job, struct tkt_reader *reader)
{
    if (tkt_mailread(job->r->d->pool, job->set->conf, reader, job->r->job.message,
                     tkt_clock_mono_ms() + TKT_MAILREAD_BUDGET_MS, &job->analysis,
                     &job->err) == 0) {
        job->analysed = true;
        return 0;
    }
    if (job->r->job.attempts < READ_ATTEMPTS) {
        return -1;
    }
    job->err = (struct tkt_err)TKT_ERR_INIT; /* the ticket matters more than its text */
    return 0;
}

static const char *text_of_mail(const struct tkt_itsmjob *job, bool only_answer)
{
    const struct tkt_message *m = &job->analysis.msg;

    if (!job->analysed) {
        return "(This mail could not be read. It is kept with the ticket.)";
    }
    return only_answer && m->reply_text[0] != '\0' ? m->reply_text : m->text;
}

static bool is_public(const struct tkt_itsmjob *job)
{
    cJSON *payload = cJSON_Parse(job->r->job.payload ? job->r->job.payload : "{}");
    bool yes = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(payload, "public"));

    cJSON_Delete(payload);
    return yes;
}

/* A comment that stands in its job: nobody wrote it, and no message holds it. */
static char *own_text(struct tkt_itsmjob *job)
{
    cJSON *payload = cJSON_Parse(job->r->job.payload ? job->r->job.payload : "{}");
    const char *text =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(payload, "text"));
    char *kept =
        text == NULL ? NULL : tkt_wire_arena_strdup(&job->arena, text, strlen(text));

    cJSON_Delete(payload);
    return kept;
}

static int load_own_comment(struct tkt_itsmjob *job)
{
    char key[32];

    (void)snprintf(key, sizeof(key), "j-%" PRId64, job->r->job.id); /* has room */
    job->comment = (struct tkt_itsm_comment){
        .text = own_text(job),
        .author = "",
        .author_name = "",
        .is_public = is_public(job),
        .key = tkt_wire_arena_strdup(&job->arena, key, strlen(key))};
    return job->comment.text == NULL || job->comment.key == NULL
               ? tkt_err_set(&job->err, TKT_ERR_PERM, "a comment without a text")
               : 0;
}

static int load_comment(struct tkt_itsmjob *job, struct tkt_reader *reader)
{
    char key[32];
    char *text = NULL;
    char *author = NULL;
    int n = tkt_reader_comment(reader, job->r->job.message, &job->arena, &text, &author,
                               &job->err);

    (void)snprintf(key, sizeof(key), "m-%" PRId64, job->r->job.message); /* has room */
    job->comment = (struct tkt_itsm_comment){
        .text = text,
        .author = n == 1 ? author : "",
        .author_name = "",
        .is_public = is_public(job),
        .key = tkt_wire_arena_strdup(&job->arena, key, strlen(key))};
    if (n != 0) {
        return n < 0 ? -1 : 0;
    }
    if (load_mail(job, reader) < 0) {
        return -1;
    }
    job->comment.text = text_of_mail(job, true);
    if (job->analysed) {
        job->comment.author = job->analysis.msg.from.address;
        job->comment.author_name = job->analysis.msg.from.name;
    }
    return 0;
}

/* ---- a file --------------------------------------------------------------------------- */

static const char *keep_str(struct tkt_itsmjob *job, const cJSON *json, const char *name,
                            const char *fallback)
{
    const char *s = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, name));
    const char *text = s == NULL || *s == '\0' ? fallback : s;

    return tkt_wire_arena_strdup(&job->arena, text, strlen(text));
}

/* Out of the mail into a file without a name, by a child. */
static int extract(struct tkt_itsmjob *job, struct tkt_reader *reader, const char *part)
{
    TKT_AUTO_BUF struct tkt_buf raw =
        TKT_BUF_INIT((size_t)job->set->conf->limits.message_max + 1);
    TKT_AUTO_FD int fd = -1;
    struct stat st;

    if (job->r->d->pool == NULL) {
        return tkt_err_set(&job->err, TKT_ERR_TEMP, "no parser is running");
    }
    if (tkt_reader_raw(reader, job->r->job.message, &raw, &fd, &job->err) < 0) {
        return -1;
    }
    if (fd < 0 && ((fd = tkt_open_tmpfile(job->r->d->store_dir, &job->err)) < 0 ||
                   tkt_write_full(fd, raw.data, raw.len, &job->err) < 0)) {
        return -1;
    }
    if (fstat(fd, &st) < 0) {
        return tkt_err_errno(&job->err, TKT_ERR_TEMP, "message");
    }
    job->file.fd = tkt_open_tmpfile(job->r->d->store_dir, &job->err);
    if (job->file.fd < 0 ||
        tkt_parserpool_extract(job->r->d->pool, fd, (uint64_t)st.st_size, part,
                               job->file.fd, (uint64_t)job->conf->attachment_max,
                               tkt_clock_mono_ms() + TKT_MAILREAD_BUDGET_MS,
                               &job->err) < 0) {
        return -1;
    }
    if (fstat(job->file.fd, &st) < 0) {
        return tkt_err_errno(&job->err, TKT_ERR_TEMP, "attachment");
    }
    job->file.size = st.st_size;
    return 0;
}

static int load_file(struct tkt_itsmjob *job, struct tkt_reader *reader)
{
    cJSON *payload = cJSON_Parse(job->r->job.payload ? job->r->job.payload : "{}");
    const char *part = keep_str(job, payload, "part", "");
    int rc = -1;

    job->file.name = keep_str(job, payload, "name", "attachment");
    job->file.type = keep_str(job, payload, "type", "application/octet-stream");
    job->file.key = part;
    cJSON_Delete(payload);
    if (part == NULL || job->file.name == NULL || job->file.type == NULL) {
        return tkt_err_set(&job->err, TKT_ERR_TEMP, "no memory");
    }
    rc = extract(job, reader, part);
    if (rc < 0 && job->err.class == TKT_ERR_PERM) {
        return tkt_err_prefix(&job->err, "%.100s", job->file.name);
    }
    return rc;
}

/* ---- all of it ------------------------------------------------------------------------ */

static int load_token(struct tkt_itsmjob *job)
{
    struct tkt_oauth *oauth = job->r->d->oauth;
    struct tkt_oauth_ask ask;

    if (!tkt_itsm_wants_token(job->conf, job->site.secret,
                              job->client_secret.data ? job->client_secret.data : "",
                              &ask)) {
        return 0;
    }
    if (job->token.len > 0) {
        tkt_oauth_drop(oauth, &ask, tkt_buf_str(&job->token));
        tkt_wipe(job->token.data, job->token.len);
        tkt_buf_reset(&job->token);
    }
    if (tkt_oauth_get(oauth, &ask, &job->token, &job->err) < 0) {
        /* Wrong credentials are everybody's: tickets wait for better ones. */
        job->err.class = TKT_ERR_TEMP;
        return tkt_err_prefix(&job->err, "itsm %s", job->conf->name);
    }
    job->site.bearer = tkt_buf_str(&job->token);
    return 0;
}

int tkt_itsmjob_renew(struct tkt_itsmjob *job)
{
    job->err = (struct tkt_err)TKT_ERR_INIT;
    return load_token(job);
}

/* A secret that is not there is everybody's, too: it may be changed just now. */
static int load_secret(struct tkt_itsmjob *job, const char *reference,
                       struct tkt_secret *out)
{
    if (reference[0] == '\0' || tkt_secret_get(reference, out, &job->err) == 0) {
        return 0;
    }
    job->err.class = TKT_ERR_TEMP;
    return tkt_err_prefix(&job->err, "itsm %s", job->conf->name);
}

int tkt_itsmjob_load_site(struct tkt_itsmjob *job)
{
    if (load_secret(job, job->conf->client_secret, &job->client_secret) < 0 ||
        load_secret(job, job->conf->secret, &job->secret) < 0) {
        return -1;
    }
    job->site = (struct tkt_itsm_site){.conf = job->conf,
                                       .secret = job->secret.data ? job->secret.data : "",
                                       .bearer = "",
                                       .product = "ticket-milter"};
    return load_token(job);
}

int tkt_itsmjob_load(struct tkt_itsmjob *job, struct tkt_tools *tools)
{
    struct tkt_reader *reader = tkt_tools_reader(tools, &job->err);
    enum tkt_itsm_op op = job->call.op;

    if (reader == NULL) {
        return -1;
    }
    if (tkt_itsmorigin_check(job->conf, reader, &job->err) < 0 ||
        tkt_itsmjob_load_site(job) < 0) {
        job->site_failed = true;
        return -1;
    }
    if (load_ticket(job, reader) < 0) {
        return -1;
    }
    if (op == TKT_ITSM_CREATE && job->full.external[0] != '\0') {
        job->nothing_to_do = true;
        return 0;
    }
    if (op == TKT_ITSM_UPDATE && job->full.external[0] == '\0') {
        job->nothing_to_do =
            true; /* a create that comes takes the ticket as it is then */
        return 0;
    }
    if (op == TKT_ITSM_UPDATE) {
        unsigned only = tkt_itsm_members(job->r->job.payload);

        job->call.only = only;
        job->nothing_to_do = only == TKT_ITSM_FIELDS && !job->ops->updates_fields;
    }
    if (op != TKT_ITSM_CREATE && job->full.external[0] == '\0') {
        return tkt_err_set(&job->err, TKT_ERR_PERM,
                           "%s has no ticket there: its create "
                           "was dropped",
                           job->full.id);
    }
    switch (op) {
    case TKT_ITSM_CREATE:
        if (load_mail(job, reader) < 0) {
            return -1;
        }
        job->ticket.text = text_of_mail(job, false);
        job->ticket.language = job->analysed ? job->analysis.msg.language : "";
        return 0;
    case TKT_ITSM_COMMENT:
        return job->r->job.message == 0 ? load_own_comment(job)
                                        : load_comment(job, reader);
    case TKT_ITSM_ATTACH:
        return load_file(job, reader);
    default:
        return 0;
    }
}
