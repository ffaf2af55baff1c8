"""Texts that would like to be code: in a real site, opened in Chromium with and without the pages' own policy."""

from __future__ import annotations

import html
import json
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Browser, Page, Request, Route, sync_playwright

from tests.browser.checks import chromium, unfold
from tests.campaign import Campaign, Result, Tally
from tests.runs import run

AWAY = "https://away.example/"
SCRIPTS: tuple[str, ...] = (
    "<script>window.ran=1</script>",
    "</script><script>window.ran=1</script>",
    "</title></style></textarea><script>window.ran=1</script>",
    f"<script src={AWAY}a.js></script>",
    "<img src=x onerror=window.ran=1>",
    f"<img src={AWAY}a.png>",
    '"><img src=x onerror=window.ran=1>',
    "' onmouseover='window.ran=1' autofocus onfocus='window.ran=1' x='",
    '" onmouseover="window.ran=1" autofocus onfocus="window.ran=1" x="',
    "<svg onload=window.ran=1><script>window.ran=1</script></svg>",
    "<svg><a href='javascript:window.ran=1'><text y=20>x</text></a></svg>",
    f"<svg><image href={AWAY}a.png /><use href={AWAY}a.svg#a /></svg>",
    "<svg><animate onbegin=window.ran=1 attributeName=x dur=1s>",
    "<math href='javascript:window.ran=1'>x</math>",
    f"<iframe src={AWAY}></iframe><iframe srcdoc='<script>top.ran=1</script>'></iframe>",
    f"<object data={AWAY}></object><embed src={AWAY}>",
    f"<video src={AWAY}a.mp4 autoplay onerror=window.ran=1></video>",
    f"<style>@import url({AWAY}a.css); body{{background:url({AWAY}b.png)}}</style>",
    f"<p style='background:url({AWAY}c.png)'>x</p>",
    f"<link rel=stylesheet href={AWAY}d.css><link rel=prefetch href={AWAY}e>",
    f"<base href={AWAY}>",
    f"<form action={AWAY}><button autofocus>x</button></form>",
    "<details open ontoggle=window.ran=1>x</details>",
    "<body onload=window.ran=1>",
    "<!--><script>window.ran=1</script>-->",
    "<a href=javascript:window.ran=1>x</a>",
    "<template shadowrootmode=open><script>window.ran=1</script></template>",
    f"<meta http-equiv='Content-Security-Policy' content=\"default-src *\"><script src={AWAY}f.js></script>",
)
"""Markup that runs or asks for something where a page takes it as markup."""
REFRESH = f"<meta http-equiv=refresh content='0;url={AWAY}'>"
MARKDOWN: tuple[str, ...] = (
    "[x](javascript:window.ran=1)",
    "[x](JaVaScRiPt:window.ran=1)",
    "[x](&#106;avascript:window.ran=1)",
    "[x](java&#10;script:window.ran=1)",
    "[x](data:text/html,<script>window.ran=1</script>)",
    "[x](vbscript:window.ran=1)",
    "[x](blob:window.ran=1)",
    f"[x](//{AWAY[8:]})",
    "<javascript:window.ran=1>",
    f"![x]({AWAY}g.png)",
    "[x][a]\n\n[a]: javascript:window.ran=1",
    "[x](https://example.org\"onmouseover=window.ran=1 'a')",
    '[x](https://example.org "a\\" onmouseover=\\"window.ran=1")',
    "```<script>window.ran=1</script>\n<script>window.ran=1</script>\n```",
)
"""Links and pictures that a reader of Markdown might let through."""
TEMPLATES: tuple[str, ...] = (
    "{% for a in b %}",
    "{{ 7 * 191 }}",
    "{{ unit.__class__ }}",
    "{{ unit['label'] }}",
    "{{ unit.label.upper() }}",
    "{{ unit.label | upper }}",
    "{{ unit.label|safe }}",
    "{{ lipsum.__globals__.os }}",
    "{{ config }}",
    "{{ self }}",
    "{{ unit.reached.__init__ }}",
    "{{ unit.reached | tojson }}",
    "{{ '%s' % unit }}",
    "{{ range(9) }}",
    "{{ unit..reached }}",
    "{{ unit.reached; }}",
    "{{ unit.reached:>9999999999 }}",
    "{{ unit.reached!r }}",
)
"""What template languages would work out; in a hypothesis, which knows `{{ name }}` alone, errors after the first."""
TURNS = "\u202a\u202b\u202d\u202e\u2066\u2067\u2068"
"""Marks that turn the reading direction of what comes after them, figures included."""

_LABELS = "labels.txt"
_UNIT = "{layer: fire2/squeeze1x1, index: 3}"


