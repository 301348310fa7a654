/* SPDX-License-Identifier: BSD-2-Clause
 * Who the sender is: backends behind one ops table.
 *
 * Promise: an address is looked up by parameters, never by pasted text; what comes back is
 * clean (UTF-8, no control bytes, every value and list capped). Calls block for at most a
 * few times the directory's timeout: they belong into a thread of their own, never into
 * the way of mail.
 * Owner: the caller; conf is borrowed until close. A struct tkt_directory belongs to one
 * thread at a time. It connects when it is first asked and again when its connection was
 * lost.
 * Errors: TEMP (not reachable, too slow, busy), CONF (wrong name, password, query, or a
 * type that was not built in). The libraries beneath never see a message.
 * One more backend is one file, one row in directory.c, one paragraph in
 * ticket-milter.conf(5), one contract row in tests/unit/directory_test.c.
 */
#ifndef TKT_DIRECTORY_DIRECTORY_H
#define TKT_DIRECTORY_DIRECTORY_H
#include "base/buf.h"
#include "base/err.h"
#include "conf/conf.h"
#include "decide/decide.h"

#include <stdbool.h>
#include <stddef.h>

#define TKT_DIRECTORY_ADDRESS_MAX 254
#define TKT_DIRECTORY_VALUE_MAX 256     /* bytes that are kept of a value */
#define TKT_DIRECTORY_GROUPS_SEEN 10000 /* groups of a person that are looked at */
#define TKT_DIRECTORY_ROWS_MAX 10000    /* rows of an answer that are looked at */

struct tkt_directory;

struct tkt_directory_answer {
    struct tkt_person person;
    struct tkt_wire_arena arena;
};

/* Needs no network. NULL: CONF, or TEMP for memory. */
struct tkt_directory *tkt_directory_open(const struct tkt_conf_directory *conf,
                                         struct tkt_err *err);
void tkt_directory_close(struct tkt_directory **directory);
/* 1: it knows the address, out is filled (release it); 0: it does not; -1. address is lower
 * case; one that no directory could hold (control bytes, no @) is not asked for. */
int tkt_directory_lookup(struct tkt_directory *directory, const char *address,
                         struct tkt_directory_answer *out, struct tkt_err *err);
/* Connects afresh and appends a line about what it found. */
int tkt_directory_test(struct tkt_directory *directory, struct tkt_buf *text,
                       struct tkt_err *err);
void tkt_directory_answer_release(struct tkt_directory_answer *answer);

/* What may be asked for at all. */
bool tkt_directory_address_ok(const char *address);

/* ---- between directory.c and the backends ------------------------------------------- */

struct tkt_directory_form;

struct tkt_directory_ops {
    enum tkt_directory_type type;
    /* All slots are required. open checks what needs no network. */
    int (*open)(const struct tkt_conf_directory *conf, void **state, struct tkt_err *err);
    void (*close)(void *state);
    int (*lookup)(void *state, const char *address, struct tkt_directory_form *form,
                  struct tkt_err *err);
    int (*test)(void *state, struct tkt_buf *text, struct tkt_err *err);
};

/* All slots are required: leaving one out does not compile. */
#define TKT_DIRECTORY_OPS(type_, open_, close_, lookup_, test_)                          \
    {                                                                                    \
        .type = (type_), .open = (open_), .close = (close_), .lookup = (lookup_),        \
        .test = (test_)                                                                  \
    }

extern const struct tkt_directory_ops tkt_directory_ldap_ops;
extern const struct tkt_directory_ops tkt_directory_ad_ops;
extern const struct tkt_directory_ops tkt_directory_postgresql_ops;
extern const struct tkt_directory_ops tkt_directory_sqlite_ops;
extern const struct tkt_directory_ops tkt_directory_odbc_ops;
extern const struct tkt_directory_ops tkt_directory_file_ops;

/* What was built in, NULL-terminated: contract tests walk it. */
extern const struct tkt_directory_ops *const tkt_directory_table[];
/* "ldap", "ad", ... */
extern const char *const tkt_directory_type_names[TKT_DIRECTORY_TYPES];

#endif
