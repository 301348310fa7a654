/* SPDX-License-Identifier: BSD-2-Clause
 * Members of the JSON of answers, by path. Pure; the result is borrowed from json.
 */
#ifndef TKT_NET_JSON_H
#define TKT_NET_JSON_H

struct cJSON;

/* "result.number", "items.0.id"; a name between the dots has at most 63 bytes. NULL: there
 * is no such member, or json is NULL. */
const struct cJSON *tkt_json_at(const struct cJSON *json, const char *path);

#endif
