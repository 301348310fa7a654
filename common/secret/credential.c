/* SPDX-License-Identifier: BSD-2-Clause
 * credential:NAME, what LoadCredential= of the unit put into $CREDENTIALS_DIRECTORY.
 * systemd alone decides who reads that folder, by ACLs that look like group bits here.
 */
#include "secret/backend.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATH_MAX_LEN 512

static int check(const char *name, struct tkt_err *err)
{
    if (name[0] != '\0' && name[0] != '.' && strchr(name, '/') == NULL) {
        return 0;
    }
    return tkt_err_set(err, TKT_ERR_CONF,
                       "credential: needs a name without /; write credential:NAME and "
                       "LoadCredential=NAME:/path in the unit");
}

static long read_credential(const char *name, char *buf, size_t max, struct tkt_err *err)
{
    const char *folder = getenv("CREDENTIALS_DIRECTORY");
    char path[PATH_MAX_LEN];

    if (folder == NULL || folder[0] != '/') {
        return tkt_err_set(err, TKT_ERR_CONF,
                           "credential:%s: this program was given none; put "
                           "LoadCredential=%s:/path in its unit",
                           name, name);
    }
    int n = snprintf(path, sizeof(path), "%s/%s", folder, name);
    if (n < 0 || (size_t)n >= sizeof(path)) {
        return tkt_err_set(err, TKT_ERR_CONF, "credential:%s: its path is too long",
                           name);
    }
    return tkt_secret_read_path(path, false, buf, max, err);
}

const struct tkt_secret_ops tkt_secret_credential_ops =
    TKT_SECRET_OPS("credential", "credential:NAME", check, read_credential);
