/* SPDX-License-Identifier: BSD-2-Clause
 * Labelled texts from files, to learn from or to test a model with.
 *
 * CSV (RFC 4180) whose first line names the columns: text, category, group, urgency,
 * subject, date, in any order; others are not looked at. Or a JSON object a line with members of
 * those names. A file that begins with { is JSON. An empty label means not known; a record
 * without any label, or without subject and text, is left out and counted. Errors (CONF)
 * name file and line. At most TKT_DATASET_FILE_MAX bytes a file.
 */
#ifndef TKT_TICKETCTL_DATASET_H
#define TKT_TICKETCTL_DATASET_H
#include "base/err.h"
#include "train/learn.h"
#include "wire/packet.h"

#include <stddef.h>

#define TKT_DATASET_FILE_MAX (1024U * 1024 * 1024)
#define TKT_DATASET_COLUMNS_MAX 256

struct tkt_dataset {
    struct tkt_learn_record *items; /* their strings live in buffers and arena */
    size_t count;
    size_t cap;
    size_t skipped;
    char newest[11]; /* date of the newest record that has one: "2026-11-22" */
    char **buffers;
    size_t buffer_count;
    struct tkt_wire_arena arena;
};

/* "-": standard input. */
int tkt_dataset_read(struct tkt_dataset *d, const char *path, struct tkt_err *err);
/* From memory; name is for errors. */
int tkt_dataset_read_text(struct tkt_dataset *d, const char *name, const char *data,
                          size_t n, struct tkt_err *err);
/* Copies. PERM: a label is not a line of UTF-8 of at most TKT_MODEL_LABEL_MAX bytes. */
int tkt_dataset_add(struct tkt_dataset *d, const char *subject, const char *text,
                    const char *const labels[TKT_HEAD_COUNT], struct tkt_err *err);
/* A date that begins YYYY-MM-DD; what is none is not noted. */
void tkt_dataset_note_date(struct tkt_dataset *d, const char *date);
void tkt_dataset_release(struct tkt_dataset *d);

#endif
