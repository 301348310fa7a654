/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/clock.h"
#include "base/enc.h"
#include "base/util.h"
#include "ticket_config.h"
#include "ticketctl/ctl.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define OPTS_MAX 32 /* rows of one command with the global ones */

/* The rows of one getopt_long() pass. */
struct pass {
    const struct tkt_ctl_opt *rows[OPTS_MAX];
    struct option longs[OPTS_MAX + 2];
    char letters[2 * OPTS_MAX + 3];
    size_t count;
};

enum {
    OPT_VERSION = 1000,
    OPT_FIRST_ROW = 2000
};

static void pass_add(struct pass *p, const struct tkt_ctl_opt *rows)
{
    size_t at = strlen(p->letters);
    for (; rows != NULL && rows->name != NULL && p->count < OPTS_MAX; rows++) {
        p->rows[p->count] = rows;
        p->longs[p->count] = (struct option){
            rows->name, rows->arg != NULL ? required_argument : no_argument, NULL,
            OPT_FIRST_ROW + (int)p->count};
        p->count++;
        if (rows->letter != 0) {
            p->letters[at++] = rows->letter;
            if (rows->arg != NULL) {
                p->letters[at++] = ':';
            }
            p->letters[at] = '\0';
        }
    }
    p->longs[p->count] = (struct option){"version", no_argument, NULL, OPT_VERSION};
}

static const struct tkt_ctl_opt *pass_find(const struct pass *p, int got)
{
    if (got >= OPT_FIRST_ROW) {
        return p->rows[got - OPT_FIRST_ROW];
    }
    for (size_t i = 0; i < p->count; i++) { /* a command's own letter stands first */
        if (p->rows[i]->letter == got) {
            return p->rows[i];
        }
    }
    return NULL;
}

static void take_value(struct tkt_ctl *ctl, const struct tkt_ctl_opt *opt,
                       const char *value)
{
    ctl->values[ctl->value_count++] =
        (struct tkt_ctl_value){opt, value != NULL ? value : ""};
    if (strcmp(opt->name, "json") == 0) {
        ctl->json = true;
    } else if (strcmp(opt->name, "quiet") == 0) {
        ctl->quiet = true;
    }
}

/* Runs getopt_long() over argv from *at; leaves *at at the first argument. */
static int run_pass(struct tkt_ctl *ctl, struct pass *p, int argc, char **argv, int *at,
                    bool *done)
{
    optind = 0; /* GNU: forget the order kept from the pass before */
    for (;;) {
        int got = getopt_long(argc, argv, p->letters, p->longs, NULL);
        if (got == -1) {
            break;
        }
        if (got == '?') {
            return EX_USAGE;
        }
        if (got == OPT_VERSION) {
            puts("ticketctl " PACKAGE_VERSION);
            *done = true;
            return 0;
        }
        take_value(ctl, pass_find(p, got), optarg);
    }
    *at = optind;
    return 0;
}

static const struct tkt_ctl_cmd *find_command(int argc, char **argv, int *words)
{
    for (const struct tkt_ctl_cmd *c = tkt_ctl_table; c->name != NULL; c++) {
        const char *blank = strchr(c->name, ' ');
        size_t first = blank != NULL ? (size_t)(blank - c->name) : strlen(c->name);
        if (strlen(argv[0]) != first || strncmp(argv[0], c->name, first) != 0) {
            continue;
        }
        if (blank == NULL) {
            *words = 1;
            return c;
        }
        if (argc > 1 && strcmp(argv[1], blank + 1) == 0) {
            *words = 2;
            return c;
        }
    }
    return NULL;
}

static int unknown_command(int argc, char **argv)
{
    bool is_group = false;
    size_t n = strlen(argv[0]);
    for (const struct tkt_ctl_cmd *c = tkt_ctl_table; c->name != NULL; c++) {
        if (strncmp(c->name, argv[0], n) == 0 && c->name[n] == ' ') {
            fprintf(stderr, "usage: ticketctl %s %s\n", c->name, c->args);
            is_group = true;
        }
    }
    if (is_group) {
        return EX_USAGE;
    }
    (void)argc;
    return tkt_ctl_fail(EX_USAGE, "there is no command \"%s\"; see ticketctl help",
                        argv[0]);
}

static int check_counts(const struct tkt_ctl *ctl)
{
    const struct tkt_ctl_cmd *c = ctl->cmd;
    if (ctl->pos_count >= c->pos_min &&
        (c->pos_max < 0 || ctl->pos_count <= c->pos_max)) {
        return 0;
    }
    fprintf(stderr, "usage: ticketctl %s %s\n", c->name, c->args);
    return EX_USAGE;
}

