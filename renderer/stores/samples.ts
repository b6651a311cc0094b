/** Texts that were written on request. They last as long as the page: leaving a run must not lose what took a while. */
import { defineStore } from 'pinia';
import { ref } from 'vue';

/** How a text is drawn. */
export interface Sampling {
  readonly temperature: number;
  readonly topK: number;
  readonly topP: number;
  readonly seed: number;
}

export interface WrittenText extends Sampling {
  readonly prompt: string;
  /** With the prompt. */
  readonly text: string;
  /** Without those of the prompt. */
  readonly tokens: number;
}

/** What a model added to a prompt. A prompt that it could not keep (cut within a letter) is nothing to set apart. */
export const continuation = ({ prompt, text }: Pick<WrittenText, 'prompt' | 'text'>): readonly [string, string] =>
  text.startsWith(prompt) ? [prompt, text.slice(prompt.length)] : ['', text];

/** `temperature 0.8 · top-k 40 · seed 3`: what was used beyond the usual. */
export const samplingWords = ({ temperature, topK, topP, seed }: Sampling): string =>
  [
    `temperature ${temperature}`,
    ...(topK > 0 ? [`top-k ${topK}`] : []),
    ...(topP < 1 ? [`top-p ${topP}`] : []),
    `seed ${seed}`,
  ].join(' · ');

export const useSamples = defineStore('samples', () => {
  /** The newest first, by run. */
  const written = ref<ReadonlyMap<string, readonly WrittenText[]>>(new Map());
  const of = (runId: string): readonly WrittenText[] => written.value.get(runId) ?? [];
  function add(runId: string, texts: readonly WrittenText[]): void {
    written.value = new Map(written.value).set(runId, [...texts, ...of(runId)]);
  }
  return { of, add };
});
