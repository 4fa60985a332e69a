/* Images become the lanes of a batch, each through an affine map of its own. */

#pragma once

#include "maps.h"

#define MARGIN 8 /* zeros around an image: maps that point further out find zeros there too */

/* One image into its lane: through an affine map by `six` (x, y of what a step right, a step down and no step give, in
   sides from -1 to 1), or as it is where that is NULL; what lies outside is 0. `times` and `less` normalise. */
static void place_image(Program *program, const uint8_t *bytes, const float *six, const float *times,
                        const float *less, int place)
{
    const Shape shape = program->image;
    const int height = shape.height, width = shape.width, row = width + 2 * MARGIN;
    float *lane = (float *)(program->images + (long)(place / IMAGES) * volume_of(shape)) + place % IMAGES;
    for (int c = 0; c < shape.channels; c++) {
        for (int y = 0; y < height; y++)
            for (int x = 0; x < width; x++)
                program->padded[(y + MARGIN) * row + x + MARGIN] = bytes[((long)c * height + y) * width + x] * times[c];
        for (int y = 0; y < height; y++) {
            float *out = lane + IMAGES * (inside(shape) + c * plane_of(shape) + y * row_of(shape));
            const float down = (2 * y + 1) / (float)height - 1;
            for (int x = 0; x < width; x++) {
                const float *at = program->padded + (y + MARGIN) * row + x + MARGIN;
                if (six == NULL) {
                    out[IMAGES * x] = *at - less[c];
                    continue;
                }
                const float right = (2 * x + 1) / (float)width - 1;
                float px = ((six[0] * right + (six[2] * down + six[4]) + 1) * width - 1) / 2 + MARGIN;
                float py = ((six[1] * right + (six[3] * down + six[5]) + 1) * height - 1) / 2 + MARGIN;
                px = px < 0 ? 0 : px > row - 2 ? row - 2 : px;
                py = py < 0 ? 0 : py > height + 2 * MARGIN - 2 ? height + 2 * MARGIN - 2 : py;
                const int ix = (int)px, iy = (int)py;
                const float fx = px - ix, fy = py - iy;
                at = program->padded + iy * row + ix;
                const float top = at[0] + fx * (at[1] - at[0]), low = at[row] + fx * (at[row + 1] - at[row]);
                out[IMAGES * x] = top + fy * (low - top) - less[c];
            }
        }
    }
}
