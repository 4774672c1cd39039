import { defineStep, type OutputSpecs } from '../../engine/step.ts';
import { requireFields } from '../missing-field.ts';
import { scoreAgreement } from './agreement.ts';
import { scoreCalibration } from './calibration.ts';
import { scoreClassification } from './classification.ts';
import { scoreClustering } from './clustering.ts';
import { scoreCost } from './cost.ts';
import { scorePairings } from './pairings.ts';
import { checkParameters, parameters } from './parameters.ts';
import { scorePassRate } from './pass-rate.ts';
import { scoreRouting } from './routing.ts';

const outputs = {
  rows: {
    kind: 'table',
    description:
      'A row for each class, largest first. clustering: `size`, `best_cluster` (the one that holds most of it), `share` of the class in it, `purity` (share of that cluster which is of the class), `f1` of the two, `clusters` (how many the class is spread over), `mixed_with` (the largest other class there). classification: `size`, `predicted` (rows given this class), `precision`, `recall`, `f1`, `mixed_with` (what its rows are most often taken for instead). agreement: a row for each pair, first those with what is right. ratings: a row for each player, the strongest first. pass_rate: a row for each value of `by` (or combination of values), with its `difference` from the others, `p_value` and `q_value`. calibration: a row for each score. cost: a row for each model. routing: a row for each twentieth of the rows that the strong model gets (`strong_share`), with the `threshold` of the prediction for it, the `quality` and `pgr` to expect, and those of routing by chance, by length and at best.',
  },
  contingency: {
    kind: 'table',
    description:
      'The confusion matrix: a row for each class and cluster (or predicted class) that have rows in common: `class`, `predicted`, `count`. agreement: what is right, and what each `rater` said. ratings: how often `class` won against `predicted`, ties by half.',
  },
  calibrated: {
    kind: 'table',
    optional: true,
    description:
      'calibration: the rows that have a score, with `calibrated`: what people would give. Those that a person scored were learnt from.',
  },
} as const;

