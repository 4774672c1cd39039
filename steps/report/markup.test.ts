import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { clip, count, escapeHtml, figure, html, jsonScript, percent, trusted } from './markup.ts';

describe('html', () => {
  test('escapes what is put in and keeps what is markup', () => {
    const name = `<img src=x onerror="alert('1')">&`;
    expect(html`<p title="${name}">${name}</p>${trusted('<hr>')}${html`<b>${1}</b>`}`.text).toBe(
      '<p title="&lt;img src=x onerror=&quot;alert(&#39;1&#39;)&quot;&gt;&amp;">&lt;img src=x onerror=&quot;alert(&#39;1&#39;)&quot;&gt;&amp;</p><hr><b>1</b>',
    );
  });

  test('leaves out what is nothing and joins lists', () => {
    expect(html`${null}${undefined}${false}${0}${['a', ['<']]}`.text).toBe('0a&lt;');
  });

  test('no text leaves a bracket, a quote or a control character', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const escaped = escapeHtml(text);
        // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters meant
        expect(escaped).not.toMatch(/[<>"'\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/);
        expect(escaped.isWellFormed()).toBe(true);
      }),
    );
    expect(escapeHtml('a\u0000b\u001b[31m\u007f\ud800')).toBe('a\u2400b\u241b[31m\u2421\ufffd');
  });
});

describe('jsonScript', () => {
  test('gives back every value and never ends its element', () => {
    const open = '<script type="application/json" data-x>';
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.string({ unit: 'binary' }), fc.constant('</script><!--'))),
        (value) => {
          const { text } = jsonScript(value, 'data-x');
          const inside = text.slice(open.length, -'</script>'.length);
          expect(inside).not.toMatch(/[<>&\u2028\u2029]/);
          expect(JSON.parse(inside)).toEqual(value);
        },
      ),
    );
  });
});

describe('figures', () => {
  test.each([
    [0, '0'],
    [9996, '9,996'],
    [-1234567, '−1,234,567'],
    [0.775123, '0.775'],
    [12.345, '12.35'],
    [4123.4, '4,123'],
    [0.0001, '1.0e−4'],
    [Number.NaN, 'NaN'],
  ])('%d is %s', (value, text) => expect(figure(value)).toBe(text));

  test('shares and counts', () => {
    expect([percent(0.0352), percent(0), percent(0.0004), percent(Number.NaN)]).toEqual([
      '3.5%',
      '0.0%',
      '<0.1%',
      '–',
    ]);
    expect(count(10003)).toBe('10,003');
  });
});

describe('clip', () => {
  test('cuts at a space and never through a pair', () => {
    expect(clip('short', 10)).toBe('short');
    expect(clip('the quick brown fox', 12)).toBe('the quick…');
    expect(clip('aaaaaaaaaaaaaaaa', 6)).toBe('aaaaa…');
    expect(clip('aaaa😀aaaa', 6)).toBe('aaaa…');
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 1, max: 20 }), (text, length) => {
        expect(clip(text, length).length).toBeLessThanOrEqual(Math.max(length, 2));
        expect(clip(text, length).isWellFormed()).toBe(true);
      }),
    );
  });
});
