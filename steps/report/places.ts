/** Where a run's own things go: no data can hold these, since `<` never leaves the data unescaped. */
export const places = {
  /** Above the headline: which run this was. */
  run: '<!--reprise:run-->',
  graph: '<!--reprise:graph-->',
  provenance: '<!--reprise:provenance-->',
} as const;
