import type { JsonObject } from '../../engine/json.ts';
import { editDistance } from '../../engine/nearest.ts';
import type { Catalogue } from './catalogue.ts';
import { isOwnServer } from './settings.ts';

/** A fine-tuned model (`ft:gpt-4.1-mini-2025-04-14:acme::x1`) is known by the one that it was made from. */
const tuned = /^ft:([^:]+):.*$/;
/** Letters in which a slip may differ from what was meant. */
const slip = 2;

/**
 * The models that the catalogue has of a provider, where the provider's own servers answer an entry of `models` and will not
 * know its model: it is in no catalogue that was fetched; or, since the one that comes with the product grows old, it is a
 * slip of a name there, in letters and not in numbers, or another provider's. Null where they may know it, where the entry
 * says its price, and for OpenRouter, of which catalogues list a part. The entry may be wrong in other ways.
 */
export function otherModels(
  { provider, model, base_url: address, price }: JsonObject,
  catalogueNow: () => Catalogue,
): readonly string[] | null {
  if (provider !== 'openai' && provider !== 'anthropic') return null;
  if (typeof model !== 'string' || price !== undefined) return null;
  if (address !== undefined && !(typeof address === 'string' && isOwnServer(provider, address))) return null;
  const catalogue = catalogueNow();
  const name = model.replace(tuned, '$1');
  if (catalogue.find(provider, name) !== undefined) return null;
  const names = catalogue.all.flatMap((listed) => (listed.provider === provider ? [listed.model] : []));
  const wrong =
    catalogue.fetched.has(provider) ||
    names.some((known) => isSlip(name, known)) ||
    catalogue.all.some((listed) => listed.model === name);
  return wrong ? names : null;
}

/** Other numbers are another version, which may be newer than the catalogue. */
function isSlip(name: string, meant: string): boolean {
  const numbers = (text: string) => text.replaceAll(/\D/g, '');
  return numbers(name) === numbers(meant) && editDistance(name.toLowerCase(), meant, slip) <= slip;
}
