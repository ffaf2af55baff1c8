"""Make the pictures of the tutorial from the configs in it: `python -m tests.documentation.pictures`."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

from tests.browser.checks import chromium
from tests.documentation.readers import tutorial_configs
from tests.places import REPOSITORY

# Which panel each state of the config is shown by, in a window of which width, and in which file.
_PANELS = (
    ("circuit", 1120, "tutorial-circuit.png"),
    ("claims", 800, "tutorial-contradicted.png"),
    ("claims", 800, "tutorial-supported.png"),
)


def main() -> None:
    """Build the tutorial's three states at full size, and write a picture of each."""
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        page = browser.new_page(device_scale_factor=1.5)
        for config, (panel, width, file) in zip(tutorial_configs(), _PANELS, strict=True):
            (folder / "my-circuit.yaml").write_text(config, "utf-8")
            subprocess.run([sys.executable, str(REPOSITORY / "generate.py"), "my-circuit.yaml"], cwd=folder, check=True)
            page.set_viewport_size({"width": width, "height": 200})
            page.goto((folder / "my-circuit-site" / "index.html").as_uri() + f"?panel={panel}")
            page.screenshot(path=folder / file, full_page=True)
            # A page has few colours: a palette makes the file a third as large.
            picture = Image.open(folder / file).convert("RGB").quantize(256, dither=Image.Dither.NONE)
            picture.save(folder / file, optimize=True)
            shutil.copyfile(folder / file, REPOSITORY / "docs" / "images" / file)
        browser.close()


if __name__ == "__main__":
    main()
