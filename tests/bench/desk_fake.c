/* SPDX-License-Identifier: BSD-2-Clause
 * A desk on loopback that is fast, and faulty on demand: the part of RT's REST 2 that
 * ticketd uses, one thread, keep-alive.
 *
 *     desk_fake [--lose PERCENT] [--refuse PERCENT] [--lag MS] [--slow MS] [--seed N]
 *
 * Prints {"port":N}. --lose: so many answers to creates and comments are lost after they
 * were carried out; --refuse: so many are refused with a status that may be tried again;
 * --lag: a new ticket is found by a search only after up to so long; --slow: each answer
 * waits so long. GET /stats tells what came, and how much of it was wrong: doubled (a
 * second ticket with a key), disorder (a comment before the one in front of it), repeated
 * (a comment twice), and when the first and the last ticket came.
 */
#include "base/clock.h"
#include "base/enc.h"
#include "base/util.h"

#include <arpa/inet.h>
#include <cjson/cJSON.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CONNS_MAX 1024
#define REQUEST_MAX (1 << 20)
#define KEY_LEN 35
#define SLOTS (1u << 21)
#define TICKETS_MAX (SLOTS / 2)

struct ticket {
    char key[KEY_LEN + 1];
    int64_t visible_ms;
    int comments;  /* the last one's number */
    uint32_t note; /* the newest in its history; 0: none */
};

struct note {
    uint32_t before; /* the note of the same ticket before it */
    bool is_public;
    time_t at;
    char *text; /* base64 */
};

struct conn {
    int fd;
    char *in;
    size_t len, room;
    char out[2048];
    size_t out_len;
    int64_t due_ms; /* when out may go; 0: nothing to send */
    bool drop;      /* then it is closed without it */
};

static struct {
    int lose, refuse;
    int64_t lag_ms, slow_ms, seed;
    int epoll, listener;
    struct ticket *tickets; /* 1, 2, ... are their numbers */
    size_t count;
    uint32_t *slots;
    struct note *notes; /* 1, 2, ... are the numbers of transactions and attachments */
    uint32_t note_count;
    struct conn *conns[CONNS_MAX];
    uint64_t random;
    int64_t posts, doubled, disorder, repeated, comments, refused, lost, searches, hits;
    int64_t first_us, last_us;
} fake;

static void must(bool ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "desk_fake: %s: %s\n", what, strerror(errno));
        exit(1);
    }
}

static uint32_t below(uint32_t n)
{
    fake.random = fake.random * 6364136223846793005u + 1442695040888963407u;
    return n == 0 ? 0 : (uint32_t)(fake.random >> 33) % n;
}

/* ---- tickets ----------------------------------------------------------------------------- */

static uint32_t *slot_of(const char *key)
{
    uint32_t h = 2166136261u;

    for (size_t i = 0; i < KEY_LEN; i++) {
        h = (h ^ (unsigned char)key[i]) * 16777619u;
    }
    for (;; h++) {
        uint32_t *slot = &fake.slots[h % SLOTS];

        if (*slot == 0 || memcmp(fake.tickets[*slot].key, key, KEY_LEN) == 0) {
            return slot;
        }
    }
}

static void answer(struct conn *c, int status, const char *extra, const char *body)
{
    int n = snprintf(c->out, sizeof(c->out),
                     "HTTP/1.1 %d X\r\nContent-Type: application/json\r\n%s"
                     "Content-Length: %zu\r\n\r\n%s",
                     status, extra, strlen(body), body);

    must(n > 0 && (size_t)n < sizeof(c->out), "answer");
    c->out_len = (size_t)n;
    c->due_ms = tkt_clock_mono_ms() + fake.slow_ms;
}

