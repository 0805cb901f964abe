import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { checkChannels } from '../../lib/channels/registry.ts';
import { type Brand, brand } from '../../lib/platform/brand.ts';
import { RuleError } from '../../lib/tags/rule-error.ts';
import { compileRules } from '../../lib/tags/rulebook.ts';
import { valuePlan } from '../../lib/tags/value.ts';
import { defaultValue } from '../../lib/tags/value-default.ts';
import { demo } from './demo.ts';
import { demoEdu } from './demo-edu.ts';
import { type BrandFile, withLibrary } from './library.ts';
import { checkSecretNames } from './secret-names.ts';

/** The brands that can be deployed by name. A new one is a file beside this one, and a line here. */
const brands = {
  demo,
  'demo-edu': demoEdu,
} satisfies Record<string, BrandFile>;

/** A brand that cannot be deployed: the message names the place, what is wrong with it and what would be right. */
export class BrandError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'BrandError';
  }
}

export const brandNames = (): string[] => Object.keys(brands);

/** @throws BrandError if there is no brand of that name, or it is not valid */
export function loadBrand(name: string): Brand {
  const found = Object.entries(brands).find(([known]) => known === name);
  if (!found) throw new BrandError(`no brand "${name}": infra/brands knows ${brandNames().join(', ')}`);
  return checkBrand(found[1], `infra/brands/${name}.ts`);
}

/** Reads a brand from a JSON file. @throws BrandError if it cannot be read, is not JSON, or is not a valid brand */
export function parseBrandFile(path: string): Brand {
  let input: unknown;
  try {
    input = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new BrandError(`${path}: ${error instanceof Error ? error.message : error}`);
  }
  return checkBrand(input, path);
}

/**
 * A brand of which everything has been checked that can be checked without deploying it: its form, its channels'
 * settings, the names of its secrets, and its rules and values, which are compiled. What it leaves unsaid of its
 * customers' value is the default's.
 *
 * @param from where it was written, for the message
 * @throws BrandError
 */
export function checkBrand(input: unknown, from: string): Brand {
  const parsed = brand.safeParse(expanded(input, from));
  if (!parsed.success)
    throw new BrandError(`${from} is not a valid brand:\n${z.prettifyError(parsed.error)}`);
  const whole = { ...parsed.data, value: { ...defaultValue, ...parsed.data.value } };
  try {
    checkChannels(whole);
    checkSecretNames(whole);
    checkRules(whole);
  } catch (error) {
    throw new BrandError(`${from}: ${error instanceof Error ? error.message : error}`);
  }
  return whole;
}

function expanded(input: unknown, from: string): unknown {
  try {
    return withLibrary(input);
  } catch (error) {
    throw new BrandError(`${from}: ${error instanceof Error ? error.message : error}`);
  }
}

function checkRules(brand: Brand): void {
  naming('value', () => valuePlan(brand));
  naming('rule', () =>
    compileRules(
      brand.rules.map((rule) => ({ ...rule, version: 1 })),
      brand,
    ),
  );
}

function naming(what: string, check: () => unknown): void {
  try {
    check();
  } catch (error) {
    if (!(error instanceof RuleError)) throw error;
    throw new Error(`${what} ${error.tag ?? ''}: ${error.message}\n${error.caret}`);
  }
}
