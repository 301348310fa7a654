/* SPDX-License-Identifier: BSD-2-Clause
 * TNEF and the RTF in it: any bytes end; no more files than the cap, each begun and ended
 * once, with a path below ours, and no more content than there was input.
 */
#include "base/enc.h"
#include "base/util.h"
#include "message/charset.h"
#include "message/rtf.h"
#include "message/tnef.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
    size_t begun;
    size_t ended;
    uint64_t bytes[TKT_TNEF_DEPTH_MAX + 2];
    size_t open;
    size_t size;
};

static bool enter(void *arg, const char *path)
{
    (void)arg;
    (void)path;
    return true;
}

static void *begin(void *arg, const char *path)
{
    struct seen *s = arg;

    if (strncmp(path, "2/tnef/", 7) != 0 || s->open > TKT_TNEF_DEPTH_MAX) {
        abort();
    }
    s->begun++;
    s->bytes[s->open] = s->size;
    return &s->bytes[s->open++];
}

static int count(void *arg, const char *p, size_t n, struct tkt_err *err)
{
    uint64_t *left = arg;

    (void)p;
    (void)err;
    if (n > *left) {
        abort();
    }
    *left -= n;
    return 0;
}

static int end(void *arg, void *content, const struct tkt_entry *e, struct tkt_err *err)
{
    struct seen *s = arg;

    (void)err;
    s->ended++;
    s->open -= content != NULL ? 1 : 0;
    if (!tkt_utf8_valid(e->name, strlen(e->name)) || strchr(e->name, '\n') != NULL ||
        !tkt_utf8_valid(e->type, strlen(e->type)) ||
        !tkt_utf8_valid(e->content_id, strlen(e->content_id))) {
        abort();
    }
    return 0;
}

static void read_rtf(const void *data, size_t size)
{
    struct tkt_buf rtf = TKT_BUF_INIT(1024 * 1024);
    struct tkt_buf text = TKT_BUF_INIT(1024 * 1024);
    bool is_html = false;

    tkt_rtf_decompress(&rtf, data, size);
    tkt_rtf_text(&text, tkt_buf_str(&rtf), rtf.len, &is_html);
    if (!tkt_utf8_valid(tkt_buf_str(&text), text.len)) {
        abort();
    }
    tkt_buf_reset(&text);
    tkt_rtf_text(&text, (const char *)data, size, &is_html);
    tkt_buf_release(&rtf);
    tkt_buf_release(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tkt_message_source src = {
        .data = size == 0 ? (const void *)"" : data, .fd = -1, .size = size};
    struct tkt_part part = {.parent = -1, .end_at = size};
    struct seen seen = {.size = size};
    const struct tkt_visitor visitor = {
        .arg = &seen, .enter = enter, .begin = begin, .data = count, .end = end};
    struct tkt_tnef_text text = {.plain = TKT_BUF_INIT(4096),
                                 .html = TKT_BUF_INIT(4096),
                                 .rtf = TKT_BUF_INIT(4096)};
    struct tkt_content content;
    bool is_broken = false;

    if (tkt_charset_init(NULL) < 0 || tkt_content_open(&content, &src, &part, NULL) < 0 ||
        tkt_tnef_read(&content, "2", &visitor, &text, &is_broken, NULL) != 0 ||
        seen.begun > seen.ended || seen.open != 0) {
        abort();
    }
    tkt_content_close(&content);
    tkt_buf_release(&text.plain);
    tkt_buf_release(&text.html);
    tkt_buf_release(&text.rtf);
    read_rtf(data, size);
    return 0;
}
