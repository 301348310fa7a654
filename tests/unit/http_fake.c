/* SPDX-License-Identifier: BSD-2-Clause */
#include "http_fake.h"

#include "base/hash.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define HEAD_MAX 65536
#define CONNS_MAX 256

struct route {
    char path[200];
    int status;
    const char *body;
};
struct fake {
    struct route routes[16];
    int listener;
    int port;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_t conns[CONNS_MAX];
    int fds[CONNS_MAX];
    int conn_count;
    atomic_int requests, at_once, most;
    char head[HEAD_MAX];
    size_t body;
    unsigned char sha256[32];
};
struct conn {
    struct fake *fake;
    int fd;
    char buf[HEAD_MAX];
    size_t have;
};

static void say(int fd, const char *text)
{
    (void)!send(fd, text, strlen(text), MSG_NOSIGNAL); /* the client may be gone */
}

static void answer(int fd, int status, const char *fields, const char *body)
{
    char head[1024];

    snprintf(head, sizeof(head), "HTTP/1.1 %d X\r\nContent-Length: %zu\r\n%s\r\n", status,
             strlen(body), fields);
    say(fd, head);
    say(fd, body);
}

#define JSON "Content-Type: application/json; charset=utf-8\r\n"

static void stream(int fd, long bytes)
{
    char head[200];
    char block[65536];

    snprintf(head, sizeof(head), "HTTP/1.1 200 OK\r\nContent-Length: %ld\r\n" JSON "\r\n",
             bytes);
    say(fd, head);
    memset(block, ' ', sizeof(block));
    while (bytes > 0) {
        ssize_t n = send(fd, block, bytes < 65536 ? (size_t)bytes : 65536, MSG_NOSIGNAL);
        if (n <= 0) {
            return;
        }
        bytes -= n;
    }
}

static struct route *route_of(struct fake *f, const char *path)
{
    for (size_t i = 0; i < 16; i++) {
        if (strcmp(f->routes[i].path, path) == 0) {
            return &f->routes[i];
        }
    }
    return NULL;
}

void fake_answer(struct fake *f, const char *path, int status, const char *body)
{
    pthread_mutex_lock(&f->lock);
    struct route *r = route_of(f, path);

    r = r ? r : route_of(f, "");
    if (!r) {
        abort();
    }
    snprintf(r->path, sizeof(r->path), "%s", path);
    r->status = status;
    r->body = body;
    pthread_mutex_unlock(&f->lock);
}

static bool answer_route(struct conn *c, const char *path)
{
    pthread_mutex_lock(&c->fake->lock);
    struct route *found = *path ? route_of(c->fake, path) : NULL;
    struct route r = found ? *found : (struct route){0};
    pthread_mutex_unlock(&c->fake->lock);
    if (found) {
        answer(c->fd, r.status, JSON, r.body);
    }
    return found != NULL;
}

/* false: the connection ends. */
static bool act(struct conn *c, const char *path)
{
    int fd = c->fd;
    char field[200];

    if (answer_route(c, path)) {
        return true;
    }
    if (strncmp(path, "/slow/", 6) == 0) {
        struct pollfd gone = {.fd = fd, .events = POLLRDHUP};

        if (poll(&gone, 1, atoi(path + 6)) != 0) {
            return false; /* who asked waits no longer */
        }
        answer(fd, 200, JSON, "{}");
    } else if (strcmp(path, "/drip") == 0) {
        say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n" JSON "\r\n");
        while (send(fd, " ", 1, MSG_NOSIGNAL) == 1) {
            usleep(100000);
        }
        return false;
    } else if (strcmp(path, "/drop") == 0) {
        return false;
    } else if (strncmp(path, "/reset-after/", 13) == 0) {
        if (atomic_load(&c->fake->requests) >= atoi(path + 13)) {
            return false;
        }
        answer(fd, 200, JSON, "{}");
    } else if (strcmp(path, "/half") == 0) {
        say(fd, "HTTP/1.1 201 Created\r\nContent-Length: 100\r\n" JSON "\r\n{\"id\":");
        return false;
    } else if (strcmp(path, "/html") == 0) {
        answer(fd, 200, "Content-Type: text/html\r\n", "<html>log in</html>");
    } else if (strcmp(path, "/notype") == 0) {
        answer(fd, 200, "", "{}");
    } else if (strcmp(path, "/problem") == 0) {
        answer(fd, 200, "Content-Type: application/vnd.x+json\r\n", "{}");
    } else if (strncmp(path, "/huge/", 6) == 0) {
        stream(fd, atol(path + 6));
    } else if (strncmp(path, "/status/", 8) == 0) {
        answer(fd, atoi(path + 8), JSON "Location: http://127.0.0.1:1/secret\r\n", "{}");
    } else if (strncmp(path, "/later/", 7) == 0) {
        snprintf(field, sizeof(field), JSON "Retry-After: %.40s\r\n", path + 7);
        answer(fd, 429, field, "{}");
    } else if (strcmp(path, "/laterdate") == 0) {
        time_t at = time(NULL) + 90;
        struct tm tm;
        char date[64];

        gmtime_r(&at, &tm);
        strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", &tm);
        snprintf(field, sizeof(field), JSON "Retry-After: %s\r\n", date);
        answer(fd, 503, field, "{}");
    } else if (strcmp(path, "/quota403") == 0) {
        answer(fd, 403, JSON "X-RateLimit-Remaining: 0\r\n", "{}");
    } else {
        answer(fd, 200, JSON "X-Request-Id: r-1\r\n", "{\"ok\":true}");
    }
    return true;
}

