/* SPDX-License-Identifier: BSD-2-Clause
 * Jobs that tell somebody something: kind "notify", target the channel's name.
 *
 * Each goes three ways, as an ITSM's: what it needs is read in a thread that may block
 * (store, secret, words), it goes out over dispatch's loop or through a program, and its end
 * is one transaction (the job, the event notice.told, the thread of the channel).
 * Who cannot be reached is marked in the store, and the job is done: the lane of the ticket
 * goes on, and he is told no more. A notice whose ticket is gone is done, too.
 *
 * Payload, all optional but what and to:
 *   {"what":"created", "to":"ann@x.example", "name":"Ann", "role":"requester",
 *    "language":"de", "sub":"acknowledgement", "template":"mine", "text":"for {{message}}",
 *    "answer":true (it answers mail `message` of the job), "optout":true, "at":ms,
 *    "event":{"from":"open", ...}}
 *   {"what":"reply", ..., "desk":"it", "from":"the agent"}: the words and files of mail
 *    `message` of the job, read by a child for each try
 *   {"what":"digest", "like":{one of these}, "items":[{... "line", "ticket", "url"}],
 *    "left_out":0}
 */
#ifndef TKT_TICKETD_NOTIFYJOB_H
#define TKT_TICKETD_NOTIFYJOB_H
#include "ticketd/jobs/running.h"

extern const struct tkt_job_kind tkt_notifyjob_kind;

#endif
