/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketd/intake/intake.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/util.h"
#include "ticketd/intake/request.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#define EVENTS 64
/* Log lines about refused connections: at most one in this time. */
#define REFUSAL_LOG_MS 1000
#define ACCEPT_PAUSE_MS 100

struct conn {
    struct conn *next;
    struct conn *prev;
    int fd;
    struct tkt_peer peer;
    pthread_mutex_t lock; /* from reading busy to acting on it; a worker may answer */
    struct tkt_request *busy;
    bool muted;  /* under lock: out of epoll while busy, something came too early */
    bool broken; /* close it once its request is done */
    bool dead;   /* closed; freed at the end of the round, whose events may name it */
};

struct tkt_intake {
    struct tkt_commit_sink sink; /* first: deliver gets its address */
    struct tkt_daemon *d;
    int listen_fd;
    int epoll_fd;
    int done_fd;  /* eventfd: finished has something, or stopping changed */
    int spare_fd; /* given up for a moment to refuse politely when descriptors run out */
    pthread_t thread;
    pthread_mutex_t lock;
    struct tkt_commit_item *finished; /* committed, or answered by a worker; under lock */
    struct tkt_commit_item *finished_tail;
    bool stopping;      /* under lock */
    int64_t give_up_ms; /* under lock */
    /* the thread's own: */
    struct conn *conns;
    struct conn *dead;
    size_t conn_count;
    atomic_size_t busy_count; /* requests under way; a worker that answers counts down */
    struct tkt_commit_item *to_commit;
    struct tkt_commit_item *to_commit_tail;
    struct tkt_tools tools;
    int64_t refusal_logged_ms;
    size_t given_up;
};

/* ---- connections ---------------------------------------------------------------------- */

static void conn_close(struct tkt_intake *in, struct conn *c)
{
    /* Not left to close(): a child between fork and exec holds it open, and then epoll
     * would go on telling of what is freed. A muted one is out already. */
    (void)epoll_ctl(in->epoll_fd, EPOLL_CTL_DEL, c->fd, NULL);
    close(c->fd);
    if (c->prev) {
        c->prev->next = c->next;
    } else {
        in->conns = c->next;
    }
    if (c->next) {
        c->next->prev = c->prev;
    }
    in->conn_count--;
    c->dead = true;
    c->next = in->dead;
    in->dead = c;
}

static void bury(struct tkt_intake *in)
{
    while (in->dead) {
        struct conn *c = in->dead;

        in->dead = c->next;
        pthread_mutex_destroy(&c->lock);
        free(c);
    }
}

static void send_and_close(int fd, enum tkt_wire_status status, const char *text)
{
    struct tkt_wire_reply reply = {.status = status,
                                   .text = (char *)text,
                                   .smtp_xcode = (char *)"",
                                   .smtp_text = (char *)"",
                                   .tag_pattern = (char *)"",
                                   .ticket = (char *)"",
                                   .why = (char *)""};
    struct tkt_wire_packet packet;

    tkt_wire_packet_init(&packet);
    if (tkt_wire_reply_encode(&reply, &packet, NULL) == 0) {
        (void)tkt_wire_send(fd, &packet, 0, NULL); /* it may be gone already */
    }
    tkt_wire_packet_release(&packet);
    close(fd);
}

static void refuse(struct tkt_intake *in, int fd, const struct tkt_peer *peer,
                   enum tkt_wire_status status, const char *text)
{
    int64_t now = tkt_clock_mono_ms();

    atomic_fetch_add(&in->d->stats.refused, 1);
    if (now - in->refusal_logged_ms >= REFUSAL_LOG_MS) {
        in->refusal_logged_ms = now;
        tkt_log(TKT_LOG_WARNING, NULL, "intake.refused", "uid", TKT_NUM(peer->uid), "pid",
                TKT_NUM(peer->pid), "text", text, NULL);
    }
    send_and_close(fd, status, text);
}

