/* SPDX-License-Identifier: BSD-2-Clause
 * What stands under a person's words: a delimiter and what follows it, a device's line,
 * a block of contact details, a legal notice, a mailing list's footer. A closing formula
 * and the name under it are words of the person and stay.
 */
#include "message/trim_line.h"

#include "base/util.h"

#include <string.h>

#define STRICT_LINES 60 /* under "-- " */
#define LOOSE_LINES 20  /* under "--" or a long dash */
#define BLOCK_LINES 14  /* under a closing formula or a rule */
#define NOTICE_BYTES 80 /* of a legal notice at least */
#define NOTICE_PARAGRAPHS 6
#define PARAGRAPH_LINES 200

static const char devices[] =
    "iphon|ipad|ipod|ios|apple watch|android|blackberry|samsung|galaxy|htc|nokia|huawei|"
    "xiaomi|redmi|oneplus|motorola|moto|lumia|sony|xperia|pixel|oppo|honor|lg|alcatel|"
    "windows phone|windows mail|windows "
    "10|windows|mail|outlook|yahoo|gmail|inbox|airmail|"
    "mailbox|k-9|nine|spark|protonmail|proton|thunderbird|bluemail|mymail|gmx|web.de|"
    "t-online|zoho|fastmail|aol|smartphone|phone|mobile|mobil|handy|cell|tablet|handheld|"
    "telefon|telefoon|telefono|telephone|portable|movil|cellulare|celular|telemovel|"
    "komork|tablette|tableta|puhelim|kannettav|мобильн|телефон|смартфон|планшет|"
    "мобільн|手机|手機|携帯|スマートフォン|휴대|스마트폰|qq邮箱|网易邮箱|"
    "foxmail|hotmail|email app|e-mail "
    "app|mail.ru|яндекс|кинητ|κινητ|הנייד|האייפון|الهاتف";

/* "Sent from", "Get Outlook": what devices and their programs begin with. */
static const char leads[] =
    "sent from|sent via|sent with|sent using|sent by|sent on|send from|sent through|"
    "written on|typed on|get|gesendet von|gesendet mit|gesendet uber|gesendet vom|"
    "von unterwegs gesendet|versendet mit|versendet von|gesendet mit der|holen sie sich|"
    "outlook fur ios beziehen|outlook fur android beziehen|laden sie|"
    "envoye depuis|envoye de mon|envoye a partir|envoye de|envoye avec|envoye par|"
    "envoye via|telecharger|telechargez|obtenez|obtenir|provenance|"
    "enviado desde|enviado de|enviado con|enviado por|enviado a traves|obtener|descargar|"
    "obten|consigue|inviato da|inviato dal|inviato con|inviata da|spedito da|spedito con|"
    "inviato tramite|scarica|ottieni|enviado do|enviado a partir|enviado pelo|enviado "
    "via|"
    "enviada do|enviado pela|obter o|obter|baixe o|baixar|transferir|verzonden vanaf|"
    "verstuurd vanaf|verzonden met|verzonden via|verstuurd met|verzonden van|verstuurd "
    "via|"
    "verzonden vanuit|download|outlook voor|wyslane z|wyslano z|wyslane za|wyslane przez|"
    "wyslano przez|wyslano za|pobierz|uzyskaj|отправлено с|отправлено из|"
    "отправлено через|отправлено от|послано с|получить|скачать|скачаите|загрузить|"
    "skickat fran|skickat med|skickades fran|skickat via|hamta|skaffa|sendt fra|sendt "
    "med|"
    "sendt via|skaff|last ned|hent|fa|lahetetty|hanki|lataa|odeslano z|odeslano pomoci|"
    "odeslano ze|poslano z|ziskat|stahnout|stahnete|ziskaite|odoslane z|odoslane zo|"
    "надіслано з|надіслано із|відправлено з|надіслано через|відправлено із|отримати|"
    "отримаите|завантажити|发自|从我的|從我的|來自我的|来自我的|由我的|來自|来自|获取|"
    "取得|"
    "下载|下載|使用|trimis de pe|trimis din|trimis de la|descarcati|obtineti|"
    "εσταλη απο|σταλθηκε απο|αποσταλθηκε απο|αποστολη απο|αποκτηστε|ληψη|נשלח|קבל את|"
    "הורד את|أرسلت من|أرسل من|تم الإرسال من|مرسل من|الحصول على|احصل على|enviat des|"
    "obten|poslano s|poslano sa|изпратено от|saadetud|issiusta is|sutits no|az outlook|"
    "kuldve|elkuldve";

