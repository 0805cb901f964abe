/** What an endpoint depends on; the environment may set one (`AWS_ENDPOINT_URL_…`). */
interface Asked {
  readonly Endpoint?: string;
  readonly Region?: string;
  readonly UseFIPS?: boolean;
  readonly UseDualStack?: boolean;
}

/**
 * Stands in for the SDK's endpoint rules in bundles: an engine, its rules for each service and a table of all regions,
 * 25 KB in every function, to say `https://sqs.eu-west-1.amazonaws.com`, or in China `…amazonaws.com.cn`.
 *
 * @throws Error for FIPS and dual-stack endpoints and for the isolated partitions: they are not known here
 */
export const plainEndpoint =
  (service: string) =>
  ({ Endpoint, Region, UseFIPS, UseDualStack }: Asked) => {
    if (Endpoint !== undefined) return { url: new URL(Endpoint), properties: {}, headers: {} };
    if (UseFIPS || UseDualStack || !Region || /-iso/.test(Region))
      throw new Error(
        `no endpoint of ${service} is known in ${Region ?? 'no region'} with FIPS or dual stack (infra/plain-endpoint.ts)`,
      );
    const suffix = Region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
    return { url: new URL(`https://${service}.${Region}.${suffix}`), properties: {}, headers: {} };
  };
