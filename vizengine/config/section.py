"""The base of all sections of a config."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, model_validator


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
        return {key: each for key, each in value.items() if each is not None or key not in defaulted}
