/* SPDX-License-Identifier: BSD-2-Clause
 * The RTF in a winmail.dat: decompressed (MS-OXRTFCP), then read as text, or as the HTML
 * that Outlook wrapped into it (MS-OXRTFEX).
 *
 * Linear; memory is what the output buffers may hold, groups deeper than
 * TKT_RTF_DEPTH_MAX are not told apart. Broken input gives what came before. One thread:
 * it uses the converters of message/charset.h.
 */
#ifndef TKT_MESSAGE_RTF_H
#define TKT_MESSAGE_RTF_H
#include "base/buf.h"

#include <stdbool.h>

#define TKT_RTF_DEPTH_MAX 64

/* Appends the RTF that the bytes of PR_RTF_COMPRESSED hold. */
void tkt_rtf_decompress(struct tkt_buf *out, const void *data, size_t n);
/* Appends UTF-8; *is_html: it is the HTML that was wrapped. */
void tkt_rtf_text(struct tkt_buf *out, const char *rtf, size_t n, bool *is_html);

#endif
