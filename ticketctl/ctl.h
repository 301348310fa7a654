/* SPDX-License-Identifier: BSD-2-Clause
 * ticketctl: what all its commands share.
 *
 * One row of the command table (table.c) is all there is to a command: its name, its
 * arguments and options, its help, the role that ticketd asks for, its handler. Usage,
 * `help`, the bash completion and the check of the man page are derived from the rows.
 *
 * A handler returns a code of sysexits.h after it told the person what is wrong. The
 * program is one thread; a struct tkt_ctl lives as long as the process.
 */
#ifndef TKT_TICKETCTL_CTL_H
#define TKT_TICKETCTL_CTL_H
#include "base/err.h"
#include "conf/conf.h"
#include "wire/control.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sysexits.h>

#define TKT_CTL_REPLY_MAX (64U * 1024 * 1024) /* JSON that a reply may carry */
#define TKT_CTL_COMMENT_MAX (256U * 1024)     /* bytes of a comment or reason */
#define TKT_CTL_TIMEOUT_MS 30000              /* of a call, unless --timeout */
#define TKT_CTL_TIMEOUT_LONG_MS 3600000       /* of verify and backup */

enum tkt_ctl_role { /* what ticketd asks of the user; the words stand in `help` */
    TKT_CTL_LOCAL,  /* ticketd is not asked */
    TKT_CTL_ANY,
    TKT_CTL_HOOK,
    TKT_CTL_READER,
    TKT_CTL_AGENT,
    TKT_CTL_ADMIN
};

struct tkt_ctl_opt {
    const char *name; /* long; NULL ends an array */
    char letter;      /* or 0 */
    const char *arg;  /* placeholder of its value; NULL: a switch */
    const char *help;
};

struct tkt_ctl;

struct tkt_ctl_cmd {
    const char *name; /* one or two words; NULL ends the table */
    const char *args; /* as in the synopsis */
    const char *help; /* one line */
    enum tkt_ctl_role role;
    int pos_min;
    int pos_max;        /* -1: any number */
    bool stop_at_first; /* what follows the first argument is never an option */
    const struct tkt_ctl_opt *opts; /* besides the global ones; or NULL */
    int (*run)(struct tkt_ctl *ctl);
};
extern const struct tkt_ctl_cmd tkt_ctl_table[];
extern const struct tkt_ctl_opt tkt_ctl_global_opts[];
const char *tkt_ctl_role_name(enum tkt_ctl_role role);

struct tkt_ctl_value {
    const struct tkt_ctl_opt *opt;
    const char *value;
};

struct tkt_ctl {
    const struct tkt_ctl_cmd *cmd;
    struct tkt_ctl_value *values; /* options in the order given */
    size_t value_count;
    char **pos; /* arguments that are no options */
    int pos_count;
    bool json;
    bool quiet;
    struct tkt_conf *conf; /* read at first need */
    struct tkt_conf *top;  /* its top level alone, for who needs no more */
};

/* ---- options (args.c) -------------------------------------------------------------- */

/* Reads the command line: 0, or EX_USAGE after a message. *done: help or version was
 * printed, nothing is left to do. */
int tkt_ctl_parse(struct tkt_ctl *ctl, int argc, char **argv, bool *done);
/* The last value given for the option ("" for a switch), or NULL. */
const char *tkt_ctl_opt(const struct tkt_ctl *ctl, const char *name);
/* A number option within [min, max], or otherwise when not given: 0 or EX_USAGE. */
int tkt_ctl_opt_int(struct tkt_ctl *ctl, const char *name, int64_t min, int64_t max,
                    int64_t otherwise, int64_t *out);
/* A point in time: "2h" or "7d" ago, or a local "2026-11-22", "2026-11-22 14:30". */
int tkt_ctl_parse_since(const char *s, int64_t now_ms, int64_t *out_ms);
/* A point in time to come: "2h" or "7d" from now, or a local date or time as above. A date
 * alone is its first midnight or, is_end, the midnight behind it. */
int tkt_ctl_parse_ahead(const char *s, int64_t now_ms, bool is_end, int64_t *out_ms);
/* --since as milliseconds in out: *value is out, or NULL when not given. 0 or EX_USAGE. */
int tkt_ctl_since_arg(struct tkt_ctl *ctl, char out[24], const char **value);

/* ---- help (help.c) ----------------------------------------------------------------- */

void tkt_ctl_usage(FILE *to);
int tkt_ctl_help(struct tkt_ctl *ctl);

/* ---- errors (report.c) ------------------------------------------------------------- */

