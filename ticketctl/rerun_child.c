/* SPDX-License-Identifier: BSD-2-Clause
 * The process that reads stored mail for a rehearsal. */
#include "base/enc.h"
#include "base/util.h"
#include "conf/policy.h"
#include "decide/policy.h"
#include "decide/rules.h"
#include "message/parse.h"
#include "message/tail.h"
#include "parser/sandbox.h"
#include "ticketctl/explain.h"
#include "ticketctl/rerun.h"
#include "ticketd/core/deskfacts.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>

#define PARTS 5

struct side {
    const struct tkt_conf *conf;
    struct tkt_policy *policy;
};

struct child {
    int sock;
    struct side sides[TKT_CTL_RERUN_SIDES];
    struct tkt_message_options options;
    const char **prefixes;
    struct tkt_ctl_rerun_head head;
    char *parts[PARTS]; /* desk, id, login, client, raw */
    struct tkt_buf answers[TKT_CTL_RERUN_SIDES];
};

int tkt_ctl_rerun_read(int fd, void *data, size_t n)
{
    char *at = data;

    while (n > 0) {
        ssize_t got = read(fd, at, n);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return -1;
        }
        at += got;
        n -= (size_t)got;
    }
    return 0;
}

int tkt_ctl_rerun_write(int fd, const void *data, size_t n)
{
    const char *at = data;

    while (n > 0) {
        ssize_t put = write(fd, at, n);
        if (put < 0 && errno == EINTR) {
            continue;
        }
        if (put <= 0) {
            return -1;
        }
        at += put;
        n -= (size_t)put;
    }
    return 0;
}

/* ---- before the filter ---------------------------------------------------------------- */

static int load_side(const struct tkt_ctl_rerun_side *from, struct side *to,
                     struct tkt_err *err)
{
    to->conf = from->conf;
    return from->conf == NULL
               ? 0
               : tkt_ctl_policy_load(from->conf, from->model, &to->policy, err);
}

/* Of the side that decides last: the rehearsed one, else the only one there is. */
static int set_options(struct child *c, struct tkt_err *err)
{
    const struct tkt_conf *conf =
        c->sides[1].conf != NULL ? c->sides[1].conf : c->sides[0].conf;

    c->prefixes = calloc(conf->desk_count + 1, sizeof *c->prefixes);
    if (c->prefixes == NULL) {
        return tkt_err_set(err, TKT_ERR_TEMP, "out of memory");
    }
    for (size_t i = 0; i < conf->desk_count; i++) {
        c->prefixes[i] = conf->desks[i].prefix;
    }
    c->options = (struct tkt_message_options){
        .authserv_ids = (const char *const *)conf->authserv_ids.items,
        .authserv_id_count = conf->authserv_ids.count,
        .arc_sealers = (const char *const *)conf->arc_sealers.items,
        .arc_sealer_count = conf->arc_sealers.count,
        .prefixes = c->prefixes,
        .prefix_count = conf->desk_count};
    const struct side *last = &c->sides[c->sides[1].conf != NULL ? 1 : 0];
    const struct tkt_strings *fields = tkt_rules_fields(last->policy->rules);
    c->options.keep = (const char *const *)fields->items;
    c->options.keep_count = fields->count;
    tkt_message_limits_from(&conf->limits, &c->options.limits);
    return 0;
}

static int enter(struct child *c, const struct tkt_ctl_rerun_side *sides,
                 struct tkt_err *err)
{
    const struct tkt_sandbox_limits limits = {.memory_max = INT64_C(1) << 30,
                                              .cpu_s = 24 * 3600};
    struct tkt_sandbox sandbox;

    for (int i = 0; i < TKT_CTL_RERUN_SIDES; i++) {
        if (load_side(&sides[i], &c->sides[i], err) < 0) {
            return -1;
        }
    }
    if (set_options(c, err) < 0 || tkt_message_parser_init(err) < 0 ||
        tkt_sandbox_prepare(&sandbox, err) < 0) {
        return -1;
    }
    return tkt_sandbox_enter(&sandbox, &limits, err);
}

/* ---- one mail ------------------------------------------------------------------------- */

static int receive(struct child *c)
{
    for (int i = 0; i < PARTS; i++) {
        free(c->parts[i]);
        c->parts[i] = NULL;
    }
    if (tkt_ctl_rerun_read(c->sock, &c->head, sizeof c->head) < 0) {
        return -1;
    }
    for (int i = 0; i < PARTS; i++) {
        c->parts[i] = malloc((size_t)c->head.lens[i] + 1);
        if (c->parts[i] == NULL ||
            tkt_ctl_rerun_read(c->sock, c->parts[i], c->head.lens[i]) < 0) {
            return -1;
        }
        c->parts[i][c->head.lens[i]] = '\0';
    }
    return 0;
}

