/* SPDX-License-Identifier: BSD-2-Clause
 * Channels: the bytes of requests and what answers mean, by tables.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/enc.h"
#include "base/util.h"
#include "notify/build.h"
#include "notify/send.h"

#include <stdlib.h>
#include <string.h>

#define CORR "mt-0123456789abcdef0123456789abcdef"
#define SMILE "\xf0\x9f\x98\x80"
#define WHSEC "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

struct bench {
    struct tkt_conf_channel conf;
    struct tkt_notice notice;
    struct tkt_channel_call call;
    const struct tkt_channel_ops *ops;
};

static char *const none[] = {NULL};

static void begin(struct bench *b, const char *type)
{
    static char empty[] = "";
    char *e = empty;

    memset(b, 0, sizeof(*b));
    b->conf = (struct tkt_conf_channel){.name = e,
                                        .type = e,
                                        .url = e,
                                        .user = (char *)(uintptr_t) "AC1",
                                        .secret = (char *)(uintptr_t) "env:X",
                                        .token_url = e,
                                        .client_id = e,
                                        .client_secret = e,
                                        .scope = e,
                                        .from = (char *)(uintptr_t) "+15005550006",
                                        .to = e,
                                        .options = {(char **)(uintptr_t)none, 0},
                                        .timeout_ms = 1000,
                                        .concurrency = 1,
                                        .ca_file = e,
                                        .cert_file = e,
                                        .key_file = e,
                                        .proxy = e};
    b->notice = (struct tkt_notice){.id = "n-1",
                                    .what = TKT_NOTICE_CREATED,
                                    .to = "+4915112345678",
                                    .to_name = "Ann",
                                    .role = "requester",
                                    .language = "de",
                                    .subject = "[IT-1] Gr\xc3\xbc\xc3\x9f"
                                               "e <!channel> " SMILE,
                                    .text = "It is *broken* & <b>.\n" SMILE "\n",
                                    .html = "",
                                    .ticket = "IT-1",
                                    .corr = CORR,
                                    .number = "INC7",
                                    .url = "https://desk.example/IT-1",
                                    .desk = "it",
                                    .group = "net",
                                    .assignee = "",
                                    .state = "new",
                                    .priority = 2,
                                    .at_ms = INT64_C(1790000000000),
                                    .thread = "",
                                    .from = "support@example.test",
                                    .from_name = "Support",
                                    .reply_to = "support+t@example.test",
                                    .return_path = "",
                                    .message_id = "a@example.test",
                                    .in_reply_to = "b@c",
                                    .references = "<x@y> <b@c>"};
    b->ops = tkt_channel_find(type);
    assert_non_null(b->ops);
    b->call = (struct tkt_channel_call){.conf = &b->conf,
                                        .secret = "s3cret",
                                        .bearer = "",
                                        .notice = &b->notice,
                                        .now_ms = INT64_C(1790000000000)};
}

static void end(struct bench *b)
{
    tkt_wire_arena_release(&b->call.arena);
}

static void build(struct bench *b)
{
    struct tkt_err err = TKT_ERR_INIT;

    assert_int_equal(tkt_channel_prepare(b->ops, &b->call, &err), 0);
}

static bool has_header(const struct bench *b, const char *line)
{
    for (size_t i = 0; b->call.request.headers[i] != NULL; i++) {
        if (strcmp(b->call.request.headers[i], line) == 0) {
            return true;
        }
    }
    return false;
}

/* What read says of an answer: 0, or the class of the error. */
static int answer(struct bench *b, int status, const char *body, struct tkt_err *err)
{
    struct tkt_http_response r = {
        .status = status, .body = TKT_BUF_INIT(1 << 16), .head = TKT_BUF_INIT(1 << 16)};

    r.outcome = status / 100 == 2                ? TKT_HTTP_DONE
                : status == 429 || status >= 500 ? TKT_HTTP_RETRY
                                                 : TKT_HTTP_REJECTED;
    if (r.outcome != TKT_HTTP_DONE) {
        (void)tkt_err_set(&r.err,
                          status == 401                 ? TKT_ERR_CONF
                          : r.outcome == TKT_HTTP_RETRY ? TKT_ERR_TEMP
                                                        : TKT_ERR_PERM,
                          "answered %d", status);
    }
    assert_int_equal(tkt_buf_adds(&r.body, body), 0);
    assert_int_equal(tkt_buf_adds(&r.head, "x-message-id: 14c5\n"), 0);
    int rc = tkt_channel_finish(b->ops, &b->call, &r, err);

    tkt_buf_release(&r.body);
    tkt_buf_release(&r.head);
    assert_true((rc == 0) == (err->class == TKT_ERR_NONE));
    return (int)err->class;
}

