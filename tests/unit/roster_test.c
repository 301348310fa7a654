/* SPDX-License-Identifier: BSD-2-Clause
 * From the configuration's text to who is on duty.
 */
#include "base/util.h"
#include "conf/read.h"
#include "ticketd/core/roster.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
/* cmocka wants the four above first */
#include <cmocka.h>

#define DESK "desk \"it\" { addresses = {\"a@x.test\"} prefix = \"IT\" }\n"
#define ZONES "/usr/share/zoneinfo/Europe/Berlin"

static struct tkt_conf *conf_of(const char *text, struct tkt_err *err)
{
    char whole[4096];

    snprintf(whole, sizeof(whole), "%s" DESK, text);
    return tkt_conf_load_text("f", whole, strlen(whole), err);
}

static struct tkt_roster *roster_of(const char *text, struct tkt_buf *warnings)
{
    struct tkt_err err = TKT_ERR_INIT;
    struct tkt_conf *conf = conf_of(text, &err);

    if (conf == NULL) {
        fail_msg("%s", err.text);
    }
    struct tkt_roster *r = tkt_roster_new(conf, warnings, &err);
    tkt_conf_free(&conf);
    if (r == NULL) {
        fail_msg("%s", err.text);
    }
    return r;
}

static int64_t utc(int year, int month, int day, int hour, int minute)
{
    return (int64_t)tkt_civil_days(year, month, day) * TKT_DAY_S + hour * 3600 +
           minute * 60;
}

static enum tkt_duty duty(const struct tkt_roster *r, const char *group, size_t member,
                          int64_t now_s)
{
    const struct tkt_roster_group *g = tkt_roster_group(r, group);
    const struct tkt_assign_state state = {0};

    assert_non_null(g);
    return tkt_assign_duty(g, &g->members[member], &state, now_s);
}

static void members_are_agents_once_each_and_sorted(void **state)
{
    struct tkt_roster *r = roster_of(
        "agent \"Zoe@x.test\" { weight = 3 cap = 5 skills = {\"VPN\"} name = \"Zoe\" }\n"
        "group \"net\" { members = {\"zoe@x.test\", \"Ann@x.test\", \"ANN@x.test\"}\n"
        " strategy = skills cap = 9 categories = {\"Network\"} }\n",
        NULL);
    const struct tkt_roster_group *g = tkt_roster_group(r, "net");

    (void)state;
    assert_int_equal(g->member_count, 2);
    assert_string_equal(g->members[0].address, "ann@x.test");
    assert_int_equal(g->members[0].weight, 1);
    assert_string_equal(g->members[1].name, "Zoe");
    assert_int_equal(g->members[1].weight, 3);
    assert_int_equal(g->members[1].cap, 5);
    assert_string_equal(g->members[1].skills.items[0], "vpn");
    assert_int_equal(g->strategy, TKT_ASSIGN_SKILLS);
    assert_string_equal(g->categories.items[0], "network");
    tkt_roster_free(&r);
}

/* The night in which the clock goes back: 02:30 comes twice. */
static void duty_follows_the_clock_on_the_wall(void **state)
{
    (void)state;
    if (access(ZONES, R_OK) < 0) {
        print_message("SKIP: tzdata is not installed\n");
        skip();
    }
    struct tkt_roster *r = roster_of(
        "calendar \"night\" { time_zone = \"Europe/Berlin\" hours = {\"daily "
        "22:00-02:45\"} holidays = {\"12-24\"} }\n"
        "calendar \"tokyo\" { time_zone = \"Asia/Tokyo\" hours = {\"mon-fri "
        "09:00-18:00\"} }\n"
        "agent \"b@x.test\" { calendar = \"tokyo\" absent = "
        "{\"2026-11-24..2026-11-25\"} }\n"
        "group \"g\" { members = {\"a@x.test\", \"b@x.test\"} calendar = \"night\" }\n",
        NULL);

    assert_int_equal(duty(r, "g", 0, utc(2026, 10, 25, 0, 30)), TKT_DUTY_ON);
    assert_int_equal(duty(r, "g", 0, utc(2026, 10, 25, 0, 50)), TKT_DUTY_OFF);
    assert_int_equal(duty(r, "g", 0, utc(2026, 10, 25, 1, 0)), TKT_DUTY_ON); /* again */
    assert_int_equal(duty(r, "g", 0, utc(2026, 10, 25, 1, 44)), TKT_DUTY_ON);
    assert_int_equal(duty(r, "g", 0, utc(2026, 10, 25, 1, 45)), TKT_DUTY_OFF);
    /* in spring 02:00 to 03:00 is not there */
    assert_int_equal(duty(r, "g", 0, utc(2026, 3, 29, 0, 59)), TKT_DUTY_ON);
    assert_int_equal(duty(r, "g", 0, utc(2026, 3, 29, 1, 0)), TKT_DUTY_OFF);
    /* a holiday is a date there: 23:30 of the 23rd in UTC is the 24th in Berlin */
    assert_int_equal(duty(r, "g", 0, utc(2026, 12, 23, 22, 30)), TKT_DUTY_ON);
    assert_int_equal(duty(r, "g", 0, utc(2026, 12, 23, 23, 30)), TKT_DUTY_OFF);
    /* his own calendar: Monday 09:00 in Tokyo is midnight in UTC */
    assert_int_equal(duty(r, "g", 1, utc(2026, 11, 22, 23, 59)), TKT_DUTY_OFF);
    assert_int_equal(duty(r, "g", 1, utc(2026, 11, 23, 0, 0)), TKT_DUTY_ON);
    /* away on dates there */
    assert_int_equal(duty(r, "g", 1, utc(2026, 11, 23, 15, 0)), TKT_DUTY_AWAY);
    assert_int_equal(duty(r, "g", 1, utc(2026, 11, 25, 14, 59)), TKT_DUTY_AWAY);
    assert_int_equal(duty(r, "g", 1, utc(2026, 11, 26, 0, 0)), TKT_DUTY_ON);
    tkt_roster_free(&r);
}

