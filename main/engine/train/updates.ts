/**
 * How far a step moves the weights beside their length, ‖Δw‖ ÷ ‖w‖, by the role of the parameters. About 10⁻³ is usual.
 *
 * Of a large tensor evenly spaced pieces are read, before the step and after it, and stand for the whole. Nothing is kept between steps but
 * memory, so a run that is continued measures the same.
 */
import type { Session } from '../executors/executor.ts';
import { sizeOf } from '../graph/value.ts';
import type { ParameterSpec } from '../nn/model.ts';

/** The most values that are read of a tensor, and in how many pieces: an embedding's first rows alone would show its commonest tokens. */
const MOST = 16_384;
const PIECES = 4;
/** Steps between measurements of a run without evaluations. */
const PERIOD = 100;

interface Piece {
  readonly name: string;
  readonly role: string;
  /** First element, and how many. */
  readonly from: number;
  readonly count: number;
  /** Elements of the tensor that each one read stands for. */
  readonly weight: number;
}

/** Whether update number `step` (from 1) is measured: the first one, and the first that is logged after each evaluation. */
export function measuresUpdate(step: number, logEvery: number, evalEvery: number): boolean {
  if (step === 1) return true;
  if (step % logEvery !== 0) return false;
  const evaluationsBefore = (each: number): number => Math.floor((each - 1) / (evalEvery > 0 ? evalEvery : PERIOD));
  return evaluationsBefore(step) > evaluationsBefore(Math.max(1, step - logEvery));
}

export class UpdateRatios {
  readonly #session: Session;
  readonly #pieces: readonly Piece[];
  /** All pieces one after the other, as they were before the step. Made when first needed. */
  #before = new Float32Array(0);
  #after = new Float32Array(0);

  constructor(session: Session, parameters: readonly ParameterSpec[]) {
    this.#session = session;
    this.#pieces = parameters.flatMap(piecesOf);
  }

  /** Reads the weights before a step. */
  async begin(): Promise<void> {
    if (this.#before.length === 0) {
      this.#before = new Float32Array(this.#pieces.reduce((sum, { count }) => sum + count, 0));
      this.#after = new Float32Array(this.#pieces.reduce((most, { count }) => Math.max(most, count), 0));
    }
    for (const { piece, before } of this.#places()) await this.#session.read(piece.name, piece.from, before);
  }

  /** Reads them again after it. @returns the ratio by role; roles whose weights were all 0 are left out */
  async end(): Promise<Record<string, number>> {
    const sums = new Map<string, { moved: number; length: number }>();
    for (const { piece, before } of this.#places()) {
      const after = await this.#session.read(piece.name, piece.from, this.#after.subarray(0, piece.count));
      const sum = sums.get(piece.role) ?? { moved: 0, length: 0 };
      sums.set(piece.role, sum);
      for (let i = 0; i < piece.count; i++) {
        sum.moved += piece.weight * (after[i]! - before[i]!) ** 2;
        sum.length += piece.weight * before[i]! ** 2;
      }
    }
    return Object.fromEntries(
      [...sums]
        .filter(([, { length }]) => length > 0)
        .map(([role, { moved, length }]) => [role, Math.sqrt(moved / length)]),
    );
  }

  *#places(): Generator<{ piece: Piece; before: Float32Array }> {
    let at = 0;
    for (const piece of this.#pieces) {
      yield { piece, before: this.#before.subarray(at, at + piece.count) };
      at += piece.count;
    }
  }
}

function piecesOf({ name, role, shape }: ParameterSpec): Piece[] {
  const size = sizeOf(shape);
  if (size <= MOST) return [{ name, role, from: 0, count: size, weight: 1 }];
  const count = MOST / PIECES;
  return Array.from({ length: PIECES }, (_, i) => ({
    name,
    role,
    // From the first element to the last.
    from: Math.floor((i * (size - count)) / (PIECES - 1)),
    count,
    weight: size / MOST,
  }));
}
