import { isFields, type KubernetesObject } from '@typemetal/cluster'

/** Name of the ValidatingWebhookConfiguration. */
export const WEBHOOK_CONFIGURATION = 'metallb-webhook-configuration'

type Fields = Readonly<Record<string, unknown>>

/**
 * Tells an object whom to trust: every webhook of a ValidatingWebhookConfiguration, or the conversion webhook of a
 * CustomResourceDefinition.
 *
 * @param ca PEM in base64, as `caBundle` wants it
 * @returns the same object when it says so already
 * @throws {RangeError} there is no webhook in it
 */
export function withTrust(object: KubernetesObject, ca: string): KubernetesObject {
  return object.kind === 'CustomResourceDefinition' ? withConversionTrust(object, ca) : withWebhookTrust(object, ca)
}

function withWebhookTrust(object: KubernetesObject, ca: string): KubernetesObject {
  const { webhooks } = object as { readonly webhooks?: readonly Fields[] }
  if (!webhooks?.length) throw new RangeError('it has no webhooks')
  const wanted = webhooks.map(webhook => ({ ...webhook, clientConfig: trusting(webhook['clientConfig'], ca) }))
  return wanted.every((webhook, i) => webhook.clientConfig === webhooks[i]?.['clientConfig'])
    ? object
    : ({ ...object, webhooks: wanted } as KubernetesObject)
}

function withConversionTrust(object: KubernetesObject, ca: string): KubernetesObject {
  const { spec } = object as { readonly spec?: Fields }
  const conversion = spec?.['conversion']
  const webhook = isFields(conversion) ? conversion['webhook'] : undefined
  if (!isFields(webhook)) throw new RangeError('spec.conversion.webhook: it has none, so v1beta1 is not converted')
  const clientConfig = trusting(webhook['clientConfig'], ca)
  if (clientConfig === webhook['clientConfig']) return object
  const wanted = { ...(conversion as Fields), webhook: { ...webhook, clientConfig } }
  return { ...object, spec: { ...spec, conversion: wanted } } as KubernetesObject
}

const trusting = (clientConfig: unknown, ca: string): unknown =>
  isFields(clientConfig) && clientConfig['caBundle'] === ca
    ? clientConfig
    : { ...(clientConfig as Fields), caBundle: ca }
