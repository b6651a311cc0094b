/** Standard errors of importances come from a thread that the browser may refuse. */
import { afterEach, expect, it, vi } from 'vitest';
import { effectScope, nextTick, shallowRef } from 'vue';
import { useImportanceErrors } from '../../../renderer/charts/stats/useImportanceErrors.ts';

const QUESTION = { rows: [], metric: [], settings: [] };
afterEach(() => vi.unstubAllGlobals());

it('says that they failed where no thread can be made (catches "being computed" for good)', () => {
  vi.stubGlobal('Worker', undefined);
  const scope = effectScope();
  expect(scope.run(() => useImportanceErrors(() => QUESTION))!.value).toBe('failed');
  scope.stop();
});

it('says so too where the thread ends in an error later, but not for that of an older question', async () => {
  const workers: EventTarget[] = [];
  vi.stubGlobal(
    'Worker',
    class extends EventTarget {
      constructor() {
        super();
        workers.push(this);
      }
      postMessage = (): void => undefined;
      terminate = (): void => undefined;
    },
  );
  const scope = effectScope();
  const asked = shallowRef(QUESTION);
  const answer = scope.run(() => useImportanceErrors(() => asked.value))!;
  expect(answer.value).toBeUndefined();
  asked.value = { ...QUESTION };
  await nextTick();
  workers[0].dispatchEvent(new Event('error'));
  expect(answer.value).toBeUndefined();
  workers[1].dispatchEvent(new Event('error'));
  expect(answer.value).toBe('failed');
  scope.stop();
});
