/* SPDX-License-Identifier: BSD-2-Clause
 * Packets of the intake and control protocols: name=value lines plus descriptors.
 *
 * A struct tkt_wire_packet owns its buffer and its descriptors. Sending does not close
 * them; release does. Receiving accepts at most TKT_WIRE_FDS_MAX descriptors, all
 * close-on-exec; MSG_TRUNC, more descriptors, or a descriptor that is not a regular file
 * or memfd are PERM errors. MSG_CTRUNC is a TEMP error: the control buffer has room for
 * all that a peer can send, so only our own want of descriptors cuts it. None of these is
 * ever "no message", and after each the connection can still carry an answer. libc only;
 * no threads, no globals.
 */
#ifndef TKT_WIRE_PACKET_H
#define TKT_WIRE_PACKET_H
#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TKT_WIRE_PACKET_MAX 32768
#define TKT_WIRE_TAIL_MAX (2 * 1024 * 1024)
#define TKT_WIRE_FDS_MAX 2
#define TKT_WIRE_LINES_MAX 20000

struct tkt_wire_packet {
    struct tkt_buf body;       /* the lines; after receive including the tail's */
    int fds[TKT_WIRE_FDS_MAX]; /* -1 = none; message first */
    size_t fd_count;
};

/* Memory of decoded strings. Zero it to begin; NULL when memory is out. */
struct tkt_wire_arena {
    void *blocks;
};
void *tkt_wire_arena_alloc(struct tkt_wire_arena *a, size_t n);
char *tkt_wire_arena_strdup(struct tkt_wire_arena *a, const char *s, size_t n);
void tkt_wire_arena_release(struct tkt_wire_arena *a);

void tkt_wire_packet_init(struct tkt_wire_packet *p);
void tkt_wire_packet_release(struct tkt_wire_packet *p);
/* Takes ownership of fd. */
int tkt_wire_packet_take_fd(struct tkt_wire_packet *p, int fd);

/* Appends "name=value\n" with the value percent-encoded. */
int tkt_wire_add(struct tkt_buf *b, const char *name, const char *value);
int tkt_wire_addn(struct tkt_buf *b, const char *name, const void *value, size_t n);
int tkt_wire_add_int(struct tkt_buf *b, const char *name, int64_t value);

/* Walks the lines. Returns 1 and sets name and value (NUL-terminated, decoded in place,
 * so that a body can be walked once), 0 at the end, -1 on a malformed line. A value that
 * decodes to something with a NUL is malformed. */
struct tkt_wire_cursor {
    char *at;
    char *end;
    unsigned line;
};
void tkt_wire_cursor_init(struct tkt_wire_cursor *c, struct tkt_wire_packet *p);
void tkt_wire_cursor_init_mem(struct tkt_wire_cursor *c, char *text, size_t len);
int tkt_wire_next(struct tkt_wire_cursor *c, char **name, char **value,
                  struct tkt_err *err);

/* One packet out. A body above TKT_WIRE_PACKET_MAX goes out as "v=1\ntail=BYTES\n" and a
 * sealed memfd behind the other descriptors. Blocks until deadline (mono ms). */
int tkt_wire_send(int sock, struct tkt_wire_packet *p, int64_t deadline_mono_ms,
                  struct tkt_err *err);
/* One packet in: 1, 0 when the peer closed, -1 on error (TEMP: transport, deadline, no
 * descriptor left; PERM: malformed). A deadline that has passed does not wait: -1 with
 * errno EAGAIN if nothing is there. p must be initialised and is emptied first. */
int tkt_wire_recv(int sock, struct tkt_wire_packet *p, int64_t deadline_mono_ms,
                  struct tkt_err *err);
int tkt_wire_connect(const char *path, int64_t deadline_mono_ms, struct tkt_err *err);
/* A listening SOCK_SEQPACKET at path with umask; an existing socket is replaced only if
 * nothing answers on it (CONF error otherwise). */
int tkt_wire_listen(const char *path, unsigned umask_bits, struct tkt_err *err);

#endif
