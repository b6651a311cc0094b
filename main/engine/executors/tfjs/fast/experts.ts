/** Products of rows that belong to groups: each group's rows times its own matrix, and nothing else. */
import * as tf from '@tensorflow/tfjs-core';
import { compute, elements, integers } from '../arrays.ts';
import type { Kernel } from '../primitives.ts';
import { multiplyParts } from './products.ts';
import type { Part } from './products.ts';

interface Group {
  readonly index: number;
  readonly begin: number;
  readonly rows: number;
}

/** The groups that have rows. */
function groupsOf(ends: tf.Tensor): Group[] {
  const all = Array.from(integers(ends));
  return all
    .map((end, index) => ({ index, begin: all[index - 1] ?? 0, rows: end - (all[index - 1] ?? 0) }))
    .filter(({ rows }) => rows > 0);
}

const zeros = (shape: readonly number[]): tf.Tensor => compute([shape], (y) => y.fill(0))[0]!;

const groupedMatmul: Kernel = ([x, w, ends], { attrs }) => {
  const groups = groupsOf(ends!);
  const matrices = attrs.transposed === true ? tf.transpose(w!, [0, 2, 1]) : w!;
  const [inner, columns] = matrices.shape.slice(1) as [number, number];
  const out = zeros([x!.shape[0]!, columns]);
  multiplyParts(
    groups.map(({ index, begin, rows }): [Part, Part, Part] => [
      { tensor: x!, offset: begin * inner, rows, columns: inner },
      { tensor: matrices, offset: index * inner * columns, rows: inner, columns },
      { tensor: out, offset: begin * columns, rows, columns },
    ]),
  );
  return [out];
};

/** The rows of each group as a matrix of their own, transposed, one after the other. */
function transposedGroups(x: tf.Tensor, groups: readonly Group[]): tf.Tensor {
  const width = x.shape[1]!;
  return compute([[x.shape[0]! * width]], (y) => {
    const from = elements(x);
    for (const { begin, rows } of groups)
      for (let row = 0; row < rows; row++)
        for (let column = 0; column < width; column++)
          y[begin * width + column * rows + row] = from[(begin + row) * width + column]!;
  })[0]!;
}

const groupedOuter: Kernel = ([x, y, ends]) => {
  const groups = groupsOf(ends!);
  const [m, n] = [x!.shape[1]!, y!.shape[1]!];
  const turned = transposedGroups(x!, groups);
  const out = zeros([ends!.shape[0]!, m, n]);
  multiplyParts(
    groups.map(({ index, begin, rows }): [Part, Part, Part] => [
      { tensor: turned, offset: begin * m, rows: m, columns: rows },
      { tensor: y!, offset: begin * n, rows, columns: n },
      { tensor: out, offset: index * m * n, rows: m, columns: n },
    ]),
  );
  return [out];
};

export const EXPERTS = { groupedMatmul, groupedOuter } satisfies Readonly<Record<string, Kernel>>;