int tkt_ctl_parse(struct tkt_ctl *ctl, int argc, char **argv, bool *done)
{
    *done = false;
    ctl->values = calloc((size_t)argc * 2 + 1, sizeof *ctl->values);
    if (ctl->values == NULL) {
        return tkt_ctl_fail(EX_OSERR, "out of memory");
    }
    struct pass globals = {.letters = "+"};
    pass_add(&globals, tkt_ctl_global_opts);
    int at = 1;
    int rc = run_pass(ctl, &globals, argc, argv, &at, done);
    if (rc != 0 || *done) {
        return rc;
    }
    bool wants_help = tkt_ctl_opt(ctl, "help") != NULL;
    if (at >= argc) {
        tkt_ctl_usage(wants_help ? stdout : stderr);
        *done = wants_help;
        return wants_help ? 0 : EX_USAGE;
    }
    int words = 0;
    ctl->cmd = find_command(argc - at, argv + at, &words);
    if (ctl->cmd == NULL) {
        return unknown_command(argc - at, argv + at);
    }
    at +=
        words - 1; /* getopt takes the last word of the command for the program's name */
    struct pass both = {.letters = ""};
    if (ctl->cmd->stop_at_first) {
        strcpy(both.letters, "+");
    }
    pass_add(&both, ctl->cmd->opts);
    pass_add(&both, tkt_ctl_global_opts);
    char *word = argv[at];
    argv[at] = argv[0]; /* for getopt's own messages */
    int rest = 1;
    rc = run_pass(ctl, &both, argc - at, argv + at, &rest, done);
    argv[at] = word;
    if (rc != 0 || *done) {
        return rc;
    }
    ctl->pos = argv + at + rest;
    ctl->pos_count = argc - at - rest;
    return tkt_ctl_opt(ctl, "help") != NULL ? 0 : check_counts(ctl);
}

const char *tkt_ctl_opt(const struct tkt_ctl *ctl, const char *name)
{
    for (size_t i = ctl->value_count; i-- > 0;) {
        if (strcmp(ctl->values[i].opt->name, name) == 0) {
            return ctl->values[i].value;
        }
    }
    return NULL;
}

int tkt_ctl_opt_int(struct tkt_ctl *ctl, const char *name, int64_t min, int64_t max,
                    int64_t otherwise, int64_t *out)
{
    const char *s = tkt_ctl_opt(ctl, name);
    if (s == NULL) {
        *out = otherwise;
        return 0;
    }
    if (tkt_parse_int(s, min, max, out) < 0) {
        return tkt_ctl_fail(EX_USAGE, "--%s wants a number from %lld to %lld, not \"%s\"",
                            name, (long long)min, (long long)max, s);
    }
    return 0;
}

static int parse_ago(const char *s, int64_t now_ms, int64_t *out_ms)
{
    static const struct {
        char unit;
        int64_t ms;
    } units[] = {{'m', 60000}, {'h', 3600000}, {'d', 86400000}, {'w', 604800000}};
    size_t n = strlen(s);
    char number[12];
    if (n < 2 || n > sizeof number) {
        return -1;
    }
    memcpy(number, s, n - 1);
    number[n - 1] = '\0';
    int64_t count;
    if (tkt_parse_int(number, 0, 1000000, &count) < 0) {
        return -1;
    }
    for (size_t i = 0; i < TKT_ARRAY_LEN(units); i++) {
        if (s[n - 1] == units[i].unit) {
            *out_ms = TKT_MAX(0, now_ms - count * units[i].ms);
            return 0;
        }
    }
    return -1;
}

int tkt_ctl_parse_since(const char *s, int64_t now_ms, int64_t *out_ms)
{
    if (parse_ago(s, now_ms, out_ms) == 0) {
        return 0;
    }
    static const char *const forms[] = {"%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M"};
    for (size_t i = 0; i < TKT_ARRAY_LEN(forms); i++) {
        struct tm tm = {.tm_isdst = -1};
        const char *end = strptime(s, forms[i], &tm);
        if (end != NULL && *end == '\0') {
            time_t t = mktime(&tm);
            if (t >= 0) {
                *out_ms = (int64_t)t * 1000;
                return 0;
            }
        }
    }
    return -1;
}

int tkt_ctl_since_arg(struct tkt_ctl *ctl, char out[24], const char **value)
{
    const char *s = tkt_ctl_opt(ctl, "since");
    int64_t ms;
    *value = NULL;
    if (s == NULL) {
        return 0;
    }
    if (tkt_ctl_parse_since(s, tkt_clock_wall_ms(), &ms) < 0) {
        return tkt_ctl_fail(EX_USAGE,
                            "--since wants 30m, 2h, 7d, 2026-11-22 or "
                            "\"2026-11-22 14:30\", not \"%s\"",
                            s);
    }
    snprintf(out, 24, "%lld", (long long)ms);
    *value = out;
    return 0;
}
