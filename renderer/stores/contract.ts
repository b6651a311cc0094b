/** The contract under the names that the renderer uses. Types only: the schemas stay with the hosts. */
export type {
  WandbState,
  AppInfo,
  CudaSetup,
  DataProgress,
  DataFacts,
  DeviceInfo as Device,
  DeviceReading,
  Finding,
  Fit,
  FitReport,
  PreparedData,
  Prices,
  QueueState,
  Range,
  RecipeCard,
  RecipeCheck,
  RunProgress as Progress,
  Token,
  UnfinishedData,
  UpdateState,
} from '../../preload/contract/shapes.ts';
export type { Draft } from '../../preload/contract/draft.ts';
export type { RunRecord, SweepRecord } from '../../preload/contract/runs.ts';
export type { SettingValue } from '../../preload/contract/settings.ts';
