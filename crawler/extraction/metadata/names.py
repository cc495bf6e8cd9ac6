"""Names out of bylines: "By Jane Doe and John Roe, Berlin (dpa)" and what content systems make of it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from crawler.extraction.metadata.html_metadata import letters_of
from crawler.html.month_names import month_of

#: What was done with a text by whoever is named next, or on the day that is.
_DONE = (
    r"(?:story|text|words|written|reported|posted|published|article|review|report|analysis|opinion|edited|compiled"
    r"|produced|interview|photos?|photographs|illustrations?|submitted|created|added|updated|last updated"
    r"|veröffentlicht|erstellt|geschrieben|verfasst|gepostet|eingestellt|aktualisiert|publiée?|écrite?|rédigée?|posté"
    r"|publicad[oa]|escrit[oa]|redactad[oa]|actualizado|atualizado|enviado|pubblicato|scritto|inserito|aggiornato"
    r"|geplaatst|geschreven|gepubliceerd|bijgewerkt|skrevet|publiceret|opdateret|publicerad|skriven|publisert|oppdatert"
    r"|opublikowan[eoy]|napisan[eya]|dodan[eoy]|опубликован[оа]?|написан[оа]?|ditulis|diterbitkan|publicat|scris"
    r"|publikováno|zveřejněno|vloženo|objavio|objavljeno|δημοσιεύτηκε)"
)
_BY = re.compile(
    rf"^(?:(?:{_DONE} )?by|from the|"
    r"(?:ein(?:e)? \w+ |text |beitrag )?von|vom|par|por|di|da|de\s*:|av|af|door|przez|"
    rf"{_DONE} (?:von|par|por|da|di|de|door|av|af|przez|автором|oleh|από)|"
    r"(?:作者|记者|記者|撰文|글|كتبت?|بقلم|נכתב על ידי|מאת|نویسنده|به قلم|โดย|लेखक|লেখক)\s*[:：]|بقلم(?=\s)|מאת(?=\s)|"
    r"autor(?:in|en|innen|a|e|es|i|ka|em)?|auteurs?|authors?|text|texte|texto|tekst|foto|writers?|reporters?|editors?|"
    r"penulis|oleh|yazar|yazan|editör|автор(?:ом)?|текст|opracowanie|forfatter|skribent|kirjoittanut|szerző|írta|"
    r"napsala?|napisała?|από|bài và ảnh|文|記者|记者|作者|责编|編集|责任编辑|작성자)"
    r"(?:\s*[:：/|]\s*|\s+(?=\S))(?:/\s*autor\s+)?",
    re.IGNORECASE,
)
_DONE_WORD = re.compile(rf"{_DONE}:?", re.IGNORECASE)
# Who made the pictures or the translation; with "text" behind it ("Photos and text by …") the writer as well.
_BESIDE_THE_TEXT = re.compile(
    r"^\W*(?:photos?|photograph(?:s|y|er)?|photographies?|fotos?|fotograf(?:ie|ia|ía|i|o|en)?|images?|imagen|imagem|pictures?"
    r"|bild(?:er)?"
    r"|illustrat(?:ions?|ed|or)|illustrationen|ilustraci[oó]n|ilustração|illustrazione|grafik|(?:info)?graphics?|video"
    r"|film(?:ed)?"
    r"|cr[ée]dits?|cr[ée]dito|credito|zdjęci[ea]|kuvat?|fotó|фото(?:граф)?|иллюстрации|写真|图片|摄影|撮影|사진"
    r"|translat(?:ed|ion|or)|übersetz(?:t|ung)|aus dem \w+ von|traduit\w*|traduction|traduc(?:ido|ción)|traduzid[oa]"
    r"|tradução"
    r"|tradotto|traduzione|vertaald|vertaling|oversat|oversættelse|översatt|översättning|przekład|tłum(?:aczenie|\.)|перевод"
    r"|翻译|翻訳)"
    r"(?![^\W_])(?!.{0,40}\b(?:text|words|story|texte|texto|testo|tekst|reportage)\b)",
    re.IGNORECASE,
)
_ROLE = re.compile(
    r"\b(?:editor|correspondent|reporter|writer|columnist|journalist|contributor|producer|photographer|"
    r"redakteur(?:in)?|korrespondent(?:in)?|chefredakteur(?:in)?|autorin|ressortleit(?:er|erin)|volontär(?:in)?|"
    r"journaliste|rédact(?:eur|rice)|envoyée? spéciale?|redact(?:or|ora)|periodista|corresponsal|giornalista|"
    r"inviat[oa]|journalistin|reporterin|redaktør|redaktör|dziennikarz|jurnalis|wartawan|muhabir|корреспондент)\b",
    re.IGNORECASE,
)
_SPLIT = re.compile(r"\s*(?:[;|•·、，]|\s/\s|,(?!\s*(?:Jr|Sr|MD|M\.D|Ph\.?D|Dr|II|III)\b)|\s[-–—]\s)\s*")
_AND = re.compile(r"\s+(?:and|und|et|y|e|og|och|ja|en|i|ve|dan|и|та|и|&|\+|mit|with|con|avec)\s+|/", re.IGNORECASE)
_BRACKETS = re.compile(r"\s*[(\[（【][^)\]）】]*[)\]）】]\s*")
_NO_PERSON = re.compile(
    r"[\d?!:%$€£\"„“”»«#…]|\b(?:scholar|pubmed|twitter|facebook|instagram|linkedin|whatsapp)\b", re.IGNORECASE
)
_HAN_NAME = re.compile(r"[\u3400-\u9fff]{2,4}|[\uac00-\ud7a3]{2,4}")
_MAIL = re.compile(r"\s[(<]?[\w.+-]*@[\w.-]+[)>]?(?=[\s,;|]|$)")
_KOREAN = re.compile(r"\W*(?:[\w ]{1,12}=\s*)?([\uac00-\ud7a3]{2,4})\s?(?:선임)?(?:기자|특파원)(?![\uac00-\ud7a3])")
_HAN_NAMES = re.compile(r"[\u3400-\u9fff]{2,4}(?:\s+[\u3400-\u9fff]{2,4})*")
_REPORTER = re.compile(r"^(?:本报|本刊|本网|新华社)?(?:记者|見習記者|见习记者|实习生)\s+")
_ADDRESS = re.compile(r"https?:|//|^[a-z0-9]+(?:[-_][a-z0-9]+)+$")
_NOT_NAME = re.compile(
    r"https?:|www\.|//|@|\d{3,}|[<>{}=]|^\W*$|\b(?:null|undefined|none|admin|administrator|unknown|no author|n/a|"
    r"webmaster|developer|getty|reuters pictures)\b",
    re.IGNORECASE,
)
# Words of buttons, headings and notices in capitals, which are in nobody's name.
_BOILERPLATE = re.compile(
    r"\b(?:the|your|our|all|more|about|related|view|e-?mail|follow|share|posted|updated|published|contact|subscribe|this"
    r"|that|how|why|what|when|for|with|features?|facts?|links?|posts?|profile|sections?|articles?|photos?|videos?|gallery"
    r"|advertis\w*|sponsored|comments?|newsletter|click|today|yesterday|paid|tips|terms|services?|breaking|exclusive|live"
    r"|mehr|alle|weitere|anzeige|lire|voir|leer|leggi|scopri|czytaj|więcej|читать|подробнее|ещё)\b",
    re.IGNORECASE,
)
# "Ann Berg on November 18", "Ann Berg Published 18.11.".
_NUMBERS = re.compile(r"\d{1,4}[.:/年-]\d")
_BEFORE_DATE = re.compile(
    r"(?:\s+(?:on|at|am|um|den|le|el|il|em|op|published|posted|updated|[-–—|·•]))+$", re.IGNORECASE
)
_ORGANISATION = re.compile(
    r"(?:\.(?:com|de|net|org|no|at|ch|fr|it|es|pl|se|dk|co|uk|tv|info|nl)\b|"
    r"\b(?:news|media|press|presse|agenc(?:y|ies)|agentur|agence|agencia|redaktion|redaction|rédaction|redacción|"
    r"redazione|redakcja|team|staff|online|zeitung|times|post|magazine|magazin|network|group|desk|newsroom|tv|radio|"
    r"report(?:ers)?|editorial|journal|herald|tribune|guardian|ajansı|haber|dpa|afp|ap|sid|apa|sda|ansa|efe|epd|kna|"
    r"reuters|bloomberg|tass|pap|ritzau|ntb|tt)\b)",
    re.IGNORECASE,
)


def people(texts: Iterable[str]) -> tuple[str, ...]:
    """Return the names in some credits, in order, each once.

    No "By", no role, no place in brackets, no address; "A, B and C" is three names. An agency or a newsroom that is
    credited is a name here too: see `is_organisation`.
    """
    names: dict[str, str] = {}
    for credit in texts:
        for name in _names(credit):
            names.setdefault(name.casefold(), name)
    return tuple(names.values())


def is_organisation(name: str, own: Iterable[str] = ()) -> bool:
    """Whether a name is a newsroom, an agency or the site itself (`own`: its names) and not a person."""
    if _ORGANISATION.search(name) or is_own(name, own):
        return True
    # "Example News with agencies".
    return any(len(other) > 3 and other.casefold() in name.casefold().split() for other in own)


def is_own(name: str, own: Iterable[str]) -> bool:
    """Whether a name is one of the site's own names."""
    return any(same_name(name, other) for other in own if other)


