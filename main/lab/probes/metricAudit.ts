/**
 * What published validation losses mean: how much of the text they score, per what they are counted, and in which unit. Many loops drop the
 * tail that fills no whole batch, yet divide by the whole text: the larger the batch, the better the number.
 */
import { median } from '../../../preload/shared/statistics/describe.ts';

/** A result as it was published. */
export interface Reported {
  readonly name: string;
  readonly loss: number;
  /** Sequences, and tokens of each, that the evaluation takes at once; undefined where the log does not say. */
  readonly batch?: number;
  readonly context?: number;
  readonly perplexity?: number;
  readonly bitsPerByte?: number;
  /** Loss before any update. */
  readonly untrained?: number;
  readonly vocabulary?: number;
}

/** What is known of the validation text; without it only units can be looked at. */
export interface ScoredText {
  /** Tokens that a whole evaluation scores. */
  readonly tokens?: number;
  /** What the sum was divided by: characters, bytes or words of the whole text. */
  readonly denominator?: number;
}

export interface Audited extends Reported {
  /** Tokens that were scored, and their share of the text. */
  readonly scored: number | null;
  readonly coverage: number | null;
  /** Nats per token that was scored. */
  readonly natsPerToken: number | null;
  /** What the same model would report had the whole text been scored. */
  readonly onWholeText: number | null;
  /** 1 is best: as reported, and by nats per token. */
  readonly rankReported: number;
  readonly rankPerToken: number | null;
  readonly unit: 'nats' | 'bits' | null;
  /** Bytes of text behind each piece that the loss is a mean over. */
  readonly bytesPerPiece: number | null;
}

export interface Audit {
  readonly results: readonly Audited[];
  /** Given, or found from a loss before any update: an untrained model spreads ln(vocabulary) over what it scores. */
  readonly denominator: number | null;
  readonly denominatorFound: boolean;
  /** For people: what is wrong with comparing these numbers; empty where nothing was found. */
  readonly findings: readonly string[];
}

/** Two numbers that were rounded for print are the same. */
const near = (a: number, b: number, share = 0.01): boolean =>
  Math.abs(a - b) <= share * Math.max(Math.abs(a), Math.abs(b));

export function auditMetrics(reported: readonly Reported[], text: ScoredText): Audit {
  const found = reported.flatMap((each) => {
    const scored = scoredBy(each, text.tokens);
    return scored && each.untrained && each.vocabulary ? [(Math.log(each.vocabulary) * scored) / each.untrained] : [];
  });
  const denominator = text.denominator ?? (found.length === 0 ? null : median(found));
  const results = reported.map((each): Omit<Audited, 'rankReported' | 'rankPerToken'> => {
    const scored = scoredBy(each, text.tokens);
    const natsPerToken = denominator === null || !scored ? null : (each.loss * denominator) / scored;
    return {
      ...each,
      scored,
      coverage: scored === null ? null : scored / text.tokens!,
      natsPerToken,
      onWholeText: natsPerToken === null ? null : (natsPerToken * text.tokens!) / denominator!,
      unit: unitOf(each),
      bytesPerPiece: each.bitsPerByte ? each.loss / (Math.LN2 * each.bitsPerByte) : null,
    };
  });
  const byToken = ranks(results.map(({ natsPerToken }) => natsPerToken));
  const byReport = ranks(results.map(({ loss }) => loss));
  const ranked = results.map((each, i) => ({ ...each, rankReported: byReport[i]!, rankPerToken: byToken[i] ?? null }));
  return {
    results: ranked,
    denominator,
    denominatorFound: text.denominator === undefined && denominator !== null,
    findings: findingsOf(ranked),
  };
}

/** Whole batches of whole contexts. 0 is an evaluation of nothing. */
function scoredBy({ batch, context }: Reported, tokens: number | undefined): number | null {
  if (tokens === undefined || batch === undefined || context === undefined) return null;
  return Math.floor(tokens / (batch * context)) * batch * context;
}

function unitOf({ loss, perplexity }: Reported): 'nats' | 'bits' | null {
  if (perplexity === undefined) return null;
  if (near(Math.exp(loss), perplexity)) return 'nats';
  return near(2 ** loss, perplexity) ? 'bits' : null;
}

function ranks(values: readonly (number | null)[]): (number | null)[] {
  const sorted = values.filter((value) => value !== null).toSorted((a, b) => a - b);
  return values.map((value) => (value === null ? null : sorted.indexOf(value) + 1));
}

function findingsOf(results: readonly Audited[]): string[] {
  const findings: string[] = [];
  const coverages = results.flatMap(({ coverage }) => (coverage === null ? [] : [coverage]));
  const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
  for (const { name, scored } of results)
    if (scored === 0) findings.push(`${name}: scores no token at all, its loss says nothing`);
  if (coverages.some((share) => share < 1)) {
    const [least, most] = [Math.min(...coverages), Math.max(...coverages)];
    findings.push(
      least === most
        ? `each result scores ${percent(least)} of the text and divides by all of it: the loss is too small by as much`
        : `results score ${percent(least)} to ${percent(most)} of the text and divide by all of it: a smaller share looks like a smaller loss`,
    );
  }
  const moved = results.filter(
    ({ rankReported, rankPerToken }) => rankPerToken !== null && rankPerToken !== rankReported,
  );
  if (moved.length > 0)
    findings.push(
      `${moved.length} of ${results.length} change their rank per token: ` +
        moved
          .slice(0, 3)
          .map(({ name, rankReported, rankPerToken }) => `${name} from ${rankReported} to ${rankPerToken}`)
          .join(', '),
    );
  const compared: Readonly<Record<string, (each: Audited) => string | number | null>> = {
    unit: ({ unit }) => unit,
    vocabulary: ({ vocabulary }) => vocabulary ?? null,
  };
  for (const [what, of] of Object.entries(compared)) {
    const kinds = [...new Set(results.map(of).filter((each) => each !== null))];
    if (kinds.length > 1)
      findings.push(`the results differ in their ${what} (${kinds.join(', ')}): their losses cannot be compared`);
  }
  const pieces = results.flatMap(({ bytesPerPiece }) => (bytesPerPiece === null ? [] : [bytesPerPiece]));
  if (pieces.length > 1 && !near(Math.min(...pieces), Math.max(...pieces), 0.02))
    findings.push(
      `a loss is a mean over ${Math.min(...pieces).toFixed(2)} to ${Math.max(...pieces).toFixed(2)} bytes: compare bits per byte, not losses`,
    );
  return findings;
}
