/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/edits.h"

#include "base/enc.h"

#include <stdio.h>
#include <string.h>

static int apply(const struct tkt_wire_edit *e, const struct tkt_edit_ops *ops,
                 void *host)
{
    switch (e->kind) {
    case TKT_WIRE_CHANGE:
        return ops->change(host, e->name, e->index, e->value);
    case TKT_WIRE_INSERT:
        return ops->insert(host, e->name, e->value);
    case TKT_WIRE_DELETE:
        return ops->remove(host, e->name, e->index);
    case TKT_WIRE_ADDRCPT:
        return ops->addrcpt(host, e->value);
    case TKT_WIRE_DELRCPT:
        return ops->delrcpt(host, e->value);
    }
    return -1;
}

void tkt_edits_apply(const struct tkt_wire_edit *edits, size_t count,
                     const struct tkt_edit_ops *ops, void *host,
                     struct tkt_edit_result *result)
{
    memset(result, 0, sizeof(*result));
    for (size_t i = 0; i < count; i++) {
        const struct tkt_wire_edit *e = &edits[i];
        if (apply(e, ops, host) != 0) {
            result->failed++;
            if (result->first_failed == NULL) {
                result->first_failed = e;
            }
            continue;
        }
        result->applied++;
        if (e->kind <= TKT_WIRE_INSERT && tkt_ascii_ieq(e->name, "Subject")) {
            result->subject_changed = true;
        }
    }
}

void tkt_edit_describe(const struct tkt_wire_edit *edit, char *out, size_t cap)
{
    static const char *const words[] = {
        [TKT_WIRE_CHANGE] = "change",   [TKT_WIRE_INSERT] = "insert",
        [TKT_WIRE_DELETE] = "delete",   [TKT_WIRE_ADDRCPT] = "addrcpt",
        [TKT_WIRE_DELRCPT] = "delrcpt",
    };
    bool field = edit->kind <= TKT_WIRE_DELETE;

    snprintf(out, cap, "%s %s", words[edit->kind], field ? edit->name : edit->value);
}
