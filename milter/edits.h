/* SPDX-License-Identifier: BSD-2-Clause
 * Applies ticketd's edits verbatim and in order.
 *
 * The host's functions stand behind a table, so that this can be tested without one; all
 * return 0 on success. A failing edit does not stop the others: the ticket exists, and
 * the caller reports what failed. No state.
 */
#ifndef TKT_MILTER_EDITS_H
#define TKT_MILTER_EDITS_H
#include "wire/intake.h"

struct tkt_edit_ops {
    int (*change)(void *host, const char *name, unsigned index, const char *value);
    int (*insert)(void *host, const char *name, const char *value);
    int (*remove)(void *host, const char *name, unsigned index);
    int (*addrcpt)(void *host, const char *addr);
    int (*delrcpt)(void *host, const char *addr);
};

struct tkt_edit_result {
    unsigned applied;
    unsigned failed;
    bool subject_changed;
    const struct tkt_wire_edit *first_failed; /* NULL = none */
};

void tkt_edits_apply(const struct tkt_wire_edit *edits, size_t count,
                     const struct tkt_edit_ops *ops, void *host,
                     struct tkt_edit_result *result);
/* "change Subject", for the log. */
void tkt_edit_describe(const struct tkt_wire_edit *edit, char *out, size_t cap);

#endif
