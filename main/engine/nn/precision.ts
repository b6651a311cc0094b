/**
 * Precision policies. A policy only chooses the type in which weights enter the computation; shape rules carry it through (16-bit weights
 * make 16-bit activations), and norms, soft-max, loss and optimizer compute in 32 bits by their own rules.
 */
import type { Config } from '../../../preload/contract/settings.ts';
import type { DType } from '../graph/value.ts';
import type { ParameterRole } from './model.ts';

export interface PrecisionPolicy {
  readonly name: string;
  /** Type of the parameter itself. */
  readonly master: DType;
  /** Type of the copy that computation reads; undefined when it reads the parameter. */
  readonly working?: DType;
  /** Type of optimizer moments. */
  readonly moments: DType;
  /** Whether the loss must be scaled against underflow of gradients. */
  readonly scaledLoss: boolean;
  /** The factor on the loss with which a run begins; 1 where it is not scaled. */
  readonly firstScale: number;
  /** Type in which gradients are summed up over the micro-batches of a step. */
  readonly gradients: DType;
  /** Whether what is stored in 16 bits is rounded up or down by chance, so that small updates are not lost on the average. */
  readonly stochastic: boolean;
  /** Whether products may round 32-bit operands to tf32. */
  readonly tf32?: boolean;
}

/** What a configuration asks of an executor's arithmetic: its policy, or `tf32`, which only changes how products of fp32 are computed. */
export function precisionOf(config: Config): string {
  const policy = config['precision.policy'] as string;
  return policy === 'fp32' && config['precision.tf32'] === true ? 'tf32' : policy;
}

type Named = Omit<PrecisionPolicy, 'gradients' | 'stochastic' | 'firstScale'>;

const POLICIES: Readonly<Record<string, Named>> = {
  fp32: { name: 'fp32', master: 'f32', moments: 'f32', scaledLoss: false },
  tf32: { name: 'fp32', master: 'f32', moments: 'f32', scaledLoss: false, tf32: true },
  bf16: { name: 'bf16', master: 'f32', working: 'bf16', moments: 'f32', scaledLoss: false },
  fp16: { name: 'fp16', master: 'f32', working: 'f16', moments: 'f32', scaledLoss: true },
  // Everything in bf16, moments included, as hlb-gpt trains: small updates are lost, which is the point of comparing.
  'pure-bf16': { name: 'pure-bf16', master: 'bf16', moments: 'bf16', scaledLoss: false },
};

/** The policy that a configuration asks for. */
export function policyFor(config: Config): PrecisionPolicy {
  const policy = policyOf(precisionOf(config));
  return {
    ...policy,
    gradients: config['precision.gradients'] === 'bf16' ? 'bf16' : 'f32',
    firstScale: policy.scaledLoss ? (config['precision.loss_scale'] as number) : 1,
    stochastic: policy.moments === 'bf16' && config['precision.stochastic_rounding'] === true,
  };
}

/** The policy of a {@link precisionOf}, with nothing beside it. */
export function policyOf(name: string): PrecisionPolicy {
  const policy = POLICIES[name];
  if (policy === undefined)
    throw new Error(`precision.policy: ${name} is not one of ${Object.keys(POLICIES).join(', ')}`);
  return { gradients: 'f32', stochastic: false, firstScale: 1, ...policy };
}

/** Type of a parameter's own storage. Vectors stay in 32 bits under every policy. */
export function masterType(policy: PrecisionPolicy, role: ParameterRole): DType {
  return role === 'vector' ? 'f32' : policy.master;
}

/** Type of the optimizer's moments of a parameter. Those of vectors stay in 32 bits too. */
export function momentType(policy: PrecisionPolicy, role: ParameterRole): DType {
  return role === 'vector' ? 'f32' : policy.moments;
}

/** Type of the inputs of matrix products. */
export function productType(policy: PrecisionPolicy): DType {
  return policy.working ?? policy.master;
}

/**
 * Type in which computation reads a parameter. Embeddings are read as they are stored: they begin the residual stream, whose sums lose too
 * much in 16 bits.
 */
export function computeType(policy: PrecisionPolicy, role: ParameterRole): DType {
  return role === 'matrix' || role === 'head' ? productType(policy) : masterType(policy, role);
}
