/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/engine.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/util.h"
#include "milter/proto.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define FIRST_THREADS 2
#define SPARE_THREADS 32 /* that may wait for events; more go */
#define STACK_BYTES (256 * 1024)
#define HELD_MAX (TKT_PROTO_LENGTH_BYTES + TKT_PROTO_PACKET_MAX)
#define READ_BYTES 16384

struct conn {
    struct tkt_proto proto; /* first: send() and may_block() get no more than it */
    struct tkt_engine *engine;
    int fd;
    atomic_llong last_ms;
    atomic_uint turns; /* what a thread did is seen by the next one: not only by epoll */
    struct tkt_buf held; /* the beginning of a packet */
    struct conn *prev;   /* of the engine's list */
    struct conn *next;
};

struct tkt_engine {
    struct tkt_milter *milter;
    int epoll;
    bool tcp;
    size_t connections_max;
    atomic_uint threads;
    atomic_uint waiting; /* threads in epoll_wait() */
    atomic_uint busy;    /* threads with a connection in hand */
    atomic_bool paused;  /* the listener is not watched */
    int listener;        /* once closed, another name of epoll: nothing to accept from */
    atomic_size_t conn_count;
    pthread_mutex_t lock; /* of conns */
    struct conn *conns;
};

/* What a thread reads into. */
struct room {
    char data[READ_BYTES];
};

static bool start_thread(struct tkt_engine *e);

/* ---- the listener ---- */

static void watch_listener(struct tkt_engine *e)
{
    struct epoll_event ev = {.events = EPOLLIN | EPOLLONESHOT, .data.ptr = NULL};

    (void)epoll_ctl(e->epoll, EPOLL_CTL_MOD, e->listener, &ev); /* fails once closed */
}

static void resume(struct tkt_engine *e)
{
    if (atomic_load(&e->paused) && atomic_exchange(&e->paused, false)) {
        watch_listener(e);
    }
}

/* ---- connections ---- */

/* Only new ones are put in with ADD. 0, or -1. */
static int watch_conn(struct conn *c, int op)
{
    struct epoll_event ev = {.events = EPOLLIN | EPOLLRDHUP | EPOLLONESHOT,
                             .data.ptr = c};
    int epoll = c->engine->epoll;
    int fd = c->fd;

    atomic_fetch_add_explicit(&c->turns, 1, memory_order_release);
    return epoll_ctl(epoll, op, fd, &ev); /* it may be another thread's, or gone, now */
}

static void free_conn(struct conn *c)
{
    struct tkt_engine *e = c->engine;

    pthread_mutex_lock(&e->lock);
    if (c->prev != NULL) {
        c->prev->next = c->next;
    } else {
        e->conns = c->next;
    }
    if (c->next != NULL) {
        c->next->prev = c->prev;
    }
    pthread_mutex_unlock(&e->lock);
    tkt_proto_release(&c->proto);
    tkt_buf_release(&c->held);
    close(c->fd);
    free(c);
    atomic_fetch_sub(&e->conn_count, 1);
    resume(e);
}

