/** Sends the content of files to an import of the lab: some parts at a time, so that neither side holds much of it. */
import type { ChosenFile } from '../../connect/chosen.ts';
import type { LabClient } from '../client.ts';

/** Bytes and parts of one message, and messages on their way. */
const MESSAGE = 1 << 20;
const PARTS = 500;
const AHEAD = 3;
/** Files that are told at once. */
const TOLD = 2000;

interface Part {
  readonly file: number;
  readonly at: number;
  readonly content: Blob;
}

export interface SendOptions {
  readonly signal: AbortSignal;
  readonly onSent: (done: number, total: number) => void;
}

/** @throws CallError, and what the browser says of a file that cannot be read any more */
export async function sendFiles(
  client: LabClient,
  id: string,
  files: readonly ChosenFile[],
  { signal, onSent }: SendOptions,
): Promise<void> {
  const wanted: { readonly number: number; readonly content: Blob }[] = [];
  for (let at = 0; at < files.length; at += TOLD) {
    const some = files.slice(at, at + TOLD);
    const told = some.map(({ path, content }) => ({ path, size: content.size }));
    const { numbers } = await client.call('import.files', { id, files: told }, { signal });
    for (const [i, number] of numbers.entries())
      if (number !== null) wanted.push({ number, content: some[i]!.content });
  }
  const total = wanted.reduce((sum, { content }) => sum + content.size, 0);
  let done = 0;
  const open = new Set<Promise<void>>();
  onSent(0, total);
  for (const parts of messages(wanted)) {
    const read = await Promise.all(
      parts.map(async ({ file, at, content }) => ({ file, at, bytes: new Uint8Array(await content.arrayBuffer()) })),
    );
    signal.throwIfAborted();
    const sent = client.call('import.send', { id, parts: read }, { signal }).then(() => {
      done += read.reduce((sum, { bytes }) => sum + bytes.length, 0);
      onSent(done, total);
      open.delete(sent);
    });
    open.add(sent);
    // Where one fails, the others have been heard.
    sent.catch(() => undefined);
    if (open.size >= AHEAD) await Promise.race(open);
  }
  await Promise.all(open);
}

function* messages(files: readonly { readonly number: number; readonly content: Blob }[]): Generator<Part[]> {
  let parts: Part[] = [];
  let bytes = 0;
  for (const { number: file, content } of files)
    for (let at = 0; at < content.size; at += MESSAGE) {
      const part = content.slice(at, at + MESSAGE);
      if (bytes + part.size > MESSAGE || parts.length >= PARTS) {
        if (parts.length > 0) yield parts;
        parts = [];
        bytes = 0;
      }
      parts.push({ file, at, content: part });
      bytes += part.size;
    }
  if (parts.length > 0) yield parts;
}
