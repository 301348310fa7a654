/* SPDX-License-Identifier: BSD-2-Clause
 * A ticket-parser that was taken over, for parserpool_test: the message's first word says
 * what its children do. The name of the first desk's prefix says what the zygote does.
 */
#include "base/util.h"
#include "decide/decide.h"
#include "parser/proto.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static int sock;
static char word[16];

static void put(const void *data, size_t n)
{
    while (n > 0) {
        ssize_t sent = send(sock, data, n, MSG_NOSIGNAL);
        if (sent <= 0) {
            _exit(0);
        }
        data = (const char *)data + sent;
        n -= (size_t)sent;
    }
}

static void put_frame(uint32_t type, const void *payload, size_t n)
{
    struct tkt_parser_frame head = {.type = type, .len = (uint32_t)n};

    put(&head, sizeof(head));
    put(payload, n);
}

static void sleep_ms(int ms)
{
    struct timespec ts = {ms / 1000, ms % 1000 * 1000000L};

    nanosleep(&ts, NULL);
}

static bool is(const char *name)
{
    return strcmp(word, name) == 0;
}

static void put_message(void)
{
    struct tkt_buf out = TKT_BUF_INIT(TKT_MESSAGE_WIRE_MAX);
    char none[] = "";
    struct tkt_message msg = {
        .subject = word,
        .from = {none, none},
        .message_id = none,
        .text = none,
    };

    if (tkt_message_encode(&msg, &out) < 0) {
        _exit(3);
    }
    if (is("badstruct")) {
        out.data[out.len / 2] ^= 0x55;
        out.data[5] = '\xff';
    }
    if (is("unasked") || is("tailjunk")) {
        struct tkt_parser_frame head = {
            .type = TKT_PARSER_DONE, .len = (uint32_t)out.len + 9, .tail = 9};
        put(&head, sizeof(head));
        put(out.data, out.len);
        put("decisions", 9);
        tkt_buf_release(&out);
        return;
    }
    if (is("tailwags")) {
        struct tkt_parser_frame head = {.type = TKT_PARSER_DONE,
                                        .len = (uint32_t)out.len,
                                        .tail = (uint32_t)out.len + 1};
        put(&head, sizeof(head));
        put(out.data, out.len);
        pause();
    }
    put_frame(TKT_PARSER_DONE, out.data, out.len);
    tkt_buf_release(&out);
}

/* Descriptors that nobody asked for, with a sound answer. */
static void put_message_with_fds(void)
{
    int fds[8];
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(fds))];
    } control = {0};
    struct tkt_parser_frame head = {.type = TKT_PARSER_ERROR, .len = 3};
    struct iovec iov[2] = {{&head, sizeof(head)}, {(void *)(uintptr_t) "\1hi", 3}};
    struct msghdr msg = {.msg_iov = iov,
                         .msg_iovlen = 2,
                         .msg_control = &control,
                         .msg_controllen = sizeof(control)};
    struct cmsghdr *m = CMSG_FIRSTHDR(&msg);

    for (size_t i = 0; i < TKT_ARRAY_LEN(fds); i++) {
        fds[i] = open("/dev/null", O_RDONLY);
    }
    m->cmsg_level = SOL_SOCKET;
    m->cmsg_type = SCM_RIGHTS;
    m->cmsg_len = CMSG_LEN(sizeof(fds));
    memcpy(CMSG_DATA(m), fds, sizeof(fds));
    if (sendmsg(sock, &msg, MSG_NOSIGNAL) < 0) {
        _exit(3);
    }
}

static void answer_parse(void)
{
    static const char junk[100000] = {1, 2, 3};
    struct tkt_parser_frame head = {.type = TKT_PARSER_DONE};

    if (is("rubbish")) {
        put_frame(TKT_PARSER_DONE, junk, 1000);
    } else if (is("noframe")) {
        put(junk, sizeof(junk));
    } else if (is("wrongtype")) {
        put_frame(77, junk, 10);
    } else if (is("huge")) {
        head.len = UINT32_MAX;
        put(&head, sizeof(head));
        pause();
    } else if (is("dribble")) {
        head.len = TKT_MESSAGE_WIRE_MAX;
        put(&head, sizeof(head));
        for (;;) {
            put("x", 1);
            sleep_ms(5);
        }
    } else if (is("flood")) {
        for (;;) {
            put(junk, sizeof(junk));
        }
    } else if (is("close")) {
        _exit(0);
    } else if (is("half")) {
        head.len = 100;
        put(&head, sizeof(head));
        put(junk, 50);
        _exit(0);
    } else if (is("never")) {
        pause();
    } else if (is("error")) {
        put_frame(TKT_PARSER_ERROR, "\3no\nthank\x1byou\xff", 14);
    } else if (is("longerror")) {
        put_frame(TKT_PARSER_ERROR, junk, sizeof(junk));
    } else if (is("noerror")) {
        put_frame(TKT_PARSER_ERROR, junk, 0);
    } else if (is("fds")) {
        put_message_with_fds();
    } else {
        if (is("slow")) {
            sleep_ms(60);
        }
        put_message();
    }
}

