/* SPDX-License-Identifier: BSD-2-Clause
 * The callbacks that libmilter calls, up to the end of the message.
 *
 * Every step whose answer is not needed is negotiated away; a message without a desk
 * among its recipients is accepted at DATA, before its header and body are sent.
 */
#ifndef TKT_MILTER_FILTER_H
#define TKT_MILTER_FILTER_H
#include "milter/session.h"

#include <libmilter/mfapi.h>

/* All SMFIF_* that a configuration may ever need. */
#define TKT_FILTER_ACTIONS                                                               \
    (SMFIF_ADDHDRS | SMFIF_CHGHDRS | SMFIF_ADDRCPT | SMFIF_DELRCPT | SMFIF_SETSYMLIST)

/* The description for smfi_register(). milter must outlive smfi_main(). */
struct smfiDesc tkt_filter_desc(struct tkt_milter *milter);
/* The SMFIF_* that this configuration's desks can ask for. */
unsigned long tkt_filter_actions(const struct tkt_conf *conf);

/* The macro's value, or NULL. Borrowed until the callback returns. */
const char *tkt_filter_macro(SMFICTX *ctx, const char *name);

/* milter/eom.c */
sfsistat tkt_filter_eom(SMFICTX *ctx);
/* Sets an SMTP reply; text is made safe. The value to return from the callback. */
sfsistat tkt_filter_reply(SMFICTX *ctx, int code, const char *xcode, const char *text);

#endif
