/* SPDX-License-Identifier: BSD-2-Clause
 * Other trackers' tags in a Subject: which of their tickets a mail is about.
 *
 *   [ABC-123], [JIRA] (ABC-123)              ABC-123                Jira, YouTrack, GitLab
 *   [#SR-123] #SR-123                         SR-123                 Freshservice
 *   [#123] (#123)                            #123                   Zendesk, Freshdesk
 *   [owner/project] words (#123)             OWNER/PROJECT#123      GitHub, GitLab
 *   [rt.example #12] [Site - Bug #12]        RT.EXAMPLE#12, BUG#12  RT, Redmine
 *   Ticket#20231105001, [Bug 12], Case ID: 9 TICKET#20231105001 ... OTRS, Znuny, Bugzilla
 *   ##12345##                                ##12345                ServiceDesk Plus
 *   INC0012345 RITM CHG PRB CRQ CS TASK ...  INC0012345             ServiceNow, Remedy
 *   Ref:MSG0012345                           MSG0012345             ServiceNow
 *   ref:_00D58dFQw._5003zGSJ8T:ref           the same               Salesforce
 *
 * The result is upper case without blanks (Salesforce's excepted: case matters there), so
 * that one ticket has one name however its mails write it. IDs with a prefix of ours are
 * not foreign, nor are words such as UTF-8. A hint, no more: anybody can write it.
 * Pure, linear in the Subject, no regular expressions; at most TKT_MESSAGE_IDS_MAX.
 */
#ifndef TKT_MESSAGE_FOREIGN_H
#define TKT_MESSAGE_FOREIGN_H
#include "message/message.h"

#include <stddef.h>

#define TKT_FOREIGN_ID_MAX 64 /* longer is no ID */

/* Fills msg->foreign_ids from msg->subject; own are the prefixes of our ticket IDs.
 * -1: no memory. */
int tkt_foreign_read(struct tkt_message *msg, const char *const *own, size_t own_count);

#endif
