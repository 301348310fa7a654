/* SPDX-License-Identifier: BSD-2-Clause
 * What the strings of the configuration must look like.
 *
 * Each check returns NULL when value is fine, else what is wanted instead, to stand
 * behind "write ". Pure functions over NUL-terminated, valid UTF-8 without control bytes.
 */
#ifndef TKT_CONF_TEXT_H
#define TKT_CONF_TEXT_H
#include <stdbool.h>

#define TKT_CONF_TITLE_MAX 32

const char *tkt_conf_is_title(const char *value);
const char *tkt_conf_is_title_or_empty(const char *value);
const char *tkt_conf_is_sink_title(const char *value);
const char *tkt_conf_is_prefix(const char *value);
const char *tkt_conf_is_hostname(const char *value);
const char *tkt_conf_is_path(const char *value);
const char *tkt_conf_is_path_or_empty(const char *value);
const char *tkt_conf_is_listen_or_empty(const char *value);
const char *tkt_conf_is_delimiters(const char *value);
const char *tkt_conf_is_milter_socket(const char *value);
const char *tkt_conf_is_mailbox(const char *value);
const char *tkt_conf_is_mailbox_or_empty(const char *value);
const char *tkt_conf_is_desk_address(const char *value);
const char *tkt_conf_is_secret_ref(const char *value);
const char *tkt_conf_is_url_or_empty(const char *value);
/* https://host/path, nothing behind it. */
const char *tkt_conf_is_public_url_or_empty(const char *value);
const char *tkt_conf_is_secret_ref_or_empty(const char *value);
const char *tkt_conf_is_proxy(const char *value); /* or empty */
/* "ldaps://host", "ldap://host:port", "ldapi://%2Fpath". */
const char *tkt_conf_is_ldap_uri(const char *value);
/* A number of people from 2 on. */
const char *tkt_conf_is_people(const char *value);
/* "192.0.2.0/24", "2001:db8::/32", or one address. */
const char *tkt_conf_is_network(const char *value);
/* "name=something". */
const char *tkt_conf_is_assignment(const char *value);
const char *tkt_conf_is_user_or_group(const char *value);
/* "Europe/Berlin": a file below the folder of tzdata. */
const char *tkt_conf_is_time_zone(const char *value);
const char *tkt_conf_is_hours(const char *value);
const char *tkt_conf_is_holiday(const char *value);
const char *tkt_conf_is_absence(const char *value);
/* "4h", "urgent=15m" (conf.h, tkt_conf_sla_target). */
const char *tkt_conf_is_sla_target(const char *value);
const char *tkt_conf_is_priority(const char *value);
/* "manager", "assignee", "group" or an address. */
const char *tkt_conf_is_notify(const char *value);
/* Of what is removed from texts that leave (message/redact.h). */
const char *tkt_conf_is_redact_pattern(const char *value);
/* What may stand in an SMTP reply: the MTA takes % for a format. */
const char *tkt_conf_is_reply_text(const char *value);
const char *tkt_conf_is_language(const char *value);

#endif
