/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/spool.h"

#include "base/fs.h"
#include "base/util.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <time.h>

#define RECEIVED_MAX 4096
#define WORD_MAX 255 /* of each fact in Received */

void tkt_spool_init(struct tkt_spool *s, const char *dir, uint64_t memory_max,
                    uint64_t limit)
{
    memset(s, 0, sizeof(*s));
    s->dir = dir;
    s->memory_max = memory_max;
    s->limit = limit;
    s->fd = -1;
    tkt_buf_init(&s->pending, TKT_SPOOL_BUFFER);
}

void tkt_spool_release(struct tkt_spool *s)
{
    if (s->fd >= 0) {
        close(s->fd);
        s->fd = -1;
    }
    tkt_buf_release(&s->pending);
}

static int copy_all(int from, int to, struct tkt_err *err)
{
    off_t at = 0;
    ssize_t n;

    while ((n = sendfile(to, from, &at, 1 << 20)) > 0) {
    }
    return n < 0 ? tkt_err_errno(err, TKT_ERR_TEMP, "copy the message") : 0;
}

/* The message outgrew its memory: what there is moves into a file. */
static int move_to_file(struct tkt_spool *s, struct tkt_err *err)
{
    int file = tkt_open_tmpfile(s->dir, err);

    if (file < 0) {
        return -1;
    }
    if (s->fd >= 0) {
        if (copy_all(s->fd, file, err) < 0) {
            close(file);
            return -1;
        }
        close(s->fd);
    }
    s->fd = file;
    s->in_file = true;
    return 0;
}

static int write_out(struct tkt_spool *s, const void *data, size_t n, struct tkt_err *err)
{
    if (!s->in_file && s->size > s->memory_max && move_to_file(s, err) < 0) {
        return -1;
    }
    if (s->fd < 0) {
        s->fd = memfd_create("message", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        if (s->fd < 0) {
            return tkt_err_errno(err, TKT_ERR_TEMP, "memfd");
        }
    }
    return tkt_write_full(s->fd, data, n, err);
}

static void put(struct tkt_spool *s, const void *data, size_t n)
{
    if (!s->failed && write_out(s, data, n, &s->err) < 0) {
        s->failed = true;
    }
}

static void flush(struct tkt_spool *s)
{
    if (s->pending.len > 0) {
        put(s, s->pending.data, s->pending.len);
        tkt_buf_reset(&s->pending);
    }
}

void tkt_spool_add(struct tkt_spool *s, const void *data, size_t n)
{
    if (n > s->limit - s->size) {
        n = (size_t)(s->limit - s->size);
        s->oversize = true;
    }
    if (n == 0) {
        return;
    }
    s->size += n;
    if (n > TKT_SPOOL_BUFFER - s->pending.len) {
        flush(s);
    }
    if (n >= TKT_SPOOL_BUFFER / 2) { /* a body chunk: not worth a copy */
        flush(s);
        tkt_buf_release(&s->pending); /* fifty large messages would keep fifty */
        put(s, data, n);
    } else if (tkt_buf_add(&s->pending, data, n) < 0 && !s->failed) {
        s->failed = true;
        (void)tkt_err_set(&s->err, TKT_ERR_TEMP, "no memory"); /* told by failed */
    }
}

void tkt_spool_add_field(struct tkt_spool *s, const char *name, const char *value,
                         bool leadspc)
{
    tkt_spool_add(s, name, strlen(name));
    tkt_spool_add(s, ": ", leadspc ? 1 : 2);
    for (;;) {
        const char *lf = strchr(value, '\n');
        size_t n = lf != NULL ? (size_t)(lf - value) : strlen(value);
        bool had_cr = lf != NULL && n > 0 && value[n - 1] == '\r';
        tkt_spool_add(s, value, had_cr ? n - 1 : n);
        tkt_spool_add(s, "\r\n", 2);
        if (lf == NULL) {
            return;
        }
        value = lf + 1;
    }
}

int tkt_spool_finish(struct tkt_spool *s, int *fd, struct tkt_err *err)
{
    flush(s);
    if (!s->failed && s->fd < 0) {
        put(s, "", 0); /* an empty message is a message */
    }
    if (!s->failed && !s->in_file &&
        fcntl(s->fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0) {
        s->failed = true;
        (void)tkt_err_errno(&s->err, TKT_ERR_TEMP, "seal the message"); /* as below */
    }
    if (s->failed) {
        return tkt_err_set(err, TKT_ERR_TEMP, "spool: %s", s->err.text);
    }
    tkt_buf_release(&s->pending);
    *fd = s->fd;
    return 0;
}

/* Printable ASCII without what has a meaning in a comment; "unknown" if nothing is left. */
static void add_word(struct tkt_buf *b, const char *word)
{
    size_t n = word != NULL ? strnlen(word, WORD_MAX) : 0;

    if (n == 0) {
        (void)tkt_buf_adds(b, "unknown"); /* within RECEIVED_MAX */
    }
    for (size_t i = 0; i < n; i++) {
        bool plain =
            word[i] > 0x20 && word[i] < 0x7f && strchr("()<>\\\";,", word[i]) == NULL;
        (void)tkt_buf_addc(b, plain ? word[i] : '?'); /* as above */
    }
}

static const char *with_protocol(const struct tkt_received *r)
{
    if (!r->smtp) {
        return "local";
    }
    if (r->tls) {
        return r->auth ? "ESMTPSA" : "ESMTPS";
    }
    return r->auth ? "ESMTPA" : "ESMTP";
}

void tkt_spool_add_received(struct tkt_spool *s, const struct tkt_received *r)
{
    TKT_AUTO_BUF struct tkt_buf b = TKT_BUF_INIT(RECEIVED_MAX);
    char date[64];
    struct tm tm;
    time_t t = (time_t)r->time_s;

    /* All results of adding are ignored: five words of WORD_MAX fit into RECEIVED_MAX. */
    (void)tkt_buf_adds(&b, "Received: from ");
    add_word(&b, r->helo);
    (void)tkt_buf_adds(&b, " (");
    add_word(&b, r->client_name);
    (void)tkt_buf_adds(&b, " [");
    add_word(&b, r->client_addr);
    (void)tkt_buf_adds(&b, "])\r\n\tby ");
    add_word(&b, r->hostname);
    (void)tkt_buf_addf(&b, " (ticket-milter) with %s id ", with_protocol(r));
    add_word(&b, r->queue_id);
    if (r->rcpt != NULL && r->rcpt[0] != '\0') {
        (void)tkt_buf_adds(&b, "\r\n\tfor <");
        add_word(&b, r->rcpt);
        (void)tkt_buf_addc(&b, '>');
    }
    gmtime_r(&t, &tm);
    strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S +0000", &tm);
    (void)tkt_buf_addf(&b, ";\r\n\t%s\r\n", date);
    tkt_spool_add(s, tkt_buf_str(&b), b.len);
}
