/* SPDX-License-Identifier: BSD-2-Clause
 * Runs one operation of one backend, for the contract suite:
 *
 *     itsm_drive CONF NAME OP < call.json > result.json
 *
 * call.json: {"ticket": {...}, "comment": {...}, "file": {"path", "name", "type"}}, members
 * as in itsm/itsm.h. The result: {"ok", "class", "error", "retry_after", "unsure", "seen"}.
 */
#include "base/util.h"
#include "itsm/run.h"
#include "secret/secret.h"

#include <cjson/cJSON.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define INPUT_MAX (16 * 1024 * 1024)

static const char *text(const cJSON *json, const char *name)
{
    const char *s = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, name));

    return s == NULL ? "" : s;
}

static int number(const cJSON *json, const char *name)
{
    const cJSON *n = cJSON_GetObjectItemCaseSensitive(json, name);

    return cJSON_IsNumber(n) ? n->valueint : 0;
}

static void fill_ticket(const cJSON *j, struct tkt_itsm_ticket *t)
{
    static struct tkt_field fields[16];
    static struct tkt_strings tags;
    const cJSON *f;

    *t = (struct tkt_itsm_ticket){.id = text(j, "id"),
                                  .corr = text(j, "corr"),
                                  .url = text(j, "url"),
                                  .desk = text(j, "desk"),
                                  .subject = text(j, "subject"),
                                  .text = text(j, "text"),
                                  .requester = text(j, "requester"),
                                  .requester_name = text(j, "requester_name"),
                                  .language = text(j, "language"),
                                  .type = text(j, "type"),
                                  .category = text(j, "category"),
                                  .subcategory = text(j, "subcategory"),
                                  .service = text(j, "service"),
                                  .group = text(j, "group"),
                                  .assignee = text(j, "assignee"),
                                  .state = text(j, "state"),
                                  .urgency = number(j, "urgency"),
                                  .impact = number(j, "impact"),
                                  .priority = number(j, "priority"),
                                  .created_ms = number(j, "created_s") * INT64_C(1000),
                                  .fields = fields,
                                  .tags = &tags,
                                  .external = text(j, "external"),
                                  .number = text(j, "number")};
    cJSON_ArrayForEach(f, cJSON_GetObjectItemCaseSensitive(j, "fields"))
    {
        if (t->field_count < TKT_ARRAY_LEN(fields) && cJSON_IsString(f)) {
            fields[t->field_count++] = (struct tkt_field){f->string, f->valuestring};
        }
    }
}

static void print(const struct tkt_itsm_call *call, const struct tkt_itsm_result *r)
{
    const struct tkt_itsm_seen *s = &call->seen;
    cJSON *out = cJSON_CreateObject();
    cJSON *seen = cJSON_AddObjectToObject(out, "seen");
    cJSON *notes = cJSON_AddArrayToObject(seen, "notes");
    cJSON *files = cJSON_AddArrayToObject(seen, "files");
    const struct {
        const char *name, *value;
    } rows[] = {
        {"external", s->external}, {"number", s->number},   {"url", s->url},
        {"state", s->state},       {"group", s->group},     {"assignee", s->assignee},
        {"priority", s->priority}, {"changed", s->changed}, {"told", s->told}};

    cJSON_AddBoolToObject(out, "ok", r->err.class == TKT_ERR_NONE);
    cJSON_AddNumberToObject(out, "class", r->err.class);
    cJSON_AddStringToObject(out, "error", r->err.text);
    cJSON_AddNumberToObject(out, "retry_after", r->err.retry_after_s);
    cJSON_AddBoolToObject(out, "unsure", r->unsure);
    cJSON_AddBoolToObject(out, "unauthorized", r->unauthorized);
    for (size_t i = 0; i < TKT_ARRAY_LEN(rows); i++) {
        cJSON_AddStringToObject(seen, rows[i].name, rows[i].value ? rows[i].value : "");
    }
    for (size_t i = 0; i < s->note_count; i++) {
        cJSON *n = cJSON_CreateObject();
        cJSON_AddStringToObject(n, "id", s->notes[i].id);
        cJSON_AddStringToObject(n, "author", s->notes[i].author);
        cJSON_AddStringToObject(n, "text", s->notes[i].text);
        cJSON_AddStringToObject(n, "at", s->notes[i].at);
        cJSON_AddBoolToObject(n, "public", s->notes[i].is_public);
        cJSON_AddItemToArray(notes, n);
    }
    for (size_t i = 0; i < s->file_count; i++) {
        cJSON_AddItemToArray(files, cJSON_CreateString(s->files[i]));
    }
    char *json = cJSON_PrintUnformatted(out);
    puts(json);
    free(json);
    cJSON_Delete(out);
}

static int die(const char *what, const struct tkt_err *err)
{
    fprintf(stderr, "itsm_drive: %s%s%s\n", what, err ? ": " : "", err ? err->text : "");
    return 2;
}

