/**
 * Products whose rows belong to groups with a matrix each: what experts compute, without a row that was not given to them.
 *
 * A token takes `active` places, one with each of its experts. Places stand side by side by expert, and by token within an expert: the
 * rows of expert e end at `ends[e]`, and an expert without tokens ends where the one before it does. What lies beyond the last end (only
 * where scores were no numbers, so that fewer experts were chosen) gives zeros.
 */
import { defineOperation } from '../operation.ts';
import { lowestPrecision, requireShape } from '../shapes.ts';
import { sameShape, sizeOf } from '../value.ts';
import type { DType, Node, Value } from '../value.ts';
import { add, cast, gradientType, greater, less, scalar, select, sub } from './elementwise.ts';
import { gather, scatterAdd } from './indexing.ts';
import { iota } from './leaves.ts';
import { matmul } from './matmul.ts';
import { broadcastTo, concat, reshape, slice } from './movement.ts';
import { reduceSum } from './reduce.ts';

/** Where the tokens of experts stand; see the operation `expertPlaces`. */
export interface PlaceNumbers {
  readonly token: Int32Array;
  readonly source: Int32Array;
  readonly place: Int32Array;
  readonly ends: Int32Array;
}

/** The outputs of `expertPlaces` for choices [tokens, experts] that are not 0, `active` of them in a row. */
export function placesOf(chosen: ArrayLike<number>, experts: number, active: number): PlaceNumbers {
  const tokens = chosen.length / experts;
  const [token, source, place] = Array.from({ length: 3 }, () => new Int32Array(tokens * active)) as [
    Int32Array,
    Int32Array,
    Int32Array,
  ];
  // A choice that is missing stands at the last place, which then belongs to nobody.
  place.fill(tokens * active - 1);
  const taken = new Int32Array(tokens);
  const ends = new Int32Array(experts);
  let next = 0;
  for (let e = 0; e < experts; e++) {
    for (let t = 0; t < tokens; t++) {
      const at = t * experts + e;
      if (chosen[at] === 0 || taken[t] === active) continue;
      token[next] = t;
      source[next] = at;
      place[t * active + taken[t]!++] = next++;
    }
    ends[e] = next;
  }
  return { token, source, place, ends };
}

defineOperation({
  name: 'expertPlaces',
  kind: 'primitive',
  infer: ([chosen], attrs) => {
    const active = attrs.active as number;
    const fits = chosen!.shape.length === 2 && chosen!.dtype === 'f32' && active >= 1 && active <= chosen!.shape[1]!;
    requireShape(fits, 'expertPlaces', `needs f32 [tokens, experts], ${active} experts at least`, chosen!);
    const [tokens, experts] = chosen!.shape as [number, number];
    const places = { shape: [tokens * active], dtype: 'i32' } as const;
    return [places, places, places, { shape: [experts], dtype: 'i32' }];
  },
  gradient: () => [undefined],
  flops: () => 0,
});

export interface Places {
  /** i32 [places]: the token at each place. */
  readonly token: Value;
  /** i32 [places]: where its choice stands among [tokens · experts]. */
  readonly source: Value;
  /** i32 [tokens · active]: the places of each token, by expert. */
  readonly place: Value;
  /** i32 [experts]: where the places of each expert end. */
  readonly ends: Value;
}

/** Places for choices f32 [tokens, experts]: 0 or not, `active` of them in each row. */
export function expertPlaces(chosen: Value, active: number): Places {
  const [token, source, place, ends] = chosen.graph.add('expertPlaces', [chosen], { active });
  return { token: token!, source: source!, place: place!, ends: ends! };
}

const termsOf = ({ inputs: [table, index], attrs }: Pick<Node, 'inputs' | 'attrs'>) => ({
  width: table!.shape[1]!,
  terms: attrs.terms as number,
  rows: index!.shape[0]! / (attrs.terms as number),
});

