/* SPDX-License-Identifier: BSD-2-Clause */
#include "decide/features.h"

#include "base/enc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct tkt_features features_of(const char *text)
{
    struct tkt_features f = TKT_FEATURES_INIT;

    assert_int_equal(tkt_features_add(&f, text, strlen(text), 0), 0);
    return f;
}

static void assert_folds_to(const char *text, const char *want)
{
    struct tkt_features f = features_of(text);

    assert_string_equal(tkt_buf_str(&f.folded), want);
    tkt_features_release(&f);
}

static void case_width_and_marks_are_folded(void **state)
{
    (void)state;
    assert_folds_to("VPN doesn't work!", " vpn doesn t work ");
    assert_folds_to("Stra\xc3\x9f"
                    "e",
                    " strasse ");
    assert_folds_to("\xc3\x84rger mit \xc3\x9c"
                    "bertragung",
                    " \xc3\xa4rger mit \xc3\xbc"
                    "bertragung ");
    /* a letter and its mark apart; wide letters; a ligature */
    assert_folds_to("a\xcc\x88rger", " \xc3\xa4rger ");
    assert_folds_to("\xef\xbc\xb6\xef\xbc\xb0\xef\xbc\xae", " vpn ");
    assert_folds_to("\xef\xac\x81le", " file ");
    assert_folds_to("a\xe2\x80\x94"
                    "b\xc2\xa0"
                    "c",
                    " a b c ");
}

static bool has(const struct tkt_features *f, enum tkt_view view, const char *text)
{
    for (size_t i = 0; i < f->count; i++) {
        if (f->items[i].view == view && f->items[i].len == strlen(text) &&
            memcmp(f->folded.data + f->items[i].at, text, strlen(text)) == 0) {
            return true;
        }
    }
    return false;
}

static void words_pairs_and_pieces_are_there(void **state)
{
    struct tkt_features f = features_of("reset my password");

    (void)state;
    assert_true(has(&f, TKT_VIEW_WORDS, "reset"));
    assert_true(has(&f, TKT_VIEW_WORDS, "my password"));
    assert_false(has(&f, TKT_VIEW_WORDS, "reset my password"));
    assert_true(has(&f, TKT_VIEW_PIECES, " r"));
    assert_true(has(&f, TKT_VIEW_PIECES, "passw"));
    assert_true(has(&f, TKT_VIEW_PIECES, "ord "));
    assert_true(has(&f, TKT_VIEW_PIECES, " my "));
    assert_false(has(&f, TKT_VIEW_PIECES, "t m"));
    assert_false(has(&f, TKT_VIEW_PIECES, "passwo"));
    tkt_features_release(&f);
}

static void the_same_piece_has_the_same_hash_and_others_have_others(void **state)
{
    struct tkt_features f = features_of("printer printing pri \xc3\xbc"
                                        "ber \xc3\xbc"
                                        "bel print \xc3\xa9\xc3\xa9\xc3\xa9");

    (void)state;
    assert_true(f.count > 50);
    for (size_t i = 0; i < f.count; i++) {
        const struct tkt_feature *a = &f.items[i];
        assert_true((size_t)a->at + a->len <= f.folded.len);
        assert_true(tkt_utf8_valid(f.folded.data + a->at, a->len));
        for (size_t k = 0; k < f.count; k++) {
            const struct tkt_feature *b = &f.items[k];
            bool same = a->view == b->view && a->len == b->len &&
                        memcmp(f.folded.data + a->at, f.folded.data + b->at, a->len) == 0;
            assert_int_equal(a->hash == b->hash, same);
        }
    }
    tkt_features_release(&f);
}

static void nothing_has_no_features(void **state)
{
    static const char *const none[] = {
        "", " ", "\n\t \r\n", "... --- !?", "\xff\xfe\x80", "\xe2\x80\x94"};
    (void)state;
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
        struct tkt_features f = features_of(none[i]);
        assert_int_equal(f.count, 0);
        tkt_features_release(&f);
    }
}

