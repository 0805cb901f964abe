import { ImportError, type Mapping, type PropertyRule } from './mapping.ts';
import { columnsOf } from './template.ts';

/** Every column that a mapping reads, sums of its groups left out. */
export function columnsNamed({ group, rules }: Mapping): Set<string> {
  const named = new Set<string>();
  const add = (columns: Iterable<string>) => {
    for (const column of columns) named.add(column);
  };
  const addTemplates = (of: Readonly<Record<string, string | undefined>>) => {
    for (const source of Object.values(of)) if (source !== undefined) add(columnsOf(source));
  };
  for (const rule of rules) {
    add(Object.keys(rule.when));
    if (!('type' in rule)) continue;
    if (Array.isArray(rule.id)) add(rule.id);
    add([rule.time.column]);
    for (const { scope, value } of rule.identifiers) addTemplates({ scope, value });
    for (const property of [...Object.values(rule.properties), ...Object.values(rule.traits)])
      add(columnsOfProperty(property));
    const { campaign, ...around } = rule.context;
    addTemplates({ ...around });
    addTemplates({ ...campaign });
  }
  for (const name of Object.keys(group?.sums ?? {})) named.delete(name);
  add(group?.by ?? []);
  add(group?.same ?? []);
  add(Object.values(group?.sums ?? {}).flat());
  return named;
}

function columnsOfProperty(rule: PropertyRule): string[] {
  if (typeof rule === 'string') return columnsOf(rule);
  if (typeof rule !== 'object') return [];
  if ('money' in rule) return [rule.money, ...columnsOf(rule.currency ?? '')];
  if ('integer' in rule) return [rule.integer];
  return 'number' in rule ? [rule.number] : [rule.flag];
}

/** @throws ImportError if the file has not every column that the mapping reads, or one is called as a sum is */
export function checkColumns(mapping: Mapping, header: readonly string[]): void {
  const missing = [...columnsNamed(mapping)].filter((column) => !header.includes(column));
  if (missing.length > 0)
    throw new ImportError(
      `the mapping reads ${missing.join(', ')}, which the file does not have: its columns are ${header.join(', ')}`,
    );
  const both = Object.keys(mapping.group?.sums ?? {}).filter((name) => header.includes(name));
  if (both.length > 0)
    throw new ImportError(
      `the sum ${both.join(', ')} is called like a column of the file: call it otherwise`,
    );
}
