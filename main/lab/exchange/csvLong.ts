/** Long format: one line per point. Every point of every metric, bit for bit. */
import { cellOf, csvLine, numberCell, textCell } from '../../../preload/shared/csv.ts';
import { defineExchange, wantedMetrics } from './exchange.ts';
import { settingColumns, settingValue } from './exportedRun.ts';

const RUN = ['run', 'name', 'sweep', 'state'];
const POINT = ['metric', 'step', 'value'];

/** Columns: run, name, sweep, state, the settings, metric, step, value. */
function longHeader(settings: readonly string[], exact: boolean): string[] {
  const columns = settingColumns(settings, [...RUN, ...POINT]).map((name) => textCell(name, exact));
  return [...RUN, ...columns, ...POINT];
}

/** Bytes of a piece, and room in it for the numbers of a line: two of at most 25 characters. */
const PIECE = 1 << 17;
const NUMBERS = 64;

export const csvLong = defineExchange({
  name: 'csv-long',
  label: 'CSV, one line per point',
  help: 'Every point of every metric, exact to the bit, with the settings of its run: for pandas, R and spreadsheets.',
  extensions: ['csv'],
  options: ['metrics', 'settings', 'exact'],
  appends: true,
  *write(job) {
    const { runs, settings, exact, stream } = job;
    yield csvLine(longHeader(settings, exact));
    let cells: StepCells = { step: new Float64Array(), texts: [] };
    const lines = new Lines();
    for (const run of runs) {
      const fixed = [
        run.id,
        textCell(run.name, exact),
        run.sweepId ?? '',
        run.state,
        ...settings.map((name) => cellOf(settingValue(run, name), exact)),
      ];
      for (const metric of wantedMetrics(job, run.id)) {
        // All that is text is the same for every line of a series, so it is quoted once.
        const prefix = Buffer.from(`${csvLine([...fixed, textCell(metric, exact)]).slice(0, -1)},`);
        for (const { step, value } of stream(run.id, metric)) {
          cells = cellsOf(step, cells);
          for (let i = 0; i < value.length; i++) {
            if (!lines.hasRoom(prefix)) yield* lines.take(prefix.length);
            lines.add(prefix, `${cells.texts[i]}${numberCell(value[i])}\n`);
          }
        }
      }
    }
    yield* lines.take();
  },
});

interface StepCells {
  readonly step: Float64Array;
  /** Each with the comma behind it. */
  readonly texts: readonly string[];
}

/** Metrics and runs are mostly logged at the same steps, whose texts are then made once. */
function cellsOf(step: Float64Array, known: StepCells): StepCells {
  const same = step.length === known.step.length && step.every((each, i) => Object.is(each, known.step[i]));
  return same ? known : { step, texts: Array.from(step, (each) => `${numberCell(each)},`) };
}

/** Lines as bytes: as one text they would be put together of millions of parts, which takes longer than to write them. */
class Lines {
  #piece = Buffer.alloc(0);
  #length = 0;

  hasRoom(prefix: Uint8Array): boolean {
    return this.#length + prefix.length + NUMBERS <= this.#piece.length;
  }

  /** What has come together; then there is room again, for a line that begins with so many bytes. */
  *take(next = 0): Generator<Buffer> {
    if (this.#length > 0) yield this.#piece.subarray(0, this.#length);
    // Whoever takes a piece may keep it.
    this.#piece = Buffer.allocUnsafe(Math.max(PIECE, next + NUMBERS));
    this.#length = 0;
  }

  /** @param end of ASCII */
  add(prefix: Uint8Array, end: string): void {
    this.#piece.set(prefix, this.#length);
    this.#length += prefix.length;
    this.#length += this.#piece.write(end, this.#length, 'latin1');
  }
}
