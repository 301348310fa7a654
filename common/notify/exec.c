/* SPDX-License-Identifier: BSD-2-Clause
 * A helper program, for what has no channel here.
 *
 * It gets the notice as one JSON document on its standard input and says by its exit status
 * (sysexits.h) how it went; what it prints may be {"id", "thread", "error", "retry_after"}.
 * No shell, nothing of our environment, a process group of its own (net/program.h).
 */
#include "base/clock.h"
#include "base/enc.h"
#include "base/util.h"
#include "net/program.h"
#include "notify/build.h"
#include "notify/channels.h"

#include <string.h>
#include <sysexits.h>

#define WORDS_MAX 300
#define POLL_MS 1000

static const char *const options[] = {"program", NULL};

/* ---- what it is told ------------------------------------------------------------------ */

static void add_ticket(cJSON *body, const struct tkt_notice *n)
{
    cJSON *ticket = cJSON_AddObjectToObject(body, "ticket");
    const struct {
        const char *name, *value;
    } texts[] = {{"id", n->ticket},   {"corr", n->corr},         {"number", n->number},
                 {"url", n->url},     {"desk", n->desk},         {"group", n->group},
                 {"state", n->state}, {"assignee", n->assignee}, {"thread", n->thread}};

    for (size_t i = 0; i < TKT_ARRAY_LEN(texts); i++) {
        cJSON_AddStringToObject(ticket, texts[i].name, texts[i].value);
    }
    cJSON_AddNumberToObject(ticket, "priority", n->priority);
    cJSON_AddBoolToObject(ticket, "over", n->is_over);
}

static char *document(struct tkt_channel_call *call)
{
    const struct tkt_notice *n = call->notice;
    const struct tkt_conf_channel *conf = call->conf;
    cJSON *body = cJSON_CreateObject();
    cJSON *channel = cJSON_AddObjectToObject(body, "channel");
    const struct {
        const char *name, *value;
    } texts[] = {{"id", n->id},
                 {"what", tkt_notice_names[n->what]},
                 {"to", tkt_channel_to(call)},
                 {"to_name", n->to_name},
                 {"role", n->role},
                 {"language", n->language},
                 {"subject", n->subject},
                 {"text", n->text},
                 {"html", n->html}};

    cJSON_AddNumberToObject(body, "version", 1);
    for (size_t i = 0; i < TKT_ARRAY_LEN(texts); i++) {
        cJSON_AddStringToObject(body, texts[i].name, texts[i].value);
    }
    cJSON_AddStringToObject(body, "at", tkt_channel_time(call, n->at_ms));
    cJSON_AddStringToObject(channel, "name", conf->name);
    cJSON_AddStringToObject(channel, "url", conf->url);
    cJSON_AddStringToObject(channel, "user", conf->user);
    cJSON_AddStringToObject(channel, "secret", call->secret);
    add_ticket(body, n);
    char *text = body == NULL ? NULL : cJSON_PrintUnformatted(body);
    cJSON_Delete(body);
    return text;
}

/* ---- what it says --------------------------------------------------------------------- */

/* For any end but 0. What is not here may have happened anywhere in the program. */
static const struct {
    int code;
    enum tkt_err_class class;
    bool is_unsure;
    bool is_undeliverable;
} codes[] = {{EX_USAGE, TKT_ERR_CONF, false, false},
             {EX_DATAERR, TKT_ERR_PERM, false, false},
             {EX_NOINPUT, TKT_ERR_PERM, false, false},
             {EX_NOUSER, TKT_ERR_PERM, false, true},
             {EX_NOHOST, TKT_ERR_PERM, false, true},
             {EX_UNAVAILABLE, TKT_ERR_TEMP, false, false},
             {EX_OSFILE, TKT_ERR_CONF, false, false},
             {EX_CANTCREAT, TKT_ERR_PERM, false, false},
             {EX_TEMPFAIL, TKT_ERR_TEMP, false, false},
             {EX_NOPERM, TKT_ERR_CONF, false, false},
             {EX_CONFIG, TKT_ERR_CONF, false, false},
             {EX_SOFTWARE, TKT_ERR_PERM, true, false},
             {EX_OSERR, TKT_ERR_PERM, true, false},
             {EX_IOERR, TKT_ERR_PERM, true, false},
             {EX_PROTOCOL, TKT_ERR_PERM, true, false}};

/* Its own words, on one line. */
static const char *words(struct tkt_channel_call *call, const struct tkt_program_end *end,
                         const cJSON *json)
{
    const char *said =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "error"));
    TKT_AUTO_BUF struct tkt_buf clean = TKT_BUF_INIT(4 * TKT_PROGRAM_SAID_MAX);

    said = said != NULL ? said : tkt_buf_str(&end->said);
    said += strspn(said, " \t\r\n");
    size_t n = TKT_MIN(strcspn(said, "\r\n"), (size_t)TKT_PROGRAM_SAID_MAX);
    (void)tkt_utf8_add_clean(&clean, said, n); /* it fits */
    const char *line = tkt_channel_line(call, tkt_buf_str(&clean), WORDS_MAX);
    return line == NULL ? "" : line;
}

