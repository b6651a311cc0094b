/** The fit check for people. */
import { isSteady } from '../../preload/shared/fitStages.ts';
import { counted } from '../../preload/shared/format.ts';
import type { FitReport, Range, Suggestion, SweepFit } from '../lab/fit/index.ts';
import { gibibytes } from '../lab/fit/index.ts';
import { formatCount, formatDuration, formatInteger, plural } from './format.ts';
import type { Output } from './output.ts';
import { renderTable } from './table.ts';

const STYLES = { fits: 'green', tight: 'yellow', 'does not fit': 'red' } as const;

export function printFit(output: Output, report: FitReport): void {
  if (output.json) return;
  const { plan, verdict } = report;
  output.text(output.style(STYLES[verdict.fit], verdict.sentence));
  output.text('');
  const facts: [string, string][] = [
    ['parameters', `${formatInteger(plan.parameterCount)} (vocabulary ${formatInteger(plan.vocabularySize)})`],
    [
      'step',
      `${formatInteger(plan.sequences)} × ${plural(plan.context, 'token')}, ${plural(plan.microBatch, 'sequence')} at once` +
        (plan.accumulation > 1 ? `, ${plural(plan.accumulation, 'micro-batch', 'micro-batches')}` : ''),
    ],
    ['FLOPs per token', formatCount(plan.flopsPerToken)],
    ['', `(${plan.flopsConvention})`],
    ['KV cache', `${counted(plan.cacheBytesPerToken, 'byte')} per token of a text that is written with it`],
    ...plan.notes.map((note): [string, string] => ['attention', note]),
    ['run', lengthText(report)],
    ['peak', `${gibibytes(plan.peak.bytes)} of temporaries ${plan.peak.sentence}`],
    ['', `(operation ${plan.peak.op}, ${plan.peak.instant + 1} of ${plan.peak.instants} in ${plan.peak.program})`],
  ];
  output.text(aligned(facts));
  output.text('');
  if (plan.stages.length > 1 || plan.length.varies) {
    output.text(stageTable(output, report));
    output.text('');
  }
  output.text(categoryTable(output, report));
  output.text('');
  output.text(layerTable(output, report));
  output.text('');
  output.text(aligned(batchLines(report)));
  printSuggestions(output, report.suggestions, verdict.fit !== 'fits');
  output.text('');
  output.text(aligned(timeLines(report)));
  for (const warning of report.warnings) output.note(`Note: ${warning}.`);
}

const aligned = (rows: readonly (readonly [string, string])[]): string => {
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, text]) => `${name.padEnd(width)}  ${text}`).join('\n');
};

function lengthText({ plan, time }: FitReport): string {
  const { steps, tokens, flops, tokensPerStep, estimated, seconds, limit } = plan.length;
  const most = seconds === null ? '' : `, at most ${formatDuration(seconds)} of training`;
  if (steps === null || tokens === null || flops === null) {
    if (seconds === null || time.steps === null)
      return `${plural(tokensPerStep, 'token')} per step; its end is not known before it starts${most}`;
    const { low, high } = time.steps;
    const perStep = { low: low * tokensPerStep, high: high * tokensPerStep };
    return `${formatDuration(seconds)} of training, about ${range(time.steps, formatCount)} steps, ${range(perStep, formatCount)} tokens, by ${limit}`;
  }
  const about = estimated ? 'about ' : '';
  const by = limit === null || limit.startsWith('stop.steps') ? '' : `, by ${limit}`;
  return `${about}${plural(steps, 'step')}, ${formatCount(tokens)} tokens, ${flops.toExponential(2)} FLOPs${by}${most}`;
}

/** What batches are over the run, and the memory of each. */
function stageTable(output: Output, { plan }: FitReport): string {
  const columns = [
    { title: 'from step', align: 'right' },
    { title: 'sequences', align: 'right' },
    { title: 'length', align: 'right' },
    { title: 'at once', align: 'right' },
    { title: 'times', align: 'right' },
    { title: 'bytes', align: 'right' },
  ] as const;
  const rows = plan.stages.map(({ from, sequences, length, microBatch, accumulation, totalBytes }) => [
    ...[from, sequences, length, microBatch, accumulation].map(formatInteger),
    gibibytes(totalBytes),
  ]);
  const note = plan.length.varies ? '\nA step takes one such batch or several, as its gradient asks.' : '';
  return renderTable(output, columns, rows) + note;
}

