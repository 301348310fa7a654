/* SPDX-License-Identifier: BSD-2-Clause
 * A decision as JSON, in the manner of message/json.h. -1 when out is full.
 */
#ifndef TKT_DECIDE_JSON_H
#define TKT_DECIDE_JSON_H
#include "base/buf.h"
#include "decide/decide.h"

int tkt_decision_json(const struct tkt_decision *d, unsigned indent, struct tkt_buf *out);

#endif
