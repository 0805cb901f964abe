/**
 * Stands in for `@aws-sdk/middleware-endpoint-discovery` in bundles. Only services that hand out endpoints one account at a
 * time need it; DynamoDB answers at its regional one, and the cache behind the discovery is 9 KB in every function.
 */
export const resolveEndpointDiscoveryConfig = <Config>(config: Config): Config => config;

/** Never on, whatever the environment says. */
export const NODE_ENDPOINT_DISCOVERY_CONFIG_OPTIONS = {
  environmentVariableSelector: () => false,
  configFileSelector: () => false,
  default: false,
};
