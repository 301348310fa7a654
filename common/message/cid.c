/* SPDX-License-Identifier: BSD-2-Clause */
#include "message/cid.h"

#include "base/enc.h"
#include "base/util.h"
#include "message/body.h"
#include "message/content.h"

#include <string.h>

#define NAME_MAX_BYTES 998

struct finder {
    struct tkt_cids *cids;
    size_t matched; /* of "cid:" */
    bool is_in_name;
    size_t len;
    char name[NAME_MAX_BYTES + 1];
};

static bool ends_name(char c)
{
    return (unsigned char)c <= ' ' || strchr("\"'<>)(\\;", c) != NULL;
}

/* "%40" and its like are undone: it is a URL. */
static void keep_name(struct finder *f)
{
    struct tkt_cids *c = f->cids;

    f->is_in_name = false;
    f->name[f->len] = '\0';
    long n = tkt_percent_decode(f->name, f->len);
    if (n < 0) {
        n = (long)f->len;
    }
    if (n == 0 || c->count == TKT_CIDS_MAX || memchr(f->name, '\0', (size_t)n) != NULL) {
        return;
    }
    tkt_buf_add(&c->names, f->name, (size_t)n);
    tkt_buf_add(&c->names, "", 1);
    c->count += c->names.failed ? 0 : 1;
}

static int find(void *arg, const char *p, size_t n, struct tkt_err *err)
{
    static const char word[] = "cid:";
    struct finder *f = arg;

    (void)err;
    for (size_t i = 0; i < n; i++) {
        if (f->is_in_name) {
            if (ends_name(p[i])) {
                keep_name(f);
            } else if (f->len < NAME_MAX_BYTES) {
                f->name[f->len++] = p[i];
            }
            continue;
        }
        char c = p[i] >= 'A' && p[i] <= 'Z' ? (char)(p[i] | 0x20) : p[i];
        f->matched = c == word[f->matched] ? f->matched + 1 : c == word[0] ? 1 : 0;
        if (f->matched == sizeof(word) - 1) {
            f->matched = 0;
            f->len = 0;
            f->is_in_name = true;
        }
    }
    return f->cids->count == TKT_CIDS_MAX;
}

int tkt_cids_read(struct tkt_cids *c, const struct tkt_message_source *src,
                  const struct tkt_scan *scan, struct tkt_err *err)
{
    struct finder f = {.cids = c};

    if (c->is_read) {
        return 0;
    }
    c->is_read = true;
    tkt_buf_init(&c->names, (size_t)TKT_CIDS_MAX * (NAME_MAX_BYTES + 1));
    for (size_t i = 0; i < scan->part_count; i++) {
        if (!tkt_body_is_text(scan, i) ||
            strcmp(tkt_part_type(&scan->parts[i]), "text/html") != 0) {
            continue;
        }
        f.matched = 0;
        f.is_in_name = false;
        if (tkt_content_walk(src, &scan->parts[i], find, &f, err) < 0) {
            return -1;
        }
    }
    return 0;
}

bool tkt_cids_has(const struct tkt_cids *c, const char *content_id)
{
    const char *p = tkt_buf_str(&c->names);
    const char *end = p + c->names.len;

    for (; p < end; p += strlen(p) + 1) {
        if (strcmp(p, content_id) == 0) {
            return true;
        }
    }
    return false;
}

void tkt_cids_release(struct tkt_cids *c)
{
    tkt_buf_release(&c->names);
    c->is_read = false;
}
