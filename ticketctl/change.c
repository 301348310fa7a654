/* SPDX-License-Identifier: BSD-2-Clause
 * Commands that change tickets. Who may, and whether the state machine allows it, is
 * ticketd's to say. */
#include "base/enc.h"
#include "base/util.h"
#include "ticketctl/ctl.h"
#include "ticketctl/out.h"

#include <string.h>

int tkt_ctl_set(struct tkt_ctl *ctl)
{
    for (int i = 1; i < ctl->pos_count; i++) {
        const char *eq = strchr(ctl->pos[i], '=');
        if (eq == NULL || eq == ctl->pos[i]) {
            return tkt_ctl_fail(EX_USAGE, "\"%s\" is not FIELD=VALUE", ctl->pos[i]);
        }
    }
    for (int i = 1; i < ctl->pos_count; i++) {
        char *eq = strchr(ctl->pos[i], '=');
        TKT_AUTO_FREE char *field = strndup(ctl->pos[i], (size_t)(eq - ctl->pos[i]));
        struct tkt_ctl_pair pairs[] = {
            {"id", ctl->pos[0]}, {"field", field}, {"value", eq + 1}};
        int rc = tkt_ctl_do(ctl, "set", pairs, TKT_ARRAY_LEN(pairs));
        if (rc != 0) {
            return rc;
        }
    }
    return 0;
}

int tkt_ctl_comment(struct tkt_ctl *ctl)
{
    TKT_AUTO_BUF struct tkt_buf text = TKT_BUF_INIT(TKT_CTL_COMMENT_MAX);
    int rc = tkt_ctl_text_arg(ctl->pos[1], &text);
    if (rc != 0) {
        return rc;
    }
    if (text.len == 0) {
        return tkt_ctl_fail(EX_USAGE, "the comment is empty");
    }
    struct tkt_ctl_pair pairs[] = {
        {"id", ctl->pos[0]},
        {"text", tkt_buf_str(&text)},
        {"public", tkt_ctl_opt(ctl, "public") != NULL ? "1" : "0"},
    };
    return tkt_ctl_do(ctl, "comment", pairs, TKT_ARRAY_LEN(pairs));
}

int tkt_ctl_assign(struct tkt_ctl *ctl)
{
    const char *group = tkt_ctl_opt(ctl, "group");
    const char *to = tkt_ctl_opt(ctl, "to");
    bool by_itself = tkt_ctl_opt(ctl, "auto") != NULL;
    if (group == NULL && to == NULL && !by_itself) {
        return tkt_ctl_fail(EX_USAGE,
                            "assign to whom? say --group, --to or both, or --auto");
    }
    if (to != NULL && by_itself) {
        return tkt_ctl_fail(EX_USAGE, "--to and --auto exclude each other");
    }
    struct tkt_ctl_pair pairs[] = {{"id", ctl->pos[0]},
                                   {"group", group},
                                   {"assignee", to},
                                   {"auto", by_itself ? "1" : NULL}};
    return tkt_ctl_do(ctl, "assign", pairs, TKT_ARRAY_LEN(pairs));
}

int tkt_ctl_move(struct tkt_ctl *ctl)
{
    TKT_AUTO_BUF struct tkt_buf text = TKT_BUF_INIT(TKT_CTL_COMMENT_MAX);
    if (ctl->pos_count > 1) {
        int rc = tkt_ctl_text_arg(ctl->pos[1], &text);
        if (rc != 0) {
            return rc;
        }
    }
    struct tkt_ctl_pair pairs[] = {
        {"id", ctl->pos[0]}, {"text", ctl->pos_count > 1 ? tkt_buf_str(&text) : NULL}};
    return tkt_ctl_do(ctl, ctl->cmd->name, pairs, TKT_ARRAY_LEN(pairs));
}

int tkt_ctl_merge(struct tkt_ctl *ctl)
{
    struct tkt_ctl_pair pairs[] = {{"from", ctl->pos[0]}, {"into", ctl->pos[1]}};
    return tkt_ctl_do(ctl, "merge", pairs, TKT_ARRAY_LEN(pairs));
}

int tkt_ctl_link(struct tkt_ctl *ctl)
{
    struct tkt_ctl_pair pairs[] = {{"a", ctl->pos[0]}, {"b", ctl->pos[1]}};
    return tkt_ctl_do(ctl, "link", pairs, TKT_ARRAY_LEN(pairs));
}

int tkt_ctl_split(struct tkt_ctl *ctl)
{
    int64_t row;
    if (tkt_parse_int(ctl->pos[1], 1, INT64_MAX, &row) < 0) {
        return tkt_ctl_fail(EX_USAGE, "\"%s\" is no message: show lists their numbers",
                            ctl->pos[1]);
    }
    struct tkt_ctl_pair pairs[] = {{"id", ctl->pos[0]}, {"message", ctl->pos[1]}};
    cJSON *json;
    int rc = tkt_ctl_fetch(ctl, "split", pairs, TKT_ARRAY_LEN(pairs), TKT_CTL_TIMEOUT_MS,
                           &json);
    if (rc == 0 && json != NULL && !ctl->quiet) {
        tkt_ctl_put_clean(stdout, tkt_ctl_str(json, "id"));
        fputc('\n', stdout);
    }
    cJSON_Delete(json);
    return rc;
}

static int ask(const char *what)
{
    if (!isatty(STDIN_FILENO)) {
        return tkt_ctl_fail(EX_USAGE, "forget cannot be undone: say --yes");
    }
    fputs("Erase all content of ", stderr);
    tkt_ctl_put_clean(stderr, what);
    fputs(" for ever? It cannot be undone. Type yes: ", stderr);
    char line[16] = "";
    if (fgets(line, sizeof line, stdin) == NULL || strcmp(line, "yes\n") != 0) {
        return tkt_ctl_fail(EX_NOPERM, "nothing was erased");
    }
    return 0;
}

int tkt_ctl_forget(struct tkt_ctl *ctl)
{
    if (tkt_ctl_opt(ctl, "yes") == NULL) {
        int rc = ask(ctl->pos[0]);
        if (rc != 0) {
            return rc;
        }
    }
    struct tkt_ctl_pair pairs[] = {{"what", ctl->pos[0]}};
    cJSON *json;
    int rc = tkt_ctl_fetch(ctl, "forget", pairs, TKT_ARRAY_LEN(pairs),
                           TKT_CTL_TIMEOUT_LONG_MS, &json);
    if (rc == 0 && json != NULL && !ctl->quiet) {
        printf("messages erased: %.0f\n", tkt_ctl_num(json, "count"));
    }
    cJSON_Delete(json);
    return rc;
}
