/* SPDX-License-Identifier: BSD-2-Clause
 * Every statement of the store, in one place. Private to common/store.
 */
#ifndef TKT_STORE_SQL_H
#define TKT_STORE_SQL_H

#define SQL_TICKET_COLS                                                                  \
    "t.id, s.prefix, t.number, t.desk, d.name, t.state, t.flags, t.itsm, t.corr, t.grp," \
    " t.priority, t.merged_into, t.assignee, t.auto, t.copy"
#define SQL_TICKET_FROM                                                                  \
    " FROM tickets t JOIN series s ON s.id = t.series JOIN desks d ON d.id = t.desk"

/* clang-format off */
#define TKT_SQL_TABLE(X) \
/* transactions */ \
X(SQL_BEGIN, "BEGIN IMMEDIATE") \
X(SQL_COMMIT, "COMMIT") \
X(SQL_ROLLBACK, "ROLLBACK") \
X(SQL_SAVEPOINT, "SAVEPOINT item") \
X(SQL_RELEASE, "RELEASE item") \
X(SQL_ROLLBACK_TO, "ROLLBACK TO item") \
X(SQL_READ_BEGIN, "BEGIN") \
X(SQL_QUICK_CHECK, "PRAGMA quick_check(1)") \
X(SQL_INTEGRITY, "PRAGMA integrity_check(20)") \
X(SQL_FOREIGN, "PRAGMA foreign_key_check") \
X(SQL_HAS_META, "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'meta'") \
X(SQL_SCHEMA, "SELECT value FROM meta WHERE key = 'schema'") \
X(SQL_SIZE, "SELECT (SELECT page_count FROM pragma_page_count())" \
    " * (SELECT page_size FROM pragma_page_size())") \
/* names and numbers */ \
X(SQL_HOST_FIND, "SELECT id FROM hosts WHERE name = ?") \
X(SQL_HOST_ADD, "INSERT INTO hosts(name) VALUES(?)") \
X(SQL_DESK_FIND, "SELECT id FROM desks WHERE name = ?") \
X(SQL_DESK_ADD, "INSERT INTO desks(name) VALUES(?)") \
X(SQL_SERIES_FIND, "SELECT s.id, s.next, b.first, b.last FROM series s" \
    " LEFT JOIN id_blocks b ON b.series = s.id AND b.host = ?2 WHERE s.prefix = ?1") \
X(SQL_SERIES_ADD, "INSERT INTO series(prefix, next) VALUES(?, 1)") \
X(SQL_SERIES_USED, "SELECT max(number) FROM tickets WHERE series = ?" \
    " AND number BETWEEN ? AND ?") \
X(SQL_SERIES_LEASE, "UPDATE series SET next = ?2 WHERE id = ?1") \
X(SQL_BLOCK_SET, "INSERT INTO id_blocks(series, host, first, last) VALUES(?, ?, ?, ?)" \
    " ON CONFLICT(series, host) DO UPDATE SET first = excluded.first, last = excluded.last") \
/* tickets */ \
X(SQL_TICKET_ADD, "INSERT INTO tickets(series, number, desk, state, flags, corr, created," \
    " changed, itsm, requester, requester_name, subject, type, category, subcategory, grp," \
    " assignee, urgency, impact, priority, tags, class, closed, print, service, keywords," \
    " missing, question, copy) VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,nullif(?,0)," \
    "nullif(?,0),?,?,?,?,?)") \
X(SQL_TICKET_BY_ROW, "SELECT " SQL_TICKET_COLS SQL_TICKET_FROM " WHERE t.id = ?") \
X(SQL_TICKET_BY_NUMBER, "SELECT " SQL_TICKET_COLS SQL_TICKET_FROM \
    " WHERE t.series = (SELECT id FROM series WHERE prefix = ?1) AND t.number = ?2") \
X(SQL_TICKET_STATE, "UPDATE tickets SET state = ?2, changed = ?3, closed = ?4 WHERE id = ?1") \
X(SQL_TICKET_FLAGS, "UPDATE tickets SET flags = ?2 WHERE id = ?1") \
X(SQL_TICKET_TOUCH, "UPDATE tickets SET changed = ?2, flags = flags & ~16 WHERE id = ?1") \
X(SQL_TICKET_JOINED, "UPDATE tickets SET joined = joined + 1, changed = ?2 WHERE id = ?1") \
X(SQL_JOIN_FIND, "SELECT ticket, count FROM joins WHERE key = ?1 AND desk = ?2" \
    " AND until > ?3") \
X(SQL_JOIN_SET, "INSERT INTO joins(key, desk, ticket, count, until)" \
    " VALUES(?1, ?2, ?3, 1, ?4) ON CONFLICT(key, desk) DO UPDATE SET" \
    " ticket = excluded.ticket, until = excluded.until," \
    " count = CASE WHEN until > ?5 THEN count + 1 ELSE 1 END") \
X(SQL_JOINS_EXPIRE, "DELETE FROM joins WHERE (key, desk) IN (SELECT key, desk FROM joins" \
    " WHERE until <= ?1 ORDER BY until LIMIT ?2)") \
X(SQL_TICKET_DUPLICATE, "UPDATE tickets SET duplicates = duplicates + 1 WHERE id = ?") \
X(SQL_TICKET_MERGED, "UPDATE tickets SET merged_into = ?2 WHERE id = ?1") \
X(SQL_TICKET_ANALYSED, "UPDATE tickets SET flags = flags | ?2," \
    " changed = ?3, requester_name = coalesce(requester_name, ?4)," \
    " subject = coalesce(?5, subject), class = coalesce(?6, class)," \
    " type = coalesce(?7, type), category = coalesce(?8, category)," \
    " subcategory = coalesce(?9, subcategory), grp = coalesce(?10, grp)," \
    " urgency = ?11, impact = ?12," \
    " priority = coalesce(nullif(?13, 0), priority), tags = coalesce(?14, tags)" \
    " WHERE id = ?1") \
X(SQL_TICKET_SAYS, "UPDATE tickets SET service = coalesce(?2, service), keywords = ?3," \
    " missing = ?4, question = ?5, flags = ?6 WHERE id = ?1") \
X(SQL_SET_SUBJECT, "UPDATE tickets SET subject = ?2, changed = ?3 WHERE id = ?1") \
X(SQL_SET_TYPE, "UPDATE tickets SET type = ?2, changed = ?3 WHERE id = ?1") \
X(SQL_SET_SERVICE, "UPDATE tickets SET service = ?2, changed = ?3 WHERE id = ?1") \
X(SQL_SET_CATEGORY, "UPDATE tickets SET category = ?2, changed = ?3 WHERE id = ?1") \
X(SQL_SET_SUBCATEGORY, "UPDATE tickets SET subcategory = ?2, changed = ?3 WHERE id = ?1") \
X(SQL_SET_GROUP, "UPDATE tickets SET grp = ?2, changed = ?3 WHERE id = ?1") \
X(SQL_SET_URGENCY, "UPDATE tickets SET urgency = ?2, changed = ?3 WHERE id = ?1") \
X(SQL_SET_IMPACT, "UPDATE tickets SET impact = ?2, changed = ?3 WHERE id = ?1") \
X(SQL_SET_PRIORITY, "UPDATE tickets SET priority = ?2, changed = ?3 WHERE id = ?1") \
X(SQL_SET_TAGS, "UPDATE tickets SET tags = ?2, changed = ?3 WHERE id = ?1") \
X(SQL_SET_REQUESTER, "UPDATE tickets SET requester = ?2, changed = ?3 WHERE id = ?1") \
X(SQL_TICKET_COPY, "INSERT INTO tickets(series, number, desk, state, flags, corr, created," \
    " changed, itsm, requester, requester_name, subject, type, category, subcategory, grp," \
    " assignee, urgency, impact, priority, tags, class, service)" \
    " SELECT series, ?2, desk, ?3, flags | ?4, ?5, ?6, ?6, itsm, requester, requester_name," \
    " subject, type, category, subcategory, grp, assignee, urgency, impact, priority, tags," \
    " class, service FROM tickets WHERE id = ?1") \
