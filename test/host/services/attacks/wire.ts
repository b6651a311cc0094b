/** A client that sends whatever it likes over the codec, as a browser's socket would carry it. */
import { CodecError, decode, encode, OversizeError } from '../../../../preload/contract/codec.ts';
import type { ErrorMessage, HostMessage, ReplyMessage } from '../../../../preload/contract/rpc.ts';
import type { TestLab } from '../support.ts';

export type Answer = (ReplyMessage | ErrorMessage) & {
  /** Milliseconds that this thread, which serves, has computed from the arrival of the bytes to the answer. */
  readonly cpu: number;
};

const cpuNow = (): number => {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
};

export function wireOf(lab: TestLab): (route: string, input: unknown) => Promise<Answer> {
  const port = lab.port();
  const waiting = new Map<number, (message: ReplyMessage | ErrorMessage) => void>();
  port.onMessage((raw) => {
    const message = raw as HostMessage;
    if (message.kind === 'reply') waiting.get(message.id)?.(message);
  });
  let id = 0;
  return async (route, input) => {
    const own = ++id;
    const bytes = encode({ kind: 'request', id: own, route, input });
    const begun = cpuNow();
    const answer = await new Promise<ReplyMessage | ErrorMessage>((resolve) => {
      waiting.set(own, resolve);
      try {
        port.post(decode(bytes, { bounded: true }));
      } catch (error) {
        if (!(error instanceof CodecError)) throw error;
        // The socket answers so itself, or ends the connection for what is no message at all.
        const answered = error instanceof OversizeError ? error.id : own;
        resolve({ kind: 'reply', id: answered, ok: false, code: 'input', message: error.message });
      }
    });
    waiting.delete(own);
    return { ...answer, cpu: cpuNow() - begun };
  };
}
