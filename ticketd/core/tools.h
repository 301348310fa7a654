/* SPDX-License-Identifier: BSD-2-Clause
 * What a thread needs for its work on requests and keeps from one to the next: a reader
 * of the store and a key scan. Made on first use, released when the thread ends.
 */
#ifndef TKT_TICKETD_TOOLS_H
#define TKT_TICKETD_TOOLS_H
#include "base/err.h"
#include "decide/decide.h"
#include "store/store.h"
#include "ticketd/mail/keyscan.h"

/* The sender that was looked up last: a message's facts are gathered twice and must be the
 * same both times, whatever the cache gets meanwhile (ticketd/people/people.h). */
struct tkt_tools_person {
    char address[256];
    int64_t at_s; /* the message's time; 0 = none */
    int result;
    struct tkt_person person;
    struct tkt_wire_arena arena;
};

struct tkt_tools {
    const char *store_dir; /* borrowed */
    struct tkt_tools_person person;
    struct tkt_reader *reader;
    struct tkt_keyscan *scan;
};

/* NULL with *err (TEMP) when it cannot be opened now. */
struct tkt_reader *tkt_tools_reader(struct tkt_tools *tools, struct tkt_err *err);
/* Ready for a message; prefixes must live until the scan's result was used. */
struct tkt_keyscan *tkt_tools_scan(struct tkt_tools *tools,
                                   const struct tkt_prefixes *own,
                                   const struct tkt_keyscan_hints *hints,
                                   struct tkt_err *err);
/* The next look-up reads the cache again. */
void tkt_tools_forget_person(struct tkt_tools *tools);
void tkt_tools_release(struct tkt_tools *tools);

#endif
