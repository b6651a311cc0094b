/** The steps of the app (test/e2e/appSteps.ts) in the desktop app: on its stand-in for Electron, and on Electron where that is. */
import { desktopHost } from '../e2e/appHosts/desktop.ts';
import { describeApp } from '../e2e/appSteps.ts';
import { whyNoDesktop } from '../e2e/desktop.ts';

for (const kind of ['stand-in', 'Electron'] as const) describeApp(desktopHost(kind), await whyNoDesktop(kind));
