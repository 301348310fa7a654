/* SPDX-License-Identifier: BSD-2-Clause
 * Units of times and sizes, largest first: that is how they are written. A NULL name
 * ends the table; the last one before it is the base unit. Private to common/conf.
 */
#ifndef TKT_CONF_UNIT_H
#define TKT_CONF_UNIT_H
#include "base/buf.h"
#include "conf/schema.h"

#include <stdint.h>

struct tkt_conf_unit {
    const char *name;
    int64_t factor;
};

extern const struct tkt_conf_unit tkt_conf_time_units[];
extern const struct tkt_conf_unit tkt_conf_size_units[];

/* Appends a number of that type as it is written. */
int tkt_conf_number_format(enum tkt_conf_type type, int64_t value, struct tkt_buf *out);

#endif
