/* SPDX-License-Identifier: BSD-2-Clause
 * The receiver of webhooks: ITSMs tell that something changed.
 *
 * Promise: a call is only a hint. It is believed to come from the ITSM when its signature
 * fits its raw bytes, which is looked at before anything is parsed; it may then name a
 * ticket, and the ITSM itself is asked for it. What else it says is not read: a forged, old
 * or repeated call changes nothing. The hint is on disk before 2xx is answered.
 * Threads: those of libmicrohttpd (one), and one that ends connections that last too long.
 * Limits: section webhook; paths are /hook/NAME, by POST, one call a connection.
 * Errors: of start alone. Calls are answered 200 (taken, known already, of no ticket of
 * ours), 401 (signature, time), 404, 405, 413, 429, 503 (come again).
 */
#ifndef TKT_TICKETD_HOOK_HOOK_H
#define TKT_TICKETD_HOOK_HOOK_H
#include "ticketd/core/daemon.h"

#define TKT_HOOK_NAME_MAX 63
#define TKT_HOOK_KEY_MAX 256
#define TKT_HOOK_FIELD_MAX 1024 /* bytes of a header field that is looked at */

struct tkt_hook;

/* *hook stays NULL when the settings name no address. */
int tkt_hook_start(struct tkt_daemon *d, struct tkt_hook **hook, struct tkt_err *err);
void tkt_hook_stop(struct tkt_hook **hook);

/* ---- pure, for tests ------------------------------------------------------------------- */

struct tkt_hook_call {
    const char *(*field)(void *arg,
                         const char *name); /* a header field's value, or NULL */
    void *arg;
    const void *body;
    size_t len;
    int64_t now_ms;
    int64_t window_ms;
};

/* How a section's calls are signed: its own word, or that of its type. */
enum tkt_conf_hook tkt_hook_kind(const struct tkt_conf_itsm *conf);
/* 0: one of the secrets (one a line; of Standard Webhooks: blanks between) signed the call.
 * *delivery names it where it has a name, else NULL; borrowed from the call. -1 with err:
 * PERM why not, CONF what is wrong with the secrets. Constant time in what is secret. */
int tkt_hook_verify(const struct tkt_conf_itsm *conf, const char *secrets,
                    const struct tkt_hook_call *call, const char **delivery,
                    struct tkt_err *err);
/* The ITSM's key of the ticket that a body names: 1, 0 it names none (or is no JSON). */
int tkt_hook_key(const struct tkt_conf_itsm *conf, const void *body, size_t len,
                 char out[TKT_HOOK_KEY_MAX + 1]);

#endif
