// What an install says where the native kernels cannot be built, and what to do instead.
//
// Plain JavaScript, because an install may start build.js with an older Node than the one that runs TypeScript.

/** @param {string} reason @param {string} platform as `process.platform` */
export function notBuilt(reason, platform) {
  const mend =
    platform === 'win32'
      ? 'They are written in vector types of GCC and Clang: in WSL they build as on Linux.'
      : `Install ${platform === 'darwin' ? "Apple's command line tools (`xcode-select --install`)" : 'a C++20 compiler, make and Python 3'}, then run \`npm run build:native\`; or fetch them built, from a release: \`npm run sweeplab -- setup native --from ADDRESS\`. A package of the desktop app carries them.`;
  return `Sweeplab's native kernels were not built: ${reason}.\nEverything works without: training on this processor runs on the TensorFlow.js executor, several times slower. ${mend}`;
}
