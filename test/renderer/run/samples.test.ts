import { describe, expect, it } from 'vitest';
import { continuation, samplingWords } from '../../../renderer/stores/samples.ts';

describe('a text that was asked for', () => {
  it('shows its prompt once (would catch "The endThe end")', () => {
    for (const [prompt, text, rest] of [
      ['The end', 'The endand a memet', 'and a memet'],
      ['', 'Zebra sad', 'Zebra sad'],
      ['Ünï 🦓', 'Ünï 🦓 Ünï 🦓', ' Ünï 🦓'],
    ])
      expect(continuation({ prompt, text })).toEqual([prompt, rest]);
    // A tokenizer that cannot say the prompt gave something else back.
    expect(continuation({ prompt: 'ab', text: 'a?c' })).toEqual(['', 'a?c']);
  });
  it('says how it was drawn, so that it can be drawn again', () => {
    expect(samplingWords({ temperature: 0.8, topK: 0, topP: 1, seed: 3 })).toBe('temperature 0.8 · seed 3');
    expect(samplingWords({ temperature: 1, topK: 40, topP: 0.9, seed: 0 })).toBe(
      'temperature 1 · top-k 40 · top-p 0.9 · seed 0',
    );
  });
});
