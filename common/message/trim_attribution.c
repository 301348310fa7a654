/* SPDX-License-Identifier: BSD-2-Clause
 * The line above a quote: "On DATE, NAME <ADDRESS> wrote:" and its kin. A header is not
 * one because a word stands in it, but because a date, a name or address and a verb
 * stand where a client of that language puts them, and nothing else does.
 */
#include "message/trim_line.h"

#include "base/util.h"

#include <string.h>

#define JOINED_MAX 400 /* bytes of a header that was wrapped */
#define WRAPPED_MAX 5  /* lines of it */
#define NAME_WORDS 8
#define LOOK_COST 10 /* at the verbs of all languages */

struct speech {
    const char *language;
    const char *starts; /* before the date */
    const char *verbs;
    const char *pronouns; /* nobody's name */
};

/* Folded: no accents, lower case. Longer verbs before those that they contain. */
static const struct speech speeches[] = {
    {"en", "on|at|in message|date", "has written|wrote|writes|said",
     "i|he|she|it|you|we|they|who"},
    {"de", "am|den|um|vom",
     "schrieb folgendes|hat geschrieben|geschrieben|schrieb|schreibt",
     "ich|er|sie|es|wir|ihr|du|man"},
    {"fr", "le|en date du|en date de", "a ecrit|ecrivait|ecrit",
     "je|il|elle|on|nous|vous|ils|elles|j'ai|m'a"},
    {"es", "el|en|con fecha", "ha escrito|escribio|escribia",
     "yo|el|ella|usted|ellos|me"},
    {"it", "il giorno|in data|nel giorno|il|alle", "ha scritto|scriveva|scrive",
     "io|lui|lei|noi|voi|loro|mi"},
    {"pt", "em|no dia|a|on", "escreveu o seguinte|escreveu", "eu|ele|ela|nos|eles|voce"},
    {"nl", "op", "het volgende geschreven|heeft geschreven|schreef het volgende|schreef",
     "ik|hij|zij|ze|wij|we|jij|u"},
    {"pl", "w dniu|dnia|dn.|pon.|wt.|sr.|czw.|pt.|sob.|niedz.|data",
     "napisal(a)|napisal/a|napisal(-a)|napisala|napisal|pisze|w dniu",
     "ja|on|ona|my|oni|pan|pani"},
    {"ru", "в|во", "написал(а)|написал/а|написала|написал|писал(а)|писал|пишет",
     "я|он|она|мы|они|вы"},
    {"uk", "у|в", "написав(-ла)|написав(ла)|написав/ла|написала|написав|пише|писав",
     "я|він|вона|ми|вони|ви"},
    {"sv", "den|pa|kl.", "skrev foljande|foljande|skrev", "jag|han|hon|du|vi|de|ni"},
    {"no", "den|pa|kl.", "skrev folgende|folgende|skrev", "jeg|han|hun|du|vi|de|dere"},
    {"da", "den|d.|kl.", "skrev folgende|folgende|har skrevet|skrev",
     "jeg|han|hun|du|vi|de|i"},
    {"fi", "ma|ti|ke|to|pe|la|su", "kirjoitti seuraavaa|kirjoitti nain|kirjoitti",
     "mina|han|sina|me|he|te"},
    {"cs", "dne|v|po|ut|st|ct|pa|so|ne", "napsal(a)|napsal/a|napsala|napsal",
     "ja|on|ona|my|oni|vy"},
    {"sk", "dna|v|po|ut|st|st|pi|so|ne", "napisal(a)|napisala|napisal",
     "ja|on|ona|my|oni|vy"},
    {"tr", "", "tarihinde sunu yazdi|sunu yazdi|sunlari yazdi|yazdi|yazmis",
     "ben|o|biz|siz|onlar"},
    {"zh", "在|于|於", "写道|寫道|写信|来信|说道", "我|他|她|你|我们"},
    {"ja", "",
     "さんは書きました|さんが書きました|は書きました|さんのメール|のメール|のメッセージ|"
     "wrote",
     ""},
    {"ko", "", "님이 작성|님께서 작성|에 작성|작성|쓴 글|님이 씀|님의 말", ""},
    {"hu", "", "ezt irta|a kovetkezot irta|a kovetkezoket irta|irta", "en|o|mi|ok|te"},
    {"ro", "pe|in data de|la", "a scris", "eu|el|ea|noi|ei"},
    {"el", "στισ|την|τη", "εγραψε", "εγω|αυτοσ"},
    {"he", "בתאריך|ב", "כתב/ה|כתב(ה)|כתבה|כתב", "אני|הוא|היא"},
    {"ar", "في", "كتب|كتبت|تمت كتابة ما يلي بواسطة", ""},
    {"ca", "el", "va escriure|del dia", "ell|ella"},
    {"hr", "dana|dana|u|dne",
     "je napisao/la|je napisao|je napisala|napisao je|napisala je|je napisal|napisao",
     "ja|on|ona"},
    {"bg", "на", "написа", "аз|тои|тя"},
    {"et", "", "kirjutas", "ma|ta"},
    {"lt", "", "rase", "as|jis|ji"},
    {"lv", "", "rakstija", "es|vins|vina"},
    {"vi", "vao", "da viet", ""},
    {"id", "pada", "menulis", "saya|dia"},
};

