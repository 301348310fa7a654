/* SPDX-License-Identifier: BSD-2-Clause
 * Words and endings by which a language is known: those that stand in nearly every
 * sentence, and what people write to a help desk. "-x": words that end so. Own lists.
 */
#ifndef TKT_MESSAGE_LANGUAGE_WORDS_H
#define TKT_MESSAGE_LANGUAGE_WORDS_H

enum language {
    EN,
    DE,
    FR,
    ES,
    IT,
    PT,
    NL,
    PL,
    SV,
    NO,
    DA,
    FI,
    CS,
    TR,
    HU,
    RO, /* Latin */
    RU,
    UK,
    BG, /* Cyrillic */
    EL,
    AR,
    HE,
    ZH,
    JA,
    KO,
    LANGUAGES
};
static const char codes[LANGUAGES][3] = {
    "en", "de", "fr", "es", "it", "pt", "nl", "pl", "sv", "no", "da", "fi", "cs",
    "tr", "hu", "ro", "ru", "uk", "bg", "el", "ar", "he", "zh", "ja", "ko",
};

static const char *const words[LANGUAGES] = {
    [EN] = "the of and to in is that it was for on are with as at be this have from or "
           "had by but not what all were we when your can said there an which their if "
           "will how them would been has who did my our please thank thanks you i am "
           "could should hello hi dear regards best cannot can't don't doesn't isn't "
           "didn't i'm i've it's won't since after before about into any some because "
           "still does its just no yes anyone help need they he she his her me us where "
           "every again still these those only today yesterday tomorrow here out up "
           "do get got let know more than then so -ing -ould -ight -tion -ness -ly -ough",
    [DE] =
        "der die das und ist nicht ich zu den mit sich des auf für von dem ein eine "
        "einen einem einer eines im es an werden aus er hat dass daß sie nach wird bei "
        "noch wie über so zum war haben nur oder aber vor zur bis mehr durch kann wir "
        "uns unser unsere ihr ihre ihnen ihren mein meine meinen bitte danke vielen "
        "dank hallo guten tag sehr geehrte geehrter geehrten damen herren grüße grüßen "
        "freundlichen viele seit heute gestern morgen wenn weil können könnte könnten "
        "muss müssen möchte funktioniert geht keine kein keinen mehr wieder auch schon "
        "sind bin habe fuer ueber koennen koennte moechte muessen gruss gruesse als am "
        "vom beim wurde diese dieser dieses dann da man mich mir hier bereits immer "
        "gibt -ung -ungen -keit -heit -lich -isch -chen -schaft -ieren -iert -igen",
    [FR] =
        "quelle quelles chaque même mêmes fichier autre autres ainsi selon pendant "
        "jamais rien lors fois doit peuvent sera -ère -ible -able -és -ée -ents -aire "
        "-oir "
        "le la les de des du et est un une que qui dans en pour pas sur au aux avec ce "
        "cette ces il elle je nous vous ils ne se sont plus par mais ou où son sa ses "
        "mon ma mes notre nos votre vos leur été être avoir fait bonjour merci "
        "cordialement depuis lorsque quand si c'est j'ai n'est qu'il d'un d'une l'on "
        "n'ai n'a j'aimerais s'il pouvez pourriez peux peut plaît comme tout toute tous "
        "aucun aucune encore très bien aujourd'hui hier demain avant après chez ai "
        "suis avez avons sans sous dont cela ça toujours salutations "
        "madame monsieur leurs deux -tion -ment -eux -ais -ait -aux -ées -ance -ique "
        "-eur -ons -ez",
    [ES] =
        "cada sólo solo otro otra otros mismo según siempre nunca donde ninguna ninguno "
        "algún alguna puedan será -ero -era -ible -able -ados -adas -ción -sión -encia "
        "-anza "
        "el la los las de que y en un una por con no para es se del al lo como más su "
        "pero sus le ya o este sí porque esta entre cuando muy sin sobre también me "
        "hasta hay donde quien desde todo nos durante uno ni contra ese eso mi yo "
        "qué hola gracias saludos favor puede pueden podría puedo necesito tengo tiene "
        "buenos buenas días tardes estimado estimados usted ustedes está están hemos "
        "ha he han ser fue son cada vez después antes ayer hoy mañana todavía aún nada "
        "desde hace nuestra nuestro nuestros atentamente cómo siempre esto "
        "-ción -ciones -dad -mente -ando -iendo -ado -idos -aje -ito -aría",
    [IT] = "adesso proprio qualche qualcuno tra fra però quindi così ogni volta volte "
           "giorno giorni settimana -ante -enti -eria -anno -ella -iano -ura -ore -enza "
           "-anza "
           "il lo la i gli le di che e è in un una uno per non con del della dei delle "
           "degli al alla ai alle dal dalla nel nella sul sulla si mi ci vi ho ha hanno "
           "abbiamo sono sia questo questa questi queste come più ma anche se da quando "
           "perché cosa mio mia nostro nostra vostro vostra suo sua buongiorno grazie "
           "cordiali saluti ciao salve gentile potete può possiamo potreste vorrei posso "
           "ancora già molto tutto tutti stato stata essere fare dopo prima ieri oggi "
           "domani dall'ultimo l'ho non c'è dell'ufficio quello ogni sempre all' dell' "
           "nell' un' dall' l' po' senza fino mattina -zione -zioni -mente -ità -ando "
           "-endo -ato -ati -ere -iamo -ggio",
    [PT] = "ainda duas dois vez vezes coisa qualquer tudo todos antes outra outro dias "
           "semana -eu -ou -aram -eram -iam -sse -agem -ência -ável -ora "
           "o a os as de que e é em um uma para com não no na nos nas do da dos das por "
           "mais como mas foi ao à aos às ele ela eu seu sua se ou quando muito já está "
           "estão também só pelo pela até isso isto entre depois sem mesmo quem meu "
           "minha nosso nossa você vocês ser ter tem temos tenho olá obrigado obrigada "
           "bom dia boa tarde cumprimentos atenciosamente favor pode podem poderia "
           "podiam consigo conseguimos gostaria desde ontem hoje amanhã ainda nao voce "
           "esta este esse essa sempre agora porque onde foram há fazer preciso "
           "ninguém nada -ção -ções -dade -mente -ando -endo -ado -ados -inha -eiro -ões",
    [NL] =
        "de het een en van in is dat op te zijn met voor niet aan er om ook als maar "
        "dan bij nog uit door over wel kan mijn naar heeft heb hebben ik je jij wij we "
        "u uw ons onze jullie zij ze deze dit die wat waar wanneer worden werd wordt "
        "geen meer al graag dank bedankt alvast hallo beste goedemorgen goedemiddag "
        "geachte groeten groet vriendelijke kunnen kunt zou willen wil sinds gisteren "
        "vandaag morgen steeds omdat tot moet moeten werkt kon hier daar weer na "
        "iets niets elke iemand zonder onder tijdens -ing -heid -lijk -lijke -tie "
        "-eren -aar -oor -ijn -elen -eerd",
    [PL] = "pod przez jeden dwa kiedyś wszystko dzisiaj teraz zostać -ski -ska -owy -owa "
           "-owe -nny -any -ana -ane -rze -ację -acji -anie -uje "
           "i w nie na to się z do że jest o jak a po co tak ale od za przez już czy "
           "jego był dla tego ich tylko mnie mi ja być może gdy gdzie bardzo przed "
           "przy pod ze nas nam pan pani państwa proszę dziękuję dzień dobry witam "
           "pozdrawiam pozdrowienia mam mamy mogę można moje mój moja nasz nasza "
           "nasze jestem są została został zostało od wczoraj dzisiaj dziś jutro nadal "
           "jeszcze kiedy ponieważ które który która mogą prosze dziekuje sie ze jest "
           "ten ta te tym tej oraz lub bez więc żeby aby każdy każdego nikt nic "
           "-ować -ość -ości -nie -nia -nego -ych -ymi -emy -ście -cie -ego -ję -ają",
    [SV] = "om inte eller andra annan annat vilken vilka mellan liten öppen bli göra gör "
           "kräver in inne genom finns används använd välj namn namnet innehåller visa "
           "spara skapa båda möjligt under över vid börjar -ss -tt -nn -ll -ck -or -er "
           "-as -ade -ats "
           "och att det i en som är på av för med den till inte har de ett om jag vi "
           "men var sig så kan från när vid nu eller man ska skulle han hon blir blev "
           "mig min mitt mina vår vårt våra er era någon något några hej tack vänliga "
           "hälsningar med vänlig hälsning mvh finns inget ingen sedan igår idag imorgon "
           "kunde kommer fungerar måste här där vad hur varför efter innan mycket också "
           "alla allt detta denna dessa bara även utan upp ut få får går gör skulle vill "
           "samt dem oss tidigare varje -ning -ningar -het -lig -ligt -arna -erna -ade "
           "-ande -tion -ätt -igt -isk",
    [NO] =
        "hvis hvilken hvilke annen annet andre mellom noen eget liten åpen bli gjøre "
        "gjør gjøres krever inn inne gjennom ikke finnes brukes bruk velg velge skrive "
        "lese navn navnet inneholder kunne vise vist lagre opprette slett lov enten "
        "eneste både mulig under over ved begynner kun -kk -tt -ss -gg -pp -nn -ll -nner "
        "-nne -eser -elge -elger -erte -ert -øk -ok -ak -ap -ut "
        "melding meldingen tilgang feil feilen feilmelding skjer prøver prøvd åpner åpne "
        "bruke bruker skrevet kommet hjelpe avdeling når hvem begge kom dager uke uker "
        "måte mye slik dersom ved "
        "og i det på som er en til å han av for med at var de ikke den har jeg om et "
        "men seg fra vi kan når nå eller hun så skal ville blir ble blitt meg min mitt "
        "mine vår vårt våre deg dere noen noe hei takk hilsen vennlig mvh ingen siden "
        "går dag kunne kommer virker fungerer må her hva hvordan hvorfor "
        "etter før mye også alle alt dette denne disse bare uten opp ut får gjør vil "
        "oss være vært hadde gang ganger ett selv hver hjelp tidligere ønsker fikk gikk "
        "opplever sende sendt kontoen passordet skriveren ennå fremdeles ifra mens igjen "
        "-ing -het -lig -ene -ende -sjon -ert -else -elsen -eren -ingen -te",
    [DA] =
        "hvis hvilken hvilke anden andet andre mellem nogle eget lille åben blive gøre "
        "gør gøres kræver ind inde igennem ikke findes bruges brug vælg vælge skrive "
        "læse navn navnet indeholder kunne vise vist gem oprette slet lov enten eneste "
        "både mulig muligt under over ved begynder -ab -eb -øb -ug -øg -ag -nd -nder "
        "-nde -æser -ælge -ælger -erede "
        "besked beskeden adgang forkert fejl fejlen fejlmeddelelse kigge sker mener "
        "prøver prøvet åbner åbne bruge bruger skrevet kommet hjælpe stadigvæk afdeling "
        "hvornår hvem begge kom dage uge uger måde "
        "og i det på som er en til at han af for med var de ikke den har jeg om et "
        "men sig fra vi kan når nu eller hun så skal ville bliver blev blevet mig min "
        "mit mine vores dig jer nogen noget hej tak hilsen venlig mvh ingen siden går "
        "dag morgen kunne kommer virker fungerer må her der hvad hvordan hvorfor efter "
        "før meget også alle alt dette denne disse kun bare uden op ud får gør vil os "
        "være været havde gang gange selv hver hjælp tidligere ønsker fik gik oplever "
        "sende sendt kontoen adgangskode printeren endnu stadig mens igen dem lige "
        "nogle hos gerne ikke mere -ing -hed -lig -ene -ende -tion -eret -else -elsen "
        "-eren -ningen -ede -erne",
    [FI] =
        "oli ollut eikö siitä siihen vaikka tulee täällä joten uusi viime viikolla "
        "kiitän pääse pääsen -ista -istä -ään -uksen -yksen -oita -eja -kaan -kään -iä "
        "-ntä -stö -ille -oin "
        "ja on ei että se oli hän mutta ovat kun niin kuin myös tai jos mitä minä "
        "minun meidän teidän sen mukaan voi voin voiko voisitteko olen olemme olisi "
        "ole en ettei vain sitten nyt jo vielä koska missä miten hei kiitos terveisin "
        "ystävällisin päivää huomenta tervehdys eilen tänään huomenna asti jälkeen "
        "ennen kaikki tämä tämän tätä nämä jotka joka mikä minulla meillä toimi "
        "toimii saan saa saada pitäisi täytyy tarvitsen enää aina uuden "
        "kanssa ilman sekä eikä emme apua -ssa -ssä -sta -stä -lla -llä -lta -ltä "
        "-lle -ksi -nen -mme -tte -iin -een -aan -ään -vat -isi -sti -tään -taan -minen",
    [CS] =
        "této nová nový nové další jeden dva všechno teď nikdo nic někdo -ost -ného -ech "
        "-ách -ami -it -at -li -ek -ka "
        "a se v na je že o s z do i to k ve pro za by ale si po jako jsem jsou jsme "
        "jste od ze při tak když už jen není nebo který která které až před jeho být "
        "byl byla bylo byly mám máme může mohu můžete můžu prosím děkuji děkujeme dobrý "
        "den ahoj pozdravem hezký s mi mě nám nás vám vás můj moje naše náš váš co kde "
        "jak proč protože včera dnes zítra stále ještě také této tento tato toto tím "
        "nelze nefunguje nemohu nemůžu podle bez však aby kdy tady dekuji prosim -ost "
        "-ní -ího -ému -ých -ých -ými -ovat -ení -ání -íme -áme -uje -ují -ové",
    [TR] =
        "ve bir bu da de için ile çok ne ben biz siz o daha gibi var yok ama en kadar "
        "sonra olarak olan değil mi mı mu mü ise ya her şey şu ki nasıl neden nerede "
        "merhaba teşekkürler teşekkür ederim ederiz saygılar saygılarımla lütfen "
        "günaydın iyi günler dün bugün yarın hala hâlâ artık bana bize benim bizim "
        "sizin size yeni eski önce beri rağmen çünkü veya hiç bazı tüm "
        "oldu olur olmuyor çalışmıyor istiyorum edemiyorum gerekiyor misiniz mısınız "
        "-lar -ler -ları -leri -ında -inde -iyor -ıyor -uyor -üyor -dım -dim -dık -dik "
        "-mak -mek -nız -niz -dan -den -nda -nde -ması -mesi -ıyorum -iyorum -abilir "
        "-ebilir -acak -ecek",
    [HU] =
        "vagyok voltam lesz lett legyen olyan ilyen neki hozzá rendszer nagyon pár múlt "
        "következő -ok -ek -at -et -án -én -ába -ébe -lak -nyi -ású -ára -ére "
        "a az és hogy nem is egy ez meg van volt már csak de ha mert mint el ki be fel "
        "le nekem nekünk én mi ön önök kell lehet minden még után előtt alatt szerint "
        "azt ezt aki ami amely amikor ahol hogyan miért szia sziasztok jó napot kívánok "
        "köszönöm köszönjük üdvözlettel tisztelettel tisztelt kérem kérjük tegnap ma "
        "holnap óta most vagy nincs sem tudok tudom tudunk tudja működik szeretném "
        "szeretnénk segítség kapok kaptam valamint pedig sajnos újra -ban -ben -nak "
        "-nek -val -vel -ról -ről -tól -től -hoz -hez -ból -ből -unk -ünk -ság -ség "
        "-kor -ott -ett -ani -eni -nál -nél -ások -ések",
    [RO] =
        "și şi în la de a cu nu pe o un este că să se care din pentru mai sunt fi am "
        "au ce dar ca el ea lui ei noi voi dumneavoastră eu meu mea mele nostru noastră "
        "ne vă mă îmi după când fără până prin sau dacă deja doar foarte bună ziua "
        "mulțumesc mulţumesc mulțumim salut respect stimă rog vreau pot putem puteți "
        "poate avem avea aveți ieri azi astăzi mâine încă acest această aceste acesta "
        "acum nimic toate toți unde cum totuși deoarece fost si sa ati multumesc "
        "-ului -ilor -elor -ție -ția -ții -ată -ează -ești -ește -ăm -ind -ând -ul -tă "
        "-rea -ii",
    [RU] =
        "ошибка можно должен должна должно невозможно удалось файл имя будет каждого "
        "таблица данные данных между через -ить -ать -ать -ено -ения -ении -ной -ным "
        "-ными -ном "
        "она ее её ей им них нужен нужна нужно нужны общий каждый другой день неделю "
        "время сотрудник -ся -ой -ем -ам -ами -ями -ика -ние -ица -ный -ная -щий -ий "
        "и в не на я что он с как это по но они мы она из у за то все так его от же "
        "бы для вы или если меня мне уже только при был была было были есть нет до "
        "когда чтобы вас вам нас нам наш наша мой моя мои ваш здравствуйте добрый день "
        "спасибо пожалуйста уважением привет могу можете можно нужно после сегодня "
        "вчера завтра ещё еще этот эта эти этого который которая которые очень "
        "почему потому где сейчас теперь со ко об без чем себя тоже также -ть -ет -ется "
        "-ого -ого -ему -ый -ая -ое -ые -ых -ии -ция -ение -ться -ешь -ют -ют -ов -ей",
    [UK] = "її їй їм них потрібен потрібна спільний кожен інший день тиждень час -ся -ою "
           "-ею -ам -ами -ями -ний -на -ить -ати -ити "
           "і в не на я що він з як це по але вони ми вона із у за то всі так його від ж "
           "би для ви або якщо мене мені вже тільки при був була було були є немає до "
           "коли щоб вас вам нас нам наш наша мій моя мої ваш вітаю добрий день дякую "
           "дякуємо прошу ласка повагою привіт можу можете можна потрібно після "
           "сьогодні вчора завтра ще цей ця ці цього який яка які дуже чому тому де "
           "зараз тепер зі про без чим себе також та й хоча доброго дня -ти -ється -ого "
           "-ому "
           "-ий -ій -ої -их -ії -ція -ння -ться -ють -ів -ння -ськ",
    [BG] = "и в не на аз че той с как това по но те ние тя от за да се са съм сме сте е "
           "му го ги ще или ако мен ми вече само при беше има няма до когато ви ни нас "
           "вас наш нашия нашата моят моята моя вашия здравейте добър ден благодаря "
           "моля поздрави уважение мога може можете можем трябва след днес вчера утре "
           "още този тази тези което който която които много защо защото къде сега със "
           "към без също така обаче във бях били къде какво все -та -то -те -ят -ия -ите "
           "-ата -ото -ване -ваме -вам -ка -ция -ство -ешe",
};

#endif
