/* SPDX-License-Identifier: BSD-2-Clause
 * The words of notices: shipped ones, the admin's, and what a stranger's values may not do.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/util.h"
#include "notify/notify.h"
#include "notify/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct folder {
    char dir[64];
};

static void put(const struct folder *f, const char *name, const char *text)
{
    char path[200];

    snprintf(path, sizeof(path), "%s/%s", f->dir, name);
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    fputs(text, out);
    fclose(out);
}

static void drop(const struct folder *f, const char *name)
{
    char path[200];

    snprintf(path, sizeof(path), "%s/%s", f->dir, name);
    unlink(path);
}

static int set_up(void **state)
{
    struct folder *f = calloc(1, sizeof(*f));
    char path[100];

    assert_non_null(f);
    snprintf(f->dir, sizeof(f->dir), "/tmp/tkt-texts-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    snprintf(path, sizeof(path), "%s/de", f->dir);
    assert_int_equal(mkdir(path, 0700), 0);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct folder *f = *state;
    char path[100];

    drop(f, "de/mine.txt");
    drop(f, "de/mine.html");
    drop(f, "de/created.txt");
    snprintf(path, sizeof(path), "%s/de", f->dir);
    rmdir(path);
    rmdir(f->dir);
    free(f);
    return 0;
}

static struct tkt_notice_texts *load(struct folder *f, struct tkt_err *err)
{
    char nothing[1] = "";
    struct tkt_conf conf = {.templates = f != NULL ? f->dir : nothing};

    return tkt_notice_texts_load(&conf, err);
}

static const struct tkt_var ticket[] = {
    {.name = "id", .text = "IT-12"},
    {.name = "subject", .text = "x\r\nBcc: all@y.example\r\n\r\n<script>\"&"}};
static const struct tkt_var vars[] = {{.name = "ticket", .items = ticket, .count = 2}};

static void every_happening_has_words_in_both_languages(void **state)
{
    struct tkt_err err = TKT_ERR_INIT;
    struct tkt_notice_texts *t = load(NULL, &err);

    (void)state;
    if (t == NULL) {
        fail_msg("%s", err.text);
    }
    for (int i = 0; i < TKT_NOTICE_WHATS; i++) {
        const char *const languages[] = {"en", "de"};

        for (size_t k = 0; k < TKT_ARRAY_LEN(languages); k++) {
            TKT_AUTO_BUF struct tkt_buf subject = TKT_BUF_INIT(10000);
            TKT_AUTO_BUF struct tkt_buf text = TKT_BUF_INIT(10000);
            TKT_AUTO_BUF struct tkt_buf html = TKT_BUF_INIT(10000);
            const struct tkt_notice_words out = {&subject, &text, &html};

            assert_string_equal(
                tkt_notice_texts_language(t, tkt_notice_names[i], languages[k], "xx"),
                languages[k]);
            assert_int_equal(tkt_notice_texts_render(t, tkt_notice_names[i], languages[k],
                                                     "", vars, 1, &out, &err),
                             0);
            assert_true(subject.len > 0 && text.len > 0 && html.len > 0);
            /* Nothing of a stranger's ends a line of the Subject or becomes a tag. */
            assert_null(strpbrk(tkt_buf_str(&subject), "\r\n"));
            assert_null(strstr(tkt_buf_str(&html), "<script>"));
        }
    }
    tkt_notice_texts_free(&t);
}

static void a_language_that_is_not_there_is_another(void **state)
{
    struct tkt_err err = TKT_ERR_INIT;
    struct tkt_notice_texts *t = load(NULL, &err);

    (void)state;
    assert_non_null(t);
    assert_string_equal(tkt_notice_texts_language(t, "created", "fr", "de"), "de");
    assert_string_equal(tkt_notice_texts_language(t, "created", "fr", "it"), "en");
    assert_null(tkt_notice_texts_language(t, "burned", "en", "en"));
    tkt_notice_texts_free(&t);
}

