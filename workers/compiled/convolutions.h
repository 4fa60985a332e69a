/* Convolutions, forward and backward: products of weights with shifted maps, in tiles that fill the registers. */

#pragma once

#include "maps.h"

typedef struct {
    Shape in, out, slope;
} Group;

/* Shapes of one group of a convolution's channels and filters. */
static Group group_of(const Op *op)
{
    Group group = {op->in, op->out, op->slope};
    group.in.channels /= op->layer.groups;
    group.out.channels /= op->layer.groups;
    group.slope.channels /= op->layer.groups;
    return group;
}

static int is_whole(const Op *op) { return op->layer.kind == CONV && op->layer.groups == 1; }

/* out[f][p] = sum over k of weight[k][f] * in[offset[k] + p]. */
INLINE void tile(const int F, const int P, int columns, const float *weight, const int32_t *offset, const vec *in,
                 vec *out, long plane)
{
    vec acc[MOST_FILTERS][MOST_PLACES];
#pragma GCC unroll 8
    for (int f = 0; f < F; f++)
#pragma GCC unroll 8
        for (int p = 0; p < P; p++) acc[f][p] = (vec){0};
    for (int k = 0; k < columns; k++, weight += F) {
        const vec *from = in + offset[k];
#pragma GCC unroll 8
        for (int f = 0; f < F; f++) {
            const vec times = splat(weight[f]);
#pragma GCC unroll 8
            for (int p = 0; p < P; p++) acc[f][p] += times * from[p];
        }
    }
#pragma GCC unroll 8
    for (int f = 0; f < F; f++)
#pragma GCC unroll 8
        for (int p = 0; p < P; p++) out[f * plane + p] = acc[f][p];
}

#define TILE_OF(F, P) \
    static void tile_##F##_##P(int columns, const float *weight, const int32_t *offset, const vec *in, vec *out, \
                               long plane) \
    { \
        tile(F, P, columns, weight, offset, in, out, plane); \
    }
#define TILES_OF(F) \
    TILE_OF(F, 1) TILE_OF(F, 2) TILE_OF(F, 3) TILE_OF(F, 4) TILE_OF(F, 5) TILE_OF(F, 6) TILE_OF(F, 7) TILE_OF(F, 8)
#define ROW_OF(F) \
    {tile_##F##_1, tile_##F##_2, tile_##F##_3, tile_##F##_4, tile_##F##_5, tile_##F##_6, tile_##F##_7, tile_##F##_8}
TILES_OF(1) TILES_OF(2) TILES_OF(3) TILES_OF(4)
typedef void (*TileFunction)(int, const float *, const int32_t *, const vec *, vec *, long);
static const TileFunction TILES[MOST_FILTERS][MOST_PLACES] = {ROW_OF(1), ROW_OF(2), ROW_OF(3), ROW_OF(4)};

static int filters_of(int left) { return left < MOST_FILTERS ? left : MOST_FILTERS; }

/* Correlate `in`, from its outermost margin on, with packed weights. */
static void correlate(Shape in, const vec *from, int columns, const int32_t *offset, const float *packed, Shape out,
                      vec *to)
{
    int rows = out.height, width = out.width;
    const long in_row = row_of(in), out_row = row_of(out), plane = plane_of(out);
    if (in_row == out_row && out.margin == 0) width *= rows, rows = 1;
    for (int y = 0; y < rows; y++) {
        const vec *in_line = from + y * in_row;
        vec *out_line = to + inside(out) + y * out_row;
        for (int f = 0; f < out.channels; f += MOST_FILTERS) {
            const int filters = filters_of(out.channels - f);
            const int most = TILE / filters < MOST_PLACES ? TILE / filters : MOST_PLACES;
            const int tiles = (width + most - 1) / most;
            for (int t = 0, x = 0; t < tiles; t++) {
                const int places = (width - x) / (tiles - t);
                TILES[filters - 1][places - 1](columns, packed + (long)f * columns, offset, in_line + x,
                                               out_line + f * plane + x, plane);
                x += places;
            }
        }
    }
}

/* Have a value in a register: compilers would read it from memory for each use, and reading is what limits the sums. */
#if defined(__x86_64__)
#define HOLD(value) __asm__("" : "+v"(value))
#else
#define HOLD(value) (void)(value)
#endif

/* sums[f][t] += sum over rows and places of slope[f] * in[offset[t]]. */
INLINE void weight_tile(const int F, const int T, int columns, const int32_t *offset, const vec *in, long in_row,
                        const vec *slope, long row, long plane, int rows, int width, vec *sums)
{
    vec acc[MOST_FILTERS][MOST_TAPS];
    const vec *from[MOST_TAPS];
#pragma GCC unroll 8
    for (int f = 0; f < F; f++)
#pragma GCC unroll 8
        for (int t = 0; t < T; t++) acc[f][t] = sums[(long)f * columns + t];
    for (int y = 0; y < rows; y++) {
#pragma GCC unroll 8
        for (int t = 0; t < T; t++) from[t] = in + offset[t] + y * in_row;
        const vec *line = slope + y * row;
        for (int x = 0; x < width; x++) {
            vec map[MOST_TAPS];
#pragma GCC unroll 8
            for (int t = 0; t < T; t++) {
                map[t] = from[t][x];
                HOLD(map[t]);
            }
#pragma GCC unroll 8
            for (int f = 0; f < F; f++) {
                vec times = line[f * plane + x];
                HOLD(times);
#pragma GCC unroll 8
                for (int t = 0; t < T; t++) acc[f][t] += times * map[t];
            }
        }
    }
#pragma GCC unroll 8
    for (int f = 0; f < F; f++)
#pragma GCC unroll 8
        for (int t = 0; t < T; t++) sums[(long)f * columns + t] = acc[f][t];
}

#define WEIGHT_TILE_OF(F, T) \
    static void weight_tile_##F##_##T(int columns, const int32_t *offset, const vec *in, long in_row, \
                                      const vec *slope, long row, long plane, int rows, int width, vec *sums) \
    { \
        weight_tile(F, T, columns, offset, in, in_row, slope, row, plane, rows, width, sums); \
    }
