import { ProblemError } from '../../engine/problems.ts';
import { packageVersion } from '../package.ts';
import { postJson } from '../post-json.ts';
import type { ReporterKind } from './chosen.ts';
import { traceRequest } from './otlp-trace.ts';
import { writeReport } from './write-report.ts';

/** A collector has this long to answer, unless OTEL_EXPORTER_OTLP_TIMEOUT says otherwise. */
const timeoutMs = 5000;

/**
 * `--reporter otlp=http://localhost:4318` or `otlp=trace.json`: the run as an OpenTelemetry trace, in OTLP's JSON
 * encoding over HTTP. Headers, time limit and names come from OpenTelemetry's own variables.
 */
export const otlp: ReporterKind = {
  example: 'otlp=http://localhost:4318',
  open(target, cli) {
    const url = endpoint(target);
    return async (run) => {
      const request = traceRequest(run, resourceAttributes(cli.env));
      if (url === null) {
        writeReport(cli.cwd, target, `${JSON.stringify(request)}\n`);
        return;
      }
      try {
        const limit = Number(cli.env['OTEL_EXPORTER_OTLP_TIMEOUT']);
        const response = await postJson(url.href, {
          headers: { 'user-agent': `reprise/${packageVersion()}`, ...headersOf(cli.env) },
          body: request,
          timeoutMs: limit > 0 ? limit : timeoutMs,
        });
        checkAccepted(await response.text());
      } catch (error) {
        // Not the query: it may hold a key.
        throw new Error(`${url.origin}${url.pathname}: ${(error as Error).message}`);
      }
    };
  },
};

/** The address that traces go to; null for a file. `/v1/traces` is added as OTEL_EXPORTER_OTLP_ENDPOINT has it. */
function endpoint(target: string): URL | null {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(target)?.[1]?.toLowerCase();
  if (scheme === undefined) {
    if (/^[\w.-]+:\d+(\/|$)/.test(target))
      throw wrongTarget(target, `an address begins with its scheme: --reporter otlp=http://${target}`);
    return null;
  }
  if (scheme !== 'http' && scheme !== 'https')
    throw wrongTarget(target, 'traces go over HTTP: --reporter otlp=http://localhost:4318');
  const url = URL.parse(target);
  if (url === null) throw wrongTarget(target, 'for example: --reporter otlp=http://localhost:4318');
  if (url.username !== '' || url.password !== '')
    throw ProblemError.of('wrong-call', '--reporter otlp cannot hold a password: the record keeps the call', {
      hint: 'put it into the environment: OTEL_EXPORTER_OTLP_HEADERS="authorization=Basic …"',
    });
  if (!url.pathname.endsWith('/v1/traces')) url.pathname = `${url.pathname.replace(/\/$/, '')}/v1/traces`;
  return url;
}

function wrongTarget(target: string, hint: string): ProblemError {
  return ProblemError.of('wrong-call', `--reporter otlp cannot send to "${target}"`, { hint });
}

type Environment = Readonly<Record<string, string | undefined>>;

function headersOf(env: Environment): Record<string, string> {
  return pairs(env['OTEL_EXPORTER_OTLP_TRACES_HEADERS'] ?? env['OTEL_EXPORTER_OTLP_HEADERS']);
}

function resourceAttributes(env: Environment): Record<string, string> {
  const named = env['OTEL_SERVICE_NAME'];
  return {
    'service.name': 'reprise',
    'service.version': packageVersion(),
    ...pairs(env['OTEL_RESOURCE_ATTRIBUTES']),
    ...(named && { 'service.name': named }),
  };
}

/** `api-key=abc,team=search%20quality`, as OpenTelemetry's variables have it. */
function pairs(text = ''): Record<string, string> {
  return Object.fromEntries(
    text.split(',').flatMap((part) => {
      const at = part.indexOf('=');
      if (at < 1) return [];
      return [[part.slice(0, at).trim(), decoded(part.slice(at + 1).trim())]];
    }),
  );
}

/** What is not percent-encoded stands for itself. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** A collector that took only some of the spans says so in an answer of its own. */
function checkAccepted(answer: string): void {
  let partial: { rejectedSpans?: number | string; errorMessage?: string } | undefined;
  try {
    ({ partialSuccess: partial } = JSON.parse(answer) as { partialSuccess?: typeof partial });
  } catch {
    // Accepted, with words of the server's own.
    return;
  }
  const rejected = Number(partial?.rejectedSpans ?? 0);
  if (rejected > 0)
    throw new Error(`it rejected ${rejected} spans: ${partial?.errorMessage ?? 'no reason given'}`);
}