/* Languages whose verb comes last. */
static const char tails[] =
    "gesendet|geschickt|versendet|versandt|verschickt|verfasst|beziehen|herunterladen|"
    "gonderildi|gonderilmistir|edinin|indirin|yazildi|kuldve|kuldtem|beszerzese|"
    "から送信|より送信|から送信されました|で送信|から送信しました|を入手|をダウンロード|"
    "에서 보냄|로 보냄|에서 보낸 메일|에서 발송|에서 전송|에서 보냈습니다|다운로드|받기|"
    "发送|傳送|寄出|传送|送信|downloaden|verzonden|verstuurd";
static const char no_tail_starts[] =
    "ich|wir|er|sie|es|du|habe|hab|hat|wurde|ik|wij|hij|ben|i";

static const char excuses[] =
    "yahoo mail: search|virus-free|virenfrei|sans virus|libre de virus|"
    "senza virus|sem virus|virusvrij|privo di virus|wolny od wirusow|"
    "без вирусов|unser postfach|download the mail app";

static const char closings[] =
    "best regards|kind regards|kindest regards|warm regards|warmest regards|regards|"
    "best wishes|all the best|best|sincerely|yours sincerely|sincerely yours|"
    "yours faithfully|yours truly|respectfully|thanks and regards|thanks & regards|"
    "many thanks|thanks in advance|thanks|thank you|cheers|with kind regards|"
    "with best regards|br|rgds|mit freundlichen grusen|mit freundlichen grussen|"
    "mit freundlichem grus|mit freundlichem gruss|freundliche gruse|freundliche grusse|"
    "viele gruse|viele grusse|beste gruse|beste grusse|liebe gruse|liebe grusse|"
    "herzliche gruse|herzliche grusse|schone gruse|schone grusse|mit besten grusen|"
    "mit besten grussen|mit vielen grusen|gruse|grusse|grus|gruss|mfg|lg|vg|"
    "hochachtungsvoll|vielen dank|besten dank|danke|cordialement|bien cordialement|"
    "tres cordialement|sinceres salutations|meilleures salutations|salutations|"
    "bien a vous|merci d'avance|merci|saludos cordiales|un saludo|saludos|atentamente|"
    "cordialmente|muchas gracias|gracias|un cordial saludo|cordiali saluti|distinti "
    "saluti|"
    "saluti|un saluto|grazie mille|grazie|atenciosamente|com os melhores cumprimentos|"
    "melhores cumprimentos|cumprimentos|obrigado|obrigada|abracos|att|"
    "met vriendelijke groet|met vriendelijke groeten|vriendelijke groet|"
    "hartelijke groet|groeten|groet|mvg|bedankt|alvast bedankt|pozdrawiam|z powazaniem|"
    "z wyrazami szacunku|dziekuje|с уважением|с наилучшими пожеланиями|всего доброго|"
    "спасибо|med vanliga halsningar|vanliga halsningar|med vanlig halsning|vanligen|mvh|"
    "halsningar|tack|med vennlig hilsen|vennlig hilsen|hilsen|beste hilsen|takk|"
    "med venlig hilsen|venlig hilsen|de bedste hilsner|tak|ystavallisin terveisin|"
    "terveisin|parhain terveisin|yst. terv|kiitos|s pozdravem|s pratelskym pozdravem|"
    "dekuji|diky|s pozdravom|dakujem|з повагою|дякую|щиро|saygilarimla|saygilarimizla|"
    "iyi calismalar|tesekkurler|tesekkur ederim|此致|敬礼|谢谢|謝謝|祝好|顺祝商祺|"
    "よろしくお願いします|よろしくお願いいたします|宜しくお願い致します|敬具|以上|"
    "감사합니다|고맙습니다|수고하세요|udvozlettel|tisztelettel|koszonom|cu stima|"
    "cu respect|multumesc|με εκτιμηση|ευχαριστω|בברכה|תודה|مع التحية|شكرا|تحياتي";

