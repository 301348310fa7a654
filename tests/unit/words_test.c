/* SPDX-License-Identifier: BSD-2-Clause
 * common/message/words: common words of subjects, prints of texts.
 */
#include "base/util.h"
#include "message/words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
/* cmocka wants the four above first */
#include <cmocka.h>

static void subjects_share_a_word_in_any_script_and_case(void **state)
{
    (void)state;
    static const char *const same[][2] = {
        {"Printer on fire", "Re: PRINTER"},
        {"Drucker in Köln", "AW: DRUCKER KÖLN"},
        {"Проблема с принтером", "RE: ПРОБЛЕМА"},
        {"Πρόβλημα", "πρόβλημα"},
        {"打印机坏了", "回复: 打印机"},
        {"プリンターが動かない", "Re: プリンター"},
        {"프린터 고장", "답장: 프린터"},
    };
    static const char *const other[][2] = {
        {"Printer on fire", "New laptop"},
        {"Проблема с принтером", "Новый ноутбук"},
        {"打印机坏了", "新电脑"},
        {"[IT-12] Printer", "[IT-12] Laptop"},
        {"Printer [HELPDESK-9]", "Laptop [HELPDESK-9]"},
    };
    for (size_t i = 0; i < TKT_ARRAY_LEN(same); i++) {
        assert_false(tkt_words_disjoint(same[i][0], same[i][1]));
    }
    for (size_t i = 0; i < TKT_ARRAY_LEN(other); i++) {
        assert_true(tkt_words_disjoint(other[i][0], other[i][1]));
    }
}

static void without_words_nothing_is_disjoint(void **state)
{
    (void)state;
    static const char *const empty[] = {"",        "Re:",    "12 345",
                                        "[IT-12]", "->  !!", "a b c"};
    for (size_t i = 0; i < TKT_ARRAY_LEN(empty); i++) {
        assert_false(tkt_words_disjoint(empty[i], "Printer on fire"));
        assert_false(tkt_words_disjoint("Printer on fire", empty[i]));
    }
}

static const char mail[] =
    "Hello support, since this morning the printer on the second floor prints every page "
    "twice. I switched it off and on again, which did not help. The display shows error "
    "code 5B00. Could somebody please have a look, we need it for the invoices of this "
    "month. Kind regards, Ann";

static void nearly_the_same_text_has_nearly_the_same_print(void **state)
{
    (void)state;
    char other[1024];
    uint64_t a = tkt_print_make("Printer prints twice", mail);

    assert_true(a != 0);
    assert_true(tkt_print_make("Re: Printer prints twice", mail) == a);
    snprintf(other, sizeof(other), "%s (sent again, nobody answered)", mail);
    assert_true(tkt_print_distance(a, tkt_print_make("Printer prints twice", other)) <=
                TKT_PRINT_DISTANCE_MAX);
    assert_true(tkt_print_distance(
                    a, tkt_print_make("VPN does not connect",
                                      "From home the tunnel breaks after two minutes and "
                                      "asks for my password each time. Windows 11, new "
                                      "laptop, it worked last week in the hotel.")) >
                TKT_PRINT_DISTANCE_MAX);
}

static void a_few_words_have_no_print(void **state)
{
    (void)state;
    assert_true(tkt_print_make("", "") == 0);
    assert_true(tkt_print_make("Help", "please call me back") == 0);
    assert_true(tkt_print_make("1 2 3 4 5 6 7 8 9", "10 11 12 13 14 15") == 0);
}

static void any_bytes_are_read_and_long_texts_are_cut(void **state)
{
    (void)state;
    static char text[3 * TKT_PRINT_TEXT_MAX];
    uint32_t x = 1;

    for (unsigned round = 0; round < 200; round++) {
        for (size_t i = 0; i < 400; i++) {
            x = x * 1664525 + 1013904223;
            text[i] = (char)(x >> 24);
        }
        text[400] = '\0';
        (void)tkt_print_make(text, text + 200);
        (void)tkt_words_disjoint(text, text + 100);
    }
    memset(text, '[', sizeof(text) - 1);
    assert_true(tkt_print_make("", text) == 0);
    for (size_t i = 0; i + 8 < sizeof(text); i += 8) {
        snprintf(text + i, 9, "w%05zux ", i % 99991);
    }
    uint64_t whole = tkt_print_make("", text);
    text[TKT_PRINT_TEXT_MAX] = '\0';
    assert_true(whole == tkt_print_make("", text));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(subjects_share_a_word_in_any_script_and_case),
        cmocka_unit_test(without_words_nothing_is_disjoint),
        cmocka_unit_test(nearly_the_same_text_has_nearly_the_same_print),
        cmocka_unit_test(a_few_words_have_no_print),
        cmocka_unit_test(any_bytes_are_read_and_long_texts_are_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
