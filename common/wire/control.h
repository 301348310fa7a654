/* SPDX-License-Identifier: BSD-2-Clause
 * The control protocol between ticketctl and ticketd (control.sock).
 *
 * Same packets as the intake protocol (wire/packet.h). Request lines: "v=1", "verb=NAME",
 * then arguments "name=value". Reply lines: "v=1", "status=ok" or "status=error", "exit="
 * (sysexits.h, so that scripts can tell temporary from permanent), "text=" for people.
 * A reply with data carries one descriptor: a sealed memfd with one JSON value (UTF-8),
 * or, for "raw", the message itself. "backup" and "submit" requests carry a descriptor:
 * the file to write, the message to take in. The peer's role (admin, agent, reader) comes
 * from SO_PEERCRED and access { } in the configuration, never from the request.
 *
 * verb      arguments (? = optional)                              role    data
 * ping      -                                                     any     -
 * status    -                                                     reader  object
 * list      desk? state? group? assignee? requester? text? since_ms? limit? before?
 *                                                                 reader  array
 * show      id                                                    reader  object
 * log       id? since_ms? limit?                                  reader  array
 * raw       id, message? (row; default the first)                 agent   message
 * set       id, field, value                                      agent   -
 * comment   id, text, public (0|1)                                agent   -
 * assign    id, group?, assignee?                                 agent   -
 * resolve   id, text?                                             agent   -
 * reopen    id, text?                                             agent   -
 * close     id, text?                                             agent   -
 * merge     from, into                                            agent   -
 * split     id, message                                           agent   object {"id"}
 * link      a, b                                                  agent   -
 * forget    what (ID or address)                                  admin   object {"count"}
 * queue     job? state? limit?                                    reader  array
 * shadow    -                                                     reader  object
 * sample    id? desk? after? since_ms? until_ms? limit?            agent   frames
 *           (stored mails; ticketd/control/control_sample.h)
 * queue-retry, queue-park, queue-drop   job                       agent (drop: admin)
 * queue-edit  job, payload? target? force? (0|1)                  admin
 * verify    -                                                     reader  object
 * backup    (descriptor of the file to write)                     admin   -
 * reload    -                                                     admin   -
 * directory-lookup   address, cached? (0|1: do not ask)            agent   object
 * directory-test     name?                                       agent   array
 * directory-flush    -                                           admin   -
 * facts     address?, message-id*, id*, rcpt*, self?, bounced?,  reader  object
 *           foreign*, tail*, image*, print?, class?, desk*
 *           (what the history knows of a mail that names these: for `explain` beside a
 *           running daemon; ticketd/control/control_facts.h)
 */
#ifndef TKT_WIRE_CONTROL_H
#define TKT_WIRE_CONTROL_H
#include "base/err.h"
#include "wire/packet.h"

struct tkt_control_reply {
    int exit_code;    /* 0 = ok */
    const char *text; /* never NULL */
    int fd;           /* data, or -1 */
    struct tkt_wire_arena arena;
};

/* Sends req (lines and descriptors as packed by the caller) to the control socket and
 * waits for the reply. 0 with *reply filled, or -1: TEMP when ticketd cannot be reached. */
int tkt_control_call(const char *socket_path, struct tkt_wire_packet *req,
                     int64_t deadline_mono_ms, struct tkt_control_reply *reply,
                     struct tkt_err *err);
void tkt_control_reply_release(struct tkt_control_reply *reply);

#endif