static const char contact_labels[] =
    "tel|telephone|phone|ph|telefon|telefoon|telefono|telefone|telephone|fon|fax|telefax|"
    "mobile|mob|cell|handy|mobil|mobiel|movil|cellulare|celular|gsm|direct|office|work|"
    "durchwahl|zentrale|e-mail|email|mail|e|t|m|f|p|o|d|web|website|www|internet|skype|"
    "teams|тел|телефон|моб|факс|почта|puh|puhelin|kom|电话|電話|手机|手機|传真|傳真|邮箱|"
    "邮件|"
    "メール|携帯|전화|휴대폰|이메일|팩스|τηλ|טל|טלפון|נייד|هاتف|جوال";

/* What nothing else begins with. */
static const char sure_notices[] =
    "confidentiality notice|confidentiality:|disclaimer:|legal disclaimer|e-mail "
    "disclaimer|"
    "email disclaimer|please consider the environment|please consider your environmental|"
    "think before you print|vertraulichkeitshinweis|bitte denken sie an die umwelt|"
    "bitte prufen sie der umwelt zuliebe|avis de confidentialite|"
    "pensez a l'environnement|antes de imprimir este|aviso de confidencialidad|"
    "aviso de confidencialidade|avviso di riservatezza|prima di stampare|"
    "denk aan het milieu|klauzula poufnosci|tank pa miljon|taenk pa miljoet";
/* A notice names the mail, near its start ... */
static const char notice_starts[] =
    "confidentiality|confidential|disclaimer|legal notice|legal "
    "disclaimer|important|notice|"
    "this e-mail|this email|this message|this communication|this electronic|"
    "this transmission|the information contained|the information in this|"
    "the information transmitted|the contents of this|the content of this|"
    "privileged|please consider the environment|please consider|think before|"
    "scanned by|checked by|e-mail disclaimer|diese e-mail|diese nachricht|diese mail|"
    "dieses e-mail|der inhalt dieser|die information in dieser|die informationen in "
    "dieser|"
    "die in dieser|vertraulich|vertraulichkeitshinweis|hinweis|wichtiger hinweis|"
    "bitte denken sie|bitte prufen sie|ce message|ce courriel|cet e-mail|ce mail|"
    "les informations contenues|avis de confidentialite|pensez a|avant d'imprimer|"
    "este mensaje|este correo|la informacion contenida|aviso legal|aviso|"
    "antes de imprimir|questo messaggio|questa e-mail|questa email|le informazioni|"
    "il presente messaggio|avviso|ai sensi|esta mensagem|este e-mail|este email|"
    "as informacoes|aviso de confidencialidade|dit bericht|deze e-mail|deze email|"
    "dit e-mailbericht|de informatie|de inhoud van|ta wiadomosc|niniejsza wiadomosc|"
    "tresc tej|informacje zawarte|это сообщение|данное сообщение|настоящее сообщение|"
    "информация, содержащаяся|detta meddelande|det har meddelandet|detta "
    "e-postmeddelande|"
    "denna e-post|denne e-posten|denne meldingen|denne e-mail|denne mail|denne besked|"
    "tama viesti|tama sahkoposti|tato zprava|tento e-mail|tento email|informace obsazene|"
    "це повідомлення|цеи лист|bu e-posta|bu mesaj|bu "
    "elektronik|本邮件|本電子郵件|此邮件|此電子郵件|"
    "本郵件|このメール|本メール|이 메일|이 메시지|본 메일|본 메시지|ez az e-mail|ezen "
    "e-mail|"
    "acest mesaj|acest e-mail|το παρον μηνυμα|αυτο το μηνυμα";
