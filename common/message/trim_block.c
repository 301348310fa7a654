/* SPDX-License-Identifier: BSD-2-Clause
 * What Outlook and forwards put above a message: dividers with a name, and blocks of
 * From:, Sent:, To:, Subject: lines; and the line that help desks put above their text.
 */
#include "message/trim_line.h"

#include "base/util.h"

#include <string.h>

#define LABEL_MAX 40
#define BLOCK_LINES 30
#define CONTINUED_MAX 4 /* lines that a long list of recipients is wrapped to */

struct labels {
    const char *language;
    const char *from;
    const char *date;
    const char *to;
    const char *cc;
    const char *subject;
};

/* Folded. One row a language; a block is one language's, or English. */
static const struct labels table[] = {
    {"en", "from", "sent|date|sent at|date sent", "to", "cc|bcc", "subject"},
    {"de", "von|absender", "gesendet|datum|gesendet am|verschickt", "an|empfanger",
     "cc|kopie|kopie an|bcc", "betreff|betr."},
    {"fr", "de|expediteur", "envoye|date|envoye le|date d'envoi", "a|destinataire|pour",
     "cc|copie|copie a|cci", "objet|sujet"},
    {"es", "de", "enviado|fecha|enviado el|enviada el", "para|a", "cc|cco", "asunto"},
    {"it", "da|mittente", "inviato|data|inviato il", "a|per|destinatario", "cc|ccn",
     "oggetto"},
    {"pt", "de", "enviado|enviada|enviada em|enviado em|data|date", "para", "cc|cco",
     "assunto"},
    {"nl", "van|afzender", "verzonden|datum|verzonden op|datum verzonden", "aan",
     "cc|kopie", "onderwerp"},
    {"pl", "od|nadawca", "wyslano|data|wyslane|data wyslania", "do|adresat",
     "dw|cc|kopia|do wiadomosci", "temat"},
    {"ru", "от|от кого|отправитель", "отправлено|дата|отправлен|дата отправки",
     "кому|получатель", "копия|cc|копии", "тема"},
    {"uk", "від|від кого|відправник", "надіслано|дата|відправлено", "кому|до", "копія|cc",
     "тема"},
    {"sv", "fran|avsandare", "skickat|datum|skickades|skickad", "till",
     "kopia|cc|kopia till", "amne|arende"},
    {"no", "fra", "sendt|dato|sendt dato", "til", "kopi|cc|kopi til", "emne"},
    {"da", "fra", "sendt|dato", "til", "cc|kopi", "emne"},
    {"fi", "lahettaja|kenelta", "lahetetty|paivays|paivamaara|pvm|lahetyspaiva",
     "vastaanottaja|kenelle|vastaanottajat", "kopio|cc", "aihe"},
    {"cs", "od|odesilatel", "odeslano|datum|posted", "komu|pro", "kopie|cc", "predmet"},
    {"sk", "od|odosielatel", "odoslane|datum", "komu|pre", "kopia|cc", "predmet"},
    {"tr", "kimden|gonderen|gonderici",
     "gonderme tarihi|tarih|gonderildi|gonderim tarihi|gonderilen", "kime|alici|alicilar",
     "bilgi|cc", "konu"},
    {"zh", "发件人|寄件者|寄件人|发信人|發件人|发送人",
     "发送时间|日期|寄件日期|傳送時間|发送日期|時間|时间|傳送日期|發送時間|已发送",
     "收件人|收件者|收信人", "抄送|副本|cc|抄送人", "主题|主旨|標題|主題"},
    {"ja", "差出人|送信者|送信元|from", "送信日時|日付|日時|送信|date|sent", "宛先|to",
     "cc", "件名|subject"},
    {"ko", "보낸 사람|보낸사람|발신|발신인|보낸이",
     "보낸 날짜|보낸날짜|날짜|보낸 시간|일시|발신일",
     "받는 사람|받는사람|수신|수신인|받는이", "참조|cc", "제목"},
    {"hu", "felado|kuldo", "elkuldve|datum|kuldve", "cimzett|cimzettek",
     "masolat|masolatot kap|cc", "targy"},
    {"ro", "de la|expeditor|expeditorul|de", "trimis|data|expediat",
     "catre|pentru|la|destinatar|destinatarul", "cc", "subiect|subiectul"},
    {"el", "απο|αποστολεασ", "σταλθηκε|ημερομηνια|εσταλη|αποστολη", "προσ",
     "κοιν.|κοινοποιηση|κοιν", "θεμα"},
    {"he", "מאת", "נשלח|תאריך|נשלח בתאריך", "אל", "עותק|העתק", "נושא"},
    {"ar", "من", "تاريخ الإرسال|التاريخ|تم الإرسال|أرسلت|تاريخ", "إلى", "نسخة|نسخة إلى",
     "الموضوع"},
    {"bg", "от", "изпратено|дата", "до", "копие", "относно|тема"},
    {"hr", "od|salje", "poslano|datum", "za|prima", "kopija|cc", "predmet|naslov"},
    {"sl", "od|posiljatelj", "poslano|datum", "za", "kp|cc", "zadeva"},
    {"ca", "de", "enviat|data|enviat el", "per a|a", "cc", "assumpte|tema"},
    {"et", "kellelt|saatja", "saadetud|kuupaev", "kellele|adressaat", "koopia", "teema"},
    {"lv", "no|sutitajs", "nosutits|datums", "kam|adresats", "kopija", "tema"},
    {"lt", "nuo|siuntejas", "issiusta|data", "kam|gavejas|iki", "kopija", "tema"},
    {"vi", "tu", "da gui|ngay|gui", "den|toi", "cc", "chu de"},
};
/* What stands in such blocks besides, in any language. */
static const char others[] =
    "reply-to|importance|priority|attachments|attachment|resent-from|organization|"
    "antwort an|wichtigkeit|prioritat|anlagen|anhange|anlage|importance|pieces jointes|"
    "piece jointe|repondre a|responder a|importancia|adjuntos|datos adjuntos|rispondi a|"
    "risposta|priorita|allegati|importancia|anexos|prioriteit|urgentie|bijlagen|waznosc|"
    "zalaczniki|важность|вложения|prioritet|bilagor|vedlegg|viktighet|prioritet|"
    "vedhaeftede filer|vedhaftede "
    "filer|tarkeys|liitteet|dulezitost|prilohy|onem|ekler|重要性|"
    "附件|重要度|添付ファイル|첨부 "
    "파일|중요도|message-id|mailed-by|to|cc|bcc|delivered-to|"
    "reply "
    "to|sender|organisation|newsgroups|user-agent|x-mailer|content-type|mime-version";

