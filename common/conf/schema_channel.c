/* SPDX-License-Identifier: BSD-2-Clause
 * Rows of the section channel.
 */
#include "conf/rows.h"
#include "conf/text.h"

/* The types of common/notify/notify.c. */
static const struct tkt_conf_word type_words[] = {
    {"mail", 0},  {"sendgrid", 0}, {"twilio", 0},    {"whatsapp", 0}, {"slack", 0},
    {"teams", 0}, {"webhook", 0},  {"pagerduty", 0}, {"exec", 0},     {NULL, 0}};
static const struct tkt_conf_word auth_words[] = {
    {"default", TKT_CONF_AUTH_DEFAULT},
    {"none", TKT_CONF_AUTH_NONE},
    {"basic", TKT_CONF_AUTH_BASIC},
    {"bearer", TKT_CONF_AUTH_BEARER},
    {"header", TKT_CONF_AUTH_HEADER},
    {"oauth_client", TKT_CONF_AUTH_OAUTH_CLIENT},
    {"oauth_password", TKT_CONF_AUTH_OAUTH_PASSWORD},
    {NULL, 0}};

const struct tkt_conf_row tkt_conf_channel_rows[TKT_CONF_CHANNEL_ROWS] = {
    {STRING_ROW(tkt_conf_channel, type, "type", "mail"), .words = type_words,
     .reload = true, .help = "What it is; docs/notifications.md has what each needs."},
    {STRING_ROW(tkt_conf_channel, url, "url", ""), .max = 1024, .reload = true,
     .help = "Where it is: smtp://host:port or smtps://host of type mail, "
             "https://host/path of the others; empty where the vendor has one address, "
             "and for mail by the sendmail program."},
    {ENUM_ROW(tkt_conf_channel, auth, "auth", "default", auth_words), .reload = true,
     .help = "How the secret goes along; default: as the type does it."},
    {STRING_ROW(tkt_conf_channel, user, "user", ""), .max = 256, .reload = true,
     .help = "Log-in name, account, phone number id: as the type says."},
    {STRING_ROW(tkt_conf_channel, secret, "secret", ""), .max = 1024, .secret = true,
     .check = tkt_conf_is_secret_ref_or_empty, .reload = true,
     .help = "Secret reference of the password, the key, the token, the address of a "
             "webhook."},
    {STRING_ROW(tkt_conf_channel, token_url, "token_url", ""), .max = 1024,
     .reload = true,
     .help = "Where OAuth tokens come from, for auth = oauth_client and oauth_password."},
    {STRING_ROW(tkt_conf_channel, client_id, "client_id", ""), .max = 512, .reload = true,
     .help = "Who asks for OAuth tokens."},
    {STRING_ROW(tkt_conf_channel, client_secret, "client_secret", ""), .max = 1024,
     .secret = true, .check = tkt_conf_is_secret_ref_or_empty, .reload = true,
     .help = "Secret reference of the OAuth client's secret."},
    {STRING_ROW(tkt_conf_channel, scope, "scope", ""), .max = 1024, .reload = true,
     .help = "What OAuth tokens are asked for; empty: as the server does it."},
    {STRING_ROW(tkt_conf_channel, hook_secret, "hook_secret", ""), .max = 1024,
     .secret = true, .check = tkt_conf_is_secret_ref_or_empty, .reload = true,
     .help = "Secret reference of what signs its calls to /status/NAME, which tell what "
             "became of notices: as the type says. Empty: it may not call us, but for "
             "twilio, whose secret signs them."},
    {STRING_ROW(tkt_conf_channel, hook_token, "hook_token", ""), .max = 1024,
     .secret = true, .check = tkt_conf_is_secret_ref_or_empty, .reload = true,
     .help = "Secret reference of the word by which whatsapp asks whether this is the "
             "right receiver."},
    {STRING_ROW(tkt_conf_channel, from, "from", ""), .max = 320, .reload = true,
     .help = "Who sends: a number, an address; empty for mail: the address of the desk."},
    {STRING_ROW(tkt_conf_channel, to, "to", ""), .max = 320, .reload = true,
     .help = "The room or number when a subscription names none."},
    {LIST_ROW(tkt_conf_channel, options, "options", "", 0, 64),
     .check = tkt_conf_is_assignment, .reload = true,
     .help = "\"name=value\": what only this type knows."},
    {TIME_ROW(tkt_conf_channel, timeout_ms, "timeout", "30s", SECOND, 10 * MINUTE),
     .reload = true, .help = "For each answer."},
    {INT_ROW(tkt_conf_channel, concurrency, "concurrency", "4", 1, 64), .reload = true,
     .help = "Notices under way at once."},
    {INT_ROW(tkt_conf_channel, rate, "rate", "0", 0, 1000000), .reload = true,
     .help = "Notices an hour; more wait. 0: as fast as it takes them."},
    {TIME_ROW(tkt_conf_channel, park_after_ms, "park_after", "1d", MINUTE, 30 * DAY),
     .reload = true, .help = "A notice that fails for so long waits for a person."},
    {STRING_ROW(tkt_conf_channel, ca_file, "ca_file", ""), .max = 1024,
     .check = tkt_conf_is_path_or_empty, .reload = true,
     .help = "Certificates (PEM) that sign the server's; empty: those of the system."},
    {STRING_ROW(tkt_conf_channel, cert_file, "cert_file", ""), .max = 1024,
     .check = tkt_conf_is_path_or_empty, .reload = true,
     .help = "Our own certificate (PEM)."},
    {STRING_ROW(tkt_conf_channel, key_file, "key_file", ""), .max = 1024,
     .check = tkt_conf_is_path_or_empty, .reload = true, .help = "Its key (PEM)."},
    {STRING_ROW(tkt_conf_channel, proxy, "proxy", ""), .max = 1024, .reload = true,
     .check = tkt_conf_is_proxy,
     .help = "http://host:port; the environment is not asked."},
    {BOOL_ROW(tkt_conf_channel, allow_plain, "allow_plain", "no"), .reload = true,
     .help =
         "Without TLS to another host: whoever listens there reads secrets and notices."},
};
