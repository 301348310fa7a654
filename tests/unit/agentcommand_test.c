/* SPDX-License-Identifier: BSD-2-Clause
 * The first lines of agents' mails, and what is taken out of their texts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/util.h"
#include "decide/decide.h"
#include "ticketd/mail/agentcommand.h"
#include "ticketd/notice/agentmail.h"

#include <string.h>

#define ME "bob@x.example"

static char *members[] = {(char *)ME, (char *)"eve@x.example"};
static struct tkt_conf_group groups[] = {
    {.name = (char *)"net", .members = {members, 2}},
    {.name = (char *)"phones", .members = {members, 1}}};
static const struct tkt_conf conf = {.groups = groups, .group_count = 2};

static struct tkt_agentcommand read_it(const char *text)
{
    struct tkt_agentcommand c;

    tkt_agentcommand_read(text, &conf, ME, &c);
    return c;
}

static void a_text_without_commands_is_sent_as_it_is(void **state)
{
    static const char *const plain[] = {
        "Hello", "", "see #close", "#1 try this", "#", "# a heading", "Hi\n#close\n"};

    (void)state;
    for (size_t i = 0; i < TKT_ARRAY_LEN(plain); i++) {
        struct tkt_agentcommand c = read_it(plain[i]);

        assert_string_equal(c.wrong, "");
        assert_false(c.is_internal);
        assert_int_equal(c.state, -1);
        assert_int_equal(c.body, 0);
    }
}

static void all_commands_are_read(void **state)
{
    const char *text =
        " \r\n#PRIORITY 2\r\n#group Phones #assign me\n#close\r\n\r\nDone.";
    struct tkt_agentcommand c = read_it(text);

    (void)state;
    assert_string_equal(c.wrong, "");
    assert_int_equal(c.priority, 2);
    assert_string_equal(c.group, "phones");
    assert_string_equal(c.assignee, ME);
    assert_int_equal(c.state, TKT_STATE_CLOSED);
    assert_string_equal(text + c.body, "Done.");
    assert_int_equal(read_it("#resolve").state, TKT_STATE_RESOLVED);
    assert_int_equal(read_it("#pending\nx").state, TKT_STATE_PENDING);
    assert_string_equal(read_it("#assign EVE@x.example").assignee, "eve@x.example");
}

static void a_note_may_begin_in_its_line(void **state)
{
    const char *text = "#internal he is rude\nreally";
    struct tkt_agentcommand c = read_it(text);

    (void)state;
    assert_true(c.is_internal);
    assert_string_equal(text + c.body, "he is rude\nreally");
    assert_true(read_it("#priority 1\n#note\nx").is_internal);
    assert_true(read_it("#public thanks").is_public);
}

static void what_is_not_understood_is_told(void **state)
{
    static const char *const bad[] = {"#reslove\nx",
                                      "#close it",
                                      "#priority",
                                      "#priority 6",
                                      "#priority 12",
                                      "#priority 1\n#priority 2",
                                      "#group nowhere",
                                      "#group \"net",
                                      "#assign ann@y.example",
                                      "#assign",
                                      "#internal\n#public",
                                      "#close\n#resolve",
                                      "#close\n#nothing\nhi",
                                      "#internally",
                                      "#note: x",
                                      "#assign me\n#assign me"};
    char longest[5000];

    (void)state;
    for (size_t i = 0; i < TKT_ARRAY_LEN(bad); i++) {
        assert_true(read_it(bad[i]).wrong[0] != '\0');
    }
    memset(longest, 'x', sizeof(longest));
    memcpy(longest, "#\xc3\xa4", 3);
    longest[sizeof(longest) - 1] = '\0';
    assert_string_equal(read_it(longest).wrong, ""); /* no word of ASCII letters */
    longest[1] = 'a';
    longest[2] = 'b';
    assert_true(strlen(read_it(longest).wrong) < TKT_AGENTCOMMAND_WRONG_MAX);
}

static void addresses_of_agents_leave_the_text(void **state)
{
    static const struct {
        const char *text, *out;
    } cases[] = {
        {"ask " ME ".", "ask D@d."},
        {"<" ME "> or BOB@X.EXAMPLE", "<D@d> or D@d"},
        {"jim" ME " " ME "x", "jim" ME " " ME "x"}, /* others' addresses */
        {"eve@x.example,bob@x.example", "D@d,D@d"},
        {"@ a@b " ME, "@ a@b D@d"},
        {"", ""},
    };

    (void)state;
    for (size_t i = 0; i < TKT_ARRAY_LEN(cases); i++) {
        TKT_AUTO_BUF struct tkt_buf b = TKT_BUF_INIT(1000);

        assert_int_equal(tkt_agentmail_strip(&conf, cases[i].text, "D@d", &b), 0);
        assert_string_equal(tkt_buf_str(&b), cases[i].out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_without_commands_is_sent_as_it_is),
        cmocka_unit_test(all_commands_are_read),
        cmocka_unit_test(a_note_may_begin_in_its_line),
        cmocka_unit_test(what_is_not_understood_is_told),
        cmocka_unit_test(addresses_of_agents_leave_the_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
