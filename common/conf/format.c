/* SPDX-License-Identifier: BSD-2-Clause
 * Values to text, compared, and lists.
 */
#include "conf/unit.h"
#include "conf/value.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const void *source(const struct tkt_conf_row *row, const void *base)
{
    return (const char *)base + row->offset;
}

/* ---- lists ---- */

int tkt_conf_list_add(struct tkt_conf_list *list, const char *item)
{
    char **items = reallocarray(list->items, list->count + 1, sizeof(*items));

    if (items == NULL) {
        return -1;
    }
    list->items = items;
    items[list->count] = strdup(item);
    if (items[list->count] == NULL) {
        return -1;
    }
    list->count++;
    return 0;
}

void tkt_conf_list_release(struct tkt_conf_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->items[i]);
    }
    free(list->items);
    list->items = NULL;
    list->count = 0;
}

bool tkt_conf_list_has(const struct tkt_conf_list *list, const char *item)
{
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->items[i], item) == 0) {
            return true;
        }
    }
    return false;
}

/* ---- numbers to text ---- */

const struct tkt_conf_unit tkt_conf_time_units[] = {
    {"w", 604800000}, {"d", 86400000}, {"h", 3600000}, {"m", 60000},
    {"s", 1000},      {"ms", 1},       {NULL, 0}};
const struct tkt_conf_unit tkt_conf_size_units[] = {{"G", INT64_C(1) << 30},
                                                    {"M", INT64_C(1) << 20},
                                                    {"k", INT64_C(1) << 10},
                                                    {"", 1},
                                                    {NULL, 0}};

static int format_with_units(int64_t value, const struct tkt_conf_unit *unit,
                             struct tkt_buf *out)
{
    if (value == 0) {
        return tkt_buf_adds(out, "0");
    }
    while (value % unit->factor != 0) { /* all are whole in the last one */
        unit++;
    }
    return tkt_buf_addf(out, "%" PRId64 "%s", value / unit->factor, unit->name);
}

int tkt_conf_number_format(enum tkt_conf_type type, int64_t value, struct tkt_buf *out)
{
    switch (type) {
    case TKT_CONF_TIME:
        return format_with_units(value, tkt_conf_time_units, out);
    case TKT_CONF_SIZE:
        return format_with_units(value, tkt_conf_size_units, out);
    case TKT_CONF_OCTAL:
        return tkt_buf_addf(out, "%03" PRIo64, (uint64_t)value);
    default:
        return tkt_buf_addf(out, "%" PRId64, value);
    }
}

/* ---- format, compare ---- */

int tkt_conf_quote(const char *s, struct tkt_buf *out)
{
    if (strpbrk(s, "\"\\$") == NULL) {
        return tkt_buf_addf(out, "\"%s\"", s);
    }
    (void)tkt_buf_addc(out, '\''); /* the last append tells */
    for (; *s != '\0'; s++) {
        if (*s == '\'' || *s == '\\') {
            (void)tkt_buf_addc(out, '\\'); /* as above */
        }
        (void)tkt_buf_addc(out, *s); /* as above */
    }
    return tkt_buf_addc(out, '\'');
}

static int format_list(const struct tkt_conf_list *list, struct tkt_buf *out)
{
    (void)tkt_buf_addc(out, '{'); /* the last append tells */
    for (size_t i = 0; i < list->count; i++) {
        (void)tkt_buf_adds(out, i == 0 ? "" : ", "); /* as above */
        (void)tkt_conf_quote(list->items[i], out);   /* as above */
    }
    return tkt_buf_addc(out, '}');
}

static int format_enum(const struct tkt_conf_row *row, const void *in,
                       struct tkt_buf *out)
{
    int value = 0;

    if (row->size == sizeof(bool)) {
        value = *(const bool *)in ? 1 : 0;
    } else {
        memcpy(&value, in, sizeof(value));
    }
    for (const struct tkt_conf_word *w = row->words; w->word != NULL; w++) {
        if (w->value == value) {
            return tkt_buf_adds(out, w->word);
        }
    }
    return -1;
}

int tkt_conf_value_format(const struct tkt_conf_row *row, const void *base,
                          struct tkt_buf *out)
{
    const void *in = source(row, base);

    switch (row->type) {
    case TKT_CONF_BOOL:
        return tkt_buf_adds(out, *(const bool *)in ? "yes" : "no");
    case TKT_CONF_STRING:
        return tkt_conf_quote(*(char *const *)in, out);
    case TKT_CONF_LIST:
        return format_list(in, out);
    case TKT_CONF_ENUM:
        return format_enum(row, in, out);
    default:
        return tkt_conf_number_format(row->type, *(const int64_t *)in, out);
    }
}

static bool lists_equal(const struct tkt_conf_list *a, const struct tkt_conf_list *b)
{
    if (a->count != b->count) {
        return false;
    }
    for (size_t i = 0; i < a->count; i++) {
        if (strcmp(a->items[i], b->items[i]) != 0) {
            return false;
        }
    }
    return true;
}

bool tkt_conf_value_equal(const struct tkt_conf_row *row, const void *a, const void *b)
{
    const void *x = source(row, a);
    const void *y = source(row, b);

    if (row->type == TKT_CONF_LIST) {
        return lists_equal(x, y);
    }
    if (row->type == TKT_CONF_STRING) {
        return strcmp(*(char *const *)x, *(char *const *)y) == 0;
    }
    return memcmp(x, y, row->size) == 0;
}
