"""What stands in the place of a page, and pages that resemble it: cookie walls, login walls, paywalls, bot checks."""

from __future__ import annotations

import pytest

from crawler.politeness.block_detection import recognise

URL = "https://www.news.example/2026/11/22/bridge-opens"
PARAGRAPHS = "".join(
    f"<p>{text}</p>"
    for text in (
        "The bridge over the river opened on Monday morning, two years later than the council had once promised.",
        "A few hundred people walked over it before the first bus came, and the school's band played in the rain.",
        "It cost eleven million crowns, of which the county pays the larger part over the next twenty years.",
    )
)
#: Of a banner that many pages carry.
BANNER = (
    "<div class=banner><p>We and our partners use cookies and process personal data such as IP addresses for "
    "advertising "
    "and statistics. You may withdraw your consent at any time.</p><button>Reject all</button><button>Accept "
    "all</button>"
    "</div>"
)
HEAD_FORM = "<form><input name=user><input type=password><button>Log in</button></form>"


def answer(body: str, status: str = "200 OK", kind: str = "text/html; charset=utf-8", charset: str = "utf-8") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\n\r\n".encode() + body.encode(charset)


def page(title: str, body: str, head: str = "") -> str:
    return f"<!doctype html><html><head><title>{title}</title>{head}</head><body>{body}</body></html>"


def judged(body: str, url: str = URL, asked: str | None = None, status: str = "200 OK") -> str | None:
    sign = recognise(answer(body, status), url, asked)
    return sign.reason if sign else None


@pytest.mark.parametrize(
    ("title", "text", "button"),
    [
        ("Your privacy", "We and our partners store cookies on your device and process personal data.", "I agree"),
        ("Zustimmung", "Wir und unsere Partner verwenden Cookies und verarbeiten personenbezogene Daten.", "Zustimmen"),
        ("Votre vie privée et les cookies", "Nous utilisons des cookies avec votre consentement.", "Tout accepter"),
        ("Privacy e cookie", "Noi e i nostri partner usiamo i cookie con il tuo consenso.", "Accetta"),
        ("Cookies y privacidad", "Nosotros y nuestros socios usamos cookies con su consentimiento.", "Aceptar"),
        ("Cookies", "Nós e os nossos parceiros usamos cookies com o seu consentimento.", "Aceitar"),
        ("Privacy Gate", "Wij en onze partners plaatsen cookies na uw toestemming.", "Akkoord"),
        ("Samtykke", "Vi og vores partnere bruger cookies med dit samtykke.", "Acceptér alle"),
        ("Samtycke", "Vi och våra partner använder cookies med ditt samtycke.", "Godkänn alla"),
        ("Evästeet", "Me käytämme evästeitä, ja tarvitsemme sinun suostumuksesi.", "Hyväksy"),
        ("Zgoda", "My i nasi partnerzy używamy plików cookie za Twoją zgodą.", "Zgadzam się"),
        (
            "Souhlas s cookies",
            "My a naši partneři používáme cookies. Dejte nám svůj souhlas, vaše soukromí.",
            "Přijmout vše",
        ),
        ("Соглашение о cookie", "Мы используем файлы cookie с вашего согласия.", "Принять"),
        ("クッキーの同意", "当社はクッキーを使用します。お客様の同意が必要です。", "同意する"),
        ("쿠키 동의", "저희는 쿠키를 사용하며 귀하의 동의가 필요합니다.", "동의"),
        ("隐私设置", "我们使用 cookie 并需要您的同意。", "接受"),
    ],
)
def test_cookie_walls_in_many_languages(title: str, text: str, button: str) -> None:
    assert judged(page(title, f"<h1>{title}</h1><p>{text}</p><button>{button}</button>")) == "a cookie wall"


@pytest.mark.parametrize(
    ("title", "label"),
    [
        ("Log in", "Password"),
        ("Sign in to The Daily Example", "E-mail"),
        ("Anmelden", "Passwort"),
        ("Connexion", "Mot de passe"),
        ("Accedi", "E-mail"),
        ("Iniciar sesión", "Contraseña"),
        ("Inloggen", "Wachtwoord"),
        ("Logga in", "Lösenord"),
        ("Kirjaudu sisään", "Salasana"),
        ("Zaloguj się", "Hasło"),
        ("Přihlášení", "Heslo"),
        ("Bejelentkezés", "Jelszó"),
        ("Вход", "Пароль"),
        ("ログイン", "パスワード"),
        ("로그인", "비밀번호"),
        ("登录", "密码"),
    ],
)
def test_login_walls_in_many_languages(title: str, label: str) -> None:
    form = f"<form><label>{label}</label><input type=password><button>OK</button></form>"
    assert judged(page(title, form)) == "a login wall"
    assert judged(page("The Daily Example", f"<h2>{title}</h2>{form}")) == "a login wall"


