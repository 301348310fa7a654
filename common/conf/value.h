/* SPDX-License-Identifier: BSD-2-Clause
 * Values of one row: text to target and back.
 *
 * base is the struct that the row's section fills. Error texts have no position and no
 * key; the caller puts them in front. Threads: no shared state.
 */
#ifndef TKT_CONF_VALUE_H
#define TKT_CONF_VALUE_H
#include "base/buf.h"
#include "base/err.h"
#include "conf/conf.h"
#include "conf/schema.h"

#include <stdbool.h>
#include <stddef.h>

/* Sets the target from text (CONF error, target unchanged). For lists: one item. */
int tkt_conf_value_set(const struct tkt_conf_row *row, void *base, const char *text,
                       struct tkt_err *err);
/* Empties the list or sets the default. -1: memory. */
int tkt_conf_value_clear(const struct tkt_conf_row *row, void *base);
int tkt_conf_value_default(const struct tkt_conf_row *row, void *base);
/* Frees what the target holds. */
void tkt_conf_value_release(const struct tkt_conf_row *row, void *base);
/* Appends the value as it is written in a file. */
int tkt_conf_value_format(const struct tkt_conf_row *row, const void *base,
                          struct tkt_buf *out);
bool tkt_conf_value_equal(const struct tkt_conf_row *row, const void *a, const void *b);
/* Appends s in quotes so that libconfuse reads the same bytes. */
int tkt_conf_quote(const char *s, struct tkt_buf *out);

int tkt_conf_list_add(struct tkt_conf_list *list, const char *item);
void tkt_conf_list_release(struct tkt_conf_list *list);
bool tkt_conf_list_has(const struct tkt_conf_list *list, const char *item);

#endif