@dataclass(frozen=True)
class Seen:
    """What a browser saw of one page.

    Attributes:
        wrong: what ran, was asked for or was let in; empty where all is well.
        stopped: how often the page's policy had to stop something.
    """

    wrong: tuple[str, ...]
    stopped: int


def config() -> str:
    """A config whose every text is hostile, in JSON, which is YAML."""
    markup = " ".join((*SCRIPTS, REFRESH, *TURNS))
    # On pages and in attributes, these are words like others.
    words = f"{markup} {' '.join(TEMPLATES)} {' '.join(MARKDOWN)}".replace("\n", " ")
    text = "\n\n".join((*MARKDOWN, *SCRIPTS, REFRESH, TEMPLATES[0], TURNS + "{{ unit.reached }}"))
    circuits = [
        {
            "name": name,
            "title": words,
            "network": {"model": "squeezenet1.1", "why": text, "labels": _LABELS},
            "unit": {"layer": "fire2/squeeze1x1", "index": index},
            "inputs": 2,
            "hypothesis": {"unit": text, "circuit": text},
        }
        for name, index in (("one", 3), ("two", 5))
    ]
    site = {"title": words, "description": words, "author": words, "url": "https://example.org/a/"}
    visualization = {"size": 32, "steps": 2, "attempts": 1}
    return json.dumps({"site": site, "photos": "photos", "visualization": visualization, "circuits": circuits})


def build(folder: Path) -> Path:
    """Build a real site of hostile texts with the command.

    Returns:
        The site's folder.
    """
    (folder / "config.yaml").write_text(config(), "utf-8")
    shown = [each.replace("\n", " ") for each in (*SCRIPTS, *TEMPLATES, *MARKDOWN, *TURNS)]
    (folder / _LABELS).write_text("".join(f"{place} {shown[place % len(shown)]}\n" for place in range(1000)), "utf-8")
    photos = folder / "photos"
    photos.mkdir()
    random = np.random.default_rng(0)
    names = [re.sub(r"[/\x00]", "", each)[:60] for each in shown[::4]] + [f"a{turn}gpj.b" for turn in TURNS]
    for place, name in enumerate(names):
        image = Image.fromarray(random.integers(0, 255, (40, 48, 3), np.uint8))
        exif = image.getexif()
        for tag in (0x010E, 0x013B, 0x8298, 0x9286):  # description, artist, copyright, comment
            exif[tag] = SCRIPTS[place % len(SCRIPTS)]
        image.save(photos / f"{name}{place}.jpg", exif=exif, comment=SCRIPTS[0].encode())
    done = run(folder, "config.yaml", "-q")
    assert done.returncode == 0, done.stderr[-2000:]
    return folder / "site"


@contextmanager
def _opened(browser: Browser, path: Path, policy: bool, said: list[str]) -> Iterator[Page]:
    """A page that may ask for anything, and is noted to."""
    context = browser.new_context(bypass_csp=not policy)
    address = path.resolve().as_uri()

    def answer(route: Route, request: Request) -> None:
        # The page itself comes from disk; whatever else it asks for gets nothing.
        if request.url.split("#")[0] == address:
            route.continue_()
        else:
            said.append(f"asked for {request.url[:120]}")
            route.abort()

    context.route(re.compile("^(?!data:)"), answer)
    page = context.new_page()
    page.on("dialog", lambda dialog: (said.append(f"dialog {dialog.message}"), dialog.dismiss()))
    context.on("page", lambda opened: said.append(f"opened {opened.url}"))
    context.add_init_script(
        "window.stopped = 0; addEventListener('securitypolicyviolation', () => { window.stopped += 1; });"
    )
    try:
        page.goto(address, wait_until="load")
        yield page
    finally:
        context.close()


_TOUCH_ALL = """() => {
  const say = ["mouseover", "mouseenter", "focus", "click", "error", "load", "toggle", "begin", "animationstart"];
  for (const each of document.querySelectorAll("[onmouseover],[onfocus],[onload],[onerror],[ontoggle],[onbegin]")) {
    for (const name of say) each.dispatchEvent(new Event(name));
  }
  for (const each of document.forms) each.requestSubmit();
  const linked = (each) => each.getAttribute("href") ?? "";
  for (const each of document.querySelectorAll("a")) {
    const click = new MouseEvent("click", { bubbles: true, cancelable: true, view: window });
    if (/^\\s*(javascript|data|vbscript|blob):/i.test(linked(each))) each.dispatchEvent(click);
  }
}"""
_LET_IN = """() => {
  const found = [];
  for (const each of document.querySelectorAll("*")) {
    const names = [...each.attributes].map(({ name }) => name);
    found.push(...names.filter((name) => /^on|^style$|^srcdoc$/.test(name)).map((name) => `${each.tagName} ${name}`));
  }
  const strange = "iframe,object,embed,form,base,video,math[href],meta[http-equiv=refresh]";
  for (const each of document.querySelectorAll(strange)) {
    found.push(each.tagName);
  }
  for (const each of document.querySelectorAll("a")) {
    const href = each.getAttribute("href") ?? each.getAttribute("xlink:href") ?? "";
    if (!/^(#|[\\w./-]*(#|$)|https?:|mailto:)/.test(href)) found.push(`link ${href}`);
  }
  return found;
}"""


