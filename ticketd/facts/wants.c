/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketd/facts/wants.h"

#include "base/enc.h"
#include "base/util.h"

#include <cjson/cJSON.h>
#include <stddef.h>
#include <string.h>

#define FIELD_NAME_MAX 40

static const struct {
    const char *name;
    size_t offset;
} texts[] = {
    {"desk", offsetof(struct tkt_wire_wants, desk)},
    {"type", offsetof(struct tkt_wire_wants, type)},
    {"group", offsetof(struct tkt_wire_wants, group)},
    {"category", offsetof(struct tkt_wire_wants, category)},
    {"subcategory", offsetof(struct tkt_wire_wants, subcategory)},
    {"assignee", offsetof(struct tkt_wire_wants, assignee)},
    {"requester", offsetof(struct tkt_wire_wants, requester)},
    {"summary", offsetof(struct tkt_wire_wants, summary)},
};

static const char *text_of(const struct tkt_wire_wants *wants, size_t row)
{
    const char *text =
        *(const char *const *)(const void *)((const char *)wants + texts[row].offset);

    return text ? text : "";
}

bool tkt_wants_any(const struct tkt_wire_wants *wants)
{
    for (size_t i = 0; i < TKT_ARRAY_LEN(texts); i++) {
        if (*text_of(wants, i)) {
            return true;
        }
    }
    return wants->priority > 0 || wants->tag_count > 0 || wants->field_count > 0;
}

static bool add_tags(const struct tkt_wire_wants *wants, struct tkt_decision *d,
                     struct tkt_wire_arena *arena)
{
    size_t count =
        TKT_MIN(d->tags.count + wants->tag_count, (size_t)TKT_DECISION_TAGS_MAX);
    char **tags = tkt_wire_arena_alloc(arena, (count + 1) * sizeof(*tags));

    for (size_t i = 0; tags && i < count; i++) {
        tags[i] = i < wants->tag_count ? (char *)(uintptr_t)wants->tags[i]
                                       : d->tags.items[i - wants->tag_count];
    }
    if (tags) {
        d->tags = (struct tkt_strings){tags, count};
    }
    return tags != NULL;
}

/* A name as the store wants it: lower case, "-" and "." as "_". "": it cannot be one. */
static const char *field_name(const char *text, size_t n, struct tkt_wire_arena *arena)
{
    char *name =
        n > 0 && n <= FIELD_NAME_MAX ? tkt_wire_arena_strdup(arena, text, n) : NULL;

    if (!name) {
        return "";
    }
    tkt_ascii_lower(name);
    for (char *c = name; *c; c++) {
        *c = *c == '-' || *c == '.' ? '_' : *c;
    }
    return name[0] >= 'a' && name[0] <= 'z' &&
                   strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == n
               ? name
               : "";
}

