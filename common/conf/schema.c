/* SPDX-License-Identifier: BSD-2-Clause */
#include "conf/schema.h"

#include "base/util.h"
#include "conf/conf.h"
#include "conf/rows.h"
#include "conf/text.h"
#include "wire/intake.h"

#include <string.h>

#define RUN_DIR TKT_RUNSTATEDIR "/ticket-milter"
#define STATE_DIR TKT_LOCALSTATEDIR "/lib/ticket-milter"

static const struct tkt_conf_word sink_words[] = {
    {"stderr", TKT_LOG_STDERR}, {"syslog", TKT_LOG_SYSLOG}, {NULL, 0}};
static const struct tkt_conf_word level_words[] = {
    {"error", TKT_LOG_ERROR}, {"warning", TKT_LOG_WARNING}, {"notice", TKT_LOG_NOTICE},
    {"info", TKT_LOG_INFO},   {"debug", TKT_LOG_DEBUG},     {NULL, 0}};
static const struct tkt_conf_word engine_words[] = {
    {"native", TKT_ENGINE_NATIVE}, {"libmilter", TKT_ENGINE_LIBMILTER}, {NULL, 0}};
static const struct tkt_conf_word mode_words[] = {{"live", TKT_MODE_LIVE},
                                                  {"shadow", TKT_MODE_SHADOW},
                                                  {"off", TKT_MODE_OFF},
                                                  {NULL, 0}};
static const struct tkt_conf_word failure_words[] = {
    {"tempfail", TKT_ON_FAILURE_TEMPFAIL}, {"accept", TKT_ON_FAILURE_ACCEPT}, {NULL, 0}};
static const struct tkt_conf_word subject_words[] = {{"rewrite", TKT_SUBJECT_REWRITE},
                                                     {"header", TKT_SUBJECT_HEADER},
                                                     {"off", TKT_SUBJECT_OFF},
                                                     {NULL, 0}};
static const struct tkt_conf_word delivery_words[] = {
    {"local", TKT_DELIVERY_LOCAL}, {"relay", TKT_DELIVERY_RELAY}, {NULL, 0}};
static const struct tkt_conf_word closed_words[] = {{"reopen", TKT_CLOSED_REOPEN},
                                                    {"new", TKT_CLOSED_NEW},
                                                    {"refuse", TKT_CLOSED_REFUSE},
                                                    {NULL, 0}};
static const struct tkt_conf_word forward_words[] = {{"forwarder", TKT_FORWARD_FORWARDER},
                                                     {"requester", TKT_FORWARD_REQUESTER},
                                                     {"anybody", TKT_FORWARD_ANYBODY},
                                                     {NULL, 0}};
static const struct tkt_conf_word reply_to_words[] = {{"keep", 0}, {"add", 1}, {NULL, 0}};
static const struct tkt_conf_word proof_words[] = {
    {"unless_failed", 0}, {"proved", 1}, {NULL, 0}};
static const struct tkt_conf_word header_words[] = {
    {"id", 0}, {"desk", 0}, {"group", 0}, {"priority", 0}, {NULL, 0}};
/* What wrote a message; the words of tkt_class_names. */
static const struct tkt_conf_word class_words[] = {
    {"human", 0},     {"auto-reply", 0}, {"auto-generated", 0}, {"bounce", 0},
    {"delay", 0},     {"feedback", 0},   {"list", 0},           {"bulk", 0},
    {"challenge", 0}, {"own", 0},        {"system", 0},         {NULL, 0}};
static const struct tkt_conf_word type_words[] = {
    {"incident", 0}, {"request", 0}, {"question", 0}, {"change", 0}, {NULL, 0}};
static const struct tkt_conf_word priority_words[] = {
    {"urgent", 1}, {"high", 2}, {"normal", 3}, {"low", 4}, {"planning", 5}, {NULL, 0}};

#include "conf/schema_rules.h"

