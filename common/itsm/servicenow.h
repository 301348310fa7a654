/* SPDX-License-Identifier: BSD-2-Clause
 * What servicenow.c (writing) and servicenow_read.c (reading) share. Pure.
 */
#ifndef TKT_ITSM_SERVICENOW_H
#define TKT_ITSM_SERVICENOW_H
#include "itsm/build.h"

#define TKT_SN_FILES_MAX 1000

struct tkt_sn_record {
    const char *table, *id;
};

const char *tkt_sn_option(const struct tkt_itsm_call *call, const char *name);
const char *tkt_sn_table_of(const struct tkt_itsm_call *call);
struct tkt_sn_record tkt_sn_record_of(struct tkt_itsm_call *call);
char *tkt_sn_value(struct tkt_itsm_call *call, const cJSON *row, const char *name);
char *tkt_sn_shown(struct tkt_itsm_call *call, const cJSON *row, const char *name);
bool tkt_sn_can_ask(const char *text);
enum tkt_itsm_next tkt_sn_ask(struct tkt_itsm_call *call, const char *table,
                              const char *query, const char *fields, int limit,
                              struct tkt_err *err);
enum tkt_itsm_next tkt_sn_ask_name(struct tkt_itsm_call *call, const char *table,
                                   const char *field, const char *name,
                                   struct tkt_err *err);
const char *tkt_sn_hit(struct tkt_itsm_call *call, const char *field, const char *wanted,
                       size_t *count);
bool tkt_sn_is_id(const char *text);
enum tkt_itsm_next tkt_sn_no_memory(struct tkt_err *err);
enum tkt_itsm_next tkt_sn_take_record(struct tkt_itsm_call *call, const char *table,
                                      const cJSON *row, struct tkt_err *err);
enum tkt_itsm_next tkt_sn_get_record(struct tkt_itsm_call *call, const char *display,
                                     struct tkt_err *err);
enum tkt_itsm_next tkt_sn_list_files(struct tkt_itsm_call *call, struct tkt_err *err);

/* The catalog item that tickets of this type order; NULL: they order none. */
const char *tkt_sn_item_of(const struct tkt_itsm_call *call);
/* "catalog:..." of types is the table that orders make requests in. */
const char *tkt_sn_table_named(const char *name);
enum tkt_itsm_next tkt_sn_order(struct tkt_itsm_call *call, const char *user,
                                struct tkt_err *err);
/* Its answer: the request, then record (taken) is written into it. */
enum tkt_itsm_next tkt_sn_mark_order(struct tkt_itsm_call *call, cJSON *record,
                                     struct tkt_err *err);

enum tkt_itsm_next tkt_sn_list(struct tkt_itsm_call *call, struct tkt_err *err);
enum tkt_itsm_next tkt_sn_fetch(struct tkt_itsm_call *call, struct tkt_err *err);
enum tkt_itsm_next tkt_sn_check(struct tkt_itsm_call *call, struct tkt_err *err);

#endif
