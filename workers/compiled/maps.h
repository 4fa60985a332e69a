/* Feature maps of a block of images, one image in each lane of a vector, and what a program is made of. */

#pragma once

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

#if defined(__AVX512F__)
#define IMAGES 16
#define TILE 24 /* accumulators that the registers hold */
#define MOST_TAPS 6
#elif defined(__AVX__)
#define IMAGES 8
#define TILE 12
#define MOST_TAPS 3
#else
#define IMAGES 4
#define TILE 12
#define MOST_TAPS 3
#endif
#define MOST_FILTERS 4 /* of a tile */
#define MOST_PLACES 8

typedef float vec __attribute__((vector_size(4 * IMAGES)));
typedef int32_t ivec __attribute__((vector_size(4 * IMAGES)));

enum { CONV, NORM, RELU, DROPOUT, POOL, MEAN, FLAT };

typedef struct { /* as engine.py fills it in */
    int32_t kind;
    int32_t channels, height, width; /* of what it takes in */
    int32_t filters, kernel, padding, groups, bias; /* of a convolution; a group of channels has filters of its own */
    int32_t relu; /* whether a convolution of one group, or a norm, ends in a ReLU */
    float rate; /* of dropout */
    float eps, momentum; /* of a norm */
    int64_t first; /* place of its parameters: weights and biases, or scales and shifts */
    int64_t running; /* place of a norm's running means and variances */
} Layer;

enum { MUON, ADAM, SGD };

typedef struct {
    int32_t kind; /* of optimiser */
    int32_t matrix; /* whether it is the weight of a convolution */
    int32_t rows;
    int64_t first, count;
} Parameter;

typedef struct { /* maps of a block, with a margin of zeros around each */
    int channels, height, width, margin;
} Shape;

typedef struct {
    Layer layer;
    Shape in, out, slope; /* `slope` is the shape of the gradient of what it puts out */
    vec *value; /* what it puts out, for one block; NULL where that is kept for the batch */
    vec *gradient; /* of what it puts out, for one block */
    /* of a convolution */
    int columns, back_columns; /* that one filter reads, and that read one channel */
    int32_t *offset, *back_offset;
    float *packed, *back_packed;
    vec *sums, *bias_sums;
    /* of a norm */
    float *pivot, *scale, *shift, *mean, *inverse, *by_value, *constant;
    double *total, *square;
} Op;

typedef struct {
    int first, last; /* its operations, both included */
    Shape shape; /* of what is kept */
    vec *kept;
} Segment;

typedef struct {
    int ops, segments, parameters, batch, blocks, classes;
    int64_t count; /* of all parameters */
    Op *op;
    Segment *segment;
    Parameter *parameter;
    Shape image;
    vec *images;
    vec *slopes[2]; /* gradients of what two neighbouring segments keep */
    float *values, *gradients, *momentum, *square, *running, *mask, *scratch;
    int32_t *labels;
    vec last_block; /* 1 in the lanes that hold images, in the last block */
    uint64_t seed, step;
    float *padded; /* one image with margins, for the augmentation */
} Program;

static inline long row_of(Shape s) { return s.width + 2 * s.margin; }
static inline long plane_of(Shape s) { return row_of(s) * (s.height + 2 * s.margin); }
static inline long volume_of(Shape s) { return plane_of(s) * s.channels; }
static inline long inside(Shape s) { return s.margin * row_of(s) + s.margin; }

static inline vec splat(float value)
{
    return value - (vec){0};
}

static inline vec chosen(ivec mask, vec value) { return (vec)(mask & (ivec)value); }
static inline vec positive(vec value) { return chosen(~(value < 0), value); } /* NaN stays */

static float lanes_sum(vec value)
{
    float sum = 0;
    for (int i = 0; i < IMAGES; i++) sum += value[i];
    return sum;
}

static void *zeroed(size_t bytes)
{
    void *found = aligned_alloc(64, (bytes + 127) / 64 * 64);
    return found ? memset(found, 0, (bytes + 127) / 64 * 64) : NULL;
}

/* All rows of a map: `c` is the channel, `y` the row. */
#define OVER(shape) \
    for (int c = 0; c < (shape).channels; c++) \
        for (int y = 0; y < (shape).height; y++)
#define LINE(base, shape) ((base) + inside(shape) + c * plane_of(shape) + y * row_of(shape))
