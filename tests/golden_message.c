/* SPDX-License-Identifier: BSD-2-Clause
 * Golden messages: tests/golden/NAME.eml read, printed as JSON, compared with NAME.json.
 *
 * golden_message [--write] FILE.eml...   without files: all of $TKT_SRCDIR/tests/golden.
 * --write makes the .json anew; look at the difference before you commit it. A file
 * named NAME.null-sender.eml is read as one with the envelope sender <>.
 */
#include "base/buf.h"
#include "base/fs.h"
#include "base/util.h"
#include "message/json.h"
#include "message/parse.h"

#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static const char *const authserv_ids[] = {"mx.example.test"};
static const char *const prefixes[] = {"IT", "HR"};

static int parse(const struct tkt_message_source *src, bool null_sender,
                 struct tkt_buf *json)
{
    struct tkt_message_options opt = {.authserv_ids = authserv_ids,
                                      .authserv_id_count = 1,
                                      .prefixes = prefixes,
                                      .prefix_count = 2,
                                      .null_sender = null_sender};
    TKT_AUTO_BUF struct tkt_buf wire = TKT_BUF_INIT(TKT_MESSAGE_WIRE_MAX);
    struct tkt_err err = TKT_ERR_INIT;
    struct tkt_message msg;
    struct tkt_message again;

    tkt_message_limits_default(&opt.limits);
    if (tkt_message_parse(src, &opt, &msg, &err) < 0) {
        fprintf(stderr, "%s\n", err.text);
        return -1;
    }
    /* What ticketd sees is what came through the codec. */
    int rc = tkt_message_encode(&msg, &wire);
    tkt_message_release(&msg);
    if (rc < 0 || tkt_message_decode(wire.data, wire.len, &again, &err) < 0) {
        fprintf(stderr, "codec: %s\n", err.text);
        return -1;
    }
    rc = tkt_message_json(&again, 0, json);
    tkt_buf_addc(json, '\n');
    tkt_message_release(&again);
    return rc;
}

/* From memory and from the file: both must say the same. */
static int read_message(const char *path, struct tkt_buf *json)
{
    TKT_AUTO_BUF struct tkt_buf raw = TKT_BUF_INIT(64 * 1024 * 1024);
    TKT_AUTO_BUF struct tkt_buf second = TKT_BUF_INIT(json->max);
    TKT_AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool null_sender = strstr(path, ".null-sender.") != NULL;

    if (fd < 0 || tkt_read_fd(fd, &raw, NULL) < 0) {
        fprintf(stderr, "%s: cannot be read\n", path);
        return -1;
    }
    struct tkt_message_source memory = {
        .data = tkt_buf_str(&raw), .fd = -1, .size = raw.len};
    struct tkt_message_source file = {.data = NULL, .fd = fd, .size = raw.len};
    if (parse(&memory, null_sender, json) < 0 || parse(&file, null_sender, &second) < 0) {
        return -1;
    }
    if (strcmp(tkt_buf_str(json), tkt_buf_str(&second)) != 0) {
        fprintf(stderr, "%s: memory and file differ\n", path);
        return -1;
    }
    return 0;
}

static void show_difference(const char *want_path, const char *got)
{
    char got_path[] = "/tmp/golden.XXXXXX";
    char command[1024];
    int fd = mkstemp(got_path);

    if (fd >= 0) {
        (void)tkt_write_full(fd, got, strlen(got), NULL); /* for the eye only */
        close(fd);
        snprintf(command, sizeof(command), "diff -u '%s' '%s' >&2", want_path, got_path);
        (void)!system(command); /* same */
        unlink(got_path);
    }
}

static int check(const char *path, bool write)
{
    TKT_AUTO_BUF struct tkt_buf got = TKT_BUF_INIT(64 * 1024 * 1024);
    TKT_AUTO_BUF struct tkt_buf want = TKT_BUF_INIT(64 * 1024 * 1024);
    char json_path[512];
    size_t stem = strlen(path) - strlen(".eml");

    if (read_message(path, &got) < 0) {
        return -1;
    }
    snprintf(json_path, sizeof(json_path), "%.*s.json", (int)stem, path);
    if (write) {
        return tkt_replace_file(json_path, got.data, got.len, 0644, NULL);
    }
    if (tkt_read_file(json_path, &want, NULL) < 0 ||
        strcmp(tkt_buf_str(&want), tkt_buf_str(&got)) != 0) {
        show_difference(json_path, tkt_buf_str(&got));
        return -1;
    }
    return 0;
}

int main(int argc, char **argv)
{
    bool write = argc > 1 && strcmp(argv[1], "--write") == 0;
    char pattern[512];
    glob_t files = {0};
    int bad = 0;
    struct tkt_err err = TKT_ERR_INIT;

    if (tkt_message_parser_init(&err) < 0) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    const char *srcdir = getenv("TKT_SRCDIR");
    snprintf(pattern, sizeof(pattern), "%s/tests/golden/*.eml", srcdir ? srcdir : ".");
    int first = write ? 2 : 1;
    for (int i = first; i < argc; i++) {
        bad += check(argv[i], write) < 0;
    }
    if (first >= argc && glob(pattern, 0, NULL, &files) == 0) {
        for (size_t i = 0; i < files.gl_pathc; i++) {
            int rc = check(files.gl_pathv[i], write);
            printf("%s %s\n", rc == 0 ? "ok" : "FAILED", files.gl_pathv[i]);
            bad += rc < 0;
        }
        bad += files.gl_pathc < 20; /* an empty folder is no success */
    }
    globfree(&files);
    return bad == 0 ? 0 : 1;
}