static void answers(struct bench *b, int status, const char *body, int class)
{
    struct tkt_err err = TKT_ERR_INIT;

    assert_int_equal(answer(b, status, body, &err), class);
    assert_null(strstr(err.text, "s3cret"));
}

/* ---- each of them ------------------------------------------------------------------------ */

static const char *body_of(const struct bench *b)
{
    return b->call.request.body;
}

static void all_build_the_same_again_and_survive_nonsense(void **state)
{
    static const char *const nonsense[] = {"",
                                           "{",
                                           "[]",
                                           "null",
                                           "\"x\"",
                                           "{\"ok\":7}",
                                           "<html>",
                                           "{\"errors\":[7]}",
                                           "{\"error\":[]}",
                                           "{\"code\":\"x\"}"};
    static const int statuses[] = {200, 202, 400, 401, 403, 404, 410, 429, 500, 503};

    (void)state;
    for (size_t i = 0; tkt_channel_table[i] != NULL; i++) {
        struct bench b;

        if (tkt_channel_table[i]->way != TKT_CHANNEL_HTTP) {
            continue;
        }
        begin(&b, tkt_channel_table[i]->type);
        b.conf.url = (char *)(uintptr_t) "https://api.example/services/x";
        b.call.secret =
            b.ops->way == TKT_CHANNEL_HTTP && strcmp(b.ops->type, "webhook") == 0
                ? WHSEC
                : "s3cret";
        build(&b);
        char *first = strdup(body_of(&b));
        build(&b);
        assert_string_equal(first, body_of(&b));
        free(first);
        for (size_t k = 0; k < TKT_ARRAY_LEN(nonsense); k++) {
            for (size_t s = 0; s < TKT_ARRAY_LEN(statuses); s++) {
                struct tkt_err err = TKT_ERR_INIT;
                int class = answer(&b, statuses[s], nonsense[k], &err);

                assert_true(statuses[s] < 300 || class != TKT_ERR_NONE);
                assert_true(statuses[s] != 401 || b.call.unauthorized);
            }
        }
        end(&b);
    }
}

/* The caps in characters that the vendors state, with four bytes each. */
static void what_is_too_long_is_cut_between_characters(void **state)
{
    static const struct {
        const char *type, *url;
        size_t body_max; /* bytes of a whole request */
    } rows[] = {{"twilio", "", 1600 * 12 + 300},
                {"whatsapp", "", 4096 * 4 + 300},
                {"slack", "", 15000},
                {"teams", "https://flow.example/x", 28 * 1024},
                {"pagerduty", "", 512 * 1024},
                {"webhook", "https://hook.example/x", 20000},
                {"sendgrid", "", 30 * 1000 * 1000}};
    struct tkt_buf big = TKT_BUF_INIT(1 << 20);

    (void)state;
    for (int i = 0; i < 200000 / 4; i++) {
        assert_int_equal(tkt_buf_adds(&big, SMILE), 0);
    }
    for (size_t i = 0; i < TKT_ARRAY_LEN(rows); i++) {
        struct bench b;

        begin(&b, rows[i].type);
        b.conf.url = (char *)(uintptr_t)rows[i].url;
        b.call.secret = strcmp(rows[i].type, "webhook") == 0 ? WHSEC : "s3cret";
        b.notice.text = tkt_buf_str(&big);
        b.notice.subject = tkt_buf_str(&big);
        build(&b);
        assert_true(tkt_utf8_valid(body_of(&b), b.call.request.body_len));
        assert_true(b.call.request.body_len <= rows[i].body_max);
        end(&b);
    }
    tkt_buf_release(&big);
}

