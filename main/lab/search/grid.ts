import { counted } from '../../../preload/shared/format.ts';
import { infoOf } from '../../../preload/shared/sweeps/distributions.ts';
import { checkValue, problem } from '../../../preload/shared/settings/values.ts';
import { listedValues } from './listed.ts';
import { type Combination, defineSearch, type SearchSpace } from './search.ts';

const columnsOf = ({ parameters }: SearchSpace): Combination[] =>
  parameters.map(({ distribution }) => listedValues(distribution) ?? []);
const sizeOf = (columns: readonly Combination[]): number => columns.reduce((total, { length }) => total * length, 1);

/** Combination number `i`, the last column fastest. */
function combination(columns: readonly Combination[], i: number): Combination {
  let rest = i;
  return columns
    .toReversed()
    .map((column) => {
      const value = column[rest % column.length]!;
      rest = Math.floor(rest / column.length);
      return value;
    })
    .reverse();
}

/** Every combination, in W&B's order. */
export const grid = defineSearch({
  name: 'grid',
  label: 'Grid',
  help: 'Every combination of the swept values.',
  draws: false,
  *propose(space, tried, n) {
    const columns = columnsOf(space);
    const end = Math.min(sizeOf(columns), tried.length + n);
    for (let i = tried.length; i < end; i++) yield combination(columns, i);
  },
  size: (space) => sizeOf(columnsOf(space)),
  check(spec, d) {
    const values = listedValues(d);
    if (values === undefined || values.length === 0) {
      const many = infoOf(d.kind)?.grid === true ? 'too many values for a grid' : `a grid cannot list a ${d.kind}`;
      const why = values ? 'no value lies between min and max' : many;
      const allowed = 'values: […], int_uniform or q_uniform in a grid, or method: random';
      return { ...problem(spec.name, d.kind, allowed, undefined, why), code: 'not_listed' };
    }
    if (!('min' in d)) return undefined;
    const wrong = values.map((value) => checkValue(spec, value)).find((found) => found !== null);
    return wrong && { ...wrong, code: 'value' };
  },
  note(d) {
    const repeats = d.kind === 'categorical' ? d.values.length - listedValues(d)!.length : 0;
    if (repeats > 0) return `${counted(repeats, 'value')} given twice or more: a grid takes each once`;
    if (d.kind !== 'q_uniform') return undefined;
    const last = listedValues(d)?.at(-1);
    const next = Number((Number(last) + d.q).toPrecision(15));
    if (last === undefined || next !== d.max) return undefined;
    const more = Number((d.max + d.q / 2).toPrecision(15));
    return `a grid takes q_uniform from ${d.min} up to ${last} and leaves max, ${d.max}, out, as W&B does; max: ${more} would take it in`;
  },
});
