/* SPDX-License-Identifier: BSD-2-Clause
 * Rows of the sections itsm and webhook.
 */
#include "conf/rows.h"
#include "conf/text.h"

/* The types of common/itsm/itsm.c. */
static const struct tkt_conf_word type_words[] = {
    {"local", 0},      {"rt", 0},     {"redmine", 0},    {"webhook", 0},
    {"servicenow", 0}, {"glpi", 0},   {"salesforce", 0}, {"zendesk", 0},
    {"znuny", 0},      {"github", 0}, {"gitlab", 0},     {"freshservice", 0},
    {"freshdesk", 0},  {"jira", 0},   {"jsm", 0},        {"exec", 0},
    {NULL, 0}};
static const struct tkt_conf_word auth_words[] = {
    {"default", TKT_CONF_AUTH_DEFAULT},
    {"none", TKT_CONF_AUTH_NONE},
    {"basic", TKT_CONF_AUTH_BASIC},
    {"bearer", TKT_CONF_AUTH_BEARER},
    {"header", TKT_CONF_AUTH_HEADER},
    {"oauth_client", TKT_CONF_AUTH_OAUTH_CLIENT},
    {"oauth_password", TKT_CONF_AUTH_OAUTH_PASSWORD},
    {"oauth_jwt", TKT_CONF_AUTH_OAUTH_JWT},
    {"oauth_refresh", TKT_CONF_AUTH_OAUTH_REFRESH},
    {NULL, 0}};
static const struct tkt_conf_word requester_words[] = {
    {"lookup", TKT_CONF_REQUESTER_LOOKUP},
    {"create", TKT_CONF_REQUESTER_CREATE},
    {"text", TKT_CONF_REQUESTER_TEXT},
    {NULL, 0}};
static const struct tkt_conf_word hook_words[] = {{"default", TKT_CONF_HOOK_DEFAULT},
                                                  {"standard", TKT_CONF_HOOK_STANDARD},
                                                  {"github", TKT_CONF_HOOK_GITHUB},
                                                  {"gitlab", TKT_CONF_HOOK_GITLAB},
                                                  {"jira", TKT_CONF_HOOK_JIRA},
                                                  {"zendesk", TKT_CONF_HOOK_ZENDESK},
                                                  {"redmine", TKT_CONF_HOOK_REDMINE},
                                                  {"header", TKT_CONF_HOOK_HEADER},
                                                  {NULL, 0}};

static const struct tkt_conf_word merged_words[] = {{"close", TKT_CONF_MERGED_CLOSE},
                                                    {"comment", TKT_CONF_MERGED_COMMENT},
                                                    {"nothing", TKT_CONF_MERGED_NOTHING},
                                                    {NULL, 0}};

