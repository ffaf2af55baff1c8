"""Texts that would like to be code: in a real site, opened in Chromium with and without the pages' own policy."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, Request, Route

from tests.browser.checks import unfold
from tests.runs import run
from vizengine.page.prose import check
from vizengine.page.report import value_names

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


def _config() -> str:
    """A config whose every text is hostile, in JSON, which is YAML."""
    # On pages and in attributes, templates and Markdown are words like others.
    words = " ".join((*SCRIPTS, REFRESH, *TURNS, *TEMPLATES, *MARKDOWN)).replace("\n", " ")
    text = "\n\n".join((*MARKDOWN, *SCRIPTS, REFRESH, TEMPLATES[0], TURNS + "{{ unit.reached }}"))
    circuits = [
        {
            "name": name,
            "title": words,
            "network": {"model": "squeezenet1.1", "why": text, "labels": "labels.txt"},
            "unit": {"layer": "fire2/squeeze1x1", "index": index},
            "inputs": 2,
            "hypothesis": {"unit": text, "circuit": text},
        }
        for name, index in (("one", 3), ("two", 5))
    ]
    site = {"title": words, "description": words, "author": words, "url": "https://example.org/a/"}
    visualization = {"size": 32, "steps": 2, "attempts": 1}
    return json.dumps({"site": site, "photos": "photos", "visualization": visualization, "circuits": circuits})


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real site of hostile texts, labels, file names and EXIF fields."""
    folder = tmp_path_factory.mktemp("texts")
    (folder / "config.yaml").write_text(_config(), "utf-8")
    texts = [text.replace("\n", " ") for text in (*SCRIPTS, *TEMPLATES, *MARKDOWN, *TURNS)]
    (folder / "labels.txt").write_text("".join(f"{n} {texts[n % len(texts)]}\n" for n in range(1000)), "utf-8")
    (folder / "photos").mkdir()
    names = [re.sub(r"[/\x00]", "", text)[:60] for text in texts[::4]] + [f"a{turn}gpj.b" for turn in TURNS]
    random = np.random.default_rng(0)
    for number, name in enumerate(names):
        image = Image.fromarray(random.integers(0, 255, (40, 48, 3), np.uint8))
        exif = image.getexif()
        for tag in (0x010E, 0x013B, 0x8298, 0x9286):  # description, artist, copyright, comment
            exif[tag] = SCRIPTS[number % len(SCRIPTS)]
        image.save(folder / "photos" / f"{name}{number}.jpg", exif=exif, comment=SCRIPTS[0].encode())
    run(folder, "config.yaml", "-q", code=0)
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


def test_every_payload_is_on_a_page(site: Path) -> None:
    shown = html.unescape("".join(path.read_text("utf-8") for path in site.rglob("*.html")))
    assert [payload for payload in SCRIPTS if payload not in shown] == []


@pytest.mark.parametrize("policy", [True, False], ids=["policy", "escaping alone"])
@pytest.mark.parametrize("name", ["index.html", "one/index.html", "two/index.html"])
def test_nothing_runs_and_nothing_is_asked_for(browser: Browser, site: Path, name: str, policy: bool) -> None:
    said: list[str] = []
    with _opened(browser, site / name, policy, said) as page:
        unfold(page)
        page.evaluate(_TOUCH_ALL)
        page.wait_for_timeout(200)
        assert page.evaluate("window.ran") is None and said == []
        assert page.evaluate(_LET_IN) == []
        assert [f"U+{ord(turn):04X}" for turn in TURNS if turn in page.content()] == []
        assert page.evaluate("window.stopped") == 0


@pytest.mark.parametrize("payload", SCRIPTS)
def test_the_policy_alone_stops_what_gets_in(browser: Browser, site: Path, tmp_path: Path, payload: str) -> None:
    """Put into a page as if escaping had failed: as an element, and in attributes of either quotes."""
    text = (site / "index.html").read_text("utf-8")
    markup = f"{payload}<i title=\"{payload}\"></i><i title='{payload}'></i>"
    (tmp_path / "broken.html").write_text(re.sub("<h1[^>]*>", lambda tag: tag[0] + markup, text, count=1), "utf-8")
    said: list[str] = []
    with _opened(browser, tmp_path / "broken.html", True, said) as page:
        page.evaluate(_TOUCH_ALL)
        page.wait_for_timeout(100)
        assert page.evaluate("window.ran") is None and said == []
        # Chromium follows no link of MathML.
        assert page.evaluate("window.stopped") > 0 or payload.startswith("<math")


def test_braces_hold_a_name_and_nothing_else() -> None:
    names = value_names(16, 6, ())
    assert [text for text in TEMPLATES[1:] if not check(text, names)] == []
