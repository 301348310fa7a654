/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/fs.h"
#include "base/util.h"
#include "conf/schema.h"
#include "message/message.h"
#include "ticketctl/ctl.h"
#include "ticketctl/mail.h"
#include "ticketctl/out.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* ---- what reaches a terminal -------------------------------------------------------- */

static void assert_clean(const char *in, size_t n, bool lines, const char *want)
{
    TKT_AUTO_BUF struct tkt_buf b = TKT_BUF_INIT(4096);
    assert_int_equal(tkt_ctl_clean_add(&b, in, n, lines), 0);
    assert_string_equal(tkt_buf_str(&b), want);
}

static void no_control_character_passes(void **state)
{
    (void)state;
    for (int c = 1; c < 0x100; c++) {
        char in[3] = {(char)c, 0, 0};
        size_t n = 1;
        if (c >= 0x80) { /* as UTF-8: C1 and Latin-1 */
            in[0] = (char)(0xc0 | (c >> 6));
            in[1] = (char)(0x80 | (c & 0x3f));
            n = 2;
        }
        TKT_AUTO_BUF struct tkt_buf b = TKT_BUF_INIT(64);
        assert_int_equal(tkt_ctl_clean_add(&b, in, n, false), 0);
        bool printable = (c >= 0x20 && c < 0x7f) || c >= 0xa0;
        if (printable) {
            assert_string_equal(tkt_buf_str(&b), in);
        } else if (c == '\n' || c == '\t') {
            assert_string_equal(tkt_buf_str(&b), " ");
        } else {
            assert_string_equal(tkt_buf_str(&b), "\xef\xbf\xbd");
        }
    }
}

static void escapes_nuls_and_overrides_are_replaced(void **state)
{
    (void)state;
    assert_clean("a\033[31mb", 7, false, "a\xef\xbf\xbd[31mb");
    assert_clean("a\0b", 3, false,
                 "a\xef\xbf\xbd"
                 "b");
    assert_clean("\x9b", 1, false, "\xef\xbf\xbd"); /* a bare 8-bit CSI */
    assert_clean("\xe2\x80\xae", 3, false, "\xef\xbf\xbd");
    assert_clean("a\r\nb\rc", 6, true,
                 "a\nb\xef\xbf\xbd"
                 "c");
    assert_clean("\xc3", 1, false, "\xef\xbf\xbd"); /* cut in a character */
}

static void json_loses_c1_and_del_but_not_its_meaning(void **state)
{
    (void)state;
    char *text = NULL;
    size_t n = 0;
    FILE *to = open_memstream(&text, &n);
    assert_non_null(to);
    static const char in[] = "{\"a\":\"x\xc2\x9b\x7f\xc3\xa4\"}";
    tkt_ctl_put_json(to, in, sizeof in - 1);
    fclose(to);
    assert_string_equal(text, "{\"a\":\"x\\u009b\\u007f\xc3\xa4\"}\n");
    cJSON *before = cJSON_Parse(in);
    cJSON *after = cJSON_Parse(text);
    assert_true(cJSON_Compare(before, after, true));
    cJSON_Delete(before);
    cJSON_Delete(after);
    free(text);
}

static void widths_are_columns_not_bytes(void **state)
{
    (void)state;
    assert_int_equal(tkt_ctl_width("abc"), 3);
    assert_int_equal(tkt_ctl_width("\xc3\xa4"), 1);     /* a umlaut */
    assert_int_equal(tkt_ctl_width("a\xcc\x88"), 1);    /* the same, decomposed */
    assert_int_equal(tkt_ctl_width("\xe6\xbc\xa2"), 2); /* a wide character */
    assert_int_equal(tkt_ctl_fit("\xe6\xbc\xa2\xe5\xad\x97", 3), 3);
    assert_int_equal(tkt_ctl_fit("abc", 9), 3);
}

static char *table_text(const struct tkt_ctl_col *cols, size_t count, const char *json)
{
    char *text = NULL;
    size_t n = 0;
    FILE *to = open_memstream(&text, &n);
    cJSON *array = cJSON_Parse(json);
    assert_non_null(to);
    assert_non_null(array);
    tkt_ctl_put_table(to, cols, count, array);
    fclose(to);
    cJSON_Delete(array);
    return text;
}