static const char originals[] =
    "original message|original email|original e-mail|original appointment|reply message|"
    "replied message|ursprungliche nachricht|urspr?ngliche nachricht|originalnachricht|"
    "original-nachricht|original nachricht|ursprungsnachricht|ursprungliche mail|"
    "ursprunglicher termin|message d'origine|message original|message initial|"
    "message d?origine|mensaje original|messaggio originale|messaggio original|"
    "mensagem original|oorspronkelijk bericht|oorspronkelijke bericht|origineel bericht|"
    "oorspronkelijke e-mail|oryginalna wiadomosc|wiadomosc oryginalna|wiadomosc "
    "pierwotna|"
    "исходное сообщение|исходное письмо|оригинальное сообщение|первоначальное сообщение|"
    "ursprungligt meddelande|originalmeddelande|ursprungsmeddelande|originalmejl|"
    "opprinnelig melding|original melding|originalmelding|oprindelig meddelelse|"
    "original meddelelse|oprindelig besked|original besked|alkuperainen viesti|"
    "puvodni zprava|puvodni e-mail|puvodni email|povodna sprava|povodny e-mail|"
    "оригінальне повідомлення|вихідне повідомлення|початкове повідомлення|"
    "оригінальнии лист|ozgun ileti|ozgun mesaj|orijinal mesaj|orjinal mesaj|"
    "orijinal ileti|asil ileti|原始邮件|原始郵件|邮件原件|原邮件|回复的原邮件|原始訊息|"
    "原始信件|原郵件|原始邮件信息|元のメッセージ|オリジナルメッセージ|元のメール|"
    "original message 元のメッセージ|원본 메시지|원본 메일|원본 이메일|원본메시지|"
    "eredeti uzenet|eredeti level|mesaj original|mesajul original|mesaj initial|"
    "αρχικο μηνυμα|הודעה מקורית|ההודעה המקורית|الرسالة الأصلية|رسالة أصلية|"
    "missatge original|izvorna poruka|originalna poruka|izvirno sporocilo|"
    "оригинално съобщение|algne kiri|algne sonum|originalus laiskas|sakotnejais zinojums";

