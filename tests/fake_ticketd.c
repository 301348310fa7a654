/* SPDX-License-Identifier: BSD-2-Clause
 * A ticketd for the milter's tests: speaks the intake protocol, keeps nothing, and does
 * what a word in the message's Subject asks for.
 *
 *   fake_ticketd SOCKET FOLDER [lookup] [gen=N] [max=N] ADDRESS[,accept][,off]...
 *
 * Each request becomes a line in FOLDER/log, each message FOLDER/N.eml. Words: temp, perm,
 * silent, slow (1 s), held (until there is FOLDER/go, for a minute at most), stale (once a run, then with generation + 1), close (once a run),
 * refuse (550), defer (451), big (an edit that no MTA takes), plain (no edits), addrcpt,
 * garbage. LOOKUP refuses tokens beginning with "bad".
 */
#include "base/clock.h"
#include "base/fs.h"
#include "base/util.h"
#include "wire/intake.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define BIG_VALUE 100000

static const char *folder;
static struct tkt_wire_desk desks[64];
static size_t desk_count;
static bool want_lookup;
static atomic_ulong generation = 7;
static uint64_t message_max = 20 << 20; /* twice that once it went stale */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of all below, and the log */
static unsigned messages;
static bool went_stale;
static bool closed_once;

static void save_message(int fd, unsigned number)
{
    char path[512];
    struct tkt_buf b;

    tkt_buf_init(&b, 64 << 20);
    snprintf(path, sizeof(path), "%s/%u.eml", folder, number);
    off_t at = 0;
    char chunk[4096];
    ssize_t n;
    while ((n = pread(fd, chunk, sizeof(chunk), at)) > 0) {
        tkt_buf_add(&b, chunk, (size_t)n);
        at += n;
    }
    if (tkt_replace_file(path, b.len > 0 ? b.data : "", b.len, 0644, NULL) < 0) {
        perror(path);
    }
    tkt_buf_release(&b);
}

static void log_request(const struct tkt_wire_request *r, unsigned number, int fd)
{
    static const char *const verbs[] = {"hello",  "reserve", "confirm",
                                        "cancel", "lookup",  "ping"};
    char path[512];
    struct stat st = {0};

    snprintf(path, sizeof(path), "%s/log", folder);
    FILE *f = fopen(path, "a");
    if (f == NULL) {
        return;
    }
    if (fd >= 0) {
        (void)fstat(fd, &st); /* the size stays 0 */
    }
    fprintf(f,
            "%s n=%u hook=%s gen=%lu sender=<%s> others=%u smtp=%d leadspc=%d size=%lld ",
            verbs[r->verb], number, r->hook, (unsigned long)r->generation, r->sender,
            r->other_rcpts, r->smtp_path, r->leadspc, (long long)st.st_size);
    fprintf(f, "queue=%s mta=%s addr=%s name=%s helo=%s tls=%s cert=%s auth=%s token=%s",
            r->queue_id, r->mta_host, r->client_addr, r->client_name, r->helo, r->tls,
            r->tls_subject, r->auth_login, r->token);
    for (size_t i = 0; i < r->rcpt_count; i++) {
        fprintf(f, " rcpt=%s%s", r->rcpts[i].addr,
                r->rcpts[i].relayed ? "(relayed)" : "");
    }
    for (size_t i = 0; i < r->field_count; i++) {
        fprintf(f, " field=%s#%u(%zu)", r->fields[i].name, r->fields[i].index,
                strlen(r->fields[i].value));
    }
    fprintf(f, "\n");
    fclose(f);
}

static const struct tkt_wire_field *subject_of(const struct tkt_wire_request *r)
{
    for (size_t i = 0; i < r->field_count; i++) {
        if (strcmp(r->fields[i].name, "Subject") == 0) {
            return &r->fields[i];
        }
    }
    return NULL;
}