defineOperation({
  name: 'gatherSum',
  kind: 'composite',
  infer: (inputs, attrs) => {
    const [table, index] = inputs as [Value, Value];
    const ok = table.shape.length === 2 && index.dtype === 'i32' && index.shape.length === 1;
    const { rows, width } = termsOf({ inputs, attrs });
    const message = 'needs a [rows, width] table and i32 indices, several for each row';
    requireShape(ok && Number.isInteger(rows), 'gatherSum', message, table, index);
    return [{ shape: [rows, width], dtype: table.dtype }];
  },
  gradient: ({ inputs, attrs }, [g]) => {
    const [table, index] = inputs as [Value, Value];
    const { rows, terms, width } = termsOf({ inputs, attrs });
    const each = reshape(broadcastTo(reshape(g!, [rows, 1, width]), [rows, terms, width]), [rows * terms, width]);
    return [cast(scatterAdd(index, each, table.shape[0]!), gradientType(table)), undefined];
  },
  decompose: (inputs, attrs) => {
    const [table, index] = inputs as [Value, Value];
    const { rows, terms, width } = termsOf({ inputs, attrs });
    const sum = reduceSum(reshape(gather(table, index), [rows, terms, width]), [1]);
    return [cast(reshape(sum, [rows, width]), table.dtype)];
  },
  flops: ({ inputs }) => sizeOf(inputs[1]!.shape) * inputs[0]!.shape[1]!,
});
/** [rows, width]: sums of `terms` rows of `table` each, by i32 indices [rows · terms]. */
export function gatherSum(table: Value, index: Value, terms: number): Value {
  return table.graph.add('gatherSum', [table, index], { terms })[0]!;
}

// Tokens to their places and back: each is the other's gradient, and nothing is ever scattered.
defineOperation({
  name: 'toPlaces',
  kind: 'composite',
  infer: ([x, token, place]) => {
    const fits = x!.shape.length === 2 && token!.dtype === 'i32' && sameShape(token!.shape, place!.shape);
    requireShape(fits, 'toPlaces', 'needs [tokens, width] and i32 places', x!, token!, place!);
    return [{ shape: [token!.shape[0]!, x!.shape[1]!], dtype: x!.dtype }];
  },
  gradient: ({ inputs }, [g]) => {
    const [, token, place] = inputs as [Value, Value, Value];
    return [g!.graph.add('fromPlaces', [g!, token, place], { tokens: inputs[0]!.shape[0]! })[0], undefined, undefined];
  },
  decompose: ([x, token]) => [gather(x!, token!)],
  flops: () => 0,
});
defineOperation({
  name: 'fromPlaces',
  kind: 'composite',
  infer: ([y, token, place], attrs) => {
    const fits = y!.shape.length === 2 && token!.dtype === 'i32' && sameShape(token!.shape, [y!.shape[0]!]);
    const even = y!.shape[0]! % (attrs.tokens as number) === 0;
    requireShape(
      fits && even && sameShape(token!.shape, place!.shape),
      'fromPlaces',
      'needs [places, width] and i32 places',
      y!,
      token!,
      place!,
    );
    return [{ shape: [attrs.tokens as number, y!.shape[1]!], dtype: y!.dtype }];
  },
  gradient: ({ inputs: [, token, place] }, [g]) => [
    toPlaces(g!, { token: token!, place: place! }),
    undefined,
    undefined,
  ],
  decompose: ([y, , place], attrs) => [gatherSum(y!, place!, y!.shape[0]! / (attrs.tokens as number))],
  flops: ({ inputs }) => sizeOf(inputs[0]!.shape),
});
/** x [tokens, width] at its places: [places, width]. */
export function toPlaces(x: Value, { token, place }: Pick<Places, 'token' | 'place'>): Value {
  return x.graph.add('toPlaces', [x, token, place])[0]!;
}
/** y [places, width], added up for each of so many tokens: [tokens, width]. */
export function fromPlaces(y: Value, { token, place }: Pick<Places, 'token' | 'place'>, tokens: number): Value {
  return y.graph.add('fromPlaces', [y, token, place], { tokens })[0]!;
}

/** u8 [rows, 1] for each group: the rows that are its own. */
function membership(rows: number, ends: Value): Value[] {
  const groups = ends.shape[0]!;
  const position = reshape(iota(ends.graph, rows), [rows, 1]);
  const before = cast(less(position, reshape(cast(ends, 'f32'), [1, groups])), 'f32');
  return Array.from({ length: groups }, (_, e) => {
    const own = slice(before, 1, e, 1);
    const others = e === 0 ? undefined : slice(before, 1, e - 1, 1);
    return greater(others === undefined ? own : sub(own, others), scalar(own, 0));
  });
}

const isTransposed = (node: Pick<Node, 'attrs'>): boolean => node.attrs.transposed === true;
/** Numbers of columns in and out of a product by groups. */
const sizesOf = (node: Pick<Node, 'inputs' | 'attrs'>): [inner: number, outer: number] => {
  const [a, b] = node.inputs[1]!.shape.slice(1) as [number, number];
  return isTransposed(node) ? [b, a] : [a, b];
};

