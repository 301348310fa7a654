/* SPDX-License-Identifier: BSD-2-Clause
 * aws:NAME#member of Secrets Manager, and the credentials to ask for it.
 */
#include "base/clock.h"
#include "base/hash.h"
#include "base/util.h"
#include "net/sigv4.h"
#include "secret/remote_private.h"

#include <cjson/cJSON.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define ANSWER_MAX (256 * 1024)
#define ROLE_MAX 256
/* Fetched credentials are asked for again so long before they end. */
#define EARLY_S 600

struct credentials {
    char access_key[200];
    char secret_key[300];
    char token[4096];
    int64_t expires_s; /* 0 = never */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct credentials fetched; /* of a container or an instance */

void tkt_secret_aws_clear(void)
{
    pthread_mutex_lock(&lock);
    tkt_wipe(&fetched, sizeof(fetched));
    pthread_mutex_unlock(&lock);
}

/* ---- credentials -------------------------------------------------------------------------- */

static int64_t time_of(const char *iso)
{
    struct tm tm = {0};

    if (sscanf(iso, "%4d-%2d-%2dT%2d:%2d:%2d", &tm.tm_year, &tm.tm_mon, &tm.tm_mday,
               &tm.tm_hour, &tm.tm_min, &tm.tm_sec) != 6) {
        return 0;
    }
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    return (int64_t)timegm(&tm);
}

static bool copy_member(const cJSON *json, const char *name, char *to, size_t size)
{
    cJSON *item = cJSON_GetObjectItemCaseSensitive(json, name);
    bool good = cJSON_IsString(item) && strlen(item->valuestring) < size;

    if (good) {
        snprintf(to, size, "%s", item->valuestring);
        tkt_wipe(item->valuestring, strlen(item->valuestring));
    }
    return good;
}

static int read_credentials(const struct tkt_http_response *r, struct credentials *c,
                            struct tkt_err *err)
{
    cJSON *json = cJSON_ParseWithLength(tkt_buf_str(&r->body), r->body.len);
    char expires[64] = "";
    bool good =
        copy_member(json, "AccessKeyId", c->access_key, sizeof(c->access_key)) &&
        copy_member(json, "SecretAccessKey", c->secret_key, sizeof(c->secret_key)) &&
        copy_member(json, "Token", c->token, sizeof(c->token));

    if (good && copy_member(json, "Expiration", expires, sizeof(expires))) {
        c->expires_s = time_of(expires);
    }
    cJSON_Delete(json);
    return good ? 0
                : tkt_err_set(err, TKT_ERR_TEMP, "aws: the credentials cannot be read");
}

static int get(const char *method, const char *url, const char *header,
               struct tkt_http_response *r, struct tkt_err *err)
{
    const char *const headers[] = {header, NULL};
    /* Link-local by their nature, in the clear, and never by way of a proxy. */
    const struct tkt_http_request q = {.method = method,
                                       .url = url,
                                       .headers = header ? headers : NULL,
                                       .answer_max = ANSWER_MAX,
                                       .timeout_ms = 1500,
                                       .repeatable = true,
                                       .peer = {.allow_plain = true}};