static void tables_align_and_drop_empty_columns(void **state)
{
    (void)state;
    static const struct tkt_ctl_col cols[] = {{"ID", "id", TKT_CTL_TEXT, 8},
                                              {"NONE", "none", TKT_CTL_TEXT, 8},
                                              {"N", "n", TKT_CTL_NUMBER, 4},
                                              {"SUBJECT", "s", TKT_CTL_TEXT, 0}};
    char *text = table_text(cols, TKT_ARRAY_LEN(cols),
                            "[{\"id\":\"IT-1\",\"n\":7,\"s\":\"a\\nb\"},"
                            "{\"id\":\"\xe6\xbc\xa2\",\"n\":12,\"s\":\"\\u001b[0m\"}]");
    assert_string_equal(text, "ID     N  SUBJECT\n"
                              "IT-1   7  a b\n"
                              "\xe6\xbc\xa2    12  \xef\xbf\xbd[0m\n");
    free(text);
    text = table_text(cols, TKT_ARRAY_LEN(cols), "[]");
    assert_string_equal(text, "");
    free(text);
}

static void blocks_keep_their_indentation_on_every_line(void **state)
{
    (void)state;
    char *text = NULL;
    size_t n = 0;
    FILE *to = open_memstream(&text, &n);
    assert_non_null(to);
    tkt_ctl_put_block(to, "  ", "one\r\n\ntwo\033\nthree");
    fclose(to);
    assert_string_equal(text, "  one\n\n  two\xef\xbf\xbd\n  three\n");
    free(text);
}

/* ---- points in time ------------------------------------------------------------------ */

static void since_takes_ages_and_dates_and_nothing_else(void **state)
{
    (void)state;
    int64_t ms = -1;
    setenv("TZ", "UTC", 1);
    assert_int_equal(tkt_ctl_parse_since("2h", 10000000, &ms), 0);
    assert_int_equal(ms, 10000000 - 7200000);
    assert_int_equal(tkt_ctl_parse_since("7d", 1000, &ms), 0);
    assert_int_equal(ms, 0);
    assert_int_equal(tkt_ctl_parse_since("1970-01-02", 0, &ms), 0);
    assert_int_equal(ms, 86400000);
    assert_int_equal(tkt_ctl_parse_since("1970-01-01 01:30", 0, &ms), 0);
    assert_int_equal(ms, 5400000);
    static const char *const bad[] = {"",
                                      "h",
                                      "2",
                                      "2x",
                                      "-2h",
                                      "1e3h",
                                      "yesterday",
                                      "2026-13-01",
                                      "2026-01-01 junk",
                                      "99999999999999999999d"};
    for (size_t i = 0; i < TKT_ARRAY_LEN(bad); i++) {
        assert_int_equal(tkt_ctl_parse_since(bad[i], 1000, &ms), -1);
    }
}

/* ---- the message in hand ------------------------------------------------------------- */

/* At its start, as standard input is. */
static int input_of(const char *text, size_t n)
{
    struct tkt_err err = TKT_ERR_INIT;
    int fd = tkt_memfd_sealed("test", text, n, &err);
    assert_true(fd >= 0);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    return fd;
}

static struct tkt_ctl_mail open_mail(const char *text, size_t n)
{
    struct tkt_ctl_mail mail;
    struct tkt_err err = TKT_ERR_INIT;
    int fd = input_of(text, n);
    assert_int_equal(tkt_ctl_mail_read(fd, 64U * 1024 * 1024, "/tmp", &mail, &err), 0);
    close(fd);
    return mail;
}

static void assert_written(struct tkt_ctl_mail *mail, const char *want, size_t n)
{
    struct tkt_err err = TKT_ERR_INIT;
    TKT_AUTO_FD int to = tkt_open_tmpfile("/tmp", &err);
    TKT_AUTO_BUF struct tkt_buf got = TKT_BUF_INIT(64U * 1024 * 1024);
    assert_true(to >= 0);
    assert_int_equal(tkt_ctl_mail_write(mail, to, &err), 0);
    assert_int_equal(lseek(to, 0, SEEK_SET), 0);
    assert_int_equal(tkt_read_fd(to, &got, &err), 0);
    assert_int_equal(got.len, n);
    assert_memory_equal(got.data, want, n);
}

