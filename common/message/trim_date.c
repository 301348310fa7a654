/* SPDX-License-Identifier: BSD-2-Clause
 * Dates as clients write them above a quote, in the order and the words of a language.
 */
#include "message/trim_line.h"

#include "base/util.h"

#include <string.h>

/* Folded beginnings of the months' names; of two that fit the longer one counts. */
static const char *const months[12] = {
    "jan|jaan|sij|ene|gen|янв|січ|oca|sty|led|tammi|ιαν|ינו|يناير|ocak",
    "feb|fev|veeb|velj|lut|фев|лют|sub|unor|helmi|φεβ|פבר|فبراير",
    "mar|mrt|ozu|maart|мар|бер|brez|maalis|μαρ|מרץ|מרס|مارس",
    "apr|abr|avr|kwi|апр|кві|nis|dub|huhti|απρ|אפר|أبريل|ابريل",
    "may|mai|svi|mag|maj|mei|маи|мая|тра|kvet|touko|μαι|מאי|مايو",
    "jun|juuni|juin|giu|cze|июн|чер|haz|cerven|cervn|kesa|ιουν|יונ|يونيو",
    "jul|juuli|juil|lug|lip|июл|лип|tem|cervenec|cervenc|heina|ιουλ|יול|يوليو",
    "aug|aou|ago|sie|авг|сер|srp|elo|αυγ|אוג|أغسطس",
    "sep|set|wrz|сен|вер|eyl|zar|syys|σεπ|ספט|سبتمبر",
    "oct|okt|ott|out|paz|окт|жов|eki|rij|loka|οκτ|אוק|أكتوبر",
    "nov|lis|ноя|лис|kas|marras|νοε|נוב|نوفمبر",
    "dec|dez|dic|des|gru|дек|гру|ara|pros|joulu|δεκ|דצמ|ديسمبر",
};

static const struct {
    const char *name;
    int minutes;
} zones[] = {{"utc", 0},    {"gmt", 0},    {"cest", 120}, {"cet", 60},   {"mesz", 120},
             {"mez", 60},   {"eest", 180}, {"eet", 120},  {"bst", 60},   {"msk", 180},
             {"est", -300}, {"edt", -240}, {"cst", -360}, {"cdt", -300}, {"mst", -420},
             {"mdt", -360}, {"pst", -480}, {"pdt", -420}, {"jst", 540},  {"kst", 540}};

const char *tkt_date_list(size_t k)
{
    return k < TKT_ARRAY_LEN(months) ? months[k] : NULL;
}

