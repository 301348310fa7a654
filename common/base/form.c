/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/form.h"

#include "base/enc.h"

#include <stdlib.h>
#include <string.h>

/* In place, as the text gets no longer. False: it is broken. */
static bool decode(char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        text[i] = text[i] == '+' ? ' ' : text[i];
    }
    long n = tkt_percent_decode(text, len);
    if (n < 0 || memchr(text, '\0', (size_t)n) != NULL) {
        return false;
    }
    text[n] = '\0';
    return true;
}

static bool take_pair(char *text, size_t len, struct tkt_form_pair *out)
{
    char *equals = memchr(text, '=', len);
    size_t name_len = equals == NULL ? len : (size_t)(equals - text);
    char *value = equals == NULL ? text + len : equals + 1;
    size_t value_len = equals == NULL ? 0 : len - name_len - 1;

    /* The byte behind each is '=', '&' or the end's NUL: it may be overwritten. */
    if (!decode(value, value_len) || !decode(text, name_len)) {
        return false;
    }
    *out = (struct tkt_form_pair){.name = text,
                                  .value = equals == NULL ? "" : (const char *)value};
    return true;
}

static int fill(struct tkt_form *form, size_t len, size_t max, struct tkt_err *err)
{
    for (size_t at = 0; at < len;) {
        char *text = form->room + at;
        const char *end = memchr(text, '&', len - at);
        size_t n = end == NULL ? len - at : (size_t)(end - text);

        at += n + 1;
        if (n == 0) {
            continue;
        }
        if (form->count == max) {
            return tkt_err_set(err, TKT_ERR_PERM, "a form of more than %zu fields", max);
        }
        if (!take_pair(text, n, &form->pairs[form->count])) {
            return tkt_err_set(err, TKT_ERR_PERM, "it is no form");
        }
        form->count++;
    }
    return 0;
}

int tkt_form_parse(const void *body, size_t len, size_t max, struct tkt_form *out,
                   struct tkt_err *err)
{
    struct tkt_form form = {.pairs = calloc(max + 1, sizeof(*form.pairs)),
                            .room = malloc(len + 1)};
    int rc = form.pairs == NULL || form.room == NULL
                 ? tkt_err_set(err, TKT_ERR_TEMP, "no memory")
                 : 0;

    if (rc == 0) {
        if (len > 0) {
            memcpy(form.room, body, len);
        }
        form.room[len] = '\0';
        rc = memchr(form.room, '\0', len) != NULL
                 ? tkt_err_set(err, TKT_ERR_PERM, "it is no form")
                 : fill(&form, len, max, err);
    }
    if (rc < 0) {
        tkt_form_release(&form);
    } else {
        *out = form;
    }
    return rc;
}

void tkt_form_release(struct tkt_form *form)
{
    free(form->pairs);
    free(form->room);
    *form = (struct tkt_form){0};
}

const char *tkt_form_get(const struct tkt_form *form, const char *name)
{
    for (size_t i = 0; i < form->count; i++) {
        if (strcmp(form->pairs[i].name, name) == 0) {
            return form->pairs[i].value;
        }
    }
    return NULL;
}
