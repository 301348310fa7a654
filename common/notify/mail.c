/* SPDX-License-Identifier: BSD-2-Clause
 * The mail channel: what its section must have, a notice as a mail for SMTP, and what the
 * end of it means.
 */
#include "notify/mail.h"

#include "base/enc.h"

#include <stdio.h>
#include <string.h>

static const char *const options[] = {"program", "encoding",    "auth", "tls",
                                      "helo",    "return_path", NULL};

static const char *option(const struct tkt_conf_channel *conf, const char *name)
{
    const char *value = tkt_channel_option(conf, name);

    return value ? value : "";
}

static int check_word(const struct tkt_conf_channel *conf, const char *name,
                      const char *const *words, struct tkt_err *err)
{
    const char *value = option(conf, name);
    bool known = value[0] == '\0';

    for (size_t i = 0; words[i] && !known; i++) {
        known = strcmp(value, words[i]) == 0;
    }
    return known ? 0
                 : tkt_err_set(err, TKT_ERR_CONF, "%s=%.60s is none of %s, %s", name,
                               value, words[0], words[1] ? words[1] : "");
}

static int check_options(const struct tkt_conf_channel *conf, struct tkt_err *err)
{
    static const char *const encodings[] = {"qp", "8bit", NULL};
    static const char *const auths[] = {"PLAIN", "LOGIN", NULL};
    static const char *const tls[] = {"starttls", NULL};
    static const char *const paths[] = {"verp", "null", NULL};

    return check_word(conf, "encoding", encodings, err) < 0 ||
                   check_word(conf, "auth", auths, err) < 0 ||
                   check_word(conf, "tls", tls, err) < 0 ||
                   check_word(conf, "return_path", paths, err) < 0
               ? -1
               : 0;
}

static int check(const struct tkt_conf_channel *conf, struct tkt_err *err)
{
    const char *program = option(conf, "program");

    if (conf->from[0] != '\0' && !tkt_mail_address_ok(conf->from)) {
        return tkt_err_set(err, TKT_ERR_CONF, "from is no address");
    }
    if (conf->to[0] != '\0' && !tkt_mail_address_ok(conf->to)) {
        return tkt_err_set(err, TKT_ERR_CONF, "to is no address");
    }
    if (conf->proxy[0] != '\0') {
        return tkt_err_set(err, TKT_ERR_CONF, "mail goes through no HTTP proxy");
    }
    if (tkt_mail_is_by_program(conf)) {
        if (program[0] != '\0' && program[0] != '/') {
            return tkt_err_set(err, TKT_ERR_CONF, "program= must be an absolute path");
        }
        if (conf->user[0] != '\0' || conf->secret[0] != '\0') {
            return tkt_err_set(err, TKT_ERR_CONF,
                               "a log-in needs url = smtp://host:587 or smtps://host");
        }
        return check_options(conf, err);
    }
    if (program[0] != '\0') {
        return tkt_err_set(err, TKT_ERR_CONF, "url or program=, not both");
    }
    if (conf->secret[0] != '\0' && conf->user[0] == '\0') {
        return tkt_err_set(err, TKT_ERR_CONF, "a secret needs a user");
    }
    return tkt_smtp_check_url(conf->url, err) < 0 ? -1 : check_options(conf, err);
}

bool tkt_mail_is_by_program(const struct tkt_conf_channel *conf)
{
    return conf->url[0] == '\0';
}

/* ---- SMTP ----------------------------------------------------------------------------------- */

static char *keep(struct tkt_channel_call *call, const char *text)
{
    return tkt_wire_arena_strdup(&call->arena, text, strlen(text));
}

/* The address as a command has it; "" stays "". */
static char *envelope(struct tkt_channel_call *call, const char *address,
                      struct tkt_err *err)
{
    char ascii[400] = "";
    char *out = NULL;

    if (address[0] != '\0' && tkt_mail_address(address, ascii, sizeof(ascii)) < 0) {
        tkt_err_set(err, TKT_ERR_PERM, "mail: not an address of the envelope");
    } else if (!(out = keep(call, ascii))) {
        tkt_err_set(err, TKT_ERR_TEMP, "mail: no memory");
    }
    return out;
}

int tkt_mail_build(struct tkt_channel_call *call, struct tkt_buf *mail,
                   struct tkt_smtp_request *request, struct tkt_err *err)
{
    const struct tkt_conf_channel *conf = call->conf;
    const char *from = envelope(call, call->notice->return_path, err);
    const char *to = envelope(call, call->notice->to, err);
    bool token = conf->auth == TKT_CONF_AUTH_BEARER;