static bool is_missing_no_more(const struct tkt_decision *d, const char *name)
{
    for (size_t i = 0; i < d->field_count; i++) {
        if (strcmp(d->fields[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

/* What the script knows need not be asked of the requester. */
static bool drop_missing(struct tkt_decision *d, struct tkt_wire_arena *arena)
{
    char **left = tkt_wire_arena_alloc(arena, (d->missing.count + 1) * sizeof(*left));
    size_t count = 0;

    for (size_t i = 0; left && i < d->missing.count; i++) {
        if (!is_missing_no_more(d, d->missing.items[i])) {
            left[count++] = d->missing.items[i];
        }
    }
    d->missing = left ? (struct tkt_strings){left, count} : d->missing;
    return left != NULL;
}

/* The script's first: of two of one name the first is kept. */
static bool add_fields(const struct tkt_wire_wants *wants, struct tkt_decision *d,
                       struct tkt_wire_arena *arena)
{
    size_t max = wants->field_count + d->field_count;
    struct tkt_field *fields = tkt_wire_arena_alloc(arena, (max + 1) * sizeof(*fields));
    size_t count = 0;

    for (size_t i = 0; fields && i < wants->field_count; i++) {
        const char *eq = strchr(wants->fields[i], '=');
        const char *name =
            eq ? field_name(wants->fields[i], (size_t)(eq - wants->fields[i]), arena)
               : "";
        if (*name && eq[1]) {
            fields[count++] =
                (struct tkt_field){(char *)(uintptr_t)name, (char *)(uintptr_t)(eq + 1)};
        }
    }
    if (!fields) {
        return false;
    }
    size_t asked = count;
    for (size_t i = 0; i < d->field_count && count < TKT_DECISION_FIELDS_MAX; i++) {
        bool twice = false;
        for (size_t k = 0; k < asked && !twice; k++) {
            twice = strcmp(fields[k].name, d->fields[i].name) == 0;
        }
        if (!twice) {
            fields[count++] = d->fields[i];
        }
    }
    d->fields = fields;
    d->field_count = count;
    return drop_missing(d, arena);
}

const struct tkt_decision *tkt_wants_over(const struct tkt_wire_wants *wants,
                                          const struct tkt_decision *d,
                                          struct tkt_wire_arena *arena)
{
    const char *const asked[] = {wants->type, wants->group, wants->category,
                                 wants->subcategory, wants->assignee};
    struct tkt_decision *over;

    if (!d || !tkt_wants_any(wants)) {
        return d;
    }
    over = tkt_wire_arena_alloc(arena, sizeof(*over));
    if (!over) {
        return d;
    }
    *over = *d;
    char **const slots[] = {&over->type, &over->group, &over->category,
                            &over->subcategory, &over->assignee};
    for (size_t i = 0; i < TKT_ARRAY_LEN(asked); i++) {
        if (asked[i] && *asked[i]) {
            *slots[i] = (char *)(uintptr_t)asked[i];
        }
    }
    if (wants->priority > 0) {
        over->priority = wants->priority;
    }
    return (wants->tag_count == 0 || add_tags(wants, over, arena)) &&
                   (wants->field_count == 0 || add_fields(wants, over, arena))
               ? over
               : d;
}

static void write_list(struct tkt_buf *out, const char *name, const char *const *items,
                       size_t count)
{
    (void)tkt_buf_addf(out, ",\"%s\":[", name); /* out->failed tells in the end */
    for (size_t i = 0; i < count; i++) {
        (void)tkt_buf_adds(out, i ? "," : "");
        (void)tkt_json_add_string(out, items[i], strlen(items[i]));
    }
    (void)tkt_buf_addc(out, ']');
}

void tkt_wants_write(const struct tkt_wire_wants *wants, struct tkt_buf *out)
{
    (void)tkt_buf_addf(out, "{\"priority\":%d", wants->priority); /* as above */
    for (size_t i = 0; i < TKT_ARRAY_LEN(texts); i++) {
        const char *text = text_of(wants, i);

        if (*text) {
            (void)tkt_buf_addf(out, ",\"%s\":", texts[i].name);
            (void)tkt_json_add_string(out, text, strlen(text));
        }
    }
    write_list(out, "tags", wants->tags, wants->tag_count);
    write_list(out, "fields", wants->fields, wants->field_count);
    (void)tkt_buf_addc(out, '}');
}

static const char *keep(struct tkt_wire_arena *arena, const cJSON *value)
{
    const char *text = cJSON_GetStringValue(value);
    char *kept = text ? tkt_wire_arena_strdup(arena, text, strlen(text)) : NULL;

    return kept ? kept : "";
}

static const char **read_list(const cJSON *list, struct tkt_wire_arena *arena,
                              size_t *count)
{
    const char **items = tkt_wire_arena_alloc(arena, TKT_WIRE_WANTS_MAX * sizeof(*items));
    const cJSON *item;

    *count = 0;
    cJSON_ArrayForEach(item, list)
    {
        if (items && *count < TKT_WIRE_WANTS_MAX && cJSON_IsString(item)) {
            items[(*count)++] = keep(arena, item);
        }
    }
    return items;
}

void tkt_wants_read(const cJSON *json, struct tkt_wire_arena *arena,
                    struct tkt_wire_wants *out)
{
    const cJSON *priority = cJSON_GetObjectItemCaseSensitive(json, "priority");

    memset(out, 0, sizeof(*out));
    out->default_desk = "";
    for (size_t i = 0; i < TKT_ARRAY_LEN(texts); i++) {
        *(const char **)(void *)((char *)out + texts[i].offset) =
            keep(arena, cJSON_GetObjectItemCaseSensitive(json, texts[i].name));
    }
    if (cJSON_IsNumber(priority) && priority->valueint > 0 && priority->valueint <= 5) {
        out->priority = priority->valueint;
    }
    out->tags =
        read_list(cJSON_GetObjectItemCaseSensitive(json, "tags"), arena, &out->tag_count);
    out->fields = read_list(cJSON_GetObjectItemCaseSensitive(json, "fields"), arena,
                            &out->field_count);
}