    return tkt_secret_ask(&q, r, err);
}

static bool may_be_plain(const char *url)
{
    static const char *const hosts[] = {
        "http://169.254.170.2/", "http://169.254.170.23/", "http://[fd00:ec2::23]/",
        "http://127.",           "http://localhost",       "http://[::1]"};

    for (size_t i = 0; i < TKT_ARRAY_LEN(hosts); i++) {
        if (strncmp(url, hosts[i], strlen(hosts[i])) == 0) {
            return true;
        }
    }
    return strncmp(url, "https://", 8) == 0;
}

static int from_container(struct credentials *c, struct tkt_err *err)
{
    const char *relative = tkt_secret_env("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    const char *full = tkt_secret_env("AWS_CONTAINER_CREDENTIALS_FULL_URI");
    const char *file = tkt_secret_env("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    const char *token = tkt_secret_env("AWS_CONTAINER_AUTHORIZATION_TOKEN");
    TKT_AUTO_FREE char *read = calloc(1, 4096);
    char url[2000], line[4200];
    struct tkt_http_response r = {0};

    snprintf(url, sizeof(url), "%s%s", relative ? "http://169.254.170.2" : "",
             relative ? relative : full);
    if (!may_be_plain(url)) {
        return tkt_err_set(err, TKT_ERR_CONF,
                           "aws: the container's address is not one "
                           "that may hear of credentials");
    }
    if (file && read) {
        long n = tkt_secret_read_path(file, false, read, 4095, err);

        if (n < 0) {
            return -1;
        }
        read[strcspn(read, "\r\n")] = '\0';
        token = read;
    }
    snprintf(line, sizeof(line), "Authorization: %.4000s", token ? token : "");
    int rc = get("GET", url, token ? line : NULL, &r, err);

    rc = rc == 0 ? read_credentials(&r, c, err) : -1;
    tkt_http_response_release(&r);
    tkt_wipe(line, sizeof(line));
    return rc;
}

/* IMDSv2: a token, the role's name, its credentials. */
static int from_instance(struct credentials *c, struct tkt_err *err)
{
    const char *base = tkt_secret_env("AWS_EC2_METADATA_SERVICE_ENDPOINT");
    const char *off = tkt_secret_env("AWS_EC2_METADATA_DISABLED");
    char url[1000], role[ROLE_MAX], line[600];
    struct tkt_http_response r = {0};
    int rc = -1;

    if (off && strcmp(off, "true") == 0) {
        return tkt_err_set(err, TKT_ERR_CONF, "aws: no credentials are configured");
    }
    base = base ? base : "http://169.254.169.254";
    snprintf(url, sizeof(url), "%.300s/latest/api/token", base);
    if (get("PUT", url, "x-aws-ec2-metadata-token-ttl-seconds: 21600", &r, err) < 0) {
        goto out;
    }
    if (r.body.len == 0 || r.body.len > 500 || strpbrk(r.body.data, "\r\n")) {
        tkt_err_set(err, TKT_ERR_TEMP, "the metadata token cannot be read");
        goto out;
    }
    snprintf(line, sizeof(line), "x-aws-ec2-metadata-token: %s", r.body.data);
    tkt_http_response_release(&r);
    snprintf(url, sizeof(url), "%.300s/latest/meta-data/iam/security-credentials/", base);
    if (get("GET", url, line, &r, err) < 0) {
        goto out;
    }
    snprintf(role, sizeof(role), "%.*s", (int)strcspn(tkt_buf_str(&r.body), "\r\n"),
             tkt_buf_str(&r.body));
    if (!*role || role[strspn(role, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                    "0123456789+=,.@_-")]) {
        tkt_err_set(err, TKT_ERR_CONF, "this instance has no role");
        goto out;
    }
    tkt_http_response_release(&r);
    snprintf(url, sizeof(url), "%.300s/latest/meta-data/iam/security-credentials/%s",
             base, role);
    rc = get("GET", url, line, &r, err) == 0 ? read_credentials(&r, c, err) : -1;
out:
    if (rc < 0) {
        tkt_err_prefix(err, "aws: instance metadata");
    }
    tkt_http_response_release(&r);
    tkt_wipe(line, sizeof(line));
    return rc;
}

static int from_environment(struct credentials *c, struct tkt_err *err)
{
    const char *token = tkt_secret_env("AWS_SESSION_TOKEN");
    const char *secret = tkt_secret_env("AWS_SECRET_ACCESS_KEY");

    if (!secret) {
        return tkt_err_set(err, TKT_ERR_CONF, "aws: AWS_SECRET_ACCESS_KEY is missing");
    }
    snprintf(c->access_key, sizeof(c->access_key), "%s", getenv("AWS_ACCESS_KEY_ID"));
    snprintf(c->secret_key, sizeof(c->secret_key), "%s", secret);
    snprintf(c->token, sizeof(c->token), "%s", token ? token : "");
    return 0;
}

static int credentials_get(struct credentials *out, struct tkt_err *err)
{
    int rc = 0;

    memset(out, 0, sizeof(*out));
    if (tkt_secret_env("AWS_ACCESS_KEY_ID")) {
        return from_environment(out, err);
    }
    pthread_mutex_lock(&lock);
    if (!*fetched.access_key || (fetched.expires_s && tkt_clock_wall_ms() / 1000 >=
                                                          fetched.expires_s - EARLY_S)) {
        bool container = tkt_secret_env("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") ||
                         tkt_secret_env("AWS_CONTAINER_CREDENTIALS_FULL_URI");

        tkt_wipe(&fetched, sizeof(fetched));
        rc = container ? from_container(&fetched, err) : from_instance(&fetched, err);
        if (rc < 0) {
            tkt_wipe(&fetched, sizeof(fetched));
        }
    }
    *out = fetched;
    pthread_mutex_unlock(&lock);
    return rc;
}

/* ---- the secret --------------------------------------------------------------------------- */

/* "arn:aws:secretsmanager:eu-central-1:...", else the environment's. */
static int region_of(const char *name, char *out, size_t size, struct tkt_err *err)
{
    const char *env = tkt_secret_env("AWS_REGION");

    env = env ? env : tkt_secret_env("AWS_DEFAULT_REGION");
    if (strncmp(name, "arn:", 4) != 0 ||
        sscanf(name, "arn:%*[^:]:secretsmanager:%63[^:]:", out) != 1) {
        if (!env) {
            return tkt_err_set(err, TKT_ERR_CONF,
                               "aws: set AWS_REGION, or write the "
                               "secret's whole ARN");
        }
        snprintf(out, size, "%s", env);
    }
    return out[strspn(out, "abcdefghijklmnopqrstuvwxyz0123456789-")]
               ? tkt_err_set(err, TKT_ERR_CONF, "aws: an illegal region")
               : 0;
}

static long give_member(char *text, const char *member, char *buf, size_t max,
                        struct tkt_err *err)
{
    if (!member) {
        return tkt_secret_give(text, strlen(text), buf, max, err);
    }
    cJSON *json = cJSON_Parse(text);
    cJSON *item = cJSON_GetObjectItemCaseSensitive(json, member);
    long rc =
        cJSON_IsString(item)
            ? tkt_secret_give(item->valuestring, strlen(item->valuestring), buf, max, err)
            : tkt_err_set(err, TKT_ERR_CONF,
                          "aws: the secret has no text of that member");

    if (cJSON_IsString(item)) {
        tkt_wipe(item->valuestring, strlen(item->valuestring));
    }
    cJSON_Delete(json);
    return rc;
}

static long read_secret(const struct tkt_http_response *r, const char *member, char *buf,
                        size_t max, struct tkt_err *err)
{
    cJSON *json = cJSON_ParseWithLength(tkt_buf_str(&r->body), r->body.len);
    cJSON *text = cJSON_GetObjectItemCaseSensitive(json, "SecretString");
    long rc;

    if (cJSON_IsString(text)) {
        rc = give_member(text->valuestring, member, buf, max, err);
        tkt_wipe(text->valuestring, strlen(text->valuestring));
    } else {
        rc = tkt_err_set(err, json ? TKT_ERR_CONF : TKT_ERR_TEMP,
                         "aws: the answer holds no SecretString");
    }
    cJSON_Delete(json);
    return rc;
}

/* A 400 that will pass, and the name of the fault. */
static void name_fault(const struct tkt_http_response *r, struct tkt_err *err)
{
    cJSON *json = cJSON_ParseWithLength(tkt_buf_str(&r->body), r->body.len);
    const char *type =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "__type"));
    const char *hash = type ? strrchr(type, '#') : NULL;

    type = hash ? hash + 1 : type;
    if (type && strspn(type, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") ==
                    strlen(type)) {
        bool passes = strcmp(type, "ThrottlingException") == 0 ||
                      strcmp(type, "InternalServiceError") == 0 ||
                      strcmp(type, "ExpiredTokenException") == 0;

        tkt_err_set(err, passes ? TKT_ERR_TEMP : TKT_ERR_CONF, "%.100s", type);
        if (strcmp(type, "ExpiredTokenException") == 0) {
            tkt_secret_aws_clear();
        }
    }
    cJSON_Delete(json);
}

static int sign_and_ask(const struct credentials *c, const char *region, const char *url,
                        const char *body, struct tkt_http_response *r,
                        struct tkt_err *err)
{
    static const char *const fixed[] = {"Content-Type: application/x-amz-json-1.1",
                                        "X-Amz-Target: secretsmanager.GetSecretValue",
                                        NULL};
    const struct tkt_sigv4 sign = {.method = "POST",
                                   .url = url,
                                   .headers = fixed,
                                   .body = body,
                                   .body_len = strlen(body),
                                   .region = region,
                                   .service = "secretsmanager",
                                   .access_key = c->access_key,
                                   .secret_key = c->secret_key,
                                   .session_token = *c->token ? c->token : NULL,
                                   .now_s = tkt_clock_wall_ms() / 1000};
    TKT_AUTO_BUF struct tkt_buf lines = TKT_BUF_INIT(16384);
    const char *headers[8] = {fixed[0], fixed[1]};
    size_t n = 2;

    if (tkt_sigv4_sign(&sign, &lines, err) < 0) {
        return -1;
    }
    char *save = NULL;
    for (char *line = strtok_r(lines.data, "\n", &save); line && n < 7;
         line = strtok_r(NULL, "\n", &save)) {
        headers[n++] = line;
    }
    const struct tkt_http_request q = {.method = "POST",
                                       .url = url,
                                       .headers = headers,
                                       .body = body,
                                       .body_len = strlen(body),
                                       .answer_max = ANSWER_MAX,
                                       .timeout_ms = 5000,
                                       .repeatable = true};
    int rc = tkt_secret_ask(&q, r, err);

    tkt_wipe(lines.data, lines.cap);
    return rc;
}

long tkt_secret_aws_fetch(const char *ref, char *buf, size_t max, struct tkt_err *err)
{
    const char *endpoint = tkt_secret_env("AWS_ENDPOINT_URL_SECRETS_MANAGER");
    struct tkt_secret_name name;
    struct credentials c;
    struct tkt_http_response r = {0};
    char region[64], url[600], body[2300];
    long rc = -1;

    if (tkt_secret_name_split(ref, &name, err) < 0 ||
        region_of(name.name, region, sizeof(region), err) < 0 ||
        credentials_get(&c, err) < 0) {
        return -1;
    }
    if (endpoint) {
        snprintf(url, sizeof(url), "%.500s/", endpoint);
    } else {
        snprintf(url, sizeof(url), "https://secretsmanager.%s.amazonaws.com/", region);
    }
    snprintf(body, sizeof(body), "{\"SecretId\":\"%s\"}", name.name); /* no quote in it */
    if (sign_and_ask(&c, region, url, body, &r, err) == 0) {
        rc = read_secret(&r, name.member, buf, max, err);
    } else {
        name_fault(&r, err);
        tkt_err_prefix(err, "aws");
    }
    tkt_http_response_release(&r);
    tkt_wipe(&c, sizeof(c));
    return rc;
}
