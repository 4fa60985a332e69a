/* A batch through all segments, forward and backward, and its loss. */

#pragma once

#include "convolutions.h"
#include "layers.h"
#include "norms.h"

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
            out[x] = op->layer.relu && is_whole(op) ? chosen(value[x] > 0, found) : found;
        }
    }
}

static void backward_op(Program *program, Op *op, int block, const vec *from, vec *to, Shape slope)
{
    switch (op->layer.kind) {
    case CONV: conv_backward(op, to, slope); return;
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
