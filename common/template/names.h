/* SPDX-License-Identifier: BSD-2-Clause
 * Which names a template may use, and where. Private to common/template; pure.
 */
#ifndef TKT_TEMPLATE_NAMES_H
#define TKT_TEMPLATE_NAMES_H
#include "template/template.h"

/* The lists that the place lies in, outermost first: "files[]". */
struct tkt_scope {
    char prefix[TKT_TEMPLATE_NAME_MAX + 8];
};

enum tkt_name_kind {
    TKT_NAME_NONE, /* there is no such value */
    TKT_NAME_VALUE,
    TKT_NAME_OBJECT,
    TKT_NAME_LIST
};

/* What name is at that place. When it is a list, inner (if not NULL) is the scope of its
 * items. */
enum tkt_name_kind tkt_name_find(const char *const *names, const struct tkt_scope *scopes,
                                 size_t depth, const char *name, struct tkt_scope *inner);
/* "there is ticket.id, ..." for messages. */
void tkt_names_tell(const char *const *names, struct tkt_buf *out);

#endif