    if (!from || !to) {
        /* Whatever stands there, it will be the same the next time. */
        call->undeliverable = from != NULL && err->class == TKT_ERR_PERM;
        return -1;
    }
    if (tkt_mail_write(call->notice, strcmp(option(conf, "encoding"), "8bit") == 0, mail,
                       err) < 0) {
        return -1;
    }
    *request = (struct tkt_smtp_request){
        .url = conf->url,
        .helo = option(conf, "helo"),
        .from = from,
        .to = to,
        .user = conf->user,
        .bearer = token ? call->secret : call->bearer,
        .password = token || call->bearer[0] != '\0' ? "" : call->secret,
        .mechanisms = option(conf, "auth"),
        .mail = mail->data,
        .mail_len = mail->len,
        .timeout_ms = conf->timeout_ms,
        .starttls = option(conf, "tls")[0] != '\0',
        .peer = {.ca_file = conf->ca_file,
                 .client_cert = conf->cert_file,
                 .client_key = conf->key_file,
                 .allow_plain = conf->allow_plain,
                 .in_flight_max = (int)conf->concurrency}};
    return 0;
}

static int name_it(struct tkt_channel_call *call, struct tkt_err *err)
{
    call->seen.id = keep(call, call->notice->message_id);
    call->seen.thread = call->seen.id;
    return call->seen.id ? 0 : tkt_err_set(err, TKT_ERR_TEMP, "mail: no memory");
}

int tkt_mail_read(struct tkt_channel_call *call, const struct tkt_http_response *response,
                  enum tkt_smtp_stage stage, struct tkt_err *err)
{
    const char *text = tkt_buf_str(&response->head);
    char enhanced[16] = "";

    if (response->outcome == TKT_HTTP_DONE) {
        return name_it(call, err);
    }
    tkt_smtp_enhanced(strlen(text) > 4 ? text + 4 : "", enhanced);
    *err = response->err;
    call->unauthorized = stage == TKT_SMTP_AUTH && response->status >= 500;
    enum tkt_failure failure = response->outcome == TKT_HTTP_REJECTED
                                   ? tkt_smtp_failure(response->status, enhanced, stage)
                                   : TKT_FAILURE_NONE;
    call->undeliverable = failure != TKT_FAILURE_NONE;
    call->may_pass = failure == TKT_FAILURE_PASSING;
    return -1;
}

static int by_smtp(struct tkt_channel_call *call, const struct tkt_smtp_request *q,
                   enum tkt_http_outcome *outcome, struct tkt_err *err)
{
    struct tkt_http_response r;
    enum tkt_smtp_stage stage;

    if (tkt_smtp_perform(q, &r, &stage, err) < 0) {
        call->not_ready = err->class == TKT_ERR_CONF;
        *outcome = err->class == TKT_ERR_TEMP ? TKT_HTTP_RETRY : TKT_HTTP_REJECTED;
        return -1;
    }
    *outcome = r.outcome;
    int rc = tkt_mail_read(call, &r, stage, err);
    tkt_http_response_release(&r);
    return rc;
}

int tkt_mail_run(struct tkt_channel_call *call, enum tkt_http_outcome *outcome,
                 struct tkt_err *err)
{
    TKT_AUTO_BUF struct tkt_buf mail = TKT_BUF_INIT(TKT_MAIL_MAX);
    struct tkt_smtp_request q;

    *outcome = TKT_HTTP_REJECTED;
    if (tkt_mail_build(call, &mail, &q, err) < 0) {
        *outcome = err->class == TKT_ERR_TEMP ? TKT_HTTP_RETRY : TKT_HTTP_REJECTED;
        return -1;
    }
    if (!tkt_mail_is_by_program(call->conf)) {
        return by_smtp(call, &q, outcome, err);
    }
    if (tkt_mail_program(call, &mail, &q, outcome, err) < 0) {
        return -1;
    }
    return name_it(call, err);
}

const struct tkt_channel_ops tkt_channel_mail = {
    .type = "mail",
    .title = "mail (SMTP submission or the sendmail program)",
    .way = TKT_CHANNEL_MAIL,
    .to = TKT_CHANNEL_TO_ADDRESS,
    .takes_html = true,
    .options = options,
    .check = check,
};
