/** A webhook that converts BGPPeers for an API server of a test: as small as one can be. */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { CertificateAuthority } from '@typemetal/lab/kubernetes'
import { type BGPPeer, convertBGPPeer } from '@typemetal/cluster'

interface ConversionReview {
  readonly apiVersion: string
  readonly kind: string
  readonly request: { readonly uid: string; readonly desiredAPIVersion: string; readonly objects: readonly BGPPeer[] }
}

/** Answers ConversionReviews on loopback until it is disposed of. */
export class ConversionWebhook implements AsyncDisposable {
  readonly #server: Server
  /** Objects that were converted, by the version asked for. */
  readonly converted: string[] = []
  /** `clientConfig` of a CustomResourceDefinition that leads here. */
  readonly clientConfig: { readonly url: string; readonly caBundle: string }

  private constructor(server: Server, authority: string) {
    this.#server = server
    const { port } = server.address() as AddressInfo
    this.clientConfig = {
      url: `https://127.0.0.1:${port}/convert`,
      caBundle: readFileSync(authority).toString('base64'),
    }
    server.on('request', (request, response) => {
      void json(request).then(body => response.end(JSON.stringify(this.#answer(body as ConversionReview))))
    })
  }

  /** @param directory for the certificates */
  static async start(directory: string): Promise<ConversionWebhook> {
    const authority = await CertificateAuthority.create(directory, 'conversion-authority')
    const files = await authority.issue('conversion', { commonName: 'conversion', hosts: ['127.0.0.1'] })
    const server = createServer({ cert: readFileSync(files.certificate), key: readFileSync(files.key) })
    await once(server.listen(0, '127.0.0.1'), 'listening')
    return new ConversionWebhook(server, authority.certificate)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #answer({ apiVersion, kind, request: { uid, desiredAPIVersion, objects } }: ConversionReview): object {
    const convertedObjects = objects.map(object => convertBGPPeer(object, desiredAPIVersion))
    this.converted.push(...objects.map(() => desiredAPIVersion))
    return { apiVersion, kind, response: { uid, convertedObjects, result: { status: 'Success' } } }
  }
}