static bool more(struct conn *c)
{
    ssize_t n = recv(c->fd, c->buf + c->have, sizeof(c->buf) - 1 - c->have, 0);

    if (n <= 0) {
        return false;
    }
    c->have += (size_t)n;
    c->buf[c->have] = '\0';
    return true;
}

static long length_of(const char *head)
{
    for (const char *p = head; p; p = strstr(p, "\r\n")) {
        p += *p == '\r' ? 2 : 0;
        if (strncasecmp(p, "Content-Length:", 15) == 0) {
            return atol(p + 15);
        }
        if (*p == '\0') {
            break;
        }
    }
    return 0;
}

/* Reads one request; false at the end of the connection. */
static bool one(struct conn *c)
{
    char *end;
    char path[4200];
    struct tkt_sha256 sha;
    unsigned char digest[32];

    while (!(end = strstr(c->buf, "\r\n\r\n"))) {
        if (c->have >= sizeof(c->buf) - 1 || !more(c)) {
            return false;
        }
    }
    *end = '\0';
    size_t head = (size_t)(end - c->buf) + 4;
    long left = length_of(c->buf);
    long body = left;

    pthread_mutex_lock(&c->fake->lock);
    snprintf(c->fake->head, sizeof(c->fake->head), "%s", c->buf);
    pthread_mutex_unlock(&c->fake->lock);
    if (sscanf(c->buf, "%*s %4199s", path) != 1) {
        return false;
    }
    memmove(c->buf, c->buf + head, c->have - head + 1);
    c->have -= head;
    tkt_sha256_init(&sha);
    while (left > 0) {
        size_t n = c->have < (size_t)left ? c->have : (size_t)left;

        tkt_sha256_add(&sha, c->buf, n);
        memmove(c->buf, c->buf + n, c->have - n + 1);
        c->have -= n;
        left -= (long)n;
        if (left > 0 && !more(c)) {
            tkt_sha256_release(&sha);
            return false;
        }
    }
    tkt_sha256_final(&sha, digest);
    pthread_mutex_lock(&c->fake->lock);
    c->fake->body = (size_t)body;
    memcpy(c->fake->sha256, digest, sizeof(digest));
    pthread_mutex_unlock(&c->fake->lock);
    atomic_fetch_add(&c->fake->requests, 1);
    int now = atomic_fetch_add(&c->fake->at_once, 1) + 1;
    if (now > atomic_load(&c->fake->most)) {
        atomic_store(&c->fake->most, now);
    }
    bool go_on = act(c, path);
    atomic_fetch_sub(&c->fake->at_once, 1);
    return go_on;
}

static void *serve(void *arg)
{
    struct conn *c = arg;

    while (one(c)) {
    }
    shutdown(c->fd, SHUT_RDWR); /* the descriptor is closed at the end */
    free(c);
    return NULL;
}

static void *listen_main(void *arg)
{
    struct fake *f = arg;
    int fd;

    while ((fd = accept(f->listener, NULL, NULL)) >= 0) {
        struct conn *c = calloc(1, sizeof(*c));

        pthread_mutex_lock(&f->lock);
        if (!c || f->conn_count == CONNS_MAX) {
            abort();
        }
        c->fake = f;
        c->fd = fd;
        f->fds[f->conn_count] = fd;
        pthread_create(&f->conns[f->conn_count++], NULL, serve, c);
        pthread_mutex_unlock(&f->lock);
    }
    return NULL;
}

struct fake *fake_start(void)
{
    struct fake *f = calloc(1, sizeof(*f));
    struct sockaddr_in in = {.sin_family = AF_INET};
    socklen_t len = sizeof(in);

    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (!f || (f->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) < 0 ||
        bind(f->listener, (struct sockaddr *)&in, sizeof(in)) < 0 ||
        listen(f->listener, 128) < 0 ||
        getsockname(f->listener, (struct sockaddr *)&in, &len) < 0) {
        abort();
    }
    f->port = ntohs(in.sin_port);
    pthread_mutex_init(&f->lock, NULL);
    pthread_create(&f->thread, NULL, listen_main, f);
    return f;
}

void fake_stop(struct fake **fake)
{
    struct fake *f = *fake;

    shutdown(f->listener, SHUT_RDWR);
    pthread_join(f->thread, NULL);
    close(f->listener);
    for (int i = 0; i < f->conn_count; i++) {
        shutdown(f->fds[i], SHUT_RDWR);
    }
    for (int i = 0; i < f->conn_count; i++) {
        pthread_join(f->conns[i], NULL);
        close(f->fds[i]);
    }
    pthread_mutex_destroy(&f->lock);
    free(f);
    *fake = NULL;
}

const char *fake_url(struct fake *f, const char *path)
{
    static char rooms[4][4300];
    static int next;
    char *room = rooms[next++ % 4];

    snprintf(room, sizeof(rooms[0]), "http://127.0.0.1:%d%s", f->port, path);
    return room;
}

int fake_requests(struct fake *f)
{
    return atomic_load(&f->requests);
}

int fake_connections(struct fake *f)
{
    pthread_mutex_lock(&f->lock);
    int n = f->conn_count;
    pthread_mutex_unlock(&f->lock);
    return n;
}

int fake_most_at_once(struct fake *f)
{
    return atomic_load(&f->most);
}

const char *fake_last_head(struct fake *f)
{
    return f->head;
}

size_t fake_last_body(struct fake *f, unsigned char sha256[32])
{
    pthread_mutex_lock(&f->lock);
    memcpy(sha256, f->sha256, 32);
    size_t n = f->body;
    pthread_mutex_unlock(&f->lock);
    return n;
}
