/* SPDX-License-Identifier: BSD-2-Clause
 * Text messages by Twilio.
 *
 * It knows no key for a second try: a message whose answer was lost may be told twice.
 * Source: twilio-oai, spec/json/twilio_api_v2010.json (Messages).
 */
#include "base/util.h"
#include "notify/build.h"
#include "notify/channels.h"

#include <stdio.h>
#include <string.h>

#define BODY_MAX 1600 /* characters; Twilio: 21617 */

static const char *const options[] = {"status_callback", "validity", NULL};

/* Codes that mean this number cannot be reached by us, ever. */
static bool is_undeliverable(int code)
{
    static const int codes[] = {21211, 21610, 21614, 21217};

    for (size_t i = 0; i < TKT_ARRAY_LEN(codes); i++) {
        if (codes[i] == code) {
            return true;
        }
    }
    return false;
}

static int add(struct tkt_buf *form, const char *name, const char *value)
{
    return tkt_buf_addf(form, "%s%s=", form->len > 0 ? "&" : "", name) < 0 ||
                   tkt_escape_add(TKT_ESCAPE_URL, value, form) < 0
               ? -1
               : 0;
}

static const char *what_to_say(struct tkt_channel_call *call)
{
    const struct tkt_notice *n = call->notice;

    return tkt_channel_cut(call, n->text[0] != '\0' ? n->text : n->subject, BODY_MAX);
}

static int build(struct tkt_channel_call *call, struct tkt_err *err)
{
    TKT_AUTO_BUF struct tkt_buf form = TKT_BUF_INIT(64 * 1024);
    const char *from = call->conf->from;
    const char *callback = tkt_channel_option(call->conf, "status_callback");
    const char *validity = tkt_channel_option(call->conf, "validity");
    const char *body = what_to_say(call);
    const char *base = tkt_channel_base(call, "https://api.twilio.com");
    const char *account = tkt_channel_escape(call, call->conf->user);
    /* An API key (SK...) stands in client_id, its secret in secret. */
    const char *user =
        call->conf->client_id[0] != '\0' ? call->conf->client_id : call->conf->user;

    (void)add(&form, "To", tkt_channel_to(call)); /* form.failed tells */
    (void)add(&form, strncmp(from, "MG", 2) == 0 ? "MessagingServiceSid" : "From", from);
    (void)add(&form, "Body", body != NULL ? body : "");
    if (callback != NULL) {
        (void)add(&form, "StatusCallback", callback);
    }
    if (validity != NULL) {
        (void)add(&form, "ValidityPeriod", validity);
    }
    tkt_channel_basic(call, user, call->secret);
    return tkt_channel_post(
        call,
        base == NULL || account == NULL
            ? NULL
            : tkt_channel_text(call, "%s/2010-04-01/Accounts/%s/Messages.json", base,
                               account),
        "application/x-www-form-urlencoded",
        form.failed || body == NULL ? NULL : tkt_channel_keep(call, tkt_buf_str(&form)),
        err);
}

static int read_answer(struct tkt_channel_call *call,
                       const struct tkt_http_response *response, struct tkt_err *err)
{
    cJSON *json = tkt_channel_json(response);
    const cJSON *code = cJSON_GetObjectItemCaseSensitive(json, "code");
    const char *message = tkt_channel_str(call, json, "message");
    int number = cJSON_IsNumber(code) ? code->valueint : 0;
    int rc = tkt_channel_by_status(
        call, response, "Twilio",
        number != 0 ? tkt_channel_text(call, "%d %s", number, message) : message, err);

    call->seen.id = tkt_channel_keep(call, tkt_channel_str(call, json, "sid"));
    if (rc < 0) {
        call->unauthorized = call->unauthorized || number == 20003;
        call->undeliverable = is_undeliverable(number);
        if (number == 20429) {
            err->class = TKT_ERR_TEMP;
        }
    }
    cJSON_Delete(json);
    return rc;
}

static int check(const struct tkt_conf_channel *conf, struct tkt_err *err)
{
    if (conf->user[0] == '\0' || conf->secret[0] == '\0') {
        return tkt_err_set(
            err, TKT_ERR_CONF,
            "user is the account (AC...), secret its token; both are needed");
    }
    return conf->from[0] != '\0'
               ? 0
               : tkt_err_set(err, TKT_ERR_CONF,
                             "from is the number (\"+4930...\") or the messaging service "
                             "(\"MG...\") that sends; it is needed");
}

const struct tkt_channel_ops tkt_channel_twilio = {.type = "twilio",
                                                   .title = "Twilio (SMS)",
                                                   .way = TKT_CHANNEL_HTTP,
                                                   .to = TKT_CHANNEL_TO_PHONE,
                                                   .options = options,
                                                   .check = check,
                                                   .build = build,
                                                   .read = read_answer};
