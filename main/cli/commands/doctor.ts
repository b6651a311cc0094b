/** `sweeplab doctor`: what is here, what is missing, what to do. */
import { Command } from 'commander';
import { checkup } from '../../host/checkup.ts';
import type { Context } from '../context.ts';
import { EXIT } from '../errors.ts';

export function doctorCommand(context: Context): Command {
  return new Command('doctor')
    .description('Check Node, executors, devices, memory, disk, database and optional parts.')
    .action(() => doctor(context));
}

async function doctor(context: Context): Promise<void> {
  const { output, workshop, pluginError } = context;
  const findings = await checkup(workshop.paths, workshop.plugins, pluginError);
  const healthy = findings.every(({ state }) => state !== 'problem');
  output.data({ healthy, findings });
  for (const { name, state, detail, advice, more = [] } of findings) {
    const mark =
      state === 'ok'
        ? output.style('green', '✓')
        : state === 'missing'
          ? output.style('dim', '–')
          : output.style('red', '✗');
    output.text(`${mark} ${name.padEnd(20)} ${detail}`);
    if (advice !== undefined) output.text(`  ${' '.repeat(20)} → ${advice}`);
    for (const line of more) output.text(output.style('dim', `  ${' '.repeat(20)} · ${line}`));
  }
  output.text('');
  output.text(healthy ? 'Everything that Sweeplab needs is here.' : 'Something needs your attention (✗).');
  context.exit(healthy ? EXIT.ok : EXIT.failed);
}
