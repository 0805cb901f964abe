import { readFileSync } from 'node:fs';
import type { Brand } from './brand.ts';

/** The name of a brand's secret in Secrets Manager. */
export const secretName = (of: Pick<Brand, 'name'>, reference: string): string =>
  `siyu/${of.name}/${reference}`;

/**
 * Reads the brand that was bundled with a function, beside its code: checked when it was bundled, every default filled in.
 * To check it again at each start would take all of the schema along.
 */
export function readBrand(file: string | URL): Brand {
  const brand: Brand = JSON.parse(readFileSync(file, 'utf8'));
  return brand;
}
