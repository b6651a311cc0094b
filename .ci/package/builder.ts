/** What electron-builder is told: it wraps the stage and decides nothing about what is in it. */
import type { Configuration } from 'electron-builder';
import { SWEEP_ENDING } from '../../main/app/openFiles.ts';
import type { Stage } from './stage.ts';

/** Sweep files that open with the app. */
const SWEEP_FILES = {
  ext: SWEEP_ENDING.slice(1),
  name: 'Sweeplab sweep',
  description: 'A sweep of Sweeplab: settings and what is varied, as YAML',
  mimeType: 'application/x-sweeplab',
  role: 'Editor',
} as const;

export interface Wrapping {
  readonly stage: Stage;
  readonly output: string;
  readonly version: string;
  /** The folder of Electron's program. */
  readonly electron: string;
}

export function configuration({ stage, output, version, electron }: Wrapping): Configuration {
  return {
    appId: 'org.sweeplab.Sweeplab',
    productName: 'Sweeplab',
    copyright: 'MIT licence',
    directories: { app: stage.app, output, buildResources: stage.build },
    artifactName: 'Sweeplab-${version}-${os}-${arch}.${ext}',
    electronVersion: version,
    electronDist: electron,
    asar: true,
    files: ['**/*'],
    extraResources: [{ from: stage.resources, to: '.', filter: ['**/*'] }],
    // Nothing of the app is built by a rebuild of packages: the kernels came built, for Node and not for Electron.
    npmRebuild: false,
    // Nothing is sent anywhere: releases are uploaded by the workflow.
    publish: null,
    electronFuses: {
      runAsNode: false,
      enableNodeOptionsEnvironmentVariable: false,
      enableNodeCliInspectArguments: false,
      enableCookieEncryption: true,
      // The check of the archive exists on Windows and macOS; on Linux Electron has none.
      enableEmbeddedAsarIntegrityValidation: true,
      onlyLoadAppFromAsar: true,
      grantFileProtocolExtraPrivileges: false,
      resetAdHocDarwinSignature: true,
    },
    fileAssociations: [SWEEP_FILES],
    linux: {
      target: ['AppImage', 'deb'],
      category: 'Science',
      executableName: 'sweeplab',
      icon: 'icons',
      synopsis: 'An experiment lab for people who train small language models',
      maintainer: 'Sweeplab <sweeplab@users.noreply.github.com>',
    },
    win: { target: ['nsis'], icon: 'icon.ico' },
    nsis: { oneClick: false, perMachine: false, allowToChangeInstallationDirectory: true },
    mac: {
      target: ['dmg'],
      icon: 'icon.icns',
      category: 'public.app-category.developer-tools',
      // Signed with the app: a program within it without a signature would not be started.
      binaries: ['Contents/Resources/node'],
    },
  };
}
