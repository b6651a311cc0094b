export function notBuilt(reason: string, platform: string): string;
