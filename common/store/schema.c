/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/schema.h"

#include "base/util.h"
#include "store/store.h"

#include <stdio.h>

/* Numbers of states and flags are in internal.h. Why it is shaped like this:
 *  - Few random pages: per message one in msgkeys (the message key lies beside its head
 *    key, so the same page answers "seen?" and "seen with another body?") and one in
 *    threads. All other rows and index entries of a new ticket go to the right end.
 *  - raw is the last column: lists do not read its overflow pages.
 *  - jobs.due is NULL unless the job heads its lane and may run (or be taken over when
 *    its lease ends): what may be claimed is one index range, however long lanes are.
 *  - References are declared for the checks of verify; the writer does not pay for them. */
static const char schema_1[] =
    "CREATE TABLE meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID;"
    "CREATE TABLE hosts(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);"
    "CREATE TABLE desks(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);"
    "CREATE TABLE series(id INTEGER PRIMARY KEY, prefix TEXT NOT NULL UNIQUE,"
    " next INTEGER NOT NULL);"
    "CREATE TABLE id_blocks(series INTEGER NOT NULL REFERENCES series(id),"
    " host INTEGER NOT NULL REFERENCES hosts(id), first INTEGER NOT NULL,"
    " last INTEGER NOT NULL, PRIMARY KEY(series, host)) WITHOUT ROWID;"
    "CREATE TABLE tickets(id INTEGER PRIMARY KEY,"
    " series INTEGER NOT NULL REFERENCES series(id), number INTEGER NOT NULL,"
    " desk INTEGER NOT NULL REFERENCES desks(id), state INTEGER NOT NULL,"
    " flags INTEGER NOT NULL, corr BLOB NOT NULL, created INTEGER NOT NULL,"
    " changed INTEGER NOT NULL, closed INTEGER,"
    " merged_into INTEGER REFERENCES tickets(id), duplicates INTEGER NOT NULL DEFAULT 0,"
    " itsm TEXT NOT NULL, requester TEXT, requester_name TEXT, subject TEXT, type TEXT,"
    " category TEXT, subcategory TEXT, grp TEXT, assignee TEXT, urgency INTEGER,"
    " impact INTEGER, priority INTEGER, tags TEXT, class TEXT);"
    "CREATE UNIQUE INDEX tickets_number ON tickets(series, number);"
    "CREATE INDEX tickets_closed ON tickets(desk, closed)"
    " WHERE closed IS NOT NULL AND flags & 16 = 0;"
    "CREATE TABLE messages(id INTEGER PRIMARY KEY,"
    " ticket INTEGER REFERENCES tickets(id), at INTEGER NOT NULL, flags INTEGER NOT NULL,"
    " size INTEGER NOT NULL, sha256 BLOB NOT NULL, hook TEXT, rcpt TEXT, queue_id TEXT,"
    " class TEXT, author TEXT, sender TEXT, subject TEXT, message_id TEXT, envelope TEXT,"
    " blob TEXT, raw BLOB);"
    "CREATE INDEX messages_ticket ON messages(ticket);"
    "CREATE INDEX messages_blob ON messages(blob) WHERE blob IS NOT NULL;"
    "CREATE TABLE msgkeys(head INTEGER NOT NULL, key BLOB NOT NULL,"
    " desk INTEGER NOT NULL REFERENCES desks(id), ticket INTEGER, message INTEGER NOT "
    "NULL,"
    " until INTEGER NOT NULL, PRIMARY KEY(head, key, desk)) WITHOUT ROWID;"
    "CREATE TABLE threads(hash BLOB NOT NULL, ticket INTEGER NOT NULL,"
    " message INTEGER NOT NULL, PRIMARY KEY(hash, ticket)) WITHOUT ROWID;"
    "CREATE TABLE participants(ticket INTEGER NOT NULL, address TEXT NOT NULL,"
    " role TEXT NOT NULL, PRIMARY KEY(ticket, address)) WITHOUT ROWID;"
    "CREATE TABLE links(a INTEGER NOT NULL, b INTEGER NOT NULL, kind TEXT NOT NULL,"
    " at INTEGER NOT NULL, PRIMARY KEY(a, b, kind)) WITHOUT ROWID;"
    "CREATE INDEX links_b ON links(b);"
    "CREATE TABLE holds(token BLOB PRIMARY KEY, ticket INTEGER NOT NULL,"
    " message INTEGER NOT NULL, hook TEXT NOT NULL, rcpt TEXT NOT NULL,"
    " at INTEGER NOT NULL, changed INTEGER NOT NULL, state INTEGER NOT NULL)"
    " WITHOUT ROWID;"
    "CREATE INDEX holds_ticket ON holds(ticket);"
    "CREATE INDEX holds_open ON holds(at) WHERE state = 0;"
    "CREATE TABLE jobs(id INTEGER PRIMARY KEY, ticket INTEGER NOT NULL, message INTEGER,"
    " kind TEXT NOT NULL, target TEXT NOT NULL, state INTEGER NOT NULL, due INTEGER,"
    " run_after INTEGER NOT NULL, attempts INTEGER NOT NULL DEFAULT 0,"
    " created INTEGER NOT NULL, changed INTEGER NOT NULL, owner TEXT, reason TEXT,"
    " payload TEXT);"
    "CREATE INDEX jobs_due ON jobs(due) WHERE due IS NOT NULL;"
    "CREATE INDEX jobs_lane ON jobs(ticket, target) WHERE state <> 2;"
    "CREATE INDEX jobs_ticket ON jobs(ticket);"
    "CREATE TABLE events(id INTEGER PRIMARY KEY, host INTEGER NOT NULL REFERENCES "
    "hosts(id),"
    " at INTEGER NOT NULL, ticket INTEGER, message INTEGER, kind TEXT NOT NULL,"
    " hash BLOB NOT NULL, chain BLOB NOT NULL, data TEXT);"
    "CREATE INDEX events_ticket ON events(ticket) WHERE ticket IS NOT NULL;";

