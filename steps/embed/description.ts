/** The doc text of `embed`. */
export const description = `
Gives every row a vector that stands for the meaning (\`onnx\`, \`static\`) or the wording (\`lexical\`) of its text. A row without a text fails
with its reason; an empty text is a text. Equal texts are computed once; vectors are kept in the row cache under the text, the
encoder's files and the parameters that count, so that of 10,000 rows with 7 changed, 7 are computed.

**onnx.** Tokenises with the encoder's own tokenizer, cuts to \`max_tokens\` (the closing special token stays; cut texts are
counted in \`truncated\` and in a warning), runs the network with onnxruntime, pools as the folder's \`1_Pooling/config.json\` says
unless the network gives \`sentence_embedding\` itself, goes through the \`Dense\` layers of \`modules.json\` (safetensors), keeps the first
\`dimensions\` numbers if asked (Matryoshka: Kusupati et al. 2022), and scales to length 1: v / ‖v‖₂.

A text's vector does not depend, to the last bit, on its batch: texts of exactly the same number of tokens go through the
network together, nothing is padded. A network with dynamic quantisation, which scales by batch, gets each text by itself.
Other processors may give other last bits. How many go together follows from their lengths alone (at most 32 texts and 512 tokens, or one
longer text): there is no batch size to find, and memory is bounded. For arithmetic in 8 bits name the file of such an export:
\`model: models/mine/onnx/model_quantized.onnx\`.

| model | languages | dimensions | STS-B test, Spearman | licence |
|---|---|---|---|---|
| all-minilm-l6-v2 | English | 384 | 0.82 | Apache-2.0 |
| use-multilingual-v3 | ar de en es fr it ja ko nl pl pt ru th tr zh | 512 | 0.80 (en), 0.75 (ru) | Apache-2.0 |

Sources: Reimers and Gurevych 2019 (Sentence-BERT); Wang et al. 2020 (MiniLM); Yang et al. 2020 (multilingual USE).

**static.** The mean of the vectors of a text's tokens, which stand in a table (Model2Vec: Tulkens and van Dongen 2024): no network runs, and
a million short texts take about a minute of the processor. The table is the output \`encoder\` of a step [\`train\`](train.md) with \`method: static_embedding\`
(\`from: { rows: queries, model: static }\`, or \`model: run:latest/static\`), or a folder with \`model.safetensors\`, \`tokenizer.json\` and
\`config.json\` as Model2Vec and sentence-transformers save it. Tokens that the vocabulary does not know are left out. A text without any
other has a vector of zeros, is counted in \`without_terms\` and named in a warning: its cosine with every other is 0.

**openai.** Asks a server (\`POST /v1/embeddings\`), up to 128 texts in a request, fewer where the server takes fewer; the model is an alias of \`models\`, with key, price, limits and
retries [as for language models](../models.md):

\`\`\`yaml
models:
  ada: { provider: openai, model: text-embedding-3-small }
steps:
  vectors:
    use: embed
    from: queries
    with: { method: openai, model: ada, dimensions: 512 }
\`\`\`

Vectors are kept as answers are: by text, model and \`dimensions\`, whatever happens to the step, so that a text is paid for once; \`--offline\`
and \`--budget\` hold, and the output \`answers\` has each vector with its tokens and cost. A server may compute a text's vector a little differently
in other company: what it said first stays. A text that it refuses (OpenAI: an empty one) fails its row, not its company.

**lexical.** TF-IDF with scikit-learn's formulas: w(t, d) = (1 + ln tf) · (ln((1 + n) / (1 + df)) + 1), rows scaled to length 1; then
the first \`dimensions\` right singular vectors V of the weights (latent semantic analysis: Deerwester et al. 1990; randomised SVD:
Halko, Martinsson and Tropp 2011), and a text's vector is w · V, scaled to length 1. Terms are n-grams of characters within words
(\`char_wb\`) or of words.

What is learnt is the output \`fit\`: \`lexical.json\`, \`vocabulary.json\` (terms and in how many texts each occurs) and
\`components.npy\` (terms × dimensions). Vectors belong to their fit: when one row changes, a new fit is learnt and all rows are
computed again. To keep old vectors, or to put new rows into the space of old ones, give an earlier fit as input:
\`from: { rows: new_rows, fit: old_vectors.fit }\`; then only new texts are computed, and the parameters of the fit (all that are
marked lexical) do not count.
`;
