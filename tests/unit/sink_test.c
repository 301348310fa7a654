/* SPDX-License-Identifier: BSD-2-Clause
 * Sinks: what an event looks like, what goes out, what each answer means.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/util.h"
#include "sink/sink.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

static const struct tkt_store_event_out event = {
    .id = 7,
    .at_ms = 1795348036123,
    .host = "mx1.example",
    .kind = "ticket.created",
    .mark = "0123456789abcdef",
    .ticket = "IT-12",
    .queue_id = "4FABC",
    .message_id = "<a@b>",
    .data = "{\"desk\":\"it\",\"requester\":\"bob@example.org\",\"priority\":2,"
            "\"subject\":\"salary\",\"why\":\"asked by bob@example.org\","
            "\"group\":\"g@example.org\",\"odd \\\"name\":\"x\",\"desk\":\"twice\","
            "\"list\":[1,2],\"flag\":true}"};

static cJSON *document_of(const struct tkt_store_event_out *e, bool personal)
{
    TKT_AUTO_BUF struct tkt_buf out = TKT_BUF_INIT(TKT_SINK_DOCUMENT_MAX);

    tkt_sink_document(e, personal, &out);
    assert_false(out.failed);
    assert_null(strchr(out.data, '\n'));
    cJSON *json = cJSON_ParseWithOpts(out.data, NULL, 1);
    assert_true(cJSON_IsObject(json));
    for (cJSON *a = json->child; a != NULL; a = a->next) {
        for (cJSON *b = a->next; b != NULL; b = b->next) {
            assert_string_not_equal(a->string, b->string);
        }
    }
    return json;
}

static void assert_has(const cJSON *json, const char *name, const char *wanted)
{
    const char *is = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, name));

    if (wanted == NULL) {
        assert_null(is);
        return;
    }
    assert_non_null(is);
    assert_string_equal(is, wanted);
}

static void an_event_is_a_document_with_ecs_names(void **state)
{
    (void)state;
    cJSON *json = document_of(&event, false);

    assert_has(json, "@timestamp", "2026-11-22T11:47:16.123Z");
    assert_has(json, "event.id", "7-0123456789abcdef");
    assert_has(json, "event.action", "ticket.created");
    assert_has(json, "event.outcome", "success");
    assert_has(json, "host.name", "mx1.example");
    assert_has(json, "email.local_id", "4FABC");
    assert_has(json, "ticket_milter.ticket", "IT-12");
    assert_has(json, "ticket_milter.data.desk", "it");
    assert_has(json, "ticket_milter.data.priority", "2");
    assert_has(json, "ticket_milter.data.flag", "true");
    cJSON_Delete(json);
}

static void personal_data_stay_here_unless_asked_for(void **state)
{
    (void)state;
    cJSON *json = document_of(&event, false);
    TKT_AUTO_FREE char *text = cJSON_PrintUnformatted(json);

    assert_null(strstr(text, "bob"));
    assert_null(strstr(text, "salary"));
    assert_null(strstr(text, "example.org"));
    assert_has(json, "error.message", "asked by [address]");
    assert_has(json, "ticket_milter.data.group", "[address]");
    assert_has(json, "email.message_id", NULL);
    cJSON_Delete(json);
    json = document_of(&event, true);
    assert_has(json, "ticket_milter.data.requester", "bob@example.org");
    assert_has(json, "ticket_milter.data.subject", "salary");
    assert_has(json, "ticket_milter.data.list", "[1,2]");
    assert_has(json, "email.message_id", "<a@b>");
    cJSON_Delete(json);
}

static void broken_or_erased_data_are_no_reason_to_lose_an_event(void **state)
{
    static const char *const datas[] = {
        "", "{", "[1]", "7", "{\"a\":\"\xff\xfe\"}", "{\"\":1}"};

    (void)state;
    for (size_t i = 0; i < TKT_ARRAY_LEN(datas); i++) {
        struct tkt_store_event_out e = event;

        e.data = datas[i];
        cJSON *json = document_of(&e, true);
        assert_has(json, "event.action", "ticket.created");
        cJSON_Delete(json);
    }
}

/* ---- answers ---------------------------------------------------------------------------- */

#define SENT 3

struct answer_row {
    const char *type;
    int status;
    const char *body;
    int rc;
    enum tkt_err_class class;
    const char *items; /* p, d, a of the three */
    bool too_large, wants_ack;
};