static void broken_utf8_parts_words_and_no_more(void **state)
{
    struct tkt_features f = features_of("vpn \xff\xfe m\xc3tail drucker");

    (void)state;
    assert_true(has(&f, TKT_VIEW_WORDS, "vpn"));
    assert_true(has(&f, TKT_VIEW_WORDS, "drucker"));
    assert_true(tkt_utf8_valid(f.folded.data, f.folded.len));
    tkt_features_release(&f);
}

static void subject_and_text_make_no_pair(void **state)
{
    struct tkt_features f = TKT_FEATURES_INIT;

    (void)state;
    assert_int_equal(tkt_features_add(&f, "printer", 7, 0), 0);
    assert_int_equal(tkt_features_add(&f, "broken", 6, 1), 0);
    assert_true(has(&f, TKT_VIEW_WORDS, "printer"));
    assert_true(has(&f, TKT_VIEW_WORDS, "broken"));
    assert_int_equal(f.items[0].zone, 0);
    assert_int_equal(f.items[f.count - 1].zone, 1);
    for (size_t i = 0; i < f.count; i++) {
        assert_null(memmem(f.folded.data + f.items[i].at, f.items[i].len, "r b", 3));
    }
    tkt_features_release(&f);
}

static void a_text_without_blanks_is_read_to_its_end(void **state)
{
    struct tkt_buf b = TKT_BUF_INIT(65536);

    (void)state;
    for (int i = 0; i < 200; i++) {
        assert_int_equal(tkt_buf_adds(&b, "\xe6\x89\x93\xe5\x8d\xb0\xe6\x9c\xba"), 0);
    }
    assert_int_equal(tkt_buf_adds(&b, "\xe5\x9d\x8f"), 0);
    struct tkt_features f = features_of(tkt_buf_str(&b));
    assert_true(has(&f, TKT_VIEW_PIECES, "\xe6\x9c\xba\xe5\x9d\x8f"));
    tkt_features_release(&f);
    tkt_buf_release(&b);
}

static void a_megabyte_is_read_up_to_its_cap(void **state)
{
    enum {
        SIZE = 1024 * 1024
    };
    /* as many features as can be; one word; what folding makes 18 times as long */
    static const char *const units[] = {"a ", "x", "\xef\xb7\xba", "\xc3\xbc ",
                                        "ab cd, "};
    char *text = malloc(SIZE + 1);

    (void)state;
    assert_non_null(text);
    for (size_t u = 0; u < sizeof(units) / sizeof(units[0]); u++) {
        size_t n = strlen(units[u]);
        for (size_t i = 0; i < SIZE; i++) {
            text[i] = units[u][i % n];
        }
        text[SIZE] = '\0';
        struct tkt_features f = features_of(text);
        assert_true(f.folded.len <= TKT_FEATURES_FOLDED_MAX);
        assert_true(f.count <= f.cap);
        assert_true(f.count > 0);
        for (size_t i = 0; i < f.count; i++) {
            assert_true((size_t)f.items[i].at + f.items[i].len <= f.folded.len);
        }
        /* and again into the same memory */
        tkt_features_reset(&f);
        assert_int_equal(tkt_features_add(&f, "again", 5, 0), 0);
        assert_true(has(&f, TKT_VIEW_WORDS, "again"));
        tkt_features_release(&f);
    }
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(case_width_and_marks_are_folded),
        cmocka_unit_test(words_pairs_and_pieces_are_there),
        cmocka_unit_test(the_same_piece_has_the_same_hash_and_others_have_others),
        cmocka_unit_test(nothing_has_no_features),
        cmocka_unit_test(broken_utf8_parts_words_and_no_more),
        cmocka_unit_test(subject_and_text_make_no_pair),
        cmocka_unit_test(a_text_without_blanks_is_read_to_its_end),
        cmocka_unit_test(a_megabyte_is_read_up_to_its_cap),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
