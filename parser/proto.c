/* SPDX-License-Identifier: BSD-2-Clause */
#include "parser/proto.h"

#include "base/util.h"
#include "ticket_config.h"

#include <stdlib.h>
#include <string.h>

struct setup_head {
    char version[32];
    uint32_t head_size; /* two builds of one version may still differ */
    uint32_t authserv_count;
    uint32_t prefix_count;
    uint32_t sealer_count;
    uint32_t pattern_count;
    uint8_t redact_cards;
    uint8_t redact_ibans;
    uint8_t redact_passwords;
    int64_t budget_ms;
    int64_t messages_per_child;
    int64_t memory_max;
    struct tkt_conf_limits limits;
};

int tkt_parser_setup_encode(const struct tkt_parser_setup *setup, struct tkt_buf *out,
                            struct tkt_err *err)
{
    const struct tkt_conf_list *lists[] = {&setup->authserv_ids, &setup->prefixes,
                                           &setup->arc_sealers, &setup->redact.patterns};
    struct setup_head head = {
        .version = PACKAGE_VERSION,
        .head_size = sizeof(head),
        .authserv_count = (uint32_t)setup->authserv_ids.count,
        .prefix_count = (uint32_t)setup->prefixes.count,
        .sealer_count = (uint32_t)setup->arc_sealers.count,
        .pattern_count = (uint32_t)setup->redact.patterns.count,
        .redact_cards = setup->redact.cards,
        .redact_ibans = setup->redact.ibans,
        .redact_passwords = setup->redact.passwords,
        .budget_ms = setup->budget_ms,
        .messages_per_child = setup->messages_per_child,
        .memory_max = setup->memory_max,
        .limits = setup->limits,
    };
    _Static_assert(sizeof(PACKAGE_VERSION) <= sizeof(head.version), "version too long");

    tkt_buf_add(out, &head, sizeof(head));
    for (size_t l = 0; l < TKT_ARRAY_LEN(lists); l++) {
        for (size_t i = 0; i < lists[l]->count; i++) {
            tkt_buf_add(out, lists[l]->items[i], strlen(lists[l]->items[i]) + 1);
        }
    }
    if (out->failed || out->len > TKT_PARSER_SETUP_MAX ||
        setup->authserv_ids.count > TKT_PARSER_SETUP_STRINGS_MAX ||
        setup->prefixes.count > TKT_PARSER_SETUP_STRINGS_MAX ||
        setup->arc_sealers.count > TKT_PARSER_SETUP_STRINGS_MAX ||
        setup->redact.patterns.count > TKT_PARSER_SETUP_STRINGS_MAX) {
        return tkt_err_set(
            err, TKT_ERR_PERM,
            "too many desks, authserv_ids or patterns for the parser (%d bytes)",
            TKT_PARSER_SETUP_MAX);
    }
    return 0;
}

/* The next NUL-terminated string of [*at, end), or NULL. */
static char *take_string(char **at, const char *end)
{
    char *s = *at;
    char *nul = memchr(s, '\0', (size_t)(end - s));

    if (nul != NULL) {
        *at = nul + 1;
    }
    return nul != NULL ? s : NULL;
}

static int take_list(char **at, const char *end, uint32_t count,
                     struct tkt_conf_list *out, struct tkt_err *err)
{
    if (count > TKT_PARSER_SETUP_STRINGS_MAX) {
        return tkt_err_set(err, TKT_ERR_BUG, "setup: %u strings", count);
    }
    out->items = calloc(count + 1u, sizeof(*out->items));
    if (out->items == NULL) {
        return tkt_err_set(err, TKT_ERR_TEMP, "setup: out of memory");
    }
    for (; out->count < count; out->count++) {
        out->items[out->count] = take_string(at, end);
        if (out->items[out->count] == NULL) {
            return tkt_err_set(err, TKT_ERR_BUG, "setup: cut short");
        }
    }
    return 0;
}

int tkt_parser_setup_decode(char *data, size_t n, struct tkt_parser_setup *out,
                            struct tkt_err *err)
{
    struct setup_head head;
    const char *end = data + n;

    memset(out, 0, sizeof(*out));
    if (n < sizeof(head)) {
        return tkt_err_set(err, TKT_ERR_BUG, "setup: %zu bytes", n);
    }
    memcpy(&head, data, sizeof(head));
    head.version[sizeof(head.version) - 1] = '\0';
    if (strcmp(head.version, PACKAGE_VERSION) != 0 || head.head_size != sizeof(head)) {
        return tkt_err_set(err, TKT_ERR_CONF,
                           "ticketd is version %s, ticket-parser %s: restart ticketd",
                           head.version, PACKAGE_VERSION);
    }
    out->budget_ms = head.budget_ms;
    out->messages_per_child = head.messages_per_child;
    out->memory_max = head.memory_max;
    out->limits = head.limits;
    out->redact.cards = head.redact_cards != 0;
    out->redact.ibans = head.redact_ibans != 0;
    out->redact.passwords = head.redact_passwords != 0;
    char *at = data + sizeof(head);
    if (take_list(&at, end, head.authserv_count, &out->authserv_ids, err) < 0 ||
        take_list(&at, end, head.prefix_count, &out->prefixes, err) < 0 ||
        take_list(&at, end, head.sealer_count, &out->arc_sealers, err) < 0 ||
        take_list(&at, end, head.pattern_count, &out->redact.patterns, err) < 0) {
        tkt_parser_setup_release(out);
        return -1;
    }
    return 0;
}

void tkt_parser_setup_release(struct tkt_parser_setup *setup)
{
    free(setup->authserv_ids.items);
    free(setup->prefixes.items);
    free(setup->arc_sealers.items);
    free(setup->redact.patterns.items);
    memset(&setup->authserv_ids, 0, sizeof(setup->authserv_ids));
    memset(&setup->prefixes, 0, sizeof(setup->prefixes));
    memset(&setup->arc_sealers, 0, sizeof(setup->arc_sealers));
    memset(&setup->redact, 0, sizeof(setup->redact));
}