static size_t conns_of(const struct tkt_intake *in, pid_t pid)
{
    size_t n = 0;

    for (const struct conn *c = in->conns; c; c = c->next) {
        n += c->peer.pid == pid;
    }
    return n;
}

static void take_connection(struct tkt_intake *in, int fd)
{
    struct tkt_settings *set = tkt_settings_get(in->d);
    const struct tkt_conf_limits *limits = &set->conf->limits;
    struct tkt_peer peer = {0};
    struct conn *c = NULL;

    if (tkt_peer_get(fd, &peer, NULL) < 0 || !tkt_access_hook(set->access, &peer)) {
        refuse(in, fd, &peer, TKT_WIRE_PERM, "this user is not in access.hooks");
    } else if (in->conn_count >= (size_t)limits->requests_max) {
        refuse(in, fd, &peer, TKT_WIRE_TEMP, "limits.requests_max is reached");
    } else if (conns_of(in, peer.pid) >= (size_t)limits->requests_per_peer) {
        refuse(in, fd, &peer, TKT_WIRE_TEMP, "limits.requests_per_peer is reached");
    } else if (!(c = calloc(1, sizeof(*c)))) {
        refuse(in, fd, &peer, TKT_WIRE_TEMP, "no memory");
    }
    tkt_settings_put(&set);
    if (!c) {
        return;
    }
    c->fd = fd;
    c->peer = peer;
    pthread_mutex_init(&c->lock, NULL);
    struct epoll_event ev = {.events = EPOLLIN | EPOLLRDHUP, .data.ptr = c};
    if (epoll_ctl(in->epoll_fd, EPOLL_CTL_ADD, fd, &ev) < 0) {
        pthread_mutex_destroy(&c->lock);
        free(c);
        refuse(in, fd, &peer, TKT_WIRE_TEMP, "epoll");
        return;
    }
    c->next = in->conns;
    if (in->conns) {
        in->conns->prev = c;
    }
    in->conns = c;
    in->conn_count++;
}

/* Out of descriptors: the spare one is spent to tell the hook, which else would wait in
 * the backlog until its deadline. */
