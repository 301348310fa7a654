/* SPDX-License-Identifier: BSD-2-Clause
 * The command line of ticket-milter. Strings are borrowed from argv.
 */
#ifndef TKT_MILTER_OPTIONS_H
#define TKT_MILTER_OPTIONS_H
#include <stdbool.h>

struct tkt_milter_options {
    const char *config;
    const char *socket; /* NULL: as configured; so all below */
    const char *pid_file;
    const char *user;
    long umask_bits; /* -1: as configured */
    bool foreground;
    bool test;
    bool verbose;
};

/* 0 to go on; 1 when all is said (-h, -V): exit 0; -1: usage was printed, exit 64. */
int tkt_milter_options_parse(int argc, char **argv, struct tkt_milter_options *out);

#endif
