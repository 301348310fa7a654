/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticket_config.h"

#include "directory/directory.h"

#include "base/enc.h"
#include "base/util.h"
#include "directory/form.h"

#include <stdlib.h>
#include <string.h>

const struct tkt_directory_ops *const tkt_directory_table[] = {
#ifdef HAVE_LDAP
    &tkt_directory_ldap_ops,       &tkt_directory_ad_ops,
#endif
#ifdef HAVE_POSTGRESQL
    &tkt_directory_postgresql_ops,
#endif
    &tkt_directory_sqlite_ops,
#ifdef HAVE_ODBC
    &tkt_directory_odbc_ops,
#endif
    &tkt_directory_file_ops,       NULL,
};

const char *const tkt_directory_type_names[TKT_DIRECTORY_TYPES] = {
    [TKT_DIRECTORY_OFF] = "off",       [TKT_DIRECTORY_LDAP] = "ldap",
    [TKT_DIRECTORY_AD] = "ad",         [TKT_DIRECTORY_POSTGRESQL] = "postgresql",
    [TKT_DIRECTORY_SQLITE] = "sqlite", [TKT_DIRECTORY_ODBC] = "odbc",
    [TKT_DIRECTORY_FILE] = "file",
};

/* What configure is told to build it in. */
static const char *const switches[TKT_DIRECTORY_TYPES] = {
    [TKT_DIRECTORY_LDAP] = "--with-ldap",
    [TKT_DIRECTORY_AD] = "--with-ldap",
    [TKT_DIRECTORY_POSTGRESQL] = "--with-postgresql",
    [TKT_DIRECTORY_ODBC] = "--with-odbc",
};

struct tkt_directory {
    const struct tkt_conf_directory *conf;
    const struct tkt_directory_ops *ops;
    void *state;
};

static const struct tkt_directory_ops *find(enum tkt_directory_type type)
{
    for (size_t i = 0; tkt_directory_table[i] != NULL; i++) {
        if (tkt_directory_table[i]->type == type) {
            return tkt_directory_table[i];
        }
    }
    return NULL;
}

struct tkt_directory *tkt_directory_open(const struct tkt_conf_directory *conf,
                                         struct tkt_err *err)
{
    const struct tkt_directory_ops *ops = find(conf->type);
    struct tkt_directory *d;

    if (ops == NULL) {
        const char *with = switches[conf->type];
        tkt_err_set(err, TKT_ERR_CONF,
                    with == NULL ? "directory %s: type = off is not asked"
                                 : "directory %s: its type was not built in; configure "
                                   "%s",
                    conf->name, with);
        return NULL;
    }
    d = calloc(1, sizeof(*d));
    if (d == NULL) {
        tkt_err_set(err, TKT_ERR_TEMP, "directory %s: out of memory", conf->name);
        return NULL;
    }
    d->conf = conf;
    d->ops = ops;
    if (ops->open(conf, &d->state, err) < 0) {
        (void)tkt_err_prefix(err, "directory %s", conf->name); /* always -1 */
        free(d);
        return NULL;
    }
    return d;
}

void tkt_directory_close(struct tkt_directory **directory)
{
    struct tkt_directory *d = *directory;

    if (d != NULL) {
        d->ops->close(d->state);
        free(d);
    }
    *directory = NULL;
}

bool tkt_directory_address_ok(const char *address)
{
    size_t n = strlen(address);
    const char *at = strrchr(address, '@');

    if (n > TKT_DIRECTORY_ADDRESS_MAX || at == NULL || at == address || at[1] == '\0' ||
        !tkt_utf8_valid(address, n)) {
        return false;
    }
    for (const char *p = address; *p != '\0'; p++) {
        if ((unsigned char)*p < 0x20 || *p == 0x7f) {
            return false;
        }
    }
    return true;
}

int tkt_directory_lookup(struct tkt_directory *d, const char *address,
                         struct tkt_directory_answer *out, struct tkt_err *err)
{
    struct tkt_directory_answer answer = {0};
    struct tkt_directory_form form = {.conf = d->conf, .out = &answer};

    if (!tkt_directory_address_ok(address)) {
        return 0;
    }
    int found = d->ops->lookup(d->state, address, &form, err);
    if (found > 0 && tkt_form_end(&form) < 0) {
        found = tkt_err_set(err, TKT_ERR_TEMP, "out of memory");
    }
    if (found > 0) {
        *out = answer;
        return 1;
    }
    tkt_wire_arena_release(&answer.arena);
    return found == 0 ? 0 : tkt_err_prefix(err, "directory %s", d->conf->name);
}

int tkt_directory_test(struct tkt_directory *d, struct tkt_buf *text, struct tkt_err *err)
{
    return d->ops->test(d->state, text, err) < 0
               ? tkt_err_prefix(err, "directory %s", d->conf->name)
               : 0;
}

void tkt_directory_answer_release(struct tkt_directory_answer *answer)
{
    tkt_wire_arena_release(&answer->arena);
    memset(answer, 0, sizeof(*answer));
}
