/* SPDX-License-Identifier: BSD-2-Clause
 * The steps of a message, whoever speaks the protocol (milter/host.h).
 *
 * Every step whose answer is not needed is negotiated away; a message without a desk
 * among its recipients is accepted at DATA, before its header and body are sent. Steps of
 * one session never run at once; they may come in any order and number: a step without a
 * message answers what keeps the MTA going.
 */
#ifndef TKT_MILTER_FILTER_H
#define TKT_MILTER_FILTER_H
#include "milter/session.h"

#include <libmilter/mfapi.h>

/* All SMFIF_* that a configuration may ever need. */
#define TKT_FILTER_ACTIONS                                                               \
    (SMFIF_ADDHDRS | SMFIF_CHGHDRS | SMFIF_ADDRCPT | SMFIF_DELRCPT | SMFIF_SETSYMLIST)

/* The macros that a stage (SMFIM_*) is asked for. */
struct tkt_filter_macros {
    int stage;
    const char *names;
};
#define TKT_FILTER_MACRO_LISTS 7
extern const struct tkt_filter_macros tkt_filter_macro_lists[TKT_FILTER_MACRO_LISTS];

/* The SMFIF_* that this configuration's desks can ask for. */
unsigned long tkt_filter_actions(const struct tkt_conf *conf);

/* A new connection. In: what the MTA offers; out: what is wanted of it (SMFIF_*, SMFIP_*).
 * NULL without memory. */
struct tkt_session *tkt_filter_open(struct tkt_milter *milter, struct tkt_host host,
                                    unsigned long *actions, unsigned long *steps);
void tkt_filter_close(struct tkt_session **session);

/* addr: the client's in text, "" when it has none. */
enum tkt_answer tkt_filter_connect(struct tkt_session *s, const char *name,
                                   const char *addr);
enum tkt_answer tkt_filter_helo(struct tkt_session *s, const char *name);
enum tkt_answer tkt_filter_mail(struct tkt_session *s, const char *arg);
enum tkt_answer tkt_filter_rcpt(struct tkt_session *s, const char *arg);
enum tkt_answer tkt_filter_data(struct tkt_session *s);
enum tkt_answer tkt_filter_header(struct tkt_session *s, const char *name,
                                  const char *value);
enum tkt_answer tkt_filter_eoh(struct tkt_session *s);
enum tkt_answer tkt_filter_body(struct tkt_session *s, const void *data, size_t n);
void tkt_filter_abort(struct tkt_session *s);
/* milter/eom.c */
enum tkt_answer tkt_filter_eom(struct tkt_session *s);

/* The macro's value, or NULL. */
const char *tkt_filter_macro(const struct tkt_session *s, const char *name);
/* Sets an SMTP reply; text is made safe. What the step returns then. */
enum tkt_answer tkt_filter_reply(const struct tkt_session *s, int code, const char *xcode,
                                 const char *text);

#endif
