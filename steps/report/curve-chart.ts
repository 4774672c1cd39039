import type { Json } from '../../engine/json.ts';
import { figure, html, type Markup } from './markup.ts';
import type { SampleTable } from './model.ts';

/** Tables that are read along one of their fields: what is drawn against it, if it is there. */
const curves: readonly { x: string; ys: readonly string[] }[] = [
  { x: 'threshold', ys: ['accepted_share', 'token_ratio'] },
  { x: 'strong_share', ys: ['pgr', 'pgr_random', 'pgr_length', 'pgr_oracle'] },
  { x: 'k', ys: ['silhouette', 'gap'] },
];
const [left, right, top, bottom, width, height] = [48, 150, 12, 34, 760, 280];
/** Lines are told apart by their dashes too, not by colour alone. */
const dashes = ['', '7 4', '2 3', '9 3 2 3'];

interface Line {
  name: string;
  points: { x: number; y: number }[];
}

/** Whether a table with these fields is drawn as a curve: such a one is read as a whole. */
export function isCurve(fields: readonly string[]): boolean {
  return curves.some(({ x, ys }) => fields.includes(x) && ys.some((y) => fields.includes(y)));
}

/**
 * A table along one of its fields as lines: the sweep of thresholds of `compress`, the shares of a router, the
 * numbers of clusters that were tried. Null of any other.
 */
export function curveChart(table: SampleTable): Markup | null {
  const { fields, head } = table;
  const curve = curves.find(({ x, ys }) => fields.includes(x) && ys.some((y) => fields.includes(y)));
  if (!curve) return null;
  const column = (name: string): Json[] => head.map((row) => row[fields.indexOf(name)] ?? null);
  const xs = column(curve.x);
  const lines = curve.ys
    .filter((y) => fields.includes(y))
    .map(
      (name): Line => ({
        name,
        points: column(name).flatMap((y, row) => {
          const x = xs[row];
          return typeof x === 'number' && typeof y === 'number' ? [{ x, y }] : [];
        }),
      }),
    )
    .filter(({ points }) => points.length > 1);
  return lines.length === 0 ? null : drawing(curve.x, lines);
}

function drawing(xName: string, lines: readonly Line[]): Markup {
  const all = lines.flatMap(({ points }) => points);
  const x = scale(
    all.map((point) => point.x),
    left,
    width - right,
  );
  const y = scale(
    all.map((point) => point.y),
    height - bottom,
    top,
  );
  const label = `${lines.map(({ name }) => name).join(', ')} by ${xName}`;
  return html`<figure class="card flow"><svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${label}" style="width:100%;max-width:${width}px">
${y.ticks.map(
  (
    tick,
  ) => html`<line x1="${left}" x2="${width - right}" y1="${y.at(tick)}" y2="${y.at(tick)}" stroke="currentColor" stroke-opacity=".15"/>
<text x="${left - 8}" y="${y.at(tick) + 4}" text-anchor="end" font-size="11" fill="currentColor" fill-opacity=".7">${figure(tick)}</text>
`,
)}${x.ticks.map(
  (
    tick,
  ) => html`<text x="${x.at(tick)}" y="${height - bottom + 16}" text-anchor="middle" font-size="11" fill="currentColor" fill-opacity=".7">${figure(tick)}</text>
`,
)}<text x="${(left + width - right) / 2}" y="${height - 4}" text-anchor="middle" font-size="12" fill="currentColor">${xName}</text>
${lines.map((line, index) => oneLine(line, index, x.at, y.at))}</svg></figure>`;
}

function oneLine(
  { name, points }: Line,
  index: number,
  x: (value: number) => number,
  y: (value: number) => number,
): Markup {
  const path = points.map((point) => `${x(point.x)},${y(point.y)}`).join(' ');
  const legend = top + 8 + index * 20;
  const dash = dashes[index % dashes.length]!;
  return html`<polyline points="${path}" fill="none" stroke="currentColor" stroke-width="2" stroke-dasharray="${dash}"/>
${points.map(
  (point) =>
    html`<circle cx="${x(point.x)}" cy="${y(point.y)}" r="3" fill="currentColor"><title>${figure(point.x)}: ${name} ${figure(point.y)}</title></circle>`,
)}
<line x1="${width - right + 14}" x2="${width - right + 42}" y1="${legend}" y2="${legend}" stroke="currentColor" stroke-width="2" stroke-dasharray="${dash}"/>
<text x="${width - right + 48}" y="${legend + 4}" font-size="12" fill="currentColor">${name}</text>
`;
}

/** Places of values between two ends, and four or five round values to name. */
function scale(
  values: readonly number[],
  from: number,
  to: number,
): { at: (value: number) => number; ticks: number[] } {
  const low = Math.min(...values);
  const high = Math.max(...values);
  const raw = (high - low || 1) / 4;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= raw - 1e-12) ?? 10);
  const first = Math.ceil(low / step - 1e-9);
  const count = Math.floor(high / step + 1e-9) - first + 1;
  const ticks = Array.from({ length: Math.max(0, count) }, (_, index) =>
    Number(((first + index) * step).toPrecision(12)),
  );
  const at = (value: number) =>
    Math.round((from + ((value - low) / (high - low || 1)) * (to - from)) * 10) / 10;
  return { at, ticks };
}
