/* SPDX-License-Identifier: BSD-2-Clause */
/* first: Dovecot has a bool of its own */
#include "sieve-ext/compat.h"

#include "sieve-ext/ticket-head.h"
#include "sieve-ext/ticket-tmp.h"

#include "istream.h"
#include "mail-storage.h"
#include "message-size.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

static int write_all(int fd, const void *data, size_t n, struct tkt_err *err)
{
    const char *at = data;

    while (n > 0) {
        ssize_t got = write(fd, at, n);

        if (got < 0 && errno != EINTR) {
            return tkt_err_errno(err, TKT_ERR_TEMP, "write a copy of the message");
        }
        if (got > 0) {
            at += got;
            n -= (size_t)got;
        }
    }
    return 0;
}

/* What is in memory so far goes on in a file. */
static int move_to_file(int *fd, const char *temp_dir, uoff_t size, struct tkt_err *err)
{
    int file =
        open(temp_dir != NULL ? temp_dir : "/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    char block[65536];

    if (file < 0) {
        return 0; /* a filesystem without such files: memory has to do */
    }
    for (uoff_t at = 0; at < size;) {
        ssize_t got = pread(*fd, block, sizeof(block), (off_t)at);

        if (got <= 0 || write_all(file, block, (size_t)got, err) < 0) {
            i_close_fd(&file);
            return got <= 0 ? tkt_err_set(err, TKT_ERR_TEMP, "copy is cut") : -1;
        }
        at += (uoff_t)got;
    }
    i_close_fd(fd);
    *fd = file;
    return 0;
}

static int copy(int *fd, const char *temp_dir, uoff_t have, struct istream *input,
                struct tkt_err *err)
{
    const unsigned char *data;
    bool in_memory = true;
    size_t n;
    int rc;

    while ((rc = i_stream_read_more(input, &data, &n)) > 0) {
        if (in_memory && have + n > TKT_SIEVE_MEMORY_MAX) {
            in_memory = false;
            if (move_to_file(fd, temp_dir, have, err) < 0) {
                return -1;
            }
        }
        if (write_all(*fd, data, n, err) < 0) {
            return -1;
        }
        have += n;
        i_stream_skip(input, n);
    }
    if (input->stream_errno != 0) {
        return tkt_err_set(err, TKT_ERR_TEMP, "read the message: %s",
                           i_stream_get_error(input));
    }
    return 0;
}

int tkt_sieve_tmp_copy(const char *temp_dir, const char *head, size_t head_len,
                       struct istream *input, struct tkt_err *err)
{
    int fd = memfd_create("ticket", MFD_CLOEXEC);

    if (fd < 0) {
        return tkt_err_errno(err, TKT_ERR_TEMP, "memory for a copy of the message");
    }
    if (write_all(fd, head, head_len, err) < 0 ||
        copy(&fd, temp_dir, head_len, input, err) < 0 || lseek(fd, 0, SEEK_SET) < 0) {
        i_close_fd(&fd);
        return -1;
    }
    return fd;
}

int tkt_sieve_head_read(struct mail *mail, struct tkt_buf *out, bool *is_cut,
                        struct tkt_err *err)
{
    struct message_size head;
    struct istream *input;
    const unsigned char *data;
    size_t want;
    size_t n;

    if (mail_get_stream(mail, &head, NULL, &input) < 0) {
        return tkt_err_set(err, TKT_ERR_TEMP, "the header cannot be read");
    }
    *is_cut = head.physical_size > out->max;
    want = I_MIN(head.physical_size, out->max);
    i_stream_seek(input, 0);
    while (out->len < want && i_stream_read_more(input, &data, &n) > 0) {
        n = I_MIN(n, want - out->len);
        if (tkt_buf_add(out, data, n) < 0) {
            return tkt_err_set(err, TKT_ERR_TEMP, "no memory for the header");
        }
        i_stream_skip(input, n);
    }
    if (input->stream_errno != 0) {
        return tkt_err_set(err, TKT_ERR_TEMP, "read the header: %s",
                           i_stream_get_error(input));
    }
    if (*is_cut) {
        out->len = tkt_sieve_head_whole(tkt_buf_str(out), out->len);
    }
    return 0;
}
