/* SPDX-License-Identifier: BSD-2-Clause
 * Passwords behind the usual words: "password: x", "Passwort für das WLAN ist x", and
 * "https://ann:x@host". */
#include "base/enc.h"
#include "base/util.h"
#include "message/redact_internal.h"

#include <string.h>

#define AWAY_MAX 48    /* bytes between the word and ':' or "is" on its line */
#define SECRET_MAX 256 /* bytes of a secret */
#define WORD_MAX 40

/* Lower case; what people call it. */
static const char *const names[] = {
    "password",
    "passwords",
    "passwd",
    "pwd",
    "pw",
    "pass",
    "passcode",
    "passphrase",
    "pass phrase",
    "pin",
    "pin code",
    "pincode",
    "pin-code",
    "tan",
    "cvv",
    "cvc",
    "cvv2",
    "secret",
    "api key",
    "api-key",
    "apikey",
    "access token",
    "access key",
    "secret key",
    "security code",
    "passwort",
    "passw\xc3\xb6rter",
    "kennwort",
    "passwords",
    "geheimzahl",
    "zugangscode",
    "freischaltcode",
    "mot de passe",
    "mots de passe",
    "mdp",
    "code d'acc\xc3\xa8s",
    "contrase\xc3\xb1"
    "a",
    "contrasena",
    "clave",
    "password temporanea",
    "parola d'ordine",
    "parola",
    "senha",
    "palavra-passe",
    "palavra passe",
    "wachtwoord",
    "toegangscode",
    "has\xc5\x82o",
    "haslo",
    "has\xc5\x82"
    "em",
    "l\xc3\xb6senord",
    "l\xc3\xb6senordet",
    "passord",
    "passordet",
    "adgangskode",
    "adgangskoden",
    "kodeord",
    "kodeordet",
    "salasana",
    "salasanani",
    "heslo",
    "\xc5\x9fifre",
    "\xc5\x9fifrem",
    "sifre",
    "jelsz\xc3\xb3",
    "jelszava",
    "jelszavam",
    "parol\xc4\x83",
    "\xd0\xbf\xd0\xb0\xd1\x80\xd0\xbe\xd0\xbb\xd1\x8c",                 /* пароль */
    "\xd0\xbf\xd0\xb0\xd1\x80\xd0\xbe\xd0\xbb\xd0\xb0",                 /* парола */
    "\xd0\xbf\xd0\xb0\xd1\x80\xd0\xbe\xd0\xbb\xd0\xb0\xd1\x82\xd0\xb0", /* паролата */
    "\xce\xba\xcf\x89\xce\xb4\xce\xb9\xce\xba\xcf\x8c\xcf\x82", /* κωδικός */
    "\xd7\xa1\xd7\x99\xd7\xa1\xd7\x9e\xd7\x94",                 /* סיסמה */
    "\xd8\xb1\xd9\x85\xd8\xb2",
    "\xd9\x83\xd9\x84\xd9\x85\xd8\xa9 "
    "\xd8\xa7\xd9\x84\xd9\x85\xd8\xb1\xd9\x88\xd8\xb1", /* كلمة المرور */
    "\xe5\xaf\x86\xe7\xa0\x81",
    "\xe5\xaf\x86\xe7\xa2\xbc",                                     /* 密码 密碼 */
    "\xe3\x83\x91\xe3\x82\xb9\xe3\x83\xaf\xe3\x83\xbc\xe3\x83\x89", /* パスワード */
    "\xeb\xb9\x84\xeb\xb0\x80\xeb\xb2\x88\xed\x98\xb8",             /* 비밀번호 */
};

/* Between the word and the secret, as a word of its own. */
static const char *const verbs[] = {
    "is",
    "was",
    "ist",
    "war",
    "lautet",
    "lautete",
    "est",
    "es",
    "era",
    "\xc3\xa8",
    "\xc3\xa9",
    "jest",
    "brzmi",
    "to",
    "je",
    "zn\xc3\xad",
    "\xc3\xa4r",
    "er",
    "on",
    "este",
    "van",
    "\xd1\x8d\xd1\x82\xd0\xbe",
    "\xd1\x86\xd0\xb5",
    "\xd0\xb5", /* это це е */
    "\xe6\x98\xaf",
    "\xe4\xb8\xba", /* 是 为 */
};