/* What besides a verb may stand between a date and a name. */
static const char before_names[] =
    "am|pm|a.m.|p.m.|a. m.|p. m.|m.|uhr|uur|h|ч.|г.|р.|г., "
    "в|heeft|пользователь|користувач|"
    "odesilatel|odosielatel|pouzivatel|от|від|by|von|par|de|da|van|from|מאת|ο/η|o/η|"
    "บ่าย|missatge de|kontakt|تمت كتابة ما يلي بواسطة|idopontban|h.|klo|kello";

const char *tkt_attribution_list(size_t k)
{
    if (k == 3 * TKT_ARRAY_LEN(speeches)) {
        return before_names;
    }

    if (k / 3 >= TKT_ARRAY_LEN(speeches)) {
        return NULL;
    }
    const struct speech *s = &speeches[k / 3];
    return k % 3 == 0 ? s->starts : k % 3 == 1 ? s->verbs : s->pronouns;
}

/* The words of the list that s begins with, in bytes of s; 0: none. */
static size_t leading(const char *s, const char *end, const char *list)
{
    size_t n = 0;

    /* Up to four words: folded, they may be of another length. */
    for (size_t words = 0; s + n < end && words < 6; words++) {
        n += strcspn(s + n, " ");
        n = TKT_MIN(n, (size_t)(end - s));
        struct tkt_folded f = {.n = 0};
        tkt_fold_add(&f, s, n);
        if (f.n > 0 && tkt_fold_is_one_of(f.s, f.n, list)) {
            return n;
        }
        n += strspn(s + n, " ");
    }
    return 0;
}

const char *tkt_attribution_name(const char *s, const char *end)
{
    size_t n;

    do {
        while (s < end && strchr(" .,", *s) != NULL) {
            s++;
        }
        n = leading(s, end, before_names);
        for (size_t i = 0; i < TKT_ARRAY_LEN(speeches) && n == 0; i++) {
            n = leading(s, end, speeches[i].verbs);
        }
        s += n;
    } while (n > 0 && s < end);
    return s;
}

/* A header that may have been wrapped, joined. */
struct candidate {
    const char *s;
    size_t n;
    struct tkt_evidence e;
    bool colon;         /* it ends as headers do */
    bool quote_follows; /* the strongest hint */
    bool is_joined;
};

static bool is_pronoun(const struct speech *sp, const char *s, size_t n)
{
    tkt_fold_strip(&s, &n, " ,");
    size_t at = n;
    size_t len;
    while (at > 0 && s[at - 1] != ' ') {
        at--;
    }
    /* "... he wrote", or nothing but "I myself" */
    return tkt_fold_is_one_of(s + at, n - at, sp->pronouns) ||
           (tkt_fold_words(s, n) <= 3 &&
            tkt_fold_finds(s, n, sp->pronouns, &len) != NULL);
}

