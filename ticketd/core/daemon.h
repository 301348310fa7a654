/* SPDX-License-Identifier: BSD-2-Clause
 * What the parts of ticketd share: the settings of the moment and the long-lived parts.
 *
 * A struct tkt_settings is immutable and counted: whoever works on a request holds a
 * reference from its first line to its answer, so that a reload never changes a request
 * under way. The pointers of struct tkt_daemon are set before any thread starts and
 * cleared after the last one ended; pool may come later.
 */
#ifndef TKT_TICKETD_DAEMON_H
#define TKT_TICKETD_DAEMON_H
#include "base/err.h"
#include "conf/conf.h"
#include "ticketd/core/access.h"
#include "ticketd/core/commit.h"
#include "ticketd/core/prints.h"
#include "ticketd/core/rate.h"
#include "ticketd/core/recent.h"
#include "ticketd/core/senders.h"
#include "ticketd/core/work.h"
#include "ticketd/mail/subject.h"
#include "ticketd/mail/token.h"
#include "ticketd/parser/parserpool.h"
#include "wire/intake.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

struct tkt_dispatch;
struct tkt_limits;
struct tkt_measure;
struct tkt_notice_texts;
struct tkt_people;
struct tkt_roster;
struct tkt_shadow;
struct tkt_sla_book;
struct tkt_refiner;

struct tkt_settings {
    atomic_int refs;
    uint64_t serial; /* no two of a process have the same: what was loaded anew differs */
    struct tkt_conf *conf;
    uint64_t generation; /* of what hooks act on: the same settings, the same number */
    struct tkt_access *access;
    struct tkt_token_keys keys;
    struct tkt_roster *roster; /* who gets tickets */
    struct tkt_sla_book *sla;  /* how long they may take */
    struct tkt_notice_texts *texts;
    struct tkt_wire_desk *desks; /* what HELLO tells; U- and A-label addresses */
    size_t desk_count;
    struct tkt_wire_desk_index *desk_index;
    char model_version[64]; /* of the learned model, "0123456789abcdef of 2026-11-22";
                             * "" = none */
    struct tkt_prefixes own;
    char *delimiters;
    char *tag_pattern;
    struct tkt_wire_arena arena;
};

/* Counters since the start; shown by `ticketctl status`. */
struct tkt_stats {
    atomic_uint_fast64_t requests;
    atomic_uint_fast64_t refused; /* by caps, credentials or malformed */
    atomic_uint_fast64_t created;
    atomic_uint_fast64_t existing;
    atomic_uint_fast64_t appended;
    atomic_uint_fast64_t temp; /* answered 451 */
    atomic_uint_fast64_t expired;
    atomic_uint_fast64_t stale;
    atomic_uint_fast64_t unanalysed;
    atomic_uint_fast64_t forged_ids; /* X-Ticket-ID that did not verify */
    atomic_uint_fast64_t missed;     /* taken in from missed/ */
};

struct tkt_daemon {
    const char *conf_path;
    bool verbose; /* -v: a reload does not lower the level */
    char *store_dir;
    struct tkt_commit *commit;
    struct tkt_work *work;
    struct tkt_work *aside;              /* for what waits for others: SMTP, programs */
    struct tkt_parserpool *_Atomic pool; /* NULL while it could not be started */
    struct tkt_dispatch *dispatch;
    struct tkt_oauth *oauth;     /* tokens for ITSMs */
    struct tkt_refiner *refiner; /* what the language model may be asked */
    pthread_mutex_t settings_lock;
    struct tkt_settings *settings;
    pthread_mutex_t reload_lock;
    struct tkt_stats stats;
    struct tkt_measure *measure; /* what is counted for who watches */
    struct tkt_recent recent;
    struct tkt_prints *prints;     /* of the newest tickets' texts */
    struct tkt_people *people;     /* who they are */
    struct tkt_shadow *shadow;     /* what another configuration would decide */
    struct tkt_senders *senders;   /* what their last mails had in common */
    struct tkt_rate personal_rate; /* tickets of personal scripts, by recipient */
    struct tkt_limits *limits;     /* of desks, at RCPT */
    int64_t started_ms;
};

/* Takes *conf. Reads the secrets that conf names; store_dir is where a key of our own is
 * kept when none is configured. NULL: CONF or TEMP. */
struct tkt_settings *tkt_settings_new(struct tkt_conf **conf, const char *store_dir,
                                      struct tkt_err *err);
/* 0: tkt_settings_new would take it, as far as that can be told without a store. */
int tkt_settings_test(struct tkt_conf *conf, struct tkt_err *err);
struct tkt_settings *tkt_settings_get(struct tkt_daemon *d);
void tkt_settings_put(struct tkt_settings **settings);
/* Loads the configuration again; on error the old one stays. Any thread. */
int tkt_daemon_reload(struct tkt_daemon *d, struct tkt_err *err);

#endif
