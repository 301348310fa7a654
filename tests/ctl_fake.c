/* SPDX-License-Identifier: BSD-2-Clause
 * A ticketd of few words, for the error cases of ticketctl: answers every request with
 * what stands on its command line and prints the request.
 *
 *     ctl_fake SOCKET [--exit N] [--text TEXT] [--data FILE] [--line NAME=VALUE]...
 *              [--mute | --hangup]
 *
 * --line replaces the reply's lines. --mute never answers, --hangup closes instead. */
#include "base/clock.h"
#include "base/fs.h"
#include "wire/packet.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define FOREVER_MS 600000

static void die(const char *what)
{
    fprintf(stderr, "ctl_fake: %s\n", what);
    _exit(1);
}

static void print_request(struct tkt_wire_packet *req)
{
    struct tkt_wire_cursor cursor;
    struct tkt_err err = TKT_ERR_INIT;
    char *name;
    char *value;
    tkt_wire_cursor_init(&cursor, req);
    while (tkt_wire_next(&cursor, &name, &value, &err) == 1) {
        printf("%s=%s\n", name, value);
    }
    printf("fds=%zu\n", req->fd_count);
    fflush(stdout);
}

/* 1: answered; 0: this connection is to be closed. */
static int answer(int sock, int argc, char **argv)
{
    struct tkt_wire_packet rep;
    struct tkt_err err = TKT_ERR_INIT;
    const char *code = "0";
    const char *text = "";
    bool own_lines = false;
    int rc = 1;
    tkt_wire_packet_init(&rep);
    for (int i = 2; i < argc; i++) {
        if (strcmp(argv[i], "--hangup") == 0) {
            rc = 0;
        } else if (strcmp(argv[i], "--mute") == 0) {
            rc = 2;
        } else if (i + 1 == argc) {
            die("an option wants a value");
        } else if (strcmp(argv[i], "--exit") == 0) {
            code = argv[++i];
        } else if (strcmp(argv[i], "--text") == 0) {
            text = argv[++i];
        } else if (strcmp(argv[i], "--data") == 0) {
            struct tkt_buf data = TKT_BUF_INIT(64U * 1024 * 1024);
            if (tkt_read_file(argv[++i], &data, &err) < 0 ||
                tkt_wire_packet_take_fd(
                    &rep, tkt_memfd_sealed("data", data.data, data.len, &err)) < 0) {
                die("no data");
            }
            tkt_buf_release(&data);
        } else if (strcmp(argv[i], "--line") == 0) {
            tkt_buf_addf(&rep.body, "%s\n", argv[++i]);
            own_lines = true;
        } else {
            die("unknown option");
        }
    }
    if (!own_lines) {
        tkt_wire_add(&rep.body, "v", "1");
        tkt_wire_add(&rep.body, "status", strcmp(code, "0") == 0 ? "ok" : "error");
        tkt_wire_add(&rep.body, "exit", code);
        tkt_wire_add(&rep.body, "text", text);
    }
    if (rc == 1 && tkt_wire_send(sock, &rep, tkt_clock_mono_ms() + 5000, &err) < 0) {
        die(err.text);
    }
    tkt_wire_packet_release(&rep);
    return rc != 0;
}

int main(int argc, char **argv)
{
    struct tkt_err err = TKT_ERR_INIT;
    if (argc < 2) {
        die("usage: ctl_fake SOCKET ...");
    }
    int listener = tkt_wire_listen(argv[1], 0077, &err);
    if (listener < 0) {
        die(err.text);
    }
    for (;;) {
        struct tkt_wire_packet req;
        struct pollfd ready = {.fd = listener, .events = POLLIN};
        (void)poll(&ready, 1, -1); /* accept tells what is wrong */
        int sock = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (sock < 0) {
            die("accept");
        }
        tkt_wire_packet_init(&req);
        while (tkt_wire_recv(sock, &req, tkt_clock_mono_ms() + FOREVER_MS, &err) == 1) {
            print_request(&req);
            if (!answer(sock, argc, argv)) {
                break;
            }
        }
        tkt_wire_packet_release(&req);
        close(sock);
    }
}
