/** Runs programs of the queue to their end, with what they print and Ctrl-C. */
import { programStarter } from '../host/services/programs.ts';
import { WandbDoor } from '../host/services/wandbDoor.ts';
import type { Lab } from '../host/lab.ts';
import { installedGpus } from '../engine/executors/installed.ts';
import type { Context } from './context.ts';
import { workUntilDone } from './interrupts.ts';
import { ProgramDisplay } from './progress/program.ts';
import { tellGrace, tellTrouble, watchDatabase } from './trouble.ts';

export interface ProgramWork {
  readonly scope: { readonly sweepId: string } | { readonly runId: string };
  readonly total: number;
  /** Before this command. */
  readonly ended: number;
}

/** @returns whether it was interrupted */
export async function runPrograms(
  { output }: Context,
  lab: Lab,
  { scope, total, ended }: ProgramWork,
): Promise<boolean> {
  const { store } = lab;
  const ignore = (): void => undefined;
  const door = new WandbDoor({ lab, onPoints: ignore, onChanged: ignore, onEnded: ignore, onState: ignore });
  try {
    const display = new ProgramDisplay(output, { total, ended });
    const limit = 'sweepId' in scope ? (store.getSweep(scope.sweepId)?.concurrencyLimit ?? 1) : 1;
    const queue = lab.queue({
      places: limit * Math.max(1, lab.cards.all.length),
      programs: programStarter({ lab, door, onLine: display.line }),
      scope,
      onEvent: display.handle,
      onTrouble: (error) => tellTrouble(output, error),
      onGrace: (error, milliseconds) => tellGrace(output, error, milliseconds),
    });
    using _watch = watchDatabase(store, output);
    return await workUntilDone(queue, () =>
      output.note('Asking the programs to end. Press Ctrl-C again to end them at once.'),
    );
  } finally {
    await door.close();
  }
}

/** Programs at a time on each device, so that together they are as many as somebody wants. */
export async function limitFor(together: number | undefined): Promise<number | null> {
  if (together === undefined) return null;
  return Math.ceil(together / Math.max(1, (await installedGpus()).length));
}
