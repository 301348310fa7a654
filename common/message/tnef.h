/* SPDX-License-Identifier: BSD-2-Clause
 * winmail.dat: Outlook's TNEF (MS-OXTNEF), read as a stream.
 *
 * Attachments go to a visitor as they come: name (the long one before the short one,
 * Unicode before the code page), type, content. Their paths are PATH/tnef/1, /2 ...; a
 * message inside is an entry of type application/ms-tnef, what it holds comes below it.
 * The texts of the outermost message are gathered when they are asked for.
 *
 * Input is hostile: every length is checked against what encloses it, at most
 * TKT_TNEF_DEPTH_MAX streams within each other are opened, TKT_TNEF_FILES_MAX files of
 * one stream are told, properties above TKT_TNEF_VALUE_MAX are passed over; one window of
 * memory, time linear in the content. What ends early gives what came until then.
 */
#ifndef TKT_MESSAGE_TNEF_H
#define TKT_MESSAGE_TNEF_H
#include "message/content.h"
#include "message/visit.h"

#define TKT_TNEF_DEPTH_MAX 4
#define TKT_TNEF_FILES_MAX 500
#define TKT_TNEF_VALUE_MAX (16 * 1024)

/* The forms of the message's text; each is empty when it is not there. The caller inits
 * the buffers with the most that it wants; what is longer is cut. */
struct tkt_tnef_text {
    struct tkt_buf plain; /* UTF-8 */
    struct tkt_buf html;  /* bytes, and ... */
    char html_charset[16];
    struct tkt_buf rtf; /* compressed RTF as it stands */
};

/* text may be NULL. 0, 1 when the visitor wants no more, or -1 (the visitor's error, or
 * TEMP: the source). *is_broken: it was no TNEF, or ended early. */
int tkt_tnef_read(struct tkt_content *content, const char *path,
                  const struct tkt_visitor *visitor, struct tkt_tnef_text *text,
                  bool *is_broken, struct tkt_err *err);

#endif
