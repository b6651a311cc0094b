/** SparseK attention (Lou et al. 2024): each token is scored once, and later tokens see the best so far. */
import { problem } from '../../../../preload/shared/settings/values.ts';
import type { Config } from '../../../../preload/contract/settings.ts';
import {
  add,
  iota,
  matmul,
  mul,
  reshape,
  rows,
  scalar,
  sparseAttention,
  sparsek as select,
} from '../../graph/ops/index.ts';
import type { SparsePattern } from '../../graph/ops/index.ts';
import type { Value } from '../../graph/value.ts';
import type { ModelContext } from '../model.ts';
import { defineAttention } from './attention.ts';
import { densityNote } from './reach.ts';

const SELECTED = 'attention.selected';
const RECENT = 'attention.recent';
const DRIFT = 'attention.drift';

const number = (config: Config, name: string): number => config[name] as number;

/** The last few tokens, which are seen whatever their score. */
const recentOf = (config: Config): SparsePattern => ({
  patterns: ['local'],
  block: number(config, RECENT),
  summary: 1,
  groups: 1,
});

/** f32 [rows, length]: what each token is worth to those after it. One that lies `drift` later is worth so much more, all else equal. */
function scoresOf(m: ModelContext, x: Value, drift: number): Value {
  const width = x.shape.at(-1)!;
  const std = 1 / Math.sqrt(width);
  const weight = m.within('score', () =>
    m.parameter('weight', [1, width], { role: 'matrix', initial: { kind: 'normal', std } }),
  );
  const raw = reshape(matmul(rows(x), weight, { transposeB: true, out: 'f32' }), [m.rows, m.context]);
  const position = iota(m.graph, m.context);
  return add(raw, reshape(mul(position, scalar(position, drift)), [1, m.context]));
}

export const sparsek = defineAttention({
  name: 'sparsek',
  help: 'Each token learns a score, and a token sees the last few and the best attention.selected before it: what matters is kept at a constant cost.',
  settings: [
    {
      name: SELECTED,
      type: { kind: 'int', min: 1, max: 1048576 },
      default: 16,
      unit: 'tokens',
      help: 'How many tokens with the highest scores so far a token sees.',
      question: 'capacity',
      touches: ['memory', 'time', 'stability'],
    },
    {
      name: RECENT,
      type: { kind: 'int', min: 1, max: 1048576 },
      default: 8,
      unit: 'tokens',
      help: 'Tokens that are seen whatever their score: the token itself and those just before it.',
      question: 'capacity',
      touches: ['memory', 'time', 'stability'],
    },
    {
      name: DRIFT,
      type: { kind: 'float', min: 0 },
      default: 0.001,
      unit: 'score/token',
      help: 'Added to the score for every token of position, so that of equally good tokens the later one stays.',
      question: 'capacity',
      touches: ['stability'],
      plan: 'none',
    },
  ],
  derived: [
    {
      setting: SELECTED,
      rule: 'model.context / 8, at least 1',
      value: (config) => Math.max(1, Math.floor(number(config, 'model.context') / 8)),
    },
    {
      setting: RECENT,
      rule: 'model.context / 16, at least 1',
      value: (config) => Math.max(1, Math.floor(number(config, 'model.context') / 16)),
    },
  ],
  rules: [SELECTED, RECENT].map((name) => ({
    code: `${name}_in_context`,
    settings: [name, 'model.context'],
    severity: 'error' as const,
    check: (config: Config) => {
      const [tokens, context] = [number(config, name), number(config, 'model.context')];
      return tokens <= context ? null : problem(name, tokens, `at most model.context ${context}`, context);
    },
  })),
  attend: (m, { q, k, v, x }, options, config) => {
    const count = number(config, SELECTED);
    const scores = scoresOf(m, x, number(config, DRIFT));
    const selection = { scores, ...select(scores, count, m.starts), count };
    return sparseAttention(q, k, v, { ...options, pattern: recentOf(config), selection });
  },
  notes: (config, uses) => {
    const layers = uses.map((use) => ({ ...use, pattern: recentOf(config), chosen: number(config, SELECTED) }));
    return [`${densityNote(layers)} at most`, 'which tokens are seen depends on the text'];
  },
});
