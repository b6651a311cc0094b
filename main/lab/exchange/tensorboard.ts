/**
 * TensorBoard: an event file for each run in a folder of its own, with the points of every metric and what the HPARAMS tab needs.
 * Messages: tensorboard/compat/proto/{event,summary,tensor}.proto and tensorboard/plugins/hparams/plugin_data.proto.
 */
import type { RunRecord } from '../../../preload/contract/runs.ts';
import type { SettingValue } from '../../../preload/contract/settings.ts';
import { fileName } from '../../../preload/shared/fileName.ts';
import { ProtoWriter } from './encodings/protobuf.ts';
import {
  END,
  EVENT,
  HPARAMS,
  MAP,
  METADATA,
  PLUGIN,
  START,
  STATUS,
  STRUCT,
  SUMMARY,
  VALUE,
} from './encodings/tensorboardMessages.ts';
import { tfRecords } from './encodings/tfRecord.ts';
import { defineExchange, wantedMetrics } from './exchange.ts';
import type { ExportFile, ExportJob } from './exchange.ts';
import { began, runFileName } from './exportedRun.ts';
import { settingName, withoutSeed } from './settingName.ts';
import { stepRows } from './stepRows.ts';

/** A tensor of 32-bit floats of shape [0]: the plug-in of hyperparameters reads the metadata alone, but wants one. */
const NO_TENSOR = Uint8Array.of(0x08, 1, 0x12, 2, 0x12, 0);

export const tensorboard = defineExchange({
  name: 'tensorboard',
  label: 'TensorBoard, a folder of event files',
  help:
    'Every point of every metric, in 32 bits as TensorBoard keeps them, by step and time of training, and the settings for the HPARAMS tab, ' +
    'where the seeds of a setting are one group: tensorboard --logdir FOLDER.',
  extensions: ['zip'],
  options: ['metrics', 'settings'],
  *files(job) {
    for (const run of job.runs) yield fileOf(job, run);
  },
});

/** `my-sweep/depth-4-seed-1-1s7j0a5sx/events.out.tfevents.1764170250.sweeplab.0.1s7j0a5sx` */
function fileOf(job: ExportJob, run: RunRecord): ExportFile {
  const sweep = job.sweepOf(run);
  const seconds = String(Math.floor(began(run) / 1000)).padStart(10, '0');
  const file = `events.out.tfevents.${seconds}.sweeplab.0.${run.id}`;
  return {
    path: [...(sweep === undefined ? [] : [fileName(sweep.name)]), runFileName(run), file].join('/'),
    pieces: tfRecords(events(job, run)),
  };
}

/** Messages of type Event, each in the memory of the one before. */
function* events(job: ExportJob, run: RunRecord): Generator<Uint8Array> {
  const to = new ProtoWriter();
  const start = began(run) / 1000;
  to.double(EVENT.wallTime, start);
  to.string(EVENT.fileVersion, 'brain.Event:2');
  yield to.written;
  yield hparams(to.clear(), start, 'session_start_info', () => startInfo(to, job, run));
  yield* scalars(to, job, run, start);
  const status = STATUS[run.state];
  if (status === undefined) return;
  const end = run.endedAt === null ? start : run.endedAt / 1000;
  yield hparams(to.clear(), end, 'session_end_info', () =>
    to.message(HPARAMS.end, () => {
      to.integer(END.status, status);
      if (run.endedAt !== null) to.double(END.time, end);
    }),
  );
}

/** An event with the values of all metrics at each step. */
function* scalars(to: ProtoWriter, job: ExportJob, run: RunRecord, start: number): Generator<Uint8Array> {
  const metrics = wantedMetrics(job, run.id);
  const utf8 = new TextEncoder();
  const tags = metrics.map((name) => utf8.encode(name));
  for (const row of stepRows(job, run.id, metrics)) {
    to.clear();
    to.double(EVENT.wallTime, start + row.seconds);
    to.integer(EVENT.step, Math.round(row.step));
    to.message(EVENT.summary, () => {
      for (let i = 0; i < row.count; i++)
        to.message(SUMMARY.value, () => {
          to.bytes(VALUE.tag, tags[row.metric[i]]);
          to.float(VALUE.simple, row.value[i]);
        });
    });
    yield to.written;
  }
}

/** An event for the plug-in of hyperparameters: what it says stands in the metadata of a value. */
function hparams(to: ProtoWriter, time: number, tag: string, fill: () => void): Uint8Array {
  to.double(EVENT.wallTime, time);
  to.message(EVENT.summary, () =>
    to.message(SUMMARY.value, () => {
      to.string(VALUE.tag, `_hparams_/${tag}`);
      to.bytes(VALUE.tensor, NO_TENSOR);
      to.message(VALUE.metadata, () =>
        to.message(METADATA.plugin, () => {
          to.string(PLUGIN.name, 'hparams');
          to.message(PLUGIN.content, () => {
            to.integer(HPARAMS.version, 0);
            fill();
          });
        }),
      );
    }),
  );
  return to.written;
}

function startInfo(to: ProtoWriter, { settings }: ExportJob, run: RunRecord): void {
  to.message(HPARAMS.start, () => {
    for (const name of withoutSeed(settings)) {
      const value = run.config[name];
      if (value === undefined) continue;
      to.message(START.hparams, () => {
        to.string(MAP.key, name);
        to.message(MAP.value, () => typed(to, value));
      });
    }
    to.string(START.group, settingName(run));
    to.double(START.time, began(run) / 1000);
  });
}

function typed(to: ProtoWriter, value: SettingValue): void {
  if (typeof value === 'number') to.double(STRUCT.number, value);
  else if (typeof value === 'boolean') to.boolean(STRUCT.boolean, value);
  else to.string(STRUCT.string, value);
}
