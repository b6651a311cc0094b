/** `sweeplab wandb`: lets scripts report to this lab through the W&B client. */
import { Command } from 'commander';
import { newKey, readAccess, USUAL_PORT, wandbVariables, writeAccess } from '../../endpoint/wandb/access.ts';
import type { EndpointAccess } from '../../endpoint/wandb/access.ts';
import { closeHome } from '../../host/private.ts';
import type { Start } from '../context.ts';
import { commandGroup } from '../group.ts';

export function wandbCommand({ output, paths }: Start): Command {
  const change = (wanted: Partial<EndpointAccess>): EndpointAccess => {
    closeHome(paths);
    return writeAccess(paths.wandb, wanted);
  };
  const tell = ({ on, port, key }: EndpointAccess): void => output.data({ on, url: urlOf(port), key });
  const wandb = commandGroup('wandb', 'Let scripts report to this lab through the W&B client, without a network.');
  wandb.addCommand(
    new Command('on').description('Listen for scripts on this machine, now and whenever the lab runs.').action(() => {
      const access = change({ on: true });
      tell(access);
      output.text(
        `Scripts may report to ${urlOf(access.port)} while the lab runs (sweeplab start, or sweeplab serve).`,
      );
      output.text('Their variables: sweeplab wandb env');
    }),
  );
  wandb.addCommand(
    new Command('off').description('Listen no longer. The key stays.').action(() => {
      tell(change({ on: false }));
      output.text('Scripts are no longer heard.');
    }),
  );
  wandb.addCommand(
    new Command('env').description('Print what a script needs: eval "$(sweeplab wandb env)"').action(() => {
      const access = change({});
      tell(access);
      for (const [name, value] of Object.entries(wandbVariables(urlOf(access.port), access.key)))
        output.text(`export ${name}=${value}`);
      if (!access.on) output.note('Nobody listens there yet: sweeplab wandb on');
    }),
  );
  wandb.addCommand(
    new Command('revoke').description('Make a new key. Scripts with the old one are refused at once.').action(() => {
      const had = readAccess(paths.wandb) !== undefined;
      tell(change({ key: newKey() }));
      output.text(
        had
          ? 'The old key is no longer valid. The new one: sweeplab wandb env'
          : 'There was no key; now there is: sweeplab wandb env',
      );
    }),
  );
  return wandb;
}

export const urlOf = (port: number = USUAL_PORT): string => `http://127.0.0.1:${port}`;
