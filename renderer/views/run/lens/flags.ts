/**
 * What stands out among the layers of a run, and what usually helps. A flag compares a layer with the others of the same model wherever it can: sizes
 * alone say little across models.
 */
import type { PlacedPoints } from '../../../../preload/contract/metrics.ts';
import { formatInteger, formatPercent, formatValue } from '../../../../preload/shared/format.ts';
import { median, sortedFinite } from '../../../../preload/shared/statistics/describe.ts';
import { spikesOf } from '../health.ts';
import type { Logged, Tone } from '../health.ts';
import { tableOf } from './places.ts';
import type { LayerTable } from './places.ts';

export interface LensInput {
  /** By the name of the metric. */
  readonly places: Readonly<Record<string, PlacedPoints>>;
  readonly trainLoss?: Logged | undefined;
  readonly gradNorm?: Logged | undefined;
  /** `loss_scale` of fp16. */
  readonly lossScale?: Logged | undefined;
  /** `logit_capped` of a head with a soft cap. */
  readonly logitCapped?: Logged | undefined;
  /** `model.context`. */
  readonly context: number;
}

export interface Flag {
  readonly kind: string;
  readonly tone: Exclude<Tone, 'good'>;
  readonly text: string;
  /** What usually helps. */
  readonly helps: string;
  /** What is seen where it is drawn. */
  readonly metric?: string;
  readonly layer?: number;
  /** The first step at which it is seen. */
  readonly step?: number;
  /** A step whose batch may have caused it. */
  readonly batch?: number;
}

/** Times the median layer, or a part of it, at which a layer is not one of its kind any more. */
const UNLIKE = { layer_param_norm: 5, layer_grad_norm: 50 } as const;
/** A layer that makes the stream so many times as large as the layer before. */
const GROWN = 6;
/** Beyond this an activation comes near the end of 16-bit floats. */
const LARGEST_HALF = 65_504;
const DEAD = 0.5;
const SATURATED = 0.5;
/** Share of scores or logits at their soft cap, from which on the cap forms them rather than catches single ones. */
const CAPPED = 0.1;
/** Share of the entropy of looking everywhere, below which a layer looks at single tokens. */
const COLLAPSED = 0.05;
/** A score at which a soft-max has one winner whatever the others do. */
const SHARP = 100;
const RATIO = { low: 1e-6, high: 0.1 } as const;
/** The most spikes of one kind that are listed. */
const SPIKES = 3;

const times = (factor: number): string => `${formatValue(factor, 2)} times`;

/** The value of each row at a step beside the median of the rows. */
function besideOthers({ step, rows }: LayerTable): readonly { readonly layer: number; readonly ratio: Float64Array }[] {
  // Of two layers nobody can say which is unusual.
  if (rows.length < 3) return [];
  const usual = Float64Array.from(step, (_, i) => {
    const known = sortedFinite(rows.map(({ values }) => values[i]!));
    return known.length === 0 ? Number.NaN : median(Float64Array.from(known));
  });
  return rows.map(({ layer, values }) => ({ layer, ratio: values.map((value, i) => value / usual[i]!) }));
}

const firstWhere = (
  step: Float64Array,
  values: Float64Array,
  holds: (value: number) => boolean,
): number | undefined => {
  const at = values.findIndex((value) => holds(value));
  return at < 0 ? undefined : step[at];
};

/** Holds at the half of the measurements or more. */
const mostly = (values: Float64Array, holds: (value: number) => boolean): boolean => {
  const known = values.filter((value) => !Number.isNaN(value));
  return known.length > 0 && known.filter(holds).length * 2 >= known.length;
};

