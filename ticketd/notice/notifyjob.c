/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketd/notice/notifyjob.h"

#include "base/clock.h"
#include "base/enc.h"
#include "base/log.h"
#include "base/util.h"
#include "net/oauth.h"
#include "notify/mail.h"
#include "notify/send.h"
#include "notify/status.h"
#include "secret/secret.h"
#include "ticketd/mail/noticemail.h"
#include "ticketd/notice/agentmail.h"
#include "ticketd/notice/notice.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUSY_DELAY_MS 2000
/* Wrong credentials are everybody's: notices wait for better ones, none is parked. */
#define UNAUTHORIZED_S 300

struct notifyjob {
    struct tkt_running *r;
    struct tkt_settings *set;
    const struct tkt_conf_channel *conf;
    const struct tkt_channel_ops *ops;
    struct tkt_err err; /* of the thread that may block */
    struct tkt_secret secret;
    struct tkt_secret client_secret;
    struct tkt_buf token; /* OAuth; wiped */
    bool renewed;         /* one token was refused already */
    bool skipped;         /* why says why */
    bool settled;         /* its service told that it has it: it is told */
    int64_t settle_ms;    /* for so long a call may tell it yet */
    bool site_failed;     /* err is the channel's, not the notice's */
    bool is_made;
    struct tkt_notice_made made;
    struct tkt_agentmail *mail;        /* of a reply; or NULL */
    const char *answered, *references; /* of a reply; or "" */
    struct tkt_channel_call call;
    enum tkt_http_outcome outcome; /* of a program */
    char id[64];
    char status_url[TKT_STATUS_URL_MAX];
    char why[200];
};

static void release(struct notifyjob *job)
{
    if (job->is_made) {
        tkt_notice_made_release(&job->made);
    }
    if (job->mail != NULL) {
        tkt_agentmail_release(job->mail);
        free(job->mail);
    }
    tkt_secret_release(&job->secret);
    tkt_secret_release(&job->client_secret);
    tkt_wipe(job->token.data, job->token.len);
    tkt_buf_release(&job->token);
    tkt_wire_arena_release(&job->call.arena);
    tkt_settings_put(&job->set);
    free(job);
}

static void end(struct notifyjob *job, const struct tkt_err *err,
                enum tkt_job_doubt doubt)
{
    struct tkt_running *r = job->r;
    struct tkt_err last = *err;

    r->state = NULL;
    r->doubt = doubt;
    r->park_after_ms = job->conf == NULL ? 0 : job->conf->park_after_ms;
    release(job);
    tkt_running_finish(r, &last);
}

/* ---- the transaction ------------------------------------------------------------------- */

static void add_string(struct tkt_buf *b, const char *key, const char *value)
{
    if (value != NULL && value[0] != '\0') {
        tkt_buf_addf(b, "%s\"%s\":", b->len > 1 ? "," : "", key);
        (void)tkt_json_add_string(b, value, strlen(value)); /* b->failed tells */
    }
}

static int tell_event(struct tkt_store *store, const struct notifyjob *job,
                      int64_t now_ms, struct tkt_err *err)
{
    const struct tkt_notice *n = &job->made.notice;
    TKT_AUTO_BUF struct tkt_buf b = TKT_BUF_INIT(4096);
    const char *kind = "notice.told";

    tkt_buf_addc(&b, '{');
    add_string(&b, "what", job->is_made ? tkt_notice_names[n->what] : "");
    add_string(&b, "channel", job->r->job.target);
    add_string(&b, "to", job->is_made ? n->to : "");
    add_string(&b, "role", job->is_made ? n->role : "");
    if (job->call.undeliverable || job->skipped) {
        kind = job->skipped ? "notice.skipped" : "notice.undeliverable";
        add_string(&b, "reason", job->why);
    } else {
        add_string(&b, "message_id", n->message_id);
        add_string(&b, "id", job->call.seen.id);
        if (job->settled) {
            tkt_buf_adds(&b, ",\"settled\":true");
        }
    }
    tkt_buf_addc(&b, '}');
    return tkt_store_event(store, job->r->job.ticket, kind,
                           b.failed ? "{\"cut\":true}" : tkt_buf_str(&b), now_ms, err);
}

