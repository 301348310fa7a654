/* SPDX-License-Identifier: BSD-2-Clause
 * The embedded desk: the store is the ITSM, so what is committed is already there.
 */
#ifndef TKT_ITSM_LOCAL_H
#define TKT_ITSM_LOCAL_H
#include "itsm/itsm.h"

extern const struct tkt_itsm_ops tkt_itsm_local;

#endif
