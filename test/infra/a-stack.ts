import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Template } from 'aws-cdk-lib/assertions';
import { BrandStack, type BrandStackProps } from '../../infra/brand-stack.ts';
import { loadBrand } from '../../infra/brands/load.ts';
import { siyuApp, stackName } from '../../infra/synth.ts';

export const functionNames = [
  'access',
  'archive',
  'attribution',
  'capture',
  'erasure',
  'explain',
  'identity',
  'lineage',
  'models',
  'preview',
  'privacy',
  'profile',
  'quarantine',
  'query',
  'requests',
  'rules',
  'sums',
  'survey',
  'sweep',
  'tags',
];

/** A folder of bundles that do nothing: a template does not depend on what is in them. */
export function emptyBundles(names: readonly string[] = functionNames): string {
  const code = mkdtempSync(join(tmpdir(), 'siyu-code-'));
  for (const name of names) {
    mkdirSync(join(code, name));
    writeFileSync(join(code, name, 'index.mjs'), `export const handler = async () => '${name}';\n`);
  }
  return code;
}

export interface Resource {
  readonly Type: string;
  // biome-ignore lint/suspicious/noExplicitAny: a template is whatever CloudFormation takes
  readonly Properties: any;
  readonly DeletionPolicy?: string;
}

/** The stack of a brand, as `cdk synth` makes it, but not asked of CloudFormation's schemas: that takes a second. */
export function aStack(name: string, props: Partial<BrandStackProps> = {}) {
  process.env.CDK_VALIDATION = 'false';
  const { stack, brand } = aBareStack(name, props);
  const template = Template.fromStack(stack);
  const resources: Record<string, Resource> = template.toJSON().Resources;
  const ofType = (type: string) => Object.entries(resources).filter(([, { Type }]) => Type === type);
  return { stack, brand, template, resources, ofType };
}

/** The stack before it is synthesised. */
export function aBareStack(name: string, props: Partial<BrandStackProps> = {}) {
  const brand = loadBrand(name);
  const app = siyuApp(mkdtempSync(join(tmpdir(), 'siyu-out-')));
  const stack = new BrandStack(app, stackName(brand), { brand, code: emptyBundles(), ...props });
  return { app, stack, brand };
}

/** The file in functions/ that a logical id of a function (or of its role, or of its policy) stands for. */
export const functionOf = (id: string): string => /^[A-Z][a-z]+/.exec(id)?.[0].toLowerCase() ?? id;
