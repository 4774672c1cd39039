import { figure, html, type Markup } from './markup.ts';
import type { Scores } from './model.ts';

interface Meaning {
  label: string;
  /** A short explanation for a reader who does not know the measure. */
  note?: string;
  /** Ends of a fixed scale; values below it are as bad as its low end. */
  range?: readonly [number, number];
}

/** The measures that a reader may know by another spelling, or not at all. */
const meanings: { readonly [metric: string]: Meaning } = {
  homogeneity: { label: 'Homogeneity', note: 'each cluster holds one class only', range: [0, 1] },
  completeness: { label: 'Completeness', note: 'each class lies in one cluster', range: [0, 1] },
  v_measure: { label: 'V-measure', note: 'mean of homogeneity and completeness', range: [0, 1] },
  nmi: { label: 'NMI', note: 'mutual information with the known classes', range: [0, 1] },
  ami: { label: 'AMI', note: 'the same, less what chance would give', range: [0, 1] },
  ari: { label: 'Adjusted Rand', note: 'pairs of rows that agree, less chance', range: [0, 1] },
  purity: { label: 'Purity', note: 'rows in the majority class of their cluster', range: [0, 1] },
  k: { label: 'Clusters (k)' },
  silhouette: {
    label: 'Silhouette',
    note: 'near its own cluster, far from the next',
    range: [0, 1],
  },
  accuracy: { label: 'Accuracy', range: [0, 1] },
  balanced_accuracy: { label: 'Balanced accuracy', range: [0, 1] },
  precision: { label: 'Precision', range: [0, 1] },
  recall: { label: 'Recall', range: [0, 1] },
  f1: { label: 'F1', range: [0, 1] },
  macro_f1: { label: 'Macro F1', range: [0, 1] },
  win_rate: { label: 'Win rate', range: [0, 1] },
  kappa: { label: "Cohen's kappa", note: 'agreement, less what chance would give', range: [0, 1] },
  fleiss_kappa: { label: "Fleiss' kappa", note: 'agreement of all, less chance', range: [0, 1] },
  alpha: { label: "Krippendorff's alpha", note: 'agreement of raters, less chance', range: [0, 1] },
  annotators_alpha: { label: "Annotators' alpha", note: 'how far people agree', range: [0, 1] },
  consistency: { label: 'Consistency', note: 'same verdict in both orders', range: [0, 1] },
  position_bias: { label: 'Position bias', note: '1: the answer shown first always wins' },
  pass_rate: { label: 'Pass rate', range: [0, 1] },
};

/** What a metric is called and means; unknown ones are spelled out: `rows_kept` is `Rows kept`. */
export function metricMeaning(name: string): Meaning {
  const known = Object.hasOwn(meanings, name) ? meanings[name] : undefined;
  if (known) return known;
  const words = name.replaceAll('_', ' ');
  return { label: words.charAt(0).toUpperCase() + words.slice(1) };
}

/** The metrics of every input, a card each; measures on a fixed scale have a meter. */
export function scoresSection(scores: readonly Scores[]): Markup | null {
  if (scores.length === 0) return null;
  // What was measured comes before what was merely counted.
  const rank = ({ use }: Scores) => (use === 'evaluate' ? 0 : 1);
  const ordered = scores.toSorted((a, b) => rank(a) - rank(b));
  return html`<section class="section" aria-labelledby="scores-title">
<header><h2 id="scores-title">Numbers</h2><p>What each step reported.</p></header>
<div class="score-cards">${ordered.map(scoreCard)}</div>
</section>`;
}

function scoreCard({ name, step, use, metrics }: Scores): Markup {
  return html`
<div class="card score-card${metrics.length > 5 ? ' many' : null}"><h3><span dir="auto">${name}</span><small>${use}${
    step === name ? null : html` · <span dir="auto">${step}</span>`
  }</small></h3>
<dl>${metrics.map(({ name: metric, value }) => {
    const { label, note, range } = metricMeaning(metric);
    return html`<div class="score"><dt dir="auto">${label}${note ? html`<small>${note}</small>` : null}</dt><dd dir="auto">${
      typeof value === 'number' ? figure(value) : String(value)
    }</dd>${range && typeof value === 'number' ? meter(value, range) : null}</div>`;
  })}</dl></div>`;
}

function meter(value: number, [low, high]: readonly [number, number]): Markup {
  const share = Math.min(1, Math.max(0, (value - low) / (high - low)));
  return html`<div class="meter" aria-hidden="true"><i style="width:${(share * 100).toFixed(1)}%"></i></div>`;
}
