/**
 * Updates of what is kept in 16 bits: where a parameter or a moment is only widened for its update and the result only rounded again, the update
 * itself does both. For executors whose kernel reads and writes such state, which then goes over memory once instead of three times.
 */
import { updateParts } from '../graph/ops/index.ts';
import type { Program } from '../graph/program.ts';
import type { Node, Value } from '../graph/value.ts';
import { rewrite } from './rewrite.ts';
import type { Rewriting, Rule } from './rewrite.ts';

/** What a value is the widening of; undefined for any other. */
const narrow = ({ node }: Value): Value | undefined =>
  node.op === 'cast' && node.inputs[0]!.dtype !== node.outputs[0]!.dtype ? node.inputs[0] : undefined;

/** Whether all that becomes of a value is a rounding to the type. */
function onlyRounded(value: Value, to: Value, r: Rewriting): boolean {
  const readers = r.readers(value);
  const rounds = (reader: Node): boolean => reader.op === 'cast' && reader.outputs[0]!.dtype === to.dtype;
  // A result of the program is no reader.
  return readers.every(rounds) && r.uses(value) === readers.length;
}

const foldIntoUpdate: Rule = (node, r) => {
  if (node.op === 'cast') {
    const rounded = r.map(node.inputs[0]!);
    return node.inputs[0]!.node.op === 'optimizerUpdate' && rounded.dtype === node.outputs[0]!.dtype
      ? [rounded]
      : undefined;
  }
  if (node.op !== 'optimizerUpdate') return undefined;
  const { p, moments } = updateParts(node);
  // Bytes go through a kernel of their own, beside which parameters have 32 bits.
  if (moments.some(({ dtype }) => dtype === 'u8')) return undefined;
  const kept = [p, ...moments];
  const stored = kept.map(narrow);
  const folds = stored.every((from, i) => from === undefined || onlyRounded(node.outputs[i]!, from, r));
  if (!folds || stored.every((from) => from === undefined)) return undefined;
  const inputs = node.inputs.map((value) => r.map(stored[kept.indexOf(value)] ?? value));
  return r.graph.add('optimizerUpdate', inputs, node.attrs);
};

export const foldStorage = (source: Program): Program => rewrite(source, foldIntoUpdate);
