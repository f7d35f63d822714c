/** TLS as every Typemetal process speaks it: options by MetalLB's flags, certificates that are made or read. */
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
