/** `sweeplab script`: writes the helper with which a Python script reports to the lab. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Command } from 'commander';
import { replaceFileSync } from '../../files/atomic.ts';
import { HELPER, HELPER_NAME } from '../../lab/programs/helper.ts';
import { InputError } from '../errors.ts';
import type { Start } from '../context.ts';

export function scriptCommand({ output }: Start): Command {
  return new Command('script')
    .description(`Write ${HELPER_NAME}, with which a Python script reports its numbers: one file, nothing to install.`)
    .argument('[path]', 'a folder, or the name of the file', '.')
    .option('--print', 'print it instead')
    .option('--force', 'replace what is there')
    .action((given: string, { print, force }: { readonly print?: boolean; readonly force?: boolean }) => {
      if (print === true) {
        output.raw(HELPER);
        return;
      }
      const path = fileIn(resolve(given));
      if (force !== true && existsSync(path) && readFileSync(path, 'utf8') !== HELPER)
        throw new InputError(`${path} is there already, with other content; replace it with --force`);
      replaceFileSync(path, HELPER);
      output.data({ path });
      output.text(`${path}: import sweeplab; sweeplab.log(step, loss=loss)`);
    });
}

const fileIn = (path: string): string =>
  statSync(path, { throwIfNoEntry: false })?.isDirectory() === true ? join(path, HELPER_NAME) : path;
