/* SPDX-License-Identifier: BSD-2-Clause
 * Which ticket does a call name? By JSON pointers (RFC 6901), nothing else of it is read.
 */
#include "base/util.h"
#include "ticketd/hook/hook.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

#define STEP_MAX 128

/* Where each type has it; "/key" is for those whose messages are written by hand. */
static const struct {
    const char *type, *pointers;
} places[] = {{"rt", "/key /id /ticket/id"},
              {"redmine", "/key /data/issue/id /payload/issue/id /issue/id"},
              {"servicenow", "/key"},
              {"zendesk", "/key /detail/id /ticket/id /ticket_id"},
              {"salesforce", "/key /id /Id"},
              {"glpi", "/key /item/id /id"},
              {"znuny", "/key /TicketID /Ticket/TicketID"},
              {"github", "/key /issue/number"},
              {"gitlab", "/key /issue/iid /object_attributes/iid"},
              {"jira", "/key /issue/id /issue/key"},
              {"jsm", "/key /issue/id /issue/key"},
              {"freshservice", "/key /ticket_id /freshdesk_webhook/ticket_id"},
              {"freshdesk", "/key /ticket_id /freshdesk_webhook/ticket_id"},
              {NULL, "/key /id"}};

static const char *places_of(const struct tkt_conf_itsm *conf)
{
    size_t i = 0;

    if (conf->hook_key[0] != '\0') {
        return conf->hook_key;
    }
    while (places[i].type != NULL && strcmp(places[i].type, conf->type) != 0) {
        i++;
    }
    return places[i].pointers;
}

/* One step of a pointer: "~1" is '/', "~0" is '~'. */
static const cJSON *step_into(const cJSON *at, const char *step, size_t len)
{
    char name[STEP_MAX];
    size_t n = 0;

    for (size_t i = 0; i < len && n < sizeof(name) - 1; i++) {
        bool escaped = step[i] == '~' && i + 1 < len;

        i += escaped;
        name[n++] = escaped ? (step[i] == '1' ? '/' : '~') : step[i];
    }
    name[n] = '\0';
    if (cJSON_IsArray(at)) {
        size_t d = strspn(name, "0123456789");
        return d == 0 || d > 4 || name[d] != '\0' ? NULL
                                                  : cJSON_GetArrayItem(at, atoi(name));
    }
    return cJSON_GetObjectItemCaseSensitive(at, name);
}

static const cJSON *at_pointer(const cJSON *json, const char *pointer, size_t len)
{
    const char *end = pointer + len;

    while (json != NULL && pointer < end) {
        pointer += *pointer == '/';
        size_t n = 0;
        while (pointer + n < end && pointer[n] != '/') {
            n++;
        }
        json = step_into(json, pointer, n);
        pointer += n;
    }
    return json;
}

static bool take(const cJSON *v, char out[TKT_HOOK_KEY_MAX + 1])
{
    if (cJSON_IsNumber(v) && v->valuedouble > 0 && v->valuedouble < 9e15 &&
        v->valuedouble == (double)(int64_t)v->valuedouble) {
        snprintf(out, TKT_HOOK_KEY_MAX + 1, "%lld", (long long)v->valuedouble);
        return true;
    }
    if (!cJSON_IsString(v) || v->valuestring[0] == '\0' ||
        strlen(v->valuestring) > TKT_HOOK_KEY_MAX) {
        return false;
    }
    for (const char *p = v->valuestring; *p != '\0'; p++) {
        if ((unsigned char)*p < 0x20 || *p == 0x7f) {
            return false;
        }
    }
    memcpy(out, v->valuestring, strlen(v->valuestring) + 1);
    return true;
}

int tkt_hook_key(const struct tkt_conf_itsm *conf, const void *body, size_t len,
                 char out[TKT_HOOK_KEY_MAX + 1])
{
    cJSON *json = cJSON_ParseWithLength(body, len);
    int found = 0;

    for (const char *p = places_of(conf); *p != '\0' && !found && json != NULL;) {
        size_t n = strcspn(p, " ");

        found = n > 0 && take(at_pointer(json, p, n), out);
        p += n;
        p += strspn(p, " ");
    }
    cJSON_Delete(json);
    return found;
}
