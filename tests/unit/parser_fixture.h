/* SPDX-License-Identifier: BSD-2-Clause
 * A pool with the real ticket-parser, for the tests that need one. A call that fails ends
 * the test.
 */
#ifndef TKT_TESTS_PARSER_FIXTURE_H
#define TKT_TESTS_PARSER_FIXTURE_H
#include "ticketd/parser/parserpool.h"

#include <stddef.h>
#include <sys/types.h>

#define MIB (1024 * 1024)
#define CHILDREN_MAX 8
#define PATIENCE 2000 /* looks, 10 ms apart, for what comes soon */

/* Sanitizers and busy machines: the figures that are promised are for neither. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SLOWER 10
#else
#define SLOWER 1
#endif

/* $TKT_BUILDDIR/ticket-parser; set by find_program. */
extern char program[512];
void find_program(void);
/* One desk; static, made anew by each call. */
struct tkt_conf *settings(int children);
struct tkt_parserpool *start_with(const struct tkt_conf *conf);
int one_desk(void *arg, const struct tkt_message *msg, struct tkt_facts *facts,
             struct tkt_err *err);
struct tkt_analyse_in in_memory(const char *text, size_t len);
void analyse(struct tkt_parserpool *pool, const struct tkt_analyse_in *in,
             struct tkt_analysis *out);
void assert_works(struct tkt_parserpool *pool);
void sleep_ms(int ms);
size_t children_of(struct tkt_parserpool *pool, pid_t *zygote, pid_t *children);
/* A number of /proc/PID/status, or -1. */
long status_of(pid_t pid, const char *field);
/* An unlinked file with this in it. */
int file_of(const char *text, size_t n);

#endif
