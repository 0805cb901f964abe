// npm run data-map: every field that is collected, its class, purpose and whereabouts, as a page or as CSV.
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { csvOf, dataMap } from '../lib/privacy/data-map.ts';
import { loadBrand } from './brands/load.ts';
import { known, sampledOrigins } from './data-map-known.ts';
import { dataMapPage } from './data-map-page.ts';

const HELP = `npm run data-map -- [options]

  Writes docs/data-map.md. Ends with 1 if there is a field, identifier, trait, row or queue that has no class.

    --brand NAME   whose rules and own fields                        [demo]
    --csv          prints CSV for this brand, and writes no page
    --origins      prints which channel gives which property of which type, by the samples
`;

function main(): number {
  const { values } = parseArgs({
    options: {
      brand: { type: 'string', default: 'demo' },
      csv: { type: 'boolean', default: false },
      origins: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  if (values.origins) {
    process.stdout.write(`${JSON.stringify(sampledOrigins(), undefined, 2)}\n`);
    return 0;
  }
  const brand = loadBrand(values.brand);
  const map = dataMap(known(brand), brand);
  if (values.csv) process.stdout.write(csvOf(map));
  else writeFileSync(new URL('../docs/data-map.md', import.meta.url), dataMapPage(map, brand));
  for (const it of map.unclassified) process.stderr.write(`no class: ${it}\n`);
  return map.unclassified.length > 0 ? 1 : 0;
}

try {
  process.exitCode = main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 2;
}
