/* SPDX-License-Identifier: BSD-2-Clause
 * Who is told: sections notify against happenings, and when.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/util.h"
#include "decide/calendar.h"
#include "ticketd/notice/noticeplan.h"
#include "ticketd/notice/subscribe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct tkt_conf *conf_of(const char *notify)
{
    char path[] = "/tmp/tkt-subscribe-XXXXXX";
    int fd = mkstemp(path);
    struct tkt_err err = TKT_ERR_INIT;
    FILE *f = fdopen(fd, "w");

    assert_non_null(f);
    fprintf(f,
            "group \"net\" { mailbox = \"net@x.example\" }\n"
            "group \"field\" { members = {\"bob@x.example\", \"eve@x.example\"} }\n"
            "agent \"bob@x.example\" { name = \"Bob\" }\n"
            "desk \"it\" { addresses = {\"it@x.example\"} prefix = \"IT\" }\n"
            "desk \"hr\" { addresses = {\"hr@x.example\"} prefix = \"HR\" }\n"
            "calendar \"work\" { hours = {\"mon-fri 08:00-17:00\"} }\n"
            "channel \"mail\" { type = \"mail\" }\n"
            "channel \"chat\" { type = \"slack\" secret = \"env:X\" }\n"
            "channel \"post\" { type = \"sendgrid\" }\n"
            "channel \"hook\" { type = \"webhook\" url = \"https://h.example/\" }\n"
            "channel \"sms\" { type = \"twilio\" }\n%s",
            notify);
    fclose(f);
    struct tkt_conf *conf = tkt_conf_load(path, &err);
    unlink(path);
    if (conf == NULL) {
        fail_msg("%s", err.text);
    }
    return conf;
}

/* "channel:role:to channel:role:to ..." */
static void assert_told(const struct tkt_conf *conf, const struct tkt_happening *h,
                        const char *want)
{
    struct tkt_told told[TKT_SUBSCRIBE_MAX];
    char have[2000] = "";
    size_t n = tkt_subscribe(conf, h, told);

    for (size_t i = 0; i < n; i++) {
        size_t len = strlen(have);
        snprintf(have + len, sizeof(have) - len, "%s%s:%s:%s", i > 0 ? " " : "",
                 told[i].channel, told[i].role, told[i].to);
    }
    assert_string_equal(have, want);
}

static const char *const cc[] = {"cc@x.example", "bob@x.example"};
static const struct tkt_happening happened = {.what = TKT_NOTICE_CREATED,
                                              .desk = "it",
                                              .group = "net",
                                              .class_name = "human",
                                              .priority = 3,
                                              .may_answer = true,
                                              .who = "ann@y.example",
                                              .requester = "ann@y.example",
                                              .requester_name = "Ann",
                                              .assignee = "",
                                              .manager = "",
                                              .company = "",
                                              .cc = cc,
                                              .cc_count = 2,
                                              .extra_channel = "",
                                              .not_channel = "",
                                              .only = ""};

static void sections_fit_by_desk_group_priority_and_class(void **state)
{
    static const struct {
        const char *conditions;
        const char *desk, *group, *class_name;
        int priority;
        bool fits;
    } rows[] = {
        {"", "it", "net", "human", 3, true},
        {"if_desk = {\"hr\"}", "it", "net", "human", 3, false},
        {"if_desk = {\"hr\", \"it\"}", "it", "net", "human", 3, true},
        {"if_group = {\"field\"}", "it", "net", "human", 3, false},
        {"if_group = {\"net\"}", "it", "net", "human", 3, true},
        {"if_priority = {\"1\", \"2\"}", "it", "net", "human", 3, false},
        {"if_priority = {\"1\", \"2\"}", "it", "net", "human", 2, true},
        {"if_priority = {\"1\"}", "it", "net", "human", 0, false},
        {"if_class = {\"auto-generated\"}", "it", "net", "human", 3, false},
        {"if_class = {\"auto-generated\"}", "it", "net", "auto-generated", 3, true},
        {"", "it", "net", "auto-generated", 3, true},
    };

    (void)state;
    for (size_t i = 0; i < TKT_ARRAY_LEN(rows); i++) {
        char text[300];
        struct tkt_happening h = happened;

        snprintf(text, sizeof(text),
                 "notify \"n\" { on = {\"created\"} to = {\"group\"}"
                 " channel = \"mail\" %s }\n",
                 rows[i].conditions);
        struct tkt_conf *conf = conf_of(text);
        h.desk = rows[i].desk;
        h.group = rows[i].group;
        h.class_name = rows[i].class_name;
        h.priority = rows[i].priority;
        assert_told(conf, &h, rows[i].fits ? "mail:group:net@x.example" : "");
        tkt_conf_free(&conf);
    }
}

