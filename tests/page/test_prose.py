from __future__ import annotations

import pytest

from tests.page import example
from vizengine.page.prose import check, first_paragraph, first_paragraph_text, render
from vizengine.page.report import Report, measured_values, value_names

NAMES = value_names(256, 6, (8, 11))


def test_names_known_from_the_config_are_those_of_the_measured_values(published: Report) -> None:
    for report in (published, example.report(), example.bare_report()):
        siblings = tuple(sibling.channel for sibling in report.siblings)
        assert value_names(len(report.inputs), len(report.strongest), siblings) == measured_values(report).keys()


def test_values_are_those_of_the_page() -> None:
    report = example.report()
    values = measured_values(report)
    fourth, ratio = report.strongest[3].slice, report.siblings[0].ratio
    assert ratio
    expected = {
        "unit.index": "195",
        "network.title": "VGG19",
        "top1.norm": report.strongest[0].slice.norm.text,
        f"channel_{fourth.index}.rank": "4",
        f"channel_{fourth.index}.positive_count": fourth.positive_count.text,
        "top4.verdict": "converged",
        "sibling_8.ratio": f"{ratio.text}×",
        "unit.receptive_field": "40\N{NO-BREAK SPACE}px",
    }
    assert {name: values[name] for name in expected} == expected
    assert measured_values(example.bare_report())["unit.photo_best"] == "not measured"


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        *((text, 0) for text in ("{{ unit.reached }}", "{{  top6.norm  }} and {{channel_255.rank}}", "")),
        *((text, 1) for text in ("{{ top7.norm }}", "{{ channel_256.norm }}", "{{ sibling_9.reached }}")),
        *((text, 1) for text in ("{{ 1 + 1 }}", "{{ }}")),
    ],
)
def test_names_out_of_range_are_unknown(text: str, problems: int) -> None:
    assert len(check(text, NAMES)) == problems


def test_an_unknown_name_is_named_with_its_nearest_and_with_all_families() -> None:
    (message,) = check("It has {{ unit.reahced }} and {{ unit.reahced }}.", NAMES)
    assert "`{{ unit.reahced }}`" in message and "did you mean `unit.reached`" in message
    for family in ("network: ", "unit: ", "top1 to top6: ", "channel_0 to channel_255: ", "sibling_8, sibling_11: "):
        assert family in message
    assert "hue_invariance: ;" not in message and "hue_invariance; " in message


@pytest.mark.parametrize("text", ["{{ unit.reached", "unit.reached }}", "{{ unit.reached } }"])
def test_braces_without_their_partner_are_reported(text: str) -> None:
    (message,) = check(text, NAMES)
    assert "without its partner" in message


def test_markdown_with_values() -> None:
    html = render("# One\n\nA **{{ a_b.c }}** and `{{ a_b.c }}`.\n\n- one\n\n### Three\n", {"a_b.c": "7"})
    assert all(part in html for part in ("<strong>7</strong>", "<code>7</code>", "<li>one</li>"))
    # The levels above are the page's.
    assert html.count("<h4>") == 2 and "<h1" not in html and "<h3" not in html
    with pytest.raises(KeyError):
        render("{{ nothing }}", {})


@pytest.mark.parametrize(
    "value", ["*star*", "<b>bold</b>", "[a](javascript:alert(1))", "`code`", "&lt;", "{{ other }}", "# x"]
)
def test_a_value_can_t_act_as_markup(value: str) -> None:
    shown = value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert render("{{ name }}", {"name": value, "other": "!"}) == f"<p>{shown}</p>"


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "a <img src=x onerror=alert(1)> b",
        "<style>*{display:none}</style>",
        "<iframe src='https://example.org'></iframe>",
        "&lt; ![alt](https://example.org/a.png)",
    ],
)
def test_raw_html_is_shown_as_text_and_pictures_are_not_loaded(text: str) -> None:
    html = render(text, {})
    assert "&lt;" in html
    assert not any(tag in html for tag in ("<script", "<img", "<style", "<iframe"))


@pytest.mark.parametrize(
    "address",
    ["javascript:alert(1)", "JaVaScRiPt:alert(1)", "data:text/html,x", "vbscript:x", "file:///etc/passwd",
     "//evil.example/x",
     "&#106;avascript:alert(1)", "java&#10;script:alert(1)", "%6aavascript&colon;alert(1)", "blob:x"],
)  # fmt: skip
def test_unsafe_links_are_no_links(address: str) -> None:
    assert "<a" not in render(f"[text]({address}) <{address}>", {})


@pytest.mark.parametrize(
    "address", ["https://distill.pub/2020/", "http://example.org", "mailto:a@b.org", "#built", "other/index.html"]
)
def test_safe_links_are_links(address: str) -> None:
    assert f'<a href="{address}"' in render(f"[text]({address})", {})


def test_first_paragraph() -> None:
    text = "# Heading\n\nThe *first*\nof {{ n }}, see [there](https://example.org).\n\nThe second."
    assert first_paragraph(text, {"n": "2 <b>"}) == (
        'The <em>first</em>\nof 2 &lt;b&gt;, see <a href="https://example.org" rel="noopener noreferrer">there</a>.'
    )
    assert first_paragraph_text(text, {"n": "2"}) == "The first of 2, see there."
    assert first_paragraph("", {}) == first_paragraph_text("# only", {}) == ""
