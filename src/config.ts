import type { ErrorObject, ValidateFunction } from 'ajv';
import { isPrivateAddress } from './amplitude/address-policy';
import { parseBaseUrl, regionUrl, type Region } from './amplitude/regions';
import type { Environment } from './environment';
import { ConnectorFailure } from './failure';
import type { StreamSettings } from './streams/stream';
import { dayIn } from './time/days';
import { parseInstant, type Instant } from './time/instant';

const DAY_MS = 86_400_000;
/** Sling's anchor date. */
const DEFAULT_START = 'P1Y';

/**
 * Amplitude's keys have 32 characters. What is much longer was pasted by mistake, and the search for it in every message would
 * take seconds, or, from about 2,000 characters on, exceed what a regular expression can hold.
 */
const LONGEST_SECRET = 256;

export interface Config {
  readonly apiKey: string;
  readonly secretKey: string;
  readonly region: Region;
  /** The region's host, or the `base_url` in its place. */
  readonly baseUrl: URL;
  readonly hasOwnBaseUrl: boolean;
  readonly settings: StreamSettings;
  /** What a user should know although the configuration is valid. */
  readonly warnings: readonly string[];
}

interface Property {
  readonly title?: string;
  readonly default?: unknown;
  readonly airbyte_secret?: boolean;
  readonly enum?: readonly unknown[];
  readonly pattern_descriptor?: string;
  readonly minimum?: number;
  readonly maximum?: number;
}

/** The part of the connector's specification that validation works from. */
export interface ConfigSchema {
  readonly required: readonly string[];
  readonly properties: Readonly<Record<string, Property>>;
}

type Values = Record<string, unknown>;

/**
 * Every text of the configuration that must never be shown, also of one that is not valid; as it is sent, so trimmed. Without
 * those that are too long: a configuration with one is refused before anything is sent, in words that quote no value.
 */
export function secretsOf(raw: unknown, schema: ConfigSchema): string[] {
  if (typeof raw !== 'object' || raw === null) return [];
  const isText = (value: unknown): value is string => typeof value === 'string' && value.trim() !== '';
  return secretKeys(schema)
    .map((key) => (raw as Values)[key])
    .filter(isText)
    .map((text) => text.trim())
    .filter((text) => text.length <= LONGEST_SECRET);
}

function secretKeys(schema: ConfigSchema): string[] {
  return Object.keys(schema.properties).filter((key) => schema.properties[key]?.airbyte_secret === true);
}

/**
 * Validates a configuration against the specification and turns it into what the connector works with.
 * @throws ConnectorFailure (config) that names every field that is wrong, and never a value of a secret; (system) when it
 *   is no JSON object at all.
 */
export function parseConfig(
  raw: unknown,
  schema: ConfigSchema,
  environment: Environment,
  nowMs: number,
): Config {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) {
    throw new ConnectorFailure('system', 'Config validation error: the configuration is not a JSON object.');
  }
  const values = withDefaults(raw as Values, schema);
  const problems = findProblems(values, schema);
  if (problems.length > 0) throw invalid(problems.join(' '));
  const { settings, warnings } = readSettings(values, schema, nowMs);
  const region = values['data_region'] as Region;
  const ownUrl = values['base_url'] as string | undefined;
  const baseUrl = ownUrl === undefined ? regionUrl(region) : parseBaseUrl(ownUrl, environment);
  return {
    apiKey: values['api_key'] as string,
    secretKey: values['secret_key'] as string,
    region,
    baseUrl,
    hasOwnBaseUrl: ownUrl !== undefined,
    settings,
    warnings: [...warnings, ...warnOfPlainHttp(baseUrl)],
  };
}

function warnOfPlainHttp(url: URL): string[] {
  if (url.protocol === 'https:') return [];
  const reach = isPrivateAddress(url.hostname.replace(/^\[|\]$/g, '')) ? 'a private address' : 'a local host';
  return [`Base URL (base_url) is plain http to ${reach}: the keys are sent unencrypted.`];
}