static void automatic_mail_is_no_follow_up_unless_asked_for(void **state)
{
    struct tkt_conf *conf = conf_of(
        "notify \"a\" { on = {\"follow_up\"} to = {\"group\"} channel = \"mail\" }\n");
    struct tkt_happening h = happened;

    (void)state;
    h.what = TKT_NOTICE_FOLLOW_UP;
    assert_told(conf, &h, "mail:group:net@x.example");
    h.class_name = "auto-reply";
    assert_told(conf, &h, "");
    tkt_conf_free(&conf);
    conf = conf_of("notify \"a\" { on = {\"follow_up\"} to = {\"group\"}"
                   " channel = \"mail\" if_class = {\"auto-reply\"} }\n");
    assert_told(conf, &h, "mail:group:net@x.example");
    tkt_conf_free(&conf);
}

static void who_may_not_be_answered_is_told_nothing(void **state)
{
    struct tkt_conf *conf =
        conf_of("notify \"a\" { on = {\"created\", \"resolved\", \"comment\"}"
                " to = {\"requester\", \"cc\"} channel = \"mail\" }\n");
    struct tkt_happening h = happened;

    (void)state;
    assert_told(conf, &h,
                "mail:requester:ann@y.example mail:cc:cc@x.example "
                "mail:cc:bob@x.example");
    h.may_answer = false;
    assert_told(conf, &h, "");
    h.what = TKT_NOTICE_RESOLVED;
    assert_told(conf, &h, "");
    tkt_conf_free(&conf);
}

static void nobody_is_told_of_his_own_act(void **state)
{
    struct tkt_conf *conf =
        conf_of("notify \"a\" { on = {\"comment\", \"assigned\", \"created\"}"
                " to = {\"requester\", \"assignee\", \"group\"} channel = \"mail\" }\n");
    struct tkt_happening h = happened;

    (void)state;
    h.what = TKT_NOTICE_COMMENT;
    h.group = "field";
    h.assignee = "bob@x.example";
    h.who = "BOB@x.example";
    assert_told(conf, &h, "mail:requester:ann@y.example mail:group:eve@x.example");
    h.who = "ann@y.example";
    assert_told(conf, &h, "mail:assignee:bob@x.example mail:group:eve@x.example");
    h.what = TKT_NOTICE_CREATED; /* but an acknowledgement is for whoever wrote */
    assert_told(conf, &h,
                "mail:requester:ann@y.example mail:assignee:bob@x.example "
                "mail:group:eve@x.example");
    tkt_conf_free(&conf);
}

static void each_is_told_once_by_a_channel(void **state)
{
    struct tkt_conf *conf =
        conf_of("notify \"a\" { on = {\"created\"} to = {\"group\", \"NET@x.example\"}"
                " channel = \"mail\" }\n"
                "notify \"b\" { on = {\"created\"} to = {\"net@x.example\"}"
                " channel = \"mail\" }\n"
                "notify \"c\" { on = {\"created\"} to = {\"room\", \"net@x.example\"}"
                " channel = \"chat\" }\n");

    (void)state;
    assert_told(conf, &happened,
                "mail:group:net@x.example chat:room:"); /* his room, once */
    tkt_conf_free(&conf);
}

static void a_channel_gets_what_it_takes(void **state)
{
    struct tkt_conf *conf =
        conf_of("notify \"a\" { on = {\"created\"} to = {\"requester\", \"+491701234\", "
                "\"group\"} channel = \"sms\" }\n"
                "notify \"b\" { on = {\"created\"} to = {\"+491701234\", \"#room\"}"
                " channel = \"mail\" }\n");

    (void)state;
    assert_told(conf, &happened, "sms:fixed:+491701234");
    tkt_conf_free(&conf);
}

static void an_escalation_names_its_people(void **state)
{
    static const char *const people[] = {"manager", "assignee", "boss@x.example"};
    struct tkt_conf *conf = conf_of(
        "notify \"a\" { on = {\"escalated\"} to = {\"group\"} channel = \"mail\" }\n");
    struct tkt_happening h = happened;

    (void)state;
    h.what = TKT_NOTICE_ESCALATED;
    h.manager = "mia@x.example";
    h.extra = people;
    h.extra_count = 3;
    assert_told(conf, &h,
                "mail:manager:mia@x.example mail:fixed:boss@x.example "
                "mail:group:net@x.example");
    h.extra_channel = "post";
    assert_told(conf, &h,
                "post:manager:mia@x.example post:fixed:boss@x.example "
                "mail:group:net@x.example");
    h.not_channel = "mail"; /* what is about a channel does not go by it */
    assert_told(conf, &h, "post:manager:mia@x.example post:fixed:boss@x.example");
    tkt_conf_free(&conf);
}

/* Slack knows nobody by his address, and a pager has one service. */
static void a_page_reaches_somebody(void **state)
{
    static const char *const names[] = {"manager", "assignee", "group"};
    static const char *const others[] = {"C0123", "+491701234567"};
    struct tkt_conf *conf = conf_of("");
    struct tkt_happening h = happened;

    (void)state;
    h.what = TKT_NOTICE_ESCALATED;
    h.extra = names;
    for (size_t i = 0; i <= TKT_ARRAY_LEN(names); i++) { /* none, one who is not, all */
        h.extra_count = i;
        h.extra_channel = "chat";
        assert_told(conf, &h, "chat:room:");
        h.extra_channel = "hook";
        assert_told(conf, &h, i < 3 ? "hook:room:" : "hook:group:net@x.example");
    }
    h.extra = others;
    h.extra_count = 2;
    h.extra_channel = "chat";
    assert_told(conf, &h, "chat:fixed:C0123 chat:fixed:+491701234567");
    h.extra_channel = "sms";
    assert_told(conf, &h, "sms:fixed:+491701234567");
    tkt_conf_free(&conf);
}

