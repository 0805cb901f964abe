// Scope: whatever is collected or kept has a class and a purpose; the page says what the code says.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { brandNames, loadBrand } from '../../infra/brands/load.ts';
import { known, namesInMapping, sampledEvents, sampledOrigins } from '../../infra/data-map-known.ts';
import { dataMapPage } from '../../infra/data-map-page.ts';
import { standardType } from '../../lib/events/standard.ts';
import { classOf, traitClasses } from '../../lib/privacy/classes.ts';
import { columns, csvOf, dataMap, type Known } from '../../lib/privacy/data-map.ts';
import { queueClasses, rowClasses } from '../../lib/privacy/data-map-rows.ts';
import { openChannels, origins } from '../../lib/privacy/lineage-origins.ts';
import { hasShared, sharedText, without } from '../channels/captured.ts';

const demo = loadBrand('demo');
const all = known(demo);
const mapOf = (over: Partial<Known>) => dataMap({ ...all, ...over }, demo);

test.each(brandNames())('all that %s collects and keeps has a class and a purpose', (name) => {
  const brand = loadBrand(name);
  const { unclassified, unused } = dataMap(known(brand), brand);
  expect(unclassified, 'give it a line in lib/privacy/classes.ts or data-map-rows.ts').toEqual([]);
  expect(unused, 'nobody knows it any more: take its line away').toEqual([]);
});

describe('what nobody has classified is named', () => {
  const more = (names: ReadonlyMap<string, readonly string[]>) => new Map([...names, ['shoe_size', []]]);
  test.each([
    ['property', { properties: more(all.properties) }],
    ['trait', { traits: more(all.traits) }],
    ['identifier', { identifiers: more(all.identifiers) }],
    ['envelope', { envelope: [...all.envelope, 'shoe_size'] }],
    ['row', { rows: [...all.rows, 'shoe_size'] }],
    ['queue', { queues: [...all.queues, 'shoe_size'] }],
  ])('a new %s', (family, over) => {
    expect(mapOf(over).unclassified).toEqual([`${family} shoe_size`]);
  });

  test('unless the brand says what it is', () => {
    const brand = { ...demo, privacy: { ...demo.privacy, fields: { shoe_size: 'personal analyse' } } };
    const { unclassified, fields } = dataMap({ ...all, traits: more(all.traits) }, brand);
    expect(unclassified).toEqual([]);
    expect(fields.find(({ name }) => name === 'shoe_size')).toMatchObject({
      family: 'trait',
      is: { class: 'personal', purpose: 'analyse' },
      shown: ['operator', 'admin', 'privacy'],
    });
    expect(dataMap(all, brand).unused).toContain('field of the brand shoe_size');
  });
});

test('what channels give is found in their code also where no sample shows it', () => {
  const code = `
    const given = present({ shoe_size: textOf(it, 'x'), nested: { inner: 1 }, ...more, is_wide });
    return one('lead_submitted', { lead_id: id, hue: [a, b] });
    return { type: 'x', properties: { last: \`\${a}, b: c\` }, other: 1 };`;
  expect(namesInMapping(code)).toEqual(['shoe_size', 'nested', 'is_wide', 'lead_id', 'hue', 'last']);
  expect(all.properties.has('open_kfid')).toBe(true); // fetched, so in no sample
  expect(all.traits.has('wecom_remark')).toBe(true);
});

test('a class is one of those there are, with its kind where it is sensitive', () => {
  expect(classOf('sensitive:health personalise')).toEqual({
    class: 'sensitive',
    kind: 'health',
    purpose: 'personalise',
  });
  for (const text of [
    '',
    'internal',
    'secret analyse',
    'internal fun',
    'sensitive analyse',
    'public:health analyse',
  ])
    expect(() => classOf(text), text).toThrow('write a class');
});

test('what PIPL calls sensitive is called so', () => {
  const kindOf = (name: string) => traitClasses.get(name)?.kind;
  expect([kindOf('skin_type'), kindOf('assets'), kindOf('second_child_birthday')]).toEqual([
    'health',
    'financial',
    'minor',
  ]);
});

test('the page is as `npm run data-map` writes it', () => {
  const page = readFileSync(new URL('../../docs/data-map.md', import.meta.url), 'utf8');
  expect(page).toBe(dataMapPage(dataMap(all, demo), demo));
});

test('the CSV has a line for each field and place, and each line every column', () => {
  const map = dataMap(all, demo);
  const lines = csvOf(map).trimEnd().split('\r\n');
  expect(lines).toHaveLength(1 + map.fields.length + map.places.length);
  expect(lines[0]).toBe(columns.join(','));
  expect(lines.find((line) => line.startsWith('identifier,phone,'))).toMatch(
    /^identifier,phone,personal,recognise,.*,privacy$/,
  );
});

test('where types come from is as the samples show', () => {
  const sampled = Object.entries(sampledOrigins()).flatMap(([type, channels]) => {
    const mapped = Object.entries(channels).filter(([channel]) => !openChannels.has(channel));
    return mapped.length > 0 ? [[type, Object.fromEntries(mapped)]] : [];
  });
  expect(origins, '`npm run data-map -- --origins` prints them').toEqual(Object.fromEntries(sampled));
  const custom = sampledEvents().filter(({ type }) => !standardType(type));
  expect(custom.filter(({ source }) => !openChannels.has(source.channel)).map(({ type }) => type)).toEqual(
    [],
  );
});

test.skipIf(!hasShared)(`every published type’s required properties are in the map${without}`, () => {
  const { events } = JSON.parse(sharedText('canonical-events.json'));
  const required: string[] = events.flatMap((it: { required: string[] }) => it.required);
  const mapped = new Set(dataMap(all, demo).fields.map(({ name }) => name));
  expect(required.length).toBeGreaterThan(50);
  expect(required.filter((name) => !mapped.has(name))).toEqual([]);
});

test('nothing that holds something of a customer ends later, by TTL, than three years', () => {
  for (const [name, { kept, holds }] of [...rowClasses, ...queueClasses]) {
    const isOfSomebody = holds.some((it) => it !== 'none');
    if (isOfSomebody && typeof kept === 'number') expect(kept, name).toBeLessThanOrEqual(1_095);
  }
});

test('for how long events are kept is said by purpose and type', () => {
  const told = (events: { days?: number; orders?: number; types?: Record<string, number> }) => {
    const brand = {
      ...demo,
      retention: { ...demo.retention, events: { days: 1_095, orders: 1_095, types: {}, ...events } },
    };
    return dataMap(all, brand).places.find(({ name }) => name === 'segment')?.days;
  };
  expect(told({})).toBe('1095 days');
  expect(told({ days: 30, types: { page_viewed: 7, menu_clicked: 90 } })).toBe(
    '30 days (orders and refunds 1095, menu_clicked 90, page_viewed 7)',
  );
});
