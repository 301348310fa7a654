/* SPDX-License-Identifier: BSD-2-Clause
 * The fields of a message that ticketd is told of, and those that only go.
 */
#include "base/enc.h"
#include "milter/session.h"

#include <stdlib.h>
#include <string.h>

#define NAME_MAX_BYTES 128 /* of a field that is noted */

static unsigned count_named(const struct tkt_wire_field *fields, size_t count,
                            const char *name)
{
    unsigned n = 0;

    for (size_t i = 0; i < count; i++) {
        n += tkt_ascii_ieq(fields[i].name, name) ? 1 : 0;
    }
    return n;
}

static int note(struct tkt_message *m, const char *name, const char *value)
{
    size_t len = strlen(value);
    bool fits = len <= TKT_WIRE_VALUE_MAX && len <= TKT_FIELDS_BYTES_MAX - m->field_bytes;
    struct tkt_wire_field f = {
        .name = tkt_message_strdup(m, name, strlen(name)),
        .index = 1 + count_named(m->fields, m->field_count, name),
        .value = tkt_message_strdup(m, value, fits ? len : 0),
    };

    if (f.name == NULL || f.value == NULL) {
        return -1;
    }
    m->field_bytes += fits ? len : 0;
    m->fields[m->field_count++] = f;
    return 0;
}

static int note_surplus(struct tkt_message *m, const char *name)
{
    if (m->surplus_count == TKT_SURPLUS_FIELDS_MAX) {
        m->too_many_fields = true;
        return 0;
    }
    if (m->surplus == NULL) {
        m->surplus = calloc(TKT_SURPLUS_FIELDS_MAX, sizeof(*m->surplus));
    }
    struct tkt_wire_field f = {
        .name = tkt_message_strdup(m, name, strlen(name)),
        .index = 1 + count_named(m->fields, m->field_count, name) +
                 count_named(m->surplus, m->surplus_count, name),
    };
    if (m->surplus == NULL || f.name == NULL) {
        return -1;
    }
    m->surplus[m->surplus_count++] = f;
    return 0;
}

int tkt_message_note_field(struct tkt_message *m, const char *name, const char *value)
{
    char plain[NAME_MAX_BYTES];
    size_t n = strcspn(name, " \t"); /* "Subject :" is a Subject */
    bool ticket = tkt_ascii_ieqn(name, "X-Ticket-", 9);

    if (n >= sizeof(plain)) {
        return 0;
    }
    memcpy(plain, name, n);
    plain[n] = '\0';
    if (ticket) {
        return m->field_count < TKT_WIRE_FIELDS_MAX ? note(m, plain, value)
                                                    : note_surplus(m, plain);
    }
    if (!tkt_ascii_ieq(plain, "Subject") || m->subject_count == TKT_SUBJECTS_MAX ||
        m->field_count == TKT_WIRE_FIELDS_MAX) {
        return 0;
    }
    m->subject_count++;
    return note(m, plain, value);
}
