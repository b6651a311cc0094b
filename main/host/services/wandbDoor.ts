/** The door for scripts that report through the W&B client: shut until the person at the machine opens it, and then at every start. */
import { join } from 'node:path';
import type { MetricColumn } from '../../../preload/contract/metrics.ts';
import type { RunRecord } from '../../../preload/contract/runs.ts';
import type { WandbState } from '../../../preload/contract/shapes.ts';
import { newKey, readAccess, wandbVariables, watchAccess, writeAccess } from '../../endpoint/wandb/access.ts';
import { replaceFile } from '../../files/atomic.ts';
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
  /** For programs that the lab itself has started, where the door is shut: with a key that nobody else has. */
  #own: Promise<WandbEndpoint> | undefined;
  readonly #ownKey = newKey();
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

  /** What a program needs that the lab starts, so that the W&B client in it reports here and not to the network. */
  readonly reporting = async (run: RunRecord, resumed: boolean): Promise<Record<string, string>> => {
    const { lab } = this.#options;
    const open = this.#endpoint;
    const url = open?.url ?? (await (this.#own ??= this.#open(0, () => this.#ownKey))).url;
    const key = open === undefined ? this.#ownKey : readAccess(lab.paths.wandb)!.key;
    const settings = Object.entries(run.config).map(([name, value]) => [name, { value }]);
    const path = join(lab.paths.files, run.id, 'wandb-settings.yaml');
    // JSON is YAML. The client reads it as the configuration that a sweep gives.
    await replaceFile(path, [JSON.stringify({ wandb_version: 1, ...Object.fromEntries(settings) })], { mode: 0o600 });
    return {
      ...wandbVariables(url, key),
      WANDB_RUN_ID: run.id,
      WANDB_SWEEP_PARAM_PATH: path,
      ...(resumed ? { WANDB_RESUME: 'allow' } : {}),
    };
  };

  #open(port: number, key: () => string): Promise<WandbEndpoint> {
    const { store, paths } = this.#options.lab;
    return WandbEndpoint.open({ store, runs: this.runs, sweeps: this.sweeps, files: paths.files, port, key });
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
    await this.#own?.then((own) => own.close());
  }

  async #follow(): Promise<void> {
    if (this.#closed) return;
    const { lab, onState } = this.#options;
    const { paths } = lab;
    const access = readAccess(paths.wandb);
    if (access?.on !== true) {
      const open = this.#endpoint;
      this.#endpoint = undefined;
      await open?.close();
    } else if (this.#endpoint === undefined) {
      // A new key holds from the next request on.
      const key = (): string => readAccess(paths.wandb)?.key ?? newKey();
      this.#problem = null;
      try {
        this.#endpoint = await this.#open(access.port, key).catch(() => this.#open(0, key));
        if (this.#endpoint.port !== access.port) writeAccess(paths.wandb, { port: this.#endpoint.port });
      } catch (error) {
        this.#problem = (error as Error).message;
      }
    }
    onState(this.state);
  }
}
