/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketd/control/control.h"

#include "base/clock.h"
#include "base/enc.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/util.h"
#include "wire/control.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sysexits.h>

#define DATA_MAX (64u * 1024 * 1024)

struct connection {
    struct tkt_control *control;
    int fd;
    bool stranger; /* without any role: may only ping */
};

struct tkt_control {
    struct tkt_daemon *d;
    int listen_fd;
    int stop_fd; /* eventfd: readable once everything shall end */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t gone;
    unsigned connections;
    unsigned strangers; /* of these; never all, or anybody could lock the owner out */
};

static int exit_code_of(const struct tkt_err *err)
{
    switch (err->class) {
    case TKT_ERR_NONE:
        return EX_OK;
    case TKT_ERR_TEMP:
        return EX_TEMPFAIL;
    case TKT_ERR_PERM:
        return EX_DATAERR;
    case TKT_ERR_CONF:
        return EX_CONFIG;
    case TKT_ERR_BUG:
        break;
    }
    return EX_SOFTWARE;
}

/* Splits the packet into verb and arguments; they point into its body. */
static int read_request(struct tkt_wire_packet *pkt, struct tkt_control_request *req,
                        struct tkt_err *err)
{
    struct tkt_wire_cursor cursor;
    char *name;
    char *value;
    bool first = true;
    int rc;

    tkt_wire_cursor_init(&cursor, pkt);
    while ((rc = tkt_wire_next(&cursor, &name, &value, err)) == 1) {
        if (first && (strcmp(name, "v") != 0 || strcmp(value, "1") != 0)) {
            return tkt_err_set(err, TKT_ERR_PERM, "the first line must be v=1");
        }
        if (first) {
            first = false;
        } else if (strcmp(name, "verb") == 0) {
            req->verb = value;
        } else if (req->arg_count == TKT_CONTROL_ARGS_MAX) {
            return tkt_err_set(err, TKT_ERR_PERM, "more than %d arguments",
                               TKT_CONTROL_ARGS_MAX);
        } else {
            req->args[req->arg_count++] = (struct tkt_control_arg){name, value};
        }
    }
    if (rc == 0 && !req->verb) {
        return tkt_err_set(err, TKT_ERR_PERM, "no verb");
    }
    return rc;
}

static int send_reply(int fd, struct tkt_control_request *req, const struct tkt_err *err)
{
    struct tkt_wire_packet out;
    struct tkt_err local = TKT_ERR_INIT;
    bool failed = err->class != TKT_ERR_NONE;
    int code = failed && req->exit_code == 0 ? exit_code_of(err) : req->exit_code;
    int rc;

    tkt_wire_packet_init(&out);
    (void)tkt_wire_add(&out.body, "v", "1"); /* a full buffer shows in body.failed */
    (void)tkt_wire_add(&out.body, "status", code == 0 ? "ok" : "error");
    (void)tkt_wire_add_int(&out.body, "exit", code);
    (void)tkt_wire_add(&out.body, "text", failed ? err->text : req->text);
    if (!failed && req->has_data) {
        int data_fd = req->out_fd;

        if (data_fd < 0) {
            data_fd = tkt_memfd_sealed("control", tkt_buf_str(&req->data), req->data.len,
                                       &local);
        }
        req->out_fd = -1;
        if (data_fd < 0 || tkt_wire_packet_take_fd(&out, data_fd) < 0) {
            tkt_wire_packet_release(&out);
            return -1;
        }
    }
    rc = out.body.failed
             ? -1
             : tkt_wire_send(fd, &out, tkt_clock_mono_ms() + TKT_CONTROL_IDLE_MS, &local);
    tkt_wire_packet_release(&out);
    return rc;
}

/* One request and its answer. false: the connection is to be closed. */
static bool serve_one(struct connection *c, const struct tkt_peer *peer)
{
    struct tkt_wire_packet pkt;
    struct tkt_err err = TKT_ERR_INIT;
    struct tkt_control_request req = {
        .d = c->control->d, .in_fd = -1, .out_fd = -1, .data = TKT_BUF_INIT(DATA_MAX)};
    int64_t start = tkt_clock_mono_ms();
    bool open;

    tkt_wire_packet_init(&pkt);
    int rc = tkt_wire_recv(c->fd, &pkt, start + TKT_CONTROL_IDLE_MS, &err);
    if (rc == 0 || (rc < 0 && err.class != TKT_ERR_PERM)) {
        tkt_wire_packet_release(&pkt);
        return false;
    }
    if (rc == 1 && read_request(&pkt, &req, &err) == 0) {
        struct tkt_settings *set = tkt_settings_get(c->control->d);

        req.role = tkt_access_role(set->access, peer);
        tkt_settings_put(&set);
        tkt_peer_name(peer, req.who);
        req.in_fd = pkt.fd_count > 0 ? pkt.fds[0] : -1;
        (void)tkt_control_verb(&req, &err); /* err tells the outcome */
        tkt_log(err.class == TKT_ERR_BUG ? TKT_LOG_ERROR : TKT_LOG_INFO, NULL,
                "control.request", "verb", req.verb, "who", req.who, "role",
                tkt_role_names[req.role], "status", tkt_err_class_name(err.class), "text",
                err.class ? err.text : NULL, "ms", TKT_NUM(tkt_clock_mono_ms() - start),
                NULL);
    }
    open = send_reply(c->fd, &req, &err) == 0 && rc == 1;
    if (req.out_fd >= 0) {
        close(req.out_fd);
    }
    tkt_reader_close(&req.reader);
    tkt_buf_release(&req.data);
    tkt_wire_packet_release(&pkt);
    return open;
}

