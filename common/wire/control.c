/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire/control.h"

#include "base/enc.h"
#include "base/util.h"

#include <string.h>

static int take_line(struct tkt_control_reply *reply, const char *name, char *value,
                     bool *ok, struct tkt_err *err)
{
    int64_t code;

    if (strcmp(name, "status") == 0) {
        *ok = strcmp(value, "ok") == 0;
    } else if (strcmp(name, "exit") == 0) {
        if (tkt_parse_int(value, 0, 255, &code) < 0) {
            return tkt_err_set(err, TKT_ERR_PERM, "bad exit code");
        }
        reply->exit_code = (int)code;
    } else if (strcmp(name, "text") == 0) {
        reply->text = tkt_wire_arena_strdup(&reply->arena, value, strlen(value));
        if (reply->text == NULL) {
            return tkt_err_set(err, TKT_ERR_TEMP, "no memory");
        }
    }
    return 0;
}

static int decode_reply(struct tkt_wire_packet *pkt, struct tkt_control_reply *reply,
                        struct tkt_err *err)
{
    struct tkt_wire_cursor cursor;
    char *name;
    char *value;
    bool ok = false;
    int rc;

    tkt_wire_cursor_init(&cursor, pkt);
    rc = tkt_wire_next(&cursor, &name, &value, err);
    if (rc < 0) {
        return -1;
    }
    if (rc == 0 || strcmp(name, "v") != 0 || strcmp(value, "1") != 0) {
        return tkt_err_set(err, TKT_ERR_PERM, "first line is not v=1");
    }
    while ((rc = tkt_wire_next(&cursor, &name, &value, err)) == 1) {
        if (take_line(reply, name, value, &ok, err) < 0) {
            return -1;
        }
    }
    if (rc < 0) {
        return -1;
    }
    if (pkt->fd_count > 1 || ok != (reply->exit_code == 0)) {
        return tkt_err_set(err, TKT_ERR_PERM, "status, exit code and data disagree");
    }
    if (pkt->fd_count == 1) {
        reply->fd = pkt->fds[0];
        pkt->fds[0] = -1;
        pkt->fd_count = 0;
    }
    return 0;
}

static int exchange(int sock, struct tkt_wire_packet *req, int64_t deadline_mono_ms,
                    struct tkt_control_reply *reply, struct tkt_err *err)
{
    struct tkt_wire_packet pkt;

    if (tkt_wire_send(sock, req, deadline_mono_ms, err) < 0) {
        return -1;
    }
    tkt_wire_packet_init(&pkt);
    int rc = tkt_wire_recv(sock, &pkt, deadline_mono_ms, err);
    if (rc == 0) {
        rc = tkt_err_set(err, TKT_ERR_TEMP, "connection closed before the reply");
    } else if (rc == 1) {
        rc = decode_reply(&pkt, reply, err);
    }
    tkt_wire_packet_release(&pkt);
    return rc;
}

int tkt_control_call(const char *socket_path, struct tkt_wire_packet *req,
                     int64_t deadline_mono_ms, struct tkt_control_reply *reply,
                     struct tkt_err *err)
{
    *reply = (struct tkt_control_reply){.text = "", .fd = -1};
    TKT_AUTO_FD int sock = tkt_wire_connect(socket_path, deadline_mono_ms, err);
    if (sock < 0) {
        return -1;
    }
    if (exchange(sock, req, deadline_mono_ms, reply, err) < 0) {
        tkt_control_reply_release(reply);
        return tkt_err_prefix(err, "%s", socket_path);
    }
    return 0;
}

void tkt_control_reply_release(struct tkt_control_reply *reply)
{
    if (reply->fd >= 0) {
        close(reply->fd);
    }
    tkt_wire_arena_release(&reply->arena);
    *reply = (struct tkt_control_reply){.text = "", .fd = -1};
}