static int write_down(struct tkt_store *store, const struct notifyjob *job,
                      int64_t now_ms, struct tkt_err *err)
{
    const char *thread = job->call.seen.thread;

    if (tell_event(store, job, now_ms, err) < 0) {
        return -1;
    }
    if (job->call.undeliverable && job->ops->to != TKT_CHANNEL_TO_ROOM &&
        job->made.notice.to[0] != '\0') {
        const struct tkt_store_contact_failed failed = {
            .address = job->made.notice.to,
            .reason = job->why,
            .ticket = job->r->job.ticket,
            .after = job->call.may_pass ? job->set->conf->limits.undeliverable_after : 1};

        if (tkt_store_contact_failed(store, &failed, now_ms, err) < 0) {
            return -1;
        }
    }
    return thread == NULL || thread[0] == '\0' || job->made.notice.thread[0] != '\0' ||
                   strlen(thread) > TKT_NOTICE_THREAD_MAX
               ? 0
               : tkt_store_notice_thread(store, job->r->job.ticket, job->conf->name,
                                         job->made.notice.to, thread, err);
}

/* The end of the job first: who does not hold it any more writes nothing. */
static int apply(struct tkt_store *store, struct tkt_running *r, struct tkt_err *err)
{
    const struct notifyjob *job = r->state;
    int64_t now_ms = tkt_clock_wall_ms();

    if (tkt_store_job_finish(store, r->job.id, r->owner, TKT_JOB_DONE, 0, job->why,
                             now_ms, err) < 0) {
        return -1;
    }
    if (write_down(store, job, now_ms, err) < 0) {
        err->class = TKT_ERR_TEMP; /* whatever it is, the end must not stand without it */
        return -1;
    }
    return 0;
}

/* What was sent and cannot be written down is sent again: at least once. */
static void recorded(struct tkt_running *r, const struct tkt_err *err)
{
    struct notifyjob *job = r->state;

    if (err->class != TKT_ERR_NONE) {
        struct tkt_err temp = TKT_ERR_INIT;

        tkt_err_set(&temp, TKT_ERR_TEMP, "told, but not written down: %.200s", err->text);
        r->word = TKT_WORD_ANSWERED;
        end(job, &temp, TKT_DOUBT_SET);
        return;
    }
    tkt_log(job->call.undeliverable ? TKT_LOG_WARNING : TKT_LOG_INFO, r->job.ticket_id,
            job->skipped              ? "notice.skipped"
            : job->call.undeliverable ? "notice.undeliverable"
                                      : "notice.told",
            "channel", r->job.target, "what",
            job->is_made ? tkt_notice_names[job->made.notice.what] : "", "role",
            job->is_made ? job->made.notice.role : "", "why", job->why, NULL);
    r->state = NULL;
    release(job);
}

static void record(struct notifyjob *job)
{
    tkt_running_commit(job->r, apply, recorded);
}

/* ---- how it ended ---------------------------------------------------------------------- */

static void carry_out(struct notifyjob *job);

static int load_token(struct notifyjob *job);

static void renew(struct tkt_running *r, struct tkt_tools *tools)
{
    struct notifyjob *job = r->state;

    (void)tools;
    job->err = (struct tkt_err)TKT_ERR_INIT;
    (void)load_token(job); /* job->err tells */
}

static void renewed(struct tkt_running *r)
{
    struct notifyjob *job = r->state;

    if (job->err.class != TKT_ERR_NONE) {
        end(job, &job->err, TKT_DOUBT_CLEAR);
    } else {
        carry_out(job);
    }
}

/* Once: a refused token says that nothing was carried out. */
static bool can_renew(struct notifyjob *job, enum tkt_http_outcome outcome)
{
    if (!job->call.unauthorized || outcome == TKT_HTTP_UNKNOWN || job->renewed ||
        job->token.len == 0) {
        return false;
    }
    job->renewed = true;
    return tkt_running_in_pool(job->r, renew, renewed) == 0;
}

static void ended(struct notifyjob *job, enum tkt_http_outcome outcome,
                  const struct tkt_err *said)
{
    struct tkt_err err = *said;

    if (err.class == TKT_ERR_NONE) {
        record(job);
    } else if (job->call.undeliverable) {
        (void)snprintf(job->why, sizeof(job->why), "%.199s", err.text);
        record(job);
    } else if (!can_renew(job, outcome)) {
        if (job->call.not_ready) {
            err.class = TKT_ERR_TEMP; /* notices wait until it is there again */
            job->r->word = TKT_WORD_FAILED;
        }
        if (job->call.unauthorized) {
            err.class = TKT_ERR_TEMP;
            err.retry_after_s = TKT_MAX(err.retry_after_s, UNAUTHORIZED_S);
            (void)tkt_err_prefix(&err, "the secret of channel %s is refused",
                                 job->conf->name);
        }
        end(job, &err, outcome == TKT_HTTP_UNKNOWN ? TKT_DOUBT_SET : TKT_DOUBT_CLEAR);
    }
}