static const struct answer_row answers[] = {
    {"splunk", 200, "{\"text\":\"Success\",\"code\":0}", 0, TKT_ERR_NONE, "ddd", false,
     false},
    {"splunk", 200, "{\"text\":\"Success\",\"code\":0,\"ackId\":7}", 0, TKT_ERR_NONE,
     "ddd", false, true},
    {"splunk", 200, "<html>", -1, TKT_ERR_TEMP, "ppp", false, false},
    {"splunk", 403, "{\"text\":\"Token disabled\",\"code\":1}", -1, TKT_ERR_CONF, "ppp",
     false, false},
    {"splunk", 401, "{\"text\":\"Token is required\",\"code\":2}", -1, TKT_ERR_CONF,
     "ppp", false, false},
    {"splunk", 400,
     "{\"text\":\"Incorrect index\",\"code\":7,\"invalid-event-number\":1}", -1,
     TKT_ERR_CONF, "ppp", false, false},
    {"splunk", 500, "{\"text\":\"Internal\",\"code\":8}", -1, TKT_ERR_TEMP, "ppp", false,
     false},
    {"splunk", 503, "{\"text\":\"Server is busy\",\"code\":9}", -1, TKT_ERR_TEMP, "ppp",
     false, false},
    {"splunk", 400, "{\"text\":\"Data channel is missing\",\"code\":10}", -1,
     TKT_ERR_CONF, "ppp", false, false},
    {"splunk", 400,
     "{\"text\":\"Invalid data format\",\"code\":6,\"invalid-event-number\":1}", 0,
     TKT_ERR_NONE, "pap", false, false},
    {"splunk", 400, "{\"text\":\"Event field is required\",\"code\":12}", -1,
     TKT_ERR_TEMP, "ppp", true, false},
    {"splunk", 400, "{\"code\":13,\"invalid-event-number\":99}", -1, TKT_ERR_TEMP, "ppp",
     true, false},
    {"splunk", 413, "", -1, TKT_ERR_TEMP, "ppp", true, false},
    {"splunk", 404, "no such page", -1, TKT_ERR_CONF, "ppp", false, false},
    {"elasticsearch", 200,
     "{\"errors\":false,\"items\":[{\"create\":{\"status\":201}},{\"create\":{\"status\":"
     "409}},"
     "{\"create\":{\"status\":201}}]}",
     0, TKT_ERR_NONE, "ddd", false, false},
    {"elasticsearch", 200,
     "{\"errors\":true,\"items\":[{\"create\":{\"status\":429}},{\"create\":{\"status\":"
     "400,"
     "\"error\":{\"type\":\"mapper_parsing_exception\",\"reason\":\"no\"}}},"
     "{\"create\":{\"status\":201}}]}",
     0, TKT_ERR_TEMP, "pad", false, false},
    {"elasticsearch", 200,
     "{\"errors\":true,\"items\":[{\"create\":{\"status\":503}},{\"create\":{\"status\":"
     "403}},"
     "{\"create\":{\"status\":201}}]}",
     0, TKT_ERR_CONF, "ppd", false, false},
    {"elasticsearch", 200, "{\"errors\":false,\"items\":[{\"create\":{\"status\":201}}]}",
     -1, TKT_ERR_TEMP, "ppp", false, false},
    {"elasticsearch", 200, "{\"items\":[1,2,3]}", 0, TKT_ERR_TEMP, "ppp", false, false},
    {"elasticsearch", 200, "<html>", -1, TKT_ERR_TEMP, "ppp", false, false},
    {"elasticsearch", 200, "", -1, TKT_ERR_TEMP, "ppp", false, false},
    {"elasticsearch", 413, "", -1, TKT_ERR_TEMP, "ppp", true, false},
    {"elasticsearch", 401, "{}", -1, TKT_ERR_CONF, "ppp", false, false},
    {"elasticsearch", 400, "{}", -1, TKT_ERR_CONF, "ppp", false, false},
    {"elasticsearch", 429, "{}", -1, TKT_ERR_TEMP, "ppp", false, false}};

/* As net/http.c says it. */
static void judge(struct tkt_http_response *r)
{
    bool later = r->status == 429 || r->status >= 500;

    r->outcome = r->status < 300 ? TKT_HTTP_DONE
                 : later         ? TKT_HTTP_RETRY
                                 : TKT_HTTP_REJECTED;
    if (r->outcome != TKT_HTTP_DONE) {
        bool is_key = r->status == 401 || r->status == 403;

        tkt_err_set(&r->err,
                    later    ? TKT_ERR_TEMP
                    : is_key ? TKT_ERR_CONF
                             : TKT_ERR_PERM,
                    "HTTP %d", r->status);
    }
}

static void each_answer_means_what_its_service_says(void **state)
{
    static const char letters[] = "pda";

    (void)state;
    for (size_t i = 0; i < TKT_ARRAY_LEN(answers); i++) {
        const struct answer_row *row = &answers[i];
        enum tkt_sink_item items[SENT] = {TKT_SINK_PENDING};
        char why[TKT_SINK_WHY_MAX] = "";
        struct tkt_sink_call call = {.count = SENT, .items = items, .why = why};
        struct tkt_http_response r = {.status = row->status, .body = TKT_BUF_INIT(4096)};
        struct tkt_err err = TKT_ERR_INIT;

        (void)tkt_buf_adds(&r.body, row->body);
        judge(&r);
        int rc = tkt_sink_find(row->type)->read(&call, &r, &err);
        print_message("%s %d %s: %s\n", row->type, row->status, row->body, err.text);
        assert_int_equal(rc, row->rc);
        assert_int_equal(err.class, row->class);
        assert_int_equal(call.is_too_large, row->too_large);
        assert_int_equal(call.wants_ack, row->wants_ack);
        for (size_t k = 0; k < SENT; k++) {
            assert_int_equal(letters[items[k]], row->items[k]);
        }
        tkt_buf_release(&r.body);
    }
}

