/* SPDX-License-Identifier: BSD-2-Clause
 * Numbers as text: what stands there, and that nothing can break the format.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/metrics.h"
#include "base/util.h"

#include <stdio.h>
#include <string.h>

static const double bounds[] = {0.1, 1};
enum {
    MAILS,
    DEPTH,
    WAIT,
    FAMILIES
};
static const struct tkt_metric table[] = {
    [MAILS] = {.name = "x_mails_total",
               .help = "Mails.",
               .kind = TKT_METRIC_COUNTER,
               .labels = {"desk", "class"}},
    [DEPTH] = {.name = "x_depth", .help = "Depth.", .kind = TKT_METRIC_GAUGE},
    [WAIT] = {.name = "x_wait_seconds",
              .help = "Wait.",
              .kind = TKT_METRIC_HISTOGRAM,
              .labels = {"hook"},
              .bounds = bounds,
              .bound_count = 2}};

static void text_of(struct tkt_metrics *m, bool open, struct tkt_buf *out)
{
    tkt_buf_reset(out);
    assert_int_equal(tkt_metrics_write(m, open, out), 0);
}

static void counters_add_and_gauges_are_set(void **state)
{
    struct tkt_metrics *m = tkt_metrics_new(table, FAMILIES);
    TKT_AUTO_BUF struct tkt_buf out = TKT_BUF_INIT(1 << 16);

    (void)state;
    assert_non_null(m);
    text_of(m, false, &out);
    assert_string_equal(tkt_buf_str(&out), "");
    tkt_metrics_add(m, MAILS, (const char *const[]){"it", "human"}, 1);
    tkt_metrics_add(m, MAILS, (const char *const[]){"it", "bulk"}, 2);
    tkt_metrics_add(m, MAILS, (const char *const[]){"it", "human"}, 1);
    tkt_metrics_set(m, DEPTH, NULL, 7);
    tkt_metrics_set(m, DEPTH, NULL, 6.5);
    text_of(m, false, &out);
    assert_string_equal(tkt_buf_str(&out),
                        "# HELP x_mails_total Mails.\n# TYPE x_mails_total counter\n"
                        "x_mails_total{desk=\"it\",class=\"human\"} 2\n"
                        "x_mails_total{desk=\"it\",class=\"bulk\"} 2\n"
                        "# HELP x_depth Depth.\n# TYPE x_depth gauge\nx_depth 6.5\n");
    tkt_metrics_clear(m, DEPTH);
    text_of(m, true, &out);
    assert_string_equal(tkt_buf_str(&out),
                        "# HELP x_mails Mails.\n# TYPE x_mails counter\n"
                        "x_mails_total{desk=\"it\",class=\"human\"} 2\n"
                        "x_mails_total{desk=\"it\",class=\"bulk\"} 2\n# EOF\n");
    tkt_metrics_free(&m);
}

static void a_histogram_is_cumulative_and_ends_with_its_count(void **state)
{
    struct tkt_metrics *m = tkt_metrics_new(table, FAMILIES);
    TKT_AUTO_BUF struct tkt_buf out = TKT_BUF_INIT(1 << 16);

    (void)state;
    tkt_metrics_add(m, WAIT, (const char *const[]){"milter"}, 0.0625);
    tkt_metrics_add(m, WAIT, (const char *const[]){"milter"}, 0.5);
    tkt_metrics_add(m, WAIT, (const char *const[]){"milter"}, 1);
    tkt_metrics_add(m, WAIT, (const char *const[]){"milter"}, 9);
    text_of(m, false, &out);
    assert_string_equal(tkt_buf_str(&out),
                        "# HELP x_wait_seconds Wait.\n# TYPE x_wait_seconds histogram\n"
                        "x_wait_seconds_bucket{hook=\"milter\",le=\"0.1\"} 1\n"
                        "x_wait_seconds_bucket{hook=\"milter\",le=\"1\"} 3\n"
                        "x_wait_seconds_bucket{hook=\"milter\",le=\"+Inf\"} 4\n"
                        "x_wait_seconds_sum{hook=\"milter\"} 10.5625\n"
                        "x_wait_seconds_count{hook=\"milter\"} 4\n");
    tkt_metrics_free(&m);
}

static void a_label_cannot_break_its_line(void **state)
{
    struct tkt_metrics *m = tkt_metrics_new(table, FAMILIES);
    TKT_AUTO_BUF struct tkt_buf out = TKT_BUF_INIT(1 << 16);
    char long_one[300];

    (void)state;
    memset(long_one, 'a', sizeof(long_one) - 1);
    long_one[sizeof(long_one) - 1] = '\0';
    tkt_metrics_add(m, MAILS, (const char *const[]){"a\"b\\c\nd\xff", long_one}, 1);
    text_of(m, false, &out);
    assert_non_null(strstr(tkt_buf_str(&out), "desk=\"a\\\"b\\\\c\\nd\xef\xbf\xbd\""));
    assert_non_null(strstr(tkt_buf_str(&out), "aaaa\"} 1\n"));
    assert_true(out.len < 300);
    tkt_metrics_free(&m);
}

static void so_many_series_and_no_more(void **state)
{
    struct tkt_metrics *m = tkt_metrics_new(table, FAMILIES);
    TKT_AUTO_BUF struct tkt_buf out = TKT_BUF_INIT(1 << 20);
    size_t lines = 0;

    (void)state;
    for (int i = 0; i < TKT_METRICS_SERIES_MAX + 100; i++) {
        char desk[20];

        snprintf(desk, sizeof(desk), "d%d", i);
        tkt_metrics_add(m, MAILS, (const char *const[]){desk, "x"}, 1);
    }
    text_of(m, false, &out);
    for (const char *p = tkt_buf_str(&out); (p = strchr(p, '\n')) != NULL; p++) {
        lines++;
    }
    assert_int_equal(lines, 2 + TKT_METRICS_SERIES_MAX + 1);
    assert_non_null(strstr(tkt_buf_str(&out), "{desk=\"other\",class=\"other\"} 100\n"));
    tkt_metrics_free(&m);
}

static void text_that_does_not_fit_is_no_text(void **state)
{
    struct tkt_metrics *m = tkt_metrics_new(table, FAMILIES);
    TKT_AUTO_BUF struct tkt_buf out = TKT_BUF_INIT(20);

    (void)state;
    tkt_metrics_set(m, DEPTH, NULL, 7);
    assert_int_equal(tkt_metrics_write(m, false, &out), -1);
    tkt_metrics_free(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counters_add_and_gauges_are_set),
        cmocka_unit_test(a_histogram_is_cumulative_and_ends_with_its_count),
        cmocka_unit_test(a_label_cannot_break_its_line),
        cmocka_unit_test(so_many_series_and_no_more),
        cmocka_unit_test(text_that_does_not_fit_is_no_text)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
