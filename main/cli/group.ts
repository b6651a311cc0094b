/** Commands that only hold other commands: their help without one, a suggestion for an unknown one. */
import { Command } from 'commander';
import { nearestName } from '../../preload/shared/settings/nearest.ts';
import { InputError } from './errors.ts';

/** A command whose subcommands are added later. */
export function commandGroup(name: string, description: string): Command {
  return groupActions(new Command(name).description(description));
}

/** Makes `command` answer to being called without one of its subcommands. */
export function groupActions(command: Command): Command {
  // A hidden argument: commander would otherwise complain of "too many arguments".
  return command
    .argument('[command]')
    .usage('<command> [options]')
    .action((given: string | undefined) => {
      if (given === undefined) {
        command.outputHelp();
        return;
      }
      const names = command.commands.map((each) => each.name());
      const near = nearestName(given, names);
      throw new InputError(
        `there is no command "${given}"; allowed: ${names.join(', ')}${near === undefined ? '' : `; did you mean ${near}?`}`,
      );
    });
}