static void twilio_takes_a_form_and_says_who_cannot_be_reached(void **state)
{
    struct bench b;

    (void)state;
    begin(&b, "twilio");
    build(&b);
    assert_string_equal(b.call.request.url,
                        "https://api.twilio.com/2010-04-01/Accounts/AC1/Messages.json");
    assert_true(has_header(&b, "Authorization: Basic QUMxOnMzY3JldA=="));
    assert_true(has_header(&b, "Content-Type: application/x-www-form-urlencoded"));
    assert_string_equal(body_of(&b),
                        "To=%2B4915112345678&From=%2B15005550006&Body=It%20is%20%2Abroken"
                        "%2A%20%26%20%3Cb%3E.%0A%F0%9F%98%80%0A");
    answers(&b, 201, "{\"sid\":\"SM1\",\"status\":\"queued\"}", TKT_ERR_NONE);
    assert_string_equal(b.call.seen.id, "SM1");
    answers(&b, 400, "{\"code\":21610,\"message\":\"STOP\",\"status\":400}",
            TKT_ERR_PERM);
    assert_true(b.call.undeliverable);
    answers(&b, 400, "{\"code\":21606,\"message\":\"bad From\"}", TKT_ERR_PERM);
    assert_false(b.call.undeliverable);
    answers(&b, 429, "{\"code\":20429,\"message\":\"slow\"}", TKT_ERR_TEMP);
    answers(&b, 401, "{\"code\":20003,\"message\":\"Authenticate\"}", TKT_ERR_CONF);
    assert_true(b.call.unauthorized);
    b.conf.from = (char *)(uintptr_t) "MG77";
    build(&b);
    assert_non_null(strstr(body_of(&b), "&MessagingServiceSid=MG77&"));
    end(&b);
}

static void slack_says_no_in_a_200_and_threads_by_its_stamp(void **state)
{
    struct bench b;

    (void)state;
    begin(&b, "slack");
    b.notice.to = "C1";
    build(&b);
    assert_string_equal(b.call.request.url, "https://slack.com/api/chat.postMessage");
    assert_true(has_header(&b, "Authorization: Bearer s3cret"));
    cJSON *j = cJSON_Parse(body_of(&b));
    assert_string_equal(tkt_channel_str(&b.call, j, "channel"), "C1");
    assert_non_null(strstr(tkt_channel_str(&b.call, j, "text"), "&lt;!channel&gt;"));
    assert_string_equal(tkt_channel_str(&b.call, j, "blocks.1.text.type"), "plain_text");
    assert_string_equal(tkt_channel_str(&b.call, j, "thread_ts"), "");
    cJSON_Delete(j);
    answers(&b, 200, "{\"ok\":true,\"channel\":\"C1\",\"ts\":\"17.0001\"}", TKT_ERR_NONE);
    assert_string_equal(b.call.seen.thread, "C1 17.0001");
    answers(&b, 200, "{\"ok\":false,\"error\":\"channel_not_found\"}", TKT_ERR_PERM);
    answers(&b, 200, "{\"ok\":false,\"error\":\"ratelimited\"}", TKT_ERR_TEMP);
    answers(&b, 200, "{\"ok\":false,\"error\":\"invalid_auth\"}", TKT_ERR_CONF);
    assert_true(b.call.unauthorized);
    b.notice.thread = "C1 17.0001";
    build(&b);
    j = cJSON_Parse(body_of(&b));
    assert_string_equal(tkt_channel_str(&b.call, j, "thread_ts"), "17.0001");
    cJSON_Delete(j);
    b.call.secret = "https://hooks.slack.com/services/T/B/s3cret";
    build(&b);
    assert_string_equal(b.call.request.url,
                        "https://hooks.slack.com/services/T/B/s3cret");
    answers(&b, 200, "ok", TKT_ERR_NONE);
    answers(&b, 404, "no_service", TKT_ERR_PERM);
    end(&b);
}