/* ---- the ways --------------------------------------------------------------------------- */

static void answered(struct tkt_http_call *call, struct tkt_http_response *response)
{
    struct notifyjob *job = tkt_http_arg(call);
    struct tkt_err err = TKT_ERR_INIT;

    (void)tkt_channel_finish(job->ops, &job->call, response, &err); /* err tells */
    ended(job, response->outcome, &err);
}

static int send_http(struct notifyjob *job, struct tkt_err *err)
{
    if (tkt_channel_prepare(job->ops, &job->call, err) < 0) {
        return -1;
    }
    job->call.request.done = answered;
    job->call.request.arg = job;
    if (tkt_http_check_url(job->call.request.url, &job->call.request.peer, err) < 0) {
        return -1;
    }
    if (tkt_http_start(job->r->http, &job->call.request, err) == NULL) {
        job->call.not_ready = err->class == TKT_ERR_CONF;
        return -1;
    }
    return 0;
}

static void run(struct tkt_running *r, struct tkt_tools *tools)
{
    struct notifyjob *job = r->state;
    int (*program)(struct tkt_channel_call *, enum tkt_http_outcome *, struct tkt_err *) =
        job->ops->way == TKT_CHANNEL_MAIL ? tkt_mail_run : job->ops->run;

    (void)tools;
    job->err = (struct tkt_err)TKT_ERR_INIT;
    job->outcome = TKT_HTTP_RETRY;
    (void)program(&job->call, &job->outcome, &job->err); /* job->err tells */
}

static void ran(struct tkt_running *r)
{
    struct notifyjob *job = r->state;

    ended(job, job->outcome, &job->err);
}

/* A mail server or a program may take long: not in the loop, nor where mail is read. */
static int send_aside(struct notifyjob *job, struct tkt_err *err)
{
    if (job->ops->way == TKT_CHANNEL_PROGRAM && job->ops->run == NULL) {
        return tkt_err_set(err, TKT_ERR_BUG, "channel %s has no way", job->ops->type);
    }
    return tkt_running_aside(job->r, run, ran) < 0
               ? tkt_err_set(err, TKT_ERR_TEMP, "no thread is free")
               : 0;
}

static void carry_out(struct notifyjob *job)
{
    struct tkt_err err = TKT_ERR_INIT;
    int rc;

    job->call.bearer = tkt_buf_str(&job->token);
    job->call.now_ms = tkt_clock_wall_ms();
    job->call.unauthorized = job->call.undeliverable = false;
    job->call.may_pass = job->call.not_ready = false;
    memset(&job->call.seen, 0, sizeof(job->call.seen));
    if (job->ops->way == TKT_CHANNEL_HTTP) {
        rc = send_http(job, &err);
    } else {
        rc = send_aside(job, &err);
    }
    if (rc < 0) {
        ended(job, TKT_HTTP_RETRY, &err);
    }
}

static void go(struct tkt_running *r, int64_t wait_ms)
{
    struct notifyjob *job = r->state;

    if (wait_ms > 0) {
        r->state = NULL;
        release(job);
        tkt_running_give_back(r, wait_ms, "its channel is left alone for a while");
        return;
    }
    carry_out(job);
}

/* ---- what it needs ---------------------------------------------------------------------- */

static int load_token(struct notifyjob *job)
{
    const struct tkt_conf_channel *conf = job->conf;
    struct tkt_oauth_ask ask;

    if (!tkt_channel_wants_token(conf, job->call.secret,
                                 job->client_secret.data ? job->client_secret.data : "",
                                 &ask)) {
        return 0;
    }
    if (job->token.len > 0) {
        tkt_oauth_drop(job->r->d->oauth, &ask, tkt_buf_str(&job->token));
        tkt_wipe(job->token.data, job->token.len);
        tkt_buf_reset(&job->token);
    }
    if (tkt_oauth_get(job->r->d->oauth, &ask, &job->token, &job->err) < 0) {
        job->err.class = TKT_ERR_TEMP; /* notices wait for better credentials */
        return tkt_err_prefix(&job->err, "channel %s", conf->name);
    }
    return 0;
}

