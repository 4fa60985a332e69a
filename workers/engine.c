/* Whole training steps of a small network on one core: augmentation, forward, backward and the optimisers.

   Images lie side by side in the lanes of a vector: a block is IMAGES images, a feature map of a block is
   channels x height x width vectors. So every loop is one over whole vectors, whatever the number of channels and the size
   of a map, and nothing is gathered, transposed or left over.

   A convolution is a product of its weights with the shifted maps, its columns: acc[f][p] += weight[f][k] * map[k][p], in tiles
   of filters and places that fill the registers. Its backward passes are the same: by inputs with the weights turned
   round, by weights with sums over places.

   The layers are cut into segments, each of which ends with a convolution or before a batch norm, since a norm needs what all
   blocks put out. Only what a segment puts out is kept for a whole batch; everything between is made for one block, stays
   in the cache, and is made again for the backward pass. So a map crosses the memory some six times a step.

   Compiled at run time beside kernels.c, whose step of Muon it takes. */

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

void muon_step_float32(int filters, int length, float *weight, const float *gradient, float *momentum, float keep,
                       float rate, int iterations, float a, float b, float c, float smallest, float *scratch);

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
    int32_t filters, kernel, padding, bias; /* of a convolution */
    int32_t relu; /* whether a convolution or a norm ends in a ReLU */
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
    int columns;
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

/* ---- maps ---- */

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

/* ---- convolutions ---- */

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
            for (int t = 0; t < T; t++) map[t] = from[t][x];
