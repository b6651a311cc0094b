/** The standard errors of importances, computed beside the page; undefined until they are there, `failed` where the browser cannot. */
import { onScopeDispose, shallowRef, watch } from 'vue';
import type { ShallowRef } from 'vue';
import type { Answer, Question } from './importanceWorker.ts';

export function useImportanceErrors(question: () => Omit<Question, 'id'>): ShallowRef<Answer | 'failed' | undefined> {
  const answer = shallowRef<Answer | 'failed'>();
  let id = 0;
  let worker: Worker | undefined;
  watch(
    question,
    (asked) => {
      answer.value = undefined;
      // What is computed for an older question is of no use.
      worker?.terminate();
      const mine = ++id;
      const fail = (): void => {
        if (mine === id) answer.value = 'failed';
      };
      try {
        // A browser may refuse it at once or, where the file cannot be loaded, later.
        worker = new Worker(new URL('./importanceWorker.ts', import.meta.url), { type: 'module' });
        worker.addEventListener('error', fail);
        worker.addEventListener('messageerror', fail);
        worker.addEventListener('message', ({ data }: MessageEvent<Answer>) => {
          if (data.id === id) answer.value = data;
        });
        worker.postMessage({ ...asked, id: mine } satisfies Question, []);
      } catch {
        fail();
      }
    },
    { immediate: true },
  );
  onScopeDispose(() => worker?.terminate());
  return answer;
}