export default defineStep({
  type: 'evaluate',
  summary: 'Scores clusterings, classifications, judges and routers against what is known or what people say',
  description: `\`clustering\` (default) compares the clusters with the classes in the field \`truth\`. Definitions are scikit-learn's:

- \`homogeneity\` 1 − H(class|cluster)/H(class): each cluster holds one class only. \`completeness\`: each class lies in one cluster. \`v_measure\`: their harmonic mean (Rosenberg & Hirschberg 2007).
- \`nmi\` mutual information over the mean of the entropies; \`ami\` the same, adjusted for chance (Vinh, Epps & Bailey 2010); \`ari\` adjusted Rand index (Hubert & Arabie 1985).
- \`purity\`: share of rows in the largest class of their cluster; \`accuracy\`: share under the best one-to-one pairing of clusters and classes.
- \`silhouette\` (Rousseeuw 1987), if there are vectors: how much nearer rows are to their own cluster than to the next one. It needs no truth; nor do \`davies_bouldin\` and \`calinski_harabasz\`.

\`classification\` compares the field \`prediction\` with \`truth\`, as scikit-learn does:

- \`accuracy\`, \`balanced_accuracy\` (mean recall of the classes), \`mcc\` (Matthews' coefficient), \`kappa\` (Cohen's); \`precision\`, \`recall\` and \`f1\` as \`macro\` (mean over the classes that occur in either field), \`weighted\` (by rows of a class) and \`micro\` (over all rows).
- With \`out_of_scope_label\` rows of that class are not among them. \`auroc\` says how well the field \`score\` tells them from the others: the chance that one of them has a greater score than another row, ties by half.
- \`accuracy_low\` and \`accuracy_high\` (and so on) are the bounds of a percentile bootstrap: \`resamples\` times as many rows are drawn with replacement (Efron 1979).

Rows without a class or without a prediction are left out, with a warning; the cluster −1 (noise) counts as a cluster.

\`agreement\` compares what \`raters\` said with each other, and with the field \`truth\` or what most of the \`annotators\` said:

- \`agreement\`, the share of rows alike (\`accuracy\` where it is with what is right); \`kappa\` (Cohen 1960), \`fleiss_kappa\` of several (Fleiss 1971), \`alpha\` (Krippendorff 2004), for which ratings may be missing. 1 is agreement, 0 chance.
- \`level\` says what is far apart: of \`ordinal\` ratings their order, of \`interval\` ones their differences, of \`ratio\` ones their ratios. With these also \`kappa_linear\` and \`kappa_quadratic\` (Cohen 1968), \`spearman\` and \`kendall\` (tau-b).

\`ratings\` makes a table of \`players\` whose answers were compared: \`rating\`, Bradley and Terry's strengths (1952) of greatest likelihood, and \`elo\` (1978), in points: 1000 is the mean, 400 more are odds of ten to one, ties count half. With \`lengths\` also \`rating_length_corrected\`: as if the answers
were equally long (the difference of lengths over their sum is a covariate, as in the style control of Chatbot Arena; \`length_effect\` is what it adds to the log-odds). Intervals are those of a percentile bootstrap over games.

\`pass_rate\` is the share of rows whose field \`passed\` is true, with Wilson's interval (1927), over all and \`by\` a field or several. \`difference\` is that of a group's share from that of the rows that differ
in the first field only: \`by: [cluster, model]\` tells where a model passes more or less often than it does elsewhere. \`p_value\` is Fisher's exact test, two-sided; \`q_value\` adjusts it for the number of groups
(Benjamini & Hochberg 1995): of those with at most 0.05 one in twenty is wrong, on average, if rows do not hang together.

\`calibration\` says what the scores of a judge are worth in those of people, which only some rows need have: \`estimate\`, the mean that people would give to all rows, by prediction-powered inference (Angelopoulos et al. 2023), whose interval holds however biased the judge is; \`bias\` of the judge; and for each score the \`calibrated\` one (isotonic regression; between two scores linear, beyond the last ones as for these). The output \`calibrated\` has the rows with it.

\`cost\` adds up what a step was told by language models (\`from: verdicts.answers\`): US dollars and tokens, for each row and for each model. Answers from the cache count as
what they cost when they were bought. How long answers took is no part of a result, which would be another one each time: \`reprise runs cost <run>\` says it.

\`routing\` says what it is worth to send rows to a \`strong\` model where the field \`prediction\` is great, and to a \`weak\` one where it is not, as RouteLLM does (Ong et al. 2024): PGR is the share of the gap in quality between the two that is recovered, \`apgr\` its mean over all
shares of the strong model (0.5 is chance), \`cpt_50\` and \`cpt_80\` the least share of the strong model that recovers so much. \`apgr_length\` is that of sending the longest questions to the strong model, which a router has to beat (\`apgr_gain\`, over the same resamples); \`apgr_oracle\` is the best there
is. With \`group\` the bootstrap draws groups. Rows that the router has learnt from are no measure: split first, by \`group\`.`,
  parameters,
  inputs: {
    rows: { kind: 'table', description: 'Rows with the fields that the task names.' },
    vectors: {
      kind: 'matrix',
      optional: true,
      description: 'The vectors that were clustered, for the silhouette.',
    },
  },
  outputs,
  outputsOf({ task }): OutputSpecs {
    const { rows, contingency, calibrated } = outputs;
    return task === 'calibration' ? { rows, contingency, calibrated } : { rows, contingency };
  },
  metrics: {
    v_measure: 'Harmonic mean of homogeneity and completeness, 0 to 1.',
    ari: 'Adjusted Rand index; 0 is chance.',
    ami: 'Adjusted mutual information; 0 is chance.',
    nmi: 'Normalised mutual information, 0 to 1.',
    homogeneity: 'Whether each cluster holds one class only, 0 to 1.',
    completeness: 'Whether each class lies in one cluster, 0 to 1.',
    purity: 'Share of rows in the largest class of their cluster.',
    accuracy: 'Share of rows right; of clusters under their best pairing with classes.',
    silhouette: 'Mean silhouette, −1 to 1; with vectors only.',
    davies_bouldin:
      'How wide clusters are for how far apart (1979), Euclidean; smaller is better; with vectors only.',
    calinski_harabasz:
      'Spread between clusters over that within (1974), Euclidean; greater is better; with vectors only.',
    balanced_accuracy: 'Mean recall of the classes.',
    macro_f1: 'Mean F1 of the classes.',
    micro_f1: 'F1 over all rows.',
    weighted_f1: 'Mean F1 of the classes, by their rows.',
    macro_precision: 'Mean precision of the classes.',
    macro_recall: 'Mean recall of the classes, those never asked for included.',
    mcc: "Matthews' correlation coefficient, −1 to 1.",
    kappa:
      "Cohen's kappa, −1 to 1; 0 is chance. agreement: with what is right, the mean over raters, as accuracy is.",
    auroc: 'How well the score tells rows of no class from the others: 0.5 is chance.',
    out_of_scope: 'Rows of no class.',
    out_of_scope_recall: 'Share of the rows of no class that were predicted to be so.',
    accuracy_low: 'Lower bound of the interval; so for macro_f1 and auroc.',
    accuracy_high: 'Upper bound of the interval; so for macro_f1 and auroc.',
    clusters: 'Number of clusters.',
    classes: 'Number of classes.',
    alpha: "Krippendorff's alpha of the raters.",
    fleiss_kappa: "Fleiss' kappa of the raters, over rows that all have rated.",
    mean_kappa: "Mean of Cohen's kappa over pairs of raters.",
    annotators_alpha: "Krippendorff's alpha of the annotators; so for fleiss_kappa and mean_kappa.",
    no_majority: 'Rows of which no answer has most annotators.',
    spearman: "Spearman's correlation with what is right.",
    kendall: "Kendall's tau-b with what is right.",
    games: 'Rows that are games.',
    players: 'Number of players.',
    ties: 'Games without a winner.',
    length_effect: 'What the difference of lengths over their sum adds to the log-odds of winning.',
    passed: 'Rows that pass.',
    pass_rate: 'Share of the rows that pass, with pass_rate_low and pass_rate_high.',
    estimate: 'Mean score that people would give to all rows, with estimate_low and estimate_high.',
    labels_mean: 'Mean score that people gave, with labels_low and labels_high.',
    trust: 'How far the judge is trusted in the estimate, 0 to 1.',
    effective_labels: 'As many scores of people alone would give an interval of this width.',
    bias: "Mean of the judge's score less that of people.",
    mean_absolute_error: "Mean distance of the judge's score from that of people.",
    labelled: 'Rows that a person scored.',
    usd: 'What the answers cost, in US dollars; usd_per_row for each row.',
    input_tokens: 'Tokens that were asked with; output_tokens those of the answers, tokens_per_row both.',
    answers: 'Answers of language models; failed those that came to nothing.',
    unpriced: 'Answers whose price is not known.',
    apgr: 'Average performance gap recovered by routing: 0.5 is chance. With apgr_low and apgr_high.',
    apgr_random: 'That of routing by chance, for comparison.',
    apgr_length: 'That of routing by the length of the question.',
    apgr_gain: 'How much is won over routing by length, with apgr_gain_low and apgr_gain_high.',
    apgr_oracle: 'That of the best routing there is.',
    cpt_50:
      'Least share of the strong model that recovers half of the gap; cpt_80 four fifths, cpt_50_length by length.',
    weak: 'Mean quality of the weak model.',
    strong: 'Mean quality of the strong model.',
    rows: 'Rows scored.',
    excluded: 'Rows left out, since they lack what is scored.',
  },
  example: `scores:
  use: evaluate
  from: topics
  with: { task: clustering, truth: label }`,
  seeded: true,
  check: checkParameters,

  async run({ parameters: given, inputs, outputs: made, context }) {
    const { task } = given;
    const scoring = { parameters: given, inputs, outputs: made, context };
    switch (task) {
      case 'agreement':
        return scoreAgreement(scoring);
      case 'ratings':
        return scorePairings(scoring);
      case 'pass_rate':
        return scorePassRate(scoring);
      case 'calibration':
        return scoreCalibration(scoring);
      case 'cost':
        return scoreCost(scoring);
      case 'routing':
        return scoreRouting(scoring);
      default: {
        const { truth = '', prediction = task === 'clustering' ? 'cluster' : 'predicted' } = given;
        requireFields(inputs.rows, [truth, prediction]);
        const score = task === 'clustering' ? scoreClustering : scoreClassification;
        return score({ ...scoring, parameters: { ...given, truth, prediction } });
      }
    }
  },
});
