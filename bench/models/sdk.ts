/** The floor: the bare SDK with p-queue, which records nothing. node bench/models/sdk.ts <base_url> <calls> <at once> */
import OpenAI from 'openai';
import PQueue from 'p-queue';

const [baseURL, calls, concurrency] = process.argv.slice(2);
const client = new OpenAI({ apiKey: 'none', baseURL: baseURL! });
const queue = new PQueue({ concurrency: Number(concurrency) });
await queue.addAll(
  Array.from({ length: Number(calls) }, (_, index) => async () => {
    const answer = await client.chat.completions.create({
      model: 'small',
      messages: [{ role: 'user', content: `text number ${index} of many` }],
    });
    return answer.choices[0]!.message.content;
  }),
);