static void accept_with_spare(struct tkt_intake *in)
{
    close(in->spare_fd);
    int fd = accept4(in->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd >= 0) {
        const struct tkt_peer nobody = {0};

        refuse(in, fd, &nobody, TKT_WIRE_TEMP, "out of descriptors");
    }
    in->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void accept_all(struct tkt_intake *in)
{
    for (int i = 0; i < EVENTS; i++) {
        int fd = accept4(in->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

        if (fd >= 0) {
            take_connection(in, fd);
        } else if (errno == EMFILE || errno == ENFILE) {
            accept_with_spare(in);
        } else if (errno != ECONNABORTED && errno != EINTR) {
            return;
        }
    }
}

/* ---- requests ------------------------------------------------------------------------- */

/* From a worker or the writer: hands finished requests back to the intake thread. */
static void push_finished(struct tkt_intake *in, struct tkt_commit_item *first,
                          struct tkt_commit_item *last)
{
    bool was_empty;

    pthread_mutex_lock(&in->lock);
    was_empty = in->finished == NULL;
    last->next = NULL;
    if (was_empty) {
        in->finished = first;
    } else {
        in->finished_tail->next = first;
    }
    in->finished_tail = last;
    /* Under the lock: once the thread has taken the last one, a stop frees it all. */
    if (was_empty) {
        (void)eventfd_write(in->done_fd,
                            1); /* cannot overflow: it is drained each time */
    }
    pthread_mutex_unlock(&in->lock);
}

static void sink_deliver(struct tkt_commit_sink *sink, struct tkt_commit_item *list)
{
    struct tkt_commit_item *last = list;

    while (last->next) {
        last = last->next;
    }
    push_finished((struct tkt_intake *)sink, list, last);
}

/* A hook reads its one answer before it sends again: a full socket is a broken hook. */
static int send_reply(struct conn *c, const struct tkt_request *req, struct tkt_err *err)
{
    struct tkt_wire_packet packet;

    if (req->decoded && req->wire.no_reply) {
        return 0; /* the hook is gone by now */
    }
    tkt_wire_packet_init(&packet);
    int rc = tkt_wire_reply_encode(&req->reply, &packet, err) < 0
                 ? -1
                 : tkt_wire_send(c->fd, &packet, 0, err);
    tkt_wire_packet_release(&packet);
    return rc;
}

/* In the intake thread, which may also close the connection. */
static void reply(struct tkt_intake *in, struct conn *c)
{
    struct tkt_request *req = c->busy;
    struct tkt_err err = TKT_ERR_INIT;

    if (send_reply(c, req, &err) < 0) {
        tkt_log(TKT_LOG_NOTICE, req->decoded ? req->wire.queue_id : NULL, "reply.unsent",
                "error", err.text, NULL);
        c->broken = true;
    }
    c->busy = NULL;
    tkt_request_free(&req);
    in->busy_count--;
    if (c->broken) {
        conn_close(in, c);
    } else if (c->muted) {
        struct epoll_event ev = {.events = EPOLLIN | EPOLLRDHUP, .data.ptr = c};

        c->muted = false;
        if (epoll_ctl(in->epoll_fd, EPOLL_CTL_ADD, c->fd, &ev) < 0) {
            conn_close(in, c);
        }
    }
}

/* In a worker: saves the way over the intake thread. false: something is the matter with
 * the connection, and that thread has to answer. */
static bool reply_here(struct tkt_intake *in, struct tkt_request *req)
{
    struct conn *c = req->owner;
    bool sent;

    pthread_mutex_lock(&c->lock);
    sent = !c->muted && send_reply(c, req, NULL) == 0;
    if (sent) {
        c->busy = NULL;
    }
    pthread_mutex_unlock(&c->lock);
    if (sent) { /* the connection may be gone by now */
        tkt_request_free(&req);
        in->busy_count--;
    }
    return sent;
}

static void worker_run(struct tkt_tools *tools, struct tkt_work_item *work);

/* In the intake thread: does what the request asks for next. */
static void advance(struct tkt_intake *in, struct tkt_request *req, enum tkt_step step)
{
    struct conn *c = req->owner;

    if (step == TKT_STEP_WORK) {
        req->work.run = worker_run;
        if (tkt_work_push(in->d->work, &req->work) == 0) {
            return;
        }
        struct tkt_err err = TKT_ERR_INIT;
        tkt_err_set(&err, TKT_ERR_TEMP, "too much is waiting");
        step = tkt_request_fail(req, &err);
    }
    if (step == TKT_STEP_COMMIT) {
        req->item.sink = &in->sink;
        req->item.next = NULL;
        if (in->to_commit) {
            in->to_commit_tail->next = &req->item;
        } else {
            in->to_commit = &req->item;
        }
        in->to_commit_tail = &req->item;
        return;
    }
    reply(in, c);
}

static struct tkt_request *request_of_work(struct tkt_work_item *work)
{
    return (struct tkt_request *)((char *)work - offsetof(struct tkt_request, work));
}

/* How the intake thread tells a request that a worker answered from a committed one. */
#define ANSWERED ((void *)1)

static struct tkt_intake *intake_of(const struct tkt_request *req)
{
    return (struct tkt_intake *)req->item.sink;
}

/* To the answer, as long as nobody else has to be waited for. */
static void worker_run(struct tkt_tools *tools, struct tkt_work_item *work)
{
    struct tkt_request *req = request_of_work(work);
    struct tkt_intake *in = intake_of(req);
    enum tkt_step step = TKT_STEP_WORK;

    while (step != TKT_STEP_REPLY) {
        if (step == TKT_STEP_WORK) {
            step = tkt_request_work(req, tools);
        } else if (tkt_commit_here(req->d->commit, &req->item)) {
            step = tkt_request_committed(req);
        } else {
            req->item.next = NULL;
            tkt_commit_push(req->d->commit, &req->item);
            return;
        }
    }
    if (!reply_here(in, req)) {
        req->item.arg = ANSWERED;
        push_finished(in, &req->item, &req->item);
    }
}

/* One packet of an idle connection. */
static void take_request(struct tkt_intake *in, struct conn *c)
{
    struct tkt_wire_packet packet;
    struct tkt_err err = TKT_ERR_INIT;
    int rc;

    tkt_wire_packet_init(&packet);
    rc = tkt_wire_recv(c->fd, &packet, 0, &err);
    if (rc < 0 && errno == EAGAIN) {
        tkt_wire_packet_release(&packet);
        return;
    }
    if (rc == 0 || (rc < 0 && errno != EPROTO)) {
        tkt_wire_packet_release(&packet);
        conn_close(in, c);
        return;
    }
    c->busy = tkt_request_new(in->d, &packet);
    tkt_wire_packet_release(&packet);
    if (!c->busy) {
        conn_close(in, c); /* no memory for an answer either: the hook repeats */
        return;
    }
    in->busy_count++;
    c->busy->owner = c;
    c->busy->item.sink = &in->sink;
    advance(in, c->busy,
            rc < 0 ? tkt_request_refuse(c->busy, &err)
                   : tkt_request_begin(c->busy, &in->tools));
}

/* It spoke (or left) while its request is under way: look again afterwards. */
static bool mute_if_busy(struct tkt_intake *in, struct conn *c, unsigned events)
{
    pthread_mutex_lock(&c->lock);
    bool busy = c->busy != NULL;
    if (busy) {
        c->broken |= (events & (EPOLLHUP | EPOLLERR)) != 0;
        c->muted = true;
        (void)epoll_ctl(in->epoll_fd, EPOLL_CTL_DEL, c->fd, NULL); /* it is in there */
    }
    pthread_mutex_unlock(&c->lock);
    return busy;
}

static void on_event(struct tkt_intake *in, struct conn *c, unsigned events)
{
    if (c->dead || mute_if_busy(in, c, events)) {
        return;
    }
    if (events & EPOLLIN) {
        take_request(in, c);
    } else {
        conn_close(in, c);
    }
}

static void take_finished(struct tkt_intake *in)
{
    struct tkt_commit_item *list;
    eventfd_t ignored;

    (void)eventfd_read(in->done_fd, &ignored); /* only wakes */
    pthread_mutex_lock(&in->lock);
    list = in->finished;
    in->finished = NULL;
    in->finished_tail = NULL;
    pthread_mutex_unlock(&in->lock);
    while (list) {
        struct tkt_request *req = (struct tkt_request *)list;

        list = list->next;
        req->item.next = NULL;
        advance(in, req,
                req->item.arg == ANSWERED ? TKT_STEP_REPLY : tkt_request_committed(req));
    }
}

static void flush_commits(struct tkt_intake *in)
{
    if (in->to_commit) {
        tkt_commit_push(in->d->commit, in->to_commit);
        in->to_commit = NULL;
        in->to_commit_tail = NULL;
    }
}

/* ---- the thread ----------------------------------------------------------------------- */

static bool is_busy(struct conn *c)
{
    pthread_mutex_lock(&c->lock);
    bool busy = c->busy != NULL;
    pthread_mutex_unlock(&c->lock);
    return busy;
}

static void close_idle(struct tkt_intake *in)
{
    for (struct conn *c = in->conns, *next; c; c = next) {
        next = c->next;
        if (!is_busy(c)) {
            conn_close(in, c);
        }
    }
}

/* Once stopping: true when nothing is left to wait for. */
static bool is_over(struct tkt_intake *in)
{
    bool stopping;
    int64_t give_up_ms;

    pthread_mutex_lock(&in->lock);
    stopping = in->stopping;
    give_up_ms = in->give_up_ms;
    pthread_mutex_unlock(&in->lock);
    if (!stopping) {
        return false;
    }
    if (in->listen_fd >= 0) {
        close(in->listen_fd);
        in->listen_fd = -1;
    }
    size_t busy = in->busy_count; /* read first: at 0 every connection is idle */
    close_idle(in);
    if (busy > 0 && tkt_clock_mono_ms() >= give_up_ms) {
        in->given_up = busy;
        return true;
    }
    return busy == 0;
}

static void *intake_main(void *arg)
{
    struct tkt_intake *in = arg;
    struct epoll_event events[EVENTS];

    while (!is_over(in)) {
        int n = epoll_wait(in->epoll_fd, events, EVENTS,
                           in->listen_fd < 0 ? ACCEPT_PAUSE_MS : -1);

        for (int i = 0; i < n; i++) {
            if (events[i].data.ptr == &in->done_fd) {
                take_finished(in);
            } else if (events[i].data.ptr == &in->listen_fd) {
                accept_all(in);
            } else {
                on_event(in, events[i].data.ptr, events[i].events);
            }
        }
        flush_commits(in);
        bury(in);
    }
    bury(in);
    tkt_tools_release(&in->tools);
    return NULL;
}

static int add_fd(struct tkt_intake *in, int fd, void *tag)
{
    struct epoll_event ev = {.events = EPOLLIN, .data.ptr = tag};

    return epoll_ctl(in->epoll_fd, EPOLL_CTL_ADD, fd, &ev);
}

static void intake_free(struct tkt_intake *in)
{
    const int fds[] = {in->listen_fd, in->epoll_fd, in->done_fd, in->spare_fd};

    for (size_t i = 0; i < TKT_ARRAY_LEN(fds); i++) {
        if (fds[i] >= 0) {
            close(fds[i]);
        }
    }
    pthread_mutex_destroy(&in->lock);
    free(in);
}

struct tkt_intake *tkt_intake_start(struct tkt_daemon *d, int listen_fd,
                                    struct tkt_err *err)
{
    struct tkt_intake *in = calloc(1, sizeof(*in));

    if (!in) {
        close(listen_fd);
        tkt_err_set(err, TKT_ERR_TEMP, "intake: no memory");
        return NULL;
    }
    in->sink.deliver = sink_deliver;
    in->d = d;
    in->tools.store_dir = d->store_dir;
    in->listen_fd = listen_fd;
    in->refusal_logged_ms = -REFUSAL_LOG_MS;
    in->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    in->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    in->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    pthread_mutex_init(&in->lock, NULL);
    if (in->epoll_fd < 0 || in->done_fd < 0 ||
        add_fd(in, listen_fd, &in->listen_fd) < 0 ||
        add_fd(in, in->done_fd, &in->done_fd) < 0) {
        tkt_err_errno(err, TKT_ERR_TEMP, "intake: epoll");
        intake_free(in);
        return NULL;
    }
    int rc = pthread_create(&in->thread, NULL, intake_main, in);
    if (rc != 0) {
        tkt_err_set(err, TKT_ERR_TEMP, "intake: thread: %s", strerror(rc));
        intake_free(in);
        return NULL;
    }
    return in;
}

size_t tkt_intake_stop(struct tkt_intake **intake, int64_t drain_ms)
{
    struct tkt_intake *in = *intake;
    size_t given_up;

    if (!in) {
        return 0;
    }
    pthread_mutex_lock(&in->lock);
    in->stopping = true;
    in->give_up_ms = tkt_clock_mono_ms() + drain_ms;
    pthread_mutex_unlock(&in->lock);
    (void)eventfd_write(in->done_fd, 1); /* drained by the thread */
    pthread_join(in->thread, NULL);
    given_up = in->given_up;
    if (given_up == 0) {
        intake_free(in);
    }
    *intake = NULL; /* else what is still under way refers to it until the process ends */
    return given_up;
}
