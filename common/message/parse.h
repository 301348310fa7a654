/* SPDX-License-Identifier: BSD-2-Clause
 * Reads a message: bytes in, struct tkt_message out. Runs in the parser children and in
 * `ticketctl explain`; never in ticketd (link check).
 *
 * Promise: every message gives a struct. What is broken, capped or left out stands in
 * .problems, one line each that begins with the name of the cap or "broken"; what is
 * past a structural cap is read from its headers alone (.degraded). Time and memory are
 * linear in the header block and bounded for the body: bodies are walked through a
 * window of TKT_MESSAGE_WINDOW bytes, only text is kept (up to text_max); the
 * content of attachments passes by for their size and hash. With limits.parse_ms it also
 * ends in time: headers first, then as much of the body as there was time for (.degraded,
 * "parse_ms"). Messages within messages and TNEF are opened to a fixed depth
 * (message/visit.h). -1 only when the source cannot be read (TEMP) or memory ends (TEMP).
 * After tkt_message_parser_init() nothing is opened any more: parse and extract need
 * pread(2), write(2) (extract) and memory, no file, no locale, no new iconv converter.
 * Threads: init once, before any; a parse uses the converters, which are shared: one
 * thread at a time.
 */
#ifndef TKT_MESSAGE_PARSE_H
#define TKT_MESSAGE_PARSE_H
#include "base/err.h"
#include "message/message.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TKT_MESSAGE_WINDOW (64 * 1024)

/* Caps; the names in .problems are these without "_max". */
struct tkt_message_limits {
    size_t header_block_max; /* bytes of all fields of the message: 256 KiB */
    size_t header_count_max; /* fields of the message or of a part: 1,000 */
    size_t header_max;       /* bytes of one field: 32 KiB */
    size_t mime_depth_max;   /* 32 */
    size_t mime_parts_max;   /* 500, never above TKT_MESSAGE_PARTS_MAX */
    size_t mime_params_max;  /* parameters of a field: 64 */
    size_t text_max;         /* decoded text: 1 MiB, never above TKT_MESSAGE_TEXT_MAX */
    size_t addresses_max;    /* of one list (To, Cc, Reply-To): 512, never above */
    size_t references_max;   /* of References and In-Reply-To: 64, never above */
    size_t name_max;         /* bytes of the name of a person or a file: 1,024 */
    size_t hash_max;         /* bytes of attachments that are hashed: 256 MiB */
    size_t nested_max; /* messages (or winmail.dat) within each other: 8, never above */
    size_t nested_bytes_max; /* of such a message that is itself encoded: 1 MiB */
    size_t html_depth_max;   /* open elements of HTML: 512, never above */
    int64_t parse_ms;        /* time, then the result is what was read: 0 = no end */
};
void tkt_message_limits_default(struct tkt_message_limits *limits);
/* Those of a configuration; parse_ms is 0. What is 0 there has its default. */
struct tkt_conf_limits;
void tkt_message_limits_from(const struct tkt_conf_limits *conf,
                             struct tkt_message_limits *limits);

struct tkt_budget;
/* Bytes in memory, or (data NULL) size bytes of fd from offset on, read by pread. */
struct tkt_message_source {
    const void *data;
    int fd;
    uint64_t size;
    uint64_t offset;           /* of the message within fd */
    struct tkt_budget *budget; /* set by the reader: content ends where time is up */
};

struct tkt_message_options {
    struct tkt_message_limits limits;
    const char *const *authserv_ids; /* trusted; none: no field is believed */
    size_t authserv_id_count;
    const char *const *arc_sealers; /* domains whose ARC seal is believed; none: ARC is
                                     * not looked at */
    size_t arc_sealer_count;
    const char *const *prefixes; /* of ticket IDs: "IT" */
    size_t prefix_count;
    const char *const *keep; /* names of fields that rules look at: message.h, kept */
    size_t keep_count;
    bool null_sender; /* the envelope sender is <> */
};

/* Once, before the first parse and before any system call filter: opens one converter
 * for each charset of a fixed list. Later calls do nothing. */
int tkt_message_parser_init(struct tkt_err *err);
int tkt_message_parse(const struct tkt_message_source *src,
                      const struct tkt_message_options *opt, struct tkt_message *out,
                      struct tkt_err *err);
/* Writes the decoded content of a part (tkt_attachment.part) to out_fd, in pieces. PERM
 * when there is no such part within the limits: those under which it was listed (NULL: the
 * usual ones; parse_ms is none of them). */
int tkt_message_extract(const struct tkt_message_source *src, const char *part,
                        const struct tkt_message_limits *limits, int out_fd,
                        struct tkt_err *err);

#endif
