/* Whole training steps of a small network on one core: augmentation, forward, backward and the optimisers.

   Images lie side by side in the lanes of a vector: a block is IMAGES images, a feature map of a block is
   channels x height x width vectors. So every loop is one over whole vectors, whatever the number of channels and the size
   of a map, and nothing is gathered, transposed or left over.

   A convolution is a product of its weights with the shifted maps, its columns: acc[f][p] += weight[f][k] * map[k][p], in tiles
   of filters and places that fill the registers. Its backward passes are the same: by inputs with the weights turned
   round, by weights with sums over places.

   The layers are cut into segments, each of which ends with a convolution or before a batch norm, since a norm needs what
   all blocks put out. Only what a segment puts out is kept for a whole batch; everything between is made for one block,
   stays in the cache, and is made again for the backward pass: so is what a depthwise convolution puts out, which costs
   little. So a map crosses the memory some six times a step.

   Compiled at run time beside kernels.c, whose step of Muon it takes. */

#include "images.h"
#include "optimisers.h"
#include "segments.h"

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
        const Group group = group_of(op);
        op->columns = group.in.channels * layer->kernel * layer->kernel;
        op->back_columns = group.slope.channels * layer->kernel * layer->kernel;
        op->offset = need(sizeof(int32_t) * op->columns);
        op->back_offset = need(sizeof(int32_t) * op->back_columns);
        op->packed = need(sizeof(float) * layer->filters * op->columns);
        op->back_packed = need(sizeof(float) * layer->channels * op->back_columns);
        op->sums = need(sizeof(vec) * layer->filters * op->columns);
        op->bias_sums = need(sizeof(vec) * layer->filters);
        if (is_missing) return;
        set_offsets(op->offset, layer->kernel, group.in);
        set_offsets(op->back_offset, layer->kernel, group.slope);
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
    return is_last || is_whole(op) || op[1].layer.kind == NORM;
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
