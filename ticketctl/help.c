/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketctl/ctl.h"

#include <string.h>

void tkt_ctl_usage(FILE *to)
{
    fputs("usage: ticketctl [-c FILE] [-s PATH] [--json] [-q] COMMAND ...\n\n", to);
    for (const struct tkt_ctl_cmd *c = tkt_ctl_table; c->name != NULL; c++) {
        fprintf(to, "  %-12s %s\n", c->name, c->help);
    }
    fputs("\nticketctl help COMMAND explains one; ticketctl(1) all of them.\n", to);
}

static void print_opts(const struct tkt_ctl_opt *o)
{
    for (; o != NULL && o->name != NULL; o++) {
        char left[48];
        snprintf(left, sizeof left, "%c%c %s--%s%s%s", o->letter != 0 ? '-' : ' ',
                 o->letter != 0 ? o->letter : ' ', o->letter != 0 ? "" : " ", o->name,
                 o->arg != NULL ? " " : "", o->arg != NULL ? o->arg : "");
        printf("  %-28s %s\n", left, o->help);
    }
}

static int explain_command(const struct tkt_ctl_cmd *c)
{
    printf("usage: ticketctl %s%s%s\n%s", c->name, c->args[0] != '\0' ? " " : "", c->args,
           c->help);
    if (c->role > TKT_CTL_ANY) {
        printf(" (role: %s)", tkt_ctl_role_name(c->role));
    }
    puts("\n");
    print_opts(c->opts);
    print_opts(tkt_ctl_global_opts);
    return 0;
}

/* name TAB args TAB role TAB options ("-" where there are none): what the checks of man page and completion read. */
static void print_rows(void)
{
    for (const struct tkt_ctl_cmd *c = tkt_ctl_table; c->name != NULL; c++) {
        printf("%s\t%s\t%s\t%s", c->name, c->args[0] != '\0' ? c->args : "-",
               tkt_ctl_role_name(c->role), c->opts == NULL ? "-" : "");
        for (const struct tkt_ctl_opt *o = c->opts; o != NULL && o->name != NULL; o++) {
            printf("%s--%s", o == c->opts ? "" : " ", o->name);
        }
        putchar('\n');
    }
    fputs("*\t-\t-\t", stdout);
    for (const struct tkt_ctl_opt *o = tkt_ctl_global_opts; o->name != NULL; o++) {
        printf("--%s ", o->name);
    }
    puts("--version");
}

static void print_words(const struct tkt_ctl_opt *o)
{
    for (; o != NULL && o->name != NULL; o++) {
        if (o->letter != 0) {
            printf(" -%c", o->letter);
        }
        printf(" --%s", o->name);
    }
}

static void print_first_words(void)
{
    char last[32] = "";
    for (const struct tkt_ctl_cmd *c = tkt_ctl_table; c->name != NULL; c++) {
        char word[32];
        snprintf(word, sizeof word, "%.*s", (int)strcspn(c->name, " "), c->name);
        if (strcmp(word, last) != 0) { /* rows of one group stand together */
            printf(" %s", word);
        }
        strcpy(last, word);
    }
}

/* The words that may follow each first word: second words and options. */
static void print_cases(void)
{
    for (const struct tkt_ctl_cmd *c = tkt_ctl_table; c->name != NULL; c++) {
        printf("    \"%s\") words=\"", c->name);
        print_words(c->opts);
        puts("\" ;;");
    }
    for (const struct tkt_ctl_cmd *c = tkt_ctl_table; c->name != NULL;) {
        const char *blank = strchr(c->name, ' ');
        if (blank == NULL) {
            c++;
            continue;
        }
        size_t n = (size_t)(blank - c->name);
        printf("    \"%.*s\") subs=\"", (int)n, c->name);
        const char *group = c->name;
        for (; c->name != NULL && strncmp(c->name, group, n + 1) == 0; c++) {
            printf(" %s", c->name + n + 1);
        }
        puts("\" ;;");
    }
}