X(SQL_TICKET_ERASE, "UPDATE tickets SET flags = flags | ?2, requester = NULL," \
    " requester_name = NULL, subject = ?3, changed = ?4, print = NULL, keywords = NULL," \
    " missing = NULL, question = NULL WHERE id = ?1") \
X(SQL_TICKETS_CLOSED, "SELECT t.id FROM tickets t WHERE t.desk =" \
    " (SELECT id FROM desks WHERE name = ?1) AND t.closed IS NOT NULL AND t.closed < ?2" \
    " AND t.flags & 16 = 0 ORDER BY t.closed LIMIT ?3") \
X(SQL_TICKETS_OF_REQUESTER, "SELECT id FROM tickets WHERE requester = ?1 AND id > ?2" \
    " ORDER BY id LIMIT 1") \
/* fields */ \
X(SQL_FIELD_ADD, "INSERT OR IGNORE INTO fields(ticket, name, value) VALUES(?, ?, ?)") \
X(SQL_FIELD_SET, "INSERT OR REPLACE INTO fields(ticket, name, value) VALUES(?, ?, ?)") \
X(SQL_FIELD_DROP, "DELETE FROM fields WHERE ticket = ?1 AND name = ?2") \
X(SQL_FIELD_HAS, "SELECT 1 FROM fields WHERE ticket = ?1 AND name = ?2") \
X(SQL_FIELD_COUNT, "SELECT count(*) FROM fields WHERE ticket = ?1") \
X(SQL_FIELDS_OF, "SELECT name, value FROM fields WHERE ticket = ?1 ORDER BY name") \
X(SQL_FIELDS_COPY, "INSERT OR IGNORE INTO fields(ticket, name, value)" \
    " SELECT ?2, name, value FROM fields WHERE ticket = ?1") \
X(SQL_FIELDS_DROP, "DELETE FROM fields WHERE ticket = ?1") \
X(SQL_MISSING_GET, "SELECT missing, question FROM tickets WHERE id = ?1") \
X(SQL_MISSING_SET, "UPDATE tickets SET missing = ?2, flags = ?3, changed = ?4" \
    " WHERE id = ?1") \
X(SQL_QUESTION_NEXT, "SELECT id FROM jobs WHERE ticket = ?1 AND kind = 'question'" \
    " AND state NOT IN (1, 2) ORDER BY id LIMIT 1") \
/* messages */ \
X(SQL_MESSAGE_ADD, "INSERT INTO messages(ticket, at, flags, size, sha256, hook, rcpt," \
    " queue_id, class, author, sender, subject, message_id, envelope, blob, raw)" \
    " VALUES(nullif(?,0),?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)") \
X(SQL_MESSAGE_LOAD, "SELECT id, ticket, flags, sha256 FROM messages WHERE id = ?") \
X(SQL_MESSAGE_FLAGS, "UPDATE messages SET flags = ?2 WHERE id = ?1") \
X(SQL_MESSAGE_AT, "SELECT at FROM messages WHERE id = ?") \
X(SQL_MESSAGE_ANALYSED, "UPDATE messages SET subject = coalesce(?2, subject)," \
    " class = coalesce(?3, class), flags = flags | ?4 WHERE id = ?1") \
X(SQL_MESSAGE_FIRST, "SELECT id FROM messages WHERE ticket = ? ORDER BY id LIMIT 1") \
X(SQL_MESSAGE_MOVE, "UPDATE messages SET ticket = ?2, flags = ?3 WHERE id = ?1") \
X(SQL_MESSAGE_NEXT, "SELECT id, flags, blob FROM messages WHERE ticket = ?1 AND id > ?2" \
    " ORDER BY id LIMIT 1") \
X(SQL_MESSAGE_OF_ADDRESS, "SELECT id, ticket, blob FROM messages WHERE id > ?2" \
    " AND (author = ?1 OR sender = ?1 COLLATE NOCASE) AND flags & 128 = 0" \
    " ORDER BY id LIMIT 1") \
X(SQL_MESSAGE_ERASE, "UPDATE messages SET flags = flags | 128, author = NULL," \
    " sender = NULL, subject = NULL, message_id = NULL, envelope = NULL, blob = NULL," \
    " raw = NULL WHERE id = ?") \
X(SQL_MESSAGES_ALIVE, "SELECT count(*) FROM messages WHERE ticket = ?1 AND flags & 64 = 0") \
X(SQL_MESSAGE_RAW, "SELECT blob, raw, flags, size FROM messages WHERE id = ?") \
X(SQL_MESSAGE_ENVELOPE, "SELECT envelope FROM messages WHERE id = ?") \
X(SQL_MESSAGES_OF, "SELECT id FROM messages WHERE ticket = ?1 AND flags & 1024 = 0" \
    " ORDER BY id LIMIT ?2") \
X(SQL_BLOB_USED, "SELECT count(*) FROM messages WHERE blob = ? AND blob IS NOT NULL") \
/* keys */ \
X(SQL_KEY_FIND, "SELECT ticket, message, until FROM msgkeys" \
    " WHERE head = ? AND key = ? AND desk = ?") \
X(SQL_KEY_READ, "SELECT k.ticket, k.message, k.until, s.prefix, t.number, t.state, t.grp," \
    " t.priority, t.corr FROM msgkeys k LEFT JOIN tickets t ON t.id = k.ticket" \
    " LEFT JOIN series s ON s.id = t.series WHERE k.head = ?1 AND k.key = ?2" \
    " AND k.desk = (SELECT id FROM desks WHERE name = ?3) AND k.until > ?4") \
X(SQL_KEY_SET, "INSERT OR REPLACE INTO msgkeys(head, key, desk, ticket, message, until)" \
    " VALUES(?, ?, ?, nullif(?, 0), ?, ?)") \
X(SQL_KEY_HEADS, "SELECT k.key, k.ticket, k.message FROM (SELECT key, ticket, message" \
    " FROM msgkeys WHERE head = ?1 AND desk = ?2 AND ticket IS NOT NULL LIMIT ?5) k" \
    " JOIN messages m ON m.id = k.message WHERE m.at > ?3 AND m.flags & 128 = 0 LIMIT ?4") \
X(SQL_KEY_MOVE, "UPDATE msgkeys SET ticket = ?2 WHERE message = ?1") \
X(SQL_KEYS_EXPIRE, "DELETE FROM msgkeys WHERE head > ?1 AND head <= ?2 AND until < ?3") \
X(SQL_KEYS_STEP, "SELECT head FROM msgkeys WHERE head > ?1 ORDER BY head" \
    " LIMIT 1 OFFSET ?2") \
X(SQL_THREAD_ADD, "INSERT OR IGNORE INTO threads(hash, ticket, message) VALUES(?, ?, ?)") \
X(SQL_THREAD_MOVE, "UPDATE OR REPLACE threads SET ticket = ?3" \
    " WHERE ticket = ?2 AND message = ?1") \
X(SQL_THREAD_FIND, "SELECT ticket FROM threads WHERE hash = ?1 ORDER BY ticket LIMIT ?2") \
X(SQL_PARTICIPANT_ADD, "INSERT OR IGNORE INTO participants(ticket, address, role)" \
    " VALUES(?, ?, ?)") \
X(SQL_PARTICIPANT_COUNT, "SELECT count(*) FROM participants WHERE ticket = ?") \
X(SQL_PARTICIPANT_IS, "SELECT 1 FROM participants WHERE ticket = ? AND address = ?") \
X(SQL_PARTICIPANT_DROP, "DELETE FROM participants WHERE ticket = ?1 AND address = ?2") \
X(SQL_PARTICIPANT_NEXT, "SELECT address, role FROM participants WHERE ticket = ?1" \
    " AND address NOT LIKE 'erased:%' LIMIT 1") \