static void an_unedited_message_is_written_byte_for_byte(void **state)
{
    (void)state;
    static const char *const mails[] = {
        "Subject: a\r\n b\r\nTo: x@y\r\n\r\nbody\r\n",
        "Subject: a\n\tb\n\nbody",
        "no header at all",
        "\nonly a body\n",
        "Subject: cut off",
        "A:b\nnot a field\nC: d\n\nbody\n",
        " begins with a fold\nA: b\n",
        "Subject : blank before the colon\n\n",
    };
    for (size_t i = 0; i < TKT_ARRAY_LEN(mails); i++) {
        struct tkt_ctl_mail mail = open_mail(mails[i], strlen(mails[i]));
        assert_written(&mail, mails[i], strlen(mails[i]));
        tkt_ctl_mail_release(&mail);
    }
}

static void the_mbox_line_on_top_goes(void **state)
{
    (void)state;
    static const char text[] =
        "From a@b Sun Nov 22 12:00:00 2026\nSubject: x\n\nFrom y\n";
    struct tkt_ctl_mail mail = open_mail(text, sizeof text - 1);
    assert_int_equal(mail.count, 1);
    assert_written(&mail, "Subject: x\n\nFrom y\n", 19);
    tkt_ctl_mail_release(&mail);
}

static void fields_come_with_blank_folds_and_index(void **state)
{
    (void)state;
    static const char text[] =
        "Subject: a\r\n\tb \r\nTo: x\r\nsubject:second\r\n"
        "X-Ticket-ID: IT-1\r\nX-TICKET-ID: IT-2\r\n"
        "X-Ticketing: no\r\nSubject: n\0ul\r\n\r\nSubject: body\r\n";
    struct tkt_ctl_mail mail = open_mail(text, sizeof text - 1);
    struct tkt_wire_arena arena = {0};
    struct tkt_wire_field *f;
    size_t n;
    struct tkt_err err = TKT_ERR_INIT;
    assert_int_equal(tkt_ctl_mail_fields(&mail, &arena, &f, &n, &err), 0);
    assert_int_equal(n, 5);
    assert_string_equal(f[0].value, " a\n\tb ");
    assert_int_equal(f[0].index, 1);
    assert_string_equal(f[1].value, "second");
    assert_int_equal(f[1].index, 2);
    assert_string_equal(f[3].name, "X-TICKET-ID");
    assert_int_equal(f[3].index, 2);
    assert_string_equal(f[4].value, " nul");
    assert_int_equal(f[4].index, 3);
    tkt_wire_arena_release(&arena);
    tkt_ctl_mail_release(&mail);
}

static void too_many_ticket_fields_are_refused(void **state)
{
    (void)state;
    TKT_AUTO_BUF struct tkt_buf b = TKT_BUF_INIT(65536);
    for (int i = 0; i <= TKT_WIRE_FIELDS_MAX; i++) {
        tkt_buf_adds(&b, "X-Ticket-A: b\n");
    }
    struct tkt_ctl_mail mail = open_mail(b.data, b.len);
    struct tkt_wire_arena arena = {0};
    struct tkt_wire_field *f;
    size_t n;
    struct tkt_err err = TKT_ERR_INIT;
    assert_int_equal(tkt_ctl_mail_fields(&mail, &arena, &f, &n, &err), -1);
    assert_int_equal(err.class, TKT_ERR_PERM);
    tkt_wire_arena_release(&arena);
    tkt_ctl_mail_release(&mail);
}

