/* SPDX-License-Identifier: BSD-2-Clause
 * Dovecot 2.3 with Pigeonhole 0.5, and Dovecot 2.4: every difference that the plugin
 * meets, in one place. configure finds which it is (TKT_PIGEONHOLE_24) by the prototype of
 * sieve_extension_register. Include this before any header of Pigeonhole.
 */
#ifndef TKT_SIEVE_COMPAT_H
#define TKT_SIEVE_COMPAT_H
#include "lib.h"

#include "array.h"
#include "str.h"

#include "sieve-common.h"
#include "sieve-ext-variables.h"
#include "sieve-extensions.h"
#include "sieve-settings.h"

#ifdef TKT_PIGEONHOLE_24
/* Loading tells success as 0, failure as -1. */
typedef int tkt_sieve_load_t;
typedef int tkt_sieve_plugin_load_t;
#define TKT_SIEVE_LOADED 0
#define TKT_SIEVE_NOT_LOADED (-1)
#define TKT_SIEVE_PLUGIN_LOADED return 0
#else
typedef bool tkt_sieve_load_t;
typedef void tkt_sieve_plugin_load_t;
#define TKT_SIEVE_LOADED TRUE
#define TKT_SIEVE_NOT_LOADED FALSE
#define TKT_SIEVE_PLUGIN_LOADED return
#endif

/* NULL when it could not be registered. */
static inline const struct sieve_extension *
tkt_sieve_register(struct sieve_instance *svinst, const struct sieve_extension_def *def)
{
#ifdef TKT_PIGEONHOLE_24
    const struct sieve_extension *ext;

    return sieve_extension_register(svinst, def, TRUE, &ext) < 0 ? NULL : ext;
#else
    return sieve_extension_register(svinst, def, TRUE);
#endif
}

static inline const struct sieve_extension *
tkt_sieve_variables(struct sieve_instance *svinst)
{
#ifdef TKT_PIGEONHOLE_24
    const struct sieve_extension *ext;

    return sieve_ext_variables_get_extension(svinst, &ext) < 0 ? NULL : ext;
#else
    return sieve_ext_variables_get_extension(svinst);
#endif
}

#endif
