"""Which arithmetic the ascent may use: bfloat16 only where the hardware multiplies it natively."""

from __future__ import annotations

from pathlib import Path

import tensorflow as tf

_PROCESSOR_FLAGS = frozenset(("avx512_bf16", "amx_bf16"))
_FIRST_GPU_WITH_BFLOAT16 = (8, 0)


def ascent_precision(setting: str) -> str:
    """The precision of the ascent.

    Args:
        setting: `auto` or `float32`, from the config.

    Returns:
        `bfloat16` where the setting allows it and the GPU, or without one the processor, has it; else `float32`.
    """
    return "bfloat16" if setting == "auto" and hardware_has_bfloat16() else "float32"


def hardware_has_bfloat16() -> bool:
    """Whether every GPU that TensorFlow sees, or without one the processor, multiplies bfloat16 natively."""
    devices = tf.config.list_physical_devices("GPU")
    if devices:
        details = [tf.config.experimental.get_device_details(device) for device in devices]
        return all(each.get("compute_capability", (0, 0)) >= _FIRST_GPU_WITH_BFLOAT16 for each in details)
    information = Path("/proc/cpuinfo")
    if not information.is_file():
        return False
    flags = next((line for line in information.read_text().splitlines() if line.startswith("flags")), "")
    return bool(_PROCESSOR_FLAGS & set(flags.split()))