static int judge_exit(struct tkt_channel_call *call, const struct tkt_program_end *end,
                      const char *said, enum tkt_http_outcome *outcome,
                      struct tkt_err *err)
{
    enum tkt_err_class class = TKT_ERR_PERM;
    bool is_unsure = true;

    for (size_t i = 0; i < TKT_ARRAY_LEN(codes); i++) {
        if (codes[i].code == end->code) {
            class = codes[i].class;
            is_unsure = codes[i].is_unsure;
            call->undeliverable = codes[i].is_undeliverable;
        }
    }
    *outcome = is_unsure               ? TKT_HTTP_UNKNOWN
               : class == TKT_ERR_TEMP ? TKT_HTTP_RETRY
                                       : TKT_HTTP_REJECTED;
    return tkt_err_set(err, class, "the program ended with %d%s%s", end->code,
                       said[0] != '\0' ? ": " : "", said);
}

static int judge(struct tkt_channel_call *call, const struct tkt_program_end *end,
                 const cJSON *json, enum tkt_http_outcome *outcome, struct tkt_err *err)
{
    const char *said = words(call, end, json);

    *outcome = TKT_HTTP_UNKNOWN;
    switch (end->how) {
    case TKT_PROGRAM_LATE:
        return tkt_err_set(err, TKT_ERR_TEMP, "the program took too long and was killed");
    case TKT_PROGRAM_LOUD:
        return tkt_err_set(err, TKT_ERR_TEMP,
                           "the program printed more than %d bytes and was killed",
                           TKT_PROGRAM_OUT_MAX);
    case TKT_PROGRAM_DIED:
        return tkt_err_set(err, TKT_ERR_TEMP, "the program died of signal %d: %s",
                           end->code, said);
    default:
        break;
    }
    if (end->code != EX_OK) {
        return judge_exit(call, end, said, outcome, err);
    }
    *outcome = TKT_HTTP_DONE;
    call->seen.id = tkt_channel_keep(call, tkt_channel_str(call, json, "id"));
    call->seen.thread = tkt_channel_keep(call, tkt_channel_str(call, json, "thread"));
    return 0;
}

/* ---- running it ----------------------------------------------------------------------- */

struct ended {
    struct tkt_channel_call *call;
    enum tkt_http_outcome *outcome;
    struct tkt_err *err;
    int rc;
    bool is_over;
};

static void ended(void *arg, struct tkt_program_end *end)
{
    struct ended *e = arg;
    cJSON *json =
        end->out.len > 0 ? cJSON_ParseWithLength(end->out.data, end->out.len) : NULL;
    const cJSON *later = cJSON_GetObjectItemCaseSensitive(json, "retry_after");

    e->is_over = true;
    e->rc = judge(e->call, end, json, e->outcome, e->err);
    if (e->rc < 0 && cJSON_IsNumber(later) && later->valuedouble > 0) {
        e->err->retry_after_s =
            (int)TKT_MIN(later->valuedouble, (double)TKT_HTTP_RETRY_AFTER_MAX_S);
    }
    cJSON_Delete(json);
}

static int run_program(struct tkt_http *loop, struct tkt_channel_call *call,
                       const char *text, enum tkt_http_outcome *outcome,
                       struct tkt_err *err)
{
    struct ended e = {.call = call, .outcome = outcome, .err = err};
    const struct tkt_program_ask ask = {.path = tkt_channel_option(call->conf, "program"),
                                        .in = text,
                                        .in_len = strlen(text),
                                        .file_fd = -1,
                                        .timeout_ms = call->conf->timeout_ms,
                                        .done = ended,
                                        .arg = &e};

    if (tkt_program_start(loop, &ask, err) < 0) {
        call->not_ready = err->class == TKT_ERR_CONF;
        *outcome = TKT_HTTP_REJECTED;
        return -1;
    }
    while (!e.is_over) { /* it ends: it has its time */
        tkt_http_poll(loop, POLL_MS);
    }
    return e.rc;
}

static int run(struct tkt_channel_call *call, enum tkt_http_outcome *outcome,
               struct tkt_err *err)
{
    TKT_AUTO_FREE char *text = document(call);
    struct tkt_http *loop = tkt_http_new(err);
    int rc;

    *outcome = TKT_HTTP_RETRY;
    call->undeliverable = false;
    if (text == NULL || loop == NULL) {
        rc = tkt_err_set(err, TKT_ERR_TEMP, "no memory");
    } else {
        rc = run_program(loop, call, text, outcome, err);
    }
    tkt_http_free(&loop);
    return rc;
}

static int check(const struct tkt_conf_channel *conf, struct tkt_err *err)
{
    const char *program = tkt_channel_option(conf, "program");

    return program != NULL && program[0] == '/'
               ? 0
               : tkt_err_set(err, TKT_ERR_CONF,
                             "no program; write options = {\"program=/its/whole/path\"}");
}

const struct tkt_channel_ops tkt_channel_exec = {.type = "exec",
                                                 .title = "A helper program",
                                                 .way = TKT_CHANNEL_PROGRAM,
                                                 .to = TKT_CHANNEL_TO_ANY,
                                                 .takes_html = true,
                                                 .options = options,
                                                 .check = check,
                                                 .run = run};
