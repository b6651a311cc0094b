/**
 * The envelope in which calls and events travel. A client sends calls, cancels them, and says which topics it wants; the lab answers
 * each call once and sends events.
 *
 * Frames of the topics in {@link LOSSY} (live numbers) flow by credit: the lab sends at most {@link CREDIT} of them ahead of the
 * client's `credit` messages, at most {@link FRAMES_PER_SECOND}, and none while {@link MOST_PRESSURE} bytes wait in the carrier; what
 * piles up meanwhile is merged, or read again from the database. All other events are never lost: they wait, the newest state of each
 * thing once.
 */
export const CREDIT = 8;
export const FRAMES_PER_SECOND = 20;
export const MOST_PRESSURE = 1 << 20;
/** Changes when old and new cannot talk to each other. */
export const PROTOCOL = 1;

export interface RequestMessage {
  readonly kind: 'request';
  readonly id: number;
  readonly route: string;
  readonly input: unknown;
}
export interface CancelMessage {
  readonly kind: 'cancel';
  readonly id: number;
}
export interface SubscribeMessage {
  readonly kind: 'subscribe' | 'unsubscribe';
  readonly topic: string;
}
/** That many lossy frames were taken. */
export interface CreditMessage {
  readonly kind: 'credit';
  readonly frames: number;
}
export type ClientMessage = RequestMessage | CancelMessage | SubscribeMessage | CreditMessage;

/** The first message of the lab. Another `instance` than before means that the lab was started anew. */
export interface HelloMessage {
  readonly kind: 'hello';
  readonly protocol: number;
  readonly instance: string;
}
export interface ReplyMessage {
  readonly kind: 'reply';
  readonly id: number;
  readonly ok: true;
  readonly value: unknown;
}
export interface ErrorMessage {
  readonly kind: 'reply';
  readonly id: number;
  readonly ok: false;
  readonly code: ErrorCode;
  /** For people. */
  readonly message: string;
  readonly details?: unknown;
}
export interface EventMessage {
  readonly kind: 'event';
  readonly topic: string;
  /** Counts from 1 in each topic of a connection: a gap would be a lost event. */
  readonly seq: number;
  readonly data: unknown;
}
export type HostMessage = HelloMessage | ReplyMessage | ErrorMessage | EventMessage;

export const ERROR_CODES = [
  /** The input does not have the shape of the route; `details` lists where. */
  'input',
  /** There is no such route. */
  'route',
  'not-found',
  /** The thing is in a state that does not allow this. */
  'state',
  /** Settings, a sweep or data that cannot work; `details` lists the problems. */
  'invalid',
  /** It would not fit into the memory of the device. */
  'memory',
  /** A file that pages may not read. */
  'denied',
  /** The device or executor cannot be used here. */
  'device',
  'cancelled',
  /** Too many calls at once. */
  'busy',
  /** The disk is full, or cannot be read or written. */
  'storage',
  /** The connection ended before the answer. */
  'disconnected',
  'internal',
] as const;
export type ErrorCode = (typeof ERROR_CODES)[number];

/** A call that failed. Thrown by services, carried by the envelope, thrown again in the client. */
export class LabError extends Error {
  override readonly name: string = 'LabError';
  readonly code: ErrorCode;
  readonly details: unknown;

  constructor(code: ErrorCode, message: string, details?: unknown) {
    super(message);
    this.code = code;
    this.details = details;
  }
}

/** Topics whose frames may be merged or dropped. */
export const LOSSY: ReadonlySet<string> = new Set(['points', 'progress', 'devices']);

const isId = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) > 0;

/** What a client sent, or undefined when it is none of the messages. */
export function readClientMessage(message: unknown): ClientMessage | undefined {
  if (typeof message !== 'object' || message === null) return undefined;
  const { kind, id, route, input, topic, frames } = message as Record<string, unknown>;
  switch (kind) {
    case 'request':
      return isId(id) && typeof route === 'string' && route.length < 100 ? { kind, id, route, input } : undefined;
    case 'cancel':
      return isId(id) ? { kind, id } : undefined;
    case 'subscribe':
    case 'unsubscribe':
      return typeof topic === 'string' && topic.length < 100 ? { kind, topic } : undefined;
    case 'credit':
      return isId(frames) && frames <= CREDIT ? { kind, frames } : undefined;
    default:
      return undefined;
  }
}
