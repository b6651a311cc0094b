/** Where each running run stands, from what its engine says. */
import type { RunProgress } from '../../../preload/contract/shapes.ts';
import type { QueueEvent } from '../../lab/queue/queue.ts';

/** Engines name what they do before and beside training; between two phases they train. They say `train` when it goes on. */
const TRAINING = 'training';
const phaseOf = (name: string): string => (name === 'train' ? TRAINING : name);

export class ProgressBoard {
  readonly #runs = new Map<string, RunProgress>();

  list(): readonly RunProgress[] {
    return [...this.#runs.values()];
  }

  /** @returns what is new, if anything is */
  take(event: QueueEvent): RunProgress | undefined {
    if (event.type === 'ended') {
      this.#runs.delete(event.run.id);
      return undefined;
    }
    if (event.type === 'started') {
      const { id, steps, tokens, origin } = event.run;
      // Of a program nobody knows how far it is, or how much it has to do.
      if (origin === 'program') return undefined;
      return this.#set({
        runId: id,
        step: steps,
        plannedSteps: null,
        tokens,
        fraction: null,
        eta: null,
        phase: 'starting',
        tokensPerSecond: null,
      });
    }
    const known = this.#runs.get(event.runId);
    const { message } = event;
    if (known === undefined) return undefined;
    switch (message.type) {
      case 'phase':
        return this.#set({
          ...known,
          phase: phaseOf(message.name),
          ...(known.step > 0 ? {} : { eta: message.eta ?? null }),
        });
      case 'info':
        return this.#set({ ...known, plannedSteps: message.plannedSteps });
      case 'progress': {
        const { step, plannedSteps, tokens, fraction, eta } = message;
        return this.#set({ ...known, step, plannedSteps, tokens, fraction, eta, phase: TRAINING });
      }
      case 'metrics': {
        const speed = message.columns.find(({ metric }) => metric === 'tokens_per_second')?.values.at(-1);
        if (speed === undefined || !Number.isFinite(speed)) return undefined;
        return this.#set({ ...known, tokensPerSecond: speed });
      }
      default:
        return undefined;
    }
  }

  #set(progress: RunProgress): RunProgress {
    this.#runs.set(progress.runId, progress);
    return progress;
  }
}
