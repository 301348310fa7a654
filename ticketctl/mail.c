/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketctl/mail.h"
#include "base/enc.h"
#include "base/fs.h"
#include "base/util.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#define COPY_PIECE 65536

static ssize_t read_some(void *ctx, char *data, size_t n)
{
    const int *fd = ctx;
    ssize_t got;
    do {
        got = read(*fd, data, n);
    } while (got < 0 && errno == EINTR);
    return got;
}

/* The mbox line that pipe(8) flag F and some filters put on top. */
static size_t from_line(const char *data, size_t n)
{
    if (n < 5 || memcmp(data, "From ", 5) != 0) {
        return 0;
    }
    const char *end = memchr(data, '\n', n);
    return end != NULL ? (size_t)(end - data) + 1 : 0;
}

static int spill(struct tkt_ctl_mail *mail, struct tkt_buf *held, const char *dir,
                 struct tkt_err *err)
{
    mail->fd = tkt_open_tmpfile(dir, err);
    if (mail->fd < 0) {
        return -1;
    }
    size_t skip = from_line(held->data, held->len);
    mail->size = held->len - skip;
    return tkt_write_full(mail->fd, held->data + skip, held->len - skip, err);
}

static int keep_small(struct tkt_ctl_mail *mail, struct tkt_buf *held,
                      struct tkt_err *err)
{
    size_t skip = held->len > 0 ? from_line(held->data, held->len) : 0;
    mail->size = held->len - skip;
    if (mail->size == 0) {
        return tkt_err_set(err, TKT_ERR_PERM, "the message is empty");
    }
    mail->fd = tkt_memfd_sealed("message", held->data + skip, held->len - skip, err);
    return mail->fd >= 0 ? 0 : -1;
}

static int copy_in(struct tkt_ctl_mail *mail, tkt_ctl_read_fn *more, void *ctx,
                   uint64_t max, const char *dir, struct tkt_err *err)
{
    TKT_AUTO_BUF struct tkt_buf held = TKT_BUF_INIT(TKT_CTL_MESSAGE_MEMORY + COPY_PIECE);
    TKT_AUTO_FREE char *piece = malloc(COPY_PIECE);
    uint64_t total = 0;
    ssize_t got;
    if (piece == NULL) {
        return tkt_err_set(err, TKT_ERR_TEMP, "out of memory");
    }
    while ((got = more(ctx, piece, COPY_PIECE)) > 0) {
        total += (uint64_t)got;
        if (total > max) {
            return tkt_err_set(err, TKT_ERR_PERM, "the message is larger than %llu bytes",
                               (unsigned long long)max);
        }
        if (mail->fd >= 0) {
            if (tkt_write_full(mail->fd, piece, (size_t)got, err) < 0) {
                return -1;
            }
            mail->size += (uint64_t)got;
            continue;
        }
        if (tkt_buf_add(&held, piece, (size_t)got) < 0) {
            return tkt_err_set(err, TKT_ERR_TEMP, "out of memory");
        }
        if (held.len > TKT_CTL_MESSAGE_MEMORY && spill(mail, &held, dir, err) < 0) {
            return -1;
        }
    }
    if (got < 0) {
        return tkt_err_errno(err, TKT_ERR_TEMP, "cannot read the message");
    }
    return mail->fd >= 0 ? 0 : keep_small(mail, &held, err);
}

static int add_field(struct tkt_ctl_mail *mail, size_t at, struct tkt_ctl_field field,
                     struct tkt_err *err)
{
    if (mail->count == mail->room) {
        size_t room = mail->room != 0 ? mail->room * 2 : 64;
        struct tkt_ctl_field *grown = reallocarray(mail->fields, room, sizeof *grown);
        if (grown == NULL) {
            return tkt_err_set(err, TKT_ERR_TEMP, "out of memory");
        }
        mail->fields = grown;
        mail->room = room;
    }
    memmove(mail->fields + at + 1, mail->fields + at,
            (mail->count - at) * sizeof *mail->fields);
    mail->fields[at] = field;
    mail->count++;
    return 0;
}

/* Bytes of a field's name, or 0: the line starts no field. Blanks before the colon are
 * allowed (RFC 5322 4.5). */
static size_t name_length(const char *line, size_t n)
{
    size_t len = 0;
    while (len < n && line[len] > 0x20 && line[len] < 0x7f && line[len] != ':') {
        len++;
    }
    size_t at = len;
    while (at < n && (line[at] == ' ' || line[at] == '\t')) {
        at++;
    }
    return at < n && line[at] == ':' ? len : 0;
}