static const struct tkt_conf_row top_rows[] = {
    {STRING_ROW(tkt_conf, hostname, "hostname", ""), .check = tkt_conf_is_hostname,
     .help = "Name of this host in Message-IDs, Received fields and events; empty: what "
             "gethostname(2) says."},
    {STRING_ROW(tkt_conf, user, "user", "ticketd"),
     .help =
         "User that ticketd becomes when root starts it; empty: it stays what it is."},
    {STRING_ROW(tkt_conf, pid_file, "pid_file", RUN_DIR "/ticketd.pid"),
     .check = tkt_conf_is_path_or_empty,
     .help = "Process ID file of ticketd; empty: none."},
    {STRING_ROW(tkt_conf, intake_socket, "intake_socket", RUN_DIR "/intake.sock"),
     .max = 107, .check = tkt_conf_is_path,
     .help = "UNIX socket on which ticketd takes messages from the hooks."},
    {STRING_ROW(tkt_conf, control_socket, "control_socket", RUN_DIR "/control.sock"),
     .max = 107, .check = tkt_conf_is_path, .help = "UNIX socket of ticketctl."},
    {OCTAL_ROW(tkt_conf, intake_umask, "intake_umask", "007"),
     .help = "umask under which the intake socket is made."},
    {ENUM_ROW(tkt_conf, log_sink, "log_sink", "stderr", sink_words),
     .help = "Where log lines go; systemd's journal takes stderr. A program in the "
             "background logs to syslog."},
    {BOOL_ROW(tkt_conf, log_json, "log_json", "no"),
     .help = "One JSON object a line instead of key=value pairs."},
    {BOOL_ROW(tkt_conf, log_ecs, "log_ecs", "no"),
     .help = "JSON lines with the field names of the Elastic Common Schema."},
    {BOOL_ROW(tkt_conf, log_personal, "log_personal", "no"),
     .help = "Addresses and subjects stand in such lines, too."},
    {ENUM_ROW(tkt_conf, log_level, "log_level", "info", level_words), .reload = true,
     .help = "Least severe lines that are logged."},
    {LIST_ROW(tkt_conf, authserv_ids, "authserv_ids", "", 0, 16), .reload = true,
     .check = tkt_conf_is_hostname,
     .help =
         "authserv-ids whose Authentication-Results fields are believed. Only name one "
         "whose forged fields your verifier removes."},
    {LIST_ROW(tkt_conf, arc_sealers, "arc_sealers", "", 0, 64), .reload = true,
     .check = tkt_conf_is_hostname,
     .help =
         "Domains of lists and forwarders whose ARC seal is believed: where the border "
         "says arc=pass and they sealed last, what they saw counts. Empty: ARC is "
         "ignored."},
    {LIST_ROW(tkt_conf, own_networks, "own_networks", "127.0.0.0/8 ::1/128", 0, 256),
     .reload = true, .check = tkt_conf_is_network,
     .help = "Clients whose mail is never deferred for its number, and whose alarms may "
             "say that they are over."},
    {STRING_ROW(tkt_conf, recipient_delimiter, "recipient_delimiter", "+"), .max = 8,
     .reload = true, .check = tkt_conf_is_delimiters,
     .help =
         "Bytes that part a sub-address from a desk's local part; as in Postfix. Empty: "
         "no sub-addresses."},
    {STRING_ROW(tkt_conf, templates, "templates", ""), .max = 1024, .reload = true,
     .check = tkt_conf_is_path_or_empty,
     .help = "Folder of texts for notices, as LANGUAGE/NAME.txt and .html, that go "
             "before the shipped ones."},
    {BOOL_ROW(tkt_conf, one_ticket_per_message, "one_ticket_per_message", "no"),
     .reload = true,
     .help =
         "A message to several desks opens one ticket, at the first of them, instead of "
         "one for each."},
    {BOOL_ROW(tkt_conf, analyse, "analyse", "yes"), .reload = true,
     .help =
         "Messages are read by ticket-parser while the client waits. no: tickets come "
         "from the header scan alone."},
    {STRING_ROW(tkt_conf, shadow_config, "shadow_config", ""), .max = 4096,
     .reload = true, .check = tkt_conf_is_path_or_empty,
     .help = "Another configuration that decides beside this one: differences are "
             "counted, see ticketctl shadow, and nothing else comes of it. Empty: none."},
    {INT_ROW(tkt_conf, shadow_share, "shadow_share", "100", 0, 100), .reload = true,
     .help = "Percent of the mails that it decides."},
};

static const struct tkt_conf_row milter_rows[] = {
    {STRING_ROW(tkt_conf_milter, socket, "socket", "unix:" RUN_DIR "/milter.sock"),
     .check = tkt_conf_is_milter_socket,
     .help =
         "Where the MTA finds ticket-milter: unix:/path, local:/path, inet:port@host or "
         "inet6:port@host."},
    {ENUM_ROW(tkt_conf_milter, engine, "engine", "native", engine_words),
     .help = "What speaks the milter protocol: native costs the least, libmilter is the "
             "library that other milters use."},
    {OCTAL_ROW(tkt_conf_milter, umask, "umask", "007"),
     .help =
         "umask under which the socket is made; the MTA's user must be able to open it."},
    {STRING_ROW(tkt_conf_milter, pid_file, "pid_file", RUN_DIR "/ticket-milter.pid"),
     .check = tkt_conf_is_path_or_empty,
     .help = "Process ID file of ticket-milter; empty: none."},
    {STRING_ROW(tkt_conf_milter, user, "user", "ticket-milter"),
     .help =
         "User that ticket-milter becomes when root starts it; empty: it stays what it "
         "is."},
    {STRING_ROW(tkt_conf_milter, state_dir, "state_dir", STATE_DIR "/milter"),
     .check = tkt_conf_is_path,
     .help = "Folder for the last desk table, missed/ and messages too large for "
             "memory."},
    {STRING_ROW(tkt_conf_milter, chroot, "chroot", ""),
     .check = tkt_conf_is_path_or_empty,
     .help = "Folder to chroot into. socket, intake_socket and state_dir are written as "
             "they read "
             "outside and must lie in it. Empty: none."},
    {INT_ROW(tkt_conf_milter, in_reserve_max, "in_reserve_max", "200", 1, 10000),
     .reload = true,
     .help =
         "Messages that may wait for ticketd at once; the next one meets on_failure."},
    {SIZE_ROW(tkt_conf_milter, memory_max, "memory_max", "256k", 0, 64 * MIB),
     .reload = true,
     .help =
         "Bytes of a message kept in memory; a larger one goes to a file in state_dir."},
    {TIME_ROW(tkt_conf_milter, deadline_ms, "deadline", "8s", SECOND, 120 * SECOND),
     .reload = true, .help = "Time that ticketd has to answer; then on_failure decides."},
    {TIME_ROW(tkt_conf_milter, progress_ms, "progress", "3s", 500, 60 * SECOND),
     .reload = true, .help = "How often the MTA is told that work goes on."},
    {TIME_ROW(tkt_conf_milter, drain_ms, "drain", "20s", 0, 5 * MINUTE), .reload = true,
     .help = "Time that messages in hand get when the milter is stopped."},
};