/* The end of a sentence: a name has none, but initials. */
static bool has_sentence(const char *s, size_t n)
{
    for (size_t i = 4; i + 1 < n; i++) {
        bool word =
            s[i - 1] >= 'a' && s[i - 2] >= 'a' && s[i - 3] >= 'a' && s[i - 4] >= 'a';
        if (word && s[i + 1] == ' ' && strchr(".!?", s[i]) != NULL) {
            return true;
        }
    }
    return false;
}

/* The words of [from, to) that are no part of an address. */
static size_t words_outside(const struct candidate *c, size_t from, size_t to)
{
    size_t a = TKT_MIN(TKT_MAX(c->e.address_at, from), to);
    size_t b = TKT_MIN(TKT_MAX(c->e.address_end, from), to);

    return c->e.address
               ? tkt_fold_words(c->s + from, a - from) + tkt_fold_words(c->s + b, to - b)
               : tkt_fold_words(c->s + from, to - from);
}

/* DATE, NAME verb */
static bool verb_ends(const struct candidate *c, const struct speech *sp, size_t verb)
{
    const struct tkt_evidence *e = &c->e;
    size_t date_end = TKT_MIN(e->date_end, verb);
    bool dated = e->date && e->date_at < verb;

    if (!c->colon && !(c->quote_follows && dated)) {
        return false;
    }
    if (e->address && e->address_end <= verb) {
        size_t between = words_outside(c, e->address_end, verb);
        bool date_behind = dated && e->date_at >= e->address_end;
        size_t name = dated && !date_behind && e->date_end < e->address_at
                          ? words_outside(c, e->date_end, e->address_at)
                          : words_outside(c, 0, e->address_at);
        return (between <= 1 || date_behind || c->quote_follows) &&
               name <= (dated ? NAME_WORDS + 4 : NAME_WORDS);
    }
    size_t name_at = dated ? date_end : 0;
    size_t words = tkt_fold_words(c->s + name_at, verb - name_at);
    if (c->quote_follows) {
        return dated ? words <= 2 * NAME_WORDS : words <= NAME_WORDS && !c->is_joined;
    }
    bool led = tkt_fold_starts(c->s, c->n, sp->starts) > 0 || e->date_at <= 2;
    return led && dated && e->time && words > 0 && words <= NAME_WORDS &&
           !has_sentence(c->s + name_at, verb - name_at) &&
           !is_pronoun(sp, c->s + name_at, verb - name_at);
}

/* DATE verb NAME */
static bool verb_between(const struct candidate *c, const struct speech *sp, size_t verb,
                         size_t after)
{
    const struct tkt_evidence *e = &c->e;
    size_t words = words_outside(c, after, c->n);
    bool dated = e->date && e->date_at < verb;
    bool led = tkt_fold_starts(c->s, c->n, sp->starts) > 0 || e->date_at <= 24;

    if (!dated || !led || !c->colon || words > NAME_WORDS ||
        tkt_fold_words(c->s, verb) > 2 * NAME_WORDS) {
        return false;
    }
    if (e->address && e->address_at >= after) {
        return words_outside(c, e->address_end, c->n) <= (c->quote_follows ? 4 : 0) &&
               !is_pronoun(sp, c->s + after, TKT_MIN(8, c->n - after));
    }
    return (c->quote_follows || (e->time && words <= 5)) &&
           !is_pronoun(sp, c->s + after, c->n - after);
}

/* NAME verb DATE */
static bool verb_before_date(const struct candidate *c, const struct speech *sp,
                             size_t verb, size_t after)
{
    const struct tkt_evidence *e = &c->e;
    size_t words = words_outside(c, 0, verb);

    if (!e->date || e->date_end <= after || !c->colon || words > NAME_WORDS ||
        tkt_fold_words(c->s + after, c->n - after) > 14) {
        return false;
    }
    if (e->address && e->address_end <= verb + 1) {
        return words_outside(c, e->address_end, verb) <= 1;
    }
    return (c->quote_follows || (e->time && e->date_at >= after && words <= 4)) &&
           words > 0 && !is_pronoun(sp, c->s, verb);
}

/* The date stands at the begin, behind a weekday or what a language puts there. */
static bool begins_dated(const struct candidate *c)
{
    size_t words = tkt_fold_words(c->s, c->e.date_at);
    bool led = words <= 1;

    for (size_t i = 0; i < TKT_ARRAY_LEN(speeches) && !led && words <= 4; i++) {
        led = tkt_fold_starts(c->s, c->n, speeches[i].starts) > 0;
    }
    return led;
}

