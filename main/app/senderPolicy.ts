/** Who may speak to the main process: the top frame of a window of ours that shows a page of ours. */
import { isOwn } from './origin.ts';

/** What is looked at of Electron's event; its frame is null when it has gone meanwhile. */
export interface Sender {
  readonly senderFrame: { readonly url: string; readonly parent: unknown } | null;
  readonly sender: { readonly id: number; getType(): string };
}

/** @param windows ids of the web contents that the app made */
export function maySend({ senderFrame, sender }: Sender, windows: ReadonlySet<number>): boolean {
  return (
    senderFrame !== null &&
    senderFrame.parent === null &&
    sender.getType() === 'window' &&
    windows.has(sender.id) &&
    isOwn(senderFrame.url)
  );
}
