/** What tokenizers make of corpora, as far as it was measured. Measuring takes a while: leaving the view must not lose it. */
import { defineStore } from 'pinia';
import { ref } from 'vue';
import type { DataFacts } from './contract.ts';

export const useTokenizerFacts = defineStore('tokenizerFacts', () => {
  const measured = ref<ReadonlyMap<string, ReadonlyMap<string, DataFacts>>>(new Map());
  const NONE: ReadonlyMap<string, DataFacts> = new Map();
  /** By the key of the tokenizer. */
  const of = (corpus: string): ReadonlyMap<string, DataFacts> => measured.value.get(corpus) ?? NONE;
  function add(corpus: string, key: string, facts: DataFacts): void {
    measured.value = new Map(measured.value).set(corpus, new Map(of(corpus)).set(key, facts));
  }
  return { of, add };
});
