/** What is said of checkpoints that cannot be written: when that begins, when they are written again, and at the end; not at each of thousands. */
import { counted } from '../../../preload/shared/format.ts';

const GOES_ON = 'could not be saved, training goes on without it: ';

/** Why, of a message that a checkpoint could not be written; undefined for any other. */
export const unsavedReason = (text: string): string | undefined => text.split(GOES_ON)[1];

export class Unsaved {
  #steps = 0;
  #last = -1;
  #reason = '';

  /** A checkpoint could not be written. The best and the last of one step fail for one reason. @returns what is to be said */
  failed(step: number, reason: string): string | undefined {
    if (step === this.#last) return undefined;
    const known = this.#steps > 0 && reason === this.#reason;
    this.#steps++;
    this.#last = step;
    this.#reason = reason;
    return known ? undefined : `the checkpoint of step ${step} ${GOES_ON}${reason}`;
  }

  /** One was written. */
  saved(): string | undefined {
    const steps = this.#steps;
    this.#steps = 0;
    return steps === 0 ? undefined : `checkpoints are saved again; those of ${counted(steps, 'step')} could not be`;
  }

  /** Training ends. */
  ended(): string | undefined {
    const steps = this.#steps;
    this.#steps = 0;
    return steps < 2
      ? undefined
      : `the checkpoints of ${counted(steps, 'step')} up to step ${this.#last} could not be saved: ${this.#reason}`;
  }
}
