/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketd/llm/learned.h"

#include "base/log.h"
#include "base/util.h"
#include "decide/model.h"
#include "ticketd/llm/llm.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void tell_version(const struct tkt_model *m, char *version, size_t size)
{
    cJSON *about = cJSON_Parse(tkt_model_about(m));
    const char *date =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(about, "date"));

    snprintf(version, size, "%s%s%.10s", tkt_model_version(m),
             date && *date ? " of " : "", date ? date : "");
    cJSON_Delete(about);
}

/* A label with a colon would be one with an explanation; "unknown" is always there. */
static bool can_be_asked(const char *label)
{
    return *label && strlen(label) <= TKT_LLM_LABEL_MAX && !strchr(label, ':') &&
           strcmp(label, "unknown") != 0;
}

static int copy_labels(const struct tkt_model *m, struct tkt_conf_list *out,
                       struct tkt_err *err)
{
    size_t n = tkt_model_label_count(m, TKT_HEAD_CATEGORY);
    size_t left_out = 0;

    if (n > TKT_LEARNED_CATEGORIES_MAX) {
        tkt_log(TKT_LOG_WARNING, NULL, "llm.categories", "why",
                "the learned model has more than 200: name some in llm.categories", NULL);
        return 0;
    }
    char **items = calloc(n + 1, sizeof(*items));
    if (!items) {
        return tkt_err_set(err, TKT_ERR_TEMP, "model: no memory");
    }
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        const char *label = tkt_model_label(m, TKT_HEAD_CATEGORY, i);

        if (!can_be_asked(label)) {
            left_out++;
        } else if ((items[count] = strdup(label))) {
            count++;
        }
    }
    free(out->items);
    out->items = items;
    out->count = count;
    if (left_out > 0) {
        tkt_log(TKT_LOG_NOTICE, NULL, "llm.categories", "left_out", TKT_NUM(left_out),
                NULL);
    }
    return count + left_out == n ? 0 : tkt_err_set(err, TKT_ERR_TEMP, "model: no memory");
}

int tkt_learned_read(struct tkt_conf *conf, char *version, size_t size,
                     struct tkt_err *err)
{
    *version = '\0';
    if (!*conf->model.file) {
        return 0;
    }
    struct tkt_model *m = tkt_model_open(conf->model.file, err);
    if (!m) {
        return tkt_err_prefix(err, "model");
    }
    tell_version(m, version, size);
    int rc = 0;
    if (*conf->llm.url && conf->llm.categories.count == 0) {
        rc = copy_labels(m, &conf->llm.categories, err);
    }
    tkt_model_close(&m);
    return rc;
}
