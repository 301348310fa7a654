/* SPDX-License-Identifier: BSD-2-Clause
 * How rows of the schema are written. For the files that hold rows only.
 */
#ifndef TKT_CONF_ROWS_H
#define TKT_CONF_ROWS_H
#include "conf/conf.h"
#include "conf/schema.h"

#include <stddef.h>

#define KIB INT64_C(1024)
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)
#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)
#define WEEK (7 * DAY)

#define MEMBER_SIZE(type, member) sizeof(((type *)0)->member)
/* Targets are typed by the row: a wrong pairing must not compile. */
#define AT_TYPE(type, member, want)                                                      \
    .offset = offsetof(type, member) +                                                   \
              0 * sizeof(struct {                                                        \
                  _Static_assert(_Generic(((type *)0)->member, want : 1, default : 0),   \
                                 #member " has another type than its row");              \
                  int one;                                                               \
              }),                                                                        \
    .size = MEMBER_SIZE(type, member)
#define AT(type, member)                                                                 \
    .offset = offsetof(type, member), .size = MEMBER_SIZE(type, member)

#define BOOL_ROW(s, m, k, d)                                                             \
    .key = (k), .type = TKT_CONF_BOOL, .def = (d), .unit = "", AT_TYPE(struct s, m, bool)
#define INT_ROW(s, m, k, d, lo, hi)                                                      \
    .key = (k), .type = TKT_CONF_INT, .def = (d), .min = (lo), .max = (hi), .unit = "",  \
    AT_TYPE(struct s, m, int64_t)
#define SIZE_ROW(s, m, k, d, lo, hi)                                                     \
    .key = (k), .type = TKT_CONF_SIZE, .def = (d), .min = (lo), .max = (hi),             \
    .unit = "bytes", AT_TYPE(struct s, m, int64_t)
#define TIME_ROW(s, m, k, d, lo, hi)                                                     \
    .key = (k), .type = TKT_CONF_TIME, .def = (d), .min = (lo), .max = (hi),             \
    .unit = "ms", AT_TYPE(struct s, m, int64_t)
#define OCTAL_ROW(s, m, k, d)                                                            \
    .key = (k), .type = TKT_CONF_OCTAL, .def = (d), .min = 0, .max = 0777, .unit = "",   \
    AT_TYPE(struct s, m, int64_t)
#define STRING_ROW(s, m, k, d)                                                           \
    .key = (k), .type = TKT_CONF_STRING, .def = (d), .unit = "",                         \
    AT_TYPE(struct s, m, char *)
#define ENUM_ROW(s, m, k, d, w)                                                          \
    .key = (k), .type = TKT_CONF_ENUM, .def = (d), .unit = "", .words = (w),             \
    AT(struct s, m)
#define LIST_ROW(s, m, k, d, lo, hi)                                                     \
    .key = (k), .type = TKT_CONF_LIST, .def = (d), .min = (lo), .max = (hi), .unit = "", \
    AT_TYPE(struct s, m, struct tkt_conf_list)

/* Sections whose rows have a file of their own. */
#define TKT_CONF_ITSM_ROWS 40
#define TKT_CONF_WEBHOOK_ROWS 9
#define TKT_CONF_PEOPLE_ROWS 8
#define TKT_CONF_MODEL_ROWS 5
#define TKT_CONF_LLM_ROWS 23
#define TKT_CONF_PRIORITY_ROWS 10
#define TKT_CONF_DIRECTORY_ROWS 23
#define TKT_CONF_CALENDAR_ROWS 4
#define TKT_CONF_AGENT_ROWS 6
#define TKT_CONF_GROUP_ROWS 10
#define TKT_CONF_CORRELATE_ROWS 9
#define TKT_CONF_CHANNEL_ROWS 23
#define TKT_CONF_NOTIFY_ROWS 21
#define TKT_CONF_SLA_ROWS 17
#define TKT_CONF_SINK_ROWS 16
#define TKT_CONF_ESCALATION_ROWS 12
#define TKT_CONF_STEP_ROWS 9
extern const struct tkt_conf_row tkt_conf_sla_rows[TKT_CONF_SLA_ROWS];
extern const struct tkt_conf_row tkt_conf_escalation_rows[TKT_CONF_ESCALATION_ROWS];
extern const struct tkt_conf_row tkt_conf_step_rows[TKT_CONF_STEP_ROWS];
extern const struct tkt_conf_row tkt_conf_llm_rows[TKT_CONF_LLM_ROWS];
extern const struct tkt_conf_row tkt_conf_itsm_rows[TKT_CONF_ITSM_ROWS];
extern const struct tkt_conf_row tkt_conf_webhook_rows[TKT_CONF_WEBHOOK_ROWS];
extern const struct tkt_conf_row tkt_conf_people_rows[TKT_CONF_PEOPLE_ROWS];
extern const struct tkt_conf_row tkt_conf_directory_rows[TKT_CONF_DIRECTORY_ROWS];
extern const struct tkt_conf_row tkt_conf_model_rows[TKT_CONF_MODEL_ROWS];
extern const struct tkt_conf_row tkt_conf_priority_rows[TKT_CONF_PRIORITY_ROWS];
extern const struct tkt_conf_row tkt_conf_calendar_rows[TKT_CONF_CALENDAR_ROWS];
extern const struct tkt_conf_row tkt_conf_agent_rows[TKT_CONF_AGENT_ROWS];
extern const struct tkt_conf_row tkt_conf_group_rows[TKT_CONF_GROUP_ROWS];
extern const struct tkt_conf_row tkt_conf_correlate_rows[TKT_CONF_CORRELATE_ROWS];
extern const struct tkt_conf_row tkt_conf_channel_rows[TKT_CONF_CHANNEL_ROWS];
extern const struct tkt_conf_row tkt_conf_notify_rows[TKT_CONF_NOTIFY_ROWS];
extern const struct tkt_conf_row tkt_conf_sink_rows[TKT_CONF_SINK_ROWS];

#endif
