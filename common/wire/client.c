/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/clock.h"
#include "base/util.h"
#include "wire/intake.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define IDLE_MAX 1024
#define BACKOFF_FIRST_MS 5
#define BACKOFF_MAX_MS 200

struct tkt_wire_client {
    char *path;
    pthread_mutex_t lock; /* of the two below */
    size_t idle_count;
    size_t max_idle;
    int idle[];
};

/* One tkt_wire_call. */
struct call {
    struct tkt_wire_client *client;
    struct tkt_wire_request req; /* the caller's, with the time that is left */
    int message_fd;
    int64_t deadline_ms;
    int64_t next_progress_ms;
    uint32_t progress_ms;
    void (*progress)(void *arg);
    void *arg;
};

struct tkt_wire_client *tkt_wire_client_new(const char *socket_path, size_t max_idle)
{
    max_idle = TKT_MIN(max_idle, IDLE_MAX);
    struct tkt_wire_client *c = calloc(1, sizeof(*c) + max_idle * sizeof(c->idle[0]));

    if (c == NULL) {
        return NULL;
    }
    c->path = strdup(socket_path);
    if (c->path == NULL || pthread_mutex_init(&c->lock, NULL) != 0) {
        free(c->path);
        free(c);
        return NULL;
    }
    c->max_idle = max_idle;
    return c;
}

void tkt_wire_client_free(struct tkt_wire_client **client)
{
    struct tkt_wire_client *c = *client;

    if (c == NULL) {
        return;
    }
    for (size_t i = 0; i < c->idle_count; i++) {
        close(c->idle[i]);
    }
    pthread_mutex_destroy(&c->lock);
    free(c->path);
    free(c);
    *client = NULL;
}

/* Only a connection whose last request was answered is idle: there can be no late reply on
 * it. Its end shows when the request is sent. */
static int take_idle(struct tkt_wire_client *c)
{
    int sock = -1;

    pthread_mutex_lock(&c->lock);
    if (c->idle_count > 0) {
        sock = c->idle[--c->idle_count];
    }
    pthread_mutex_unlock(&c->lock);
    return sock;
}

static void give_back(struct tkt_wire_client *c, int sock)
{
    pthread_mutex_lock(&c->lock);
    if (c->idle_count < c->max_idle) {
        c->idle[c->idle_count++] = sock;
        sock = -1;
    }
    pthread_mutex_unlock(&c->lock);
    if (sock >= 0) {
        close(sock);
    }
}

static void report_progress(struct call *call, int64_t now_ms)
{
    if (call->progress != NULL && now_ms >= call->next_progress_ms) {
        call->progress(call->arg);
        call->next_progress_ms = now_ms + call->progress_ms;
    }
}

/* The time until the deadline or the next progress report, at most at_most_ms. */
static int slice_ms(const struct call *call, int64_t now_ms, int64_t at_most_ms)
{
    int64_t until = call->deadline_ms;

    if (call->progress != NULL) {
        until = TKT_MIN(until, call->next_progress_ms);
    }
    return (int)TKT_MAX(TKT_MIN(until - now_ms, at_most_ms), 0);
}

/* 0 when the reply can be read; -1 TEMP when the time is over. */
static int await_reply(struct call *call, int sock, struct tkt_err *err)
{
    struct pollfd pfd = {.fd = sock, .events = POLLIN};

    for (;;) {
        int64_t now = tkt_clock_mono_ms();
        if (now >= call->deadline_ms) {
            return tkt_err_set(err, TKT_ERR_TEMP, "no reply within the deadline");
        }
        report_progress(call, now);
        int n = poll(&pfd, 1, slice_ms(call, now, INT_MAX));
        if (n > 0) {
            return 0;
        }
        if (n < 0 && errno != EINTR) {
            return tkt_err_errno(err, TKT_ERR_TEMP, "poll");
        }
    }
}

