/** The built-in models. */
import type { ModelDefinition } from '../model.ts';
import { gpt } from './gpt.ts';

export const BUILT_IN_MODELS: readonly ModelDefinition[] = [gpt];

/** The model of that kind, among `extra` (plug-ins) or the built-in ones. */
export function modelOf(kind: string, extra: readonly ModelDefinition[] = []): ModelDefinition {
  const models = [...extra, ...BUILT_IN_MODELS];
  const model = models.find(({ name }) => name === kind);
  if (model === undefined)
    throw new Error(`model.kind: ${kind} is not one of ${models.map(({ name }) => name).join(', ')}`);
  return model;
}