static void edits_act_as_an_mta_would(void **state)
{
    (void)state;
    static const char text[] = "Received: r\r\nX-Ticket-ID: 1\r\nSubject: s\r\n"
                               "X-Ticket-ID: 2\r\nX-Ticket-ID: 3\r\n\r\nbody\r\n";
    static const struct tkt_wire_edit edits[] = {
        {TKT_WIRE_DELETE, 3, "X-Ticket-ID", NULL},
        {TKT_WIRE_DELETE, 1, "x-ticket-id", NULL},
        {TKT_WIRE_CHANGE, 1, "Subject", " [IT-1] s\n\tfolded"},
        {TKT_WIRE_CHANGE, 1, "X-Ticket-ID", " two"}, /* the one that is left */
        {TKT_WIRE_INSERT, 0, "X-Ticket-Desk", " it"},
        {TKT_WIRE_ADDRCPT, 0, "", "x@y"},
        {TKT_WIRE_DELETE, 9, "Subject", NULL}, /* none such */
        {TKT_WIRE_CHANGE, 4, "X-New", " appended\nX-Evil: no field of its own"},
    };
    static const char want[] = "X-Ticket-Desk: it\r\nReceived: r\r\n"
                               "Subject: [IT-1] s\r\n\tfolded\r\nX-Ticket-ID: two\r\n"
                               "X-New: appended\r\n\tX-Evil: no field of its own\r\n"
                               "\r\nbody\r\n";
    struct tkt_ctl_mail mail = open_mail(text, sizeof text - 1);
    struct tkt_err err = TKT_ERR_INIT;
    assert_int_equal(tkt_ctl_mail_edit(&mail, edits, TKT_ARRAY_LEN(edits), &err), 0);
    assert_written(&mail, want, sizeof want - 1);
    tkt_ctl_mail_release(&mail);
}

static void a_subject_is_added_where_there_is_none(void **state)
{
    (void)state;
    static const struct tkt_wire_edit edit[] = {
        {TKT_WIRE_CHANGE, 1, "Subject", " [IT-1]"}};
    struct tkt_ctl_mail mail = open_mail("To: x\n\nb", 8);
    struct tkt_err err = TKT_ERR_INIT;
    assert_int_equal(tkt_ctl_mail_edit(&mail, edit, 1, &err), 0);
    assert_written(&mail, "To: x\nSubject: [IT-1]\n\nb", 24);
    tkt_ctl_mail_release(&mail);
}

static void large_messages_and_headers_pass_whole(void **state)
{
    (void)state;
    TKT_AUTO_BUF struct tkt_buf b = TKT_BUF_INIT(16U * 1024 * 1024);
    tkt_buf_adds(&b, "Subject: first\n");
    while (b.len < TKT_CTL_HEADER_MAX + 5000) { /* past the cap of the header block */
        tkt_buf_addf(&b, "X-Filler-%zu: %0200d\n", b.len, 7);
    }
    tkt_buf_adds(&b, "\n");
    for (int i = 0; i < 40000; i++) {
        tkt_buf_adds(&b, "0123456789012345678901234567890123456789\n");
    }
    struct tkt_ctl_mail mail = open_mail(b.data, b.len);
    assert_int_equal(mail.size, b.len);
    assert_true(mail.head_len <= TKT_CTL_HEADER_MAX);
    assert_written(&mail, b.data, b.len);
    tkt_ctl_mail_release(&mail);
}