function categoryTable(output: Output, { plan }: FitReport): string {
  const rows = Object.entries(plan.byCategory)
    .filter(([, bytes]) => bytes > 0)
    .map(([name, bytes]) => [name, gibibytes(bytes), share(bytes, plan.totalBytes)]);
  rows.push(['total', gibibytes(plan.totalBytes), '']);
  const columns = [
    { title: 'at the peak' },
    { title: 'bytes', align: 'right' },
    { title: '', align: 'right' },
  ] as const;
  return renderTable(output, columns, rows);
}

const share = (bytes: number, total: number): string => `${((100 * bytes) / total).toFixed(1)} %`;

/** Blocks that need the same are one row. */
function layerTable(output: Output, { plan }: FitReport): string {
  const rows: { name: string; first: string; last: string; state: number; held: number; count: number }[] = [];
  for (const { layer, persistentBytes: state, temporaryBytes: held } of plan.byLayer) {
    const previous = rows.at(-1);
    const block = /^block (\d+)$/u.exec(layer)?.[1];
    if (block !== undefined && previous?.first !== '' && previous?.state === state && previous.held === held) {
      previous.last = block;
      previous.count++;
    } else rows.push({ name: layer, first: block ?? '', last: block ?? '', state, held, count: 1 });
  }
  const columns = [
    { title: 'layer' },
    { title: 'state', align: 'right' },
    { title: 'at the peak', align: 'right' },
    { title: 'sum', align: 'right' },
  ] as const;
  return renderTable(
    output,
    columns,
    rows.map(({ name, first, last, state, held, count }) => [
      count === 1 ? name : `blocks ${first}–${last}, each`,
      gibibytes(state),
      gibibytes(held),
      gibibytes(state + held),
    ]),
  );
}

function batchLines({ plan, largest }: FitReport): [string, string][] {
  const { atThisBatch, atThisBatchWithoutMargin, overall } = largest;
  const here = atThisBatch.largest;
  const tight = atThisBatchWithoutMargin.largest;
  const lines: [string, string][] = [];
  const next =
    atThisBatch.next === null
      ? 'the whole batch'
      : `${atThisBatch.next.sequences} would need ${gibibytes(atThisBatch.next.bytes)}`;
  lines.push([
    isSteady(plan.stages) ? `largest micro-batch of ${plan.sequences}` : 'largest micro-batch of the whole context',
    here === null
      ? `none fits: one sequence would need ${gibibytes(atThisBatch.next!.bytes)}`
      : `${here.sequences} (${gibibytes(here.bytes)}; ${next})`,
  ]);
  if (tight !== null && tight.sequences !== here?.sequences)
    lines.push(['without the margin', `${tight.sequences} (${gibibytes(tight.bytes)})`]);
  if (overall.largest !== null)
    lines.push([
      'at any effective batch',
      `${formatInteger(overall.largest.sequences)} (${gibibytes(overall.largest.bytes)})`,
    ]);
  return lines;
}

function printSuggestions(output: Output, suggestions: readonly Suggestion[], wanted: boolean): void {
  if (!wanted) return;
  output.text('');
  if (suggestions.length === 0) {
    output.text('Nothing that saves memory is left: a smaller model is needed.');
    return;
  }
  const helping = suggestions.filter(({ fit }) => fit === 'fits');
  output.text(
    helping.length > 0
      ? 'What would make it fit, the least change first:'
      : 'No single change makes it fit with its margin; the following save memory:',
  );
  const columns = [
    { title: 'setting' },
    { title: 'needs', align: 'right' },
    { title: '' },
    { title: 'step time', align: 'right' },
    { title: 'changes' },
    { title: 'what it does' },
  ] as const;
  output.text(
    renderTable(
      output,
      columns,
      suggestions.map(({ flags, bytes, fit, timeFactor, effect, text }) => [
        flags,
        gibibytes(bytes),
        fit,
        timeFactor === null ? '?' : `× ${timeFactor.toFixed(2)}`,
        effect,
        text,
      ]),
    ),
  );
}

