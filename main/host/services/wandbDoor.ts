/** The door for scripts that report through the W&B client: shut until the person at the machine opens it, and then at every start. */
import type { MetricColumn } from '../../../preload/contract/metrics.ts';
import type { RunRecord } from '../../../preload/contract/runs.ts';
import type { WandbState } from '../../../preload/contract/shapes.ts';
import { newKey, readAccess, watchAccess, writeAccess } from '../../endpoint/wandb/access.ts';
import { OWN_KEYS } from '../../endpoint/wandb/runs.ts';
import { WandbEndpoint } from '../../endpoint/wandb/server.ts';
import { OutsideRuns } from '../../lab/outside/outsideRuns.ts';
import { OutsideSweeps } from '../../lab/outside/outsideSweeps.ts';
import type { Lab } from '../lab.ts';

export interface WandbDoorOptions {
  readonly lab: Pick<Lab, 'store' | 'paths'>;
  readonly onPoints: (runId: string, columns: readonly MetricColumn[]) => void;
  readonly onChanged: (what: { readonly runs: readonly string[]; readonly sweeps: readonly string[] }) => void;
  readonly onEnded: (run: RunRecord) => void;
  readonly onState: (state: WandbState) => void;
}

export class WandbDoor {
  readonly runs: OutsideRuns;
  readonly sweeps: OutsideSweeps;
  readonly #options: WandbDoorOptions;
  readonly #unwatch: () => void;
  #endpoint: WandbEndpoint | undefined;
  #problem: string | null = null;
  /** Opening and closing, one after the other. */
  #turn: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(options: WandbDoorOptions) {
    this.#options = options;
    const { lab, onPoints, onChanged, onEnded } = options;
    this.runs = new OutsideRuns({ store: lab.store, origin: 'wandb', ownKeys: OWN_KEYS, onPoints, onChanged, onEnded });
    this.sweeps = new OutsideSweeps(lab.store, this.runs, onChanged);
    this.#unwatch = watchAccess(lab.paths.wandb, () => void this.follow());
  }

  get state(): WandbState {
    const access = readAccess(this.#options.lab.paths.wandb);
    return {
      on: access?.on ?? false,
      url: this.#endpoint?.url ?? null,
      key: access?.key ?? null,
      problem: this.#problem,
    };
  }

  async switch(on: boolean): Promise<WandbState> {
    writeAccess(this.#options.lab.paths.wandb, { on });
    await this.follow();
    return this.state;
  }

  /** Scripts that have the old key are refused from here on. */
  revoke(): WandbState {
    writeAccess(this.#options.lab.paths.wandb, { key: newKey() });
    this.#options.onState(this.state);
    return this.state;
  }

  /** Opens or shuts as the file says. */
  follow(): Promise<void> {
    this.#turn = this.#turn.then(() => this.#follow());
    return this.#turn;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#unwatch();
    this.runs.close();
    await this.#turn;
    await this.#endpoint?.close();
  }

  async #follow(): Promise<void> {
    if (this.#closed) return;
    const { lab, onState } = this.#options;
    const { store, paths } = lab;
    const access = readAccess(paths.wandb);
    if (access?.on !== true) {
      const open = this.#endpoint;
      this.#endpoint = undefined;
      await open?.close();
    } else if (this.#endpoint === undefined) {
      // A new key holds from the next request on.
      const key = (): string => readAccess(paths.wandb)?.key ?? newKey();
      const open = (port: number): Promise<WandbEndpoint> =>
        WandbEndpoint.open({ store, runs: this.runs, sweeps: this.sweeps, files: paths.files, port, key });
      this.#problem = null;
      try {
        this.#endpoint = await open(access.port).catch(() => open(0));
        if (this.#endpoint.port !== access.port) writeAccess(paths.wandb, { port: this.#endpoint.port });
      } catch (error) {
        this.#problem = (error as Error).message;
      }
    }
    onState(this.state);
  }
}
