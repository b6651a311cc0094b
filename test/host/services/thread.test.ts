import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Thread } from '../../../main/host/services/thread.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sweeplab-thread-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

type Asked = {
  hang: { ask: null; answer: null };
  echo: { ask: number; answer: number };
};

/** A thread that takes `start` ms to come up, as all do on a busy machine. */
function threadThat(start: number, deadline: number, preempt = false): Thread<Asked> {
  const file = join(folder, 'worker.ts');
  const main = new URL('../../../main/host/services/threadMain.ts', import.meta.url).href;
  writeFileSync(
    file,
    `import { answerWith } from ${JSON.stringify(main)};
     await new Promise((resolve) => setTimeout(resolve, ${start}));
     answerWith({ hang: () => { for (;;); }, echo: (n) => n });`,
  );
  return new Thread<Asked>({ file: pathToFileURL(file), data: undefined, name: 'Thinking', deadline, preempt });
}

it('gives up what takes too long with its thread, and asks the others again (would catch one page that stops all)', async () => {
  const thread = threadThat(0, 1000);
  try {
    const hang = thread.ask('hang', null);
    const others = [1, 2, 3].map((n) => thread.ask('echo', n));
    await expect(hang).rejects.toMatchObject({ code: 'invalid', message: expect.stringContaining('longer than 1 s') });
    expect(await Promise.all(others)).toEqual([1, 2, 3]);
  } finally {
    await thread.close();
  }
});

it('counts the time of a question alone, not that of the start (would catch a lab that never answers on a busy machine)', async () => {
  const thread = threadThat(1500, 500);
  try {
    expect(await Promise.all([thread.ask('echo', 1), thread.ask('echo', 2)])).toEqual([1, 2]);
  } finally {
    await thread.close();
  }
});

it('gives up a question that was cancelled and is not let go, as soon as others wait (would catch a launch behind an old plan)', async () => {
  // Longer than the test may take.
  const thread = threadThat(0, 600_000, true);
  try {
    await thread.ask('echo', 0);
    const controller = new AbortController();
    const hang = thread.ask('hang', null, controller.signal);
    setTimeout(() => controller.abort(), 100);
    await expect(hang).rejects.toMatchObject({ code: 'cancelled' });
    expect(await Promise.all([1, 2].map((n) => thread.ask('echo', n)))).toEqual([1, 2]);
    expect(await thread.ask('echo', 3)).toBe(3);
  } finally {
    await thread.close();
  }
});

it('gives up a question that was cancelled also where nobody waits (would catch a core that computes for a page that has left)', async () => {
  const file = join(folder, 'worker.ts');
  const main = new URL('../../../main/host/services/threadMain.ts', import.meta.url).href;
  writeFileSync(
    file,
    `import { answerWith } from ${JSON.stringify(main)};
     answerWith({ count: (counter) => { for (;;) Atomics.add(new Int32Array(counter), 0, 1); } });`,
  );
  type Counted = { count: { ask: SharedArrayBuffer; answer: null } };
  const options = { file: pathToFileURL(file), data: undefined, name: 'Counting', preempt: true, aloneMs: 0 };
  const thread = new Thread<Counted>(options);
  const counter = new SharedArrayBuffer(4);
  const count = (): number => Atomics.load(new Int32Array(counter), 0);
  const controller = new AbortController();
  try {
    const counting = thread.ask('count', counter, controller.signal).catch((error: unknown) => error);
    await vi.waitFor(() => expect(count()).not.toBe(0), 60_000);
    controller.abort();
    expect(await counting).toMatchObject({ code: 'cancelled' });
    const isStill = async (): Promise<void> => {
      const before = count();
      await new Promise((resolve) => setTimeout(resolve, 200));
      expect(count()).toBe(before);
    };
    await vi.waitFor(isStill, 60_000);
  } finally {
    await thread.close();
  }
});

it('gives back the memory that a large question took, once nobody asks (would catch a lab that holds on to gigabytes)', async () => {
  const file = join(folder, 'worker.ts');
  const main = new URL('../../../main/host/services/threadMain.ts', import.meta.url).href;
  writeFileSync(
    file,
    `import { threadId } from 'node:worker_threads';
     import { answerWith } from ${JSON.stringify(main)};
     let kept;
     answerWith({ fill: (n) => ((kept = Array.from({ length: n }, (_, i) => ({ i }))), threadId), which: () => threadId });`,
  );
  type Filled = { fill: { ask: number; answer: number }; which: { ask: null; answer: number } };
  const thread = new Thread<Filled>({ file: pathToFileURL(file), data: undefined, name: 'Filling', restMs: 20 });
  const later = (): Promise<number> =>
    new Promise<void>((resolve) => setTimeout(resolve, 40)).then(() => thread.ask('which', null));
  try {
    const small = await thread.ask('fill', 10);
    expect(await later()).toBe(small);
    await thread.ask('fill', 5_000_000);
    await vi.waitFor(async () => expect(await later()).not.toBe(small), 20_000);
  } finally {
    await thread.close();
  }
});
