/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketctl/parts.h"

#include <stdio.h>
#include <string.h>

void tkt_ctl_parts_init(struct tkt_ctl_parts *p)
{
    p->is_known = false;
    for (int i = 0; i < TKT_PART_COUNT; i++) {
        tkt_buf_init(&p->texts[i], TKT_DECISION_PART_MAX);
    }
}

void tkt_ctl_parts_release(struct tkt_ctl_parts *p)
{
    for (int i = 0; i < TKT_PART_COUNT; i++) {
        tkt_buf_release(&p->texts[i]);
    }
}

void tkt_ctl_parts_of(struct tkt_ctl_parts *p, const struct tkt_decision *d)
{
    p->is_known = d != NULL;
    for (int i = 0; i < TKT_PART_COUNT; i++) {
        tkt_buf_reset(&p->texts[i]);
        if (d != NULL) {
            tkt_decision_part_text(d, (enum tkt_decision_part)i, &p->texts[i]);
        }
    }
}

/* As tkt_decision_part_text has it; what does not fit is cut there too. */
static void add_value(struct tkt_buf *out, const cJSON *v)
{
    const cJSON *item;
    const char *sep = "";

    if (cJSON_IsString(v)) {
        (void)tkt_buf_adds(out, v->valuestring);
    } else if (cJSON_IsNumber(v)) {
        (void)tkt_buf_addf(out, "%d", v->valueint);
    } else if (cJSON_IsArray(v) || cJSON_IsObject(v)) {
        cJSON_ArrayForEach(item, v)
        {
            (void)tkt_buf_addf(out, "%s%s%s%s", sep,
                               item->string != NULL ? item->string : "",
                               item->string != NULL ? "=" : "",
                               cJSON_IsString(item) ? item->valuestring : "");
            sep = ", ";
        }
    }
}

void tkt_ctl_parts_of_record(struct tkt_ctl_parts *p, const cJSON *record)
{
    p->is_known =
        record != NULL && cJSON_GetObjectItemCaseSensitive(record, "action") != NULL;
    for (int i = 0; i < TKT_PART_COUNT; i++) {
        tkt_buf_reset(&p->texts[i]);
        add_value(&p->texts[i],
                  cJSON_GetObjectItemCaseSensitive(record, tkt_decision_part_names[i]));
    }
}

uint32_t tkt_ctl_parts_diff(const struct tkt_ctl_parts *a, const struct tkt_ctl_parts *b)
{
    uint32_t bits = 0;

    if (a->is_known != b->is_known) {
        return UINT32_C(1) << TKT_PART_ACTION;
    }
    for (int i = 0; i < TKT_PART_COUNT; i++) {
        if (strcmp(tkt_buf_str(&a->texts[i]), tkt_buf_str(&b->texts[i])) != 0) {
            bits |= UINT32_C(1) << i;
        }
    }
    return bits;
}

cJSON *tkt_ctl_parts_json(const struct tkt_ctl_parts *p)
{
    cJSON *object = p->is_known ? cJSON_CreateObject() : cJSON_CreateNull();

    for (int i = 0; object != NULL && p->is_known && i < TKT_PART_COUNT; i++) {
        if (p->texts[i].len > 0 &&
            cJSON_AddStringToObject(object, tkt_decision_part_names[i],
                                    tkt_buf_str(&p->texts[i])) == NULL) {
            cJSON_Delete(object);
            return NULL;
        }
    }
    return object;
}
