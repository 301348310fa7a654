/* SPDX-License-Identifier: BSD-2-Clause
 * Rows of the section sink.
 */
#include "conf/rows.h"
#include "conf/text.h"

/* The types of common/sink/sink.c. */
static const struct tkt_conf_word type_words[] = {
    {"splunk", 0}, {"elasticsearch", 0}, {NULL, 0}};

const struct tkt_conf_row tkt_conf_sink_rows[TKT_CONF_SINK_ROWS] = {
    {STRING_ROW(tkt_conf_sink, type, "type", "splunk"), .words = type_words,
     .reload = true, .help = "splunk is the HTTP event collector."},
    {STRING_ROW(tkt_conf_sink, url, "url", ""), .max = 1024, .reload = true,
     .help = "https://host:port, what stands before /services/collector or /_bulk; http "
             "only to this host. Empty: nothing is sent."},
    {STRING_ROW(tkt_conf_sink, user, "user", ""), .max = 256, .reload = true,
     .help = "Elasticsearch: log-in name whose password the secret is; empty: the secret "
             "is an API key."},
    {STRING_ROW(tkt_conf_sink, secret, "secret", ""), .max = 1024, .secret = true,
     .check = tkt_conf_is_secret_ref_or_empty, .reload = true,
     .help = "Secret reference of the token, the API key or the password."},
    {STRING_ROW(tkt_conf_sink, index, "index", ""), .max = 255, .reload = true,
     .help = "Index or data stream; empty: the token's of Splunk, "
             "logs-ticket_milter-default of Elasticsearch."},
    {BOOL_ROW(tkt_conf_sink, personal, "personal", "no"), .reload = true,
     .help = "Addresses, subjects and texts go along."},
    {BOOL_ROW(tkt_conf_sink, history, "history", "no"), .reload = true,
     .help = "It gets all events there are when it is new, else those from then on."},
    {INT_ROW(tkt_conf_sink, batch, "batch", "500", 1, 5000), .reload = true,
     .help = "Events of a request."},
    {SIZE_ROW(tkt_conf_sink, batch_bytes, "batch_bytes", "1M", 16 * KIB, 16 * MIB),
     .reload = true, .help = "Bytes of a request; a larger event goes alone."},
    {TIME_ROW(tkt_conf_sink, linger_ms, "linger", "2s", 0, 5 * MINUTE), .reload = true,
     .help = "How long an event waits for others to go with."},
    {TIME_ROW(tkt_conf_sink, timeout_ms, "timeout", "30s", SECOND, 10 * MINUTE),
     .reload = true, .help = "For each answer."},
    {STRING_ROW(tkt_conf_sink, ca_file, "ca_file", ""), .max = 1024,
     .check = tkt_conf_is_path_or_empty, .reload = true,
     .help = "Certificates (PEM) that sign the server's; empty: those of the system."},
    {STRING_ROW(tkt_conf_sink, cert_file, "cert_file", ""), .max = 1024,
     .check = tkt_conf_is_path_or_empty, .reload = true,
     .help = "Our own certificate (PEM)."},
    {STRING_ROW(tkt_conf_sink, key_file, "key_file", ""), .max = 1024,
     .check = tkt_conf_is_path_or_empty, .reload = true, .help = "Its key (PEM)."},
    {STRING_ROW(tkt_conf_sink, proxy, "proxy", ""), .max = 1024, .reload = true,
     .help = "http://host:port; the environment is not asked."},
    {BOOL_ROW(tkt_conf_sink, allow_plain, "allow_plain", "no"), .reload = true,
     .help = "http to another host: whoever listens there reads the secret and events."},
};
