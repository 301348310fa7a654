/* SPDX-License-Identifier: BSD-2-Clause
 * The page that opts out: its words, and what is asked of it. Pure; any thread.
 *
 * Promise: it needs no script, no cookie, nothing from elsewhere; names are escaped, an
 * address is shown in part. Limits: as the caller's; a form of TKT_PAGE_FIELDS_MAX fields.
 */
#ifndef TKT_TICKETD_HOOK_PAGE_H
#define TKT_TICKETD_HOOK_PAGE_H
#include "base/buf.h"

#define TKT_PAGE_FIELDS_MAX 16
#define TKT_PAGE_POST_MAX 8192 /* bytes of what is posted */

/* For the header field; it lets the page's own style in and nothing else. */
extern const char tkt_page_policy[];
/* What stands between <style> and </style>: the policy has its hash. */
extern const char tkt_page_style[];

/* "en" or "de": what Accept-Language (NULL: not said) likes best, else otherwise. */
const char *tkt_page_language(const char *accept, const char *otherwise);

enum tkt_page_kind {
    TKT_PAGE_ASK,          /* he is told; shall that end? */
    TKT_PAGE_STOPPED,      /* he is not, by any desk; shall he be? */
    TKT_PAGE_ASK_DESK,     /* as the first: by this desk */
    TKT_PAGE_STOPPED_DESK, /* he is not, by this desk */
    TKT_PAGE_UNKNOWN,      /* the address of the page is none of ours */
    TKT_PAGE_UNASKED,      /* something was posted that asks for nothing */
    TKT_PAGE_BUSY,         /* later, please */
    TKT_PAGE_KINDS
};
/* desk and address may be "". others: there are other desks, which may be opted out of as
 * well. Appends; out->failed tells. */
void tkt_page_write(enum tkt_page_kind kind, const char *language, const char *desk,
                    const char *address, bool others, struct tkt_buf *out);

enum tkt_page_wish {
    TKT_PAGE_NOTHING,
    TKT_PAGE_STOP, /* by its button, or as RFC 8058 has it: what the link names */
    TKT_PAGE_STOP_ALL,
    TKT_PAGE_AGAIN
};
/* type: the Content-Type, or NULL. */
enum tkt_page_wish tkt_page_wish(const char *type, const void *body, size_t len);

#endif