def has_case(name: str) -> bool:
    """Whether a name is in a script with capitals, which tell a name from another word."""
    return name.lower() != name.upper()


def is_only_names(line: str, found: Iterable[str]) -> bool:
    """Whether a line holds nothing but these names and what joins them."""
    return sum(len(letters_of(name)) for name in found) >= 0.8 * len(letters_of(line))


def same_name(one: str, other: str) -> bool:
    """Whether two names are the same but for case, spaces, hyphens and points."""
    return letters_of(one) == letters_of(other)


def persons(texts: Iterable[str], own: Iterable[str] = ()) -> tuple[str, ...]:
    """Return the names in some credits that look like a person's: two to five words, none of an organisation."""
    own = list(own)
    return tuple(name for name in people(texts) if _is_person(name) and not is_organisation(name, own))


def says_by(text: str) -> bool:
    """Whether a line says that a name follows: "By …", "Von …"."""
    return _BY.match(text.strip() + " x") is not None


def korean_reporter(line: str) -> str | None:
    """Return the name in a line that a Korean report ends with: "오민석 기자 oms@example.org"."""
    match = _KOREAN.match(line)
    return match[1] if match else None


def is_beside_the_text(text: str) -> bool:
    """Whether a credit is that of pictures or of a translation: "Photo by …"."""
    return _BESIDE_THE_TEXT.match(text) is not None


