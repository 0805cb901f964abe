import { z } from 'zod';
import type { Secrets } from '../platform/secrets.ts';
import { type Protector, protector } from './protect.ts';

const identitySecret = z.object({ key: z.string().min(32) });

/** The protector of a brand, from its identity secret. It never changes: another key would know nobody. */
export const identityKey = async (secrets: Secrets, name: string): Promise<Protector> =>
  protector(identitySecret.parse(await secrets.get(name)).key);