/** Nulls and empty strings stand for "left out", as the platform's forms send them; `_…` keys are Airbyte's own. */
function withDefaults(raw: Values, schema: ConfigSchema): Values {
  const values: Values = {};
  for (const [key, value] of Object.entries(raw)) {
    const isBlank = value === null || (typeof value === 'string' && value.trim() === '');
    if (key.startsWith('_') || (isBlank && !schema.required.includes(key))) continue;
    values[key] = typeof value === 'string' ? value.trim() : value;
  }
  for (const [key, property] of Object.entries(schema.properties)) {
    if (!(key in values) && property.default !== undefined) values[key] = property.default;
  }
  return values;
}

function findProblems(values: Values, schema: ConfigSchema): string[] {
  const blank = schema.required.filter((key) => values[key] === '' || values[key] === null);
  if (blank.length > 0) return blank.map((key) => `${nameField(key, schema)} must not be blank.`);
  const isLong = (value: unknown): boolean => typeof value === 'string' && value.length > LONGEST_SECRET;
  const long = secretKeys(schema).filter((key) => isLong(values[key]));
  if (long.length > 0)
    return long.map((key) => `${nameField(key, schema)} is longer than ${LONGEST_SECRET} characters.`);
  // Written by the build from the specification; the path is the same from src/ as from dist/.
  const validate = require('../dist/config-validator') as ValidateFunction;
  if (validate(values)) return [];
  return (validate.errors ?? []).map((error) => explain(error, schema));
}

/** One sentence per error, made of the schema only: the value may be a secret. */
function explain({ keyword, instancePath, params, message }: ErrorObject, schema: ConfigSchema): string {
  const key = keyword === 'required' ? String(params['missingProperty']) : instancePath.slice(1);
  const property = schema.properties[key] ?? {};
  const field = nameField(key, schema);
  switch (keyword) {
    case 'required':
      return `${field} is missing.`;
    case 'enum':
      return `${field} must be one of: ${property.enum?.join(', ')}.`;
    case 'pattern':
      return `${field} must have the form ${property.pattern_descriptor ?? 'that its description gives'}.`;
    case 'minimum':
    case 'maximum':
      return `${field} must be between ${property.minimum} and ${property.maximum}.`;
    default:
      return `${field} ${message ?? 'is not valid'}.`;
  }
}

function nameField(key: string, schema: ConfigSchema): string {
  const title = schema.properties[key]?.title;
  return title === undefined ? key : `${title} (${key})`;
}

function invalid(text: string): ConnectorFailure {
  return new ConnectorFailure('config', `Config validation error: ${text}`);
}

function readSettings(
  values: Values,
  schema: ConfigSchema,
  nowMs: number,
): { settings: StreamSettings; warnings: string[] } {
  const field = (key: string): string => nameField(key, schema);
  const readDate = (key: string): Instant | undefined => {
    const text = values[key] as string | undefined;
    return text === undefined ? undefined : readInstant(field(key), text, nowMs);
  };
  const start = readDate('start_date') ?? readInstant(field('start_date'), DEFAULT_START, nowMs);
  const end = readDate('end_date');
  // A date as the end includes that day.
  const endMs = end && (end.wholeDay ? end.epochMs + DAY_MS : end.epochMs);
  if (endMs !== undefined && endMs <= start.epochMs) {
    throw invalid(`${field('end_date')} must be later than ${field('start_date')}.`);
  }
  const projectTimeZone = values['project_timezone'] as string;
  try {
    dayIn(projectTimeZone, nowMs);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw invalid(`${field('project_timezone')} must be an IANA name such as America/New_York.`);
  }
  const warnings =
    start.epochMs > nowMs
      ? [`${field('start_date')} lies in the future: until then there is nothing to read by date.`]
      : [];
  const settings: StreamSettings = {
    startMs: start.epochMs,
    startIsRelative: start.isRelative,
    endMs,
    nowMs,
    lookbackHours: values['lookback_hours'] as number,
    windowHours: values['request_time_range'] as number,
    projectTimeZone,
    groupByCountry: values['active_users_group_by_country'] as boolean,
    onMalformedLine: values['on_malformed_line'] as 'fail' | 'skip',
  };
  return { settings, warnings };
}

function readInstant(field: string, text: string, nowMs: number): Instant {
  const instant = parseInstant(text, nowMs);
  if (instant) return instant;
  throw invalid(
    `${field} is not a date that exists. Give a date-time such as 2024-03-01T00:00:00Z, a date such as 2024-03-01, ` +
      'or a duration back from now such as P1Y.',
  );
}
