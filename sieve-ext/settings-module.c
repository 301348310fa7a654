/* SPDX-License-Identifier: BSD-2-Clause
 * Dovecot 2.4: declares the plugin's settings to the program that reads the configuration.
 */
#include "sieve-ext/compat.h"

#include "settings-parser.h"

#define EXPORT __attribute__((visibility("default")))

extern const struct setting_parser_info tkt_sieve_ticket_setting_info;
EXPORT extern const char *sieve_vnd_ticket_settings_version;
EXPORT extern const struct setting_parser_info *sieve_vnd_ticket_settings_set_infos[];

const char *sieve_vnd_ticket_settings_version = DOVECOT_ABI_VERSION;
const struct setting_parser_info *sieve_vnd_ticket_settings_set_infos[] = {
    &tkt_sieve_ticket_setting_info, NULL};