X(SQL_PARTICIPANT_TICKET, "SELECT ticket, role FROM participants WHERE address = ?1 LIMIT 1") \
X(SQL_PARTICIPANTS_COPY, "INSERT OR IGNORE INTO participants(ticket, address, role)" \
    " SELECT ?2, address, role FROM participants WHERE ticket = ?1") \
X(SQL_LINK_ADD, "INSERT OR IGNORE INTO links(a, b, kind, at) VALUES(?, ?, ?, ?)") \
/* threading and learning */ \
X(SQL_KEY_EXTEND, "UPDATE msgkeys SET until = max(until, min(?4," \
    " (SELECT at FROM messages WHERE id = msgkeys.message) + ?5))" \
    " WHERE head = ?1 AND key = ?2 AND desk = ?3") \
X(SQL_NAMED_ADD, "INSERT OR IGNORE INTO named(hash, ticket, message) VALUES(?, ?, ?)") \
X(SQL_NAMED_FIND, "SELECT ticket FROM named WHERE hash = ?1 ORDER BY ticket LIMIT ?2") \
X(SQL_FOREIGN_ADD, "INSERT OR IGNORE INTO foreign_refs(scope, ref, ticket, message)" \
    " VALUES(?, ?, ?, ?)") \
X(SQL_FOREIGN_FIND, "SELECT ticket FROM foreign_refs WHERE scope = ?1 AND ref = ?2" \
    " ORDER BY ticket DESC LIMIT ?3") \
X(SQL_FOREIGN_OF, "SELECT ref, scope FROM foreign_refs WHERE ticket = ?1" \
    " ORDER BY ref, scope LIMIT 1000") \
X(SQL_FOREIGN_MOVE, "UPDATE OR REPLACE foreign_refs SET ticket = ?3" \
    " WHERE ticket = ?2 AND message = ?1") \
X(SQL_FOREIGN_DROP, "DELETE FROM foreign_refs WHERE ticket = ?1") \
X(SQL_FOREIGN_FORGET, "DELETE FROM foreign_refs WHERE scope = ?1") \
X(SQL_LEARNED_ADD, "INSERT OR REPLACE INTO learned(message, tail, logos)" \
    " VALUES(?, ?, ?)") \
X(SQL_LEARNED_GET, "SELECT tail, logos FROM learned WHERE message = ?") \
X(SQL_LEARNED_DROP, "DELETE FROM learned WHERE message = ?") \
X(SQL_SENDER_GET, "SELECT data, seen FROM senders WHERE key = ?") \
X(SQL_SENDER_SET, "INSERT OR REPLACE INTO senders(key, seen, data) VALUES(?, ?, ?)") \
X(SQL_SENDER_DROP, "DELETE FROM senders WHERE key = ?") \
X(SQL_SENDERS_COUNT, "SELECT count(*) FROM senders") \
X(SQL_SENDERS_EXPIRE, "DELETE FROM senders WHERE key IN (SELECT key FROM senders" \
    " WHERE seen < ?1 ORDER BY seen LIMIT ?2)") \
/* people */ \
X(SQL_PERSON_GET, "SELECT checked, expires, used, data FROM people WHERE address = ?") \
X(SQL_PERSON_SET, "INSERT INTO people(address, checked, expires, used, data)" \
    " VALUES(?1, ?2, ?3, ?2, ?5) ON CONFLICT(address) DO UPDATE SET" \
    " checked = ?2, expires = ?3, used = CASE WHEN ?4 THEN ?2 ELSE used END, data = ?5") \
X(SQL_PERSON_USED, "UPDATE people SET used = ?2 WHERE address = ?1" \
    " AND (used <= checked OR used < ?2 - 3600000)") \
X(SQL_MESSAGE_AUTHOR, "SELECT author FROM messages WHERE id = ?") \
X(SQL_PERSON_DROP, "DELETE FROM people WHERE address = ?") \
X(SQL_PEOPLE_DUE, "SELECT address FROM people WHERE expires BETWEEN ?1 AND ?2" \
    " AND used > checked ORDER BY expires LIMIT ?3") \
X(SQL_PEOPLE_EXPIRE, "DELETE FROM people WHERE address IN (SELECT address FROM people" \
    " WHERE expires < ?1 ORDER BY expires LIMIT ?2)") \
X(SQL_PEOPLE_EVICT, "DELETE FROM people WHERE address IN (SELECT address FROM people" \
    " ORDER BY used LIMIT ?1)") \
X(SQL_PEOPLE_FLUSH, "DELETE FROM people") \
X(SQL_PEOPLE_COUNT, "SELECT count(*) FROM people") \
X(SQL_PEOPLE_UNKNOWN, "SELECT count(*) FROM people WHERE data IS NULL") \
X(SQL_TICKET_BY_HAND, "SELECT count(*) FROM events WHERE ticket = ?" \
    " AND kind IN ('ticket.set', 'ticket.enriched')") \
X(SQL_TICKET_SUBJECT, "SELECT subject FROM tickets WHERE id = ?") \
X(SQL_TICKET_REQUESTER, "UPDATE tickets SET requester = ?2, requester_name = ?3" \
    " WHERE id = ?1") \
X(SQL_TICKET_PRINT, "UPDATE tickets SET print = nullif(?2, 0) WHERE id = ?1") \
X(SQL_PRINTS, "SELECT t.id, t.print, t.created, d.name, t.requester FROM tickets t" \
    " JOIN desks d ON d.id = t.desk WHERE t.id > (SELECT coalesce(max(id), 0) FROM tickets)" \
    " - ?1 AND t.print IS NOT NULL AND t.created > ?2 ORDER BY t.id DESC LIMIT ?1") \
/* who has a ticket */ \
X(SQL_AGENT_LOAD, "INSERT INTO agents(address, open) VALUES(lower(?1), max(0, ?2))" \
    " ON CONFLICT(address) DO UPDATE SET open = max(0, open + ?2)") \
X(SQL_AGENT_GET, "SELECT open, away_from, away_until, away_by, away_note FROM agents" \
    " WHERE address = lower(?1)") \
X(SQL_AGENT_AWAY, "INSERT INTO agents(address, open, away_from, away_until, away_by," \
    " away_note) VALUES(lower(?1), 0, ?2, ?3, ?4, ?5) ON CONFLICT(address) DO UPDATE SET" \
    " away_from = excluded.away_from, away_until = excluded.away_until," \
    " away_by = excluded.away_by, away_note = excluded.away_note") \
X(SQL_TURNS, "SELECT t.agent, t.turn, t.last, a.open, a.away_from, a.away_until" \
    " FROM turns t LEFT JOIN agents a ON a.address = t.agent WHERE t.grp = ?1") \
X(SQL_TURN_SET, "INSERT INTO turns(grp, agent, turn, last) VALUES(?, ?, ?, ?)" \
    " ON CONFLICT(grp, agent) DO UPDATE SET turn = excluded.turn, last = excluded.last") \
X(SQL_HANDLER_GET, "SELECT agent FROM handlers WHERE requester = ?1 AND grp = ?2") \
X(SQL_HANDLER_SET, "INSERT OR REPLACE INTO handlers(requester, grp, agent, at)" \
    " VALUES(?, ?, ?, ?)") \
X(SQL_HANDLER_DROP, "DELETE FROM handlers WHERE requester = ?1") \
X(SQL_HANDLERS_EXPIRE, "DELETE FROM handlers WHERE (requester, grp) IN" \
    " (SELECT requester, grp FROM handlers WHERE at < ?1 ORDER BY at LIMIT ?2)") \
