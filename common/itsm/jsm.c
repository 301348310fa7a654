/* SPDX-License-Identifier: BSD-2-Clause
 * Requests of Jira Service Management: how they are made, commented on and given files.
 * Everything else is done to the issue that each request is.
 */
#include "base/util.h"
#include "itsm/jira.h"

#include <string.h>

static const char *desk_of(const struct tkt_itsm_call *call)
{
    return tkt_itsm_option(call, "desk", "");
}

static const char *desk_url(struct tkt_itsm_call *call, const char *below)
{
    const char *desk = tkt_itsm_escape(call, desk_of(call));

    return desk == NULL
               ? NULL
               : tkt_itsm_url(call, "/rest/servicedeskapi/servicedesk/%s%s", desk, below);
}

static const char *request_url(struct tkt_itsm_call *call, const char *below)
{
    const char *key = tkt_itsm_escape(call, tkt_jira_key(call));

    return key == NULL
               ? NULL
               : tkt_itsm_url(call, "/rest/servicedeskapi/request/%s%s", key, below);
}

/* ---- customers ------------------------------------------------------------------------ */

enum tkt_itsm_next tkt_jsm_make_customer(struct tkt_itsm_call *call, struct tkt_err *err)
{
    const struct tkt_itsm_ticket *t = call->ticket;
    cJSON *body = cJSON_CreateObject();
    const char *name =
        tkt_itsm_line(call, t->requester_name[0] ? t->requester_name : t->requester, 100);

    cJSON_AddStringToObject(body, "email", t->requester);
    cJSON_AddStringToObject(body, tkt_jira_is_cloud(call) ? "displayName" : "fullName",
                            name);
    enum tkt_itsm_next next = tkt_itsm_json(
        call, "POST", tkt_itsm_url(call, "/rest/servicedeskapi/customer"), body, err);
    tkt_itsm_header(call, "X-ExperimentalApi: opt-in"); /* Data Center wants it */
    call->request.also[0] = 400; /* not allowed to, or there is one that is hidden: the */
    call->request.also[1] = 403; /* address stays in the text */
    call->request.also[2] = 409;
    call->request.repeatable = true;
    return next;
}

enum tkt_itsm_next tkt_jsm_join_desk(struct tkt_itsm_call *call, const char *customer,
                                     struct tkt_err *err)
{
    bool is_cloud = tkt_jira_is_cloud(call);
    cJSON *body = cJSON_CreateObject();

    cJSON_AddItemToObject(body, is_cloud ? "accountIds" : "usernames",
                          cJSON_CreateStringArray(&customer, 1));
    enum tkt_itsm_next next =
        tkt_itsm_json(call, "POST", desk_url(call, "/customer"), body, err);
    tkt_itsm_header(call, "X-ExperimentalApi: opt-in");
    call->request.also[0] = 400; /* the request itself tells whether that matters */
    call->request.also[1] = 403;
    call->request.also[2] = 404;
    call->request.repeatable = true;
    return next;
}

/* ---- requests ------------------------------------------------------------------------- */

static cJSON *make_request(struct tkt_itsm_call *call, const struct tkt_jira_work *w,
                           struct tkt_err *err)
{
    cJSON *body = cJSON_CreateObject();
    const char *field = tkt_itsm_option(call, "correlation_field", "");
    const char *said = tkt_jira_description(call, w);
    const char *text = said == NULL ? NULL : tkt_jira_to_wiki(call, said);

    cJSON_AddStringToObject(body, "serviceDeskId", desk_of(call));
    cJSON_AddStringToObject(body, "requestTypeId", tkt_jira_type(call));
    if (w->reporter != NULL && !w->no_reporter) {
        cJSON_AddStringToObject(body, "raiseOnBehalfOf", w->reporter);
    }
    cJSON *values = cJSON_AddObjectToObject(body, "requestFieldValues");
    cJSON_AddStringToObject(values, "summary", tkt_jira_summary(call));
    /* Labels are nothing that a request is made with: until it has them, it is found by
     * its text. */
    if (text != NULL && *field == '\0') {
        text = tkt_itsm_text(call, "%s\n\n(%s)", text, call->ticket->corr);
    } else {
        cJSON_AddStringToObject(values, field, call->ticket->corr);
    }
    cJSON_AddStringToObject(values, "description", text);
    if (text == NULL || tkt_jira_fields(call, values, err) < 0) {
        cJSON_Delete(body);
        return NULL;
    }
    return body;
}

enum tkt_itsm_next tkt_jsm_post(struct tkt_itsm_call *call, struct tkt_jira_work *w,
                                struct tkt_err *err)
{
    tkt_err_set(err, TKT_ERR_TEMP, "itsm: no memory"); /* unless a field says more */
    cJSON *body = make_request(call, w, err);
    enum tkt_itsm_next next =
        body == NULL ? TKT_ITSM_FAILED
                     : tkt_itsm_json(call, "POST",
                                     tkt_itsm_url(call, "/rest/servicedeskapi/request"),
                                     body, err);

    call->request.also[0] = 400;
    call->request.also[1] = 403;
    return next;
}

enum tkt_itsm_next tkt_jsm_comment(struct tkt_itsm_call *call, const char *text,
                                   bool is_public, struct tkt_err *err)
{
    cJSON *body = cJSON_CreateObject();

    cJSON_AddStringToObject(body, "body", tkt_jira_to_wiki(call, text));
    cJSON_AddBoolToObject(body, "public", is_public);
    return tkt_itsm_json(call, "POST", request_url(call, "/comment"), body, err);
}

/* The bytes first, to the desk; then the request takes them. */
enum tkt_itsm_next tkt_jsm_attach(struct tkt_itsm_call *call, struct tkt_err *err)
{
    bool is_public = strcmp(tkt_itsm_option(call, "files", "internal"), "public") == 0;

    if (call->step == 1) {
        enum tkt_itsm_next next = tkt_itsm_form(
            call, desk_url(call, "/attachTemporaryFile"), "file", NULL, err);
        tkt_itsm_header(call, "X-Atlassian-Token: no-check");
        tkt_itsm_header(call, "X-ExperimentalApi: opt-in");
        return next;
    }
    if (call->step > 2) {
        return TKT_ITSM_DONE;
    }
    const char *id = tkt_itsm_str(call, call->answer->json,
                                  "temporaryAttachments.0.temporaryAttachmentId");
    if (id == NULL || *id == '\0') {
        return tkt_itsm_odd(call, err, "temporaryAttachmentId");
    }
    cJSON *body = cJSON_CreateObject();
    cJSON_AddItemToObject(body, "temporaryAttachmentIds",
                          cJSON_CreateStringArray(&id, 1));
    cJSON_AddBoolToObject(body, "public", is_public);
    return tkt_itsm_json(call, "POST", request_url(call, "/attachment"), body, err);
}
