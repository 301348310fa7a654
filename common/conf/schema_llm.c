/* SPDX-License-Identifier: BSD-2-Clause
 * Rows of the section llm.
 */
#include "conf/rows.h"
#include "conf/text.h"

static const struct tkt_conf_word when_words[] = {{"off", TKT_LLM_OFF},
                                                  {"rule", TKT_LLM_RULE},
                                                  {"unsure", TKT_LLM_UNSURE},
                                                  {"always", TKT_LLM_ALWAYS},
                                                  {NULL, 0}};
static const struct tkt_conf_word format_words[] = {{"json_schema", TKT_LLM_JSON_SCHEMA},
                                                    {"json_object", TKT_LLM_JSON_OBJECT},
                                                    {"none", TKT_LLM_FORMAT_NONE},
                                                    {NULL, 0}};
static const struct tkt_conf_word auth_words[] = {
    {"bearer", TKT_LLM_BEARER}, {"api-key", TKT_LLM_API_KEY}, {NULL, 0}};
static const struct tkt_conf_word limit_words[] = {
    {"max_completion_tokens", 0}, {"max_tokens", 0}, {NULL, 0}};

const struct tkt_conf_row tkt_conf_llm_rows[TKT_CONF_LLM_ROWS] = {
    {STRING_ROW(tkt_conf_llm, url, "url", ""), .max = 2048, .reload = true,
     .check = tkt_conf_is_url_or_empty,
     .help = "Base of an OpenAI-compatible service, such as https://api.openai.com/v1 or "
             "http://127.0.0.1:11434/v1, or its whole address with /chat/completions; "
             "empty: none is asked."},
    {STRING_ROW(tkt_conf_llm, key, "key", ""), .max = 1024, .reload = true,
     .secret = true, .check = tkt_conf_is_secret_ref_or_empty,
     .help = "Reference to the service's key; empty: none is sent."},
    {ENUM_ROW(tkt_conf_llm, auth, "auth", "bearer", auth_words), .reload = true,
     .help = "How the key is sent: bearer as Authorization, api-key in a field of that "
             "name (Azure)."},
    {STRING_ROW(tkt_conf_llm, model, "model", ""), .max = 128, .reload = true,
     .help = "Name of the model at the service."},
    {ENUM_ROW(tkt_conf_llm, when, "when", "unsure", when_words), .reload = true,
     .help = "When it is asked: unsure: where the learned model is below its threshold "
             "and nothing else named a category, or a rule says ask_llm; rule: only the "
             "latter; always: of each new ticket that has no category; off: never."},
    {LIST_ROW(tkt_conf_llm, categories, "categories", "", 0, 200), .reload = true,
     .help =
         "Categories it may choose from, each a label, or \"label: what belongs to "
         "it\". Other answers are dropped. Empty: those that the learned model knows; "
         "without one it is asked for the urgency and a summary alone."},
    {BOOL_ROW(tkt_conf_llm, summary, "summary", "yes"), .reload = true,
     .help = "A summary in one sentence, kept as an internal comment that says that a "
             "machine wrote it."},
    {TIME_ROW(tkt_conf_llm, wait_ms, "wait", "1m", SECOND, HOUR), .reload = true,
     .help = "How long the create of a ticket waits for it at most; then the decision "
             "stays as it was."},
    {TIME_ROW(tkt_conf_llm, timeout_ms, "timeout", "30s", 100, 10 * MINUTE),
     .reload = true, .help = "Time for one answer."},
    {INT_ROW(tkt_conf_llm, at_once, "at_once", "2", 1, 64), .reload = true,
     .help = "Requests under way at once."},
    {INT_ROW(tkt_conf_llm, calls_per_hour, "calls_per_hour", "300", 0, 1000000),
     .reload = true, .help = "Requests an hour; 0: no limit."},
    {INT_ROW(tkt_conf_llm, tokens_per_hour, "tokens_per_hour", "500000", 0, 1000000000),
     .reload = true, .help = "Tokens an hour, as the service counts them; 0: no limit."},
    {SIZE_ROW(tkt_conf_llm, text_max, "text_max", "8k", 200, 256 * KIB), .reload = true,
     .help = "Bytes of a mail's text that are sent; of a longer one its beginning and a "
             "little of its end."},
    {INT_ROW(tkt_conf_llm, answer_tokens, "answer_tokens", "400", 16, 100000),
     .reload = true,
     .help = "Tokens an answer may have; models that reason need more for that."},
    {STRING_ROW(tkt_conf_llm, answer_limit, "answer_limit", "max_completion_tokens"),
     .words = limit_words, .reload = true,
     .help =
         "Name of that limit: max_completion_tokens, or max_tokens for older and most "
         "local servers."},
    {ENUM_ROW(tkt_conf_llm, format, "format", "json_schema", format_words),
     .reload = true,
     .help = "How the form of the answer is asked for: json_schema; json_object for "
             "servers without it; none for those without either."},
    {TIME_ROW(tkt_conf_llm, cache_ms, "cache", "30d", 0, 365 * DAY), .reload = true,
     .help = "How long an answer to the same words is used again; 0: never."},
    {INT_ROW(tkt_conf_llm, cache_max, "cache_max", "10000", 1, 1000000), .reload = true,
     .help = "Answers that are kept; the oldest go first."},
    {BOOL_ROW(tkt_conf_llm, is_inline, "inline", "no"), .reload = true,
     .help = "It is asked while the SMTP client waits, for inline_deadline at most; "
             "without an answer by then all goes on as without it."},
    {TIME_ROW(tkt_conf_llm, inline_ms, "inline_deadline", "1500ms", 50, 2 * SECOND),
     .reload = true, .help = "How long the SMTP client may wait for that."},
    {STRING_ROW(tkt_conf_llm, ca_file, "ca_file", ""), .max = 1024, .reload = true,
     .check = tkt_conf_is_path_or_empty,
     .help = "Certificates (PEM) that sign the service's; empty: those of the system."},
    {STRING_ROW(tkt_conf_llm, proxy, "proxy", ""), .max = 1024, .reload = true,
     .check = tkt_conf_is_proxy,
     .help = "http://host:port of a proxy; empty: none, whatever the environment says."},
    {BOOL_ROW(tkt_conf_llm, allow_plain, "allow_plain", "no"), .reload = true,
     .help = "http to another host than this one: mail text and key go in the clear."},
};
