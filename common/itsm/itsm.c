/* SPDX-License-Identifier: BSD-2-Clause */
#include "itsm/itsm.h"

#include "base/util.h"
#include "itsm/backends.h"
#include "itsm/build.h"

#include <string.h>

const char *const tkt_itsm_op_names[] = {"create", "find",  "comment", "attach", "update",
                                         "fetch",  "check", "close",   "list"};
_Static_assert(sizeof(tkt_itsm_op_names) / sizeof(tkt_itsm_op_names[0]) == TKT_ITSM_OPS,
               "a name for each operation");

const char *const tkt_itsm_member_names[] = {"state",    "group",  "assignee",
                                             "priority", "fields", NULL};

static unsigned member_named(const char *name)
{
    for (size_t i = 0; name != NULL && tkt_itsm_member_names[i] != NULL; i++) {
        if (strcmp(tkt_itsm_member_names[i], name) == 0) {
            return 1u << i;
        }
    }
    return 0;
}

unsigned tkt_itsm_members(const char *payload)
{
    cJSON *json = payload == NULL ? NULL : cJSON_Parse(payload);
    const cJSON *name;
    unsigned members = 0;

    cJSON_ArrayForEach(name, cJSON_GetObjectItemCaseSensitive(json, "only"))
    {
        unsigned one = member_named(cJSON_GetStringValue(name));

        if (one == 0) {
            members = 0;
            break;
        }
        members |= one;
    }
    cJSON_Delete(json);
    return members;
}

const struct tkt_itsm_ops *const tkt_itsm_table[] = {&tkt_itsm_local,
                                                     &tkt_itsm_rt,
                                                     &tkt_itsm_redmine,
                                                     &tkt_itsm_webhook,
                                                     &tkt_itsm_servicenow,
                                                     &tkt_itsm_glpi,
                                                     &tkt_itsm_salesforce,
                                                     &tkt_itsm_zendesk,
                                                     &tkt_itsm_znuny,
                                                     &tkt_itsm_github,
                                                     &tkt_itsm_gitlab,
                                                     &tkt_itsm_freshservice,
                                                     &tkt_itsm_freshdesk,
                                                     &tkt_itsm_jira,
                                                     &tkt_itsm_jsm,
                                                     &tkt_itsm_exec,
                                                     NULL};

const struct tkt_itsm_ops *tkt_itsm_find(const char *type)
{
    for (size_t i = 0; tkt_itsm_table[i]; i++) {
        if (strcmp(tkt_itsm_table[i]->type, type) == 0) {
            return tkt_itsm_table[i];
        }
    }
    return NULL;
}

static int check_options(const struct tkt_itsm_ops *ops, const struct tkt_conf_itsm *conf,
                         struct tkt_err *err)
{
    for (size_t i = 0; i < conf->options.count; i++) {
        const char *row = conf->options.items[i];
        size_t n = strcspn(row, "=");
        bool known = false;

        for (const char *const *o = ops->options; o != NULL && *o != NULL; o++) {
            known = known || (strncmp(*o, row, n) == 0 && (*o)[n] == '\0');
        }
        if (!known) {
            return tkt_err_set(err, TKT_ERR_CONF, "options: type %s has no \"%.*s\"",
                               conf->type, (int)n, row);
        }
    }
    return 0;
}

static int check_fields(const struct tkt_conf_itsm *conf, struct tkt_err *err)
{
    for (size_t i = 0; i < conf->fields.count; i++) {
        const char *row = conf->fields.items[i];
        size_t n = strcspn(row, "=");
        struct tkt_template *t = tkt_template_compile(
            row + n + (row[n] == '='), TKT_ESCAPE_NONE, tkt_itsm_names, err);

        if (t == NULL) {
            return tkt_err_prefix(err, "fields: %.*s", (int)n, row);
        }
        tkt_template_free(&t);
    }
    return 0;
}

static int check_oauth(const struct tkt_conf_itsm *conf, struct tkt_err *err)
{
    const struct tkt_http_peer peer = {.allow_plain = conf->allow_plain};

    if (conf->auth < TKT_CONF_AUTH_OAUTH_CLIENT) {
        return 0;
    }
    if (conf->token_url[0] == '\0' || conf->client_id[0] == '\0') {
        return tkt_err_set(err, TKT_ERR_CONF,
                           "auth: OAuth needs token_url and client_id");
    }
    if (conf->auth == TKT_CONF_AUTH_OAUTH_PASSWORD &&
        (conf->user[0] == '\0' || conf->secret[0] == '\0')) {
        return tkt_err_set(err, TKT_ERR_CONF,
                           "auth: oauth_password needs user and secret");
    }
    if ((conf->auth == TKT_CONF_AUTH_OAUTH_JWT ||
         conf->auth == TKT_CONF_AUTH_OAUTH_REFRESH) &&
        conf->secret[0] == '\0') {
        return tkt_err_set(err, TKT_ERR_CONF, "auth: this OAuth grant needs secret");
    }
    return tkt_http_check_url(conf->token_url, &peer, err) < 0
               ? tkt_err_prefix(err, "token_url")
               : 0;
}

int tkt_itsm_check_conf(const struct tkt_conf_itsm *conf, struct tkt_err *err)
{
    const struct tkt_itsm_ops *ops = tkt_itsm_find(conf->type);
    const struct tkt_http_peer peer = {.allow_plain = conf->allow_plain};

    if (ops == NULL) {
        return tkt_err_set(err, TKT_ERR_CONF, "type: there is no %s", conf->type);
    }
    if (ops == &tkt_itsm_local) {
        return 0;
    }
    if (ops->is_program) {
        return check_options(ops, conf, err) < 0 || check_fields(conf, err) < 0
                   ? -1
                   : ops->check(conf, err);
    }
    if (conf->url[0] == '\0') {
        return tkt_err_set(err, TKT_ERR_CONF, "no url; write url = \"https://...\"");
    }
    if (tkt_http_check_url(conf->url, &peer, err) < 0 || check_oauth(conf, err) < 0 ||
        check_options(ops, conf, err) < 0 || check_fields(conf, err) < 0) {
        return -1;
    }
    return ops->check == NULL ? 0 : ops->check(conf, err);
}

int tkt_itsm_check_all(const struct tkt_conf *conf, struct tkt_err *err)
{
    for (size_t i = 0; i < conf->itsm_count; i++) {
        if (tkt_itsm_check_conf(&conf->itsms[i], err) < 0) {
            return tkt_err_prefix(err, "itsm \"%s\"", conf->itsms[i].name);
        }
    }
    return 0;
}