static void answer_decide(char *data, size_t n)
{
    struct tkt_buf out = TKT_BUF_INIT(TKT_MESSAGE_WIRE_MAX);
    struct tkt_facts facts;
    char none[] = "";
    struct tkt_decision items[TKT_FACTS_DESKS_MAX];
    struct tkt_decisions decisions = {.items = items};

    if (tkt_facts_decode(data, n, &facts, NULL) < 0) {
        _exit(4);
    }
    decisions.count = is("few") ? 0 : facts.desk_count;
    for (size_t i = 0; i < decisions.count; i++) {
        items[i] = (struct tkt_decision){.action = TKT_ACTION_NEW,
                                         .why = none,
                                         .type = none,
                                         .category = none,
                                         .subcategory = none,
                                         .group = none,
                                         .assignee = none,
                                         .priority = 3};
        if (is("stranger")) {
            items[i].action = TKT_ACTION_APPEND;
            items[i].ticket = 666;
        }
    }
    if (is("nodecide")) {
        pause();
    }
    if (tkt_decisions_encode(&decisions, &out) < 0) {
        _exit(5);
    }
    put_frame(TKT_PARSER_DONE, out.data, is("cut") ? out.len - 1 : out.len);
    tkt_buf_release(&out);
    tkt_facts_release(&facts);
}

static void get(void *data, size_t n)
{
    if (recv(sock, data, n, MSG_WAITALL) != (ssize_t)n) {
        _exit(0);
    }
}

static void serve(void)
{
    static char in[TKT_PARSER_INLINE_MAX];
    struct tkt_parser_frame head;

    for (;;) {
        get(&head, sizeof(head));
        if (head.type == TKT_PARSER_PARSE) {
            get(in, 1);
            for (size_t i = 0; i < sizeof(word); i++) {
                word[i] = '\0';
            }
            size_t n = 0;
            size_t got = 1;
            for (; in[0] != ' ' && n < sizeof(word) - 1; got++) {
                word[n++] = in[0];
                get(in, 1);
            }
            if (is("deaf")) {
                pause();
            }
            get(in, head.len - got);
            answer_parse();
        } else {
            get(in, head.len);
            answer_decide(in, head.len);
        }
    }
}

static void tell(uint32_t kind, const char *text)
{
    struct iovec iov[2] = {{&kind, sizeof(kind)},
                           {(void *)(uintptr_t)text, strlen(text)}};

    if (writev(TKT_PARSER_CONTROL_FD, iov, 2) < 0) {
        _exit(6);
    }
}

static void spawn(void)
{
    int pair[2];
    struct tkt_parser_spawned answer = {.kind = TKT_PARSER_SPAWNED};
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(2 * sizeof(int))];
    } control = {0};
    struct iovec iov = {&answer, sizeof(answer)};
    struct msghdr msg = {.msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = &control,
                         .msg_controllen = sizeof(control)};

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0) {
        _exit(7);
    }
    answer.pid = fork();
    if (answer.pid == 0) {
        sock = pair[1];
        (void)close(pair[0]);
        (void)close(TKT_PARSER_CONTROL_FD);
        serve();
        _exit(0);
    }
    int fds[2] = {pair[0], (int)syscall(SYS_pidfd_open, answer.pid, 0)};
    struct cmsghdr *m = CMSG_FIRSTHDR(&msg);
    m->cmsg_level = SOL_SOCKET;
    m->cmsg_type = SCM_RIGHTS;
    m->cmsg_len = CMSG_LEN(sizeof(fds));
    memcpy(CMSG_DATA(m), fds, sizeof(fds));
    if (sendmsg(TKT_PARSER_CONTROL_FD, &msg, 0) < 0) {
        _exit(8);
    }
    (void)close(fds[0]);
    (void)close(fds[1]);
    (void)close(pair[1]);
}

int main(void)
{
    static char data[TKT_PARSER_SETUP_MAX];
    struct tkt_parser_setup setup;
    struct tkt_err err = TKT_ERR_INIT;
    uint32_t kind;

    (void)signal(SIGCHLD, SIG_IGN);
    ssize_t n = recv(TKT_PARSER_CONTROL_FD, data, sizeof(data), 0);
    if (n <= 0 || tkt_parser_setup_decode(data, (size_t)n, &setup, &err) < 0) {
        tell(TKT_PARSER_FAILED, err.text);
        return 1;
    }
    const char *prefix = setup.prefixes.count > 0 ? setup.prefixes.items[0] : "";
    if (strcmp(prefix, "REFUSES") == 0) {
        tell(TKT_PARSER_FAILED, "rule 7 is wrong");
        return 1;
    }
    if (strcmp(prefix, "DIES") == 0) {
        return 1;
    }
    tell(strcmp(prefix, "OTHER") == 0 ? 'x' : TKT_PARSER_READY, "");
    while (recv(TKT_PARSER_CONTROL_FD, &kind, sizeof(kind), 0) == (ssize_t)sizeof(kind)) {
        if (strcmp(prefix, "BARREN") == 0) {
            tell(TKT_PARSER_FAILED, "fork: no");
        } else if (strcmp(prefix, "MUTE") != 0) {
            spawn();
        }
    }
    return 0;
}
