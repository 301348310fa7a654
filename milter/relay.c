/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/relay.h"

#include "base/util.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>

#define EVENTS_MAX 64
#define PAUSE_MS 100 /* no accept for so long after descriptors ran out */

struct link;

/* One side of a connection. `held` was read from the other side and waits to be written
 * here. */
struct side {
    int fd;
    bool tcp;
    bool eof;      /* nothing more comes from here */
    bool shut;     /* we told this side that nothing more comes */
    bool hup;      /* the peer is gone; epoll tells it again and again */
    bool watched;  /* registered with epoll */
    uint32_t mask; /* what epoll was asked for */
    char *held;
    size_t held_len;
    size_t held_at;
    struct link *link;
};

struct link {
    struct side side[2]; /* TCP, UNIX */
    bool dead;
    struct link *next_dead;
    struct link *next;
    struct link *prev;
};

struct tkt_relay {
    int epoll;
    int listener;
    int wake;        /* eventfd: look at the flags */
    int close_flags; /* atomic: 1 = stop listening, 2 = stop */
    bool listening;
    struct sockaddr_un target;
    size_t connections;
    size_t connections_max;
    struct link *links;
    struct link *dead;
    pthread_t thread;
    char chunk[TKT_RELAY_BUFFER];
};

static struct side *other(struct side *s)
{
    return &s->link->side[s == &s->link->side[0] ? 1 : 0];
}

static void kill_link(struct tkt_relay *r, struct link *l)
{
    if (!l->dead) { /* freed after this round: its events may still be in the list */
        l->dead = true;
        l->next_dead = r->dead;
        r->dead = l;
    }
}

static int watch(struct tkt_relay *r, struct side *s, uint32_t mask)
{
    struct epoll_event ev = {.events = mask, .data.ptr = s};
    int op = s->watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;

    if (mask == 0 && s->hup) { /* nothing to ask for, and told of the end for ever */
        op = EPOLL_CTL_DEL;
    }
    if (op == EPOLL_CTL_DEL && !s->watched) {
        return 0;
    }
    s->watched = op != EPOLL_CTL_DEL;
    s->mask = mask;
    return epoll_ctl(r->epoll, op, s->fd, &ev);
}

/* What this side should be asked for now. */
static void update_mask(struct tkt_relay *r, struct side *s)
{
    uint32_t mask = (!s->eof && other(s)->held_len == 0 ? EPOLLIN : 0U) |
                    (s->held_len > 0 ? EPOLLOUT : 0U);

    if ((mask != s->mask || (mask == 0 && s->hup)) && watch(r, s, mask) < 0) {
        kill_link(r, s->link);
    }
}