static void teams_shows_mail_as_words_and_not_as_markup(void **state)
{
    struct bench b;

    (void)state;
    begin(&b, "teams");
    b.call.secret = "https://flow.example/sig=s3cret";
    b.notice.group = "[net](https://evil.example) *x*";
    build(&b);
    cJSON *j = cJSON_Parse(body_of(&b));
    const char *card = "attachments.0.content.";
    assert_string_equal(tkt_channel_str(&b.call, j, "attachments.0.contentType"),
                        "application/vnd.microsoft.card.adaptive");
    assert_string_equal(
        tkt_channel_str(&b.call, j,
                        tkt_channel_text(&b.call, "%sbody.1.inlines.0.type", card)),
        "TextRun");
    assert_string_equal(
        tkt_channel_str(&b.call, j,
                        tkt_channel_text(&b.call, "%sbody.2.facts.2.value", card)),
        "\\[net\\]\\(https://evil.example\\) \\*x\\*");
    cJSON_Delete(j);
    answers(&b, 202, "", TKT_ERR_NONE);
    end(&b);
}

static void a_page_is_one_alert_a_ticket_and_is_taken_back(void **state)
{
    struct bench b;

    (void)state;
    begin(&b, "pagerduty");
    build(&b);
    cJSON *j = cJSON_Parse(body_of(&b));
    assert_string_equal(tkt_channel_str(&b.call, j, "dedup_key"), CORR);
    assert_string_equal(tkt_channel_str(&b.call, j, "event_action"), "trigger");
    assert_string_equal(tkt_channel_str(&b.call, j, "payload.severity"), "error");
    assert_string_equal(tkt_channel_str(&b.call, j, "payload.timestamp"),
                        "2026-09-21T14:13:20Z");
    cJSON_Delete(j);
    assert_true(b.call.request.repeatable);
    b.notice.is_over = true;
    build(&b);
    assert_string_equal(body_of(&b),
                        "{\"routing_key\":\"s3cret\",\"event_action\":\"resolve\","
                        "\"dedup_key\":\"" CORR "\"}");
    answers(&b, 202, "{\"status\":\"success\",\"dedup_key\":\"" CORR "\"}", TKT_ERR_NONE);
    answers(&b, 400, "{\"status\":\"invalid event\",\"errors\":[\"summary\"]}",
            TKT_ERR_PERM);
    end(&b);
}

static void whatsapp_needs_a_template_after_a_day(void **state)
{
    struct bench b;
    static char *rows[] = {(char *)(uintptr_t) "template=ticket_news"};

    (void)state;
    begin(&b, "whatsapp");
    b.conf.from = (char *)(uintptr_t) "1060";
    build(&b);
    assert_string_equal(b.call.request.url,
                        "https://graph.facebook.com/v20.0/1060/messages");
    cJSON *j = cJSON_Parse(body_of(&b));
    assert_string_equal(tkt_channel_str(&b.call, j, "to"), "4915112345678");
    assert_string_equal(tkt_channel_str(&b.call, j, "type"), "text");
    cJSON_Delete(j);
    answers(&b, 200, "{\"messages\":[{\"id\":\"wamid.1\"}]}", TKT_ERR_NONE);
    assert_string_equal(b.call.seen.id, "wamid.1");
    answers(&b, 400, "{\"error\":{\"code\":131047,\"message\":\"Re-engagement\"}}",
            TKT_ERR_PERM);
    answers(&b, 400, "{\"error\":{\"code\":131026,\"message\":\"no\"}}", TKT_ERR_PERM);
    assert_true(b.call.undeliverable);
    answers(&b, 400, "{\"error\":{\"code\":130429,\"message\":\"rate\"}}", TKT_ERR_TEMP);
    answers(&b, 400, "{\"error\":{\"code\":190,\"message\":\"token\"}}", TKT_ERR_CONF);
    assert_true(b.call.unauthorized);
    b.conf.options = (struct tkt_conf_list){rows, 1};
    build(&b);
    j = cJSON_Parse(body_of(&b));
    assert_string_equal(tkt_channel_str(&b.call, j, "template.name"), "ticket_news");
    assert_string_equal(tkt_channel_str(&b.call, j, "template.language.code"), "de");
    assert_string_equal(
        tkt_channel_str(&b.call, j, "template.components.0.parameters.0.text"), "IT-1");
    cJSON_Delete(j);
    end(&b);
}

