"""Keep a page of an earlier build where it can't be computed today."""

from __future__ import annotations

import datetime
import json
import logging
from pathlib import Path

from pydantic import ValidationError

from vizengine.config.schema import CircuitSection
from vizengine.failures import Failure
from vizengine.report.model import KeptNotice, Report

logger = logging.getLogger(__name__)


def keep(folder: Path, section: CircuitSection, why: Failure) -> tuple[Report, dict[str, object]] | None:
    """The report of the page in `folder` and its side file, where it was made with the same config section.

    Args:
        folder: the page's folder in the site.
        section: the circuit's section today.
        why: why it can't be computed again.
    """
    try:
        report = Report.model_validate_json((folder / "circuit.json").read_bytes())
        side_file = json.loads((folder / "build.json").read_bytes())
        date = datetime.datetime.fromisoformat(side_file["date"]).date()
        # Read by today's schema, so that a setting that is new since then has its default.
        earlier = CircuitSection.model_validate_json(json.dumps(report.config))
    except FileNotFoundError:
        return None
    except (OSError, ValidationError, ValueError, KeyError, TypeError) as problem:
        logger.warning("the earlier page in %s can't be read, so it isn't kept: %s", folder.name, problem)
        return None
    if earlier.model_dump(mode="json") != section.model_dump(mode="json"):
        return None
    notice = KeptNotice(
        date=f"{date.day} {date:%B %Y}",
        reason=why.reason,
        mend=why.mend,
        versions=report.provenance.versions,
        weights_sha256=report.provenance.weights_sha256,
    )
    return report.model_copy(update={"kept": notice}), side_file
