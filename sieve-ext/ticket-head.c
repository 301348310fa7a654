/* SPDX-License-Identifier: BSD-2-Clause */
#include "sieve-ext/ticket-head.h"

#include <string.h>
#include <strings.h>

bool tkt_sieve_next_field(const char *head, size_t n, size_t *at,
                          struct tkt_sieve_field *f)
{
    size_t i = *at;
    const char *colon;
    const char *end;

    if (i >= n || head[i] == '\n' ||
        (head[i] == '\r' && i + 1 < n && head[i + 1] == '\n')) {
        return false;
    }
    f->start = i;
    do { /* a line, and those that continue it */
        end = memchr(head + i, '\n', n - i);
        i = end == NULL ? n : (size_t)(end - head) + 1;
    } while (i < n && (head[i] == ' ' || head[i] == '\t'));
    f->end = i;
    colon = memchr(head + f->start, ':', f->end - f->start);
    if (colon == NULL) { /* no field: skipped by its name */
        f->name_len = 0;
        f->value = f->start;
    } else {
        f->name_len = (size_t)(colon - head) - f->start;
        f->value = (size_t)(colon - head) + 1;
        while (f->name_len > 0 && (head[f->start + f->name_len - 1] == ' ' ||
                                   head[f->start + f->name_len - 1] == '\t')) {
            f->name_len--;
        }
    }
    f->value_len = f->end - f->value;
    if (f->value_len > 0 && head[f->value + f->value_len - 1] == '\n') {
        f->value_len--;
    }
    if (f->value_len > 0 && head[f->value + f->value_len - 1] == '\r') {
        f->value_len--;
    }
    *at = f->end;
    return true;
}

bool tkt_sieve_field_is(const char *head, const struct tkt_sieve_field *f,
                        const char *name)
{
    return f->name_len == strlen(name) &&
           strncasecmp(head + f->start, name, f->name_len) == 0;
}

/* Which fields ticketd is told of, the same when the header is read and when it is changed. */
struct teller {
    size_t told;
    size_t subjects;
};

enum kind {
    KIND_OTHER,
    KIND_TOLD,
    KIND_SURPLUS /* of ours, and one too many */
};

static bool is_ticket_field(const char *head, const struct tkt_sieve_field *f)
{
    return f->name_len >= 9 && strncasecmp(head + f->start, "X-Ticket-", 9) == 0;
}

static enum kind kind_of(struct teller *t, const char *head,
                         const struct tkt_sieve_field *f)
{
    bool is_ours = is_ticket_field(head, f);

    if (is_ours &&
        (f->name_len > TKT_SIEVE_FIELD_NAME_MAX || t->told == TKT_WIRE_FIELDS_MAX)) {
        return KIND_SURPLUS;
    }
    if (!is_ours) {
        if (!tkt_sieve_field_is(head, f, "Subject") || t->told == TKT_WIRE_FIELDS_MAX ||
            t->subjects == TKT_SIEVE_SUBJECTS_MAX) {
            return KIND_OTHER;
        }
        t->subjects++;
    }
    t->told++;
    return KIND_TOLD;
}

static char *value_of(const char *head, const struct tkt_sieve_field *f, bool fits,
                      struct tkt_wire_arena *arena)
{
    size_t len = fits ? f->value_len : 0;
    char *value = tkt_wire_arena_alloc(arena, len + 1);
    size_t n = 0;

    for (size_t i = 0; value != NULL && i < len && head[f->value + i] != '\0'; i++) {
        if (head[f->value + i] != '\r') {
            value[n++] = head[f->value + i];
        }
    }
    if (value != NULL) {
        value[n] = '\0';
    }
    return value;
}

int tkt_sieve_head_fields(const char *head, size_t n, struct tkt_wire_arena *arena,
                          struct tkt_wire_field **fields, size_t *count,
                          bool *subject_is_told)
{
    struct teller teller = {0, 0};
    struct tkt_sieve_field f;
    size_t bytes = 0;
    size_t at = 0;

    *count = 0;
    *subject_is_told = true;
    *fields = tkt_wire_arena_alloc(arena, TKT_WIRE_FIELDS_MAX * sizeof(**fields));
    while (*fields != NULL && tkt_sieve_next_field(head, n, &at, &f)) {
        bool fits = f.value_len <= TKT_WIRE_VALUE_MAX &&
                    f.value_len <= TKT_SIEVE_VALUES_MAX - bytes;

        if (kind_of(&teller, head, &f) != KIND_TOLD) {
            continue;
        }
        struct tkt_wire_field *to = &(*fields)[(*count)++];

        *to = (struct tkt_wire_field){
            .name = tkt_wire_arena_strdup(arena, head + f.start, f.name_len),
            .index = 1,
            .value = value_of(head, &f, fits, arena)};
        if (to->name == NULL || to->value == NULL) {
            return -1;
        }
        bytes += fits ? f.value_len : 0;
        *subject_is_told =
            *subject_is_told && (fits || !tkt_sieve_field_is(head, &f, "Subject"));
        for (size_t i = 0; i + 1 < *count; i++) {
            to->index += strcasecmp((*fields)[i].name, to->name) == 0;
        }
    }
    return *fields != NULL ? 0 : -1;
}

