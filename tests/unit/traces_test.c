/* SPDX-License-Identifier: BSD-2-Clause
 * common/message: what a mail leaves for its successors - other trackers' tags, the tail that
 * may be a signature.
 */
#include "base/util.h"
#include "message/foreign.h"
#include "message/tail.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
/* cmocka wants the four above first */
#include <cmocka.h>

static const char *const own[] = {"IT", "HR"};

/* The IDs of a Subject, parted by blanks. */
static void ids_of(const char *subject, struct tkt_buf *out)
{
    struct tkt_message msg;

    memset(&msg, 0, sizeof(msg));
    msg.subject = (char *)subject;
    assert_int_equal(tkt_foreign_read(&msg, own, TKT_ARRAY_LEN(own)), 0);
    for (size_t i = 0; i < msg.foreign_ids.count; i++) {
        tkt_buf_addf(out, "%s%s", i > 0 ? " " : "", msg.foreign_ids.items[i]);
    }
    tkt_message_release(&msg);
}

static void tags_of_other_trackers_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *subject;
        const char *ids;
    } rows[] = {
        {"[JIRA-123] Printer", "JIRA-123"},
        {"Re: [ABC2_X-9] Printer", "ABC2_X-9"},
        {"[JIRA] (PROJ-77) Printer", "PROJ-77"},
        {"Printer (PROJ-77)", ""},
        {"[#SR-1234] Printer", "SR-1234"},
        {"Re: Printer - #INC-77", "INC-77"},
        {"Colour #FF-00-11", ""},
        {"[#123] Printer", "#123"},
        {"Printer (#123)", "#123"},
        {"[owner/project] Crash at start (#5)", "OWNER/PROJECT#5"},
        {"[owner/project] Crash at start (Issue #5)", "ISSUE#5"},
        {"[RT #12] Printer", "RT#12"},
        {"Re: [rt.example.org #12] Printer", "RT.EXAMPLE.ORG#12"},
        {"[Site - Bug #4711] (New) Printer", "BUG#4711"},
        {"[Bug 12345] New: crash", "BUG#12345"},
        {"AW: [Ticket#2023110510000012] Drucker", "TICKET#2023110510000012"},
        {"Ticket#2023110510000012: Drucker", "TICKET#2023110510000012"},
        {"[Ticket: 123] Printer", "TICKET#123"},
        {"Your Case ID: 00987 was updated", "CASE#00987"},
        {"Request No. 4711", "REQUEST#4711"},
        {"Vorgang Nr. 4711", "VORGANG#4711"},
        {"Request ID :##12345## Printer", "REQUEST#12345"},
        {"##12345## Printer", "##12345"},
        {"INC0012345 - Printer", "INC0012345"},
        {"Re: inc0012345 has been opened (Ref:MSG0098765)", "INC0012345 MSG0098765"},
        {"RITM0010001/SCTASK0010002", "RITM0010001 SCTASK0010002"},
        {"Printer [ ref:_00D58dFQw._5003zGSJ8T:ref ]", "ref:_00D58dFQw._5003zGSJ8T:ref"},
        {"Printer ref:!00D58dFQw.!5003zGSJ8T:ref", "ref:!00D58dFQw.!5003zGSJ8T:ref"},
        {"[JIRA-1] and [JIRA-1] again, [JIRA-2]", "JIRA-1 JIRA-2"},
        /* ours, and what only looks like one */
        {"[IT-12] Printer", ""},
        {"[HR-1] [ABC-2] Printer", "ABC-2"},
        {"[UTF-8] broken, [ISO-8859], [COVID-19]", ""},
        {"[Abc-12] [A-1] [ABC-] [ABC-0] [ABC-1x] [-1]", ""},
        {"Case 2024 budget", ""},
        {"Ticket # 12", ""},
        {"INC12345", ""},
        {"ZINC0012345", ""},
        {"INC0012345X", ""},
        {"Invoice #12345 is wrong", ""},
        {"# ## ### #### ##1# (#) [#] [# ] (##)", ""},
        {"[ABC-123", ""},
        {"", ""},
    };
    for (size_t i = 0; i < TKT_ARRAY_LEN(rows); i++) {
        TKT_AUTO_BUF struct tkt_buf got = TKT_BUF_INIT(4096);
        ids_of(rows[i].subject, &got);
        if (strcmp(tkt_buf_str(&got), rows[i].ids) != 0) {
            fail_msg("'%s' gives '%s', not '%s'", rows[i].subject, tkt_buf_str(&got),
                     rows[i].ids);
        }
    }
}

static void heaps_of_tags_are_capped(void **state)
{
    (void)state;
    TKT_AUTO_BUF struct tkt_buf subject = TKT_BUF_INIT(65536);
    TKT_AUTO_BUF struct tkt_buf got = TKT_BUF_INIT(65536);
    for (int i = 1; i < 2000; i++) {
        tkt_buf_addf(&subject, "[ABC-%d] ", i);
    }
    ids_of(tkt_buf_str(&subject), &got);
    size_t blanks = 0;
    for (const char *p = tkt_buf_str(&got); *p != '\0'; p++) {
        blanks += *p == ' ';
    }
    assert_int_equal(blanks, TKT_MESSAGE_IDS_MAX - 1);

    tkt_buf_reset(&subject);
    tkt_buf_reset(&got);
    for (int i = 0; i < 300; i++) {
        tkt_buf_adds(&subject, "A1");
    }
    char *text = strdup(tkt_buf_str(&subject));
    tkt_buf_reset(&subject);
    tkt_buf_addf(&subject, "[%s-1] [x%s #12] [%s/%s] (#99999999999999999999999)", text,
                 text, text, text);
    ids_of(tkt_buf_str(&subject), &got);
    assert_string_equal(tkt_buf_str(&got), "");
    free(text);
}