/* What stands behind "is" when nothing is told. */
static const char *const plain[] = {
    "not",
    "no",
    "wrong",
    "expired",
    "invalid",
    "correct",
    "incorrect",
    "required",
    "the",
    "an",
    "being",
    "still",
    "now",
    "already",
    "lost",
    "locked",
    "ok",
    "okay",
    "fine",
    "different",
    "never",
    "always",
    "too",
    "set",
    "reset",
    "needed",
    "unknown",
    "known",
    "it",
    "this",
    "that",
    "my",
    "your",
    "our",
    "blocked",
    "changed",
    "gone",
    "broken",
    "working",
    "accepted",
    "rejected",
    "denied",
    "missing",
    "empty",
    "below",
    "attached",
    "nicht",
    "falsch",
    "abgelaufen",
    "ung\xc3\xbcltig",
    "leider",
    "noch",
    "immer",
    "gesperrt",
    "weg",
    "vergessen",
    "zu",
    "richtig",
    "schon",
    "jetzt",
    "das",
    "der",
    "die",
    "ein",
    "korrekt",
    "unbekannt",
    "n\xc3\xb6tig",
    "ge\xc3\xa4ndert",
    "verloren",
    "blockiert",
    "pas",
    "expir\xc3\xa9",
    "oubli\xc3\xa9",
    "invalide",
    "faux",
    "correcta",
    "incorrecta",
    "caducada",
    "inv\xc3\xa1lida",
    "incorreta",
    "expirada",
    "scaduta",
    "errata",
    "sbagliata",
    "corretta",
    "niet",
    "verlopen",
    "onjuist",
    "fout",
    "nieprawid\xc5\x82owe",
    "wygas\xc5\x82o",
    "fel",
    "felaktigt",
    "inte",
    "ikke",
    "feil",
    "forkert",
    "v\xc3\xa4\xc3\xa4r\xc3\xa4",
    "vanhentunut",
    "\xc5\xa1patn\xc3\xa9",
    "neplatn\xc3\xa9",
    "\xd0\xbd\xd0\xb5",
};

/* Lower case for ASCII, Latin-1 and Cyrillic letters, whose case is one bit in UTF-8 or
 * nearly; bytes stay as many as they were. */
static size_t fold(const char *p, size_t n, char *out)
{
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)p[i];
        unsigned char before = i > 0 ? (unsigned char)out[i - 1] : 0;
        if (c >= 'A' && c <= 'Z') {
            c |= 0x20;
        } else if (before == 0xc3 && c >= 0x80 && c <= 0x9e) {
            c = (unsigned char)(c + 0x20);
        } else if ((before == 0xc4 || before == 0xc5) && c == 0x9e) {
            c = 0x9f; /* Turkish */
        } else if (before == 0xd0 && c >= 0x90 && c <= 0x9f) {
            c = (unsigned char)(c + 0x20);
        } else if (before == 0xd0 && c >= 0xa0 && c <= 0xaf) {
            out[i - 1] = (char)0xd1;
            c = (unsigned char)(c - 0x20);
        }
        out[i] = (char)c;
    }
    return n;
}

/* The longest of a list that the text begins with as a whole word; 0 = none. Scripts
 * without blanks have no whole words. */
static size_t begins_with(const char *text, size_t n, const char *const *list,
                          size_t count)
{
    char folded[WORD_MAX];
    size_t have = fold(text, TKT_MIN(n, sizeof(folded)), folded);
    char second = have > 1 ? folded[1] : '\0';
    size_t best = 0;

    for (size_t i = 0; i < count && have > 0; i++) {
        if (list[i][0] != folded[0] || list[i][1] != second) {
            continue; /* nearly all of them, and nearly for nothing */
        }
        size_t len = strlen(list[i]);
        if (len <= best || len > have || memcmp(folded, list[i], len) != 0) {
            continue;
        }
        bool ideographic = (unsigned char)list[i][0] >= 0xe3;
        if (ideographic || len == n || !tkt_redact_is_word(text[len])) {
            best = len;
        }
    }
    return best;
}