size_t tkt_sieve_head_whole(const char *head, size_t n)
{
    for (size_t i = n; i > 1; i--) {
        char c = head[i - 1];

        if (head[i - 2] == '\n' && c != ' ' && c != '\t') {
            return i - 1;
        }
    }
    return 0;
}

/* head without surplus fields, to out. */
static void strip_surplus(const char *head, size_t n, struct tkt_buf *out)
{
    struct teller teller = {0, 0};
    struct tkt_sieve_field f;
    size_t done = 0;
    size_t at = 0;

    while (tkt_sieve_next_field(head, n, &at, &f)) {
        if (kind_of(&teller, head, &f) == KIND_SURPLUS) {
            (void)tkt_buf_add(out, head + done,
                              f.start - done); /* out->failed is checked */
            done = f.end;
        }
    }
    (void)tkt_buf_add(out, head + done, n - done); /* as above */
}

/* LF folds of value in the line ends of the message. */
static void add_value(struct tkt_buf *out, const char *value, const char *line_end)
{
    for (const char *at = value; *at != '\0'; at++) {
        if (*at == '\n') {
            (void)tkt_buf_adds(out, line_end); /* out->failed is checked */
        } else if (*at != '\r') {
            (void)tkt_buf_addc(out, *at); /* as above */
        }
    }
}

static void add_field(struct tkt_buf *out, const struct tkt_wire_edit *e,
                      const char *line_end)
{
    (void)tkt_buf_adds(out, e->name); /* out->failed is checked */
    (void)tkt_buf_addc(out, ':');     /* as above */
    add_value(out, e->value, line_end);
    (void)tkt_buf_adds(out, line_end); /* as above */
}

/* One edit of in to out. */
static void apply(const char *head, size_t n, const struct tkt_wire_edit *e,
                  const char *line_end, struct tkt_buf *out)
{
    struct tkt_sieve_field f;
    size_t done = 0;
    size_t at = 0;
    unsigned seen = 0;
    bool found = false;

    if (e->kind == TKT_WIRE_INSERT) {
        add_field(out, e, line_end);
        (void)tkt_buf_add(out, head, n); /* as above */
        return;
    }
    while (!found && tkt_sieve_next_field(head, n, &at, &f)) {
        if (tkt_sieve_field_is(head, &f, e->name) && ++seen == e->index) {
            (void)tkt_buf_add(out, head, f.start); /* as above */
            if (e->kind == TKT_WIRE_CHANGE) {
                /* the name and its colon stay as they were written */
                (void)tkt_buf_add(out, head + f.start, f.value - f.start);
                add_value(out, e->value, line_end);
                (void)tkt_buf_adds(out, line_end);
            }
            done = f.end;
            found = true;
        }
    }
    if (!found && e->kind == TKT_WIRE_CHANGE) { /* as smfi_chgheader does */
        (void)tkt_buf_add(out, head, at);
        if (at > 0 && head[at - 1] != '\n') {  /* a message that ends in its header */
            (void)tkt_buf_adds(out, line_end); /* as above */
        }
        add_field(out, e, line_end);
        done = at;
    }
    (void)tkt_buf_add(out, head + done, n - done); /* as above */
}

int tkt_sieve_head_edit(const char *head, size_t n, const struct tkt_wire_edit *edits,
                        size_t count, bool keep_subject, struct tkt_buf *out)
{
    const char *first = n > 0 ? memchr(head, '\n', n) : NULL;
    const char *line_end =
        first != NULL && first > head && first[-1] == '\r' ? "\r\n" : "\n";
    struct tkt_buf before = TKT_BUF_INIT(out->max);

    strip_surplus(head, n, out);
    for (size_t i = 0; i < count && !out->failed && !before.failed; i++) {
        const struct tkt_wire_edit *e = &edits[i];

        if (e->kind == TKT_WIRE_ADDRCPT || e->kind == TKT_WIRE_DELRCPT ||
            (keep_subject && strcasecmp(e->name, "Subject") == 0)) {
            continue;
        }
        tkt_buf_reset(&before);
        (void)tkt_buf_add(&before, tkt_buf_str(out), out->len); /* as above */
        tkt_buf_reset(out);
        apply(tkt_buf_str(&before), before.len, e, line_end, out);
    }
    bool failed = out->failed || before.failed;

    tkt_buf_release(&before);
    return failed ? -1 : 0;
}
