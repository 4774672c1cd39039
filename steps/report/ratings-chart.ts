import { count, html, type Markup } from './markup.ts';
import type { SampleTable } from './model.ts';

interface Rating {
  player: string;
  rating: number;
  /** Bounds of the interval; the rating itself where there is none. */
  low: number;
  high: number;
}

/** Beyond so many players the table says more than a drawing. */
const mostPlayers = 40;
const rowHeight = 26;
const [left, right, width] = [190, 60, 760];

/** Players by strength, with intervals: of a table with `player` and `rating`, as `evaluate` makes one. Null of any other. */
export function ratingsChart(table: SampleTable): Markup | null {
  const ratings = ratingsOf(table);
  if (ratings.length === 0 || ratings.length > mostPlayers) return null;
  const low = Math.min(...ratings.map((rating) => rating.low));
  const high = Math.max(...ratings.map((rating) => rating.high));
  const place = (points: number) =>
    Math.round(left + ((points - low) / Math.max(1, high - low)) * (width - left - right));
  const height = ratings.length * rowHeight + 24;
  const ticks = [low, (low + high) / 2, high].map(Math.round);
  return html`<figure class="card flow"><svg viewBox="0 0 ${width} ${height}" role="img" aria-label="Ratings with their intervals" style="width:100%;max-width:${width}px">
${ticks.map(
  (
    points,
  ) => html`<line x1="${place(points)}" x2="${place(points)}" y1="4" y2="${height - 20}" stroke="currentColor" stroke-opacity=".15"/>
<text x="${place(points)}" y="${height - 6}" text-anchor="middle" font-size="11" fill="currentColor" fill-opacity=".7">${count(points)}</text>
`,
)}${ratings.map(({ player, rating, ...bounds }, index) => {
  const y = index * rowHeight + 17;
  return html`<text x="${left - 12}" y="${y + 4}" text-anchor="end" font-size="13" fill="currentColor">${shortened(player)}</text>
<line x1="${place(bounds.low)}" x2="${place(bounds.high)}" y1="${y}" y2="${y}" stroke="currentColor" stroke-width="2" stroke-opacity=".5"/>
<circle cx="${place(rating)}" cy="${y}" r="5" fill="currentColor"><title>${player}: ${count(Math.round(rating))} (${count(Math.round(bounds.low))} to ${count(Math.round(bounds.high))})</title></circle>
`;
})}</svg></figure>`;
}

function ratingsOf({ fields, head }: SampleTable): Rating[] {
  const at = (name: string) => fields.indexOf(name);
  const [player, rating, low, high] = ['player', 'rating', 'rating_low', 'rating_high'].map(at) as [
    number,
    number,
    number,
    number,
  ];
  if (player < 0 || rating < 0) return [];
  return head.flatMap((row) => {
    const points = row[rating];
    if (typeof points !== 'number') return [];
    const bound = (place: number) => (typeof row[place] === 'number' ? (row[place] as number) : points);
    return [{ player: String(row[player]), rating: points, low: bound(low), high: bound(high) }];
  });
}

function shortened(name: string): string {
  return name.length > 26 ? `${name.slice(0, 25)}…` : name;
}
