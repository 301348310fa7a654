/* SPDX-License-Identifier: BSD-2-Clause */
#include "conf/suggest.h"

#include "base/util.h"

#include <stdio.h>
#include <string.h>

#define WORD_MAX 40
#define FAR 1000

/* Edits (insert, delete, replace) between two short words. */
static size_t distance(const char *a, const char *b)
{
    size_t la = strlen(a);
    size_t lb = strlen(b);
    size_t row[WORD_MAX + 1];

    if (la > WORD_MAX || lb > WORD_MAX) {
        return FAR;
    }
    for (size_t j = 0; j <= lb; j++) {
        row[j] = j;
    }
    for (size_t i = 1; i <= la; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= lb; j++) {
            size_t replace = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
            diagonal = row[j];
            row[j] = TKT_MIN(replace, TKT_MIN(row[j], row[j - 1]) + 1);
        }
    }
    return row[lb];
}

/* Near enough to be a slip of the fingers. */
static bool is_near(size_t edits, const char *word)
{
    return edits <= 1 + strlen(word) / 4;
}

static const char *nearest_key(const struct tkt_conf_section *section, const char *key)
{
    const char *best = NULL;
    size_t best_edits = FAR;

    for (size_t i = 0; i < section->row_count; i++) {
        size_t edits = distance(key, section->rows[i].key);
        if (edits < best_edits) {
            best_edits = edits;
            best = section->rows[i].key;
        }
    }
    return best != NULL && is_near(best_edits, key) ? best : NULL;
}

void tkt_conf_suggest_key(const struct tkt_conf_section *section, const char *key,
                          char *out, size_t n)
{
    for (size_t i = 0; i < TKT_CONF_SECTIONS; i++) {
        const struct tkt_conf_section *other = &tkt_conf_sections[i];
        if (other != section && tkt_conf_row_find(other, key) != NULL) {
            snprintf(out, n, "it belongs %s%s",
                     i == TKT_CONF_TOP ? "outside" : "in section ",
                     i == TKT_CONF_TOP ? " of all sections" : other->name);
            return;
        }
    }
    const char *near = nearest_key(section, key);
    if (near != NULL) {
        snprintf(out, n, "did you mean %s?", near);
    } else {
        snprintf(out, n, "see ticket-milter.conf(5) for what is");
    }
}

void tkt_conf_suggest_section(const char *name, char *out, size_t n)
{
    const char *best = NULL;
    size_t best_edits = FAR;

    for (size_t i = 0; i < TKT_CONF_SECTIONS; i++) {
        size_t edits = distance(name, tkt_conf_sections[i].name);
        if (i != TKT_CONF_TOP && edits < best_edits) {
            best_edits = edits;
            best = tkt_conf_sections[i].name;
        }
    }
    if (best != NULL && is_near(best_edits, name)) {
        snprintf(out, n, "did you mean %s?", best);
    } else {
        snprintf(out, n, "see ticket-milter.conf(5) for what is");
    }
}
