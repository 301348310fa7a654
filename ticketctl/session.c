/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/clock.h"
#include "base/enc.h"
#include "base/fs.h"
#include "base/util.h"
#include "ticketctl/ctl.h"
#include "ticketctl/out.h"

#include <errno.h>
#include <string.h>

#define RUN_DIR TKT_RUNSTATEDIR "/ticket-milter"

const char *tkt_ctl_conf_path(const struct tkt_ctl *ctl)
{
    const char *given = tkt_ctl_opt(ctl, "config");
    return given != NULL ? given : TKT_SYSCONFDIR "/ticket-milter/ticket-milter.conf";
}

int tkt_ctl_conf(struct tkt_ctl *ctl)
{
    struct tkt_err err = TKT_ERR_INIT;
    if (ctl->conf == NULL) {
        ctl->conf = tkt_conf_load(tkt_ctl_conf_path(ctl), &err);
    }
    return ctl->conf != NULL ? 0 : tkt_ctl_fail_err(&err);
}

/* Agents need not be able to read the configuration: then the default must do, unless
 * they named a file themselves. */
struct tkt_conf *tkt_ctl_conf_part(struct tkt_ctl *ctl, uint64_t sections)
{
    struct tkt_err err = TKT_ERR_INIT;
    bool named = tkt_ctl_opt(ctl, "config") != NULL;
    struct tkt_conf *conf =
        named || access(tkt_ctl_conf_path(ctl), R_OK) == 0
            ? tkt_conf_load_part(tkt_ctl_conf_path(ctl), sections, &err)
            : NULL;

    if (conf == NULL && named) {
        (void)tkt_ctl_fail_err(&err); /* it tells why; the default's error follows */
    }
    return conf;
}

/* Thousands of rules are not read for the name of a socket. */
static const struct tkt_conf *readable_conf(struct tkt_ctl *ctl)
{
    if (ctl->conf != NULL) {
        return ctl->conf;
    }
    if (ctl->top == NULL) {
        ctl->top = tkt_ctl_conf_part(ctl, 0);
    }
    return ctl->top;
}

bool tkt_ctl_conf_failed(const struct tkt_ctl *ctl)
{
    return tkt_ctl_opt(ctl, "socket") == NULL && tkt_ctl_opt(ctl, "config") != NULL &&
           ctl->conf == NULL && ctl->top == NULL;
}

const char *tkt_ctl_control_socket(struct tkt_ctl *ctl)
{
    const char *given = tkt_ctl_opt(ctl, "socket");
    if (given != NULL) {
        return given;
    }
    const struct tkt_conf *conf = readable_conf(ctl);
    return conf != NULL ? conf->control_socket : RUN_DIR "/control.sock";
}

const char *tkt_ctl_intake_socket(struct tkt_ctl *ctl)
{
    const char *given = tkt_ctl_opt(ctl, "socket");
    if (given != NULL) {
        return given;
    }
    const struct tkt_conf *conf = readable_conf(ctl);
    return conf != NULL ? conf->intake_socket : RUN_DIR "/intake.sock";
}

static int pack(struct tkt_wire_packet *req, const char *verb,
                const struct tkt_ctl_pair *pairs, size_t count, int fd)
{
    tkt_wire_add(&req->body, "v", "1");
    tkt_wire_add(&req->body, "verb", verb);
    for (size_t i = 0; i < count; i++) {
        if (pairs[i].value != NULL) {
            tkt_wire_add(&req->body, pairs[i].name, pairs[i].value);
        }
    }
    if (req->body.failed) {
        return tkt_ctl_fail(EX_DATAERR, "that is more text than ticketd takes");
    }
    if (fd < 0) {
        return 0;
    }
    int copy = dup(fd);
    if (copy < 0 || tkt_wire_packet_take_fd(req, copy) < 0) {
        return tkt_ctl_fail(EX_OSERR, "cannot pass the file on: %s", strerror(errno));
    }
    return 0;
}

static int unreachable(const char *path, const struct tkt_err *err)
{
    if (err->class != TKT_ERR_TEMP) {
        return tkt_ctl_fail_err(err);
    }
    if (access(path, W_OK) < 0 && errno == EACCES) {
        return tkt_ctl_fail(EX_NOPERM,
                            "you may not use %s; access { } in the "
                            "configuration and its group say who may",
                            path);
    }
    return tkt_ctl_fail(
        EX_UNAVAILABLE,
        "ticketd does not answer: %s; is it running? see systemctl status "
        "ticketd",
        err->text);
}

int tkt_ctl_ask(struct tkt_ctl *ctl, const char *verb, const struct tkt_ctl_pair *pairs,
                size_t count, int fd, int64_t timeout_ms, struct tkt_control_reply *reply)
{
    int64_t given_s;
    int rc = tkt_ctl_opt_int(ctl, "timeout", 1, 86400, timeout_ms / 1000, &given_s);
    if (rc != 0) {
        return rc;
    }
    const char *path = tkt_ctl_control_socket(ctl);
    if (tkt_ctl_conf_failed(ctl)) {
        return EX_CONFIG;
    }
    struct tkt_wire_packet req;
    tkt_wire_packet_init(&req);
    rc = pack(&req, verb, pairs, count, fd);
    if (rc == 0) {
        struct tkt_err err = TKT_ERR_INIT;
        if (tkt_control_call(path, &req, tkt_clock_mono_ms() + given_s * 1000, reply,
                             &err) < 0) {
            rc = unreachable(path, &err);
        }
    }
    tkt_wire_packet_release(&req);
    return rc;
}