/* The ticket that it answered, open as it was then. */
static void add_candidate(struct child *c, struct tkt_candidate *candidate,
                          struct tkt_facts *facts)
{
    *candidate = (struct tkt_candidate){.ticket = c->head.ticket,
                                        .id = c->parts[1],
                                        .desk = c->parts[0],
                                        .subject = (char *)"",
                                        .evidence = TKT_EVIDENCE_REFERENCE,
                                        .state = TKT_STATE_OPEN,
                                        .is_participant = true};
    facts->candidates = candidate;
    facts->candidate_count = c->head.is_first ? 0 : 1;
}

static int decide(struct child *c, struct side *side, const struct tkt_message *msg,
                  struct tkt_buf *out, struct tkt_err *err)
{
    const struct tkt_conf_desk *desk =
        side->conf != NULL ? tkt_conf_desk(side->conf, c->parts[0]) : NULL;
    struct tkt_candidate candidate;
    struct tkt_desk_facts desk_facts;
    struct tkt_decisions decisions;

    if (desk == NULL) {
        return 0;
    }
    desk_facts = tkt_facts_desk(side->conf, desk);
    struct tkt_facts facts = {.null_sender = c->head.null_sender != 0,
                              .auth_login = c->parts[2],
                              .login_is_from =
                                  c->parts[2][0] != '\0' &&
                                  tkt_ascii_ieq(c->parts[2], msg->from.address),
                              .is_agent = tkt_ctl_is_agent(side->conf, msg->from.address),
                              .tail_lines = c->head.tail_lines,
                              .now_s = c->head.at_s,
                              .minute = c->head.minute,
                              .client = c->parts[3],
                              .person = tkt_ctl_nobody(),
                              .desks = &desk_facts,
                              .desk_count = 1};
    add_candidate(c, &candidate, &facts);
    if (tkt_decide(msg, &facts, side->policy, &decisions, err) < 0) {
        return -1;
    }
    int rc = tkt_decisions_encode(&decisions, out);
    tkt_decisions_release(&decisions);
    return rc < 0 ? tkt_err_set(err, TKT_ERR_PERM, "the decision is too long") : 0;
}

static int run(struct child *c, struct tkt_err *err)
{
    struct tkt_message_source src = {
        .data = c->parts[4], .size = c->head.lens[4], .fd = -1};
    struct tkt_message msg;
    int rc = 0;

    c->options.null_sender = c->head.null_sender != 0;
    if (tkt_message_parse(&src, &c->options, &msg, err) < 0) {
        return -1;
    }
    if (tkt_tail_cut(&msg, c->head.tail_lines) < 0) {
        rc = tkt_err_set(err, TKT_ERR_TEMP, "out of memory");
    }
    for (int i = 0; rc == 0 && i < TKT_CTL_RERUN_SIDES; i++) {
        tkt_buf_reset(&c->answers[i]);
        rc = decide(c, &c->sides[i], &msg, &c->answers[i], err);
    }
    tkt_message_release(&msg);
    return rc;
}

static int say(int sock, uint32_t ok, const void *data, size_t n)
{
    uint32_t head[2] = {ok, (uint32_t)n};

    return tkt_ctl_rerun_write(sock, head, sizeof head) < 0 ||
                   tkt_ctl_rerun_write(sock, data, n) < 0
               ? -1
               : 0;
}

static int serve(struct child *c)
{
    struct tkt_err err = TKT_ERR_INIT;

    if (receive(c) < 0) {
        return -1;
    }
    if (run(c, &err) < 0) {
        return say(c->sock, 0, err.text, strlen(err.text));
    }
    for (int i = 0; i < TKT_CTL_RERUN_SIDES; i++) {
        if (say(c->sock, 1, tkt_buf_str(&c->answers[i]), c->answers[i].len) < 0) {
            return -1;
        }
    }
    return 0;
}

_Noreturn void tkt_ctl_rerun_child(const struct tkt_ctl_rerun_side *sides, int sock)
{
    struct tkt_err err = TKT_ERR_INIT;
    struct child c = {.sock = sock};

    for (int i = 0; i < TKT_CTL_RERUN_SIDES; i++) {
        tkt_buf_init(&c.answers[i], TKT_DECISIONS_WIRE_MAX);
    }
    (void)signal(SIGPIPE, SIG_IGN);            /* cannot fail for a valid signal */
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0); /* else it ends with its socket */
    if (enter(&c, sides, &err) < 0) {
        char class = (char)err.class;
        (void)say(sock, 0, &class, 1); /* who does not listen is gone */
        (void)say(sock, 0, err.text, strlen(err.text));
        _exit(EX_CONFIG);
    }
    if (say(sock, 1, "", 0) == 0) {
        while (serve(&c) == 0) {
            /* until the other end is closed */
        }
    }
    _exit(0);
}
