/* SPDX-License-Identifier: BSD-2-Clause
 * HTML -> text: what a reader sees, what he does not, and where quotes begin. Marks are
 * shown in the text as {Q} {/Q} {S} {/S} {D} {F}.
 */
#include "base/buf.h"
#include "base/util.h"
#include "message/html.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define STEPS_PER_BYTE 48

struct row {
    const char *html;
    const char *want;
};

static const char *const mark_texts[] = {
    [TKT_MARK_QUOTE] = "{Q}",          [TKT_MARK_QUOTE_END] = "{/Q}",
    [TKT_MARK_DIVIDER] = "{D}",        [TKT_MARK_SIGNATURE] = "{S}",
    [TKT_MARK_SIGNATURE_END] = "{/S}", [TKT_MARK_FORWARD] = "{F}",
};

static struct tkt_html_notes read_html(const char *html, struct tkt_buf *out)
{
    static struct tkt_marks marks;
    TKT_AUTO_BUF struct tkt_buf text = TKT_BUF_INIT(1024 * 1024);
    struct tkt_html_notes notes = {.marks = &marks};
    size_t at = 0;

    marks.count = 0;
    tkt_html_text(&text, html, strlen(html), &notes);
    assert_false(text.failed);
    for (size_t i = 0; i < marks.count; i++) {
        assert_in_range(marks.items[i].offset, at, text.len);
        tkt_buf_add(out, tkt_buf_str(&text) + at, marks.items[i].offset - at);
        tkt_buf_adds(out, mark_texts[marks.items[i].kind]);
        at = marks.items[i].offset;
    }
    tkt_buf_adds(out, tkt_buf_str(&text) + at);
    return notes;
}

static void check(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        TKT_AUTO_BUF struct tkt_buf out = TKT_BUF_INIT(1024 * 1024);
        struct tkt_html_notes notes = read_html(rows[i].html, &out);
        assert_string_equal(tkt_buf_str(&out), rows[i].want);
        assert_false(notes.has_hidden);
    }
}

static void references_are_characters(void **state)
{
    static const struct row rows[] = {
        {"&lt;&amp;&gt; &quot;x&quot; &eacute;&Eacute;&nbsp;&euro;", "<&> \"x\" éÉ €"},
        {"&#233;&#xE9;&#x1F600; &#128; &#0; &#xD800; &#99999999;", "éé😀 € � � �"},
        {"&copy2026 &notit; &notin; &AMP &ampx", "©2026 ¬it; ∉ & &x"},
        {"&CounterClockwiseContourIntegral;&NotEqualTilde;&fjlig;", "∳≂̸fj"},
        {"&unknown; & &; &# &#x; a&b &Eacut", "&unknown; & &; &# &#x; a&b &Eacut"},
        {"a&Tab;b&NewLine;c &#10;d", "a b c d"},
    };

    (void)state;
    check(rows, TKT_ARRAY_LEN(rows));
}

static void lines_are_those_of_the_page(void **state)
{
    static const struct row rows[] = {
        {" a \n\t b <b> c</b>d ", "a b cd"},
        {"<p>one</p>\n<p>two<br>three</p>", "one\n\ntwo\nthree"},
        {"<div>one</div><div>two</div><div><br></div><div>three</div>",
         "one\ntwo\n\nthree"},
        {"a<br><br><br><br>b", "a\n\nb"},
        {"<p style='margin:0'>a</p><p style='margin-top:0;margin-bottom:0'>b</p>",
         "a\nb"},
        {"<h1>Title</h1>text<hr>more", "Title\n\ntext\n\nmore"},
        {"<div>-- <br>Ann<br>a --  <br>b</div>", "-- \nAnn\na --\nb"},
        {"<pre>\n  if (x) {\n\n\n      y();\n  }\n</pre>done",
         "  if (x) {\n\n\n      y();\n  }\ndone"},
        {"<div style='white-space:pre-wrap'>a  b\nc</div>d", "a  b\nc\nd"},
        {"<p>a<p>b<div>c<p>d</div>e", "a\n\nb\n\nc\n\nd\n\ne"},
        {"a\001b\177c\xc2\x85"
         "d",
         "a b c d"},
    };

    (void)state;
    check(rows, TKT_ARRAY_LEN(rows));
}

