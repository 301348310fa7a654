/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketd/notice/agentmail.h"

#include "base/clock.h"
#include "base/enc.h"
#include "base/fs.h"
#include "base/util.h"
#include "ticketd/facts/mailread.h"
#include "ticketd/notice/notice.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- addresses ---------------------------------------------------------------------------- */

static bool is_of_address(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c & 0x80) != 0 || (c != '\0' && strchr("-_+", c) != NULL);
}

/* Its length where one stands at text[at], or 0. */
static size_t match(const char *address, const char *text, size_t at)
{
    size_t n = strlen(address);

    return n > 0 && tkt_ascii_ieqn(text + at, address, n) &&
                   (at == 0 || (!is_of_address(text[at - 1]) && text[at - 1] != '.')) &&
                   !is_of_address(text[at + n])
               ? n
               : 0;
}

static size_t agent_at(const struct tkt_conf *conf, const char *text, size_t at)
{
    size_t n = 0;

    for (size_t i = 0; i < conf->group_count && n == 0; i++) {
        for (size_t k = 0; k < conf->groups[i].members.count && n == 0; k++) {
            n = match(conf->groups[i].members.items[k], text, at);
        }
    }
    for (size_t i = 0; i < conf->agent_count && n == 0; i++) {
        n = match(conf->agents[i].name, text, at);
    }
    return n;
}

/* Looked for where an @ stands: a text has few of them. */
int tkt_agentmail_strip(const struct tkt_conf *conf, const char *text,
                        const char *replacement, struct tkt_buf *out)
{
    size_t done = 0;

    for (const char *at = strchr(text, '@'); at != NULL; at = strchr(at + 1, '@')) {
        size_t sign = (size_t)(at - text);
        size_t first = sign > 64 ? sign - 64 : 0;

        for (size_t i = TKT_MAX(first, done); i < sign; i++) {
            size_t n = agent_at(conf, text, i);

            if (n > sign - i) {
                if (tkt_buf_add(out, text + done, i - done) < 0 ||
                    tkt_buf_adds(out, replacement) < 0) {
                    return -1;
                }
                done = i + n;
                break;
            }
        }
    }
    return tkt_buf_adds(out, text + done);
}

/* ---- its words ---------------------------------------------------------------------------- */

int tkt_agentmail_read(struct tkt_agentmail *m, struct tkt_daemon *d,
                       const struct tkt_settings *set, struct tkt_reader *reader,
                       int64_t message, const char *from, struct tkt_err *err)
{
    memset(m, 0, sizeof(*m));
    tkt_buf_init(&m->text, 2 * TKT_AGENTMAIL_TEXT_MAX);
    if (tkt_mailread(d->pool, set->conf, reader, message,
                     tkt_clock_mono_ms() + TKT_MAILREAD_BUDGET_MS, &m->analysis,
                     err) < 0) {
        return -1;
    }
    m->analysed = true;
    tkt_agentcommand_read(m->analysis.msg.reply_text, set->conf, from, &m->command);
    return 0;
}

/* ---- its files ---------------------------------------------------------------------------- */

static int read_file(int fd, size_t size, struct tkt_buf *out, struct tkt_err *err)
{
    tkt_buf_init(out, size + 1);
    if (tkt_buf_reserve(out, size) < 0) {
        return tkt_err_set(err, TKT_ERR_TEMP, "no memory");
    }
    while (out->len < size) {
        ssize_t n = pread(fd, out->data + out->len, size - out->len, (off_t)out->len);

        if (n <= 0) {
            return n < 0 ? tkt_err_errno(err, TKT_ERR_TEMP, "attachment")
                         : tkt_err_set(err, TKT_ERR_TEMP, "attachment: it is short");
        }
        out->len += (size_t)n;
    }
    return 0;
}

/* 1 it goes along, 0 it is too large, -1. */
static int take_file(struct tkt_agentmail *m, struct tkt_daemon *d, int mail,
                     const struct tkt_attachment *a, uint64_t room, struct tkt_err *err)
{
    struct tkt_buf *content = &m->contents[m->file_count];
    struct stat st;

    if (fstat(mail, &st) < 0) {
        return tkt_err_errno(err, TKT_ERR_TEMP, "message");
    }
    TKT_AUTO_FD int fd = tkt_open_tmpfile(d->store_dir, err);
    if (fd < 0) {
        return -1;
    }
    if (tkt_parserpool_extract(d->pool, mail, (uint64_t)st.st_size, a->part, fd, room,
                               tkt_clock_mono_ms() + TKT_MAILREAD_BUDGET_MS, err) < 0) {
        if (err->class == TKT_ERR_PERM) {
            *err = (struct tkt_err)TKT_ERR_INIT;
            return 0;
        }
        return -1;
    }
    if (fstat(fd, &st) < 0) {
        return tkt_err_errno(err, TKT_ERR_TEMP, "attachment");
    }
    if (read_file(fd, (size_t)st.st_size, content, err) < 0) {
        return -1;
    }
    m->files[m->file_count++] =
        (struct tkt_notice_file){.name = a->name[0] != '\0' ? a->name : "attachment",
                                 .type = a->type,
                                 .data = tkt_buf_str(content),
                                 .size = content->len};
    return 1;
}