/* Writes to s; keeps what does not go out. -1 when the side is gone. */
static int write_or_hold(struct side *s, const char *data, size_t n)
{
    while (n > 0) {
        ssize_t w = send(s->fd, data, n, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (w < 0 && errno == EINTR) {
            continue;
        }
        if (w < 0 && errno != EAGAIN) {
            return -1;
        }
        if (w < 0) {
            break;
        }
        data += w;
        n -= (size_t)w;
    }
    if (n > 0) {
        s->held = malloc(n);
        if (s->held == NULL) {
            return -1;
        }
        memcpy(s->held, data, n);
        s->held_len = n;
        s->held_at = 0;
    }
    return 0;
}

static int write_held(struct side *s)
{
    ssize_t w =
        send(s->fd, s->held + s->held_at, s->held_len, MSG_NOSIGNAL | MSG_DONTWAIT);

    if (w < 0) {
        return errno == EAGAIN || errno == EINTR ? 0 : -1;
    }
    s->held_at += (size_t)w;
    s->held_len -= (size_t)w;
    if (s->held_len == 0) {
        free(s->held);
        s->held = NULL;
    }
    return 0;
}

/* The kernel falls back to delayed ACKs by itself: asked for again after each read. */
static void ack_now(const struct side *s)
{
    int on = 1;

    if (s->tcp) {
        (void)setsockopt(s->fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof(on)); /* slower */
    }
}

static int read_side(struct tkt_relay *r, struct side *s)
{
    ssize_t n = recv(s->fd, r->chunk, sizeof(r->chunk), MSG_DONTWAIT);

    if (n < 0) {
        return errno == EAGAIN || errno == EINTR ? 0 : -1;
    }
    if (n == 0) {
        s->eof = true;
        return 0;
    }
    ack_now(s);
    return write_or_hold(other(s), r->chunk, (size_t)n);
}

/* An end on one side is passed on once all before it is written. */
static void pass_end_on(struct tkt_relay *r, struct link *l)
{
    bool over = false;

    for (int i = 0; i < 2; i++) {
        struct side *from = &l->side[i];
        struct side *to = other(from);
        if (from->eof && !to->shut && to->held_len == 0) {
            (void)shutdown(to->fd, SHUT_WR); /* if it is gone, reading says so */
            to->shut = true;
        }
        over = over || (from->hup && to->shut);
    }
    if (over || (l->side[0].shut && l->side[1].shut)) {
        kill_link(r, l);
    }
}

static void on_side(struct tkt_relay *r, struct side *s, uint32_t events)
{
    struct link *l = s->link;
    int rc = 0;

    if (l->dead) {
        return;
    }
    s->hup = s->hup || (events & (EPOLLHUP | EPOLLERR)) != 0;
    if ((events & EPOLLOUT) != 0 && s->held_len > 0) {
        rc = write_held(s);
    }
    if (rc == 0 && (events & EPOLLOUT) != events && !s->eof && other(s)->held_len == 0) {
        rc = read_side(r, s);
    }
    if (rc < 0) {
        kill_link(r, l);
        return;
    }
    pass_end_on(r, l);
    if (!l->dead) {
        update_mask(r, &l->side[0]);
        update_mask(r, &l->side[1]);
    }
}

static void free_link(struct tkt_relay *r, struct link *l)
{
    for (int i = 0; i < 2; i++) {
        close(l->side[i].fd);
        free(l->side[i].held);
    }
    if (l->prev != NULL) {
        l->prev->next = l->next;
    } else {
        r->links = l->next;
    }
    if (l->next != NULL) {
        l->next->prev = l->prev;
    }
    free(l);
    r->connections--;
}

static int register_side(struct tkt_relay *r, struct link *l, int i, int fd)
{
    struct side *s = &l->side[i];

    *s = (struct side){.fd = fd, .tcp = i == 0, .link = l};
    return watch(r, s, EPOLLIN);
}

static int connect_target(const struct tkt_relay *r)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd >= 0 &&
        connect(fd, (const struct sockaddr *)&r->target, sizeof(r->target)) < 0) {
        close(fd);
        return -1;
    }
    return fd;
}

/* Takes tcp. */
static void add_link(struct tkt_relay *r, int tcp)
{
    int on = 1;
    int fd = connect_target(r);
    struct link *l = fd >= 0 ? calloc(1, sizeof(*l)) : NULL;

    if (l == NULL) { /* the MTA sees the connection go: as if nobody listened */
        close(tcp);
        if (fd >= 0) {
            close(fd);
        }
        return;
    }
    (void)setsockopt(tcp, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)); /* slower without */
    l->next = r->links;
    if (r->links != NULL) {
        r->links->prev = l;
    }
    r->links = l;
    r->connections++;
    int rc = register_side(r, l, 0, tcp);
    if (register_side(r, l, 1, fd) < 0 || rc < 0) {
        kill_link(r, l);
    }
    ack_now(&l->side[0]);
}

/* Level-triggered: what is not accepted now is told again. False: wait a little. */
static bool accept_some(struct tkt_relay *r)
{
    while (r->connections < r->connections_max) {
        int fd = accept4(r->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd >= 0) {
            add_link(r, fd);
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM ||
                   errno == ENOBUFS) {
            return false;
        } else if (errno != EINTR && errno != ECONNABORTED) {
            return true;
        }
    }
    return true;
}

/* The listener is asked only while there is room. */
static void watch_listener(struct tkt_relay *r, bool room)
{
    struct epoll_event ev = {.events = room ? EPOLLIN : 0U, .data.ptr = NULL};

    if (r->listener >= 0 && room != r->listening &&
        epoll_ctl(r->epoll, EPOLL_CTL_MOD, r->listener, &ev) == 0) {
        r->listening = room;
    }
}

