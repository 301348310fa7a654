/* SPDX-License-Identifier: BSD-2-Clause
 * The rows of the table of backends. Private to common/itsm.
 */
#ifndef TKT_ITSM_BACKENDS_H
#define TKT_ITSM_BACKENDS_H
#include "itsm/itsm.h"

extern const struct tkt_itsm_ops tkt_itsm_local; /* the store itself */
extern const struct tkt_itsm_ops tkt_itsm_rt;
extern const struct tkt_itsm_ops tkt_itsm_glpi;
extern const struct tkt_itsm_ops tkt_itsm_salesforce;
extern const struct tkt_itsm_ops tkt_itsm_zendesk;
extern const struct tkt_itsm_ops tkt_itsm_znuny;
extern const struct tkt_itsm_ops tkt_itsm_redmine;
extern const struct tkt_itsm_ops tkt_itsm_webhook;
extern const struct tkt_itsm_ops tkt_itsm_servicenow;
extern const struct tkt_itsm_ops tkt_itsm_freshservice;
extern const struct tkt_itsm_ops tkt_itsm_freshdesk;
extern const struct tkt_itsm_ops tkt_itsm_exec; /* a helper program */
extern const struct tkt_itsm_ops tkt_itsm_github;
extern const struct tkt_itsm_ops tkt_itsm_gitlab;
extern const struct tkt_itsm_ops tkt_itsm_jira;
extern const struct tkt_itsm_ops tkt_itsm_jsm;

#endif
