/** Writing text with a model: temperature, top-k and top-p (nucleus: Holtzman et al. 2020) sampling, seeded. */
import type { LoadedProgram, Session, TypedArray } from '../executors/executor.ts';
import type { Stream } from '../random/stream.ts';

export interface SamplingOptions {
  /** Divides the logits; 0 always takes the most likely token. */
  readonly temperature: number;
  /** Only the k most likely tokens; 0 = all. */
  readonly topK: number;
  /** Only the most likely tokens that together have this probability; 1 = all. */
  readonly topP: number;
}

/** Index of a token drawn from softmax(logits / temperature), restricted by top-k and then top-p. Ties go to the lower id. */
export function sampleToken(logits: ArrayLike<number>, options: SamplingOptions, random: Stream): number {
  const { temperature, topK, topP } = options;
  const order = Array.from({ length: logits.length }, (_, id) => id).filter((id) => logits[id]! > -Infinity);
  if (order.length === 0) throw new Error('no token can be sampled: every logit is NaN or −∞');
  order.sort((a, b) => logits[b]! - logits[a]! || a - b);
  if (temperature === 0) return order[0]!;
  const kept = topK > 0 ? order.slice(0, topK) : order;
  const largest = logits[kept[0]!]!;
  const weights = kept.map((id) => Math.exp((logits[id]! - largest) / temperature));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let count = kept.length;
  if (topP < 1) {
    // The token that crosses the limit is kept, so at least one always is.
    let sum = 0;
    count = 0;
    while (count < kept.length && sum < topP * total) sum += weights[count++]!;
  }
  const limit = weights.slice(0, Math.max(1, count)).reduce((sum, weight) => sum + weight, 0);
  let at = random.uniform() * limit;
  for (let i = 0; i < count - 1; i++) {
    at -= weights[i]!;
    if (at < 0) return kept[i]!;
  }
  return kept[Math.max(1, count) - 1]!;
}

export interface GenerateOptions extends SamplingOptions {
  readonly session: Session;
  /** Program `generate()`. */
  readonly loaded: LoadedProgram;
  readonly context: number;
  readonly keyMasked: boolean;
  /** Tokens to continue; at least one. */
  readonly prompt: ArrayLike<number>;
  readonly tokens: number;
  readonly random: Stream;
  /** Ends the text when drawn; −1 for none. It is not part of the result. */
  readonly endToken: number;
  /** Called with each token; false ends the text. */
  readonly onToken?: (token: number) => boolean | Promise<boolean>;
}

/** The new tokens, without the prompt. Text longer than the context continues from its last `context` tokens. */
export async function generateTokens(options: GenerateOptions): Promise<number[]> {
  const { session, loaded, context, prompt } = options;
  if (prompt.length === 0) throw new Error('sampling needs a prompt of at least one token');
  const all = Array.from(prompt);
  const window = new Int32Array(context);
  const position = new Int32Array(1);
  const keyMask: Record<string, TypedArray> = options.keyMasked ? { keyMask: new Uint8Array(context).fill(1) } : {};
  while (all.length - prompt.length < options.tokens) {
    const begin = Math.max(0, all.length - context);
    window.fill(0);
    for (let i = begin; i < all.length; i++) window[i - begin] = all[i]!;
    position[0] = all.length - begin - 1;
    const { logits } = await session.run(loaded, { tokens: window, position, ...keyMask });
    const token = sampleToken(logits!, options, options.random);
    if (token === options.endToken) break;
    all.push(token);
    if ((await options.onToken?.(token)) === false) break;
  }
  return all.slice(prompt.length);
}
