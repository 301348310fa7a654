/* SPDX-License-Identifier: BSD-2-Clause
 * What backends make requests of, and read answers with. Private to common/itsm; pure.
 *
 * Makers put the request into call->request and return TKT_ITSM_SEND, or TKT_ITSM_FAILED
 * (no memory, TEMP) with err. Everything they make lives in call->arena.
 */
#ifndef TKT_ITSM_BUILD_H
#define TKT_ITSM_BUILD_H
#include "itsm/itsm.h"
#include "net/json.h"

#include <cjson/cJSON.h>

/* The section's url without a '/' at its end, then the path. What stands in the path comes
 * from tkt_itsm_escape where it is not a constant. NULL: no memory. */
const char *tkt_itsm_url(struct tkt_itsm_call *call, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* As one component of a URL. */
const char *tkt_itsm_escape(struct tkt_itsm_call *call, const char *text);
const char *tkt_itsm_text(struct tkt_itsm_call *call, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* A copy; NULL is "". */
char *tkt_itsm_keep(struct tkt_itsm_call *call, const char *text);
/* NULL: no room, which is a BUG of the backend. */
void tkt_itsm_header(struct tkt_itsm_call *call, const char *line);

enum tkt_itsm_next tkt_itsm_get(struct tkt_itsm_call *call, const char *url,
                                struct tkt_err *err);
/* Takes body (deletes it); NULL counts as no memory. */
enum tkt_itsm_next tkt_itsm_json(struct tkt_itsm_call *call, const char *method,
                                 const char *url, cJSON *body, struct tkt_err *err);
/* The bytes of call->file as the whole body. */
enum tkt_itsm_next tkt_itsm_upload(struct tkt_itsm_call *call, const char *method,
                                   const char *url, const char *type,
                                   struct tkt_err *err);
/* The bytes of call->file as part `name` of a multipart/form-data, behind text parts
 * (name, value, ..., NULL). */
enum tkt_itsm_next tkt_itsm_form(struct tkt_itsm_call *call, const char *url,
                                 const char *name, const char *const *texts,
                                 struct tkt_err *err);
/* "What the answer lacks": TEMP, it may have been carried out. */
enum tkt_itsm_next tkt_itsm_odd(struct tkt_itsm_call *call, struct tkt_err *err,
                                const char *what);

/* A text, a number or a truth as text, in the arena; "" when it is not there, and for a
 * number of more digits than are kept. */
char *tkt_itsm_str(struct tkt_itsm_call *call, const cJSON *json, const char *path);
/* Of an array; 0 for anything else. */
size_t tkt_itsm_count(const cJSON *json, const char *path);

/* The bytes of a text in base64 (line ends within are fine); what is none ends it. */
char *tkt_itsm_unbase64(struct tkt_itsm_call *call, const char *coded, size_t *len);
/* One line of at most max code points (0: any), without control characters. */
const char *tkt_itsm_line(struct tkt_itsm_call *call, const char *text, size_t max);
/* At most max bytes (0: any), cut at a character, with a last line that tells so. */
const char *tkt_itsm_body(struct tkt_itsm_call *call, const char *text, size_t max);
/* The same, and the last line says with which of our tickets the whole text is kept. */
const char *tkt_itsm_fit(struct tkt_itsm_call *call, const char *text, size_t max);
/* The text, with a blank behind the first byte of each of `orders` (ends with NULL, whatever
 * the case): what the ITSM would carry out is text. */
const char *tkt_itsm_break(struct tkt_itsm_call *call, const char *text,
                           const char *const *orders);

/* Text as HTML that shows just these characters, lines by <br>. NULL for NULL, and without
 * memory. */
const char *tkt_itsm_html(struct tkt_itsm_call *call, const char *text);
/* The other way, as far as lines and characters go; changes html. */
char *tkt_itsm_unhtml(struct tkt_itsm_call *call, char *html);

/* For a backend's check of its section, CONF: it has a secret (what: "token"), a project
 * (how to write it). */
int tkt_itsm_need_secret(const struct tkt_conf_itsm *conf, const char *what,
                         struct tkt_err *err);
int tkt_itsm_need_project(const struct tkt_conf_itsm *conf, const char *how,
                          struct tkt_err *err);

/* The member of an array whose text `name` is that; NULL: none. */
const cJSON *tkt_itsm_named(const cJSON *array, const char *name, const char *is);

/* "ours=theirs" rows: theirs for ours, or fallback. */
const char *tkt_itsm_map(const struct tkt_conf_list *rows, const char *ours,
                         const char *fallback);
/* The other way: ours for theirs. */
const char *tkt_itsm_unmap(struct tkt_itsm_call *call, const struct tkt_conf_list *rows,
                           const char *theirs, const char *fallback);
/* What a state of ours is called there: by the section's states, else by own (which ends
 * with a row of NULLs), else fallback. */
const char *tkt_itsm_state(const struct tkt_itsm_call *call,
                           const struct tkt_itsm_word *own, const char *state,
                           const char *fallback);
/* ... and the ticket's priority: by the section's priorities, else own[1..5], own[0] for a
 * ticket without one; own may be NULL. */
const char *tkt_itsm_priority(struct tkt_itsm_call *call, const char *const own[6]);
/* Whether this operation tells that: an UPDATE tells what changed here alone. */
bool tkt_itsm_tells(const struct tkt_itsm_call *call, enum tkt_itsm_member member);
/* For TKT_ITSM_UPDATE: the names of what it tells, as an array. */
cJSON *tkt_itsm_told(const struct tkt_itsm_call *call);
/* An UPDATE that has nothing to say: nothing in that object. Deletes body then. */
bool tkt_itsm_is_mute(const struct tkt_itsm_call *call, cJSON *body, const cJSON *object);
/* Where the ticket belongs: its group by the section's groups, else the project. */
const char *tkt_itsm_place(const struct tkt_itsm_call *call);
/* What a comment says, with who says it above; NULL: no memory. */
const char *tkt_itsm_said(struct tkt_itsm_call *call);
/* The ticket's text with its requester above it, as the text of one that knows nobody;
 * NULL: no memory. */
const char *tkt_itsm_sent_by(struct tkt_itsm_call *call);
/* The ticket's subject as one line of at most max code points (0: any), its ID when there
 * is none. NULL: no memory. */
const char *tkt_itsm_subject(struct tkt_itsm_call *call, size_t max);
/* For tkt_itsm_fields: a member of the object arg. */
int tkt_itsm_add_member(void *arg, const char *name, const char *value);
/* For FETCH: a file of the ticket. size: a number of bytes or NULL; at: as tkt_itsm_time
 * reads it, or NULL. What has no room is left out. */
void tkt_itsm_saw_file(struct tkt_itsm_call *call, char *name, const cJSON *size,
                       const char *at);
/* For LIST: a ticket that changed at that time (of the ITSM's own clock). */
int tkt_itsm_changed(struct tkt_itsm_call *call, const char *key, int64_t at_ms,
                     struct tkt_err *err);
/* For LIST: how far it went, also by a ticket that is none of ours. */
void tkt_itsm_went(struct tkt_itsm_call *call, int64_t at_ms);
/* There is a further page of so many, and no room for it: the list is cut. */
bool tkt_itsm_list_is_full(struct tkt_itsm_call *call, size_t page);
/* "2026-11-22T10:00:00" in UTC, with `between` in the place of the T. */
const char *tkt_itsm_time_text(struct tkt_itsm_call *call, int64_t at_ms, char between);
/* Whether the option says yes. */
bool tkt_itsm_wants(const struct tkt_itsm_call *call, const char *option);
/* Of options = {"name=value"}. */
const char *tkt_itsm_option(const struct tkt_itsm_call *call, const char *name,
                            const char *fallback);

/* Each row of fields = {"their name={{template}}"} as name and value; an empty value is left
 * out. take returns -1 to stop. */
int tkt_itsm_fields(struct tkt_itsm_call *call,
                    int (*take)(void *arg, const char *name, const char *value),
                    void *arg, struct tkt_err *err);
/* Such a template filled, values escaped as said; event is {{event}}. NULL with err. */
const char *tkt_itsm_render(struct tkt_itsm_call *call, const char *template,
                            enum tkt_escape escape, const char *event,
                            struct tkt_err *err);
/* What such a template may name; NULL-terminated. */
extern const char *const tkt_itsm_names[];

#endif
