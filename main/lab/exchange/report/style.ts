/** The look of a report: that of the interface (renderer/tokens/tokens.css), in light, in dark, and on paper. */

export const STYLE = `
:root{color-scheme:light dark;--page:#f6f7f9;--panel:#fff;--line:#dfe3e8;--strong:#14171c;--text:#353b45;--muted:#5c6570;--accent:#2563eb;--good:#137236;--bad:#b91c1c}
@media (prefers-color-scheme:dark){:root{--page:#0f1115;--panel:#161920;--line:#2a2f3a;--strong:#f2f4f8;--text:#cdd3dc;--muted:#8f99a7;--accent:#6ea0ff;--good:#4ade80;--bad:#f87171}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--text);font:14px/1.5 'Inter Variable',Inter,system-ui,sans-serif;font-feature-settings:'tnum'}
main{max-width:1080px;margin:0 auto;padding:32px 24px 64px}
h1{font-size:24px;line-height:1.25;margin:0 0 4px;color:var(--strong);overflow-wrap:anywhere}
h2{font-size:18px;margin:0 0 12px;color:var(--strong)}
h3{font-size:14px;margin:16px 0 8px;color:var(--strong)}
section,.summary{background:var(--panel);border:1px solid var(--line);border-radius:6px;padding:16px;margin:16px 0}
.lead{font-size:14px;margin:0;color:var(--strong)}
.note,.meta{color:var(--muted);font-size:12px;margin:8px 0 0;overflow-wrap:anywhere}
.wide{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:12px}
th,td{text-align:left;padding:5px 8px;border-bottom:1px solid var(--line);vertical-align:top;overflow-wrap:break-word}
th{color:var(--muted);font-weight:600;border-bottom-color:var(--muted);white-space:nowrap}
.n{text-align:right;white-space:nowrap}
td.best{color:var(--good);font-weight:600}
td.worse,td.muted{color:var(--muted)}
td.bad{color:var(--bad)}
figure{margin:0 0 20px;break-inside:avoid}
figure svg{display:block;max-width:100%;height:auto}
figure .dark{display:none}
pre{white-space:pre-wrap;overflow-wrap:anywhere;font:12px/1.45 ui-monospace,monospace;margin:0}
summary{cursor:pointer;color:var(--accent)}
nav{margin:12px 0 0;display:flex;flex-wrap:wrap;gap:4px 16px;font-size:12px}
a{color:var(--accent)}
@media (prefers-color-scheme:dark){figure .light{display:none}figure .dark{display:block}}
@media print{
:root{color-scheme:light;--page:#fff;--panel:#fff;--line:#ccc;--strong:#000;--text:#222;--muted:#555;--accent:#222;--good:#137236;--bad:#b91c1c}
main{max-width:none;padding:0}section,.summary{border:0;padding:0;margin:0 0 24px}nav{display:none}
figure .light{display:block}figure .dark{display:none}
table{font-size:9px}th,td{padding:3px 5px}h2,h3{break-after:avoid}tr{break-inside:avoid}thead{display:table-header-group}.wide{overflow:visible}
}
@page{margin:15mm}
`;