static size_t blanks(const char *text, size_t n, size_t at)
{
    size_t i = at;

    while (i < n && (text[i] == ' ' || text[i] == '\t')) {
        i++;
    }
    return i - at;
}

/* ':' and '=' and their wide forms: bytes. */
static size_t sign(const char *text, size_t n, size_t at)
{
    if (at < n && (text[at] == ':' || text[at] == '=')) {
        return 1;
    }
    bool wide = n - at >= 3 && (memcmp(text + at, "\xef\xbc\x9a", 3) == 0 ||
                                memcmp(text + at, "\xef\xbc\x9d", 3) == 0);
    return wide ? 3 : 0;
}

/* The run of bytes that could be a secret, without the stop of its sentence; what stands
 * in quotes goes with them. */
static size_t token(const char *text, size_t n, size_t at)
{
    size_t end = TKT_MIN(n, at + SECRET_MAX);
    size_t i = at;

    if (at < n && (text[at] == '"' || text[at] == '\'' || text[at] == '`')) {
        for (i = at + 1; i < end && text[i] != text[at] && text[i] != '\n'; i++) {
        }
        if (i < end && text[i] == text[at] && i > at + 1) {
            return i + 1 - at;
        }
        i = at;
    }
    while (i < end && !tkt_redact_is_space(text[i])) {
        i++;
    }
    while (i > at && strchr(".,;!?)", text[i - 1]) != NULL && i - at > 1) {
        i--;
    }
    return i - at;
}

/* No word that people write: has digits, signs, capitals inside, or stands in quotes. */
static bool looks_secret(const char *p, size_t n)
{
    bool digit = false;
    bool symbol = n > 2 && strchr("\"'`", p[0]) != NULL;
    bool inner = false;

    for (size_t i = 0; i < n; i++) {
        digit = digit || tkt_redact_is_digit(p[i]);
        symbol = symbol || (!tkt_redact_is_word(p[i]) && p[i] != '-' && p[i] != '\'');
        inner = inner || (i > 0 && p[i] >= 'A' && p[i] <= 'Z' && p[i - 1] >= 'a' &&
                          p[i - 1] <= 'z');
    }
    return n >= 3 && (digit || symbol || inner);
}

static bool is_plain(const char *p, size_t n)
{
    return begins_with(p, n, plain, TKT_ARRAY_LEN(plain)) == n;
}

static bool ends_sentence(const char *text, size_t n, size_t at)
{
    at += blanks(text, n, at);
    return at >= n || strchr("\n\r.,;!", text[at]) != NULL;
}

/* A word "is" behind a blank, with a blank behind it: bytes with that blank. */
static size_t verb(const char *text, size_t n, size_t at)
{
    size_t len = begins_with(text + at, n - at, verbs, TKT_ARRAY_LEN(verbs));
    size_t gap = len > 0 ? blanks(text, n, at + len) : 0;

    bool ideographic = len > 0 && (unsigned char)text[at] >= 0xe3;
    return len > 0 && (gap > 0 || ideographic || sign(text, n, at + len) > 0) ? len : 0;
}

/* Behind the sign, perhaps on the next line. */
static size_t after_sign(const char *text, size_t n, size_t at)
{
    size_t i = at + blanks(text, n, at);
    size_t line = i;

    line += line < n && text[line] == '\r' ? 1 : 0;
    if (line >= n || text[line] != '\n') {
        return i;
    }
    line += 1 + blanks(text, n, line + 1);
    return looks_secret(text + line, token(text, n, line)) ? line : i;
}

