// What `cdk` runs: -c brand=NAME for a brand of infra/brands, or -c brandFile=FILE.json for any other.
import { BrandError, brandNames, loadBrand, parseBrandFile } from './brands/load.ts';
import { addBrand, siyuApp } from './synth.ts';

const app = siyuApp();
const name: unknown = app.node.tryGetContext('brand');
const file: unknown = app.node.tryGetContext('brandFile');
try {
  if (typeof file === 'string') await addBrand(app, parseBrandFile(file));
  else if (typeof name === 'string') await addBrand(app, loadBrand(name));
  else
    throw new BrandError(`say which brand: -c brand=${brandNames().join(' | ')}, or -c brandFile=FILE.json`);
  app.synth();
} catch (error) {
  if (!(error instanceof BrandError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
