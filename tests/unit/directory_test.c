/* SPDX-License-Identifier: BSD-2-Clause
 * common/directory without servers: what is made of values, queries and files. The
 * contract of all rows is in tests/integration/test_directory.py.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/util.h"
#include "directory/form.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static char path[] = "/tmp/directory_test_XXXXXX";

static void write_file(const char *text)
{
    /* Another name and back: a new inode, so that a change is seen within a tick. */
    assert_int_equal(tkt_replace_file(path, text, strlen(text), 0600, NULL), 0);
}

static struct tkt_conf_directory conf = {
    .name = (char *)"test", .type = TKT_DIRECTORY_FILE, .file = path};

static int lookup(struct tkt_directory *d, const char *address,
                  struct tkt_directory_answer *out, struct tkt_err *err)
{
    memset(out, 0, sizeof(*out));
    *err = (struct tkt_err)TKT_ERR_INIT;
    return tkt_directory_lookup(d, address, out, err);
}

/* ---- values ------------------------------------------------------------------------------ */

static struct tkt_directory_answer answer;

static struct tkt_directory_form form_of(void)
{
    memset(&answer, 0, sizeof(answer));
    return (struct tkt_directory_form){.conf = &conf, .out = &answer};
}

static void set(struct tkt_directory_form *f, enum tkt_form_field field,
                const char *value)
{
    tkt_form_set(f, field, value, strlen(value));
}

static void a_value_is_one_clean_line(void **state)
{
    struct tkt_directory_form f = form_of();
    char large[2000];

    (void)state;
    memset(large, 'x', sizeof(large));
    memcpy(large + TKT_DIRECTORY_VALUE_MAX - 1, "\xc3\xa4", 2); /* must not be split */
    set(&f, TKT_FORM_NAME, " \x01 Ann\nLee\x7f ");
    set(&f, TKT_FORM_TITLE,
        "a\xff"
        "b");
    tkt_form_set(&f, TKT_FORM_DEPARTMENT, large, sizeof(large));
    tkt_form_set(&f, TKT_FORM_LOCATION, "a\0b", 3);
    assert_int_equal(tkt_form_end(&f), 0);
    assert_string_equal(answer.person.name, "Ann Lee");
    assert_string_equal(answer.person.title, "a\xef\xbf\xbd"
                                             "b");
    assert_int_equal(strlen(answer.person.department), TKT_DIRECTORY_VALUE_MAX - 1);
    assert_string_equal(answer.person.location, "a\xef\xbf\xbd"
                                                "b");
    assert_string_equal(answer.person.manager, "");
    tkt_directory_answer_release(&answer);
}

static void the_first_value_that_is_not_empty_counts(void **state)
{
    struct tkt_directory_form f = form_of();

    (void)state;
    set(&f, TKT_FORM_NAME, " ");
    set(&f, TKT_FORM_NAME, "Ann");
    set(&f, TKT_FORM_NAME, "Bob");
    assert_int_equal(tkt_form_end(&f), 0);
    assert_string_equal(answer.person.name, "Ann");
    tkt_directory_answer_release(&answer);
}

static void a_language_is_its_code_of_two_letters(void **state)
{
    static const char *const cases[][2] = {{"de-DE, en;q=0.8", "de"},
                                           {"EN", "en"},
                                           {"fr_FR.UTF-8", "fr"},
                                           {"deu", ""},
                                           {"German", ""},
                                           {"*", ""},
                                           {"x", ""}};

    (void)state;
    for (size_t i = 0; i < TKT_ARRAY_LEN(cases); i++) {
        struct tkt_directory_form f = form_of();

        set(&f, TKT_FORM_LANGUAGE, cases[i][0]);
        assert_int_equal(tkt_form_end(&f), 0);
        assert_string_equal(answer.person.language, cases[i][1]);
        tkt_directory_answer_release(&answer);
    }
}

