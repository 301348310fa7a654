/* SPDX-License-Identifier: BSD-2-Clause
 * The tables and the way from one schema to the next. Private to common/store.
 */
#ifndef TKT_STORE_SCHEMA_H
#define TKT_STORE_SCHEMA_H
#include "store/db.h"

/* 0 for a database without tables. */
int tkt_schema_version(struct tkt_db *db, int64_t *version, struct tkt_err *err);
/* Brings the database to TKT_STORE_SCHEMA, each step in a transaction; CONF when it is
 * newer. */
int tkt_schema_migrate(struct tkt_db *db, struct tkt_err *err);
/* For readers: CONF when newer, TEMP when older. */
int tkt_schema_check(struct tkt_db *db, struct tkt_err *err);

#endif