static int send_request(struct call *call, int sock, struct tkt_err *err)
{
    struct tkt_wire_packet pkt;
    int64_t left = call->deadline_ms - tkt_clock_mono_ms();

    call->req.remaining_ms = (uint32_t)TKT_MAX(TKT_MIN(left, (int64_t)UINT32_MAX), 1);
    if (tkt_wire_request_encode_lent(&call->req, call->message_fd, &pkt, err) < 0) {
        return -1;
    }
    int rc = tkt_wire_send(sock, &pkt, call->deadline_ms, err);
    pkt.fds[0] = -1; /* lent */
    tkt_wire_packet_release(&pkt);
    return rc;
}

static int exchange(struct call *call, int sock, struct tkt_wire_reply *reply,
                    struct tkt_err *err)
{
    struct tkt_wire_packet pkt;

    if (send_request(call, sock, err) < 0 || await_reply(call, sock, err) < 0) {
        return -1;
    }
    tkt_wire_packet_init(&pkt);
    int rc = tkt_wire_recv(sock, &pkt, call->deadline_ms, err);
    if (rc == 0) {
        rc = tkt_err_set(err, TKT_ERR_TEMP, "connection closed before the reply");
    } else if (rc == 1) {
        rc = tkt_wire_reply_decode(&pkt, reply, err);
    }
    tkt_wire_packet_release(&pkt);
    return rc;
}

/* *reused: a failure says nothing about ticketd, the connection may just be old. */
static int attempt(struct call *call, struct tkt_wire_reply *reply, bool *reused,
                   struct tkt_err *err)
{
    int sock = take_idle(call->client);

    *reused = sock >= 0;
    if (sock < 0) {
        sock =
            tkt_wire_connect(call->client->path,
                             TKT_MIN(call->deadline_ms, tkt_clock_mono_ms() + 1000), err);
    }
    if (sock < 0) {
        return -1;
    }
    if (exchange(call, sock, reply, err) < 0) {
        close(sock); /* a late reply must not meet the next request */
        return -1;
    }
    give_back(call->client, sock);
    return 0;
}

static void pause_for(struct call *call, int64_t pause_ms)
{
    int64_t until = tkt_clock_mono_ms() + pause_ms;

    for (;;) {
        int64_t now = tkt_clock_mono_ms();
        if (now >= until || now >= call->deadline_ms) {
            return;
        }
        report_progress(call, now);
        (void)poll(NULL, 0,
                   slice_ms(call, now, until - now)); /* a pause, whatever ends it */
    }
}

int tkt_wire_call(struct tkt_wire_client *client, const struct tkt_wire_request *req,
                  int message_fd, int64_t deadline_mono_ms, uint32_t progress_ms,
                  void (*progress)(void *arg), void *arg, struct tkt_wire_reply *reply,
                  struct tkt_err *err)
{
    struct call call = {
        .client = client,
        .req = *req,
        .message_fd = message_fd,
        .deadline_ms = deadline_mono_ms,
        .next_progress_ms = tkt_clock_mono_ms() + progress_ms,
        .progress_ms = TKT_MAX(progress_ms, 1U),
        .progress = progress_ms > 0 ? progress : NULL,
        .arg = arg,
    };
    struct tkt_err last = TKT_ERR_INIT;
    int64_t pause_ms = BACKOFF_FIRST_MS;

    for (;;) {
        bool reused = false;
        if (attempt(&call, reply, &reused, &last) == 0) {
            return 0;
        }
        if (last.class != TKT_ERR_TEMP) { /* a repetition would end the same way */
            break;
        }
        if (!reused) {
            pause_for(&call, pause_ms);
            pause_ms = TKT_MIN(2 * pause_ms, BACKOFF_MAX_MS);
        }
        if (tkt_clock_mono_ms() >= deadline_mono_ms) {
            break;
        }
    }
    return tkt_err_set(err, TKT_ERR_TEMP, "ticketd: %s", last.text);
}
