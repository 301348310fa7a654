/* SPDX-License-Identifier: BSD-2-Clause */
#include "message/htmlstyle.h"

#include "base/enc.h"
#include "base/util.h"

#include <string.h>

#define AWAY_PX 999 /* moved as far as this: nobody scrolls there */

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f';
}

static bool is_word(const char *p, size_t n, const char *word)
{
    return strlen(word) == n && tkt_ascii_ieqn(p, word, n);
}

static bool starts(const char *p, size_t n, const char *word)
{
    size_t len = strlen(word);

    return n >= len && tkt_ascii_ieqn(p, word, len);
}

/* Whether word stands anywhere in a value; values are short or cut. */
static bool holds(const char *p, size_t n, const char *word)
{
    size_t len = strlen(word);

    for (size_t i = 0; i + len <= n; i++) {
        if ((p[i] | 0x20) == word[0] && tkt_ascii_ieqn(p + i, word, len)) {
            return true;
        }
    }
    return false;
}

void tkt_html_style_init(struct tkt_html_style *s)
{
    memset(s, 0, sizeof(*s));
    s->color = TKT_HTML_COLOR_UNSET;
    s->background = TKT_HTML_COLOR_UNSET;
    s->size = -1;
    s->size_ratio = -1;
}

/* ---- values ---- */

/* A number in 1/100; *used bytes of it, 0 when there is none. */
static int number(const char *p, size_t n, size_t *used)
{
    bool minus = n > 0 && *p == '-';
    size_t i = minus || (n > 0 && *p == '+') ? 1 : 0;
    size_t first = i;
    int v = 0;

    for (; i < n && p[i] >= '0' && p[i] <= '9'; i++) {
        v = v < 1000000 ? v * 10 + (p[i] - '0') : v;
    }
    v *= 100;
    if (i < n && p[i] == '.') {
        int unit = 10;
        for (i++; i < n && p[i] >= '0' && p[i] <= '9'; i++) {
            v += unit * (p[i] - '0');
            unit /= 10;
        }
        first += i == first + 1 ? 1 : 0;
    }
    *used = i > first ? i : 0;
    return minus ? -v : v;
}

