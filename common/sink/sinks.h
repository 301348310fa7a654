/* SPDX-License-Identifier: BSD-2-Clause
 * The types that sink.c's table holds. Private to common/sink.
 */
#ifndef TKT_SINK_SINKS_H
#define TKT_SINK_SINKS_H
#include "sink/sink.h"

extern const struct tkt_sink_ops tkt_sink_splunk;
extern const struct tkt_sink_ops tkt_sink_elasticsearch;

#endif
