/* SPDX-License-Identifier: BSD-2-Clause
 * What systemd and a daemon tell each other: readiness, and sockets that were opened for
 * it. Without systemd (no $NOTIFY_SOCKET, no $LISTEN_FDS) both do nothing. libc only;
 * call from the main thread.
 */
#ifndef TKT_BASE_SDNOTIFY_H
#define TKT_BASE_SDNOTIFY_H
#include "base/err.h"

/* "READY=1", "RELOADING=1\nMONOTONIC_USEC=...", "STOPPING=1", "STATUS=...". Failure to
 * tell is no failure of the daemon: nothing is returned. */
void tkt_sd_notify(const char *state);
/* The listening socket of that FileDescriptorName= (close-on-exec, non-blocking), or -1
 * with err unset when there is none; CONF when it is of another type (SOCK_*). */
int tkt_sd_listen_fd(const char *name, int type, struct tkt_err *err);

#endif