/* true: it was refused. */
static bool refuses(struct conn *c)
{
    static const struct {
        int status;
        const char *extra;
    } ways[] = {{503, ""}, {500, ""}, {429, ""}, {503, ""},
                {502, ""}, {500, ""}, {503, ""}, {429, "Retry-After: 1\r\n"}};
    uint32_t way = below(TKT_ARRAY_LEN(ways) * 4);

    if (below(100) >= (uint32_t)fake.refuse) {
        return false;
    }
    /* Retry-After is for the whole target: seldom, or nothing but that is measured. */
    way = way == TKT_ARRAY_LEN(ways) - 1 ? way : way % (TKT_ARRAY_LEN(ways) - 1);
    fake.refused++;
    answer(c, ways[way].status, ways[way].extra, "{\"message\":\"not now\"}");
    return true;
}

static void maybe_lose(struct conn *c)
{
    if (below(100) < (uint32_t)fake.lose) {
        fake.lost++;
        c->drop = true;
    }
}

static void create(struct conn *c, const char *body)
{
    const char *key = strstr(body, "\"mt-");
    char text[200];

    fake.posts++;
    if (key == NULL || strlen(key) < KEY_LEN + 2 || fake.count + 2 > TICKETS_MAX) {
        answer(c, 422, "", "{\"message\":\"no key\"}");
        return;
    }
    if (refuses(c)) {
        return;
    }
    uint32_t *slot = slot_of(key + 1);

    fake.doubled += *slot != 0;
    struct ticket *t = &fake.tickets[++fake.count];

    memcpy(t->key, key + 1, KEY_LEN);
    t->visible_ms = tkt_clock_mono_ms() + below((uint32_t)fake.lag_ms);
    *slot = *slot == 0 ? (uint32_t)fake.count : *slot;
    fake.last_us = tkt_clock_mono_us();
    fake.first_us = fake.first_us == 0 ? fake.last_us : fake.first_us;
    snprintf(text, sizeof(text),
             "{\"id\":\"%zu\",\"type\":\"ticket\",\"_url\":\"/REST/2.0/ticket/%zu\"}",
             fake.count, fake.count);
    answer(c, 201, "", text);
    maybe_lose(c);
}

static void search(struct conn *c, const char *target)
{
    const char *key = strstr(target, "mt-");
    char text[400];

    fake.searches++;
    if (key == NULL || strlen(key) < KEY_LEN) {
        answer(c, 400, "", "{\"message\":\"no key\"}");
        return;
    }
    uint32_t n = *slot_of(key);
    bool hit = n != 0 && fake.tickets[n].visible_ms <= tkt_clock_mono_ms();

    fake.hits += hit;
    if (hit) {
        snprintf(text, sizeof(text),
                 "{\"items\":[{\"id\":\"%u\",\"type\":\"ticket\",\"CustomFields\":"
                 "[{\"name\":\"CorrelationId\",\"values\":[\"%s\"]}]}],\"total\":1}",
                 n, fake.tickets[n].key);
    } else {
        snprintf(text, sizeof(text), "{\"items\":[],\"total\":0}");
    }
    answer(c, 200, "", text);
}

static void add_note(struct ticket *t, const char *body, bool is_public)
{
    cJSON *json = cJSON_Parse(body);
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItem(json, "Content"));
    size_t n = text == NULL ? 0 : strlen(text);

    if (++fake.note_count % 4096 == 1) {
        fake.notes = realloc(fake.notes, (fake.note_count + 4096) * sizeof(*fake.notes));
        must(fake.notes != NULL, "memory");
    }
    struct note *note = &fake.notes[fake.note_count];
    *note = (struct note){.before = t->note,
                          .is_public = is_public,
                          .at = time(NULL),
                          .text = malloc(n * 4 / 3 + 8)};
    must(note->text != NULL, "memory");
    EVP_EncodeBlock((unsigned char *)note->text, (const unsigned char *)text, (int)n);
    t->note = fake.note_count;
    cJSON_Delete(json);
}

