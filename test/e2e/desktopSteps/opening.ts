/** Sweep files that the system asks the app to open: with its start, with a second one, and by the event that macOS sends. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Desktop } from '../desktop.ts';

export function openingSteps(desktop: Desktop): void {
  const folder = join(desktop.home, 'sweeps');
  mkdirSync(folder);
  /** A sweep over so many rates. */
  const write = (name: string, rates: number): string => {
    const values = Array.from({ length: rates }, (_, i) => 0.001 * (i + 1));
    const path = join(folder, name);
    writeFileSync(
      path,
      `method: grid\nrecipe: quick\nseeds: 1\nparameters:\n  optimizer.lr: { values: [${values.join(', ')}] }\n`,
    );
    return path;
  };
  const shown = async (rates: number): Promise<void> => {
    await desktop.page.waitForURL(/#\/builder/u);
    await desktop.page
      .getByRole('complementary', { name: 'Plan' })
      .getByRole('button', { name: `Launch ${rates} runs` })
      .waitFor();
  };

  it('shows the sweep file that it is started with (would catch a page that is told before it listens)', async () => {
    if (desktop.running) await desktop.stop();
    await desktop.start([write('first.sweeplab', 3)]);
    await shown(3);
  });

  it('shows the file of a second start in the same window, and can go back (would catch a draft that is lost)', async () => {
    write('second.sweeplab', 5);
    await desktop.main(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0].minimize());
    // As a shell gives it: from the folder of that start.
    expect(await desktop.second(['second.sweeplab'], folder)).toBe(0);
    await shown(5);
    const windows = await desktop.main(({ BrowserWindow }) =>
      BrowserWindow.getAllWindows().map((each) => each.isMinimized()),
    );
    expect(windows).toEqual([false]);
    await desktop.page
      .locator('.toast', { hasText: 'The draft is now that of second.sweeplab' })
      .getByRole('button', { name: 'Undo' })
      .click();
    await shown(3);
  });

  it('shows what macOS asks for, and says what cannot be read (would catch an event that nobody answers)', async () => {
    const ask = (path: string): Promise<boolean> =>
      desktop.main(({ app }, given) => {
        let prevented = false;
        app.emit('open-file', { preventDefault: () => (prevented = true) }, given);
        return prevented;
      }, path);
    expect(await ask(write('third.sweeplab', 4))).toBe(true);
    await shown(4);
    await ask(join(folder, 'gone.sweeplab'));
    const { kind, options } = await desktop.question();
    expect([kind, options.message]).toEqual(['error', 'The sweep cannot be opened']);
    expect(options.detail).toMatch(/gone\.sweeplab cannot be read: there is no such file\./u);
    await desktop.answer({ response: 0 });
    expect(await desktop.stop()).toBe(0);
  });
}
