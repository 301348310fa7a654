/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketctl/sample.h"

#include "base/util.h"
#include "ticketctl/out.h"

#include <endian.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>

#define PORTION 256

static void end_portion(struct tkt_ctl_samples *s)
{
    if (s->portion != NULL) {
        (void)munmap(s->portion, s->size); /* our own mapping: cannot fail */
        s->portion = NULL;
    }
    s->size = s->at = 0;
}

static int map_portion(struct tkt_ctl_samples *s, int fd)
{
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0) {
        return tkt_ctl_fail(EX_PROTOCOL, "ticketd's answer has no data");
    }
    if (st.st_size == 0) {
        return 0;
    }
    void *data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (data == MAP_FAILED) {
        return tkt_ctl_fail(EX_OSERR, "out of memory");
    }
    s->portion = data;
    s->size = (size_t)st.st_size;
    return 0;
}

static int fetch(struct tkt_ctl_samples *s)
{
    char since[24];
    char until[24];
    char limit[24];
    struct tkt_control_reply reply;

    snprintf(since, sizeof since, "%lld", (long long)s->since_ms);
    snprintf(until, sizeof until, "%lld", (long long)s->until_ms);
    snprintf(limit, sizeof limit, "%lld", (long long)TKT_MIN(s->limit, PORTION));
    struct tkt_ctl_pair pairs[] = {
        {"id", s->id},       {"desk", s->desk},   {"after", s->begun ? s->next : NULL},
        {"since_ms", since}, {"until_ms", until}, {"limit", limit}};
    end_portion(s);
    int rc = tkt_ctl_call(s->ctl, "sample", pairs, TKT_ARRAY_LEN(pairs), -1,
                          TKT_CTL_TIMEOUT_LONG_MS, &reply);
    if (rc != 0) {
        return rc;
    }
    s->begun = true;
    snprintf(s->next, sizeof s->next, "%.23s", reply.text);
    rc = map_portion(s, reply.fd);
    tkt_control_reply_release(&reply);
    return rc;
}

/* Of the week, Monday 00:00 = 0, on this host's calendar, as ticketd has it. */
static int32_t minute_of(int64_t at_s)
{
    time_t at = (time_t)at_s;
    struct tm tm;

    if (localtime_r(&at, &tm) == NULL) {
        return 0;
    }
    return ((tm.tm_wday + 6) % 7 * 24 + tm.tm_hour) * 60 + tm.tm_min;
}

static void fill(struct tkt_ctl_samples *s, const char *raw, size_t len,
                 struct tkt_ctl_sample *out)
{
    const cJSON *h = s->head;
    const cJSON *envelope = cJSON_GetObjectItemCaseSensitive(h, "envelope");
    const cJSON *record = cJSON_GetObjectItemCaseSensitive(h, "record");
    double tail = tkt_ctl_num(h, "tail");

    *out = (struct tkt_ctl_sample){
        .message = (int64_t)tkt_ctl_num(h, "message"),
        .at_ms = (int64_t)tkt_ctl_num(h, "at_ms"),
        .decided_ms = (int64_t)tkt_ctl_num(h, "decided_ms"),
        .record = cJSON_IsObject(record) ? record : NULL,
        .is_skipped = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(h, "skipped"))};
    const char *login = tkt_ctl_str(envelope, "auth_login");
    out->mail = (struct tkt_ctl_rerun_mail){
        .raw = raw,
        .len = len,
        .desk = tkt_ctl_str(h, "desk"),
        .ticket_id = tkt_ctl_str(h, "id"),
        .ticket = (int64_t)tkt_ctl_num(h, "ticket"),
        .is_first = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(h, "first")),
        .tail_lines = tail > 0 && tail < 256 ? (unsigned)tail : 0,
        .at_s = out->at_ms / 1000,
        .minute = minute_of(out->at_ms / 1000),
        .null_sender = tkt_ctl_str(envelope, "sender")[0] == '\0',
        .login = login[0] != '\0' ? login : tkt_ctl_str(envelope, "tls_subject"),
        .client = tkt_ctl_str(envelope, "client_addr")};
}

static int take_frame(struct tkt_ctl_samples *s, struct tkt_ctl_sample *out)
{
    uint32_t lens[2];
    size_t left = s->size - s->at;

    if (left < sizeof lens) {
        return tkt_ctl_fail(EX_PROTOCOL, "ticketd's answer ends too early");
    }
    memcpy(lens, s->portion + s->at, sizeof lens);
    uint64_t head = be32toh(lens[0]);
    uint64_t raw = be32toh(lens[1]);
    if (head + raw > left - sizeof lens) {
        return tkt_ctl_fail(EX_PROTOCOL, "ticketd's answer ends too early");
    }
    const char *data = s->portion + s->at + sizeof lens;
    cJSON_Delete(s->head);
    s->head = cJSON_ParseWithLength(data, (size_t)head);
    if (!cJSON_IsObject(s->head)) {
        return tkt_ctl_fail(EX_PROTOCOL, "ticketd's answer is no JSON");
    }
    s->at += sizeof lens + (size_t)(head + raw);
    fill(s, data + head, (size_t)raw, out);
    return 0;
}

int tkt_ctl_samples_next(struct tkt_ctl_samples *s, struct tkt_ctl_sample *out, int *code)
{
    if (s->limit <= 0) {
        return 0;
    }
    /* A portion may be empty although there is more: its mails were erased meanwhile. */
    while (s->at == s->size) {
        if (s->begun && s->next[0] == '\0') {
            return 0;
        }
        *code = fetch(s);
        if (*code != 0) {
            return -1;
        }
    }
    s->limit--;
    *code = take_frame(s, out);
    return *code == 0 ? 1 : -1;
}

void tkt_ctl_samples_release(struct tkt_ctl_samples *s)
{
    end_portion(s);
    cJSON_Delete(s->head);
    s->head = NULL;
}
