/* SPDX-License-Identifier: BSD-2-Clause */
#include "message/htmlelement.h"

#include "base/util.h"

#include <stdlib.h>
#include <string.h>

/* Sorted by name. Those of id TKT_HTML_OTHER differ by their place in the table. */
static const struct tkt_html_element elements[] = {
    {"a", TKT_HTML_A, TKT_HTML_INLINE},
    {"abbr", TKT_HTML_OTHER, TKT_HTML_INLINE},
    {"address", TKT_HTML_OTHER, TKT_HTML_LINE},
    {"area", TKT_HTML_OTHER, TKT_HTML_VOID},
    {"article", TKT_HTML_OTHER, TKT_HTML_LINE},
    {"aside", TKT_HTML_OTHER, TKT_HTML_LINE},
    {"b", TKT_HTML_OTHER, TKT_HTML_INLINE},
    {"base", TKT_HTML_OTHER, TKT_HTML_VOID},
    {"basefont", TKT_HTML_OTHER, TKT_HTML_VOID},
    {"bgsound", TKT_HTML_OTHER, TKT_HTML_VOID},
    {"big", TKT_HTML_OTHER, TKT_HTML_INLINE},
    {"blockquote", TKT_HTML_BLOCKQUOTE, TKT_HTML_PARAGRAPH},
    {"body", TKT_HTML_BODY, TKT_HTML_IGNORED},
    {"br", TKT_HTML_BR, TKT_HTML_VOID},
    {"button", TKT_HTML_OTHER, TKT_HTML_INLINE},
    {"caption", TKT_HTML_OTHER, TKT_HTML_LINE | TKT_HTML_SCOPE},
    {"center", TKT_HTML_OTHER, TKT_HTML_LINE},
    {"cite", TKT_HTML_OTHER, TKT_HTML_INLINE},
    {"code", TKT_HTML_OTHER, TKT_HTML_INLINE},
    {"col", TKT_HTML_OTHER, TKT_HTML_VOID},
    {"colgroup", TKT_HTML_OTHER, TKT_HTML_IGNORED},
    {"dd", TKT_HTML_DD, TKT_HTML_LINE},
    {"del", TKT_HTML_OTHER, TKT_HTML_INLINE},
    {"details", TKT_HTML_OTHER, TKT_HTML_LINE},
    {"dir", TKT_HTML_UL, TKT_HTML_LINE},
    {"div", TKT_HTML_OTHER, TKT_HTML_LINE},
    {"dl", TKT_HTML_OTHER, TKT_HTML_LINE},
    {"dt", TKT_HTML_DT, TKT_HTML_LINE},
    {"em", TKT_HTML_OTHER, TKT_HTML_INLINE},
    {"embed", TKT_HTML_OTHER, TKT_HTML_VOID},
    {"fieldset", TKT_HTML_OTHER, TKT_HTML_LINE},
    {"figcaption", TKT_HTML_OTHER, TKT_HTML_LINE},
    {"figure", TKT_HTML_OTHER, TKT_HTML_LINE},
    {"font", TKT_HTML_FONT, TKT_HTML_INLINE},
    {"footer", TKT_HTML_OTHER, TKT_HTML_LINE},
    {"form", TKT_HTML_OTHER, TKT_HTML_LINE},
    {"frame", TKT_HTML_OTHER, TKT_HTML_VOID},
    {"h1", TKT_HTML_OTHER, TKT_HTML_PARAGRAPH},
    {"h2", TKT_HTML_OTHER, TKT_HTML_PARAGRAPH},
    {"h3", TKT_HTML_OTHER, TKT_HTML_PARAGRAPH},
    {"h4", TKT_HTML_OTHER, TKT_HTML_PARAGRAPH},
    {"h5", TKT_HTML_OTHER, TKT_HTML_PARAGRAPH},
    {"h6", TKT_HTML_OTHER, TKT_HTML_PARAGRAPH},
    {"head", TKT_HTML_OTHER, TKT_HTML_IGNORED},
    {"header", TKT_HTML_OTHER, TKT_HTML_LINE},
    {"hr", TKT_HTML_HR, TKT_HTML_VOID},
    {"html", TKT_HTML_OTHER, TKT_HTML_IGNORED},
    {"i", TKT_HTML_OTHER, TKT_HTML_INLINE},
    {"iframe", TKT_HTML_OTHER, TKT_HTML_RAW},
    {"img", TKT_HTML_IMG, TKT_HTML_VOID},
    {"input", TKT_HTML_OTHER, TKT_HTML_VOID},
    {"ins", TKT_HTML_OTHER, TKT_HTML_INLINE},
    {"kbd", TKT_HTML_OTHER, TKT_HTML_INLINE},
    {"label", TKT_HTML_OTHER, TKT_HTML_INLINE},
    {"li", TKT_HTML_LI, TKT_HTML_LINE},
    {"link", TKT_HTML_OTHER, TKT_HTML_VOID},
    {"listing", TKT_HTML_PRE, TKT_HTML_LINE},
    {"main", TKT_HTML_OTHER, TKT_HTML_LINE},
    {"menu", TKT_HTML_UL, TKT_HTML_LINE},
    {"meta", TKT_HTML_OTHER, TKT_HTML_VOID},
    {"nav", TKT_HTML_OTHER, TKT_HTML_LINE},
    {"nobr", TKT_HTML_OTHER, TKT_HTML_INLINE},
    {"noembed", TKT_HTML_OTHER, TKT_HTML_RAW},
    {"noframes", TKT_HTML_OTHER, TKT_HTML_RAW},
    {"object", TKT_HTML_OTHER, TKT_HTML_INLINE},
    {"ol", TKT_HTML_OL, TKT_HTML_LINE},
    {"optgroup", TKT_HTML_OTHER, TKT_HTML_LINE},
    {"option", TKT_HTML_OTHER, TKT_HTML_LINE},
    {"p", TKT_HTML_P, TKT_HTML_PARAGRAPH},
    {"param", TKT_HTML_OTHER, TKT_HTML_VOID},
    {"pre", TKT_HTML_PRE, TKT_HTML_LINE},
    {"q", TKT_HTML_OTHER, TKT_HTML_INLINE},
    {"s", TKT_HTML_OTHER, TKT_HTML_INLINE},
    {"samp", TKT_HTML_OTHER, TKT_HTML_INLINE},
    {"script", TKT_HTML_OTHER, TKT_HTML_RAW},
    {"section", TKT_HTML_OTHER, TKT_HTML_LINE},
    {"select", TKT_HTML_OTHER, TKT_HTML_INLINE},
    {"small", TKT_HTML_OTHER, TKT_HTML_INLINE},
    {"source", TKT_HTML_OTHER, TKT_HTML_VOID},
    {"span", TKT_HTML_OTHER, TKT_HTML_INLINE},
    {"strike", TKT_HTML_OTHER, TKT_HTML_INLINE},
    {"strong", TKT_HTML_OTHER, TKT_HTML_INLINE},
    {"style", TKT_HTML_STYLE, TKT_HTML_RAW},
    {"sub", TKT_HTML_OTHER, TKT_HTML_INLINE},
    {"summary", TKT_HTML_OTHER, TKT_HTML_LINE},
    {"sup", TKT_HTML_OTHER, TKT_HTML_INLINE},
    {"table", TKT_HTML_TABLE, TKT_HTML_LINE | TKT_HTML_SCOPE},
    {"tbody", TKT_HTML_OTHER, TKT_HTML_IGNORED},
    {"td", TKT_HTML_TD, TKT_HTML_SCOPE},
    {"template", TKT_HTML_OTHER, TKT_HTML_RAW},
    {"textarea", TKT_HTML_OTHER, TKT_HTML_INLINE},
    {"tfoot", TKT_HTML_OTHER, TKT_HTML_IGNORED},
    {"th", TKT_HTML_TD, TKT_HTML_SCOPE},
    {"thead", TKT_HTML_OTHER, TKT_HTML_IGNORED},
    {"title", TKT_HTML_OTHER, TKT_HTML_RAW},
    {"tr", TKT_HTML_TR, TKT_HTML_LINE | TKT_HTML_SCOPE},
    {"track", TKT_HTML_OTHER, TKT_HTML_VOID},
    {"tt", TKT_HTML_OTHER, TKT_HTML_INLINE},
    {"u", TKT_HTML_OTHER, TKT_HTML_INLINE},
    {"ul", TKT_HTML_UL, TKT_HTML_LINE},
    {"var", TKT_HTML_OTHER, TKT_HTML_INLINE},
    {"wbr", TKT_HTML_OTHER, TKT_HTML_VOID},
    {"xml", TKT_HTML_OTHER, TKT_HTML_RAW},
};
static const struct tkt_html_element unknown = {"", TKT_HTML_UNKNOWN, TKT_HTML_INLINE};

static int by_name(const void *name, const void *element)
{
    return strcmp(name, ((const struct tkt_html_element *)element)->name);
}

const struct tkt_html_element *tkt_html_element_find(const char *name)
{
    const struct tkt_html_element *e =
        bsearch(name, elements, TKT_ARRAY_LEN(elements), sizeof(elements[0]), by_name);
    return e == NULL ? &unknown : e;
}

_Static_assert(TKT_ARRAY_LEN(elements) < TKT_HTML_ELEMENTS_MAX, "unknown ones need one");

size_t tkt_html_element_index(const struct tkt_html_element *e)
{
    return e == &unknown ? TKT_HTML_ELEMENTS_MAX - 1 : (size_t)(e - elements);
}
