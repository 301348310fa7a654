/* SPDX-License-Identifier: BSD-2-Clause
 * extract: the attachments of a message, and the content of one of them. */
#include "base/fs.h"
#include "base/util.h"
#include "message/parse.h"
#include "ticketctl/ctl.h"
#include "ticketctl/mail.h"
#include "ticketctl/out.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#define MESSAGE_MAX (1024U * 1024 * 1024) /* the most that a configuration may allow */

static int read_mail(const char *file, struct tkt_ctl_mail *mail)
{
    struct tkt_err err = TKT_ERR_INIT;
    bool is_stdin = strcmp(file, "-") == 0;
    TKT_AUTO_FD int fd = is_stdin ? dup(STDIN_FILENO) : open(file, O_RDONLY | O_CLOEXEC);

    if (fd < 0) {
        return tkt_ctl_fail(EX_NOINPUT, "%s: %s", file, strerror(errno));
    }
    if (tkt_ctl_mail_read(fd, MESSAGE_MAX, "/var/tmp", mail, &err) < 0) {
        tkt_err_prefix(&err, "%s", file);
        return tkt_ctl_fail_err(&err);
    }
    return 0;
}

static cJSON *row_of(const struct tkt_attachment *a)
{
    cJSON *row = cJSON_CreateObject();

    cJSON_AddStringToObject(row, "part", a->part);
    cJSON_AddStringToObject(row, "name", a->name);
    cJSON_AddStringToObject(row, "type", a->type);
    cJSON_AddNumberToObject(row, "size", (double)a->size);
    cJSON_AddStringToObject(row, "sha256", a->sha256);
    cJSON_AddBoolToObject(row, "inline", a->is_inline);
    return row;
}

static int list_parts(struct tkt_ctl *ctl, const struct tkt_message_source *src)
{
    static const struct tkt_ctl_col cols[] = {{"PART", "part", TKT_CTL_TEXT, 24},
                                              {"SIZE", "size", TKT_CTL_SIZE, 0},
                                              {"TYPE", "type", TKT_CTL_TEXT, 32},
                                              {"NAME", "name", TKT_CTL_TEXT, 0}};
    struct tkt_message_options opt = {.prefix_count = 0};
    struct tkt_err err = TKT_ERR_INIT;
    struct tkt_message msg;

    tkt_message_limits_default(&opt.limits);
    if (tkt_message_parse(src, &opt, &msg, &err) < 0) {
        return tkt_ctl_fail_err(&err);
    }
    cJSON *rows = cJSON_CreateArray();
    for (size_t i = 0; i < msg.attachment_count; i++) {
        cJSON_AddItemToArray(rows, row_of(&msg.attachments[i]));
    }
    tkt_message_release(&msg);
    int rc = ctl->json ? tkt_ctl_print_json(rows) : 0;
    if (!ctl->json) {
        tkt_ctl_put_table(stdout, cols, TKT_ARRAY_LEN(cols), rows);
    }
    cJSON_Delete(rows);
    return rc;
}

/* An attachment may hold what a terminal would obey. */
static int open_output(const char *path, int *fd)
{
    bool is_stdout = path == NULL || strcmp(path, "-") == 0;

    if (is_stdout && isatty(STDOUT_FILENO)) {
        return tkt_ctl_fail(EX_USAGE, "not to a terminal; use -o FILE");
    }
    *fd = is_stdout ? dup(STDOUT_FILENO)
                    : open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    return *fd >= 0 ? 0 : tkt_ctl_fail(EX_CANTCREAT, "%s: %s", path, strerror(errno));
}

static int write_part(struct tkt_ctl *ctl, const struct tkt_message_source *src)
{
    const char *path = tkt_ctl_opt(ctl, "output");
    struct tkt_err err = TKT_ERR_INIT;
    int fd = -1;
    int rc = open_output(path, &fd);

    if (rc != 0) {
        return rc;
    }
    if (tkt_message_extract(src, ctl->pos[1], NULL, fd, &err) < 0) {
        rc = tkt_ctl_fail_err(&err);
    }
    if (close(fd) < 0 && rc == 0) {
        rc = tkt_ctl_fail(EX_IOERR, "cannot write: %s", strerror(errno));
    }
    if (rc != 0 && path != NULL && strcmp(path, "-") != 0) {
        (void)unlink(path); /* we made it; half of it is of no use */
    }
    return rc;
}

int tkt_ctl_extract(struct tkt_ctl *ctl)
{
    struct tkt_err err = TKT_ERR_INIT;
    struct tkt_ctl_mail mail = {.fd = -1};

    if (tkt_message_parser_init(&err) < 0) {
        return tkt_ctl_fail_err(&err);
    }
    int rc = read_mail(ctl->pos[0], &mail);
    if (rc == 0) {
        struct tkt_message_source src = {.fd = mail.fd, .size = mail.size};
        rc = ctl->pos_count > 1 ? write_part(ctl, &src) : list_parts(ctl, &src);
        tkt_ctl_mail_release(&mail);
    }
    return rc;
}
