/* SPDX-License-Identifier: BSD-2-Clause */
#include "itsm/itsm.h"

#include "itsm/local.h"

#include <string.h>

const struct tkt_itsm_ops *const tkt_itsm_table[] = {&tkt_itsm_local, NULL};

const struct tkt_itsm_ops *tkt_itsm_find(const char *type)
{
    for (size_t i = 0; tkt_itsm_table[i]; i++) {
        if (strcmp(tkt_itsm_table[i]->type, type) == 0) {
            return tkt_itsm_table[i];
        }
    }
    return NULL;
}

void tkt_itsm_start(const struct tkt_itsm_ops *ops, struct tkt_itsm_call *call)
{
    const struct {
        const char *kind;
        void (*start)(struct tkt_itsm_call *call);
    } slots[] = {{"create", ops->create}, {"comment", ops->comment}};

    for (size_t i = 0; i < sizeof(slots) / sizeof(slots[0]); i++) {
        if (strcmp(slots[i].kind, call->job->kind) == 0) {
            slots[i].start(call);
            return;
        }
    }
    struct tkt_err err = TKT_ERR_INIT;
    tkt_err_set(&err, TKT_ERR_PERM, "%s: no operation for a job of kind %s", ops->type,
                call->job->kind);
    call->finish(call, &err);
}
