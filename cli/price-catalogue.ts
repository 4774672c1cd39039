import { join } from 'node:path';
import type { Workspace } from '../engine/workspace.ts';
import { type Catalogue, catalogueOf } from '../models/language/catalogue.ts';
import { entriesOf, readRefreshed } from '../models/language/refreshed-catalogue.ts';

/** Where the catalogue is kept that `models refresh` fetched. */
export function catalogueFile({ store }: Pick<Workspace, 'store'>): string {
  return join(store.folder, 'cache', 'prices.json');
}

/** Prices and sizes of hosted models: those that were fetched, else those that come with the product. */
export function readCatalogue(workspace: Pick<Workspace, 'store'>): Catalogue {
  return catalogueOf(entriesOf(readRefreshed(catalogueFile(workspace))));
}
