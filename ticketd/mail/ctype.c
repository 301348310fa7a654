/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketd/mail/ctype.h"

#include "base/cfws.h"
#include "base/enc.h"

#include <string.h>

struct reader {
    const char *at;
    const char *end;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_token_char(char c)
{
    return (unsigned char)c > ' ' && c != 0x7f && strchr("()<>,;:\\\"[]=", c) == NULL;
}

/* A token in lower case; returns its whole length, of which max - 1 bytes are kept. */
static size_t read_token(struct reader *r, char *out, size_t max)
{
    size_t n = 0;

    for (; r->at < r->end && *r->at != '\0' && is_token_char(*r->at); r->at++, n++) {
        if (n + 1 < max) {
            out[n] = *r->at;
        }
    }
    out[n < max ? n : max - 1] = '\0';
    tkt_ascii_lower(out);
    return n;
}

/* A parameter's value: quoted, or up to ';', '(' or a blank (lenient: boundaries with
 * '=' or '/' stand unquoted in real mail). Returns the whole length. */
static size_t read_value(struct reader *r, char *out, size_t max)
{
    bool quoted = r->at < r->end && *r->at == '"';
    size_t n = 0;

    if (quoted) {
        r->at++;
    }
    for (; r->at < r->end; r->at++, n++) {
        if (quoted && *r->at == '\\' && r->at + 1 < r->end) {
            r->at++;
        } else if (quoted ? *r->at == '"'
                          : *r->at == ';' || *r->at == '(' || is_blank(*r->at)) {
            break;
        }
        if (n + 1 < max) {
            out[n] = *r->at;
        }
    }
    if (quoted && r->at < r->end) {
        r->at++;
    }
    out[n < max ? n : max - 1] = '\0';
    return n;
}

static void read_boundary(struct reader *r, struct tkt_ctype *out)
{
    size_t n = read_value(r, out->boundary, sizeof(out->boundary));

    if (n > TKT_CTYPE_BOUNDARY_MAX) {
        n = 0; /* too long to be held: as good as none */
    }
    while (n > 0 && is_blank(out->boundary[n - 1])) {
        n--;
    }
    out->boundary[n] = '\0';
    out->boundary_len = n;
}

static void read_params(struct reader *r, struct tkt_ctype *out)
{
    bool seen_boundary = false;
    char name[24];
    char drop[2];

    while (r->at < r->end) {
        const char *semicolon = memchr(r->at, ';', (size_t)(r->end - r->at));

        if (semicolon == NULL) {
            return;
        }
        r->at = semicolon + 1;
        r->at = tkt_cfws_end(r->at, r->end);
        (void)read_token(r, name, sizeof(name)); /* a cut name matches nothing below */
        r->at = tkt_cfws_end(r->at, r->end);
        if (r->at == r->end || *r->at != '=') {
            continue;
        }
        r->at++;
        r->at = tkt_cfws_end(r->at, r->end);
        if (strcmp(name, "boundary") == 0 && !seen_boundary) {
            seen_boundary = true;
            read_boundary(r, out);
        } else if (strcmp(name, "smime-type") == 0) {
            (void)read_value(r, out->smime_type, sizeof(out->smime_type));
            tkt_ascii_lower(out->smime_type);
        } else {
            (void)read_value(r, drop, sizeof(drop)); /* only to get behind it */
        }
    }
}

void tkt_ctype_parse(const char *value, size_t len, struct tkt_ctype *out)
{
    struct reader r = {value, value + len};

    memset(out, 0, sizeof(*out));
    r.at = tkt_cfws_end(r.at, r.end);
    (void)read_token(&r, out->name,
                     sizeof(out->name)); /* a cut name is TKT_CTYPE_OTHER */
    out->kind = TKT_CTYPE_OTHER;
    if (strncmp(out->name, "text/", 5) == 0) {
        out->kind = TKT_CTYPE_TEXT;
    } else if (strcmp(out->name, "message/rfc822") == 0 ||
               strcmp(out->name, "message/global") == 0) {
        out->kind = TKT_CTYPE_MESSAGE;
    }
    read_params(&r, out);
    if (strncmp(out->name, "multipart/", 10) == 0) {
        out->bad_boundary = out->boundary_len == 0;
        out->kind = out->bad_boundary ? TKT_CTYPE_OTHER : TKT_CTYPE_MULTIPART;
    }
}

void tkt_ctype_default(bool in_digest, struct tkt_ctype *out)
{
    static const char text[] = "text/plain";

    if (in_digest) {
        tkt_ctype_parse("message/rfc822", strlen("message/rfc822"), out);
    } else {
        /* A mail may have millions of empty part headers: not 600 bytes for each. */
        out->kind = TKT_CTYPE_TEXT;
        memcpy(out->name, text, sizeof(text));
        out->boundary[0] = '\0';
        out->boundary_len = 0;
        out->bad_boundary = false;
        out->smime_type[0] = '\0';
    }
}
