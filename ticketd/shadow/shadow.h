/* SPDX-License-Identifier: BSD-2-Clause
 * A second configuration beside the live one: what it would have decided, counted.
 *
 * Promise: a live decision never waits for it and is never changed by it. Mails that were
 * decided and committed are offered, a sample of them (shadow_share); they wait in a queue
 * of bounded length and size, and what does not fit is counted and passed over. One thread
 * has a parser pool of its own with one child, loaded with the other configuration, and
 * asks it with the very facts of the live decision; what the configurations say of the desk
 * is each its own. A rule there that crashes or never ends costs that child and one error.
 * Counters and the newest examples live in memory, since the start or the last reload.
 * Nothing of it is stored.
 */
#ifndef TKT_TICKETD_SHADOW_H
#define TKT_TICKETD_SHADOW_H
#include "base/buf.h"
#include "conf/conf.h"
#include "decide/decide.h"

#define TKT_SHADOW_QUEUE_MAX 256
#define TKT_SHADOW_BYTES_MAX (8 * 1024 * 1024)
#define TKT_SHADOW_EXAMPLES_MAX 50
#define TKT_SHADOW_MOVES_MAX 64
#define TKT_SHADOW_MAIL_MS 2000

struct tkt_shadow;

/* A thread that does nothing until a configuration is named. */
struct tkt_shadow *tkt_shadow_start(struct tkt_err *err);
void tkt_shadow_stop(struct tkt_shadow **shadow);
/* At start and after each reload: what live names now. Counters begin anew if the other
 * configuration is another one, or was changed. Never waits for it to be loaded. */
void tkt_shadow_follow(struct tkt_shadow *shadow, const struct tkt_conf *live);
/* Whether this mail is one of the sample: then its facts are to be kept. */
bool tkt_shadow_wants(struct tkt_shadow *shadow);

struct tkt_shadow_mail {
    const void *raw;
    size_t raw_len;
    bool null_sender;
    const struct tkt_buf *facts; /* encoded */
    const struct tkt_decisions *decisions;
    const char *ticket; /* its ID, for the example */
    int64_t now_ms;
};
void tkt_shadow_offer(struct tkt_shadow *shadow, const struct tkt_shadow_mail *mail);

/* One JSON object: {config, share, since, state (off, loading, on, failed), error,
 * compared, differ, errors, skipped, waiting, parts {PART: n}, groups [{old, new, count}],
 * examples [{at, ticket, desk, differs [PART], old {}, new {}}] newest first}. */
int tkt_shadow_json(struct tkt_shadow *shadow, struct tkt_buf *out);
/* For `status`: ,"shadow":{state, compared, differ, errors, skipped}; nothing when off. */
void tkt_shadow_status(struct tkt_shadow *shadow, struct tkt_buf *out);

#endif
