/* SPDX-License-Identifier: BSD-2-Clause
 * sieve-ext/ticket-words and ticket-head: a script's strings, a message's header as bytes.
 */
#include "base/util.h"
#include "sieve-ext/ticket-head.h"
#include "sieve-ext/ticket-words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the four above first */
#include <cmocka.h>

static bool right(enum tkt_sieve_word kind, const char *text)
{
    return tkt_sieve_word_check(kind, text, strlen(text)) == NULL;
}

static void a_desk_is_a_short_plain_name(void **state)
{
    (void)state;
    char longest[TKT_SIEVE_NAME_MAX + 2];

    assert_true(right(TKT_SIEVE_DESK, "it"));
    assert_true(right(TKT_SIEVE_DESK, "It-2_x.y"));
    static const char *const wrong[] = {"", "i t", "it\n", "it;", "\xc3\xbc", "a/b"};
    for (size_t i = 0; i < TKT_ARRAY_LEN(wrong); i++) {
        assert_false(right(TKT_SIEVE_DESK, wrong[i]));
    }
    memset(longest, 'a', sizeof(longest));
    assert_null(tkt_sieve_word_check(TKT_SIEVE_DESK, longest, TKT_SIEVE_NAME_MAX));
    assert_non_null(
        tkt_sieve_word_check(TKT_SIEVE_DESK, longest, TKT_SIEVE_NAME_MAX + 1));
    assert_non_null(tkt_sieve_word_check(TKT_SIEVE_DESK, "a\0b", 3));
}

static void a_priority_is_one_of_five_words_in_any_case(void **state)
{
    (void)state;
    assert_true(right(TKT_SIEVE_PRIORITY, "urgent"));
    assert_true(right(TKT_SIEVE_PRIORITY, "PLANNING"));
    assert_false(right(TKT_SIEVE_PRIORITY, "urgen"));
    assert_false(right(TKT_SIEVE_PRIORITY, "urgentx"));
    assert_false(right(TKT_SIEVE_PRIORITY, "1"));
    assert_false(right(TKT_SIEVE_PRIORITY, ""));
}

static void a_text_has_an_end_and_no_control_characters(void **state)
{
    (void)state;
    char text[TKT_SIEVE_TEXT_MAX + 1];

    memset(text, 'x', sizeof(text));
    assert_null(tkt_sieve_word_check(TKT_SIEVE_TEXT, text, TKT_SIEVE_TEXT_MAX));
    assert_non_null(tkt_sieve_word_check(TKT_SIEVE_TEXT, text, TKT_SIEVE_TEXT_MAX + 1));
    assert_true(right(TKT_SIEVE_TEXT, ""));
    assert_true(right(TKT_SIEVE_TEXT, "Dr\xc3\xbc"
                                      "cker 3"));
    assert_false(right(TKT_SIEVE_TEXT, "a\r\nX-Ticket-ID: IT-1"));
    assert_false(right(TKT_SIEVE_TEXT, "\x7f"));
    assert_non_null(tkt_sieve_word_check(TKT_SIEVE_TEXT, "a\0b", 3));
}

static void addresses_tags_and_fields_have_their_form(void **state)
{
    (void)state;
    assert_true(right(TKT_SIEVE_ADDRESS, "a@b"));
    static const char *const wrong[] = {"", "@b", "a@", "a", "a b@c"};
    for (size_t i = 0; i < TKT_ARRAY_LEN(wrong); i++) {
        assert_false(right(TKT_SIEVE_ADDRESS, wrong[i]));
    }
    assert_true(right(TKT_SIEVE_TAG, "gate"));
    assert_false(right(TKT_SIEVE_TAG, ""));
    assert_true(right(TKT_SIEVE_FIELD, "site=hq"));
    assert_true(right(TKT_SIEVE_FIELD, "a.b-c_1==="));
    assert_true(right(TKT_SIEVE_FIELD, "x="));
    assert_false(right(TKT_SIEVE_FIELD, "=hq"));
    assert_false(right(TKT_SIEVE_FIELD, "si te=hq"));
    assert_false(right(TKT_SIEVE_FIELD, "site"));
}

static void ids_are_found_in_brackets_only(void **state)
{
    (void)state;
    static const char text[] =
        "Re: [IT-] IT-9 [5-1] [IT-12] [[hr2-7]] [ABCDEFGHIJK-1] [A-1";
    size_t at = 0;
    const char *id;
    size_t n;

    assert_true(tkt_sieve_find_id(text, strlen(text), &at, &id, &n));
    assert_int_equal(n, 5);
    assert_memory_equal(id, "IT-12", 5);
    assert_true(tkt_sieve_find_id(text, strlen(text), &at, &id, &n));
    assert_int_equal(n, 5);
    assert_memory_equal(id, "hr2-7", 5);
    assert_false(tkt_sieve_find_id(text, strlen(text), &at, &id, &n));
}

