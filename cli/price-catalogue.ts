import { join } from 'node:path';
import { type Catalogue, catalogueOf } from '../models/language/catalogue.ts';
import { entriesOf, readRefreshed } from '../models/language/refreshed-catalogue.ts';

/** A workspace, or what is known of it before it is open: the store's folder. */
type OfStore = { readonly store: { readonly folder: string } };

/** Where the catalogue is kept that `models refresh` fetched. */
export function catalogueFile({ store }: OfStore): string {
  return join(store.folder, 'cache', 'prices.json');
}

/** Prices and sizes of hosted models: those that were fetched, else those that come with the product. */
export function readCatalogue(workspace: OfStore): Catalogue {
  return catalogueOf(entriesOf(readRefreshed(catalogueFile(workspace))));
}
