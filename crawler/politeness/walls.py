"""What a site shows in place of its page: a cookie wall, a login wall, a paywall, a check for bots.

An article page carries the same things beside its text: a cookie banner, a login form in its head, a captcha at its
comments; and there are articles about all of them. So structure decides: there is hardly any text that is about
something else, and where words are needed, they are those of titles and buttons in the languages of the news.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from crawler.politeness.shown_page import ShownPage

#: Characters of text about something else that a wall may have: a slogan, a company's address.
_OWN_MAX = 160
#: Runs of text that are shorter are labels and links.
_RUN_MIN = 25
#: Links that a wall may have: imprint, terms, help, languages. A page of the site has its menus.
_LINKS_MAX = 40
#: … and a check for bots, and its characters.
_LINKS_OF_CHECKS, _CHECK_MAX = 8, 700
#: Characters of the label of a button.
_LABEL_MAX = 60
#: Characters that a wall may have; those of cookies tell of a dozen purposes.
_TEXT_MAX = 12_000

_COOKIE = re.compile(
    r"on (?:a|your) device|purposes|preferences|withdraw|content (?:measurement|performance)|third.part|"
    r"cookie|consent|einwillig|zustimm|datenschutz|privacy|privatsphäre|personenbezogen|personal(?:i[sz]ed)? (?:data|"
    r"ad)|"
    r"\bpartner|advertis|werbung|tracking|tracker|traceurs|\bgdpr|\brgpd|\bdsgvo|\bavg\b|legitimate interest|vendors|"
    r"confidentialit|publicité|consenso|riservatezza|pubblicit|consentimi?ento|privacidad|publicidad|"
    r"toestemming|persoonsgegevens|advertenti|samtyk|samtycke|personuppgift|informasjonskapsl|annons|suostum|eväst|"
    r"zgod[ayę]|ciasteczk|prywatno|souhlas|soukrom|súhlas|hozzájárul|sütik?\b|consimț|συγκατάθεσ|απορρήτου|"
    r"согласи|куки|конфиденциальн|クッキー|同意|プライバシー|쿠키|동의|개인정보|隐私|隱私|设备标识"
)
_COOKIE_TITLE = re.compile(
    r"cookie|consent|einwillig|zustimm|datenschutz|privacy|privatsphäre|before you continue|avant d.accéder|"
    r"bevor sie fortfahren|confidentialit|consenso|toestemming|samtyk|samtycke|suostum|eväst|zgod[ayę]|prywatno|"
    r"souhlas|hozzájárul|consimț|συγκατάθεσ|согласи|クッキー|同意|プライバシー|쿠키|동의|隐私|隱私|"
    r"mit werbung|pur-abo|werbung und tracking|avec (?:la )?publicité|con (?:la )?(?:publicidad|pubblicità)|with ads"
)
#: To the reader, or of oneself.
_YOU = re.compile(
    r"\b(?:we|our|us|you|your|wir|uns(?:er\w*)?|sie|ihr\w*|nous|notre|nos|vous|votre|vos|noi|nostr\w|tu[oae]?i?|"
    r"vostr\w|nosotros|nuestr\w+|usted|sus?|tus|nós|nosso\w?|você|seus?|wij|onze|ons|je|uw|jouw|vi|vår\w?|vore?s?|du|"
    r"di[nt]e?|"
    r"dina|deres|me|meidän|sinun|tietojasi|my|nasz\w*|nasi|two\w+|ciebie|państw\w*|naš\w*|vaš\w*|vám|mi|önnek|ön|"
    r"noastr\w|dumneavoastră|μας|σας|мы|наш\w*|вы|ваш\w*)\b|"
    r"当社|当サイト|お客様|あなた|弊社|我们|我們|您|당사|귀하|저희|본 사이트"
)
_ACCEPT = re.compile(
    r"\bok\b|got it|erlaub|autoris|consenti|toestaan|tillåt|\bsalli|zezw|povolit|enged|"
    r"accept|agree|allow all|consent|akzeptier|zustimm|einverstanden|accett|acept|aceit|akkoord|godkänn|godta|godkend|"
    r"tillad|hyväksy|akcept|zgadzam|přijm|souhlas|súhlas|elfogad|αποδοχή|αποδέχ|принять|соглас|同意|承諾|許可|동의|수락|接受"
)
_LOGIN = re.compile(
    r"\blog ?[io]n\b|\bsign ?in\b|\bregister\b|create (?:a free|an|your) account|anmeld|einlogg|registrier|connexion|"
    r"se connecter|connectez|s.identifier|identifiez|accedi\b|accesso|iniciar? sesi|inicia sesi|iniciar sess|"
    r"\bentrar\b|"
    r"inlogg|aanmeld|\blogga in|\blogg inn|\blog ind\b|kirjaudu|zaloguj|logowan|přihlá|prihlás|bejelentkez|"
    r"autentific|conectare|σύνδεσ|войти|\bвход\b|авториз|ログイン|サインイン|로그인|登录|登錄|登入"
)
_LOGIN_LABEL = re.compile(
    r"passwor|passwort|kennwort|mot de passe|contrase|senha|palavra-passe|wachtwoord|lösenord|passord|adgangskode|"
    r"salasana|hasło|heslo|jelszó|parol|κωδικό|пароль|パスワード|비밀번호|密码|密碼|e-?mail|user ?name|benutzer|forgot|"
    r"vergessen|oublié|olvid|vergeten|glömt|glemt|remember me"
)
_BOT = re.compile(
    r"human verification|verify(?:ing)? your (?:browser|connection)|bot (?:check|detection|protection)|"
    r"characters you see|"
    r"enable javascript and cookies|javascript and cookies (?:enabled|to continue)|"
    r"(?:verify|confirm|prove|check)[a-z ,']{0,30}(?:human|not a (?:ro)?bot)|are you (?:a )?(?:human|robot)|"
    r"(?:not|am i) a robot|checking (?:if the site connection|your browser)|unusual (?:traffic|activity)|"
    r"automated (?:access|queries|requests|traffic)|complete the (?:security check|captcha|challenge)|"
    r"you (?:are|were|might be) a (?:ro)?bot|security of your connection|pardon our interruption|"
    r"access to this page has been denied|ddos protection|security (?:check|verification)|"
    r"one more step|press (?:&|and) hold|captcha|(?:kein|nicht ein) roboter|ein mensch sind|sicherheits(?:prüf|"
    r"überprüf|abfrage)|"
    r"pas un robot|êtes (?:bien )?un humain|vérification de sécurité|(?:no|não) (?:eres|soy|es|é) un[m]? robot|"
    r"é um robô|verificación de seguridad|verificação de segurança|(?:non sei|non sono) un robot|verifica di sicurezza|"
    r"geen robot|een mens bent|(?:inte|ikke) (?:är |er )?en robot|et menneske|är människa|ole robotti|"
    r"nie jesteś robotem|jesteś człowiekiem|nejste robot|nem robot|nu ești (?:un )?robot|δεν είστε ρομπότ|"
    r"не робот|вы человек|ロボットではな|ロボットでは(?:ありません|ない)|人間であること|로봇이 아[닙니님]|사람인지|"
    r"不是机器人|不是機器人|人机验证|安全验证|安全驗證|真人验证"
)
_PAY = re.compile(
    r"subscri|abonn|\babo\b|suscri|abbonat|assin(?:e|ante)|prenumer|tilaa|tilaaj|subskryp|prenumerat|předplat|predplat|"
    r"előfizet|abonament|συνδρομ|подпис|購読|有料会員|会員限定|구독|유료|订阅|訂閱|付费|"
    r"to (?:continue|keep) reading|weiterlesen|"
    r"lire la suite|continua a leggere|seguir leyendo|verder lezen|for (?:€|£|\$|kr)|per month|/month|pro monat|"
    r"par mois"
)
_PAYWALL = re.compile(
    rb"isAccessibleForFree[\"']?\s*:\s*[\"']?false|(?:class|id)\s*=\s*[\"'][^\"'<>]{0,200}(?:paywall|regwall|pay-wall)",
    re.I,
)
_BUTTON = re.compile(
    rb"<button\b|<input\b[^<>]{0,300}\btype\s*=\s*[\"']?(?:submit|button)|role\s*=\s*[\"']?button|"
    rb"class\s*=\s*[\"'][^\"'<>]{0,200}(?:btn|button)",
    re.I,
)

#: Names of hosts and parts of paths where one logs in or agrees to something.
_ADDRESSES: Mapping[str, str] = {
    **dict.fromkeys(
        (
            *("login", "log-in", "logon", "signin", "sign-in", "sign_in", "sso", "auth", "authenticate", "accounts"),
            *("identity", "connexion", "anmelden", "einloggen", "inloggen", "oauth", "oauth2", "registrieren"),
        ),
        "a login wall",
    ),
    **dict.fromkeys(
        (
            *("consent", "cookie-consent", "cookieconsent", "cookiewall", "cookie-wall", "cookies-wall", "cmp"),
            *("privacy-gate", "privacygate", "myprivacy", "zustimmung", "einwilligung", "collectconsent", "consent-a-"),
            *("consent-management", "consentpage", "consent-page", "accept-cookies", "acceptcookies", "toestemming"),
        ),
        "a cookie wall",
    ),
}
_SECTIONS = {"identity", "auth", "accounts", "cmp"}


def wall_of(page: ShownPage, url: str, asked: str | None) -> str | None:
    """Say which wall a page is, in words; `None` for a page.

    By where redirects from `asked` led, and by what it shows.
    """
    if 300 <= page.status < 400 or page.status in (404, 410) or page.is_large:
        return None
    kind = _address(url)
    if kind is not None and asked is not None and _address(asked) is None and _has_no_text(page):
        return f"{kind}: redirected to {urlsplit(url).netloc}"
    for name, shows in _WALLS.items():
        if shows(page):
            return name
    return (
        kind
        if kind is not None and asked is None and page.is_bare and _own(page, _LOGIN, _LOGIN_LABEL) < _RUN_MIN
        else None
    )


def has_little_of_its_own(page: ShownPage) -> bool:
    """Whether all that a page says is about being checked."""
    return _own(page, _BOT, _COOKIE) < _OWN_MAX


def _address(url: str) -> str | None:
    """Which wall an address is, by the name of its host and the parts of its path."""
    try:
        parts = urlsplit(url.lower())
    except ValueError:
        return None
    # A section of a paper may be called so, a host not.
    path = [name for name in parts.path.split("/") if name not in _SECTIONS]
    names = [(parts.hostname or "").partition(".")[0], *path]
    return next((_ADDRESSES[name] for each in names if (name := each.partition(".")[0]) in _ADDRESSES), None)


def _has_no_text(page: ShownPage) -> bool:
    """Whether there is no article, at an address where one agrees or logs in."""
    if page.says_article and not page.is_little:
        return False
    if _own(page, _COOKIE, _ACCEPT, _LOGIN, _LOGIN_LABEL) < 3 * _OWN_MAX:
        return True
    # What a site may do with our data is long, and not each sentence of it names data.
    return not page.says_article and 6 * sum(len(run) for run in page.runs if _COOKIE.search(run)) >= sum(
        map(len, page.runs)
    )


def _own(page: ShownPage, *about: re.Pattern[str]) -> int:
    """Characters of the text that is about something else, its title left out."""
    heading = page.title
    return sum(
        # In bytes: a sentence of Chinese has a third of the letters.
        len(run.encode())
        for run in page.runs
        if len(run.encode()) >= _RUN_MIN and run not in heading and not any(words.search(run) for words in about)
    )


def _says(page: ShownPage, words: re.Pattern[str]) -> bool:
    """Whether title or heading say so: what a page begins with."""
    return any(words.search(run) for run in (page.title, *page.runs[:3]) if len(run) <= 200)


def _is_shown(page: ShownPage) -> bool:
    """Whether something of a page is there that is no text, or its menus."""
    return page.links > _LINKS_MAX or page.has_article_element or page.has_media


def _cookie(page: ShownPage) -> bool:
    if _is_shown(page) or not _BUTTON.search(page.content):
        return False
    text = sum(map(len, page.runs))
    about = [run for run in page.runs if _COOKIE.search(run)]
    if text > _TEXT_MAX or sum(map(len, about)) * 2 < text or not _addresses_reader(about):
        return False
    if not any(_ACCEPT.search(run) for run in page.runs if len(run) <= _LABEL_MAX):
        return False
    own, title = _own(page, _COOKIE, _ACCEPT, _LOGIN, _PAY), _COOKIE_TITLE.search(page.title)
    if page.says_article:
        # Of what the head tells nothing is there. An article about cookies has them in its title, too.
        return title is None and own == 0 and not any(_is_heading(run) for run in page.runs)
    return own < _OWN_MAX and (title is not None or (own < 2 * _RUN_MIN and _says(page, _COOKIE_TITLE)))


def _addresses_reader(runs: list[str]) -> bool:
    """Whether sentences are said to the reader, and do not report."""
    sentences = [run for run in runs if len(run) > _LABEL_MAX] or sorted(runs, key=len)[-1:]
    return 2 * sum(_YOU.search(run) is not None for run in sentences) >= max(1, len(sentences))


def _is_heading(run: str) -> bool:
    """Whether a run is a title of its own, and no label."""
    return len(run) >= _RUN_MIN and not any(words.search(run) for words in (_COOKIE, _ACCEPT, _LOGIN, _PAY))


def _login(page: ShownPage) -> bool:
    if _is_shown(page) or not page.is_little:
        return False
    own = _own(page, _LOGIN, _LOGIN_LABEL, _COOKIE)
    if page.says_article:
        return own == 0 and page.asks_password and _says(page, _LOGIN)
    if page.asks_password:
        return own < _OWN_MAX and (
            _LOGIN.search(page.title) is not None or (own < 2 * _RUN_MIN and _says(page, _LOGIN))
        )
    # The first step of some asks for a name only.
    return page.has_fields and own < _RUN_MIN and _LOGIN.search(page.title) is not None and _says_login_label(page)


def _says_login_label(page: ShownPage) -> bool:
    return any(_LOGIN_LABEL.search(run) for run in page.runs if len(run) <= _LABEL_MAX)


def _bot(page: ShownPage) -> bool:
    # Links first, here and below: nearly all pages have enough of them near their beginning.
    if page.links > _LINKS_OF_CHECKS or page.has_media or page.says_article or page.asks_reader:
        return False
    if not page.runs:
        return _BOT.search(page.noscript) is not None
    if sum(map(len, page.runs)) > _CHECK_MAX or max(map(len, page.runs)) > 2 * _OWN_MAX:
        return False
    own = _own(page, _BOT, _COOKIE)
    # A report of such checks does not speak to its reader.
    asks = any(_BOT.search(run) and _YOU.search(run) for run in page.runs if run not in page.title)
    if page.has_fields and not asks:
        return False
    return _says(page, _BOT) and own < (_OWN_MAX if asks else _OWN_MAX // 3)


def _pay(page: ShownPage) -> bool:
    if page.links > _LINKS_MAX or page.has_media or not page.is_little or not _PAYWALL.search(page.content):
        return False
    paid = any(_PAY.search(run) for run in page.runs)
    return paid and _own(page, _PAY, _LOGIN, _LOGIN_LABEL, _COOKIE) < _RUN_MIN


_WALLS: Mapping[str, Callable[[ShownPage], bool]] = {
    "a bot check": _bot,
    "a login wall": _login,
    "a cookie wall": _cookie,
    "a paywall": _pay,
}
