/** What columns are called in the files of trackers and scripts, and what such names mean. The one place that knows. */
import type { ColumnRole } from '../../../../preload/contract/imports.ts';

/** `Run ID` → `run_id`, `Relative Time (Process)` → `relative_time_(process)`. */
export const plainName = (name: string): string =>
  name
    .trim()
    .toLowerCase()
    .replaceAll(/[\s-]+/gu, '_');

const ROW_NUMBERS = /^(?:index|unnamed:_0|column_1|__index_level_0__)$/u;

/** The usual first. The last are steps only where there is nothing better. */
const STEPS: readonly RegExp[] = [
  /^_step$/u,
  /^step$/u,
  /^(?:trainer\/|train\/)?global_step$/u,
  /^(?:steps|train_step|training_step|step_num|n_step|num_step)$/u,
  /^(?:iteration|iterations|iter|iters|iter_num|it|n_iter|niter|num_updates|updates?)$/u,
  /^tokens(?:_seen|_trained)?$/u,
  /(?:^|[/.])(?:global_)?step$/u,
  /^epochs?$/u,
  /(?:^|[/.])epoch$/u,
  ROW_NUMBERS,
];

/** How good a name is for the steps: smaller is better; Infinity: it is none. */
export function stepRank(name: string): number {
  const at = STEPS.findIndex((pattern) => pattern.test(plainName(name)));
  return at < 0 ? Infinity : at;
}

const SEEDS =
  /^(?:seed|random_seed|rng_seed|manual_seed|global_seed|random_state|config\.seed|hparams\.seed|args\.seed)$/u;

const ROLES: readonly (readonly [RegExp, ColumnRole])[] = [
  [SEEDS, 'seed'],
  [/^(?:run_id|run_uuid|run|uuid|uid|id|experiment_id|trial_id|exp_id|trial|exp|job_id)$/u, 'run'],
  [/^(?:run_name|name|display_name|experiment|experiment_name|exp_name)$/u, 'name'],
  [/^(?:group|sweep|sweep_id|project|project_name)$/u, 'group'],
  [/^(?:state|status)$/u, 'state'],
  [/^notes?$/u, 'note'],
  [/^tags$/u, 'tags'],
  [/^(?:created|created_at|start_time|started|started_at)$/u, 'started'],
  [/^(?:end_time|ended|ended_at|finished_at)$/u, 'ended'],
  [/^(?:_timestamp|timestamp|wall_time|walltime|datetime|date|time|ts)$/u, 'time'],
  [/^(?:_runtime|runtime|elapsed|elapsed_seconds|seconds|relative_time(?:_\(process\))?)$/u, 'seconds'],
  [
    /^(?:user|user_id|username|host|hostname|updated|heartbeat|duration|source_type|source_name|source_version|job_type|entity|url|commit|git_commit|github|python_version|os|gpu_type|gpu_count|cpu_count|program|agent|artifact_uri|event|max_steps)$/u,
    'about',
  ],
  [/^_wandb|^wandb_version$/u, 'ignore'],
  // Numbers of rows, as pandas writes them, unless there are no other steps.
  [ROW_NUMBERS, 'ignore'],
];

/** What a name means by itself; undefined: the values have to tell. */
export const namedRole = (name: string): ColumnRole | undefined =>
  ROLES.find(([pattern]) => pattern.test(plainName(name)))?.[1];

/** The two columns of a table with one line for each point. */
export const isSeriesName = (name: string): boolean =>
  /^(?:metric|metric_name|key|tag|variable|series)$/u.test(plainName(name));
export const isValueName = (name: string): boolean => /^(?:value|val|metric_value|scalar)$/u.test(plainName(name));

/** Columns whose cells hold an object each: what a run ended with, and its configuration. */
export const isSummaryName = (name: string): boolean => /^(?:summary|_?metrics)$/iu.test(name);
export const isConfigName = (name: string): boolean => /^(?:config|hparams)$/iu.test(name);

const CONFIG = /^(?:config|hparams|hyperparameters|hyperparams|args|params|settings|cfg)[./]/iu;

/** The name of a setting without what says that it is one: `config.lr` → `lr`; undefined where nothing says so. */
export function settingName(name: string): string | undefined {
  const [head] = CONFIG.exec(name) ?? [];
  if (head !== undefined) return name.slice(head.length);
  const at = name.indexOf('/');
  return at > 0 && SETS_UP.test(name.slice(0, at)) ? name.slice(at + 1) : undefined;
}

const SETS_UP = /config|hyper|hparam|^args$|param|setting/iu;

/** How many parameters the model has, which is known of every run. */
export const isParameterCount = (name: string): boolean =>
  /(?:^|[/.])(?:parameters?_count|(?:num|n|total)_param(?:eter)?s|param(?:eter)?s)$/u.test(plainName(name));

const SPLITS =
  /^(?:train|training|val|valid|validation|test|eval|evaluation|perf|system|charts?|metrics?|summary|dev)[/._]/iu;
const MEASURED =
  /(?:^|[/_.\s-])(?:loss(?:es)?|nll|ce|acc(?:uracy)?|ppl|pplx|perplexity|bpb|bpc|bits|err(?:or)?|scores?|f1|auc|bleu|rouge\w*|mse|mae|rmse|rewards?|returns?|grad|gradnorm|norm|throughput|mfu|flops|tok(?:ens)?|tps|entropy|kl|precision|recall|iou|dice|elbo|time|seconds|runtime|epoch|lrm)(?:[/_.\s(-]|$)/iu;
const SET =
  /(?:^|[/_.])(?:max|min|clip|use|num|n|target|warmup)_|(?:batch_size|interval|every|frac(?:tion)?|size|split|dataset|file|path|dir|iters|steps|epochs|seed|scheduler|type|smoothing|weight|coef|scale|factor|eps|fn|clip|decay|dropout|limit|per_device|tokens)$/iu;

/** Whether a number of that name is measured rather than set. */
export function isMeasured(name: string): boolean {
  const plain = plainName(name);
  if (SET.test(plain)) return false;
  return plain.startsWith('_') || SPLITS.test(plain) || MEASURED.test(plain);
}
