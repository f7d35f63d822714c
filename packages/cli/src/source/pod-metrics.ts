/** Asks speakers how they are through the API server, which reaches their Pods where we do not. */
import { ApiError } from '@typemetal/cluster'
import type { ApiClient } from '@typemetal/cluster'
import { parseMetrics, type SpeakerReading } from '../status/metrics.js'
import type { SpeakerPod } from './speakers.js'

/** What the speakers said. */
export interface PodReadings {
  /** By node; who was not asked is not there. */
  readonly readings: ReadonlyMap<string, SpeakerReading>
  /** What could not be seen, and what it would take. */
  readonly notes: readonly string[]
}

/** Milliseconds that a speaker has to answer. */
const PATIENCE = 2000
/** Speakers that are asked at the same time. */
const AT_ONCE = 16
const UNSEEN = 'the state of sessions is unknown'

/**
 * Reads the metrics of the Pods that say where these are, by the `proxy` of Pods. Never rejects: a speaker that does not answer has a
 * failure, and where we may not ask nobody is asked a second time.
 */
export async function readPodMetrics(
  api: ApiClient,
  namespace: string,
  pods: readonly SpeakerPod[],
): Promise<PodReadings> {
  const readings = new Map<string, SpeakerReading>()
  const guarded = pods.filter(({ metrics }) => metrics?.isGuarded)
  // The API server keeps the token that it is shown to itself.
  const notes =
    guarded.length > 0 ? [`${UNSEEN}: metrics are for bearers of a token (--metrics-auth), none is handed on`] : []
  const open = pods.filter(({ metrics }) => metrics && !metrics.isGuarded)
  const [first, ...others] = open
  if (!first) return { readings, notes }
  const ask = async (pod: SpeakerPod): Promise<SpeakerReading | 'forbidden'> => {
    const reading = await readOne(api, namespace, pod)
    if (reading !== 'forbidden') readings.set(pod.node, reading)
    return reading
  }
  if ((await ask(first)) === 'forbidden') {
    const right = `get pods/proxy in namespace ${namespace}`
    return { readings, notes: [...notes, `${UNSEEN}: the speakers cannot be asked without the right to ${right}`] }
  }
  while (others.length > 0) await Promise.all(others.splice(0, AT_ONCE).map(ask))
  return { readings, notes }
}

async function readOne(
  api: ApiClient,
  namespace: string,
  { name, metrics }: SpeakerPod,
): Promise<SpeakerReading | 'forbidden'> {
  const pod = `${metrics?.isSecure ? 'https' : 'http'}:${name}:${metrics?.port}`
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(pod)}/proxy/metrics`
  try {
    const text = await api.send({ method: 'GET', path, accept: 'text', signal: AbortSignal.timeout(PATIENCE) })
    return { samples: parseMetrics(String(text)) }
  } catch (error) {
    if (error instanceof ApiError && error.status === 403 && error.message.includes('pods/proxy')) return 'forbidden'
    return { failure: `no metrics from Pod ${name}: ${reasonOf(error)}` }
  }
}

const reasonOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error)
  return error.name === 'TimeoutError' ? `no answer within ${PATIENCE / 1000} s` : error.message
}
