/* SPDX-License-Identifier: BSD-2-Clause
 * Lines that need no closer look: what the short way calls plain, the long way has to find
 * nothing at. Asked of all words of all tables, of heaps of them, and of the mails of
 * trim_test.
 */
#include "base/buf.h"
#include "base/fs.h"
#include "base/util.h"
#include "message/trim_line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* Needs the headers above. */
#include <cmocka.h>

#define CASE_MAX 4096
#define ITEMS 8192 /* of all tables */

static unsigned wrong;

/* What the long way finds at the first of these lines. */
static bool is_found(const char *text, size_t n)
{
    const char *end = memchr(text, '\n', n);
    size_t len = end == NULL ? n : (size_t)(end - text);
    struct tkt_line items[2] = {
        {.len = (uint32_t)len, .kind = TKT_LINE_TEXT},
        {.at = (uint32_t)TKT_MIN(len + 1, n),
         .len = (uint32_t)(n - TKT_MIN(len + 1, n)),
         .kind = TKT_LINE_TEXT},
    };
    struct tkt_lines l = {text, items, end == NULL ? 1 : 2, TKT_TRIM_LOOKS_MAX};
    struct tkt_folded f = {.n = 0};
    const char *language = NULL;
    bool sure = false;

    if (!tkt_line_is_plain(&l, 0)) {
        return true; /* nothing is claimed */
    }
    tkt_fold_line(&f, &l, 0);
    bool found = tkt_line_is_marker(&f, false) ||
                 tkt_line_divider(&f, &sure) != TKT_LINE_TEXT || sure ||
                 tkt_line_block(&l, 0, false, &language) > 0 ||
                 tkt_line_attribution(&l, 0, &f, &language) > 0 ||
                 tkt_line_signature(&l, 0, &f) != TKT_LINE_TEXT;
    if (found) {
        fprintf(stderr, "taken for plain: \"%.*s\"\n", (int)n, text);
        wrong++;
    }
    return false;
}

static uint32_t next_number(uint32_t *seed)
{
    *seed = *seed * 1664525U + 1013904223U;
    return *seed >> 8;
}

/* Words of all tables, and what stands between words, in any order. */
static void add_random(struct tkt_buf *b, const char *const *items, const size_t *lens,
                       size_t count, uint32_t *seed)
{
    static const char *const between[] = {
        " ",
        " ",
        " ",
        ", ",
        ". ",
        "! ",
        "\t",
        "* ",
        " 3 ",
        "-",
        "'",
        "\n",
        "\n<",
        " (",
        ".",
        " 3.1.2022 10:05 ",
        " a@b.c",
        " <",
        ">",
        " H",
        "? ",
        "\xc2\xa0",
        "\xe2\x80\x9d",
        "\xe2\x80\x8b",
        "\xc2\xad",
        "--",
        ": ",
        "&gt;",
        "\xef\xbc\x9a",
        " http",
    };
    size_t words = 1 + next_number(seed) % 4;

    for (size_t i = 0; i < words; i++) {
        size_t at = next_number(seed) % count;
        size_t from = b->len;
        tkt_buf_add(b, items[at], lens[at]);
        if (next_number(seed) % 3 == 0 && b->len > from && b->data[from] >= 'a' &&
            b->data[from] <= 'z') {
            b->data[from] = (char)(b->data[from] - 32);
        }
        if (i + 1 < words || next_number(seed) % 2 == 0) {
            tkt_buf_adds(b, between[next_number(seed) % TKT_ARRAY_LEN(between)]);
        }
    }
}

static void load_mails(struct tkt_buf *out)
{
    char path[512];
    const char *src = getenv("TKT_SRCDIR");

    snprintf(path, sizeof(path), "%s/tests/unit/trim_mails.txt", src != NULL ? src : ".");
    assert_int_equal(tkt_read_file(path, out, NULL), 0);
}

static void plain_lines_hold_nothing_that_the_long_way_finds(void **state)
{
    static const char *items[ITEMS];
    static size_t lens[ITEMS];
    TKT_AUTO_BUF struct tkt_buf mails = TKT_BUF_INIT(1024 * 1024);
    const char *(*const tables[])(size_t) = {tkt_attribution_list, tkt_block_list,
                                             tkt_signature_list, tkt_date_list};
    size_t count = 0;
    size_t plain = 0;
    uint32_t seed = 1;

    (void)state;
    load_mails(&mails);
    for (size_t t = 0; t < TKT_ARRAY_LEN(tables); t++) {
        const char *list;
        for (size_t k = 0; (list = tables[t](k)) != NULL; k++) {
            while (count < ITEMS && tkt_fold_next(&list, &items[count], &lens[count])) {
                plain += !is_found(items[count], lens[count]);
                count++;
            }
        }
    }
    assert_true(count > 1000);
    for (size_t i = 0; i < 50000; i++) {
        TKT_AUTO_BUF struct tkt_buf b = TKT_BUF_INIT(CASE_MAX);
        add_random(&b, items, lens, count, &seed);
        plain += !is_found(tkt_buf_str(&b), b.len);
    }
    for (size_t i = 0; i < mails.len;) {
        const char *end = memchr(mails.data + i, '\n', mails.len - i);
        size_t n = end == NULL ? mails.len - i : (size_t)(end - mails.data) - i;
        plain += !is_found(mails.data + i, n);
        i += n + 1;
    }
    assert_int_equal(wrong, 0);
    /* And it is worth its while. */
    assert_true(plain > 1000);
    assert_false(is_found("The printer on the 3rd floor says \xe2\x80\x9cload "
                          "paper\xe2\x80\x9d since Monday.",
                          67));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_lines_hold_nothing_that_the_long_way_finds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