X(SQL_TICKET_GIVE, "UPDATE tickets SET grp = ?2, assignee = ?3, auto = nullif(?4, 0)," \
    " changed = ?5 WHERE id = ?1") \
X(SQL_TICKET_AUTO, "UPDATE tickets SET auto = 1 WHERE id = ?1") \
X(SQL_TICKET_TOUCHED, "UPDATE tickets SET auto = NULL WHERE id = ?1") \
X(SQL_TICKET_ABOUT, "SELECT requester, category, subcategory, service, type, tags" \
    " FROM tickets" \
    " WHERE id = ?1") \
X(SQL_UNTOUCHED, "SELECT id FROM tickets WHERE id > ?1 AND lower(assignee) = lower(?2)" \
    " AND auto IS NOT NULL AND state IN (0, 1, 2, 3) ORDER BY id LIMIT ?3") \
X(SQL_ASSIGN_WAKE, "UPDATE jobs SET due = ?1, run_after = ?1 WHERE due > ?1" \
    " AND target = '(assign)' AND state IN (0, 3)") \
X(SQL_VERIFY_LOADS, "WITH held(who, n) AS (SELECT lower(assignee), count(*) FROM tickets" \
    " WHERE assignee <> '' AND state IN (0, 1, 2, 3) GROUP BY 1)" \
    " SELECT h.who, h.n, coalesce(a.open, 0) FROM held h" \
    " LEFT JOIN agents a ON a.address = h.who WHERE h.n <> coalesce(a.open, 0) UNION ALL" \
    " SELECT address, 0, open FROM agents WHERE open <> 0" \
    " AND address NOT IN (SELECT who FROM held)") \
/* holds */ \
X(SQL_HOLD_ADD, "INSERT INTO holds(token, ticket, message, hook, rcpt, at, changed, state)" \
    " VALUES(?, ?, ?, ?, ?, ?, ?, 0)") \
X(SQL_HOLD_FIND, "SELECT ticket, message, state, hook, rcpt FROM holds WHERE token = ?") \
X(SQL_HOLD_SAME, "SELECT token FROM holds WHERE ticket = ?1 AND message = ?2 AND hook = ?3" \
    " AND rcpt = ?4") \
X(SQL_HOLD_STATE, "UPDATE holds SET state = ?2, changed = ?3 WHERE token = ?1") \
X(SQL_HOLD_AGAIN, "UPDATE holds SET state = 0, at = ?2, changed = ?2 WHERE token = ?1") \
X(SQL_HOLDS_OPEN, "SELECT count(*) FROM holds WHERE ticket = ?1 AND message = ?2" \
    " AND state = 0") \
X(SQL_HOLDS_OLD, "SELECT token FROM holds WHERE state = 0 AND at <= ?1 ORDER BY at LIMIT 1") \
/* jobs */ \
X(SQL_JOB_ADD, "INSERT INTO jobs(ticket, message, kind, target, state, due, run_after," \
    " created, changed, payload) VALUES(?, nullif(?, 0), ?, ?, 0, nullif(?, 0), ?, ?, ?, ?)") \
X(SQL_JOB_LOAD, "SELECT id, ticket, target, state, run_after, due, owner, kind, attempts," \
    " message FROM jobs" \
    " WHERE id = ?") \
X(SQL_JOB_MOVE, "UPDATE jobs SET state = ?2, due = nullif(?3, 0), run_after = ?4," \
    " owner = ?5, reason = coalesce(?6, reason)," \
    " attempts = CASE ?7 WHEN -2 THEN 0 ELSE attempts + ?7 END, changed = ?8," \
    " doubt = coalesce(nullif(?9, -1), doubt) WHERE id = ?1") \
X(SQL_JOB_TURN, "UPDATE jobs SET kind = ?2, created = ?3 WHERE id = ?1") \
X(SQL_TICKET_GROUP_NAMED, "SELECT count(*) FROM events WHERE ticket = ?1" \
    " AND ((kind = 'ticket.set' AND json_extract(data, '$.field') = 'group')" \
    " OR (kind IN ('ticket.assigned', 'ticket.unassigned')" \
    " AND coalesce(json_extract(data, '$.who'), '') <> ''))") \
X(SQL_COMMENT_FIRST, "SELECT id FROM messages WHERE ticket = ?1 AND (flags & ?2) <> 0" \
    " ORDER BY id LIMIT 1") \
X(SQL_TICKET_GAPS, "SELECT category, urgency FROM tickets WHERE id = ?") \
X(SQL_ANSWER_GET, "SELECT data FROM answers WHERE key = ?1 AND at >= ?2") \
X(SQL_ANSWER_PUT, "INSERT INTO answers(key, at, ticket, data) VALUES(?1, ?2, ?3, ?4)" \
    " ON CONFLICT(key) DO UPDATE SET at = ?2, ticket = ?3, data = ?4") \
X(SQL_ANSWERS_EXPIRE, "DELETE FROM answers WHERE at < ?1") \
X(SQL_ANSWERS_COUNT, "SELECT count(*) FROM answers") \
X(SQL_ANSWERS_OLDEST, "DELETE FROM answers WHERE key IN (SELECT key FROM answers" \
    " ORDER BY at LIMIT ?1)") \
X(SQL_ANSWERS_FORGET, "DELETE FROM answers WHERE ticket = ?1") \
X(SQL_JOB_RENEW, "UPDATE jobs SET due = ?3 WHERE id = ?1 AND state = 1 AND owner = ?2") \
X(SQL_JOB_DUE_SET, "UPDATE jobs SET due = ?2 WHERE id = ?1") \
X(SQL_JOB_LANE_HEAD, "SELECT id, state, run_after FROM jobs WHERE ticket = ?1" \
    " AND target = ?2 AND state <> 2 ORDER BY id LIMIT 1") \
X(SQL_JOBS_DUE, "SELECT j.id, j.ticket, j.message, j.kind, j.target, j.attempts, j.created," \
    " j.state, j.run_after, j.payload, s.prefix, t.number, t.corr, j.doubt" \
    " FROM jobs j" \
    " JOIN tickets t ON t.id = j.ticket JOIN series s ON s.id = t.series" \
    " WHERE j.target = ?1 AND j.kind = ?2 AND j.due <= ?3 ORDER BY j.due LIMIT 1") \
X(SQL_FAILOVER_DUE, "SELECT j.ticket FROM jobs j JOIN tickets t ON t.id = j.ticket" \
    " JOIN desks d ON d.id = t.desk WHERE j.target = ?1 AND j.kind = 'create'" \
    " AND j.due IS NOT NULL AND j.state IN (0, 3) AND coalesce(j.doubt, 0) = 0" \
    " AND j.created <= ?2 AND d.name = ?3 ORDER BY j.due LIMIT ?4") \
X(SQL_FAILOVER_REFUSED, "SELECT j.id FROM jobs j JOIN tickets t ON t.id = j.ticket" \
    " JOIN desks d ON d.id = t.desk WHERE j.target = ?1 AND j.state = 4" \
    " AND j.changed <= ?2 AND j.kind = 'create' AND coalesce(j.doubt, 0) = 0" \
    " AND coalesce(j.reason, '') <> 'parked by hand' AND t.itsm = ?1 AND d.name = ?3" \
    " ORDER BY j.changed LIMIT ?4") \
X(SQL_JOB_PAYLOAD, "UPDATE jobs SET payload = ?2 WHERE id = ?1") \
X(SQL_TOKEN_GET, "SELECT data FROM tokens WHERE key = ?1") \
X(SQL_TOKEN_SET, "INSERT INTO tokens(key, until, data) VALUES(?1, ?2, ?3)" \
    " ON CONFLICT(key) DO UPDATE SET until = excluded.until, data = excluded.data") \