/* DATE NAME <ADDRESS>: in any language. */
static bool without_verb(const struct candidate *c)
{
    const struct tkt_evidence *e = &c->e;
    bool address_ends = e->address && words_outside(c, e->address_end, c->n) == 0;

    if (c->quote_follows && c->colon) {
        size_t words = words_outside(c, 0, c->n);
        return words <= 24 && ((e->address && e->enclosed) || (e->date && e->time));
    }
    return e->date && address_ends && e->enclosed && e->date_end <= e->address_at &&
           (c->quote_follows || (c->colon && e->time)) && begins_dated(c) &&
           words_outside(c, e->date_end, e->address_at) <= NAME_WORDS;
}

static bool speaks(const struct candidate *c, const struct speech *sp)
{
    const char *list = sp->verbs;
    const char *item;
    size_t len;

    while (tkt_fold_next(&list, &item, &len)) {
        char one[64];
        size_t k = TKT_MIN(len, sizeof(one) - 1);
        memcpy(one, item, k);
        one[k] = '\0';
        const char *p = tkt_fold_finds(c->s, c->n, one, &k);
        if (p == NULL) {
            continue;
        }
        size_t verb = (size_t)(p - c->s);
        size_t after = verb + k;
        const char *rest = c->s + after;
        size_t left = c->n - after;
        tkt_fold_strip(&rest, &left, " :.,)-");
        if (left == 0 ? verb_ends(c, sp, verb)
                      : verb_between(c, sp, verb, after) ||
                            verb_before_date(c, sp, verb, after)) {
            return true;
        }
    }
    return false;
}

static bool is_header(const struct tkt_folded *f, bool quote_follows, bool joined,
                      const char **language)
{
    struct candidate c = {.s = f->s, .n = f->n, .quote_follows = quote_follows};

    c.is_joined = joined;
    if (f->cut || f->n > JOINED_MAX || f->n == 0) {
        return false;
    }
    c.colon = strchr(":-", f->s[f->n - 1]) != NULL;
    tkt_fold_strip(&c.s, &c.n, " -:");
    tkt_evidence_read(c.s, c.n, &c.e);
    if (!quote_follows && !c.e.address && !c.e.date) {
        return false; /* each of the forms has one of them */
    }
    for (size_t i = 0; i < TKT_ARRAY_LEN(speeches); i++) {
        if (speaks(&c, &speeches[i])) {
            *language = speeches[i].language;
            return true;
        }
    }
    return without_verb(&c);
}

const char *tkt_attribution_starts(void)
{
    static struct tkt_fold_union all;

    for (size_t i = 0; i < TKT_ARRAY_LEN(speeches) && !all.is_done; i++) {
        tkt_fold_union_add(&all, speeches[i].starts);
    }
    all.is_done = true;
    return all.is_full ? NULL : all.list;
}

/* The longest of what any of the speeches starts with. */
static size_t starts_any(const char *s, size_t n)
{
    const char *all = tkt_attribution_starts();
    size_t longest = 0;

    if (all != NULL) {
        return tkt_fold_longest_start(s, n, all);
    }
    for (size_t i = 0; i < TKT_ARRAY_LEN(speeches); i++) {
        longest = TKT_MAX(longest, tkt_fold_longest_start(s, n, speeches[i].starts));
    }
    return longest;
}

/* Where the date of a header could begin. */
static bool starts_dated(const struct tkt_folded *f)
{
    const char *s = f->s;
    size_t n = TKT_MIN(f->n, 64);
    size_t digit;

    tkt_fold_strip(&s, &n, " -([\"");
    for (digit = 0; digit < n && !(s[digit] >= '0' && s[digit] <= '9'); digit++) {
    }
    if (digit == n) {
        return false;
    }
    if (digit == 0) {
        return true;
    }
    if (tkt_fold_words(s, digit) <= 2) { /* "Thu, 5 Dec" */
        return true;
    }
    size_t len = starts_any(s, n);
    return len > 0 && len <= digit && tkt_fold_words(s + len, digit - len) <= 3;
}

