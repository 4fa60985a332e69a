/* Batch norms: their sums over a batch, block by block, and what follows from them. */

#pragma once

#include "maps.h"

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