X(SQL_TOKEN_DROP, "DELETE FROM tokens WHERE key = ?1") \
X(SQL_TOKENS_END, "DELETE FROM tokens WHERE until < ?1") \
X(SQL_JOB_DOUBT, "SELECT coalesce(doubt, 0) FROM jobs WHERE id = ?1") \
X(SQL_JOB_HEARD, "SELECT coalesce(heard, 0) FROM jobs WHERE id = ?1") \
X(SQL_JOB_HEARD_SET, "UPDATE jobs SET heard = ?2 WHERE id = ?1") \
X(SQL_NOTICE_JOB, "SELECT j.target, coalesce(j.payload, ''), coalesce(j.heard, 0), t.corr" \
    " FROM jobs j JOIN tickets t ON t.id = j.ticket WHERE j.id = ?1 AND j.kind = 'notify'") \
X(SQL_JOB_LANE_MOVE, "UPDATE jobs SET target = ?3, due = NULL, run_after = ?4," \
    " attempts = 0, created = ?4, changed = ?4, doubt = NULL, reason = ?5" \
    " WHERE ticket = ?1 AND target = ?2 AND state <> 2") \
X(SQL_TICKET_ITSM, "UPDATE tickets SET itsm = ?3, changed = ?4 WHERE id = ?1 AND itsm = ?2") \
X(SQL_JOBS_ORPHANED, "UPDATE jobs SET due = ?1 WHERE state = 1 AND due > ?1") \
X(SQL_JOBS_QUEUE_OF, "SELECT target, kind, due FROM jobs WHERE due IS NOT NULL" \
    " AND target = ?1 AND kind > ?2 ORDER BY kind, due LIMIT 1") \
X(SQL_JOBS_QUEUE_BEHIND, "SELECT target, kind, due FROM jobs WHERE due IS NOT NULL" \
    " AND target > ?1 ORDER BY target, kind, due LIMIT 1") \
X(SQL_JOBS_QUEUE_DUE, "SELECT due FROM jobs WHERE target = ?1 AND kind = ?2" \
    " AND due IS NOT NULL ORDER BY due LIMIT 1") \
X(SQL_JOBS_NEXT_DUE, "SELECT min(due) FROM jobs WHERE due IS NOT NULL") \
/* whom it is told is told whatever becomes of the ticket */ \
X(SQL_JOB_UNSTARTED, "SELECT id FROM jobs WHERE ticket = ?1 AND state <> 2 AND state <> 1" \
    " AND kind NOT IN ('notify', 'agentmail') ORDER BY id LIMIT 1") \
X(SQL_JOB_ERASE, "UPDATE jobs SET payload = NULL WHERE ticket = ? AND state = 2") \
/* what an ITSM calls a ticket */ \
X(SQL_EXTERNAL_IS, "SELECT 1 FROM externals WHERE ticket = ?1 AND itsm = ?2 AND key = ?3") \
X(SQL_EXTERNAL_SET, "INSERT INTO externals(ticket, itsm, key, number, url, created, changed)" \
    " VALUES(?, ?, ?, ?, ?, ?, ?) ON CONFLICT(ticket, itsm) DO UPDATE SET key = ?3," \
    " number = ?4, url = ?5, changed = ?7") \
X(SQL_EXTERNAL_OF, "SELECT key, number, url FROM externals WHERE ticket = ?1 AND itsm = ?2") \
X(SQL_EXTERNALS, "SELECT itsm, key, number, url FROM externals WHERE ticket = ?1" \
    " ORDER BY created, itsm") \
X(SQL_EXTERNAL_NUMBER, "SELECT ticket FROM externals WHERE itsm = ?1" \
    " AND number = ?2 COLLATE NOCASE ORDER BY ticket LIMIT ?3") \
X(SQL_PLACES_OF, "SELECT e.itsm, e.number, coalesce((SELECT max(j.created) FROM jobs j" \
    " WHERE j.ticket = ?1 AND j.target = e.itsm AND j.kind = 'create'), 0), 0" \
    " FROM externals e WHERE e.ticket = ?1 UNION ALL SELECT j.target, '', j.created," \
    " j.state <> 1 AND coalesce(j.doubt, 0) = 0 FROM jobs j WHERE j.ticket = ?1" \
    " AND j.kind = 'create' AND j.state <> 2 AND NOT EXISTS (SELECT 1 FROM externals e" \
    " WHERE e.ticket = ?1 AND e.itsm = j.target)") \
X(SQL_UPDATE_WAITS, "SELECT id, payload FROM jobs WHERE ticket = ?1 AND target = ?2" \
    " AND kind = 'update' AND state IN (0, 3) ORDER BY id LIMIT 1") \
X(SQL_UPDATE_ONLY, "UPDATE jobs SET payload = ?2 WHERE id = ?1") \
X(SQL_COMMENT_OF, "SELECT raw, author FROM messages WHERE id = ?1 AND flags & 1024 <> 0") \
/* what comes back from ITSMs */ \
X(SQL_BACK_NEW, "INSERT OR IGNORE INTO backs(ticket, itsm, due, changed)" \
    " VALUES(?1, ?2, ?3, ?4)") \
X(SQL_BACK_GET, "SELECT hinted, changed, failures, state, grp, assignee, priority" \
    " FROM backs WHERE ticket = ?1 AND itsm = ?2") \
X(SQL_BACK_SEEN, "UPDATE backs SET due = nullif(?3, 0), changed = ?4, failures = 0, state = ?5," \
    " grp = ?6, assignee = ?7, priority = ?8 WHERE ticket = ?1 AND itsm = ?2") \
X(SQL_BACK_FAILED, "UPDATE backs SET due = ?3, failures = failures + 1" \
    " WHERE ticket = ?1 AND itsm = ?2") \
X(SQL_BACK_DUE_SET, "UPDATE backs SET due = ?3 WHERE ticket = ?1 AND itsm = ?2") \
X(SQL_BACK_REST, "UPDATE backs SET due = NULL WHERE ticket = ?1 AND itsm = ?2") \
X(SQL_BACK_HINT, "UPDATE backs SET due = ?3, hinted = ?3 WHERE ticket = ?1 AND itsm = ?2") \
X(SQL_BACK_ALL_TO, "SELECT coalesce(max(ticket), 0) FROM (SELECT ticket FROM backs" \
    " WHERE itsm = ?1 AND ticket > ?2 ORDER BY ticket LIMIT ?3)") \
X(SQL_BACK_ALL, "UPDATE backs SET due = ?4, hinted = ?4 WHERE itsm = ?1 AND ticket > ?2" \
    " AND ticket <= ?3 AND EXISTS (SELECT 1 FROM tickets t WHERE t.id = backs.ticket" \
    " AND t.state BETWEEN 1 AND 4)") \
X(SQL_BACK_DUE, "SELECT ticket FROM backs WHERE itsm = ?1 AND due <= ?2 ORDER BY due" \
    " LIMIT 1") \
X(SQL_BACK_OPEN, "SELECT count(*) FROM jobs WHERE ticket = ?1 AND target = ?2" \
    " AND kind = 'fetch' AND state <> 2") \
X(SQL_BACK_OPEN_ALL, "SELECT count(*) FROM (SELECT 1 FROM jobs WHERE target = ?1" \
    " AND kind = 'fetch' AND due IS NOT NULL LIMIT ?2)") \
X(SQL_BACK_OURS_OPEN, "SELECT count(*) FROM jobs WHERE ticket = ?1 AND target = ?2" \
    " AND kind = 'update' AND state <> 2") \
X(SQL_BACK_NOTE_ADD, "INSERT OR IGNORE INTO back_notes(ticket, itsm, note)" \
    " VALUES(?1, ?2, ?3)") \
X(SQL_ORIGIN, "SELECT origin FROM itsm_origins WHERE itsm = ?1") \
X(SQL_ORIGIN_FIRST, "INSERT OR IGNORE INTO itsm_origins(itsm, origin, at)" \
    " VALUES(?1, ?2, ?3)") \