/* ... and says two of these. */
static const char notice_words[] =
    "confidential|privileged|intended recipient|attachments|delete|destroy|disclose|"
    "unauthorized|intended only|intended solely|addressee|"
    "before printing|environment|viruses|virus|vertraulich|vertrauliche|"
    "vertraulichen|rechtlich geschutzt|empfanger|viren|ausdrucken|loschen|"
    "vernichten|unbefugte|adressat|confidentiel|"
    "confidentielle|confidentielles|destinataire|imprimer|confidencial|confidenciales|"
    "destinatario|destinatarios|eliminar|cancellare|supprimer|detruire|"
    "riservato|riservate|riservata|confidenziale|analizzato|confidenciais|"
    "vertrouwelijk|vertrouwelijke|geadresseerde|poufne|poufna|poufnych|adresata|"
    "конфиденциальнои|конфиденциальную|конфиденциальна|конфиденциальным|адресата|"
    "konfidentiell|konfidentiellt|konfidentiel|konfidensiell|fortrolig|fortrolige|"
    "fortroligt|luottamuksellinen|luottamuksellista|duverne|duverna|конфіденціину|gizli|"
    "机密|保密|機密|秘密|收件人|删除|刪除|削除|宛先|기밀|비밀|수신인|삭제|bizalmas|"
    "confidentiale|εμπιστευτικεσ|εμπιστευτικο";

static const char list_words[] =
    "mailing list|listinfo|mailman|unsubscribe|abmelden|abbestellen|desabonner|"
    "desinscrire|cancelar la suscripcion|darse de baja|disiscriversi|uitschrijven|"
    "wypisz|отписаться|avregistrera|odhlasit|відписатися|退订|取消订阅|配信停止|수신거부|"
    "reply to this email directly|view it on|you received this message because";

const char *tkt_signature_list(size_t k)
{
    static const char *const lists[] = {devices,        leads,         tails,
                                        no_tail_starts, excuses,       closings,
                                        contact_labels, notice_starts, notice_words,
                                        list_words,     sure_notices};
    return k < TKT_ARRAY_LEN(lists) ? lists[k] : NULL;
}

/* ---- lines ---- */

/* A device's name may go on as the language wants: "iPhonesta", "iPhone'umdan". */
static bool names_device(const char *s, size_t n, size_t *at)
{
    const char *list = devices;
    const char *item;
    size_t len;

    while (tkt_fold_next(&list, &item, &len)) {
        for (const char *p = s; (p = memmem(p, n - (size_t)(p - s), item, len)) != NULL;
             p++) {
            bool wide = (unsigned char)item[0] >= 0x80;
            char before = p > s ? p[-1] : ' ';
            bool inside =
                (before >= 'a' && before <= 'z') || (before >= '0' && before <= '9');
            /* "he lg" is no phone: two letters must be a word. */
            char after = p + len < s + n ? p[len] : ' ';
            bool whole = len > 3 || !(after >= 'a' && after <= 'z');
            if ((wide || !inside) && whole) {
                *at = (size_t)(p - s);
                return true;
            }
        }
    }
    return false;
}

/* Up to the end of the first sentence, or to a link. */
static size_t first_sentence(const char *s, size_t n)
{
    for (size_t i = 0; i + 1 < n; i++) {
        if ((s[i + 1] == ' ' && strchr(",;.!?", s[i]) != NULL) ||
            (s[i] == 'h' && n - i > 4 && memcmp(s + i, "http", 4) == 0)) {
            return i;
        }
    }
    return n;
}

static bool has_digit(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (s[i] >= '0' && s[i] <= '9') {
            return true;
        }
    }
    return false;
}

