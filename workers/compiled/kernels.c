/* Batch norm with ReLU, and 2x2 max pooling, of feature maps in channels-last order: forward and backward; and the
   step of an optimiser.

   On one core of a CPU the former cost a small network more than its convolutions do, because PyTorch takes them one
   after the other, each in a pass of its own over memory, and pools and normalises few channels slowly. Here a map is
   a row of pixels x channels; constants of each channel are laid out for a whole block of pixels, so that
   inner loops run over hundreds of elements whatever the number of channels, and compilers turn them into
   vector code. Sums are float32 within a block's lane and double across lanes.

   Compiled at run time, without headers of PyTorch; this file is read twice, once for each element type. */

#ifndef ELEMENT

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#define LANES 512 /* elements of a block, at least */
#define MOST_CHANNELS 512
#define BLOCK (LANES + MOST_CHANNELS)

static inline float from_bfloat16(uint16_t bits)
{
    union { uint32_t bits; float value; } wide = {.bits = (uint32_t)bits << 16};
    return wide.value;
}

static inline uint16_t to_bfloat16(float value) /* to the nearest, to even between two */
{
    union { float value; uint32_t bits; } wide = {.value = value};
    return (uint16_t)((wide.bits + 0x7fff + ((wide.bits >> 16) & 1)) >> 16);
}

static inline float from_float32(float value) { return value; }
static inline float to_float32(float value) { return value; }

/* Elements of a block: whole pixels. */
static int block_of(int channels) { return (LANES + channels - 1) / channels * channels; }

static void repeat(const float *one, int channels, float *block, int length)
{
    for (int i = 0; i < length; i++) block[i] = one[i % channels];
}

static void fold(const float *block, int length, double *sums, int channels)
{
    for (int i = 0; i < length; i++) sums[i % channels] += block[i];
}

/* Pools take channels in pieces of this length, which the compiler knows, or it makes no vector code of short loops;
   the last piece begins earlier and does some of them twice, with the same result. */
#define PIECE 8
#define INLINE static inline __attribute__((always_inline))

static int next_piece(int piece, int channels)
{
    return piece + 2 * PIECE <= channels || piece + PIECE == channels ? piece + PIECE : channels - PIECE;
}

#define STRIDE 16 /* sums that run side by side, for compilers must not reorder one */

static float dot(const float *a, const float *b, int count)
{
    float lanes[STRIDE] = {0}, sum = 0;
    int at = 0;
    for (; at + STRIDE <= count; at += STRIDE)
        for (int i = 0; i < STRIDE; i++) lanes[i] += a[at + i] * b[at + i];
    for (int i = 0; at + i < count; i++) lanes[i] += a[at + i] * b[at + i];
    for (int i = 0; i < STRIDE; i++) sum += lanes[i];
    return sum;
}

/* out = identity x + poly x, for a square `poly` of `rows` rows and an x of `rows` x `columns`. */
static void apply(const float *restrict poly, float identity, const float *restrict x, int rows, int columns,
                  float *restrict out)
{
    for (int i = 0; i < rows; i++) {
        float *restrict row = out + (long)i * columns;
        for (int k = 0; k < columns; k++) row[k] = identity * x[(long)i * columns + k];
        for (int j = 0; j < rows; j++) {
            const float times = poly[i * rows + j];
            const float *restrict other = x + (long)j * columns;
            for (int k = 0; k < columns; k++) row[k] += times * other[k];
        }
    }
}

/* One step of workers/muon.py, whose names these are, on a weight of `filters` rows. `scratch` holds 2 floats for each
   element and 2 for each of a square of the shorter side. */
void muon_step_float32(int filters, int length, float *weight, const float *gradient, float *momentum, float keep,
                       float rate, int iterations, float a, float b, float c, float smallest, float *scratch)
{
    const int wide = filters <= length;
    const int rows = wide ? filters : length, columns = wide ? length : filters;
    const long count = (long)rows * columns;
    float *x = scratch, *next = x + count, *gram = next + count, *poly = gram + (long)rows * rows;
    for (long i = 0; i < count; i++) {
        momentum[i] = keep * momentum[i] + gradient[i];
        next[i] = gradient[i] + keep * momentum[i];
    }
    const float norm = sqrtf(dot(next, next, (int)count)) + smallest;
    for (int i = 0; i < filters; i++)
        for (int k = 0; k < length; k++)
            x[wide ? (long)i * length + k : (long)k * filters + i] = next[(long)i * length + k] / norm;
    for (int turn = 0; turn < iterations; turn++) {
        for (int i = 0; i < rows; i++)
            for (int j = 0; j <= i; j++)
                gram[i * rows + j] = gram[j * rows + i] = dot(x + (long)i * columns, x + (long)j * columns, columns);
        apply(gram, 0, gram, rows, rows, poly);
        for (int i = 0; i < rows * rows; i++) poly[i] = b * gram[i] + c * poly[i];
        apply(poly, a, x, rows, columns, next);
        float *done = x;
        x = next;
        next = done;
    }
    const float step = rate * sqrtf(filters > length ? (float)filters / length : 1.0f);
    for (int i = 0; i < filters; i++)
        for (int k = 0; k < length; k++)
            weight[(long)i * length + k] -= step * x[wide ? (long)i * length + k : (long)k * filters + i];
}

