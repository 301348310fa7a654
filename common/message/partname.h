/* SPDX-License-Identifier: BSD-2-Clause
 * A name for an attachment that has none: what it is and which part, with the ending that
 * its type mostly has ("image-2.png", "invitation-1.3.ics"). Pure; libc only.
 */
#ifndef TKT_MESSAGE_PARTNAME_H
#define TKT_MESSAGE_PARTNAME_H

#define TKT_PART_NAME_MAX 300

void tkt_part_name(const char *type, const char *part, char out[TKT_PART_NAME_MAX]);

#endif