static bool is_device(const struct tkt_folded *f)
{
    const char *s = f->s;
    size_t n = f->n;
    size_t at = 0;

    if (f->cut || n > 300) {
        return false;
    }
    tkt_fold_strip(&s, &n, " <>()[]-_\"'.!:");
    if (tkt_fold_starts(s, n, excuses) > 0) {
        return true;
    }
    n = first_sentence(s, n);
    tkt_fold_strip(&s, &n, " <>()[]-_\"'.!:");
    if (n == 0 || f->s[f->n - 1] == '?') {
        return false;
    }
    size_t lead = tkt_fold_starts(s, n, leads);
    size_t from = tkt_fold_starts(s, n, "from my|from");
    bool tail = tkt_fold_ends(s, n, tails);
    bool mobile = tkt_fold_ends(s, n, TKT_DEVICE_ENDS);
    if (lead == 0 && from == 0 && !tail && !mobile) {
        return false; /* nearly every line */
    }
    size_t words = tkt_fold_words(s, n);
    if (words > 14) {
        return false;
    }
    if (lead > 0 && words <= 12 && names_device(s + lead, n - lead, &at)) {
        /* "Get me a new phone": a program is asked for by its name and system. */
        bool fetch =
            tkt_fold_starts(s, n,
                            "get|fa|hent|skaff|download|使用|来自|來自|lataa|obter|"
                            "obtener|obten|descargar|telecharger|scarica|baixar|"
                            "pobierz|скачать|получить|transferir|hamta|skaffa|"
                            "hanki|ziskat|stahnout|отримати|завантажити|"
                            "laden sie|obtenir|ottieni") > 0;
        size_t len;
        return !fetch ||
               (tkt_fold_finds(s, n, "outlook|yahoo mail|bluemail", &len) != NULL &&
                words <= 8);
    }
    if (lead > 0 && words <= 6 && tkt_fold_starts(s, n, "sent from my") > 0) {
        return has_digit(s, n); /* "my TI-85" */
    }
    if (tail && tkt_fold_starts(s, n, no_tail_starts) == 0 && words <= 12 &&
        names_device(s, n, &at)) {
        return true;
    }
    if (from > 0 && words <= 5 && names_device(s + from, n - from, &at) && at <= 1) {
        return tkt_fold_words(s + from, n - from) <= 3;
    }
    return words == 3 && mobile;
}

/* All of the line is `set`; the number of characters (a dash of three bytes is one). */
static size_t only(const struct tkt_folded *f, const char *set)
{
    size_t n = 0;

    for (size_t i = 0; i < f->n; i++) {
        if (f->s[i] != ' ' && strchr(set, f->s[i]) == NULL) {
            return 0;
        }
        n += f->s[i] != ' ';
    }
    return n;
}

enum tkt_line_kind tkt_line_signature(const struct tkt_lines *l, size_t i,
                                      const struct tkt_folded *f)
{
    const struct tkt_line *line = &l->items[i];
    const char *raw = l->text + line->at;

    if (f->n == 0) { /* nothing but stars */
        return line->len >= 3 ? TKT_LINE_RULE : TKT_LINE_TEXT;
    }
    if (line->skip > 0) {
        return TKT_LINE_TEXT;
    }
    size_t dashes = only(f, "-");
    bool long_dash = line->len >= 3 && (unsigned char)raw[0] >= 0x80;
    if (dashes == 2 || (dashes == 1 && long_dash)) {
        return TKT_LINE_SIGNATURE;
    }
    if (only(f, "_") == 2) {
        return TKT_LINE_SIGNATURE;
    }
    if (only(f, "-_=~#+") >= 3) {
        return TKT_LINE_RULE;
    }
    return is_device(f) ? TKT_LINE_DEVICE : TKT_LINE_TEXT;
}

/* ---- runs of text ---- */

static bool is_blank(const struct tkt_lines *l, size_t i)
{
    return l->items[i].kind == TKT_LINE_BLANK;
}

static size_t text_lines(const struct tkt_lines *l, size_t from, size_t to)
{
    size_t n = 0;

    for (size_t i = from; i < to; i++) {
        n += !is_blank(l, i);
    }
    return n;
}

static void send(struct tkt_lines *l, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        l->items[i].goes = TKT_GOES_SIGNATURE;
    }
}

static size_t without_blank_end(const struct tkt_lines *l, size_t from, size_t to)
{
    while (to > from && is_blank(l, to - 1)) {
        to--;
    }
    return to;
}

static bool is_contact(const struct tkt_folded *f)
{
    struct tkt_evidence e;
    size_t digits = 0;
    size_t others = 0;
    size_t len;

    for (size_t i = 0; i < f->n; i++) {
        digits += f->s[i] >= '0' && f->s[i] <= '9';
        others += strchr("0123456789+-()/. ", f->s[i]) == NULL;
    }
    tkt_evidence_read(f->s, f->n, &e);
    bool link = tkt_fold_finds(f->s, f->n, "http|https|www", &len) != NULL;
    bool label = tkt_fold_starts(f->s, f->n, contact_labels) > 0;
    size_t words = tkt_fold_words(f->s, f->n);
    if (label && (digits >= 6 || e.address || link) && words <= 12) {
        return true;
    }
    if (digits >= 7 &&
        (others <= 3 ||
         (tkt_fold_finds(f->s, f->n, contact_labels, &len) != NULL && words <= 10))) {
        return true;
    }
    return (e.address && words <= 5) || (link && words <= 6);
}

