/* SPDX-License-Identifier: BSD-2-Clause
 * The desk table that the milter acts on, and where it comes from.
 *
 * Sources, best first: a HELLO reply, the copy of the last one on disk, the desks of our
 * own configuration file (generation 0). The copy may be older than the file, and a desk
 * that is not recognised means mail without a ticket: behind a copy from disk the file's
 * desks count as well, until ticketd has been heard. A table is immutable and counted: get
 * it, use it, put it back; the current one may be replaced meanwhile. Thread-safe.
 */
#ifndef TKT_MILTER_TABLE_H
#define TKT_MILTER_TABLE_H
#include "conf/conf.h"
#include "wire/intake.h"

#include <stdatomic.h>

enum tkt_table_source {
    TKT_TABLE_CONF,
    TKT_TABLE_DISK,
    TKT_TABLE_HELLO
};

struct tkt_table {
    atomic_uint refs;
    enum tkt_table_source source;
    struct tkt_wire_reply hello; /* desks, generation, message_max, rcpt_lookup */
    struct tkt_wire_desk_index *index;
    struct tkt_table *behind; /* asked next; NULL but for a copy from disk */
};

/* The holder of the current table. */
struct tkt_tables;
struct tkt_tables *tkt_tables_new(const char *state_dir);
void tkt_tables_free(struct tkt_tables **tables);
/* Never NULL after the first successful load. */
struct tkt_table *tkt_table_get(struct tkt_tables *tables);
void tkt_table_put(struct tkt_table **table);

/* The desks of the file; they are the table unless a better source was already seen. */
int tkt_tables_from_conf(struct tkt_tables *tables, const struct tkt_conf *conf,
                         struct tkt_err *err);
/* The copy in state_dir; -1 when there is none or it can't be used. */
int tkt_tables_from_disk(struct tkt_tables *tables, struct tkt_err *err);
/* Asks ticketd; a table that differs becomes the current one (*changed) and is kept on
 * disk. */
int tkt_tables_from_hello(struct tkt_tables *tables, struct tkt_wire_client *client,
                          int64_t deadline_mono_ms, bool *changed, struct tkt_err *err);
/* The desk of an envelope recipient, or NULL; desks with mode = off are none. */
const struct tkt_wire_desk *tkt_table_find(const struct tkt_table *table,
                                           const char *addr, size_t *sub);

#endif
