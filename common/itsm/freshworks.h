/* SPDX-License-Identifier: BSD-2-Clause
 * What the files of freshservice and freshdesk share. Private to common/itsm; pure.
 */
#ifndef TKT_ITSM_FRESHWORKS_H
#define TKT_ITSM_FRESHWORKS_H
#include "itsm/build.h"

/* Freshdesk, else Freshservice. */
bool tkt_freshworks_is_desk(const struct tkt_itsm_call *call);
const char *tkt_freshworks_ticket_url(struct tkt_itsm_call *call, const char *below);
/* Their ids are numbers; 0: text is none. */
double tkt_freshworks_id_in(const char *text);
/* Freshservice wraps what it gives in an object, Freshdesk does not. */
const cJSON *tkt_freshworks_list(const cJSON *json, const char *name);
const cJSON *tkt_freshworks_ticket(const cJSON *json);
/* external, number and url of a ticket; state, group, assignee and priority. */
enum tkt_itsm_next tkt_freshworks_take(struct tkt_itsm_call *call, const cJSON *ticket,
                                       struct tkt_err *err);
void tkt_freshworks_refusal(const struct tkt_itsm_answer *a, struct tkt_err *err);

/* How the key is kept: by the tag, or the custom field of the section. */
const char *tkt_freshworks_key_field(const struct tkt_itsm_call *call); /* "": tag */
const char *tkt_freshworks_tag(struct tkt_itsm_call *call);

enum tkt_itsm_next tkt_freshworks_find(struct tkt_itsm_call *call, struct tkt_err *err);
enum tkt_itsm_next tkt_freshworks_changed(struct tkt_itsm_call *call,
                                          struct tkt_err *err);
enum tkt_itsm_next tkt_freshworks_fetch(struct tkt_itsm_call *call, struct tkt_err *err);
enum tkt_itsm_next tkt_freshworks_check(struct tkt_itsm_call *call, struct tkt_err *err);

#endif
