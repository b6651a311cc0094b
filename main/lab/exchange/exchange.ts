/** What an exchange format is: a kind that says how runs become a file or a folder. A format is one file here, or of a plug-in. */
import type { RunEvent, RunRecord, SweepRecord } from '../../../preload/contract/runs.ts';
import type { ExportOption } from '../../../preload/contract/shapes.ts';
import type { MetricCatalog } from '../../../preload/shared/metrics.ts';
import type { Series } from '../../../preload/contract/metrics.ts';
import type { ManyQuery } from '../../store/index.ts';
import { labelledDefiner } from '../labelled.ts';
import type { LabelledKind } from '../labelled.ts';

/** A metric of a run: values at ascending steps. */
export interface Curve {
  readonly step: Float64Array;
  readonly value: Float64Array;
}

/** What is to be written, and where its points are read. */
export interface ExportJob {
  /** In the order of the file. */
  readonly runs: readonly RunRecord[];
  /** Names of settings that are written beside each run: those that tell runs apart, or all. */
  readonly settings: readonly string[];
  /** Only these metrics; default: all. */
  readonly metrics?: readonly string[];
  /** Leaves text that a spreadsheet would take for a formula as it is. */
  readonly exact: boolean;
  metricNames(runId: string): readonly string[];
  /** Every point of a metric; empty where the run has none. One at a time keeps the memory small. */
  read(runId: string, metric: string): Curve;
  /** The same, a few thousand points at a time. */
  stream(runId: string, metric: string): Iterable<Curve>;
  /** Log lines, warnings and errors of a run, the oldest first. */
  log(runId: string): Iterable<RunEvent>;
  /** A metric of several runs as charts draw it, in their order: long ones reduced, beside another metric if one is asked for as x. */
  curves(runIds: readonly string[], metric: string, query: ManyQuery): readonly Series[];
  /** What is known of each metric. */
  readonly catalog: MetricCatalog;
  /** The sweep of a run, if it has one. */
  sweepOf(run: RunRecord): SweepRecord | undefined;
}

/** The metrics of a run that are wanted, by name. */
export const wantedMetrics = ({ metrics, metricNames }: ExportJob, runId: string): readonly string[] =>
  metricNames(runId).filter((name) => metrics?.includes(name) ?? true);

/** A part of a file. Text is written as UTF-8. */
export type Piece = string | Uint8Array;

/** A file of a folder. */
export interface ExportFile {
  /** Below the folder, parted by `/`; each part as every system takes it (preload/shared/fileName.ts). */
  readonly path: string;
  /** Made while they are written; none of them large. */
  readonly pieces: Iterable<Piece>;
}

export interface ExchangeKind extends LabelledKind {
  /** What people choose: `CSV, one line per point`. */
  readonly label: string;
  /** Endings of its files, without a dot; new files get the first. */
  readonly extensions: readonly string[];
  /** The options of an export that it heeds; the others have no effect on its files. */
  readonly options?: readonly ExportOption[];
  /** Its first piece is a line with the names of columns, so that later exports can be added to a file that has the same. */
  readonly appends?: boolean;
  /**
   * The file in pieces, none of them large: they go to the disk as they come.
   * @throws what it wants; then there is no file
   */
  write?(job: ExportJob): Iterable<Piece> | AsyncIterable<Piece>;
  /**
   * Instead of {@link write}, for formats that are a folder: its files. The command line writes the folder; whoever takes one file (a
   * browser, a dialog, a path that ends in .zip) gets it as a zip archive, so its one ending is `zip`.
   * @throws what it wants; then there is no folder
   */
  files?(job: ExportJob): Iterable<ExportFile>;
}

const ENDING = /^[a-z0-9]{1,16}$/iu;

/** @throws DeclarationError naming format and field */
export const defineExchange = labelledDefiner<ExchangeKind>('exchange', [], (made, fail) => {
  const { extensions: endings, write, files } = made as unknown as Record<string, unknown>;
  if (files === undefined && typeof write !== 'function') fail('write', 'must be a function, or files be one');
  if (files !== undefined && (typeof files !== 'function' || write !== undefined))
    fail('files', 'must be a function, and then there is no write');
  if (files !== undefined && JSON.stringify(endings) !== '["zip"]')
    fail('extensions', `is ${JSON.stringify(endings)}; allowed with files: ['zip']`);
  if (!Array.isArray(endings) || endings.length === 0 || !endings.every((each) => ENDING.test(String(each))))
    fail('extensions', `is ${JSON.stringify(endings)}; allowed: endings of files without a dot, such as ['jsonl']`);
});
