/* SPDX-License-Identifier: BSD-2-Clause */
#include "template/names.h"

#include <stdio.h>
#include <string.h>

/* full is a path from the root, lists marked: "files[].name". */
static enum tkt_name_kind kind_of(const char *row, const char *full)
{
    size_t n = strlen(full);
    size_t len = strlen(row);

    if (strcmp(row, full) == 0) {
        return TKT_NAME_VALUE;
    }
    if (len >= 2 && strcmp(row + len - 2, ".*") == 0 &&
        strncmp(row, full, len - 1) == 0 && full[len - 1] != '\0') {
        return TKT_NAME_VALUE;
    }
    if (strncmp(row, full, n) != 0) {
        return TKT_NAME_NONE;
    }
    if (strncmp(row + n, "[]", 2) == 0) {
        return TKT_NAME_LIST;
    }
    return row[n] == '.' ? TKT_NAME_OBJECT : TKT_NAME_NONE;
}

static enum tkt_name_kind look_up(const char *const *names, const char *full)
{
    enum tkt_name_kind kind = TKT_NAME_NONE;

    for (; *names != NULL && kind == TKT_NAME_NONE; names++) {
        kind = kind_of(*names, full);
    }
    return kind;
}

static bool join(char *out, size_t size, const char *prefix, const char *name)
{
    int n = strcmp(name, ".") == 0 ? snprintf(out, size, "%s", prefix)
                                   : snprintf(out, size, "%s.%s", prefix, name);

    return n >= 0 && (size_t)n < size;
}

enum tkt_name_kind tkt_name_find(const char *const *names, const struct tkt_scope *scopes,
                                 size_t depth, const char *name, struct tkt_scope *inner)
{
    char full[2 * TKT_TEMPLATE_NAME_MAX + 16];
    enum tkt_name_kind kind = TKT_NAME_NONE;

    for (size_t i = depth; i > 0 && kind == TKT_NAME_NONE; i--) {
        if (join(full, sizeof(full), scopes[i - 1].prefix, name)) {
            kind = look_up(names, full);
        }
    }
    if (kind == TKT_NAME_NONE) {
        (void)snprintf(full, sizeof(full), "%s", name); /* names are short */
        kind = strcmp(name, ".") == 0 ? TKT_NAME_NONE : look_up(names, full);
    }
    if (kind == TKT_NAME_LIST && inner != NULL &&
        (size_t)snprintf(inner->prefix, sizeof(inner->prefix), "%s[]", full) >=
            sizeof(inner->prefix)) {
        return TKT_NAME_NONE;
    }
    return kind;
}

void tkt_names_tell(const char *const *names, struct tkt_buf *out)
{
    tkt_buf_adds(out, "there is");
    for (size_t i = 0; names[i] != NULL; i++) {
        tkt_buf_addf(out, "%s %s", i == 0 ? "" : ",", names[i]);
    }
}
