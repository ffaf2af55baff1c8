"""The base of all sections of a config."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, ClassVar, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, model_validator
from pydantic_core import PydanticCustomError

from vizengine.config.paths import NotAdmitted, place


class Section(BaseModel):
    """Base of all sections: unknown settings are refused, and one left empty takes its default.

    Attributes:
        form: how it is written, for a message; made from the settings that it needs where it is empty.
    """

    form: ClassVar[str] = ""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    @model_validator(mode="before")
    @classmethod
    def _empty_means_default(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        defaulted = {name for name, field in cls.model_fields.items() if not field.is_required()}
        return {name: setting for name, setting in value.items() if setting is not None or name not in defaulted}


NOT_BLANK = r"\S"
LONGEST_FILE = 10_000_000
"""The most bytes of a file with Markdown."""


def _read_text(value: Any, information: ValidationInfo) -> Any:
    """Put the text of a file in the place of `{file: path}`; anything else goes on as it is."""
    if not isinstance(value, dict):
        return value
    if set(value) != {"file"} or not isinstance(value["file"], str):
        raise PydanticCustomError("text", "a section; expected Markdown text, or a file with it: `{file: path}`")
    context = information.context or {}
    try:
        path = place(Path(context.get("folder", ".")), value["file"])
        # A device or a pipe would be read for ever.
        if path.exists() and not path.is_file():
            reason = f"{'is a directory' if path.is_dir() else 'no file with an end'}; expected a Markdown file"
        elif path.exists() and path.stat().st_size > LONGEST_FILE:
            reason = f"{path.stat().st_size:,} bytes; expected {LONGEST_FILE:,} at most"
        else:
            return path.read_text(encoding="utf-8-sig")
    except NotAdmitted as error:
        reason = f"it {error.reason}"
    except UnicodeDecodeError as error:
        reason = f"it isn't UTF-8 (byte {error.start + 1}); expected Markdown saved as UTF-8"
    except OSError as error:
        words = (error.strerror or str(error)).lower()
        reason = f"{words}; expected a Markdown file, its path relative to the config's folder"
    raise PydanticCustomError("text", "the file {file}: {reason}", {"file": value["file"], "reason": reason})


class TextFile(BaseModel):
    """A file that holds the text."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: Annotated[str, Field(min_length=1, description="Path of a Markdown file in the config's folder or below it.")]


Words: TypeAlias = Annotated[str, Field(pattern=NOT_BLANK)]
Markdown: TypeAlias = Annotated[str, BeforeValidator(_read_text, json_schema_input_type=str | TextFile)]