static const struct tkt_conf_row parser_rows[] = {
    {STRING_ROW(tkt_conf_parser, program, "program", TKT_LIBEXECDIR "/ticket-parser"),
     .check = tkt_conf_is_path, .reload = true,
     .help = "The program that reads messages."},
    {INT_ROW(tkt_conf_parser, children, "children", "0", 0, 64), .reload = true,
     .help = "Messages read at once; 0: as many as there are processors."},
    {TIME_ROW(tkt_conf_parser, budget_ms, "budget", "250ms", 10, 10 * SECOND),
     .reload = true, .help = "Time to read one message; then its child is killed."},
    {TIME_ROW(tkt_conf_parser, queue_wait_ms, "queue_wait", "1s", 0, 60 * SECOND),
     .reload = true,
     .help = "Time a message may wait for a free child; then its ticket is made from the "
             "header scan and analysed later."},
    {INT_ROW(tkt_conf_parser, messages_per_child, "messages_per_child", "500", 1,
             1000000),
     .reload = true, .help = "Messages after which a child is replaced."},
    {SIZE_ROW(tkt_conf_parser, memory_max, "memory_max", "48M", 8 * MIB, 2 * GIB),
     .reload = true, .help = "Address space that a child may take beyond its start."},
};

static const struct tkt_conf_row limits_rows[] = {
    {SIZE_ROW(tkt_conf_limits, message_max, "message_max", "64M", 64 * KIB, GIB),
     .reload = true, .help = "Largest message; a larger one is refused with 552 5.3.4."},
    {SIZE_ROW(tkt_conf_limits, inline_max, "inline_max", "128k", 0, MIB), .reload = true,
     .help = "Messages up to this size live in the database, larger ones in files."},
    {INT_ROW(tkt_conf_limits, recipients_max, "recipients_max", "1000", 1,
             TKT_WIRE_RCPTS_MAX),
     .reload = true, .help = "Desk recipients of one message."},
    {INT_ROW(tkt_conf_limits, personal_rate, "personal_rate", "60", 0, 100000),
     .reload = true,
     .help = "New tickets an hour that the Sieve scripts of one user may open."},
    {INT_ROW(tkt_conf_limits, requests_per_peer, "requests_per_peer", "256", 1, 10000),
     .reload = true, .help = "Open intake connections of one process."},
    {INT_ROW(tkt_conf_limits, requests_max, "requests_max", "512", 1, 20000),
     .reload = true, .help = "Open intake connections in all."},
    {SIZE_ROW(tkt_conf_limits, header_block_max, "header_block_max", "256k", 4 * KIB,
              4 * MIB),
     .reload = true,
     .help =
         "Header of a message; beyond any of the limits from here on a ticket is made "
         "from what came before."},
    {INT_ROW(tkt_conf_limits, header_count_max, "header_count_max", "1000", 32, 10000),
     .reload = true, .help = "Header fields of a message or part."},
    {SIZE_ROW(tkt_conf_limits, header_max, "header_max", "32k", KIB, 60 * KIB),
     .reload = true, .help = "One header field."},
    {INT_ROW(tkt_conf_limits, mime_depth_max, "mime_depth_max", "32", 2, 256),
     .reload = true, .help = "MIME parts within parts."},
    {INT_ROW(tkt_conf_limits, mime_parts_max, "mime_parts_max", "500", 1, 500),
     .reload = true, .help = "MIME parts of a message."},
    {INT_ROW(tkt_conf_limits, mime_params_max, "mime_params_max", "64", 4, 1000),
     .reload = true, .help = "Parameters of a MIME field."},
    {SIZE_ROW(tkt_conf_limits, text_max, "text_max", "1M", 4 * KIB, 4 * MIB),
     .reload = true, .help = "Decoded text that is looked at."},
    {INT_ROW(tkt_conf_limits, addresses_max, "addresses_max", "512", 1, 512),
     .reload = true, .help = "Addresses of To, of Cc and of Reply-To."},
    {INT_ROW(tkt_conf_limits, references_max, "references_max", "64", 2, 64),
     .reload = true,
     .help = "Message-IDs in References and In-Reply-To: the first and the newest."},
    {SIZE_ROW(tkt_conf_limits, name_max, "name_max", "1k", 64, 4 * KIB), .reload = true,
     .help = "Name of a person or of a file."},
    {SIZE_ROW(tkt_conf_limits, hash_max, "hash_max", "256M", 4 * KIB, GIB),
     .reload = true,
     .help = "Attachments of a message that are decoded for their SHA-256; those behind "
             "it are listed without."},
    {TIME_ROW(tkt_conf_limits, undeliverable_ms, "undeliverable_for", "30d", 0,
              5200 * WEEK),
     .reload = true,
     .help = "An address whose mail came back is told nothing for so long, or until mail "
             "of its own comes whose sender is proved. 0: until that."},
    {INT_ROW(tkt_conf_limits, undeliverable_after, "undeliverable_after", "3", 1, 14),
     .reload = true,
     .help =
         "An address whose mail came back for what may pass (its mailbox is full, its "
         "server was away) is told nothing only when that was so on that many days "
         "within two weeks. One that does not exist, at once."},
    {INT_ROW(tkt_conf_limits, nested_max, "nested_max", "8", 1, 8), .reload = true,
     .help = "Messages, and winmail.dat, within each other that are opened."},
    {SIZE_ROW(tkt_conf_limits, nested_bytes_max, "nested_bytes_max", "1M", 4 * KIB,
              16 * MIB),
     .reload = true,
     .help =
         "A message within another that is itself encoded; a larger one is not opened."},
    {INT_ROW(tkt_conf_limits, html_depth_max, "html_depth_max", "512", 16, 512),
     .reload = true,
     .help = "Open elements of HTML; deeper ones are read as if they were not there."},
};