#if MOST_TAPS == 6
#define WEIGHT_TILES_OF(F) \
    WEIGHT_TILE_OF(F, 1) WEIGHT_TILE_OF(F, 2) WEIGHT_TILE_OF(F, 3) WEIGHT_TILE_OF(F, 4) WEIGHT_TILE_OF(F, 5) \
    WEIGHT_TILE_OF(F, 6)
#define WEIGHT_ROW_OF(F) \
    {weight_tile_##F##_1, weight_tile_##F##_2, weight_tile_##F##_3, weight_tile_##F##_4, weight_tile_##F##_5, \
     weight_tile_##F##_6}
#else
#define WEIGHT_TILES_OF(F) WEIGHT_TILE_OF(F, 1) WEIGHT_TILE_OF(F, 2) WEIGHT_TILE_OF(F, 3)
#define WEIGHT_ROW_OF(F) {weight_tile_##F##_1, weight_tile_##F##_2, weight_tile_##F##_3}
#endif
WEIGHT_TILES_OF(1) WEIGHT_TILES_OF(2) WEIGHT_TILES_OF(3) WEIGHT_TILES_OF(4)
typedef void (*WeightFunction)(int, const int32_t *, const vec *, long, const vec *, long, long, int, int, vec *);
static const WeightFunction WEIGHT_TILES[MOST_FILTERS][MOST_TAPS] = {WEIGHT_ROW_OF(1), WEIGHT_ROW_OF(2),
                                                                     WEIGHT_ROW_OF(3), WEIGHT_ROW_OF(4)};
#define STRIP 96 /* places whose maps and slopes the first cache holds */

/* Add to the sums of the weights of filters whose gradients are `gradient`, that read `from`. */
static void add_slopes(const Op *op, Shape in, const vec *from, Shape slope, const vec *gradient, vec *sums)
{
    int height = slope.height, width = slope.width;
    const long in_row = row_of(in), row = row_of(slope), plane = plane_of(slope);
    if (in_row == row && slope.margin == 0) width *= height, height = 1;
    const int strip = width >= STRIP ? 1 : STRIP / width;
    for (int y = 0; y < height; y += strip) {
        const int rows = height - y < strip ? height - y : strip;
        for (int f = 0; f < slope.channels; f += MOST_FILTERS) {
            const int filters = filters_of(slope.channels - f);
            const vec *line = gradient + inside(slope) + f * plane + y * row;
            for (int k = 0; k < op->columns; k += MOST_TAPS) {
                const int taps = op->columns - k < MOST_TAPS ? op->columns - k : MOST_TAPS;
                WEIGHT_TILES[filters - 1][taps - 1](op->columns, op->offset + k, from + y * in_row, in_row, line, row,
                                                    plane, rows, width, sums + (long)f * op->columns + k);
            }
        }
    }
}

static void weight_slopes(const Op *op, const vec *from)
{
    const Shape slope = op->slope;
    const Group group = group_of(op);
    for (int g = 0; g < op->layer.groups; g++)
        add_slopes(op, group.in, from + g * volume_of(group.in), group.slope, op->gradient + g * volume_of(group.slope),
                   op->sums + (long)g * group.slope.channels * op->columns);
    if (!op->layer.bias) return;
    for (int f = 0; f < slope.channels; f++) {
        vec sum = op->bias_sums[f];
        for (int y = 0; y < slope.height; y++) {
            const vec *line = op->gradient + inside(slope) + f * plane_of(slope) + y * row_of(slope);
            for (int x = 0; x < slope.width; x++) sum += line[x];
        }
        op->bias_sums[f] = sum;
    }
}

static void set_offsets(int32_t *offset, int kernel, Shape in)
{
    for (int c = 0; c < in.channels; c++)
        for (int y = 0; y < kernel; y++)
            for (int x = 0; x < kernel; x++) *offset++ = (int32_t)(c * plane_of(in) + y * row_of(in) + x);
}

/* packed[block of filters][k][filter of the block], of one group */
static void pack_group(const Op *op, Group group, const float *weight, float *to, float *back)
{
    const int filters = group.slope.channels, channels = group.in.channels, taps = op->layer.kernel * op->layer.kernel;
    for (int first = 0; first < filters; first += MOST_FILTERS)
        for (int k = 0; k < op->columns; k++)
            for (int f = first; f < first + filters_of(filters - first); f++)
                *to++ = weight[(long)f * op->columns + k];
    for (int first = 0; first < channels; first += MOST_FILTERS)
        for (int f = 0; f < filters; f++)
            for (int tap = 0; tap < taps; tap++)
                for (int c = first; c < first + filters_of(channels - first); c++)
                    *back++ = weight[((long)f * channels + c) * taps + taps - 1 - tap];
}

static void pack(Op *op, const float *weight)
{
    const Group group = group_of(op);
    const long weights = (long)group.slope.channels * op->columns;
    for (int g = 0; g < op->layer.groups; g++)
        pack_group(op, group, weight + g * weights, op->packed + g * weights, op->back_packed + g * weights);
}

/* The gradient of what a convolution takes in, of the shape `slope`. */
static void conv_backward(const Op *op, vec *to, Shape slope)
{
    const Group group = group_of(op);
    slope.channels = group.in.channels;
    for (int g = 0; g < op->layer.groups; g++)
        correlate(group.slope, op->gradient + g * volume_of(group.slope), op->back_columns, op->back_offset,
                  op->back_packed + (long)g * slope.channels * op->back_columns, slope, to + g * volume_of(slope));
}

static void conv_forward(const Program *program, const Op *op, const vec *from, vec *to)
{
    const Group group = group_of(op);
    for (int g = 0; g < op->layer.groups; g++)
        correlate(group.in, from + g * volume_of(group.in), op->columns, op->offset,
                  op->packed + (long)g * group.out.channels * op->columns, group.out, to + g * volume_of(group.out));
    if (!op->layer.bias && !op->layer.relu) return;
    const float *bias = program->values + op->layer.first + (long)op->layer.filters * op->columns;
    for (int f = 0; f < op->out.channels; f++) {
        const vec add = splat(op->layer.bias ? bias[f] : 0);
        for (int y = 0; y < op->out.height; y++) {
            vec *line = to + inside(op->out) + f * plane_of(op->out) + y * row_of(op->out);
            for (int x = 0; x < op->out.width; x++) {
                const vec value = line[x] + add;
                line[x] = op->layer.relu ? positive(value) : value;
            }
        }
    }
}
