"""The words that addresses are made of, on news sites of many languages; all in lower case."""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: Segments that announce an article.
ARTICLES = _words(
    """
    art article articles artikel articolo articoli articulo articulos artigo artigos noticia noticias notizie
    story stories news nyheter nyhed news-story actualite actualites haber haberler aktuell nachrichten meldung
    meldungen post posts read view show detail item content text doc archives blog blogs opinion live-blog
    liveblog press-release wiadomosci artykul clanek uutinen noticia-detalle nota notas a story.html berita
    novosti news-detail newsdetail
    """
)
#: Words of service pages' slugs.
SERVICE = _words(
    """
    privacy datenschutz cookie cookies terms agb impressum imprint contact contacts kontakt contacto about ueber
    uns login newsletter newsletters subscribe abonnieren abo advertise advertising werbung mediadaten
    accessibility barrierefreiheit sitemap help hilfe faq jobs careers karriere conditions policy policies
    disclaimer legal rss podcast podcasts apps widerruf kuendigen netiquette redaktion masthead licensing
    guidelines corrections syndication mentions legales privacidad aviso datenschutzerklaerung
    nutzungsbedingungen privatsphaere cgu cgv subscriptions giftcards epaper e-paper
    """
)
#: Whole names of pages on accounts, terms, privacy, contact and the house; as words of a slug they may be news.
SERVICE_PAGES = _words(
    """
    log-in log-on logon signon sign-on log-out register registration my-account profile about-us aboutus who-we-are
    our-team contact-us contactus terms-of-use terms-of-service terms-and-conditions terms-conditions tos
    privacy-policy privacy-notice privacy-settings cookie-policy cookie-settings cookies-policy do-not-sell
    advertise-with-us work-with-us feedback support customer-service press-office complaints editorial-policy
    ethics code-of-ethics site-map
    registrierung mein-konto passwort ueber-uns kontaktformular datenschutzhinweise cookie-einstellungen
    nutzungsbasierte-werbung privatsphaere-einstellungen leserservice kundenservice inserieren mediadaten
    hilfe-kontakt jugendschutz
    log-ind logind log-ud opret-bruger min-side min-konto mit-abonnement vilkaar vilkår vilkar betingelser
    handelsbetingelser abonnementsvilkaar abonnementsvilkår persondata persondatapolitik privatlivspolitik
    privatliv cookiepolitik cookie-politik om-os om om-avisen kundeservice annoncer annoncering nyhedsbrev
    nyhedsbreve tilmeld bliv-abonnent redaktionen tilgaengelighed tilgængelighed
    logga-in logga-ut registrera mitt-konto villkor anvandarvillkor användarvillkor integritetspolicy
    personuppgifter personuppgiftspolicy cookiepolicy om-oss kontakta-oss kundtjanst kundtjänst annonsera
    nyhetsbrev prenumerera redaktionen
    logg-inn logg-ut registrer min-konto personvern personvernerklaering personvernerklæring
    informasjonskapsler kontakt-oss kundesenter annonsere abonner
    kirjaudu rekisteroidy kayttoehdot käyttöehdot tietosuoja tietosuojaseloste evasteet evästeet yhteystiedot
    ota-yhteytta asiakaspalvelu mainostajille tilaa uutiskirje
    se-connecter connexion deconnexion inscription mon-compte conditions-generales conditions-d-utilisation
    politique-de-confidentialite confidentialite donnees-personnelles charte mentions-legales nous-contacter
    contactez-nous qui-sommes-nous a-propos publicite s-abonner aide
    iniciar-sesion registro registrarse mi-cuenta terminos terminos-y-condiciones condiciones condiciones-de-uso
    aviso-legal aviso-de-privacidad politica-de-privacidad politica-de-cookies contactenos contactar
    quienes-somos acerca-de publicidad suscribete suscripcion suscripciones ayuda boletines
    accedi registrati il-mio-account termini termini-e-condizioni condizioni condizioni-d-uso
    informativa-privacy note-legali contatti contattaci chi-siamo pubblicita abbonati abbonamenti aiuto
    entrar cadastro minha-conta termos termos-de-uso termos-e-condicoes politica-de-privacidade privacidade
    contato fale-conosco contactos quem-somos sobre sobre-nos anuncie assine assinatura ajuda
    inloggen aanmelden registreren mijn-account voorwaarden algemene-voorwaarden gebruiksvoorwaarden
    privacybeleid privacyverklaring cookiebeleid contactformulier over-ons adverteren abonneren klantenservice
    zaloguj zaloguj-sie logowanie rejestracja moje-konto regulamin polityka-prywatnosci polityka-cookies o-nas
    reklama prenumerata pomoc
    giris giris-yap uye-ol hesabim kullanim-kosullari kullanim-sartlari gizlilik gizlilik-politikasi
    cerez-politikasi kvkk iletisim hakkimizda kunye reklam abonelik
    masuk daftar syarat-ketentuan kebijakan-privasi hubungi-kami tentang-kami redaksi pedoman-media-siber
    prijava registracija uvjeti-koristenja uslovi-koriscenja politika-privatnosti pravila-privatnosti o-nama
    impresum
    """
)
#: Ends of addresses that share or print what stands before them, and the pages of its comments.
SHARED = _words(
    """
    facebook twitter whatsapp linkedin email mailto pinterest reddit telegram
    """
)
#: Of these, what has the form of an article's address all the same mostly is one.
WEAK_LISTS = _words(
    """
    topic topics thema themen tema archiv archive archives section sections people page event events static cat
    weather wetter games spiele quiz jobs karriere job forum shop
    """
)
#: Segments after which a list, a person or a service follows.
LISTS = _words(
    """
    tag tags category categories categoria categorias kategorie kategorien categorie cat rubrik author authors
    autor autoren autore auteur auteurs profile profiles profil user users member members search suche buscar
    recherche ricerca zoek login signin sign-in logout register signup sign-up registrieren anmelden account
    accounts konto my-account mypage subscribe subscription subscriptions abo abos abonnement newsletter
    newsletters calendar kalender calendario events event shop store jobs job karriere careers career ads
    anzeigen marketplace widget widgets embed api wp-admin wp-content wp-includes wp-json wp-login.php cgi-bin
    cdn-cgi static assets rss feed feeds sitemap sitemaps comments comment share email-friend sendtofriend forum
    forums help hilfe faq legal cart checkout quiz games spiele horoscope horoskop weather wetter tv-guide
    tv-programm listings obituaries-search contributors contributor staff people tema-liste topic topics thema
    themen tema tópico mot-cle etiqueta etiquetas keyword keywords archiv archive archives page sections section
    """
)
#: Of the lists, those that are sections of a paper where its menu leads to them.
SECTIONS = _words(
    """
    category categories categoria categorias categoría kategorie kategorien kategori rubrik rubrique seccion sección
    sezione cat topic topics thema themen tema section sections
    """
)
#: The same where the name alone says it.
FORM_FLAGS = _words(
    """
    amp print printable isamp printview printfriendly
    """
)
#: Parameters that ask for another form of the same article, with the values that do.
FORM_NAMES = _words(
    """
    outputtype output format view mode type amp print printable action pagewanted service
    """
)
#: Short names that sites use for their own ends too: left out only with a value that is a channel.
CHANNEL_NAMES = _words(
    """
    ref source src srcref via from origin channel
    """
)
#: The same by their whole names.
TRACKING = _words(
    """
    gclid gclsrc dclid gbraid wbraid gad_source gad_campaignid fbclid msclkid yclid ysclid twclid ttclid igshid
    igsh li_fat_id epik tblci dicbo oborigurl ob_click_id rb_clickid wickedid irclickid vmcid mkwid srsltid
    mc_cid mc_eid mc_tc mkt_tok vero_id vero_conv oly_enc_id oly_anon_id elq __s _kx bsft_eid bsft_clkid nlid
    _ga _gl pk_campaign pk_kwd pk_keyword pk_source pk_medium pk_content pk_cid at_medium at_campaign at_link_id
    at_link_type at_link_origin at_format at_ptr_name at_bbc_team xtor xtref xtnp xtcr wt.mc_id wt.mc_ev wt_mc
    wt_zmc s_cid s_kwcid ns_source ns_campaign ns_linkname ns_fee _openstat spm wprov cmp cmpid ico icid ncid
    ocid ito smid smtyp soc_src soc_trk sref sr_share taid ftag guccounter fb_source fb_ref __twitter_impression
    isappinstalled usqp phpsessid jsessionid sessionid session_id cfid cftoken oscsid zenid
    """
)
#: Parameters that hold an address to go on to.
ELSEWHERE = _words(
    """
    redirect redirect_to redirect_uri return returnurl return_to returnto next url u goto dest
    """
)
#: Parameters that do something.
ACTIONS = _words(
    """
    replytocom add-to-cart like_comment unapproved moderation-hash share action_login
    """
)
#: Parameters that sort or filter a list.
SORT_NAMES = _words(
    """
    sort sortby order orderby dir filter filters facet facets sort_by order_by sortorder
    """
)
#: Parameters that number the pages, or the entries, of a list.
PAGE_NAMES = _words(
    """
    page paged pg pagina seite offset start from skip pagenum pageno page_num currentpage
    """
)
#: Parameters of calendars.
CALENDAR_NAMES = _words(
    """
    tribe-bar-date eventdisplay ical month mon monat mes mois year jahr cal calmonth
    """
)
