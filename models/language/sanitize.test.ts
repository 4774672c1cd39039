import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Dirt, sanitized } from './sanitize.ts';

/** What comes of a dirty generation. */
const cases: [string, string][] = [
  ['plain text', 'plain text'],
  ['', ''],
  // Thinking aloud, in all its marks.
  ['<think>hm</think>yes', 'yes'],
  ['<THINK>\nhm\n</THINK>\n\nyes', 'yes'],
  ['<think>one</think> <reasoning>two</reasoning>\nyes', 'yes'],
  ['<think>a <think>b</think> c</think>d', 'd'],
  ['<think>hm</thinking>yes', 'yes'],
  ['<think>a</think></think>yes', 'yes'],
  ['<think/>yes', 'yes'],
  ['<think type="deep">hm</think>yes', 'yes'],
  ['< think >hm</ think >yes', 'yes'],
  ['◁think▷hm◁/think▷yes', 'yes'],
  ['<thought>hm</thought><reflection>ah</reflection>yes', 'yes'],
  ['thinking without a beginning\n</think>\n\nyes', 'yes'],
  ['thinking without <reasoning>\n</think>\nyes', 'yes'],
  ['<think>думаю</think>да', 'да'],
  ['<think>思考中</think>答案是四十二。', '答案是四十二。'],
  ['<think>أفكر</think>نعم', 'نعم'],
  ['<think>{"label": 1}</think>{"label": 2}', '{"label": 2}'],
  // Tools that there are not.
  ['<tool_call>{"name":"x"}</tool_call>done', 'done'],
  ['<think>a</think><function_call>{"a":1}</function_call>\nyes', 'yes'],
  // Marks of chat templates.
  ['<|im_start|>assistant\nyes<|im_end|>', 'yes'],
  ['yes<|im_end|>\n<|im_start|>user\nAnd now?<|im_end|>\n<|im_start|>assistant\nno', 'yes'],
  ['<|start_header_id|>assistant<|end_header_id|>\n\nyes<|eot_id|>', 'yes'],
  ['<start_of_turn>model\nyes<end_of_turn>', 'yes'],
  ['yes</s><s>[INST] more? [/INST] no', 'yes'],
  ['<|assistant|>\n<think>hm</think>yes<|endoftext|>', 'yes'],
  ['yes<|eot_id|><|end_of_text|>', 'yes'],
  [
    '<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>yes<|return|>',
    'yes',
  ],
  // Characters.
  ['\ufeffyes', 'yes'],
  ['ye\u0000s\u0007, \u001b[1mbold', 'yes, [1mbold'],
  ['a\tb\r\nc', 'a\tb\r\nc'],
  // What only looks alike is part of the answer.
  ['a <think>one</think> b', 'a <think>one</think> b'],
  ['Put it between `<think>` and `</think>`.', 'Put it between `<think>` and `</think>`.'],
  ['{"code":"<think>x</think>"}', '{"code":"<think>x</think>"}'],
  ['The mark </think> ends it.', 'The mark </think> ends it.'],
  ['They write:\n<think>\nreasons\n</think>\nbefore.', 'They write:\n<think>\nreasons\n</think>\nbefore.'],
  ['First\n<THINK>\na\n</think>\nThen', 'First\n<THINK>\na\n</think>\nThen'],
  ['<think>a</think>Then write\n</think>\nalone.', 'Then write\n</think>\nalone.'],
  ['yes <think>but then', 'yes <think>but then'],
  ['1 < 2 and <b>bold</b>', '1 < 2 and <b>bold</b>'],
  ['<thinker>Rodin</thinker>', '<thinker>Rodin</thinker>'],
  ['A turn ends with <|im_end|> in ChatML.', 'A turn ends with <|im_end|> in ChatML.'],
  ['```\nhi<|im_end|>\n<|im_start|>user\n```', '```\nhi<|im_end|>\n<|im_start|>user\n```'],
  ['<s>struck</s> out', '<s>struck</s> out'],
  ['User: and now?\nAssistant: no', 'User: and now?\nAssistant: no'],
];

const rejected: [string, Dirt][] = [
  ['<think>never ends', 'unfinished'],
  ['<think>a</think><think>b', 'unfinished'],
  ['<think>a <think>b</think> c', 'unfinished'],
  ['<think>думаю и думаю', 'unfinished'],
  ['<tool_call>\n{"name":"x"}\n', 'unfinished'],
  ['<|channel|>analysis<|message|>hm', 'unfinished'],
  ['<|im_start|>user\nWhat is it?<|im_end|>\n<|im_start|>assistant\nyes', 'foreign-turn'],
  ['<|start_header_id|>system<|end_header_id|>\n\nYou are', 'foreign-turn'],
  ['<|im_start|>assistant\n<|im_start|>tool\n{}', 'foreign-turn'],
  ['na\ufffdve', 'broken-characters'],
  ['half a pair \ud83d', 'broken-characters'],
];

describe('dirty generations', () => {
  it.each(cases)('%j gives %j', (raw, text) => expect(sanitized(raw)).toEqual({ text }));
  it.each(rejected)('%j is rejected: %s', (raw, dirt) => expect(sanitized(raw)).toEqual({ dirt }));

  it('characters that were broken in the question may be repeated', () => {
    expect(sanitized('na\ufffdve', 'Translate: na\ufffdve')).toEqual({ text: 'na\ufffdve' });
  });

  it('what is clean stays as it is; marks around it go', () => {
    const words = fc
      .array(fc.constantFrom('yes', 'да', '答', '<b>', '{', '"', '`', '\n', ' ', '.'))
      .map((list) => list.join(''));
    fc.assert(
      fc.property(words, words, (text, thought) => {
        const clean = text.trim();
        expect(sanitized(text)).toEqual({ text: clean });
        expect(sanitized(`<|im_start|>assistant\n<think>${thought}</think>${text}<|im_end|>`)).toEqual({
          text: clean,
        });
      }),
    );
  });

  it('takes a long text in one go', () => {
    const long = '<think>'.repeat(20_000) + '</s>'.repeat(20_000) + ' <'.repeat(100_000);
    const started = performance.now();
    sanitized(long);
    sanitized(`yes ${long}`);
    expect(performance.now() - started).toBeLessThan(1000);
  });
});
