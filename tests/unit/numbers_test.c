/* SPDX-License-Identifier: BSD-2-Clause
 * ticketd/numbers: which tags of a Subject are an ITSM's numbers.
 */
#include "base/util.h"
#include "ticketd/facts/numbers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
/* cmocka wants the four above first */
#include <cmocka.h>

static struct tkt_conf_itsm section(const char *type)
{
    return (struct tkt_conf_itsm){.name = (char *)"x",
                                  .type = (char *)(uintptr_t)type,
                                  .url = (char *)"https://rt.example.org:8443/rt",
                                  .project = (char *)"acme/tools"};
}

/* The first number that any form finds, or "". */
static const char *number_of(const struct tkt_conf_itsm *c, const char *tag)
{
    static char out[TKT_NUMBER_MAX + 1];
    int n;

    for (size_t i = 0; (n = tkt_number_in_tag(c, i, tag, out)) >= 0; i++) {
        if (n == 1) {
            return out;
        }
    }
    return "";
}

static void each_type_knows_how_it_writes_its_numbers(void **state)
{
    static const struct {
        const char *type, *tag, *number;
    } rows[] = {{"servicenow", "INC0010042", "INC0010042"},
                {"jira", "PROJ-12", "PROJ-12"},
                {"freshservice", "SR-1234", "SR-1234"},
                {"rt", "RT.EXAMPLE.ORG#7", "7"},
                {"rt", "RT.ELSEWHERE#7", ""},
                {"redmine", "FEATURE#12", "12"},
                {"redmine", "TASK#12", ""},
                {"zendesk", "#35", "35"},
                {"glpi", "GLPI#0000012", "0000012"},
                {"znuny", "TICKET#2026112210000012", "2026112210000012"},
                {"github", "ACME/TOOLS#5", "#5"},
                {"github", "ACME/OTHER#5", ""},
                {"gitlab", "#5", "#5"}};

    (void)state;
    for (size_t i = 0; i < TKT_ARRAY_LEN(rows); i++) {
        const struct tkt_conf_itsm c = section(rows[i].type);
        assert_string_equal(number_of(&c, rows[i].tag), rows[i].number);
    }
}

static void a_section_has_forms_of_its_own(void **state)
{
    char *forms[] = {(char *)"SITE#{number}", (char *)"<{number}>", (char *)"none"};
    struct tkt_conf_itsm c = section("rt");

    (void)state;
    c.tags = (struct tkt_conf_list){forms, 3};
    assert_string_equal(number_of(&c, "site#12"), "12");
    assert_string_equal(number_of(&c, "<12>"), "12");
    assert_string_equal(number_of(&c, "RT.EXAMPLE.ORG#12"), "");
    assert_string_equal(number_of(&c, "none"), ""); /* it says nothing of a number */
    assert_string_equal(number_of(&c, "SITE#"), "");
}

static void what_is_too_long_is_no_number(void **state)
{
    const struct tkt_conf_itsm c = section("jira");
    char tag[TKT_NUMBER_MAX + 3];

    (void)state;
    memset(tag, 'A', sizeof(tag));
    tag[TKT_NUMBER_MAX + 1] = '\0';
    assert_string_equal(number_of(&c, tag), "");
    tag[TKT_NUMBER_MAX] = '\0';
    assert_string_equal(number_of(&c, tag), tag);
    assert_string_equal(number_of(&c, ""), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_type_knows_how_it_writes_its_numbers),
        cmocka_unit_test(a_section_has_forms_of_its_own),
        cmocka_unit_test(what_is_too_long_is_no_number),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
