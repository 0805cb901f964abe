import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { type Clock, MINUTE } from './clock.ts';

/** Reads a brand's secrets, parsed as JSON. */
export interface Secrets {
  get(name: string): Promise<unknown>;
}

/** Secrets Manager behind a five-minute cache: a rotated secret is in use within that time, and none is fetched per request. */
export function openSecrets(now: Clock, client = new SecretsManagerClient({ maxAttempts: 5 })): Secrets {
  const cache = new Map<string, { value: Promise<unknown>; until: number }>();
  const fetched = async (name: string): Promise<unknown> => {
    const reply = await client.send(new GetSecretValueCommand({ SecretId: name }));
    return JSON.parse(reply.SecretString ?? 'null');
  };
  return {
    get(name) {
      const hit = cache.get(name);
      if (hit && hit.until > now()) return hit.value;
      const value = fetched(name).catch((error) => {
        cache.delete(name);
        throw error;
      });
      cache.set(name, { value, until: now() + 5 * MINUTE });
      return value;
    },
  };
}
