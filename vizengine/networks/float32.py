"""Have a model compute in float32, in which all figures of a page are."""

from __future__ import annotations

import keras

from vizengine.errors import WeightsUnavailable


def compute_in_float32(model: keras.Model, name: str) -> None:
    """Set the arithmetic of a model's layers to float32, whose weights already are.

    A model of mixed precision keeps float32 weights and rounds them for each operation; here it computes with them as
    they are.

    Args:
        model: the model, which is changed.
        name: what the config calls it.

    Raises:
        WeightsUnavailable: a layer's weights aren't float32.
    """
    for variable in model.weights:
        if variable.dtype != "float32" and "float" in variable.dtype:
            raise WeightsUnavailable(
                f"{name} keeps its weights in {variable.dtype} ({variable.path}); expected float32.",
                "Make the same model after `keras.config.set_dtype_policy('float32')`, give it the weights with "
                "`model.set_weights(old.get_weights())`, and save that one.",
            )
    policy = keras.DTypePolicy("float32")
    for layer in model._flatten_layers():
        if isinstance(layer, keras.Layer) and layer.compute_dtype != "float32":
            layer.dtype_policy = policy