static int open_file(const cJSON *j, struct tkt_itsm_file *file)
{
    struct stat st;

    *file = (struct tkt_itsm_file){
        .name = text(j, "name"), .type = text(j, "type"), .fd = -1};
    if (j == NULL) {
        return 0;
    }
    file->fd = open(text(j, "path"), O_RDONLY | O_CLOEXEC);
    if (file->fd < 0 || fstat(file->fd, &st) < 0) {
        return -1;
    }
    file->size = st.st_size;
    return 0;
}

static const struct tkt_conf_itsm *section(const struct tkt_conf *conf, const char *name)
{
    for (size_t i = 0; i < conf->itsm_count; i++) {
        if (strcmp(conf->itsms[i].name, name) == 0) {
            return &conf->itsms[i];
        }
    }
    return NULL;
}

static int op_named(const char *name)
{
    int op = 0;

    while (op < TKT_ITSM_OPS && strcmp(tkt_itsm_op_names[op], name) != 0) {
        op++;
    }
    return op;
}

static int get_token(const struct tkt_conf_itsm *conf, const char *secret,
                     const char *client_secret, struct tkt_buf *out, struct tkt_err *err)
{
    struct tkt_oauth_ask ask;

    if (!tkt_itsm_wants_token(conf, secret ? secret : "",
                              client_secret ? client_secret : "", &ask)) {
        return 0;
    }
    struct tkt_oauth *oauth = tkt_oauth_new(NULL, err);
    int rc = oauth == NULL ? -1 : tkt_oauth_get(oauth, &ask, out, err);
    tkt_oauth_free(&oauth);
    return rc;
}

int main(int argc, char **argv)
{
    static char in[INPUT_MAX];
    struct tkt_err err = TKT_ERR_INIT;
    struct tkt_secret secret = TKT_SECRET_INIT;
    struct tkt_secret client_secret = TKT_SECRET_INIT;
    TKT_AUTO_BUF struct tkt_buf token = TKT_BUF_INIT(TKT_OAUTH_TOKEN_MAX + 1);
    struct tkt_itsm_ticket ticket;
    struct tkt_itsm_file file;
    struct tkt_itsm_result result;

    if (argc != 4) {
        return die("usage: itsm_drive CONF NAME OP < call.json", NULL);
    }
    struct tkt_conf *conf = tkt_conf_load(argv[1], &err);
    const struct tkt_conf_itsm *itsm = conf == NULL ? NULL : section(conf, argv[2]);
    const struct tkt_itsm_ops *ops = itsm == NULL ? NULL : tkt_itsm_find(itsm->type);
    int op = op_named(argv[3]);
    if (ops == NULL || op == TKT_ITSM_OPS) {
        return die("no such section, type or operation", &err);
    }
    if (tkt_itsm_check_conf(itsm, &err) < 0 ||
        (itsm->secret[0] != '\0' && tkt_secret_get(itsm->secret, &secret, &err) < 0) ||
        (itsm->client_secret[0] != '\0' &&
         tkt_secret_get(itsm->client_secret, &client_secret, &err) < 0) ||
        get_token(itsm, secret.data, client_secret.data, &token, &err) < 0) {
        return die("section", &err);
    }
    size_t n = fread(in, 1, sizeof(in) - 1, stdin);
    cJSON *j = cJSON_ParseWithLength(in, n);
    const cJSON *c = cJSON_GetObjectItemCaseSensitive(j, "comment");
    if (j == NULL || open_file(cJSON_GetObjectItemCaseSensitive(j, "file"), &file) < 0) {
        return die("standard input is no call", NULL);
    }
    fill_ticket(cJSON_GetObjectItemCaseSensitive(j, "ticket"), &ticket);
    const struct tkt_itsm_comment comment = {
        .text = text(c, "text"),
        .author = text(c, "author"),
        .author_name = text(c, "author_name"),
        .is_public = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(c, "public")),
        .key = text(c, "key")};
    const struct tkt_itsm_site site = {.conf = itsm,
                                       .secret = secret.data ? secret.data : "",
                                       .bearer = tkt_buf_str(&token),
                                       .product = "ticket-milter"};
    struct tkt_itsm_call call = {.op = (enum tkt_itsm_op)op,
                                 .site = &site,
                                 .ticket = &ticket,
                                 .comment = &comment,
                                 .file = &file,
                                 .key = text(j, "key"),
                                 .is_again =
                                     cJSON_IsTrue(cJSON_GetObjectItem(j, "again"))};
    tkt_itsm_run_wait(ops, &call, &result);
    print(&call, &result);
    tkt_wire_arena_release(&call.arena);
    tkt_secret_release(&secret);
    tkt_secret_release(&client_secret);
    cJSON_Delete(j);
    tkt_conf_free(&conf);
    return 0;
}
