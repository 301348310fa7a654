/* SPDX-License-Identifier: BSD-2-Clause
 * Sends mails that differ over SMTP, one connection a mail, as smtp-source sends one over
 * and over: mail_source PORT RCPT CONNECTIONS COUNT [MAILS]
 * Loopback only; whatever is no 2xx or 354 ends it.
 */
#include "base/util.h"
#include "mails.h"

#include "base/enc.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECTIONS_MAX 512

static struct {
    uint16_t port;
    const char *rcpt;
    unsigned long count;
    atomic_ulong serial;
} run;

static _Noreturn void fail(const char *what, const char *said)
{
    fprintf(stderr, "mail_source: %s: %s\n", what, said);
    exit(1);
}

/* One answer, of which the last line has no "-" behind its number. */
static void expect(int fd, const char *what)
{
    char line[2048];
    size_t n = 0;

    for (;;) {
        ssize_t got = read(fd, line + n, sizeof(line) - 1 - n);
        if (got <= 0) {
            fail(what, "the server is gone");
        }
        n += (size_t)got;
        line[n] = '\0';
        if (line[n - 1] != '\n') {
            continue;
        }
        char *last = n >= 2 ? memrchr(line, '\n', n - 1) : NULL;
        last = last ? last + 1 : line;
        if (strlen(last) > 3 && last[3] == '-') {
            continue;
        }
        if (last[0] != '2' && strncmp(last, "354", 3) != 0) {
            fail(what, line);
        }
        return;
    }
}

static void say(int fd, const char *text, size_t n)
{
    while (n > 0) {
        ssize_t sent = send(fd, text, n, MSG_NOSIGNAL);
        if (sent <= 0) {
            fail("send", "the server is gone");
        }
        text += sent;
        n -= (size_t)sent;
    }
}

static void command(int fd, const char *text)
{
    say(fd, text, strlen(text));
    expect(fd, text);
}

static void send_mail(unsigned long serial)
{
    char text[BENCH_MAIL_BYTES + 64];
    char subject[BENCH_SUBJECT_MAX];
    char rcpt[512];
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(run.port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    TKT_AUTO_FD int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0) {
        fail("connect", "nobody answers");
    }
    size_t n = bench_mail_make(text, subject, run.rcpt, serial);
    snprintf(rcpt, sizeof(rcpt), "RCPT TO:<%s>\r\n", run.rcpt);
    expect(fd, "greeting");
    command(fd, "HELO client.example.org\r\n");
    command(fd, "MAIL FROM:<customer@example.org>\r\n");
    command(fd, rcpt);
    command(fd, "DATA\r\n");
    say(fd, text, n);
    command(fd, ".\r\n");
    command(fd, "QUIT\r\n");
}

static void *client_main(void *arg)
{
    (void)arg;
    for (unsigned long n; (n = run.serial++) < run.count;) {
        send_mail(n);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_t threads[CONNECTIONS_MAX];
    int64_t port;
    int64_t connections;
    int64_t count;

    if (argc < 5 || argc > 6 || tkt_parse_int(argv[1], 1, 65535, &port) < 0 ||
        tkt_parse_int(argv[3], 1, CONNECTIONS_MAX, &connections) < 0 ||
        tkt_parse_int(argv[4], 1, 10000000, &count) < 0) {
        fprintf(stderr, "usage: mail_source PORT RCPT CONNECTIONS COUNT [MAILS]\n");
        return 64;
    }
    run.port = (uint16_t)port;
    run.rcpt = argv[2];
    run.count = (unsigned long)count;
    bench_mails_load(argc == 6 ? argv[5] : NULL);
    for (int64_t i = 0; i < connections; i++) {
        if (pthread_create(&threads[i], NULL, client_main, NULL) != 0) {
            fail("thread", "cannot be started");
        }
    }
    for (int64_t i = 0; i < connections; i++) {
        pthread_join(threads[i], NULL);
    }
    return 0;
}
