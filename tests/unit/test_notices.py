"""Notices that are answered with 200 in place of a page, and short articles that have the same words."""

from __future__ import annotations

import pytest

from crawler.politeness.block_detection import RefusalWatch, recognise

URL = "https://town.example/2026/11/bridge"
MENU = "<header><a href=/>Town News</a><nav><a href=/news>News</a><a href=/sport>Sport</a></nav></header>"
MOST_READ = "<h3>Most read</h3><ul>" + "".join(
    f"<li><a href=/{n}>The council opens bridge number {n} over the river at last</a>" for n in range(12)
)
FOOTER = "<footer><p>© 2026 Town News. All rights reserved. Registered in the town.</p></footer>"
BRIEF = "The ferry was out of service on Monday. A spokesman said that it would sail again by noon on Tuesday. "


def answer(title: str, heading: str, text: str, head: str = "", status: str = "200 OK") -> bytes:
    page = (
        f"<!doctype html><html><head><title>{title}</title>{head}</head><body>{MENU}<main><h1>{heading}</h1>"
        f"<p>{text}</p>{MOST_READ}</main>{FOOTER}</body></html>"
    )
    return f"HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\n\r\n".encode() + page.encode()


def judged(title: str, heading: str, text: str, head: str = "", status: str = "200 OK") -> str | None:
    sign = recognise(answer(title, heading, text, head, status), URL)
    return sign.reason if sign else None


@pytest.mark.parametrize(
    ("heading", "text"),
    [
        ("Page not found", "The page that you are looking for may have been moved."),
        ("404", "Try the search above."),
        ("Error 404: page not found", ""),
        ("Sorry, we can't find that page", "It may have been deleted."),
        ("This article is no longer available", "Read what is new on our front page."),
        ("Diese Seite gibt es leider nicht (mehr)", "Vielleicht haben Sie sich vertippt, oder sie wurde gelöscht."),
        ("Seite wurde nicht gefunden", "Bitte nutzen Sie die Suche."),
        ("Page introuvable", "La page que vous cherchez a été déplacée."),
        ("Oups ! Cette page n'existe plus", ""),
        ("Página no encontrada", "El contenido ya no está disponible."),
        ("Página não encontrada", ""),
        ("Pagina non trovata", ""),
        ("Pagina niet gevonden", "Misschien is de pagina verplaatst."),
        ("Sidan kunde inte hittas", ""),
        ("Siden blev ikke fundet", ""),
        ("Sivua ei löytynyt", ""),
        ("Strona nie została znaleziona", ""),
        ("Stránka nebyla nalezena", ""),
        ("Az oldal nem található", ""),
        ("Η σελίδα δεν βρέθηκε", ""),
        ("Страница не найдена", "Возможно, она была удалена."),
        ("Сторінку не знайдено", ""),
        ("Sayfa bulunamadı", ""),
        ("الصفحة غير موجودة", ""),
        ("הדף לא נמצא", ""),
        ("صفحه یافت نشد", ""),
        ("ページが見つかりません", "お探しのページは削除されたか、移動した可能性があります。"),
        ("页面不存在", "您访问的页面可能已被删除。"),
        ("페이지를 찾을 수 없습니다", ""),
    ],
)
def test_there_is_no_such_page(heading: str, text: str) -> None:
    assert judged(f"{heading} | Town News", heading, text) == "a soft 404"
    assert judged("Town News", heading, text) == "a soft 404"


