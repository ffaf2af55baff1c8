from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from tests.page import example
from vizengine.page.preview import HEIGHT, WIDTH, preview
from vizengine.page.render import PREVIEW, companions, render_circuit, render_index
from vizengine.page.report import Report, SiteReport


def decoded(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"), int)


@pytest.mark.parametrize("report", [example.report(), example.bare_report()], ids=["full", "bare"])
def test_the_preview_shows_inputs_slices_and_unit(report: Report) -> None:
    content = preview(report)
    assert content == preview(report)
    pixels = decoded(content)
    assert pixels.shape == (HEIGHT, WIDTH, 3)
    assert pixels[:32].min() > 245 and pixels[-32:].min() > 245, "the margin"
    dark = pixels.min(axis=2) < 200
    assert dark[:, WIDTH - 545 : WIDTH - 45].mean() > 0.3, "the unit's picture"
    assert dark[:, 45:126].any(axis=1).mean() > 0.4, "the inputs' pictures"


def test_arrows_are_as_wide_as_the_contributions_are_large() -> None:
    report = example.report()
    pixels = decoded(preview(report))
    column = pixels[:, 230]
    coloured = (column.max(axis=1) - column.min(axis=1)) > 30
    edges = np.flatnonzero(np.diff(np.r_[0, coloured.astype(int), 0]))
    widths = (edges[1::2] - edges[::2]).tolist()
    sizes = [abs(float(each.slice.contribution.value)) for each in report.strongest]
    assert len(widths) == len(sizes)
    assert int(np.argmax(widths)) == int(np.argmax(sizes))
    assert widths == pytest.approx([max(1.5, 16 * size / max(sizes)) for size in sizes], abs=2.5)


def head(page: str) -> str:
    return page[: page.index("</head>")]


def test_a_site_with_an_address_has_absolute_pictures_for_links() -> None:
    full, bare = example.report(), example.bare_report()
    site = example.site(full, bare)
    picture = '<meta property="og:image" content="https://example.org/circuits/'
    assert f'{picture}{full.name}/{PREVIEW}">' in head(render_circuit(full, site))
    assert f'{picture}{full.name}/{PREVIEW}">' in head(render_index(site))
    assert f'{picture}{PREVIEW}">' in head(render_index(example.site(full)))
    assert companions(full, site)[PREVIEW] == preview(full)


@pytest.mark.parametrize("circuits", [(example.report(),), (example.missing(),)], ids=["no address", "nothing to show"])
def test_without_an_address_or_a_circuit_there_is_no_picture(circuits: tuple[Report, ...]) -> None:
    site: SiteReport = example.site(*circuits)
    if isinstance(circuits[0], Report):
        site = site.model_copy(update={"url": ""})
        assert PREVIEW not in companions(circuits[0], site)
    assert "og:image" not in render_index(site)