static int load_site(struct notifyjob *job)
{
    const struct tkt_conf_channel *conf = job->conf;

    if ((conf->client_secret[0] != '\0' &&
         tkt_secret_get(conf->client_secret, &job->client_secret, &job->err) < 0) ||
        (conf->secret[0] != '\0' &&
         tkt_secret_get(conf->secret, &job->secret, &job->err) < 0)) {
        job->err.class = TKT_ERR_TEMP; /* it may be changed just now */
        return tkt_err_prefix(&job->err, "channel %s", conf->name);
    }
    job->call.secret = job->secret.data ? job->secret.data : "";
    return load_token(job);
}

static int skip(struct notifyjob *job, const char *why)
{
    job->skipped = true;
    (void)snprintf(job->why, sizeof(job->why), "%s", why); /* short words */
    return 0;
}

/* Between the plan and now somebody may have opted out, or become unreachable. */
static int look_at_contact(struct notifyjob *job, struct tkt_reader *reader)
{
    const struct tkt_notice *n = &job->made.notice;
    int marks = n->to[0] == '\0'
                    ? 0
                    : tkt_reader_contact(reader, n->to, job->made.full.desk, &job->err);

    if (marks < 0) {
        return -1;
    }
    if (marks & TKT_CONTACT_UNDELIVERABLE && n->what != TKT_NOTICE_REPLY) {
        return skip(job, "the recipient cannot be reached");
    }
    /* A digest may have other desks' news, too: it was gathered before he left this one. */
    unsigned out = n->what == TKT_NOTICE_DIGEST
                       ? TKT_CONTACT_OPTED_OUT
                       : TKT_CONTACT_OPTED_OUT | TKT_CONTACT_LEFT_DESK;
    if (((unsigned)marks & out) != 0 && job->made.may_opt_out) {
        return skip(job, "the recipient opted out");
    }
    if (job->ops->to == TKT_CHANNEL_TO_ADDRESS &&
        tkt_mail_may_tell(job->set->conf, n->to) != TKT_MAIL_ANSWER) {
        return skip(job, "it is no address, or one of our own");
    }
    return 0;
}

/* A try before this one may have been carried out: its service may have told so by now, or
 * tell it soon, and then it is not told again. */
static int look_at_heard(struct notifyjob *job, struct tkt_reader *reader)
{
    const struct tkt_job *j = &job->r->job;
    struct tkt_wire_arena arena = {0};
    struct tkt_reader_heard heard;
    bool listens = tkt_status_url(job->set->conf, job->conf, job->id, job->status_url);

    job->call.status_url = job->status_url;
    if (j->doubt_ms == 0 && j->attempts <= 1) {
        return 0;
    }
    int n = tkt_reader_heard(reader, j->id, &arena, &heard, &job->err);
    tkt_wire_arena_release(&arena);
    if (n == 1 && heard.heard != 0) {
        job->settled = true;
        (void)snprintf(job->why, sizeof(job->why),
                       "told: its service says that it has it"); /* has room */
    } else if (n >= 0 && listens && j->doubt_ms > TKT_DOUBT_ASKED_MS) {
        job->settle_ms =
            j->doubt_ms + tkt_status_settle_ms(job->conf) - tkt_clock_wall_ms();
    }
    return n < 0 ? -1 : 0;
}

/* ---- a reply: an agent's own words -------------------------------------------------------- */

static const char *member(const cJSON *json, const char *name)
{
    const char *s = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, name));

    return s == NULL ? "" : s;
}

/* His name, which is no address. */
static const char *name_of_agent(const struct notifyjob *job, const char *from)
{
    const struct tkt_conf *conf = job->set->conf;
    const char *name = job->mail->analysis.msg.from.name;

    for (size_t i = 0; i < conf->agent_count; i++) {
        if (tkt_ascii_ieq(conf->agents[i].name, from) &&
            conf->agents[i].display_name[0] != '\0') {
            name = conf->agents[i].display_name;
        }
    }
    return strchr(name, '@') != NULL ? "" : name;
}