#define NAME2(base, element) base##_##element
#define NAME1(base, element) NAME2(base, element)
#define NAME(base) NAME1(base, ELEMENT)
#define LOAD(value) NAME1(from, ELEMENT)(value)
#define STORE(value) NAME1(to, ELEMENT)(value)

#define ELEMENT float32
#define TYPE float
#define BITS uint32_t
#define PLACE int32_t /* as wide as an element */
#include __FILE__
#undef ELEMENT
#undef TYPE
#undef PLACE
#undef BITS
#define ELEMENT bfloat16
#define TYPE uint16_t
#define BITS uint16_t
#define PLACE int16_t
#include __FILE__

#else

/* y = gamma (x - mean) / sqrt(variance + eps) + beta, then at least 0 if `relu`; the moments of x are left in `mean`
   and `variance` (biased), for each channel. */
void NAME(norm_forward)(long pixels, int channels, const TYPE *restrict x, const float *gamma, const float *beta,
                        float eps, int relu, TYPE *restrict y, float *mean, float *variance)
{
    static _Thread_local float first[BLOCK], sum[BLOCK], square[BLOCK], scale[BLOCK], shift[BLOCK];
    const int block = block_of(channels);
    const long count = pixels * channels;
    double sums[MOST_CHANNELS] = {0}, squares[MOST_CHANNELS] = {0};
    for (int i = 0; i < block; i++) { /* what is near the mean: differences keep their digits */
        first[i] = LOAD(x[i % channels]);
        sum[i] = square[i] = 0;
    }
    long at = 0;
    for (; at + block <= count; at += block)
        for (int i = 0; i < block; i++) {
            const float value = LOAD(x[at + i]) - first[i];
            sum[i] += value;
            square[i] += value * value;
        }
    for (int i = 0; at + i < count; i++) {
        const float value = LOAD(x[at + i]) - first[i];
        sum[i] += value;
        square[i] += value * value;
    }
    fold(sum, block, sums, channels);
    fold(square, block, squares, channels);
    float scales[MOST_CHANNELS];
    for (int c = 0; c < channels; c++) {
        const double off = sums[c] / pixels;
        const double spread = squares[c] / pixels - off * off;
        mean[c] = (float)(first[c] + off);
        variance[c] = (float)(spread < 0 ? 0 : spread);
        scales[c] = gamma[c] / sqrtf(variance[c] + eps);
    }
    repeat(scales, channels, scale, block);
    repeat(beta, channels, shift, block);
    repeat(mean, channels, first, block);
    const float floor = relu ? 0.0f : -INFINITY;
    for (at = 0; at < count; at += block) {
        const int length = count - at < block ? (int)(count - at) : block;
        for (int i = 0; i < length; i++) {
            const float value = (LOAD(x[at + i]) - first[i]) * scale[i] + shift[i];
            y[at + i] = STORE(value < floor ? floor : value); /* NaN stays */
        }
    }
}

