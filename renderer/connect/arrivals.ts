/** What the desktop app tells its page: a command chosen in the menu, a view to show (a click on a notification), a
 * sweep file to open. */
import type { Arrival } from '../../preload/contract/bridge.ts';

export interface ArrivalHandlers {
  /** Of the registry of commands, by its id. */
  command(id: string): void;
  /** The part of the address after `#`. */
  path(path: string): void;
  open(name: string, text: string): void;
}

/** In a browser nothing arrives. @returns what ends it */
export function onArrival({ command, path, open }: ArrivalHandlers): () => void {
  const hear = ({ data, source }: MessageEvent): void => {
    // Our own preload script speaks from this window; frames and openers do not.
    if (source !== window || typeof data !== 'object' || data === null) return;
    const arrival = data as Arrival;
    if (arrival.type === 'sweeplab:command') command(arrival.id);
    else if (arrival.type === 'sweeplab:path') path(arrival.path);
    else if (arrival.type === 'sweeplab:open') open(arrival.name, arrival.text);
  };
  window.addEventListener('message', hear);
  return () => window.removeEventListener('message', hear);
}
