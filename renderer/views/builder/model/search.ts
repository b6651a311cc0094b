/** Which settings are shown: by the words typed, by the switch "changed only", and whether they matter. */
import type { Question, SettingSpec } from '../../../../preload/contract/settings.ts';

export interface QuestionInfo {
  readonly name: Question;
  readonly label: string;
  readonly asks: string;
}

export const QUESTIONS: readonly QuestionInfo[] = [
  { name: 'data', label: 'Data', asks: 'What does the model read?' },
  { name: 'tokenizer', label: 'Tokenizer', asks: 'Into which units is the text cut?' },
  { name: 'capacity', label: 'Capacity', asks: 'How large is the model, and of what shape?' },
  { name: 'memory', label: 'Memory', asks: 'What makes it fit?' },
  { name: 'stability', label: 'Stability', asks: 'How does it learn without diverging?' },
  { name: 'budget', label: 'Budget', asks: 'How long, and what is measured?' },
];

/** All words must occur in name, help, unit or choices; `changed`, `swept` are words of their own through the switch. */
export function matches(spec: SettingSpec, query: string): boolean {
  const words = query.toLowerCase().split(/\s+/u).filter(Boolean);
  if (words.length === 0) return true;
  const choices = spec.type.kind === 'enum' ? spec.type.values.join(' ') : '';
  const text =
    `${spec.name} ${spec.name.replaceAll(/[._]/gu, ' ')} ${spec.help} ${spec.unit ?? ''} ${choices}`.toLowerCase();
  return words.every((word) => text.includes(word));
}

/** Best first: the name begins with the words, the name has them, the help has them. Order of declaration within. */
export function rank(spec: SettingSpec, query: string): number {
  const word = query.trim().toLowerCase();
  if (word === '') return 0;
  const name = spec.name.toLowerCase();
  const last = name.slice(name.lastIndexOf('.') + 1);
  return last === word ? 0 : last.startsWith(word) || name.startsWith(word) ? 1 : name.includes(word) ? 2 : 3;
}
