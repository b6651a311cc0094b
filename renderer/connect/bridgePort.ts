/** The message port that the desktop app hands to its page, as a port of the contract. */
import { BRIDGE } from '../../preload/contract/bridge.ts';
import type { Bridge, PortArrival } from '../../preload/contract/bridge.ts';
import { portOver } from '../../preload/contract/port.ts';
import type { Port } from '../../preload/contract/port.ts';

/** A lab that is being started anew takes a moment; one that does not come by then will not. */
const PATIENCE_MS = 20_000;

/** What the desktop app offers; undefined in a browser. */
export function bridge(): Bridge | undefined {
  return (window as { [BRIDGE]?: Bridge })[BRIDGE];
}

export function portOfChannel(channel: MessagePort): Port {
  return portOver(
    {
      // A port has one other end: there is no origin to name.
      // oxlint-disable-next-line unicorn/require-post-message-target-origin
      post: (message) => channel.postMessage(message),
      close: () => channel.close(),
    },
    (receive, closed) => {
      channel.addEventListener('message', ({ data }) => receive(data));
      channel.addEventListener('close', closed);
      channel.start();
    },
  );
}

export function connectBridge(own: Bridge): Promise<Port> {
  const token = crypto.randomUUID();
  return new Promise((resolve, reject) => {
    const arrive = ({ data, source, ports }: MessageEvent): void => {
      const arrival = data as Partial<PortArrival> | null;
      if (source !== window || arrival?.type !== 'sweeplab:port' || arrival.token !== token || ports[0] === undefined)
        return;
      window.removeEventListener('message', arrive);
      clearTimeout(timer);
      resolve(portOfChannel(ports[0]));
    };
    const timer = setTimeout(() => {
      window.removeEventListener('message', arrive);
      reject(new Error('The lab does not answer.'));
    }, PATIENCE_MS);
    window.addEventListener('message', arrive);
    own.connect(token);
  });
}
