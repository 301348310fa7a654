/* SPDX-License-Identifier: BSD-2-Clause
 * The part of the configuration by which decisions are made, as bytes for the parser: all
 * sections whose schema says policy, in their order, with what was written in them and
 * where (base/sections.h). What their keys mean is decide's to say, so an error that only
 * compiling finds still names its line.
 */
#ifndef TKT_CONF_POLICY_H
#define TKT_CONF_POLICY_H
#include "base/buf.h"
#include "conf/conf.h"

#define TKT_CONF_POLICY_MAX (64 * 1024 * 1024)

/* Appends to out, whose max should be TKT_CONF_POLICY_MAX. -1: memory, or too long. */
int tkt_conf_policy_encode(const struct tkt_conf *conf, struct tkt_buf *out);

#endif