static void holiday_files_are_read_and_doubted(void **state)
{
    static const char text[] =
        "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART:20261124\r\n"
        "END:VEVENT\r\nBEGIN:VEVENT\r\nDTSTART:20261124T100000Z\r\n"
        "END:VEVENT\r\nEND:VCALENDAR\r\n";
    TKT_AUTO_BUF struct tkt_buf warnings = TKT_BUF_INIT(4096);
    char path[] = "/tmp/roster-test-XXXXXX";
    char conf[400];

    (void)state;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    snprintf(conf, sizeof(conf),
             "calendar \"c\" { holiday_files = {\"%s\"} }\n"
             "group \"g\" { members = {\"a@x.test\"} calendar = \"c\" }\n",
             path);
    struct tkt_roster *r = roster_of(conf, &warnings);
    unlink(path);
    assert_int_equal(duty(r, "g", 0, utc(2026, 11, 23, 12, 0)), TKT_DUTY_ON);
    assert_int_equal(duty(r, "g", 0, utc(2026, 11, 24, 12, 0)), TKT_DUTY_OFF);
    assert_non_null(strstr(tkt_buf_str(&warnings), "first in line 5; 1 are taken"));
    tkt_roster_free(&r);
}

static void what_cannot_be_read_is_named(void **state)
{
    static const char *const cases[][2] = {
        {"calendar \"c\" { time_zone = \"No/Where\" }\n",
         "calendar c: time_zone No/Where"},
        {"calendar \"c\" { time_zone = \"../../../etc/passwd\" }\n", "time_zone"},
        {"calendar \"c\" { holiday_files = {\"/none/days.ics\"} }\n", "/none/days.ics"},
        {"calendar \"c\" { holiday_files = {\"/etc/hostname\"} }\n", "BEGIN:VCALENDAR"},
        {"calendar \"c\" { holiday_files = {\"/etc\"} }\n", "/etc"},
        {"group \"g\" { calendar = \"c\" }\n", "there is no section calendar \"c\""},
        {"agent \"a@x.test\" { calendar = \"c\" }\n",
         "there is no section calendar \"c\""},
        {"agent \"nobody\" { }\n", "is no title"},
        {"agent \"a@x.test\" { }\nagent \"A@x.test\" { }\n", "two spellings"},
        {"group \"g\" { fallback = \"h\" }\n", "there is no section group \"h\""},
        {"group \"g\" { fallback = \"g\" }\n", "to itself"},
        {"group \"g\" { fallback = \"h\" }\ngroup \"h\" { fallback = \"g\" }\n",
         "to itself"},
        {"group \"g\" { categories = {\"VPN\"} }\ngroup \"h\" { categories = {\"vpn\"} "
         "}\n",
         "goes to group g already"},
        {"calendar \"c\" { hours = {\"mon 9-17\"} }\n", "mon-fri 08:00"},
        {"calendar \"c\" { holidays = {\"24.12.\"} }\n", "2026-12-24"},
        {"agent \"a@x.test\" { absent = {\"tomorrow\"} }\n", "2026-12-20..2026-12-31"},
    };

    (void)state;
    for (size_t i = 0; i < TKT_ARRAY_LEN(cases); i++) {
        struct tkt_err err = TKT_ERR_INIT;
        struct tkt_conf *conf = conf_of(cases[i][0], &err);
        struct tkt_roster *r = conf != NULL ? tkt_roster_new(conf, NULL, &err) : NULL;

        assert_null(r);
        assert_int_equal(err.class, TKT_ERR_CONF);
        if (strstr(err.text, cases[i][1]) == NULL) {
            fail_msg("case %zu: %s", i, err.text);
        }
        tkt_conf_free(&conf);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_are_agents_once_each_and_sorted),
        cmocka_unit_test(duty_follows_the_clock_on_the_wall),
        cmocka_unit_test(holiday_files_are_read_and_doubted),
        cmocka_unit_test(what_cannot_be_read_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