static void lists_have_bullets_and_numbers(void **state)
{
    static const struct row rows[] = {
        {"x<ul><li>a<li>b</ul>y", "x\n- a\n- b\ny"},
        {"<ol><li>a</li><li>b</li></ol>", "1. a\n2. b"},
        {"<ol start=9><li>a<li value=20>b<li>c</ol>", "9. a\n20. b\n21. c"},
        {"<ol type=a><li>x<li>y</ol><ol type=A start=27><li>z</ol>", "a. x\nb. y\nAA. z"},
        {"<ul><li>a<ul><li>b<br>more</ul><li><p>c</p></ul>", "- a\n  - b\n    more\n- c"},
        {"<ul><li></li><li>  </li><li>a</li></ul>", "- a"},
        {"<dl><dt>t<dd>d<dt>u<dd>e</dl>", "t\nd\nu\ne"},
    };

    (void)state;
    check(rows, TKT_ARRAY_LEN(rows));
}

static void cells_stand_side_by_side(void **state)
{
    static const struct row rows[] = {
        {"<table><tr><td>a</td><td>b</td></tr><tr><td>c<td>d</table>", "a | b\nc | d"},
        {"<table><tr><td><p>a</p></td><td><p>b</p></td></tr><tr><td><p>c</p>",
         "a | b\nc"},
        {"<table border=1><tr><th>A<th>B<th>C<tr><td>1<td><td>3<tr><td><td>2</table>",
         "A | B | C\n1 | | 3\n| 2"},
        {"<table><tr><td>&nbsp;</td><td>a</td><td><img "
         "src=x></td><td>b</td></tr></table>",
         "a | b"},
        {"<table role=presentation><tr><td>a<td>b</table>", "a b"},
        {"<table><tr><td><table><tr><td>a<tr><td>b</table></td><td>c</td></tr></table>",
         "a\nb\nc"},
        {"<table><tr><td>a<td><ul><li>b<li>c</ul></table>d", "a\n- b\n- c\nd"},
        {"<table><tr><td></td></tr><tr><td>a</td></tr></table>", "a"},
        {"<td>a</td><td>b</td>", "a\nb"},
    };

    (void)state;
    check(rows, TKT_ARRAY_LEN(rows));
}

static void links_tell_their_address_once(void **state)
{
    static const struct row rows[] = {
        {"see <a href='http://x.example/a?b=1&amp;copy=2'>this</a>, ok",
         "see this <http://x.example/a?b=1&copy=2>, ok"},
        {"<a href='https://www.x.example/'>x.example</a>", "x.example"},
        {"<a href=https://x.example/y>https://x.example/y</a>", "https://x.example/y"},
        {"<a href='mailto:j@x.example?subject=hi'>Joe</a> <a "
         "href=mailto:j@x.example>j@x.example</a>",
         "Joe <j@x.example> j@x.example"},
        {"<a href='tel:+49-171-55'>+49 (171) 55</a>", "+49 (171) 55"},
        {"<a href='#top'>top</a> <a href='javascript:x()'>js</a> <a name=n>n</a>",
         "top js n"},
        {"<a href=http://x.example><img src=y></a>end", "end"},
        {"<a href=http://x.example><img alt=Shop src=y></a>",
         "[Shop] <http://x.example>"},
        {"<a href=http://a.example>one<a href=http://b.example>two",
         "one <http://a.example>two <http://b.example>"},
        {"<a href='https://eur01.safelinks.protection.outlook.com/?url="
         "https%3A%2F%2Fx.example%2Fy&amp;data=05'>go</a>",
         "go <https://x.example/y>"},
    };

    (void)state;
    check(rows, TKT_ARRAY_LEN(rows));
}

static void pictures_are_their_words(void **state)
{
    static const struct row rows[] = {
        {"a <img alt='The &quot;error&quot;' src=x> b", "a [The \"error\"] b"},
        {"ok <img class=emoji alt='😀'>", "ok 😀"},
        {"a<img alt=pixel width=1 height=1>b<img alt=''>c<img style='display:none' "
         "alt=x>",
         "abc"},
    };

    (void)state;
    check(rows, TKT_ARRAY_LEN(rows));
}