function unlikeWeights(table: LayerTable): Flag[] {
  return besideOthers(table).flatMap(({ layer, ratio }): Flag[] => {
    const factor = ratio.find((each) => each > UNLIKE.layer_param_norm || each < 1 / UNLIKE.layer_param_norm);
    if (factor === undefined) return [];
    const step = firstWhere(table.step, ratio, (each) => each === factor)!;
    const long = factor > 1;
    return [
      {
        kind: 'weights',
        tone: 'bad',
        layer,
        metric: 'layer_param_norm',
        step,
        text: `Layer ${layer}: its weights are ${times(long ? factor : 1 / factor)} as ${long ? 'long' : 'short'} as those of the median layer, from step ${formatInteger(step)} on`,
        helps:
          step <= 1
            ? 'It began so: look at model.init and model.init_std, and at what initialises this layer.'
            : 'Weight decay (optimizer.weight_decay) or a lower learning rate keep weights from growing apart.',
      },
    ];
  });
}

function gradients(table: LayerTable): Flag[] {
  return besideOthers(table).flatMap(({ layer, ratio }): Flag[] => {
    const limit = UNLIKE.layer_grad_norm;
    const [vanishes, explodes] = [mostly(ratio, (each) => each < 1 / limit), mostly(ratio, (each) => each > limit)];
    if (!vanishes && !explodes) return [];
    const step = firstWhere(table.step, ratio, (each) => (vanishes ? each < 1 / limit : each > limit));
    const usual = median(ratio.filter((each) => !Number.isNaN(each)));
    return [
      {
        kind: vanishes ? 'vanishing' : 'exploding',
        tone: 'bad',
        layer,
        metric: 'layer_grad_norm',
        ...(step === undefined ? {} : { step }),
        text: vanishes
          ? `Layer ${layer}: its gradient vanishes, ${times(1 / usual)} shorter than that of the median layer`
          : `Layer ${layer}: its gradient explodes, ${times(usual)} as long as that of the median layer`,
        helps: vanishes
          ? 'Norms before the sub-layers (model.norm_position: pre), smaller first values of the layers behind it, or a longer warm-up.'
          : 'Clipping (optimizer.clip), a longer warm-up, smaller first values of this layer, or a lower learning rate.',
      },
    ];
  });
}

/** Where the stream grows at once. */
function activations({ step, rows }: LayerTable): Flag[] {
  return rows.flatMap(({ layer, values }, i): Flag[] => {
    const before = rows[i - 1];
    if (before === undefined) return [];
    const growth = values.map((value, at) => value / before.values[at]!);
    const from = firstWhere(step, growth, (each) => each > GROWN);
    if (from === undefined) return [];
    return [
      {
        kind: 'activations',
        tone: 'warn',
        layer,
        metric: 'activation_norm',
        step: from,
        text: `Layer ${layer}: what it gives is ${times(Math.max(...growth.filter((each) => Number.isFinite(each))))} as large as what it takes, from step ${formatInteger(from)} on`,
        helps: 'Smaller first values of its last projections (model.residual_scale), a norm after it, or weight decay.',
      },
    ];
  });
}

function overflows({ step, rows }: LayerTable): Flag[] {
  return rows.flatMap(({ layer, values }): Flag[] => {
    const from = firstWhere(step, values, (each) => each > LARGEST_HALF / 10);
    return from === undefined
      ? []
      : [
          {
            kind: 'overflow',
            tone: 'warn',
            layer,
            metric: 'activation_max',
            step: from,
            text: `Layer ${layer}: an activation of ${formatValue(Math.max(...sortedFinite(values)), 3)} at step ${formatInteger(from)} or later; fp16 ends at ${formatInteger(LARGEST_HALF)}`,
            helps:
              'precision.policy bf16 or fp32; a norm of queries and keys (model.qk_norm) and weight decay keep activations small.',
          },
        ];
  });
}