static const char forwards[] =
    "forwarded message|forwarded email|forwarded mail|forwarded e-mail|"
    "forwarded conversation|weitergeleitete nachricht|weitergeleitete mail|"
    "weitergeleitete e-mail|message transfere|message transmis|message reexpedie|"
    "message reachemine|courriel transfere|mensaje reenviado|correo reenviado|"
    "messaggio inoltrato|mensagem encaminhada|mensagem reencaminhada|"
    "doorgestuurd bericht|doorgestuurde e-mail|doorgestuurde bericht|"
    "wiadomosc przekazana dalej|przekazana wiadomosc|tresc przekazanej wiadomosci|"
    "wiadomosc przekazana|przeslana wiadomosc|пересланное сообщение|пересылаемое "
    "сообщение|"
    "перенаправленное сообщение|переадресованное сообщение|пересланное письмо|"
    "перенаправленное письмо|начало переадресованного сообщения|"
    "vidarebefordrat meddelande|vidarebefordrat mejl|vidarebefordrat mail|"
    "vidarebefordrat brev|videresendt melding|videresendt e-post|videresendt epost|"
    "videresendt meddelelse|videresendt besked|videresendt e-mail|videresendt mail|"
    "valitetty viesti|edelleenlahetetty viesti|valitetty sahkoposti|preposlana zprava|"
    "preposlany e-mail|presmerovana zprava|preposlana sprava|переслане повідомлення|"
    "перенаправлене повідомлення|переадресоване повідомлення|переслании лист|"
    "пересилане повідомлення|yonlendirilmis ileti|yonlendirilen ileti|yonlendirilmis "
    "mesaj|"
    "yonlendirilen mesaj|iletilen ileti|iletilmis mesaj|iletilen mesaj|iletilmis ileti|"
    "转发的邮件|转发邮件|转发邮件信息|已转发的邮件|轉寄郵件|轉寄的郵件|已轉寄的郵件|"
    "轉寄訊息|"
    "转发的消息|轉發郵件|转发信件|転送メッセージ|転送されたメッセージ|転送されたメール|"
    "転送メール|"
    "전달된 메시지|전달된 메일|전달된 이메일|전달한 메시지|전달 메시지|tovabbitott "
    "uzenet|"
    "tovabbitott level|mesaj redirectionat|mesaj inaintat|mesaj transmis mai departe|"
    "προωθημενο μηνυμα|הודעה שהועברה|הודעה מועברת|رسالة معاد توجيهها|رسالة محولة|"
    "الرسالة المعاد توجيهها|missatge reenviat|proslijedena poruka|prosledena poruka|"
    "препратено съобщение|edastatud kiri|edastatud sonum|persiustas laiskas|"
    "parsutits zinojums|posredovano sporocilo|valitetty viesti / fwd.msg|"
    "preposlana sprava --- forwarded message|メッセージを転送|wiadomosc przeslana dalej";

/* Apple's line above a forward, and others that need no dashes. */
static const char begins[] =
    "begin forwarded message|begin forwarded email|anfang der weitergeleiteten nachricht|"
    "anfang der weitergeleiteten e-mail|beginn der weitergeleiteten nachricht|"
    "debut du message reexpedie|debut du message transfere|debut de l'e-mail transfere|"
    "debut du courriel transfere|inicio del mensaje reenviado|"
    "inicio del correo reenviado|inizio messaggio inoltrato|inizio del messaggio "
    "inoltrato|"
    "inicio da mensagem encaminhada|inicio da mensagem reencaminhada|"
    "inicio de mensagem reencaminhada|begin doorgestuurd bericht|"
    "begin doorgestuurde bericht|begin van doorgestuurd bericht|"
    "poczatek przekazywanej wiadomosci|poczatek przekazanej wiadomosci|"
    "poczatek przeslanej wiadomosci|poczatek przekierowywanej wiadomosci|"
    "начало переадресованного сообщения|начало пересланного сообщения|"
    "начало переадресованного письма|начало пересылаемого сообщения|"
    "vidarebefordrat brev|vidarebefordrat mejl|borjan pa vidarebefordrat brev|"
    "borja vidarebefordrat brev|borjan pa vidarebefordrat meddelande|"
    "start pa videresendt melding|videresendt melding|begynnelse pa videresendt melding|"
    "begynnelsen pa videresendt melding|start pa videresendt besked|videresendt besked|"
    "begyndelse pa videresendt besked|begyndelsen pa videresendt besked|"
    "valitetty viesti alkaa|edelleenlahetetty viesti alkaa|alkaa valitetty viesti|"
    "zacatek preposilane zpravy|zacatek preposlane zpravy|zaciatok preposlanej spravy|"
    "початок переадресованого повідомлення|початок пересланого повідомлення|"
    "початок листа, що пересилається|початок переадресованого листа|"
    "iletilen ileti baslangici|yonlendirilen ileti baslangici|"
    "iletilmis mesajin baslangici|iletilen mesaj "
    "baslangici|下面是被转发的邮件|以下是转发的邮件|"
    "开始转发的邮件|開始轉寄郵件|以下為轉寄的郵件|以下是轉寄郵件|転送されたメッセージ|"
    "以下に転送されたメッセージがあります|転送されたメール|전달된 메시지|전달된 메시지 "
    "시작|"
    "다음은 전달된 메시지입니다|tovabbitott uzenet kezdete|tovabbitott level kezdete|"
    "inceputul mesajului redirectionat|αρχη προωθημενου μηνυματοσ|"
    "תחילת ההודעה שהועברה|بداية الرسالة المعاد توجيهها|inici del missatge reenviat|"
    "pocetak proslijedene poruke|zapocni proslijedenu poruku|ileti baslangici|"
    "incepe mesajul redirectionat";

