/* SPDX-License-Identifier: BSD-2-Clause
 * ServiceNow: tickets that order an item of the service catalog, which starts what stands
 * behind it there. An order takes no key of ours: the request that it makes gets it next.
 */
#include "itsm/servicenow.h"

#include <string.h>

#define PREFIX "catalog:"

const char *tkt_sn_item_of(const struct tkt_itsm_call *call)
{
    const char *name = tkt_itsm_map(&call->site->conf->types, call->ticket->type, "");

    return strncmp(name, PREFIX, strlen(PREFIX)) == 0 ? name + strlen(PREFIX) : NULL;
}

const char *tkt_sn_table_named(const char *name)
{
    return strncmp(name, PREFIX, strlen(PREFIX)) == 0 ? "sc_request" : name;
}

enum tkt_itsm_next tkt_sn_order(struct tkt_itsm_call *call, const char *user,
                                struct tkt_err *err)
{
    const char *item = tkt_itsm_escape(call, tkt_sn_item_of(call));
    cJSON *body = cJSON_CreateObject();

    cJSON_AddStringToObject(body, "sysparm_quantity", "1");
    if (*user != '\0') {
        cJSON_AddStringToObject(body, "sysparm_requested_for", user);
    }
    cJSON *variables = cJSON_AddObjectToObject(body, "variables");
    tkt_err_set(err, TKT_ERR_TEMP, "itsm: no memory"); /* unless a field says more */
    if (variables == NULL ||
        tkt_itsm_fields(call, tkt_itsm_add_member, variables, err) < 0) {
        cJSON_Delete(body);
        return TKT_ITSM_FAILED;
    }
    return tkt_itsm_json(
        call, "POST",
        item == NULL
            ? NULL
            : tkt_itsm_url(call, "/api/sn_sc/v1/servicecatalog/items/%s/order_now", item),
        body, err);
}

enum tkt_itsm_next tkt_sn_mark_order(struct tkt_itsm_call *call, cJSON *record,
                                     struct tkt_err *err)
{
    const cJSON *result = tkt_json_at(call->answer->json, "result");
    const char *id = tkt_itsm_str(call, result, "request_id");

    if (id != NULL && *id == '\0') {
        id = tkt_itsm_str(call, result, "sys_id");
    }
    if (id == NULL || !tkt_sn_is_id(id)) {
        cJSON_Delete(record);
        return tkt_itsm_odd(call, err, "request_id");
    }
    enum tkt_itsm_next next = tkt_itsm_json(
        call, "PATCH", tkt_itsm_url(call, "/api/now/v2/table/sc_request/%s", id), record,
        err);
    call->request.repeatable = true;
    return next;
}