/* "ticketctl: text" on stderr, made safe for a terminal; returns code. */
int tkt_ctl_fail(int code, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The same for an error of a library; the class chooses the code. */
int tkt_ctl_fail_err(const struct tkt_err *err);
int tkt_ctl_class_exit(enum tkt_err_class class);

/* ---- configuration and ticketd (session.c) ----------------------------------------- */

const char *tkt_ctl_conf_path(const struct tkt_ctl *ctl);
/* Reads the configuration: 0, or a code after a message. */
int tkt_ctl_conf(struct tkt_ctl *ctl);
/* -s, else the configuration if it can be read, else the default. */
const char *tkt_ctl_control_socket(struct tkt_ctl *ctl);
const char *tkt_ctl_intake_socket(struct tkt_ctl *ctl);
/* Some sections of it (tkt_conf_load_part), the caller's: NULL where there is none that can be
 * read, after a message only if -c named it. */
struct tkt_conf *tkt_ctl_conf_part(struct tkt_ctl *ctl, uint64_t sections);
/* After one of the sockets: -c named a configuration that cannot be read (it was told why), so
 * that the default socket would be somebody else's. */
bool tkt_ctl_conf_failed(const struct tkt_ctl *ctl);

struct tkt_ctl_pair {
    const char *name;
    const char *value; /* NULL: the pair is left out */
};
/* One verb to ticketd and its reply, whatever it says: 0 and *reply filled, or a code
 * after a message (nothing to release then). Borrows fd (-1: none). timeout_ms holds
 * unless --timeout. */
int tkt_ctl_ask(struct tkt_ctl *ctl, const char *verb, const struct tkt_ctl_pair *pairs,
                size_t count, int fd, int64_t timeout_ms,
                struct tkt_control_reply *reply);
/* The same, where only a good reply is of use. */
int tkt_ctl_call(struct tkt_ctl *ctl, const char *verb, const struct tkt_ctl_pair *pairs,
                 size_t count, int fd, int64_t timeout_ms,
                 struct tkt_control_reply *reply);
/* A verb that changes something: prints the reply's text unless -q. */
int tkt_ctl_do(struct tkt_ctl *ctl, const char *verb, const struct tkt_ctl_pair *pairs,
               size_t count);
/* A verb that is answered by JSON. With --json it is printed and *out is NULL; else *out
 * is the caller's (cJSON_Delete). */
int tkt_ctl_fetch(struct tkt_ctl *ctl, const char *verb, const struct tkt_ctl_pair *pairs,
                  size_t count, int64_t timeout_ms, cJSON **out);
/* A reply's JSON; 0 and *out (cJSON_Delete), or a code after a message. */
int tkt_ctl_read_json(int fd, cJSON **out);
/* As one line on standard output. */
int tkt_ctl_print_json(const cJSON *json);
/* The text of an argument: itself, or standard input for "-": 0 or a code. */
int tkt_ctl_text_arg(const char *arg, struct tkt_buf *out);

/* Timers and steps of an object as the control verb sla gives it; changes it. */
void tkt_ctl_put_sla(cJSON *json);

/* ---- handlers ---------------------------------------------------------------------- */

int tkt_ctl_agent_away(struct tkt_ctl *ctl);
int tkt_ctl_agent_back(struct tkt_ctl *ctl);
int tkt_ctl_agent_list(struct tkt_ctl *ctl);
int tkt_ctl_backup(struct tkt_ctl *ctl);
int tkt_ctl_assign(struct tkt_ctl *ctl);
int tkt_ctl_comment(struct tkt_ctl *ctl);
int tkt_ctl_config_dump(struct tkt_ctl *ctl);
int tkt_ctl_config_test(struct tkt_ctl *ctl);
int tkt_ctl_directory_flush(struct tkt_ctl *ctl);
int tkt_ctl_directory_lookup(struct tkt_ctl *ctl);
int tkt_ctl_directory_test(struct tkt_ctl *ctl);
int tkt_ctl_explain(struct tkt_ctl *ctl);
int tkt_ctl_extract(struct tkt_ctl *ctl);
int tkt_ctl_forget(struct tkt_ctl *ctl);
int tkt_ctl_itsm_list(struct tkt_ctl *ctl);
int tkt_ctl_itsm_test(struct tkt_ctl *ctl);
int tkt_ctl_itsm_moved(struct tkt_ctl *ctl);
int tkt_ctl_link(struct tkt_ctl *ctl);
int tkt_ctl_list(struct tkt_ctl *ctl);
int tkt_ctl_log(struct tkt_ctl *ctl);
int tkt_ctl_merge(struct tkt_ctl *ctl);
int tkt_ctl_model_predict(struct tkt_ctl *ctl);
int tkt_ctl_model_retrain(struct tkt_ctl *ctl);
int tkt_ctl_model_rollback(struct tkt_ctl *ctl);
int tkt_ctl_model_show(struct tkt_ctl *ctl);
int tkt_ctl_model_test(struct tkt_ctl *ctl);
int tkt_ctl_model_train(struct tkt_ctl *ctl);
int tkt_ctl_move(struct tkt_ctl *ctl); /* resolve, reopen, close */
int tkt_ctl_ping(struct tkt_ctl *ctl);
int tkt_ctl_queue_edit(struct tkt_ctl *ctl);
int tkt_ctl_queue_change(struct tkt_ctl *ctl); /* retry, park, drop */
int tkt_ctl_queue_list(struct tkt_ctl *ctl);
int tkt_ctl_queue_show(struct tkt_ctl *ctl);
int tkt_ctl_raw(struct tkt_ctl *ctl);
int tkt_ctl_replay(struct tkt_ctl *ctl);
int tkt_ctl_reload(struct tkt_ctl *ctl);
int tkt_ctl_restore(struct tkt_ctl *ctl);
int tkt_ctl_set(struct tkt_ctl *ctl);
int tkt_ctl_shadow(struct tkt_ctl *ctl);
int tkt_ctl_show(struct tkt_ctl *ctl);
int tkt_ctl_notify_list(struct tkt_ctl *ctl);
int tkt_ctl_notify_optout(struct tkt_ctl *ctl);
int tkt_ctl_notify_preview(struct tkt_ctl *ctl);
int tkt_ctl_notify_test(struct tkt_ctl *ctl);
int tkt_ctl_sla_list(struct tkt_ctl *ctl);
int tkt_ctl_sla_show(struct tkt_ctl *ctl);
int tkt_ctl_split(struct tkt_ctl *ctl);
int tkt_ctl_status(struct tkt_ctl *ctl);
int tkt_ctl_submit(struct tkt_ctl *ctl);
int tkt_ctl_token_key(struct tkt_ctl *ctl);
int tkt_ctl_verify(struct tkt_ctl *ctl);

#endif