/* true: there is a packet; false: idle too long, or stopping. */
static bool wait_readable(const struct connection *c)
{
    struct pollfd p[2] = {{.fd = c->fd, .events = POLLIN},
                          {.fd = c->control->stop_fd, .events = POLLIN}};
    int rc;

    do {
        rc = poll(p, 2, TKT_CONTROL_IDLE_MS);
    } while (rc < 0 && errno == EINTR);
    return rc > 0 && p[0].revents != 0 && p[1].revents == 0;
}

static void *connection_main(void *arg)
{
    struct connection *c = arg;
    struct tkt_control *control = c->control;
    struct tkt_peer peer;
    struct tkt_err err = TKT_ERR_INIT;

    if (tkt_peer_get(c->fd, &peer, &err) == 0) {
        while (wait_readable(c) && serve_one(c, &peer)) {
        }
    }
    bool stranger = c->stranger;
    close(c->fd);
    free(c);
    pthread_mutex_lock(&control->lock);
    control->connections--;
    control->strangers -= stranger;
    pthread_cond_signal(&control->gone);
    pthread_mutex_unlock(&control->lock);
    return NULL;
}

static void refuse(int fd)
{
    struct tkt_control_request req = {.exit_code = EX_TEMPFAIL,
                                      .text = "too many control connections; try again",
                                      .out_fd = -1};
    struct tkt_err none = TKT_ERR_INIT;

    (void)send_reply(fd, &req, &none); /* who is refused may be gone already */
    close(fd);
}

static bool is_stranger(struct tkt_control *control, int fd)
{
    struct tkt_settings *set = tkt_settings_get(control->d);
    struct tkt_peer peer;
    bool stranger = tkt_peer_get(fd, &peer, NULL) < 0 ||
                    tkt_access_role(set->access, &peer) == TKT_ROLE_NONE;

    tkt_settings_put(&set);
    return stranger;
}

static void take_connection(struct tkt_control *control, int fd)
{
    struct connection *c = calloc(1, sizeof(*c));
    bool stranger = is_stranger(control, fd);
    pthread_attr_t attr;
    pthread_t thread;
    bool room;

    pthread_mutex_lock(&control->lock);
    room = control->connections < TKT_CONTROL_CONNECTIONS &&
           (!stranger || control->strangers < TKT_CONTROL_STRANGERS);
    control->connections += room && c;
    control->strangers += room && c && stranger;
    pthread_mutex_unlock(&control->lock);
    if (!c || !room) {
        free(c);
        refuse(fd);
        return;
    }
    c->control = control;
    c->fd = fd;
    c->stranger = stranger;
    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    int rc = pthread_create(&thread, &attr, connection_main, c);
    pthread_attr_destroy(&attr);
    if (rc != 0) {
        free(c);
        pthread_mutex_lock(&control->lock);
        control->connections--;
        control->strangers -= stranger;
        pthread_mutex_unlock(&control->lock);
        refuse(fd);
    }
}

static void *control_main(void *arg)
{
    struct tkt_control *control = arg;
    struct pollfd p[2] = {{.fd = control->listen_fd, .events = POLLIN},
                          {.fd = control->stop_fd, .events = POLLIN}};

    for (;;) {
        if (poll(p, 2, -1) < 0 && errno != EINTR) {
            break;
        }
        if (p[1].revents) {
            break;
        }
        int fd = accept4(control->listen_fd, NULL, NULL, SOCK_CLOEXEC);
        if (fd >= 0) {
            take_connection(control, fd);
        } else if (errno == EMFILE || errno == ENFILE) {
            (void)poll(NULL, 0, 100); /* the connection stays in the backlog meanwhile */
        }
    }
    return NULL;
}

const char *tkt_control_arg(const struct tkt_control_request *req, const char *name)
{
    for (size_t i = 0; i < req->arg_count; i++) {
        if (strcmp(req->args[i].name, name) == 0) {
            return req->args[i].value;
        }
    }
    return NULL;
}

int64_t tkt_control_number(const struct tkt_control_request *req, const char *name,
                           int64_t otherwise)
{
    const char *value = tkt_control_arg(req, name);
    int64_t n = otherwise;

    if (value) {
        (void)tkt_parse_int(value, 0, INT64_MAX, &n); /* checked already */
    }
    return n;
}

struct tkt_control *tkt_control_start(struct tkt_daemon *d, int listen_fd,
                                      struct tkt_err *err)
{
    struct tkt_control *control = calloc(1, sizeof(*control));

    if (!control) {
        close(listen_fd);
        tkt_err_set(err, TKT_ERR_TEMP, "control: no memory");
        return NULL;
    }
    control->d = d;
    control->listen_fd = listen_fd;
    control->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    pthread_mutex_init(&control->lock, NULL);
    pthread_cond_init(&control->gone, NULL);
    int rc = pthread_create(&control->thread, NULL, control_main, control);
    if (rc != 0) {
        tkt_err_set(err, TKT_ERR_TEMP, "control: thread: %s", strerror(rc));
        close(listen_fd);
        close(control->stop_fd);
        free(control);
        return NULL;
    }
    return control;
}

void tkt_control_stop(struct tkt_control **control)
{
    struct tkt_control *c = *control;

    if (!c) {
        return;
    }
    (void)eventfd_write(c->stop_fd, 1); /* a fresh eventfd has room for 1 */
    pthread_join(c->thread, NULL);
    close(c->listen_fd);
    pthread_mutex_lock(&c->lock);
    while (c->connections) {
        pthread_cond_wait(&c->gone, &c->lock);
    }
    pthread_mutex_unlock(&c->lock);
    close(c->stop_fd);
    pthread_cond_destroy(&c->gone);
    pthread_mutex_destroy(&c->lock);
    free(c);
    *control = NULL;
}
