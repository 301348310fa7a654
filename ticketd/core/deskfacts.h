/* SPDX-License-Identifier: BSD-2-Clause
 * What the configuration says of a desk, as decisions take it: for ticketd while somebody
 * waits, and for ticketctl, which decides the same offline. Pure.
 */
#ifndef TKT_TICKETD_DESKFACTS_H
#define TKT_TICKETD_DESKFACTS_H
#include "conf/conf.h"
#include "decide/decide.h"

/* Bits of what no rule of the configuration does (decide/decide.h). */
uint32_t tkt_conf_never(const struct tkt_conf *conf);
/* What the configuration says of the desk; the strings are borrowed from it. */
struct tkt_desk_facts tkt_facts_desk(const struct tkt_conf *conf,
                                     const struct tkt_conf_desk *desk);
bool tkt_conf_itsm_is_local(const struct tkt_conf *conf, const char *itsm);
/* "local" and so on; "local" when the section is not there. */
const char *tkt_conf_itsm_type(const struct tkt_conf *conf, const char *itsm);

#endif
