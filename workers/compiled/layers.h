/* What has neither weights nor statistics: ReLU, pools, means, dropout, and the change to flat features. */

#pragma once

#include "maps.h"

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
