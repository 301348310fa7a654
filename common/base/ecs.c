/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/ecs.h"

#include "base/clock.h"
#include "base/enc.h"
#include "base/util.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define OBJECT_MAX 128
#define MASKED_MAX (64 * 1024)

enum kind {
    PLAIN,
    PERSONAL,
    LOCAL_ID,
    ERROR,
    STATUS,
    MS,
    US
};

/* What is not here is "ticket_milter." and its key. */
static const struct {
    const char *key;
    enum kind kind;
    const char *name; /* NULL: as those that are not here */
} names[] = {{"address", PERSONAL, NULL},
             {"author", PERSONAL, NULL},
             {"error", ERROR, NULL},
             {"from", PERSONAL, "email.from.address"},
             {"message_id", PLAIN, "email.message_id"},
             {"ms", MS, NULL},
             {"pid", PLAIN, NULL},
             {"queue_id", LOCAL_ID, NULL},
             {"rcpt", PERSONAL, "email.to.address"},
             {"recipient", PERSONAL, "email.to.address"},
             {"requester", PERSONAL, NULL},
             {"sender", PERSONAL, "email.sender.address"},
             {"size", PLAIN, NULL},
             {"status", STATUS, NULL},
             {"subject", PERSONAL, "email.subject"},
             {"to", PERSONAL, "email.to.address"},
             {"took_ms", MS, NULL},
             {"took_us", US, NULL},
             {"uid", PLAIN, "user.id"}};

/* ---- addresses within text ------------------------------------------------------------ */

static bool ends_word(char c)
{
    return (unsigned char)c <= 0x20 || strchr("<>()[]{}\",;:'=|", c) != NULL;
}

static void add_masked(struct tkt_buf *out, const char *text, size_t n)
{
    for (size_t i = 0; i < n;) {
        size_t end = i;

        while (end < n && !ends_word(text[end])) {
            end++;
        }
        if (memchr(text + i, '@', end - i) != NULL) {
            (void)tkt_buf_adds(out, "[address]"); /* out.failed tells */
        } else {
            (void)tkt_buf_add(out, text + i, end - i);
        }
        if (end < n) {
            (void)tkt_buf_addc(out, text[end++]);
        }
        i = end;
    }
}

static void add_value(struct tkt_ecs *e, const char *value, size_t n)
{
    if (e->personal || memchr(value, '@', n) == NULL) {
        (void)tkt_json_add_string(e->out, value, n);
        return;
    }
    TKT_AUTO_BUF struct tkt_buf masked = TKT_BUF_INIT(MASKED_MAX);

    add_masked(&masked, value, n);
    (void)tkt_json_add_string(e->out, tkt_buf_str(&masked), masked.len);
}

/* ---- fields --------------------------------------------------------------------------- */

void tkt_ecs_text(struct tkt_ecs *e, const char *name, const char *value, size_t n)
{
    (void)tkt_buf_addf(e->out, ",\"%s\":", name);
    add_value(e, value, n);
}

static void add_own(struct tkt_ecs *e, const char *key, const char *value, size_t n)
{
    (void)tkt_buf_addf(e->out, ",\"ticket_milter.%s\":", key);
    add_value(e, value, n);
}

const char *tkt_ecs_outcome(const char *status, size_t n)
{
    static const struct {
        const char *status, *outcome;
    } rows[] = {
        {"ok", "success"},       {"done", "success"},     {"sent", "success"},
        {"created", "success"},  {"existing", "success"}, {"appended", "success"},
        {"answered", "success"}, {"accepted", "success"}, {"failed", "failure"},
        {"refused", "failure"},  {"error", "failure"},    {"temp", "failure"},
        {"later", "failure"},    {"parked", "failure"},   {"rejected", "failure"}};

    for (size_t i = 0; i < TKT_ARRAY_LEN(rows); i++) {
        if (strlen(rows[i].status) == n && memcmp(rows[i].status, status, n) == 0) {
            return rows[i].outcome;
        }
    }
    return "unknown";
}

static void add_outcome(struct tkt_ecs *e, const char *outcome)
{
    if (!e->has_outcome) {
        (void)tkt_buf_addf(e->out, ",\"event.outcome\":\"%s\"", outcome);
        e->has_outcome = true;
    }
}

