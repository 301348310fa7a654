/* SPDX-License-Identifier: BSD-2-Clause
 * One request of a hook, from its packet to its answer, in steps that never wait for the
 * commit: each step says what comes next, and whoever drives the request (the intake
 * thread, the missed folder) does that.
 *
 *   begin -> REPLY | WORK | COMMIT      decode, caps, small messages
 *   work -> REPLY | COMMIT              large copies, analysis, comparison, lookups
 *   (the commit writer applies the item)
 *   committed -> REPLY | WORK           edits; WORK when a copy has to be compared
 *
 * Owner: one thread at a time, handed on with the request. After REPLY the reply is in
 * req->reply; free releases everything.
 */
#ifndef TKT_TICKETD_REQUEST_H
#define TKT_TICKETD_REQUEST_H
#include "ticketd/core/daemon.h"
#include "ticketd/facts/facts.h"
#include "ticketd/intake/incoming.h"
#include "wire/intake.h"

#define TKT_REQUEST_VERDICTS_MAX 16
#define TKT_REQUEST_DESKS_MAX 64
#define TKT_REQUEST_SCOPE_MAX 4200 /* a desk's name and a recipient */

enum tkt_step {
    TKT_STEP_REPLY,
    TKT_STEP_WORK,
    TKT_STEP_COMMIT
};

/* What the key scan told, kept after the scan went on to the next message. */
struct tkt_request_scan {
    unsigned char key[TKT_SHA256_LEN];
    unsigned char head_key[TKT_SHA256_LEN];
    bool has_head_key;
    bool blind;
    bool is_list;
    bool is_report;
    bool points_back; /* names earlier messages: In-Reply-To or References */
    bool auto_submitted;
    enum tkt_security security;
    char *from;
    char *subject; /* valid UTF-8, not decoded */
    char *message_id;
    struct tkt_store_thread_key message_id_hash;
};

struct tkt_request {
    struct tkt_commit_item item; /* first: sinks get its address */
    struct tkt_work_item work;
    struct tkt_daemon *d;
    struct tkt_settings *set;
    void *owner; /* of whoever drives it */
    struct tkt_wire_packet packet;
    struct tkt_wire_request wire;
    struct tkt_wire_reply reply;
    struct tkt_wire_arena arena;
    int64_t start_us;
    int64_t now_ms;
    int64_t deadline_mono_ms;
    bool decoded;

    /* RESERVE */
    struct tkt_incoming message;
    bool was_read;
    struct tkt_request_scan scan;
    bool *field_is_valid;
    size_t desk_count;
    const struct tkt_conf_desk *desks[TKT_REQUEST_DESKS_MAX];
    const char *desk_rcpts[TKT_REQUEST_DESKS_MAX];
    bool in_to_cc[TKT_REQUEST_DESKS_MAX];
    struct tkt_analysis analysis;
    bool analysed;
    const char *notes[TKT_REQUEST_DESKS_MAX]; /* its summary for a desk; NULL: none */
    bool is_refined; /* the language model has answered while the client waited */
    char analysis_error[200];
    struct tkt_facts_found found;
    struct tkt_buf facts; /* encoded, when a shadow configuration is to see them */
    struct tkt_store_traces traces;
    struct tkt_store_reserve_in in;
    struct tkt_store_reserve_out out;
    struct tkt_store_verdict verdicts[TKT_REQUEST_VERDICTS_MAX];
    bool known; /* every desk knew the key: no analysis was needed */
};

/* Takes the packet (leaves it empty). NULL: no memory. */
struct tkt_request *tkt_request_new(struct tkt_daemon *d, struct tkt_wire_packet *packet);
/* For the missed folder: a request that is decoded already; takes wire and message_fd. */
struct tkt_request *tkt_request_wrap(struct tkt_daemon *d, struct tkt_wire_request *wire,
                                     int message_fd);
void tkt_request_free(struct tkt_request **req);

enum tkt_step tkt_request_begin(struct tkt_request *req, struct tkt_tools *tools);
enum tkt_step tkt_request_work(struct tkt_request *req, struct tkt_tools *tools);
enum tkt_step tkt_request_committed(struct tkt_request *req);
/* Ends a request with an error class as status; returns TKT_STEP_REPLY. */
enum tkt_step tkt_request_fail(struct tkt_request *req, const struct tkt_err *err);
/* Answers a packet that could not even be received whole (err says why). */
enum tkt_step tkt_request_refuse(struct tkt_request *req, const struct tkt_err *err);
/* All steps in the calling thread. */
void tkt_request_run(struct tkt_request *req, struct tkt_tools *tools);

/* ---- between request.c, reserve.c and reserve_reply.c -------------------------------- */
enum tkt_step tkt_reserve_begin(struct tkt_request *req, struct tkt_tools *tools);
enum tkt_step tkt_reserve_work(struct tkt_request *req, struct tkt_tools *tools);
enum tkt_step tkt_reserve_committed(struct tkt_request *req);
enum tkt_step tkt_reserve_dry(struct tkt_request *req, struct tkt_tools *tools);
enum tkt_step tkt_reserve_too_large(struct tkt_request *req);
enum tkt_step tkt_reserve_refused(struct tkt_request *req);
enum tkt_step tkt_reserve_reply(struct tkt_request *req);
/* The message key in the scope of a desk (and of its recipient where the hook says so). */
void tkt_request_desk_key(const struct tkt_request *req, size_t i,
                          unsigned char out[TKT_SHA256_LEN]);
/* The store's input from what is known now. */
int tkt_reserve_prepare(struct tkt_request *req, struct tkt_err *err);

#endif
