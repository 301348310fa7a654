/* SPDX-License-Identifier: BSD-2-Clause */
#include "decide/model_file.h"

#define ALIGNMENT 64
#define STRINGS_MAX (16U * 1024 * 1024)
#define SEEN_MAX (4U * 1024 * 1024)

uint32_t tkt_model_label_total(const struct tkt_model_file_head *head)
{
    uint32_t total = 0;

    for (int h = 0; h < TKT_HEAD_COUNT; h++) {
        total += head->labels[h];
    }
    return total;
}

static int check_counts(const struct tkt_model_file_head *head)
{
    for (int h = 0; h < TKT_HEAD_COUNT; h++) {
        if (head->labels[h] > TKT_MODEL_LABELS_MAX) {
            return -1;
        }
    }
    uint32_t total = tkt_model_label_total(head);
    if (total == 0 || total > TKT_MODEL_LABELS_MAX || head->columns < total ||
        head->columns > total + TKT_MODEL_LANES || head->columns % TKT_MODEL_LANES != 0) {
        return -1;
    }
    if (head->slot_bits < 4 || head->slot_bits > 24 || head->rows > TKT_MODEL_ROWS_MAX ||
        head->rows >= UINT32_C(1) << head->slot_bits) {
        return -1; /* at least one slot is free: a search ends */
    }
    if (head->seen > SEEN_MAX || head->strings > STRINGS_MAX || head->strings == 0) {
        return -1;
    }
    return 0;
}

int tkt_model_layout(const struct tkt_model_file_head *head, struct tkt_model_layout *out)
{
    if (check_counts(head) < 0) {
        return -1;
    }
    uint64_t labels = tkt_model_label_total(head);
    const uint64_t sizes[TKT_MODEL_PART_COUNT] = {
        [TKT_MODEL_PART_SLOTS] =
            (UINT64_C(1) << head->slot_bits) * sizeof(struct tkt_model_slot),
        [TKT_MODEL_PART_IDF] = (uint64_t)head->rows * sizeof(float),
        [TKT_MODEL_PART_SCALE] = (uint64_t)head->rows * sizeof(float),
        [TKT_MODEL_PART_LABELS] = labels * sizeof(uint32_t),
        [TKT_MODEL_PART_TOP] =
            labels * TKT_MODEL_TOP * sizeof(struct tkt_model_top_entry),
        [TKT_MODEL_PART_SEEN] = (uint64_t)head->seen * sizeof(uint32_t),
        [TKT_MODEL_PART_WEIGHTS] = (uint64_t)head->rows * head->columns,
        [TKT_MODEL_PART_STRINGS] = head->strings,
    };
    uint64_t at = sizeof(*head);
    for (int p = 0; p < TKT_MODEL_PART_COUNT; p++) {
        at = (at + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
        out->at[p] = at;
        at += sizes[p];
    }
    out->size = at;
    return at > TKT_MODEL_FILE_MAX ? -1 : 0;
}