/* What threading and learning keep:
 *  - print of a new ticket's text: looked at in memory, the newest ones are read at a start.
 *  - named: mails that the ticket's mail refers to and that never came here.
 *  - learned: what a message was found to end with; senders: what their last mails had in
 *    common, by a hash of the address. */
static const char schema_2[] =
    "ALTER TABLE tickets ADD COLUMN print INTEGER;"
    "CREATE TABLE named(hash BLOB NOT NULL, ticket INTEGER NOT NULL,"
    " message INTEGER NOT NULL, PRIMARY KEY(hash, ticket)) WITHOUT ROWID;"
    "CREATE TABLE foreign_refs(scope TEXT NOT NULL, ref TEXT NOT NULL,"
    " ticket INTEGER NOT NULL, message INTEGER NOT NULL,"
    " PRIMARY KEY(scope, ref, ticket)) WITHOUT ROWID;"
    "CREATE INDEX foreign_refs_ticket ON foreign_refs(ticket);"
    "CREATE TABLE learned(message INTEGER PRIMARY KEY, tail INTEGER NOT NULL,"
    " logos TEXT);"
    "CREATE TABLE senders(key BLOB PRIMARY KEY, seen INTEGER NOT NULL,"
    " data BLOB NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX senders_seen ON senders(seen);";

/* What a decision says beyond the columns of schema 1, one a line where it is a list;
 * question: what the requester is to be asked for, JSON, while fields are missing. */
static const char schema_3[] =
    "ALTER TABLE tickets ADD COLUMN service TEXT;"
    "ALTER TABLE tickets ADD COLUMN keywords TEXT;"
    "ALTER TABLE tickets ADD COLUMN missing TEXT;"
    "ALTER TABLE tickets ADD COLUMN question TEXT;"
    "CREATE TABLE fields(ticket INTEGER NOT NULL, name TEXT NOT NULL,"
    " value TEXT NOT NULL, PRIMARY KEY(ticket, name)) WITHOUT ROWID;";

/* Who has a ticket:
 *  - agents.open: tickets that a person has in hand, kept with every change; what a new
 *    ticket asks for is one short range of turns with their agents beside it.
 *  - turns: whose turn it is in a group; the row without an agent is the group's clock.
 *  - handlers: who had a requester last, by a hash of the address.
 *  - tickets.auto: given by itself, and no person has had a hand in it since. */
