/* SPDX-License-Identifier: BSD-2-Clause
 * What wrote a message (class) and whether it is signed or encrypted, by evidence in its
 * header and part tree. Each piece of evidence is one line, "Auto-Submitted:
 * auto-replied". Pure but for reading the report part of a bounce.
 */
#ifndef TKT_MESSAGE_CLASS_H
#define TKT_MESSAGE_CLASS_H
#include "message/prescan.h"

/* Sets class, class_evidence and security of msg (whose from and subject are set). */
int tkt_class_read(const struct tkt_message_source *src, const struct tkt_scan *scan,
                   bool null_sender, struct tkt_message *msg, struct tkt_err *err);

#endif
