/* SPDX-License-Identifier: BSD-2-Clause
 * ticketd/copies: what is the same mail with another body, and what is not.
 */
#include "base/buf.h"
#include "base/fs.h"
#include "base/util.h"
#include "recode.h"
#include "ticketd/mail/copies.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* cmocka wants setjmp.h, stdarg.h and stddef.h first */
#include <cmocka.h>

static bool is_copy_n(const char *a, size_t a_len, const char *b, size_t b_len)
{
    struct tkt_copies_text *x = tkt_copies_new();
    struct tkt_copies_text *y = tkt_copies_new();
    bool is;

    tkt_copies_add(x, a, a_len);
    for (size_t at = 0; at < b_len; at += 7) {
        tkt_copies_add(y, b + at, TKT_MIN(b_len - at, (size_t)7));
    }
    is = tkt_copies_is_copy(x, y);
    assert_int_equal(is, tkt_copies_is_copy(y, x));
    tkt_copies_free(&x);
    tkt_copies_free(&y);
    return is;
}

static bool is_copy(const char *a, const char *b)
{
    return is_copy_n(a, strlen(a), b, strlen(b));
}

#define H "From: a@b\n\n"

static void a_footer_or_a_banner_makes_a_copy(void **state)
{
    (void)state;
    assert_true(is_copy(H "line one\nline two\n", H "line one\nline two\n"));
    assert_true(is_copy(H "line one\nline two\n", H "line one\nline two\n-- \nA list\n"));
    assert_true(is_copy(H "line one\nline two\n", H "CAUTION\n\nline one\n\nline two\n"));
    assert_true(is_copy(H "line one\n", "X: y\n" H "line one\n"));
}

static void a_list_that_wraps_the_text_in_a_part_makes_a_copy(void **state)
{
    (void)state;
    assert_true(
        is_copy("Content-Type: text/plain\n\nGr\xc3\xbc\xc3\x9f"
                "e an alle\nbis morgen\n",
                "Content-Type: multipart/mixed; boundary=b\n\n--b\n"
                "Content-Transfer-Encoding: quoted-printable\n\nGr=C3=BC=C3=9Fe an alle\n"
                "bis mor=\ngen\n--b\n\nlist footer\n--b--\n"));
}

static void another_text_is_no_copy(void **state)
{
    (void)state;
    assert_false(is_copy(H "line one\nline two\n", H "line one\nline six\n"));
    assert_false(is_copy(H "please open\n", H "please close\n"));
}

static void ninety_percent_is_the_border(void **state)
{
    (void)state;
    assert_true(is_copy(H "123456789\nx\n", H "123456789\ny\n"));
    assert_false(is_copy(H "12345678\nx\n", H "12345678\ny\n"));
}

static void a_line_counts_as_often_as_it_occurs(void **state)
{
    (void)state;
    assert_false(is_copy(H "same\nsame\nsame\nsame\n", H "same\nother\nlines\nhere\n"));
    assert_true(is_copy(H "b\na\n", H "a\nb\n"));
}

static void an_empty_text_is_a_copy_of_empty_texts_only(void **state)
{
    (void)state;
    assert_true(is_copy(H, H "\n \n"));
    assert_false(is_copy(H, H "something\n"));
}

static void beyond_the_cap_only_equal_texts_are_copies(void **state)
{
    TKT_AUTO_BUF struct tkt_buf a = TKT_BUF_INIT(4 << 20);
    TKT_AUTO_BUF struct tkt_buf b = TKT_BUF_INIT(4 << 20);

    (void)state;
    tkt_buf_adds(&a, H);
    for (int i = 0; a.len < TKT_COPIES_TEXT_MAX + 4096; i++) {
        tkt_buf_addf(&a, "line %d\n", i / 30);
    }
    tkt_buf_add(&b, a.data, a.len);
    assert_true(is_copy_n(a.data, a.len, b.data, b.len));
    tkt_buf_adds(&b, "footer\n");
    assert_false(is_copy_n(a.data, a.len, b.data, b.len));
    /* within the cap the same footer makes a copy */
    assert_true(is_copy_n(a.data, TKT_COPIES_TEXT_MAX / 2, b.data,
                          TKT_COPIES_TEXT_MAX / 2 + 10000));
}

static void beyond_the_lines_too(void **state)
{
    TKT_AUTO_BUF struct tkt_buf a = TKT_BUF_INIT(4 << 20);
    size_t few;

    (void)state;
    tkt_buf_adds(&a, H);
    for (int i = 0; i < TKT_COPIES_LINES_MAX; i++) {
        tkt_buf_adds(&a, "x\n");
    }
    few = a.len;
    assert_true(is_copy_n(a.data, few, a.data, few - 10));
    tkt_buf_adds(&a, "x\nx\n");
    assert_false(is_copy_n(a.data, few, a.data, a.len));
}

static void a_file_is_read_as_far_as_its_size(void **state)
{
    const char mail[] = H "line one\nline two\n";
    struct tkt_err err = TKT_ERR_INIT;
    int fd = tkt_memfd_sealed("mail", mail, sizeof(mail) - 1, &err);
    struct tkt_copies_text *x = tkt_copies_new();
    struct tkt_copies_text *y = tkt_copies_new();
    struct tkt_copies_text *z = tkt_copies_new();

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(tkt_copies_add_fd(x, fd, sizeof(mail) - 1, &err), 0);
    tkt_copies_add(y, mail, sizeof(mail) - 1);
    assert_true(tkt_copies_is_copy(x, y));
    assert_int_equal(tkt_copies_add_fd(z, fd, sizeof(mail), &err), -1);
    assert_int_equal(err.class, TKT_ERR_TEMP);
    tkt_copies_free(&x);
    tkt_copies_free(&y);
    tkt_copies_free(&z);
    assert_null(z);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_footer_or_a_banner_makes_a_copy),
        cmocka_unit_test(a_list_that_wraps_the_text_in_a_part_makes_a_copy),
        cmocka_unit_test(another_text_is_no_copy),
        cmocka_unit_test(ninety_percent_is_the_border),
        cmocka_unit_test(a_line_counts_as_often_as_it_occurs),
        cmocka_unit_test(an_empty_text_is_a_copy_of_empty_texts_only),
        cmocka_unit_test(beyond_the_cap_only_equal_texts_are_copies),
        cmocka_unit_test(beyond_the_lines_too),
        cmocka_unit_test(a_file_is_read_as_far_as_its_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