static void groups_have_their_caps(void **state)
{
    struct tkt_directory_form f = form_of();
    char name[32];
    int taken = 0;

    (void)state;
    for (int i = 0; i < TKT_DIRECTORY_GROUPS_SEEN + 10; i++) {
        snprintf(name, sizeof(name), "g%d", i / 2); /* each twice */
        taken += tkt_form_group(&f, name, strlen(name));
    }
    assert_int_equal(taken, TKT_DIRECTORY_GROUPS_SEEN);
    assert_int_equal(tkt_form_end(&f), 0);
    assert_int_equal(answer.person.groups.count, TKT_PERSON_GROUPS_MAX);
    assert_string_equal(answer.person.groups.items[1], "g1");
    tkt_directory_answer_release(&answer);
}

static void a_query_gets_parameters(void **state)
{
    struct tkt_buf out = TKT_BUF_INIT(200);

    (void)state;
    assert_int_equal(tkt_form_query("a = {address} or b={address}", "$1", &out), 2);
    assert_string_equal(out.data, "a = $1 or b=$1");
    struct tkt_buf small = TKT_BUF_INIT(3);
    assert_int_equal(tkt_form_query("a = {address}", "?", &small), -1);
    tkt_buf_release(&out);
    tkt_buf_release(&small);
}

static void what_no_directory_could_hold_is_not_asked_for(void **state)
{
    static const char *const bad[] = {"",     "@",     "ann",     "@example.test",
                                      "ann@", "a\n@x", "a\x7f@x", "\xff@x"};
    char large[300];

    (void)state;
    memset(large, 'a', sizeof(large));
    memcpy(large + 290, "@x", 3);
    assert_false(tkt_directory_address_ok(large));
    for (size_t i = 0; i < TKT_ARRAY_LEN(bad); i++) {
        assert_false(tkt_directory_address_ok(bad[i]));
    }
    assert_true(tkt_directory_address_ok("ann@example.test"));
    assert_true(tkt_directory_address_ok("\xc3\xa4nn@example.test"));
}

/* ---- files ------------------------------------------------------------------------------- */

static void a_table_has_quotes_and_any_order(void **state)
{
    struct tkt_directory *d = tkt_directory_open(&conf, NULL);
    struct tkt_err err;

    (void)state;
    write_file(
        "name;EMAIL;groups;vip\r\n\"Lee; \"\"Ann\"\"\nJr\";ANN@x.test;\"a, b\";ja\r\n"
        "Bob;bob@x.test\n");
    assert_int_equal(lookup(d, "ann@x.test", &answer, &err), 1);
    assert_string_equal(answer.person.name, "Lee; \"Ann\" Jr");
    assert_int_equal(answer.person.groups.count, 2);
    assert_true(answer.person.is_vip);
    tkt_directory_answer_release(&answer);
    assert_int_equal(lookup(d, "bob@x.test", &answer, &err), 1);
    assert_int_equal(answer.person.groups.count, 0);
    tkt_directory_answer_release(&answer);
    assert_int_equal(lookup(d, "carl@x.test", &answer, &err), 0);
    tkt_directory_close(&d);
}

static void lines_of_pairs_are_read_too(void **state)
{
    struct tkt_directory *d = tkt_directory_open(&conf, NULL);
    struct tkt_err err;

    (void)state;
    write_file("# who; is, who\n\nAnn@x.test: name = Ann ; department=IT; shoe=44\n"
               "ann@x.test: name=Second\n");
    assert_int_equal(lookup(d, "ann@x.test", &answer, &err), 1);
    assert_string_equal(answer.person.name, "Ann");
    assert_string_equal(answer.person.department, "IT");
    tkt_directory_answer_release(&answer);
    tkt_directory_close(&d);
}

