/** Between the desktop's process and the lab's, as client 0 of the frames. */
import type { Notice } from '../../preload/contract/shapes.ts';

export type ToLab =
  /** Client numbers are used once. */
  | { readonly type: 'attach'; readonly client: number }
  /** Ends training with a checkpoint, then the process. */
  | { readonly type: 'close' };

export type FromLab =
  | { readonly type: 'ready' }
  | { readonly type: 'busy'; readonly busy: boolean }
  | { readonly type: 'finished'; readonly notice: Notice }
  /** It cannot start, and trying again would not help. */
  | { readonly type: 'failed'; readonly message: string };
