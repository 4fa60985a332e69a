"""The model card: README.md as the Hugging Face Hub reads it, made of what metrics.json holds."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from dashboards.text import goal, interval, number, percent
from search.export.footprint import COUNTED
from space.statistics import CONFIDENCE

Row = dict[str, Any]


def card(metrics: Row) -> str:
    """The text of README.md; `metrics` are those of metrics.json."""
    parts = (
        _front_matter(metrics),
        _title(metrics),
        _costs(metrics),
        _accuracy(metrics),
        _origin(metrics),
        _files(metrics),
        _use(metrics),
    )
    return "\n".join(parts)


def _front_matter(metrics: Row) -> str:
    """YAML: https://huggingface.co/docs/hub/model-cards. Values are JSON, which is YAML as well."""
    data = metrics["data"]["name"]
    result = {
        "task": {"type": "image-classification"},
        "dataset": {"name": data, "type": data, "split": "test"},
        "metrics": [{"type": "accuracy", "value": metrics["pytorch"]["test_accuracy"]}],
    }
    fields = {
        "library_name": "pytorch",
        "pipeline_tag": "image-classification",
        "tags": ["petitnet", *dict.fromkeys(row["format"] for row in metrics["files"])],
        "datasets": [data],
        "metrics": ["accuracy"],
        "model-index": [{"name": f"petitnet-{data}-{metrics['parameters']}", "results": [result]}],
    }
    lines = [f"{name}: {json.dumps(value)}" for name, value in fields.items()]
    return "\n".join(["---", *lines, "---", ""])


def _title(metrics: Row) -> str:
    data, parameters = metrics["data"]["name"], number(metrics["parameters"])
    return f"""\
# {data} with {parameters} parameters

A convolutional network that takes {percent(metrics["pytorch"]["test_accuracy"])} of the test images of {data} for what
they are, found by petitnet:

    {metrics["architecture"]}
"""


def _costs(metrics: Row) -> str:
    peak, small = metrics["peak_activation_bytes"], metrics["int8"]
    zeros = metrics["parameters_held_at_zero"]
    rows = (
        ("trainable parameters", number(metrics["parameters"])),
        *([("parameters that pruning holds at zero", number(zeros))] if zeros else []),
        ("multiply-accumulates an image", number(metrics["macs"])),
        ("peak activations as float32", f"{number(peak['float32'])} bytes"),
        ("peak activations as int8", f"{number(peak['int8'])} bytes"),
        ("flash in int8", f"{number(small['flash_bytes'])} bytes"),
        ("RAM in int8", f"{number(small['ram_bytes'])} bytes"),
    )
    return f"""\
## What it costs

{_table(("", ""), rows)}

Flash and RAM are counted, not measured; {COUNTED}.
"""


def _accuracy(metrics: Row) -> str:
    verification = metrics["verification"]
    runs, place = verification["runs"], verification["exported"]
    rows = [(str(run["place"]), str(run["seed"]), str(run["epochs"]), percent(run["accuracy"])) for run in runs]
    return f"""\
## How good it is

Trained afresh {"once" if len(runs) == 1 else f"{len(runs)} times, each with another seed,"} on all training images. The
test images were read once at the end of each training: {_mean(verification)}.

{_table(("verification", "seed", "epochs", "test accuracy"), rows)}

The weights here are those of verification {place}. {_CHOSEN if place == 0 else _ASKED_FOR} In float32 on a CPU they
reach {percent(metrics["pytorch"]["test_accuracy"])} of {number(metrics["data"]["test_images"])} test images.
"""


_CHOSEN = "The first is taken whatever the test images say, never the best of several."
_ASKED_FOR = "It was asked for by number; without being asked, petitnet takes the first, whatever the test images say."


def _mean(verification: Row) -> str:
    mean, spread = percent(verification["mean_test_accuracy"]), verification["standard_deviation"]
    if spread is None:
        return mean
    ends = interval(verification["interval_of_the_mean"])
    share = f"{100 * CONFIDENCE:.0f} %"
    return f"{mean} on the mean ({share} interval {ends}), standard deviation {100 * spread:.2f} points"


def _origin(metrics: Row) -> str:
    found, settings = metrics["search"], metrics["search"]["settings"]
    rungs = ", ".join(f"{percent(value)} after {epochs}" for epochs, value in found["validation_accuracy"].items())
    fresh = ", ".join(percent(confirmation["accuracy"]) for confirmation in found["confirmations"])
    rows = (
        ("study", f"`{_plain(metrics['study'])}`, candidate {metrics['candidate']}"),
        ("asked for", goal(settings["target"], settings["budgets"])),
        ("proposed by", f"`{_plain(found['origin'])}`"),
        ("validation accuracy", f"{rungs} epochs" if rungs else "-"),
        ("confirmations on other folds", fresh or "-"),
        ("training images (SHA-256)", f"`{metrics['data']['train_images_sha256']}`"),
    )
    return f"""\
## How it was found

{_table(("", ""), rows)}

Validation images, taken from the training images, did all the choosing; the test images chose nothing.
"""


def _files(metrics: Row) -> str:
    rows = [
        (
            f"`{row['file']}`",
            number(row["bytes"]),
            row["runtime"],
            percent(row["test_accuracy"]),
            f"{number(row['predictions_as_pytorch'])} of {number(row['predictions'])}",
            f"{row['largest_logit_difference']:.2g}",
        )
        for row in metrics["files"]
    ]
    headings = (
        "file",
        "bytes",
        "checked with",
        "test accuracy",
        "predictions as PyTorch's",
        "largest logit difference",
    )
    return f"""\
## Files

Each was run on the whole test set before it was left here: files in float32 must give PyTorch's prediction for every
image, int8 may lose 0.1 points. `metrics.json` has all numbers, with the files' SHA-256 sums.

{_table(headings, rows)}
"""


def _use(metrics: Row) -> str:
    image, files = metrics["input"], {row["file"] for row in metrics["files"]}
    shape = ", ".join(map(str, image["shape"]))
    own = " `preprocess` of `model.py` does that." if "model.py" in files else ""
    fixed = _BYTES if image["preprocessing_included"] else _FLOATS
    return f"""\
## How to use it

Images are uint8 of shape (N, {shape}), channels first. The network was trained on (byte / 255 - mean) / deviation, with
mean {_list(image["mean"])} and deviation {_list(image["deviation"])} of the channels.{own}
{fixed}
{"".join(text for file, text in _EXAMPLES.items() if file in files)}"""


_BYTES = "ONNX, pt2 and C take the bytes themselves, as uint8, and normalise them inside."
_FLOATS = "ONNX, pt2 and C take the result of that, as float32."

_EXAMPLES = {
    "model.py": """
    from model import load, preprocess
    logits = load()(preprocess(images))
""",
    "model.onnx": """
    import onnxruntime
    (logits,) = onnxruntime.InferenceSession("model.onnx").run(["logits"], {"images": inputs})
""",
    "model.int8.onnx": """
    import onnxruntime
    (logits,) = onnxruntime.InferenceSession("model.int8.onnx").run(["logits"], {"images": inputs})
""",
    "model.pt2": """
    import torch
    logits = torch.export.load("model.pt2").module()(inputs)
""",
    "model.c": """
    #include "model.h"
    model(image, logits);
""",
}


def _table(headings: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [headings, tuple("---" for _ in headings), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _plain(text: str) -> str:
    """Text that ends neither a table's cell nor a span of code."""
    return " ".join(text.split()).replace("|", "\\|").replace("`", "'")


def _list(values: list[float]) -> str:
    return ", ".join(f"{value:.6g}" for value in values)