static void a_change_is_seen_and_a_broken_file_is_refused_whole(void **state)
{
    struct tkt_directory *d = tkt_directory_open(&conf, NULL);
    struct tkt_err err;

    (void)state;
    write_file("address,name\nann@x.test,Ann\n");
    assert_int_equal(lookup(d, "ann@x.test", &answer, &err), 1);
    tkt_directory_answer_release(&answer);
    write_file("address,name\nbob@x.test,Bob\n\nann,Ann\n");
    assert_int_equal(lookup(d, "bob@x.test", &answer, &err), -1);
    assert_int_equal(err.class, TKT_ERR_CONF);
    assert_non_null(strstr(err.text, "line 4"));
    write_file("address,name\nbob@x.test,Bob\n");
    assert_int_equal(lookup(d, "bob@x.test", &answer, &err), 1);
    tkt_directory_answer_release(&answer);
    assert_int_equal(lookup(d, "ann@x.test", &answer, &err), 0);
    write_file("");
    assert_int_equal(lookup(d, "bob@x.test", &answer, &err), 0);
    tkt_directory_close(&d);
}

static void a_file_that_is_gone_may_come_back(void **state)
{
    struct tkt_conf_directory gone = conf;
    struct tkt_err err;

    (void)state;
    gone.file = (char *)"/nowhere/people.csv";
    struct tkt_directory *d = tkt_directory_open(&gone, NULL);
    assert_int_equal(lookup(d, "ann@x.test", &answer, &err), -1);
    assert_int_equal(err.class, TKT_ERR_TEMP);
    tkt_directory_close(&d);
}

static void a_hundred_thousand_people_are_found(void **state)
{
    struct tkt_directory *d = tkt_directory_open(&conf, NULL);
    struct tkt_buf text = TKT_BUF_INIT(16 * 1024 * 1024);
    struct tkt_err err;

    (void)state;
    tkt_buf_adds(&text, "address,name\n");
    for (int i = 0; i < 100000; i++) {
        tkt_buf_addf(&text, "p%d@x.test,Person %d\n", i, i);
    }
    write_file(tkt_buf_str(&text));
    int64_t start = tkt_clock_mono_us();
    assert_int_equal(lookup(d, "p99999@x.test", &answer, &err), 1);
    printf("reading 100,000 lines: %lld ms\n",
           (long long)(tkt_clock_mono_us() - start) / 1000);
    assert_string_equal(answer.person.name, "Person 99999");
    tkt_directory_answer_release(&answer);
    tkt_buf_release(&text);
    tkt_directory_close(&d);
}

static void a_type_that_is_not_there_is_named(void **state)
{
    struct tkt_conf_directory off = conf;
    struct tkt_err err = TKT_ERR_INIT;

    (void)state;
    off.type = TKT_DIRECTORY_OFF;
    assert_null(tkt_directory_open(&off, &err));
    assert_int_equal(err.class, TKT_ERR_CONF);
    for (size_t i = 0; tkt_directory_table[i] != NULL; i++) {
        assert_non_null(tkt_directory_type_names[tkt_directory_table[i]->type]);
        for (size_t k = 0; k < i; k++) {
            assert_int_not_equal(tkt_directory_table[k]->type,
                                 tkt_directory_table[i]->type);
        }
    }
}

static int make_file(void **state)
{
    (void)state;
    int fd = mkstemp(path);
    return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **state)
{
    (void)state;
    return unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_is_one_clean_line),
        cmocka_unit_test(the_first_value_that_is_not_empty_counts),
        cmocka_unit_test(a_language_is_its_code_of_two_letters),
        cmocka_unit_test(groups_have_their_caps),
        cmocka_unit_test(a_query_gets_parameters),
        cmocka_unit_test(what_no_directory_could_hold_is_not_asked_for),
        cmocka_unit_test(a_table_has_quotes_and_any_order),
        cmocka_unit_test(lines_of_pairs_are_read_too),
        cmocka_unit_test(a_change_is_seen_and_a_broken_file_is_refused_whole),
        cmocka_unit_test(a_file_that_is_gone_may_come_back),
        cmocka_unit_test(a_hundred_thousand_people_are_found),
        cmocka_unit_test(a_type_that_is_not_there_is_named),
    };

    return cmocka_run_group_tests(tests, make_file, remove_file);
}
