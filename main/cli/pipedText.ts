/**
 * Text from a pipe as a corpus: `--data.corpus -`, /dev/stdin, <(…) of a shell. Runs read their text in processes of their own, again after
 * a stop and on a resume, where the pipe is gone: so it is kept in the data folder first, named by its content.
 */
import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describeWriteError, removeStale, temporaryName, writeSynced } from '../files/atomic.ts';
import { renameOver } from '../files/renaming.ts';
import { LIMITS, MEMORY_PER_BYTE, words } from '../engine/data/limits.ts';
import type { Context } from './context.ts';
import { InputError } from './errors.ts';

type Values = Readonly<Record<string, readonly string[]>>;

const SETTINGS = ['data.corpus', 'data.validation_path'] as const;

/** What a path means that names an open file of this very process: standard input is '-' as everywhere. */
const isPipe = (path: string): boolean => /^(-|\/dev\/stdin|\/dev\/fd\/\d+|\/proc\/self\/fd\/\d+)$/.test(path);

const isStandardInput = (path: string): boolean => /^(-|\/dev\/stdin|\/(dev|proc\/self)\/fd\/0)$/.test(path);

/** The chunks as they come. A file of the same length would be refused just so: the advice is to send less. @throws InputError */
export async function* bounded(
  chunks: AsyncIterable<Buffer>,
  onChunk: (chunk: Buffer) => void,
  setting: string,
  most: number = LIMITS.text,
) {
  let length = 0;
  for await (const chunk of chunks) {
    length += chunk.length;
    if (length > most)
      throw new InputError(
        `${setting}: more than ${words(most)} came through the pipe, and preparing a text takes up to ${MEMORY_PER_BYTE} times its length ` +
          `of this machine's memory; its beginning: … | head -c ${most} | sweeplab …`,
      );
    onChunk(chunk);
    yield chunk;
  }
  if (length === 0) throw new InputError(`${setting}: nothing came through the pipe`);
}

/** Keeps what comes through the pipe. @returns the path of the file */
async function keep(path: string, setting: string, folder: string): Promise<string> {
  if (isStandardInput(path) && process.stdin.isTTY)
    throw new InputError(`${setting} ${path} reads standard input, but nothing is piped in: cat FILE | sweeplab …`);
  await mkdir(folder, { recursive: true });
  await removeStale(folder);
  const temporary = temporaryName(join(folder, 'text'));
  const hash = createHash('sha256');
  const chunks = isStandardInput(path) ? process.stdin : createReadStream(path);
  try {
    await writeSynced(
      temporary,
      bounded(chunks as AsyncIterable<Buffer>, (chunk) => hash.update(chunk), setting),
      'wx',
    );
    const kept = join(folder, `piped-${hash.digest('hex').slice(0, 16)}`);
    // The same text again leaves the file as it is: prepared data are known by the file and its time.
    if (existsSync(kept)) await rm(temporary);
    else await renameOver(temporary, kept);
    return kept;
  } catch (error) {
    await rm(temporary, { force: true });
    const { code, path: failed } = error as NodeJS.ErrnoException;
    if (failed === path && (code === 'ENOENT' || code === 'ENXIO'))
      throw new InputError(
        `${setting} ${path} did not reach this process; use standard input: … | sweeplab … --${setting} -`,
      );
    throw describeWriteError(error, folder);
  }
}

/** The same values with files in the place of pipes, which are read to their ends. @throws InputError */
export async function withPipedText({ workshop, output }: Context, values: Values): Promise<Values> {
  const folder = join(workshop.paths.cache, 'piped');
  const kept = new Map<string, string>();
  const changed: Record<string, readonly string[]> = { ...values };
  for (const setting of SETTINGS) {
    const paths: string[] = [];
    for (const path of values[setting] ?? []) {
      if (isPipe(path) && !kept.has(path)) {
        kept.set(path, await keep(path, setting, folder));
        output.note(`${setting} ${path}: kept as ${kept.get(path)}`);
      }
      paths.push(kept.get(path) ?? path);
    }
    if (paths.length > 0) changed[setting] = paths;
  }
  return changed;
}
