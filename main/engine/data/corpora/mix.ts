/** Several texts at once, of which each batch takes its share: `data.mix`. */
import { basename } from 'node:path';
import type { Config } from '../../../../preload/contract/settings.ts';
import { mixParts } from '../../../../preload/shared/mix.ts';
import { DataError } from '../errors.ts';

const ALLOWED = 'texts with their shares, for example stories: 0.7, path/to/code: 0.3';

/** One text of a mixture. */
export interface MixPart {
  /** Value of `data.corpus`. */
  readonly corpus: string;
  /** Its share of the rows; all together are 1. */
  readonly share: number;
  /** In metrics. */
  readonly name: string;
}

/** A name that metrics can have: the end of a path, without its ending. */
function nameOf(corpus: string, taken: ReadonlySet<string>): string {
  const plain = basename(corpus).replace(/\.\w+$/u, '');
  const name = plain.replace(/[^\w.-]+/gu, '-').replace(/^-+|-+$/gu, '') || 'text';
  for (let i = 1; ; i++) {
    const tried = i === 1 ? name : `${name}-${i}`;
    if (!taken.has(tried)) return tried;
  }
}

/** The texts of a mixture. @throws DataError */
export function mixOf(config: Config): readonly MixPart[] {
  const value = String(config['data.mix'] ?? '');
  const refuse = (what: string): never => {
    throw new DataError('data.mix', value, what, ALLOWED);
  };
  const parts = mixParts(value);
  if (parts.length === 0) refuse('a mixture has at least one text.');
  if (/^\s*,|,\s*,/u.test(value)) refuse('nothing stands before a comma.');
  const totalOf = (unit: number) => parts.reduce((sum, { weight }) => sum + weight / unit, 0);
  // Shares may add up to more than a number can be.
  const unit = Number.isFinite(totalOf(1)) ? 1 : Math.max(...parts.map(({ weight }) => weight));
  const total = totalOf(unit);
  const names = new Set<string>();
  return parts.map(({ corpus, weight }, i) => {
    if (corpus === '') refuse(`${JSON.stringify(corpus)} is no text.`);
    if (!(weight > 0 && Number.isFinite(weight))) refuse(`the share of ${corpus} is no number above 0.`);
    if (parts.findIndex((each) => each.corpus === corpus) < i) refuse(`${corpus} is there twice.`);
    const name = nameOf(corpus, names);
    names.add(name);
    return { corpus, share: weight / unit / total, name };
  });
}

/** The configuration of one text alone. */
export const partConfig = (config: Config, { corpus }: MixPart): Config => ({
  ...config,
  'data.corpus': corpus,
  'data.mix': '',
});

/** Runs what a text of a mixture needs. @throws DataError that names the mixture where its text is what is wrong: nobody has set data.corpus */
export async function ofPart<T>(config: Config, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof DataError) || error.problem.setting !== 'data.corpus') throw error;
    const { value, allowed, nearest } = error.problem;
    throw new DataError('data.mix', config['data.mix'], `${String(value)}: ${error.what}.`, allowed, nearest);
  }
}

export const isMixed = (config: Config): boolean => (config['data.mix'] ?? '') !== '';