const struct tkt_conf_row tkt_conf_itsm_rows[TKT_CONF_ITSM_ROWS] = {
    {STRING_ROW(tkt_conf_itsm, type, "type", "local"), .words = type_words,
     .reload = true,
     .help = "What it is; local is the embedded desk: the ticket stays in the store."},
    {STRING_ROW(tkt_conf_itsm, url, "url", ""), .max = 1024, .reload = true,
     .help = "Where it is, https://host/path; http only to this host."},
    {ENUM_ROW(tkt_conf_itsm, auth, "auth", "default", auth_words), .reload = true,
     .help = "How the secret goes along; default: as the type does it."},
    {STRING_ROW(tkt_conf_itsm, user, "user", ""), .max = 256, .reload = true,
     .help = "Log-in name, for auth = basic and oauth_password; for oauth_jwt the "
             "subject, whom "
             "the token is for."},
    {STRING_ROW(tkt_conf_itsm, secret, "secret", ""), .max = 1024, .reload = true,
     .secret = true, .check = tkt_conf_is_secret_ref_or_empty,
     .help = "Secret reference of the password, the API key or the token; for oauth_jwt "
             "of the "
             "private key (PEM, RSA or P-256), for oauth_refresh of the first refresh "
             "token."},
    {STRING_ROW(tkt_conf_itsm, token_url, "token_url", ""), .max = 1024, .reload = true,
     .help = "Where OAuth tokens come from, for each auth = oauth_..."},
    {STRING_ROW(tkt_conf_itsm, client_id, "client_id", ""), .max = 512, .reload = true,
     .help = "Who asks for OAuth tokens; for oauth_jwt also the issuer."},
    {STRING_ROW(tkt_conf_itsm, client_secret, "client_secret", ""), .max = 1024,
     .reload = true, .secret = true, .check = tkt_conf_is_secret_ref_or_empty,
     .help = "Secret reference of the OAuth client's secret."},
    {STRING_ROW(tkt_conf_itsm, scope, "scope", ""), .max = 1024, .reload = true,
     .help = "What OAuth tokens are asked for; empty: as the server does it."},
    {STRING_ROW(tkt_conf_itsm, audience, "audience", ""), .max = 1024, .reload = true,
     .help = "For oauth_jwt, whom the assertion is for; empty: token_url."},
    {STRING_ROW(tkt_conf_itsm, key_id, "key_id", ""), .max = 256, .reload = true,
     .help = "For oauth_jwt, what the server calls the key (kid); empty: not said."},
    {STRING_ROW(tkt_conf_itsm, project, "project", ""), .max = 256, .reload = true,
     .help = "Where tickets go: the queue, the project, the repository."},
    {LIST_ROW(tkt_conf_itsm, types, "types", "", 0, 16), .reload = true,
     .check = tkt_conf_is_assignment,
     .help = "\"incident=Bug\": ticket types as it calls them."},
    {LIST_ROW(tkt_conf_itsm, groups, "groups", "", 0, 1000), .reload = true,
     .check = tkt_conf_is_assignment,
     .help = "\"it-network=Network Team\": groups as it calls them."},
    {LIST_ROW(tkt_conf_itsm, priorities, "priorities", "", 0, 16), .reload = true,
     .check = tkt_conf_is_assignment,
     .help = "\"1=Critical\": priorities as it calls them."},
    {LIST_ROW(tkt_conf_itsm, states, "states", "", 0, 32), .reload = true,
     .check = tkt_conf_is_assignment,
     .help =
         "\"resolved=Done\": states as it calls them; the first of a state is the one "
         "that is set, all are understood."},
    {LIST_ROW(tkt_conf_itsm, assignees, "assignees", "", 0, 1000), .reload = true,
     .check = tkt_conf_is_assignment,
     .help = "\"anna@example.org=anna\": agents as it calls them, to understand whom it "
             "gave a ticket."},
    {LIST_ROW(tkt_conf_itsm, fields, "fields", "", 0, 128), .reload = true,
     .check = tkt_conf_is_assignment,
     .help = "\"u_site={{fields.site}}\": its fields, by templates over the ticket."},
    {LIST_ROW(tkt_conf_itsm, options, "options", "", 0, 64), .reload = true,
     .check = tkt_conf_is_assignment,
     .help = "\"name=value\": what only this type knows."},
    {ENUM_ROW(tkt_conf_itsm, requester, "requester", "lookup", requester_words),
     .reload = true,
     .help = "lookup: the user with the sender's address, else the address in the text; "
             "create: one is made if there is none; text: the address in the text."},
    {ENUM_ROW(tkt_conf_itsm, merged, "merged", "close", merged_words), .reload = true,
     .help = "What becomes of a ticket that was merged into another one here. close: a "
             "comment names the other one, and it gets the state of merged tickets; "
             "comment: only that; nothing: it is left alone."},
    {LIST_ROW(tkt_conf_itsm, tags, "tags", "", 0, 16), .reload = true,
     .help =
         "\"RT.EXAMPLE.ORG#{number}\": how its numbers stand in Subjects, without "
         "brackets and blanks; mail of a participant that names one joins its ticket. "
         "Empty: as the type is known for."},
    {BOOL_ROW(tkt_conf_itsm, attachments, "attachments", "yes"), .reload = true,
     .help = "Files of the mail are sent along."},
    {SIZE_ROW(tkt_conf_itsm, attachment_max, "attachment_max", "25M", 0, GIB),
     .reload = true, .help = "Larger files stay here, and a comment names them."},
    {TIME_ROW(tkt_conf_itsm, timeout_ms, "timeout", "30s", SECOND, 10 * MINUTE),
     .reload = true, .help = "For each answer; of an upload, for each piece of it."},
    {INT_ROW(tkt_conf_itsm, concurrency, "concurrency", "4", 1, 64), .reload = true,
     .help = "Requests under way at once."},
    {INT_ROW(tkt_conf_itsm, rate, "rate", "0", 0, 1000000), .reload = true,
     .help = "Operations an hour; 0: as fast as it takes them."},
    {TIME_ROW(tkt_conf_itsm, park_after_ms, "park_after", "3d", MINUTE, 365 * DAY),
     .reload = true, .help = "A job that fails for so long waits for a person."},
    {TIME_ROW(tkt_conf_itsm, search_lag_ms, "search_lag", "0", 0, HOUR), .reload = true,
     .help =
         "How long its search may miss a new ticket; 0: as the type is known for, and at "
         "least timeout."},
    {TIME_ROW(tkt_conf_itsm, poll_ms, "poll", "5m", 0, DAY), .reload = true,
     .help = "How often it is asked what changed there; 0: never."},
    {BOOL_ROW(tkt_conf_itsm, internal_comments, "internal_comments", "no"),
     .reload = true,
     .help = "Comments that its customers do not see come here, too, as internal ones."},
    {STRING_ROW(tkt_conf_itsm, hook_secret, "hook_secret", ""), .max = 1024,
     .reload = true, .secret = true, .check = tkt_conf_is_secret_ref_or_empty,
     .help = "Secret reference of what signs its calls to /hook/NAME; empty: it may not "
             "call."},
    {ENUM_ROW(tkt_conf_itsm, hook, "hook", "default", hook_words), .reload = true,
     .help = "How its calls are signed; default: as the type does it."},
    {STRING_ROW(tkt_conf_itsm, hook_header, "hook_header", "X-Hook-Secret"), .max = 64,
     .reload = true, .help = "The field that holds the secret, for hook = header."},
    {STRING_ROW(tkt_conf_itsm, hook_key, "hook_key", ""), .max = 512, .reload = true,
     .help =
         "Where its key for the ticket stands in a call: JSON pointers, the first that "
         "is there counts; empty: as the type does it."},
    {STRING_ROW(tkt_conf_itsm, ca_file, "ca_file", ""), .max = 1024, .reload = true,
     .check = tkt_conf_is_path_or_empty,
     .help = "Certificates (PEM) that sign the server's; empty: those of the system."},
    {STRING_ROW(tkt_conf_itsm, cert_file, "cert_file", ""), .max = 1024, .reload = true,
     .check = tkt_conf_is_path_or_empty, .help = "Our own certificate (PEM)."},
    {STRING_ROW(tkt_conf_itsm, key_file, "key_file", ""), .max = 1024, .reload = true,
     .check = tkt_conf_is_path_or_empty, .help = "Its key (PEM)."},
    {STRING_ROW(tkt_conf_itsm, proxy, "proxy", ""), .max = 1024, .reload = true,
     .check = tkt_conf_is_proxy,
     .help = "http://host:port; the environment is not asked."},
    {BOOL_ROW(tkt_conf_itsm, allow_plain, "allow_plain", "no"), .reload = true,
     .help = "http to another host: whoever listens there reads secrets and tickets."},
};

