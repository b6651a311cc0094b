/** Metrics of `log.diagnostics`; they are computed in train/diagnostics.ts. Most are of each layer, head or class of tokens (`by`). */
import { defineMetric } from './measure.ts';

const SECTION = 'layers';
const layer = { section: SECTION, by: 'layer', log: true, unit: '' } as const;
const head = { ...layer, by: 'head' } as const;
const whole = { section: 'diagnostics', unit: '' } as const;

export const DIAGNOSED = [
  defineMetric({ ...layer, name: 'layer_grad_norm', help: 'length of the gradient of a layer, before clipping' }),
  defineMetric({ ...layer, name: 'layer_param_norm', help: 'length of the weights of a layer, before the step' }),
  defineMetric({ ...layer, name: 'layer_update_norm', help: 'length of the step of a layer' }),
  defineMetric({
    ...layer,
    name: 'update_to_weight_ratio',
    help: 'length of the step of a layer beside that of its weights: about 1e-3 is usual',
  }),
  defineMetric({
    ...layer,
    name: 'ln_weight_grad_norm',
    help: 'length of the gradient of the gains of a layer’s norms',
  }),
  defineMetric({
    ...layer,
    name: 'ln_bias_grad_norm',
    help: 'length of the gradient of the shifts of a layer’s norms',
  }),
  defineMetric({
    ...layer,
    name: 'ln_gain',
    help: 'root mean square of the gains of a layer’s norms: they begin at 1',
  }),
  defineMetric({ ...layer, name: 'activation_norm', help: 'root mean square of what a layer gives' }),
  defineMetric({ ...layer, name: 'activation_max', help: 'largest number, in size, that a layer gives' }),
  defineMetric({
    ...layer,
    log: undefined,
    unit: 'share',
    name: 'dead_units',
    help: 'units of the MLPs of a layer that no token of the batch moves beyond a thousandth of what is usual in the layer; units of an expert count as its own; padding does not count',
  }),
  defineMetric({
    ...layer,
    log: undefined,
    unit: 'share',
    name: 'saturated_units',
    help: 'units of a layer whose gelu, silu (of a gated MLP the gate), tanh or sigmoid is flat at every token of the batch: its slope is under a twentieth of its steepest; relu has dead units alone; padding does not count',
  }),
  defineMetric({
    ...head,
    log: undefined,
    unit: 'nats',
    name: 'attention_entropy',
    help: '−Σ p ln p of what a query looks at, mean over queries: 0 looks at one token, ln n at n alike',
  }),
  defineMetric({ ...head, log: undefined, name: 'attention_logit_max', help: 'largest score of a query and a key' }),
  defineMetric({
    ...head,
    log: undefined,
    unit: 'share',
    name: 'attention_logit_capped',
    help: 'scores of a query and a key beyond 95 % of model.attention_softcap: more or less of them hardly counts',
  }),
  defineMetric({
    ...layer,
    by: 'expert',
    log: undefined,
    name: 'expert_load',
    help: 'tokens of an expert, as a multiple of an even share',
  }),
  defineMetric({ ...whole, name: 'global_param_norm', help: 'length of all weights' }),
  defineMetric({ ...whole, log: true, name: 'param_update_norm', help: 'length of the step of all weights' }),
  defineMetric({
    ...whole,
    log: true,
    name: 'adam_m_norm',
    help: 'length of Adam’s mean gradient, corrected for its start',
  }),
  defineMetric({
    ...whole,
    log: true,
    name: 'adam_v_norm',
    help: 'length of Adam’s mean square, corrected for its start',
  }),
  defineMetric({
    ...whole,
    name: 'adam_elemwise_snr_norm',
    help: 'length of m̂ ÷ (√v̂ + 1e-8): the signal-to-noise of all weights together',
  }),
  defineMetric({ ...whole, name: 'logit_max', help: 'largest logit of the first tokens of the batch' }),
  defineMetric({
    ...whole,
    unit: 'share',
    name: 'logit_capped',
    help: 'logits of the first tokens of the batch beyond 95 % of the soft cap of the head',
  }),
  defineMetric({
    ...whole,
    unit: 'tokens',
    log: true,
    name: 'gradient_noise_scale',
    help: 'batch beyond which gradients hardly get better (McCandlish et al. 2018); running mean over about ten measurements',
  }),
  defineMetric({
    ...whole,
    chart: false,
    name: 'gradient_noise_trace',
    help: 'how gradients of single tokens vary: tr Σ, of one step',
  }),
  defineMetric({
    ...whole,
    chart: false,
    name: 'gradient_noise_squared',
    help: 'squared length of the true gradient, estimated at one step',
  }),
  defineMetric({
    ...whole,
    log: true,
    name: 'loss_scale',
    help: 'factor on the loss under fp16; it halves where gradients overflow',
  }),
  defineMetric({
    ...whole,
    better: 'lower',
    name: 'loss_scale_overflows',
    help: 'steps so far that were computed again under fp16, because their gradients overflowed',
  }),
  defineMetric({
    ...whole,
    unit: 'nats/token',
    better: 'lower',
    within: ['data'],
    by: 'position',
    name: 'loss_by_position',
    help: 'training loss by how many tokens of the row a token is predicted from',
  }),
  defineMetric({
    ...whole,
    unit: 'nats/token',
    better: 'lower',
    within: ['data'],
    by: 'frequency',
    name: 'loss_by_frequency',
    help: 'training loss by the rank of a token in the training text: 1–10 are the ten most frequent',
  }),
];
