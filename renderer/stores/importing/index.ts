/** The import of runs from files: what was chosen, what the lab says would become of it, and how far it is. One at a time. */
import { defineStore } from 'pinia';
import { ref, shallowRef } from 'vue';
import type { ColumnRole, ImportPreview, ImportResult } from '../../../preload/contract/imports.ts';
import { pasted } from '../../connect/chosen.ts';
import type { ChosenFile } from '../../connect/chosen.ts';
import { useClient } from '../client.ts';
import { sendFiles } from './sendFiles.ts';

/** `choose` → `sending` → `reading` → `shown` → `writing` → `done`; what fails or is cancelled goes back. */
export type ImportStep = 'choose' | 'sending' | 'reading' | 'shown' | 'writing' | 'done';

/** What a person says of how files are to be understood. */
export interface ImportChoices {
  /** '' : whatever each file is. */
  readonly format: string;
  readonly roles: Readonly<Record<string, ColumnRole>>;
  /** The sweep that runs join whose files name none: one for each file or folder, none, or one of this name. */
  readonly sweep: 'usual' | 'none' | { readonly name: string };
  readonly asNew: boolean;
}

const USUAL: ImportChoices = { format: '', roles: {}, sweep: 'usual', asNew: false };
/** Before, an estimate would jump. s */
const ESTIMATE_AFTER = 2;

export const useImporting = defineStore('importing', () => {
  const open = ref(false);
  const step = ref<ImportStep>('choose');
  const progress = shallowRef({ done: 0, total: 0 });
  /** Seconds; null while nothing says so. */
  const remaining = ref<number | null>(null);
  const problem = shallowRef<Error | null>(null);
  const preview = shallowRef<ImportPreview | null>(null);
  const result = shallowRef<ImportResult | null>(null);
  const choices = shallowRef<ImportChoices>(USUAL);
  let id: string | undefined;
  let paths: readonly string[] = [];
  let stop = new AbortController();
  let began = 0;

  function tell(done: number, total: number): void {
    progress.value = { done, total };
    const seconds = (performance.now() - began) / 1000;
    remaining.value = done > 0 && seconds > ESTIMATE_AFTER ? (seconds * (total - done)) / done : null;
  }
  function begin(next: ImportStep): AbortSignal {
    step.value = next;
    progress.value = { done: 0, total: 0 };
    remaining.value = null;
    problem.value = null;
    began = performance.now();
    return stop.signal;
  }

  /** Forgets what was chosen, and has the lab forget it. */
  async function forget(): Promise<void> {
    stop.abort();
    stop = new AbortController();
    const known = id;
    id = undefined;
    paths = [];
    preview.value = null;
    result.value = null;
    choices.value = USUAL;
    begin('choose');
    // Where the lab is away, it forgets by itself.
    if (known !== undefined)
      await useClient()
        .call('import.close', { id: known })
        .catch(() => undefined);
  }

  /** Does something whose failure is shown, and leads back to `back`. What was cancelled has not failed. */
  async function trying(back: ImportStep, work: () => Promise<void>): Promise<void> {
    const { signal } = stop;
    try {
      await work();
    } catch (error) {
      if (signal.aborted) return;
      step.value = back;
      problem.value = error as Error;
    }
  }

  async function look(): Promise<void> {
    const signal = begin('reading');
    const { format, roles, sweep, asNew } = choices.value;
    const end = useClient().subscribe('imports', (told) => {
      if (told.id === id && told.phase === 'reading' && step.value === 'reading') tell(told.done, told.total);
    });
    try {
      preview.value = await useClient().call(
        'import.preview',
        {
          id: id!,
          roles: { ...roles },
          asNew,
          ...(paths.length === 0 ? {} : { paths: [...paths] }),
          ...(format === '' ? {} : { format }),
          ...(sweep === 'usual' ? {} : { sweep: sweep === 'none' ? null : sweep.name }),
        },
        { signal },
      );
      step.value = 'shown';
    } finally {
      end();
    }
  }

  async function chooseFiles(files: readonly ChosenFile[]): Promise<void> {
    if (files.length === 0) return;
    open.value = true;
    await forget();
    await trying('choose', async () => {
      const signal = begin('sending');
      ({ id } = await useClient().call('import.open', {}, { signal }));
      await sendFiles(useClient(), id, files, { signal, onSent: tell });
      await look();
    });
  }

  async function choosePath(path: string): Promise<void> {
    await forget();
    await trying('choose', async () => {
      const signal = begin('reading');
      ({ id } = await useClient().call('import.open', {}, { signal }));
      paths = [path];
      await look();
    });
  }

  /** Reads again, understood in another way; where that fails, the choice is taken back. */
  async function change(more: Partial<ImportChoices>): Promise<void> {
    const before = choices.value;
    choices.value = { ...before, ...more };
    await trying('shown', async () => {
      try {
        await look();
      } catch (error) {
        choices.value = before;
        throw error;
      }
    });
  }

  async function write(): Promise<void> {
    const signal = begin('writing');
    const end = useClient().subscribe('imports', (told) => {
      if (told.id === id && told.phase === 'writing' && step.value === 'writing') tell(told.done, told.total);
    });
    await trying('shown', async () => {
      result.value = await useClient().call('import.write', { id: id! }, { signal });
      step.value = 'done';
    });
    end();
  }

  /** While it reads: nothing is left of it. While it writes: nothing was written, and it can be written again. */
  async function cancel(): Promise<void> {
    if (step.value !== 'writing') return await forget();
    stop.abort();
    stop = new AbortController();
    begin('shown');
  }

  async function close(): Promise<void> {
    open.value = false;
    await forget();
  }

  return {
    open,
    step,
    progress,
    remaining,
    problem,
    preview,
    result,
    choices,
    chooseFiles,
    choosePath,
    paste: (text: string) => chooseFiles([pasted(text)]),
    change,
    write,
    cancel,
    forget,
    close,
  };
});