static void a_single_bad_event_is_found_without_its_number(void **state)
{
    enum tkt_sink_item item = TKT_SINK_PENDING;
    char why[TKT_SINK_WHY_MAX] = "";
    struct tkt_sink_call call = {.count = 1, .items = &item, .why = why};
    struct tkt_http_response r = {.status = 400, .body = TKT_BUF_INIT(4096)};
    struct tkt_err err = TKT_ERR_INIT;

    (void)state;
    (void)tkt_buf_adds(&r.body, "{\"text\":\"Event field cannot be blank\",\"code\":13}");
    judge(&r);
    assert_int_equal(tkt_sink_find("splunk")->read(&call, &r, &err), 0);
    assert_int_equal(item, TKT_SINK_ASIDE);
    assert_string_equal(why, "code 13: Event field cannot be blank");
    item = TKT_SINK_DONE; /* an answer about an acknowledgement says nothing of events */
    call.is_ack = true;
    assert_int_equal(tkt_sink_find("splunk")->read(&call, &r, &err), -1);
    assert_int_equal(item, TKT_SINK_DONE);
    tkt_buf_release(&r.body);
}

/* ---- requests --------------------------------------------------------------------------- */

static void what_goes_out_is_as_the_services_want_it(void **state)
{
    TKT_AUTO_BUF struct tkt_buf out = TKT_BUF_INIT(65536);
    TKT_AUTO_BUF struct tkt_buf document = TKT_BUF_INIT(100);
    struct tkt_conf_sink conf = {.url = (char[]){"https://h:8088/"},
                                 .user = (char[]){""},
                                 .index = (char[]){"mail"}};
    struct tkt_sink_call call = {.conf = &conf,
                                 .secret = "s3cret",
                                 .channel = "11111111-2222-4333-8444-555555555555",
                                 .room = TKT_BUF_INIT(4096)};
    struct tkt_err err = TKT_ERR_INIT;

    (void)state;
    (void)tkt_buf_adds(&document, "{}");
    const struct tkt_sink_ops *ops = tkt_sink_find("splunk");
    ops->add(&conf, &event, &document, &out);
    assert_string_equal(out.data,
                        "{\"time\":1795348036.123,\"host\":\"mx1.example\",\"source\":"
                        "\"ticket-milter\",\"sourcetype\":\"_json\",\"index\":\"mail\","
                        "\"event\":{}}");
    assert_int_equal(ops->build(&call, &err), 0);
    assert_string_equal(call.url, "https://h:8088/services/collector/event");
    assert_string_equal(call.headers[0], "Authorization: Splunk s3cret");
    tkt_buf_reset(&out);
    tkt_buf_reset(&call.room);
    ops = tkt_sink_find("elasticsearch");
    ops->add(&conf, &event, &document, &out);
    assert_string_equal(out.data, "{\"create\":{\"_index\":\"mail\",\"_id\":"
                                  "\"mx1.example-7-0123456789abcdef\"}}\n{}\n");
    assert_int_equal(ops->build(&call, &err), 0);
    assert_string_equal(call.headers[1], "Authorization: ApiKey s3cret");
    tkt_buf_reset(&call.room);
    conf.user = (char[]){"user"};
    assert_int_equal(ops->build(&call, &err), 0);
    assert_string_equal(call.headers[1], "Authorization: Basic dXNlcjpzM2NyZXQ=");
    tkt_sink_forget(&call);
}

static void a_secret_adds_no_header(void **state)
{
    struct tkt_conf_sink conf = {.url = (char[]){"https://h"}, .user = (char[]){""}};
    struct tkt_err err = TKT_ERR_INIT;

    (void)state;
    for (size_t i = 0; tkt_sink_table[i] != NULL; i++) {
        struct tkt_sink_call call = {.conf = &conf,
                                     .secret = "a\r\nX-Other: b",
                                     .channel = "c",
                                     .room = TKT_BUF_INIT(4096)};

        assert_int_equal(tkt_sink_table[i]->build(&call, &err), -1);
        assert_int_equal(err.class, TKT_ERR_CONF);
        tkt_sink_forget(&call);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_is_a_document_with_ecs_names),
        cmocka_unit_test(personal_data_stay_here_unless_asked_for),
        cmocka_unit_test(broken_or_erased_data_are_no_reason_to_lose_an_event),
        cmocka_unit_test(each_answer_means_what_its_service_says),
        cmocka_unit_test(a_single_bad_event_is_found_without_its_number),
        cmocka_unit_test(what_goes_out_is_as_the_services_want_it),
        cmocka_unit_test(a_secret_adds_no_header),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