@pytest.mark.parametrize(
    ("heading", "text", "reason"),
    [
        ("Down for maintenance", "We are working on our site and will be back by ten.", "a maintenance page"),
        ("Wartungsarbeiten", "Unsere Seite wird gerade gewartet. Wir sind gleich zurück.", "a maintenance page"),
        ("Site en maintenance", "Nous serons bientôt de retour.", "a maintenance page"),
        ("Ведутся технические работы", "Наш сайт скоро откроется.", "a maintenance page"),
        ("Not available in your region", "Our site cannot be shown where you are.", "a geo-block"),
        ("Please disable your ad blocker", "Our journalism is paid for by advertising.", "an ad-blocker wall"),
        ("Are you over 18?", "Yes, I am. By entering you agree to our terms.", "an age gate"),
        ("Your browser is not supported", "Please update it to see our stories.", "a browser notice"),
        ("Too many requests", "Please wait a while.", "a rate limit"),
        ("This Account has been suspended.", "Contact your hosting provider.", "a placeholder page"),
        ("town.example is for sale", "Make an offer.", "a placeholder page"),
        ("Error establishing a database connection", "", "an error page"),
        ("Internal Server Error", "Something broke.", "an error page"),
    ],
)
def test_there_is_none_now_or_here(heading: str, text: str, reason: str) -> None:
    assert judged(heading, heading, text) == reason


def test_what_a_program_printed_when_it_failed() -> None:
    page = b"<br /><b>Fatal error</b>:  Uncaught PDOException: refused in /var/www/db.php:31<br />"
    sign = recognise(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n" + page, URL)
    assert sign is not None
    assert sign.reason == "an error page"


@pytest.mark.parametrize(
    ("heading", "text", "head"),
    [
        # A heading that is more than the notice, an article of the length of one, a short report, one that says it is.
        ("Page not found: why so much news vanishes from the web within a year", BRIEF, ""),
        ("Page not found", BRIEF * 8, ""),
        ("Ferry down for maintenance", BRIEF, ""),
        ("404 homes without power", BRIEF, ""),
        ("Court bans ad blockers in offices", BRIEF, ""),
        ("Museum site coming soon to the harbour, says mayor", BRIEF, ""),
        ("Too many requests for passports, says minister", BRIEF, ""),
        ("Page not found", BRIEF, '<meta property="og:type" content="article">'),
        ("Page not found", BRIEF, '<script type="application/ld+json">{"@type": "NewsArticle"}</script>'),
    ],
)
def test_a_short_article_stays_one(heading: str, text: str, head: str) -> None:
    assert judged(f"{heading} | Town News", heading, text, head=head) is None


@pytest.mark.parametrize(
    "hidden",
    [
        "<noscript><h1>Your browser is not supported</h1><p>Please update it.</p></noscript>",
        "<template><h1>Page not found</h1></template>",
        "<!-- <h1>Page not found</h1> -->",
        "<div class=error style='display:none'><h1>Page not found</h1></div>",
        "<section hidden><h1>Page not found</h1></section>",
        '<script>error = "<h1>Page not found</h1>"</script>',
    ],
)
def test_what_a_shell_keeps_for_its_scripts_is_no_notice(hidden: str) -> None:
    page = f"<!doctype html><title>Town News</title><body><div id=app></div>{hidden}<script src=/app.js></script>"
    assert recognise(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n" + page.encode(), URL) is None


@pytest.mark.parametrize("text", [bytes(1_000_000), b"a." * 500_000, b"page is " * 130_000, b"<h1>" * 250_000])
def test_a_megabyte_of_nothing_is_looked_at_in_bounds(text: bytes) -> None:
    # A pattern that went over all of it for each of its characters would not come to an end.
    assert recognise(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html><p>" + text, URL) is None


@pytest.mark.parametrize("status", ["404 Not Found", "410 Gone", "503 Service Unavailable", "302 Found"])
def test_a_status_that_says_so_needs_no_words(status: str) -> None:
    assert judged("Page not found", "Page not found", "", status=status) is None


def test_a_page_that_is_not_there_is_nobodys_refusal() -> None:
    watch = RefusalWatch(limit=2, window=4)
    gone, away = answer("x", "Page not found", ""), answer("x", "Down for maintenance", "We will be back soon.")
    assert [watch.note(gone, recognise(gone, URL)) for _ in range(4)] == [None] * 4
    assert watch.note(away, recognise(away, URL)) is None
    assert watch.note(away, recognise(away, URL)) is not None
