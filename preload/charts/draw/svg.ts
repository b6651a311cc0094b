/** Charts as SVG, drawn without a page. */
import { echarts } from './echarts.ts';
import { plainOption } from './plainOption.ts';

/** What ECharts writes for the pointer, which a file does not follow. */
const INTERACTIVE = / (?:class="zr\d+-cls-\d+"|pointer-events="\w+")/gu;

/** Any option as an SVG document of its own. */
export function svgOfOption(option: object, width: number, height: number, background: string): string {
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width, height });
  try {
    chart.setOption({ animation: false, ...plainOption(option), backgroundColor: background });
    return chart
      .renderToSVGString()
      .replaceAll(/<style[^>]*>[\s\S]*?<\/style>/gu, '')
      .replaceAll(INTERACTIVE, '');
  } finally {
    chart.dispose();
  }
}
