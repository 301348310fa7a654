/* SPDX-License-Identifier: BSD-2-Clause
 * Who or what wrote a message: one class, and the evidence for it, a line each
 * ("Auto-Submitted: auto-replied").
 *
 * Evidence is what a program says of itself (fields, structure, a null sender) or what no
 * person would write; words that people use too count only beside such a mark. So mail of
 * people stays human even when it is about bounces or absences. class_fields.c knows the
 * fields, class_report.c the reports, bounce.h what a report tells.
 */
#ifndef TKT_MESSAGE_CLASS_H
#define TKT_MESSAGE_CLASS_H
#include "message/reading.h"

/* Sets class, class_evidence and bounce of a message whose header and text are read, and
 * adds what reports name to its references. */
int tkt_class_read(struct tkt_reading *r, struct tkt_err *err);

#endif
