/** The patterns of Sparse Transformers: what each head of each layer sees is known beforehand. */
import { nearestName } from '../../../../preload/shared/settings/nearest.ts';
import { problem } from '../../../../preload/shared/settings/values.ts';
import type { Config } from '../../../../preload/contract/settings.ts';
import { PATTERNS } from '../../graph/ops/index.ts';
import type { Pattern, SparsePattern } from '../../graph/ops/index.ts';
import { defineAttention } from './attention.ts';
import type { AttentionPlace } from '../model.ts';
import { densityNote, reachNote } from './reach.ts';

const WORDS = 'attention.sparse';
const BY = 'attention.sparse_by';
const BLOCK = 'attention.block';
const SUMMARY = 'attention.summary';
const GROUPS = 'attention.summary_groups';

const number = (config: Config, name: string): number => config[name] as number;
const wordsOf = (config: Config): string[] =>
  String(config[WORDS])
    .split(/[\s,]+/u)
    .filter((word) => word !== '');
const isPattern = (word: string): word is Pattern => (PATTERNS as readonly string[]).includes(word);

/** The power of two nearest to √context, where both patterns of a pair cost about the same. */
const blockFor = (context: number): number => Math.min(context, 2 ** Math.round(Math.log2(Math.sqrt(context))));

/** What the heads of a layer see. */
export function patternAt(config: Config, { layer }: Pick<AttentionPlace, 'layer'>): SparsePattern {
  const words = wordsOf(config).filter(isPattern);
  return {
    patterns: config[BY] === 'heads' ? words : [words[layer % words.length]!],
    block: number(config, BLOCK),
    summary: number(config, SUMMARY),
    groups: number(config, GROUPS),
  };
}

export const sparse = defineAttention({
  name: 'sparse',
  help: 'Few of the tokens before, by the patterns of Sparse Transformers: long contexts for about length × √length instead of length².',
  settings: [
    {
      name: WORDS,
      type: { kind: 'string' },
      default: 'fixed',
      help: 'Patterns in turn, such as `local strided`: fixed (own block, last tokens of each), local (last attention.block tokens), strided (every attention.block-th back), all.',
      question: 'capacity',
      touches: ['memory', 'time', 'stability'],
    },
    {
      name: BY,
      type: { kind: 'enum', values: ['heads', 'layers'] },
      default: 'heads',
      help: 'What takes several patterns in turn: the heads of every layer, or the layers.',
      question: 'capacity',
      touches: ['memory', 'time', 'stability'],
    },
    {
      name: BLOCK,
      type: { kind: 'int', min: 1, max: 1048576 },
      default: 16,
      unit: 'tokens',
      help: 'Length of a block, of the local window and of the stride; near √model.context costs least.',
      question: 'capacity',
      touches: ['memory', 'time', 'stability'],
    },
    {
      name: SUMMARY,
      type: { kind: 'int', min: 1, max: 1048576 },
      default: 1,
      unit: 'tokens',
      help: 'How many tokens at the end of each block all later tokens see, with pattern fixed.',
      question: 'capacity',
      touches: ['memory', 'time', 'stability'],
    },
    {
      name: GROUPS,
      type: { kind: 'int', min: 1, max: 1024 },
      default: 1,
      unit: 'groups',
      help: 'Heads with pattern fixed take so many groups of summary tokens in turn, one before the other from the end of the block.',
      question: 'capacity',
      touches: ['time', 'stability'],
    },
  ],
  derived: [
    {
      setting: BLOCK,
      rule: 'the power of two nearest to √model.context',
      value: (config) => blockFor(number(config, 'model.context')),
    },
    {
      setting: SUMMARY,
      rule: 'attention.block / 8, at least 1',
      value: (config) => Math.max(1, Math.floor(number(config, BLOCK) / 8)),
    },
  ],
  rules: [
    {
      code: WORDS,
      settings: [WORDS],
      severity: 'error',
      check: (config) => {
        const words = wordsOf(config);
        if (words.length > 0 && words.length <= 16 && words.every(isPattern)) return null;
        const near = words
          .flatMap((word) => (isPattern(word) ? word : (nearestName(word, PATTERNS) ?? [])))
          .slice(0, 16);
        const allowed = `1 to 16 of the words ${PATTERNS.join(', ')}`;
        return problem(WORDS, config[WORDS], allowed, near.join(' ') || 'fixed');
      },
    },
    {
      code: 'attention.block_in_context',
      settings: [BLOCK, 'model.context'],
      severity: 'error',
      check: (config) => {
        const [block, context] = [number(config, BLOCK), number(config, 'model.context')];
        return block <= context ? null : problem(BLOCK, block, `at most model.context ${context}`, context);
      },
    },
    {
      code: 'attention.summary_in_block',
      settings: [SUMMARY, GROUPS, BLOCK],
      severity: 'error',
      check: (config) => {
        const [summary, groups, block] = [number(config, SUMMARY), number(config, GROUPS), number(config, BLOCK)];
        if (summary * groups <= block) return null;
        const allowed = `${SUMMARY} × ${GROUPS} at most ${BLOCK} ${block}`;
        const why = {
          rule: `${SUMMARY} × ${GROUPS} at most ${BLOCK}`,
          numbers: `${summary} × ${groups} = ${summary * groups}, above ${block}`,
        };
        if (groups === 1 || (summary > block && groups <= block)) {
          const nearest = Math.floor(block / groups);
          return problem(SUMMARY, summary, allowed, nearest, why);
        }
        const most = Math.max(1, Math.floor(block / summary));
        return problem(GROUPS, groups, allowed, most, why, [
          { setting: SUMMARY, value: summary, nearest: Math.max(1, Math.floor(block / groups)) },
        ]);
      },
    },
  ],
  mask: (config, place) => {
    const pattern = patternAt(config, place);
    return pattern.patterns.every((name) => name === 'all') ? { window: 0 } : { pattern };
  },
  notes: (config, uses) => {
    const layers = uses.map((use) => ({ ...use, pattern: patternAt(config, use) }));
    return [densityNote(layers), reachNote(layers)];
  },
});
