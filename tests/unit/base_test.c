/* SPDX-License-Identifier: BSD-2-Clause
 * common/base: errors, buffers, encodings, hashes, files, log lines.
 */
#include "base/buf.h"
#include "base/cfws.h"
#include "base/clock.h"
#include "base/enc.h"
#include "base/err.h"
#include "base/fs.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mailstatus.h"
#include "base/util.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
/* cmocka wants the four above first */
#include <cmocka.h>

static void error_text_rises_with_prefixes_and_stays_one_line(void **state)
{
    (void)state;
    struct tkt_err err = TKT_ERR_INIT;
    assert_int_equal(tkt_err_set(&err, TKT_ERR_TEMP, "HTTP %d\r\nx", 503), -1);
    tkt_err_prefix(&err, "jira: %s", "create");
    assert_string_equal(err.text, "jira: create: HTTP 503  x");
    assert_int_equal(err.class, TKT_ERR_TEMP);
    errno = ENOENT;
    tkt_err_errno(&err, TKT_ERR_CONF, "open %s", "f");
    assert_string_equal(err.text, "open f: No such file or directory");
    char big[2000];
    memset(big, 'a', sizeof(big) - 1);
    big[sizeof(big) - 1] = '\0';
    tkt_err_set(&err, TKT_ERR_PERM, "%s", big);
    tkt_err_prefix(&err, "%s", big);
    assert_true(strlen(err.text) < sizeof(err.text));
}

static void buffer_never_grows_past_its_maximum(void **state)
{
    (void)state;
    TKT_AUTO_BUF struct tkt_buf b = TKT_BUF_INIT(10);
    assert_string_equal(tkt_buf_str(&b), "");
    assert_int_equal(tkt_buf_adds(&b, "0123456789"), 0);
    assert_int_equal(tkt_buf_addc(&b, 'x'), -1);
    assert_true(b.failed);
    assert_string_equal(tkt_buf_str(&b), "0123456789");
    assert_int_equal(tkt_buf_add(&b, "", 0), -1);
    tkt_buf_reset(&b);
    assert_int_equal(tkt_buf_addf(&b, "%d", 42), 0);
    size_t n = 0;
    TKT_AUTO_FREE char *taken = tkt_buf_take(&b, &n);
    assert_string_equal(taken, "42");
    assert_int_equal(n, 2);
}

static void formatted_text_is_added_whole_or_not_at_all(void **state)
{
    (void)state;
    TKT_AUTO_BUF struct tkt_buf b = TKT_BUF_INIT(100);
    assert_int_equal(tkt_buf_addf(&b, "%s", ""), 0);
    for (int i = 0; i < 9; i++) { /* over the first room of 64, and up to its edges */
        assert_int_equal(tkt_buf_addf(&b, "%d%s", i, "0123456789"), 0);
        assert_int_equal(b.len, (size_t)(i + 1) * 11);
        assert_int_equal(strlen(b.data), b.len);
    }
    assert_int_equal(tkt_buf_addf(&b, "%s", "ab"), -1);
    assert_true(b.failed);
    assert_int_equal(b.len, 99);
    assert_int_equal(strlen(b.data), 99);
    assert_string_equal(b.data + 88, "80123456789");
    assert_int_equal(tkt_buf_addf(&b, "x"), -1);
    for (size_t n = 60; n < 70; n++) {
        TKT_AUTO_BUF struct tkt_buf c = TKT_BUF_INIT(100);
        assert_int_equal(tkt_buf_addf(&c, "%*d", (int)n, 7), 0);
        assert_int_equal(tkt_buf_addf(&c, "%d", 89), 0);
        assert_int_equal(strlen(c.data), n + 2);
        assert_string_equal(c.data + n - 1, "789");
    }
}