/* Short lines, no sentences, and a way to reach the person. */
static bool is_contact_block(const struct tkt_lines *l, size_t from, size_t to)
{
    size_t contacts = 0;

    if (text_lines(l, from, to) > BLOCK_LINES) {
        return false;
    }
    for (size_t i = from; i < to; i++) {
        struct tkt_folded f = {.n = 0};
        tkt_fold_line(&f, l, i);
        if (f.n == 0) {
            continue;
        }
        char last = f.s[f.n - 1];
        size_t words = tkt_fold_words(f.s, f.n);
        bool contact = is_contact(&f);
        if (f.cut || last == '?' || last == '!' || last == ':' ||
            (!contact && (words > 9 || (words > 5 && last == '.')))) {
            return false;
        }
        contacts += contact;
    }
    return contacts > 0;
}

/* The first line under a delimiter in [from, to), `to` when there is none. */
static size_t find_delimiter(const struct tkt_lines *l, size_t from, size_t to)
{
    size_t left = text_lines(l, from, to);

    for (size_t i = from; i < to; i++) {
        left -= !is_blank(l, i);
        const struct tkt_line *line = &l->items[i];
        if (line->kind != TKT_LINE_SIGNATURE) {
            continue;
        }
        bool strict = line->len == 3 && memcmp(l->text + line->at, "-- ", 3) == 0;
        if (left > 0 && left <= (strict ? STRICT_LINES : LOOSE_LINES)) {
            return i;
        }
    }
    return to;
}

/* A rule with a list's footer or contact details under it. */
static size_t find_rule(const struct tkt_lines *l, size_t from, size_t to)
{
    size_t left = 0;

    for (size_t i = to; i > from && left <= BLOCK_LINES; i--) {
        const struct tkt_line *line = &l->items[i - 1];
        if (line->kind != TKT_LINE_RULE || left == 0) {
            left += line->kind != TKT_LINE_BLANK;
            continue;
        }
        struct tkt_folded f = {.n = 0};
        size_t len;
        for (size_t k = i; k < to; k++) {
            tkt_fold_line(&f, l, k);
        }
        if (tkt_fold_finds(f.s, f.n, list_words, &len) != NULL ||
            is_contact_block(l, i, to)) {
            return i - 1;
        }
        return to;
    }
    return to;
}

static size_t count_found(const struct tkt_folded *f, const char *list)
{
    const char *item;
    size_t n;
    size_t found = 0;

    while (tkt_fold_next(&list, &item, &n)) {
        found += memmem(f->s, f->n, item, n) != NULL;
    }
    return found;
}

/* Whether the line, behind the bytes of `set`, begins with none of the list, for certain
 * and without a look at all of it. */
static bool begins_none(const struct tkt_lines *l, size_t i, const char *set,
                        const char *list)
{
    const char *p = l->text + l->items[i].at + l->items[i].skip;
    const char *end = l->text + l->items[i].at + l->items[i].len;

    while (p < end && (*p == ' ' || *p == '*' || strchr(set, *p) != NULL)) {
        p++;
    }
    return tkt_fold_begins_none(p, (size_t)(end - p), list);
}

