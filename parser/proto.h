/* SPDX-License-Identifier: BSD-2-Clause
 * What ticketd and ticket-parser say to each other. Private to one build of both: the
 * setup names the version, and another version is refused, so nothing here is stable.
 *
 * Control: SOCK_SEQPACKET on descriptor TKT_PARSER_CONTROL_FD of the zygote. ticketd sends
 * the setup, with it a sealed memfd of the settings that decisions are made by
 * (conf/policy.h; 5,000 rules fit no packet) and, if there is one, the model's file. The
 * zygote loads them and answers READY, or FAILED with the line that is wrong; then each SPAWN packet is answered by SPAWNED with
 * two descriptors (the child's socket, its pidfd) or by FAILED and a text. End of file on
 * it ends the zygote, and with it its children.
 *
 * Child: SOCK_STREAM, one request frame, one reply frame, strictly in turn. PARSE carries
 * the message inline up to TKT_PARSER_INLINE_MAX, above that PARSE_FD carries its size and
 * one read-only descriptor. The reply is DONE with the encoded struct or ERROR with a
 * class byte and a text. DECIDE refers to the message that was parsed last. EXTRACT
 * carries the size, the part's name and two descriptors: the message and a pipe. REDACT
 * carries a text; DONE then has the text with what must not leave removed.
 * PARSE and PARSE_FD may carry a tail: the facts that DECIDE would bring, as far as ticketd
 * can guess them. Then DONE has a tail too, the decisions by those facts (none when that
 * failed), and if the guess was right DECIDE is not needed any more.
 *
 * The setup is trusted by the zygote (ticketd is its parent); what a child says is hostile
 * to ticketd. libc only; no threads, no globals.
 */
#ifndef TKT_PARSER_PROTO_H
#define TKT_PARSER_PROTO_H
#include "base/buf.h"
#include "base/err.h"
#include "conf/conf.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define TKT_PARSER_CONTROL_FD 3
#define TKT_PARSER_SETUP_MAX 65536
#define TKT_PARSER_SETUP_STRINGS_MAX 4096
#define TKT_PARSER_SETUP_FDS 2 /* the settings that decisions are made by, the model */
#define TKT_PARSER_INLINE_MAX (256 * 1024)
#define TKT_PARSER_ERROR_MAX 500
#define TKT_PARSER_PART_MAX 256

enum tkt_parser_control {
    TKT_PARSER_READY = 'R',
    TKT_PARSER_SPAWN = 'S',
    TKT_PARSER_SPAWNED = 'C',
    TKT_PARSER_FAILED = 'E'
};

struct tkt_parser_spawned {
    uint32_t kind; /* TKT_PARSER_SPAWNED */
    int32_t pid;
};

enum tkt_parser_frame_type {
    TKT_PARSER_PARSE = 1,
    TKT_PARSER_PARSE_FD,
    TKT_PARSER_DECIDE,
    TKT_PARSER_EXTRACT,
    TKT_PARSER_REDACT,
    TKT_PARSER_DONE,
    TKT_PARSER_ERROR
};

/* Flags of PARSE and PARSE_FD. */
#define TKT_PARSER_NULL_SENDER 1u /* the envelope's is <> */
#define TKT_PARSER_WITH_TEXT 2u   /* the answer has the texts; else they are "" in it */
#define TKT_PARSER_ONLY_READ 4u   /* no DECIDE follows */

struct tkt_parser_frame {
    uint32_t type;
    uint32_t flags;
    uint32_t len;  /* of what follows ... */
    uint32_t tail; /* ... of which the tail */
};

/* All that a zygote has to know of the configuration. The strings are borrowed. */
struct tkt_parser_setup {
    struct tkt_conf_limits limits;
    int64_t budget_ms;
    int64_t messages_per_child;
    int64_t memory_max;
    struct tkt_conf_list authserv_ids;
    struct tkt_conf_list arc_sealers;
    struct tkt_conf_redact redact;
    struct tkt_conf_list prefixes; /* of ticket IDs: "IT" */
};

/* PERM when it does not fit TKT_PARSER_SETUP_MAX. */
int tkt_parser_setup_encode(const struct tkt_parser_setup *setup, struct tkt_buf *out,
                            struct tkt_err *err);
/* The strings point into data; release frees the lists. CONF when data comes from
 * another version of ticketd. */
int tkt_parser_setup_decode(char *data, size_t n, struct tkt_parser_setup *out,
                            struct tkt_err *err);
void tkt_parser_setup_release(struct tkt_parser_setup *setup);

#endif
