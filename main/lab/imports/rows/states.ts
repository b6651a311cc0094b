/** The states of runs as other tools name them. */
import type { RunSays } from '../receiver.ts';

const WORDS: readonly (readonly [RegExp, Pick<RunSays, 'state' | 'reason' | 'cause'>])[] = [
  [/^(?:finished|completed?|succeeded|success|done|ended|ok)$/iu, { state: 'finished' }],
  [/^(?:failed|crashed|error|failure|diverged)$/iu, { state: 'failed' }],
  [/^(?:killed|stopped|cancell?ed|interrupted|preempted|preempting|aborted|terminated)$/iu, { state: 'stopped' }],
  [/^(?:running|pending|queued|scheduled|active)$/iu, { state: 'stopped', reason: 'had not ended when it was read' }],
];

/** What such a word says; nothing for one that nobody knows. */
export function stateOf(word: string): Pick<RunSays, 'state' | 'reason' | 'cause'> {
  const [, found = {}] = WORDS.find(([pattern]) => pattern.test(word.trim())) ?? [];
  return found.state === undefined ? {} : { reason: `${word.trim()}, as the file says`, ...found };
}