static bool may_start(const struct tkt_folded *f, bool address_follows)
{
    return f->n > 0 &&
           (address_follows || starts_dated(f) || memchr(f->s, '<', f->n) != NULL ||
            memchr(f->s, '@', f->n) != NULL || f->s[f->n - 1] == ':');
}

static bool quote_follows(const struct tkt_lines *l, size_t i)
{
    uint8_t depth = i > 0 ? l->items[i - 1].depth : 0;
    size_t end = TKT_MIN(l->count, i + 4);

    for (; i < end; i++) {
        const struct tkt_line *line = &l->items[i];
        if (line->kind == TKT_LINE_QUOTE || line->depth > depth) {
            return true;
        }
        if (line->kind != TKT_LINE_BLANK) {
            return line->len > 1 && l->text[line->at] == '|';
        }
    }
    return false;
}

/* An address that a client put on a line of its own, behind an empty one. */
static bool goes_on_with_address(const struct tkt_lines *l, size_t i)
{
    return i < l->count && l->items[i].len > 0 && l->text[l->items[i].at] == '<';
}

/* The end of an address that was wrapped in front of its '>'. */
static bool closes_address(const struct tkt_folded *f, const struct tkt_line *line)
{
    int open = 0;

    if (line->kind != TKT_LINE_QUOTE || line->len >= 80) {
        return false;
    }
    for (size_t i = 0; i < f->n; i++) {
        open += f->s[i] == '<' ? 1 : f->s[i] == '>' ? -1 : 0;
    }
    return open > 0;
}

/* A header of its own stands here: what is above it is none. */
static bool is_another(struct tkt_lines *l, const struct tkt_folded *own)
{
    struct tkt_evidence e;
    size_t len;

    tkt_evidence_read(own->s, own->n, &e);
    if (!e.date || !(e.time || e.address) || !starts_dated(own) ||
        !tkt_lines_may_look(l, LOOK_COST)) {
        return false;
    }
    for (size_t i = 0; i < TKT_ARRAY_LEN(speeches) && !e.address; i++) {
        if (tkt_fold_finds(own->s, own->n, speeches[i].verbs, &len) != NULL) {
            return true;
        }
    }
    return e.address;
}

size_t tkt_line_attribution(struct tkt_lines *l, size_t i, const struct tkt_folded *first,
                            const char **language)
{
    struct tkt_folded f;

    f.n = 0;
    f.cut = false;
    for (size_t k = i, used = 0; k < l->count && used <= WRAPPED_MAX; k++) {
        const struct tkt_line *line = &l->items[k];
        struct tkt_folded own;
        const struct tkt_folded *now = k == i && line->skip == 0 ? first : &own;
        bool closes = used > 0 && closes_address(&f, line);
        if (line->kind == TKT_LINE_BLANK && used > 0 && goes_on_with_address(l, k + 1)) {
            continue;
        }
        if ((line->kind != TKT_LINE_TEXT && !closes) || line->len > 2 * JOINED_MAX ||
            line->fenced) {
            return 0;
        }
        if (now == &own) {
            own.n = 0;
            own.cut = false;
            tkt_fold_add(&own, l->text + line->at, line->len);
        }
        bool address = goes_on_with_address(l, k + 1);
        if (used == 0 ? !may_start(now, address) : is_another(l, now)) {
            return 0;
        }
        if (used++ == 0) {
            memcpy(f.s, now->s, now->n + 1);
            f.n = now->n;
        } else {
            tkt_fold_add(&f, now->s, now->n);
        }
        if (f.n == 0 || f.n > JOINED_MAX) {
            return 0;
        }
        bool follows = quote_follows(l, k + 1);
        bool ends = strchr(":-", f.s[f.n - 1]) != NULL;
        bool open = k + 1 < l->count && closes_address(&f, &l->items[k + 1]);
        if ((!ends && !follows) || open) {
            continue;
        }
        if (!tkt_lines_may_look(l, LOOK_COST)) {
            return 0;
        }
        if (is_header(&f, follows, used > 1, language)) {
            return k + 1 - i;
        }
        if (ends && used > 1) {
            return 0;
        }
    }
    return 0;
}
