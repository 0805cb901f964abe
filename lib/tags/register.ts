import type { EventAnchor } from './anchors.ts';
import { firstOfAll } from './bucket.ts';
import { columnOf, type Feature, featureKey, planFeature } from './features.ts';
import { type EventsReference, type Reference, referenceText } from './leaves.ts';
import { RuleError, type RulePlace } from './rule-error.ts';

const MAX_FEATURES = 600;

export interface Registered {
  readonly text: string;
  readonly reference: Reference;
  readonly index: number;
  /** Where it stands, by tag. */
  readonly places: Map<string | undefined, RulePlace>;
}

/** What all rules read, each thing once, in the order in which it was first met. */
export class Register {
  private readonly byText = new Map<string, Registered>();

  get all(): readonly Registered[] {
    return [...this.byText.values()];
  }

  /** @returns its text, which is its name here */
  add(reference: Reference, place: RulePlace): string {
    const text = referenceText(reference);
    const known = this.byText.get(text) ?? { text, reference, index: this.byText.size, places: new Map() };
    this.byText.set(text, known);
    if (place.source !== undefined && !known.places.has(place.tag)) known.places.set(place.tag, place);
    return text;
  }

  indexOf(text: string): number {
    return this.byText.get(text)?.index ?? -1;
  }

  /** Where it stands in a tag's rule, or in any. */
  placeOf(text: string, tag?: string): RulePlace {
    const places = this.byText.get(text)?.places;
    return places?.get(tag) ?? [...(places?.values() ?? [])][0] ?? { tag };
  }
}

/** One feature for all that is read of the same events. */
export function planFeatures(register: Register, timezone: string): Map<string, Feature> {
  const events = register.all.flatMap(({ text, reference: it }) =>
    it.kind === 'events'
      ? [{ text, reference: it }]
      : it.kind === 'bucket'
        ? [{ text, reference: firstOfAll }]
        : [],
  );
  const groups = Map.groupBy(events, ({ reference }) => featureKey(reference));
  if (groups.size > MAX_FEATURES)
    throw new RuleError('cost', `the rules read more than ${MAX_FEATURES} features`);
  const features = new Map<string, Feature>();
  // What others are anchored on is planned first.
  const isAnchored = ([, [first]]: [string, typeof events]) => Number(first?.reference.anchor !== undefined);
  for (const [key, group] of [...groups].sort((a, b) => isAnchored(a) - isAnchored(b))) {
    const references = group.map(({ reference }) => reference);
    const place = register.placeOf(group[0]?.text ?? '');
    features.set(key, planFeature(references, timezone, place, eventAnchor(references[0], features)));
  }
  if (new Set([...features.values()].map(({ id }) => id)).size < features.size)
    throw new RuleError(
      'name',
      'two features have the same short name: rename a value in one of their conditions',
    );
  return features;
}

function eventAnchor(
  reference: EventsReference | undefined,
  features: ReadonlyMap<string, Feature>,
): EventAnchor | undefined {
  if (reference?.anchor?.of.kind !== 'events') return undefined;
  const { of, side, unit, length } = reference.anchor;
  const feature = features.get(featureKey(of));
  const column = columnOf(of.aggregate, false);
  if (!feature || !column) throw new Error('an anchor was not planned before what stands at it');
  return { side, unit, length, id: feature.id, slot: feature.total?.indexOf(column) ?? -1, nth: of.least };
}
