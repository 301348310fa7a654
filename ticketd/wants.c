/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketd/wants.h"

#include "base/enc.h"
#include "base/util.h"

#include <cjson/cJSON.h>
#include <stddef.h>
#include <string.h>

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
    return wants->tag_count == 0 || add_tags(wants, over, arena) ? over : d;
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
