/* SPDX-License-Identifier: BSD-2-Clause */
#include "message/tail.h"

#include "base/util.h"

#include <stdio.h>
#include <string.h>

struct line {
    const char *at; /* without blanks at its ends */
    size_t len;
    const char *start; /* of the whole line */
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* The last line before *end that is not blank; *end becomes its start. */
static bool line_before(const char *text, const char **end, struct line *out)
{
    while (*end > text) {
        const char *stop = *end;
        const char *start;

        if (stop[-1] == '\n') {
            stop--;
        }
        for (start = stop; start > text && start[-1] != '\n'; start--) {
        }
        *end = start;
        out->start = start;
        while (start < stop && is_blank(*start)) {
            start++;
        }
        while (stop > start && is_blank(stop[-1])) {
            stop--;
        }
        if (stop > start) {
            out->at = start;
            out->len = (size_t)(stop - start);
            return true;
        }
    }
    return false;
}

/* The lines of the tail, last first; at most max. */
static size_t find_tail(const char *text, size_t max, struct line *lines)
{
    const char *end = text + strlen(text);
    size_t count = 0;
    struct line first;

    while (count < max && line_before(text, &end, &lines[count]) &&
           lines[count].len <= TKT_TAIL_LINE_MAX && lines[count].at[0] != '>') {
        count++;
    }
    /* What stands before all of them is what the person wrote. */
    if (count > 0) {
        end = lines[count - 1].start;
        count -= line_before(text, &end, &first) ? 0 : 1;
    }
    return count;
}

size_t tkt_tail_hash(const char *text, uint64_t out[TKT_TAIL_LINES_MAX])
{
    struct line lines[TKT_TAIL_LINES_MAX];
    size_t count = find_tail(text, TKT_TAIL_LINES_MAX, lines);
    uint64_t h = UINT64_C(1469598103934665603);

    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < lines[i].len; k++) {
            h = (h ^ (unsigned char)lines[i].at[k]) * UINT64_C(1099511628211);
        }
        h = (h ^ '\n') * UINT64_C(1099511628211);
        out[i] = h;
    }
    return count;
}

int tkt_tail_read(struct tkt_message *msg)
{
    uint64_t hashes[TKT_TAIL_LINES_MAX];
    size_t count = tkt_tail_hash(msg->reply_text, hashes);
    struct tkt_strings *list = &msg->tail_hashes;

    *list = (struct tkt_strings){NULL, 0};
    if (count == 0) {
        return 0;
    }
    list->items = tkt_wire_arena_alloc(&msg->arena, count * sizeof(*list->items));
    if (list->items == NULL) {
        return -1;
    }
    for (size_t i = 0; i < count; i++) {
        char text[17];

        snprintf(text, sizeof(text), "%016llx", (unsigned long long)hashes[i]);
        list->items[i] = tkt_wire_arena_strdup(&msg->arena, text, 16);
        if (list->items[i] == NULL) {
            return -1;
        }
        list->count++;
    }
    return 0;
}

int tkt_tail_cut(struct tkt_message *msg, unsigned lines)
{
    struct line tail[TKT_TAIL_LINES_MAX];
    size_t want = TKT_MIN((size_t)lines, (size_t)TKT_TAIL_LINES_MAX);
    size_t count = find_tail(msg->reply_text, want, tail);

    if (count == 0) {
        return 0;
    }
    size_t at = (size_t)(tail[count - 1].start - msg->reply_text);
    const char *cut = msg->reply_text + at;
    size_t cut_len = strlen(cut);
    size_t old_len = strlen(msg->signature);
    bool gap = cut_len > 0 && cut[cut_len - 1] != '\n' && old_len > 0;
    char *reply = tkt_wire_arena_strdup(&msg->arena, msg->reply_text, at);
    char *signature = tkt_wire_arena_alloc(&msg->arena, cut_len + gap + old_len + 1);

    if (reply == NULL || signature == NULL) {
        return -1;
    }
    memcpy(signature, cut, cut_len);
    signature[cut_len] = '\n';
    memcpy(signature + cut_len + gap, msg->signature, old_len + 1);
    msg->reply_text = reply;
    msg->signature = signature;
    return 0;
}
