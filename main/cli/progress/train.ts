/** The display of one run: header, live line, evaluations, ending. */
import type { DatasetInfo, EngineInfo, EngineMessage } from '../../../preload/contract/engine.ts';
import type { RunRecord } from '../../../preload/contract/runs.ts';
import { floorWords } from '../../../preload/shared/results/floor.ts';
import { errorName } from '../../../preload/shared/results/words.ts';
import { secondsOf } from '../../../preload/shared/runTime.ts';
import type { Catalog } from '../../engine/catalog.ts';
import { fitPlan, planBasis } from '../../lab/fit/index.ts';
import type { FitDevice } from '../../lab/fit/index.ts';
import type { QueueEvent } from '../../lab/queue/queue.ts';
import {
  bar,
  formatBytes,
  formatMemory,
  formatMetric,
  formatCount,
  formatDuration,
  formatInteger,
  formatNumber,
  plural,
} from '../format.ts';
import type { Output } from '../output.ts';
import { RunMonitor } from './monitor.ts';
import { Ticker } from './ticker.ts';

export class TrainDisplay implements Disposable {
  readonly #output: Output;
  readonly #catalog: Catalog;
  readonly #device: FitDevice | undefined;
  readonly #ticker: Ticker;
  #monitor: RunMonitor | undefined;

  /**
   * @param catalog the kinds that there are: the memory of the process is planned with them
   * @param device what was planned for, with what was measured there
   */
  constructor(output: Output, catalog: Catalog, device?: FitDevice) {
    this.#output = output;
    this.#catalog = catalog;
    this.#device = device;
    this.#ticker = new Ticker(
      output,
      () => this.#line(true),
      () => this.#line(false),
    );
  }

  readonly handle = (event: QueueEvent): void => {
    if (event.type === 'started') this.#monitor = new RunMonitor(event.run);
    else if (event.type === 'message') this.#message(event.message);
  };

  #message(message: EngineMessage): void {
    const monitor = this.#monitor!;
    const evaluated = monitor.receive(message);
    if (message.type === 'info') this.#output.note(header(message, monitor.run, this.#catalog, this.#device));
    else if (message.type === 'log' && message.level !== 'log') this.#output.warn(message.text);
    else if (message.type === 'begin' && message.step > 0) this.#output.note(`continues after step ${message.step}`);
    else if (message.type === 'sample')
      this.#output.note(this.#output.style('dim', `sample at step ${message.step}: ${JSON.stringify(message.text)}`));
    if (evaluated) this.#output.note(evaluationLine(monitor));
  }

  #line(live: boolean): string {
    const monitor = this.#monitor;
    if (monitor === undefined) return '';
    if (monitor.progress === undefined || monitor.progress.step === 0) return phaseLine(monitor);
    const { metrics, progress } = monitor;
    const of = progress.plannedSteps === null ? '' : `/${formatInteger(progress.plannedSteps)}`;
    const parts = [
      live && progress.fraction !== null ? bar(progress.fraction, 20) : '',
      `step ${formatInteger(progress.step)}${of}`,
      metrics.has('train/loss') ? `loss ${formatNumber(metrics.get('train/loss'))}` : '',
      metrics.has('tokens_per_second') ? `${formatCount(metrics.get('tokens_per_second')!)} tok/s` : '',
      progress.eta === null ? '' : `ETA ${formatDuration(progress.eta)}`,
    ];
    return parts.filter(Boolean).join('  ');
  }

  [Symbol.dispose](): void {
    this.#ticker[Symbol.dispose]();
  }
}

export function phaseLine({ phase }: RunMonitor): string {
  if (phase === undefined) return 'starting the engine';
  const share = phase.fraction === undefined ? '' : ` ${Math.round(phase.fraction * 100)} %`;
  const eta = phase.eta === undefined ? '' : `, ${formatDuration(phase.eta)} left`;
  return `${phase.name}${share}${eta}`;
}

function header(info: EngineInfo, run: RunRecord, catalog: Catalog, device?: FitDevice): string {
  const { dataset, environment } = info;
  const rows: [string, string][] = [
    ['run', `${run.name} (${run.id}), seed ${run.seed}`],
    [
      'model',
      `${run.config['model.kind']}, ${formatCount(info.parameterCount)} parameters, vocabulary ${formatInteger(dataset.vocabularySize)}`,
    ],
    [
      'data',
      `${run.config['data.mix'] || run.config['data.corpus']}: ${formatCount(dataset.trainTokens)} training tokens (${formatBytes(dataset.trainBytes)}), ` +
        `${formatCount(dataset.validationTokens)} held out${scoredWords(dataset)}`,
    ],
    ['budget', budgetWords(info)],
    ['device', `${environment.executor ?? '?'}${environment.device === undefined ? '' : `: ${environment.device}`}`],
    ['memory', memoryWords(info, run, catalog, device)],
  ];
  if (dataset.entropyFloor !== undefined)
    rows.push(['floor', floorWords(dataset.entropyFloor, dataset.entropyFloorError)]);
  return rows.map(([name, text]) => `${name.padEnd(8)}${text}`).join('\n');
}