/* "... step 3 ...": comments of a ticket are numbered from 1. */
static void comment(struct conn *c, const char *target, const char *body)
{
    const char *place = strstr(target, "/ticket/");
    long n = place == NULL ? 0 : strtol(place + 8, NULL, 10);
    const char *step = strstr(body, "step ");
    int number = step == NULL ? 0 : (int)strtol(step + 5, NULL, 10);

    if (n < 1 || (size_t)n > fake.count || number < 1) {
        answer(c, 404, "", "{\"message\":\"no such ticket\"}");
        return;
    }
    if (refuses(c)) {
        return;
    }
    struct ticket *t = &fake.tickets[n];

    fake.comments++;
    fake.disorder += number > t->comments + 1;
    fake.repeated += number <= t->comments;
    t->comments = TKT_MAX(t->comments, number);
    add_note(t, body, strstr(target, "/correspond") != NULL);
    answer(c, 201, "", "[\"Comments added\"]");
    maybe_lose(c);
}

static size_t add_item(char *out, size_t room, uint32_t note, const char *at, bool text)
{
    const char *comma = out[-1] == '[' ? "" : ",";
    int n;

    if (text) {
        n = snprintf(out, room,
                     "%s{\"id\":\"%u\",\"TransactionId\":\"%u\",\"Created\":\"%s\","
                     "\"ContentType\":\"text/plain\",\"Filename\":\"\"}",
                     comma, note, note, at);
    } else {
        n = snprintf(out, room,
                     "%s{\"id\":\"%u\",\"Created\":\"%s\",\"Type\":\"%s\","
                     "\"Creator\":{\"id\":\"us\"}}",
                     comma, note, at,
                     fake.notes[note].is_public ? "Correspond" : "Comment");
    }
    return (size_t)n;
}

/* What we know of a ticket: itself, "/history", "/attachments" (a text each). */
static void show(struct conn *c, const char *target)
{
    char *below;
    unsigned long n = strtoul(target, &below, 10);
    bool wants_texts = strncmp(below, "/attachments", 12) == 0;
    char text[1800];
    size_t len;

    if (n < 1 || n > fake.count) {
        answer(c, 404, "", "{\"message\":\"no such ticket\"}");
        return;
    }
    if (*below == '?') {
        snprintf(text, sizeof(text),
                 "{\"id\":\"%lu\",\"Status\":\"new\",\"Queue\":{\"Name\":\"General\"},"
                 "\"Owner\":{\"id\":\"Nobody\"},\"Creator\":{\"id\":\"us\"}}",
                 n);
        answer(c, 200, "", text);
        return;
    }
    len = (size_t)snprintf(text, sizeof(text), "{\"items\":[");
    for (uint32_t i = fake.tickets[n].note; i != 0 && len < sizeof(text) - 300;
         i = fake.notes[i].before) {
        char at[32];
        struct tm tm;

        strftime(at, sizeof(at), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&fake.notes[i].at, &tm));
        len += add_item(text + len, sizeof(text) - len, i, at, wants_texts);
    }
    snprintf(text + len, sizeof(text) - len, "]}");
    answer(c, 200, "", text);
}

static void show_text(struct conn *c, const char *target)
{
    unsigned long n = strtoul(target, NULL, 10);
    char text[1800];

    if (n < 1 || n > fake.note_count) {
        answer(c, 404, "", "{\"message\":\"no such attachment\"}");
        return;
    }
    must(strlen(fake.notes[n].text) < sizeof(text) - 100, "a long text");
    snprintf(text, sizeof(text), "{\"id\":\"%lu\",\"Content\":\"%s\"}", n,
             fake.notes[n].text);
    answer(c, 200, "", text);
}

static void stats(struct conn *c)
{
    char text[800];
    int64_t whole = 0;

    for (uint32_t i = 1; i <= fake.count; i++) {
        whole += fake.tickets[i].comments;
    }
    snprintf(text, sizeof(text),
             "{\"tickets\":%zu,\"posts\":%" PRId64 ",\"doubled\":%" PRId64
             ",\"disorder\":%" PRId64 ",\"comments\":%" PRId64 ",\"distinct\":%" PRId64
             ",\"repeated\":%" PRId64 ",\"refused\":%" PRId64 ",\"lost\":%" PRId64
             ",\"searches\":%" PRId64 ",\"hits\":%" PRId64 ",\"took_us\":%" PRId64 "}",
             fake.count, fake.posts, fake.doubled, fake.disorder, fake.comments, whole,
             fake.repeated, fake.refused, fake.lost, fake.searches, fake.hits,
             fake.last_us - fake.first_us);
    answer(c, 200, "", text);
    c->due_ms = 1;
}

