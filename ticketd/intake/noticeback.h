/* SPDX-License-Identifier: BSD-2-Clause
 * What comes back to the addresses that notices carry: reports to their return path
 * (it+b-TOKEN@...) and the wish not to be told any more (it+d-TOKEN@..., it+u-TOKEN@...).
 *
 * A machine's mail to a return path, and any mail to the other, is filed inside its ticket
 * as a note: it opens nothing, changes no state and is never answered, whoever signed it.
 * Then a follower marks the contact that the token was made for, at once or when it failed
 * on several days, as the status says (base/mailstatus.h); each report is the event
 * notice.bounced.
 */
#ifndef TKT_TICKETD_NOTICEBACK_H
#define TKT_TICKETD_NOTICEBACK_H
#include "ticketd/follow/follow.h"
#include "ticketd/intake/request.h"
#include "ticketd/mail/noticemail.h"

/* Of an analysed request: its decisions become notes where they have to. */
void tkt_noticeback_file(struct tkt_request *req);
/* What came back to this desk of the request, for struct tkt_store_desk_in; "": nothing. */
const char *tkt_noticeback_what(const struct tkt_request *req, size_t desk);

extern const struct tkt_follower tkt_follow_noticeback;

#endif