static void outlook_is_read_as_outlook_shows_it(void **state)
{
    static const struct row rows[] = {
        {"<p class=MsoNormal>Hello,<o:p></o:p></p><p "
         "class=MsoNormal><o:p>&nbsp;</o:p></p>"
         "<p class=MsoNormal>one<o:p></o:p></p>\n<p class=MsoNormal>two<o:p></o:p></p>",
         "Hello,\n\none\ntwo"},
        {"a<!--[if mso]><p>only Word</p><![endif]-->b<!--[if !mso]><!-->c<!--<![endif]-->"
         "<![if !vml]>d<![endif]>",
         "abcd"},
        {"<p class=MsoListParagraph style='mso-list:l0'><![if !supportLists]><span>"
         "<span style='mso-list:Ignore'>·<span style='font:7.0pt x'>&nbsp;&nbsp; </span>"
         "</span></span><![endif]>Item</p><p class=MsoListParagraph><span "
         "style='mso-list:Ignore'>2.<span>&nbsp; </span></span>Next</p>",
         "- Item\n2. Next"},
        {"<head><title>t</title><style>p{x}</style><xml><o:x>96</o:x></xml></"
         "head><body>a",
         "a"},
        {"<p class=MsoNormal style='margin-bottom:12.0pt'>a</p><p class=MsoNormal>b</p>",
         "a\n\nb"},
    };

    (void)state;
    check(rows, TKT_ARRAY_LEN(rows));
}

static void what_mail_programs_put_round_quotes_is_marked(void **state)
{
    static const struct row rows[] = {
        {"new<blockquote type=cite>old<blockquote>older</blockquote></blockquote>more",
         "new\n\n{Q}old\n\n{Q}older{/Q}{/Q}\n\nmore"},
        {"new<div class=gmail_quote><div class=gmail_attr>On X:</div><blockquote "
         "class=gmail_quote>old</blockquote><div>below</div></div>",
         "new\n{Q}On X:\n\n{Q}old{/Q}{/Q}\n\nbelow"},
        {"new<div class='gmail_quote'>---- Forwarded<br>x<div><blockquote>y</blockquote>"
         "</div>z</div>",
         "new\n{Q}---- Forwarded\nx\n\n{Q}y{/Q}\n\nz{/Q}"},
        {"new<div id='ydp12yahoo_quoted_1' class='ydp12yahoo_quoted'>old</div>",
         "new\n{Q}old{/Q}"},
        {"new<div class='moz-cite-prefix'>On X wrote:</div>", "new\n{Q}On X wrote:{/Q}"},
        {"new<div class=protonmail_quote>old</div><div name=quote>b</div>",
         "new\n{Q}old{/Q}\n{Q}b{/Q}"},
        {"new<hr tabindex=-1><div id=divRplyFwdMsg><b>From:</b> a</div>",
         "new\n\n{D}From: a"},
        {"new<div style='border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0in "
         "0in "
         "0in'><p class=MsoNormal>From: a</p></div>",
         "new\n{D}From: a"},
        {"new<div id=x_x_appendonsend></div><div>From:</div>", "new\n{D}From:"},
        {"new<div class=gmail_signature>Ann</div><pre class=moz-signature>-- \nBob</pre>",
         "new\n{S}Ann{/S}\n{S}-- \nBob{/S}"},
        {"new<div id=Signature>Ann</div><div id=ms-outlook-mobile-signature>x</div>",
         "new\n{S}Ann{/S}\n{S}x{/S}"},
        {"new<div class=moz-forward-container>Subject: x</div>", "new\n{F}Subject: x"},
        {"a<blockquote style='margin:0 0 0 40px;border:none'>indented</blockquote>",
         "a\n\nindented"},
        {"a<blockquote></blockquote>b", "a\n\nb"},
    };

    (void)state;
    check(rows, TKT_ARRAY_LEN(rows));
}

