/* SPDX-License-Identifier: BSD-2-Clause
 * What a daemon does to its own process: who it is, where it runs, what it may.
 *
 * For the main thread, before others start (except tkt_process_seal).
 */
#ifndef TKT_TICKETD_PROCESS_H
#define TKT_TICKETD_PROCESS_H
#include "base/err.h"

#include <stdbool.h>

/* Started as root: makes dirs (NULL-terminated) for user where missing, then becomes
 * that user. CONF when user is "", root, or does not exist. Not root: does nothing; CONF
 * when another user than the present one was asked for by force. */
int tkt_process_become(const char *user, const char *const *dirs, bool forced,
                       struct tkt_err *err);
/* As many descriptors as the hard limit allows. */
void tkt_process_raise_files(void);
/* Goes into the background. The parent stays until *ready_fd gets a byte (exit 0) or is
 * closed (exit status of a failed start). */
int tkt_process_detach(int *ready_fd, struct tkt_err *err);
void tkt_process_ready(int *ready_fd);
/* Nothing executable comes to be any more, no right is won by exec (where the kernel has
 * these); children may still be executed and are free of the first. */
void tkt_process_seal(void);
int tkt_pid_file_write(const char *path, struct tkt_err *err);

#endif
