/* SPDX-License-Identifier: BSD-2-Clause
 * Languages of sentences that people write to a help desk: tests/language/CODE.txt.
 */
#include "base/buf.h"
#include "base/fs.h"
#include "base/util.h"
#include "message/language.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SENTENCES_MIN 10
#define PERCENT 95
#define PERCENT_OF_ONE 90

static const char *const codes[] = {
    "ar", "bg", "cs", "da", "de", "el", "en", "es", "fi", "fr", "he", "hu", "it",
    "ja", "ko", "nl", "no", "pl", "pt", "ro", "ru", "sv", "tr", "uk", "zh",
};

struct score {
    unsigned all;
    unsigned right;
};

static struct score score_of(const char *code)
{
    TKT_AUTO_BUF struct tkt_buf b = TKT_BUF_INIT(1024 * 1024);
    const char *src = getenv("TKT_SRCDIR");
    struct score s = {0, 0};
    char path[512];

    snprintf(path, sizeof path, "%s/tests/language/%s.txt", src ? src : ".", code);
    assert_int_equal(tkt_read_file(path, &b, NULL), 0);
    const char *p = tkt_buf_str(&b);
    while (*p != '\0') {
        size_t n = strcspn(p, "\n");
        const char *got = tkt_language_of(p, n);
        s.all++;
        s.right += strcmp(got, code) == 0 ? 1 : 0;
        if (strcmp(got, code) != 0) {
            printf("%s taken for \"%s\": %.*s\n", code, got, (int)n, p);
        }
        p += n + (p[n] == '\n' ? 1 : 0);
    }
    return s;
}

static void sentences_are_in_their_language(void **state)
{
    struct score all = {0, 0};

    (void)state;
    for (size_t i = 0; i < TKT_ARRAY_LEN(codes); i++) {
        struct score s = score_of(codes[i]);
        assert_true(s.all >= SENTENCES_MIN);
        assert_true(s.right * 100 >= s.all * PERCENT_OF_ONE);
        all.all += s.all;
        all.right += s.right;
    }
    printf("%u of %u sentences\n", all.right, all.all);
    assert_true(all.right * 100 >= all.all * PERCENT);
}

static void assert_language(const char *text, const char *want)
{
    assert_string_equal(tkt_language_of(text, strlen(text)), want);
}

static void what_is_no_language_is_none(void **state)
{
    (void)state;
    assert_language("", "");
    assert_language("ok", "");
    assert_language("0x80070005 C:\\Windows\\System32 https://x.example/the/of/and", "");
    assert_language("12345 67890 :-) ---- ####", "");
    assert_language(
        "Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod "
        "tempor incididunt.",
        "");
    assert_language("\xff\xfe\xe2\x82 \xf0\x9f\x98\x80 \xf0\x9f\x98\x80", "");
    /* Languages nearby that are not known: Serbian, Persian. */
    assert_language(
        "Рачунар ми је веома спор после последњег ажурирања, помозите љубазно.", "");
    assert_language("رایانه من بسیار کند شده و پنکه گیج است", "");
}

static void quoted_lines_and_names_do_not_count(void **state)
{
    (void)state;
    assert_language(
        "> The printer on the third floor is broken and nobody has looked at it\n"
        "> since yesterday, could you please help us with this?\n"
        "Das ist inzwischen erledigt, vielen Dank.\n",
        "de");
    assert_language("Der Fehler kommt mit Microsoft Outlook for Windows, siehe\n"
                    "https://support.example.com/the/help/of/this/and/that bitte.",
                    "de");
    assert_language("VPN に今朝から接続できません。Error: Access is denied", "ja");
}

/* The answer comes from the beginning: a text of any length costs the same. */
static void only_the_beginning_is_read(void **state)
{
    static const char german[] = "Das ist nicht mehr so, wie wir es von euch kennen. ";
    static const char english[] = "This is not what we have come to expect from you. ";
    TKT_AUTO_BUF struct tkt_buf b = TKT_BUF_INIT(4 * 1024 * 1024);

    (void)state;
    while (b.len < TKT_LANGUAGE_BYTES_MAX) {
        tkt_buf_adds(&b, german);
    }
    while (b.len < 3 * 1024 * 1024) {
        tkt_buf_adds(&b, english);
    }
    assert_language(tkt_buf_str(&b), "de");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sentences_are_in_their_language),
        cmocka_unit_test(what_is_no_language_is_none),
        cmocka_unit_test(quoted_lines_and_names_do_not_count),
        cmocka_unit_test(only_the_beginning_is_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