static void counts_in_small_units_are_shown_in_those_of_people(void **state)
{
    static const char json[] =
        "{\"job_lag_ms\":0,\"a_ms\":999,\"b_ms\":24722,\"c_ms\":300000,\"d_ms\":21600000,"
        "\"e_ms\":2592000000,\"log_bytes\":176128,\"bytes\":1024,\"oldest_job\":"
        "{\"job\":7,\"age_ms\":1500}}";
    static const char want[] = "job_lag: 0 ms\na: 999 ms\nb: 24.7 s\nc: 5 min\nd: 6.0 h\n"
                               "e: 30.0 d\nlog: 172.0 KiB\nbytes: 1024\noldest_job:\n"
                               "  job: 7\n  age: 1.5 s\n";
    (void)state;
    cJSON *object = cJSON_Parse(json);
    TKT_AUTO_FREE char *text = NULL;
    size_t n = 0;
    FILE *to = open_memstream(&text, &n);
    assert_non_null(object);
    assert_non_null(to);
    tkt_ctl_put_object(to, object, 0);
    assert_int_equal(fclose(to), 0);
    assert_string_equal(text, want);
    cJSON_Delete(object);
}
static void empty_members_are_not_shown(void **state)
{
    (void)state;
    cJSON *object = cJSON_Parse("{\"a\":\"\",\"b\":\"x\",\"c\":\"\",\"d\":0}");
    TKT_AUTO_BUF struct tkt_buf b = TKT_BUF_INIT(4096);
    tkt_ctl_put_members(&b, object);
    assert_string_equal(tkt_buf_str(&b), "b=x d=0");
    cJSON_Delete(object);
}
static void oversize_and_empty_input_is_refused(void **state)
{
    (void)state;
    struct tkt_ctl_mail mail;
    struct tkt_err err = TKT_ERR_INIT;
    int fd = input_of("Subject: x\n\nbody\n", 17);
    assert_int_equal(tkt_ctl_mail_read(fd, 16, "/tmp", &mail, &err), -1);
    assert_int_equal(err.class, TKT_ERR_PERM);
    assert_non_null(strstr(err.text, "larger"));
    close(fd);
    fd = input_of("", 0);
    assert_int_equal(tkt_ctl_mail_read(fd, 16, "/tmp", &mail, &err), -1);
    assert_int_equal(err.class, TKT_ERR_PERM);
    assert_non_null(strstr(err.text, "empty"));
    close(fd);
}

static void a_desk_knows_the_classes_of_mail_and_no_others(void **state)
{
    (void)state;
    static const char *const keys[] = {"opens", "changes_state", "acknowledges"};
    const struct tkt_conf_section *desk = tkt_conf_section_find("desk");

    for (size_t i = 0; i < TKT_ARRAY_LEN(keys); i++) {
        const struct tkt_conf_row *row = tkt_conf_row_find(desk, keys[i]);
        assert_int_equal(row->max, TKT_CLASS_COUNT);
        for (int c = 0; c < TKT_CLASS_COUNT; c++) {
            assert_string_equal(row->words[c].word, tkt_class_names[c]);
        }
        assert_null(row->words[TKT_CLASS_COUNT].word);
    }
}

static void reasons_are_counted_where_there_is_one_line(void **state)
{
    TKT_AUTO_BUF struct tkt_buf b = TKT_BUF_INIT(1024);
    cJSON *object = cJSON_Parse("{\"by\":\"x\",\"words\":[\"a\",\"b\"],"
                                "\"reasons\":[{\"by\":\"r\"},{\"by\":\"s\"}]}");

    (void)state;
    tkt_ctl_put_members(&b, object);
    assert_string_equal(tkt_buf_str(&b), "by=x words=a, b reasons=2");
    cJSON_Delete(object);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_control_character_passes),
        cmocka_unit_test(escapes_nuls_and_overrides_are_replaced),
        cmocka_unit_test(json_loses_c1_and_del_but_not_its_meaning),
        cmocka_unit_test(widths_are_columns_not_bytes),
        cmocka_unit_test(tables_align_and_drop_empty_columns),
        cmocka_unit_test(blocks_keep_their_indentation_on_every_line),
        cmocka_unit_test(since_takes_ages_and_dates_and_nothing_else),
        cmocka_unit_test(an_unedited_message_is_written_byte_for_byte),
        cmocka_unit_test(reasons_are_counted_where_there_is_one_line),
        cmocka_unit_test(the_mbox_line_on_top_goes),
        cmocka_unit_test(fields_come_with_blank_folds_and_index),
        cmocka_unit_test(too_many_ticket_fields_are_refused),
        cmocka_unit_test(edits_act_as_an_mta_would),
        cmocka_unit_test(a_subject_is_added_where_there_is_none),
        cmocka_unit_test(large_messages_and_headers_pass_whole),
        cmocka_unit_test(counts_in_small_units_are_shown_in_those_of_people),
        cmocka_unit_test(empty_members_are_not_shown),
        cmocka_unit_test(a_desk_knows_the_classes_of_mail_and_no_others),
        cmocka_unit_test(oversize_and_empty_input_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
