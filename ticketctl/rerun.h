/* SPDX-License-Identifier: BSD-2-Clause
 * Stored mails decided again, by two configurations side by side.
 *
 * A child process of its own reads the mail, behind the same filter as ticket-parser: no
 * files, no network. It has loaded both configurations' rules and models before. What the
 * history knows of a mail is taken as it was found then: a mail that opened a ticket opens
 * one, an answer answers its ticket. A child that dies over a mail, or takes longer than
 * TKT_CTL_RERUN_MS, is replaced, and that mail counts as failed. Nothing is written.
 * One thread. Errors: CONF for rules or a model that cannot be loaded, TEMP.
 */
#ifndef TKT_TICKETCTL_RERUN_H
#define TKT_TICKETCTL_RERUN_H
#include "conf/conf.h"
#include "decide/decide.h"

#include <sys/types.h>

#define TKT_CTL_RERUN_SIDES 2
#define TKT_CTL_RERUN_MS 10000
#define TKT_CTL_RERUN_LOSSES_MAX 50 /* children that died, until the run ends */

struct tkt_ctl_rerun_side {
    const struct tkt_conf *conf; /* NULL: this side is not decided */
    const char *model;           /* NULL: the configuration's */
};

struct tkt_ctl_rerun {
    struct tkt_ctl_rerun_side sides[TKT_CTL_RERUN_SIDES];
    pid_t pid;
    int sock;
    unsigned losses;
};

struct tkt_ctl_rerun_mail {
    const void *raw;
    size_t len;
    const char *desk;
    const char *ticket_id;
    int64_t ticket;
    bool is_first;
    unsigned tail_lines;
    int64_t at_s;
    int32_t minute;
    bool null_sender;
    const char *login;
    const char *client;
};

/* Starts the first child: what is wrong with a configuration's rules shows here. */
int tkt_ctl_rerun_start(struct tkt_ctl_rerun *r,
                        const struct tkt_ctl_rerun_side sides[TKT_CTL_RERUN_SIDES],
                        struct tkt_err *err);
/* One decision a side in out, none where that side does not know the desk; release both.
 * 0, or -1: PERM for this mail alone, else the run is over. */
int tkt_ctl_rerun(struct tkt_ctl_rerun *r, const struct tkt_ctl_rerun_mail *mail,
                  struct tkt_decisions out[TKT_CTL_RERUN_SIDES], struct tkt_err *err);
void tkt_ctl_rerun_stop(struct tkt_ctl_rerun *r);

/* ---- between rerun.c and rerun_child.c ---------------------------------------------- */

struct tkt_ctl_rerun_head { /* of a request; desk, id, login, client and raw follow */
    uint32_t lens[5];
    int64_t ticket;
    int64_t at_s;
    int32_t minute;
    uint32_t tail_lines;
    uint32_t is_first;
    uint32_t null_sender;
};
#define TKT_CTL_RERUN_STRING_MAX 1024
#define TKT_CTL_RERUN_RAW_MAX (64U * 1024 * 1024)
/* An answer: 1 and a length and bytes for each side, or 0 and a length and a text. */

/* Both ends: all of it, or -1. */
int tkt_ctl_rerun_read(int fd, void *data, size_t n);
int tkt_ctl_rerun_write(int fd, const void *data, size_t n);
_Noreturn void tkt_ctl_rerun_child(const struct tkt_ctl_rerun_side *sides, int sock);

#endif
