/** What a session on a GPU found, as it is written to gpu.json after every stage. */

export type Cell = number | string | boolean | null;
export type Row = Readonly<Record<string, Cell>>;

export interface StageResult {
  readonly name: string;
  /** Whether it ran to its end and everything that it checks was right. */
  readonly ok: boolean;
  readonly seconds: number;
  /** Why it is not ok; or why it did not run. */
  readonly error?: string;
  readonly skipped?: boolean;
  readonly rows: readonly Row[];
}

export interface GpuReport {
  readonly schema: 1;
  /** Name, capability, memory; null where no card was found. */
  readonly device: Row | null;
  readonly commit: string;
  readonly stages: readonly StageResult[];
}

export interface Difference {
  readonly stage: string;
  readonly what: string;
}

/** Figures of time or rate, by the end of their names: higher is worse, or lower is. */
const SLOWER = /(ms|seconds|us)$/iu;
const FASTER = /(per_s|tflops|gbytes|ratio)$/iu;
/** Less than this is the machine's noise. */
const NOISE = 1.1;

const keyOf = (row: Row): string =>
  Object.entries(row)
    .filter(([, value]) => typeof value === 'string')
    .map(([name, value]) => `${name} ${String(value)}`)
    .join(', ');

/** What got worse since an earlier report: stages that are no longer ok, rows that are missing, times more than a tenth longer. */
export function compareReports(before: GpuReport, now: GpuReport): Difference[] {
  const found: Difference[] = [];
  for (const stage of before.stages) {
    const own = now.stages.find(({ name }) => name === stage.name);
    if (own === undefined || (stage.ok && !own.ok && own.skipped !== true)) {
      found.push({
        stage: stage.name,
        what: own === undefined ? 'did not run' : `is no longer right: ${own.error ?? ''}`,
      });
      continue;
    }
    if (own.skipped === true) continue;
    for (const row of stage.rows) {
      const key = keyOf(row);
      const other = own.rows.find((each) => keyOf(each) === key);
      if (other === undefined) {
        found.push({ stage: stage.name, what: `${key}: is missing` });
        continue;
      }
      for (const [name, value] of Object.entries(row)) {
        const then = Number(value);
        const value2 = Number(other[name]);
        if (typeof value !== 'number' || !(then > 0) || !(value2 > 0)) continue;
        const worse = SLOWER.test(name) ? value2 / then : FASTER.test(name) ? then / value2 : 1;
        if (worse > NOISE) found.push({ stage: stage.name, what: `${key}: ${name} was ${then}, is ${value2}` });
      }
    }
  }
  return found;
}