static void broken_markup_loses_no_text(void **state)
{
    static const struct row rows[] = {
        {"a < b <3 x<y", "a < b <3 x<y"},
        {"a <!-- b", "a <!-- b"},
        {"a <b title=\"c>d", "a d"},
        {"<div><b><i>a</b>b</div></p></td>c", "ab\nc"},
        {"</html>a</body></html>b", "ab"},
        {"<script>x</scripta>y</script>a<style>b", "a"},
        {"<b", "<b"},
        {"<x-y z>a</x-y>", "a"},
    };

    (void)state;
    check(rows, TKT_ARRAY_LEN(rows));
}

/* ---- hidden ---- */

static void what_is_hidden_goes_and_is_told(void **state)
{
    static const char *const rows[] = {
        "a<span style='display:none'>HID</span>b",
        "a<span style='DISPLAY : none !important'>HID</span>b",
        "a<div style='display:none'><p>HID<div>HID</div></p>HID</div>b",
        "a<span style='visibility:hidden'>HID</span>b",
        "a<span hidden>HID</span>b",
        "a<span style='font-size:0'>HID</span>b",
        "a<span style='font-size:1px;line-height:1px'>HID</span>b",
        "a<span style='font-size:0.1em'><span style='font-size:0.1em'><span "
        "style='font-size:50%'>HID</span></span></span>b",
        "a<span style='opacity:0'>HID</span>b",
        "a<span style='mso-hide:all'>HID</span>b",
        "a<span style='color:#fff'>HID</span>b",
        "a<font color=white>HID</font>b",
        "a<span style='color:rgb(254, 255, 255)'>HID</span>b",
        "a<span style='color:transparent'>HID</span>b",
        "<table bgcolor='#336699'><tr><td><font color=white>a</font>"
        "<span style='color:#369'>HID</span><font color=white>b</font></table>",
        "a<span style='max-height:0;overflow:hidden'>HID</span>b",
        "a<span style='position:absolute;left:-9999px'>HID</span>b",
        "a<span style='text-indent:-9999px'>HID</span>b",
        "<style>.pre, p.x {display:none}</style>a<span class='y pre'>HID</span>b",
        "<style>#pre{font-size:0px}</style>a<span id=pre>HID</span>b",
        "a<x-y style='display:none'>HID<x-y>HID</x-y>HID</x-y>b",
        "a<b style='display:none'>HI&#68;</b>b",
        "a<img alt=x hidden>b<i style='display:none'>HID",
    };

    (void)state;
    for (size_t i = 0; i < TKT_ARRAY_LEN(rows); i++) {
        TKT_AUTO_BUF struct tkt_buf out = TKT_BUF_INIT(4096);
        struct tkt_html_notes notes = read_html(rows[i], &out);
        char only[8] = "";
        for (size_t k = 0; k < out.len && strlen(only) < 7; k++) {
            strncat(only, strchr("\n", out.data[k]) != NULL ? "" : &out.data[k], 1);
        }
        if (!notes.has_hidden || strcmp(only, "ab") != 0) {
            fail_msg("%s: \"%s\"", rows[i], tkt_buf_str(&out));
        }
    }
}

static void what_only_looks_hidden_stays(void **state)
{
    static const struct row rows[] = {
        {"<td style='font-size:0'><div style='font-size:13px'>a</div></td>", "a"},
        {"<span style='font-size:0'>&nbsp;&zwnj;&#8203;</span>a", "a"},
        {"<span style='visibility:hidden'><b style='visibility:visible'>a</b></span>",
         "a"},
        {"<td bgcolor=navy><a href=http://x.example style='color:#ffffff'>a</a></td>",
         "a <http://x.example>"},
        {"<td background=x.png><font color=white>a</font></td>", "a"},
        {"<style>td.button{background:#07c}</style><td class=button><font color=#fff>a",
         "a"},
        {"<style>.x td{background:#07c}</style><font color=#fff>a", "a"},
        {"<style>@media print{.x{display:none}} .y{color:red}</style><p class=x>a", "a"},
        {"<span style='color:#eee'>a</span>", "a"},
        {"<p style='display:block;opacity:1;opacity:.5;max-height:0'>a", "a"},
        {"<p style='display:none'><p>a", "a"},
        {"In&shy;for&shy;ma&shy;tik &#2325;&#8205;&#2359; 👨\xe2\x80\x8d👩",
         "Informatik क‍ष 👨‍👩"},
        {"<body bgcolor=black text=white><font color=#fff>a</font>", "a"},
    };

    (void)state;
    check(rows, TKT_ARRAY_LEN(rows));
}

