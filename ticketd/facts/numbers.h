/* SPDX-License-Identifier: BSD-2-Clause
 * An ITSM's own numbers in the Subjects of mails: "INC0010042", "[PROJ-12]", "[rt #7]".
 *
 * The parser has read the Subject's tags already (message/foreign.h); here a tag is held
 * against the forms in which an ITSM writes its numbers: `tags` of its section, or what its
 * type is known for. A hint, no more: the store says whether a ticket has that number, and
 * the sender's part in it what may be done. Pure; at most TKT_NUMBER_MAX bytes.
 */
#ifndef TKT_TICKETD_NUMBERS_H
#define TKT_TICKETD_NUMBERS_H
#include "conf/conf.h"

#include <stdbool.h>

#define TKT_NUMBER_MAX 64

/* The number that the tag shows by the n-th form of the section: 1, 0 when it is none of
 * that form, -1 behind the last form. */
int tkt_number_in_tag(const struct tkt_conf_itsm *itsm, size_t n, const char *tag,
                      char out[TKT_NUMBER_MAX + 1]);

#endif
