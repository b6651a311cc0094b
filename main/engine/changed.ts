import type { Config } from '../../preload/contract/settings.ts';

/** A configuration with some other values: it is read through, not copied, as rules try thousands of them. */
export const changed = (config: Config, values: Config): Config =>
  new Proxy(config, { get: (target, name: string) => (Object.hasOwn(values, name) ? values[name] : target[name]) });