/* ---- header ------------------------------------------------------------------------------ */

static void edits_to(const char *head, const struct tkt_wire_edit *edits, size_t count,
                     bool keep_subject, const char *want)
{
    TKT_AUTO_BUF struct tkt_buf out = TKT_BUF_INIT(1 << 20);

    assert_int_equal(
        tkt_sieve_head_edit(head, strlen(head), edits, count, keep_subject, &out), 0);
    assert_string_equal(tkt_buf_str(&out), want);
}

static void what_no_edit_names_stays_byte_for_byte(void **state)
{
    (void)state;
    const struct tkt_wire_edit edits[] = {
        {TKT_WIRE_CHANGE, 1, "Subject", " [IT-1] r\xe9seau\n\tfolded"},
        {TKT_WIRE_DELETE, 2, "X-Ticket-ID", ""},
        {TKT_WIRE_DELETE, 1, "X-Ticket-ID", ""},
        {TKT_WIRE_INSERT, 0, "X-Ticket-ID", " IT-1; k"},
        {TKT_WIRE_ADDRCPT, 0, "", "a@b"}};

    edits_to(
        "A:  b \r\nsubJECT :r\xe9seau\r\nx-ticket-id: 1\r\nSubject: two\r\n"
        "no field\r\nX-Ticket-ID: 2\r\n more\r\nZ: \xff\r\n\r\n",
        edits, TKT_ARRAY_LEN(edits), false,
        "X-Ticket-ID: IT-1; k\r\nA:  b \r\nsubJECT : [IT-1] r\xe9seau\r\n\tfolded\r\n"
        "Subject: two\r\nno field\r\nZ: \xff\r\n\r\n");
}

static void line_ends_are_those_of_the_message(void **state)
{
    (void)state;
    const struct tkt_wire_edit edit = {TKT_WIRE_CHANGE, 1, "Subject", " a\n b"};

    edits_to("Subject: x\nB: c\n\n", &edit, 1, false, "Subject: a\n b\nB: c\n\n");
    edits_to("B: c\r\n\r\n", &edit, 1, false, "B: c\r\nSubject: a\r\n b\r\n\r\n");
    edits_to("B: c", &edit, 1, false, "B: c\nSubject: a\n b\n");
    edits_to("", &edit, 1, false, "Subject: a\n b\n");
}

static void a_subject_that_is_to_stay_stays(void **state)
{
    (void)state;
    const struct tkt_wire_edit edits[] = {{TKT_WIRE_CHANGE, 1, "Subject", " [IT-1] x"},
                                          {TKT_WIRE_INSERT, 0, "X-Ticket-ID", " IT-1"}};

    edits_to("Subject: x\n\n", edits, 2, true, "X-Ticket-ID: IT-1\nSubject: x\n\n");
}

static struct tkt_buf many(unsigned count, size_t value_len)
{
    struct tkt_buf head = TKT_BUF_INIT(64 << 20);
    char *value = malloc(value_len + 1);

    assert_non_null(value);
    memset(value, 'v', value_len);
    value[value_len] = '\0';
    for (unsigned i = 0; i < count; i++) {
        assert_int_equal(tkt_buf_addf(&head, "X-Ticket-ID: %u", i), 0);
        assert_int_equal(tkt_buf_adds(&head, value), 0);
        assert_int_equal(tkt_buf_adds(&head, "\r\n"), 0);
    }
    assert_int_equal(tkt_buf_adds(&head, "Subject: s\r\n\r\n"), 0);
    free(value);
    return head;
}

static void forged_fields_past_the_number_that_is_told_go(void **state)
{
    (void)state;
    TKT_AUTO_BUF struct tkt_buf head = many(TKT_WIRE_FIELDS_MAX + 3, 0);
    TKT_AUTO_BUF struct tkt_buf out = TKT_BUF_INIT(1 << 20);
    struct tkt_wire_request req = {.verb = TKT_WIRE_RESERVE};
    bool told;
    size_t left = 0;

    assert_int_equal(tkt_sieve_head_fields(head.data, head.len, &req.arena, &req.fields,
                                           &req.field_count, &told),
                     0);
    assert_int_equal(req.field_count, TKT_WIRE_FIELDS_MAX);
    assert_int_equal(req.fields[255].index, 256);
    assert_int_equal(tkt_sieve_head_edit(head.data, head.len, NULL, 0, false, &out), 0);
    for (const char *at = out.data; (at = strstr(at, "X-Ticket-ID")) != NULL; at++) {
        left++;
    }
    assert_int_equal(left, TKT_WIRE_FIELDS_MAX);
    assert_non_null(strstr(out.data, "Subject: s\r\n\r\n"));
    tkt_wire_request_release(&req);
}