X(SQL_ORIGIN_SET, "INSERT INTO itsm_origins(itsm, origin, at) VALUES(?1, ?2, ?3)" \
    " ON CONFLICT(itsm) DO UPDATE SET origin = excluded.origin, at = excluded.at") \
X(SQL_BACK_SINCE, "SELECT since FROM back_lists WHERE itsm = ?1") \
X(SQL_BACK_SINCE_SET, "INSERT INTO back_lists(itsm, since) VALUES(?1, ?2)" \
    " ON CONFLICT(itsm) DO UPDATE SET since = max(since, excluded.since)") \
X(SQL_EXTERNAL_TICKET, "SELECT ticket FROM externals WHERE itsm = ?1 AND key = ?2" \
    " ORDER BY ticket LIMIT ?3") \
X(SQL_DELIVERY_ADD, "INSERT OR IGNORE INTO deliveries(itsm, id, at) VALUES(?1, ?2, ?3)") \
X(SQL_DELIVERIES_EXPIRE, "DELETE FROM deliveries WHERE (itsm, id) IN" \
    " (SELECT itsm, id FROM deliveries WHERE at < ?1 ORDER BY at LIMIT ?2)") \
X(SQL_BACK_TICKET, "SELECT requester, grp, priority FROM tickets WHERE id = ?1") \
/* events */ \
X(SQL_EVENT_LAST, "SELECT chain FROM events WHERE host = ? ORDER BY id DESC LIMIT 1") \
X(SQL_EVENT_ADD, "INSERT INTO events(host, at, ticket, message, kind, hash, chain, data)" \
    " VALUES(?, ?, nullif(?, 0), nullif(?, 0), ?, ?, ?, ?)") \
X(SQL_EVENT_ERASE, "UPDATE events SET data = NULL WHERE ticket = ?") \
/* notices */ \
X(SQL_NOTICE_COUNTED, "SELECT until, count, parts FROM notice_counts WHERE key = ?1") \
X(SQL_NOTICE_COUNT, "INSERT OR REPLACE INTO notice_counts(key, until, count, parts)" \
    " VALUES(?1, ?2, ?3, ?4)") \
X(SQL_NOTICE_COUNTS_EXPIRE, "DELETE FROM notice_counts WHERE key IN (SELECT key" \
    " FROM notice_counts WHERE until <= ?1 ORDER BY until LIMIT ?2)") \
X(SQL_NOTICE_ADD, "INSERT INTO notices(due, digest, channel, ticket, message, payload)" \
    " VALUES(?1, nullif(?2, ''), ?3, ?4, nullif(?5, 0), ?6)") \
X(SQL_NOTICE_DIGEST_DUE, "SELECT min(due) FROM notices WHERE digest = ?1") \
X(SQL_NOTICE_NEXT, "SELECT min(due) FROM notices") \
X(SQL_NOTICE_DUE, "SELECT id, digest, channel, ticket, message, payload FROM notices" \
    " WHERE due <= ?1 ORDER BY due, id LIMIT 1") \
X(SQL_NOTICE_DIGEST, "SELECT payload FROM notices WHERE digest = ?1 ORDER BY id") \
X(SQL_NOTICE_DROP, "DELETE FROM notices WHERE id = ?1") \
X(SQL_NOTICE_DIGEST_DROP, "DELETE FROM notices WHERE digest = ?1") \
X(SQL_NOTICES_OF, "DELETE FROM notices WHERE ticket = ?1") \
X(SQL_NOTICE_THREAD_SET, "INSERT OR IGNORE INTO notice_threads(ticket, channel, room," \
    " thread) VALUES(?1, ?2, ?3, ?4)") \
X(SQL_NOTICE_THREAD, "SELECT thread FROM notice_threads WHERE ticket = ?1" \
    " AND channel = ?2 AND room = ?3") \
X(SQL_CONTACT_ADD, "INSERT OR IGNORE INTO contacts(address, mark, at, reason)" \
    " VALUES(?1, ?2, ?3, ?4)") \
X(SQL_CONTACT_DROP, "DELETE FROM contacts WHERE address = ?1 AND mark = ?2") \
X(SQL_CONTACTS_OLD, "SELECT address FROM contacts WHERE mark = 1 AND at < ?1" \
    " ORDER BY at LIMIT ?2") \
X(SQL_CONTACT_FORGET, "DELETE FROM contacts WHERE address = ?1 AND mark = 1") \
X(SQL_CONTACT_MARKS, "SELECT (SELECT coalesce(sum(mark), 0) FROM contacts" \
    " WHERE address = ?1) + 4 * EXISTS(SELECT 1 FROM desk_optouts" \
    " WHERE address = ?1 AND desk = ?2)") \
X(SQL_CONTACTS, "SELECT address, mark, at, reason, '' FROM contacts" \
    " UNION ALL SELECT address, 4, at, reason, desk FROM desk_optouts" \
    " ORDER BY 3 DESC LIMIT ?1") \
X(SQL_DESK_OPTOUT_ADD, "INSERT OR IGNORE INTO desk_optouts(address, desk, at, reason)" \
    " VALUES(?1, ?2, ?3, ?4)") \
X(SQL_DESK_OPTOUT_DROP, "DELETE FROM desk_optouts WHERE address = ?1 AND desk = ?2") \
X(SQL_DESK_OPTOUTS_DROP, "DELETE FROM desk_optouts WHERE address = ?1") \
X(SQL_ASK_SET, "INSERT OR REPLACE INTO asks(ticket, subscription, due, remaining, payload)" \
    " VALUES(?1, ?2, ?3, ?4, ?5)") \
X(SQL_ASK_DROP, "DELETE FROM asks WHERE ticket = ?1") \
/* what asks him, and did not go out yet */ \
X(SQL_ASK_UNTOLD, "SELECT 1 FROM jobs WHERE ticket = ?1 AND kind = 'notify' AND state <> 2" \
    " AND json_extract(payload, '$.what') = 'action_required'" \
    " UNION ALL SELECT 1 FROM notices WHERE ticket = ?1" \
    " AND json_extract(payload, '$.what') = 'action_required' LIMIT 1") \
X(SQL_NOTICES_ASKING, "DELETE FROM notices WHERE ticket = ?1" \
    " AND json_extract(payload, '$.what') = 'action_required'") \
X(SQL_ASK_TURN, "UPDATE asks SET due = ?3, remaining = ?4 WHERE ticket = ?1 AND due = ?2") \
X(SQL_ASK_END, "DELETE FROM asks WHERE ticket = ?1 AND due = ?2") \
X(SQL_ASKS_AHEAD, "SELECT ticket, due, subscription, remaining FROM asks" \
    " WHERE due > ?1 ORDER BY due DESC LIMIT ?2") \
X(SQL_ASK_DUE_SET, "UPDATE asks SET due = ?2 WHERE ticket = ?1") \
X(SQL_NOTICES_AHEAD, "SELECT id, due, payload FROM notices WHERE due > ?1" \
    " ORDER BY due DESC LIMIT ?2") \
X(SQL_NOTICE_DUE_SET, "UPDATE notices SET due = ?2 WHERE id = ?1") \
X(SQL_EVENTS_LATEST, "SELECT max(at) FROM (SELECT at FROM events ORDER BY id DESC" \
    " LIMIT 1000)") \
X(SQL_ASKS_DUE, "SELECT ticket, subscription, due, remaining, payload FROM asks" \
    " WHERE due <= ?1 ORDER BY due LIMIT ?2") \
X(SQL_NOTED_TICKET, "SELECT flags FROM tickets WHERE id = ?1") \
X(SQL_NOTED_MESSAGE, "SELECT id, flags, class, author, sender, message_id FROM messages" \
    " WHERE ticket = ?1 AND (id = ?2 OR (?2 = 0 AND flags & 2 <> 0)) ORDER BY id LIMIT 1") \