static int scan_head(struct tkt_ctl_mail *mail, struct tkt_err *err)
{
    const char *at = mail->head.data;
    const char *end = at + mail->head.len;
    while (at < end) {
        const char *nl = memchr(at, '\n', (size_t)(end - at));
        if (nl == NULL && (uint64_t)(end - mail->head.data) < mail->size) {
            break; /* cut by our cap: counts as body */
        }
        size_t n = nl != NULL ? (size_t)(nl - at) + 1 : (size_t)(end - at);
        if (mail->count == 0 && n > 1 && at[n - 1] == '\n' && at[n - 2] == '\r') {
            mail->crlf = true;
        }
        if ((at[0] == ' ' || at[0] == '\t') && mail->count > 0) {
            mail->fields[mail->count - 1].raw_len += n;
        } else {
            size_t name = name_length(at, n);
            struct tkt_ctl_field f = {.raw = at, .raw_len = n, .name_len = name};
            if (name == 0) {
                break;
            }
            if (add_field(mail, mail->count, f, err) < 0) {
                return -1;
            }
        }
        at += n;
        mail->head_len = (size_t)(at - mail->head.data);
    }
    return 0;
}

static int read_head(struct tkt_ctl_mail *mail, struct tkt_err *err)
{
    size_t want = (size_t)TKT_MIN(mail->size, (uint64_t)TKT_CTL_HEADER_MAX);
    size_t got = 0;
    if (tkt_buf_reserve(&mail->head, want) < 0) {
        return tkt_err_set(err, TKT_ERR_TEMP, "out of memory");
    }
    if (tkt_pread_full(mail->fd, mail->head.data, want, 0, &got, err) < 0) {
        return -1;
    }
    mail->head.len = got;
    return scan_head(mail, err);
}

int tkt_ctl_mail_read_with(tkt_ctl_read_fn *more, void *ctx, uint64_t max,
                           const char *dir, struct tkt_ctl_mail *out, struct tkt_err *err)
{
    *out = (struct tkt_ctl_mail){.fd = -1};
    tkt_buf_init(&out->head, TKT_CTL_HEADER_MAX);
    if (copy_in(out, more, ctx, max, dir, err) < 0 || read_head(out, err) < 0) {
        tkt_ctl_mail_release(out);
        return -1;
    }
    return 0;
}

int tkt_ctl_mail_read(int from, uint64_t max, const char *dir, struct tkt_ctl_mail *out,
                      struct tkt_err *err)
{
    return tkt_ctl_mail_read_with(read_some, &from, max, dir, out, err);
}

void tkt_ctl_mail_release(struct tkt_ctl_mail *mail)
{
    for (size_t i = 0; i < mail->count; i++) {
        free(mail->fields[i].text);
    }
    free(mail->fields);
    tkt_buf_release(&mail->head);
    if (mail->fd >= 0) {
        close(mail->fd);
    }
    *mail = (struct tkt_ctl_mail){.fd = -1};
}

static const char *bytes_of(const struct tkt_ctl_field *f)
{
    return f->text != NULL ? f->text : f->raw;
}

static bool is_named(const struct tkt_ctl_field *f, const char *name)
{
    return !f->gone && strlen(name) == f->name_len &&
           tkt_ascii_ieqn(bytes_of(f), name, f->name_len);
}

static bool is_wanted(const struct tkt_ctl_field *f)
{
    return is_named(f, "Subject") ||
           (f->name_len > 9 && tkt_ascii_ieqn(bytes_of(f), "X-Ticket-", 9));
}

/* The value without its last end of line, folds as LF, NULs (that no line of the protocol
 * can carry) left out. */
static char *field_value(const struct tkt_ctl_field *f, struct tkt_wire_arena *arena)
{
    const char *colon = memchr(f->raw, ':', f->raw_len);
    const char *end = f->raw + f->raw_len;
    size_t room =
        TKT_MIN(f->raw_len, TKT_WIRE_VALUE_MAX); /* longer ones are not edited */
    char *out = tkt_wire_arena_alloc(arena, room + 1);
    size_t n = 0;
    if (out == NULL) {
        return NULL;
    }
    for (const char *c = colon + 1; c < end && n < room; c++) {
        if (*c != '\0' && !(*c == '\r' && c + 1 < end && c[1] == '\n')) {
            out[n++] = *c;
        }
    }
    if (n > 0 && out[n - 1] == '\n') {
        n--;
    }
    out[n] = '\0';
    return out;
}