static const struct tkt_conf_row store_rows[] = {
    {STRING_ROW(tkt_conf_store, path, "path", STATE_DIR "/store"),
     .check = tkt_conf_is_path, .help = "Folder of the database and of large messages."},
    {INT_ROW(tkt_conf_store, batch_max, "batch_max", "256", 1, 4096), .reload = true,
     .help = "Requests in one transaction."},
    {SIZE_ROW(tkt_conf_store, batch_bytes, "batch_bytes", "4M", 64 * KIB, 64 * MIB),
     .help = "Bytes in one transaction."},
    {TIME_ROW(tkt_conf_store, batch_ms, "batch_time", "5ms", 1, SECOND),
     .help = "Time spent on statements before a transaction is committed."},
    {INT_ROW(tkt_conf_store, id_block, "id_block", "100", 1, 100000),
     .help = "Ticket IDs leased at once; a crash may leave that many unused."},
    {TIME_ROW(tkt_conf_store, dedupe_keep_ms, "dedupe_keep", "30d", 5 * DAY, 3660 * DAY),
     .help = "How long a message with a Message-ID is known again. Never under the MTA's "
             "queue lifetime and five days more."},
    {TIME_ROW(tkt_conf_store, dedupe_blind_ms, "dedupe_blind", "6h", MINUTE, 30 * DAY),
     .help = "The same for a message without a Message-ID of its client."},
    {TIME_ROW(tkt_conf_store, confirm_after_ms, "confirm_after", "60s", SECOND, DAY),
     .reload = true,
     .help = "A claim on a ticket that nobody confirmed or took back confirms itself."},
};

static const struct tkt_conf_row metrics_rows[] = {
    {STRING_ROW(tkt_conf_metrics, listen, "listen", ""), .max = 256,
     .check = tkt_conf_is_listen_or_empty,
     .help = "\"127.0.0.1:9464\", \"[::1]:9464\" or \"unix:/path\" answers GET /metrics "
             "and /healthz; empty: nobody is answered."},
};

static const struct tkt_conf_row token_rows[] = {
    {LIST_ROW(tkt_conf_token, keys, "keys", "", 0, 2), .reload = true, .secret = true,
     .check = tkt_conf_is_secret_ref,
     .help =
         "Secret references of the signing keys, newest first; the newest signs, both "
         "verify. All hosts share them. Empty: ticketd makes one for this host alone."},
    {STRING_ROW(tkt_conf_token, separator, "separator", "+"), .max = 1, .reload = true,
     .check = tkt_conf_is_delimiters,
     .help = "Byte between a desk's local part and the token; one of "
             "recipient_delimiter."},
    {TIME_ROW(tkt_conf_token, valid_ms, "valid", "26w", WEEK, 520 * WEEK), .reload = true,
     .help = "How long a token is believed."},
    {BOOL_ROW(tkt_conf_token, refuse, "refuse", "no"), .reload = true,
     .help = "Refuse a recipient with an expired or forged token at RCPT; every RCPT "
             "then waits for an answer. Else such mail opens a new ticket."},
};

static const struct tkt_conf_row access_rows[] = {
    {LIST_ROW(tkt_conf_access, hooks, "hooks", "root @ticket-milter", 0, 64),
     .reload = true, .check = tkt_conf_is_user_or_group,
     .help = "Who may hand in messages: users, or groups as @group."},
    {LIST_ROW(tkt_conf_access, admins, "admins", "root", 0, 64), .reload = true,
     .check = tkt_conf_is_user_or_group, .help = "Who may use all of ticketctl."},
    {LIST_ROW(tkt_conf_access, agents, "agents", "", 0, 256), .reload = true,
     .check = tkt_conf_is_user_or_group,
     .help = "Who may do everything but forget, drop and backup."},
    {LIST_ROW(tkt_conf_access, readers, "readers", "", 0, 256), .reload = true,
     .check = tkt_conf_is_user_or_group,
     .help = "Who may list, show, log and ask for the status."},
};

