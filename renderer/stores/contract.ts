/** The contract under the names that the renderer uses. Types only: the schemas stay with the hosts. */
export type {
  Events,
  Input as CallInput,
  Output as CallOutput,
  RouteName,
  Topic as EventTopic,
} from '../../preload/contract/api.ts';
export type {
  AppInfo,
  DataProgress,
  DataStats,
  DataFacts,
  DataSummary,
  DeviceInfo as Device,
  DeviceReading,
  Finding,
  Fit,
  FitReport,
  Notice,
  PreparedData,
  Prices,
  QueueState,
  Range,
  RecipeCard,
  RunProgress as Progress,
  Token,
} from '../../preload/contract/shapes.ts';
export type { Draft } from '../../preload/contract/draft.ts';
export type { RunFilter, RunRecord, SweepRecord } from '../../preload/contract/runs.ts';
export type { Config, SettingValue } from '../../preload/contract/settings.ts';