static int make_words(struct notifyjob *job, struct tkt_reader *reader, cJSON *payload)
{
    const struct tkt_job *j = &job->r->job;
    const struct tkt_conf_desk *desk =
        tkt_conf_desk(job->set->conf, member(payload, "desk"));

    job->mail = calloc(1, sizeof(*job->mail));
    if (desk == NULL || job->mail == NULL) {
        return desk == NULL ? tkt_err_set(&job->err, TKT_ERR_CONF,
                                          "there is no desk %.60s (any more)",
                                          member(payload, "desk"))
                            : tkt_err_set(&job->err, TKT_ERR_TEMP, "no memory");
    }
    if (tkt_agentmail_read(job->mail, job->r->d, job->set, reader, j->message,
                           member(payload, "from"), &job->err) < 0 ||
        tkt_agentmail_make(job->mail, job->r->d, job->set, desk, reader, j->message,
                           &job->err) < 0) {
        return -1;
    }
    /* The plan looked at the same; settings may be others by now. */
    if (job->mail->command.is_internal || job->mail->command.wrong[0] != '\0') {
        return skip(job, "it is for colleagues alone");
    }
    return cJSON_AddStringToObject(payload, "text", tkt_buf_str(&job->mail->text)) == NULL
               ? tkt_err_set(&job->err, TKT_ERR_TEMP, "no memory")
               : 0;
}

static int make_reply(struct notifyjob *job, struct tkt_reader *reader, cJSON *payload)
{
    const struct tkt_job *j = &job->r->job;
    struct tkt_notice *n = &job->made.notice;

    if (make_words(job, reader, payload) < 0 || job->skipped) {
        return job->skipped ? 0 : -1;
    }
    char *text = cJSON_PrintUnformatted(payload);
    job->is_made = text != NULL;
    int rc = text == NULL ? tkt_err_set(&job->err, TKT_ERR_TEMP, "no memory")
                          : tkt_notice_make(&job->made, job->set, reader, j->ticket,
                                            j->message, text, &job->err);
    cJSON_free(text);
    if (rc == 0) {
        n->files = job->mail->files;
        n->file_count = job->mail->file_count;
        if (job->made.desk != NULL && job->made.desk->agent_name) {
            n->from_name = name_of_agent(job, job->made.noted.author);
        }
    }
    return rc;
}

static int make_notice(struct notifyjob *job, struct tkt_reader *reader)
{
    const struct tkt_job *j = &job->r->job;
    cJSON *payload = cJSON_Parse(j->payload != NULL ? j->payload : "");
    int rc;

    if (strcmp(member(payload, "what"), tkt_notice_names[TKT_NOTICE_REPLY]) == 0) {
        rc = make_reply(job, reader, payload);
    } else {
        job->is_made = true;
        rc = tkt_notice_make(&job->made, job->set, reader, j->ticket, j->message,
                             j->payload, &job->err);
    }
    cJSON_Delete(payload);
    return rc;
}

/* What it answers: the last mail of who gets it, or of the requester. */
static int look_at_thread(struct notifyjob *job, struct tkt_reader *reader)
{
    struct tkt_notice_made *m = &job->made;
    char *last = NULL;
    char *first = NULL;
    char *to = tkt_wire_arena_strdup(&m->arena, m->notice.to, strlen(m->notice.to));
    char *asked =
        tkt_wire_arena_strdup(&m->arena, m->full.requester, strlen(m->full.requester));
    TKT_AUTO_BUF struct tkt_buf line = TKT_BUF_INIT(4096);

    job->answered = job->references = "";
    if (m->notice.what != TKT_NOTICE_REPLY || to == NULL || asked == NULL) {
        return 0;
    }
    tkt_ascii_lower(to);
    tkt_ascii_lower(asked);
    int n = tkt_reader_last_mail(reader, job->r->job.ticket, to, &m->arena, &last, &first,
                                 &job->err);
    if (n == 0) {
        n = tkt_reader_last_mail(reader, job->r->job.ticket, asked, &m->arena, &last,
                                 &first, &job->err);
    }
    if (n <= 0) {
        return n;
    }
    job->answered = last;
    if (first[0] != '\0' && strcmp(first, last) != 0 &&
        tkt_buf_addf(&line, "<%s>", first) == 0) {
        const char *kept = tkt_wire_arena_strdup(&m->arena, tkt_buf_str(&line), line.len);

        job->references = kept != NULL ? kept : "";
    }
    return 0;
}

static int fill_mail(struct notifyjob *job)
{
    const struct tkt_notice_made *m = &job->made;
    bool is_reply = m->notice.what == TKT_NOTICE_REPLY;
    const struct tkt_noticemail in = {.conf = job->set->conf,
                                      .keys = &job->set->keys,
                                      .channel = job->conf,
                                      .desk = m->desk,
                                      .ticket = job->r->job.ticket,
                                      .answered = is_reply       ? job->answered
                                                  : m->is_answer ? m->noted.message_id
                                                                 : "",
                                      .references = job->references,
                                      .is_answer = m->is_answer,
                                      .is_person = is_reply,
                                      .may_unsubscribe = m->may_opt_out && !m->is_answer,
                                      .unsubscribe = m->unsubscribe};

    if (job->ops->to != TKT_CHANNEL_TO_ADDRESS) {
        return 0;
    }
    if (m->desk == NULL) {
        return tkt_err_set(&job->err, TKT_ERR_CONF, "there is no desk %s (any more)",
                           m->full.desk);
    }
    return tkt_noticemail_fill(&in, &job->made.notice, &job->made.arena, &job->err);
}

