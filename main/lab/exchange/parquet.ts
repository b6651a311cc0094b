/** Parquet: one row per point, like the long CSV, with types instead of texts. Written by hyparquet-writer, a row group at a time. */
import { ByteWriter, ParquetWriter, schemaFromColumnData } from 'hyparquet-writer';
import type { BasicType, ColumnSource } from 'hyparquet-writer';
import type { RunRecord } from '../../../preload/contract/runs.ts';
import type { SettingValue } from '../../../preload/contract/settings.ts';
import { defineExchange, wantedMetrics } from './exchange.ts';
import type { ExportJob } from './exchange.ts';
import { settingColumns, settingValue } from './exportedRun.ts';

/** Rows of a group: what is in memory at a time, a few dozen bytes of each. */
const GROUP = 1 << 17;

export const parquet = defineExchange({
  name: 'parquet',
  label: 'Parquet, one row per point',
  help: 'Every point of every metric, exact to the bit, with typed settings of its run: for pandas, Polars, DuckDB and Arrow.',
  extensions: ['parquet'],
  options: ['metrics', 'settings'],
  *write(job) {
    const columns = columnsOf(job);
    // As one buffer it goes to the disk group by group: `index` is the place in it, `offset` the place in the file.
    const bytes = new ByteWriter(1 << 20);
    const take = (): Uint8Array => {
      const piece = bytes.getBytes().slice();
      bytes.index = 0;
      return piece;
    };
    const schema = schemaFromColumnData({ columnData: columns.map((each) => ({ ...each.shape, data: [] })) });
    const writer = new ParquetWriter({ writer: bytes, schema, createdBy: 'Sweeplab' });
    for (const rows of groups(job)) {
      void writer.write({
        columnData: columns.map(({ shape, data }) => ({ ...shape, data: data(rows) })),
        rowGroupSize: GROUP,
      });
      yield take();
    }
    void writer.finish();
    yield take();
  },
});

/** Some rows: which run and metric each is of, and its point. */
interface Rows {
  readonly run: readonly RunRecord[];
  readonly metric: readonly string[];
  readonly step: Float64Array;
  readonly value: Float64Array;
}

interface Column {
  readonly shape: Omit<ColumnSource, 'data'>;
  data(rows: Rows): ColumnSource['data'];
}

function columnsOf({ runs, settings, sweepOf }: ExportJob): readonly Column[] {
  const of = (
    name: string,
    type: BasicType,
    nullable: boolean,
    value: (run: RunRecord) => SettingValue | undefined,
  ): Column => ({ shape: { name, type, nullable }, data: ({ run }) => run.map((each) => value(each) ?? null) });
  const fixed = ['run', 'name', 'sweep', 'state', 'metric', 'step', 'value'];
  const columns = settingColumns(settings, fixed);
  return [
    of('run', 'STRING', false, ({ id }) => id),
    of('name', 'STRING', false, ({ name }) => name),
    of('sweep', 'STRING', true, (run) => sweepOf(run)?.name),
    of('state', 'STRING', false, ({ state }) => state),
    ...settings.map((name, i) => {
      const type = typeOf(runs, name);
      const text = (value: SettingValue | undefined): SettingValue | undefined =>
        value === undefined || type !== 'STRING' ? value : String(value);
      return of(columns[i], type, true, (run) => text(settingValue(run, name)));
    }),
    { shape: { name: 'metric', type: 'STRING', nullable: false }, data: ({ metric }) => [...metric] },
    { shape: { name: 'step', type: 'DOUBLE', nullable: false }, data: ({ step }) => step },
    { shape: { name: 'value', type: 'DOUBLE', nullable: false }, data: ({ value }) => value },
  ];
}

/** What all runs agree on; text where they do not. */
function typeOf(runs: readonly RunRecord[], name: string): BasicType {
  const kinds = new Set(runs.map((run) => typeof settingValue(run, name)));
  kinds.delete('undefined');
  if (kinds.size !== 1) return 'STRING';
  return kinds.has('number') ? 'DOUBLE' : kinds.has('boolean') ? 'BOOLEAN' : 'STRING';
}

function* groups(job: ExportJob): Generator<Rows> {
  let [run, metric, at]: [RunRecord[], string[], number] = [[], [], 0];
  const step = new Float64Array(GROUP);
  const value = new Float64Array(GROUP);
  for (const each of job.runs)
    for (const name of wantedMetrics(job, each.id))
      for (const part of job.stream(each.id, name))
        for (let i = 0; i < part.step.length; i++) {
          run.push(each);
          metric.push(name);
          step[at] = part.step[i];
          value[at++] = part.value[i];
          if (at < GROUP) continue;
          yield { run, metric, step, value };
          [run, metric, at] = [[], [], 0];
        }
  if (at > 0) yield { run, metric, step: step.slice(0, at), value: value.slice(0, at) };
}