function timeLines({ time, cost }: FitReport): [string, string][] {
  if (time.basis === 'unknown') return [['time', `unknown: ${time.explanation}`]];
  const lines: [string, string][] = [
    ['speed', `${range(time.tokensPerSecond!, formatCount)} tokens/s (${time.basis}: ${time.explanation})`],
  ];
  if (time.seconds !== null) {
    const evaluations = time.evaluationSeconds === null ? ', evaluations not counted' : ', evaluations included';
    lines.push(['time', `${range(time.seconds, formatDuration)} (${time.basis}${evaluations})`]);
  } else lines.push(['time', 'unknown: the run has no end in steps']);
  if (cost !== null) lines.push(['cost', `${range(cost, formatCost)} (${cost.how})`]);
  return lines;
}

/** Two decimals, and where those would hide the figure, two digits that count. */
const formatCost = (cost: number): string =>
  cost >= 0.1 || cost === 0 ? cost.toFixed(2) : String(Number(cost.toPrecision(2)));

function range({ low, high }: Range, format: (x: number) => string): string {
  const [a, b] = [format(low), format(high)];
  return a === b ? a : `${a} to ${b}`;
}

const SHOWN = 25;

export function printSweepFit(output: Output, report: SweepFit): void {
  if (output.json) return;
  const { groups, counts, device } = report;
  const runs = groups.reduce((sum, group) => sum + group.runs, 0);
  const verdicts = (['does not fit', 'tight', 'fits'] as const).filter((fit) => counts[fit] > 0);
  const worst = verdicts[0] ?? 'fits';
  const parts = verdicts.map(
    (fit) => `${formatInteger(counts[fit])} ${fit === 'fits' && counts[fit] !== 1 ? 'fit' : fit}`,
  );
  output.text(
    output.style(
      STYLES[worst],
      `${plural(runs, 'run')} with ${plural(groups.length, 'different plan')} on ${device.name}: ${parts.join(', ')}.`,
    ),
  );
  output.text('');
  const columns = [
    { title: 'setting' },
    { title: 'runs', align: 'right' },
    { title: 'parameters', align: 'right' },
    { title: 'steps', align: 'right' },
    { title: 'state', align: 'right' },
    { title: 'arena', align: 'right' },
    { title: 'needs', align: 'right' },
    { title: '' },
    { title: 'peak' },
  ] as const;
  const rows = groups
    .slice(0, SHOWN)
    .map(({ labels, runs: own, steps, plan, verdict }) => [
      labels.length === 1 ? labels[0]! || 'all' : `${labels[0]} and ${labels.length - 1} more`,
      formatInteger(own),
      formatCount(plan.parameterCount),
      steps === null ? '?' : range(steps, formatCount),
      gibibytes(plan.persistent.bytes),
      gibibytes(plan.arena.bytes),
      gibibytes(plan.totalBytes),
      verdict.fit,
      plan.peak.sentence,
    ]);
  output.text(renderTable(output, columns, rows));
  if (groups.length > SHOWN) output.text(`… and ${groups.length - SHOWN} smaller plans (--json lists all)`);
  if (worst !== 'fits') {
    output.text(`\nFor the largest plan:`);
    printSuggestions(output, report.suggestions, true);
  }
  output.text('');
  const { seconds, timeBasis, cost } = report;
  output.text(
    seconds === null
      ? 'time  unknown for at least one run'
      : `time  ${range(seconds, formatDuration)} for all runs one after the other (${timeBasis})`,
  );
  if (cost !== null) output.text(`cost  ${range(cost, formatCost)} (${cost.how})`);
  for (const warning of report.warnings) output.note(`Note: ${warning}.`);
}
