/** The app in a browser. The same steps run in the desktop app: test/long/desktopApp.test.ts. */
import { browserHost } from './appHosts/browser.ts';
import { describeApp } from './appSteps.ts';
import { whyNot } from './harness.ts';

describeApp(browserHost(), await whyNot());
