/* SPDX-License-Identifier: BSD-2-Clause */
#include "itsm/local.h"

/* The ticket and its messages became durable with the RESERVE that made this job. */
static void already_there(struct tkt_itsm_call *call)
{
    const struct tkt_err none = TKT_ERR_INIT;

    call->finish(call, &none);
}

const struct tkt_itsm_ops tkt_itsm_local = {
    .type = "local",
    .create = already_there,
    .comment = already_there,
};
