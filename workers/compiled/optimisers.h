/* Muon, Adam and SGD on all parameters of a program. */

#pragma once

#include "maps.h"

void muon_step_float32(int filters, int length, float *weight, const float *gradient, float *momentum, float keep,
                       float rate, int iterations, float a, float b, float c, float smallest, float *scratch);

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