/* Lotus Notes names who forwarded. */
static const char forwarded_by[] =
    "forwarded by|weitergeleitet von|transfere par|transmis par|inoltrato da|"
    "reenviado por|encaminhado por|doorgestuurd door|przeslane dalej przez|przekazane "
    "przez|"
    "переслано|vidarebefordrat av|videresendt av|videresendt af|lahettanyt edelleen|"
    "preposlal";

/* Above our text, or that of another help desk. */
static const char markers[] =
    "above this line|reply above this|above the line|uber dieser zeile|"
    "oberhalb dieser zeile|uber diese zeile|oberhalb dieser linie|uber dieser linie|"
    "au-dessus de cette ligne|au dessus de cette ligne|encima de esta linea|"
    "arriba de esta linea|sopra questa riga|sopra questa linea|sopra di questa riga|"
    "acima desta linha|acima dessa linha|boven deze regel|boven deze lijn|"
    "powyzej tej linii|nad ta linia|выше этои строки|выше этои линии|над этои строкои|"
    "над этои чертои|"
    "ovanfor denna rad|ovanfor den har raden|over denne linje|over denne linjen|"
    "ovenfor denne linje|ovenfor denne linjen|taman rivin ylapuolelle|"
    "taman viivan ylapuolelle|nad timto radkem|nad tento radek|nad touto carou|"
    "nad tento riadok|nad tymto riadkom|вище цього рядка|над цим рядком|вище ціеі ліні|"
    "bu satirin ustune|bu satirin ustunde|bu cizginin "
    "ustune|在此行上方|此行以上|这一行上方|"
    "這一行上方|在此线上方|此線以上|この行より上|この線より上|この行の上|이 줄 위|이 선 "
    "위|"
    "e sor fole|ezen sor fole|deasupra acestei linii|πανω απο αυτη τη γραμμη|"
    "מעל שורה זו|فوق هذا السطر";

const char *tkt_block_list(size_t k)
{
    static const char *const flat[] = {others, originals,    forwards,
                                       begins, forwarded_by, markers};

    if (k < TKT_ARRAY_LEN(flat)) {
        return flat[k];
    }
    k -= TKT_ARRAY_LEN(flat);
    if (k / 5 >= TKT_ARRAY_LEN(table)) {
        return NULL;
    }
    const struct labels *t = &table[k / 5];
    const char *const row[] = {t->from, t->date, t->to, t->cc, t->subject};
    return row[k % 5];
}

/* ---- blocks of fields ---- */

/* Whether it is a label of any kind and language. */
static bool is_any_label(const char *s, size_t n)
{
    static struct tkt_fold_union all;

    for (size_t i = 0; i < TKT_ARRAY_LEN(table) && !all.is_done; i++) {
        const struct labels *t = &table[i];
        const char *const row[] = {t->from, t->date, t->to, t->cc, t->subject};
        for (size_t k = 0; k < TKT_ARRAY_LEN(row); k++) {
            tkt_fold_union_add(&all, row[k]);
        }
    }
    if (!all.is_done) {
        tkt_fold_union_add(&all, others);
        all.is_done = true;
    }
    return all.is_full || tkt_fold_is_one_of(s, n, all.list);
}

static enum tkt_label look_up(const char *s, size_t n, uint64_t *languages)
{
    enum tkt_label found = TKT_LABEL_NONE;