/** Of layers with too large a share of something that does not learn. @param bad a share beyond which it is a fault, not a warning */
function ofShare(
  { step, rows }: LayerTable,
  flag: Pick<Flag, 'kind' | 'metric' | 'helps'> & { readonly most: number; readonly bad?: number },
  text: (share: string) => string,
): Flag[] {
  const { kind, metric, helps, most, bad = Infinity } = flag;
  return rows.flatMap(({ layer, values }): Flag[] => {
    const last = values.findLast((each) => !Number.isNaN(each));
    if (last === undefined || last < most) return [];
    return [
      {
        kind,
        tone: last > bad ? 'bad' : 'warn',
        layer,
        metric,
        step: firstWhere(step, values, (each) => each >= most)!,
        text: `Layer ${layer}: ${text(formatPercent(last))}`,
        helps,
      },
    ];
  });
}

const dead = (table: LayerTable): Flag[] =>
  ofShare(
    table,
    {
      kind: 'dead',
      metric: 'dead_units',
      most: DEAD,
      bad: 0.9,
      helps:
        'A lower learning rate or a longer warm-up; in place of relu and relu2, gelu or swiglu (model.mlp), which keep some slope below zero.',
    },
    (share) => `${share} of the units of its MLP are dead`,
  );

const saturated = (table: LayerTable): Flag[] =>
  ofShare(
    table,
    {
      kind: 'saturated',
      metric: 'saturated_units',
      most: SATURATED,
      bad: 0.9,
      helps:
        'A lower learning rate or a longer warm-up, smaller first values (model.init_std), or a norm before the MLP (model.norm_position: pre).',
    },
    (share) =>
      `${share} of its units are saturated: their function is flat at every token, and no gradient comes through`,
  );

const cappedScores = (table: LayerTable): Flag[] =>
  ofShare(
    table,
    {
      kind: 'capped',
      metric: 'attention_logit_capped',
      most: CAPPED,
      helps: 'A norm of queries and keys (model.qk_norm), a higher model.attention_softcap, or a lower learning rate.',
    },
    (share) => `${share} of the scores of a head are at their soft cap, where they hardly learn`,
  );

function cappedLogits(logged: Logged | undefined): Flag[] {
  const [last, steps] = [logged?.value[logged.value.length - 1], Array.from(logged?.step ?? [])];
  if (last === undefined || !(last >= CAPPED)) return [];
  return [
    {
      kind: 'capped',
      tone: 'warn',
      step: steps[Array.from(logged!.value).findIndex((each) => each >= CAPPED)]!,
      text: `${formatPercent(last)} of the logits are at the soft cap of the head, where they hardly learn`,
      helps: 'A higher model.softcap, weight decay of the head, or a lower learning rate.',
    },
  ];
}

function entropies({ step, rows }: LayerTable, context: number): Flag[] {
  // Mean of ln n over the queries of a row, that see 1 … n keys.
  const even = Math.log(context) - 1;
  if (even <= 0) return [];
  return rows.flatMap(({ layer, values }): Flag[] => {
    const last = values.findLast((each) => !Number.isNaN(each));
    const from = firstWhere(step, values, (each) => each < COLLAPSED * even);
    if (last === undefined || last >= COLLAPSED * even || from === undefined) return [];
    return [
      {
        kind: 'entropy',
        tone: 'bad',
        layer,
        metric: 'attention_entropy',
        step: from,
        text: `Layer ${layer}: its attention has collapsed to single tokens (${formatValue(last, 2)} nats over all heads; looking everywhere has ${formatValue(even, 2)})`,
        helps:
          'A norm of queries and keys (model.qk_norm), a cap of the scores (model.attention_softcap), or a lower learning rate.',
      },
    ];
  });
}

function scores({ step, rows }: LayerTable): Flag[] {
  return rows.flatMap(({ layer, values }): Flag[] => {
    const from = firstWhere(step, values, (each) => each > SHARP);
    return from === undefined
      ? []
      : [
          {
            kind: 'scores',
            tone: 'warn',
            layer,
            metric: 'attention_logit_max',
            step: from,
            text: `Layer ${layer}: scores of attention reach ${formatValue(Math.max(...sortedFinite(values)), 3)}, beyond ${SHARP} from step ${formatInteger(from)} on`,
            helps: 'A norm of queries and keys (model.qk_norm), or a cap of the scores (model.attention_softcap).',
          },
        ];
  });
}

