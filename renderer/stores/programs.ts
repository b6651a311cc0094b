/** A sweep over a program: its text, where it starts, and what it would start. Kept while the page is open. */
import { defineStore } from 'pinia';
import { ref, watch } from 'vue';
import type { Draft } from '../../preload/contract/draft.ts';
import type { ProgramPlan } from '../../preload/contract/shapes.ts';
import { useClient } from './client.ts';
import * as lab from './lab.ts';
import { lineOf } from './draft/problems.ts';
import { useToasts } from './toasts.ts';

const EXAMPLE = `program: train.py
method: grid            # or random, with run_cap
metric: { name: val/loss, goal: minimize }
seeds: 3                # each setting with --seed=1, 2 and 3
parameters:
  lr: { values: [0.001, 0.003] }
  width: { value: 64 }
`;
/** After the last key. */
const PAUSE_MS = 150;

export const usePrograms = defineStore('programs', () => {
  const text = ref(EXAMPLE);
  const folder = ref('');
  const draft = ref<Draft | null>(null);
  const plan = ref<ProgramPlan | null>(null);
  const problems = ref<readonly string[]>([]);
  const busy = ref(false);
  /** The line that starts an agent of the sweep that was handed out last. */
  const agent = ref<string | null>(null);
  let pending: AbortController | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;

  async function look(): Promise<void> {
    pending?.abort();
    const { signal } = (pending = new AbortController());
    try {
      const read = await lab.fromYaml(text.value, signal);
      if (signal.aborted) return;
      draft.value = read.draft;
      problems.value = read.problems.map((problem) => {
        const line = lineOf(problem);
        return line === null ? problem.message : `line ${line}: ${problem.message}`;
      });
      if (read.draft === null) return void (plan.value = null);
      plan.value = await useClient().call(
        'programs.plan',
        { draft: lab.plain(read.draft), folder: folder.value },
        { signal },
      );
    } catch (error) {
      if (!signal.aborted) problems.value = [(error as Error).message];
    }
  }
  watch([text, folder], () => {
    clearTimeout(timer);
    timer = setTimeout(() => void look(), PAUSE_MS);
  });

  async function act<T>(what: string, call: (draft: Draft) => Promise<T>): Promise<T | undefined> {
    if (draft.value === null) return undefined;
    busy.value = true;
    try {
      return await call(lab.plain(draft.value));
    } catch (error) {
      useToasts().fail(what, error);
      return undefined;
    } finally {
      busy.value = false;
    }
  }

  return {
    text,
    folder,
    plan,
    problems,
    busy,
    agent,
    look,
    /** @returns the sweep */
    start: (limit: number) =>
      act('The program was not started', async (given) => {
        const { sweepId } = await useClient().call('programs.start', { draft: given, folder: folder.value, limit });
        return sweepId;
      }),
    handOut: () =>
      act('The sweep was not made', async (given) => {
        const made = await useClient().call('programs.handOut', { draft: given });
        agent.value = made.agent;
        return made.sweepId;
      }),
  };
});
