/* SPDX-License-Identifier: BSD-2-Clause
 * What a directory section must have for its type.
 */
#include "conf/read.h"
#include "conf/source.h"

#include <string.h>

#define PLACE "{address}"

static int fail_at(const struct tkt_conf *conf, const struct tkt_conf_directory *d,
                   const char *key, const char *text, struct tkt_err *err)
{
    struct tkt_conf_pos pos =
        tkt_conf_source_where(conf->source, TKT_CONF_DIRECTORY, d->name, key);

    return tkt_conf_source_fail(conf->source, pos, err, "directory %s: %s", d->name,
                                text);
}

static int check_bind(const struct tkt_conf *conf, const struct tkt_conf_directory *d,
                      struct tkt_err *err)
{
    bool dn = d->bind_dn[0] != '\0';

    if (d->bind == TKT_DIRECTORY_BIND_SIMPLE && !dn) {
        return fail_at(conf, d, "bind", "bind = simple needs bind_dn; or set anonymous",
                       err);
    }
    /* A server takes a name without a password for an anonymous bind. */
    if (d->bind == TKT_DIRECTORY_BIND_SIMPLE && d->password[0] == '\0') {
        return fail_at(conf, d, "bind_dn",
                       "bind_dn without a password; write password = \"file:/path\"",
                       err);
    }
    if ((d->cert_file[0] == '\0') != (d->key_file[0] == '\0')) {
        return fail_at(conf, d, "cert_file", "cert_file and key_file need each other",
                       err);
    }
    return 0;
}

static int check_clear(const struct tkt_conf *conf, const struct tkt_conf_directory *d,
                       struct tkt_err *err)
{
    for (size_t i = 0; i < d->uris.count && !d->starttls; i++) {
        if (strncmp(d->uris.items[i], "ldap://", 7) == 0 &&
            d->bind == TKT_DIRECTORY_BIND_SIMPLE) {
            return fail_at(conf, d, "starttls",
                           "the password would go over the network in the clear; leave "
                           "starttls on, or use ldaps://",
                           err);
        }
    }
    return 0;
}

static int check_ldap(const struct tkt_conf *conf, const struct tkt_conf_directory *d,
                      struct tkt_err *err)
{
    if (d->uris.count == 0) {
        return fail_at(conf, d, "uris", "no uris; write uris = {\"ldaps://dc1\"}", err);
    }
    if (d->base[0] == '\0') {
        return fail_at(conf, d, "base", "no base; write base = \"dc=example,dc=org\"",
                       err);
    }
    if (d->filter[0] != '\0' && strstr(d->filter, PLACE) == NULL) {
        return fail_at(conf, d, "filter", "filter: no {address} in it", err);
    }
    return check_bind(conf, d, err) < 0 ? -1 : check_clear(conf, d, err);
}

/* A parameter within quotes would be the text "{address}". */
static bool is_quoted(const char *query)
{
    bool quoted = false;

    for (const char *p = query; *p != '\0'; p++) {
        quoted = quoted != (*p == '\'');
        if (quoted && strncmp(p, PLACE, strlen(PLACE)) == 0) {
            return true;
        }
    }
    return false;
}

static int check_sql(const struct tkt_conf *conf, const struct tkt_conf_directory *d,
                     struct tkt_err *err)
{
    if (d->database[0] == '\0') {
        return fail_at(conf, d, "database", "no database; name it", err);
    }
    if (d->type == TKT_DIRECTORY_SQLITE && d->database[0] != '/') {
        return fail_at(conf, d, "database", "database: write a path that begins with /",
                       err);
    }
    if (strstr(d->query, PLACE) == NULL) {
        return fail_at(conf, d, "query",
                       "query: no {address} in it; write select ... where mail = "
                       "{address}",
                       err);
    }
    if (is_quoted(d->query)) {
        return fail_at(conf, d, "query",
                       "query: {address} is a parameter; write it without quotes", err);
    }
    return 0;
}

static int check_one(const struct tkt_conf *conf, const struct tkt_conf_directory *d,
                     struct tkt_err *err)
{
    switch (d->type) {
    case TKT_DIRECTORY_LDAP:
    case TKT_DIRECTORY_AD:
        return check_ldap(conf, d, err);
    case TKT_DIRECTORY_POSTGRESQL:
    case TKT_DIRECTORY_SQLITE:
    case TKT_DIRECTORY_ODBC:
        return check_sql(conf, d, err);
    case TKT_DIRECTORY_FILE:
        return d->file[0] != '\0' ? 0 : fail_at(conf, d, "file", "no file; name it", err);
    case TKT_DIRECTORY_OFF:
    case TKT_DIRECTORY_TYPES:
        break;
    }
    return 0;
}

int tkt_conf_check_directories(const struct tkt_conf *conf, struct tkt_err *err)
{
    for (size_t i = 0; i < conf->directory_count; i++) {
        if (check_one(conf, &conf->directories[i], err) < 0) {
            return -1;
        }
    }
    return 0;
}
