/** The module `electron` as preload scripts see it (page/preload.js): what is not here does not compile against it. */
export declare const contextBridge: Pick<Electron.ContextBridge, 'exposeInMainWorld'>;
export declare const ipcRenderer: Pick<Electron.IpcRenderer, 'on' | 'send' | 'invoke'>;
