"""What a server says in place of a page, and answers 200 to: that there is none, or none now, here or for us.

There are articles about all of this. So a heading has to be nothing but the notice, and hardly any other text may be on
the page outside of links; what says in its head that it is an article is one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from crawler.politeness.shown_page import ShownPage

#: Characters of text beside the heading that a notice may have, outside of links.
_MOST = 700
#: Runs of text that are shorter are labels.
_LABEL = 25
#: The share of a heading, or of a part of it, that has to be the notice. The rest is "Sorry", or "Error".
_HEADING, _WHOLE_HEADING = 0.4, 0.8
#: So many runs behind a heading tell to whom it is said.
_NEXT = 4
#: Between the parts of a title: the name of the site is one of them.
_PARTS = re.compile(r"\s+[|–—·•»«:-]+\s+|\s*\|\s*")

NOT_FOUND = "a soft 404"
_NOTICES: Mapping[str, re.Pattern[str]] = {
    kind: re.compile("|".join(words))
    for kind, words in {
        NOT_FOUND: (
            (
                r"\b(?:http |error |fehler |erreur |errore |erro |ошибка |błąd |"
                r"fel )?(?:code )?404\b(?:[ :!.,-]+(?:error|page|not found))*"
            ),
            (
                r"\bpage (?:was |is |could |can ?|does |has |you |requested |are |looking |for |no longer |not |"
                r"be |been |wasn.t |isn.t |couldn.t |can.t |doesn.t |cannot )+(?:found|exists?|available|there|"
                r"removed|moved)"
            ),
            r"\bpage not found",
            r"^not found$",
            r"(?:can ?not|can.t|couldn.t|could not|unable to) find (?:that|this|the|your)(?: requested)? page",
            r"(?:content|article|story) (?:is )?(?:not found|no longer available|unavailable)",
            r"nothing (?:was )?found here",
            (
                r"seite (?:wurde |konnte |ist |gibt es |existiert |kann |hier |leider |nicht |mehr |\(mehr\) ?|"
                r"\(nicht mehr\) ?)+(?:gefunden|verfügbar|vorhanden|werden|mehr|$)"
            ),
            r"nicht gefunden$",
            r"artikel nicht (?:mehr )?(?:gefunden|verfügbar)",
            r"page (?:est |demandée |que vous cherchez |recherchée )*(?:introuvable|inexistante|non trouvée)",
            r"page (?:demandée )?(?:n.existe|n.est) (?:pas|plus)(?: disponible)?",
            (
                r"p[áa]gina (?:solicitada |que buscas )?(?:no|não|nao) (?:se )?(?:ha |fue |foi |"
                r"est[áa] )?(?:encontrad[ao]|existe|disponible|disponível)"
            ),
            r"no (?:hemos )?encontra(?:mos|do) (?:la página|lo que)",
            r"não encontr(?:amos|ada)",
            r"pagina (?:richiesta )?non (?:è stata |è )?(?:trovata|esiste|disponibile)",
            r"pagina (?:is |kan |kon |werd )?niet (?:worden )?(?:gevonden|beschikbaar)",
            r"pagina bestaat niet",
            r"sidan (?:du söker |kunde |finns |hittades )+(?:inte|ej)(?: hittas| finns)?",
            (
                r"siden (?:du leder efter |du leter etter |blev |ble |kunne |findes |finnes |er )+ikke(?: fundet|"
                r" funnet| findes)?"
            ),
            r"(?:fant|fandt) ikke siden",
            r"sivua ei (?:löy\w+|ole)",
            r"stron[ay] (?:nie (?:została )?(?:znaleziona|istnieje)|nie znaleziono)",
            r"nie znaleziono strony",
            r"stránka (?:nebyla|nebola) (?:nalezena|nájdená)",
            r"stránka neexistuje",
            r"oldal nem (?:található|létezik)",
            r"pagina nu (?:a fost găsită|există)",
            r"stranica nije pronađena",
            r"σελίδα δεν (?:βρέθηκε|υπάρχει)",
            r"страниц[аы] не (?:найден[аы]|существует)",
            r"сторінк[аиу] не (?:знайден[оа]|існує)",
            r"страницата не (?:е намерена|съществува)",
            r"sayfa bulunamadı",
            r"الصفحة (?:المطلوبة )?غير موجودة",
            r"لم يتم العثور على",
            r"ה(?:דף|עמוד) (?:ה?מבוקש )?לא נמצא",
            r"صفحه (?:مورد نظر )?(?:یافت|پیدا) نشد",
            r"(?:पेज|पृष्ठ) नहीं मिला",
            r"ページ(?:が|は)(?:見つかり|見当たり|存在し)",
            r"お探しのページ",
            r"(?:页面|頁面|网页|網頁)(?:不存在|未找到|没有找到|找不到)",
            r"找不到(?:该|該|此|您)?\S{0,8}(?:页|頁)",
            r"페이지를 찾을 수",
            r"존재하지 않는 페이지",
            r"không tìm thấy trang",
            r"trang không tồn tại",
            r"halaman tidak (?:ditemukan|ada)",
            r"ไม่พบหน้า",
        ),
        "a maintenance page": (
            (
                r"(?:sorry,? )?(?:we are |we.re |(?:this |our |the )?(?:web ?site|site|page|server|service|"
                r"portal) (?:is )?)?(?:currently )?(?:(?:temporarily )?(?:down|closed|offline) for|under|"
                r"undergoing) (?:scheduled |planned |routine )?maintenance"
            ),
            r"^maintenance(?: mode)?$",
            r"(?:we.ll |we will |we should )?be (?:right )?back (?:soon|shortly|online)",
            (
                r"(?:this |our |the )?(?:web ?site|site|service|page) (?:is )?(?:temporarily )?(?:unavailable|"
                r"closed|offline)"
            ),
            r"service unavailable",
            r"wartungs(?:arbeiten|modus|pause)",
            (
                r"(?:site |sitio |sito |seite )?(?:en|sous|em|in) (?:cours de )?(?:maintenance|mantenimiento|"
                r"manutenzione|manutenção|onderhoud|wartung)"
            ),
            r"site en travaux",
            r"underhållsarbete",
            r"vedligeholdelse",
            r"vedlikehold",
            r"huoltokatko",
            r"prace (?:konserwacyjne|techniczne)",
            r"przerwa techniczna",
            r"(?:probíhá |prebieha )?údržb\w+",
            r"karbantartás",
            r"lucrări de mentenanță",
            r"εργασίες συντήρησης",
            r"(?:ведутся |проводятся )?(?:технические )работы",
            r"(?:ведуться )?технічні роботи",
            r"bakım(?:da| çalışması)",
            r"صيانة",
            r"メンテナンス\w*",
            r"(?:\w{0,4})(?:维护|維護|升级)中",
            r"점검 ?중",
        ),
        "a geo-block": (
            (
                r"(?:sorry,? )?(?:this |our |the )?(?:site |content |page |article |"
                r"service )?(?:is )?(?:currently )?(?:not|isn.t|un) ?available (?:in|from|to) (?:your|"
                r"readers in your|visitors from your) (?:country|region|location|area)"
            ),
            r"unavailable (?:for|due to) legal reasons",
            r"^451$",
            r"nicht in (?:ihrem|deinem|ihrer) (?:land|region) verfügbar",
            r"(?:pas|non) disponible dans votre (?:pays|région)",
            r"no (?:está )?disponible en (?:tu|su) (?:país|región)",
            r"non (?:è )?disponibile nel tuo paese",
            r"niet beschikbaar in (?:uw|jouw) (?:land|regio)",
            r"недоступ\w+ в вашем регионе",
        ),
        "an ad-blocker wall": (
            r"(?:please )?(?:disable|turn off|switch off|pause|whitelist)\b.{0,30}\bad.?block\w*",
            r"\bad.?block\w*.{0,20}\bdetected",
            r"(?:it looks as if |it looks like |it seems )?you(?:.re| are) using an? ad.?block\w*",
            r"(?:bitte )?(?:werbe|ad)-?blocker (?:bitte )?(?:deaktivieren|ausschalten|erkannt)",
            r"désactiv\w+ .{0,20}bloqueur\w*(?: de pub\w*)?",
            r"bloqueur de pub\w* détecté",
            r"desactiv\w+ .{0,20}bloqueador(?: de anuncios)?",
            r"disattiva .{0,20}ad.?block\w*",
            r"ad.?blocker uit",
        ),
        "an age gate": (
            r"are you (?:over|at least|older than|aged) (?:18|21)(?: years old)?\??",
            r"^age (?:verification|check|gate|restricted)(?: content)?",
            r"you must be (?:18|21|over 18|over 21)(?: or older| years old)?(?: to enter)?",
            r"(?:bist du|sind sie) (?:über|mindestens|schon) (?:16|18)(?: jahre alt)?\??",
            r"altersprüfung",
            r"altersverifikation",
            r"vérification de (?:l.)?âge",
            r"avez-vous (?:plus de )?18 ans ?\??",
            r"verificación de edad",
            r"¿?(?:eres|es usted) mayor de (?:edad|18)\w*(?: años)?\??",
            r"hai più di 18 anni\??",
            r"verifica (?:dell.)?età",
            r"вам (?:уже )?(?:есть|исполнилось) 18(?: лет)?\??",
        ),
        "a browser notice": (
            (
                r"(?:your |this )?(?:web )?browser (?:is |version )*(?:not|no longer|isn.t|out of date|"
                r"outdated)(?: supported)?"
            ),
            r"(?:unsupported|outdated|old) (?:web )?browser",
            r"(?:please )?(?:update|upgrade) your browser",
            r"(?:ihr |dein )?browser wird nicht (?:mehr )?unterstützt",
            r"veralteter browser",
            r"(?:ihr |dein )?browser ist veraltet",
            r"(?:votre )?navigateur (?:n.est (?:pas|plus) (?:compatible|supporté)|(?:est )?obsolète)",
            r"(?:tu |su )?navegador no (?:es |está )?(?:compatible|soportado)",
            r"browser non supportato",
            r"(?:ваш )?браузер (?:устарел|не поддерживается)",
        ),
        "a rate limit": (
            r"^(?:error )?(?:429 ?)?(?:[:-] )?too many requests$",
            r"^rate limit(?:ed)?(?: exceeded)?$",
            r"zu viele anfragen",
            r"trop de requêtes",
            r"demasiadas (?:peticiones|solicitudes)",
            r"troppe richieste",
            r"слишком много запросов",
        ),
        "a placeholder page": (
            r"account (?:has been |is )?suspended",
            r"(?:\S+\.[a-z]{2,}|domain)(?: name)? (?:is |may be |available )*for sale",
            r"buy this domain",
            r"domain steht zum verkauf",
            r"domain (?:is )?parked",
            r"parked domain",
            r"^welcome to nginx",
            r"apache2? (?:\w+ )?default page",
            r"^it works!?$",
            r"^test page for",
            r"^iis windows",
            r"^(?:default|placeholder) (?:web ?site )?page",
            r"future home of",
            r"^(?:(?:our |this |new )*(?:web ?site|site|page) (?:is )?)?(?:coming soon|under construction)!?$",
        ),
        "an error page": (
            r"(?:php )?(?:fatal|parse) error: .*",
            r"uncaught (?:\w+)?(?:exception|error)\b.*",
            r"error establishing a database connection",
            r"^database (?:connection )?error$",
            r"there has been a critical error.*",
            r"^(?:50[0234] ?[:-]? ?)?(?:internal server error|bad gateway|gateway time-?out)$",
            r"^application error",
            r"whitelabel error page",
            r"server error in '/\w*' application",
            r"^(?:sorry,? |oops,? )?something went wrong",
            r"^an? (?:unexpected |unknown )?error (?:has )?occurred",
        ),
    }.items()
}
#: Of what a site says of itself or its reader, of which a short report might have the same heading.
_TO_READER = frozenset({"a maintenance page", "a geo-block", "an ad-blocker wall", "an age gate", "a browser notice"})
_SAID = re.compile(
    r"\b(?:we|our|us|you|your|yes|please|sorry|wir|uns\w*|sie|ihr\w*|bitte|nous|notre|nos|vous|votre|vos|noi|nostr\w|"
    r"tu[aeo]?|nosotros|nuestr\w+|usted|sus?|por favor|nós|nosso\w?|você|wij|onze|ons|je|uw|jouw|vi|vår\w?|du|dig|deg|"
    r"my|nasz\w*|naš\w*|vás|мы|наш\w*|вы|ваш\w*|ми|biz|μας|σας)\b|"
    r"[\u0590-\u06ff\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7af]"
)


def notice_of(page: ShownPage) -> str | None:
    """Say which notice a page is, in words; `None` for a page."""
    if not 200 <= page.status < 300 or page.states_article:
        return None
    found = next(((kind, head) for kind in _NOTICES for head in page.headings if _is_nothing_but(kind, head)), None)
    if found is None:
        return None
    kind, head = found
    if head != page.title and not any(run.startswith(head) for run in page.runs):
        return None
    text = [run for run in page.plain_runs if len(run.encode()) >= _LABEL and run not in page.headings]
    if sum(map(len, text)) > _MOST:
        return None
    return kind if kind not in _TO_READER or _addresses_reader(page) else None


def _is_nothing_but(kind: str, head: str) -> bool:
    share = _WHOLE_HEADING if kind in _TO_READER else _HEADING
    for part in _PARTS.split(head):
        found = _NOTICES[kind].search(part)
        if found is not None and len(found[0]) >= share * len(part):
            return True
    return False


def _addresses_reader(page: ShownPage) -> bool:
    """Whether a heading, or what stands next under it, is said to the reader."""
    runs = page.plain_runs
    at = next((at for at, run in enumerate(runs) if run in page.headings), 0)
    return any(map(_SAID.search, runs[at : at + _NEXT]))