static const char schema_4[] =
    "CREATE TABLE agents(address TEXT PRIMARY KEY, open INTEGER NOT NULL,"
    " away_from INTEGER, away_until INTEGER, away_by TEXT, away_note TEXT) WITHOUT ROWID;"
    "CREATE TABLE turns(grp TEXT NOT NULL, agent TEXT NOT NULL, turn INTEGER NOT NULL,"
    " last INTEGER NOT NULL, PRIMARY KEY(grp, agent)) WITHOUT ROWID;"
    "CREATE TABLE handlers(requester BLOB NOT NULL, grp TEXT NOT NULL,"
    " agent TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY(requester, grp))"
    " WITHOUT ROWID;"
    "CREATE INDEX handlers_at ON handlers(at);"
    "ALTER TABLE tickets ADD COLUMN auto INTEGER;"
    "INSERT INTO agents(address, open) SELECT lower(assignee), count(*) FROM tickets"
    " WHERE assignee <> '' AND state IN (0, 1, 2, 3) GROUP BY 1;";

/* What directories say of senders; data is NULL where none knows them. It is asked for by
 * address alone; the two indexes are for those who refresh and forget. */
static const char schema_5[] =
    "CREATE TABLE people(address TEXT PRIMARY KEY, checked INTEGER NOT NULL,"
    " expires INTEGER NOT NULL, used INTEGER NOT NULL, data BLOB) WITHOUT ROWID;"
    "CREATE INDEX people_expires ON people(expires);"
    "CREATE INDEX people_used ON people(used);";

/* What joins: the ticket of a key, how many came, and until when the next one joins it. */
static const char schema_6[] =
    "ALTER TABLE tickets ADD COLUMN joined INTEGER NOT NULL DEFAULT 0;"
    "CREATE TABLE joins(key BLOB NOT NULL, desk INTEGER NOT NULL REFERENCES desks(id),"
    " ticket INTEGER NOT NULL, count INTEGER NOT NULL, until INTEGER NOT NULL,"
    " PRIMARY KEY(key, desk)) WITHOUT ROWID;"
    "CREATE INDEX joins_until ON joins(until);";

/* What a language model answered, by a hash of the question; ticket: whose words they are. */
static const char schema_7[] =
    "CREATE TABLE answers(key BLOB PRIMARY KEY, at INTEGER NOT NULL,"
    " ticket INTEGER NOT NULL, data TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX answers_at ON answers(at);"
    "CREATE INDEX answers_ticket ON answers(ticket);";

/* What ITSMs call tickets, and jobs of which nobody knows whether they were carried out. */
static const char schema_8[] =
    "CREATE TABLE externals(ticket INTEGER NOT NULL, itsm TEXT NOT NULL,"
    " key TEXT NOT NULL, number TEXT NOT NULL, url TEXT NOT NULL,"
    " created INTEGER NOT NULL, changed INTEGER NOT NULL, PRIMARY KEY(ticket, itsm))"
    " WITHOUT ROWID;"
    "CREATE INDEX externals_key ON externals(itsm, key);"
    "ALTER TABLE jobs ADD COLUMN doubt INTEGER;";

/* How far those who react to events have come (store/follow.h). */
static const char schema_9[] =
    "CREATE TABLE places(follower TEXT PRIMARY KEY, event INTEGER NOT NULL)"
    " WITHOUT ROWID;";

/* The queues of dispatch: what is due first of each target and kind. */
static const char schema_10[] =
    "CREATE INDEX jobs_queue ON jobs(target, kind, due) WHERE due IS NOT NULL;";

/* What ITSMs said last of tickets (store/back.h), which of their comments are here, how far
 * their lists of changes were read, and which of their messages were taken. */
static const char schema_11[] =
    "CREATE TABLE backs(ticket INTEGER NOT NULL, itsm TEXT NOT NULL, due INTEGER,"
    " hinted INTEGER NOT NULL DEFAULT 0, changed INTEGER NOT NULL,"
    " failures INTEGER NOT NULL DEFAULT 0, state TEXT, grp TEXT, assignee TEXT,"
    " priority TEXT, PRIMARY KEY(ticket, itsm)) WITHOUT ROWID;"
    "CREATE INDEX backs_due ON backs(itsm, due) WHERE due IS NOT NULL;"
    "INSERT INTO backs(ticket, itsm, due, changed) SELECT e.ticket, e.itsm,"
    " CASE WHEN t.state IN (1, 2, 3) THEN e.changed END, e.changed FROM externals e"
    " JOIN tickets t ON t.id = e.ticket;"
    "CREATE TABLE back_notes(ticket INTEGER NOT NULL, itsm TEXT NOT NULL,"
    " note TEXT NOT NULL, PRIMARY KEY(ticket, itsm, note)) WITHOUT ROWID;"
    "CREATE TABLE back_lists(itsm TEXT PRIMARY KEY, since INTEGER NOT NULL)"
    " WITHOUT ROWID;"
    "CREATE TABLE deliveries(itsm TEXT NOT NULL, id BLOB NOT NULL, at INTEGER NOT NULL,"
    " PRIMARY KEY(itsm, id)) WITHOUT ROWID;"
    "CREATE INDEX deliveries_at ON deliveries(at);";

