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

#include <stdio.h>
#include <stdlib.h>
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

/* What a program or a hand puts before the word: no reader sees a difference. */
static void a_note_begins_behind_what_nobody_sees(void **state)
{
    static const char *const blanks[] = {"\xc2\xa0",     "\xef\xbb\xbf", "\xe2\x80\x8b",
                                         "\xe2\x80\x83", "\xe2\x81\xa0", " \xe3\x80\x80 ",
                                         "\xc2\xad",     "\xe2\x80\xa8"};
    char text[100];

    (void)state;
    for (size_t i = 0; i < TKT_ARRAY_LEN(blanks); i++) {
        snprintf(text, sizeof(text), "%s#internal he is rude", blanks[i]);
        assert_string_equal(read_it(text).wrong, "");
        assert_true(read_it(text).is_internal);
        assert_true(tkt_agentcommand_is_note(text));
        snprintf(text, sizeof(text), "#close\n%s#note\nhe is rude", blanks[i]);
        assert_true(read_it(text).is_internal);
    }
}

static void what_may_be_meant_as_a_note_does_not_go_out(void **state)
{
    static const char *const notes[] = {"*#internal* he is rude",
                                        "`#note` he is rude",
                                        "- #internal he is rude",
                                        "\xe2\x80\xa2 #internal",
                                        "[logo]#internal he is rude",
                                        "[logo]\n\n#internal he is rude",
                                        "# internal he is rude",
                                        "##internal",
                                        "\xef\xbc\x83internal he is rude",
                                        "#\xe2\x80\x8binternal he is rude",
                                        "#internal\xc2\xa0he is rude",
                                        "#internal: he is rude",
                                        "Hi all,\r\n\r\n#internal he is rude",
                                        "Hi\n  #Note\nhe is rude",
                                        "#close\nDone.\n*#internal* he is rude"};
    static const char *const plain[] = {"see #internal",
                                        "https://x.example/#note",
                                        "#1 internal",
                                        "Hi\n# note: a comment",
                                        "ok\n> #internal said",
                                        "Hi\n#notebook",
                                        "internal: no",
                                        "a[#internal]",
                                        "[unclosed\n#1",
                                        "#",
                                        "\xff\xfe",
                                        ""};
    char text[200];

    (void)state;
    for (size_t i = 0; i < TKT_ARRAY_LEN(notes); i++) {
        assert_string_not_equal(read_it(notes[i]).wrong, "");
        assert_true(strncmp(notes[i], "#close", 6) == 0 ||
                    tkt_agentcommand_is_note(notes[i]));
        snprintf(text, sizeof(text), "#public\n%s", notes[i]); /* he says that he knows */
        if (strncmp(notes[i], "#c", 2) != 0 && strncmp(notes[i], "#i", 2) != 0) {
            assert_string_equal(read_it(text).wrong, "");
            assert_true(read_it(text).is_public);
            assert_false(tkt_agentcommand_is_note(text));
        }
    }
    for (size_t i = 0; i < TKT_ARRAY_LEN(plain); i++) {
        assert_string_equal(read_it(plain[i]).wrong, "");
        assert_false(read_it(plain[i]).is_internal);
        assert_false(tkt_agentcommand_is_note(plain[i]));
    }
}

/* Anybody may write an agent's address into From. */
static void a_text_of_nothing_but_brackets_costs_no_time(void **state)
{
    size_t n = 192 * 1024;
    char *text = malloc(n + 1);

    (void)state;
    for (size_t i = 0; i < n; i += 3) {
        memcpy(text + i, "[\xc3\xa4", 3);
    }
    text[n] = '\0';
    assert_string_equal(read_it(text).wrong, "");
    assert_false(tkt_agentcommand_is_note(text));
    free(text);
}

static void a_note_is_one_by_its_first_word(void **state)
{
    static const char *const yes[] = {"#internal", "#note\nx", " \n#Internal no",
                                      "#NOTE look here"};
    static const char *const no[] = {"",          "#",        "#notebook is broken",
                                     "see #note", "internal", "#internally"};

    (void)state;
    for (size_t i = 0; i < TKT_ARRAY_LEN(yes); i++) {
        assert_true(tkt_agentcommand_is_note(yes[i]));
    }
    for (size_t i = 0; i < TKT_ARRAY_LEN(no); i++) {
        assert_false(tkt_agentcommand_is_note(no[i]));
    }
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
        cmocka_unit_test(a_note_begins_behind_what_nobody_sees),
        cmocka_unit_test(what_may_be_meant_as_a_note_does_not_go_out),
        cmocka_unit_test(a_text_of_nothing_but_brackets_costs_no_time),
        cmocka_unit_test(a_note_is_one_by_its_first_word),
        cmocka_unit_test(addresses_of_agents_leave_the_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
