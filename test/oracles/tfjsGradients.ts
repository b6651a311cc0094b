/**
 * Loads TensorFlow.js's gradient rules. The core package ships them only as ES modules whose imports have no file extension, which Node does not
 * resolve by itself, so the extension is added while they load. They register themselves with the one engine of the process.
 */
import { registerHooks } from 'node:module';

export async function loadTfjsGradients(): Promise<void> {
  const hooks = registerHooks({
    resolve(specifier, context, next) {
      const own = specifier.startsWith('.') && context.parentURL?.includes('@tensorflow/tfjs-core/dist/') === true;
      if (!own || specifier.endsWith('.js')) return next(specifier, context);
      try {
        return next(`${specifier}.js`, context);
      } catch {
        return next(`${specifier}/index.js`, context);
      }
    },
  });
  try {
    const entry = '@tensorflow/tfjs-core/dist/register_all_gradients.js';
    await import(/* @vite-ignore */ entry);
  } finally {
    hooks.deregister();
  }
}
