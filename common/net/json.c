/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/json.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

const cJSON *tkt_json_at(const cJSON *json, const char *path)
{
    char name[64];

    while (json != NULL && *path != '\0') {
        size_t n = strcspn(path, ".");

        if (n >= sizeof(name)) {
            return NULL;
        }
        memcpy(name, path, n);
        name[n] = '\0';
        json = cJSON_IsArray(json) ? cJSON_GetArrayItem(json, atoi(name))
                                   : cJSON_GetObjectItemCaseSensitive(json, name);
        path += n + (path[n] == '.');
    }
    return json;
}
