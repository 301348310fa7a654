/* SPDX-License-Identifier: BSD-2-Clause */
#include "sieve-ext/ticket-common.h"

#include "istream.h"
#include "mail-storage.h"

#include "sieve-execute.h"
#include "sieve-interpreter.h"
#include "sieve-message.h"

#include "sieve-ext/ticket-head.h"
#include "sieve-ext/ticket-tmp.h"

/* Pigeonhole's own editor writes a field anew: it decodes, folds and encodes, and loses
 * bytes that are no UTF-8. So the message is replaced by one of our bytes. */
static int substitute(const struct sieve_runtime_env *renv, const struct tkt_buf *head,
                      struct istream *body, struct tkt_err *err)
{
    int fd = tkt_sieve_tmp_copy(renv->exec_env->svinst->temp_dir, tkt_buf_str(head),
                                head->len, body, err);
    struct istream *input;
    int rc;

    if (fd < 0) {
        return -1;
    }
    input = i_stream_create_fd_autoclose(&fd, IO_BLOCK_SIZE);
    rc = sieve_message_substitute(renv->msgctx, input);
    i_stream_unref(&input);
    return rc < 0 ? tkt_err_set(err, TKT_ERR_TEMP, "the message cannot be replaced") : 0;
}

int tkt_sieve_apply(const struct sieve_runtime_env *renv,
                    const struct tkt_wire_edit *edits, size_t count, bool keep_subject,
                    bool *state_lost)
{
    struct mail *mail = sieve_message_get_mail(renv->msgctx);
    struct tkt_buf head = TKT_BUF_INIT(TKT_SIEVE_HEAD_MAX);
    struct tkt_buf edited = TKT_BUF_INIT(4 * TKT_SIEVE_HEAD_MAX);
    struct tkt_err err = TKT_ERR_INIT;
    struct istream *input;
    bool is_cut;
    int rc = -1;

    *state_lost = false;
    if (count == 0) {
        return 0;
    }
    if (tkt_sieve_head_read(mail, &head, &is_cut, &err) < 0) {
        goto out;
    }
    if (tkt_sieve_head_edit(tkt_buf_str(&head), head.len, edits, count, keep_subject,
                            &edited) < 0) {
        tkt_err_set(&err, TKT_ERR_TEMP, "no memory for the header");
        goto out;
    }
    if (mail_get_stream(mail, NULL, NULL, &input) < 0) {
        tkt_err_set(&err, TKT_ERR_TEMP, "the message cannot be read");
        goto out;
    }
    i_stream_seek(input, head.len); /* from where it was cut, too */
    rc = substitute(renv, &edited, input, &err);
    *state_lost = rc == 0;
out:
    if (rc < 0) {
        e_error(renv->event, "ticket action: %s", err.text);
    }
    tkt_buf_release(&head);
    tkt_buf_release(&edited);
    return rc;
}