static void reset(struct conn *c)
{
    memset(fake.slots, 0, SLOTS * sizeof(*fake.slots));
    memset(fake.tickets, 0, (fake.count + 1) * sizeof(*fake.tickets));
    while (fake.note_count > 0) {
        free(fake.notes[fake.note_count--].text);
    }
    fake.count = 0;
    fake.posts = fake.doubled = fake.disorder = fake.repeated = fake.comments = 0;
    fake.refused = fake.lost = fake.searches = fake.hits = 0;
    fake.first_us = fake.last_us = 0;
    answer(c, 200, "", "{}");
    c->due_ms = 1;
}

/* ---- HTTP -------------------------------------------------------------------------------- */

static void hang_up(struct conn *c)
{
    fake.conns[c->fd] = NULL;
    close(c->fd);
    free(c->in);
    free(c);
}

static void serve(struct conn *c, char *head, char *body)
{
    char *target = strchr(head, ' ');
    bool posts = strncmp(head, "POST ", 5) == 0;

    *strchr(head, '\r') = '\0';
    if (target != NULL && strncmp(++target, "/stats", 6) == 0) {
        stats(c);
    } else if (target != NULL && strncmp(target, "/reset", 6) == 0) {
        reset(c);
    } else if (posts && strncmp(target, "/REST/2.0/ticket ", 17) == 0) {
        create(c, body);
    } else if (posts && strncmp(target, "/REST/2.0/ticket/", 17) == 0) {
        comment(c, target, body);
    } else if (target != NULL && strncmp(target, "/REST/2.0/tickets?", 18) == 0) {
        search(c, target);
    } else if (target != NULL && strncmp(target, "/REST/2.0/ticket/", 17) == 0) {
        show(c, target + 17);
    } else if (target != NULL && strncmp(target, "/REST/2.0/attachment/", 21) == 0) {
        show_text(c, target + 21);
    } else {
        answer(c, 404, "", "{\"message\":\"no such thing\"}");
    }
}

/* One request at a time; its bytes leave the buffer. */
static void look(struct conn *c)
{
    char *end = c->due_ms == 0 && c->len > 0 ? strstr(c->in, "\r\n\r\n") : NULL;

    if (end == NULL) {
        return;
    }
    const char *length = strcasestr(c->in, "\r\ncontent-length:");
    size_t head = (size_t)(end - c->in) + 4;
    size_t size = length != NULL && length < end ? strtoul(length + 17, NULL, 10) : 0;

    if (c->len < head + size) {
        return;
    }
    char after = c->in[head + size];

    c->in[head + size] = '\0';
    serve(c, c->in, c->in + head);
    c->in[head + size] = after;
    c->len -= head + size;
    memmove(c->in, c->in + head + size, c->len + 1);
}

static bool send_due(struct conn *c, int64_t now_ms)
{
    if (c->due_ms == 0 || c->due_ms > now_ms) {
        return true;
    }
    c->due_ms = 0;
    /* Small, and its reader waits for it: a full buffer is no case here. */
    return !c->drop &&
           send(c->fd, c->out, c->out_len, MSG_NOSIGNAL) == (ssize_t)c->out_len;
}

static bool take_bytes(struct conn *c)
{
    if (c->room - c->len < 65536) {
        must(c->room < REQUEST_MAX, "a request too large");
        c->room = c->room == 0 ? 131072 : c->room * 2;
        must((c->in = realloc(c->in, c->room + 1)) != NULL, "memory");
    }
    ssize_t n = recv(c->fd, c->in + c->len, c->room - c->len, MSG_DONTWAIT);

    if (n <= 0) {
        return n < 0 && errno == EAGAIN;
    }
    c->len += (size_t)n;
    c->in[c->len] = '\0';
    return true;
}