#pragma GCC unroll 8
            for (int f = 0; f < F; f++) {
                const vec times = line[f * plane + x];
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

static void weight_slopes(const Op *op, const vec *from)
{
    const Shape in = op->in, slope = op->slope;
    int height = slope.height, width = slope.width;
    const long in_row = row_of(in), row = row_of(slope), plane = plane_of(slope);
    if (in_row == row && slope.margin == 0) width *= height, height = 1;
    const int strip = width >= STRIP ? 1 : STRIP / width;
    for (int y = 0; y < height; y += strip) {
        const int rows = height - y < strip ? height - y : strip;
        for (int f = 0; f < slope.channels; f += MOST_FILTERS) {
            const int filters = filters_of(slope.channels - f);
            const vec *line = op->gradient + inside(slope) + f * plane + y * row;
            for (int k = 0; k < op->columns; k += MOST_TAPS) {
                const int taps = op->columns - k < MOST_TAPS ? op->columns - k : MOST_TAPS;
                WEIGHT_TILES[filters - 1][taps - 1](op->columns, op->offset + k, from + y * in_row, in_row, line, row,
                                                    plane, rows, width, op->sums + (long)f * op->columns + k);
            }
        }
    }
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

static void set_offsets(int32_t *offset, int channels, int kernel, Shape in)
{
    for (int c = 0; c < channels; c++)
        for (int y = 0; y < kernel; y++)
            for (int x = 0; x < kernel; x++) *offset++ = (int32_t)(c * plane_of(in) + y * row_of(in) + x);
}

/* packed[block of filters][k][filter of the block] */
static void pack(Op *op, const float *weight)
{
    const int filters = op->layer.filters, channels = op->layer.channels, taps = op->layer.kernel * op->layer.kernel;
    float *to = op->packed;
    for (int first = 0; first < filters; first += MOST_FILTERS)
        for (int k = 0; k < op->columns; k++)
            for (int f = first; f < first + filters_of(filters - first); f++)
                *to++ = weight[(long)f * op->columns + k];
    to = op->back_packed;
    for (int first = 0; first < channels; first += MOST_FILTERS)
        for (int f = 0; f < filters; f++)
            for (int tap = 0; tap < taps; tap++)
                for (int c = first; c < first + filters_of(channels - first); c++)
                    *to++ = weight[((long)f * channels + c) * taps + taps - 1 - tap];
}

static void conv_forward(const Program *program, const Op *op, const vec *from, vec *to)
{
    correlate(op->in, from, op->columns, op->offset, op->packed, op->out, to);
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

/* ---- what has no convolution ---- */

/* Run `body` over all places of a map: `c` is its channel, `x` a place in a row of what goes in, what comes out, ... */
#define OVER(shape) \
    for (int c = 0; c < (shape).channels; c++) \
        for (int y = 0; y < (shape).height; y++)
#define LINE(base, shape) ((base) + inside(shape) + c * plane_of(shape) + y * row_of(shape))

static void norm_forward(const Op *op, const vec *from, vec *to)
{
    OVER(op->in)
    {
        const vec *in = LINE(from, op->in);
        vec *out = LINE(to, op->out);
        const vec scale = splat(op->scale[c]), shift = splat(op->shift[c]);
        if (op->layer.relu)
            for (int x = 0; x < op->in.width; x++) out[x] = positive(in[x] * scale + shift);
        else
            for (int x = 0; x < op->in.width; x++) out[x] = in[x] * scale + shift;
    }
}

static void relu_forward(const Op *op, const vec *from, vec *to)
{
    OVER(op->in)
    {
        const vec *in = LINE(from, op->in);
        vec *out = LINE(to, op->out);
        for (int x = 0; x < op->in.width; x++) out[x] = positive(in[x]);
    }
}

static void pool_forward(const Op *op, const vec *from, vec *to)
{
    const long row = row_of(op->in);
    OVER(op->out)
    {
        const vec *in = from + inside(op->in) + c * plane_of(op->in) + 2 * y * row;
        vec *out = LINE(to, op->out);
        for (int x = 0; x < op->out.width; x++) {
            const vec a = in[2 * x], b = in[2 * x + 1], d = in[row + 2 * x], e = in[row + 2 * x + 1];
            const ivec first = ~(a < b), second = ~(d < e);
            const vec top = (vec)((first & (ivec)a) | (~first & (ivec)b));
            const vec low = (vec)((second & (ivec)d) | (~second & (ivec)e));
            const ivec upper = ~(top < low);
            out[x] = (vec)((upper & (ivec)top) | (~upper & (ivec)low));
        }
    }
}

static void mean_forward(const Op *op, const vec *from, vec *to)
{
    for (int c = 0; c < op->in.channels; c++) {
        vec sum = {0};
        for (int y = 0; y < op->in.height; y++) {
            const vec *in = LINE(from, op->in);
            for (int x = 0; x < op->in.width; x++) sum += in[x];
        }
        to[inside(op->out) + c * plane_of(op->out)] = sum * splat(1.0f / (op->in.height * op->in.width));
    }
}

static void flat_forward(const Op *op, const vec *from, vec *to)
{
    OVER(op->in)
    memcpy(to + ((long)c * op->in.height + y) * op->in.width, LINE(from, op->in), sizeof(vec) * op->in.width);
}

/* Random bits of one place: Steele et al., "Fast splittable pseudorandom number generators" (2014), then xorshift. */
static uint64_t mixed(uint64_t bits)
{
    bits += 0x9e3779b97f4a7c15u;
    bits = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9u;
    bits = (bits ^ (bits >> 27)) * 0x94d049bb133111ebu;
    return bits ^ (bits >> 31);
}

static void drop(const Program *program, const Op *op, int block, const vec *from, Shape in, vec *to, Shape out)
{
    typedef uint32_t uvec __attribute__((vector_size(4 * IMAGES)));
    uvec state;
    const uint64_t key = mixed(program->seed ^ mixed(program->step)) + (uint64_t)(op - program->op) * 65536 + block;
    for (int i = 0; i < IMAGES; i++) state[i] = (uint32_t)mixed(key * 64 + i) | 1;
    const int32_t least = (int32_t)(op->layer.rate * 2147483648.0);
    const vec kept = splat(1 / (1 - op->layer.rate));
    OVER(in)
    {
        const vec *line = LINE(from, in);
        vec *result = LINE(to, out);
        for (int x = 0; x < in.width; x++) {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            const ivec drawn = (ivec)(state >> 1);
            result[x] = chosen(drawn >= least, line[x] * kept);
        }
    }
}

static void pool_backward(const Op *op, const vec *from, vec *to, Shape slope)
{
    const long row = row_of(op->in), to_row = row_of(slope);
    for (int c = 0; c < slope.channels; c++) {
        if (op->in.height & 1)
            memset(to + inside(slope) + c * plane_of(slope) + (op->in.height - 1) * to_row, 0,
                   sizeof(vec) * op->in.width);
        for (int y = 0; y < op->out.height; y++) {
            const vec *in = from + inside(op->in) + c * plane_of(op->in) + 2 * y * row;
            const vec *gradient = LINE(op->gradient, op->slope);
            vec *out = to + inside(slope) + c * plane_of(slope) + 2 * y * to_row;
            for (int x = 0; x < op->out.width; x++) {
                const vec a = in[2 * x], b = in[2 * x + 1], d = in[row + 2 * x], e = in[row + 2 * x + 1];
                const ivec is_a = ~(a < b), is_d = ~(d < e);
                const vec top = (vec)((is_a & (ivec)a) | (~is_a & (ivec)b));
                const vec low = (vec)((is_d & (ivec)d) | (~is_d & (ivec)e));
                const ivec upper = ~(top < low);
                out[2 * x] = chosen(upper & is_a, gradient[x]);
                out[2 * x + 1] = chosen(upper & ~is_a, gradient[x]);
                out[to_row + 2 * x] = chosen(~upper & is_d, gradient[x]);
                out[to_row + 2 * x + 1] = chosen(~upper & ~is_d, gradient[x]);
            }
            if (op->in.width & 1) out[op->in.width - 1] = out[to_row + op->in.width - 1] = (vec){0};
        }
    }
}

static void mean_backward(const Op *op, vec *to, Shape slope)
{
    const vec share = splat(1.0f / (op->in.height * op->in.width));
    OVER(slope)
    {
        const vec value = op->gradient[inside(op->slope) + c * plane_of(op->slope)] * share;
        vec *out = LINE(to, slope);
        for (int x = 0; x < slope.width; x++) out[x] = value;
    }
}

static void flat_backward(const Op *op, vec *to, Shape slope)
{
    OVER(slope)
    memcpy(LINE(to, slope), op->gradient + ((long)c * slope.height + y) * slope.width, sizeof(vec) * slope.width);
}

static void relu_backward(const Op *op, const vec *from, vec *to, Shape slope)
{
    OVER(slope)
    {
        const vec *in = LINE(from, op->in), *gradient = LINE(op->gradient, op->slope);
        vec *out = LINE(to, slope);
        for (int x = 0; x < slope.width; x++) out[x] = chosen(in[x] > 0, gradient[x]);
    }
}

/* ---- batch norms ---- */

static vec lanes_of(const Program *program, int block)
{
    return block == program->blocks - 1 ? program->last_block : splat(1);
}

/* The mean of one channel of a block: near that of the batch, so that differences from it keep their digits. */
static float pivot_of(Shape shape, const vec *kept, int c)
{
    vec sum = {0};
    for (int y = 0; y < shape.height; y++) {
        const vec *in = LINE(kept, shape);
        for (int x = 0; x < shape.width; x++) sum += in[x];
    }
    return lanes_sum(sum) / (IMAGES * shape.height * shape.width);
}

/* Take a block's maps into the sums over the batch. */
static void measure(const Program *program, Op *norm, int block, const vec *kept)
{
    const vec lanes = lanes_of(program, block);
    for (int c = 0; c < norm->in.channels; c++) {
        if (block == 0) {
            norm->pivot[c] = pivot_of(norm->in, kept, c);
            norm->total[c] = norm->square[c] = 0;
        }
        const vec pivot = splat(norm->pivot[c]);
        vec sum = {0}, square = {0};
        for (int y = 0; y < norm->in.height; y++) {
            const vec *in = LINE(kept, norm->in);
            for (int x = 0; x < norm->in.width; x++) {
                const vec value = (in[x] - pivot) * lanes;
                sum += value;
                square += value * value;
            }
        }
        norm->total[c] += lanes_sum(sum);
        norm->square[c] += lanes_sum(square);
    }
}

static void settle_moments(Program *program, Op *norm)
{
    const int channels = norm->in.channels;
    const double count = (double)program->batch * norm->in.height * norm->in.width;
    const float *gamma = program->values + norm->layer.first, *beta = gamma + channels;
    float *means = program->running + norm->layer.running, *variances = means + channels;
    for (int c = 0; c < channels; c++) {
        const double off = norm->total[c] / count, spread = norm->square[c] / count - off * off;
        const double variance = spread < 0 ? 0 : spread;
        norm->mean[c] = (float)(norm->pivot[c] + off);
        norm->inverse[c] = (float)(1 / sqrt(variance + norm->layer.eps));
        norm->scale[c] = gamma[c] * norm->inverse[c];
        norm->shift[c] = beta[c] - norm->mean[c] * norm->scale[c];
        means[c] += norm->layer.momentum * (norm->mean[c] - means[c]);
        variances[c] += norm->layer.momentum * ((float)(variance * (count / (count - 1))) - variances[c]);
        norm->total[c] = norm->square[c] = 0; /* for the backward pass */
    }
}

static void use_running(Program *program, Op *norm)
{
    const int channels = norm->in.channels;
    const float *gamma = program->values + norm->layer.first, *beta = gamma + channels;
    const float *means = program->running + norm->layer.running, *variances = means + channels;
    for (int c = 0; c < channels; c++) {
        norm->scale[c] = gamma[c] / sqrtf(variances[c] + norm->layer.eps);
        norm->shift[c] = beta[c] - means[c] * norm->scale[c];
    }
}

/* The gradient of what the norm puts out, past its ReLU, kept for the batch; and its sums. */
static void norm_backward(Op *norm, const vec *kept, vec *to, Shape flat)
{
    for (int c = 0; c < norm->in.channels; c++) {
        const vec scale = splat(norm->scale[c]), shift = splat(norm->shift[c]), mean = splat(norm->mean[c]);
        vec sum = {0}, with_value = {0};
        for (int y = 0; y < norm->in.height; y++) {
            const vec *in = LINE(kept, norm->in), *gradient = LINE(norm->gradient, norm->slope);
            vec *out = LINE(to, flat);
            for (int x = 0; x < norm->in.width; x++) {
                vec value = gradient[x];
                if (norm->layer.relu) value = chosen(in[x] * scale + shift > 0, value);
                out[x] = value;
                sum += value;
                with_value += value * (in[x] - mean);
            }
        }
        norm->total[c] += lanes_sum(sum);
        norm->square[c] += lanes_sum(with_value);
    }
}

/* d in = scale * d out + by_value * (in - mean) + constant */
static void settle_slopes(Program *program, Op *norm)
{
    const int channels = norm->in.channels;
    const double count = (double)program->batch * norm->in.height * norm->in.width;
    float *gamma = program->gradients + norm->layer.first, *beta = gamma + channels;
    for (int c = 0; c < channels; c++) {
        gamma[c] = (float)(norm->square[c] * norm->inverse[c]);
        beta[c] = (float)norm->total[c];
        norm->by_value[c] = (float)(-norm->scale[c] * norm->inverse[c] * gamma[c] / count);
        norm->constant[c] = (float)(-norm->scale[c] * beta[c] / count);
    }
}

/* ---- segments ---- */

static Op *norm_after(Program *program, int segment)
{
    if (segment + 1 >= program->segments) return NULL;
    Op *op = program->op + program->segment[segment + 1].first;
    return op->layer.kind == NORM ? op : NULL;
}

static vec *kept_by(Program *program, int segment, int block)
{
    const Shape shape = segment < 0 ? program->image : program->segment[segment].shape;
    return (segment < 0 ? program->images : program->segment[segment].kept) + block * volume_of(shape);
}

static void forward_op(Program *program, Op *op, int block, int training, const vec *from, vec *to)
{
    switch (op->layer.kind) {
    case CONV: conv_forward(program, op, from, to); return;
    case NORM: norm_forward(op, from, to); return;
    case RELU: relu_forward(op, from, to); return;
    case POOL: pool_forward(op, from, to); return;
    case MEAN: mean_forward(op, from, to); return;
    case FLAT: flat_forward(op, from, to); return;
    default:
        if (training) {
            drop(program, op, block, from, op->in, to, op->out);
            return;
        }
        OVER(op->in) memcpy(LINE(to, op->out), LINE(from, op->in), sizeof(vec) * op->in.width);
    }
}

/* The operations of a segment on one block, up to `last`. */
static void run_ops(Program *program, int segment, int last, int block, int training)
{
    const vec *from = kept_by(program, segment - 1, block);
    for (int i = program->segment[segment].first; i <= last; i++) {
        Op *op = program->op + i;
        vec *to = op->value ? op->value : kept_by(program, segment, block);
        forward_op(program, op, block, training, from, to);
        from = to;
    }
}

static void forward(Program *program, int training)
{
    for (int i = 0; i < program->ops; i++) {
        Op *op = program->op + i;
        if (op->layer.kind == CONV) pack(op, program->values + op->layer.first);
        if (op->layer.kind == NORM && !training) use_running(program, op);
    }
    for (int s = 0; s < program->segments; s++) {
        Op *norm = training ? norm_after(program, s) : NULL;
        for (int block = 0; block < program->blocks; block++) {
            run_ops(program, s, program->segment[s].last, block, training);
            if (norm) measure(program, norm, block, kept_by(program, s, block));
        }
        if (norm) settle_moments(program, norm);
    }
}

static Shape flat(Shape shape)
{
    shape.margin = 0;
    return shape;
}

/* The gradient of what a segment puts out, for one block: through the norm after it and the ReLU of its convolution. */
static void enter(Program *program, int segment, int block, const vec *slopes)
{
    const Segment *this = program->segment + segment;
    Op *op = program->op + this->last;
    const Op *norm = norm_after(program, segment);
    const Shape shape = this->shape, plain = flat(shape);
    const vec *kept = kept_by(program, segment, block), *slope = slopes + block * volume_of(plain);
    const vec lanes = lanes_of(program, block);
    OVER(plain)
    {
        const vec *value = LINE(kept, shape), *in = LINE(slope, plain);
        vec *out = LINE(op->gradient, op->slope);
        const vec scale = splat(norm ? norm->scale[c] : 1), by = splat(norm ? norm->by_value[c] : 0);
        const vec mean = splat(norm ? norm->mean[c] : 0), add = splat(norm ? norm->constant[c] : 0);
        for (int x = 0; x < plain.width; x++) {
            const vec found = norm ? (in[x] * scale + (value[x] - mean) * by + add) * lanes : in[x];
            out[x] = op->layer.relu && op->layer.kind == CONV ? chosen(value[x] > 0, found) : found;
        }
    }
}

static void backward_op(Program *program, Op *op, int block, const vec *from, vec *to, Shape slope)
{
    switch (op->layer.kind) {
    case CONV:
        correlate(op->slope, op->gradient, op->layer.filters * op->layer.kernel * op->layer.kernel, op->back_offset,
                  op->back_packed, slope, to);
        return;
    case NORM: norm_backward(op, from, to, slope); return;
    case RELU: relu_backward(op, from, to, slope); return;
    case POOL: pool_backward(op, from, to, slope); return;
    case MEAN: mean_backward(op, to, slope); return;
    case FLAT: flat_backward(op, to, slope); return;
    default: drop(program, op, block, op->gradient, op->slope, to, slope);
    }
}

static void backward_segment(Program *program, int segment, int block, const vec *slopes, vec *before)
{
    const Segment *this = program->segment + segment;
    run_ops(program, segment, this->last - 1, block, 1);
    enter(program, segment, block, slopes);
    for (int i = this->last; i >= this->first; i--) {
        Op *op = program->op + i;
        const int is_first = i == this->first;
        const vec *from = is_first ? kept_by(program, segment - 1, block) : op[-1].value;
        if (op->layer.kind == CONV) weight_slopes(op, from);
        if (is_first && segment == 0 && op->layer.kind != NORM) return; /* nobody asks for the images' gradient */
        const Shape slope = is_first ? flat(op->in) : op[-1].slope;
        vec *to = is_first ? before + block * volume_of(slope) : op[-1].gradient;
        backward_op(program, op, block, from, to, slope);
    }
}

static void backward(Program *program)
{
    for (int i = 0; i < program->ops; i++) {
        Op *op = program->op + i;
        if (op->layer.kind != CONV) continue;
        memset(op->sums, 0, sizeof(vec) * op->layer.filters * op->columns);
        memset(op->bias_sums, 0, sizeof(vec) * op->layer.filters);
    }
    for (int s = program->segments - 1; s >= 0; s--) {
        for (int block = 0; block < program->blocks; block++)
            backward_segment(program, s, block, program->slopes[s & 1], program->slopes[(s + 1) & 1]);
        Op *first = program->op + program->segment[s].first;
        if (first->layer.kind == NORM) settle_slopes(program, first);
    }
    for (int i = 0; i < program->ops; i++) {
        const Op *op = program->op + i;
        if (op->layer.kind != CONV) continue;
        float *weight = program->gradients + op->layer.first;
        const long count = (long)op->layer.filters * op->columns;
        for (long k = 0; k < count; k++) weight[k] = lanes_sum(op->sums[k]);
        for (int f = 0; op->layer.bias && f < op->layer.filters; f++) weight[count + f] = lanes_sum(op->bias_sums[f]);
    }
}

/* Mean cross-entropy with smoothed labels; leaves the gradient of the logits. */
static float loss_of(Program *program, float smoothing)
{
    const int last = program->segments - 1, classes = program->classes;
    double loss = 0;
    for (int block = 0; block < program->blocks; block++) {
        const vec *logits = kept_by(program, last, block);
        vec *slope = program->slopes[last & 1] + (long)block * classes;
        for (int lane = 0; lane < IMAGES; lane++) {
            const int image = block * IMAGES + lane;
            float top = logits[0][lane], sum = 0, all = 0;
            for (int k = 1; k < classes; k++) top = logits[k][lane] > top ? logits[k][lane] : top;
            for (int k = 0; k < classes; k++) sum += expf(logits[k][lane] - top);
            const float log_sum = logf(sum) + top;
            for (int k = 0; k < classes; k++) {
                const float target = smoothing / classes + (k == program->labels[image] ? 1 - smoothing : 0);
                all += target * (log_sum - logits[k][lane]);
                slope[k][lane] = (expf(logits[k][lane] - log_sum) - target) / program->batch;
            }
            if (image < program->batch) loss += all;
            else
                for (int k = 0; k < classes; k++) slope[k][lane] = 0;
        }
    }
    return (float)(loss / program->batch);
}

/* ---- images ---- */

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

/* ---- optimisers ---- */

#define FIRST_MOMENT 0.9f
#define SECOND_MOMENT 0.999f
#define ADAM_EPSILON 1e-8f

/* Kingma and Ba, "Adam" (2015), as torch.optim.Adam has it. */
static void adam(Program *program, const Parameter *parameter, float rate)
{
    const double step = (double)program->step + 1;
    const float first = (float)(1 - pow(FIRST_MOMENT, step)), second = (float)sqrt(1 - pow(SECOND_MOMENT, step));
    for (long i = parameter->first; i < parameter->first + parameter->count; i++) {
        const float gradient = program->gradients[i];
        program->momentum[i] += (1 - FIRST_MOMENT) * (gradient - program->momentum[i]);
        program->square[i] = SECOND_MOMENT * program->square[i] + (1 - SECOND_MOMENT) * gradient * gradient;
        program->values[i] -= rate / first * program->momentum[i] / (sqrtf(program->square[i]) / second + ADAM_EPSILON);
    }
}

static void sgd(Program *program, const Parameter *parameter, float rate, float momentum)
{
    for (long i = parameter->first; i < parameter->first + parameter->count; i++) {
        program->momentum[i] = momentum * program->momentum[i] + program->gradients[i];
        program->values[i] -= rate * program->momentum[i];
    }
}

typedef struct { /* how values change, as engine.py fills it in */
    float momentum; /* of Muon and SGD */
    float decay; /* times the values, added to the gradients */
    float a, b, c, smallest; /* of Muon, as muon.py has them */
    int32_t iterations;
    float smoothing; /* of labels */
} Rule;

static void optimise(Program *program, const Rule *rule, float matrix_rate, float other_rate)
{
    for (long i = 0; rule->decay && i < program->count; i++)
        program->gradients[i] += rule->decay * program->values[i];
    for (int i = 0; i < program->parameters; i++) {
        const Parameter *p = program->parameter + i;
        const float rate = p->matrix ? matrix_rate : other_rate;
        switch (p->kind) {
        case ADAM: adam(program, p, rate); break;
        case SGD: sgd(program, p, rate, rule->momentum); break;
        default:
            muon_step_float32(p->rows, (int)(p->count / p->rows), program->values + p->first,
                              program->gradients + p->first, program->momentum + p->first, rule->momentum, rate,
                              rule->iterations, rule->a, rule->b, rule->c, rule->smallest, program->scratch);
        }
    }
    for (long i = 0; program->mask && i < program->count; i++) program->values[i] *= program->mask[i];
}

/* ---- what engine.py calls ---- */

/* What all calls take: images (uint8, N x C x H x W), their labels, and what normalises each channel. */
typedef struct {
    const uint8_t *images;
    const int64_t *labels;
    const float *times, *less;
} Images;

static void resize(Program *program, int batch)
{
    program->batch = batch;
    program->blocks = (batch + IMAGES - 1) / IMAGES;
    for (int lane = 0; lane < IMAGES; lane++)
        program->last_block[lane] = (program->blocks - 1) * IMAGES + lane < batch ? 1 : 0;
}

/* Images at `places` become the batch. */
static void show(Program *program, const Images *from, const int64_t *places, const float *affine)
{
    const long pixels = (long)program->image.channels * program->image.height * program->image.width;
    for (int i = 0; i < program->batch; i++) {
        place_image(program, from->images + places[i] * pixels, affine ? affine + 6 * i : NULL, from->times,
                    from->less, i);
        program->labels[i] = (int32_t)from->labels[places[i]];
    }
}

/* The loss of a batch, and its gradients. */
static float slopes_of(Program *program, float smoothing)
{
    forward(program, 1);
    const float loss = loss_of(program, smoothing);
    backward(program);
    return loss;
}

/* Steps on batches of `batch` images at `places`; the mean loss of each is left in `losses`. `affine` has six numbers an
   image or is NULL; `rates` the learning rates of convolutions and of all else for each step. */
void engine_train(Program *program, const Images *from, const int64_t *places, long steps, int batch,
                  const float *affine, const float *rates, const Rule *rule, float *losses)
{
    resize(program, batch);
    for (long step = 0; step < steps; step++) {
        show(program, from, places + step * batch, affine ? affine + 6 * step * batch : NULL);
        losses[step] = slopes_of(program, rule->smoothing);
        optimise(program, rule, rates[2 * step], rates[2 * step + 1]);
        program->step++;
    }
}

/* Logits (count x classes) of images as they are, by running statistics; at most as many as the largest batch. */
void engine_predict(Program *program, const Images *from, const int64_t *places, int count, float *logits)
{
    resize(program, count);
    show(program, from, places, NULL);
    forward(program, 0);
    for (int i = 0; i < count; i++)
        for (int k = 0; k < program->classes; k++)
            logits[(long)i * program->classes + k] =
                kept_by(program, program->segments - 1, i / IMAGES)[k][i % IMAGES];
}

/* One loss, without a step; its gradients are copied to `found`. */
float engine_gradients(Program *program, const Images *from, const int64_t *places, int batch, float smoothing,
                       float *found)
{
    resize(program, batch);
    show(program, from, places, NULL);
    const float loss = slopes_of(program, smoothing);
    memcpy(found, program->gradients, sizeof(float) * program->count);
    return loss;
}

void engine_free(Program *program)
{
    if (program == NULL) return;
    for (int i = 0; program->op && i < program->ops; i++) {
        Op *op = program->op + i;
        void *owned[] = {op->value, op->gradient, op->offset, op->back_offset, op->packed, op->back_packed, op->sums,
                         op->bias_sums, op->pivot, op->total};
        for (unsigned k = 0; k < sizeof owned / sizeof *owned; k++) free(owned[k]);
    }
    for (int s = 0; program->segment && s < program->segments; s++) free(program->segment[s].kept);
    void *owned[] = {program->op, program->segment, program->parameter, program->images, program->slopes[0],
                     program->slopes[1], program->gradients, program->momentum, program->square, program->scratch,
                     program->labels, program->padded};
    for (unsigned k = 0; k < sizeof owned / sizeof *owned; k++) free(owned[k]);
    free(program);
}

static _Thread_local int is_missing;

static void *need(size_t bytes)
{
    void *found = zeroed(bytes);
    if (!found) is_missing = 1;
    return found;
}

static void set_shapes(Op *op, const Op *next)
{
    const Layer *layer = &op->layer;
    op->in = (Shape){layer->channels, layer->height, layer->width, layer->kind == CONV ? layer->padding : 0};
    op->out = op->in;
    switch (layer->kind) {
    case CONV:
        op->out = (Shape){layer->filters, layer->height + 2 * layer->padding - layer->kernel + 1,
                          layer->width + 2 * layer->padding - layer->kernel + 1, 0};
        break;
    case POOL: op->out.height /= 2, op->out.width /= 2; break;
    case MEAN: op->out.height = op->out.width = 1; break;
    case FLAT: op->out = (Shape){layer->channels * layer->height * layer->width, 1, 1, 0}; break;
    }
    op->slope = op->out;
    op->out.margin = next && next->layer.kind == CONV ? next->layer.padding : 0;
    op->slope.margin = layer->kind == CONV ? layer->kernel - 1 - layer->padding : 0;
}

static void allocate(Op *op, int keeps)
{
    const Layer *layer = &op->layer;
    op->value = keeps ? NULL : need(sizeof(vec) * volume_of(op->out));
    op->gradient = need(sizeof(vec) * volume_of(op->slope));
    if (layer->kind == CONV) {
        op->columns = layer->channels * layer->kernel * layer->kernel;
        const int back = layer->filters * layer->kernel * layer->kernel;
        op->offset = need(sizeof(int32_t) * op->columns);
        op->back_offset = need(sizeof(int32_t) * back);
        op->packed = need(sizeof(float) * layer->filters * op->columns);
        op->back_packed = need(sizeof(float) * layer->channels * back);
        op->sums = need(sizeof(vec) * layer->filters * op->columns);
        op->bias_sums = need(sizeof(vec) * layer->filters);
        if (is_missing) return;
        set_offsets(op->offset, layer->channels, layer->kernel, op->in);
        set_offsets(op->back_offset, layer->filters, layer->kernel, op->slope);
    }
    if (layer->kind == NORM) {
        const int channels = layer->channels;
        op->pivot = need(sizeof(float) * 7 * channels);
        op->total = need(sizeof(double) * 2 * channels);
        if (is_missing) return;
        float **parts[] = {&op->scale, &op->shift, &op->mean, &op->inverse, &op->by_value, &op->constant};
        for (int k = 0; k < 6; k++) *parts[k] = op->pivot + (k + 1) * channels;
        op->square = op->total + channels;
    }
}

static int ends_segment(const Op *op, int is_last)
{
    return is_last || op->layer.kind == CONV || op[1].layer.kind == NORM;
}

static void cut(Program *program)
{
    int first = 0;
    long largest = 0;
    for (int i = 0; i < program->ops; i++) {
        Op *op = program->op + i;
        const int ends = ends_segment(op, i == program->ops - 1);
        allocate(op, ends);
        if (!ends) continue;
        Segment *segment = program->segment + program->segments++;
        *segment = (Segment){first, i, op->out, need(sizeof(vec) * volume_of(op->out) * program->blocks)};
        if (volume_of(flat(op->out)) > largest) largest = volume_of(flat(op->out));
        first = i + 1;
    }
    for (int k = 0; k < 2; k++) program->slopes[k] = need(sizeof(vec) * largest * program->blocks);
}

/* A network for batches of at most `batch` images, that trains on `values`, `running` and, where it is not NULL, `mask` (0 where a parameter stays 0), all of which
   stay the caller's. NULL for want of memory. */
Program *engine_new(const Layer *layers, int ops, const Parameter *parameters, int count, int batch, float *values,
                    float *running, float *mask, uint64_t seed)
{
    is_missing = 0;
    Program *program = need(sizeof(Program));
    if (program == NULL) return NULL;
    program->ops = ops;
    program->parameters = count;
    resize(program, batch);
    program->values = values;
    program->running = running;
    program->mask = mask;
    program->seed = seed;
    program->op = need(sizeof(Op) * ops);
    program->segment = need(sizeof(Segment) * ops);
    program->parameter = need(sizeof(Parameter) * count);
    program->labels = need(sizeof(int32_t) * program->blocks * IMAGES);
    if (is_missing) return engine_free(program), NULL;
    memcpy(program->parameter, parameters, sizeof(Parameter) * count);
    long scratch = 0;
    for (int i = 0; i < count; i++) {
        const Parameter *p = parameters + i;
        const long length = p->count / p->rows, side = p->rows < length ? p->rows : length;
        program->count += p->count;
        if (2 * p->count + 2 * side * side > scratch) scratch = 2 * p->count + 2 * side * side;
    }
    for (int i = 0; i < ops; i++) program->op[i].layer = layers[i];
    for (int i = 0; i < ops; i++) set_shapes(program->op + i, i + 1 < ops ? program->op + i + 1 : NULL);
    program->image = program->op->in;
    program->classes = program->op[ops - 1].out.channels;
    program->images = need(sizeof(vec) * volume_of(program->image) * program->blocks);
    program->padded = need(sizeof(float) * (program->image.height + 2 * MARGIN) * (program->image.width + 2 * MARGIN));
    program->gradients = need(sizeof(float) * program->count);
    program->momentum = need(sizeof(float) * program->count);
    program->square = need(sizeof(float) * program->count);
    program->scratch = need(sizeof(float) * scratch);
    if (!is_missing) cut(program);
    if (is_missing) return engine_free(program), NULL;
    return program;
}
