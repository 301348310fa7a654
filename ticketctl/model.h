/* SPDX-License-Identifier: BSD-2-Clause
 * What the `model` commands share. One thread.
 */
#ifndef TKT_TICKETCTL_MODEL_H
#define TKT_TICKETCTL_MODEL_H
#include "decide/model.h"
#include "ticketctl/ctl.h"
#include "ticketctl/dataset.h"
#include "train/score.h"

/* ctl->conf: the configuration where there is one to read, else the defaults. 0 or a code
 * after a message. */
int tkt_ctl_model_conf(struct tkt_ctl *ctl);
/* --model, else the configuration's file; "": neither. */
const char *tkt_ctl_model_path(struct tkt_ctl *ctl);
/* Opens it: 0 or a code after a message. */
int tkt_ctl_model_open(struct tkt_ctl *ctl, struct tkt_model **out);
/* The files that the arguments name, or the store: 0 or a code after a message. */
int tkt_ctl_model_data(struct tkt_ctl *ctl, struct tkt_dataset *out);
/* Settled tickets, the oldest first (model_store.c). */
int tkt_ctl_model_store(struct tkt_ctl *ctl, struct tkt_dataset *out);
/* Runs ticket-train on the first count records; appends the file. 0 or a code. */
int tkt_ctl_model_learn(struct tkt_ctl *ctl, const struct tkt_dataset *d, size_t count,
                        struct tkt_buf *out);
/* Asks about all records that have a label of that head. *count of *out (free()). Time in
 * *us for all questions; NULL: not wanted. 0 or a code. */
int tkt_ctl_model_ask(const struct tkt_model *m, const struct tkt_learn_record *records,
                      size_t n, enum tkt_model_head head, struct tkt_scored **out,
                      size_t *count, int64_t *us);

#endif