static void drive(struct conn *c, bool readable)
{
    bool open = !readable || take_bytes(c);

    while (open && c->due_ms == 0) {
        look(c);
        if (c->due_ms == 0) {
            return;
        }
        open = send_due(c, tkt_clock_mono_ms());
    }
    if (!open) {
        hang_up(c);
    }
}

static void welcome(void)
{
    int one = 1;
    int fd = accept4(fake.listener, NULL, NULL, SOCK_CLOEXEC);

    if (fd < 0) {
        return;
    }
    struct conn *c = fd < CONNS_MAX ? calloc(1, sizeof(*c)) : NULL;
    if (c == NULL) {
        close(fd);
        return;
    }
    c->fd = fd;
    fake.conns[fd] = c;
    struct epoll_event e = {.events = EPOLLIN, .data.fd = fd};
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    must(epoll_ctl(fake.epoll, EPOLL_CTL_ADD, fd, &e) == 0, "epoll_ctl");
}

/* The ms until the next answer may go; -1: none waits. */
static int send_all_due(void)
{
    int64_t now = tkt_clock_mono_ms();
    int wait = -1;

    for (int i = 0; fake.slow_ms > 0 && i < CONNS_MAX; i++) {
        struct conn *c = fake.conns[i];

        if (c != NULL && c->due_ms > 0 && c->due_ms <= now) {
            if (!send_due(c, now)) {
                hang_up(c);
                continue;
            }
            drive(c, false);
            c = fake.conns[i];
        }
        if (c != NULL && c->due_ms > 0) {
            int left = (int)TKT_MAX(c->due_ms - now, INT64_C(0));
            wait = wait < 0 ? left : TKT_MIN(wait, left);
        }
    }
    return wait;
}

static void listen_here(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(at);
    struct epoll_event e = {.events = EPOLLIN};

    fake.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    fake.epoll = epoll_create1(EPOLL_CLOEXEC);
    must(fake.listener >= 0 && fake.epoll >= 0 &&
             bind(fake.listener, (struct sockaddr *)(void *)&at, sizeof(at)) == 0 &&
             listen(fake.listener, 512) == 0 &&
             getsockname(fake.listener, (struct sockaddr *)(void *)&at, &n) == 0,
         "listen");
    e.data.fd = fake.listener;
    must(epoll_ctl(fake.epoll, EPOLL_CTL_ADD, fake.listener, &e) == 0, "epoll_ctl");
    printf("{\"port\":%d}\n", ntohs(at.sin_port));
    fflush(stdout);
}

static int64_t option(int argc, char **argv, const char *name, int64_t most)
{
    int64_t value = 0;

    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], name) == 0 &&
            tkt_parse_int(argv[i + 1], 0, most, &value) < 0) {
            fprintf(stderr, "desk_fake: %s %s\n", name, argv[i + 1]);
            exit(64);
        }
    }
    return value;
}

int main(int argc, char **argv)
{
    struct epoll_event events[64];

    fake.lose = (int)option(argc, argv, "--lose", 100);
    fake.refuse = (int)option(argc, argv, "--refuse", 100);
    fake.lag_ms = option(argc, argv, "--lag", 600000);
    fake.slow_ms = option(argc, argv, "--slow", 60000);
    fake.random = (uint64_t)option(argc, argv, "--seed", INT64_MAX) * 2 + 1;
    fake.tickets = calloc(TICKETS_MAX, sizeof(*fake.tickets));
    fake.slots = calloc(SLOTS, sizeof(*fake.slots));
    must(fake.tickets != NULL && fake.slots != NULL, "memory");
    listen_here();
    for (;;) {
        int n = epoll_wait(fake.epoll, events, TKT_ARRAY_LEN(events), send_all_due());

        for (int i = 0; i < n; i++) {
            if (events[i].data.fd == fake.listener) {
                welcome();
            } else if (fake.conns[events[i].data.fd] != NULL) {
                drive(fake.conns[events[i].data.fd], true);
            }
        }
    }
}