static void encodings_round_trip_and_refuse_rubbish(void **state)
{
    (void)state;
    unsigned char data[37];
    unsigned char back[64];
    char text[128];
    for (size_t n = 0; n <= sizeof(data); n++) {
        tkt_random(data, n);
        tkt_hex_encode(data, n, text);
        assert_int_equal(tkt_hex_decode(text, strlen(text), back, sizeof(back)), (int)n);
        assert_memory_equal(data, back, n);
        tkt_base32_encode(data, n, text);
        assert_int_equal(tkt_base32_decode(text, strlen(text), back, sizeof(back)),
                         (int)n);
        assert_memory_equal(data, back, n);
    }
    assert_int_equal(tkt_hex_decode("0g", 2, back, sizeof(back)), -1);
    assert_int_equal(tkt_hex_decode("000", 3, back, sizeof(back)), -1);
    assert_int_equal(tkt_hex_decode("0000", 4, back, 1), -1);
    assert_int_equal(tkt_base32_decode("a1", 2, back, sizeof(back)), -1);
    TKT_AUTO_BUF struct tkt_buf b = TKT_BUF_INIT(100);
    tkt_percent_add(&b, "a=b %\n\xff", 7);
    assert_string_equal(tkt_buf_str(&b), "a=b %25%0a%ff");
    assert_int_equal(tkt_percent_decode(b.data, b.len), 7);
    assert_memory_equal(b.data, "a=b %\n\xff", 7);
    char broken[] = "x%2";
    assert_int_equal(tkt_percent_decode(broken, 3), -1);
}

static void utf8_follows_rfc_3629(void **state)
{
    (void)state;
    assert_true(tkt_utf8_valid("gr\xc3\xbc\xc3\x9f\xf0\x9f\x98\x80", 10));
    assert_false(tkt_utf8_valid("\xc0\x80", 2));
    assert_false(tkt_utf8_valid("\xed\xa0\x80", 3));
    assert_false(tkt_utf8_valid("\xf4\x90\x80\x80", 4));
    assert_false(tkt_utf8_valid("\xe2\x82", 2));
    assert_int_equal(tkt_utf8_cut("a\xc3\xbc", 3, 2), 1);
    TKT_AUTO_BUF struct tkt_buf b = TKT_BUF_INIT(100);
    tkt_utf8_add_clean(&b, "r\xe9s\0", 4);
    assert_string_equal(tkt_buf_str(&b), "r\xef\xbf\xbds\xef\xbf\xbd");
    tkt_buf_reset(&b);
    tkt_json_add_string(&b, "a\"\\\n\xff", 5);
    assert_string_equal(tkt_buf_str(&b), "\"a\\\"\\\\\\u000a\xef\xbf\xbd\"");
}

static void every_code_point_is_written_as_utf8(void **state)
{
    (void)state;
    static const uint32_t edges[] = {0,      0x7f,   0x80,   0x7ff,   0x800,
                                     0xd7ff, 0xe000, 0xffff, 0x10000, 0x10ffff};
    static const size_t lengths[] = {1, 1, 2, 2, 3, 3, 3, 3, 4, 4};
    char s[4];

    for (size_t i = 0; i < TKT_ARRAY_LEN(edges); i++) {
        assert_int_equal(tkt_utf8_put(edges[i], s), lengths[i]);
        assert_true(edges[i] == 0 || tkt_utf8_valid(s, lengths[i]));
    }
    assert_int_equal(tkt_utf8_put(0x20ac, s), 3);
    assert_memory_equal(s, "\xe2\x82\xac", 3);
}

static void numbers_are_whole_and_in_range(void **state)
{
    (void)state;
    int64_t v = 0;
    assert_int_equal(tkt_parse_int("-12", -20, 20, &v), 0);
    assert_int_equal(v, -12);
    assert_int_equal(tkt_parse_int("12x", 0, 20, &v), -1);
    assert_int_equal(tkt_parse_int("", 0, 20, &v), -1);
    assert_int_equal(tkt_parse_int("21", 0, 20, &v), -1);
    assert_int_equal(tkt_parse_int("99999999999999999999", 0, INT64_MAX, &v), -1);
}