static void add_duration(struct tkt_ecs *e, const char *key, const char *value, size_t n,
                         int64_t unit_ns)
{
    char text[24];
    int64_t number = 0;

    if (e->has_duration || n >= sizeof(text)) {
        add_own(e, key, value, n);
        return;
    }
    memcpy(text, value, n);
    text[n] = '\0';
    if (tkt_parse_int(text, 0, INT64_MAX / unit_ns, &number) < 0) {
        add_own(e, key, value, n);
        return;
    }
    (void)tkt_buf_addf(e->out, ",\"event.duration\":%" PRId64, number * unit_ns);
    e->has_duration = true;
}

static void add_local_id(struct tkt_ecs *e, const char *key, const char *value, size_t n)
{
    if (e->has_local_id) {
        add_own(e, key, value, n);
        return;
    }
    e->has_local_id = true;
    tkt_ecs_text(e, "email.local_id", value, n);
}

static void add_error(struct tkt_ecs *e, const char *key, const char *value, size_t n)
{
    if (e->has_error) {
        add_own(e, key, value, n);
        return;
    }
    e->has_error = true;
    tkt_ecs_text(e, "error.message", value, n);
}

void tkt_ecs_pair(struct tkt_ecs *e, const char *key, const char *value, size_t n)
{
    enum kind kind = PLAIN;
    const char *name = NULL;

    for (size_t i = 0; i < TKT_ARRAY_LEN(names); i++) {
        if (strcmp(names[i].key, key) == 0) {
            kind = names[i].kind;
            name = names[i].name;
            break;
        }
    }
    switch (kind) {
    case LOCAL_ID:
        add_local_id(e, key, value, n);
        return;
    case ERROR:
        add_error(e, key, value, n);
        return;
    case STATUS:
        add_outcome(e, tkt_ecs_outcome(value, n));
        add_own(e, key, value, n);
        return;
    case MS:
        add_duration(e, key, value, n, 1000000);
        return;
    case US:
        add_duration(e, key, value, n, 1000);
        return;
    case PERSONAL:
        if (!e->personal) {
            return;
        }
        break;
    case PLAIN:
        break;
    }
    if (name != NULL && strcmp(name, "email.message_id") == 0) {
        (void)tkt_buf_addf(e->out, ",\"%s\":", name);
        (void)tkt_json_add_string(e->out, value, n); /* its '@' makes it no address */
    } else if (name != NULL) {
        tkt_ecs_text(e, name, value, n);
    } else {
        add_own(e, key, value, n);
    }
}

/* Objects are queue ids, tickets (IT-12) and jobs. */
static bool is_queue_id(const char *object)
{
    size_t n = strlen(object);

    for (size_t i = 0; i < n; i++) {
        char c = object[i];

        if (!((c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z'))) {
            return false;
        }
    }
    return n >= 6 && n <= 24 && strpbrk(object, "0123456789") != NULL;
}

static const char *level_word(enum tkt_log_level level)
{
    switch (level) {
    case TKT_LOG_ERROR:
        return "error";
    case TKT_LOG_WARNING:
        return "warning";
    case TKT_LOG_NOTICE:
        return "notice";
    case TKT_LOG_DEBUG:
        return "debug";
    default:
        return "info";
    }
}

void tkt_ecs_begin(struct tkt_ecs *e, const struct tkt_ecs_line *line)
{
    char now[32];

    tkt_clock_format(line->at_ms, now);
    (void)tkt_buf_addf(e->out,
                       "{\"@timestamp\":\"%s\",\"ecs.version\":\"" TKT_ECS_VERSION
                       "\",\"log.level\":\"%s\"",
                       now, level_word(line->level));
    tkt_ecs_text(e, "service.name", line->service, strlen(line->service));
    tkt_ecs_text(e, "service.version", line->version, strlen(line->version));
    tkt_ecs_text(e, "host.name", line->host, strlen(line->host));
    (void)tkt_buf_addf(e->out, ",\"process.pid\":%d", line->pid);
    tkt_ecs_text(e, "event.action", line->event, strlen(line->event));
    if (line->level == TKT_LOG_ERROR) {
        add_outcome(e, "failure");
    }
    if (line->object == NULL || strcmp(line->object, "NOQUEUE") == 0) {
        return;
    }
    size_t n = tkt_utf8_cut(line->object, strlen(line->object), OBJECT_MAX);
    if (is_queue_id(line->object)) {
        add_local_id(e, "object", line->object, n);
    } else {
        add_own(e, "object", line->object, n);
    }
}
