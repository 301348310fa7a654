/* SPDX-License-Identifier: BSD-2-Clause
 * "Did you mean": the key or section nearest to an unknown one. Pure functions.
 */
#ifndef TKT_CONF_SUGGEST_H
#define TKT_CONF_SUGGEST_H
#include "conf/schema.h"

#include <stddef.h>

/* Fills out with what to do about key, unknown in section: "did you mean socket?",
 * "it belongs in section milter", or where to look. */
void tkt_conf_suggest_key(const struct tkt_conf_section *section, const char *key,
                          char *out, size_t n);
void tkt_conf_suggest_section(const char *name, char *out, size_t n);

#endif
