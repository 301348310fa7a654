/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketctl/mailbox.h"
#include "base/fs.h"
#include "base/util.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define WINDOW 65536
#define LINE_SEEN 1024 /* of a line: enough to know a "From " line */
#define SPILL_DIR "/var/tmp"

/* An mbox, read through one window. */
struct mbox {
    int fd;
    char *window;
    size_t at;
    size_t end;
    bool eof;
    bool failed;
    bool line_start;
    bool after_empty; /* the line before was empty, and is held back */
    char held[3];     /* that empty line: it may belong to the separator */
    bool done;        /* the message in hand has ended */
};

/* At least want bytes in the window unless the file ends. */
static void fill(struct mbox *m, size_t want)
{
    if (m->end - m->at >= want || m->eof) {
        return;
    }
    memmove(m->window, m->window + m->at, m->end - m->at);
    m->end -= m->at;
    m->at = 0;
    while (m->end < want && !m->eof) {
        ssize_t got = read(m->fd, m->window + m->end, WINDOW - m->end);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        m->failed = m->failed || got < 0;
        m->eof = got <= 0;
        m->end += got > 0 ? (size_t)got : 0;
    }
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* "From ann@x.example Sat Nov 21 09:30:00 2026": a time, then a year. */
static bool is_from_line(const char *p, size_t n)
{
    const char *nl = memchr(p, '\n', n);
    size_t len = nl != NULL ? (size_t)(nl - p) : n;
    bool time = false;

    if (len < 5 || memcmp(p, "From ", 5) != 0) {
        return false;
    }
    for (size_t i = 5; i + 4 <= len; i++) {
        time = time || (is_digit(p[i - 1]) && p[i] == ':' && is_digit(p[i + 1]) &&
                        is_digit(p[i + 2]));
        if (time && p[i - 1] == ' ' && (p[i] == '1' || p[i] == '2') &&
            is_digit(p[i + 1]) && is_digit(p[i + 2]) && is_digit(p[i + 3])) {
            return true;
        }
    }
    return false;
}

static void skip_line(struct mbox *m)
{
    const char *nl = NULL;

    while (nl == NULL && m->at < m->end) {
        nl = memchr(m->window + m->at, '\n', m->end - m->at);
        m->at = nl != NULL ? (size_t)(nl - m->window) + 1 : m->end;
        fill(m, 1);
    }
}

static size_t quotes(const char *p, size_t n)
{
    size_t q = 0;

    while (q < n && p[q] == '>') {
        q++;
    }
    return n - q >= 5 && memcmp(p + q, "From ", 5) == 0 ? q : 0;
}

/* At the beginning of a line: whether the message goes on with it. Empty lines are held
 * back, one '>' of a quoted "From " goes. */
static bool begin_line(struct mbox *m)
{
    const char *p = m->window + m->at;
    size_t n = m->end - m->at;

    if (m->after_empty && is_from_line(p, n)) {
        m->done = true;
        return false;
    }
    m->at += quotes(p, n) > 0 ? 1 : 0;
    return true;
}

static size_t empty_line(const char *p, size_t n)
{
    return n > 0 && p[0] == '\n' ? 1 : n > 1 && p[0] == '\r' && p[1] == '\n' ? 2 : 0;
}

/* The next bytes of the message in hand; 0 at its end. Read as tkt_ctl_mail_read does. */
static ssize_t read_mbox(void *ctx, char *data, size_t n)
{
    struct mbox *m = ctx;
    size_t len = 0;

    while (!m->done && n - len > sizeof(m->held)) {
        fill(m, LINE_SEEN);
        if (m->at == m->end) {
            m->done = true; /* the held line ended the last message */
            break;
        }
        if (m->line_start) {
            if (!begin_line(m)) {
                break;
            }
            size_t held = strlen(m->held);
            memcpy(data + len, m->held, held);
            len += held;
            m->held[0] = '\0';
            size_t empty = empty_line(m->window + m->at, m->end - m->at);
            m->after_empty = empty > 0;
            if (empty > 0) {
                memcpy(m->held, m->window + m->at, empty);
                m->held[empty] = '\0';
                m->at += empty;
                continue;
            }
        }
        size_t room = TKT_MIN(n - len, m->end - m->at);
        const char *nl = memchr(m->window + m->at, '\n', room);
        size_t take = nl != NULL ? (size_t)(nl - m->window) + 1 - m->at : room;
        memcpy(data + len, m->window + m->at, take);
        len += take;
        m->at += take;
        m->line_start = nl != NULL;
    }
    if (m->failed && len == 0) {
        return -1;
    }
    return (ssize_t)len;
}

/* Past what a reader that gave up has left of the message. */
static void drain(struct mbox *m, char *piece)
{
    while (read_mbox(m, piece, WINDOW) > 0) {
    }
}

/* What is no mbox is one message as it stands. */
static ssize_t read_plain(void *ctx, char *data, size_t n)
{
    struct mbox *m = ctx;

    fill(m, 1);
    size_t take = TKT_MIN(n, m->end - m->at);
    memcpy(data, m->window + m->at, take);
    m->at += take;
    return m->failed && take == 0 ? -1 : (ssize_t)take;
}

static void read_one(struct mbox *m, bool is_mbox, struct tkt_ctl_place *place,
                     uint64_t max, tkt_ctl_mailbox_fn *fn, void *ctx)
{
    struct tkt_err err = TKT_ERR_INIT;
    struct tkt_ctl_mail mail = {.fd = -1};
    int rc = tkt_ctl_mail_read_with(is_mbox ? read_mbox : read_plain, m, max, SPILL_DIR,
                                    &mail, &err);

    fn(ctx, place, &mail, rc < 0 ? &err : NULL);
}

static int each_of_fd(int fd, const char *name, uint64_t max, tkt_ctl_mailbox_fn *fn,
                      void *ctx, struct tkt_err *err)
{
    TKT_AUTO_FREE char *window = malloc(WINDOW);
    TKT_AUTO_FREE char *rest = malloc(WINDOW);
    struct mbox m = {.fd = fd, .window = window};
    struct tkt_ctl_place place = {name, 1};

    if (window == NULL || rest == NULL) {
        return tkt_err_set(err, TKT_ERR_TEMP, "out of memory");
    }
    fill(&m, LINE_SEEN);
    if (m.failed && m.end == 0) {
        return tkt_err_errno(err, TKT_ERR_PERM, "%s", name);
    }
    if (!is_from_line(m.window, m.end)) {
        read_one(&m, false, &place, max, fn, ctx);
        return 0;
    }
    for (; m.at < m.end; place.number++) {
        skip_line(&m);
        m.done = false;
        m.line_start = true;
        m.after_empty = false;
        m.held[0] = '\0';
        read_one(&m, true, &place, max, fn, ctx);
        drain(&m, rest);
        fill(&m, 1);
    }
    return 0;
}

static int each_of_file(const char *path, uint64_t max, tkt_ctl_mailbox_fn *fn, void *ctx,
                        struct tkt_err *err)
{
    TKT_AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0) {
        return tkt_err_errno(err, TKT_ERR_PERM, "%s", path);
    }
    return each_of_fd(fd, path, max, fn, ctx, err);
}

