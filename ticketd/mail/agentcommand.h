/* SPDX-License-Identifier: BSD-2-Clause
 * What an agent asks for in the first lines of his mail: #internal, #close, #assign me ...
 *
 * Promise: all of it is understood, or `wrong` says what was not, and then none of it may be
 * done and nothing of the mail go out. A line that begins with # and a letter is a command;
 * the first line that does not ends them. What looks like the mark of a note but stands
 * elsewhere ("*#internal*", "Hi", then "#note") is not understood, unless the mail says that
 * it is public: a colleague's note never goes out for a bullet before it. Pure; any thread.
 */
#ifndef TKT_TICKETD_AGENTCOMMAND_H
#define TKT_TICKETD_AGENTCOMMAND_H
#include "conf/conf.h"

#include <stdbool.h>
#include <stddef.h>

#define TKT_AGENTCOMMAND_WRONG_MAX 200

struct tkt_agentcommand {
    bool is_internal;
    bool is_public;       /* it says so */
    int state;            /* enum tkt_ticket_state: closed, resolved, pending; or -1 */
    int priority;         /* 0: as it is */
    const char *assignee; /* of conf, or `from`; NULL: as it is */
    const char *group;    /* of conf; NULL: as it is */
    size_t body;          /* where the text begins that is no command */
    char wrong[TKT_AGENTCOMMAND_WRONG_MAX]; /* UTF-8; "": all was understood */
};

/* from: who wrote it, for `#assign me`. *out borrows conf and from. */
void tkt_agentcommand_read(const char *text, const struct tkt_conf *conf,
                           const char *from, struct tkt_agentcommand *out);
/* It is a note, or may be meant as one: where nothing but that is asked (see above). */
bool tkt_agentcommand_is_note(const char *text);
#endif
