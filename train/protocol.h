/* SPDX-License-Identifier: BSD-2-Clause
 * What ticketctl writes into ticket-train: a head, then records, the oldest first. Each
 * record is a struct tkt_train_record and behind it subject, text and labels, each with its
 * NUL. Both ends are of one build. ticket-train reads the descriptor TKT_TRAIN_IN, writes the
 * model into the memory file TKT_TRAIN_OUT, and says on standard error what went wrong.
 */
#ifndef TKT_TRAIN_PROTOCOL_H
#define TKT_TRAIN_PROTOCOL_H
#include "train/learn.h"

#include <stdint.h>

#define TKT_TRAIN_MAGIC UINT64_C(0x314e494152544b54)
#define TKT_TRAIN_IN 0
#define TKT_TRAIN_OUT 1
#define TKT_TRAIN_DATE_MAX 32
#define TKT_TRAIN_DATA_MAX (2048U * 1024 * 1024 - 1)

struct tkt_train_head {
    uint64_t magic;
    uint64_t count;
    struct tkt_learn_options options; /* date is not used: */
    char date[TKT_TRAIN_DATE_MAX];
};

struct tkt_train_record {
    uint32_t subject; /* lengths without NUL */
    uint32_t text;
    uint32_t labels[TKT_HEAD_COUNT];
};

#endif
