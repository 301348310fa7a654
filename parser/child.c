/* SPDX-License-Identifier: BSD-2-Clause */
#include "parser/child.h"

#include "base/util.h"
#include "decide/decide.h"
#include "message/tail.h"
#include "parser/proto.h"

#include <errno.h>
#include <malloc.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define FDS_MAX 2
/* After a message above this, free memory goes back to the system. */
#define TRIM_ABOVE (1024 * 1024)
#define ANSWER_KEEP_MAX (256 * 1024)

struct child {
    int sock;
    struct tkt_message_options options;
    const struct tkt_redact_rules *redact;
    const struct tkt_policy *policy;
    char *in; /* one request frame's payload */
    size_t in_cap;
    struct tkt_parser_frame head;
    int fds[FDS_MAX];
    size_t fd_count;
    struct tkt_message message; /* parsed last; DECIDE refers to it */
    bool have_message;
    struct tkt_buf answer;
};

static void close_fds(struct child *c)
{
    while (c->fd_count > 0) {
        (void)close(c->fds[--c->fd_count]); /* only read, or a pipe: nothing to lose */
    }
}

static void keep_fds(struct child *c, struct msghdr *msg)
{
    for (struct cmsghdr *m = CMSG_FIRSTHDR(msg); m != NULL; m = CMSG_NXTHDR(msg, m)) {
        if (m->cmsg_level != SOL_SOCKET || m->cmsg_type != SCM_RIGHTS) {
            continue;
        }
        size_t count = (m->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < count && c->fd_count < FDS_MAX; i++) {
            memcpy(&c->fds[c->fd_count++], CMSG_DATA(m) + i * sizeof(int), sizeof(int));
        }
    }
}

/* Some bytes of the request: the header and as much of the payload as is there. */
static ssize_t receive_some(struct child *c, struct iovec *iov, size_t iov_count)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int) * FDS_MAX)];
    } control;
    struct msghdr msg = {
        .msg_iov = iov,
        .msg_iovlen = iov_count,
        .msg_control = &control,
        .msg_controllen = sizeof(control),
    };
    ssize_t n;

    do {
        n = recvmsg(c->sock, &msg, MSG_CMSG_CLOEXEC);
    } while (n < 0 && errno == EINTR);
    if (n > 0) {
        keep_fds(c, &msg);
    }
    return n;
}

/* What comes before the tail. */
static size_t body_len(const struct child *c)
{
    return c->head.len - c->head.tail;
}

static int make_room(struct child *c, size_t n)
{
    if (c->head.tail > n || n > TKT_MESSAGE_WIRE_MAX) {
        return -1;
    }
    if (body_len(c) > TKT_PARSER_INLINE_MAX && c->head.type == TKT_PARSER_PARSE) {
        return -1;
    }
    if (n > c->in_cap) {
        char *bigger = realloc(c->in, n);
        if (bigger == NULL) {
            return -1;
        }
        c->in = bigger;
        c->in_cap = n;
    }
    return 0;
}

/* One whole request. ticketd sends it in one piece, so that one call mostly does. */
static int receive(struct child *c)
{
    size_t got = 0;
    size_t want = sizeof(c->head);

    close_fds(c);
    while (got < want) {
        struct iovec iov[2] = {{NULL, 0}, {NULL, 0}};
        size_t count = 0;
        if (got < sizeof(c->head)) {
            iov[count++] = (struct iovec){(char *)&c->head + got, sizeof(c->head) - got};
            iov[count++] = (struct iovec){c->in, c->in_cap};
        } else {
            size_t have = got - sizeof(c->head);
            iov[count++] = (struct iovec){c->in + have, want - got};
        }
        ssize_t n = receive_some(c, iov, count);
        if (n <= 0) {
            return -1;
        }
        bool had_head = got >= sizeof(c->head);
        got += (size_t)n;
        if (!had_head && got >= sizeof(c->head)) {
            want = sizeof(c->head) + c->head.len;
            if (make_room(c, c->head.len) < 0 || got > want) {
                return -1;
            }
        }
    }
    return 0;
}

