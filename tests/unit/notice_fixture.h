/* SPDX-License-Identifier: BSD-2-Clause
 * Notices over a real store: a configuration, its settings, and the follower by hand. The
 * clock is now_ms.
 */
#ifndef TKT_TESTS_NOTICE_FIXTURE_H
#define TKT_TESTS_NOTICE_FIXTURE_H
#include "store_fixture.h"

#include "conf/conf.h"
#include "notify/text.h"
#include "store/follow.h"
#include "store/notice.h"
#include "ticketd/core/roster.h"
#include "ticketd/notice/follow_notify.h"
#include "ticketd/notice/noticeplan.h"

struct world {
    struct fixture *f;
    struct tkt_settings set;
    struct tkt_tools tools;
    int64_t place;
    int64_t now_ms;
};

/* notify: what stands behind desks, a group and the channel "hook". */
void open_world(struct world *w, struct fixture *f, const char *notify);
void close_world(struct world *w);
/* As the follower's thread does it; what was killed between plan and apply comes again. */
void follow(struct world *w, bool killed);
int64_t jobs(struct world *w); /* notices that go out */
int64_t events(struct world *w, const char *kind);
/* A mail from that address; may_answer as the decision says. */
void mail(struct world *w, struct sample *m, const char *text, const char *from,
          bool may_answer);

#endif