static const struct tkt_conf_row redact_rows[] = {
    {BOOL_ROW(tkt_conf_redact, cards, "cards", "yes"), .reload = true,
     .help = "Payment card numbers (Luhn's test; order numbers are left alone)."},
    {BOOL_ROW(tkt_conf_redact, ibans, "ibans", "yes"), .reload = true,
     .help = "Bank accounts as IBAN with right check digits."},
    {BOOL_ROW(tkt_conf_redact, passwords, "passwords", "yes"), .reload = true,
     .help = "What stands behind the usual words for a password, and in URLs."},
    {LIST_ROW(tkt_conf_redact, patterns, "patterns", "", 0, 64), .reload = true,
     .check = tkt_conf_is_redact_pattern,
     .help = "Words to remove: # is a digit, @ a letter, ? any character, * any number "
             "of them up to a blank, \\ takes the next as it is."},
};

static const struct tkt_conf_row desk_rows[] = {
    {LIST_ROW(tkt_conf_desk, addresses, "addresses", "", 1, 256), .reload = true,
     .check = tkt_conf_is_desk_address,
     .help =
         "Recipients of the desk: user@domain, or @domain for a whole domain, as they "
         "stand in RCPT TO, before aliases."},
    {STRING_ROW(tkt_conf_desk, prefix, "prefix", "IT"), .max = 10, .reload = true,
     .check = tkt_conf_is_prefix, .help = "Of its ticket IDs: IT gives IT-12."},
    {STRING_ROW(tkt_conf_desk, ticket_url, "ticket_url", ""), .max = 512, .reload = true,
     .help =
         "Where a person looks at a ticket: {id} stands for its ID. Sieve scripts have "
         "it as ${ticket.url}; empty: none."},
    {STRING_ROW(tkt_conf_desk, display_name, "display_name", ""), .reload = true,
     .help = "Name for people; empty: the title of the section."},
    {STRING_ROW(tkt_conf_desk, itsm, "itsm", "local"), .max = 32, .reload = true,
     .check = tkt_conf_is_title,
     .help = "Title of the itsm section that gets its tickets."},
    {STRING_ROW(tkt_conf_desk, itsm_fallback, "itsm_fallback", ""), .max = 32,
     .reload = true, .check = tkt_conf_is_title_or_empty,
     .help = "Title of the itsm section that gets a ticket instead when itsm has failed "
             "for itsm_fallback_after; empty: it waits."},
    {TIME_ROW(tkt_conf_desk, itsm_fallback_ms, "itsm_fallback_after", "1h", SECOND,
              30 * DAY),
     .reload = true, .help = "How long itsm has to fail, and a ticket to wait for it."},
    {BOOL_ROW(tkt_conf_desk, itsm_fallback_refused, "itsm_fallback_refused", "no"),
     .reload = true,
     .help = "Also a ticket that itsm refused for good goes there, itsm_fallback_after "
             "later; no: it waits for a person."},
    {STRING_ROW(tkt_conf_desk, itsm_copy, "itsm_copy", ""), .max = 32, .reload = true,
     .check = tkt_conf_is_title_or_empty,
     .help = "Title of an itsm section that gets each ticket besides; empty: none."},
    {STRING_ROW(tkt_conf_desk, group, "group", ""), .max = 32, .reload = true,
     .check = tkt_conf_is_title_or_empty,
     .help = "Title of the group section that gets its tickets; empty: none."},
    {STRING_ROW(tkt_conf_desk, type, "type", "incident"), .words = type_words,
     .reload = true, .help = "Type of a ticket when nothing else says so."},
    {INT_ROW(tkt_conf_desk, priority, "priority", "3", 1, 5), .words = priority_words,
     .reload = true, .help = "Priority of a ticket when nothing else says so."},
    {ENUM_ROW(tkt_conf_desk, mode, "mode", "live", mode_words), .reload = true,
     .help =
         "live; shadow: tickets are made and kept, the mail is not changed and nobody "
         "is told; off: mail passes."},
    {ENUM_ROW(tkt_conf_desk, on_failure, "on_failure", "tempfail", failure_words),
     .reload = true,
     .help = "When no ticket can be made now: tempfail answers 451, accept keeps the "
             "message in missed/ and takes it in later."},
    {ENUM_ROW(tkt_conf_desk, subject, "subject", "rewrite", subject_words),
     .reload = true,
     .help = "rewrite: [IT-12] in the Subject; header: X-Ticket-ID only; off: neither."},
    {ENUM_ROW(tkt_conf_desk, delivery, "delivery", "local", delivery_words),
     .reload = true,
     .help =
         "local: its mail stays on this system; relay: it goes on to another, and the "
         "Subject is left alone so that signatures hold."},
    {ENUM_ROW(tkt_conf_desk, closed, "closed", "reopen", closed_words), .reload = true,
     .help = "A reply to a closed ticket: reopen it, open a new linked one, or refuse "
             "the mail. It is refused in the session only if every recipient is a desk "
             "that refuses it; else it is kept as a refused ticket."},
    {STRING_ROW(tkt_conf_desk, closed_text, "closed_text",
                "This request is closed; please write a new message"),
     .max = 200, .reload = true, .check = tkt_conf_is_reply_text,
     .help = "What the sender is told when closed = refuse."},
    {ENUM_ROW(tkt_conf_desk, forward, "forward", "requester", forward_words),
     .reload = true,
     .help = "In whose name a forwarded mail opens a ticket: requester: the original "
             "sender's, if a member of a group forwards it; anybody: whoever forwards "
             "it; forwarder: never. Who forwards must be proved by a login or an aligned "
             "pass. The forwarder takes part in the ticket."},
    {LIST_ROW(tkt_conf_desk, headers, "headers", "id", 0, 4), .words = header_words,
     .reload = true,
     .help = "X-Ticket fields that are added: id, desk, group, priority."},
    {.key = "reply_to",
     .type = TKT_CONF_ENUM,
     .def = "keep",
     .unit = "",
     .words = reply_to_words,
     AT_TYPE(struct tkt_conf_desk, reply_to_add, bool),
     .reload = true,
     .help = "add: the desk's address behind the author's in Reply-To, if all recipients "
             "are desks."},
    {BOOL_ROW(tkt_conf_desk, add_group_recipient, "add_group_recipient", "no"),
     .reload = true, .help = "The group's mailbox becomes a recipient too."},
    {BOOL_ROW(tkt_conf_desk, replace_recipient, "replace_recipient", "no"),
     .reload = true,
     .help = "Beside that, the desk's own address is taken out of the recipients."},
    {BOOL_ROW(tkt_conf_desk, tag_signed, "tag_signed", "no"), .reload = true,
     .help = "Rewrite the Subject of signed or encrypted mail too."},
    {BOOL_ROW(tkt_conf_desk, tag_lists, "tag_lists", "no"), .reload = true,
     .help = "Rewrite the Subject of mailing list mail too."},
    {LIST_ROW(tkt_conf_desk, opens, "opens",
              "human auto-generated feedback list bulk system", 0, 11),
     .words = class_words, .reload = true,
     .help = "Classes of mail that may open a ticket; others join the ticket that they "
             "belong to or are kept as refused. Mail of the null sender opens only where "
             "bounce is named, too."},
    {LIST_ROW(tkt_conf_desk, changes_state, "changes_state", "human list", 0, 11),
     .words = class_words, .reload = true,
     .help = "Classes whose mail may reopen a ticket or end its waiting; never that of "
             "the null sender."},
    {LIST_ROW(tkt_conf_desk, acknowledges, "acknowledges", "human", 0, 11),
     .words = class_words, .reload = true,
     .help = "Classes whose mail is acknowledged; never that of the null sender."},
    {.key = "acknowledge_if",
     .type = TKT_CONF_ENUM,
     .def = "unless_failed",
     .unit = "",
     .words = proof_words,
     AT_TYPE(struct tkt_conf_desk, acknowledge_proved, bool),
     .reload = true,
     .help = "Whose mail is acknowledged: unless_failed: whose From is not known to be "
             "forged; proved: whose From a login or an aligned pass proves. Others are "
             "told nothing by themselves, nor asked for missing fields."},
    {STRING_ROW(tkt_conf_desk, language, "language", "en"), .max = 2,
     .check = tkt_conf_is_language, .reload = true,
     .help = "Of notices to those whose own is not known: two letters (ISO 639-1)."},
    {INT_ROW(tkt_conf_desk, notices_max, "notices_per_hour", "600", 0, 1000000),
     .reload = true,
     .help = "Notices an hour; beyond it none goes out, and those who are told of an "
             "alarm are told once. 0: any number."},
    {BOOL_ROW(tkt_conf_desk, agent_name, "agent_name", "no"), .reload = true,
     .help = "An agent's mail that goes to the requester (notify on reply) has the "
             "agent's name beside the desk's address."},
    {BOOL_ROW(tkt_conf_desk, agent_strip, "agent_strip", "yes"), .reload = true,
     .help = "Addresses of agents in its text become the desk's."},
    {SIZE_ROW(tkt_conf_desk, agent_files_max, "agent_files_max", "10M", 0, 30 * MIB),
     .reload = true,
     .help = "Its attachments in all; those beyond are named in the text instead. 0: "
             "none goes along."},
    {TIME_ROW(tkt_conf_desk, retain_ms, "retain", "0", 0, 5200 * WEEK), .reload = true,
     .help = "Content of closed tickets is erased after this time; 0: kept."},
    {TIME_ROW(tkt_conf_desk, join_window_ms, "join_window", "10m", 0, 30 * DAY),
     .reload = true,
     .help = "Automatic mail with the same sender, Subject and text as another one less "
             "than this time before joins its ticket; times of day in the text do not "
             "count. 0: never."},
    {TIME_ROW(tkt_conf_desk, storm_window_ms, "storm_window", "1h", MINUTE, 7 * DAY),
     .reload = true,
     .help = "The time in which people are counted who say nearly the same, answers of "
             "strangers in one conversation, and automatic mail of one sender."},
    {INT_ROW(tkt_conf_desk, storm_senders, "storm_senders", "10", 0, 100000),
     .reload = true,
     .help = "After so many tickets that strangers opened by answering one conversation, "
             "further answers stand in its ticket, for agents only. 0: never."},
    {INT_ROW(tkt_conf_desk, loop_max, "loop_max", "10", 0, 100000), .reload = true,
     .help = "After so many new tickets by automatic mail of one sender that comes from "
             "another desk, further ones join the last. 0: never."},
    {INT_ROW(tkt_conf_desk, sender_rate, "sender_rate", "0", 0, 1000000), .reload = true,
     .help = "Messages an hour that one sender may send; more are deferred at RCPT, "
             "which then waits for an answer. 0: any number."},
    {INT_ROW(tkt_conf_desk, repeat_rate, "repeat_rate", "0", 0, 1000000), .reload = true,
     .help = "Messages an hour of one correlation key or text; then their sender is "
             "deferred at RCPT. 0: any number."},
    {STRING_ROW(tkt_conf_desk, sla, "sla", ""), .max = 32, .reload = true,
     .check = tkt_conf_is_title_or_empty,
     .help = "Title of the sla section for tickets that the conditions of none fit; "
             "empty: none."},
};

