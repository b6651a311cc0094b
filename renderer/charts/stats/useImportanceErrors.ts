/** The standard errors of importances, computed beside the page; undefined until they are there. */
import { onScopeDispose, shallowRef, watch } from 'vue';
import type { ShallowRef } from 'vue';
import type { Answer, Question } from './importanceWorker.ts';

export function useImportanceErrors(question: () => Omit<Question, 'id'>): ShallowRef<Answer | undefined> {
  const answer = shallowRef<Answer>();
  let id = 0;
  let worker: Worker | undefined;
  watch(
    question,
    (asked) => {
      answer.value = undefined;
      // What is computed for an older question is of no use.
      worker?.terminate();
      worker = new Worker(new URL('./importanceWorker.ts', import.meta.url), { type: 'module' });
      id++;
      worker.addEventListener('message', ({ data }: MessageEvent<Answer>) => {
        if (data.id === id) answer.value = data;
      });
      worker.postMessage({ ...asked, id } satisfies Question, []);
    },
    { immediate: true },
  );
  onScopeDispose(() => worker?.terminate());
  return answer;
}