    *languages = 0;
    if (!is_any_label(s, n)) {
        return TKT_LABEL_NONE; /* nearly every line */
    }
    for (size_t i = 0; i < TKT_ARRAY_LEN(table); i++) {
        const struct labels *t = &table[i];
        const char *const row[] = {t->from, t->date, t->to, t->cc, t->subject};
        for (size_t k = 0; k < TKT_ARRAY_LEN(row); k++) {
            enum tkt_label label = (enum tkt_label)(TKT_LABEL_FROM + k);
            bool fits = found == TKT_LABEL_NONE || found == label;
            if (fits && tkt_fold_is_one_of(s, n, row[k])) {
                found = label;
                *languages |= UINT64_C(1) << i;
            }
        }
    }
    if (found == TKT_LABEL_NONE && tkt_fold_is_one_of(s, n, others)) {
        *languages = ~UINT64_C(0);
        return TKT_LABEL_OTHER;
    }
    return found;
}

/* Behind the first colon of the line's text, ASCII or wide; 0: none near. */
static size_t behind_colon(const char *s, size_t n, size_t *label_n)
{
    size_t near = TKT_MIN(n, 3 * LABEL_MAX);
    const char *colon = memchr(s, ':', near);
    size_t at = colon == NULL ? near : (size_t)(colon - s);
    const char *wide = memmem(s, TKT_MIN(n, at + 2), "\xef\xbc\x9a", 3);

    if (wide != NULL && (size_t)(wide - s) < at) {
        *label_n = (size_t)(wide - s);
        return *label_n + 3;
    }
    *label_n = at;
    return colon == NULL ? 0 : at + 1;
}

/* The label in front of the colon, folded; false: none that could be one. */
static bool fold_label(const struct tkt_lines *l, size_t i, struct tkt_folded *f,
                       size_t *value_at)
{
    const struct tkt_line *line = &l->items[i];
    const char *s = l->text + line->at + line->skip;
    size_t label_n = 0;
    size_t value = behind_colon(s, line->len - line->skip, &label_n);

    if (value == 0 || line->fenced) {
        return false;
    }
    tkt_fold_add(f, s, label_n);
    *value_at = line->at + line->skip + value;
    return f->n > 0;
}

enum tkt_label tkt_line_label(struct tkt_lines *l, size_t i, uint64_t *languages,
                              size_t *value_at)
{
    struct tkt_folded f = {.n = 0};

    if (!fold_label(l, i, &f, value_at) || !tkt_lines_may_look(l, 1)) {
        return TKT_LABEL_NONE;
    }
    const char *s = f.s;
    size_t n = f.n;
    tkt_fold_strip(&s, &n, " _-|");
    return look_up(s, n, languages);
}

struct block {
    unsigned has; /* bits of enum tkt_label */
    uint64_t languages;
    bool address; /* in From */
    size_t fields;
    size_t end;
};

#define BIT(label) (1u << (label))

static bool is_whole(const struct block *b, bool led)
{
    bool from = (b->has & BIT(TKT_LABEL_FROM)) != 0;
    bool date = (b->has & BIT(TKT_LABEL_DATE)) != 0;
    bool to = (b->has & BIT(TKT_LABEL_TO)) != 0;
    bool subject = (b->has & BIT(TKT_LABEL_SUBJECT)) != 0;

    if (!from) {
        return false;
    }
    return (subject && date) || (subject && to && b->address) ||
           (date && b->address && to) || (led && (subject || (b->address && date)));
}

static bool has_address(const struct tkt_lines *l, size_t i, size_t at)
{
    size_t end = l->items[i].at + l->items[i].len;
    return at < end &&
           memchr(l->text + at, '@', TKT_MIN(end - at, TKT_TRIM_LINE_MAX)) != NULL;
}

static bool take_field(struct tkt_lines *l, size_t i, struct block *b)
{
    uint64_t languages = 0;
    size_t value = 0;
    enum tkt_label label = tkt_line_label(l, i, &languages, &value);
    /* Clients mix in English: those labels tell nothing of the language. */
    uint64_t both = (languages & 1) != 0 ? b->languages : b->languages & languages;

    if (label == TKT_LABEL_NONE || both == 0) {
        return false;
    }
    /* A second From: the block of another message, or no block at all. */
    if (label != TKT_LABEL_OTHER && (b->has & BIT(label)) != 0 && label != TKT_LABEL_CC) {
        return false;
    }
    b->languages = both;
    b->has |= BIT(label);
    b->address = b->address || (label == TKT_LABEL_FROM && has_address(l, i, value));
    b->fields++;
    b->end = i + 1;
    return true;
}

