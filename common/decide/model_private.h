/* SPDX-License-Identifier: BSD-2-Clause
 * What model.c (opening) and model_ask.c (asking) share.
 */
#ifndef TKT_DECIDE_MODEL_PRIVATE_H
#define TKT_DECIDE_MODEL_PRIVATE_H
#include "decide/model_file.h"

struct tkt_model {
    void *map;
    size_t size;
    const struct tkt_model_file_head *head;
    const struct tkt_model_slot *slots;
    const float *idf;
    const float *scale;
    const uint32_t *labels;
    const struct tkt_model_top_entry *top;
    const uint32_t *seen;
    const int8_t *weights;
    const char *strings;
    uint32_t first[TKT_HEAD_COUNT]; /* label of each head */
    char version[17];
    double threshold;
};

#endif
