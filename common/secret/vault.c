/* SPDX-License-Identifier: BSD-2-Clause
 * vault:mount/path#member of a key-value store of version 2.
 */
#include "base/hash.h"
#include "base/util.h"
#include "secret/remote_private.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

#define ANSWER_MAX (1024 * 1024)

static int token_of(struct tkt_secret *out, struct tkt_err *err)
{
    const char *file = tkt_secret_env("VAULT_TOKEN_FILE");
    char ref[1100];

    if (!file) {
        return tkt_secret_env("VAULT_TOKEN")
                   ? tkt_secret_get("env:VAULT_TOKEN", out, err)
                   : tkt_err_set(err, TKT_ERR_CONF,
                                 "vault: set VAULT_TOKEN or VAULT_TOKEN_FILE");
    }
    snprintf(ref, sizeof(ref), "file:%s", file);
    return tkt_secret_get(ref, out, err);
}

/* Two levels of data, and a member that is a string. */
static long member_of(const char *body, size_t n, const char *member, char *buf,
                      size_t max, struct tkt_err *err)
{
    cJSON *root = cJSON_ParseWithLength(body, n);
    const cJSON *outer = cJSON_GetObjectItemCaseSensitive(root, "data");
    const cJSON *inner = cJSON_GetObjectItemCaseSensitive(outer, "data");
    cJSON *item = cJSON_GetObjectItemCaseSensitive(inner, member);
    long rc;

    if (!cJSON_IsObject(inner)) {
        rc = tkt_err_set(err, TKT_ERR_TEMP, "vault: its answer cannot be read");
    } else if (!cJSON_IsString(item)) {
        rc = tkt_err_set(err, TKT_ERR_CONF, "vault: there is no text of that member");
    } else {
        rc = tkt_secret_give(item->valuestring, strlen(item->valuestring), buf, max, err);
        tkt_wipe(item->valuestring, strlen(item->valuestring));
    }
    cJSON_Delete(root);
    return rc;
}

long tkt_secret_vault_fetch(const char *ref, char *buf, size_t max, struct tkt_err *err)
{
    const char *address = tkt_secret_env("VAULT_ADDR");
    const char *space = tkt_secret_env("VAULT_NAMESPACE");
    TKT_AUTO_SECRET struct tkt_secret token = TKT_SECRET_INIT;
    struct tkt_secret_name name;
    char url[4000], auth[4200], space_line[600];
    const char *headers[4] = {auth, "Accept: application/json", NULL, NULL};
    struct tkt_http_response r;
    long rc = -1;

    if (!address) {
        return tkt_err_set(err, TKT_ERR_CONF, "vault: set VAULT_ADDR");
    }
    if (tkt_secret_name_split(ref, &name, err) < 0 || token_of(&token, err) < 0) {
        return -1;
    }
    char *slash = strchr(name.name, '/');

    if (!slash || !name.member || token.len > 4000) {
        return tkt_err_set(err, TKT_ERR_CONF, "write vault:mount/path#member");
    }
    *slash = '\0';
    snprintf(url, sizeof(url), "%.1500s/v1/%s/data/%s", address, name.name, slash + 1);
    snprintf(auth, sizeof(auth), "X-Vault-Token: %s", token.data);
    if (space) {
        snprintf(space_line, sizeof(space_line), "X-Vault-Namespace: %.500s", space);
        headers[2] = space_line;
    }
    const struct tkt_http_request q = {
        .method = "GET",
        .url = url,
        .headers = headers,
        .accept_type = "application/json",
        .answer_max = ANSWER_MAX,
        .timeout_ms = 5000,
        .peer = {.ca_file = tkt_secret_env("VAULT_CACERT")}};

    if (tkt_secret_ask(&q, &r, err) == 0) {
        rc = member_of(tkt_buf_str(&r.body), r.body.len, name.member, buf, max, err);
    } else {
        tkt_err_prefix(err, "vault");
    }
    tkt_http_response_release(&r);
    tkt_wipe(auth, sizeof(auth));
    return rc;
}
