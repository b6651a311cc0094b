/**
 * The diagnostics of a step: what the programs of nn/diagnostics measure before and in it, as the points of its metrics. They disturb nothing: no
 * random number is drawn and no state is written. What a run remembers of them is the running mean of the gradient's noise.
 */
import type { Config } from '../../../preload/contract/settings.ts';
import { addressOf, placeOf } from '../../../preload/shared/metricPlace.ts';
import { placeOfPosition } from '../../../preload/shared/placeKinds.ts';
import type { Batch } from '../data/index.ts';
import type { Kinds } from '../kind.ts';
import { diagnosedRows } from '../nn/programs.ts';
import { diagnosticsOf } from '../settings/diagnostics.ts';
import type { PreparedData } from './data.ts';
import { inputsOf } from './evaluate.ts';
import { FrequencyBins } from './frequencyBins.ts';
import { NO_NOISE, noiseOf, noiseScale, withNoise } from './noise.ts';
import type { NoiseMean } from './noise.ts';
import type { Runtime, WatchedStep } from './runtime.ts';

type Values = Record<string, number>;

/** Names that programs give one number per head (or expert) for. */
const PER_HEAD: ReadonlySet<string> = new Set([
  'attention_entropy',
  'attention_logit_max',
  'attention_logit_capped',
  'expert_load',
]);

export class Diagnosis {
  readonly #config: Config;
  readonly #kinds: Kinds;
  readonly #runtime: Runtime;
  readonly #data: PreparedData;
  #frequencies: FrequencyBins | undefined;
  noise: NoiseMean = NO_NOISE;

  constructor(config: Config, kinds: Kinds, runtime: Runtime, data: PreparedData) {
    this.#config = config;
    this.#kinds = kinds;
    this.#runtime = runtime;
    this.#data = data;
  }

  /** Looks at the model with rows of the whole context from row `first` on: those of the batch that it is trained on next, where that is as long. */
  async look(first: number): Promise<Values> {
    const groups = diagnosticsOf(this.#config);
    if (!['activations', 'attention', 'loss'].some((each) => groups.has(each as never))) return {};
    const batch = this.#data.rows(first, diagnosedRows(this.#config, this.#kinds));
    const program = this.#runtime.program({ name: 'diagnose', rows: batch.rows, length: batch.length });
    const { loss, ...found } = await this.#runtime.session.run(program, inputsOf(batch));
    const values: Values = {};
    for (const [address, numbers] of Object.entries(found)) {
      const { name, layer } = placeOf(address);
      if (PER_HEAD.has(name))
        for (const [head, value] of numbers.entries()) values[addressOf({ name, layer, head })] = value;
      else values[address] = numbers[0]!;
    }
    return loss === undefined ? values : { ...values, ...this.#lossOf(batch, loss as Float32Array) };
  }

  /** What the step itself said. */
  ofStep({ weights, first, all }: WatchedStep): Values {
    const values: Values = {};
    for (const [address, value] of Object.entries(weights)) {
      values[address] = value;
      const { name, ...place } = placeOf(address);
      const size = weights[addressOf({ name: 'layer_param_norm', ...place })];
      if (name === 'layer_update_norm' && size !== undefined && size > 0)
        values[addressOf({ name: 'update_to_weight_ratio', ...place })] = value / size;
    }
    if (first === undefined || first.tokens === all.tokens) return values;
    const noise = noiseOf(first, all);
    this.noise = withNoise(this.noise, noise);
    const scale = noiseScale(this.noise);
    return {
      ...values,
      gradient_noise_trace: noise.trace,
      gradient_noise_squared: noise.squared,
      ...(scale === undefined ? {} : { gradient_noise_scale: scale }),
    };
  }

  /** Means of the losses of tokens: by how many tokens they are predicted from, and by how frequent they are. */
  #lossOf({ targets, length }: Batch, loss: Float32Array): Values {
    this.#frequencies ??= FrequencyBins.of(this.#data);
    const sums = new Map<string, { nats: number; count: number }>();
    for (const [i, target] of targets.entries()) {
      if (target < 0) continue;
      const bins = [
        addressOf({ name: 'loss_by_position', layer: placeOfPosition(i % length) }),
        addressOf({ name: 'loss_by_frequency', layer: this.#frequencies.placeOf(target) }),
      ];
      for (const bin of bins) {
        const sum = sums.get(bin) ?? { nats: 0, count: 0 };
        sums.set(bin, sum);
        sum.nats += loss[i]!;
        sum.count++;
      }
    }
    return Object.fromEntries([...sums].map(([bin, { nats, count }]) => [bin, nats / count]));
  }
}
