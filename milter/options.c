/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/options.h"

#include "ticket_config.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage_text[] =
    "Usage: ticket-milter [-ftvVh] [-c FILE] [-p SOCKET] [-P PIDFILE] [-u USER[:GROUP]]\n"
    "                     [-U UMASK]\n"
    "  -c, --config FILE      configuration file\n"
    "  -f, --foreground       stay in the foreground\n"
    "  -p, --socket SOCKET    unix:/PATH, inet:PORT@HOST (or inet:HOST:PORT)\n"
    "  -P, --pid-file FILE    pid file\n"
    "  -t, --test             check the configuration and end\n"
    "  -u, --user USER        become this user when started as root\n"
    "  -U, --umask UMASK      octal, applied before the socket is made\n"
    "  -v, --verbose          log at level debug\n"
    "  -V, --version          print the version and end\n"
    "  -h, --help             print this and end\n";

static int parse_umask(const char *text, long *out)
{
    char *end;
    long bits = strtol(text, &end, 8);

    if (*text == '\0' || *end != '\0' || bits < 0 || bits > 0777) {
        fprintf(stderr, "ticket-milter: -U %s: not an octal umask\n", text);
        return -1;
    }
    *out = bits;
    return 0;
}

static int take(int option, const char *arg, struct tkt_milter_options *out)
{
    switch (option) {
    case 'c':
        out->config = arg;
        return 0;
    case 'f':
        out->foreground = true;
        return 0;
    case 'p':
        out->socket = arg;
        return 0;
    case 'P':
        out->pid_file = arg;
        return 0;
    case 't':
        out->test = true;
        return 0;
    case 'u':
        out->user = arg;
        return 0;
    case 'U':
        return parse_umask(arg, &out->umask_bits);
    case 'v':
        out->verbose = true;
        return 0;
    case 'V':
        puts("ticket-milter " PACKAGE_VERSION);
        return 1;
    case 'h':
        fputs(usage_text, stdout);
        return 1;
    default:
        fputs(usage_text, stderr);
        return -1;
    }
}

int tkt_milter_options_parse(int argc, char **argv, struct tkt_milter_options *out)
{
    static const struct option longs[] = {
        {"config", required_argument, NULL, 'c'},
        {"foreground", no_argument, NULL, 'f'},
        {"socket", required_argument, NULL, 'p'},
        {"pid-file", required_argument, NULL, 'P'},
        {"test", no_argument, NULL, 't'},
        {"user", required_argument, NULL, 'u'},
        {"umask", required_argument, NULL, 'U'},
        {"verbose", no_argument, NULL, 'v'},
        {"version", no_argument, NULL, 'V'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    int option;

    memset(out, 0, sizeof(*out));
    out->config = TKT_SYSCONFDIR "/ticket-milter/ticket-milter.conf";
    out->umask_bits = -1;
    while ((option = getopt_long(argc, argv, "c:fp:P:tu:U:vVh", longs, NULL)) != -1) {
        int rc = take(option, optarg, out);
        if (rc != 0) {
            return rc;
        }
    }
    if (optind < argc) {
        fprintf(stderr, "ticket-milter: %s: not understood\n", argv[optind]);
        fputs(usage_text, stderr);
        return -1;
    }
    return 0;
}