const struct tkt_conf_row tkt_conf_webhook_rows[TKT_CONF_WEBHOOK_ROWS] = {
    {STRING_ROW(tkt_conf_webhook, listen, "listen", ""), .max = 64,
     .help = "Address and port, such as 127.0.0.1:8025 or [::1]:8025, for calls to "
             "/hook/NAME of an itsm, /status/NAME of a channel and the page that opts "
             "out; a proxy in front of it speaks TLS. Empty: nobody listens."},
    {STRING_ROW(tkt_conf_webhook, public_url, "public_url", ""), .max = 512,
     .check = tkt_conf_is_public_url_or_empty, .reload = true,
     .help = "How others reach listen through the proxy, such as "
             "https://notices.example.org: the page that opts out and what channels tell "
             "of notices stand below it. Empty: there is neither."},
    {SIZE_ROW(tkt_conf_webhook, body_max, "body_max", "1M", KIB, 16 * MIB),
     .reload = true, .help = "The longest call."},
    {INT_ROW(tkt_conf_webhook, connections, "connections", "64", 1, 1024),
     .help = "Open at once."},
    {LIST_ROW(tkt_conf_webhook, trusted_proxies, "trusted_proxies", "", 0, 64),
     .reload = true, .check = tkt_conf_is_network,
     .help =
         "Networks of proxies in front of listen, such as 127.0.0.1: who they name last "
         "in X-Forwarded-For calls, and per_peer and rate are that one's. Each must add "
         "the address of its own peer there. The field of others does not count."},
    {INT_ROW(tkt_conf_webhook, per_peer, "per_peer", "16", 1, 1024), .reload = true,
     .help = "Open at once from one address (of IPv6: from one /64, the least that a "
             "customer has); a proxy that is not trusted is one."},
    {INT_ROW(tkt_conf_webhook, rate, "rate", "20000", 1, 10000000), .reload = true,
     .help = "Calls an hour from one address (of IPv6: from one /64)."},
    {TIME_ROW(tkt_conf_webhook, timeout_ms, "timeout", "10s", SECOND, 5 * MINUTE),
     .help = "The whole life of a connection."},
    {TIME_ROW(tkt_conf_webhook, window_ms, "window", "5m", SECOND, HOUR), .reload = true,
     .help = "How far a signed time may be from ours."},
};
