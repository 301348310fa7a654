/* SPDX-License-Identifier: BSD-2-Clause
 * The schema: one row per key. The row is the only place where a key is named; reading,
 * checking, dumping, and the check of man page and sample all walk the rows.
 *
 * Constant data; any thread.
 */
#ifndef TKT_CONF_SCHEMA_H
#define TKT_CONF_SCHEMA_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum tkt_conf_type {
    TKT_CONF_BOOL,   /* bool: yes, no (also true, false, on, off) */
    TKT_CONF_INT,    /* int64_t; with words: a number or a word that stands for one */
    TKT_CONF_SIZE,   /* int64_t bytes: "64k", "4M", "1G" */
    TKT_CONF_TIME,   /* int64_t ms: "250ms", "8s", "5m", "6h", "30d", "26w" */
    TKT_CONF_STRING, /* char *; with words: one of them */
    TKT_CONF_ENUM,   /* bool or enum: the value of one of the words */
    TKT_CONF_LIST,   /* struct tkt_conf_list; with words: each is one of them */
    TKT_CONF_OCTAL   /* int64_t: "007" */
};

/* What a string must look like beyond its type; NULL check = anything printable. The
 * function returns NULL, or what is wanted instead ("an address such as ..."). */
typedef const char *tkt_conf_check_fn(const char *value);

struct tkt_conf_word {
    const char *word; /* NULL ends the list */
    int value;
};

struct tkt_conf_row {
    const char *key;
    enum tkt_conf_type type;
    const char *def;  /* as one would write it; list items parted by blanks */
    int64_t min;      /* of numbers, in base units; of lists: items */
    int64_t max;      /* ...; of strings: bytes, 0 = 255 */
    int item_max;     /* of lists: bytes of an item, 0 = 255 */
    const char *unit; /* "ms", "bytes", or "" */
    const struct tkt_conf_word *words;
    tkt_conf_check_fn *check;
    bool reload;   /* taken by a reload; else only by a restart */
    bool secret;   /* a reference to a secret */
    size_t offset; /* of the target in the section's struct */
    size_t size;
    const char *help;
};

enum tkt_conf_section_id {
    TKT_CONF_TOP,
    TKT_CONF_MILTER,
    TKT_CONF_PARSER,
    TKT_CONF_LIMITS,
    TKT_CONF_STORE,
    TKT_CONF_TOKEN,
    TKT_CONF_ACCESS,
    TKT_CONF_REDACT,
    TKT_CONF_LLM,
    TKT_CONF_WEBHOOK,
    TKT_CONF_PEOPLE,
    TKT_CONF_DIRECTORY,
    TKT_CONF_CALENDAR,
    TKT_CONF_AGENT,
    TKT_CONF_GROUP,
    TKT_CONF_ITSM,
    TKT_CONF_DESK,
    TKT_CONF_PRIORITY,
    TKT_CONF_MODEL,
    TKT_CONF_RULES,
    TKT_CONF_RULE,
    TKT_CONF_EXTRACT,
    TKT_CONF_REQUIRE,
    TKT_CONF_CORRELATE,
    TKT_CONF_CHANNEL,
    TKT_CONF_METRICS,
    TKT_CONF_SINK,
    TKT_CONF_NOTIFY,
    TKT_CONF_SLA,
    TKT_CONF_ESCALATION,
    TKT_CONF_STEP,
    TKT_CONF_SECTIONS
};

struct tkt_conf_section {
    const char *name;    /* "" = top level */
    bool titled;         /* may stand several times, each with its own title */
    size_t offset;       /* in struct tkt_conf: of the struct, or of the array pointer */
    size_t count_offset; /* titled: of the array's count */
    size_t size;         /* of one struct; titled ones begin with char *name */
    const struct tkt_conf_row *rows;
    size_t row_count;
    bool policy; /* the parser gets it: decisions are made by it (conf/policy.h) */
    bool sparse; /* dumped without what was not written: it has many keys, and many are */
    const char *help;
    tkt_conf_check_fn *title; /* what a title must look like; NULL = a name */
};

extern const struct tkt_conf_section tkt_conf_sections[TKT_CONF_SECTIONS];

/* "bool", "int", ... */
const char *tkt_conf_type_name(enum tkt_conf_type type);
/* NULL when there is none. */
const struct tkt_conf_section *tkt_conf_section_find(const char *name);
const struct tkt_conf_row *tkt_conf_row_find(const struct tkt_conf_section *section,
                                             const char *key);

#endif