#define ONE(id, n, m, h)                                                                 \
    [TKT_CONF_##id] = {.name = #n,                                                       \
                       .offset = offsetof(struct tkt_conf, m),                           \
                       .size = MEMBER_SIZE(struct tkt_conf, m),                          \
                       .rows = m##_rows,                                                 \
                       .row_count = TKT_ARRAY_LEN(m##_rows),                             \
                       .help = (h)}
/* Section n, whose structs tkt_conf_s are in conf->m with their count in conf->c; more
 * members of the section may follow. */
#define MANY_AS(id, n, s, m, c, h, ...)                                                  \
    [TKT_CONF_##                                                                         \
        id] = {.name = #n,                                                               \
               .titled = true,                                                           \
               .offset = offsetof(struct tkt_conf, m),                                   \
               .count_offset = offsetof(struct tkt_conf, c),                             \
               .size = sizeof(struct tkt_conf_##s) +                                     \
                       0 * sizeof(struct {                                               \
                           _Static_assert(offsetof(struct tkt_conf_##s, name) == 0,      \
                                          "the title comes first");                      \
                           int one;                                                      \
                       }),                                                               \
               .rows = s##_rows,                                                         \
               .row_count = TKT_ARRAY_LEN(s##_rows),                                     \
               .help = (h),                                                              \
               __VA_ARGS__}
#define MANY(id, n, h) MANY_AS(id, n, n, n##s, n##_count, h, .policy = false)

#define APART(id, n, h, t)                                                               \
    [TKT_CONF_##id] = {.name = #n,                                                       \
                       .titled = true,                                                   \
                       .offset = offsetof(struct tkt_conf, n##s),                        \
                       .count_offset = offsetof(struct tkt_conf, n##_count),             \
                       .size = sizeof(struct tkt_conf_##n),                              \
                       .rows = tkt_conf_##n##_rows,                                      \
                       .row_count = TKT_CONF_##id##_ROWS,                                \
                       .help = (h),                                                      \
                       .title = (t)}

const struct tkt_conf_section tkt_conf_sections[TKT_CONF_SECTIONS] = {
    [TKT_CONF_TOP] = {.name = "",
                      .offset = 0,
                      .size = sizeof(struct tkt_conf),
                      .rows = top_rows,
                      .row_count = TKT_ARRAY_LEN(top_rows),
                      .help = "Settings of ticketd and of all."},
    ONE(MILTER, milter, milter, "The Postfix and Sendmail hook."),
    ONE(PARSER, parser, parser, "The sandboxed readers of messages."),
    ONE(LIMITS, limits, limits, "What the outside controls, and how far."),
    ONE(STORE, store, store, "Where tickets are kept."),
    ONE(TOKEN, token, token, "Signed thread tokens."),
    ONE(ACCESS, access, access, "Who may use the sockets."),
    ONE(REDACT, redact, redact, "What is removed from texts that leave this host."),
    [TKT_CONF_LLM] = {.name = "llm",
                      .offset = offsetof(struct tkt_conf, llm),
                      .size = MEMBER_SIZE(struct tkt_conf, llm),
                      .rows = tkt_conf_llm_rows,
                      .row_count = TKT_CONF_LLM_ROWS,
                      .help = "A language model that is asked where rules and the "
                              "learned model are not sure."},
    [TKT_CONF_WEBHOOK] = {.name = "webhook",
                          .offset = offsetof(struct tkt_conf, webhook),
                          .size = MEMBER_SIZE(struct tkt_conf, webhook),
                          .rows = tkt_conf_webhook_rows,
                          .row_count = TKT_CONF_WEBHOOK_ROWS,
                          .help = "Where ITSMs may tell that something changed."},
    [TKT_CONF_PEOPLE] = {.name = "people",
                         .offset = offsetof(struct tkt_conf, people),
                         .size = MEMBER_SIZE(struct tkt_conf, people),
                         .rows = tkt_conf_people_rows,
                         .row_count = TKT_CONF_PEOPLE_ROWS,
                         .help = "What is kept of senders whom a directory knows."},
    [TKT_CONF_DIRECTORY] = {.name = "directory",
                            .titled = true,
                            .offset = offsetof(struct tkt_conf, directories),
                            .count_offset = offsetof(struct tkt_conf, directory_count),
                            .size = sizeof(struct tkt_conf_directory),
                            .rows = tkt_conf_directory_rows,
                            .row_count = TKT_CONF_DIRECTORY_ROWS,
                            .help = "Who the sender is: asked in the order of the "
                                    "file, in the background."},
    APART(CALENDAR, calendar, "Working hours; for groups and agents.", NULL),
    APART(AGENT, agent,
          "One who works on tickets; the title is the address. Only needed for what "
          "differs from the defaults.",
          tkt_conf_is_mailbox),
    APART(GROUP, group, "People who work on tickets.", NULL),
    [TKT_CONF_ITSM] = {.name = "itsm",
                       .titled = true,
                       .offset = offsetof(struct tkt_conf, itsms),
                       .count_offset = offsetof(struct tkt_conf, itsm_count),
                       .size = sizeof(struct tkt_conf_itsm),
                       .rows = tkt_conf_itsm_rows,
                       .row_count = TKT_CONF_ITSM_ROWS,
                       .help = "A service that holds tickets; local is there without "
                               "being written."},
    MANY(DESK, desk, "A support address with its settings."),
    [TKT_CONF_PRIORITY] = {.name = "priority",
                           .offset = offsetof(struct tkt_conf, priority),
                           .size = MEMBER_SIZE(struct tkt_conf, priority),
                           .rows = tkt_conf_priority_rows,
                           .row_count = TKT_CONF_PRIORITY_ROWS,
                           .policy = true,
                           .help = "How urgency and impact become a priority."},
    [TKT_CONF_MODEL] = {.name = "model",
                        .offset = offsetof(struct tkt_conf, model),
                        .size = MEMBER_SIZE(struct tkt_conf, model),
                        .rows = tkt_conf_model_rows,
                        .row_count = TKT_CONF_MODEL_ROWS,
                        .policy = true,
                        .help = "What is learned from past tickets."},
    MANY_AS(RULES, rules, rule_set, rule_sets, rule_set_count,
            "A set of rules that are tried one after the other.", .policy = true),
    MANY_AS(RULE, rule, rule, rules, rule_count, "What mail of a kind becomes.",
            .policy = true, .sparse = true),
    MANY_AS(EXTRACT, extract, extract, extracts, extract_count,
            "A field that is read out of the text.", .policy = true, .sparse = true),
    MANY_AS(REQUIRE, require, require, requires, require_count,
            "A field that a ticket must have; the title is its name.", .policy = true,
            .sparse = true),
    [TKT_CONF_CORRELATE] = {.name = "correlate",
                            .titled = true,
                            .offset = offsetof(struct tkt_conf, correlates),
                            .count_offset = offsetof(struct tkt_conf, correlate_count),
                            .size = sizeof(struct tkt_conf_correlate),
                            .rows = tkt_conf_correlate_rows,
                            .row_count = TKT_CONF_CORRELATE_ROWS,
                            .policy = true,
                            .help = "Which mails are one alarm and join one ticket."},
    APART(SLA, sla, "How long tickets may take.", NULL),
    APART(ESCALATION, escalation, "A chain of steps for tickets on which nobody acts.",
          NULL),
    APART(STEP, step, "What is done after a time on which nobody acted.", NULL),
    [TKT_CONF_METRICS] = {.name = "metrics",
                          .offset = offsetof(struct tkt_conf, metrics),
                          .size = sizeof(struct tkt_conf_metrics),
                          .rows = metrics_rows,
                          .row_count = TKT_ARRAY_LEN(metrics_rows),
                          .help = "Numbers for Prometheus, and whether all is well."},
    [TKT_CONF_CHANNEL] = {.name = "channel",
                          .titled = true,
                          .offset = offsetof(struct tkt_conf, channels),
                          .count_offset = offsetof(struct tkt_conf, channel_count),
                          .size = sizeof(struct tkt_conf_channel),
                          .rows = tkt_conf_channel_rows,
                          .row_count = TKT_CONF_CHANNEL_ROWS,
                          .help =
                              "Ways to tell people. docs/notifications.md has what each "
                              "type needs."},
    APART(SINK, sink, "Where the event log goes besides the store. docs/metrics.md.",
          tkt_conf_is_sink_title),
    APART(NOTIFY, notify,
          "Who is told of what by which channel. Without such a section nobody is.",
          NULL),
};

const char *tkt_conf_type_name(enum tkt_conf_type type)
{
    static const char *const names[] = {
        [TKT_CONF_BOOL] = "bool", [TKT_CONF_INT] = "int",       [TKT_CONF_SIZE] = "size",
        [TKT_CONF_TIME] = "time", [TKT_CONF_STRING] = "string", [TKT_CONF_ENUM] = "enum",
        [TKT_CONF_LIST] = "list", [TKT_CONF_OCTAL] = "octal"};

    return names[type];
}

const struct tkt_conf_section *tkt_conf_section_find(const char *name)
{
    for (size_t i = 0; i < TKT_CONF_SECTIONS; i++) {
        if (i != TKT_CONF_TOP && strcmp(tkt_conf_sections[i].name, name) == 0) {
            return &tkt_conf_sections[i];
        }
    }
    return NULL;
}

const struct tkt_conf_row *tkt_conf_row_find(const struct tkt_conf_section *section,
                                             const char *key)
{
    for (size_t i = 0; i < section->row_count; i++) {
        if (strcmp(section->rows[i].key, key) == 0) {
            return &section->rows[i];
        }
    }
    return NULL;
}