/* A length in 1/100 px; false when it is none that we can tell. */
static bool length(const char *p, size_t n, int *out)
{
    size_t used = 0;
    int v = number(p, n, &used);
    const char *unit = p + used;
    size_t rest = n - used;

    if (used == 0) {
        return false;
    }
    if (rest == 0 || starts(unit, rest, "px") || is_space(*unit) || v == 0) {
        *out = v;
    } else if (starts(unit, rest, "pt")) {
        *out = v / 3 * 4 + v % 3;
    } else if (starts(unit, rest, "in")) {
        *out = v < 1000000 ? v * 96 : v;
    } else if (starts(unit, rest, "em")) {
        *out = v < 1000000 ? v * 16 : v;
    } else {
        return false;
    }
    return true;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static uint32_t hex_color(const char *p, size_t n)
{
    uint32_t v = 0;

    for (size_t i = 0; i < n; i++) {
        int d = hex_digit(p[i]);
        if (d < 0) {
            return TKT_HTML_COLOR_UNKNOWN;
        }
        v = n == 3 ? v << 8 | (uint32_t)(d * 17) : v << 4 | (uint32_t)d;
    }
    return n == 3 || n == 6 ? v : TKT_HTML_COLOR_UNKNOWN;
}

/* "rgb(255, 255, 255)", "rgba(0,0,0,0)". */
static uint32_t rgb_color(const char *p, size_t n)
{
    uint32_t v = 0;
    size_t i = 0;

    for (int k = 0; k < 4; k++) {
        size_t used = 0;
        while (i < n && (is_space(p[i]) || p[i] == ',' || p[i] == '/')) {
            i++;
        }
        int x = number(p + i, n - i, &used);
        if (used == 0) {
            return k == 3 ? v : TKT_HTML_COLOR_UNKNOWN;
        }
        i += used;
        if (k == 3) {
            return x <= 0 ? TKT_HTML_COLOR_TRANSPARENT : v;
        }
        x = i < n && p[i] == '%' ? x * 255 / 100 : x;
        i += i < n && p[i] == '%' ? 1 : 0;
        v = v << 8 | (uint32_t)TKT_MAX(0, TKT_MIN(x / 100, 255));
    }
    return v;
}

uint32_t tkt_html_color(const char *p, size_t n)
{
    static const struct {
        const char *name;
        uint32_t color;
    } names[] = {
        {"white", 0xffffff},
        {"black", 0},
        {"window", 0xffffff},
        {"windowtext", 0},
        {"snow", 0xfffafa},
        {"ivory", 0xfffff0},
        {"ghostwhite", 0xf8f8ff},
        {"whitesmoke", 0xf5f5f5},
        {"red", 0xff0000},
        {"blue", 0x0000ff},
        {"green", 0x008000},
        {"yellow", 0xffff00},
        {"gray", 0x808080},
        {"grey", 0x808080},
        {"navy", 0x000080},
        {"silver", 0xc0c0c0},
        {"transparent", TKT_HTML_COLOR_TRANSPARENT},
    };
    size_t word = 0;

    while (n > 0 && is_space(*p)) {
        p++;
        n--;
    }
    if (n > 0 && *p == '#') {
        size_t digits = 1;
        while (digits < n && digits < 8 && hex_digit(p[digits]) >= 0) {
            digits++;
        }
        return hex_color(p + 1, digits - 1);
    }
    if (starts(p, n, "rgb")) {
        const char *open = memchr(p, '(', n);
        return open == NULL ? TKT_HTML_COLOR_UNKNOWN
                            : rgb_color(open + 1, n - (size_t)(open + 1 - p));
    }
    while (word < n && (p[word] | 0x20) >= 'a' && (p[word] | 0x20) <= 'z') {
        word++;
    }
    for (size_t i = 0; i < TKT_ARRAY_LEN(names); i++) {
        if (is_word(p, word, names[i].name)) {
            return names[i].color;
        }
    }
    return n == 6 ? hex_color(p, n) : TKT_HTML_COLOR_UNKNOWN; /* bgcolor=ffffff */
}

/* ---- properties ---- */

static void read_size(struct tkt_html_style *s, const char *p, size_t n)
{
    size_t used = 0;
    int v = number(p, n, &used);
    const char *unit = p + used;
    size_t rest = n - used;

    s->size = -1;
    s->size_ratio = -1;
    if (used == 0) {
        s->size = 1600; /* "small" and its like */
    } else if (starts(unit, rest, "em") || starts(unit, rest, "%")) {
        s->size_ratio = *unit == '%' ? v / 100 : v;
    } else if (!length(p, n, &s->size)) {
        s->size = v == 0 ? 0 : 1600;
    }
    s->size = TKT_MIN(s->size, 100000);
    s->size_ratio = TKT_MIN(s->size_ratio, 100000);
}

static void read_background(struct tkt_html_style *s, const char *p, size_t n)
{
    if (holds(p, n, "url(") || holds(p, n, "gradient")) {
        s->background = TKT_HTML_COLOR_UNKNOWN;
    } else if (is_word(p, n, "none") || is_word(p, n, "inherit") ||
               is_word(p, n, "initial") || is_word(p, n, "unset")) {
        s->background = TKT_HTML_COLOR_UNSET;
    } else {
        uint32_t c = tkt_html_color(p, n);
        s->background = c == TKT_HTML_COLOR_TRANSPARENT ? TKT_HTML_COLOR_UNSET : c;
    }
}

static void read_border_top(struct tkt_html_style *s, const char *p, size_t n)
{
    s->divider = holds(p, n, "solid") && !starts(p, n, "0");
}

/* Margins of a paragraph above and below: NO when both are none. */
static void read_margin(struct tkt_html_style *s, const char *p, size_t n)
{
    int v = 0;

    if (length(p, n, &v)) {
        s->margin = v < 400 ? TKT_HTML_NO : TKT_HTML_YES;
    }
    s->plain_indent = holds(p, n, "40px");
}

static void read_offset(struct tkt_html_style *s, const char *p, size_t n)
{
    int v = 0;

    if (length(p, n, &v) && v <= -AWAY_PX * 100) {
        s->away = true;
    }
}

static void read_extent(struct tkt_html_style *s, const char *p, size_t n)
{
    int v = 0;

    if (length(p, n, &v) && v <= 100) {
        s->no_room = true;
    }
}

static void read_background_image(struct tkt_html_style *s, const char *p, size_t n)
{
    if (!is_word(p, n, "none")) {
        s->background = TKT_HTML_COLOR_UNKNOWN;
    }
}

static void read_border(struct tkt_html_style *s, const char *p, size_t n)
{
    (void)p; /* all four sides: no divider */
    (void)n;
    s->divider = false;
}

static void read_color(struct tkt_html_style *s, const char *p, size_t n)
{
    s->color = tkt_html_color(p, n);
}

static void read_clip(struct tkt_html_style *s, const char *p, size_t n)
{
    s->away = holds(p, n, "rect(0") || holds(p, n, "rect(1px");
}

static void read_display(struct tkt_html_style *s, const char *p, size_t n)
{
    s->gone = starts(p, n, "none") ? TKT_HTML_YES : TKT_HTML_NO;
}

static void read_mso_hide(struct tkt_html_style *s, const char *p, size_t n)
{
    s->mso_hide = starts(p, n, "all");
}

static void read_mso_list(struct tkt_html_style *s, const char *p, size_t n)
{
    s->mso_bullet = starts(p, n, "ignore");
}

static void read_opacity(struct tkt_html_style *s, const char *p, size_t n)
{
    size_t used = 0;
    int alpha = number(p, n, &used);

    s->faint = used > 0 && alpha < 5;
}

static void read_overflow(struct tkt_html_style *s, const char *p, size_t n)
{
    s->clips = starts(p, n, "hidden") || starts(p, n, "clip");
}

static void read_visibility(struct tkt_html_style *s, const char *p, size_t n)
{
    bool hides = starts(p, n, "hidden") || starts(p, n, "collapse");

    s->invisible = hides ? TKT_HTML_YES : TKT_HTML_NO;
}

static void read_white_space(struct tkt_html_style *s, const char *p, size_t n)
{
    s->pre = starts(p, n, "pre") ? TKT_HTML_YES : TKT_HTML_NO;
}

static const struct {
    const char *name;
    void (*read)(struct tkt_html_style *s, const char *value, size_t n);
} properties[] = {
    {"background", read_background},
    {"background-color", read_background},
    {"background-image", read_background_image},
    {"border", read_border},
    {"border-top", read_border_top},
    {"clip", read_clip},
    {"color", read_color},
    {"display", read_display},
    {"font-size", read_size},
    {"height", read_extent},
    {"left", read_offset},
    {"margin", read_margin},
    {"margin-bottom", read_margin},
    {"max-height", read_extent},
    {"max-width", read_extent},
    {"mso-hide", read_mso_hide},
    {"mso-list", read_mso_list},
    {"opacity", read_opacity},
    {"overflow", read_overflow},
    {"text-indent", read_offset},
    {"top", read_offset},
    {"visibility", read_visibility},
    {"white-space", read_white_space},
    {"width", read_extent},
};

static void declare(struct tkt_html_style *s, const char *name, size_t n, const char *v,
                    size_t len)
{
    for (size_t i = 0; i < TKT_ARRAY_LEN(properties); i++) {
        if (is_word(name, n, properties[i].name)) {
            properties[i].read(s, v, len);
            return;
        }
    }
}

static void trim(const char **from, const char **to)
{
    while (*from < *to && is_space(**from)) {
        (*from)++;
    }
    while (*to > *from && is_space((*to)[-1])) {
        (*to)--;
    }
}

void tkt_html_style_read(struct tkt_html_style *s, const char *css, size_t n)
{
    const char *end = css + n;

    while (css < end) {
        const char *semi = memchr(css, ';', (size_t)(end - css));
        const char *stop = semi == NULL ? end : semi;
        const char *colon = memchr(css, ':', (size_t)(stop - css));
        if (colon != NULL) {
            const char *name = css;
            const char *name_end = colon;
            const char *value = colon + 1;
            const char *value_end = stop;
            trim(&name, &name_end);
            trim(&value, &value_end);
            if (name < name_end) {
                declare(s, name, (size_t)(name_end - name), value,
                        (size_t)(value_end - value));
            }
        }
        css = semi == NULL ? end : semi + 1;
    }
}

/* ---- sheets ---- */

static uint64_t hash_name(char kind, const char *p, size_t n)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325) ^ (unsigned char)kind;

    for (size_t i = 0; i < n; i++) {
        h = (h * UINT64_C(0x100000001b3)) ^ (unsigned char)p[i];
    }
    return h == 0 ? 1 : h;
}