static int load_notice(struct notifyjob *job, struct tkt_reader *reader)
{
    const struct tkt_job *j = &job->r->job;
    struct tkt_notice *n = &job->made.notice;
    char *thread;

    if (make_notice(job, reader) < 0 || job->skipped) {
        return job->skipped ? 0 : -1;
    }
    if (job->made.noted.is_erased && n->what != TKT_NOTICE_DIGEST) {
        return skip(job, "what it was about is erased");
    }
    if (n->at_ms == 0) {
        n->at_ms = j->created_ms;
    }
    /* Of all installations: vendors forget one that they have seen. */
    (void)snprintf(job->id, sizeof(job->id), "%.36s-%" PRId64, n->corr, j->id);
    n->id = job->id;
    if (n->to[0] == '\0') {
        n->to = job->conf->to;
    }
    if (look_at_contact(job, reader) < 0 || job->skipped ||
        tkt_reader_notice_thread(reader, j->ticket, job->conf->name, n->to,
                                 &job->made.arena, &thread, &job->err) < 0) {
        return job->skipped ? 0 : -1;
    }
    n->thread = thread;
    return look_at_heard(job, reader) < 0 || look_at_thread(job, reader) < 0
               ? -1
               : fill_mail(job);
}

static void load(struct tkt_running *r, struct tkt_tools *tools)
{
    struct notifyjob *job = r->state;
    struct tkt_reader *reader = tkt_tools_reader(tools, &job->err);

    if (reader == NULL || load_notice(job, reader) < 0 || job->skipped || job->settled ||
        job->settle_ms > 0) {
        return; /* job->err tells */
    }
    job->site_failed = load_site(job) < 0;
}

static void loaded(struct tkt_running *r)
{
    struct notifyjob *job = r->state;

    if (job->err.class != TKT_ERR_NONE) {
        r->word = job->site_failed ? TKT_WORD_FAILED : TKT_WORD_BY_CLASS;
        end(job, &job->err, TKT_DOUBT_KEEP);
    } else if (job->skipped || job->settled) {
        record(job);
    } else if (job->settle_ms > 0) {
        int64_t wait_ms = job->settle_ms;

        r->state = NULL;
        release(job);
        tkt_running_give_back(
            r, wait_ms, "its answer was lost: its service may tell whether it has it");
    } else {
        tkt_running_turn(r, go);
    }
}

/* ---- start ------------------------------------------------------------------------------ */

static const struct tkt_conf_channel *section(const struct tkt_conf *conf,
                                              const char *name)
{
    for (size_t i = 0; i < conf->channel_count; i++) {
        if (strcmp(conf->channels[i].name, name) == 0) {
            return &conf->channels[i];
        }
    }
    return NULL;
}

static void start(struct tkt_running *r)
{
    struct notifyjob *job = calloc(1, sizeof(*job));
    struct tkt_err err = TKT_ERR_INIT;

    if (job == NULL) {
        tkt_running_give_back(r, BUSY_DELAY_MS, "no memory");
        return;
    }
    job->r = r;
    tkt_buf_init(&job->token, TKT_OAUTH_TOKEN_MAX + 1);
    job->err = (struct tkt_err)TKT_ERR_INIT;
    job->set = tkt_settings_get(r->d);
    job->conf = section(job->set->conf, r->job.target);
    job->ops = job->conf == NULL ? NULL : tkt_channel_find(job->conf->type);
    job->call = (struct tkt_channel_call){
        .conf = job->conf, .secret = "", .bearer = "", .notice = &job->made.notice};
    r->state = job;
    if (job->ops == NULL) {
        tkt_err_set(&err, TKT_ERR_CONF, "there is no section channel \"%s\" (any more)",
                    r->job.target);
        end(job, &err, TKT_DOUBT_KEEP);
    } else if (tkt_running_in_pool(r, load, loaded) < 0) {
        r->state = NULL;
        release(job);
        tkt_running_give_back(r, BUSY_DELAY_MS, "no thread is free");
    }
}

const struct tkt_job_kind tkt_notifyjob_kind = {.kind = "notify", .start = start};