/* Pictures within HTML have no place in a text. */
static bool goes_along(const struct tkt_attachment *a)
{
    return !(a->is_inline && a->content_id[0] != '\0') && a->part[0] != '\0';
}

/* The mail as a file, which a child reads. */
static int open_mail(struct tkt_daemon *d, const struct tkt_settings *set,
                     struct tkt_reader *reader, int64_t message, struct tkt_err *err)
{
    TKT_AUTO_BUF struct tkt_buf raw =
        TKT_BUF_INIT((size_t)set->conf->limits.message_max + 1);
    int fd = -1;

    if (tkt_reader_raw(reader, message, &raw, &fd, err) < 0) {
        return -1;
    }
    if (fd >= 0) {
        return fd;
    }
    fd = tkt_open_tmpfile(d->store_dir, err);
    if (fd >= 0 && tkt_write_full(fd, raw.data, raw.len, err) < 0) {
        (void)close(fd); /* it has no name */
        return -1;
    }
    return fd;
}

static int take_files(struct tkt_agentmail *m, struct tkt_daemon *d, int mail,
                      const struct tkt_conf_desk *desk, struct tkt_err *err)
{
    const struct tkt_message *msg = &m->analysis.msg;
    uint64_t room = (uint64_t)desk->agent_files_max;

    for (size_t i = 0; i < msg->attachment_count; i++) {
        const struct tkt_attachment *a = &msg->attachments[i];
        int n = 0;

        if (!goes_along(a)) {
            continue;
        }
        if (room > 0 && m->file_count < TKT_AGENTMAIL_FILES_MAX) {
            n = take_file(m, d, mail, a, room, err);
        }
        if (n < 0) {
            return -1;
        }
        if (n == 1) {
            room -= m->files[m->file_count - 1].size;
        } else if (m->text.len < TKT_AGENTMAIL_TEXT_MAX) {
            (void)tkt_buf_addf(&m->text, "\n[%s]\n", a->name); /* m->text.failed tells */
        }
    }
    return 0;
}

/* ---- all of it ------------------------------------------------------------------------ */

static int make_text(struct tkt_agentmail *m, const struct tkt_settings *set,
                     const struct tkt_conf_desk *desk, struct tkt_err *err)
{
    const char *words = m->analysis.msg.reply_text + m->command.body;
    size_t n = tkt_utf8_cut(words, strlen(words), TKT_AGENTMAIL_TEXT_MAX);
    TKT_AUTO_BUF struct tkt_buf cut = TKT_BUF_INIT(TKT_AGENTMAIL_TEXT_MAX + 1);

    while (n > 0 && strchr(" \t\r\n", words[n - 1]) != NULL) {
        n--;
    }
    tkt_buf_reset(&m->text);
    if (tkt_buf_add(&cut, words, n) < 0 ||
        (desk->agent_strip ? tkt_agentmail_strip(set->conf, tkt_buf_str(&cut),
                                                 tkt_notice_desk_address(desk), &m->text)
                           : tkt_buf_adds(&m->text, tkt_buf_str(&cut))) < 0) {
        return tkt_err_set(err, TKT_ERR_TEMP, "no memory");
    }
    return 0;
}

static bool has_files(const struct tkt_agentmail *m)
{
    for (size_t i = 0; i < m->analysis.msg.attachment_count; i++) {
        if (goes_along(&m->analysis.msg.attachments[i])) {
            return true;
        }
    }
    return false;
}

bool tkt_agentmail_is_empty(const struct tkt_agentmail *m)
{
    const char *words = m->analysis.msg.reply_text + m->command.body;

    return words[strspn(words, " \t\r\n")] == '\0' && !has_files(m);
}

int tkt_agentmail_make(struct tkt_agentmail *m, struct tkt_daemon *d,
                       const struct tkt_settings *set, const struct tkt_conf_desk *desk,
                       struct tkt_reader *reader, int64_t message, struct tkt_err *err)
{
    if (make_text(m, set, desk, err) < 0) {
        return -1;
    }
    if (!has_files(m)) {
        return 0;
    }
    TKT_AUTO_FD int mail = open_mail(d, set, reader, message, err);
    if (mail < 0 || take_files(m, d, mail, desk, err) < 0) {
        return -1;
    }
    return m->text.failed ? tkt_err_set(err, TKT_ERR_TEMP, "no memory") : 0;
}

void tkt_agentmail_release(struct tkt_agentmail *m)
{
    if (m->analysed) {
        tkt_analysis_release(&m->analysis);
        m->analysed = false;
    }
    for (size_t i = 0; i < TKT_AGENTMAIL_FILES_MAX; i++) {
        tkt_buf_release(&m->contents[i]);
    }
    tkt_buf_release(&m->text);
}
