/* SPDX-License-Identifier: BSD-2-Clause
 * Asks a directory of a configuration, for the contract suite (test_directory.py).
 *
 *   directory_ask types                      the rows of the table, one a line
 *   directory_ask CONF NAME test             "ok TEXT"
 *   directory_ask CONF NAME ask [ADDRESS...] a line of JSON each; without addresses one
 *                                            for each line of standard input
 */
#include "base/clock.h"
#include "base/enc.h"
#include "directory/directory.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void add(struct tkt_buf *out, const char *key, const char *value)
{
    tkt_buf_addf(out, ",\"%s\":", key);
    tkt_json_add_string(out, value, strlen(value));
}

static void add_person(struct tkt_buf *out, const struct tkt_person *p)
{
    add(out, "name", p->name);
    add(out, "department", p->department);
    add(out, "company", p->company);
    add(out, "title", p->title);
    add(out, "location", p->location);
    add(out, "manager", p->manager);
    add(out, "language", p->language);
    tkt_buf_addf(out, ",\"vip\":%s,\"groups\":[", p->is_vip ? "true" : "false");
    for (size_t i = 0; i < p->groups.count; i++) {
        tkt_buf_adds(out, i > 0 ? "," : "");
        tkt_json_add_string(out, p->groups.items[i], strlen(p->groups.items[i]));
    }
    tkt_buf_adds(out, "]");
}

static void ask(struct tkt_directory *d, const char *address)
{
    struct tkt_directory_answer answer = {0};
    struct tkt_buf out = TKT_BUF_INIT(1024 * 1024);
    struct tkt_err err = TKT_ERR_INIT;
    int64_t start = tkt_clock_mono_ms();
    int found = tkt_directory_lookup(d, address, &answer, &err);

    tkt_buf_addf(&out, "{\"found\":%d,\"ms\":%lld", found,
                 (long long)(tkt_clock_mono_ms() - start));
    if (found == 1) {
        add_person(&out, &answer.person);
    } else if (found < 0) {
        add(&out, "class", tkt_err_class_name(err.class));
        add(&out, "error", err.text);
    }
    printf("%s}\n", tkt_buf_str(&out));
    fflush(stdout);
    tkt_buf_release(&out);
    tkt_directory_answer_release(&answer);
}

static int run(const struct tkt_conf_directory *conf, int argc, char **argv)
{
    struct tkt_err err = TKT_ERR_INIT;
    struct tkt_directory *d = tkt_directory_open(conf, &err);
    int rc = EXIT_SUCCESS;

    if (d == NULL) {
        printf("%s: %s\n", tkt_err_class_name(err.class), err.text);
        return EXIT_FAILURE;
    }
    if (strcmp(argv[0], "test") == 0) {
        struct tkt_buf text = TKT_BUF_INIT(4096);
        if (tkt_directory_test(d, &text, &err) < 0) {
            printf("%s: %s\n", tkt_err_class_name(err.class), err.text);
            rc = EXIT_FAILURE;
        } else {
            printf("ok %s\n", tkt_buf_str(&text));
        }
        tkt_buf_release(&text);
    } else if (argc > 1) {
        for (int i = 1; i < argc; i++) {
            ask(d, argv[i]);
        }
    } else {
        char line[1024];
        while (fgets(line, sizeof(line), stdin) != NULL) {
            line[strcspn(line, "\n")] = '\0';
            ask(d, line);
        }
    }
    tkt_directory_close(&d);
    return rc;
}

int main(int argc, char **argv)
{
    (void)signal(SIGPIPE, SIG_IGN); /* as ticketd does */
    struct tkt_err err = TKT_ERR_INIT;
    int rc = EXIT_FAILURE;

    if (argc == 2 && strcmp(argv[1], "types") == 0) {
        for (size_t i = 0; tkt_directory_table[i] != NULL; i++) {
            puts(tkt_directory_type_names[tkt_directory_table[i]->type]);
        }
        return EXIT_SUCCESS;
    }
    if (argc < 4) {
        fprintf(stderr, "usage: directory_ask CONF NAME test|ask [ADDRESS...]\n");
        return EXIT_FAILURE;
    }
    struct tkt_conf *conf = tkt_conf_load(argv[1], &err);
    if (conf == NULL) {
        printf("%s: %s\n", tkt_err_class_name(err.class), err.text);
        return EXIT_FAILURE;
    }
    for (size_t i = 0; i < conf->directory_count; i++) {
        if (strcmp(conf->directories[i].name, argv[2]) == 0) {
            rc = run(&conf->directories[i], argc - 3, argv + 3);
        }
    }
    tkt_conf_free(&conf);
    return rc;
}