static void the_admins_go_before_the_shipped(void **state)
{
    struct folder *f = *state;
    struct tkt_err err = TKT_ERR_INIT;
    TKT_AUTO_BUF struct tkt_buf subject = TKT_BUF_INIT(1000);
    TKT_AUTO_BUF struct tkt_buf text = TKT_BUF_INIT(1000);
    const struct tkt_notice_words out = {&subject, &text, NULL};

    put(f, "de/created.txt", "Subject: Moin {{ticket.id}}\n\nWort\n");
    struct tkt_notice_texts *t = load(f, &err);
    if (t == NULL) {
        fail_msg("%s", err.text);
    }
    assert_int_equal(
        tkt_notice_texts_render(t, "created", "de", "en", vars, 1, &out, &err), 0);
    assert_string_equal(tkt_buf_str(&subject), "Moin IT-12");
    assert_string_equal(tkt_buf_str(&text), "Wort\n");
    tkt_notice_texts_free(&t);
}

static void the_number_of_the_itsm_is_shown_once_it_is_known(void **state)
{
    struct folder *f = *state;
    struct tkt_err err = TKT_ERR_INIT;

    put(f, "de/created.txt",
        "Subject: [{{ticket.id}}]{{#ticket.number}} ({{ticket.number}}){{/ticket.number}}"
        "\n\n{{ticket.external_url}}\n");
    struct tkt_notice_texts *t = load(f, &err);
    if (t == NULL) {
        fail_msg("%s", err.text);
    }
    for (int i = 0; i < 2; i++) {
        const struct tkt_var there[] = {
            {.name = "id", .text = "IT-12"},
            {.name = "number", .text = i == 0 ? "" : "INC0010042"},
            {.name = "external_url", .text = i == 0 ? "" : "https://x.example/1"}};
        const struct tkt_var all[] = {{.name = "ticket", .items = there, .count = 3}};
        TKT_AUTO_BUF struct tkt_buf subject = TKT_BUF_INIT(1000);
        TKT_AUTO_BUF struct tkt_buf text = TKT_BUF_INIT(1000);
        const struct tkt_notice_words out = {&subject, &text, NULL};

        assert_int_equal(
            tkt_notice_texts_render(t, "created", "de", "en", all, 1, &out, &err), 0);
        assert_string_equal(tkt_buf_str(&subject),
                            i == 0 ? "[IT-12]" : "[IT-12] (INC0010042)");
        assert_string_equal(tkt_buf_str(&text), i == 0 ? "\n" : "https://x.example/1\n");
    }
    tkt_notice_texts_free(&t);
}

static void what_is_wrong_is_told_when_the_settings_are_read(void **state)
{
    static const struct {
        const char *name, *text, *want;
    } rows[] = {
        {"de/mine.txt", "Subject: {{ticket.idd}}\n\nx\n", "ticket.idd"},
        {"de/mine.txt", "Subject: x\n\n{{#items}}{{ticket.x}}{{/items}}\n", "ticket.x"},
        {"de/mine.txt", "no subject\n\nx\n", "line 1"},
        {"de/mine.txt", "Subject: x\nX-Other: y\n\nx\n", "line 1"},
        {"de/mine.txt", "Subject: x\n\n{{#ticket.id}}\n", "mine.txt"},
        {"de/mine.html", "<p>x</p>\n", "mine.txt"},
        {"de/mine.html", "<p>{{{ticket.id}}}</p>\n", "mine.html"}};

    for (size_t i = 0; i < TKT_ARRAY_LEN(rows); i++) {
        struct tkt_err err = TKT_ERR_INIT;

        put(*state, rows[i].name, rows[i].text);
        assert_null(load(*state, &err));
        assert_int_equal(err.class, TKT_ERR_CONF);
        if (strstr(err.text, rows[i].want) == NULL) {
            fail_msg("\"%s\" does not tell of %s", err.text, rows[i].want);
        }
        drop(*state, rows[i].name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_happening_has_words_in_both_languages),
        cmocka_unit_test(a_language_that_is_not_there_is_another),
        cmocka_unit_test_setup_teardown(the_admins_go_before_the_shipped, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_number_of_the_itsm_is_shown_once_it_is_known,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_wrong_is_told_when_the_settings_are_read,
                                        set_up, tear_down)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