static void add_edits(const struct tkt_wire_request *r, const char *words,
                      struct tkt_wire_reply *rep, struct tkt_wire_edit *edits,
                      char *tagged, size_t cap)
{
    const struct tkt_wire_field *subject = subject_of(r);
    const char *blank = r->leadspc ? " " : "";
    static char big[BIG_VALUE + 1];
    static char id[16] = " IT-1";

    rep->edits = edits;
    for (size_t i = r->field_count; i-- > 0;) {
        if (strncasecmp(r->fields[i].name, "X-Ticket-", 9) == 0) {
            edits[rep->edit_count++] = (struct tkt_wire_edit){
                TKT_WIRE_DELETE, r->fields[i].index, r->fields[i].name, ""};
        }
    }
    snprintf(tagged, cap, "%s[IT-1]%s%s", blank, r->leadspc ? "" : " ",
             subject != NULL ? subject->value : "");
    if (strstr(words, "big") != NULL) {
        memset(big, 'x', BIG_VALUE);
        edits[rep->edit_count++] =
            (struct tkt_wire_edit){TKT_WIRE_CHANGE, 1, "Subject", big};
    } else if (subject != NULL) {
        edits[rep->edit_count++] =
            (struct tkt_wire_edit){TKT_WIRE_CHANGE, subject->index, "Subject", tagged};
    } else {
        edits[rep->edit_count++] =
            (struct tkt_wire_edit){TKT_WIRE_INSERT, 0, "Subject", tagged};
    }
    edits[rep->edit_count++] = (struct tkt_wire_edit){TKT_WIRE_INSERT, 0, "X-Ticket-ID",
                                                      r->leadspc ? id : id + 1};
    if (strstr(words, "addrcpt") != NULL) {
        edits[rep->edit_count++] =
            (struct tkt_wire_edit){TKT_WIRE_ADDRCPT, 0, NULL, "group@example.test"};
    }
}

static void wait_for_go(void)
{
    char path[512];

    snprintf(path, sizeof(path), "%s/go", folder);
    for (int i = 0; i < 6000 && access(path, F_OK) < 0; i++) {
        poll(NULL, 0, 10);
    }
}

/* False: no answer at all. *text: an answer that is none. */
static bool judge(const char *words, struct tkt_wire_reply *rep, const char **text)
{
    if (strstr(words, "silent") != NULL) {
        poll(NULL, 0, 60000);
        return false;
    }
    if (strstr(words, "slow") != NULL) {
        poll(NULL, 0, 1000);
    }
    if (strstr(words, "held") != NULL) {
        wait_for_go();
    }
    pthread_mutex_lock(&lock);
    bool close_now = strstr(words, "close") != NULL && !closed_once;
    bool stale_now = strstr(words, "stale") != NULL && !went_stale;
    closed_once = closed_once || close_now;
    went_stale = went_stale || stale_now;
    generation += stale_now ? 1 : 0;
    pthread_mutex_unlock(&lock);
    if (stale_now) {
        rep->status = TKT_WIRE_STALE;
    } else if (strstr(words, "temp") != NULL) {
        rep->status = TKT_WIRE_TEMP;
    } else if (strstr(words, "perm") != NULL) {
        rep->status = TKT_WIRE_PERM;
    } else if (strstr(words, "garbage") != NULL) {
        *text = "v=1\nstatus=nonsense\n";
    } else if (strstr(words, "refuse") != NULL || strstr(words, "defer") != NULL) {
        bool refuse = strstr(words, "refuse") != NULL;
        rep->smtp_code = refuse ? 550 : 451;
        rep->smtp_xcode = refuse ? "5.7.1" : "4.7.1";
        rep->smtp_text = "100% not\nwanted";
    }
    return !close_now;
}

static void send_reply(int sock, const struct tkt_wire_reply *rep, const char *text)
{
    struct tkt_wire_packet pkt;
    struct tkt_err err = TKT_ERR_INIT;

    if (tkt_wire_reply_encode(rep, &pkt, &err) < 0) {
        fprintf(stderr, "fake_ticketd: %s\n", err.text);
        return;
    }
    if (text != NULL) {
        tkt_buf_reset(&pkt.body);
        tkt_buf_adds(&pkt.body, text);
    }
    if (tkt_wire_send(sock, &pkt, tkt_clock_mono_ms() + 5000, &err) < 0) {
        fprintf(stderr, "fake_ticketd: %s\n", err.text);
    }
    tkt_wire_packet_release(&pkt);
}