def is_done(word: str) -> bool:
    """Whether a word says what was done with a text: "Published", "Aktualisiert:"."""
    return _DONE_WORD.fullmatch(word) is not None


def parts(credit: str) -> list[str]:
    """Return what stands in a credit between its commas, strokes and points: "Ann Berg", "5 min read"."""
    return [part for part in _SPLIT.split(credit) if part]


def _is_person(name: str) -> bool:
    words = name.split()
    if _NO_PERSON.search(name) or _BOILERPLATE.search(name) or is_organisation(name):
        return False
    if not any(character.isupper() or character.islower() for character in name):
        # Scripts without capitals: a few Chinese characters, two words and more of others.
        return _HAN_NAME.fullmatch(name) is not None or 2 <= len(words) <= 5
    # Only particles are written small: "de la", "van der", "bin".
    small = [word for word in words if word[:1].islower()]
    ends = not words[0][:1].islower() and not words[-1][:1].islower()
    if all(len(word) == 1 for word in words):
        # "A A A": buttons for the size of letters.
        return False
    return 2 <= len(words) <= 5 and ends and all(len(word) <= 3 for word in small)


def _names(credit: str) -> Iterable[str]:
    if _ADDRESS.search(credit):
        return
    credit = _MAIL.sub("", _BRACKETS.sub(" ", " ".join(credit.split())))
    if len(credit) > 300:
        return
    for part in _SPLIT.split(_BY.sub("", credit.strip())):
        for piece in _conjoined(part):
            name = _without_date(_BY.sub("", piece)).strip(" \t.,:;|/-–—*'\"∙•·")
            if (
                name
                and len(name) <= 60
                and len(name.split()) <= 7
                and not _NOT_NAME.search(name)
                and not _is_role(name)
            ):
                yield name


def _without_date(name: str) -> str:
    """A name up to a date behind it; a month alone may be somebody's: "April Jones"."""
    words = name.split()
    number = next((at for at, word in enumerate(words) if word[0].isdigit()), 0)
    if not number:
        return name
    if month_of(words[number - 1]):
        number -= 1
    elif not (_NUMBERS.match(words[number]) or (number + 1 < len(words) and month_of(words[number + 1]))):
        return name
    return _BEFORE_DATE.sub("", " ".join(words[:number]))


def _conjoined(part: str) -> list[str]:
    """The names in "A and B" or "A/B", where each is a whole name ("Ortega y Gasset" is one), or in "记者 张羽"."""
    if _HAN_NAMES.fullmatch(han := _REPORTER.sub("", part)):
        return han.split()
    pieces = _AND.split(part)
    whole = all(len(piece.split()) > 1 for piece in pieces)
    return pieces if whole else [part]


def _is_role(name: str) -> bool:
    return _ROLE.search(name) is not None
