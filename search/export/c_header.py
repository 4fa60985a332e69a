"""The text of model.h, and of the program that the C is checked with."""

from __future__ import annotations

import json
from string import Template

from search.export.exportable import Exportable
from space.notation import write

_HEADER = Template("""\
/*
 * $line
 * $parameters.
 * Written by petitnet: $origin.
 *
 * One image in, channel by channel, row by row; a value a class out, and the largest is the class.
 * $preprocessing
 * model() holds about $stack bytes on the stack and allocates nothing.
 */
#ifndef PETITNET_MODEL_H
#define PETITNET_MODEL_H

#include <stdint.h>

#define MODEL_CHANNELS $channels
#define MODEL_HEIGHT $height
#define MODEL_WIDTH $width
#define MODEL_CLASSES $classes

#ifdef __cplusplus
extern "C" {
#endif

typedef $value model_value;

void model(const model_value images[1][MODEL_CHANNELS][MODEL_HEIGHT][MODEL_WIDTH], float logits[1][MODEL_CLASSES]);

#ifdef __cplusplus
}
#endif

#endif
""")

HARNESS = """\
#include <stdio.h>
#include "model.h"

static model_value image[1][MODEL_CHANNELS][MODEL_HEIGHT][MODEL_WIDTH];
static float logits[1][MODEL_CLASSES];

int main(void) {
    while (fread(image, sizeof image, 1, stdin) == 1) {
        model((const model_value (*)[MODEL_CHANNELS][MODEL_HEIGHT][MODEL_WIDTH])image, logits);
        if (fwrite(logits, sizeof logits, 1, stdout) != 1) {
            return 1;
        }
    }
    return 0;
}
"""
"""Reads images from stdin until there are no more, and writes their logits to stdout."""


def header(model: Exportable, stack: int) -> str:
    """The text of model.h, for a function that holds `stack` bytes of arrays."""
    architecture = model.architecture
    channels, height, width = architecture.input
    return _HEADER.substitute(
        line=write(architecture),
        parameters=model.parameters,
        origin=_in_a_comment(f"candidate {model.candidate.number} of study {model.study}"),
        preprocessing=_preprocessing(model),
        stack=f"{stack:,}",
        channels=channels,
        height=height,
        width=width,
        classes=architecture.classes,
        value="uint8_t" if model.takes_bytes else "float",
    )


def _preprocessing(model: Exportable) -> str:
    if model.takes_bytes:
        return "Values are bytes, as they are in the image file; they are normalised inside."
    channels = zip(model.preprocess.scales, model.preprocess.shifts, strict=True)
    rules = "; ".join(f"channel {place}: byte * {scale!r} - {shift!r}" for place, (scale, shift) in enumerate(channels))
    return f"Values are float, made of the image's bytes in this way: {rules}."


def _in_a_comment(text: str) -> str:
    """On one line, and not its end."""
    return json.dumps(text)[1:-1].replace("*/", "* /")