static bool answer_reserve(int sock, const struct tkt_wire_request *r)
{
    struct tkt_wire_ticket ticket = {
        .desk = "it", .id = "IT-1", .hold = "", .status = "created", .priority = 3};
    struct tkt_wire_edit *edits = calloc(TKT_WIRE_EDITS_MAX, sizeof(*edits));
    char *tagged = malloc(TKT_WIRE_VALUE_MAX);
    struct tkt_wire_reply rep = {
        .generation = generation, .tickets = &ticket, .ticket_count = 1, .text = ""};
    const struct tkt_wire_field *subject = subject_of(r);
    const char *words = subject != NULL ? subject->value : "";
    const char *text = NULL;
    bool answer = judge(words, &rep, &text);

    if (answer) {
        if (rep.status == TKT_WIRE_OK && rep.smtp_code == 0 &&
            strstr(words, "plain") == NULL) {
            add_edits(r, words, &rep, edits, tagged, TKT_WIRE_VALUE_MAX);
        }
        send_reply(sock, &rep, text);
    }
    free(edits);
    free(tagged);
    return answer;
}

/* False: hang up. */
static bool serve(int sock, const struct tkt_wire_request *r, int fd)
{
    struct tkt_wire_reply rep = {.generation = generation,
                                 .desks = desks,
                                 .desk_count = desk_count,
                                 .message_max = message_max << went_stale,
                                 .rcpt_lookup = want_lookup};
    unsigned number = 0;

    pthread_mutex_lock(&lock);
    if (fd >= 0) {
        number = ++messages;
        save_message(fd, number);
    }
    log_request(r, number, fd);
    pthread_mutex_unlock(&lock);
    if (r->verb == TKT_WIRE_RESERVE) {
        return answer_reserve(sock, r);
    }
    if (r->verb == TKT_WIRE_LOOKUP) {
        bool bad = strncmp(r->token, "bad", 3) == 0;
        rep = (struct tkt_wire_reply){.why = bad ? "forged" : "valid",
                                      .ticket = bad ? "" : "IT-1",
                                      .smtp_code = bad ? 550 : 0,
                                      .smtp_xcode = bad ? "5.1.1" : "",
                                      .smtp_text = bad ? "no such token" : ""};
    }
    send_reply(sock, &rep, NULL);
    return true;
}

static void *connection(void *arg)
{
    int sock = (int)(intptr_t)arg;
    struct tkt_wire_packet pkt;
    struct tkt_wire_request r;
    struct tkt_err err = TKT_ERR_INIT;
    bool more = true;

    tkt_wire_packet_init(&pkt);
    while (more && tkt_wire_recv(sock, &pkt, INT64_MAX, &err) == 1) {
        if (tkt_wire_request_decode(&pkt, &r, &err) < 0) {
            fprintf(stderr, "fake_ticketd: %s\n", err.text);
            break;
        }
        more = serve(sock, &r, pkt.fds[0]);
        tkt_wire_request_release(&r);
    }
    tkt_wire_packet_release(&pkt);
    close(sock);
    return NULL;
}

static void take_argument(char *arg)
{
    if (strcmp(arg, "lookup") == 0) {
        want_lookup = true;
    } else if (strncmp(arg, "gen=", 4) == 0) {
        generation = strtoul(arg + 4, NULL, 10);
    } else if (strncmp(arg, "max=", 4) == 0) {
        message_max = strtoul(arg + 4, NULL, 10);
    } else if (desk_count < TKT_ARRAY_LEN(desks)) {
        bool accept = strstr(arg, ",accept") != NULL;
        bool off = strstr(arg, ",off") != NULL;
        arg[strcspn(arg, ",")] = '\0';
        desks[desk_count++] = (struct tkt_wire_desk){"it", arg, "+", accept, off, false};
    }
}

int main(int argc, char **argv)
{
    struct tkt_err err = TKT_ERR_INIT;

    if (argc < 3) {
        fprintf(
            stderr,
            "usage: fake_ticketd SOCKET FOLDER [lookup] [gen=N] [max=N] ADDRESS...\n");
        return 64;
    }
    folder = argv[2];
    for (int i = 3; i < argc; i++) {
        take_argument(argv[i]);
    }
    int listener = tkt_wire_listen(argv[1], 0, &err);
    if (listener < 0) {
        fprintf(stderr, "fake_ticketd: %s\n", err.text);
        return 1;
    }
    for (;;) {
        struct pollfd pfd = {.fd = listener, .events = POLLIN};
        pthread_t thread;
        (void)poll(&pfd, 1, -1); /* accept tells */
        int sock = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (sock >= 0 &&
            pthread_create(&thread, NULL, connection, (void *)(intptr_t)sock) == 0) {
            pthread_detach(thread);
        }
    }
}
