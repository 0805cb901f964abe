import type { Json } from '../events/event.ts';
import { fieldsOf } from './context.ts';

/** Events that are views of a page or a screen. */
export const pages: ReadonlySet<string> = new Set(['$pageview', '$screen']);

/** What the SDK tells of itself, and no customer did. */
export const silent: ReadonlySet<string> = new Set([
  '$feature_flag_called',
  '$snapshot',
  '$snapshot_items',
  '$performance_event',
  '$web_vitals',
  '$exception',
  '$$heatmap',
  '$$client_ingestion_warning',
  '$opt_in',
]);

/** Properties that the SDK adds and that say something of the deed, by the name that they have here. */
export const kept: Readonly<Record<string, string>> = {
  $event_type: 'event_type',
  $el_text: 'el_text',
  $screen_name: 'screen',
  $prev_pageview_duration: 'prev_pageview_duration',
  $prev_pageview_pathname: 'prev_pageview_pathname',
  $revenue: 'revenue',
};

/**
 * What `$set` or `$set_once` says, which may stand beside the properties or among them. Names that begin with `$` are
 * the SDK's own; of those only what was first seen (`$initial_…`) is of the customer.
 */
export function traitsOf(
  event: Readonly<Record<string, Json>>,
  properties: Readonly<Record<string, Json>>,
  word: '$set' | '$set_once',
): Record<string, Json> {
  const given = { ...fieldsOf(properties, word), ...fieldsOf(event, word) };
  return Object.fromEntries(
    Object.entries(given).flatMap(([name, value]): [string, Json][] => {
      if (name.startsWith('$initial_')) return value === null ? [] : [[name.slice(1), value]];
      return name.startsWith('$') ? [] : [[name, value]];
    }),
  );
}
