/** Between the desktop's process and the lab's, as client 0 of the frames. */
import type { Notice } from '../../preload/contract/shapes.ts';

export type ToLab =
  /** Client numbers are used once. */
  | { readonly type: 'attach'; readonly client: number }
  /** Ends training with a checkpoint, then the process. */
  | { readonly type: 'close' }
  /** To a question of the lab. */
  | { readonly type: 'allowed'; readonly id: number; readonly yes: boolean };

export type FromLab =
  | { readonly type: 'ready' }
  | { readonly type: 'busy'; readonly busy: boolean }
  /** Whether pages may read a file or folder. */
  | { readonly type: 'ask'; readonly id: number; readonly path: string }
  /** Whether a program may be started, in words for people. */
  | { readonly type: 'askStart'; readonly id: number; readonly words: string }
  | { readonly type: 'finished'; readonly notice: Notice }
  /** It cannot start, and trying again would not help. */
  | { readonly type: 'failed'; readonly message: string };