static bool is_notice(const struct tkt_lines *l, size_t from, size_t to)
{
    static const char set[] = " -_#=~[(<\"'!";
    struct tkt_folded f = {.n = 0};
    size_t bytes = 0;

    if (begins_none(l, from, set, sure_notices) &&
        begins_none(l, from, set, notice_starts)) {
        return false;
    }
    tkt_fold_line(&f, l, from);
    const char *s = f.s;
    size_t n = f.n;
    tkt_fold_strip(&s, &n, set);
    bool sure = tkt_fold_starts(s, n, sure_notices) > 0;
    if (!sure && tkt_fold_starts(s, n, notice_starts) == 0) {
        return false;
    }
    for (size_t i = from; i < to && !f.cut; i++) {
        bytes += l->items[i].len;
        if (i > from) {
            tkt_fold_line(&f, l, i);
        }
    }
    return sure || ((bytes >= NOTICE_BYTES || f.cut) && memchr(f.s, '?', f.n) == NULL &&
                    count_found(&f, notice_words) >= 2);
}

/* The first of the last paragraphs that is a legal notice, or holds one: all under it is
 * of its kind. */
static size_t find_notice(const struct tkt_lines *l, size_t from, size_t to)
{
    size_t found = to;
    size_t end = to;

    for (size_t k = 0; k < NOTICE_PARAGRAPHS && end > from; k++) {
        size_t begin = end;
        while (begin > from && !is_blank(l, begin - 1) && end - begin < PARAGRAPH_LINES) {
            begin--;
        }
        for (size_t i = begin; i < end; i++) {
            if (is_notice(l, i, end)) {
                found = i;
                break;
            }
        }
        end = without_blank_end(l, from, begin);
    }
    return found;
}

static bool is_closing(const struct tkt_lines *l, size_t i)
{
    struct tkt_folded f = {.n = 0};

    if (begins_none(l, i, "", closings)) {
        return false;
    }
    tkt_fold_line(&f, l, i);
    return f.n > 0 && tkt_fold_words(f.s, f.n) <= 7 &&
           tkt_fold_starts(f.s, f.n, closings) > 0;
}

static bool is_name(const struct tkt_lines *l, size_t i)
{
    struct tkt_folded f = {.n = 0};
    size_t words;

    tkt_fold_line(&f, l, i);
    words = tkt_fold_words(f.s, f.n);
    return words > 0 && words <= 5 && !has_digit(f.s, f.n) &&
           memchr(f.s, '@', f.n) == NULL && memchr(f.s, '/', f.n) == NULL &&
           !is_contact(&f);
}

/* "Kind regards / Name / Company / phone": where the company begins. */
static size_t find_details(const struct tkt_lines *l, size_t from, size_t to)
{
    size_t seen = 0;

    for (size_t i = to; i > from && seen <= BLOCK_LINES + 2; i--) {
        if (is_blank(l, i - 1)) {
            continue;
        }
        seen++;
        if (!is_closing(l, i - 1)) {
            continue;
        }
        size_t k = i;
        while (k < to && is_blank(l, k)) {
            k++;
        }
        if (k < to && is_name(l, k)) {
            k++;
        }
        return k < to && is_contact_block(l, k, to) ? k : to;
    }
    return to;
}

static bool ends_paragraph(const struct tkt_lines *l, size_t i, size_t to)
{
    return i + 1 >= to || is_blank(l, i + 1) || l->items[i + 1].kind == TKT_LINE_DEVICE;
}

void tkt_run_signature(struct tkt_lines *l, size_t from, size_t to)
{
    size_t end = without_blank_end(l, from, to);
    size_t before;
    size_t at = find_delimiter(l, from, end);

    send(l, at, end);
    end = without_blank_end(l, from, at);
    do {
        before = end;
        while (end > from && (l->items[end - 1].kind == TKT_LINE_DEVICE ||
                              l->items[end - 1].in_signature)) {
            send(l, end - 1, end);
            end = without_blank_end(l, from, end - 1);
        }
        at = find_notice(l, from, end);
        at = at < end ? at : find_rule(l, from, end);
        at = at < end ? at : find_details(l, from, end);
        send(l, at, end);
        end = without_blank_end(l, from, at);
        /* A rule that parted the words from what went. */
        if (end < before && end > from && l->items[end - 1].kind == TKT_LINE_RULE) {
            send(l, end - 1, end);
            end = without_blank_end(l, from, end - 1);
        }
    } while (end < before);
    for (size_t i = from; i < end; i++) {
        if (l->items[i].kind == TKT_LINE_DEVICE && ends_paragraph(l, i, end)) {
            send(l, i, i + 1);
        }
    }
}
