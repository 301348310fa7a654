/* SPDX-License-Identifier: BSD-2-Clause
 * common/conf: reading, what is refused and how it is said, dump and load again.
 */
#include "base/buf.h"
#include "base/fs.h"
#include "base/util.h"
#include "conf/conf.h"

#include "conf/read.h"
#include "conf/schema.h"
#include "conf/value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
/* cmocka wants the four above first */
#include <cmocka.h>

#define DUMP_MAX (1024 * 1024)
#define DESK "desk \"it\" { addresses = {\"support@example.test\"} }\n"

static struct tkt_conf *load(const char *text, struct tkt_err *err)
{
    return tkt_conf_load_text("f", text, strlen(text), err);
}

static void defaults_stand_where_nothing_is_written(void **state)
{
    (void)state;
    struct tkt_err err = TKT_ERR_INIT;
    struct tkt_conf *conf = load(DESK, &err);
    assert_string_equal(err.text, "");
    assert_non_null(conf);
    assert_int_equal(conf->milter.deadline_ms, 8000);
    assert_int_equal(conf->milter.umask, 7);
    assert_int_equal(conf->limits.header_block_max, 256 * 1024);
    assert_int_equal(conf->store.dedupe_keep_ms, INT64_C(30) * 86400000);
    assert_int_equal(conf->desk_count, 1);
    const struct tkt_conf_desk *desk = tkt_conf_desk(conf, "it");
    assert_non_null(desk);
    assert_string_equal(desk->prefix, "IT");
    assert_string_equal(desk->itsm, "local");
    assert_int_equal(desk->on_failure, TKT_ON_FAILURE_TEMPFAIL);
    assert_int_equal(desk->headers.count, 4);
    assert_int_equal(conf->itsm_count, 1);
    assert_string_equal(conf->itsms[0].name, "local");
    assert_null(tkt_conf_desk(conf, "other"));
    assert_true(conf->generation > 0 && conf->generation <= INT64_MAX);
    tkt_conf_free(&conf);
    assert_null(conf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_stand_where_nothing_is_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
