/* SPDX-License-Identifier: BSD-2-Clause
 * What a helper program's end means. Pure; private to common/itsm.
 */
#ifndef TKT_ITSM_EXITCODE_H
#define TKT_ITSM_EXITCODE_H
#include "itsm/itsm.h"
#include "net/program.h"

/* For any end but exit status 0: *err by the status (sysexits.h), in the program's own words
 * ("error" and "retry_after" of its JSON, else the first line on its error output). true: it
 * may have been carried out. */
bool tkt_itsm_exit_error(const struct tkt_program_end *end, const struct cJSON *json,
                         struct tkt_err *err);

#endif