/* The secret that a ':' or an "is" at i announces. direct: right behind the word. */
static size_t told(const char *text, size_t n, size_t i, bool direct, size_t *at)
{
    size_t len = sign(text, n, i);
    bool is_sign = len > 0;

    if (!is_sign) {
        len = verb(text, n, i);
    }
    if (len == 0) {
        return 0;
    }
    size_t from =
        is_sign ? after_sign(text, n, i + len) : i + len + blanks(text, n, i + len);
    if (!is_sign && sign(text, n, from) > 0) { /* "Passwort lautet: x" */
        from = after_sign(text, n, from + sign(text, n, from));
        is_sign = true;
    }
    size_t secret = token(text, n, from);
    bool taken = secret >= 3 && looks_secret(text + from, secret);
    if (!taken && direct && is_sign) {
        taken = secret >= 1 && !tkt_redact_is_space(text[from]);
    } else if (!taken && direct) {
        taken = secret >= 3 && !is_plain(text + from, secret) &&
                ends_sentence(text, n, from + secret);
    }
    *at = from;
    return taken ? secret : 0;
}

/* "Passwort Abc123": nothing between. */
static size_t bare(const char *text, size_t n, size_t i, size_t *at)
{
    size_t gap = blanks(text, n, i);
    size_t len = gap > 0 ? token(text, n, i + gap) : 0;
    bool digit = false;
    bool other = false;

    for (size_t k = 0; k < len; k++) {
        digit = digit || tkt_redact_is_digit(text[i + gap + k]);
        other = other || !tkt_redact_is_digit(text[i + gap + k]);
    }
    *at = i + gap;
    bool number = digit && !other && len >= 4 && len <= 8; /* "PIN 1234" */
    return number || (digit && other && len >= 5) ? len : 0;
}

static size_t in_words(const char *text, size_t n, size_t at, size_t *skip)
{
    size_t name = begins_with(text + at, n - at, names, TKT_ARRAY_LEN(names));
    size_t end = TKT_MIN(n, at + name + AWAY_MAX);
    size_t from = 0;

    if (name == 0) {
        return 0;
    }
    size_t i = at + name;
    /* "password*:", "password\": ": of forms and of JSON. */
    while (i < n && strchr("*\"'", text[i]) != NULL && text[i] != '\0') {
        i++;
    }
    size_t gap = blanks(text, n, i);
    size_t len = told(text, n, i + gap, true, &from);
    len = len > 0 ? len : bare(text, n, i, &from);
    for (size_t k = i + gap; len == 0 && k < end && text[k] != '\n'; k++) {
        bool word = k > 0 && tkt_redact_is_space(text[k - 1]);
        if (word || sign(text, n, k) > 0) {
            len = told(text, n, k, false, &from);
        }
        if (text[k] == '.' && k + 1 < n && tkt_redact_is_space(text[k + 1])) {
            break; /* another sentence */
        }
    }
    /* What was looked at in part is removed whole. */
    while (len >= SECRET_MAX - 8 && from + len < n &&
           !tkt_redact_is_space(text[from + len])) {
        len++;
    }
    *skip = from - at;
    return len;
}

/* "//ann:secret@host": the part between ':' and '@'. */
static size_t in_url(const char *text, size_t n, size_t at, size_t *skip)
{
    size_t end = TKT_MIN(n, at + SECRET_MAX);
    size_t colon = 0;

    if (n - at < 4 || text[at] != '/' || text[at + 1] != '/') {
        return 0;
    }
    for (size_t i = at + 2; i < end; i++) {
        if (tkt_redact_is_space(text[i]) || text[i] == '/' || text[i] == '<') {
            return 0;
        }
        if (text[i] == '@') {
            *skip = colon + 1 - at;
            return colon > 0 && i > colon + 1 ? i - colon - 1 : 0;
        }
        colon = text[i] == ':' && colon == 0 ? i : colon;
    }
    return 0;
}

size_t tkt_redact_password(const char *text, size_t n, size_t at, size_t *skip)
{
    size_t len = in_url(text, n, at, skip);

    return len > 0 ? len : in_words(text, n, at, skip);
}
