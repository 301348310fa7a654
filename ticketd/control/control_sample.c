/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketd/control/control_sample.h"

#include "base/enc.h"
#include "base/fs.h"
#include "base/util.h"
#include "store/thread.h"
#include "ticketd/facts/envelope.h"

#include <endian.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define RECORD_MAX 65536

static void add_string(struct tkt_buf *out, const char *key, const char *value)
{
    (void)tkt_buf_addf(out, ",\"%s\":", key); /* the buffer's flag tells */
    (void)tkt_json_add_string(out, value, strlen(value));
}

static void add_json(struct tkt_buf *out, const char *key, const struct tkt_buf *json)
{
    (void)tkt_buf_addf(out, ",\"%s\":%s", key, json->len > 0 ? json->data : "null");
}

static int describe(struct tkt_control_request *req, const struct tkt_store_sample *s,
                    bool skipped, struct tkt_buf *out, struct tkt_err *err)
{
    TKT_AUTO_BUF struct tkt_buf envelope = TKT_BUF_INIT(TKT_ENVELOPE_MAX + 1);
    TKT_AUTO_BUF struct tkt_buf record = TKT_BUF_INIT(RECORD_MAX);
    TKT_AUTO_BUF struct tkt_buf logos = TKT_BUF_INIT(RECORD_MAX);
    int64_t decided_ms = 0;
    unsigned tail = 0;

    if (tkt_reader_learned(req->reader, s->message, &tail, &logos, err) < 0 ||
        tkt_reader_envelope(req->reader, s->message, &envelope, err) < 0 ||
        tkt_reader_record(req->reader, s->ticket, s->message, &record, &decided_ms, err) <
            0) {
        return -1;
    }
    (void)tkt_buf_addf(out,
                       "{\"message\":%lld,\"ticket\":%lld,\"at_ms\":%lld,\"first\":%s,"
                       "\"unverified\":%s,\"skipped\":%s,\"tail\":%u,\"decided_ms\":%lld",
                       (long long)s->message, (long long)s->ticket, (long long)s->at_ms,
                       s->is_first ? "true" : "false",
                       s->is_unverified ? "true" : "false", skipped ? "true" : "false",
                       tail, (long long)decided_ms);
    add_string(out, "id", s->id);
    add_string(out, "desk", s->desk);
    add_string(out, "state", tkt_store_state_name(s->state));
    add_json(out, "envelope", &envelope);
    add_json(out, "record", &record);
    return tkt_buf_addc(out, '}');
}

static int read_message(struct tkt_control_request *req, const struct tkt_store_sample *s,
                        struct tkt_buf *out, struct tkt_err *err)
{
    TKT_AUTO_FD int fd = -1;

    if (tkt_reader_raw(req->reader, s->message, out, &fd, err) < 0) {
        return -1;
    }
    return fd < 0 ? 0 : tkt_read_fd(fd, out, err);
}

static int add_frame(struct tkt_control_request *req, const struct tkt_store_sample *s,
                     struct tkt_err *err)
{
    TKT_AUTO_BUF struct tkt_buf head = TKT_BUF_INIT(RECORD_MAX + 2 * TKT_ENVELOPE_MAX);
    TKT_AUTO_BUF struct tkt_buf raw = TKT_BUF_INIT(TKT_CONTROL_SAMPLE_MESSAGE_MAX);
    bool skipped = s->size > TKT_CONTROL_SAMPLE_MESSAGE_MAX;
    uint32_t lens[2];

    if (!skipped && read_message(req, s, &raw, err) < 0) {
        return -1;
    }
    if (describe(req, s, skipped, &head, err) < 0 || head.failed) {
        return tkt_err_set(err, TKT_ERR_PERM, "%s: too much to tell of message %lld",
                           s->id, (long long)s->message);
    }
    lens[0] = htobe32((uint32_t)head.len);
    lens[1] = htobe32((uint32_t)raw.len);
    (void)tkt_buf_add(&req->data, lens, sizeof(lens)); /* the caller looks at failed */
    (void)tkt_buf_add(&req->data, head.data, head.len);
    return raw.len == 0 ? 0 : tkt_buf_add(&req->data, raw.data, raw.len);
}

/* A mail that is erased meanwhile is no reason to end. */
static int add_frames(struct tkt_control_request *req, const struct tkt_store_sample *all,
                      int count, int *done, struct tkt_err *err)
{
    for (*done = 0; *done < count; (*done)++) {
        const struct tkt_store_sample *s = &all[*done];
        struct tkt_err one = TKT_ERR_INIT;

        if (*done > 0 && req->data.len + (size_t)s->size > TKT_CONTROL_SAMPLE_BYTES) {
            break;
        }
        if (add_frame(req, s, &one) < 0 && one.class != TKT_ERR_PERM) {
            *err = one;
            return -1;
        }
    }
    return 0;
}

int tkt_control_sample(struct tkt_control_request *req,
                       struct tkt_store_sample_filter filter, int limit,
                       struct tkt_err *err)
{
    int max = TKT_MIN(limit, TKT_CONTROL_SAMPLE_COUNT);
    TKT_AUTO_FREE struct tkt_store_sample *all = calloc((size_t)max + 1, sizeof(*all));
    int done = 0;

    if (!all) {
        return tkt_err_set(err, TKT_ERR_TEMP, "sample: no memory");
    }
    if (filter.after < 0) {
        if (tkt_reader_first_since(req->reader, filter.since_ms, &filter.after, err) <
            0) {
            return -1;
        }
        filter.after--;
    }
    int count = tkt_reader_samples(req->reader, &filter, all, max, err);
    if (count < 0 || add_frames(req, all, count, &done, err) < 0) {
        return -1;
    }
    if (done > 0 && (done < count || count == max)) {
        snprintf(req->text, sizeof(req->text), "%lld", (long long)all[done - 1].message);
    }
    return 0;
}
