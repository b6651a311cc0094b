/** The check before a launch for configurations that choose their own devices. */
import type { FitPlan } from './plan.ts';
import type { Config } from '../../../preload/contract/settings.ts';
import type { Kinds } from '../../engine/kind.ts';
import { checkBeforeLaunch } from './before.ts';
import type { CheckedConfig, LaunchCheck, LaunchCheckOptions } from './before.ts';
import { deviceFor } from './choose.ts';
import { plannedLength } from './budget.ts';
import type { FitDevice } from './devices.ts';
import { notReached } from './notReached.ts';
import { measureTexts } from './textSizes.ts';
import { allTextWarnings } from './textWarnings.ts';
import { precisionOf } from '../../engine/nn/precision.ts';

/** Finds the device of a configuration; {@link deviceFor} but in tests. */
export type FindDevice = (config: Config) => Promise<FitDevice>;

/**
 * Checks every configuration on the device that it would train on here, and all that share a device together.
 *
 * @throws NoDeviceError, ExecutorUnavailableError when a configuration's device cannot be used
 */
export async function checkLaunch(
  configs: readonly Config[],
  options: LaunchCheckOptions = {},
  find: FindDevice = (config) => deviceFor(config),
): Promise<LaunchCheck> {
  await measureTexts(configs, { cacheDir: options.cacheDir, kinds: options.catalog, signal: options.signal });
  const found = new Map<string, Promise<FitDevice>>();
  const groups = new Map<string, { device: FitDevice; indices: number[] }>();
  for (const [index, config] of configs.entries()) {
    const choice = `${config.device} ${precisionOf(config)}`;
    const search = found.get(choice) ?? find(config);
    found.set(choice, search);
    const device = await search;
    const key = `${device.kind} ${device.name}`;
    const group = groups.get(key) ?? { device, indices: [] };
    groups.set(key, group);
    group.indices.push(index);
  }
  const checks = [...groups.values()].map(({ device, indices }) => {
    const own = indices.map((i) => configs[i]!);
    // Positions within the group become positions in the whole list again.
    const back = <T extends CheckedConfig>(each: T): T => ({ ...each, indices: each.indices.map((i) => indices[i]!) });
    const check = checkBeforeLaunch(own, device, options);
    return { ...check, refusals: check.refusals.map(back), checked: check.checked.map(back) };
  });
  return {
    refusals: checks.flatMap(({ refusals }) => refusals),
    warnings: [...checks.flatMap(({ warnings }) => warnings), ...textWarningsOf(configs, checks, options.catalog)],
    checked: checks.flatMap(({ checked }) => checked).sort((a, b) => b.plan.totalBytes - a.plan.totalBytes),
    concurrency: Math.min(options.concurrency ?? 1, ...checks.map(({ concurrency }) => concurrency)),
    limit: least(checks.flatMap(({ limit }) => limit ?? [])),
  };
}

const least = (limits: readonly number[]): number | null => (limits.length === 0 ? null : Math.min(...limits));

/** What the length of a run depends on. */
const modelOf = ({ parameterCounts, flopsPerToken, stages }: FitPlan) => ({
  parameterCounts,
  flopsPerTokenAt: (length: number): number =>
    stages.find((stage) => stage.length === length)?.flopsPerToken ?? flopsPerToken,
});

/** Configurations with one plan may differ in their text and in how long they train. */
function textWarningsOf(
  configs: readonly Config[],
  checks: readonly Pick<LaunchCheck, 'checked'>[],
  kinds?: Kinds,
): string[] {
  const planned = checks.flatMap(({ checked }) =>
    checked.flatMap(({ indices, plan }) =>
      indices.map((i) => ({
        config: configs[i]!,
        length: plannedLength(configs[i]!, modelOf(plan), undefined, kinds),
      })),
    ),
  );
  return [
    ...new Set(planned.flatMap(({ config, length }) => notReached(config, length, kinds))),
    ...allTextWarnings(
      planned.map(({ config, length: { tokens } }) => ({ config, tokens })),
      kinds,
    ),
  ];
}
