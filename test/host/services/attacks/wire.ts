/** A client that sends whatever it likes over the codec, as a browser's socket would carry it. */
import { CodecError, decode, encode, OversizeError } from '../../../../preload/contract/codec.ts';
import type { ErrorMessage, HostMessage, ReplyMessage } from '../../../../preload/contract/rpc.ts';
import type { TestLab } from '../support.ts';

export type Answer = (ReplyMessage | ErrorMessage) & {
  /** Milliseconds that this thread, which serves, has computed from the arrival of the bytes to the answer. */
  readonly cpu: number;
};

/** A part of a message as JSON: written once and sent often, or what no value of this language makes, such as a million levels. */
export class RawJson {
  readonly json: Uint8Array;
  constructor(json: string) {
    this.json = Buffer.from(json);
  }
  get isText(): boolean {
    return this.json[0] === MARK_JSON[0];
  }
  /** What stands for it until the message is written, as a value and as a key of a map. */
  toJSON(): string {
    return MARK;
  }
  toString(): string {
    return MARK;
  }
  /** The message with it in its place. */
  within(message: Uint8Array): Uint8Array {
    const at = Buffer.from(message.buffer).indexOf(MARK_JSON);
    const length = new DataView(message.buffer).getUint32(4, true);
    const parts = [message.subarray(0, at), this.json, message.subarray(at + MARK_JSON.length, 8 + length)];
    const whole = Buffer.concat(parts);
    whole.writeUInt32LE(whole.length - 8, 4);
    return whole;
  }
}
const MARK = '\u{10FFFF}';
const MARK_JSON = Buffer.from(JSON.stringify(MARK));

const cpuNow = (): number => {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
};

/** @returns what calls; `raw` is the part that stands somewhere in `input` */
export function wireOf(lab: TestLab): (route: string, input: unknown, raw?: RawJson) => Promise<Answer> {
  const port = lab.port();
  const waiting = new Map<number, (message: ReplyMessage | ErrorMessage) => void>();
  port.onMessage((raw) => {
    const message = raw as HostMessage;
    if (message.kind === 'reply') waiting.get(message.id)?.(message);
  });
  let id = 0;
  return async (route, input, raw) => {
    const own = ++id;
    const plain = encode({ kind: 'request', id: own, route, input });
    const bytes = raw === undefined ? plain : raw.within(plain);
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
