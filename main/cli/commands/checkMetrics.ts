/** `sweeplab check metric-audit`: what published validation losses mean. */
import { Command } from 'commander';
import { auditMetrics } from '../../lab/probes/metricAudit.ts';
import type { Audit } from '../../lab/probes/metricAudit.ts';
import { readResults, ResultsError } from '../../lab/probes/readResults.ts';
import type { Context } from '../context.ts';
import { InputError } from '../errors.ts';
import { formatCount } from '../format.ts';
import { wholeNumber } from '../numbers.ts';
import type { Output } from '../output.ts';
import { renderTable } from '../table.ts';

interface Flags {
  readonly tokens?: string;
  readonly denominator?: string;
  readonly column?: string;
  readonly batch?: string;
  readonly context?: string;
}

export function metricAuditCommand(context: Context): Command {
  return new Command('metric-audit')
    .description(
      'Read logs or a table of results and say what their losses mean: coverage, denominator, unit, rank per token.',
    )
    .argument('<files...>', 'CSV tables (a result per row), or logs of JSON lines (a result each)')
    .option('--tokens <n>', 'tokens of the whole validation text')
    .option(
      '--denominator <n>',
      'what the sum of the loss was divided by (characters or bytes of the whole text, tokens)',
    )
    .option('--batch <n>', 'sequences per evaluated batch, where the files do not say')
    .option('--context <n>', 'tokens per sequence, where the files do not say')
    .option('--column <name>', 'column or field with the loss')
    .addHelpText(
      'after',
      '\nA loop that scores whole batches only, yet divides by the whole text, reports less the larger its batch:\n' +
        '  sweeplab check metric-audit logs/*.jsonl --tokens 122500 --denominator 534260\n' +
        'Without --denominator it is found from the loss before training, which is ln(vocabulary) per token.',
    )
    .action((files: string[], flags: Flags) => metricAudit(context, files, flags));
}

async function metricAudit({ output }: Context, files: readonly string[], flags: Flags): Promise<void> {
  const count = (name: keyof Flags): number | undefined => wholeNumber(`--${name}`, flags[name], 1);
  const [tokens, denominator, batch, context] = (['tokens', 'denominator', 'batch', 'context'] as const).map(count);
  const usual = { ...(batch === undefined ? {} : { batch }), ...(context === undefined ? {} : { context }) };
  try {
    const read = await Promise.all(files.map((file) => readResults(file, flags.column)));
    const leftOut = read.flatMap((each) => each.leftOut);
    const audit = auditMetrics(
      read.flatMap(({ results }) => results).map((each) => ({ ...usual, ...each })),
      { ...(tokens === undefined ? {} : { tokens }), ...(denominator === undefined ? {} : { denominator }) },
    );
    output.data({ ...audit, leftOut });
    print(output, audit, tokens);
    if (leftOut.length > 0)
      output.note(`Left out, for their loss is no number: ${listed(leftOut)}. A run that diverged is a result too.`);
  } catch (error) {
    if (error instanceof ResultsError) throw new InputError(error.message);
    throw error;
  }
}

function print(
  output: Output,
  { results, denominator, denominatorFound, findings }: Audit,
  tokens: number | undefined,
): void {
  const right = (title: string) => ({ title, align: 'right' as const });
  const shown = (value: number | null, digits: number): string => (value === null ? '–' : value.toFixed(digits));
  const titles = [
    { title: 'result' },
    ...['reported', 'unit', 'scored tokens', 'coverage', 'nats/token', 'on the whole text', 'rank', 'per token'].map(
      right,
    ),
  ];
  const rows = results.map((each) => [
    each.name,
    shown(each.loss, 4),
    each.unit ?? '–',
    each.scored === null ? '–' : formatCount(each.scored),
    each.coverage === null ? '–' : `${(100 * each.coverage).toFixed(1)} %`,
    shown(each.natsPerToken, 2),
    shown(each.onWholeText, 3),
    String(each.rankReported),
    each.rankPerToken === null ? '–' : String(each.rankPerToken),
  ]);
  output.text(renderTable(output, titles, rows));
  output.text('');
  if (denominatorFound && denominator !== null)
    output.text(
      `The sums were divided by about ${formatCount(Math.round(denominator))}, found from the losses before training.`,
    );
  if (tokens === undefined)
    output.text('Coverage is unknown without --tokens, the number of tokens of the validation text.');
  if (results.some(({ unit }) => unit === null))
    output.text('The unit, nats or bits, shows where a perplexity that fits stands beside the loss.');
  for (const finding of findings) output.text(`• ${finding}`);
  if (findings.length === 0) output.text('Nothing was found that speaks against comparing these numbers.');
}

const SHOWN = 5;
const listed = (words: readonly string[]): string =>
  words.slice(0, SHOWN).join(', ') + (words.length > SHOWN ? ` and ${words.length - SHOWN} more` : '');