/* Notices: how often in which window, by a hash of what is counted; what waits for its hour
 * or its digest; the threads of channels; who cannot (1) or will not (2) be told; who was
 * asked and is reminded. */
static const char schema_12[] =
    "CREATE TABLE notice_counts(key BLOB PRIMARY KEY, until INTEGER NOT NULL,"
    " count INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX notice_counts_until ON notice_counts(until);"
    "CREATE TABLE notices(id INTEGER PRIMARY KEY, due INTEGER NOT NULL, digest TEXT,"
    " channel TEXT NOT NULL, ticket INTEGER NOT NULL, message INTEGER,"
    " payload TEXT NOT NULL);"
    "CREATE INDEX notices_due ON notices(due);"
    "CREATE INDEX notices_digest ON notices(digest) WHERE digest IS NOT NULL;"
    "CREATE INDEX notices_ticket ON notices(ticket);"
    "CREATE TABLE notice_threads(ticket INTEGER NOT NULL, channel TEXT NOT NULL,"
    " room TEXT NOT NULL, thread TEXT NOT NULL, PRIMARY KEY(ticket, channel, room))"
    " WITHOUT ROWID;"
    "CREATE TABLE contacts(address TEXT NOT NULL, mark INTEGER NOT NULL,"
    " at INTEGER NOT NULL, reason TEXT, PRIMARY KEY(address, mark)) WITHOUT ROWID;"
    "CREATE TABLE asks(ticket INTEGER PRIMARY KEY, subscription TEXT NOT NULL,"
    " due INTEGER NOT NULL, remaining INTEGER NOT NULL, payload TEXT NOT NULL);"
    "CREATE INDEX asks_due ON asks(due);";

/* How long tickets may take (store/sla.h). Only what runs is in the index. */
static const char schema_13[] =
    "CREATE TABLE slas(ticket INTEGER PRIMARY KEY, sla TEXT NOT NULL, chain TEXT NOT "
    "NULL,"
    " calendar TEXT NOT NULL, chain_calendar TEXT NOT NULL, flags INTEGER NOT NULL,"
    " started INTEGER NOT NULL, why TEXT NOT NULL);"
    "CREATE TABLE timers(ticket INTEGER NOT NULL, name TEXT NOT NULL,"
    " state INTEGER NOT NULL, target INTEGER NOT NULL, used INTEGER NOT NULL,"
    " since INTEGER NOT NULL, acted INTEGER NOT NULL, due INTEGER,"
    " PRIMARY KEY(ticket, name)) WITHOUT ROWID;"
    "CREATE INDEX timers_due ON timers(due) WHERE due IS NOT NULL;";

/* What a worker holds, to be found without the others when there is a new one. */
static const char schema_14[] = "CREATE INDEX jobs_claimed ON jobs(id) WHERE state = 1;";

/* Tickets by what their ITSM calls them in mails. */
static const char schema_15[] =
    "CREATE INDEX externals_number ON externals(itsm, number COLLATE NOCASE);";

/* The ITSM that gets a ticket besides its own. */
static const char schema_16[] = "ALTER TABLE tickets ADD COLUMN copy TEXT;";

/* What OAuth servers gave, encrypted (store/tokens.h); creates that wait for a person, for
 * desks whose second ITSM gets them. */
static const char schema_17[] =
    "CREATE TABLE tokens(key BLOB PRIMARY KEY, until INTEGER NOT NULL,"
    " data BLOB NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX jobs_parked ON jobs(target, changed) WHERE state = 4;";

