/* SPDX-License-Identifier: BSD-2-Clause
 * Which server's keys a section keeps.
 */
#include "base/enc.h"
#include "base/util.h"
#include "itsm/itsm.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* Without the port that the scheme has anyway; names of hosts have no case. */
static void plain_host(char *origin)
{
    size_t n = strlen(origin);

    for (char *p = origin; *p != '\0'; p++) {
        *p = (char)tolower((unsigned char)*p);
    }
    if (n > 4 && strncmp(origin, "https:", 6) == 0 &&
        strcmp(origin + n - 4, ":443") == 0) {
        origin[n - 4] = '\0';
    }
    if (n > 3 && strncmp(origin, "http:", 5) == 0 && strcmp(origin + n - 3, ":80") == 0) {
        origin[n - 3] = '\0';
    }
}

void tkt_itsm_origin(const struct tkt_conf_itsm *conf, char out[TKT_ITSM_ORIGIN_MAX])
{
    const struct tkt_itsm_ops *ops = tkt_itsm_find(conf->type);
    const char *host = strstr(conf->url, "://");

    out[0] = '\0';
    if (ops == NULL || ops->is_program || host == NULL) {
        return;
    }
    host += 3;
    const char *path = host + strcspn(host, "/?#");
    size_t n = strcspn(path, "?#");
    while (n > 0 && path[n - 1] == '/') {
        n--;
    }
    (void)snprintf(out, TKT_ITSM_ORIGIN_MAX, "%.*s", (int)(path - conf->url), conf->url);
    plain_host(out);
    size_t len = strlen(out);
    (void)snprintf(out + len, TKT_ITSM_ORIGIN_MAX - len, "%.*s%s%s", (int)n, path,
                   ops->keys_are_of_project ? " " : "",
                   ops->keys_are_of_project ? conf->project : ""); /* rows' limits fit */
}