/** Steps, tokens and operations, and the limit that they come from. */
function budgetWords({ plannedSteps, tokensPerStep, plannedFlops, varies, limit, dataset }: EngineInfo): string {
  if (plannedSteps === null || plannedFlops === null) return `until ${limit ?? 'a stop rule'} is reached`;
  const tokens = plannedSteps * tokensPerStep;
  const least = varies ? 'at least ' : '';
  const epochs = `${formatNumber(tokens / dataset.trainTokens, 2)} epochs`;
  const flops = `${plannedFlops.toExponential(2).replace('e+', 'e')} FLOPs`;
  const by = limit === null || limit.startsWith('stop.steps') ? '' : `, by ${limit}`;
  return `${plural(plannedSteps, 'step')} × ${least}${formatInteger(tokensPerStep)} tokens = ${least}${formatCount(tokens)} tokens (${epochs}), ${flops}${by}`;
}

/** The entropy with its standard error: `0.5874 ± 0.0110`. */
export const formatFloor = (floor: number, error: number | null | undefined): string =>
  error === null || error === undefined ? formatNumber(floor) : `${formatNumber(floor)} ± ${formatNumber(error)}`;

/** What the fit check promises for the process, with the text as it is now known to be; the engine itself only knows its plan. */
function memoryWords(info: EngineInfo, run: RunRecord, catalog: Catalog, device?: FitDevice): string {
  const { memory, dataset, environment } = info;
  const planned = `state ${formatMemory(memory.persistentBytes)}, step ${formatMemory(memory.arenaBytes)}`;
  const kind = environment.executor;
  if (kind === undefined) return planned;
  const { trainTokens, validationTokens, sequencesPerEpoch } = dataset;
  const size = { trainTokens, validationTokens, sequencesPerEpoch, exact: true };
  const basis = device?.kind === kind ? planBasis(device) : { kind };
  const { totalBytes } = fitPlan(run.config, { ...basis, catalog, dataset: size });
  const around = totalBytes - memory.persistentBytes - memory.arenaBytes;
  return `${formatMemory(totalBytes)} (${planned}, the process around them ${formatMemory(around)})`;
}

/** Over what `±` behind a loss is taken. */
function scoredWords({ scoredUnit, scoredUnits }: DatasetInfo): string {
  return scoredUnit === undefined || scoredUnits === undefined ? '' : ` (± over ${plural(scoredUnits, scoredUnit)})`;
}

/** A metric of an evaluation with its standard error over the text: `2.4174 ± 0.0110`. */
const scored = (value: (name: string) => number | null | undefined, name: string): string => {
  const error = value(errorName(name));
  return formatFloor(value(name) ?? Number.NaN, Number.isFinite(error) ? error : null);
};

/** The losses of the texts of a mixture. */
const ofTexts = (value: (name: string) => number | null | undefined, names: Iterable<string>): string[] =>
  [...names]
    .filter((name) => name.startsWith('val/loss/'))
    .map((name) => `${name.slice(4)} ${formatNumber(value(name))}`);

function evaluationLine({ metrics, evaluatedAt, trainLossThere, info }: RunMonitor): string {
  const floor = info?.dataset.entropyFloor;
  const bpb = metrics.get('val/bpb');
  const parts = [
    `step ${formatInteger(evaluatedAt).padStart(6)}`,
    `val/loss ${scored((name) => metrics.get(name), 'val/loss')}`,
    bpb === undefined
      ? ''
      : `val/bpb ${scored((name) => metrics.get(name), 'val/bpb')}${floor === undefined ? '' : ` (floor ${formatNumber(floor)})`}`,
    ...ofTexts((name) => metrics.get(name), metrics.keys()),
    metrics.has('val/accuracy') ? `accuracy ${(100 * metrics.get('val/accuracy')!).toFixed(1)} %` : '',
    trainLossThere === undefined ? '' : `train/loss ${formatNumber(trainLossThere)}`,
  ];
  return parts.filter(Boolean).join('  ');
}

const resultText = (value: (name: string) => number | null | undefined, name: string): string =>
  name === 'val/accuracy'
    ? formatMetric(value(name), 'share')
    : name.startsWith('val/')
      ? scored(value, name)
      : formatNumber(value(name));

/** The last words on a run. */
export function ending(run: RunRecord, output: Output): string {
  const { summary, environment } = run;
  const value = (name: string): number | null | undefined => summary[name];
  const color = run.state === 'finished' ? 'green' : run.state === 'failed' ? 'red' : 'yellow';
  const lines = [`${output.style(color, run.state)}: ${run.endReason ?? ''}`];
  const results = ['val/loss', 'val/bpb', 'val/perplexity', 'val/accuracy', 'train/loss']
    .filter((name) => value(name) !== undefined)
    .map((name) => `${name} ${resultText(value, name)}`);
  if (results.length > 0) lines.push([...results, ...ofTexts(value, Object.keys(summary))].join('  '));
  const passes = Object.keys(summary).filter((name) => name.startsWith('epoch/'));
  if (passes.length > 0)
    lines.push(`passes: ${passes.map((name) => `${name.slice(6)} ${formatNumber(value(name))}`).join(', ')}`);
  const { entropyFloor: floor, entropyFloorError: error } = environment;
  const bpb = value('val/bpb');
  if (typeof floor === 'number' && typeof bpb === 'number')
    lines.push(
      `${formatNumber(bpb)} bits/byte against a floor of ${formatFloor(floor, typeof error === 'number' ? error : null)}: ${formatNumber(bpb - floor)} above it`,
    );
  lines.push(`${plural(run.steps, 'step')}, ${formatCount(run.tokens)} tokens, ${formatDuration(secondsOf(run))}`);
  return lines.join('\n');
}