/* ---- tails ------------------------------------------------------------------------------ */

static void message(struct tkt_message *msg, const char *reply)
{
    memset(msg, 0, sizeof(*msg));
    msg->reply_text = (char *)reply;
    msg->signature = (char *)"";
}

static void equal_tails_have_equal_hashes_up_to_where_they_differ(void **state)
{
    (void)state;
    uint64_t a[TKT_TAIL_LINES_MAX];
    uint64_t b[TKT_TAIL_LINES_MAX];
    size_t n = tkt_tail_hash("The printer burns.\n\nRegards,\n  Ann \nACME\n", a);

    assert_int_equal(n, 3);
    assert_int_equal(tkt_tail_hash("No paper.\nHelp!\nRegards,\r\nAnn\n\n\nACME", b), 4);
    for (size_t i = 0; i < 3; i++) {
        assert_true(a[i] == b[i]);
    }
    assert_int_equal(tkt_tail_hash("No paper.\nRegards,\nBob\nACME\n", b), 3);
    assert_true(a[0] == b[0]);
    assert_true(a[1] != b[1]);
    assert_true(a[2] != b[2]);
}

static void something_always_remains_before_a_tail(void **state)
{
    (void)state;
    static const char *const none[] = {"", "\n\n \n", "one line", "\n one line\n\n"};
    uint64_t h[TKT_TAIL_LINES_MAX];

    for (size_t i = 0; i < TKT_ARRAY_LEN(none); i++) {
        struct tkt_message msg;
        assert_int_equal(tkt_tail_hash(none[i], h), 0);
        message(&msg, none[i]);
        assert_int_equal(tkt_tail_cut(&msg, 5), 0);
        assert_string_equal(msg.reply_text, none[i]);
        assert_string_equal(msg.signature, "");
        tkt_message_release(&msg);
    }
    assert_int_equal(tkt_tail_hash("one\ntwo\n", h), 1);
}

static void a_quoted_or_long_line_ends_the_tail(void **state)
{
    (void)state;
    uint64_t h[TKT_TAIL_LINES_MAX];
    char text[1024];

    assert_int_equal(tkt_tail_hash("one\n> two\nthree\n", h), 1);
    snprintf(text, sizeof(text), "one\n%0*d\nthree\n", TKT_TAIL_LINE_MAX + 1, 7);
    assert_int_equal(tkt_tail_hash(text, h), 1);
    snprintf(text, sizeof(text), "one\n%0*d\nthree\n", TKT_TAIL_LINE_MAX, 7);
    assert_int_equal(tkt_tail_hash(text, h), 2);
    text[0] = '\0';
    for (int i = 0; i < 40; i++) {
        strcat(text, "line\n");
    }
    assert_int_equal(tkt_tail_hash(text, h), TKT_TAIL_LINES_MAX);
}

static void a_cut_moves_bytes_and_loses_none(void **state)
{
    (void)state;
    static const char text[] = "The printer burns.\n\nRegards,\n\n  Ann \nACME\n";
    static const struct {
        unsigned lines;
        const char *reply;
        const char *signature;
    } rows[] = {
        {0, text, "-- \nold\n"},
        {1, "The printer burns.\n\nRegards,\n\n  Ann \n", "ACME\n-- \nold\n"},
        {2, "The printer burns.\n\nRegards,\n\n", "  Ann \nACME\n-- \nold\n"},
        {3, "The printer burns.\n\n", "Regards,\n\n  Ann \nACME\n-- \nold\n"},
        {9, "The printer burns.\n\n", "Regards,\n\n  Ann \nACME\n-- \nold\n"},
    };
    for (size_t i = 0; i < TKT_ARRAY_LEN(rows); i++) {
        struct tkt_message msg;
        message(&msg, text);
        msg.signature = (char *)"-- \nold\n";
        assert_int_equal(tkt_tail_cut(&msg, rows[i].lines), 0);
        assert_string_equal(msg.reply_text, rows[i].reply);
        assert_string_equal(msg.signature, rows[i].signature);
        tkt_message_release(&msg);
    }
    struct tkt_message msg;
    message(&msg, "one\nAnn");
    msg.signature = (char *)"old";
    assert_int_equal(tkt_tail_cut(&msg, 1), 0);
    assert_string_equal(msg.signature, "Ann\nold");
    tkt_message_release(&msg);
    message(&msg, "one\nAnn");
    assert_int_equal(tkt_tail_cut(&msg, 1), 0);
    assert_string_equal(msg.reply_text, "one\n");
    assert_string_equal(msg.signature, "Ann");
    tkt_message_release(&msg);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tags_of_other_trackers_are_read),
        cmocka_unit_test(heaps_of_tags_are_capped),
        cmocka_unit_test(equal_tails_have_equal_hashes_up_to_where_they_differ),
        cmocka_unit_test(something_always_remains_before_a_tail),
        cmocka_unit_test(a_quoted_or_long_line_ends_the_tail),
        cmocka_unit_test(a_cut_moves_bytes_and_loses_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
