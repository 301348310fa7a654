/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire/packet.h"

#include "base/enc.h"

#include <string.h>
#include <unistd.h>

void tkt_wire_packet_init(struct tkt_wire_packet *p)
{
    tkt_buf_init(&p->body, TKT_WIRE_TAIL_MAX);
    p->fd_count = 0;
    for (size_t i = 0; i < TKT_WIRE_FDS_MAX; i++) {
        p->fds[i] = -1;
    }
}

void tkt_wire_packet_release(struct tkt_wire_packet *p)
{
    tkt_buf_release(&p->body);
    for (size_t i = 0; i < TKT_WIRE_FDS_MAX; i++) {
        if (p->fds[i] >= 0) {
            close(p->fds[i]);
            p->fds[i] = -1;
        }
    }
    p->fd_count = 0;
}

int tkt_wire_packet_take_fd(struct tkt_wire_packet *p, int fd)
{
    if (p->fd_count == TKT_WIRE_FDS_MAX) {
        close(fd);
        return -1;
    }
    p->fds[p->fd_count++] = fd;
    return 0;
}

int tkt_wire_addn(struct tkt_buf *b, const char *name, const void *value, size_t n)
{
    tkt_buf_adds(b, name);
    tkt_buf_addc(b, '=');
    tkt_percent_add(b, value, n);
    return tkt_buf_addc(b, '\n');
}

int tkt_wire_add(struct tkt_buf *b, const char *name, const char *value)
{
    return tkt_wire_addn(b, name, value, strlen(value));
}

int tkt_wire_add_int(struct tkt_buf *b, const char *name, int64_t value)
{
    return tkt_buf_addf(b, "%s=%lld\n", name, (long long)value);
}

void tkt_wire_cursor_init_mem(struct tkt_wire_cursor *c, char *text, size_t len)
{
    c->at = text;
    c->end = text + len;
    c->line = 0;
}

void tkt_wire_cursor_init(struct tkt_wire_cursor *c, struct tkt_wire_packet *p)
{
    static char nothing[1];

    tkt_wire_cursor_init_mem(c, p->body.data != NULL ? p->body.data : nothing,
                             p->body.len);
}

static bool name_is_plain(const char *name)
{
    return name[0] != '\0' &&
           name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._-")] == '\0';
}

/* Only what the encoder writes: the rest of the bytes must come as escapes. */
static bool bytes_are_plain(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (s[i] < 0x20 || s[i] > 0x7e) {
            return false;
        }
    }
    return true;
}

static int malformed(const struct tkt_wire_cursor *c, const char *why,
                     struct tkt_err *err)
{
    return tkt_err_set(err, TKT_ERR_PERM, "line %u: %s", c->line, why);
}

int tkt_wire_next(struct tkt_wire_cursor *c, char **name, char **value,
                  struct tkt_err *err)
{
    if (c->at == c->end) {
        return 0;
    }
    if (++c->line > TKT_WIRE_LINES_MAX) {
        return malformed(c, "more lines than allowed", err);
    }
    char *eol = memchr(c->at, '\n', (size_t)(c->end - c->at));
    if (eol == NULL) {
        return malformed(c, "does not end", err);
    }
    char *start = c->at;
    char *eq = memchr(start, '=', (size_t)(eol - start));
    if (eq == NULL) {
        return malformed(c, "has no '='", err);
    }
    *eq = '\0';
    if (memchr(start, '\0', (size_t)(eq - start)) != NULL || !name_is_plain(start)) {
        return malformed(c, "bad name", err);
    }
    size_t raw = (size_t)(eol - eq - 1);
    long n = bytes_are_plain(eq + 1, raw) ? tkt_percent_decode(eq + 1, raw) : -1;
    if (n < 0 || memchr(eq + 1, '\0', (size_t)n) != NULL) {
        return malformed(c, "bad value", err);
    }
    eq[1 + n] = '\0';
    c->at = eol + 1;
    *name = start;
    *value = eq + 1;
    return 1;
}
