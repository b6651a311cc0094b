/** Runs one of Node's decompressors to the end of its data and gives back what it did not take. */
import { once } from 'node:events';
import type { Transform } from 'node:stream';
import type { Input } from './compression.ts';

/** A decompressor of node:zlib: `bytesWritten` counts the compressed bytes that it took. */
export type Engine = Transform & { readonly bytesWritten: number };

/** The output of `engine` over `input`. What follows the end of its data is put back into the input. */
export async function* through(input: Input, engine: Engine): AsyncGenerator<Buffer> {
  const state = { ended: false };
  const end = new Promise<void>((resolve) => {
    const finish = () => {
      state.ended = true;
      resolve();
    };
    engine.once('end', finish).once('close', finish).once('error', finish);
  });
  let given = 0;
  /** Chunks of which the engine may not have taken all. */
  const pending: Buffer[] = [];
  let begin = 0;
  const feeding = (async () => {
    while (!state.ended) {
      const chunk = await input.next();
      if (chunk === null) {
        engine.end();
        return;
      }
      while (pending.length > 0 && begin + pending[0].length <= engine.bytesWritten) begin += pending.shift()!.length;
      pending.push(chunk);
      given += chunk.length;
      if (!engine.write(chunk)) await Promise.race([once(engine, 'drain').catch(() => undefined), end]);
    }
  })();
  // A failure of the input ends the output with the same error.
  feeding.catch((error: unknown) => engine.destroy(error as Error));
  try {
    for await (const chunk of engine as AsyncIterable<Buffer>) yield chunk;
  } finally {
    state.ended = true;
    engine.destroy();
  }
  await feeding;
  const left = given - engine.bytesWritten;
  if (left > 0) input.putBack(Buffer.concat(pending).subarray(-left));
}