static void hashes_give_published_values(void **state)
{
    (void)state;
    unsigned char d[TKT_SHA256_LEN];
    char hex[65];
    tkt_sha256("abc", 3, d); /* FIPS 180-2, appendix B.1 */
    tkt_hex_encode(d, sizeof(d), hex);
    assert_string_equal(
        hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    tkt_hmac_sha256("Jefe", 4, "what do ya want for nothing?", 28, d); /* RFC 4231, 4.3 */
    tkt_hex_encode(d, sizeof(d), hex);
    assert_string_equal(
        hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    unsigned char key[131]; /* the same, 4.7: longer than a block */
    memset(key, 0xaa, sizeof(key));
    tkt_hmac_sha256(key, sizeof(key),
                    "Test Using Larger Than Block-Size Key - Hash Key First", 54, d);
    tkt_hex_encode(d, sizeof(d), hex);
    assert_string_equal(
        hex, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

static void files_are_replaced_whole(void **state)
{
    (void)state;
    char dir[] = "/tmp/tkt-base-XXXXXX";
    assert_non_null(mkdtemp(dir));
    char path[64];
    snprintf(path, sizeof(path), "%s/f", dir);
    struct tkt_err err = TKT_ERR_INIT;
    assert_int_equal(tkt_replace_file(path, "one", 3, 0640, &err), 0);
    assert_int_equal(tkt_replace_file(path, "two2", 4, 0640, &err), 0);
    TKT_AUTO_BUF struct tkt_buf b = TKT_BUF_INIT(100);
    assert_int_equal(tkt_read_file(path, &b, &err), 0);
    assert_string_equal(tkt_buf_str(&b), "two2");
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0640);
    TKT_AUTO_BUF struct tkt_buf small = TKT_BUF_INIT(3);
    assert_int_equal(tkt_read_file(path, &small, &err), -1);
    assert_int_equal(err.class, TKT_ERR_PERM);
    TKT_AUTO_FD int fd = tkt_open_tmpfile(dir, &err);
    assert_true(fd >= 0);
    char name[64];
    snprintf(name, sizeof(name), "%s/g", dir);
    assert_int_equal(tkt_link_fd(fd, name, &err), 0);
    assert_int_equal(tkt_link_fd(fd, name, &err), -1);
    TKT_AUTO_FD int sealed = tkt_memfd_sealed("t", "abc", 3, &err);
    assert_true(sealed >= 0);
    assert_int_equal(write(sealed, "x", 1), -1);
    tkt_buf_reset(&b);
    assert_int_equal(tkt_read_fd(sealed, &b, &err), 0); /* wherever its offset stands */
    assert_string_equal(tkt_buf_str(&b), "abc");
    unlink(path);
    unlink(name);
    rmdir(dir);
}

static char captured[4096];

static void capture(const char *line, void *arg)
{
    (void)arg;
    snprintf(captured, sizeof(captured), "%s", line);
}

static void log_lines_cannot_be_forged(void **state)
{
    (void)state;
    tkt_log_capture(capture, NULL);
    tkt_log(TKT_LOG_INFO, "4FF", "ticket.created", "ticket", "IT-12", "n", TKT_NUM(7),
            "gone", (char *)NULL, "from", "a\nb c", NULL);
    assert_string_equal(captured,
                        "4FF: event=ticket.created ticket=IT-12 n=7 from=\"a\\x0ab c\"");
    tkt_log(TKT_LOG_INFO, NULL, "e", "k",
            "\xc2\x9b"
            "2J\xc3\xbc",
            NULL); /* CSI */
    assert_string_equal(captured, "event=e k=\\xc2\\x9b2J\xc3\xbc");
    tkt_log_open("t", TKT_LOG_STDERR, true, TKT_LOG_INFO);
    tkt_log(TKT_LOG_INFO, NULL, "e", "k", "\"\n", NULL);
    assert_non_null(strstr(captured, "\"event\":\"e\",\"k\":\"\\\"\\u000a\"}"));
    captured[0] = '\0';
    tkt_log(TKT_LOG_DEBUG, NULL, "e", NULL);
    assert_string_equal(captured, "");
    tkt_log_open("t", TKT_LOG_STDERR, false, TKT_LOG_INFO);
    tkt_log_capture(NULL, NULL);
}

/* RFC 3463 and the lists that grew out of it. */
static void a_status_tells_what_an_address_is_worth(void **state)
{
    static const struct {
        const char *statuses;
        enum tkt_failure is;
    } rows[] = {
        {"5.1.0 5.1.1 5.1.2 5.1.3 5.1.6 5.1.10 5.2.1 5.4.4", TKT_FAILURE_LASTING},
        {"5.2.2 5.2.0 5.2.4 5.3.0 5.3.2 5.4.1 5.4.6 5.4.7 5.5.0 5.0.0 5.1.100 5.4.40 "
         "5.6.7 5.6.9",
         TKT_FAILURE_PASSING},
        {"4.1.1 4.1.2 4.2.2 4.4.1 4.4.4 4.4.7 4.0.0", TKT_FAILURE_PASSING},
        {"5.1.7 5.1.8 5.1.9 5.2.3 5.3.4 5.6.0 5.6.1 5.7.0 5.7.1 5.7.26 4.7.1 4.7.0",
         TKT_FAILURE_NONE},
        {"2.0.0 5 5. x 50 551.1", TKT_FAILURE_PASSING}};

    (void)state;
    assert_int_equal(tkt_mailstatus_failure(""), TKT_FAILURE_PASSING);
    for (size_t i = 0; i < TKT_ARRAY_LEN(rows); i++) {
        char text[200];
        char *rest = text;

        snprintf(text, sizeof(text), "%s", rows[i].statuses);
        for (char *s = strsep(&rest, " "); s != NULL; s = strsep(&rest, " ")) {
            if (tkt_mailstatus_failure(s) != rows[i].is) {
                fail_msg("%s: %d", s, (int)tkt_mailstatus_failure(s));
            }
        }
    }
}

static void clock_can_be_held(void **state)
{
    (void)state;
    char text[32];
    tkt_clock_fake(1795348036123, 5000);
    tkt_clock_advance(1000);
    assert_int_equal(tkt_clock_mono_ms(), 6000);
    tkt_clock_format(tkt_clock_wall_ms(), text);
    assert_string_equal(text, "2026-11-22T11:47:17.123Z");
    tkt_clock_real();
    assert_true(tkt_clock_wall_ms() > 1700000000000);
}

static void comments_nest_and_end_with_the_field(void **state)
{
    static const struct {
        const char *text;
        const char *behind_cfws;
    } rows[] = {
        {"a", "a"},         {" \t\r\n a", "a"}, {"(c) (d(e)f)a(g)", "a(g)"},
        {"(\\)", ""}, /* its end is quoted */
        {"(\\)\\()a", "a"}, {"(a", ""},         {"(\\", ""},
        {"", ""},           {")a", ")a"},       {"\\(a", "\\(a"},
    };

    (void)state;
    for (size_t i = 0; i < TKT_ARRAY_LEN(rows); i++) {
        const char *text = rows[i].text;

        assert_string_equal(tkt_cfws_end(text, text + strlen(text)), rows[i].behind_cfws);
    }
    static const char cut[] = "((a)b)c";
    for (size_t n = 1; n < sizeof(cut); n++) {
        const char *end = cut + n;

        assert_ptr_equal(tkt_comment_end(cut, end), n >= 6 ? cut + 6 : end);
    }
    static const char nul[] = " \0 a";
    assert_ptr_equal(tkt_cfws_end(nul, nul + 4), nul + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(error_text_rises_with_prefixes_and_stays_one_line),
        cmocka_unit_test(buffer_never_grows_past_its_maximum),
        cmocka_unit_test(formatted_text_is_added_whole_or_not_at_all),
        cmocka_unit_test(encodings_round_trip_and_refuse_rubbish),
        cmocka_unit_test(utf8_follows_rfc_3629),
        cmocka_unit_test(every_code_point_is_written_as_utf8),
        cmocka_unit_test(numbers_are_whole_and_in_range),
        cmocka_unit_test(hashes_give_published_values),
        cmocka_unit_test(files_are_replaced_whole),
        cmocka_unit_test(log_lines_cannot_be_forged),
        cmocka_unit_test(a_status_tells_what_an_address_is_worth),
        cmocka_unit_test(comments_nest_and_end_with_the_field),
        cmocka_unit_test(clock_can_be_held),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