function updates({ step, rows }: LayerTable): Flag[] {
  return rows.flatMap(({ layer, values }): Flag[] => {
    const long = mostly(values, (each) => each > RATIO.high);
    // Warm-up begins with steps of nothing.
    const short = mostly(values, (each) => each < RATIO.low);
    if (!long && !short) return [];
    return [
      {
        kind: 'updates',
        tone: 'warn',
        layer,
        metric: 'update_to_weight_ratio',
        step: firstWhere(step, values, (each) => (long ? each > RATIO.high : each < RATIO.low))!,
        text: `Layer ${layer}: a step moves it by ${formatValue(median(values.filter((each) => !Number.isNaN(each))), 2)} of its length; about 1e-3 is usual`,
        helps: long
          ? 'A lower learning rate, or a longer warm-up.'
          : 'A higher learning rate; see too that its gradient does not vanish.',
      },
    ];
  });
}

function spikes(name: string, logged: Logged | undefined): Flag[] {
  if (logged === undefined) return [];
  return spikesOf(logged)
    .toSorted((a, b) => b.value / b.usual - a.value / a.usual)
    .slice(0, SPIKES)
    .map(({ step, value, usual }) => ({
      kind: 'spike',
      tone: 'warn',
      step,
      batch: step,
      text: `${name} spikes at step ${formatInteger(step)}: ${formatValue(value)} where ${formatValue(usual)} was usual`,
      helps:
        'Look at the batch; clipping (optimizer.clip), a lower optimizer.beta2 (0.95) or a longer warm-up take the edge off.',
    }));
}

function scaleFalls(logged: Logged | undefined): Flag[] {
  if (logged === undefined) return [];
  const falls = Array.from(logged.value).flatMap((value, i) =>
    i > 0 && value < logged.value[i - 1]! ? [logged.step[i]!] : [],
  );
  // The first guess is high on purpose.
  const late = falls.filter((step) => step > 100);
  if (late.length === 0) return [];
  return [
    {
      kind: 'scale',
      tone: late.length > 5 ? 'warn' : 'info',
      step: late[0]!,
      batch: late[0]!,
      text: `Gradients overflowed in fp16 at ${late.length === 1 ? 'step' : 'steps'} ${late.slice(0, 5).map(formatInteger).join(', ')}${late.length > 5 ? ', …' : ''}: the loss scale was halved`,
      helps: 'Now and then it is harmless. Often: precision.policy bf16, or clipping.',
    },
  ];
}

/** The worst first, then by layer. */
export function flagsOf({ places, trainLoss, gradNorm, lossScale, logitCapped, context }: LensInput): Flag[] {
  const of = (metric: string, judge: (table: LayerTable) => Flag[], heads: 'mean' | 'highest' = 'mean'): Flag[] => {
    const found = places[metric];
    return found === undefined || found.step.length === 0 ? [] : judge(tableOf(found, heads));
  };
  const found = [
    ...of('layer_param_norm', unlikeWeights),
    ...of('layer_grad_norm', gradients),
    ...of('activation_norm', activations),
    ...of('activation_max', overflows),
    ...of('dead_units', dead),
    ...of('saturated_units', saturated),
    ...of('attention_entropy', (table) => entropies(table, context)),
    ...of('attention_logit_max', scores, 'highest'),
    ...of('attention_logit_capped', cappedScores, 'highest'),
    ...of('update_to_weight_ratio', updates),
    ...spikes('The training loss', trainLoss),
    ...spikes('The gradient', gradNorm),
    ...scaleFalls(lossScale),
    ...cappedLogits(logitCapped),
  ];
  const order: Readonly<Record<Flag['tone'], number>> = { bad: 0, warn: 1, info: 2 };
  return found.toSorted((a, b) => order[a.tone] - order[b.tone]);
}
