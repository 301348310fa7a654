/* SPDX-License-Identifier: BSD-2-Clause
 * A real ticketd in a folder of its own, for tests that talk to it.
 *
 * Everything fails the running cmocka test when it cannot be had. The programs come from
 * $TKT_BUILDDIR. Started by root, ticketd becomes nobody.
 */
#ifndef TKT_TESTS_DAEMON_H
#define TKT_TESTS_DAEMON_H
#include "wire/control.h"
#include "wire/intake.h"

#include <stdbool.h>
#include <sys/types.h>

#define TKT_TEST_IT "support@example.test"
#define TKT_TEST_HR "hr@example.test"

struct daemon {
    char dir[64];
    char conf[100];
    char intake[100];
    char control[100];
    char parser[100]; /* the path in the configuration: a link to the program */
    pid_t pid;
    int handed_fd; /* an intake socket as a service manager hands it over; -1 = none */
    uint64_t generation;
};

/* Folder and configuration; extra goes into the file as it stands. */
void daemon_prepare(struct daemon *d, const char *extra);
void daemon_write_conf(struct daemon *d, const char *extra);
void daemon_write_conf_store(struct daemon *d, const char *settings);
/* Starts it and waits until it answers. files_max: RLIMIT_NOFILE, 0 = as it is. */
void daemon_start(struct daemon *d, unsigned files_max);
/* Returns the wait status. */
int daemon_kill(struct daemon *d, int sig);
void daemon_remove(struct daemon *d);
bool daemon_log_has(const struct daemon *d, const char *text);
/* Waits for it: the log may be behind what it tells of. */
bool daemon_log_gets(const struct daemon *d, const char *text);
/* The parser program: there or not. */
void daemon_parser(struct daemon *d, bool present);

/* A RESERVE from the milter, to be changed before it is sent. Strings are literals. */
struct reserve {
    struct tkt_wire_request req;
    struct tkt_wire_rcpt rcpts[4096];
    struct tkt_wire_field fields[4];
};
void reserve_init(struct reserve *r, const struct daemon *d, const char *rcpt);
int message_fd(const char *text); /* a sealed memfd */
/* One request on a connection of its own; fd stays the caller's. */
void daemon_call(const struct daemon *d, const struct tkt_wire_request *req, int fd,
                 struct tkt_wire_reply *reply);
/* The JSON of a control verb, to be freed; *exit_code may be NULL (then it must be 0). */
char *daemon_control(const struct daemon *d, const char *verb, const char *name,
                     const char *value, int *exit_code);
/* Asks until the answer of verb contains text, for at most 15 s. */
bool daemon_waits_for(const struct daemon *d, const char *verb, const char *name,
                      const char *value, const char *text);

extern const char daemon_mail[];
/* A mail with that Message-ID; the same text each time. */
int daemon_mail_fd(const char *id);
/* An answer with what most tests look at: the first ticket. */
struct daemon_answer {
    enum tkt_wire_status status;
    size_t tickets;
    size_t edits;
    int smtp_code;
    char id[48];
    char word[20];
    char hold[40];
    char subject[200]; /* value of the Subject edit, if any */
    char text[300];
};
/* daemon_call; closes fd. */
struct daemon_answer daemon_answer(const struct daemon *d,
                                   const struct tkt_wire_request *req, int fd);
/* Sends the request with just these descriptors, whatever they are. */
struct daemon_answer daemon_answer_fds(const struct daemon *d,
                                       const struct tkt_wire_request *req, const int *fds,
                                       size_t count);
void daemon_created(const struct daemon_answer *a);

#endif