/* From the gradient of y those of x, gamma and beta; `mean` and `variance` are those that norm_forward left. */
void NAME(norm_backward)(long pixels, int channels, const TYPE *restrict x, const TYPE *restrict dy,
                         const float *gamma, const float *beta, const float *mean, const float *variance, float eps,
                         int relu, TYPE *restrict dx, float *dgamma, float *dbeta)
{
    static _Thread_local float scale[BLOCK], shift[BLOCK], centre[BLOCK], plain[BLOCK], times[BLOCK];
    const int block = block_of(channels);
    const long count = pixels * channels;
    float a[MOST_CHANNELS], b[MOST_CHANNELS], rest[MOST_CHANNELS];
    for (int c = 0; c < channels; c++) a[c] = gamma[c] / sqrtf(variance[c] + eps);
    repeat(a, channels, scale, block);
    repeat(beta, channels, shift, block);
    repeat(mean, channels, centre, block);
    for (int i = 0; i < block; i++) plain[i] = times[i] = 0;
    const float floor = relu ? 0.0f : -INFINITY;
    for (long at = 0; at < count; at += block) {
        const int length = count - at < block ? (int)(count - at) : block;
        for (int i = 0; i < length; i++) {
            const float value = LOAD(x[at + i]) - centre[i];
            const float flows = value * scale[i] + shift[i] <= floor ? 0.0f : LOAD(dy[at + i]);
            plain[i] += flows;
            times[i] += flows * value;
        }
    }
    double sums[MOST_CHANNELS] = {0}, products[MOST_CHANNELS] = {0};
    fold(plain, block, sums, channels);
    fold(times, block, products, channels);
    for (int c = 0; c < channels; c++) {
        const double inverse = 1 / sqrt((double)variance[c] + eps);
        dbeta[c] = (float)sums[c];
        dgamma[c] = (float)(products[c] * inverse);
        b[c] = (float)(-a[c] * inverse * inverse * products[c] / pixels);
        rest[c] = (float)(-a[c] * sums[c] / pixels);
    }
    static _Thread_local float slope[BLOCK], offset[BLOCK];
    repeat(b, channels, slope, block);
    repeat(rest, channels, offset, block);
    for (long at = 0; at < count; at += block) {
        const int length = count - at < block ? (int)(count - at) : block;
        for (int i = 0; i < length; i++) {
            const float value = LOAD(x[at + i]) - centre[i];
            const float flows = value * scale[i] + shift[i] <= floor ? 0.0f : LOAD(dy[at + i]);
            dx[at + i] = STORE(scale[i] * flows + slope[i] * value + offset[i]);
        }
    }
}

INLINE void NAME(pick)(int count, int channels, const TYPE *restrict up, const TYPE *restrict down, TYPE *restrict y,
                       PLACE *restrict which)
{
    for (int c = 0; c < count; c++) {
        const float second = LOAD(up[c + channels]);
        const float third = LOAD(down[c]), fourth = LOAD(down[c + channels]);
        float best = LOAD(up[c]);
        int32_t place = 0;
        place = second <= best ? place : 1; /* also for NaN */
        best = second <= best ? best : second;
        place = third <= best ? place : 2;
        best = third <= best ? best : third;
        place = fourth <= best ? place : 3;
        best = fourth <= best ? best : fourth;
        y[c] = STORE(best);
        which[c] = (PLACE)place;
    }
}

INLINE void NAME(route)(int count, int channels, const BITS *restrict dy, const PLACE *restrict which,
                        BITS *restrict up, BITS *restrict down)
{
    for (int c = 0; c < count; c++) { /* masks: branches on the places of maxima cannot be predicted */
        const BITS flows = dy[c];
        const PLACE place = which[c];
        up[c] = flows & (BITS) - (place == 0);
        up[c + channels] = flows & (BITS) - (place == 1);
        down[c] = flows & (BITS) - (place == 2);
        down[c + channels] = flows & (BITS) - (place == 3);
    }
}

/* The largest of each square of 2x2 pixels and which of the four it was, the first of equals; an odd last row or
   column is left out. */
void NAME(pool_forward)(long images, int height, int width, int channels, const TYPE *x, TYPE *y, PLACE *which)
{
    const long row = (long)width * channels;
    for (long image = 0; image < images; image++)
        for (int h = 0; h < height / 2; h++) {
            const TYPE *up = x + (image * height + 2 * h) * row, *down = up + row;
            for (int w = 0; w < width / 2; w++, up += 2 * channels, down += 2 * channels) {
                if (channels < PIECE) NAME(pick)(channels, channels, up, down, y, which);
                else
                    for (int c = 0; c < channels; c = next_piece(c, channels))
                        NAME(pick)(PIECE, channels, up + c, down + c, y + c, which + c);
                y += channels;
                which += channels;
            }
        }
}

/* The gradient of y where the largest was, and 0 elsewhere; no more than bits are moved. */
void NAME(pool_backward)(long images, int height, int width, int channels, const BITS *dy, const PLACE *which,
                         BITS *dx)
{
    const long row = (long)width * channels;
    for (long image = 0; image < images; image++) {
        BITS *map = dx + image * height * row;
        for (int h = 0; h < height / 2; h++) {
            BITS *up = map + 2 * h * row, *down = up + row;
            for (int w = 0; w < width / 2; w++, up += 2 * channels, down += 2 * channels) {
                if (channels < PIECE) NAME(route)(channels, channels, dy, which, up, down);
                else
                    for (int c = 0; c < channels; c = next_piece(c, channels))
                        NAME(route)(PIECE, channels, dy + c, which + c, up + c, down + c);
                dy += channels;
                which += channels;
            }
            if (width % 2)
                for (int c = 0; c < channels; c++) up[c] = down[c] = 0;
        }
        if (height % 2)
            for (long i = 0; i < row; i++) map[(height - 1) * row + i] = 0;
    }
}

#endif
