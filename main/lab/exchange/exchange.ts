/** What an exchange format is: a kind that says how runs become a file. A format is one file here, or of a plug-in. */
import type { RunRecord } from '../../../preload/contract/runs.ts';
import type { ExportOption } from '../../../preload/contract/shapes.ts';
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
   * The file in pieces, none of them large: they go to the disk as they come. Text is written as UTF-8.
   * @throws what it wants; then there is no file
   */
  write(job: ExportJob): Iterable<string | Uint8Array>;
}

const ENDING = /^[a-z0-9]{1,16}$/iu;

/** @throws DeclarationError naming format and field */
export const defineExchange = labelledDefiner<ExchangeKind>('exchange', ['write'], (made, fail) => {
  const { extensions: endings } = made as { extensions: unknown };
  if (!Array.isArray(endings) || endings.length === 0 || !endings.every((each) => ENDING.test(String(each))))
    fail('extensions', `is ${JSON.stringify(endings)}; allowed: endings of files without a dot, such as ['jsonl']`);
});
