/* SPDX-License-Identifier: BSD-2-Clause
 * The settings as a zygote decodes them, compiled and run on a text: bytes first as they
 * are; else as a rule whose items and text they hold, one a line.
 */
#include "base/sections.h"
#include "decide/decide.h"
#include "decide/policy.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define ITEMS_MAX 16

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void decide(struct tkt_policy *policy, char *text)
{
    char none[] = "";
    char name[] = "it";
    struct tkt_message msg = {.subject = none, .reply_text = text, .text = text};
    struct tkt_desk_facts desk = {.name = name, .group = none, .type = none, .opens = 1};
    struct tkt_facts facts = {.auth_login = none, .desks = &desk, .desk_count = 1};
    struct tkt_decisions out;

    msg.language = msg.from.name = msg.from.address = msg.message_id = none;
    msg.signature = msg.quoted = none;
    if (tkt_decide(&msg, &facts, policy, &out, NULL) == 0) {
        tkt_decisions_release(&out);
    }
    tkt_wire_arena_release(&msg.arena);
}

static void load(const void *data, size_t n, char *text)
{
    struct tkt_policy *policy = NULL;
    struct tkt_err err = TKT_ERR_INIT;

    if (tkt_policy_load(data, n, -1, &policy, NULL, &err) == 0) {
        decide(policy, text);
        tkt_policy_free(&policy);
    }
}

static void as_rule(char *lines)
{
    struct tkt_buf blob = TKT_BUF_INIT(1024 * 1024);
    const char *items[ITEMS_MAX];
    size_t count = 0;
    const char *pattern = "";

    for (char *end; count < ITEMS_MAX && (end = strchr(lines, '\n')) != NULL;) {
        *end = '\0';
        items[count++] = lines;
        lines = end + 1;
    }
    pattern = count > 0 ? items[0] : "";
    (void)tkt_sections_begin(&blob); /* what does not fit is malformed */
    (void)tkt_sections_add(&blob, "rule", "r", "fuzz", 1);
    (void)tkt_sections_add_key(&blob, "if_says", 2, items, count);
    (void)tkt_sections_add_key(&blob, "set_tags", 3, items, count);
    (void)tkt_sections_add(&blob, "extract", "e", "fuzz", 4);
    (void)tkt_sections_add_key(&blob, "pattern", 5, &pattern, 1);
    (void)tkt_sections_end(&blob);
    load(blob.data, blob.len, lines);
    tkt_buf_release(&blob);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    char text[] = "vpn code 1234 broken";
    char *copy = n > 4096 ? NULL : malloc(n + 1);

    load(data, n, text);
    if (copy == NULL) {
        return 0;
    }
    memcpy(copy, data, n);
    copy[n] = '\0';
    if (strlen(copy) == n) {
        bool ascii = true;
        for (size_t i = 0; i < n; i++) {
            ascii = ascii && (unsigned char)copy[i] < 0x80;
        }
        if (ascii) { /* strings of settings and messages are valid UTF-8 */
            as_rule(copy);
        }
    }
    free(copy);
    return 0;
}