/* What the service of a channel told of a notice (store/heard.h). */
static const char schema_18[] = "ALTER TABLE jobs ADD COLUMN heard INTEGER;";

/* Service levels that were chosen without the directory (TKT_SLA_F_UNASKED); counts within a
 * window that slides: how many in each part of it (store/notice_count.c). */
static const char schema_19[] =
    "CREATE INDEX slas_unasked ON slas(ticket) WHERE flags & 512;"
    "ALTER TABLE notice_counts ADD COLUMN parts BLOB;";

/* Whose keys the sections of ITSMs keep (store/origin.h). */
static const char schema_20[] =
    "CREATE TABLE itsm_origins(itsm TEXT PRIMARY KEY, origin TEXT NOT NULL,"
    " at INTEGER NOT NULL) WITHOUT ROWID;";

/* Contacts, newest first; those whose mark ends by itself, oldest first. */
static const char schema_21[] =
    "CREATE INDEX contacts_at ON contacts(at);"
    "CREATE INDEX contacts_failed ON contacts(at) WHERE mark = 1;";

/* Who does not want to be told of the tickets of one desk. */
static const char schema_22[] =
    "CREATE TABLE desk_optouts(address TEXT NOT NULL, desk TEXT NOT NULL,"
    " at INTEGER NOT NULL, reason TEXT, PRIMARY KEY(address, desk)) WITHOUT ROWID;"
    "CREATE INDEX desk_optouts_at ON desk_optouts(at);";

/* Row n brings schema n to n + 1. Rows are never changed, only added. */
static const char *const migrations[] = {
    schema_1,  schema_2,  schema_3,  schema_4,  schema_5,  schema_6,
    schema_7,  schema_8,  schema_9,  schema_10, schema_11, schema_12,
    schema_13, schema_14, schema_15, schema_16, schema_17, schema_18,
    schema_19, schema_20, schema_21, schema_22};
_Static_assert(TKT_ARRAY_LEN(migrations) == TKT_STORE_SCHEMA, "a migration a schema");

static int step(struct tkt_db *db, int from, struct tkt_err *err)
{
    char number[200];

    snprintf(number, sizeof(number),
             "INSERT INTO meta(key, value) VALUES('schema', %d)"
             " ON CONFLICT(key) DO UPDATE SET value = excluded.value; COMMIT;",
             from + 1);
    if (tkt_db_script(db, "BEGIN IMMEDIATE", err) == 0 &&
        tkt_db_script(db, migrations[from], err) == 0 &&
        tkt_db_script(db, number, err) == 0) {
        return 0;
    }
    if (tkt_db_in_transaction(db)) {
        (void)tkt_db_script(db, "ROLLBACK",
                            NULL); /* the first error is the one to tell */
    }
    return tkt_err_prefix(err, "store: migration to schema %d", from + 1);
}

int tkt_schema_version(struct tkt_db *db, int64_t *version, struct tkt_err *err)
{
    int64_t tables = 0;

    *version = 0;
    int n = tkt_db_get_int(db, SQL_HAS_META, &tables, err, "");
    if (n < 0 || tables == 0) {
        return n < 0 ? -1 : 0;
    }
    return tkt_db_get_int(db, SQL_SCHEMA, version, err, "") < 0 ? -1 : 0;
}

int tkt_schema_check(struct tkt_db *db, struct tkt_err *err)
{
    int64_t version = 0;

    if (tkt_schema_version(db, &version, err) < 0) {
        return -1;
    }
    if (version > TKT_STORE_SCHEMA) {
        return tkt_err_set(err, TKT_ERR_CONF,
                           "store: the database has schema %d, this program knows %d: "
                           "install the newer version again",
                           (int)version, TKT_STORE_SCHEMA);
    }
    return version == TKT_STORE_SCHEMA
               ? 0
               : tkt_err_set(err, TKT_ERR_TEMP, "store: schema %d is not migrated yet",
                             (int)version);
}

int tkt_schema_migrate(struct tkt_db *db, struct tkt_err *err)
{
    int64_t version = 0;

    if (tkt_schema_version(db, &version, err) < 0) {
        return -1;
    }
    while (version < TKT_STORE_SCHEMA) {
        if (step(db, (int)version, err) < 0) {
            return -1;
        }
        version++;
    }
    return tkt_schema_check(db, err);
}