/* All of it, or -1. */
static int send_all(struct conn *c, const char *data, size_t n)
{
    int64_t until_ms = 0; /* of the whole, lest a byte now and then keeps a thread */

    while (n > 0) {
        ssize_t w = send(c->fd, data, n, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (w >= 0) {
            data += w;
            n -= (size_t)w;
        } else if (errno == EAGAIN) { /* the MTA does not read */
            struct pollfd pfd = {.fd = c->fd, .events = POLLOUT};
            int64_t now_ms = tkt_clock_mono_ms();
            until_ms = until_ms == 0 ? now_ms + TKT_ENGINE_SEND_MS : until_ms;
            c->proto.may_block(&c->proto);
            if (now_ms >= until_ms || poll(&pfd, 1, (int)(until_ms - now_ms)) == 0) {
                return -1;
            }
        } else if (errno != EINTR) {
            return -1;
        }
    }
    return 0;
}

static int send_out(struct tkt_proto *p)
{
    struct conn *c = (struct conn *)(void *)p;
    int rc = send_all(c, p->out.data, p->out.len);

    tkt_buf_reset(&p->out);
    return rc;
}

static void make_room_for_others(struct tkt_proto *p)
{
    const struct conn *c = (const struct conn *)(const void *)p;

    if (atomic_load(&c->engine->waiting) == 0) {
        (void)start_thread(c->engine); /* else the others wait until we are back */
    }
}

/* The kernel falls back to delayed ACKs by itself: asked for again after each read. */
static void ack_now(const struct conn *c)
{
    int on = 1;

    if (c->engine->tcp) {
        (void)setsockopt(c->fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof(on)); /* slower */
    }
}

/* The rest of the packet in hand goes to its beginning, what follows into the room. */
static ssize_t read_some(struct conn *c, struct room *room, size_t want)
{
    struct iovec iov[2] = {{c->held.data + c->held.len, want},
                           {room->data, sizeof(room->data)}};
    struct msghdr msg = {.msg_iov = want > 0 ? iov : iov + 1,
                         .msg_iovlen = want > 0 ? 2 : 1};

    return recvmsg(c->fd, &msg, MSG_DONTWAIT);
}

/* Completes the packet in hand from n bytes of news. The bytes used, or -1: it is over. */
static ssize_t finish_held(struct conn *c, const char *news, size_t n)
{
    size_t used = 0;

    while (c->held.len > 0) {
        size_t missing = tkt_proto_missing(c->held.data, c->held.len);
        if (missing == 0) {
            ssize_t taken = tkt_proto_feed(&c->proto, c->held.data, c->held.len);
            tkt_buf_release(&c->held);
            return taken < 0 ? -1 : (ssize_t)used;
        }
        size_t k = TKT_MIN(missing, n - used);
        if (k == 0 || tkt_buf_add(&c->held, news + used, k) < 0) {
            return k == 0 ? (ssize_t)used : -1;
        }
        used += k;
    }
    return (ssize_t)used;
}

/* False when the connection is over. */
static bool take_news(struct conn *c, const char *news, size_t n)
{
    ssize_t used = finish_held(c, news, n);

    if (used < 0 || c->held.len > 0) {
        return used >= 0;
    }
    ssize_t taken = tkt_proto_feed(&c->proto, news + used, n - (size_t)used);
    if (taken < 0) {
        return false;
    }
    size_t rest = n - (size_t)used - (size_t)taken;
    return rest == 0 || tkt_buf_add(&c->held, news + n - rest, rest) == 0;
}

/* Reads and answers once; false when the connection is over. */
static bool serve(struct conn *c, struct room *room)
{
    (void)atomic_load_explicit(&c->turns, memory_order_acquire);
    size_t want = c->held.len > 0 ? tkt_proto_missing(c->held.data, c->held.len) : 0;

    if (want > 0 && tkt_buf_reserve(&c->held, want) < 0) {
        return false;
    }
    ssize_t n = read_some(c, room, want);
    if (n <= 0) {
        return n < 0 && (errno == EAGAIN || errno == EINTR);
    }
    ack_now(c);
    atomic_store_explicit(&c->last_ms, tkt_clock_mono_ms(), memory_order_relaxed);
    size_t completing = TKT_MIN((size_t)n, want);
    c->held.len += completing;
    bool more = take_news(c, room->data, (size_t)n - completing);
    return (c->proto.out.len == 0 || send_out(&c->proto) == 0) && more;
}

static struct conn *new_conn(struct tkt_engine *e, int fd)
{
    struct conn *c = calloc(1, sizeof(*c));

    if (c == NULL) {
        return NULL;
    }
    tkt_proto_init(&c->proto, e->milter);
    c->proto.send = send_out;
    c->proto.may_block = make_room_for_others;
    c->engine = e;
    c->fd = fd;
    atomic_init(&c->last_ms, tkt_clock_mono_ms());
    tkt_buf_init(&c->held, HELD_MAX);
    pthread_mutex_lock(&e->lock);
    c->next = e->conns;
    if (c->next != NULL) {
        c->next->prev = c;
    }
    e->conns = c;
    pthread_mutex_unlock(&e->lock);
    return c;
}

/* What the MTA negotiates is often there already. */
static void start_conn(struct tkt_engine *e, int fd, struct room *room)
{
    int on = 1;
    struct conn *c = new_conn(e, fd);

    if (c == NULL) { /* the MTA sees the connection go: as if nobody listened */
        close(fd);
        atomic_fetch_sub(&e->conn_count, 1);
        return;
    }
    if (e->tcp) {
        /* slower without the first; a dead peer stays longer without the second */
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    }
    if (!serve(c, room) || watch_conn(c, EPOLL_CTL_ADD) < 0) {
        free_conn(c);
    }
}

/* Not watched until a connection ends or the next tick. */
static void pause_listening(struct tkt_engine *e, const char *reason)
{
    if (!atomic_exchange(&e->paused, true)) {
        tkt_log(TKT_LOG_WARNING, NULL, "milter.full", "reason", reason, NULL);
    }
}

/* A place is taken before the listener is watched again: two threads that accept at once
 * must not both see the last one. */
static void on_listener(struct tkt_engine *e, struct room *room)
{
    if (atomic_fetch_add(&e->conn_count, 1) >= e->connections_max) {
        atomic_fetch_sub(&e->conn_count, 1);
        pause_listening(e, "connections");
        if (atomic_load(&e->conn_count) < e->connections_max) {
            resume(e); /* one ended meanwhile and found nothing to resume */
        }
        return;
    }
    int fd = accept4(e->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    int saved = errno;
    if (fd < 0) {
        atomic_fetch_sub(&e->conn_count, 1);
    }
    if (fd < 0 &&
        (saved == EMFILE || saved == ENFILE || saved == ENOMEM || saved == ENOBUFS)) {
        pause_listening(e, strerror(saved));
        return;
    }
    watch_listener(e);
    if (fd >= 0) {
        start_conn(e, fd, room);
    }
}

/* ---- threads ---- */

static void handle(struct tkt_engine *e, struct conn *c, struct room *room)
{
    atomic_fetch_add(&e->busy, 1);
    if (c == NULL) {
        on_listener(e, room);
    } else if (!serve(c, room) || watch_conn(c, EPOLL_CTL_MOD) < 0) {
        free_conn(c);
    }
    atomic_fetch_sub(&e->busy, 1);
}

/* One event at a time: a second one would wait behind a first that blocks. */
static void *thread_main(void *arg)
{
    struct tkt_engine *e = arg;
    struct room *room = malloc(sizeof(*room));
    struct epoll_event ev;

    while (room != NULL) {
        if (atomic_fetch_add(&e->waiting, 1) >= SPARE_THREADS) {
            atomic_fetch_sub(&e->waiting, 1);
            break;
        }
        int n = epoll_wait(e->epoll, &ev, 1, -1);
        atomic_fetch_sub(&e->waiting, 1);
        if (n == 1) {
            handle(e, ev.data.ptr, room);
        }
    }
    free(room);
    atomic_fetch_sub(&e->threads, 1);
    return NULL;
}

static bool start_thread(struct tkt_engine *e)
{
    pthread_attr_t attr;
    pthread_t thread;

    if (atomic_fetch_add(&e->threads, 1) >= TKT_ENGINE_THREADS_MAX ||
        pthread_attr_init(&attr) != 0) {
        atomic_fetch_sub(&e->threads, 1);
        return false;
    }
    (void)pthread_attr_setstacksize(&attr, STACK_BYTES); /* else a larger one */
    (void)pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED); /* it is valid */
    int rc = pthread_create(&thread, &attr, thread_main, e);
    pthread_attr_destroy(&attr);
    if (rc != 0) {
        atomic_fetch_sub(&e->threads, 1);
    }
    return rc == 0;
}

/* ---- the owner's ---- */

struct tkt_engine *tkt_engine_start(struct tkt_milter *milter, int listener, bool tcp,
                                    size_t connections_max, struct tkt_err *err)
{
    struct epoll_event ev = {.events = EPOLLIN | EPOLLONESHOT, .data.ptr = NULL};
    struct tkt_engine *e = calloc(1, sizeof(*e));

    if (e == NULL) {
        (void)tkt_err_set(err, TKT_ERR_TEMP, "no memory"); /* NULL tells it */
        return NULL;
    }
    e->milter = milter;
    e->listener = listener;
    e->tcp = tcp;
    e->connections_max = connections_max;
    e->epoll = epoll_create1(EPOLL_CLOEXEC);
    int flags = fcntl(listener, F_GETFL);
    if (pthread_mutex_init(&e->lock, NULL) != 0 || e->epoll < 0 || flags < 0 ||
        fcntl(listener, F_SETFL, flags | O_NONBLOCK) < 0 ||
        epoll_ctl(e->epoll, EPOLL_CTL_ADD, listener, &ev) < 0) {
        (void)tkt_err_errno(err, TKT_ERR_TEMP, "engine"); /* as above */
        return NULL; /* the process ends: nothing is taken back */
    }
    for (int i = 0; i < FIRST_THREADS; i++) {
        if (!start_thread(e)) {
            (void)tkt_err_set(err, TKT_ERR_TEMP, "engine: no thread"); /* as above */
            return NULL;
        }
    }
    return e;
}

/* Shut, not closed: its event comes and whoever gets it ends the connection. */
void tkt_engine_tick(struct tkt_engine *e, int64_t idle_ms)
{
    int64_t oldest = tkt_clock_mono_ms() - idle_ms;

    resume(e);
    pthread_mutex_lock(&e->lock);
    for (struct conn *c = e->conns; c != NULL; c = c->next) {
        if (atomic_load_explicit(&c->last_ms, memory_order_relaxed) < oldest) {
            (void)shutdown(c->fd, SHUT_RDWR); /* gone already is as good */
        }
    }
    pthread_mutex_unlock(&e->lock);
}

/* Threads may be using the descriptor: it stays valid, and nobody listens any more. */
void tkt_engine_close_listener(struct tkt_engine *e)
{
    (void)dup2(e->epoll, e->listener); /* both are open: it can't fail */
}

unsigned tkt_engine_busy(struct tkt_engine *e)
{
    return atomic_load(&e->busy);
}
