/* SPDX-License-Identifier: BSD-2-Clause
 * A notice made of a ticket and a job's payload: recipient, words, facts.
 *
 * Owner: all of it lives in the struct until release; the settings are borrowed. Threads:
 * one at a time. Errors: PERM when there is no such ticket or text, TEMP.
 */
#ifndef TKT_TICKETD_NOTICE_H
#define TKT_TICKETD_NOTICE_H
#include "notify/notify.h"
#include "notify/text.h"
#include "store/external.h"
#include "store/notice.h"
#include "ticketd/core/daemon.h"

#include <cjson/cJSON.h>

struct tkt_notice_made {
    const struct tkt_settings *set;
    const struct tkt_conf_desk *desk; /* NULL: of a ticket whose desk is gone */
    struct tkt_notice notice;
    struct tkt_reader_full full;
    struct tkt_reader_noted noted;
    cJSON *payload;
    struct tkt_buf subject, text, html;
    struct tkt_wire_arena arena;
    bool is_answer; /* to the mail of the job */
    bool may_opt_out;
    const char *unsubscribe; /* the page where who gets it opts out; "" = none */
};

/* Words and facts; `thread`, id and what mail needs are the caller's. */
int tkt_notice_make(struct tkt_notice_made *m, const struct tkt_settings *set,
                    struct tkt_reader *reader, int64_t ticket, int64_t message,
                    const char *payload, struct tkt_err *err);
/* The same for a ticket that does not exist. Of the settings conf and texts are used. */
int tkt_notice_make_sample(struct tkt_notice_made *m, const struct tkt_settings *set,
                           const char *payload, struct tkt_err *err);
/* What one would say, for `ticketctl notify preview`: {"subject", "language", "text",
 * "html"} in out, which is empty. ticket 0: of a ticket that does not exist, without reader. */
struct tkt_notice_asked {
    const char *what;     /* NULL: created */
    const char *role;     /* NULL: requester */
    const char *language; /* NULL: the desk's */
};
int tkt_notice_preview(const struct tkt_settings *set,
                       const struct tkt_notice_asked *asked, struct tkt_reader *reader,
                       int64_t ticket, struct tkt_buf *out, struct tkt_err *err);
void tkt_notice_made_release(struct tkt_notice_made *m);

/* enum tkt_notice_what of a name, or -1. */
int tkt_notice_what(const char *name);
/* The desk's address for people: the first that is no whole domain, or "". */
const char *tkt_notice_desk_address(const struct tkt_conf_desk *desk);

#endif