static void bury_dead(struct tkt_relay *r)
{
    while (r->dead != NULL) {
        struct link *l = r->dead;
        r->dead = l->next_dead;
        free_link(r, l);
    }
}

static void stop_listening(struct tkt_relay *r)
{
    if (r->listener >= 0) {
        close(r->listener);
        r->listener = -1;
        r->listening = false;
    }
}

static void *relay_main(void *arg)
{
    struct tkt_relay *r = arg;
    struct epoll_event events[EVENTS_MAX];
    bool pausing = false;

    while ((__atomic_load_n(&r->close_flags, __ATOMIC_ACQUIRE) & 2) == 0) {
        watch_listener(r, !pausing && r->connections < r->connections_max);
        int n = epoll_wait(r->epoll, events, EVENTS_MAX, pausing ? PAUSE_MS : -1);
        pausing = false;
        for (int i = 0; i < n; i++) {
            if (events[i].data.ptr == r) { /* woken */
                uint64_t count;
                (void)!read(r->wake, &count, sizeof(count)); /* only to make it quiet */
            } else if (events[i].data.ptr != NULL) {
                on_side(r, events[i].data.ptr, events[i].events);
            } else if (r->listener >= 0) {
                pausing = !accept_some(r);
            }
        }
        if ((__atomic_load_n(&r->close_flags, __ATOMIC_ACQUIRE) & 1) != 0) {
            stop_listening(r);
        }
        bury_dead(r);
    }
    return NULL;
}

static int set_up(struct tkt_relay *r, struct tkt_err *err)
{
    struct epoll_event ev = {.events = EPOLLIN, .data.ptr = NULL};
    struct epoll_event wake = {.events = EPOLLIN, .data.ptr = r};

    r->epoll = epoll_create1(EPOLL_CLOEXEC);
    r->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    int flags = fcntl(r->listener, F_GETFL);
    if (r->epoll < 0 || r->wake < 0 || flags < 0 ||
        fcntl(r->listener, F_SETFL, flags | O_NONBLOCK) < 0 ||
        epoll_ctl(r->epoll, EPOLL_CTL_ADD, r->listener, &ev) < 0 ||
        epoll_ctl(r->epoll, EPOLL_CTL_ADD, r->wake, &wake) < 0) {
        return tkt_err_errno(err, TKT_ERR_TEMP, "relay");
    }
    r->listening = true;
    int rc = pthread_create(&r->thread, NULL, relay_main, r);
    return rc == 0 ? 0 : tkt_err_set(err, TKT_ERR_TEMP, "relay: no thread");
}

static void free_relay(struct tkt_relay *r)
{
    while (r->links != NULL) {
        free_link(r, r->links);
    }
    stop_listening(r);
    if (r->epoll >= 0) {
        close(r->epoll);
    }
    if (r->wake >= 0) {
        close(r->wake);
    }
    free(r);
}

struct tkt_relay *tkt_relay_start(int listener, const char *unix_path,
                                  size_t connections_max, struct tkt_err *err)
{
    struct tkt_relay *r = calloc(1, sizeof(*r));
    size_t n = strlen(unix_path);

    if (r == NULL || n >= sizeof(r->target.sun_path)) {
        (void)tkt_err_set(err, TKT_ERR_CONF, "relay: %s: too long", unix_path); /* NULL */
        free(r);
        close(listener);
        return NULL;
    }
    r->listener = listener;
    r->connections_max = connections_max;
    r->target.sun_family = AF_UNIX;
    memcpy(r->target.sun_path, unix_path, n + 1);
    if (set_up(r, err) < 0) {
        free_relay(r);
        return NULL;
    }
    return r;
}

static void wake_with(struct tkt_relay *r, int flag)
{
    uint64_t one = 1;

    __atomic_or_fetch(&r->close_flags, flag, __ATOMIC_RELEASE);
    (void)!write(r->wake, &one, sizeof(one)); /* full means it is awake anyway */
}

void tkt_relay_close_listener(struct tkt_relay *relay)
{
    wake_with(relay, 1);
}

void tkt_relay_stop(struct tkt_relay **relay)
{
    struct tkt_relay *r = *relay;

    if (r == NULL) {
        return;
    }
    wake_with(r, 2);
    pthread_join(r->thread, NULL);
    free_relay(r);
    *relay = NULL;
}
