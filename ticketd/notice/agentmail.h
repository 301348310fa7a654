/* SPDX-License-Identifier: BSD-2-Clause
 * An agent's mail as it may go out: his own words and files, without what he answers to,
 * his signature, his commands and, where the desk says so, the addresses of agents.
 *
 * Promise: the same mail and settings make the same text and files. A child reads the mail
 * (parserpool.h); what it says is bounded here once more.
 * Limits: TKT_AGENTMAIL_TEXT_MAX bytes of text, TKT_AGENTMAIL_FILES_MAX files, of which
 * desk { agent_files_max } bytes go along; the others are named in the text.
 * Owner: release frees all. Threads: one at a time, and it may block. Errors: TEMP, and
 * what the child says of the mail.
 */
#ifndef TKT_TICKETD_AGENTMAIL_H
#define TKT_TICKETD_AGENTMAIL_H
#include "notify/notify.h"
#include "ticketd/core/daemon.h"
#include "ticketd/mail/agentcommand.h"

#define TKT_AGENTMAIL_TEXT_MAX (192 * 1024)
#define TKT_AGENTMAIL_FILES_MAX 50

struct tkt_agentmail {
    struct tkt_analysis analysis;
    bool analysed;
    struct tkt_agentcommand command; /* borrows the settings and from */
    struct tkt_buf text;
    struct tkt_buf contents[TKT_AGENTMAIL_FILES_MAX];
    struct tkt_notice_file files[TKT_AGENTMAIL_FILES_MAX];
    size_t file_count;
};

/* The words alone. from: the author as the store has him. */
int tkt_agentmail_read(struct tkt_agentmail *m, struct tkt_daemon *d,
                       const struct tkt_settings *set, struct tkt_reader *reader,
                       int64_t message, const char *from, struct tkt_err *err);
/* After that: the text as desk lets it go out, and its files. */
int tkt_agentmail_make(struct tkt_agentmail *m, struct tkt_daemon *d,
                       const struct tkt_settings *set, const struct tkt_conf_desk *desk,
                       struct tkt_reader *reader, int64_t message, struct tkt_err *err);
/* Of a mail that was read: there is nothing to send. */
bool tkt_agentmail_is_empty(const struct tkt_agentmail *m);
void tkt_agentmail_release(struct tkt_agentmail *m);

/* Appends text with each address of an agent of conf replaced. Pure. */
int tkt_agentmail_strip(const struct tkt_conf *conf, const char *text,
                        const char *replacement, struct tkt_buf *out);

#endif