int tkt_ctl_mail_fields(const struct tkt_ctl_mail *mail, struct tkt_wire_arena *arena,
                        struct tkt_wire_field **out, size_t *count, struct tkt_err *err)
{
    struct tkt_wire_field *list =
        tkt_wire_arena_alloc(arena, TKT_WIRE_FIELDS_MAX * sizeof *list);
    size_t n = 0;
    if (list == NULL) {
        return tkt_err_set(err, TKT_ERR_TEMP, "out of memory");
    }
    for (size_t i = 0; i < mail->count; i++) {
        const struct tkt_ctl_field *f = &mail->fields[i];
        if (!is_wanted(f)) {
            continue;
        }
        if (n == TKT_WIRE_FIELDS_MAX) {
            return tkt_err_set(err, TKT_ERR_PERM,
                               "more than %d Subject and X-Ticket fields",
                               TKT_WIRE_FIELDS_MAX);
        }
        struct tkt_wire_field w = {tkt_wire_arena_strdup(arena, f->raw, f->name_len), 1,
                                   field_value(f, arena)};
        if (w.name == NULL || w.value == NULL) {
            return tkt_err_set(err, TKT_ERR_TEMP, "out of memory");
        }
        for (size_t k = 0; k < n; k++) {
            w.index += tkt_ascii_ieq(list[k].name, w.name);
        }
        list[n++] = w;
    }
    *out = list;
    *count = n;
    return 0;
}

/* The field as bytes, its LF folds in the message's own kind of line end. A line end that
 * no blank follows would start a field of its own: it gets one, as the MTAs do. */
static char *make_field(const struct tkt_ctl_mail *mail, const char *name,
                        const char *value)
{
    struct tkt_buf b = TKT_BUF_INIT(4U * 1024 * 1024);
    const char *eol = mail->crlf ? "\r\n" : "\n";
    tkt_buf_adds(&b, name);
    tkt_buf_addc(&b, ':');
    for (const char *c = value; *c != '\0'; c++) {
        if (*c == '\n') {
            tkt_buf_adds(&b, eol);
            if (c[1] != ' ' && c[1] != '\t') {
                tkt_buf_addc(&b, '\t');
            }
        } else if (*c != '\r') {
            tkt_buf_addc(&b, *c);
        }
    }
    tkt_buf_adds(&b, eol);
    return tkt_buf_take(&b, NULL);
}

static struct tkt_ctl_field *find_field(struct tkt_ctl_mail *mail, const char *name,
                                        unsigned index)
{
    unsigned seen = 0;
    for (size_t i = 0; i < mail->count; i++) {
        if (is_named(&mail->fields[i], name) && ++seen >= index) {
            return &mail->fields[i];
        }
    }
    return NULL;
}

static int put_field(struct tkt_ctl_mail *mail, const struct tkt_wire_edit *e,
                     struct tkt_err *err)
{
    char *text = make_field(mail, e->name, e->value);
    if (text == NULL) {
        return tkt_err_set(err, TKT_ERR_TEMP, "%s: no memory for the field", e->name);
    }
    struct tkt_ctl_field *old =
        e->kind == TKT_WIRE_CHANGE ? find_field(mail, e->name, e->index) : NULL;
    if (old != NULL) {
        free(old->text);
        old->text = text;
        old->raw_len = strlen(text);
        old->name_len = strlen(e->name);
        return 0;
    }
    struct tkt_ctl_field f = {
        .raw = text, .raw_len = strlen(text), .text = text, .name_len = strlen(e->name)};
    if (add_field(mail, e->kind == TKT_WIRE_INSERT ? 0 : mail->count, f, err) < 0) {
        free(text);
        return -1;
    }
    return 0;
}

int tkt_ctl_mail_edit(struct tkt_ctl_mail *mail, const struct tkt_wire_edit *edits,
                      size_t count, struct tkt_err *err)
{
    for (size_t i = 0; i < count; i++) {
        struct tkt_ctl_field *f;
        switch (edits[i].kind) {
        case TKT_WIRE_CHANGE:
        case TKT_WIRE_INSERT:
            if (put_field(mail, &edits[i], err) < 0) {
                return -1;
            }
            break;
        case TKT_WIRE_DELETE:
            f = find_field(mail, edits[i].name, edits[i].index);
            if (f != NULL) {
                f->gone = true;
            }
            break;
        case TKT_WIRE_ADDRCPT:
        case TKT_WIRE_DELRCPT:
            break;
        }
    }
    return 0;
}

static int write_rest(const struct tkt_ctl_mail *mail, int to, struct tkt_err *err)
{
    TKT_AUTO_FREE char *piece = malloc(COPY_PIECE);
    off_t at = (off_t)mail->head_len;
    size_t got = COPY_PIECE;
    if (piece == NULL) {
        return tkt_err_set(err, TKT_ERR_TEMP, "out of memory");
    }
    while (got == COPY_PIECE) {
        if (tkt_pread_full(mail->fd, piece, COPY_PIECE, at, &got, err) < 0 ||
            tkt_write_full(to, piece, got, err) < 0) {
            return -1;
        }
        at += (off_t)got;
    }
    return 0;
}

int tkt_ctl_mail_write(const struct tkt_ctl_mail *mail, int to, struct tkt_err *err)
{
    for (size_t i = 0; i < mail->count; i++) {
        const struct tkt_ctl_field *f = &mail->fields[i];
        if (!f->gone && tkt_write_full(to, bytes_of(f), f->raw_len, err) < 0) {
            return -1;
        }
    }
    return write_rest(mail, to, err);
}