int tkt_ctl_call(struct tkt_ctl *ctl, const char *verb, const struct tkt_ctl_pair *pairs,
                 size_t count, int fd, int64_t timeout_ms,
                 struct tkt_control_reply *reply)
{
    int rc = tkt_ctl_ask(ctl, verb, pairs, count, fd, timeout_ms, reply);
    if (rc == 0 && reply->exit_code != 0) {
        rc = tkt_ctl_fail(reply->exit_code, "%s", reply->text);
        tkt_control_reply_release(reply);
    }
    return rc;
}

int tkt_ctl_do(struct tkt_ctl *ctl, const char *verb, const struct tkt_ctl_pair *pairs,
               size_t count)
{
    struct tkt_control_reply reply;
    int rc = tkt_ctl_call(ctl, verb, pairs, count, -1, TKT_CTL_TIMEOUT_MS, &reply);
    if (rc != 0) {
        return rc;
    }
    if (ctl->json) {
        TKT_AUTO_BUF struct tkt_buf b = TKT_BUF_INIT(TKT_WIRE_TAIL_MAX);
        tkt_buf_adds(&b, "{\"status\":\"ok\",\"text\":");
        tkt_json_add_string(&b, reply.text, strlen(reply.text));
        tkt_buf_adds(&b, "}\n");
        tkt_ctl_put_json(stdout, tkt_buf_str(&b), b.len);
    } else if (!ctl->quiet && reply.text[0] != '\0') {
        tkt_ctl_put_clean(stdout, reply.text);
        fputc('\n', stdout);
    }
    tkt_control_reply_release(&reply);
    return 0;
}

int tkt_ctl_read_json(int fd, cJSON **out)
{
    TKT_AUTO_BUF struct tkt_buf b = TKT_BUF_INIT(TKT_CTL_REPLY_MAX);
    struct tkt_err err = TKT_ERR_INIT;
    *out = NULL;
    if (fd < 0) {
        return tkt_ctl_fail(EX_PROTOCOL, "ticketd's answer has no data");
    }
    (void)lseek(fd, 0, SEEK_SET); /* it stands where ticketd left it */
    if (tkt_read_fd(fd, &b, &err) < 0) {
        return tkt_ctl_fail_err(&err);
    }
    cJSON *json = cJSON_ParseWithLength(tkt_buf_str(&b), b.len);
    if (json == NULL) {
        return tkt_ctl_fail(EX_PROTOCOL, "ticketd's answer is no JSON");
    }
    *out = json;
    return 0;
}

int tkt_ctl_fetch(struct tkt_ctl *ctl, const char *verb, const struct tkt_ctl_pair *pairs,
                  size_t count, int64_t timeout_ms, cJSON **out)
{
    struct tkt_control_reply reply;
    *out = NULL;
    int rc = tkt_ctl_call(ctl, verb, pairs, count, -1, timeout_ms, &reply);
    if (rc != 0) {
        return rc;
    }
    rc = tkt_ctl_read_json(reply.fd, out);
    tkt_control_reply_release(&reply);
    if (rc == 0 && ctl->json) {
        rc = tkt_ctl_print_json(*out);
        cJSON_Delete(*out);
        *out = NULL;
    }
    return rc;
}

int tkt_ctl_print_json(const cJSON *json)
{
    char *text = cJSON_PrintUnformatted(json);
    if (text == NULL) {
        return tkt_ctl_fail(EX_OSERR, "out of memory");
    }
    tkt_ctl_put_json(stdout, text, strlen(text));
    cJSON_free(text);
    return 0;
}

int tkt_ctl_text_arg(const char *arg, struct tkt_buf *out)
{
    if (strcmp(arg, "-") != 0) {
        return tkt_buf_adds(out, arg) == 0
                   ? 0
                   : tkt_ctl_fail(EX_DATAERR, "the text is longer than %zu bytes",
                                  out->max);
    }
    char piece[4096];
    size_t n;
    while ((n = fread(piece, 1, sizeof piece, stdin)) > 0) {
        if (tkt_buf_add(out, piece, n) < 0) {
            return tkt_ctl_fail(EX_DATAERR, "the text is longer than %zu bytes",
                                out->max);
        }
    }
    if (ferror(stdin)) {
        return tkt_ctl_fail(EX_IOERR, "cannot read standard input: %s", strerror(errno));
    }
    if (out->len > 0 && memchr(out->data, '\0', out->len) != NULL) {
        return tkt_ctl_fail(EX_DATAERR, "the text holds a NUL byte");
    }
    return 0;
}
