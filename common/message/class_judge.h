/* SPDX-License-Identifier: BSD-2-Clause
 * What the files of the class share: the judgement being made of one message. Private to
 * class*.c.
 */
#ifndef TKT_MESSAGE_CLASS_JUDGE_H
#define TKT_MESSAGE_CLASS_JUDGE_H
#include "message/bounce.h"
#include "message/reading.h"

#include <stdbool.h>
#include <stddef.h>

#define TKT_JUDGE_VALUE_MAX 200
#define TKT_JUDGE_TEXT_MAX 4096 /* of the text in which phrases are looked for */

struct tkt_judge {
    struct tkt_reading *r;
    struct tkt_bounce_found report; /* of a delivery-status part; action NONE: none */
    size_t text_len;                /* of msg->text, at most TKT_JUDGE_TEXT_MAX */
    bool null_sender;
    bool is_machine;    /* some field says that a program sent it */
    bool answers;       /* In-Reply-To or References: it is about some mail */
    bool has_complaint; /* a feedback loop's part is in it */
    bool has_returned;  /* a message came back with it */
    bool has_own_words; /* Subject of a reply or forward: what follows is quoted */
};

/* One more piece of evidence; the class becomes the stronger one. */
void tkt_judge_found(struct tkt_judge *j, enum tkt_class class, const char *name,
                     const char *value);
/* The same without a class of its own. */
void tkt_judge_note(struct tkt_judge *j, const char *name, const char *value);
/* The first field of that name, unfolded and trimmed; false when there is none. */
bool tkt_judge_value(const struct tkt_judge *j, const char *name,
                     char out[TKT_JUDGE_VALUE_MAX]);
bool tkt_judge_begins(const char *s, const char *prefix);

/* class_fields.c */
void tkt_judge_fields(struct tkt_judge *j);
/* class_report.c */
int tkt_judge_parts(struct tkt_judge *j, struct tkt_err *err);
void tkt_judge_sender(struct tkt_judge *j);
void tkt_judge_words(struct tkt_judge *j);

#endif