static int send_frame(struct child *c, uint32_t type, const void *payload, size_t n,
                      size_t tail)
{
    struct tkt_parser_frame head = {
        .type = type, .len = (uint32_t)n, .tail = (uint32_t)tail};
    struct iovec iov[2] = {{&head, sizeof(head)}, {(void *)(uintptr_t)payload, n}};
    struct msghdr msg = {.msg_iov = iov, .msg_iovlen = 2};

    while (iov[0].iov_len + iov[1].iov_len > 0) {
        ssize_t sent = sendmsg(c->sock, &msg, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) {
            continue;
        }
        if (sent < 0) {
            return -1;
        }
        for (size_t i = 0; i < 2; i++) {
            size_t part = TKT_MIN((size_t)sent, iov[i].iov_len);
            iov[i].iov_base = (char *)iov[i].iov_base + part;
            iov[i].iov_len -= part;
            sent -= (ssize_t)part;
        }
    }
    return 0;
}

static int send_error(struct child *c, const struct tkt_err *err)
{
    char text[1 + TKT_PARSER_ERROR_MAX];
    size_t n = strnlen(err->text, TKT_PARSER_ERROR_MAX);

    text[0] = (char)err->class;
    memcpy(text + 1, err->text, n);
    return send_frame(c, TKT_PARSER_ERROR, text, n + 1, 0);
}

static int send_answer(struct child *c, int encoded, size_t tail, struct tkt_err *err)
{
    if (encoded < 0 || c->answer.failed) {
        tkt_err_set(err, TKT_ERR_PERM, "the answer is too long");
        return send_error(c, err);
    }
    int rc = send_frame(c, TKT_PARSER_DONE, c->answer.data, c->answer.len, tail);
    if (c->answer.cap > ANSWER_KEEP_MAX) {
        tkt_buf_release(&c->answer);
    }
    return rc;
}

static void forget_message(struct child *c)
{
    if (c->have_message) {
        tkt_message_release(&c->message);
        c->have_message = false;
    }
}

/* Appends the decisions on the message by the facts in data to the answer: how long they
 * are, 0 when there are none. */
static size_t add_decisions(struct child *c, const char *data, size_t n,
                            struct tkt_err *err)
{
    struct tkt_facts facts;
    struct tkt_decisions decisions;
    size_t before = c->answer.len;

    if (tkt_facts_decode(data, n, &facts, err) < 0) {
        return 0;
    }
    if (tkt_tail_cut(&c->message, facts.tail_lines) < 0) {
        tkt_err_set(err, TKT_ERR_TEMP, "no memory");
    } else if (tkt_decide(&c->message, &facts, c->policy, &decisions, err) == 0) {
        if (tkt_decisions_encode(&decisions, &c->answer) < 0) {
            tkt_err_set(err, TKT_ERR_PERM, "the answer is too long");
            c->answer.len = before;
            c->answer.failed = false;
        }
        tkt_decisions_release(&decisions);
    }
    tkt_facts_release(&facts);
    return c->answer.len - before;
}

/* The message without its texts, or with them if ticketd wants them. */
static int add_message(struct child *c)
{
    struct tkt_message told = c->message;
    static char nothing[1];

    if ((c->head.flags & TKT_PARSER_WITH_TEXT) == 0) {
        told.text = told.reply_text = told.signature = told.quoted = nothing;
        told.forwarded.text = nothing;
    }
    return tkt_message_encode(&told, &c->answer);
}

