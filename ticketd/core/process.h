/* SPDX-License-Identifier: BSD-2-Clause
 * What a daemon does to its own process: who it is, where it runs, what it may.
 *
 * For the main thread, before others start (except tkt_process_seal).
 */
#ifndef TKT_TICKETD_PROCESS_H
#define TKT_TICKETD_PROCESS_H
#include "base/err.h"

#include <stdbool.h>

/* These do nothing when it was not root who started us. CONF when user is "", root, or
 * does not exist.
 *
 * Makes the directories (NULL-terminated) that are missing, for user. Only the last
 * component: what lies above is the packager's. An existing one is left as it is. */
int tkt_process_make_dirs(const char *user, const char *const *dirs, struct tkt_err *err);
/* Sockets and the process ID file lie in a folder that may be a third user's, the
 * milter's: they are made with the rights of its owner, whom a link there cannot lead
 * further than he may go himself. as_root() ends that. */
int tkt_process_as_owner(const char *path, struct tkt_err *err);
int tkt_process_as_root(struct tkt_err *err);
/* What root made in a folder of its own becomes user's. */
int tkt_process_give(const char *path, const char *user, struct tkt_err *err);
/* Becomes user for good. Not root: CONF when another user than the present one was asked
 * for by force. */
int tkt_process_become(const char *user, bool forced, struct tkt_err *err);
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