/* The rule of that name, or the free place where it would stand, or NULL. */
static struct tkt_html_rule *find_rule(const struct tkt_html_sheet *sheet, uint64_t name)
{
    for (size_t i = 0; i < 8; i++) { /* a full neighbourhood: the rule is left out */
        size_t at = (size_t)(name + i) % TKT_HTML_RULES_MAX;
        if (sheet->rules[at].name == name || sheet->rules[at].name == 0) {
            return (struct tkt_html_rule *)&sheet->rules[at];
        }
    }
    return NULL;
}

/* "p.MsoNormal", ".hide", "#top": the byte where the name begins with its kind; NULL for
 * any other selector. */
static const char *simple_name(const char *p, const char *end)
{
    const char *at = p;

    while (at < end && ((*at | 0x20) >= 'a' && (*at | 0x20) <= 'z')) {
        at++;
    }
    if (at == end || (*at != '.' && *at != '#')) {
        return NULL;
    }
    for (const char *c = at + 1; c < end; c++) {
        if (is_space(*c) || strchr(".#:[>+~*,", *c) != NULL) {
            return NULL;
        }
    }
    return at + 1 < end ? at : NULL;
}

static void add_rule(struct tkt_html_sheet *sheet, const char *p, const char *end,
                     const char *css, size_t n)
{
    struct tkt_html_style own;

    trim(&p, &end);
    const char *name = simple_name(p, end);
    struct tkt_html_rule *rule = NULL;
    if (name != NULL) {
        rule = find_rule(sheet, hash_name(*name, name + 1, (size_t)(end - name - 1)));
    }
    if (rule == NULL) {
        tkt_html_style_init(&own);
        tkt_html_style_read(&own, css, n);
        sheet->colors_unsure =
            sheet->colors_unsure || own.background != TKT_HTML_COLOR_UNSET;
        return;
    }
    if (rule->name == 0) {
        rule->name = hash_name(*name, name + 1, (size_t)(end - name - 1));
        tkt_html_style_init(&rule->style);
        sheet->count++;
    }
    tkt_html_style_read(&rule->style, css, n);
}