@pytest.mark.parametrize(
    ("title", "text"),
    [
        ("news.example", "Please enable JavaScript and cookies to continue"),
        ("Just a second", "Checking your browser before accessing news.example."),
        ("Verify", "Please verify that you are a human to continue."),
        ("Pardon Our Interruption", "Something about your browser made us think you were a bot."),
        ("Sicherheitsprüfung", "Bitte bestätigen Sie, dass Sie kein Roboter sind."),
        ("Vérification", "Confirmez que vous n'êtes pas un robot."),
        ("Verificación", "Confirma que no eres un robot."),
        ("Controllo", "Conferma che non sei un robot."),
        ("Controle", "Bevestig dat u geen robot bent."),
        ("Kontroll", "Bekräfta att du inte är en robot."),
        ("Weryfikacja", "Potwierdź, że nie jesteś robotem."),
        ("Проверка", "Подтвердите, что вы не робот."),
        ("確認", "私はロボットではありません"),
        ("확인", "로봇이 아닙니다"),
        ("安全验证", "请完成验证"),
    ],
)
def test_bot_checks_in_many_languages(title: str, text: str) -> None:
    assert judged(page(title, f"<h1>{text}</h1><div id=box></div><script>go()</script>")) == "a bot check"
    assert judged(page(title, f"<h1>{text}</h1>"), status="403 Forbidden") == "a bot check"


@pytest.mark.parametrize(
    ("body", "url", "reason"),
    [
        # Legal text of any length, and none of it about the news.
        (page("Before you continue", BANNER * 12), "https://consent.portal.example/ml", "consent.portal.example"),
        (
            page("x", BANNER + "<p>Measure how often something was seen, and by whom, and learn from it.</p>" * 8),
            "https://consent.portal.example/v2/collect?id=1",
            "consent.portal.example",
        ),
        (page("x", BANNER), "https://www.news.example/zustimmung?url=%2Fa", "www.news.example"),
        (page("x", "<div id=app></div>"), "https://myprivacy.house.example/consent/?x=1", "myprivacy.house.example"),
    ],
)
def test_redirects_to_consent(body: str, url: str, reason: str) -> None:
    assert judged(body, url, URL) == f"a cookie wall: redirected to {reason}"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (
            page("The Daily Example", f"<h1>We value your privacy</h1>{BANNER}<a href=/imprint>Imprint</a>"),
            "a cookie wall",
        ),
        (
            page(
                "Daily",
                "<h4>Enter the characters you see below, so that we know you are not a robot</h4><input name=c>",
            ),
            "a bot check",
        ),
        (page("Human verification", "<p>Verifying your browser…</p>"), "a bot check"),
        # Walls at the article's own address keep what its head says.
        (
            page("The bridge opens", BANNER, '<meta property="og:type" content="article">'),
            "a cookie wall",
        ),
        (
            page(
                "The bridge opens",
                f"<h2>Sign in to read on</h2>{HEAD_FORM}",
                '<meta property="og:type" content="article">',
            ),
            "a login wall",
        ),
        (
            page(
                "The bridge opens",
                "<h1>The bridge opens</h1><div class='paywall'><p>Subscribe to continue reading: 9 € per month.</p>"
                "<a href=/buy>Subscribe now</a></div>",
                '<script type="application/ld+json">{"@type":"NewsArticle","isAccessibleForFree":false}</script>',
            ),
            "a paywall",
        ),
        (
            page("", "<noscript>Enable JavaScript and cookies to continue</noscript>"),
            "a bot check",
        ),
    ],
)
def test_walls_at_the_address_of_the_article(body: str, kind: str) -> None:
    assert judged(body) == kind


def test_an_address_that_was_asked_for_is_a_wall_only_where_there_is_nothing_else() -> None:
    login = "https://login.news.example/"
    assert judged(page("x", "<div id=app></div>"), login) == "a login wall"
    assert judged(page("The login service", PARAGRAPHS), login) is None
    assert judged(page("x", PARAGRAPHS * 2), "https://www.news.example/politics/identity/a-story", URL) is None
    assert judged(page("x", PARAGRAPHS * 2), "https://www.news.example/auth/a-story", URL) is None


def test_encodings() -> None:
    body = page(
        "Einwilligung für Datenschutz", "<p>Wir und unsere Partner verwenden Cookies.</p><button>Akzeptieren</button>"
    )
    for charset in ("latin-1", "utf-8"):
        sign = recognise(answer(body, kind=f"text/html; charset={charset}", charset=charset), URL)
        assert sign is not None
    body = page(
        "クッキーの同意", "<p>当社はクッキーを使用します。お客様の同意が必要です。</p><button>同意する</button>"
    )
    assert recognise(answer(body, kind="text/html; charset=shift_jis", charset="shift_jis"), URL) is not None


