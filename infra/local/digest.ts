// npm run digest -- --url URL: the digest of a running brand's table.
import { parseArgs } from 'node:util';
import { z } from 'zod';

const reply = z.looseObject({ digest: z.string() });

/** The digest as the run at `url` gives it. @throws if nobody answers there, or not with a digest */
export async function digestAt(url: string): Promise<z.infer<typeof reply>> {
  const answer = await fetch(new URL('/_local/digest', url));
  if (!answer.ok) throw new Error(`${url}/_local/digest answers ${answer.status}: ${await answer.text()}`);
  return reply.parse(await answer.json());
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: { url: { type: 'string', default: `http://127.0.0.1:${process.env.PORT ?? 4510}` } },
  });
  try {
    const { digest, ...counts } = await digestAt(values.url);
    process.stdout.write(`${digest}\n`);
    process.stderr.write(`${JSON.stringify(counts)}\n`);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
    process.exit(1);
  }
}