/* Behind the block that opens at p ('{'). */
static const char *block_end(const char *p, const char *end)
{
    size_t depth = 0;

    for (; p < end; p++) {
        if (*p == '{') {
            depth++;
        } else if (*p == '}' && --depth == 0) {
            return p + 1;
        }
    }
    return end;
}

/* Blanks, comments and the marks of an HTML comment around a sheet. */
static const char *skip_blank(const char *p, const char *end)
{
    while (p < end) {
        if (is_space(*p) || *p == '}' || *p == ';') {
            p++;
        } else if (end - p >= 4 && memcmp(p, "<!--", 4) == 0) {
            p += 4;
        } else if (end - p >= 3 && memcmp(p, "-->", 3) == 0) {
            p += 3;
        } else if (end - p >= 2 && p[0] == '/' && p[1] == '*') {
            const char *close = memmem(p + 2, (size_t)(end - p - 2), "*/", 2);
            p = close == NULL ? end : close + 2;
        } else {
            break;
        }
    }
    return p;
}

/* Each selector of a list reads the declarations: no more than this many do. */
#define SELECTORS_MAX 16

void tkt_html_sheet_add(struct tkt_html_sheet *sheet, const char *css, size_t n)
{
    const char *end = css + n;
    const char *p = css;

    while ((p = skip_blank(p, end)) < end) {
        const char *open = memchr(p, '{', (size_t)(end - p));
        if (*p == '@') {
            const char *semi = memchr(p, ';', (size_t)((open == NULL ? end : open) - p));
            p = semi != NULL ? semi + 1 : open == NULL ? end : block_end(open, end);
            continue;
        }
        if (open == NULL) {
            break;
        }
        const char *after = block_end(open, end);
        const char *body = open + 1;
        size_t body_len = (size_t)(after - body) - (after > body ? 1 : 0);
        for (unsigned k = 0; k < SELECTORS_MAX && p <= open; k++) {
            const char *comma = memchr(p, ',', (size_t)(open - p));
            const char *stop = comma == NULL ? open : comma;
            add_rule(sheet, p, stop, body, body_len);
            p = stop + 1;
        }
        p = after;
    }
}

static void merge(struct tkt_html_style *to, const struct tkt_html_style *from)
{
    to->color = from->color != TKT_HTML_COLOR_UNSET ? from->color : to->color;
    to->background =
        from->background != TKT_HTML_COLOR_UNSET ? from->background : to->background;
    if (from->size >= 0 || from->size_ratio >= 0) {
        to->size = from->size;
        to->size_ratio = from->size_ratio;
    }
    to->gone = from->gone != TKT_HTML_UNSET ? from->gone : to->gone;
    to->invisible = from->invisible != TKT_HTML_UNSET ? from->invisible : to->invisible;
    to->pre = from->pre != TKT_HTML_UNSET ? from->pre : to->pre;
    to->margin = from->margin != TKT_HTML_UNSET ? from->margin : to->margin;
    to->faint = to->faint || from->faint;
    to->away = to->away || from->away;
    to->no_room = to->no_room || from->no_room;
    to->clips = to->clips || from->clips;
    to->mso_hide = to->mso_hide || from->mso_hide;
    to->divider = to->divider || from->divider;
}

void tkt_html_sheet_apply(const struct tkt_html_sheet *sheet, char kind,
                          const char *names, size_t n, struct tkt_html_style *s)
{
    const char *end = names + n;

    while (names < end && sheet->count > 0) {
        while (names < end && is_space(*names)) {
            names++;
        }
        const char *start = names;
        while (names < end && !is_space(*names)) {
            names++;
        }
        if (names > start) {
            const struct tkt_html_rule *rule =
                find_rule(sheet, hash_name(kind, start, (size_t)(names - start)));
            if (rule != NULL && rule->name != 0) {
                merge(s, &rule->style);
            }
        }
    }
}
