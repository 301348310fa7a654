/* SPDX-License-Identifier: BSD-2-Clause
 * common/secret: what is read, what is refused, and that nothing is shown.
 */
#include "base/err.h"
#include "base/fs.h"
#include "secret/secret.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
/* cmocka wants the four above first */
#include <cmocka.h>

static char dir[] = "/tmp/tkt-secret-XXXXXX";

static const char *path_of(const char *name)
{
    static char path[128];

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    return path;
}

static const char *ref_of(const char *name)
{
    static char ref[160];

    snprintf(ref, sizeof(ref), "file:%s", path_of(name));
    return ref;
}

static void put(const char *name, const void *data, size_t n, mode_t mode)
{
    struct tkt_err err = TKT_ERR_INIT;

    assert_int_equal(tkt_replace_file(path_of(name), data, n, mode, &err), 0);
    assert_int_equal(chmod(path_of(name), mode), 0);
}

static void expect(const char *ref, const char *want, size_t n)
{
    struct tkt_err err = TKT_ERR_INIT;
    struct tkt_secret s = TKT_SECRET_INIT;

    if (tkt_secret_get(ref, &s, &err) < 0) {
        fail_msg("%s", err.text);
    }
    assert_int_equal(s.len, n);
    assert_memory_equal(s.data, want, n);
    assert_int_equal(s.data[n], '\0');
    tkt_secret_release(&s);
    assert_null(s.data);
    tkt_secret_release(&s);
}

static void refuse(const char *ref, const char *part)
{
    struct tkt_err err = TKT_ERR_INIT;
    struct tkt_secret s = TKT_SECRET_INIT;

    assert_int_equal(tkt_secret_get(ref, &s, &err), -1);
    assert_int_equal(err.class, TKT_ERR_CONF);
    assert_null(s.data);
    if (strstr(err.text, part) == NULL) {
        fail_msg("\"%s\" lacks \"%s\"", err.text, part);
    }
}

static void one_line_end_is_cut_off(void **state)
{
    (void)state;
    put("plain", "s3cret", 6, 0600);
    expect(ref_of("plain"), "s3cret", 6);
    put("nl", "s3cret\n", 7, 0400);
    expect(ref_of("nl"), "s3cret", 6);
    put("crnl", "s3cret\r\n", 8, 0600);
    expect(ref_of("crnl"), "s3cret", 6);
    put("two", "s3cret\n\n", 8, 0600);
    expect(ref_of("two"), "s3cret\n", 7);
    put("binary", "a\0b\n", 4, 0600);
    expect(ref_of("binary"), "a\0b", 3);
}

static void files_that_others_may_read_are_refused(void **state)
{
    (void)state;
    put("world", "s3cret", 6, 0604);
    refuse(ref_of("world"), "mode 0604");
    put("written", "s3cret", 6, 0620);
    refuse(ref_of("written"), "mode 0620");
    put("group", "s3cret", 6, 0640);
    if (geteuid() == 0) { /* root's file, lent to our group */
        expect(ref_of("group"), "s3cret", 6);
        assert_int_equal(chown(path_of("group"), 0, 54321), 0);
        refuse(ref_of("group"), "mode 0640");
        put("other", "s3cret", 6, 0600);
        assert_int_equal(chown(path_of("other"), 54321, 0), 0);
        refuse(ref_of("other"), "another user");
    } else {
        refuse(ref_of("group"), "mode 0640");
    }
}

static void what_is_no_secret_is_refused(void **state)
{
    (void)state;
    refuse(ref_of("absent"), "No such file");
    put("empty", "\n", 1, 0600);
    refuse(ref_of("empty"), "empty");
    assert_int_equal(mkfifo(path_of("fifo"), 0600), 0);
    refuse(ref_of("fifo"), "not a regular file");
    refuse("file:relative", "begins with /");
    refuse("vault:kv/x", "not a reference");
    refuse("env:", "env:NAME");
    refuse("env:A=B", "env:NAME");
    refuse("credential:../x", "without /");
}

static void the_largest_secret_fits_and_one_byte_more_does_not(void **state)
{
    (void)state;
    char *big = malloc(TKT_SECRET_MAX + 1);
    assert_non_null(big);
    memset(big, 'x', TKT_SECRET_MAX + 1);
    put("big", big, TKT_SECRET_MAX, 0600);
    expect(ref_of("big"), big, TKT_SECRET_MAX);
    put("big", big, TKT_SECRET_MAX + 1, 0600);
    refuse(ref_of("big"), "longer than 65536 bytes");
    free(big);
}

static void environment_and_credentials_are_sources_too(void **state)
{
    (void)state;
    setenv("TKT_TEST_SECRET", "from env", 1);
    expect("env:TKT_TEST_SECRET", "from env", 8);
    unsetenv("TKT_TEST_SECRET");
    refuse("env:TKT_TEST_SECRET", "not set");
    unsetenv("CREDENTIALS_DIRECTORY");
    refuse("credential:key", "LoadCredential=key");
    setenv("CREDENTIALS_DIRECTORY", dir, 1);
    put("key", "cred", 4, 0440);
    expect("credential:key", "cred", 4);
    refuse("credential:nokey", "No such file");
}

static void a_secret_written_in_place_of_a_reference_is_not_shown(void **state)
{
    (void)state;
    struct tkt_err err = TKT_ERR_INIT;
    struct tkt_secret s = TKT_SECRET_INIT;
    assert_int_equal(tkt_secret_get("hunter2", &s, &err), -1);
    assert_null(strstr(err.text, "hunter2"));
    assert_int_equal(tkt_secret_check("pass:hunter2", &err), -1);
    assert_null(strstr(err.text, "hunter2"));
    assert_int_equal(tkt_secret_check("file:/x", &err), 0);
}

static int make_dir(void **state)
{
    (void)state;
    return mkdtemp(dir) == NULL ? -1 : 0;
}

static int remove_dir(void **state)
{
    (void)state;
    static const char *const names[] = {"plain", "nl",    "crnl",   "two",   "binary",
                                        "world", "group", "other",  "empty", "fifo",
                                        "big",   "key",   "written"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        unlink(path_of(names[i]));
    }
    return rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_line_end_is_cut_off),
        cmocka_unit_test(files_that_others_may_read_are_refused),
        cmocka_unit_test(what_is_no_secret_is_refused),
        cmocka_unit_test(the_largest_secret_fits_and_one_byte_more_does_not),
        cmocka_unit_test(environment_and_credentials_are_sources_too),
        cmocka_unit_test(a_secret_written_in_place_of_a_reference_is_not_shown),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
