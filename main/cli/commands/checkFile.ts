/** `--out` of the checks: what was found as a file, in the kind that its name ends with. */
import { writeExport } from '../../lab/exchange/file.ts';
import type { Context } from '../context.ts';
import { InputError } from '../errors.ts';

/**
 * Writes what was found; the file that was there stays as it was until the new one is whole. Undefined where no file is asked for.
 * @throws InputError for an ending that nothing is written as, before anything is computed
 */
export function writerOf<Found extends readonly unknown[]>(
  { workshop }: Context,
  file: string | undefined,
  kinds: Readonly<Record<string, (...found: Found) => string>>,
): ((...found: Found) => Promise<void>) | undefined {
  if (file === undefined) return undefined;
  const endings = Object.keys(kinds);
  const ending = endings.find((each) => file.endsWith(each));
  if (ending === undefined)
    throw new InputError(
      `--out is ${JSON.stringify(file)}; allowed: a name that ends with ${endings.join(' or ')}; nearest: ${file}${endings[0]}`,
    );
  return async (...found) => {
    await writeExport(file, [kinds[ending]!(...found)], { notes: workshop.paths.exports });
  };
}