struct date {
    int year, month, day;
    int hour, minute, second;
    int zone; /* minutes east */
    bool timed;
    bool numeric;       /* the month is a number */
    bool pending_month; /* "thg 2" */
    bool after_number;  /* the month stood behind one: it is no weekday's name */
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static int month_named(const char *s, size_t n)
{
    int found = 0;
    size_t best = 0;

    for (int m = 0; m < 12; m++) {
        const char *list = months[m];
        const char *item;
        size_t len;
        while (tkt_fold_next(&list, &item, &len)) {
            if (len > best && len <= n && memcmp(s, item, len) == 0) {
                best = len;
                found = m + 1;
            }
        }
    }
    return found;
}

static void take_word(struct date *d, const char *s, size_t n, bool after_number)
{
    int month = month_named(s, n);

    if (month == 0 && n > 2 && memcmp(s, "ב", 2) == 0) {
        month = month_named(s + 2, n - 2); /* "in February" */
    }
    d->pending_month = tkt_fold_is_one_of(s, n, "thg|thang");
    if (tkt_fold_is_one_of(s, n, "th|thu") && d->day == 0) {
        d->day = -1; /* a weekday's number follows */
    }

    if (month > 0 && (d->month == 0 || (after_number && !d->after_number))) {
        d->month = month;
        d->after_number = after_number;
    }
    for (size_t i = 0; i < TKT_ARRAY_LEN(zones) && d->timed; i++) {
        if (strlen(zones[i].name) == n && memcmp(zones[i].name, s, n) == 0) {
            d->zone = zones[i].minutes;
        }
    }
}

struct numbers {
    int v[4];
    size_t digits[4];
    size_t count;
    char between;
};

static size_t read_numbers(const char *s, size_t n, size_t i, struct numbers *g)
{
    memset(g, 0, sizeof(*g));
    while (i < n && is_digit(s[i]) && g->count < 4) {
        size_t k = g->count++;
        for (; i < n && is_digit(s[i]); i++) {
            g->v[k] = g->digits[k] < 6 ? g->v[k] * 10 + (s[i] - '0') : 0;
            g->digits[k]++;
        }
        if (i + 1 < n && strchr(":./-h", s[i]) != NULL && is_digit(s[i + 1]) &&
            (g->between == 0 || g->between == s[i])) {
            g->between = s[i++];
        }
    }
    return i;
}

static void set_date(struct date *d, int year, int month, int day)
{
    d->year = year < 100 ? year + 2000 : year;
    d->month = month;
    d->day = day;
    d->after_number = true;
}

static void take_three(struct date *d, const struct numbers *g, bool month_first)
{
    if (g->digits[0] == 4) {
        set_date(d, g->v[0], g->v[1], g->v[2]);
    } else if (g->between == '/' && ((month_first && g->v[0] <= 12) || g->v[1] > 12)) {
        set_date(d, g->v[2], g->v[0], g->v[1]);
    } else {
        set_date(d, g->v[2], g->v[1], g->v[0]);
    }
}

static void take_one(struct date *d, const struct numbers *g)
{
    if (g->digits[0] == 4 && g->v[0] >= 1970 && d->year == 0) {
        d->year = g->v[0];
    } else if (g->digits[0] > 2 || g->v[0] > 31) {
        return;
    } else if (d->year != 0 && d->month == 0) { /* 2016. 12. 12. */
        d->month = g->v[0];
        d->after_number = true;
    } else if (d->pending_month) {
        d->month = g->v[0];
        d->after_number = true;
    } else if (d->day <= 0) {
        d->day = d->day < 0 ? 0 : g->v[0];
    } else if (d->month == 0 && !d->timed) { /* 1. 2. 2021 */
        d->month = g->v[0];
        d->after_number = d->numeric = true;
    } else if (d->numeric && d->year == 0 && !d->timed) { /* 01. 02. 21 */
        d->year = 2000 + g->v[0];
    }
}

static void take_numbers(struct date *d, const struct numbers *g, char sign, bool of_zone,
                         bool month_first)
{
    bool clock = g->count >= 2 && (g->between == ':' || g->between == 'h' ||
                                   (g->between == '.' && g->count == 2));

    if (sign != 0 && d->timed && (g->digits[0] == 4 || (clock && g->digits[0] <= 2))) {
        int minutes = clock ? g->v[0] * 60 + g->v[1] : g->v[0] / 100 * 60 + g->v[0] % 100;
        d->zone = sign == '-' ? -minutes : minutes;
    } else if (sign != 0 && d->timed && of_zone && g->digits[0] <= 2) { /* GMT+1 */
        d->zone = (sign == '-' ? -60 : 60) * g->v[0];
    } else if (clock && g->v[0] < 24 && g->v[1] < 60) {
        d->hour = g->v[0];
        d->minute = g->v[1];
        d->second = g->count >= 3 && g->v[2] < 60 ? g->v[2] : 0;
        d->timed = true;
    } else if (g->count == 3) {
        take_three(d, g, month_first);
    } else if (g->count == 1) {
        take_one(d, g);
    }
}

static int64_t seconds(const struct date *d)
{
    static const int lengths[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    if (d->year < 1970 || d->year > 2199 || d->month < 1 || d->month > 12 || d->day < 1 ||
        d->day > lengths[d->month - 1]) {
        return 0;
    }
    /* Days since 1970 of a year that begins in March. */
    int64_t y = d->month <= 2 ? d->year - 1 : d->year;
    int64_t era = y / 400;
    int64_t of_era = y - era * 400;
    int64_t of_year = (153 * (d->month + (d->month > 2 ? -3 : 9)) + 2) / 5 + d->day - 1;
    int64_t days =
        era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
    return days * 86400 + d->hour * 3600 + (d->minute - d->zone) * 60 + d->second;
}

static void shift_half(struct date *d, const char *s, size_t n)
{
    static const char afternoon[] =
        "pm|p.m|p.m.|p. m|nachm.|nachmittags|下午|晚上|中午|午後|오후|"
        "μμ|μ.μ.|م|e.m.|eft.m.|od.|du.|του";
    static const char morning[] =
        "am|a.m|a.m.|a. m|vorm.|上午|凌晨|早上|午前|오전|πμ|π.μ.|ص|f.m.|de.";
    size_t len;

    for (size_t i = 0; i + 2 < n; i++) { /* "8:16pm" is a word of its own to nobody */
        bool half =
            is_digit(s[i]) && (s[i + 1] == 'a' || s[i + 1] == 'p') && s[i + 2] == 'm';
        if (half && s[i + 1] == 'p' && d->hour < 12) {
            d->hour += 12;
            return;
        }
    }
    if (d->hour < 12 && tkt_fold_finds(s, n, afternoon, &len) != NULL) {
        d->hour += 12;
    } else if (d->hour == 12 && tkt_fold_finds(s, n, morning, &len) != NULL) {
        d->hour = 0;
    }
}

int64_t tkt_trim_date(const char *s, size_t n, const char *language)
{
    struct tkt_folded f = {.n = 0};
    struct date d;
    size_t len;
    bool number = false; /* the last thing was one */

    memset(&d, 0, sizeof(d));
    tkt_fold_add(&f, s, TKT_MIN(n, TKT_TRIM_FIELD_MAX));
    bool halves = tkt_fold_finds(f.s, f.n, "am|pm|a.m|p.m", &len) != NULL;
    bool month_first = halves && (language == NULL || strcmp(language, "en") == 0);
    for (size_t i = 0; i < f.n;) {
        unsigned char c = (unsigned char)f.s[i];
        if (is_digit((char)c)) {
            struct numbers g;
            char sign = i > 0 && strchr("+-", f.s[i - 1]) != NULL ? f.s[i - 1] : 0;
            bool of_zone = i > 1 && (f.s[i - 2] == 't' || f.s[i - 2] == 'c');
            i = read_numbers(f.s, f.n, i, &g);
            take_numbers(&d, &g, sign, of_zone, month_first);
            number = true;
        } else if ((c >= 'a' && c <= 'z') || c >= 0x80) {
            size_t from = i;
            while (i < f.n &&
                   ((f.s[i] >= 'a' && f.s[i] <= 'z') || (unsigned char)f.s[i] >= 0x80)) {
                i++;
            }
            bool joins =
                number && tkt_fold_is_one_of(f.s + from, i - from, "de|of|st|nd|rd|th|ב");
            if (!joins) {
                take_word(&d, f.s + from, i - from, number);
                number = false;
            }
        } else {
            i++;
        }
    }
    if (d.timed) {
        shift_half(&d, f.s, f.n);
    }
    return seconds(&d);
}
