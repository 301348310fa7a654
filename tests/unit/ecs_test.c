/* SPDX-License-Identifier: BSD-2-Clause
 * Log lines with names of the Elastic Common Schema.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/ecs.h"
#include "base/log.h"
#include "base/util.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char captured[16384];

static void capture(const char *line, void *arg)
{
    (void)arg;
    snprintf(captured, sizeof(captured), "%s", line);
}

/* The line as JSON: whole, one object, no name twice, no line end. */
static cJSON *read_line(void)
{
    const char *end = NULL;
    cJSON *json = cJSON_ParseWithOpts(captured, &end, 1);

    assert_true(cJSON_IsObject(json));
    assert_null(strchr(captured, '\n'));
    for (cJSON *a = json->child; a != NULL; a = a->next) {
        for (cJSON *b = a->next; b != NULL; b = b->next) {
            assert_string_not_equal(a->string, b->string);
        }
    }
    return json;
}

static const char *text(const cJSON *json, const char *name)
{
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, name));
}

static int setup(void **state)
{
    (void)state;
    tkt_clock_fake(1795348036123, 5000);
    tkt_log_open("ticketd", TKT_LOG_STDERR, false, TKT_LOG_DEBUG);
    tkt_log_use_ecs("1.2", "mx1.example", false);
    tkt_log_capture(capture, NULL);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    tkt_log_capture(NULL, NULL);
    tkt_log_open("ticketd", TKT_LOG_STDERR, false, TKT_LOG_INFO);
    tkt_clock_real();
    return 0;
}

static void each_line_has_time_level_service_host_and_action(void **state)
{
    static const struct {
        enum tkt_log_level level;
        const char *word;
    } rows[] = {{TKT_LOG_ERROR, "error"},
                {TKT_LOG_WARNING, "warning"},
                {TKT_LOG_NOTICE, "notice"},
                {TKT_LOG_INFO, "info"},
                {TKT_LOG_DEBUG, "debug"}};

    (void)state;
    for (size_t i = 0; i < TKT_ARRAY_LEN(rows); i++) {
        tkt_log(rows[i].level, NULL, "ticket.created", NULL);
        cJSON *json = read_line();
        assert_string_equal(text(json, "log.level"), rows[i].word);
        assert_string_equal(text(json, "@timestamp"), "2026-11-22T11:47:16.123Z");
        assert_string_equal(text(json, "ecs.version"), TKT_ECS_VERSION);
        assert_string_equal(text(json, "service.name"), "ticketd");
        assert_string_equal(text(json, "service.version"), "1.2");
        assert_string_equal(text(json, "host.name"), "mx1.example");
        assert_string_equal(text(json, "event.action"), "ticket.created");
        assert_int_equal(cJSON_GetObjectItem(json, "process.pid")->valueint, getpid());
        cJSON_Delete(json);
    }
}

struct name_row {
    const char *object, *key, *value;
    const char *name, *wanted; /* wanted NULL: name must not be there */
};

static const struct name_row name_rows[] = {
    {"4FABCD12", "k", "v", "email.local_id", "4FABCD12"},
    {"IT-12", "k", "v", "ticket_milter.object", "IT-12"},
    {"IT-12", "k", "v", "email.local_id", NULL},
    {"NOQUEUE", "k", "v", "email.local_id", NULL},
    {"NOQUEUE", "k", "v", "ticket_milter.object", NULL},
    {NULL, "queue_id", "4FABCD12", "email.local_id", "4FABCD12"},
    {"4FABCD12", "queue_id", "4FABCD12", "ticket_milter.queue_id", "4FABCD12"},
    {NULL, "desk", "it", "ticket_milter.desk", "it"},
    {NULL, "error", "disk full", "error.message", "disk full"},
    {NULL, "error", "no <bob@example.org>, sorry", "error.message",
     "no <[address]>, sorry"},
    {NULL, "reason", "bob@example.org", "ticket_milter.reason", "[address]"},
    {NULL, "status", "ok", "event.outcome", "success"},
    {NULL, "status", "ok", "ticket_milter.status", "ok"},
    {NULL, "status", "refused", "event.outcome", "failure"},
    {NULL, "status", "odd", "event.outcome", "unknown"},
    {NULL, "took_ms", "x", "ticket_milter.took_ms", "x"},
    {NULL, "took_ms", "9223372036854775807", "ticket_milter.took_ms",
     "9223372036854775807"},
    {NULL, "subject", "my salary", "email.subject", NULL},
    {NULL, "sender", "bob@example.org", "email.sender.address", NULL},
    {NULL, "from", "bob@example.org", "email.from.address", NULL},
    {NULL, "to", "bob@example.org", "email.to.address", NULL},
    {NULL, "requester", "bob", "ticket_milter.requester", NULL},
    {NULL, "message_id", "<a@b>", "email.message_id", "<a@b>"},
    {NULL, "uid", "0", "user.id", "0"}};