def look(browser: Browser, path: Path, policy: bool) -> Seen:
    """Open a page of the site, touch what could be touched, and say what was wrong with it.

    Args:
        browser: a running one.
        path: the page.
        policy: whether the browser heeds the page's Content-Security-Policy; without it, escaping stands alone.
    """
    said: list[str] = []
    with _opened(browser, path, policy, said) as page:
        unfold(page)
        page.evaluate(_TOUCH_ALL)
        page.wait_for_timeout(200)
        ran = ["a script ran"] if page.evaluate("window.ran !== undefined") else []
        let_in: list[str] = page.evaluate(_LET_IN)
        turned = [f"a turn U+{ord(each):04X}" for each in TURNS if each in page.content()]
        stopped: int = page.evaluate("window.stopped")
    return Seen((*ran, *said, *let_in[:5], *turned), stopped)


def inject(browser: Browser, path: Path, payload: str) -> Seen:
    """Put markup into a page as it stands, as if escaping had failed; its policy must stop what it would do."""
    broken = path.with_name("injected.html")
    # As an element, and in attributes of either quotes.
    payload = f"{payload}<i title=\"{payload}\"></i><i title='{payload}'></i>"
    broken.write_text(
        re.sub(r"(<h1[^>]*>)", lambda found: found[1] + payload, path.read_text("utf-8"), count=1), "utf-8"
    )
    said: list[str] = []
    try:
        with _opened(browser, broken, True, said) as page:
            page.evaluate(_TOUCH_ALL)
            page.wait_for_timeout(100)
            ran = ["a script ran"] if page.evaluate("window.ran !== undefined") else []
            stopped: int = page.evaluate("window.stopped")
    finally:
        broken.unlink()
    return Seen((*ran, *said), stopped)


def refused_templates() -> list[str]:
    """The template expressions that a hypothesis would let through."""
    from vizengine.page.prose import check
    from vizengine.page.report import value_names

    names = value_names(16, 6, ())
    return [each for each in TEMPLATES[1:] if not check(each, names)]


def pages(site: Path) -> list[Path]:
    """All pages of a site."""
    return sorted(site.rglob("*.html"))


def shown(site: Path, payload: str) -> bool:
    """Whether some page has the payload as text, so that it was really put to the test."""
    return any(payload in html.unescape(page.read_text("utf-8")) for page in pages(site))


def campaign() -> Result:
    """A real site of hostile texts, every page with and without its policy; then every payload injected."""
    tally, stopped = Tally(), 0
    with tempfile.TemporaryDirectory() as temporary, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        try:
            site = build(Path(temporary))
            with tally.case("payloads that no page shows", 0):
                assert [each for each in SCRIPTS if not shown(site, each)] == []
            for page in pages(site):
                for policy in (True, False):
                    with tally.case(f"{page.parent.name}, policy {policy}"):
                        seen = look(browser, page, policy)
                        assert seen == Seen((), 0), seen
            for payload in SCRIPTS:
                with tally.case(f"injected {payload[:40]}"):
                    seen = inject(browser, site / "one" / "index.html", payload)
                    assert seen.wrong == (), seen
                    stopped += bool(seen.stopped)
        finally:
            browser.close()
    with tally.case("what a hypothesis may say", len(TEMPLATES) - 1):
        assert refused_templates() == []
    return tally.result(
        f"nothing ran and no request left, with the policy or without it; put in unescaped, {stopped} of "
        f"{len(SCRIPTS)} payloads would have acted and the policy stopped each; all expressions but names were refused"
    )


TEXTS = Campaign(
    "No text of a config, file name, label or EXIF field runs, asks for anything or turns figures round; `{{ … }}` "
    "gives values only.",
    f"A real site whose every text holds {len(SCRIPTS)} payloads of markup, {len(MARKDOWN)} of Markdown and "
    f"{len(TEMPLATES)} of template syntax; every page in Chromium, with its policy and with the policy switched off; "
    "then every payload put into a page unescaped",
    campaign,
)
