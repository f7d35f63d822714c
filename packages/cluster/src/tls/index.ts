/**
 * TLS as every Typemetal process speaks it: options by MetalLB's flags, certificates that are made or read.
 *
 * ```ts
 * import { issueCertificates, renewalNeed } from '@typemetal/cluster/tls'
 *
 * const subject = { dnsName: 'webhook.metallb-system.svc', now: new Date() }
 * const bundle = await issueCertificates(subject)
 * console.log(renewalNeed(bundle, subject)) // undefined
 * console.log(renewalNeed(bundle, { ...subject, dnsName: 'other.metallb-system.svc' })?.renew) // server
 * ```
 *
 * @packageDocumentation
 */
export {
  type CertificateBundle,
  type CertificateSubject,
  issueCertificates,
  issueServerCertificate,
  type RenewalNeed,
  renewalNeed,
} from './certificates.js'
export { CertificateFiles, type CertificateFilesOptions } from './certificate-files.js'
export { parseTlsOptions, type TlsFlags, type TlsOptions } from './tls-options.js'
