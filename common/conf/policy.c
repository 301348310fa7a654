/* SPDX-License-Identifier: BSD-2-Clause */
#include "conf/policy.h"

#include "base/sections.h"
#include "conf/read.h"
#include "conf/value.h"

#include <string.h>

#define NUMBER_MAX 64

/* The statements of one section: its head at first, those of its keys behind it. */
struct place {
    const char *file;
    const struct tkt_conf_statement *first;
    const struct tkt_conf_statement *end;
};

static struct place no_place(void)
{
    return (struct place){.file = ""};
}

/* The head of the next section of that kind at or behind from. */
static struct place find_place(const struct tkt_conf_source *source,
                               const struct tkt_conf_section *section, size_t from)
{
    for (size_t i = from; source != NULL && i < source->statement_count; i++) {
        const struct tkt_conf_statement *s = &source->statements[i];
        if (s->section != section || s->row != NULL) {
            continue;
        }
        size_t end = i + 1;
        while (end < source->statement_count &&
               source->statements[end].section == section &&
               source->statements[end].row != NULL) {
            end++;
        }
        return (struct place){.file = tkt_conf_source_file(source, s->pos),
                              .first = s,
                              .end = source->statements + end};
    }
    return no_place();
}

static uint32_t line_of(const struct place *place, const struct tkt_conf_row *row)
{
    for (const struct tkt_conf_statement *s = place->first; s != place->end; s++) {
        if (s->row == row) {
            return s->pos.line;
        }
    }
    return place->first == NULL ? 0 : place->first->pos.line;
}

/* As it is meant, not as it is written: no quotes, numbers in base units. */
static int add_row(const struct tkt_conf_row *row, const void *base, uint32_t line,
                   struct tkt_buf *out)
{
    const void *value = (const char *)base + row->offset;
    TKT_AUTO_BUF struct tkt_buf text = TKT_BUF_INIT(NUMBER_MAX);
    const char *one = NULL;

    if (row->type == TKT_CONF_LIST) {
        const struct tkt_conf_list *list = value;
        return tkt_sections_add_key(out, row->key, line, (const char *const *)list->items,
                                    list->count);
    }
    if (row->type == TKT_CONF_STRING) {
        one = *(char *const *)value;
    } else if (row->type == TKT_CONF_BOOL || row->type == TKT_CONF_ENUM) {
        if (tkt_conf_value_format(row, base, &text) < 0) {
            return -1;
        }
        one = tkt_buf_str(&text);
    } else {
        (void)tkt_buf_addf(&text, "%lld", (long long)*(const int64_t *)value); /* fits */
        one = tkt_buf_str(&text);
    }
    return tkt_sections_add_key(out, row->key, line, &one, 1);
}

static int add_section(const struct tkt_conf_section *section, const char *title,
                       const void *base, const void *defaults, const struct place *place,
                       struct tkt_buf *out)
{
    uint32_t line = place->first == NULL ? 0 : place->first->pos.line;

    if (tkt_sections_add(out, section->name, title, place->file, line) < 0) {
        return -1;
    }
    for (size_t i = 0; i < section->row_count; i++) {
        const struct tkt_conf_row *row = &section->rows[i];
        if (section->sparse && tkt_conf_value_equal(row, base, defaults)) {
            continue;
        }
        if (add_row(row, base, line_of(place, row), out) < 0) {
            return -1;
        }
    }
    return 0;
}

/* The elements are in the order of the files, as the heads among the statements are; what
 * is there without being written has no head and comes last. */
static int add_titled(const struct tkt_conf *conf, const struct tkt_conf_section *section,
                      struct tkt_conf *reference, struct tkt_buf *out)
{
    const char *items = *(char *const *)((const char *)conf + section->offset);
    size_t count = *(const size_t *)((const char *)conf + section->count_offset);
    enum tkt_conf_section_id id = (enum tkt_conf_section_id)(section - tkt_conf_sections);
    const void *defaults = tkt_conf_element_add(reference, id, "");
    size_t from = 0;

    for (size_t i = 0; i < count; i++) {
        const void *element = items + i * section->size;
        struct place place = find_place(conf->source, section, from);
        if (place.first != NULL) {
            from = (size_t)(place.end - conf->source->statements);
        }
        if (defaults == NULL || add_section(section, *(char *const *)element, element,
                                            defaults, &place, out) < 0) {
            return -1;
        }
    }
    return 0;
}

int tkt_conf_policy_encode(const struct tkt_conf *conf, struct tkt_buf *out)
{
    struct tkt_conf *reference = tkt_conf_new();
    int rc = reference == NULL ? -1 : tkt_sections_begin(out);

    for (size_t i = 0; rc == 0 && i < TKT_CONF_SECTIONS; i++) {
        const struct tkt_conf_section *s = &tkt_conf_sections[i];
        if (!s->policy) {
            continue;
        }
        if (s->titled) {
            rc = add_titled(conf, s, reference, out);
            continue;
        }
        struct place place = find_place(conf->source, s, 0);
        rc = add_section(s, "", (const char *)conf + s->offset,
                         (const char *)reference + s->offset, &place, out);
    }
    tkt_conf_free(&reference);
    return rc == 0 ? tkt_sections_end(out) : -1;
}
