/* SPDX-License-Identifier: BSD-2-Clause
 * How a model's file is laid out. Private to common/decide, the trainer and their tests.
 *
 * One head of fixed size, then the parts in the order of enum tkt_model_part, each at a
 * multiple of 64 bytes; their offsets follow from the counts in the head, so there is none
 * that could lie. Numbers as the machine has them: `order` tells a foreign one. The checksum
 * is over all that follows it. Weights are signed bytes times their row's scale; a row has
 * one for each label of each head, padded to a multiple of TKT_MODEL_LANES.
 */
#ifndef TKT_DECIDE_MODEL_FILE_H
#define TKT_DECIDE_MODEL_FILE_H
#include "base/hash.h"
#include "decide/model.h"

#include <stdint.h>

#define TKT_MODEL_MAGIC "TKTMODEL"
#define TKT_MODEL_FORMAT 1
#define TKT_MODEL_ORDER UINT32_C(0x01020304)
#define TKT_MODEL_LANES 16
#define TKT_MODEL_NONE UINT32_MAX /* a slot or a name that is not taken */

struct tkt_model_file_head {
    char magic[8];
    uint32_t format;
    uint32_t order;
    unsigned char sha256[TKT_SHA256_LEN]; /* of the rest of the file */
    uint64_t size;
    uint32_t rows;
    uint32_t slot_bits; /* of the hash table: 2^slot_bits slots */
    uint32_t columns;   /* of a row of weights */
    uint32_t labels[TKT_HEAD_COUNT];
    float slope[TKT_HEAD_COUNT]; /* score -> log odds */
    float view_weight[2];
    float subject_weight;
    uint32_t seen;    /* fingerprints of what it learned from, ascending */
    uint32_t strings; /* bytes; the last one is NUL */
    uint32_t about;   /* string */
    uint32_t reserved[8];
};

struct tkt_model_slot {
    uint32_t hash;
    uint32_t row;
};

struct tkt_model_top_entry {
    uint32_t name; /* string, or TKT_MODEL_NONE */
    float weight;
};

enum tkt_model_part {
    TKT_MODEL_PART_SLOTS,
    TKT_MODEL_PART_IDF,
    TKT_MODEL_PART_SCALE,
    TKT_MODEL_PART_LABELS, /* strings, head after head */
    TKT_MODEL_PART_TOP,    /* TKT_MODEL_TOP for each label */
    TKT_MODEL_PART_SEEN,
    TKT_MODEL_PART_WEIGHTS,
    TKT_MODEL_PART_STRINGS,
    TKT_MODEL_PART_COUNT
};

struct tkt_model_layout {
    uint64_t at[TKT_MODEL_PART_COUNT];
    uint64_t size; /* of the whole file */
};

/* -1: a count is beyond its maximum. */
int tkt_model_layout(const struct tkt_model_file_head *head,
                     struct tkt_model_layout *out);
uint32_t tkt_model_label_total(const struct tkt_model_file_head *head);
/* Where the search for a hash begins. */
static inline uint32_t tkt_model_slot_of(uint32_t hash, uint32_t bits)
{
    return hash >> (32 - bits);
}

#endif