X(SQL_NOTED_LAST, "SELECT message_id, (SELECT message_id FROM messages f WHERE" \
    " f.ticket = ?1 AND f.flags & 2 <> 0) FROM messages WHERE ticket = ?1" \
    " AND lower(author) = ?2 AND flags & ?3 = 0 AND flags & 1 <> 0" \
    " AND class IN ('', 'human') AND coalesce(message_id, '') <> ''" \
    " ORDER BY id DESC LIMIT 1") \
X(SQL_NOTED_DECIDED, "SELECT json_extract(data, '$.answer')," \
    " json_extract(data, '$.language') FROM events WHERE ticket = ?1 AND message = ?2" \
    " AND kind IN ('ticket.created', 'message.appended', 'ticket.analysed'," \
    " 'ticket.enriched') AND data IS NOT NULL" \
    " AND json_extract(data, '$.answer') IS NOT NULL ORDER BY id DESC LIMIT 1") \
/* followers of the events */ \
X(SQL_EVENTS_AFTER, "SELECT id, at, ticket, message, kind," \
    " CASE WHEN kind = 'message.decided' THEN NULL ELSE data END" \
    " FROM events WHERE id > ?1 ORDER BY id LIMIT ?2") \
X(SQL_EVENTS_OUT, "SELECT e.id, e.at, h.name, e.kind, e.chain, s.prefix, t.number," \
    " m.queue_id, m.message_id," \
    " CASE WHEN e.kind = 'message.decided' THEN NULL ELSE e.data END" \
    " FROM events e JOIN hosts h ON h.id = e.host LEFT JOIN tickets t ON t.id = e.ticket" \
    " LEFT JOIN series s ON s.id = t.series LEFT JOIN messages m ON m.id = e.message" \
    " WHERE e.id > ?1 ORDER BY e.id LIMIT ?2") \
X(SQL_EVENT_NEWEST, "SELECT id FROM events ORDER BY id DESC LIMIT 1") \
X(SQL_PLACE, "SELECT event FROM places WHERE follower = ?1") \
X(SQL_PLACE_SET, "INSERT INTO places(follower, event) VALUES(?1, ?2)" \
    " ON CONFLICT(follower) DO UPDATE SET event = ?2") \
X(SQL_PLACE_DROP, "DELETE FROM places WHERE follower = ?1") \
/* how long tickets may take */ \
X(SQL_SLA_GET, "SELECT sla, chain, calendar, chain_calendar, flags, started, why" \
    " FROM slas WHERE ticket = ?1") \
X(SQL_SLA_SET, "INSERT OR REPLACE INTO slas(ticket, sla, chain, calendar, chain_calendar," \
    " flags, started, why) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)") \
X(SQL_SLAS_UNASKED, "SELECT ticket FROM slas INDEXED BY slas_unasked" \
    " WHERE flags & 512 AND ticket > ?1" \
    " ORDER BY ticket LIMIT ?2") \
X(SQL_TIMERS_GET, "SELECT name, state, target, used, since, acted, due FROM timers" \
    " WHERE ticket = ?1 ORDER BY name") \
X(SQL_TIMER_SET, "INSERT INTO timers(ticket, name, state, target, used, since, acted, due)" \
    " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, nullif(?8, 9223372036854775807))" \
    " ON CONFLICT(ticket, name) DO UPDATE SET state = ?3, target = ?4, used = ?5," \
    " since = ?6, acted = ?7, due = nullif(?8, 9223372036854775807)") \
X(SQL_TIMER_DROP, "DELETE FROM timers WHERE ticket = ?1 AND name = ?2") \
X(SQL_TIMERS_STOP, "UPDATE timers SET due = NULL WHERE ticket = ?1") \
X(SQL_TIMERS_DUE, "SELECT ticket FROM timers WHERE due <= ?1 ORDER BY due LIMIT 1") \
X(SQL_TIMERS_NEXT, "SELECT due FROM timers WHERE due IS NOT NULL ORDER BY due LIMIT 1") \
X(SQL_TIMERS_LIST, "SELECT ticket, name, target, acted, due FROM timers WHERE due <= ?1" \
    " ORDER BY due LIMIT ?2") \
X(SQL_TIMERS_CLEAR, "DELETE FROM timers WHERE ticket IN (SELECT ticket FROM slas" \
    " ORDER BY ticket LIMIT ?1)") \
X(SQL_SLAS_CLEAR, "DELETE FROM slas WHERE ticket IN (SELECT ticket FROM slas" \
    " ORDER BY ticket LIMIT ?1)") \
X(SQL_EVENT_AT_AFTER, "SELECT at FROM events WHERE id > ?1 ORDER BY id LIMIT 1") \
X(SQL_MESSAGE_WHO, "SELECT flags, class, author FROM messages WHERE id = ?1") \
X(SQL_TICKETS_OPEN_AFTER, "SELECT id FROM tickets WHERE id > ?1 AND state IN (1, 2, 3)" \
    " ORDER BY id LIMIT ?2") \
X(SQL_TICKETS_OF_AGENT, "SELECT id FROM tickets WHERE id > ?1 AND lower(assignee) = ?2" \
    " AND state IN (1, 2, 3) ORDER BY id LIMIT ?3") \
X(SQL_META_GET, "SELECT value FROM meta WHERE key = ?1") \
X(SQL_META_SET, "INSERT INTO meta(key, value) VALUES(?1, ?2)" \
    " ON CONFLICT(key) DO UPDATE SET value = excluded.value") \
/* reading */ \
X(SQL_LIST, "SELECT t.id, s.prefix, t.number, d.name, t.state, t.flags, t.priority," \
    " t.type, t.category, t.subcategory, t.grp, t.assignee, t.requester," \
    " t.requester_name, t.subject, t.class, t.created, t.changed, t.duplicates, t.service," \
    " t.joined, t.urgency" \
    SQL_TICKET_FROM " WHERE t.id < ?1 AND (?2 IS NULL OR d.name = ?2)" \
    " AND (?3 < 0 OR t.state = ?3) AND (?4 IS NULL OR t.grp = ?4)" \
    " AND (?5 IS NULL OR t.assignee = ?5) AND (?6 IS NULL OR t.requester = ?6)" \
    " AND (?7 IS NULL OR instr(lower(t.subject), lower(?7)) > 0" \
    " OR instr(t.requester, lower(?7)) > 0) AND t.created >= ?8" \
    " ORDER BY t.id DESC LIMIT ?9") \
X(SQL_SHOW, "SELECT s.prefix, t.number, d.name, t.state, t.flags, t.priority, t.type," \
    " t.category, t.subcategory, t.grp, t.assignee, t.requester, t.requester_name," \
    " t.subject, t.class, t.created, t.changed, t.duplicates, t.closed, t.itsm, t.corr," \
    " t.urgency, t.impact, t.tags, t.merged_into, t.service, t.keywords, t.missing," \
    " t.joined" \
    SQL_TICKET_FROM " WHERE t.id = ?") \
X(SQL_SHOW_MESSAGES, "SELECT id, at, flags, size, sha256, hook, rcpt, queue_id, class," \
    " author, sender, subject, message_id, blob, envelope FROM messages" \
    " WHERE ticket = ?1 ORDER BY id LIMIT ?2") \
X(SQL_COMMENT_TEXT, "SELECT raw FROM messages WHERE id = ?1 AND flags & 1024 <> 0") \
X(SQL_SHOW_LINKS, "SELECT s.prefix, t.number, l.kind, l.forward FROM (" \
    "SELECT b AS other, kind, 1 AS forward FROM links WHERE a = ?1 UNION ALL" \
    " SELECT a, kind, 0 FROM links WHERE b = ?1) l JOIN tickets t ON t.id = l.other" \
    " JOIN series s ON s.id = t.series LIMIT 1000") \