static void an_oversize_value_is_told_as_empty_and_counted(void **state)
{
    (void)state;
    TKT_AUTO_BUF struct tkt_buf head = many(2, TKT_WIRE_VALUE_MAX);
    struct tkt_wire_request req = {.verb = TKT_WIRE_RESERVE};
    bool told;

    assert_int_equal(tkt_sieve_head_fields(head.data, head.len, &req.arena, &req.fields,
                                           &req.field_count, &told),
                     0);
    assert_int_equal(req.field_count, 3);
    assert_string_equal(req.fields[1].value, "");
    assert_int_equal(req.fields[1].index, 2);
    assert_string_equal(req.fields[2].value, " s");
    assert_true(told);
    tkt_wire_request_release(&req);
}

static void an_oversize_subject_is_left_alone(void **state)
{
    (void)state;
    TKT_AUTO_BUF struct tkt_buf head = TKT_BUF_INIT(1 << 20);
    struct tkt_wire_request req = {.verb = TKT_WIRE_RESERVE};
    bool told;

    assert_int_equal(tkt_buf_adds(&head, "Subject:"), 0);
    for (size_t i = 0; i <= TKT_WIRE_VALUE_MAX; i++) {
        assert_int_equal(tkt_buf_addc(&head, 's'), 0);
    }
    assert_int_equal(tkt_buf_adds(&head, "\n\n"), 0);
    assert_int_equal(tkt_sieve_head_fields(head.data, head.len, &req.arena, &req.fields,
                                           &req.field_count, &told),
                     0);
    assert_false(told);
    tkt_wire_request_release(&req);
}

static void all_values_together_fit_a_request(void **state)
{
    (void)state;
    TKT_AUTO_BUF struct tkt_buf head = many(TKT_WIRE_FIELDS_MAX - 1, 100000);
    struct tkt_wire_request req = {.verb = TKT_WIRE_RESERVE, .hook = "sieve"};
    size_t bytes = 0;
    bool told;

    assert_int_equal(tkt_sieve_head_fields(head.data, head.len, &req.arena, &req.fields,
                                           &req.field_count, &told),
                     0);
    assert_int_equal(req.field_count, TKT_WIRE_FIELDS_MAX);
    for (size_t i = 0; i < req.field_count; i++) {
        bytes += strlen(req.fields[i].value);
    }
    assert_in_range(bytes, TKT_SIEVE_VALUES_MAX - 100100, TKT_SIEVE_VALUES_MAX);
    tkt_wire_request_release(&req);
}

static void a_cut_header_ends_with_a_whole_field(void **state)
{
    (void)state;
    static const char head[] = "A: b\n c\nD: efg\n";

    assert_int_equal(tkt_sieve_head_whole(head, strlen(head)), 8);
    assert_int_equal(tkt_sieve_head_whole(head, 9), 8);
    assert_int_equal(tkt_sieve_head_whole(head, 8), 0);
    assert_int_equal(tkt_sieve_head_whole("", 0), 0);
}

static void a_full_buffer_is_told(void **state)
{
    (void)state;
    struct tkt_buf out = TKT_BUF_INIT(8);

    assert_int_equal(tkt_sieve_head_edit("Subject: x\n\n", 12, NULL, 0, false, &out), -1);
    tkt_buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_desk_is_a_short_plain_name),
        cmocka_unit_test(a_priority_is_one_of_five_words_in_any_case),
        cmocka_unit_test(a_text_has_an_end_and_no_control_characters),
        cmocka_unit_test(addresses_tags_and_fields_have_their_form),
        cmocka_unit_test(ids_are_found_in_brackets_only),
        cmocka_unit_test(what_no_edit_names_stays_byte_for_byte),
        cmocka_unit_test(line_ends_are_those_of_the_message),
        cmocka_unit_test(a_subject_that_is_to_stay_stays),
        cmocka_unit_test(forged_fields_past_the_number_that_is_told_go),
        cmocka_unit_test(an_oversize_value_is_told_as_empty_and_counted),
        cmocka_unit_test(an_oversize_subject_is_left_alone),
        cmocka_unit_test(all_values_together_fit_a_request),
        cmocka_unit_test(a_cut_header_ends_with_a_whole_field),
        cmocka_unit_test(a_full_buffer_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
