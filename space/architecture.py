"""The description of a sequential network: frozen, comparable, JSON-able, without weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Self, get_type_hints

from space import counting
from space.layers import KINDS, ArchitectureError, Layer, Shape, describe

_BY_KIND = {kind.kind: kind for kind in KINDS}


@dataclass(frozen=True)
class Architecture:
    """Layers in order, for images of one shape. ArchitectureError where they do not fit together."""

    input: Shape
    """(channels, height, width) in pixels."""
    layers: tuple[Layer, ...]

    def __post_init__(self) -> None:
        if len(self.input) != 3 or min(self.input) < 1:
            raise ArchitectureError(
                f"input must be channels x height x width, but got {describe(self.input) or 'none'}"
            )
        shape: Shape = (*self.input,)
        for layer in self.layers:
            shape = layer.output(shape)
        if len(shape) != 1:
            raise ArchitectureError(f"the last layer must leave one value a class, but leaves {describe(shape)}")

    @cached_property
    def totals(self) -> counting.Totals:
        """Parameters, MACs, peak activations and receptive field."""
        return counting.count(self.input, self.layers)

    @property
    def classes(self) -> int:
        """Values it puts out for one image."""
        return self.rows()[-1].shape[0]

    def rows(self) -> list[counting.Row]:
        """The layer table."""
        return list(counting.rows(self.input, self.layers))

    def to_json(self) -> dict[str, Any]:
        """Plain lists, dicts and numbers; `from_json` reads them back to an equal Architecture."""
        return {
            "input": list(self.input),
            "layers": [{"kind": layer.kind, **asdict(layer)} for layer in self.layers],
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """The Architecture that `to_json` wrote; ArchitectureError for anything else."""
        try:
            layers = tuple(_layer(**entry) for entry in value["layers"])
            image = tuple(_checked("input", size, int) for size in value["input"])
            return cls(image, layers)
        except (KeyError, TypeError) as error:
            raise ArchitectureError(f"not the JSON of an architecture: {error}") from error


def _layer(*, kind: str, **fields: Any) -> Layer:
    if kind not in _BY_KIND:
        raise ArchitectureError(f"layer kind must be one of {', '.join(_BY_KIND)}, but got {kind}")
    layer = _BY_KIND[kind]
    for name, expected in get_type_hints(layer).items():
        if name in fields:
            _checked(name, fields[name], expected)
    return layer(**fields)


def _checked(name: str, value: Any, expected: type) -> Any:
    """`value`, if it is of the type expected; a whole number will do for a float, a truth value not for a number."""
    fits = type(value) is expected or (expected is float and type(value) is int)
    if not fits:
        raise TypeError(f"{name} must be {expected.__name__}, but got {value!r}")
    return value
