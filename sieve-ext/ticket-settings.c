/* SPDX-License-Identifier: BSD-2-Clause */
/* first: Dovecot has a bool of its own */
#include "sieve-ext/compat.h"

#include "sieve-ext/ticket-settings.h"

#include "settings-parser.h"

#include <string.h>

#ifdef TKT_PIGEONHOLE_24
#include "settings.h"

struct ticket_settings {
    pool_t pool;
    const char *sieve_ticket_socket;
    unsigned int sieve_ticket_timeout;
    const char *sieve_ticket_on_failure;
    const char *sieve_ticket_default_desk;
    const char *sieve_ticket_desks;
    const char *sieve_ticket_key_scope;
    bool sieve_ticket_imap;
    bool sieve_ticket_force;
};

#undef DEF
#define DEF(type, name) SETTING_DEFINE_STRUCT_##type(#name, name, struct ticket_settings)
static const struct setting_define defines[] = {
    DEF(STR, sieve_ticket_socket),
    {.type = SET_TIME_MSECS,
     .key = "sieve_ticket_timeout",
     .offset = offsetof(struct ticket_settings, sieve_ticket_timeout)},
    DEF(ENUM, sieve_ticket_on_failure),
    DEF(STR, sieve_ticket_default_desk),
    DEF(STR, sieve_ticket_desks),
    DEF(ENUM, sieve_ticket_key_scope),
    DEF(BOOL, sieve_ticket_imap),
    DEF(BOOL, sieve_ticket_force),
    SETTING_DEFINE_LIST_END};

static const struct ticket_settings defaults = {
    .sieve_ticket_socket = TKT_SIEVE_SOCKET,
    .sieve_ticket_timeout = TKT_SIEVE_TIMEOUT_MS,
    .sieve_ticket_on_failure = "tempfail:accept",
    .sieve_ticket_default_desk = "",
    .sieve_ticket_desks = "",
    .sieve_ticket_key_scope = "message:recipient",
};

const struct setting_parser_info tkt_sieve_ticket_setting_info = {
    .name = "sieve_ticket",
    .defines = defines,
    .defaults = &defaults,
    .struct_size = sizeof(struct ticket_settings),
    .pool_offset1 = 1 + offsetof(struct ticket_settings, pool),
};

#ifndef TKT_SETTINGS_MODULE
void tkt_sieve_settings_read(struct sieve_instance *svinst,
                             struct tkt_sieve_settings *out)
{
    const struct ticket_settings *set;
    const char *error;

    memset(out, 0, sizeof(*out));
    if (settings_get(svinst->event, &tkt_sieve_ticket_setting_info, 0, &set, &error) <
        0) {
        set = &defaults;
        out->problem = p_strdup(svinst->pool, error);
    }
    out->socket = p_strdup(svinst->pool, set->sieve_ticket_socket);
    out->timeout_ms = set->sieve_ticket_timeout;
    if (out->timeout_ms == 0 || out->timeout_ms > TKT_SIEVE_TIMEOUT_MAX_MS) {
        out->timeout_ms = TKT_SIEVE_TIMEOUT_MS;
        out->problem = "sieve_ticket_timeout: must be a time with its unit, at most 60s";
    }
    out->default_desk = p_strdup(svinst->pool, set->sieve_ticket_default_desk);
    out->desks = p_strdup(svinst->pool, set->sieve_ticket_desks);
    out->imap = set->sieve_ticket_imap;
    out->force = set->sieve_ticket_force;
    /* The library holds them to their words; the default is the list of them. */
    out->accept = strcmp(set->sieve_ticket_on_failure, "accept") == 0;
    out->per_recipient = strcmp(set->sieve_ticket_key_scope, "recipient") == 0;
    if (set != &defaults) {
        settings_free(set);
    }
}
#endif

#else /* Dovecot 2.3 */

/* The words of a setting that is a choice, the default first. */
static bool choose(const char *value, const char *first, const char *second, bool *out)
{
    if (value == NULL || *value == '\0' || strcasecmp(value, first) == 0) {
        *out = false;
        return true;
    }
    *out = true;
    return strcasecmp(value, second) == 0;
}

static const char *text(struct sieve_instance *svinst, const char *name,
                        const char *otherwise)
{
    const char *value = sieve_setting_get(svinst, name);

    return value == NULL || *value == '\0' ? otherwise : p_strdup(svinst->pool, value);
}

static void problem(struct sieve_instance *svinst, struct tkt_sieve_settings *set,
                    const char *name, const char *want)
{
    if (set->problem == NULL) {
        set->problem = p_strdup_printf(svinst->pool, "%s = %s: must be %s", name,
                                       sieve_setting_get(svinst, name), want);
    }
}

static void truth(struct sieve_instance *svinst, struct tkt_sieve_settings *set,
                  const char *name, bool *out)
{
    if (!choose(sieve_setting_get(svinst, name), "no", "yes", out)) {
        *out = false;
        problem(svinst, set, name, "yes or no");
    }
}

static void either(struct sieve_instance *svinst, struct tkt_sieve_settings *set,
                   const char *name, const char *first, const char *second, bool *out)
{
    if (!choose(sieve_setting_get(svinst, name), first, second, out)) {
        *out = false;
        problem(svinst, set, name,
                p_strdup_printf(svinst->pool, "%s or %s", first, second));
    }
}

static void read_timeout(struct sieve_instance *svinst, struct tkt_sieve_settings *set)
{
    static const char name[] = "sieve_ticket_timeout";
    const char *value = sieve_setting_get(svinst, name);
    const char *error = NULL;

    set->timeout_ms = TKT_SIEVE_TIMEOUT_MS;
    if (value == NULL || *value == '\0') {
        return;
    }
    if (settings_get_time_msecs(value, &set->timeout_ms, &error) < 0 ||
        set->timeout_ms == 0 || set->timeout_ms > TKT_SIEVE_TIMEOUT_MAX_MS) {
        set->timeout_ms = TKT_SIEVE_TIMEOUT_MS;
        problem(svinst, set, name, "a time with its unit, at most 60s");
    }
}

void tkt_sieve_settings_read(struct sieve_instance *svinst,
                             struct tkt_sieve_settings *out)
{
    memset(out, 0, sizeof(*out));
    out->socket = text(svinst, "sieve_ticket_socket", TKT_SIEVE_SOCKET);
    out->default_desk = text(svinst, "sieve_ticket_default_desk", "");
    out->desks = text(svinst, "sieve_ticket_desks", "");
    read_timeout(svinst, out);
    either(svinst, out, "sieve_ticket_on_failure", "tempfail", "accept", &out->accept);
    either(svinst, out, "sieve_ticket_key_scope", "message", "recipient",
           &out->per_recipient);
    truth(svinst, out, "sieve_ticket_imap", &out->imap);
    truth(svinst, out, "sieve_ticket_force", &out->force);
}
#endif
