/* SPDX-License-Identifier: BSD-2-Clause
 * The contract of common/itsm/itsm.h, kept by every row of the table.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "itsm/itsm.h"

#include <stdio.h>
#include <string.h>

struct outcome {
    unsigned finished;
    enum tkt_err_class class;
};

static void note(struct tkt_itsm_call *call, const struct tkt_err *err)
{
    struct outcome *o = call->owner;

    o->finished++;
    o->class = err->class;
}

static struct outcome run(const struct tkt_itsm_ops *ops, const char *kind)
{
    struct tkt_job job = {.id = 1, .ticket = 1};
    struct outcome o = {0};
    struct tkt_itsm_call call = {.job = &job, .finish = note, .owner = &o};

    snprintf(job.kind, sizeof(job.kind), "%s", kind);
    tkt_itsm_start(ops, &call);
    return o;
}

static void every_backend_has_a_name_of_its_own_and_all_slots(void **state)
{
    (void)state;
    for (size_t i = 0; tkt_itsm_table[i]; i++) {
        assert_ptr_equal(tkt_itsm_find(tkt_itsm_table[i]->type), tkt_itsm_table[i]);
        assert_non_null(tkt_itsm_table[i]->create);
        assert_non_null(tkt_itsm_table[i]->comment);
    }
    assert_null(tkt_itsm_find("nowhere"));
    assert_null(tkt_itsm_find(""));
}

static void every_backend_parks_a_kind_that_it_does_not_know(void **state)
{
    (void)state;
    for (size_t i = 0; tkt_itsm_table[i]; i++) {
        struct outcome o = run(tkt_itsm_table[i], "dance");

        assert_int_equal(o.finished, 1);
        assert_int_equal(o.class, TKT_ERR_PERM);
    }
}

static void local_is_done_at_once(void **state)
{
    const char *const kinds[] = {"create", "comment"};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct outcome o = run(tkt_itsm_find("local"), kinds[i]);

        assert_int_equal(o.finished, 1);
        assert_int_equal(o.class, TKT_ERR_NONE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_backend_has_a_name_of_its_own_and_all_slots),
        cmocka_unit_test(every_backend_parks_a_kind_that_it_does_not_know),
        cmocka_unit_test(local_is_done_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
