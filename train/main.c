/* SPDX-License-Identifier: BSD-2-Clause
 * ticket-train: learns a model of what ticketctl gives it (train/protocol.h).
 */
#include "base/fs.h"
#include "base/util.h"
#include "train/protocol.h"

#include "ticket_config.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

static int fail(const struct tkt_err *err)
{
    (void)fprintf(stderr, "%s\n", err->text);
    return err->class == TKT_ERR_TEMP ? EX_TEMPFAIL : EX_DATAERR;
}

/* The string of n bytes at *at, whose NUL stands before end; or NULL. */
static const char *take(const char **at, const char *end, uint32_t n)
{
    const char *s = *at;

    if ((size_t)(end - s) <= n || s[n] != '\0' || strlen(s) != n) {
        return NULL;
    }
    *at = s + n + 1;
    return s;
}

static int take_records(const char *at, const char *end, size_t count,
                        struct tkt_learn_record *out)
{
    for (size_t i = 0; i < count; i++) {
        struct tkt_train_record r;
        if ((size_t)(end - at) < sizeof(r)) {
            return -1;
        }
        memcpy(&r, at, sizeof(r));
        at += sizeof(r);
        out[i].subject = take(&at, end, r.subject);
        out[i].text = out[i].subject == NULL ? NULL : take(&at, end, r.text);
        if (out[i].text == NULL) {
            return -1;
        }
        for (int h = 0; h < TKT_HEAD_COUNT; h++) {
            out[i].labels[h] = take(&at, end, r.labels[h]);
            if (out[i].labels[h] == NULL) {
                return -1;
            }
        }
    }
    return at == end ? 0 : -1;
}

static int learn(const struct tkt_buf *in, struct tkt_buf *out, struct tkt_err *err)
{
    struct tkt_train_head head;

    if (in->len < sizeof(head)) {
        return tkt_err_set(err, TKT_ERR_BUG, "ticketctl gave nothing to learn from");
    }
    memcpy(&head, in->data, sizeof(head));
    head.date[sizeof(head.date) - 1] = '\0';
    head.options.date = head.date;
    if (head.magic != TKT_TRAIN_MAGIC || head.count > TKT_LEARN_RECORDS_MAX) {
        return tkt_err_set(err, TKT_ERR_BUG, "ticketctl is of another build");
    }
    TKT_AUTO_FREE struct tkt_learn_record *records =
        calloc(head.count + 1, sizeof(*records));
    if (records == NULL) {
        return tkt_err_set(err, TKT_ERR_TEMP, "out of memory");
    }
    if (take_records(in->data + sizeof(head), in->data + in->len, head.count, records) <
        0) {
        return tkt_err_set(err, TKT_ERR_BUG, "the records are cut short");
    }
    return tkt_learn(records, head.count, &head.options, out, err);
}

int main(void)
{
    TKT_AUTO_BUF struct tkt_buf in = TKT_BUF_INIT(TKT_TRAIN_DATA_MAX);
    TKT_AUTO_BUF struct tkt_buf out = TKT_BUF_INIT(TKT_MODEL_FILE_MAX);
    struct tkt_err err = TKT_ERR_INIT;

    if (isatty(TKT_TRAIN_IN) || isatty(TKT_TRAIN_OUT)) {
        (void)fprintf(stderr,
                      "ticket-train %s: learns a model. Started by ticketctl only: "
                      "ticketctl model train --out MODEL FILE...\n",
                      PACKAGE_VERSION);
        return EX_USAGE;
    }
    if (tkt_read_fd(TKT_TRAIN_IN, &in, &err) < 0 || learn(&in, &out, &err) < 0 ||
        tkt_write_full(TKT_TRAIN_OUT, out.data, out.len, &err) < 0) {
        return fail(&err);
    }
    return 0;
}