static void sendgrid_gets_our_fields_but_not_its_own(void **state)
{
    static const char *const headers[] = {"Auto-Submitted: auto-replied",
                                          "Subject: forged", "X-SG-ID: forged", NULL};
    struct bench b;

    (void)state;
    begin(&b, "sendgrid");
    b.conf.from = (char *)(uintptr_t) "";
    b.notice.to = "ann@example.org";
    b.notice.html = "<p>x</p>";
    b.notice.headers = headers;
    build(&b);
    cJSON *j = cJSON_Parse(body_of(&b));
    assert_string_equal(tkt_channel_str(&b.call, j, "personalizations.0.to.0.email"),
                        "ann@example.org");
    assert_string_equal(tkt_channel_str(&b.call, j, "from.email"),
                        "support@example.test");
    assert_string_equal(tkt_channel_str(&b.call, j, "headers.Auto-Submitted"),
                        "auto-replied");
    assert_string_equal(tkt_channel_str(&b.call, j, "headers.In-Reply-To"), "<b@c>");
    assert_string_equal(tkt_channel_str(&b.call, j, "headers.Subject"), "");
    assert_string_equal(tkt_channel_str(&b.call, j, "headers.X-SG-ID"), "");
    assert_string_equal(tkt_channel_str(&b.call, j, "content.1.type"), "text/html");
    cJSON_Delete(j);
    answers(&b, 202, "", TKT_ERR_NONE);
    assert_string_equal(b.call.seen.id, "14c5");
    answers(&b, 400,
            "{\"errors\":[{\"message\":\"Does not contain a valid address.\","
            "\"field\":\"personalizations.0.to\"}]}",
            TKT_ERR_PERM);
    assert_true(b.call.undeliverable);
    end(&b);
}

static void a_webhook_is_signed_by_its_id_and_time(void **state)
{
    struct bench b;
    struct tkt_err err = TKT_ERR_INIT;

    (void)state;
    begin(&b, "webhook");
    b.conf.url = (char *)(uintptr_t) "https://hook.example/x";
    b.call.secret = WHSEC;
    build(&b);
    assert_true(has_header(&b, "webhook-id: n-1"));
    assert_true(has_header(&b, "webhook-timestamp: 1790000000"));
    assert_true(b.call.request.peer.public_only);
    assert_non_null(strstr(body_of(&b), "\"type\":\"notice.created\""));
    answers(&b, 410, "", TKT_ERR_CONF);
    answers(&b, 204, "", TKT_ERR_NONE);
    b.call.secret = "no key at all";
    assert_int_equal(tkt_channel_prepare(b.ops, &b.call, &err), -1);
    assert_int_equal(err.class, TKT_ERR_CONF);
    end(&b);
}

static void a_section_that_cannot_work_is_told_why(void **state)
{
    (void)state;
    for (size_t i = 0; tkt_channel_table[i] != NULL; i++) {
        struct tkt_err err = TKT_ERR_INIT;
        struct bench b;

        if (tkt_channel_table[i]->way != TKT_CHANNEL_HTTP) {
            continue;
        }
        begin(&b, tkt_channel_table[i]->type);
        b.conf.secret = (char *)(uintptr_t) "";
        assert_int_equal(b.ops->check(&b.conf, &err), -1);
        assert_int_equal(err.class, TKT_ERR_CONF);
        assert_true(strlen(err.text) > 3);
        end(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_build_the_same_again_and_survive_nonsense),
        cmocka_unit_test(what_is_too_long_is_cut_between_characters),
        cmocka_unit_test(twilio_takes_a_form_and_says_who_cannot_be_reached),
        cmocka_unit_test(slack_says_no_in_a_200_and_threads_by_its_stamp),
        cmocka_unit_test(teams_shows_mail_as_words_and_not_as_markup),
        cmocka_unit_test(a_page_is_one_alert_a_ticket_and_is_taken_back),
        cmocka_unit_test(whatsapp_needs_a_template_after_a_day),
        cmocka_unit_test(sendgrid_gets_our_fields_but_not_its_own),
        cmocka_unit_test(a_webhook_is_signed_by_its_id_and_time),
        cmocka_unit_test(a_section_that_cannot_work_is_told_why)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