X(SQL_SHOW_PARTICIPANTS, "SELECT address, role FROM participants WHERE ticket = ?") \
X(SQL_SHOW_HOLDS, "SELECT hook, rcpt, at, changed, state, message FROM holds" \
    " WHERE ticket = ? ORDER BY at LIMIT 1000") \
X(SQL_SHOW_JOBS, "SELECT j.id, j.kind, j.target, j.state, j.attempts, j.created, j.changed," \
    " j.run_after, j.due, j.owner, j.reason, s.prefix, t.number, j.doubt" \
    " FROM jobs j" \
    " JOIN tickets t ON t.id = j.ticket JOIN series s ON s.id = t.series" \
    " WHERE j.ticket = ? ORDER BY j.id LIMIT 1000") \
X(SQL_LIST_JOBS, "SELECT j.id, j.kind, j.target, j.state, j.attempts, j.created, j.changed," \
    " j.run_after, j.due, j.owner, j.reason, s.prefix, t.number, j.doubt" \
    " FROM jobs j" \
    " JOIN tickets t ON t.id = j.ticket JOIN series s ON s.id = t.series" \
    " WHERE (?1 < 0 OR j.state = ?1) AND (?2 = 0 OR j.id = ?2)" \
    " AND (?1 >= 0 OR ?2 <> 0 OR j.state <> 2) ORDER BY j.id LIMIT ?3") \
X(SQL_LOG_TICKET, "SELECT e.id, e.at, h.name, e.kind, e.data, e.message, s.prefix, t.number" \
    " FROM events e JOIN hosts h ON h.id = e.host LEFT JOIN tickets t ON t.id = e.ticket" \
    " LEFT JOIN series s ON s.id = t.series WHERE e.ticket = ?1 AND e.at >= ?2" \
    " ORDER BY e.id LIMIT ?3") \
X(SQL_LOG_ALL, "SELECT * FROM (SELECT e.id, e.at, h.name, e.kind, e.data, e.message," \
    " s.prefix, t.number FROM events e JOIN hosts h ON h.id = e.host" \
    " LEFT JOIN tickets t ON t.id = e.ticket LEFT JOIN series s ON s.id = t.series" \
    " WHERE e.at >= ?1 ORDER BY e.id DESC LIMIT ?2) ORDER BY 1") \
X(SQL_COUNT_STATES, "SELECT state, count(*) FROM tickets GROUP BY state") \
X(SQL_COUNT_DESKS, "SELECT d.name, count(*), sum(t.state IN (0, 1, 2, 3)), max(t.created)" \
    " FROM tickets t JOIN desks d ON d.id = t.desk GROUP BY t.desk ORDER BY d.name") \
X(SQL_COUNT_JOBS, "SELECT state, count(*), min(created) FROM jobs GROUP BY state") \
X(SQL_OLDEST_JOB, "SELECT id, kind, created FROM jobs WHERE state <> 2 ORDER BY id LIMIT 1") \
X(SQL_COUNT_MISC, "SELECT (SELECT count(*) FROM messages)," \
    " (SELECT count(*) FROM events), (SELECT sum(duplicates) FROM tickets)," \
    " (SELECT count(*) FROM holds WHERE state = 0)," \
    " (SELECT min(at) FROM holds WHERE state = 0)," \
    " (SELECT count(*) FROM messages WHERE blob IS NOT NULL)," \
    " (SELECT count(*) FROM tickets WHERE flags & 4 = 0)") \
/* numbers for who watches */ \
X(SQL_GAUGE_TICKETS, "SELECT d.name, t.state, count(*) FROM tickets t" \
    " JOIN desks d ON d.id = t.desk GROUP BY t.desk, t.state") \
X(SQL_GAUGE_JOBS, "SELECT target, state, count(*), min(created) FROM jobs" \
    " WHERE state <> 2 GROUP BY target, state") \
X(SQL_GAUGE_HOLDS, "SELECT count(*), min(at) FROM holds WHERE state = 0") \
/* rehearsals */ \
X(SQL_MESSAGE_LAST, "SELECT coalesce(max(id), 0) FROM messages") \
X(SQL_MESSAGE_AT_OR_AFTER, "SELECT at FROM messages WHERE id >= ?1 ORDER BY id LIMIT 1") \
X(SQL_SAMPLES, "SELECT m.id, m.at, m.flags, m.size, t.id, s.prefix, t.number, d.name," \
    " t.state FROM messages m JOIN tickets t ON t.id = m.ticket" \
    " JOIN series s ON s.id = t.series JOIN desks d ON d.id = t.desk" \
    " WHERE m.id > ?1 AND m.at >= ?2 AND m.at < ?3 AND m.flags & 1168 = 0" \
    " AND (?4 IS NULL OR d.name = ?4) AND (?5 = 0 OR t.id = ?5) ORDER BY m.id LIMIT ?6") \
X(SQL_RECORD_OF, "SELECT data, at FROM events WHERE ticket = ?1 AND message = ?2" \
    " AND kind = 'message.decided' AND data IS NOT NULL ORDER BY id DESC LIMIT 1") \
/* verify, backup */ \
X(SQL_VERIFY_EVENTS, "SELECT e.id, e.host, e.at, e.ticket, e.message, e.kind, e.hash," \
    " e.chain, e.data, m.sha256 FROM events e LEFT JOIN messages m ON m.id = e.message" \
    " ORDER BY e.host, e.id") \
X(SQL_VERIFY_MESSAGES, "SELECT id, ticket, flags, size, sha256, blob, raw FROM messages") \
X(SQL_VERIFY_DOUBLES, "SELECT s.prefix, t.number, count(*) FROM tickets t" \
    " JOIN series s ON s.id = t.series GROUP BY t.series, t.number HAVING count(*) > 1") \
X(SQL_VERIFY_NO_MESSAGE, "SELECT s.prefix, t.number FROM tickets t" \
    " JOIN series s ON s.id = t.series" \
    " WHERE NOT EXISTS (SELECT 1 FROM messages m WHERE m.ticket = t.id)") \
X(SQL_VERIFY_NO_JOB, "SELECT s.prefix, t.number FROM tickets t" \
    " JOIN series s ON s.id = t.series WHERE" \
    " (t.flags & 11 = 1 OR t.flags & 15 = 9) AND t.state <> 7" \
    " AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.ticket = t.id" \
    " AND j.target <> '(assign)')") \
X(SQL_VERIFY_KEYS, "SELECT count(*) FROM msgkeys k WHERE NOT EXISTS" \
    " (SELECT 1 FROM messages m WHERE m.id = k.message)") \
X(SQL_VERIFY_EVENT_OF, "SELECT s.prefix, t.number FROM tickets t" \
    " JOIN series s ON s.id = t.series" \
    " WHERE NOT EXISTS (SELECT 1 FROM events e WHERE e.ticket = t.id)") \
X(SQL_BLOB_NEXT, "SELECT id, blob, size FROM messages WHERE blob > ?1" \
    " AND blob IS NOT NULL ORDER BY blob LIMIT 1") \
X(SQL_BLOB_GONE, "UPDATE messages SET flags = flags | 128, blob = NULL WHERE blob = ?1") \
X(SQL_PIECE_ADD, "INSERT INTO blob_pieces(name, piece, data) VALUES(?, ?, ?)") \
X(SQL_PIECE_NEXT, "SELECT name, piece, data FROM blob_pieces" \
    " WHERE (name, piece) > (?1, ?2) ORDER BY name, piece LIMIT 1") \
X(SQL_PIECES_TABLE, "SELECT count(*) FROM sqlite_master WHERE name = 'blob_pieces'")
/* clang-format on */

enum tkt_sql {
#define X(name, text) name,
    TKT_SQL_TABLE(X)
#undef X
    TKT_SQL_COUNT
};

#endif
