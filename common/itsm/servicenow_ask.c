/* SPDX-License-Identifier: BSD-2-Clause
 * Looking things up at ServiceNow. A query with a misspelt part brings rows that have nothing
 * to do with it: every hit is looked at.
 */
#include "base/enc.h"
#include "itsm/servicenow.h"

#include <string.h>

/* '^' begins another condition of a query. */
bool tkt_sn_can_ask(const char *text)
{
    for (const char *p = text; *p != '\0'; p++) {
        if (*p == '^' || (unsigned char)*p < 0x20 || *p == 0x7f) {
            return false;
        }
    }
    return *text != '\0';
}

enum tkt_itsm_next tkt_sn_ask(struct tkt_itsm_call *call, const char *table,
                              const char *query, const char *fields, int limit,
                              struct tkt_err *err)
{
    const char *where = tkt_itsm_escape(call, table);
    const char *what = query == NULL ? NULL : tkt_itsm_escape(call, query);
    enum tkt_itsm_next next = tkt_itsm_get(
        call,
        where == NULL || what == NULL
            ? NULL
            : tkt_itsm_url(call,
                           "/api/now/v2/table/%s?sysparm_query=%s&sysparm_fields=%s"
                           "&sysparm_exclude_reference_link=true&sysparm_limit=%d"
                           "&sysparm_no_count=true",
                           where, what, fields, limit),
        err);

    call->request.also[0] = 404; /* older releases: no row */
    return next;
}

enum tkt_itsm_next tkt_sn_ask_name(struct tkt_itsm_call *call, const char *table,
                                   const char *field, const char *name,
                                   struct tkt_err *err)
{
    return tkt_sn_ask(call, table, tkt_itsm_text(call, "%s=%s^active=true", field, name),
                      "sys_id,name,email,user_name", 3, err);
}

/* The only row whose field says so; NULL, with *count of them, for none or several. */
const char *tkt_sn_hit(struct tkt_itsm_call *call, const char *field, const char *wanted,
                       size_t *count)
{
    const char *id = NULL;
    const cJSON *row;

    *count = 0;
    cJSON_ArrayForEach(row, tkt_json_at(call->answer->json, "result"))
    {
        const char *have = tkt_sn_value(call, row, field);
        const char *row_id = tkt_sn_value(call, row, "sys_id");

        if (have != NULL && row_id != NULL && *row_id != '\0' &&
            tkt_ascii_ieq(have, wanted)) {
            id = row_id;
            ++*count;
        }
    }
    return *count == 1 ? id : NULL;
}

bool tkt_sn_is_id(const char *text)
{
    return strlen(text) == 32 && strspn(text, "0123456789abcdef") == 32;
}
