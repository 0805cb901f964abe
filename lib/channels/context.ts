import type { DraftContext } from '../events/draft.ts';
import type { Json } from '../events/event.ts';
import { isRecord } from './json.ts';

/** One object of a message. */
export type Fields = Readonly<Record<string, Json>>;

/** The field as a non-empty string; a number as its digits; anything else is nothing. */
export function textOf(fields: Fields, ...names: readonly string[]): string | undefined {
  for (const name of names) {
    const value = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (typeof value === 'string' && value !== '') return value;
    if (typeof value === 'number') return String(value);
  }
  return undefined;
}

export function fieldsOf(fields: Fields, name: string): Record<string, Json> {
  const value = Object.hasOwn(fields, name) ? fields[name] : undefined;
  return isRecord(value) ? value : {};
}

/**
 * A campaign in the words that senders use: `{source, medium, campaign|name, term, content, channel}`, as an object
 * (`utm`, `campaign`) or as `utm_…` fields.
 */
export function campaignOf(utm: Fields): DraftContext['campaign'] {
  const campaign = {
    channel: textOf(utm, 'channel'),
    source: textOf(utm, 'source', 'utm_source'),
    medium: textOf(utm, 'medium', 'utm_medium'),
    name: textOf(utm, 'name', 'campaign', 'utm_campaign'),
    term: textOf(utm, 'term', 'utm_term'),
    content: textOf(utm, 'content', 'utm_content'),
  };
  return Object.values(campaign).some((part) => part !== undefined) ? campaign : undefined;
}

/** The UTM parameters of a page's address; nothing for what is no address. */
export function campaignOfUrl(url: string | undefined): DraftContext['campaign'] {
  const query = url?.split('#')[0]?.split('?')[1];
  if (!query?.includes('utm_')) return undefined;
  const fields: Record<string, Json> = {};
  for (const [name, value] of new URLSearchParams(query)) if (name.startsWith('utm_')) fields[name] ??= value;
  return campaignOf(fields);
}
