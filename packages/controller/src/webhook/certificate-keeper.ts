import { type ApiClient, ConflictError, type KubernetesObject, NotFoundError, type Secret } from '@typemetal/cluster'
import type { Logger } from '@typemetal/cluster/process'
import { type Clock, type Milliseconds, pause } from '../node/clock.js'
import { type CertificateBundle, issueCertificates, issueServerCertificate, renewalNeed } from '@typemetal/cluster/tls'
import { WEBHOOK_CONFIGURATION, withTrust } from './trust.js'

/** Names that MetalLB's manifests and Typemetal's have in common. */
const CONVERTED_RESOURCE = 'bgppeers.metallb.io'
/** Between looks. Another replica may have made new certificates meanwhile, or somebody has applied the manifests again. */
const LOOK: Milliseconds = 30_000
/** After a look that failed. */
const RETRY: Milliseconds = 2000
/** Attempts in one look while others write the same object. */
const ATTEMPTS = 5

const BUNDLE_KEYS = ['ca.crt', 'ca.key', 'tls.crt', 'tls.key'] as const

/** Options of a {@link CertificateKeeper}. */
export interface CertificateKeeperOptions {
  readonly api: ApiClient
  /** Of the Secret. */
  readonly namespace: string
  /** Of the Secret. */
  readonly secretName: string
  /** Of the Service that the API server calls. */
  readonly serviceName: string
  /** There are other certificates to show. */
  readonly onBundle: (bundle: CertificateBundle) => void
  readonly clock: Clock
  readonly log: Logger
}

/**
 * Makes the webhooks' certificates, keeps them in a Secret, makes them anew in time, and tells the API server whom to trust. Any
 * number of replicas may do so at once: whoever is slower takes what the other one has made.
 */
export class CertificateKeeper {
  readonly #options: CertificateKeeperOptions
  readonly #dnsName: string
  #shown = ''
  #troubles = new Set<string>()

  constructor(options: CertificateKeeperOptions) {
    this.#options = options
    this.#dnsName = `${options.serviceName}.${options.namespace}.svc`
  }

  /** Looks after the certificates until `signal` aborts. What fails is logged once and tried again. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const worked = await this.#look(signal)
      await pause(this.#options.clock, worked ? LOOK : RETRY, signal)
    }
  }

  /** @returns whether everything is as it should be */
  async #look(signal: AbortSignal): Promise<boolean> {
    const troubles: string[] = []
    const attempt = async (what: string, work: () => Promise<void>): Promise<void> => {
      try {
        await work()
      } catch (error) {
        if (!signal.aborted) troubles.push(`${what}: ${(error as Error).message}`)
      }
    }
    let bundle: CertificateBundle | undefined
    await attempt(`Secret ${this.#options.secretName}`, async () => {
      bundle = await this.#bundle(signal)
      this.#show(bundle)
    })
    if (bundle) {
      const ca = Buffer.from(bundle['ca.crt']).toString('base64')
      const configuration = `/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/${WEBHOOK_CONFIGURATION}`
      const resource = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${CONVERTED_RESOURCE}`
      await attempt(`ValidatingWebhookConfiguration ${WEBHOOK_CONFIGURATION}`, () =>
        this.#trust(configuration, ca, signal),
      )
      await attempt(`CustomResourceDefinition ${CONVERTED_RESOURCE}`, () => this.#trust(resource, ca, signal))
    }
    this.#tell(troubles)
    return troubles.length === 0
  }

  /** The certificates that are in force, made if need be. */
  async #bundle(signal: AbortSignal): Promise<CertificateBundle> {
    return this.#insist(async () => {
      const secret = await this.#readSecret(signal)
      const found = bundleOf(secret)
      const subject = { dnsName: this.#dnsName, now: this.#options.clock.now() }
      const need = renewalNeed(found, subject)
      if (!need) return found as CertificateBundle
      const bundle =
        need.renew === 'all'
          ? await issueCertificates(subject)
          : { ...(found as CertificateBundle), ...(await issueServerCertificate(found as CertificateBundle, subject)) }
      await this.#writeSecret(secret, bundle, signal)
      this.#options.log.info({ event: 'certificates', renew: need.renew, reason: need.reason }, 'new certificates')
      return bundle
    })
  }

  async #trust(path: string, ca: string, signal: AbortSignal): Promise<void> {
    await this.#insist(async () => {
      const object = (await this.#options.api.send({ method: 'GET', path, signal })) as KubernetesObject
      const wanted = withTrust(object, ca)
      if (wanted !== object) await this.#options.api.send({ method: 'PUT', path, body: wanted, signal })
    })
  }

  get #secretPath(): string {
    return `/api/v1/namespaces/${encodeURIComponent(this.#options.namespace)}/secrets`
  }

  async #readSecret(signal: AbortSignal): Promise<Secret | undefined> {
    const path = `${this.#secretPath}/${encodeURIComponent(this.#options.secretName)}`
    try {
      return (await this.#options.api.send({ method: 'GET', path, signal })) as Secret
    } catch (error) {
      if (error instanceof NotFoundError) return undefined
      throw error
    }
  }

  async #writeSecret(before: Secret | undefined, bundle: CertificateBundle, signal: AbortSignal): Promise<void> {
    const { namespace, secretName: name } = this.#options
    const texts = Object.entries(bundle) as readonly [string, string][]
    const data = Object.fromEntries(texts.map(([key, text]) => [key, Buffer.from(text).toString('base64')]))
    const empty = { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace } }
    const body = { ...(before ?? empty), data: { ...before?.data, ...data } }
    const path = before ? `${this.#secretPath}/${encodeURIComponent(name)}` : this.#secretPath
    await this.#options.api.send({ method: before ? 'PUT' : 'POST', path, body, signal })
  }

  /** Does it again when somebody else was quicker. */
  async #insist<T>(work: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await work()
      } catch (error) {
        if (!(error instanceof ConflictError) || attempt === ATTEMPTS) throw error
      }
    }
  }

  #show(bundle: CertificateBundle): void {
    if (this.#shown === bundle['tls.crt'] + bundle['tls.key']) return
    this.#options.onBundle(bundle)
    this.#shown = bundle['tls.crt'] + bundle['tls.key']
  }

  #tell(troubles: readonly string[]): void {
    for (const trouble of troubles) {
      if (!this.#troubles.has(trouble))
        this.#options.log.error({ event: 'certificates', error: trouble }, 'the webhooks may not be reachable')
    }
    this.#troubles = new Set(troubles)
  }
}

function bundleOf(secret: Secret | undefined): Partial<CertificateBundle> {
  const entries = BUNDLE_KEYS.flatMap(key => {
    const value = secret?.data?.[key]
    return value === undefined ? [] : [[key, Buffer.from(value, 'base64').toString('utf8')] as const]
  })
  return Object.fromEntries(entries)
}
