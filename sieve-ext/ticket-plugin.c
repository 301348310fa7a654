/* SPDX-License-Identifier: BSD-2-Clause
 * The five symbols that Pigeonhole looks for.
 */
#include "sieve-ext/ticket-common.h"

#define EXPORT __attribute__((visibility("default")))

EXPORT void sieve_vnd_ticket_plugin_init(void);
EXPORT void sieve_vnd_ticket_plugin_deinit(void);
EXPORT tkt_sieve_plugin_load_t sieve_vnd_ticket_plugin_load(struct sieve_instance *svinst,
                                                            void **context);
EXPORT void sieve_vnd_ticket_plugin_unload(struct sieve_instance *svinst, void *context);
EXPORT extern const char *sieve_vnd_ticket_plugin_version;

const char *sieve_vnd_ticket_plugin_version = PIGEONHOLE_ABI_VERSION;

tkt_sieve_plugin_load_t sieve_vnd_ticket_plugin_load(struct sieve_instance *svinst,
                                                     void **context)
{
    *context = (void *)(uintptr_t)tkt_sieve_register(svinst, &tkt_sieve_extension);
    TKT_SIEVE_PLUGIN_LOADED;
}

void sieve_vnd_ticket_plugin_unload(struct sieve_instance *svinst ATTR_UNUSED,
                                    void *context)
{
    const struct sieve_extension *ext = context;

    if (ext != NULL) {
        sieve_extension_unregister(ext);
    }
}

void sieve_vnd_ticket_plugin_init(void)
{
    /* all begins when an instance loads the plugin */
}

void sieve_vnd_ticket_plugin_deinit(void)
{
    /* nothing is kept outside instances */
}