static void words_riddled_with_nothing_are_told(void **state)
{
    TKT_AUTO_BUF struct tkt_buf html = TKT_BUF_INIT(4096);
    TKT_AUTO_BUF struct tkt_buf out = TKT_BUF_INIT(4096);

    (void)state;
    for (int i = 0; i < 30; i++) {
        tkt_buf_adds(&html, "fr\xe2\x80\x8b"
                            "ee ");
    }
    assert_true(read_html(tkt_buf_str(&html), &out).has_hidden);
    assert_true(strncmp(tkt_buf_str(&out), "free free", 9) == 0);
}

/* ---- counted work ---- */

static size_t steps_of(const char *unit, const char *end, size_t n)
{
    TKT_AUTO_BUF struct tkt_buf html = TKT_BUF_INIT(8 * 1024 * 1024);
    TKT_AUTO_BUF struct tkt_buf out = TKT_BUF_INIT(64 * 1024 * 1024);
    struct tkt_html_notes notes = {.marks = NULL};

    while (html.len < n) {
        tkt_buf_adds(&html, unit);
    }
    tkt_buf_adds(&html, end);
    tkt_html_text(&out, html.data, html.len, &notes);
    assert_true(notes.steps <= STEPS_PER_BYTE * html.len);
    return notes.steps;
}

static void work_grows_with_the_text_and_no_faster(void **state)
{
    static const char *const units[] = {
        "<",
        "<!--",
        "<a ",
        "<a href='",
        "<b><i>",
        "</b>",
        "<div>",
        "</div>",
        "&",
        "&#",
        "<table><tr><td>",
        "<td>",
        "<ul><li>",
        "<a href=http://x.example/>x",
        "<p>x",
        "<script>",
        "<style>.a{b:c}</style>",
        "<style>.a,.b,.c",
        "<style>{{{{",
        "<x y z=1 ",
        "<blockquote>x",
        "<span style='a:b;c:d;e:f;color:red'>",
        "<span class='a b c d e'>",
        "<b></i></p></td></div>",
        "<pre>\n\n\n",
        "<![if x",
        "x ",
        "&CounterClockwise",
        "<div><table><td><p><b><i><u><a>",
        "</a></u></table>",
        "<o:p></o:p><x:y hidden>",
    };

    (void)state;
    for (size_t i = 0; i < TKT_ARRAY_LEN(units); i++) {
        for (int close = 0; close < 2; close++) {
            const char *end = close ? "'\">--></style></script>" : "";
            size_t once = steps_of(units[i], end, 64 * 1024);
            size_t twice = steps_of(units[i], end, 128 * 1024);
            if (twice > once * 5 / 2 + 4096) {
                fail_msg("\"%s\": %zu steps, %zu for twice as much", units[i], once,
                         twice);
            }
        }
    }
}

static void output_stops_where_it_is_full(void **state)
{
    TKT_AUTO_BUF struct tkt_buf out = TKT_BUF_INIT(10);
    struct tkt_html_notes notes = {.marks = NULL};

    (void)state;
    tkt_html_text(&out, "<p>one</p><p>two</p><p>three</p>", 32, &notes);
    assert_true(out.failed);
    assert_true(out.len <= 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(references_are_characters),
        cmocka_unit_test(lines_are_those_of_the_page),
        cmocka_unit_test(lists_have_bullets_and_numbers),
        cmocka_unit_test(cells_stand_side_by_side),
        cmocka_unit_test(links_tell_their_address_once),
        cmocka_unit_test(pictures_are_their_words),
        cmocka_unit_test(outlook_is_read_as_outlook_shows_it),
        cmocka_unit_test(what_mail_programs_put_round_quotes_is_marked),
        cmocka_unit_test(broken_markup_loses_no_text),
        cmocka_unit_test(what_is_hidden_goes_and_is_told),
        cmocka_unit_test(what_only_looks_hidden_stays),
        cmocka_unit_test(words_riddled_with_nothing_are_told),
        cmocka_unit_test(work_grows_with_the_text_and_no_faster),
        cmocka_unit_test(output_stops_where_it_is_full),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
