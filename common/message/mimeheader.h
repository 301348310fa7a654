/* SPDX-License-Identifier: BSD-2-Clause
 * What the Content-* fields of a part say: type, parameters, encoding, disposition.
 *
 * Own code rather than GMime's, because RFC 2231 values name charsets and GMime would
 * open a converter for each (message/charset.h). Continuations (name*0*=) are put
 * together; at most params_max parameters of a field are looked at. Linear. Strings live
 * in the caller's arena and are valid UTF-8 on one line.
 */
#ifndef TKT_MESSAGE_MIMEHEADER_H
#define TKT_MESSAGE_MIMEHEADER_H
#include "message/transfer.h"
#include "wire/packet.h"

#include <stdbool.h>
#include <stddef.h>

#define TKT_BOUNDARY_MAX 256
#define TKT_MIME_TYPE_MAX 128
#define TKT_MIME_NAME_MAX 1024

enum tkt_disposition {
    TKT_DISPOSITION_NONE,
    TKT_DISPOSITION_INLINE,
    TKT_DISPOSITION_ATTACHMENT
};

/* All pointers are NULL until set. */
struct tkt_mime_header {
    char *type;         /* lower case "text/plain"; NULL without a usable Content-Type */
    char *charset;      /* as written */
    char *boundary;     /* bytes as written, without trailing blanks */
    char *name;         /* filename of the disposition, else name of the type */
    char *subtype_hint; /* report-type, smime-type or protocol, lower case */
    enum tkt_transfer_kind encoding;
    enum tkt_disposition disposition;
    char *content_id; /* without <> */
    size_t name_max;  /* set it before the first add; 0: TKT_MIME_NAME_MAX */
    bool has_content_id;
    bool flowed; /* format=flowed (RFC 3676) ... */
    bool delsp;  /* ... with DelSp=yes */
    bool too_many_params;
    bool broken; /* a Content-Type that is none */
    bool no_memory;
};

/* Takes one field; others than Content-* are passed over. value as in the message. */
void tkt_mime_header_add(struct tkt_mime_header *h, const char *name, size_t name_len,
                         const char *value, size_t n, size_t params_max,
                         struct tkt_wire_arena *arena);

#endif
