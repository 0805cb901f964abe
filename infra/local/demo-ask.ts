// What the demo asks of the brand, through its HTTP API like anybody else.
import { z } from 'zod';
import { type Report, reportAnswer } from '../../lib/attribution/report.ts';
import { type ConversionAnswer, conversionAnswer } from '../../lib/attribution/view.ts';
import { identifier } from '../../lib/events/event.ts';
import type { Run } from './brand-run.ts';

const tagsAnswer = z.object({
  tags: z.array(
    z.object({
      tag: z.string(),
      name: z.object({ zh: z.string(), en: z.string() }).optional(),
      profiles: z.int(),
      values: z.record(z.string(), z.int()).optional(),
    }),
  ),
});
const membersAnswer = z.object({
  profiles: z.array(z.object({ profile: z.string(), identifiers: z.array(identifier) })),
});
const explainAnswer = z.object({
  tag: z.string(),
  version: z.int(),
  rule: z.string(),
  value: z.union([z.boolean(), z.string()]),
  leaves: z.array(
    z.object({
      text: z.string(),
      value: z.json(),
      window: z.object({ from: z.string(), to: z.string() }).optional(),
    }),
  ),
  since: z.string().nullable(),
  nextChangeAt: z.string().optional(),
  events: z.array(z.object({ type: z.string(), occurredAt: z.string() })),
});
export type Explained = z.infer<typeof explainAnswer>;
const conversionsAnswer = z.object({ conversions: z.array(conversionAnswer) });
const digestAnswer = z.object({ profiles: z.int(), events: z.int(), digest: z.string() });
const ledgerAnswer = z.object({
  total: z.object({
    dollars: z.object({
      http: z.number(),
      lambda: z.number(),
      sqs: z.number(),
      dynamodb: z.number(),
      total: z.number(),
    }),
  }),
});
const quarantineAnswer = z.object({
  items: z.array(z.object({ id: z.string(), reason: z.string(), message: z.string() })),
  next: z.string().optional(),
});

/** Somebody who can be asked about: the path of the profile by an identifier that an admin may read. */
export interface Somebody {
  readonly profile: string;
  readonly name: string;
  readonly path: string;
}

/** The questions, with the run's admin key. Each throws on an answer that is none. */
export function openAsker({ url, keys }: Pick<Run, 'url' | 'keys'>) {
  const ask = async <T>(path: string, schema: z.ZodType<T>): Promise<T> => {
    const headers = { authorization: `Bearer ${keys.admin}`, 'x-reason': 'the demo shows what it made' };
    const reply = await fetch(`${url}${path}`, { headers });
    if (!reply.ok) throw new Error(`GET ${path} was answered ${reply.status}: ${await reply.text()}`);
    return schema.parse(await reply.json());
  };
  const members = async (tag: string, limit: number): Promise<Somebody[]> => {
    const { profiles } = await ask(`/tags/${tag}/profiles?limit=${limit}`, membersAnswer);
    return profiles.flatMap(({ profile, identifiers }) => {
      const readable = identifiers.find(({ value }) => !value.includes('***'));
      if (!readable) return [];
      const { kind, scope, value } = readable;
      const path = `/profiles/${kind}/${encodeURIComponent(value)}`;
      return [
        { profile, name: `${kind} ${value}`, path: kind === 'member_id' ? path : `${path}?scope=${scope}` },
      ];
    });
  };
  /** `what` below a person's path, before its query. */
  const below = ({ path }: Somebody, what: string) => path.replace(/(\?|$)/, `/${what}$1`);
  return {
    tags: async () => (await ask('/tags', tagsAnswer)).tags,
    members,
    below,
    explain: (who: Somebody, tag: string): Promise<Explained> =>
      ask(below(who, `tags/${tag}/explain`), explainAnswer),
    conversions: async (who: Somebody): Promise<ConversionAnswer[]> =>
      (await ask(below(who, 'conversions'), conversionsAnswer)).conversions,
    attribution: (model: string, from: string, to: string): Promise<Report> =>
      ask(`/attribution?${new URLSearchParams({ model, from, to, by: 'channel' })}`, reportAnswer),
    quarantine: () => ask('/quarantine?limit=100', quarantineAnswer),
    digest: () => ask('/_local/digest', digestAnswer),
    ledger: async (reset = false) =>
      (await ask(`/_local/ledger${reset ? '?reset=1' : ''}`, ledgerAnswer)).total.dollars,
    idle: () => ask('/_local/idle?timeout=120', z.looseObject({ idle: z.literal(true) })),
  };
}
export type Asker = ReturnType<typeof openAsker>;