/* With a border above it, lines "word: value" are a block in any language. */
static size_t unknown_block(const struct tkt_lines *l, size_t i)
{
    size_t labels = 0;
    bool address = false;
    size_t k;

    for (k = i; k < l->count && k < i + 8; k++) {
        struct tkt_folded f = {.n = 0};
        size_t value = 0;
        if (!fold_label(l, k, &f, &value) || f.n > LABEL_MAX ||
            tkt_fold_words(f.s, f.n) > 3 || strpbrk(f.s, "0123456789@/") != NULL) {
            break;
        }
        address = address || has_address(l, k, value);
        labels++;
    }
    return labels >= 3 && address ? k - i : 0;
}

size_t tkt_line_block(struct tkt_lines *l, size_t i, bool led, const char **language)
{
    struct block b = {.languages = ~UINT64_C(0), .end = i};
    size_t continued = 0;
    size_t end = TKT_MIN(l->count, i + BLOCK_LINES);
    uint8_t skip = l->items[i].skip;

    for (size_t k = i; k < end; k++) {
        const struct tkt_line *line = &l->items[k];
        bool blank = line->kind == TKT_LINE_BLANK || line->len == line->skip;
        if ((line->skip > 0) != (skip > 0)) {
            break;
        }
        if (!blank && take_field(l, k, &b)) {
            continued = 0;
            continue;
        }
        /* Between fields an empty line, or the rest of a long one. */
        if (b.fields == 0 || ++continued > CONTINUED_MAX ||
            (blank && is_whole(&b, led)) ||
            (is_whole(&b, false) && (b.has & BIT(TKT_LABEL_SUBJECT)) != 0 &&
             (b.has & BIT(TKT_LABEL_TO)) != 0)) {
            break;
        }
    }
    if (!is_whole(&b, led)) {
        return led ? unknown_block(l, i) : 0;
    }
    for (size_t k = 0; k < TKT_ARRAY_LEN(table); k++) {
        if ((b.languages & UINT64_C(1) << k) != 0) {
            *language = table[k].language;
            break;
        }
    }
    return b.end - i;
}

/* ---- lines with dashes ---- */

enum tkt_line_kind tkt_line_divider(const struct tkt_folded *f, bool *sure)
{
    const char *s = f->s;
    size_t n = f->n;
    static const char dashes[] = "-_=~#+>";

    *sure = false;
    if (f->cut || f->n < 4 || f->n > 200) {
        return TKT_LINE_TEXT;
    }
    while (n > 0 && strchr(dashes, *s) != NULL) {
        s++;
        n--;
    }
    bool decorated = f->n - n >= 2;
    size_t left = n;
    while (n > 0 && (strchr(dashes, s[n - 1]) != NULL || s[n - 1] == ' ')) {
        n--;
    }
    bool closed = left - n >= 2;
    bool colon = n > 0 && s[n - 1] == ':';
    tkt_fold_strip(&s, &n, " :");
    if (n == 0 || n > 120) {
        return TKT_LINE_TEXT;
    }
    if (colon && tkt_fold_is_one_of(s, n, begins)) {
        *sure = true;
        return TKT_LINE_FORWARD;
    }
    if (tkt_fold_is_one_of(s, n, forwards) || tkt_fold_is_one_of(s, n, begins) ||
        (decorated && closed && tkt_fold_starts(s, n, forwarded_by) > 0)) {
        *sure = decorated;
        return TKT_LINE_FORWARD;
    }
    if (tkt_fold_is_one_of(s, n, originals)) {
        *sure = decorated;
        return TKT_LINE_ORIGINAL;
    }
    return TKT_LINE_TEXT;
}

bool tkt_line_is_marker(const struct tkt_folded *f, bool led)
{
    static const char set[] = "#-=_~+>|[]. ";
    size_t n = f->n;
    size_t head = 0;
    size_t tail = 0;
    size_t len;

    if (f->cut || n < 10 || n > 200) {
        return false;
    }
    while (head < n && strchr(set, f->s[head]) != NULL) {
        head++;
    }
    while (tail < n - head && strchr(set, f->s[n - 1 - tail]) != NULL) {
        tail++;
    }
    return ((head >= 2 && tail >= 2) || (led && n < 80)) &&
           tkt_fold_finds(f->s, n, markers, &len) != NULL;
}