@pytest.mark.parametrize(
    "body",
    [
        page("The bridge opens", BANNER + f"<h1>The bridge opens</h1>{PARAGRAPHS}"),
        page("The bridge opens", HEAD_FORM + f"<h1>The bridge opens</h1>{PARAGRAPHS}"),
        page("The bridge opens", f"<a href=/login>Log in</a><h1>The bridge opens</h1>{PARAGRAPHS}{BANNER}{HEAD_FORM}"),
        page("The bridge opens", f"<article><h1>The bridge opens</h1>{PARAGRAPHS}</article>{BANNER * 4}{HEAD_FORM}"),
        # A captcha for comments.
        page(
            "The bridge opens",
            f"<h1>The bridge opens</h1>{PARAGRAPHS}<form><textarea></textarea><div class=g-recaptcha></div></form>",
            "<script src=https://www.google.com/recaptcha/api.js></script>",
        ),
        page(
            "The bridge opens",
            "<h1>The bridge opens</h1><p>At last the bridge over the river opened, on Monday. The band played in the "
            "rain, "
            "and a few hundred people walked over it before the first bus came, at half past nine.</p>",
            "<script src=https://www.google.com/recaptcha/api.js></script>",
        ),
        # A brief notice with a long banner.
        page(
            "Bridge closed",
            f"{BANNER}<h1>Bridge over the river closed on Sunday</h1><p>The bridge over the river is closed on "
            f"Sunday.</p>",
        ),
        page("Bridge closed", f"{BANNER}<article><h1>Bridge closed</h1><p>Closed on Sunday.</p></article>"),
        # About walls.
        page(
            "New rules for cookies",
            "<h1>New rules for cookies</h1><p>The commission wants new rules for cookies. Sites would have to "
            "respect what "
            "a browser says, and consent banners would be a thing of the past.</p><p>Publishers fear for their "
            "advertising, which depends on consent. A vote on cookies is planned for spring.</p>"
            "<button>Accept</button>",
        ),
        page(
            "How captchas learned to watch us",
            "<h1>How captchas learned to watch us</h1><p>Everybody has clicked on traffic lights to prove to be human. "
            "What began as a test against automated traffic became a business.</p><p>The inventor tells how it came "
            "about, "
            "and why he would not do it again. Machines solve them faster than people do, he says, and has the numbers."
            "</p>",
        ),
        page(
            "I am not a robot, says the robot",
            f"<article><h1>I am not a robot, says the robot</h1>{PARAGRAPHS}</article>",
        ),
        page("Log in or lose out: banks close branches", f"<h1>Log in or lose out</h1>{HEAD_FORM}{PARAGRAPHS}"),
        page("Subscribers leave", f"<div class=paywall></div>{PARAGRAPHS}<p>Subscribe to continue reading.</p>"),
        # The beginning of an article that is paid for is text.
        page(
            "The bridge opens",
            "<article><p>The bridge over the river opened on Monday morning, two years later than "
            "promised.</p></article>"
            "<div class='paywall'><p>Subscribe to continue reading.</p></div>",
        ),
        # Films and pictures have few words.
        page("Film: the bridge", f"<h1>Film: the bridge</h1><video src=a.mp4></video>{BANNER}"),
        page("Pictures", f"<h1>The bridge in pictures</h1><figure><img src=1.jpg></figure>{BANNER}{HEAD_FORM}"),
        # A front page of headlines.
        page(
            "Town News",
            BANNER
            + HEAD_FORM
            + "".join(f"<h2><a href=/{n}>The long bridge of the town opens {n}</a></h2>" for n in range(9)),
        ),
        page("Contact", "<form><input type=email><label>Confirm that you are not a robot</label><input name=c></form>"),
        page("Contact", "<form><input name=n><label>Captcha</label><input name=c></form>"),
        page("Contact", "<form><input type=email><textarea></textarea><div class=h-captcha></div></form>"),
        page(
            "Newsletter", "<p>Get the news each morning.</p><form><input type=email><button>Subscribe</button></form>"
        ),
        page("x", "<div id=root></div><noscript>You need to enable JavaScript to run this app.</noscript>"),
        "",
        "<p>short</p>",
    ],
)
def test_pages_that_stay_pages(body: str) -> None:
    assert judged(body, URL, URL) is None
    assert judged(body, URL + "?moved", URL) is None


@pytest.mark.parametrize("status", ["404 Not Found", "410 Gone", "301 Moved Permanently"])
def test_what_is_not_there_is_no_wall(status: str) -> None:
    assert judged(page("Log in", "<input type=password>"), "https://login.news.example/", URL, status) is None


@pytest.mark.parametrize(
    "part",
    [
        *("<p>", "<", "<noscript>", "<head>", "<title>", "<input ", "&#1;", "<!--", 'class="', "<a href", "verify "),
        *("<noscript>x</noscript>", "<script></script>", '"@type":[ "', "<meta ", "<article", "x" * 30 + "<p>"),
    ],
)
def test_what_is_made_to_take_long_ends(part: str) -> None:
    """Each in a fraction of a second; a pattern that goes back and forth would take minutes."""
    for begin in ("", "<title>Cookie</title><button>accept</button>"):
        recognise(answer(begin + part * (300_000 // len(part))), "https://consent.a.example/", URL)