static void print_completion(void)
{
    puts("# SPDX-License-Identifier: BSD-2-Clause\n"
         "# bash completion for ticketctl; made by: ticketctl help --bash-completion");
    fputs("_ticketctl()\n{\n"
          "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
          "    local i w cmd= words= subs= skip= globals=\"",
          stdout);
    print_words(tkt_ctl_global_opts);
    fputs(" --version\"\n    COMPREPLY=()\n"
          "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
          "        w=${COMP_WORDS[i]}\n"
          "        if [ -n \"$skip\" ]; then skip=; continue; fi\n"
          "        case $w in\n"
          "        -c|--config|-s|--socket|-t|--timeout) skip=1 ;;\n"
          "        -*) ;;\n"
          "        *) case $cmd in\n"
          "           '') cmd=$w ;;\n"
          "           agent|notify|sla|queue|config|model) cmd=\"$cmd $w\" ;;\n"
          "           esac ;;\n"
          "        esac\n"
          "    done\n"
          "    case $prev in\n"
          "    -c|--config|-s|--socket|-o|--output|--out|--model|--trainer)\n"
          "        COMPREPLY=($(compgen -f -- \"$cur\")); return ;;\n"
          "    --missed) COMPREPLY=($(compgen -d -- \"$cur\")); return ;;\n"
          "    --state)\n"
          "        case $cmd in\n"
          "        queue*) w=\"ready claimed deferred parked done\" ;;\n"
          "        *) w=\"reserved new open pending resolved closed withdrawn refused\"\n"
          "           w=\"$w merged\" ;;\n"
          "        esac\n"
          "        COMPREPLY=($(compgen -W \"$w\" -- \"$cur\")); return ;;\n"
          "    esac\n"
          "    case $cmd in\n"
          "    \"\") words=\"",
          stdout);
    print_first_words();
    puts("\" ;;");
    print_cases();
    fputs("    esac\n"
          "    case $cur in\n"
          "    -*) COMPREPLY=($(compgen -W \"$words $globals\" -- \"$cur\")); return ;;\n"
          "    esac\n"
          "    case $cmd in\n"
          "    \"\") COMPREPLY=($(compgen -W \"$words\" -- \"$cur\")) ;;\n"
          "    agent|notify|sla|queue|config|model) COMPREPLY=($(compgen -W \"$subs\" -- "
          "\"$cur\")) "
          ";;\n"
          "    explain|extract|backup|restore|\"config test\"|\"model t\"*|\"model "
          "retrain\")\n"
          "        COMPREPLY=($(compgen -f -- \"$cur\")) ;;\n"
          "    help)\n        COMPREPLY=($(compgen -W \"",
          stdout);
    print_first_words();
    puts("\" -- \"$cur\")) ;;\n    esac\n}\ncomplete -o filenames -F _ticketctl "
         "ticketctl");
}

static const struct tkt_ctl_cmd *named(const char *first, const char *second)
{
    char name[64];
    snprintf(name, sizeof name, "%s%s%s", first, second != NULL ? " " : "",
             second != NULL ? second : "");
    for (const struct tkt_ctl_cmd *c = tkt_ctl_table; c->name != NULL; c++) {
        if (strcmp(c->name, name) == 0) {
            return c;
        }
    }
    return NULL;
}

/* "help queue": all rows of the group. */
static bool explain_group(const char *first)
{
    bool found = false;
    size_t n = strlen(first);
    for (const struct tkt_ctl_cmd *c = tkt_ctl_table; c->name != NULL; c++) {
        if (strncmp(c->name, first, n) == 0 && c->name[n] == ' ') {
            printf("  ticketctl %s %-10s %s\n", c->name, c->args, c->help);
            found = true;
        }
    }
    return found;
}

int tkt_ctl_help(struct tkt_ctl *ctl)
{
    if (strcmp(ctl->cmd->name, "help") != 0) { /* COMMAND --help */
        return explain_command(ctl->cmd);
    }
    if (tkt_ctl_opt(ctl, "rows") != NULL) {
        print_rows();
        return 0;
    }
    if (tkt_ctl_opt(ctl, "bash-completion") != NULL) {
        print_completion();
        return 0;
    }
    if (ctl->pos_count == 0) {
        tkt_ctl_usage(stdout);
        return 0;
    }
    const struct tkt_ctl_cmd *c =
        named(ctl->pos[0], ctl->pos_count > 1 ? ctl->pos[1] : NULL);
    if (c != NULL) {
        return explain_command(c);
    }
    if (ctl->pos_count == 1 && explain_group(ctl->pos[0])) {
        return 0;
    }
    return tkt_ctl_fail(EX_USAGE, "there is no command \"%s\"; see ticketctl help",
                        ctl->pos[0]);
}