static int parse(struct child *c, const struct tkt_message_source *src)
{
    struct tkt_err err = TKT_ERR_INIT;

    forget_message(c);
    c->options.null_sender = (c->head.flags & TKT_PARSER_NULL_SENDER) != 0;
    if (tkt_message_parse(src, &c->options, &c->message, &err) < 0) {
        return send_error(c, &err);
    }
    c->have_message = true;
    tkt_buf_reset(&c->answer);
    int encoded = add_message(c);
    size_t tail = 0;
    if (encoded == 0 && c->head.tail > 0) {
        tail = add_decisions(c, c->in + body_len(c), c->head.tail, &err);
    }
    int rc = send_answer(c, encoded, tail, &err);
    if ((c->head.flags & TKT_PARSER_ONLY_READ) != 0) {
        forget_message(c);
    }
    if (src->size > TRIM_ABOVE) {
        (void)malloc_trim(0); /* whether there was something to give back */
    }
    return rc;
}

static int decide(struct child *c)
{
    struct tkt_err err = TKT_ERR_INIT;

    if (!c->have_message) {
        tkt_err_set(&err, TKT_ERR_BUG, "DECIDE before PARSE");
        return send_error(c, &err);
    }
    tkt_buf_reset(&c->answer);
    size_t n = add_decisions(c, c->in, c->head.len, &err);
    int rc = n == 0 ? send_error(c, &err) : send_answer(c, 0, 0, &err);
    forget_message(c);
    return rc;
}

static int take_size(const struct child *c, size_t fds, struct tkt_message_source *src)
{
    uint64_t size;

    if (body_len(c) < sizeof(size) || c->fd_count != fds) {
        return -1;
    }
    memcpy(&size, c->in, sizeof(size));
    *src = (struct tkt_message_source){.fd = c->fds[0], .size = size};
    return 0;
}

static int extract(struct child *c)
{
    struct tkt_err err = TKT_ERR_INIT;
    struct tkt_message_source src;
    char part[TKT_PARSER_PART_MAX];

    if (take_size(c, 2, &src) < 0) {
        return -1;
    }
    size_t n = body_len(c) - sizeof(uint64_t);
    if (n >= sizeof(part)) {
        return -1;
    }
    memcpy(part, c->in + sizeof(uint64_t), n);
    part[n] = '\0';
    int rc = tkt_message_extract(&src, part, &c->options.limits, c->fds[1], &err);
    close_fds(c); /* the reader of the pipe waits for its end */
    return rc < 0 ? send_error(c, &err) : send_frame(c, TKT_PARSER_DONE, NULL, 0, 0);
}

/* A text, not a message: what was parsed last stays for DECIDE. */
static int redact(struct child *c)
{
    struct tkt_err err = TKT_ERR_INIT;

    tkt_buf_reset(&c->answer);
    int rc = tkt_redact_add(&c->answer, c->in, body_len(c), c->redact, NULL);
    return send_answer(c, rc, 0, &err);
}

static int answer(struct child *c)
{
    struct tkt_message_source src;

    switch (c->head.type) {
    case TKT_PARSER_PARSE:
        src = (struct tkt_message_source){.data = c->in, .size = body_len(c), .fd = -1};
        return parse(c, &src);
    case TKT_PARSER_PARSE_FD:
        return take_size(c, 1, &src) < 0 ? -1 : parse(c, &src);
    case TKT_PARSER_DECIDE:
        return decide(c);
    case TKT_PARSER_EXTRACT:
        return extract(c);
    case TKT_PARSER_REDACT:
        return redact(c);
    default:
        return -1;
    }
}

void tkt_parser_child_serve(int sock, const struct tkt_message_options *options,
                            const struct tkt_redact_rules *redact,
                            const struct tkt_policy *policy)
{
    struct child c = {
        .sock = sock,
        .options = *options,
        .redact = redact,
        .policy = policy,
        .answer = TKT_BUF_INIT(TKT_MESSAGE_WIRE_MAX),
        .in_cap = 65536,
    };

    c.in = malloc(c.in_cap);
    while (c.in != NULL && receive(&c) == 0 && answer(&c) == 0) {
        /* until ticketd closes its end */
    }
}