static int is_shown(const struct dirent *e)
{
    return e->d_name[0] != '.';
}

/* The files of one folder; its folders are left alone. */
static int each_of_folder(const char *path, uint64_t max, tkt_ctl_mailbox_fn *fn,
                          void *ctx, struct tkt_err *err)
{
    struct dirent **list = NULL;
    int count = scandir(path, &list, is_shown, alphasort);
    int rc = 0;

    if (count < 0) {
        return tkt_err_errno(err, TKT_ERR_PERM, "%s", path);
    }
    for (int i = 0; i < count; i++) {
        TKT_AUTO_FREE char *file = NULL;
        struct stat st;
        if (asprintf(&file, "%s/%s", path, list[i]->d_name) < 0) {
            file = NULL;
            rc = tkt_err_set(err, TKT_ERR_TEMP, "out of memory");
        } else if (stat(file, &st) == 0 && S_ISREG(st.st_mode) &&
                   each_of_file(file, max, fn, ctx, err) < 0) {
            rc = -1;
        }
        free(list[i]);
    }
    free(list);
    return rc;
}

static bool is_folder(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static int each_of_maildir(const char *path, uint64_t max, tkt_ctl_mailbox_fn *fn,
                           void *ctx, struct tkt_err *err)
{
    static const char *const parts[] = {"cur", "new"};
    bool is_maildir = false;
    int rc = 0;

    for (size_t i = 0; i < TKT_ARRAY_LEN(parts); i++) {
        TKT_AUTO_FREE char *part = NULL;
        if (asprintf(&part, "%s/%s", path, parts[i]) < 0) {
            part = NULL;
            return tkt_err_set(err, TKT_ERR_TEMP, "out of memory");
        }
        if (is_folder(part)) {
            is_maildir = true;
            rc = each_of_folder(part, max, fn, ctx, err) < 0 ? -1 : rc;
        }
    }
    return is_maildir ? rc : each_of_folder(path, max, fn, ctx, err);
}

int tkt_ctl_mailbox_each(const char *path, uint64_t max, tkt_ctl_mailbox_fn *fn,
                         void *ctx, struct tkt_err *err)
{
    if (strcmp(path, "-") == 0) {
        return each_of_fd(STDIN_FILENO, path, max, fn, ctx, err);
    }
    return is_folder(path) ? each_of_maildir(path, max, fn, ctx, err)
                           : each_of_file(path, max, fn, ctx, err);
}
