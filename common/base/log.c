/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/log.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/ecs.h"
#include "base/enc.h"
#include "base/util.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#define VALUE_MAX 512
#define LINE_MAX_BYTES 8192

static struct {
    const char *ident;
    enum tkt_log_sink sink;
    bool json;
    const char *ecs_version; /* NULL: not with ECS names */
    char ecs_host[256];
    bool ecs_personal;
    bool prefix;
    atomic_int max;
    void (*capture)(const char *line, void *arg);
    void *capture_arg;
} state = {.ident = "ticket-milter", .max = TKT_LOG_INFO};

void tkt_log_open(const char *ident, enum tkt_log_sink sink, bool json,
                  enum tkt_log_level max)
{
    state.ident = ident;
    state.sink = sink;
    state.json = json;
    state.ecs_version = NULL;
    state.max = (int)max;
    state.prefix = getenv("JOURNAL_STREAM") != NULL;
    if (sink == TKT_LOG_SYSLOG) {
        openlog(ident, LOG_PID | LOG_NDELAY, LOG_MAIL);
    }
}

void tkt_log_use_ecs(const char *version, const char *host, bool personal)
{
    state.json = true;
    state.ecs_version = version;
    snprintf(state.ecs_host, sizeof(state.ecs_host), "%s", host);
    if (state.ecs_host[0] == '\0' &&
        gethostname(state.ecs_host, sizeof(state.ecs_host) - 1) < 0) {
        state.ecs_host[0] = '\0'; /* a line without it is a line */
    }
    state.ecs_personal = personal;
}

void tkt_log_set_level(enum tkt_log_level max)
{
    state.max = (int)max;
}

void tkt_log_capture(void (*fn)(const char *line, void *arg), void *arg)
{
    state.capture = fn;
    state.capture_arg = arg;
}

const char *tkt_log_num(char out[24], int64_t n)
{
    snprintf(out, 24, "%lld", (long long)n);
    return out;
}

static void add_text_value(struct tkt_buf *b, const char *v, size_t n)
{
    bool quote = n == 0;

    for (size_t i = 0; i < n; i++) {
        if (v[i] == ' ' || v[i] == '"' || v[i] == '=' || v[i] == '\\') {
            quote = true;
        }
    }
    if (quote) {
        tkt_buf_addc(b, '"');
    }
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)v[i];
        unsigned char next = i + 1 < n ? (unsigned char)v[i + 1] : 0;
        if (c < 0x20 || c == 0x7f) {
            tkt_buf_addf(b, "\\x%02x", c);
        } else if (c == 0xc2 && next >= 0x80 && next < 0xa0) { /* controls in UTF-8 */
            tkt_buf_addf(b, "\\x%02x\\x%02x", c, next);
            i++;
        } else {
            if (c == '"' || c == '\\') {
                tkt_buf_addc(b, '\\');
            }
            tkt_buf_addc(b, (char)c);
        }
    }
    if (quote) {
        tkt_buf_addc(b, '"');
    }
}

static void add_pair(struct tkt_buf *b, const char *key, const char *value)
{
    size_t n = tkt_utf8_cut(value, strlen(value), VALUE_MAX);

    if (state.json) {
        tkt_buf_addf(b, ",\"%s\":", key);
        tkt_json_add_string(b, value, n);
    } else {
        tkt_buf_addf(b, " %s=", key);
        add_text_value(b, value, n);
    }
}

static void emit(enum tkt_log_level level, struct tkt_buf *b)
{
    if (state.capture != NULL) {
        state.capture(tkt_buf_str(b), state.capture_arg);
    } else if (state.sink == TKT_LOG_SYSLOG) {
        syslog((int)level, "%s", tkt_buf_str(b));
    } else {
        char head[96];
        int n;
        if (state.json) {
            n = state.prefix ? snprintf(head, sizeof(head), "<%d>", (int)level) : 0;
        } else if (state.prefix) {
            n = snprintf(head, sizeof(head), "<%d>", (int)level);
        } else {
            char now[32];
            tkt_clock_format(tkt_clock_wall_ms(), now);
            n = snprintf(head, sizeof(head), "%s %s[%d]: ", now, state.ident,
                         (int)getpid());
        }
        TKT_AUTO_BUF struct tkt_buf line = TKT_BUF_INIT(LINE_MAX_BYTES + 128);
        tkt_buf_add(&line, head, (size_t)n);
        tkt_buf_add(&line, b->data, b->len);
        tkt_buf_addc(&line, '\n');
        ssize_t ignored = write(STDERR_FILENO, line.data, line.len);
        (void)ignored; /* there is nowhere left to complain */
    }
}

static void add_ecs(struct tkt_buf *b, enum tkt_log_level level, const char *object,
                    const char *event, va_list ap)
{
    struct tkt_ecs e = {.out = b, .personal = state.ecs_personal};
    const struct tkt_ecs_line line = {.at_ms = tkt_clock_wall_ms(),
                                      .level = level,
                                      .service = state.ident,
                                      .version = state.ecs_version,
                                      .host = state.ecs_host,
                                      .pid = (int)getpid(),
                                      .object = object,
                                      .event = event};

    tkt_ecs_begin(&e, &line);
    for (const char *key; (key = va_arg(ap, const char *)) != NULL;) {
        const char *value = va_arg(ap, const char *);

        if (value != NULL && b->len + strlen(key) + 6 * VALUE_MAX < LINE_MAX_BYTES) {
            tkt_ecs_pair(&e, key, value, tkt_utf8_cut(value, strlen(value), VALUE_MAX));
        }
    }
    tkt_buf_addc(b, '}');
}

void tkt_log(enum tkt_log_level level, const char *object, const char *event, ...)
{
    if ((int)level > state.max) {
        return;
    }
    TKT_AUTO_BUF struct tkt_buf b = TKT_BUF_INIT(LINE_MAX_BYTES);
    va_list ap;
    if (state.ecs_version != NULL) {
        va_start(ap, event);
        add_ecs(&b, level, object, event, ap);
        va_end(ap);
        emit(level, &b);
        return;
    }
    if (state.json) {
        char now[32];
        tkt_clock_format(tkt_clock_wall_ms(), now);
        tkt_buf_addf(&b, "{\"time\":\"%s\",\"level\":%d,\"program\":\"%s\"", now,
                     (int)level, state.ident);
        if (object != NULL) {
            add_pair(&b, "object", object);
        }
    } else if (object != NULL) {
        for (const char *p = object; *p != '\0' && p < object + 128; p++) {
            tkt_buf_addc(&b, (unsigned char)*p <= 0x20 || *p == 0x7f ? '?' : *p);
        }
        tkt_buf_adds(&b, ":");
    }
    add_pair(&b, "event", event);
    va_start(ap, event);
    for (const char *key; (key = va_arg(ap, const char *)) != NULL;) {
        const char *value = va_arg(ap, const char *);
        if (value != NULL && b.len + strlen(key) + 4 * VALUE_MAX < LINE_MAX_BYTES) {
            add_pair(&b, key, value);
        }
    }
    va_end(ap);
    if (state.json) {
        tkt_buf_addc(&b, '}');
    }
    if (!state.json && object == NULL && b.len > 0 && b.data[0] == ' ') {
        memmove(b.data, b.data + 1, b.len--);
    }
    emit(level, &b);
}