static void our_keys_get_their_names(void **state)
{
    (void)state;
    for (size_t i = 0; i < TKT_ARRAY_LEN(name_rows); i++) {
        const struct name_row *row = &name_rows[i];

        tkt_log(TKT_LOG_INFO, row->object, "e", row->key, row->value, NULL);
        cJSON *json = read_line();
        const char *is = text(json, row->name);
        if (row->wanted == NULL) {
            assert_null(is);
        } else {
            assert_non_null(is);
            assert_string_equal(is, row->wanted);
        }
        cJSON_Delete(json);
    }
}

static void personal_data_stand_there_when_asked_for(void **state)
{
    (void)state;
    tkt_log_use_ecs("1.2", "mx1.example", true);
    tkt_log(TKT_LOG_INFO, NULL, "e", "subject", "my salary", "sender", "bob@example.org",
            "error", "no <bob@example.org>", NULL);
    cJSON *json = read_line();
    assert_string_equal(text(json, "email.subject"), "my salary");
    assert_string_equal(text(json, "email.sender.address"), "bob@example.org");
    assert_string_equal(text(json, "error.message"), "no <bob@example.org>");
    cJSON_Delete(json);
}

static void durations_are_numbers_of_nanoseconds(void **state)
{
    (void)state;
    tkt_log(TKT_LOG_INFO, NULL, "e", "took_ms", TKT_NUM(1500), "ms", TKT_NUM(2), NULL);
    assert_non_null(strstr(captured, "\"event.duration\":1500000000,"));
    tkt_log(TKT_LOG_INFO, NULL, "e", "took_us", TKT_NUM(7), NULL);
    assert_non_null(strstr(captured, "\"event.duration\":7000}"));
    cJSON_Delete(read_line());
}

static void an_error_is_a_failure_and_says_so_once(void **state)
{
    (void)state;
    tkt_log(TKT_LOG_ERROR, NULL, "e", "status", "ok", "error", "a", "error", "b", NULL);
    cJSON *json = read_line();
    assert_string_equal(text(json, "event.outcome"), "failure");
    assert_string_equal(text(json, "error.message"), "a");
    cJSON_Delete(json);
}

/* Whatever a sender writes, and however much, a line is one object. */
static void hostile_values_stay_values(void **state)
{
    static const char bytes[] = "\"},{\n\r\x1b[2J\\\xff\xc2@\x01<>";
    char hostile[3000];

    (void)state;
    for (size_t i = 0; i < sizeof(hostile) - 1; i++) {
        hostile[i] = bytes[(i * 7 + i / 13) % (sizeof(bytes) - 1)];
    }
    hostile[sizeof(hostile) - 1] = '\0';
    tkt_log(TKT_LOG_INFO, hostile, "e", "a", hostile, "error", hostile, "b", hostile,
            "status", hostile, "c", hostile, "d", hostile, NULL);
    cJSON_Delete(read_line());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_line_has_time_level_service_host_and_action,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(our_keys_get_their_names, setup, teardown),
        cmocka_unit_test_setup_teardown(personal_data_stand_there_when_asked_for, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(durations_are_numbers_of_nanoseconds, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(an_error_is_a_failure_and_says_so_once, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(hostile_values_stay_values, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