/* ---- when -------------------------------------------------------------------------------- */

#define MONDAY INT64_C(1793577600000) /* 2026-11-02 00:00 UTC */
#define HOUR (3600 * INT64_C(1000))

static void quiet_hours_hold_or_drop_but_not_what_is_urgent(void **state)
{
    struct tkt_conf *conf = conf_of("");
    struct tkt_hours hours = {0};
    struct tkt_calendar work = {.always = false};
    struct tkt_conf_notify by = {.urgent = 2};

    (void)state;
    assert_int_equal(tkt_hours_add(&hours, "mon-fri 08:00-17:00"), 0);
    work.hours = hours;
    const struct {
        int64_t now, due;
        int priority;
        bool drop;
        int64_t digest;
    } rows[] = {
        {MONDAY + 9 * HOUR, MONDAY + 9 * HOUR, 3, false, 0},
        {MONDAY + 7 * HOUR, MONDAY + 8 * HOUR, 3, false, 0},
        {MONDAY + 7 * HOUR, MONDAY + 7 * HOUR, 2, false, 0},
        {MONDAY + 7 * HOUR, MONDAY + 8 * HOUR, 0, false, 0}, /* not known: not urgent */
        {MONDAY + 7 * HOUR, -1, 3, true, 0},
        {MONDAY + 17 * HOUR, MONDAY + 32 * HOUR, 3, false, 0},
        {MONDAY + 4 * 24 * HOUR + 18 * HOUR, MONDAY + 7 * 24 * HOUR + 8 * HOUR, 3, false,
         0}, /* over the weekend */
        {MONDAY + 9 * HOUR, MONDAY + 10 * HOUR, 3, false, HOUR},
        {MONDAY + 16 * HOUR + HOUR / 2, MONDAY + 32 * HOUR, 3, false, HOUR},
        {MONDAY + 9 * HOUR, MONDAY + 9 * HOUR, 1, false, HOUR},
    };
    for (size_t i = 0; i < TKT_ARRAY_LEN(rows); i++) {
        by.drop_outside = rows[i].drop;
        by.digest_ms = rows[i].digest;
        assert_int_equal(tkt_noticeplan_due(&by, &work, rows[i].priority, rows[i].now),
                         rows[i].due);
    }
    assert_int_equal(tkt_noticeplan_due(&by, NULL, 3, MONDAY), MONDAY + HOUR);
    tkt_conf_free(&conf);
}

static void a_section_must_name_what_there_is(void **state)
{
    static const char *const wrong[] = {
        "notify \"a\" { on = {\"created\"} to = {\"group\"} channel = \"fax\" }\n",
        "notify \"a\" { on = {\"created\"} channel = \"mail\" }\n",
        "notify \"a\" { to = {\"group\"} channel = \"mail\" }\n",
        "notify \"a\" { on = {\"burned\"} to = {\"group\"} channel = \"mail\" }\n",
        "notify \"a\" { on = {\"created\"} to = {\"group\"} channel = \"mail\""
        " hours = \"never\" }\n",
        "notify \"a\" { on = {\"created\"} to = {\"group\"} channel = \"mail\""
        " if_desk = {\"no\"} }\n",
        "itsm \"mail\" { type = \"local\" }\n",
        "channel \"local\" { type = \"mail\" }\n"};

    (void)state;
    for (size_t i = 0; i < TKT_ARRAY_LEN(wrong); i++) {
        char path[] = "/tmp/tkt-subscribe-XXXXXX";
        int fd = mkstemp(path);
        FILE *f = fdopen(fd, "w");
        struct tkt_err err = TKT_ERR_INIT;

        fprintf(f,
                "desk \"it\" { addresses = {\"it@x.example\"} prefix = \"IT\" }\n"
                "channel \"mail\" { type = \"mail\" }\n%s",
                wrong[i]);
        fclose(f);
        struct tkt_conf *conf = tkt_conf_load(path, &err);
        unlink(path);
        assert_null(conf);
        assert_int_equal(err.class, TKT_ERR_CONF);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sections_fit_by_desk_group_priority_and_class),
        cmocka_unit_test(automatic_mail_is_no_follow_up_unless_asked_for),
        cmocka_unit_test(who_may_not_be_answered_is_told_nothing),
        cmocka_unit_test(nobody_is_told_of_his_own_act),
        cmocka_unit_test(each_is_told_once_by_a_channel),
        cmocka_unit_test(a_channel_gets_what_it_takes),
        cmocka_unit_test(an_escalation_names_its_people),
        cmocka_unit_test(a_page_reaches_somebody),
        cmocka_unit_test(quiet_hours_hold_or_drop_but_not_what_is_urgent),
        cmocka_unit_test(a_section_must_name_what_there_is)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