defineOperation({
  name: 'groupedMatmul',
  kind: 'composite',
  infer: (inputs, attrs) => {
    const [x, w, ends] = inputs as [Value, Value, Value];
    const ranks = x.shape.length === 2 && w.shape.length === 3 && ends.dtype === 'i32';
    requireShape(
      ranks && sameShape(ends.shape, [w.shape[0]!]) && sizesOf({ inputs, attrs })[0] === x.shape[1],
      'groupedMatmul',
      'needs rows, a matrix for each group and i32 ends',
      x,
      w,
      ends,
    );
    const dtype = (attrs.out as DType | undefined) ?? lowestPrecision('groupedMatmul', [x, w]);
    return [{ shape: [x.shape[0]!, sizesOf({ inputs, attrs })[1]], dtype }];
  },
  gradient: (node, [g]) => {
    const [x, w, ends] = node.inputs as [Value, Value, Value];
    const transposed = isTransposed(node);
    const dx = groupedMatmul(g!, w, ends, { transposed: !transposed, out: gradientType(x) });
    const dw = transposed ? groupedOuter(g!, x, ends, gradientType(w)) : groupedOuter(x, g!, ends, gradientType(w));
    return [dx, dw, undefined];
  },
  // Everything times every matrix: right everywhere, at the price of as many products as there are groups.
  decompose: (inputs, attrs) => {
    const [x, w, ends] = inputs as [Value, Value, Value];
    const [groups, a, b] = w.shape as [number, number, number];
    const mine = membership(x.shape[0]!, ends);
    const parts = Array.from({ length: groups }, (_, e) => {
      const matrix = reshape(slice(w, 0, e, 1), [a, b]);
      const y = matmul(x, matrix, { transposeB: isTransposed({ attrs }), out: 'f32' });
      return select(mine[e]!, y, scalar(y, 0));
    });
    return [cast(parts.reduce(add), (attrs.out as DType | undefined) ?? lowestPrecision('groupedMatmul', [x, w]))];
  },
  flops: (node) => 2 * sizeOf(node.inputs[0]!.shape) * sizesOf(node)[1],
});
/** x [rows, in] × w [groups, in, out] (`transposed`: [groups, out, in]), each row by the matrix of its group → [rows, out]. */
export function groupedMatmul(
  x: Value,
  w: Value,
  ends: Value,
  options: { readonly transposed?: boolean; readonly out?: DType } = {},
): Value {
  return x.graph.add('groupedMatmul', [x, w, ends], { ...options })[0]!;
}

defineOperation({
  name: 'groupedOuter',
  kind: 'composite',
  infer: ([x, y, ends], attrs) => {
    const ranks = x!.shape.length === 2 && y!.shape.length === 2 && ends!.shape.length === 1;
    requireShape(
      ranks && x!.shape[0] === y!.shape[0] && ends!.dtype === 'i32',
      'groupedOuter',
      'needs equally many rows and i32 ends',
      x!,
      y!,
      ends!,
    );
    return [{ shape: [ends!.shape[0]!, x!.shape[1]!, y!.shape[1]!], dtype: attrs.out as DType }];
  },
  gradient: ({ inputs }, [g]) => {
    const [x, y, ends] = inputs as [Value, Value, Value];
    return [
      groupedMatmul(y, g!, ends, { transposed: true, out: gradientType(x) }),
      groupedMatmul(x, g!, ends, { out: gradientType(y) }),
      undefined,
    ];
  },
  decompose: ([x, y, ends], attrs) => {
    const mine = membership(x!.shape[0]!, ends!);
    const parts = mine.map((own) => {
      const rows = select(own, x!, scalar(x!, 0));
      const sum = matmul(rows, y!, { transposeA: true, out: attrs.out as DType });
      return reshape(sum, [1, ...sum.shape]);
    });
    return [parts.length === 1 ? parts[0]! : concat(parts, 0)];
  },
  flops: ({ inputs: [x, y] }) => 2 * sizeOf(x!.shape) * y!.shape[1]!,
});
/** For each group the sum over its rows of x_rowᵀ·y_row: [groups, columns of x, columns of y]. */
export function groupedOuter(x: Value, y: Value, ends: Value, out: DType = 'f32'): Value {
  return x.graph.add('groupedOuter', [x, y, ends], { out })[0]!;
}
